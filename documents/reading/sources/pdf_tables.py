"""Ruled tables of a PDF page to grids, by the cells that pdfplumber finds between lines."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from documents.reading.sources.form import Cell, Grid, Paragraph, checked_grid
from documents.reading.sources.pdf_lines import (
    Glyph,
    PdfLine,
    cell_text,
    joined,
    lines_of,
    padding_of,
    room_after,
    runs_on,
)

# Borders of neighbouring cells that lie this near (points) are one line.
_NEAR: Final = 2.0
# In em: below a line with less than this to the end of its cell, no other line can stand.
_LINE_STEP: Final = 2.0
_SETTINGS: Final = {"vertical_strategy": "lines", "horizontal_strategy": "lines", "snap_tolerance": 3}


@dataclass(frozen=True, slots=True)
class PdfCell:
    """One cell: its row in the piece and how many rows it spans, its left and right border in points, its words.

    ``lead`` is the width of what begins its first line, ``room`` what would have fitted behind its last, ``depth`` how many
    em are left below that (all 0 without words).
    """

    row: int
    rows: int
    left: float
    right: float
    text: str
    lead: float = 0.0
    room: float = 0.0
    depth: float = 0.0


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


def whole_rows(pieces: Sequence[PdfTable], cut: list[str]) -> list[PdfTable]:
    """The pieces of a table with each row that a page has cut in two in one; ``cut`` takes what was joined."""
    whole: list[PdfTable] = []
    for piece in pieces:
        pairs = _halves(whole[-1], piece) if whole else []
        if not pairs:
            whole.append(piece)
            continue
        before = whole[-1]
        rest = {above: below for above, below in pairs if below.text}
        cut += [f"{above.text[-10:]}⏎{below.text[:10]}" for above, below in rest.items()]
        made = [
            replace(cell, text=_together(cell, rest[cell]), room=rest[cell].room, depth=rest[cell].depth)
            if cell in rest
            else cell
            for cell in before.cells
        ]
        whole[-1] = replace(before, cells=tuple(made))
        # What spans the cut row and rows below it keeps those below.
        left = [replace(cell, row=max(0, cell.row - 1), rows=cell.rows - (cell.row == 0)) for cell in piece.cells]
        kept = tuple(cell for cell in left if cell.rows)
        if piece.rows > 1:
            whole.append(replace(piece, rows=piece.rows - 1, cells=kept))
    return whole


def _halves(before: PdfTable, after: PdfTable) -> list[tuple[PdfCell, PdfCell]]:
    """The cells of the last row of a page with the cells below them on the next, where both are halves of one row.

    They are where words go on below words that fill their cell to its end, mostly with what did not fit in the line, while
    a cell to the right has nothing more to say: a row of its own says something in each column but the first.
    """
    last = [cell for cell in before.cells if cell.row + cell.rows == before.rows]
    pairs: list[tuple[PdfCell, PdfCell]] = []
    for below in sorted((cell for cell in after.cells if cell.row == 0), key=lambda cell: cell.left):
        above = next((cell for cell in last if _is_over(cell, below)), None)
        if above is None or (below.text and not (above.text and above.depth < _LINE_STEP)):
            return []
        pairs.append((above, below))
    going_on = [above.room < below.lead for above, below in pairs if below.text]
    first = next((at for at, (_, below) in enumerate(pairs) if below.text), len(pairs))
    ended = any(above.text and above.rows == 1 and not below.text for above, below in pairs[first:])
    return pairs if ended and 2 * sum(going_on) > len(going_on) else []


def _together(above: PdfCell, below: PdfCell) -> str:
    if below.lead > above.room:
        return joined(above.text, below.text)
    return f"{above.text.rstrip()}\n{below.text}"


def _is_over(above: PdfCell, below: PdfCell) -> bool:
    return abs(above.left - below.left) < _NEAR and abs(above.right - below.right) < _NEAR


def grid_of(pieces: Sequence[PdfTable]) -> tuple[Grid | Paragraph, ...]:
    """One grid of the pieces of a table: the borders of all pages together are its columns."""
    xs = _borders(x for piece in pieces for cell in piece.cells for x in (cell.left, cell.right))
    if len(xs) <= 2:
        # Boxes over each other frame paragraphs.
        return tuple(
            Paragraph(cell.text.strip(), piece.page) for piece in pieces for cell in piece.cells if cell.text.strip()
        )
    cells: list[Cell] = []
    pages: list[int] = []
    for piece in pieces:
        first = len(pages)
        for cell in piece.cells:
            column = _index(xs, cell.left)
            across = max(1, _index(xs, cell.right) - column)
            cells.append(Cell(first + cell.row, column, cell.text.strip(), cell.rows, across))
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
    cells = tuple(_cell(*rows[at], box, lines.get(at, ()), padding) for at, box in enumerate(boxes))
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


def _cell(
    row: int, rows: int, box: tuple[float, float, float, float], lines: Sequence[PdfLine], padding: float
) -> PdfCell:
    left, _, right, bottom = box
    if not lines:
        return PdfCell(row, rows, left, right, "")
    text = cell_text(lines, left, right, padding)
    end = lines[-1]
    depth = (bottom - end.bottom) / end.em
    return PdfCell(row, rows, left, right, text, lines[0].lead_width, room_after(end, left, right, padding), depth)


def _borders(values: Iterable[float]) -> list[float]:
    borders: list[float] = []
    for value in sorted(values):
        if not borders or value - borders[-1] > _NEAR:
            borders.append(value)
    return borders


def _index(borders: Sequence[float], value: float) -> int:
    return min(range(len(borders)), key=lambda at: abs(borders[at] - value))
