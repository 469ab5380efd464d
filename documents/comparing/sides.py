"""The lists of two contents, laid side by side: their items paired, and those found again in another project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from documents.comparing.likeness import ACROSS, RECOGNITIONS, Item
from documents.comparing.pairing import by_key, pair

Place = tuple[str, ...]
# An item by the place of its list and its position there.
Spot = tuple[Place, int]

_TOP: Final = ("sub_goals", "safeguards")
_OVERALL: Final = ("items", "duties", "indicators")
_OF_PROJECTS: Final = ("goals", "indicators")


@dataclass(slots=True)
class Lists:
    """Two lists of one name with the index pairs of their items; that of a project which is gone or new has one side."""

    name: str
    before_place: Place | None
    after_place: Place | None
    before: Sequence[Item] = ()
    after: Sequence[Item] = ()
    pairs: list[tuple[int, int]] = field(default_factory=list)

    def gone(self) -> list[int]:
        """Positions of the items without a partner in the second list."""
        taken = {i for i, _ in self.pairs}
        return [i for i in range(len(self.before)) if i not in taken]

    def new(self) -> list[int]:
        """Positions of the items without a partner in the first list."""
        taken = {j for _, j in self.pairs}
        return [j for j in range(len(self.after)) if j not in taken]


@dataclass(slots=True)
class Sides:
    """Everything that is paired: lists by their places, and from where to where items went into another list."""

    lists: dict[tuple[Place | None, Place | None], Lists]
    went: dict[Spot, Spot]
    came: dict[Spot, Spot]


def token(item: Item, position: int) -> str:
    """The token of an item in an anchor: its id, or its position where its kind has no ids."""
    return str(item.get("id", position))


def lay_out(before: Mapping[str, Any], after: Mapping[str, Any], *, by_id: bool) -> Sides:
    """The lists of two contents whose items have ids, their items paired; ``by_id`` as of ``pair``."""
    lists = {(found.before_place, found.after_place): found for found in _lists(before, after, by_id=by_id)}
    order = {token(project, at): at for at, project in enumerate(after.get("projects", ()))}
    went = dict(
        move for name in ACROSS for move in _moves(name, [it for it in lists.values() if it.name == name], order)
    )
    return Sides(lists, went, {new: old for old, new in went.items()})


def _lists(before: Mapping[str, Any], after: Mapping[str, Any], *, by_id: bool) -> Iterator[Lists]:
    def paired(name: str, old: Place, new: Place, olds: Item, news: Item) -> Lists:
        left, right = olds.get(name, ()), news.get(name, ())
        return Lists(name, (*old, name), (*new, name), left, right, pair(RECOGNITIONS[name], left, right, by_id=by_id))

    for name in _TOP:
        yield paired(name, (), (), before, after)
    for name in _OVERALL:
        yield paired(name, ("overall",), ("overall",), before.get("overall", {}), after.get("overall", {}))
    projects = paired("projects", (), (), before, after)
    yield projects
    partners = dict(projects.pairs)
    for i, project in enumerate(projects.before):
        place = ("projects", token(project, i))
        for name in _OF_PROJECTS:
            if i in partners:
                partner = projects.after[partners[i]]
                yield paired(name, place, ("projects", token(partner, partners[i])), project, partner)
            else:
                yield Lists(name, (*place, name), None, before=project.get(name, ()))
    for j in projects.new():
        for name in _OF_PROJECTS:
            project = projects.after[j]
            yield Lists(name, None, ("projects", token(project, j), name), after=project.get(name, ()))


def _moves(name: str, lists: list[Lists], order: Mapping[str, int]) -> Iterator[tuple[Spot, Spot]]:
    """From where to where items of one kind went into the list of another project, or of the whole department.

    ``order`` is that of the projects in the second content.
    """

    def rank(spot: tuple[Lists, int]) -> int:
        place = spot[0].after_place or ()
        return order[place[1]] if place[0] == "projects" else -1

    gone = [(found, i) for found in lists for i in found.gone()]
    # Lists are in the order of the first content. Each side in its own order, the result is the same turned round.
    new = sorted(((found, j) for found in lists for j in found.new()), key=rank)
    key = ACROSS[name]
    for left, right in by_key(key, [found.before[i] for found, i in gone], [found.after[j] for found, j in new]):
        (old, i), (other, j) = gone[left], new[right]
        # Out of a project that is gone into one that is new: nothing was moved, they only have a name in common.
        if old.before_place is not None and other.after_place is not None and (old.after_place or other.before_place):
            yield (old.before_place, i), (other.after_place, j)
