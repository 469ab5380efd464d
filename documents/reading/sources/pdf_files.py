"""PDF files through pdfplumber: ruled tables are grids, the lines between them paragraphs, page by page.

Rotated words are watermarks and are left out, as are heads that pages repeat; a PDF without a text layer is a scan and is
refused. Words of a table whose border a page break left open are taken with the columns they stand in.
"""

from __future__ import annotations

import io
import itertools
import multiprocessing
import os
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

import pdfplumber
from pdfminer.pdfdocument import PDFEncryptionError, PDFPasswordIncorrect
from pdfplumber.utils.exceptions import PdfminerException

from documents.reading.sources.form import Aside, AsideKind, Grid, Paragraph, SourceForm
from documents.reading.sources.pdf_lines import (
    Glyph,
    PdfLine,
    glyph_of,
    goes_on,
    is_full,
    joined,
    left_margin,
    lines_of,
    right_margin,
)
from documents.reading.sources.pdf_tables import PdfTable, grid_of, tables_of, whole_rows
from documents.reading.sources.worker import end_with_parent
from models.errors import InvalidInput

MAX_PAGES: Final = 1000
# Below, starting the second process takes longer than it saves.
_FEWEST_PAGES_TO_SHARE: Final = 16
_UNREADABLE = re.compile(r"\(cid:\d+\)")
_PAGE_NUMBER = re.compile(
    r"[-—–－\s]*(?:第\s*)?[0-9０-９]{1,4}(?:\s*页)?(?:\s*[,，/／]?\s*共\s*[0-9０-９]{1,4}\s*页)?[-—–－\s]*"
)
_MOST_UNREADABLE: Final = 0.05
_MOST_SHOWN: Final = 20
_EM_TOLERANCE: Final = 1.3
# Lines of one paragraph are two thirds of an em apart, a head is set off from the text by more than that.
_HEAD_GAP: Final = 0.9


@dataclass(slots=True)
class _Page:
    """One page: its lines and tables in reading order, and what kind of size it has."""

    number: int
    width: int
    items: list[PdfLine | PdfTable] = field(default_factory=list)
    rotated: str = ""
    unreadable: int = 0
    letters: int = 0
    wrapped: int = 0


def read_pdf(data: bytes) -> SourceForm:
    """The neutral form of a PDF file; raises InvalidInput for a broken, encrypted, scanned or oversized one."""
    pages = _pages(data)
    _refuse_scan(pages)
    asides = list(_asides(pages))
    heads = _running_heads(pages)
    if heads:
        asides.append(Aside(AsideKind.REMARK, "各页重复的页眉页脚已略去。", "\n".join(sorted(heads))))
    flow = _Flow(pages, heads)
    return SourceForm(tuple(flow.blocks()), (*asides, *flow.asides()), len(pages))


def _pages(data: bytes) -> list[_Page]:
    """The pages of a PDF; a long one is read in two halves at once, where there is a second processor."""
    try:
        with pdfplumber.open(io.BytesIO(data), unicode_norm=None) as document:
            count = len(document.pages)
            _refuse_length(count)
            half = count // 2
            if count < _FEWEST_PAGES_TO_SHARE or not _can_share():
                return [_page(page) for page in document.pages]
            with ProcessPoolExecutor(1, multiprocessing.get_context("fork"), end_with_parent) as other:
                second = other.submit(_half, data, list(range(half + 1, count + 1)))
                first = [_page(page) for page in document.pages[:half]]
                return first + second.result()
    except (InvalidInput, MemoryError):
        raise
    except Exception as error:
        raise InvalidInput(_refusal(error)) from error


def _half(data: bytes, numbers: list[int]) -> list[_Page]:
    with pdfplumber.open(io.BytesIO(data), pages=numbers, unicode_norm=None) as document:
        return [_page(page) for page in document.pages]


