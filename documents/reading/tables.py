"""Lines of a TAB-separated table to rows.

All rows of one table share one number of TABs. A line with fewer is the beginning of a row whose cell was broken over
lines, unless an editor has stripped the TABs at the ends of lines: then the rows are filled up instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from documents.reading.finding_codes import FindingCode, finding
from documents.reading.lines import Line, stripped
from documents.reading.table_labels import begins_row, header_columns
from models.findings import ReadingFinding

# How many lines one row can be broken over; the limit keeps reading linear.
_MOST_PIECES: Final = 12


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells without outer blanks, and the numbers of the lines that it stands on."""

    cells: tuple[str, ...]
    numbers: tuple[int, ...]

    @property
    def number(self) -> int:
        """The first line of the row."""
        return self.numbers[0]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a table; ``findings`` have no place yet, ``padded`` are the lines that were filled up."""

    rows: tuple[Row, ...]
    findings: tuple[ReadingFinding, ...]
    padded: tuple[Line, ...]


def read_table(lines: Sequence[Line]) -> Table:
    """Rows of the lines of one table."""
    pieces = [[stripped(cell) for cell in line.text.split("\t")] for line in lines]
    begins = [begins_row(cells) for cells in pieces]
    width, tabs_stripped = _width(pieces)
    rows: list[Row] = []
    findings: list[ReadingFinding] = []
    padded: list[Line] = []
    at = 0
    while at < len(lines):
        cells = pieces[at]
        if tabs_stripped and header_columns(cells) is not None:
            width = len(cells)
        used = 1
        if len(cells) < width and not (tabs_stripped and len(cells) == 1):
            used = _pieces_of_row(pieces, begins, at, width, tabs_stripped=tabs_stripped)
        if used > 1:
            cells = _glued(pieces[at : at + used], lines[at : at + used], findings)
        elif len(cells) < width:
            padded.append(lines[at])
        filled = cells + [""] * (width - len(cells))
        rows.append(Row(tuple(filled), tuple(line.number for line in lines[at : at + used])))
        at += used
    return Table(tuple(rows), tuple(findings), tuple(padded))


def _width(pieces: Sequence[list[str]]) -> tuple[int, bool]:
    """Number of cells of a whole row, and whether the TABs at the ends of lines were stripped."""
    counts = Counter(len(cells) for cells in pieces if len(cells) > 1)
    if not counts:
        return 1, False
    ends_filled = all(cells[-1] for cells in pieces)
    if len(counts) > 1 and ends_filled:
        return max(counts), True
    usual = max(counts.items(), key=lambda item: (item[1], item[0]))[0]
    return usual, False


def _pieces_of_row(
    pieces: Sequence[list[str]], begins: Sequence[bool], at: int, width: int, *, tabs_stripped: bool
) -> int:
    """How many lines from ``at`` on make exactly one whole row; 1 where they do not."""
    total = len(pieces[at])
    for next_at in range(at + 1, min(at + _MOST_PIECES, len(pieces))):
        cells = pieces[next_at]
        if len(cells) >= width or begins[next_at] or (tabs_stripped and not cells[0]):
            return 1
        total += len(cells) - 1
        if total >= width:
            # A piece without TABs after a whole row may belong to it too, but nothing tells that it does.
            return next_at - at + 1 if total == width else 1
    return 1


def _glued(pieces: Sequence[list[str]], lines: Sequence[Line], findings: list[ReadingFinding]) -> list[str]:
    cells = list(pieces[0])
    raw: dict[int, str] = {len(cells) - 1: cells[-1]}
    for piece in pieces[1:]:
        at = len(cells) - 1
        raw[at] = f"{raw.get(at, cells[at])}⏎{piece[0]}"
        cells[at] = _glue(cells[at], piece[0])
        cells += piece[1:]
    for at, written in raw.items():
        if written.strip("⏎") != cells[at]:
            reason = "单元格里有换行，按整行的制表符数接上。"
            number = lines[0].number
            findings.append(finding(FindingCode.CELL_JOINED, "", written, reason, 0.9, repaired=cells[at], line=number))
    return cells


def _glue(before: str, after: str) -> str:
    """Two pieces of a cell: a number and the words after it keep a blank, everything else is one word."""
    blank = (
        before
        and after
        and (before[-1].isascii() and (before[-1].isalnum() or before[-1] == "%"))
        and not after[0].isascii()
    )
    return f"{before} {after}" if blank else before + after
