"""Comparing two contents, member by member."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from documents.comparing.changes import Change, Comparison, Kind
from documents.comparing.likeness import RECOGNITIONS, Item
from documents.comparing.order import kept
from documents.comparing.pairing import pair
from documents.comparing.sides import Lists, Place, Sides, lay_out, token
from models import content as contents
from models.canonical import canonical_bytes
from models.content import to_json
from models.places import join

# The order of the members of each object, so that changes come in the order of the form: by the member it stands in.
_MODELS: Final[Mapping[str, tuple[type[BaseModel], ...]]] = {
    "": (contents.BudgetText,),
    "department": (contents.Department,),
    "overall": (contents.Overall,),
    "budget": (contents.Budget, contents.DepartmentBudget),
    "items": (contents.Item,),
    "safeguards": (contents.Item,),
    "sub_goals": (contents.SubGoal,),
    "duties": (contents.Duty,),
    "projects": (contents.Project,),
    "indicators": (contents.Indicator,),
    "goals": (contents.Goal,),
    "spending_plan": (contents.Checkpoint,),
    "sources": (contents.Source,),
    "schedule": (contents.Schedule,),
    "extra": (contents.Extra,),
}
_ORDER: Final = {
    name: {member: at for model in models for at, member in enumerate(model.model_fields)}
    for name, models in _MODELS.items()
}
_LAST: Final = 99
# A longer chain outweighs any bonus for equal numbers, and that bonus any checksum.
_ONE_MORE: Final = 1 << 80
_SAME_NUMBER: Final = 1 << 50
# Objects that canonical form leaves out when they hold nothing: compared by their members all the same.
_OBJECTS: Final = frozenset(("department", "overall", "budget"))


def compare(before: contents.BudgetText, after: contents.BudgetText, *, same_text: bool = True) -> Comparison:
    """The changes that make the second content of the first, in the order of the text.

    ``same_text``: both are versions of one text, so that an id means the same thing in both. Otherwise ids are numbers that
    a reader gave, and projects are recognized by code, name and likeness, indicators by level and name, then likeness.
    """
    return compare_json(to_json(before), to_json(after), same_text=same_text)


def compare_json(before: Mapping[str, Any], after: Mapping[str, Any], *, same_text: bool = True) -> Comparison:
    """The same of contents in canonical JSON."""
    if before == after:
        return Comparison(())
    walk = _Walk(lay_out(before, after, by_id=same_text))
    changes = tuple(walk.members("", before, after, (), ()))
    return Comparison(changes, tuple(walk.renumbered))


class _Walk:
    """One walk over two contents; ``renumbered`` collects what people need not see."""

    def __init__(self, sides: Sides) -> None:
        self._sides = sides
        self.renumbered: list[Change] = []
        # The ids of the second content by the list and id in the first; None for an item that is gone.
        self._ids: dict[tuple[Place, str], str | None] = {}
        self._after_ids = {(found.after_place, item["id"]) for found in sides.lists.values() for item in found.after}
        for found in sides.lists.values():
            if found.before_place is not None:
                for item in found.before:
                    self._ids[found.before_place, item["id"]] = None
                for i, j in found.pairs:
                    self._ids[found.before_place, found.before[i]["id"]] = found.after[j]["id"]

    def members(self, within: str, before: Item, after: Item, old: Place, new: Place) -> Iterator[Change]:
        order = _ORDER[within]
        for name in sorted({*before, *after}, key=lambda name: (order.get(name, _LAST), name)):
            left, right = before.get(name), after.get(name)
            places = ((*old, name), (*new, name))
            if name in RECOGNITIONS and not (within == "sub_goals" and name == "projects"):
                yield from self._list(name, left or (), right or (), *places)
            elif name in _OBJECTS:
                yield from self.members(name, left or {}, right or {}, *places)
            elif name == "id":
                self._renumber(left, right, *places)
            elif within == "sub_goals" and name == "projects":
                yield from self._reference(self._mapped(("projects",), ("projects",), left), left, right, *places)
            elif name == "part_of":
                yield from self._reference(self._mapped(old[:-1], new[:-1], left), left, right, *places)
            elif left != right:
                yield _member(left, right, *places)

    def _renumber(self, left: Any, right: Any, old: Place, new: Place) -> None:
        if left != right:
            self.renumbered.append(_member(left, right, old, new))

    def _mapped(self, old: Place, new: Place, value: Any) -> Any:
        """Ids of the first content as those of the second; what is gone, or new, is like no id of the other content."""
        if isinstance(value, list):
            return [self._mapped(old, new, name) for name in value]
        # A reference to nothing is the same reference only as long as it leads to nothing.
        return self._ids.get((old, value), None if (new, value) in self._after_ids else value)

    def _reference(self, mapped: Any, left: Any, right: Any, old: Place, new: Place) -> Iterator[Change]:
        if mapped != right:
            yield _member(left, right, old, new)
        else:
            self._renumber(left, right, old, new)

    def _list(
        self, name: str, before: Sequence[Item], after: Sequence[Item], old: Place, new: Place
    ) -> Iterator[Change]:
        found = self._sides.lists.get((old, new))
        if found is None:
            pairs = pair(RECOGNITIONS[name], before, after, by_id=False)
            found = Lists(name, old, new, before, after, pairs)
        stayed = self._stayed(found)
        partner = {j: i for i, j in found.pairs}
        # What is gone is told behind the item that it stood behind.
        behind: dict[int, list[int]] = {}
        last = -1
        partners = dict(found.pairs)
        for i in range(len(before)):
            if i in stayed:
                last = partners[i]
            elif i not in partners:
                behind.setdefault(last, []).append(i)
        for j in range(-1, len(after)):
            if j in partner:
                i = partner[j]
                yield from self._pair(name, (before[i], after[j]), (old, i), (new, j), moved=i not in stayed)
            elif j >= 0:
                yield from self._new(name, after[j], new, j)
            for i in behind.get(j, ()):
                if (old, i) not in self._sides.went:
                    left = self._without_moved(before[i], (*old, token(before[i], i)), self._sides.went)
                    yield Change(Kind.REMOVED, join((*old, token(before[i], i))), None, before=left)

    def _pair(
        self,
        name: str,
        items: tuple[Item, Item],
        old: tuple[Place, int],
        new: tuple[Place, int],
        *,
        moved: bool,
        elsewhere: bool = False,
    ) -> Iterator[Change]:
        """What changed of one item; an item that moved says so first."""
        places = tuple((*place, token(item, at)) for item, (place, at) in zip(items, (old, new), strict=True))
        if moved:
            yield Change(Kind.MOVED, join(places[0]), join(places[1]), position=new[1], elsewhere=elsewhere)
        yield from self.members(name, *items, *places)

    def _new(self, name: str, item: Item, place: Place, position: int) -> Iterator[Change]:
        origin = self._sides.came.get((place, position))
        here = (*place, token(item, position))
        if origin is None:
            right = self._without_moved(item, here, self._sides.came)
            yield Change(Kind.ADDED, None, join(here), after=right, position=position)
            if name == "projects":
                for list_name in ("goals", "indicators"):
                    for j, member in enumerate(item.get(list_name, ())):
                        if ((*here, list_name), j) in self._sides.came:
                            yield from self._new(list_name, member, (*here, list_name), j)
            return
        source = next(found for found in self._sides.lists.values() if found.before_place == origin[0])
        items = (source.before[origin[1]], item)
        yield from self._pair(name, items, origin, (place, position), moved=True, elsewhere=True)

    @staticmethod
    def _without_moved(item: Item, place: Place, moved: Mapping[tuple[Place, int], Any]) -> Item:
        """A project that is gone or new, without what was moved out of it or into it: that is told by itself."""
        out = dict(item)
        for name in ("goals", "indicators"):
            if any(((*place, name), at) in moved for at in range(len(item.get(name, ())))):
                rest = [member for at, member in enumerate(item[name]) if ((*place, name), at) not in moved]
                out[name] = rest
        return {key: value for key, value in out.items() if value != []}

    @staticmethod
    def _stayed(found: Lists) -> set[int]:
        """Positions in the first list of the paired items that kept their order."""

        def weight(at: int) -> int:
            i, j = found.pairs[at]
            sides = sorted(canonical_bytes(item) for item in (found.before[i], found.after[j]))
            # Of two chains as long, the one whose items have the number they had is the one that people take for unmoved.
            return _ONE_MORE + _SAME_NUMBER * (i == j) + zlib.crc32(b"\0".join(sides))

        return {found.pairs[at][0] for at in kept([j for _, j in found.pairs], weight)}


def _member(left: Any, right: Any, old: Place, new: Place) -> Change:
    kind = Kind.ADDED if left is None else Kind.REMOVED if right is None else Kind.CHANGED
    return Change(kind, join(old), join(new), before=left, after=right)
