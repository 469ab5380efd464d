"""钉钉 group robot, signed: ``timestamp`` (ms) and ``sign`` in the address, base64(HMAC-SHA256(secret, timestamp ‖ LF ‖ secret))."""

from __future__ import annotations

import hmac
import time
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import urlencode

from notifications.channels.protocol import Outcome
from notifications.channels.robots import Codes, Link, RobotSettings, deliver, words
from notifications.letters import Letter

# -1 busy, 130101 and 410100 too many messages (the robot is silenced for ten minutes); 310000 signature, keyword or address,
# 300001, 300005 and 40035 no such token.
CODES = Codes("errcode", busy=(-1, 130101, 410100), refused=(310000, 300001, 300005, 40035), pause=600.0)


def sign(secret: str, milliseconds: int) -> str:
    """The signature of a moment."""
    said = f"{milliseconds}\n{secret}".encode()
    return b64encode(hmac.new(secret.encode(), said, sha256).digest()).decode()


class DingTalk:
    """A robot of 钉钉."""

    personal = False

    def __init__(self, settings: RobotSettings, link: Link, *, seconds: Callable[[], float] = time.time) -> None:
        self.name = settings.name
        self._settings, self._link, self._seconds = settings, link, seconds

    def send(self, letter: Letter) -> Outcome:
        """Says the letter in the group."""
        url = self._settings.url
        if self._settings.secret:
            now = int(self._seconds() * 1000)
            query = urlencode({"timestamp": now, "sign": sign(self._settings.secret, now)})
            url += ("&" if "?" in url else "?") + query
        message = {"msgtype": "text", "text": {"content": words(letter, self._link)}}
        return deliver(self._settings, url, message, CODES)

    def close(self) -> None:
        """Nothing is kept open."""
