"""The neutral form that every reader yields: paragraphs and grids of cells with spans and raw text, in reading order.

The form crosses from the reading process to ours as JSON (``to_json``, ``from_json``); what comes back is checked, since
the process that wrote it had a stranger's file in its hands.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from models.errors import InvalidInput

# The widest form that people have has about forty columns; a span that a file only claims must cost nothing.
MAX_COLUMNS: Final = 200
MAX_ROWS: Final = 200_000


class AsideKind(StrEnum):
    """What a reader says beside the blocks: words it left out, a remark on the form, or a doubt that touches values."""

    LEFT = "left"
    REMARK = "remark"
    DOUBT = "doubt"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph; ``page`` counts from 1, 0 where the kind of file has no pages."""

    text: str
    page: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: row and column of its upper left corner (from 0), how many rows and columns it spans, its raw text."""

    row: int
    column: int
    text: str
    rows: int = 1
    columns: int = 1


@dataclass(frozen=True, slots=True)
class Grid:
    """One table; ``pages`` is the page of each row, empty where the kind of file has none."""

    rows: int
    columns: int
    cells: tuple[Cell, ...]
    pages: tuple[int, ...] = ()


def block_lines(blocks: Iterable[Paragraph | Grid]) -> list[str]:
    """The lines of blocks inside a cell: a paragraph each, and of a table one for each of its rows."""
    lines: list[str] = []
    for block in blocks:
        if isinstance(block, Paragraph):
            lines.append(block.text)
            continue
        rows: dict[int, list[str]] = {}
        for cell in block.cells:
            rows.setdefault(cell.row, []).append(cell.text)
        lines += [" ".join(filter(None, words)) for _, words in sorted(rows.items())]
    return lines


@dataclass(frozen=True, slots=True)
class Aside:
    """One thing beside the blocks: one sentence, and the raw words that it is about (left-out words whole)."""

    kind: AsideKind
    sentence: str
    raw: str = ""
    page: int = 0


@dataclass(frozen=True, slots=True)
class SourceForm:
    """A whole file in neutral form; ``pages`` is 0 where the kind of file has none."""

    blocks: tuple[Paragraph | Grid, ...]
    asides: tuple[Aside, ...] = ()
    pages: int = 0


def checked_grid(rows: int, columns: int, cells: Iterable[Cell], pages: Iterable[int] = ()) -> Grid:
    """A grid whose size a text can have; raises InvalidInput where it has more rows or columns."""
    if columns > MAX_COLUMNS:
        raise InvalidInput(f"有一张表宽 {columns} 列，超过 {MAX_COLUMNS} 列的上限；请确认选对了文件，或删去多余的列。")
    if rows > MAX_ROWS:
        raise InvalidInput(f"有一张表长 {rows} 行，超过 {MAX_ROWS} 行的上限；请确认选对了文件，或删去多余的行。")
    return Grid(rows, columns, tuple(cells), tuple(pages))


def to_json(form: SourceForm) -> dict[str, Any]:
    """The form as a JSON value."""
    blocks: list[list[Any]] = []
    for block in form.blocks:
        if isinstance(block, Paragraph):
            blocks.append([block.text, block.page])
        else:
            cells = [[cell.row, cell.column, cell.text, cell.rows, cell.columns] for cell in block.cells]
            blocks.append([block.rows, block.columns, cells, list(block.pages)])
    asides = [[aside.kind.value, aside.sentence, aside.raw, aside.page] for aside in form.asides]
    return {"blocks": blocks, "asides": asides, "pages": form.pages}


def from_json(value: Any) -> SourceForm:
    """The form of a JSON value; raises ValueError, TypeError, KeyError or InvalidInput where it is none."""
    blocks = tuple(_paragraph(*block) if len(block) == 2 else _grid(*block) for block in value["blocks"])
    asides = tuple(
        Aside(AsideKind(kind), _text(sentence), _text(raw), _count(page))
        for kind, sentence, raw, page in value["asides"]
    )
    return SourceForm(blocks, asides, _count(value["pages"]))


def _paragraph(text: Any, page: Any) -> Paragraph:
    return Paragraph(_text(text), _count(page))


def _grid(rows: Any, columns: Any, cells: Any, pages: Any) -> Grid:
    checked = [
        Cell(_count(row), _count(column), _text(text), _count(down), _count(across))
        for row, column, text, down, across in cells
    ]
    grid = checked_grid(_count(rows), _count(columns), checked, map(_count, pages))
    if any(cell.row + cell.rows > grid.rows or cell.column + cell.columns > grid.columns for cell in grid.cells):
        raise ValueError("a cell lies outside its grid")
    return grid


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise TypeError("not a count")
    return value
