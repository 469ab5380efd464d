"""A comparison as people read it: one row for each cell of the form that differs, under the heading it belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from documents.comparing.changes import Change, Comparison, Kind
from documents.comparing.values import VALUE_MEMBERS, indicator_value, words_of
from documents.comparing.wording import Pieces, paired_paragraphs
from documents.rendering.titles import title_in
from models.places import get, join, pointer, split

_DEPARTMENT: Final = "部门整体绩效目标"
_SECTIONS: Final = {"overall": _DEPARTMENT, "sub_goals": _DEPARTMENT, "safeguards": _DEPARTMENT, "extra": "其他事项"}
_COVER: Final = "封面"
_WHOLE_PROJECT: Final = "整个项目"
KIND_TITLES: Final = {Kind.ADDED: "新增", Kind.REMOVED: "删除", Kind.CHANGED: "修改", Kind.MOVED: "移动"}


@dataclass(frozen=True, slots=True)
class Row:
    """One cell of the form: where it stands, and its words before and after ("" for nothing).

    ``title`` is the place below ``section``, ``full_title`` the whole place; ``places`` are the anchors of all changes that
    the row tells; ``paragraphs`` are the pieces of the words, paragraph by paragraph.
    """

    kind: Kind
    section: str
    title: str
    full_title: str
    places: tuple[str, ...]
    before: str
    after: str

    @property
    def kind_title(self) -> str:
        """What happened, in Chinese."""
        return KIND_TITLES[self.kind]

    @property
    def paragraphs(self) -> tuple[Pieces, ...]:
        """The pieces of both sides by paragraphs."""
        return paired_paragraphs(self.before, self.after)


def rows(before: Any, after: Any, comparison: Comparison) -> tuple[Row, ...]:
    """The rows of a comparison of two contents in JSON, in the order of the text."""
    cells: dict[tuple[str, str], list[Change]] = {}
    for change in comparison.changes:
        cells.setdefault(_cell(change), []).append(change)
    return tuple(row for changes in cells.values() for row in _rows(before, after, changes))


def _cell(change: Change) -> tuple[str, str]:
    """What is told in one row: members that stand in one cell of the form together, anything else by itself."""
    tokens = split(change.place)
    member = change.kind is not Kind.MOVED and None not in (change.before_place, change.after_place)
    if member and tokens[-1] in VALUE_MEMBERS and len(tokens) > 2 and tokens[-3] == "indicators":
        return join(tokens[:-1]), "value"
    return change.place, change.kind


def _rows(before: Any, after: Any, changes: Sequence[Change]) -> Iterator[Row]:
    first = changes[0]
    if _cell(first)[1] == "value" and first.before_place is not None:
        tokens = split(first.place)[:-1]
        old = indicator_value(get(before, join(split(first.before_place)[:-1])))
        new = indicator_value(get(after, join(tokens)))
        if old != new:
            kind = Kind.CHANGED if old and new else Kind.ADDED if new else Kind.REMOVED
            titles = _titles(after, join((*tokens, "value")))
            yield Row(kind, *titles, tuple(change.place for change in changes), old, new)
            return
    for change in changes:
        where = after if change.after_place is not None else before
        if change.kind is Kind.MOVED:
            sides = _positions(before, after, change)
            # An item that others went around has the number it had: a move from 3 to 3 tells people nothing.
            if sides[0] == sides[1] and not change.elsewhere:
                continue
        else:
            sides = (
                words_of(before, change.before_place or change.place, change.before),
                words_of(after, change.place, change.after),
            )
        yield Row(change.kind, *_titles(where, change.place), (change.place,), *sides)


def _titles(content: Any, place: str) -> tuple[str, str, str]:
    """Section, title below it, and whole title of a place."""
    full = title_in(content, place)
    tokens = split(place)
    if tokens[0] != "projects":
        return _SECTIONS.get(tokens[0], _COVER), full, full
    section = title_in(content, join(tokens[:2]))
    return section, full.removeprefix(section).strip() or _WHOLE_PROJECT, full


def _positions(before: Any, after: Any, change: Change) -> tuple[str, str]:
    """From where to where an item was moved, counted as people count; with what it is in where that is another one."""
    found = []
    for content, place in ((before, change.before_place), (after, change.after_place)):
        tokens = split(place or "")
        number = int(split(pointer(content, place or ""))[-1]) + 1
        holder = f"{title_in(content, join(tokens[:-2]))} " if change.elsewhere else ""
        found.append(f"{holder}第 {number} 项")
    return found[0], found[1]
