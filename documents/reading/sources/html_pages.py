"""HTML pages through lxml: block elements are paragraphs, tables are grids with colspan and rowspan (HTML 4.9)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import lxml.html
from lxml import etree

from documents.reading.decoding import decoded
from documents.reading.sources.containers import memory_error_of
from documents.reading.sources.form import (
    MAX_COLUMNS,
    MAX_ROWS,
    Aside,
    AsideKind,
    Cell,
    Grid,
    Paragraph,
    SourceForm,
    block_lines,
    checked_grid,
)
from models.errors import InvalidInput

_SILENT: Final = frozenset(
    {"script", "style", "head", "template", "noscript", "title", "meta", "link", "svg", "iframe"}
)
_INLINE: Final = frozenset(
    {
        "a", "abbr", "b", "big", "bdi", "bdo", "cite", "code", "del", "em", "font", "i", "ins", "kbd", "label", "mark", "q", "s",
        "samp", "small", "span", "strong", "sub", "sup", "tt", "u", "var", "wbr", "o:p",
    }
)  # fmt: skip
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all", re.IGNORECASE)
_DEEPEST: Final = 200


def read_html(data: bytes) -> SourceForm:
    """The neutral form of an HTML page in UTF-8 or GB18030; raises InvalidInput for one without words or of bad bytes."""
    text, _ = decoded(data)
    # An encoding that the page declares is no longer true of text that has been decoded.
    text = re.sub(r"^\s*<\?xml[^>]{0,200}\?>", "", text, count=1).replace("\x00", "")
    parser = lxml.html.HTMLParser(no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = lxml.html.document_fromstring(text, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        if starved := memory_error_of(error):
            raise starved from error
        raise InvalidInput("网页是空的或读不出；请用浏览器打开并另存，再导入。") from error
    walk = _Walk()
    blocks = tuple(walk.blocks(root, 0))
    asides = [Aside(AsideKind.LEFT, "网页里隐藏的文字没有读入。", "\n".join(walk.hidden))] if walk.hidden else []
    return SourceForm(blocks, tuple(asides))


class _Walk:
    """Walks the page once, in the order of the text."""

    def __init__(self) -> None:
        self.hidden: list[str] = []

    def blocks(self, element: Any, depth: int) -> Iterator[Paragraph | Grid]:
        """The blocks under an element: runs of inline text, and the blocks between them."""
        if depth > _DEEPEST:
            raise InvalidInput("网页嵌套太深；请确认选对了文件。")
        words: list[str] = [element.text or ""]
        for child in element:
            tag = child.tag if isinstance(child.tag, str) else ""
            if self._is_silent(child, tag):
                pass
            elif tag == "br":
                words.append("\v")
            elif tag == "table":
                yield from _paragraphs(words)
                words = []
                yield from self._table(child, depth + 1)
            elif tag in _INLINE and not _has_blocks(child):
                words.append(self._inline(child, depth + 1))
            elif tag:
                yield from _paragraphs(words)
                words = []
                yield from self.blocks(child, depth + 1)
            words.append(child.tail or "")
        yield from _paragraphs(words)

    def _is_silent(self, element: Any, tag: str) -> bool:
        if tag in _SILENT:
            return True
        if "hidden" in element.attrib or _HIDDEN.search(element.get("style", "")):
            words = _BLANKS.sub(" ", "".join(element.itertext())).strip()
            if words:
                self.hidden.append(words)
            return True
        return False

    def _inline(self, element: Any, depth: int) -> str:
        if depth > _DEEPEST:
            raise InvalidInput("网页嵌套太深；请确认选对了文件。")
        words = [element.text or ""]
        for child in element:
            tag = child.tag if isinstance(child.tag, str) else ""
            if tag == "br":
                words.append("\v")
            elif tag and not self._is_silent(child, tag):
                words.append(self._inline(child, depth + 1))
            words.append(child.tail or "")
        return "".join(words)

    def _table(self, table: Any, depth: int) -> Iterator[Paragraph | Grid]:
        rows = [row for row in table.iter("tr") if _owner(row) is table]
        if len(rows) > MAX_ROWS:
            raise InvalidInput(f"网页里有一张 {len(rows)} 行的表，超过 {MAX_ROWS} 行的上限；请确认选对了文件。")
        for caption in table.iterchildren("caption"):
            yield from self.blocks(caption, depth)
        alone = [cell for cell in rows[0] if cell.tag in ("td", "th")] if len(rows) == 1 else []
        if len(alone) == 1:
            yield from self.blocks(alone[0], depth)
            return
        cells: list[Cell] = []
        # Cells of rows above that reach into a row, by column: where the next free column is depends on them.
        reach: dict[int, int] = {}
        width = 0
        for at, row in enumerate(rows):
            column = 0
            for td in row:
                if td.tag not in ("td", "th"):
                    continue
                while reach.get(column, 0) > at:
                    column += 1
                across = min(_span(td, "colspan"), MAX_COLUMNS)
                down = min(_span(td, "rowspan") or len(rows), len(rows) - at)
                text = "" if self._is_silent(td, "") else self._cell_text(td, depth)
                if column + across > MAX_COLUMNS:
                    raise InvalidInput(f"网页里有一张表超过 {MAX_COLUMNS} 列的上限；请确认选对了文件。")
                cells.append(Cell(at, column, text, max(down, 1), max(across, 1)))
                reach |= dict.fromkeys(range(column, column + max(across, 1)), at + max(down, 1))
                column += max(across, 1)
            width = max(width, column)
        if rows:
            yield checked_grid(len(rows), width, cells)

    def _cell_text(self, cell: Any, depth: int) -> str:
        return "\n".join(block_lines(self.blocks(cell, depth + 1)))


def _paragraphs(words: list[str]) -> Iterator[Paragraph]:
    for line in "".join(words).split("\v"):
        text = _BLANKS.sub(" ", line).strip(" ")
        if text:
            yield Paragraph(text)


def _has_blocks(element: Any) -> bool:
    return any(
        isinstance(child.tag, str) and child.tag not in _INLINE | {"br"} | _SILENT
        for child in element.iterdescendants()
    )


def _owner(row: Any) -> Any:
    return next(row.iterancestors("table"))


def _span(cell: Any, name: str) -> int:
    value = cell.get(name, "1").strip()
    return int(value) if re.fullmatch(r"\d{1,6}", value) else 1
