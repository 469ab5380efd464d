"""Everything else, through the library apprise where it is installed (an optional extra of jixiao)."""

from __future__ import annotations

import importlib
from typing import Any

from models.errors import InvalidInput
from notifications.channels.protocol import SENT, Outcome, Verdict
from notifications.channels.robots import Link, RobotSettings, words
from notifications.letters import Letter


class Apprise:
    """One address of apprise. It says only whether a message was taken, so that every failure is tried again."""

    personal = False

    def __init__(self, settings: RobotSettings, link: Link) -> None:
        self.name = settings.name
        self._link = link
        try:
            library: Any = importlib.import_module("apprise")
        except ImportError:
            raise InvalidInput(f"通道“{settings.name}”要用 apprise，这里没有安装；请安装后再启用它。") from None
        self._sender: Any = library.Apprise()
        if not self._sender.add(settings.url):
            raise InvalidInput(f"通道“{settings.name}”的地址 apprise 无法识别；请检查密钥文件。")

    def send(self, letter: Letter) -> Outcome:
        """Sends the letter as text."""
        try:
            taken = self._sender.notify(title=letter.subject, body=words(letter, self._link))
        except Exception as error:  # noqa: BLE001 -- a plugin of a stranger; one letter must not end the worker
            return Outcome(Verdict.LATER, f"apprise 出错（{type(error).__name__}）", fault=True)
        return SENT if taken else Outcome(Verdict.LATER, "apprise 没有送达", fault=True)

    def close(self) -> None:
        """Nothing is kept open."""
