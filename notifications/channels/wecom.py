"""企业微信 group robot: ``{"errcode": 0, "errmsg": "ok"}`` for a message that was taken. 20 messages a minute."""

from __future__ import annotations

from notifications.channels.protocol import Outcome
from notifications.channels.robots import Codes, Link, RobotSettings, deliver, words
from notifications.letters import Letter

# -1 busy, 45009 and 45033 too many calls; 93000 no such robot, 40014 and 42001 bad tokens, 60020 a foreign address.
CODES = Codes("errcode", busy=(-1, 45009, 45033), refused=(93000, 40014, 42001, 60020))
# A text message holds 2,048 bytes.
_LONGEST = 2048


class WeCom:
    """A robot of 企业微信."""

    personal = False

    def __init__(self, settings: RobotSettings, link: Link) -> None:
        self.name = settings.name
        self._settings, self._link = settings, link

    def send(self, letter: Letter) -> Outcome:
        """Says the letter in the group."""
        said = words(letter, self._link).encode()[:_LONGEST].decode(errors="ignore")
        return deliver(self._settings, self._settings.url, {"msgtype": "text", "text": {"content": said}}, CODES)

    def close(self) -> None:
        """Nothing is kept open."""
