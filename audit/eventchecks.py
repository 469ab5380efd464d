"""Checks over the stream of a log's events, which a strict verification shows them one by one.

The log's own rooms know nothing of workflows; what replays events or judges transitions is plugged in from above.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from audit.cosignatures import CosignerKey
from audit.exposure import VerifyToken, stamps
from audit.timerule import Stamp, TimeRule, timed
from audit.verdicts import Kind, Problem
from models.engine import Work

# Problems of one check that are kept in words; more of the same kind tell nothing new.
_KEPT = 100


class EventCheck(Protocol):
    """What is shown every event of a log, in order, and then says what is wrong."""

    def see(self, index: int, event: dict[str, Any]) -> None:
        """Takes an event (parsed, in canonical form); those that are not events are left out."""

    def finish(self) -> Iterable[Problem]:
        """What was found, once all events were shown."""


class TimeCheck:
    """The time rule of attack 14 (``audit.timerule``) as a check; ``stamps`` come in order of size."""

    def __init__(self, found: Iterable[Stamp]) -> None:
        self._rule = TimeRule(found)
        self._problems: list[Problem] = []

    def see(self, index: int, event: dict[str, Any]) -> None:
        """Takes an event."""
        found = self._rule.see(timed(index, event))
        if found is not None and len(self._problems) < _KEPT:
            self._problems.append(Problem(Kind.TIME, index, found.message))

    def finish(self) -> Iterable[Problem]:
        """The events whose time contradicts an outside stamp."""
        return self._problems


def time_checks(
    work: Work, log: str, cosigners: Sequence[CosignerKey], verify_token: VerifyToken | None
) -> list[TimeCheck]:
    """The time rule by the outside stamps of a log's checkpoints; none without anybody whose stamps are believed."""
    if not cosigners and verify_token is None:
        return []
    return [TimeCheck(stamps(work, log=log, cosigners=cosigners, verify_token=verify_token))]
