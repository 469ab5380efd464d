"""Passwords and tokens of channels: from the environment, or from a file that only its owner reads; never in the database."""

from __future__ import annotations

import stat
import tomllib
from typing import Any

from application.settings import Settings
from models.errors import InvalidInput

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_secrets(settings: Settings) -> dict[str, dict[str, Any]]:
    """Secrets by channel, empty where there is no file; raises InvalidInput for one that others can read."""
    path = settings.secrets
    secrets: dict[str, dict[str, Any]] = {}
    try:
        with path.open("rb") as opened:
            mode = path.stat().st_mode
            if mode & _OTHERS:
                raise InvalidInput(f"密钥文件 {path.name} 别人也能读（{stat.S_IMODE(mode):o}）；请运行 chmod 600。")
            found = tomllib.load(opened)
    except FileNotFoundError:
        found = {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        # The sentence of the parser may repeat a line, and a line of this file is a password.
        raise InvalidInput(f"密钥文件 {path.name} 不是正确的 TOML；请检查引号和方括号。") from error
    except OSError as error:
        raise InvalidInput(f"不能读取密钥文件 {path.name}（{error.strerror}）；请检查权限。") from error
    for name, members in found.items():
        if not isinstance(members, dict):
            raise InvalidInput(f"密钥文件 {path.name} 的“{name}”应是一节，写成 [{name}]。")
        secrets[name] = members
    if settings.mail_password is not None:
        secrets["mail"] = {**secrets.get("mail", {}), "password": settings.mail_password}
    return secrets
