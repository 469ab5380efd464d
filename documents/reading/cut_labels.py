"""Label cells that a page end has cut in two: their pieces are joined, since together they name a member.

By its drawing a cut label can't be told from two labels below each other; by its words it can: neither 预算规模及资金用
nor 途 is a label, and 预算规模及资金用途 is one. Two rows that only a label spans stay two rows; where the upper row holds
nothing but the piece of its label, or both are halves of one value, they become one.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from documents.reading.layout_files import builtin_layouts, general_layout
from documents.reading.lines import stripped
from documents.reading.sources.form import Cell, Grid
from documents.reading.table_labels import SECTION_ROLES, info_role, label_key

_LONGEST_LABEL: Final = 16


def whole_labels(grid: Grid) -> tuple[Grid, tuple[str, ...]]:
    """The grid with the labels that a page has cut in one piece, and what was joined, as ``上半⏎下半``.

    A grid without pages comes back as it is.
    """
    cut: list[str] = []
    for row in range(1, len(grid.pages)):
        if grid.pages[row] != grid.pages[row - 1]:
            grid = _joined_at(grid, row, cut)
    return grid, tuple(cut)


def _joined_at(grid: Grid, row: int, cut: list[str]) -> Grid:
    """The grid with the labels joined whose lower piece begins in ``row``, the first of its page."""
    above = {cell.column: cell for cell in grid.cells if cell.row + cell.rows == row and stripped(cell.text)}
    below = {cell.column: cell for cell in grid.cells if cell.row == row and stripped(cell.text)}
    labels = {column: cell for column, cell in below.items() if _is_cut(above.get(column), cell)}
    if not labels:
        return grid
    changed: dict[Cell, Cell] = {}
    for column, lower in labels.items():
        upper = above[column]
        cut.append(f"{stripped(upper.text)}⏎{stripped(lower.text)}")
        changed[upper] = replace(upper, text=_together(upper, lower), rows=upper.rows + lower.rows)
        changed[lower] = replace(lower, text="")
    beside = {column: cell for column, cell in above.items() if column not in labels and cell.row == row - 1}
    rest = {column: cell for column, cell in below.items() if column not in labels}
    first = next(iter(labels))
    if not beside and all(above[column].rows == 1 for column in labels):
        # The words of the row stand whole on the second page.
        changed |= {cell: replace(cell, row=row - 1) for cell in rest.values()}
    elif (
        _has_one_value(changed[above[first]].text)
        and rest.keys() <= beside.keys()
        and not any(info_role(cell.text) for cell in beside.values() if cell.column in rest)
    ):
        for column, lower in rest.items():
            changed[beside[column]] = replace(beside[column], text=f"{beside[column].text}\n{lower.text}")
            changed[lower] = replace(lower, text="")
    return replace(grid, cells=tuple(changed.get(cell, cell) for cell in grid.cells))


def _has_one_value(label: str) -> bool:
    """Whether a label has one value beside it: a section has rows, and a kind of indicators has several indicators."""
    role = info_role(label)
    return role is not None and role not in SECTION_ROLES


def _is_cut(upper: Cell | None, lower: Cell) -> bool:
    """Whether two cells are the pieces of one label: their words together are known, those of the lower one are not."""
    if upper is None or upper.columns != lower.columns:
        return False
    return label_key(_together(upper, lower)) in _known() and label_key(stripped(lower.text)) not in _known()


def _together(upper: Cell, lower: Cell) -> str:
    return "".join((upper.text + lower.text).split())


@functools.cache
def _known() -> frozenset[str]:
    """The labels, column headings and kinds of indicators of all layouts, as ``label_key`` writes them."""
    return frozenset(label_key(words) for words in _words() if len(words) <= _LONGEST_LABEL) - {""}


def _words() -> Iterator[str]:
    for layout in (general_layout(), *builtin_layouts()):
        yield from layout.labels
        yield from layout.columns
        for term in layout.level1 | layout.level2:
            yield f"{term}指标"
