"""The neutral form of a file written out as the lines and TAB rows that the assembler reads, one line a paragraph or row.

A merged cell stands where it begins and leaves the columns and rows that it covers empty, as in the text form. Columns in
which no cell begins are dropped, and the cells under a header of indicators go to the column of their header: the grid of
a Word table has more lines than one sees.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from documents.reading.cut_labels import whole_labels
from documents.reading.finding_codes import FindingCode, finding
from documents.reading.headings import part_heading, project_heading, section_heading
from documents.reading.lines import Line, stripped, without_radicals
from documents.reading.money import currency_of
from documents.reading.sources.form import Aside, AsideKind, Cell, Grid, Paragraph, SourceForm
from documents.reading.table_labels import header_columns, info_role
from models.findings import ReadingFinding

_CODES: Final = {
    AsideKind.LEFT: (FindingCode.SOURCE_LEFT, 0.9),
    AsideKind.REMARK: (FindingCode.SOURCE_REMARK, 0.9),
    AsideKind.DOUBT: (FindingCode.SOURCE_DOUBT, 0.6),
}
_BREAKS = re.compile("[\t\r\x0b\x0c\x85\u2028\u2029]+")
_UNIT_LINE = re.compile(r"\d{3,9}\s*\S{2,80}")
# After these a new line in a cell needs no blank; between words it stands for one.
_NO_BLANK_AFTER: Final = "，。；、：！？”）》」』…"
_LONG_LINE: Final = 20
_MOST_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Transcript:
    """The lines of a file, the page of each line (0: no pages), and what is to be said about the file."""

    text: str
    pages: tuple[int, ...]
    findings: tuple[ReadingFinding, ...]
    left: tuple[str, ...]


def transcript_of(form: SourceForm, *, sheets: bool) -> Transcript:
    """The transcript of a form; in ``sheets`` (workbooks) a cell alone in its row is a paragraph."""
    form, radicals = _with_characters(form)
    writer = _Writer(form, sheets=sheets)
    for block in form.blocks:
        if isinstance(block, Paragraph):
            writer.paragraph(block.text, block.page)
        else:
            writer.grid(block)
    findings = [*map(_finding, form.asides), *radicals, *writer.findings()]
    left = tuple(aside.raw for aside in form.asides if aside.kind is AsideKind.LEFT)
    return Transcript("\n".join(writer.lines), tuple(writer.pages), tuple(findings), left)


class _Writer:
    """Collects the lines; every row has as many TABs as the widest grid asks for, so that none looks broken."""

    def __init__(self, form: SourceForm, *, sheets: bool) -> None:
        self.lines: list[str] = []
        self.pages: list[int] = []
        self._sheets = sheets
        self._broken: list[str] = []
        self._cut: list[str] = []
        grids = [block for block in form.blocks if isinstance(block, Grid)]
        self._width = max((len(_columns(grid)) for grid in grids), default=1)

    def paragraph(self, text: str, page: int) -> None:
        """Writes a paragraph: a line for each of its lines; TABs around it are indents."""
        for line in text.split("\n"):
            words = stripped(line)
            if words:
                self._write(words, page)

    def grid(self, grid: Grid) -> None:
        """Writes a table: a line for each row that has words."""
        columns = _columns(grid)
        grid, cut = whole_labels(grid)
        self._cut += cut
        rows: dict[int, list[Cell]] = {}
        for cell in sorted(grid.cells, key=lambda cell: (cell.row, cell.column)):
            if stripped(cell.text):
                rows.setdefault(cell.row, []).append(cell)
        several = [row for row, cells in rows.items() if len(cells) > 1]
        header: list[Cell] = []
        for row, cells in rows.items():
            page = grid.pages[row] if row < len(grid.pages) else 0
            if len(cells) == 1 and self._is_paragraph(cells[0], grid, several):
                header = []
                self.paragraph(cells[0].text, page)
                continue
            texts = [self._cell(cell.text) for cell in cells]
            if header_columns(texts) is not None:
                header = cells
            elif header and info_role(texts[0]) is not None:
                header = []
            places = _aligned(cells, header)
            written = [""] * max(self._width, 2)
            for text, place in zip(texts, places, strict=True):
                at = columns[place]
                written[at] = f"{written[at]} {text}".strip()
            self._write("\t".join(written), page)

    def findings(self) -> Iterator[ReadingFinding]:
        """What was joined: one hint for all cells with several lines, one doubt for all labels that a page has cut."""
        if self._broken:
            reason = f"共 {len(self._broken)} 个单元格里分了行，已接成一行。"
            raw = " / ".join(self._broken[:_MOST_SHOWN])
            yield finding(FindingCode.SOURCE_REMARK, "", raw, reason, 0.9)
        if self._cut:
            reason = f"表格的标签有 {len(self._cut)} 处被分页断开，已接成一个，请对照原件核对这几行。"
            yield finding(FindingCode.SOURCE_DOUBT, "", " / ".join(self._cut[:_MOST_SHOWN]), reason, 0.7)

    def _write(self, line: str, page: int) -> None:
        self.lines.append(line)
        self.pages.append(page)

    def _cell(self, text: str) -> str:
        lines = [words for line in text.split("\n") if (words := stripped(_BREAKS.sub(" ", line)))]
        if len(lines) > 1:
            self._broken.append("⏎".join(line[:20] for line in lines))
        words = lines[0]
        for before, line in itertools.pairwise(lines):
            words += line if _needs_no_blank(before, line) else f" {line}"
        return words

    def _is_paragraph(self, cell: Cell, grid: Grid, several: Sequence[int]) -> bool:
        """Whether a cell alone in its row stands for a line between tables, not for a row of one."""
        words = stripped(cell.text.split("\n")[0])
        line = Line(1, words, words)
        whole = cell.columns >= grid.columns
        heading = bool(project_heading(line) or part_heading(line) or section_heading(line))
        heading = heading or currency_of(words) is not None or _UNIT_LINE.fullmatch(words) is not None
        if not self._sheets:
            return whole and heading
        inside = bool(several) and several[0] < cell.row < several[-1]
        return not inside or (heading and (whole or cell.column == 0 or currency_of(words) is not None))


def _with_characters(form: SourceForm) -> tuple[SourceForm, list[ReadingFinding]]:
    """The form without Kangxi radicals and compatibility characters, and one hint for all of them.

    A printed page has hundreds, written by the printer and not by the author; asking a person about each helps nobody.
    """
    changed: list[str] = []

    def clean(text: str) -> str:
        characters = unicodedata.normalize("NFC", without_radicals(text))
        if characters != text:
            changed.append(text[:_LONG_LINE])
        return characters

    blocks = tuple(
        replace(block, text=clean(block.text))
        if isinstance(block, Paragraph)
        else replace(block, cells=tuple(replace(cell, text=clean(cell.text)) for cell in block.cells))
        for block in form.blocks
    )
    if not changed:
        return form, []
    reason = f"{len(changed)} 处文字里有康熙部首或兼容字符（形同汉字，打印软件所写），已换成相应的汉字。"
    raw = " / ".join(changed[:_MOST_SHOWN])
    return replace(form, blocks=blocks), [finding(FindingCode.SOURCE_REMARK, "", raw, reason, 0.98)]


def _needs_no_blank(before: str, after: str) -> bool:
    if before[-1] in _NO_BLANK_AFTER:
        return True
    chinese = not before[-1].isascii() and not after[0].isascii()
    return chinese and len(before) > _LONG_LINE


def _columns(grid: Grid) -> Mapping[int, int]:
    """The number of each column in which a cell with words begins, counted without the others."""
    begun = sorted({0, *(cell.column for cell in grid.cells if stripped(cell.text))})
    return {column: at for at, column in enumerate(begun)}


def _aligned(cells: Sequence[Cell], header: Sequence[Cell]) -> list[int]:
    """The column of each cell of a row: its own, or that of the header it stands under where each has one of its own."""
    own = [cell.column for cell in cells]
    if not header or cells is header:
        return own
    under: list[int] = []
    for cell in cells:
        overlaps = [
            (min(cell.column + cell.columns, head.column + head.columns) - max(cell.column, head.column), head.column)
            for head in header
        ]
        most, column = max(overlaps, key=lambda pair: pair[0])
        under.append(column if most > 0 else cell.column)
    return under if len(set(under)) == len(under) else own


def _finding(aside: Aside) -> ReadingFinding:
    code, confidence = _CODES[aside.kind]
    return finding(code, "", aside.raw, aside.sentence, confidence)
