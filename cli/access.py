"""login, logout, passwd, whoami."""

from __future__ import annotations

import os
import sys

import click

from application.identity import authenticate, log_in, log_out, set_password
from application.installation import Request
from application.settings import Settings
from cli.output import print_json, say
from cli.session import as_json, current_installation, current_request, current_settings, current_token, with_request
from models.errors import InvalidInput, NotAllowed
from models.people import ROLE_TITLES, Role


def keep_token(settings: Settings, token: str) -> None:
    """Keeps a token in the home folder, readable by its owner only from the first byte on."""
    path = settings.session_file
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token + "\n")


@click.command()
@click.argument("name", required=False)
@click.option("--token", help="用访问令牌登录（从标准输入读取请写 -）。")
@click.option("--password-stdin", is_flag=True, help="从标准输入读取口令，不提示。")
def login(name: str | None, token: str | None, password_stdin: bool) -> None:
    """登录，登录状态保存在 JIXIAO_HOME（12 小时）。

    NAME 是登录名；省略时会提示输入。
    """
    installation = current_installation()
    if token is not None:
        token = sys.stdin.readline().strip() if token == "-" else token  # noqa: S105 -- "-" is standard input
        person = authenticate(installation, token)
    else:
        name = name or click.prompt("登录名")
        password = sys.stdin.readline().rstrip("\n") if password_stdin else click.prompt("口令", hide_input=True)
        if not password:
            raise InvalidInput("口令不能为空。")
        token, person = log_in(installation, name, password)
    keep_token(installation.settings, token)
    say(f"已登录：{person.display_name}（{person.organization}）。下一步：jixiao task list 查看待办。")


@click.command()
def logout() -> None:
    """退出登录：登录状态立即失效（交给您的访问令牌不受影响）。"""
    settings = current_settings()
    try:
        request = current_request()
    except NotAllowed:
        if settings.token is not None or not settings.session_file.exists():
            raise
        settings.session_file.unlink()
        say("登录先前已经结束；已清除本机保存的登录状态。")
        return
    ended = log_out(request, current_token(settings) or "")
    if settings.token is not None:
        # The token came with this call; what is kept in the home may be somebody else's log-in.
        say("已退出登录。" if ended else "JIXIAO_TOKEN 中是访问令牌，它没有登录状态，仍然有效。")
        return
    settings.session_file.unlink(missing_ok=True)
    say("已退出登录。" if ended else "已退出登录；访问令牌本身仍然有效。")


@click.command()
@click.option("--password-stdin", is_flag=True, help="从标准输入读取，不提示：设过口令的先一行旧口令，再一行新口令。")
@with_request
def passwd(request: Request, password_stdin: bool) -> None:
    """设置自己的口令；第一个访问令牌到期后用它登录。"""
    if password_stdin:
        lines = sys.stdin.read().splitlines()[:2]
        old, password = (lines[0], lines[1]) if len(lines) == 2 else (None, "".join(lines))
    else:
        old = click.prompt("旧口令（没有设过请直接回车）", hide_input=True, default="", show_default=False) or None
        password = click.prompt("新口令", hide_input=True, confirmation_prompt="再输一次")
    set_password(request, password, old)
    say(f"口令已设置，原有的登录已结束。请运行 jixiao login {request.person.login}。")


@click.command()
@as_json
@with_request
def whoami(request: Request, as_json: bool) -> None:
    """显示当前登录的账号、单位和岗位。"""
    person = request.person
    roles = sorted({role for role, _ in person.roles})
    if as_json:
        print_json(
            {
                "id": person.account_id,
                "login": person.login,
                "name": person.display_name,
                "organization": person.organization,
                "organization_id": person.organization_id,
                "roles": roles,
            }
        )
        return
    titles = "、".join(ROLE_TITLES[Role(role)] for role in roles) or "没有岗位"
    click.echo(f"{person.display_name}（{person.login}），{person.organization}：{titles}")
