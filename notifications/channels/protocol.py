"""What a channel is: it is given a letter and says what became of it. It raises nothing that a provider can cause."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from notifications.letters import Letter


class Verdict(StrEnum):
    """What became of a letter, told apart by what is to be done next."""

    SENT = "sent"
    # Try again: the provider is busy, limits the rate, or can't be reached.
    LATER = "later"
    # This letter will never be taken; others may be.
    NEVER = "never"
    # The token or the account is refused: no letter will be taken until an administrator has changed something.
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict with its reason in Chinese, free of addresses and tokens, and the seconds for which the provider asked.

    ``fault`` is a failure of the way (time-out, TLS, half an answer): many in a row open the channel's breaker.
    """

    verdict: Verdict
    reason: str = ""
    after: float | None = None
    fault: bool = False


SENT = Outcome(Verdict.SENT)


class Channel(Protocol):
    """A way to tell; ``personal`` ones need an address of the account, the others have an address of their own."""

    @property
    def name(self) -> str:
        """The name in settings, unique."""

    @property
    def personal(self) -> bool:
        """Whether letters go to a person's address."""

    def send(self, letter: Letter) -> Outcome:
        """Hands a letter over and reads the answer."""

    def close(self) -> None:
        """Gives connections back."""
