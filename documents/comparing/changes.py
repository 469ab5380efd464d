"""What lies between two contents: typed changes with stable places, and what people need not see of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from documents.comparing.wording import pieces


class Kind(StrEnum):
    """What happened to a place."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one place.

    ``before_place`` is the place's anchor in the first content, ``after_place`` in the second; an item (a project, an
    indicator, …) that came or went whole has only one of them, a member has both even where it held nothing. ``before`` and
    ``after`` are JSON values, None for nothing. ``position`` counts from 0 and is where an added or moved item stands in its
    list now; None for members and for what was removed. An item that moved has no values: what changed inside it are
    changes of their own; ``elsewhere`` says that it moved into another list, such as that of another project.
    """

    kind: Kind
    before_place: str | None
    after_place: str | None
    before: Any = None
    after: Any = None
    position: int | None = None
    elsewhere: bool = False

    @property
    def place(self) -> str:
        """Where to look: the place in the second content, in the first where it is gone."""
        place = self.before_place if self.after_place is None else self.after_place
        assert place is not None  # noqa: S101 -- a change without any place is never made
        return place

    def to_json(self) -> dict[str, Any]:
        """The change as a JSON object; ``before_place`` only where it is another one, ``pieces`` where words changed."""
        out: dict[str, Any] = {"kind": self.kind.value, "place": self.place}
        if self.before_place is not None and self.before_place != self.place:
            out["before_place"] = self.before_place
        if self.position is not None:
            out["position"] = self.position
        if self.kind is Kind.MOVED:
            out["elsewhere"] = self.elsewhere
        else:
            out |= {"before": self.before, "after": self.after}
        if isinstance(self.before, str) and isinstance(self.after, str):
            out["pieces"] = [[piece.mark.value, piece.text] for piece in pieces(self.before, self.after)]
        return out


@dataclass(frozen=True, slots=True)
class Comparison:
    """All changes from one content to another, in the order of the text.

    ``renumbered`` are changes of ids, and of references to ids, that mean nothing to people: the same project may be p1 in
    last year's text and p3 in this year's. They are needed only to make the one content of the other.
    """

    changes: tuple[Change, ...]
    renumbered: tuple[Change, ...] = ()

    def counts(self) -> dict[str, int]:
        """How many changes there are of each kind."""
        found = Counter(change.kind for change in self.changes)
        return {kind.value: found[kind] for kind in Kind}
