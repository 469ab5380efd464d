"""What a verification says: its problems, and whether the log is intact, tampered with, not provable or not readable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

# Called with how many entries are done, of how many.
Progress = Callable[[int, int], None]

# A log that was rewritten from some entry on has a problem in every tile after it; the first ones tell the story.
_KEPT = 100


class Status(StrEnum):
    """The four answers; only ``intact`` is a good one, and only ``tampered`` is an accusation."""

    INTACT = "intact"
    TAMPERED = "tampered"
    NOT_PROVABLE = "not_provable"
    CANNOT_READ = "cannot_read"


class Level(StrEnum):
    """How deep a verification looks; each level finds all that the one before finds.

    ``head``: the newest signed heads, the head's row, the edge; ``tiles``: also every tile and every checkpoint, without
    reading a body; ``full``: also every body; ``strict``: also what the events say, one by one and of each object.
    """

    HEAD = "head"
    TILES = "tiles"
    FULL = "full"
    STRICT = "strict"


class Kind(StrEnum):
    """Where a problem lies; from ``form`` to ``replay`` only ``strict`` looks."""

    ENTRY = "entry"
    INDEX = "index"
    TILE = "tile"
    HEAD = "head"
    CHECKPOINT = "checkpoint"
    KEY = "key"
    OUTBOX = "outbox"
    UNSIGNED = "unsigned"
    UNKNOWN_KEY = "unknown_key"
    UNREADABLE = "unreadable"
    FORM = "form"
    OBJECT = "object"
    PROJECTION = "projection"
    IDENTITY = "identity"
    TIME = "time"
    TRANSITION = "transition"
    REPLAY = "replay"


_NOT_PROVABLE = frozenset((Kind.UNSIGNED, Kind.UNKNOWN_KEY))


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem; ``index`` is the entry, or with ``until`` the bad entry lies in ``index`` … ``until - 1``."""

    kind: Kind
    index: int | None
    message: str
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result: ``size`` and ``root`` as recomputed, ``signed`` entries that a valid checkpoint proves.

    ``first_bad`` is the first bad index, or the lower bound where only a range is known (its problem then has ``until``).
    ``checkpoints`` counts the stored checkpoints that were checked, ``outbox`` the events that wait for an index, ``start`` the
    entries that an older verification had read and this one did not.
    """

    ok: bool
    status: Status
    size: int
    root: bytes
    first_bad: int | None
    problems: tuple[Problem, ...]
    checkpoints: int = 0
    outbox: int = 0
    signed: int = 0
    level: Level = Level.FULL
    start: int = 0


@dataclass(slots=True)
class Findings:
    """Problems as they are found; only the first hundred are kept in words, all of them count."""

    problems: list[Problem] = field(default_factory=list)
    first_bad: int | None = None
    dropped: int = 0
    _tampered: bool = False
    _not_provable: bool = False

    def add(self, kind: Kind, index: int | None, message: str, until: int | None = None) -> None:
        """Notes a problem."""
        if kind in _NOT_PROVABLE:
            self._not_provable = True
        else:
            self._tampered = True
        if index is not None and (self.first_bad is None or index < self.first_bad):
            self.first_bad = index
        if len(self.problems) < _KEPT:
            self.problems.append(Problem(kind, index, message, until))
        else:
            self.dropped += 1

    def absorb(self, others: Findings) -> None:
        """Takes over what was found elsewhere, in a part of the log."""
        for problem in others.problems:
            self.add(problem.kind, problem.index, problem.message, problem.until)
        self.dropped += others.dropped

    def explains(self, low: int, high: int) -> bool:
        """Whether a problem is known that lies in (or may lie in) the entries ``low`` to ``high - 1``."""
        return any(
            problem.index is not None and problem.index < high and low < (problem.until or problem.index + 1)
            for problem in self.problems
        )

    @property
    def status(self) -> Status:
        """Tampering weighs more than what can't be proved."""
        if self._tampered:
            return Status.TAMPERED
        return Status.NOT_PROVABLE if self._not_provable else Status.INTACT
