"""飞书 group robot, signed: ``timestamp`` (s) and ``sign`` in the body, base64(HMAC-SHA256(timestamp ‖ LF ‖ secret, ""))."""

from __future__ import annotations

import hmac
import time
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256

from notifications.channels.protocol import Outcome
from notifications.channels.robots import Codes, Link, RobotSettings, deliver, words
from notifications.letters import Letter

# 9499 and 11232 too many requests; 19021 signature, 19022 address, 19024 keyword, 19001 no such robot.
CODES = Codes("code", busy=(9499, 11232), refused=(19001, 19021, 19022, 19024))


def sign(secret: str, seconds: int) -> str:
    """The signature of a moment: what other robots sign is the key here, and nothing is signed with it."""
    return b64encode(hmac.new(f"{seconds}\n{secret}".encode(), b"", sha256).digest()).decode()


class Feishu:
    """A robot of 飞书."""

    personal = False

    def __init__(self, settings: RobotSettings, link: Link, *, seconds: Callable[[], float] = time.time) -> None:
        self.name = settings.name
        self._settings, self._link, self._seconds = settings, link, seconds

    def send(self, letter: Letter) -> Outcome:
        """Says the letter in the group."""
        message: dict[str, object] = {"msg_type": "text", "content": {"text": words(letter, self._link)}}
        if self._settings.secret:
            now = int(self._seconds())
            message |= {"timestamp": str(now), "sign": sign(self._settings.secret, now)}
        return deliver(self._settings, self._settings.url, message, CODES)

    def close(self) -> None:
        """Nothing is kept open."""
