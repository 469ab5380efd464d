"""The time rule (audit.md, attack 14): an event's time lies between the outside stamps around it.

An outside stamp is a checkpoint's size with the time at which somebody else (a witness, a time stamping authority) had it
before them. It bounds every event below its size from above: what was there at that time did not happen later. It bounds
the events from its size on from below, since they were not there yet when the checkpoint was signed; for that the stamp must
be *prompt*, got right after the signing. A stamp that came late, such as one fetched by files, bounds later events by the
newest time below its size, which stood in the log by then. Everything here is pure and takes events in order.

A late import is no exception: its ``ts`` is when it was written. The time that it tells of stands in its data (a change of
``/effective_at``), is not judged, and is marked. An event that could name its own ``ts`` would be the very attack.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

# How far the clocks of two offices, and the beginning and the commit of a transaction, may lie apart.
SKEW = timedelta(seconds=120)
EFFECTIVE = "/effective_at"
_IMPORT = ".import"


@dataclass(frozen=True, slots=True)
class Stamp:
    """A checkpoint's size with the time at which it was known outside; ``source`` names who says so."""

    size: int
    time: datetime
    prompt: bool = True
    source: str = ""


class Breach(StrEnum):
    """On which side of its bounds an event's time lies."""

    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"


@dataclass(frozen=True, slots=True)
class Violation:
    """An event whose time contradicts a stamp; ``bound`` is the time that it should not have passed, without the skew."""

    index: int
    time: datetime
    breach: Breach
    bound: datetime

    @property
    def message(self) -> str:
        """One sentence in Chinese."""
        wrong, side = ("早", "之后") if self.breach is Breach.TOO_EARLY else ("晚", "之前")
        return (
            f"第 {self.index} 条的时间 {self.time.isoformat()} 过{wrong}：外部时间证明它是在 "
            f"{self.bound.isoformat()} {side}写入的（允许相差 {SKEW.total_seconds():.0f} 秒）；时间是假的，或时钟错了。"
        )


@dataclass(frozen=True, slots=True)
class TimedEvent:
    """What the rule needs of an event: index, ``ts``, act, and the effective time that a late import tells of."""

    index: int
    time: datetime
    act: str
    effective: datetime | None = None


class TimeRule:
    """Judges events one after the other; holds one event's worth of memory, whatever the log's length.

    ``stamps`` come in order of size (several of one size in any order). ``late_imports`` counts the marked events.
    """

    def __init__(self, stamps: Iterable[Stamp], *, skew: timedelta = SKEW) -> None:
        self._coming = _Upper(iter(stamps))
        self._skew = skew
        self._lower: datetime | None = None
        self._newest: datetime | None = None
        self.late_imports = 0

    def see(self, event: TimedEvent) -> Violation | None:
        """The event's violation, or None; events from index 0 on, without a gap."""
        for stamp in self._coming.passed(event.index):
            bound = stamp.time if stamp.prompt else self._newest and min(stamp.time, self._newest)
            if bound is not None and (self._lower is None or bound > self._lower):
                self._lower = bound
        self._newest = event.time if self._newest is None else max(self._newest, event.time)
        if is_late_import(event):
            self.late_imports += 1
        upper = self._coming.bound(event.index)
        if self._lower is not None and event.time < self._lower - self._skew:
            return Violation(event.index, event.time, Breach.TOO_EARLY, self._lower)
        if upper is not None and event.time > upper + self._skew:
            return Violation(event.index, event.time, Breach.TOO_LATE, upper)
        return None


class _Upper:
    """The stamps ahead, read as far as the next size.

    The first stamp above an event is its upper bound. A later one of a larger size can have an earlier time only where a
    clock is wrong, and would then accuse in place of the clock.
    """

    def __init__(self, stamps: Iterator[Stamp]) -> None:
        self._stamps = stamps
        self._next = next(stamps, None)
        self._group: list[Stamp] = []
        self._advance()

    def passed(self, index: int) -> list[Stamp]:
        """The stamps whose size the index has reached, each given once."""
        done: list[Stamp] = []
        while self._group and self._group[0].size <= index:
            done += self._group
            self._advance()
        return done

    def bound(self, index: int) -> datetime | None:
        """The earliest time at which the event was outside, or None where no stamp covers it."""
        if not self._group or self._group[0].size <= index:
            return None
        return min(stamp.time for stamp in self._group)

    def _advance(self) -> None:
        self._group = []
        while self._next is not None and (not self._group or self._next.size == self._group[0].size):
            self._group.append(self._next)
            self._next = next(self._stamps, None)


def violations(events: Iterable[TimedEvent], stamps: Iterable[Stamp], *, skew: timedelta = SKEW) -> Iterator[Violation]:
    """All violations of a log's events, in order."""
    rule = TimeRule(stamps, skew=skew)
    for event in events:
        found = rule.see(event)
        if found is not None:
            yield found


def timed(index: int, event: Mapping[str, Any]) -> TimedEvent:
    """What the rule needs of a parsed event (audit.md "Event"); raises ValueError or KeyError where it is none."""
    said = [entry.get("n") for entry in event.get("chg", ()) if entry.get("p") == EFFECTIVE]
    effective = datetime.fromisoformat(said[0]) if said and isinstance(said[0], str) else None
    return TimedEvent(index, datetime.fromisoformat(event["ts"]), event["act"], effective)


def is_late_import(event: TimedEvent) -> bool:
    """Whether an event is an import that tells of a time before its own."""
    return event.act.endswith(_IMPORT) and event.effective is not None and event.effective < event.time
