"""Where the states of a definition stand in a picture: the main way from top to bottom, everything else beside it."""

from __future__ import annotations

from dataclasses import dataclass

from workflow.definition import EARLIER, PREVIOUS, UNDO, Definition

_BACK = (PREVIOUS, EARLIER, UNDO)


@dataclass(frozen=True, slots=True)
class Placed:
    """A state in a grid: column 0 is the main way, column 1 stands to its left; rows count from the top."""

    column: int
    row: int


@dataclass(frozen=True, slots=True)
class Link:
    """A connection that is drawn: from, to, the actions along it, and whether it leads back."""

    source: str
    target: str
    numbers: tuple[int, ...]
    back: bool


def place(definition: Definition) -> dict[str, Placed]:
    """Every state's place: the longest way onward to the end in column 0, the other states beside where they begin."""
    spine = _main_way(definition)
    rows = {name: row for row, name in enumerate(spine)}
    out = {name: Placed(0, row) for name, row in rows.items()}
    taken: set[int] = set()
    for name in definition.states:
        if name in out:
            continue
        near = [
            rows[source]
            for item in definition.transitions
            if item.target == name
            for source in item.sources
            if source in rows
        ]
        row = min(near, default=0)
        while row in taken:
            row += 1
        taken.add(row)
        out[name] = Placed(1, row)
    return out


def links(definition: Definition) -> tuple[Link, ...]:
    """The connections of a picture, actions between the same two states joined; ways without a fixed state are left out."""
    placed = place(definition)
    joined: dict[tuple[str, str], list[int]] = {}
    for number, item in enumerate(definition.transitions):
        if item.target not in _BACK:
            for source in item.sources:
                joined.setdefault((source, item.target), []).append(number)
    out = []
    for (source, target), numbers in joined.items():
        onward = placed[source].row < placed[target].row and placed[source].column == placed[target].column == 0
        out.append(Link(source, target, tuple(numbers), not onward))
    return tuple(out)


def _main_way(definition: Definition) -> list[str]:
    """The longest way from the beginning to a final state on which nothing returns and no state comes twice."""
    onward: dict[str, list[str]] = {}
    for item in definition.transitions:
        if item.target in _BACK or item.returns or item.reopens:
            continue
        for source in item.sources:
            if item.target != source:
                onward.setdefault(source, []).append(item.target)
    best: list[str] = [definition.initial]

    def follow(way: list[str]) -> None:
        nonlocal best
        final = definition.states[way[-1]].final
        if (final, len(way)) > (definition.states[best[-1]].final, len(best)):
            best = list(way)
        # A state in which the text is edited again lies beside the way, not on it.
        for name in onward.get(way[-1], []):
            if name not in way and not (definition.states[name].editable and len(way) > 1):
                follow([*way, name])

    follow([definition.initial])
    return best