def _can_share() -> bool:
    """Whether forking is safe (no other threads, as in the reading process) and of use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return cores > 1 and threading.active_count() == 1 and "fork" in multiprocessing.get_all_start_methods()


def _refuse_length(count: int) -> None:
    if count > MAX_PAGES:
        raise InvalidInput(f"PDF 有 {count} 页，超过 {MAX_PAGES} 页的上限；请拆成几份导入。")


def _refusal(error: BaseException) -> str:
    causes = (error, *getattr(error, "args", ())) if isinstance(error, PdfminerException) else (error,)
    if any(isinstance(cause, (PDFPasswordIncorrect, PDFEncryptionError)) for cause in causes):
        return "PDF 设了打开密码，读不了；请用原来的软件去掉密码后另存，再导入。"
    return "PDF 不完整或已损坏，读不出；请重新导出 PDF，或用 Word、Excel 原件导入。"


def _page(page: Any) -> _Page:
    number = page.page_number
    made = _Page(number, round(page.width))
    glyphs: list[Glyph] = []
    rotated: list[str] = []
    for char in page.chars:
        if not char["upright"] or abs(char["matrix"][1]) > 0.01:
            rotated.append(char["text"])
            continue
        if _UNREADABLE.fullmatch(char["text"]):
            made.unreadable += 1
            char["text"] = "\ufffd"
        glyphs.append(glyph_of(char))
    made.letters = sum(1 for glyph in glyphs if glyph.text.strip())
    made.rotated = "".join(rotated).strip()
    tables, rest = tables_of(page, glyphs, number) if glyphs else ([], [])
    placed: list[tuple[float, PdfLine | PdfTable]] = [(line.top, line) for line in lines_of(rest)]
    placed += [(table.box[1], table) for table in tables]
    made.wrapped = sum(table.wrapped for table in tables)
    placed.sort(key=lambda pair: pair[0])
    made.items = [item for _, item in placed]
    # pdfplumber keeps every character of every page until it is told not to.
    page.close()
    return made


def _refuse_scan(pages: Sequence[_Page]) -> None:
    letters = sum(page.letters for page in pages)
    if letters == 0:
        raise InvalidInput(
            "PDF 里没有文字层，多半是扫描件；请用 Word、Excel 原件导入，或先用文字识别软件转成带文字的文件并校对。"
        )
    if sum(page.unreadable for page in pages) > _MOST_UNREADABLE * letters:
        raise InvalidInput("PDF 的字体没有带字符编码，读出来是乱码；请用 Word、Excel 原件导入，或换一种方式导出 PDF。")


def _asides(pages: Sequence[_Page]) -> Iterator[Aside]:
    rotated = Counter(page.rotated for page in pages if page.rotated)
    for words in rotated:
        yield Aside(AsideKind.LEFT, "斜排或竖排的文字当是水印，没有读入。", words)
    for page in pages:
        if page.letters == 0:
            yield Aside(
                AsideKind.DOUBT, f"第 {page.number} 页没有文字，可能是图片，请看这一页有没有内容。", "", page.number
            )
    unreadable = sum(page.unreadable for page in pages)
    if unreadable:
        yield Aside(AsideKind.DOUBT, f"有 {unreadable} 个字没有字符编码，读作“\ufffd”，请对照原件补上。", "\ufffd")
    wrapped = sum(page.wrapped for page in pages)
    if wrapped:
        yield Aside(
            AsideKind.REMARK,
            f"{wrapped} 个单元格在 PDF 里折成几行，已按列宽接上；原文在折行处有没有空格，PDF 里看不出。",
        )


def _running_heads(pages: Sequence[_Page]) -> frozenset[str]:
    """Lines that stand apart, first or last on most pages and at one height: heads and feet, no part of the text."""
    if len(pages) < 3:
        return frozenset()
    counts: Counter[tuple[str, int]] = Counter()
    for page in pages:
        boxes = [
            (item, *((item.top, item.bottom) if isinstance(item, PdfLine) else (item.box[1], item.box[3])))
            for item in page.items
            if not (isinstance(item, PdfLine) and _PAGE_NUMBER.fullmatch(item.text))
        ]
        for pair in (boxes[:2], boxes[:-3:-1]):
            if len(pair) < 2:
                continue
            (item, top, bottom), (_, other_top, other_bottom) = pair
            apart = max(other_top - bottom, top - other_bottom)
            if isinstance(item, PdfLine) and apart >= _HEAD_GAP * item.em:
                counts[item.text, round(top)] += 1
    return frozenset(text for (text, _), count in counts.items() if count >= 3 and count > 0.6 * len(pages))


class _Flow:
    """The lines of all pages as one flow: wrapped lines become paragraphs, over page breaks too."""

    def __init__(self, pages: Sequence[_Page], heads: frozenset[str]) -> None:
        self._pages = pages
        self._heads = heads
        self._joined: list[str] = []
        self._cut: list[str] = []
        by_width: dict[int, list[PdfLine]] = {}
        for page in pages:
            by_width.setdefault(page.width, []).extend(self._running(page))
        self._left = {width: left_margin(lines) for width, lines in by_width.items()}
        self._right = {width: right_margin(lines) for width, lines in by_width.items()}
        self._step = self._usual_step()

    def blocks(self) -> Iterator[Paragraph | Grid]:
        """The blocks in reading order; a page number between two halves of a sentence comes before it."""
        text, page_of_text = "", 0
        before: tuple[PdfLine, _Page] | None = None
        pieces: list[PdfTable] = []
        for page in self._pages:
            for item in page.items:
                if isinstance(item, PdfLine) and _PAGE_NUMBER.fullmatch(item.text):
                    yield Paragraph(item.text, page.number)
                    continue
                if isinstance(item, PdfLine) and item.text in self._heads:
                    continue
                if pieces and not (isinstance(item, PdfTable) and item.goes_on_from(pieces[-1])):
                    yield from self._grid(pieces)
                    pieces = []
                if before is not None and isinstance(item, PdfLine) and self._goes_on(*before, item, page):
                    if before[1] is not page:
                        self._joined.append(f"{text[-10:]}⏎{item.text[:10]}")
                    text = joined(text, item.text)
                    before = item, page
                    continue
                if before is not None:
                    yield Paragraph(text.strip(), page_of_text)
                    before = None
                if isinstance(item, PdfTable):
                    pieces.append(item)
                else:
                    text, page_of_text, before = item.text, page.number, (item, page)
        yield from self._grid(pieces)
        if before is not None:
            yield Paragraph(text.strip(), page_of_text)

    def asides(self) -> Iterator[Aside]:
        """The sentences and the rows of tables that were joined over page breaks."""
        if self._joined:
            sentence = f"{len(self._joined)} 处句子被分页断开，已按版面接上，请看接得对不对。"
            yield Aside(AsideKind.REMARK, sentence, " / ".join(self._joined[:_MOST_SHOWN]))
        if self._cut:
            sentence = f"表格的行被分页断开，{len(self._cut)} 个单元格已按版面接上，请对照原文看接得对不对。"
            yield Aside(AsideKind.DOUBT, sentence, " / ".join(self._cut[:_MOST_SHOWN]))

    def _grid(self, pieces: Sequence[PdfTable]) -> tuple[Grid | Paragraph, ...]:
        return grid_of(whole_rows(pieces, self._cut)) if pieces else ()

    def _running(self, page: _Page) -> list[PdfLine]:
        return [
            item
            for item in page.items
            if isinstance(item, PdfLine) and not _PAGE_NUMBER.fullmatch(item.text) and item.text not in self._heads
        ]

    def _pairs(self) -> Iterable[tuple[_Page, PdfLine, PdfLine]]:
        for page in self._pages:
            lines = self._running(page)
            yield from ((page, before, after) for before, after in itertools.pairwise(lines))

    def _usual_step(self) -> float:
        """How far apart the lines of one paragraph are: the least usual distance after a full line."""
        steps = sorted(
            after.bottom - before.bottom
            for page, before, after in self._pairs()
            if is_full(before, after, self._right[page.width]) and after.bottom > before.bottom
        )
        return median(steps[: max(1, len(steps) // 2)]) if steps else 0.0

    def _goes_on(self, before: PdfLine, before_page: _Page, after: PdfLine, page: _Page) -> bool:
        if before_page.width != page.width:
            return False
        if before_page is page and self._step and after.bottom - before.bottom > _EM_TOLERANCE * self._step:
            return False
        return goes_on(before, after, left=self._left[page.width], right=self._right[page.width])
