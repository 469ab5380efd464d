"""Ruled tables of a PDF page to grids, by the cells that pdfplumber finds between lines."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from documents.reading.sources.form import Cell, Grid, Paragraph, checked_grid
from documents.reading.sources.pdf_lines import Glyph, PdfLine, cell_text, lines_of, padding_of, runs_on

# Borders of neighbouring cells that lie this near (points) are one line.
_NEAR: Final = 2.0
_SETTINGS: Final = {"vertical_strategy": "lines", "horizontal_strategy": "lines", "snap_tolerance": 3}


@dataclass(frozen=True, slots=True)
class PdfCell:
    """One cell: its row in the piece and how many rows it spans, its left and right border in points, its words."""

    row: int
    rows: int
    left: float
    right: float
    text: str


@dataclass(frozen=True, slots=True)
class PdfTable:
    """The piece of a table that stands on one page; ``box`` is left, top, right, bottom in points.

    ``wrapped`` counts the cells whose words stand in several lines.
    """

    page: int
    box: tuple[float, float, float, float]
    rows: int
    cells: tuple[PdfCell, ...]
    wrapped: int

    def goes_on_from(self, before: PdfTable) -> bool:
        """Whether this piece, first on its page, can be the rest of one that stood last on the page before."""
        return (
            self.page == before.page + 1
            and abs(self.box[0] - before.box[0]) < 2 * _NEAR
            and abs(self.box[2] - before.box[2]) < 2 * _NEAR
        )


def tables_of(page: Any, glyphs: Sequence[Glyph], number: int) -> tuple[list[PdfTable], list[Glyph]]:
    """The tables of a page, and the glyphs that stand in none of their cells."""
    rest = list(glyphs)
    tables: list[PdfTable] = []
    rules = [(edge["top"], edge["x0"], edge["x1"]) for edge in page.edges if edge["orientation"] == "h"]
    for found in page.find_tables({**_SETTINGS, "explicit_horizontal_lines": _open_ends(page)}):
        # One cell is a frame around text, not a table.
        if len(found.cells) < 2:
            continue
        table, rest = _table(found.cells, rest, rules, number)
        if table is not None:
            tables.append(table)
    return tables, rest


def grid_of(pieces: Sequence[PdfTable]) -> tuple[Grid | Paragraph, ...]:
    """One grid of the pieces of a table: the borders of all pages together are its columns."""
    xs = _borders(x for piece in pieces for cell in piece.cells for x in (cell.left, cell.right))
    if len(xs) <= 2:
        # Boxes over each other frame paragraphs.
        return tuple(Paragraph(cell.text, piece.page) for piece in pieces for cell in piece.cells if cell.text)
    cells: list[Cell] = []
    pages: list[int] = []
    for piece in pieces:
        first = len(pages)
        for cell in piece.cells:
            column = _index(xs, cell.left)
            across = max(1, _index(xs, cell.right) - column)
            cells.append(Cell(first + cell.row, column, cell.text, cell.rows, across))
        pages += [piece.page] * piece.rows
    return (checked_grid(len(pages), len(xs) - 1, cells, pages),)


def _open_ends(page: Any) -> list[float]:
    """Where upright lines begin and end: browsers leave the border of a table open where a page ends it."""
    ends: set[float] = set()
    for edge in page.edges:
        if edge["orientation"] == "v" and edge["bottom"] - edge["top"] > 2 * _NEAR:
            ends |= {round(edge["top"], 1), round(edge["bottom"], 1)}
    return [min(ends), max(ends)] if ends else []


def _table(
    boxes: Iterable[tuple[float, float, float, float]],
    glyphs: Iterable[Glyph],
    rules: Sequence[tuple[float, float, float]],
    number: int,
) -> tuple[PdfTable | None, list[Glyph]]:
    boxes = sorted(boxes, key=lambda box: (box[1], box[0]))
    xs = _borders(value for box in boxes for value in (box[0], box[2]))
    ys = _borders(value for box in boxes for value in (box[1], box[3]))
    owner: dict[tuple[int, int], int] = {}
    rows: list[tuple[int, int]] = []
    for at, (left, top, right, bottom) in enumerate(boxes):
        row, column = _index(ys, top), _index(xs, left)
        down, across = max(1, _index(ys, bottom) - row), max(1, _index(xs, right) - column)
        rows.append((row, down))
        owner |= {(row + y, column + x): at for y in range(down) for x in range(across)}
    inside: dict[int, list[Glyph]] = {}
    rest: list[Glyph] = []
    last: tuple[Glyph, int] | None = None
    for glyph in glyphs:
        x, y = (glyph.x0 + glyph.x1) / 2, (glyph.top + glyph.bottom) / 2
        cell = owner.get((bisect.bisect_right(ys, y) - 1, bisect.bisect_right(xs, x) - 1))
        if cell is None:
            cell = _open_cell(boxes, rules, x, glyph)
        if last is not None and cell != last[1] and runs_on(last[0], glyph):
            # A figure too wide for its cell runs over the border: parted, both halves would be wrong figures.
            cell = last[1]
        if cell is None:
            rest.append(glyph)
            last = None
        else:
            last = glyph, cell
            inside.setdefault(cell, []).append(glyph)
    lines = {at: lines_of(members) for at, members in inside.items()}
    if not any(lines.values()):
        return None, rest
    padding = padding_of((boxes[at][0], members) for at, members in lines.items())
    cells = tuple(
        PdfCell(row, down, boxes[at][0], boxes[at][2], _words(lines.get(at, ()), boxes[at], padding))
        for at, (row, down) in enumerate(rows)
    )
    wrapped = sum(1 for members in lines.values() if len(members) > 1)
    return PdfTable(number, (xs[0], ys[0], xs[-1], ys[-1]), len(ys) - 1, cells, wrapped), rest


def _open_cell(
    boxes: Sequence[tuple[float, float, float, float]],
    rules: Sequence[tuple[float, float, float]],
    x: float,
    glyph: Glyph,
) -> int | None:
    """The cell over a glyph that stands right below a table, where no border closes that cell: a page end cut it."""
    end = max(box[3] for box in boxes)
    if not -_NEAR <= glyph.top - end < glyph.size:
        return None
    for at, (left, _, right, bottom) in enumerate(boxes):
        if left < x < right and abs(bottom - end) < _NEAR:
            closed = any(abs(top - bottom) < _NEAR and start <= x <= stop for top, start, stop in rules)
            return None if closed else at
    return None


def _words(lines: Sequence[PdfLine], box: tuple[float, float, float, float], padding: float) -> str:
    return cell_text(lines, box[0], box[2], padding)


def _borders(values: Iterable[float]) -> list[float]:
    borders: list[float] = []
    for value in sorted(values):
        if not borders or value - borders[-1] > _NEAR:
            borders.append(value)
    return borders


def _index(borders: Sequence[float], value: float) -> int:
    return min(range(len(borders)), key=lambda at: abs(borders[at] - value))
