"""By what the items of each list are recognized: their ids, their names, and how alike they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rapidfuzz import fuzz

Item = Mapping[str, Any]
_FIGURE: Final = re.compile(r"\d+(?:[.．,，]\d+)*")


def masked(text: str) -> str:
    """A name without its figures: “办讲座10场” and “办讲座12场” name the same thing, with another value."""
    return _FIGURE.sub("#", text)


def _key(*members: str, mask: bool = False) -> Callable[[Item], Hashable]:
    """A key of these members; None, which matches nothing, where the first of them is empty."""

    def of(item: Item) -> Hashable:
        values = [item.get(member) or "" for member in members]
        if not values[0]:
            return None
        return tuple(masked(value) for value in values) if mask else tuple(values)

    return of


@dataclass(frozen=True, slots=True)
class Recognition:
    """How items of one list are paired: by id where there are ids, then by each key in turn, then by likeness.

    ``shares`` are the members whose words are compared, with their weights; items without such members are paired by keys
    only, and what is then left over by its position in the list.
    """

    keys: tuple[Callable[[Item], Hashable], ...]
    shares: tuple[tuple[str, float], ...] = ()
    identified: bool = True

    def words(self, item: Item) -> tuple[str, ...]:
        """The words of an item by which its likeness to others is judged."""
        return tuple(str(item.get(member) or "") for member, _ in self.shares)

    def likeness(self, before: tuple[str, ...], after: tuple[str, ...]) -> float:
        """How alike the words of two items are, 0 to 1; members that hold nothing on both sides do not count."""
        total = weights = 0.0
        for (_, weight), old, new in zip(self.shares, before, after, strict=True):
            if old or new:
                weights += weight
                total += weight * fuzz.ratio(old, new) / 100
        return total / weights if weights else 0.0


def _titled(title: str, text: str) -> Recognition:
    return Recognition((_key(title), _key(title, mask=True), _key(text)), ((title, 0.4), (text, 0.6)))


_INDICATORS: Final = Recognition(
    (
        _key("name", "level1", "level2"),
        _key("name", "level1", "level2", mask=True),
        _key("name"),
    ),
    # Levels alone make nothing alike: nine indicators of a project stand in four levels.
    (("name", 0.55), ("description", 0.3), ("level2", 0.1), ("level1", 0.05)),
)
# By the name of the list in a content.
RECOGNITIONS: Final[Mapping[str, Recognition]] = {
    "projects": Recognition((_key("code"), _key("name"), _key("name", mask=True)), (("name", 0.8), ("purpose", 0.2))),
    "indicators": _INDICATORS,
    "goals": Recognition((_key("text"), _key("text", mask=True)), (("text", 1.0),)),
    "items": _titled("title", "text"),
    "safeguards": _titled("title", "text"),
    "sub_goals": _titled("name", "indicator"),
    "duties": _titled("duty", "task"),
    "spending_plan": Recognition((_key("checkpoint"),), identified=False),
    "sources": Recognition((_key("name"),), identified=False),
    "schedule": Recognition((_key("content"),), identified=False),
    "extra": Recognition((_key("label"),), identified=False),
}
# What an item must have in common with one of another project to be the same one, moved. Names alone would not do: half the
# projects of a county have an indicator 服务对象满意度.
ACROSS: Final[Mapping[str, Callable[[Item], Hashable]]] = {
    "indicators": _key("name", "level1", "level2", "description", mask=True),
    "goals": _key("text"),
}
