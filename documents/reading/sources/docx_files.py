"""Word files (docx): paragraphs and the raw grid of tables, with gridSpan and vMerge (ECMA-376 part 1, 17.3 and 17.4).

python-docx opens the file; its XML is walked here, since its own rows repeat merged text. Inserted words of a tracked
change are read and deleted ones are not, as the accepted text has it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import docx
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml.ns import qn

from documents.reading.sources.containers import checked_container, macro_asides, memory_error_of
from documents.reading.sources.docx_numbering import Numbering
from documents.reading.sources.form import (
    MAX_COLUMNS,
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

_MATH_TEXT: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_FALLBACK: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_DELETED: Final = frozenset({qn("w:del"), qn("w:moveFrom")})
_SKIPPED: Final = frozenset({qn("w:pPr"), qn("w:rPr"), qn("w:instrText"), qn("w:delText"), _FALLBACK, qn("w:rt")})
_BLOCK_WRAPS: Final = frozenset({qn("w:sdt"), qn("w:sdtContent"), qn("w:customXml"), qn("w:ins"), qn("w:moveTo")})
_WRITTEN: Final = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
# The signs that forms draw with Wingdings; other private characters have no writing of their own.
_SYMBOLS: Final = {
    "F0FE": "☑",
    "F052": "☑",
    "F0FC": "√",
    "F050": "√",
    "F0A8": "□",
    "F06F": "□",
    "F0A3": "□",
    "F0FD": "☒",
}
_NOTE_PARTS: Final = (("footnotes", "脚注"), ("endnotes", "尾注"), ("comments", "批注"))
_PAGE_FIELD = re.compile(r"[\d\s\-—–－第共页/]*")
_DEEPEST: Final = 40


@dataclass(slots=True)
class _Left:
    """What a document has beside its plain text: boxes are read after their paragraph, the others are only said."""

    boxes: list[Any] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    tracked: bool = False


def read_docx(data: bytes) -> SourceForm:
    """The neutral form of a docx file; raises InvalidInput for a broken, encrypted or oversized one."""
    container = checked_container(data)
    try:
        document = docx.Document(io.BytesIO(data))
    except Exception as error:
        if starved := memory_error_of(error):
            raise starved from error
        # python-docx raises whatever the first thing out of order makes it raise: KeyError, XMLSyntaxError, and others.
        raise InvalidInput("Word 文件不完整或已损坏，打不开；请用 Word 打开并重新保存，再导入。") from error
    body = document.element.body
    if body.getroottree().docinfo.doctype:
        raise InvalidInput("Word 文件里有 DTD 声明，正常的文件没有；请用 Word 打开并重新保存，再导入。")
    part = document.part
    numbering = Numbering(_related(part, RELATIONSHIP_TYPE.NUMBERING), _related(part, RELATIONSHIP_TYPE.STYLES))
    walk = _Walk(numbering)
    blocks = tuple(walk.blocks(body, 0))
    asides = [*macro_asides(container), *_other_parts(part), *walk.asides()]
    return SourceForm(blocks, tuple(asides))


def _related(part: Any, kind: str) -> Any | None:
    try:
        related = part.part_related_by(kind)
    except KeyError:
        return None
    return getattr(related, "element", None)


class _Walk:
    """Walks the body once, in the order of the text."""

    def __init__(self, numbering: Numbering) -> None:
        self._numbering = numbering
        self._left = _Left()

    def asides(self) -> Iterator[Aside]:
        """What was met beside the plain text."""
        if self._left.tracked:
            yield Aside(AsideKind.REMARK, "文件里有修订痕迹；按接受全部修订后的文字读取，删去的文字没有读入。")
        if self._left.hidden:
            yield Aside(AsideKind.LEFT, "隐藏的文字没有读入。", "\n".join(self._left.hidden))

    def blocks(self, parent: Any, depth: int) -> Iterator[Paragraph | Grid]:
        """The blocks under an element; a table of one cell only frames what stands in it."""
        if depth > _DEEPEST:
            raise InvalidInput("Word 文件里的表格或控件嵌套太深；请确认选对了文件。")
        for child in parent.iterchildren():
            if child.tag == qn("w:p"):
                yield from self._paragraph(child, depth)
            elif child.tag == qn("w:tbl"):
                rows = list(child.iterchildren(qn("w:tr")))
                alone = list(rows[0].iterchildren(qn("w:tc"))) if len(rows) == 1 else []
                if len(alone) == 1:
                    yield from self.blocks(alone[0], depth + 1)
                else:
                    yield self._grid(child, depth)
            elif child.tag in _BLOCK_WRAPS:
                yield from self.blocks(child, depth + 1)
            elif child.tag in _DELETED:
                self._left.tracked = True

    def _paragraph(self, paragraph: Any, depth: int) -> Iterator[Paragraph | Grid]:
        text = self._numbering.label(paragraph) + self._text(paragraph)
        for line in text.split("\n"):
            yield Paragraph(line)
        boxes, self._left.boxes = self._left.boxes, []
        for box in boxes:
            yield from self.blocks(box, depth + 1)

    def _text(self, element: Any) -> str:
        pieces: list[str] = []
        self._collect(element, pieces, 0)
        return "".join(pieces)

    def _collect(self, element: Any, pieces: list[str], depth: int) -> None:
        if depth > 2 * _DEEPEST:
            raise InvalidInput("Word 文件里的文字嵌套太深；请确认选对了文件。")
        for child in element.iterchildren():
            tag = child.tag
            if tag in (qn("w:t"), _MATH_TEXT):
                pieces.append(child.text or "")
            elif tag in _WRITTEN:
                pieces.append(_WRITTEN[tag])
            elif tag == qn("w:sym"):
                pieces.append(_SYMBOLS.get(child.get(qn("w:char"), "").upper(), "\ufffd"))
            elif tag == qn("w:txbxContent"):
                self._left.boxes.append(child)
            elif tag in _DELETED:
                self._left.tracked = True
            elif tag == qn("w:r") and _is_hidden(child):
                hidden: list[str] = []
                self._collect_hidden(child, hidden)
                self._left.hidden += hidden
            elif tag not in _SKIPPED and isinstance(tag, str):
                self._left.tracked = self._left.tracked or tag == qn("w:ins")
                self._collect(child, pieces, depth + 1)

    def _collect_hidden(self, run: Any, hidden: list[str]) -> None:
        words = "".join(text.text or "" for text in run.iter(qn("w:t"))).strip()
        if words:
            hidden.append(words)

    def _cell_text(self, cell: Any, depth: int) -> str:
        """The paragraphs of a cell, one a line; a table inside a cell gives a line for each of its rows."""
        return "\n".join(block_lines(self.blocks(cell, depth + 1))).strip("\n")

    def _grid(self, table: Any, depth: int) -> Grid:
        cells: list[Cell] = []
        open_at: dict[int, int] = {}
        width = at = 0
        for row in _rows(table):
            properties = row.find(qn("w:trPr"))
            if properties is not None and properties.find(qn("w:del")) is not None:
                self._left.tracked = True
                continue
            column = _span(properties, "w:gridBefore", 0)
            for tc in _cells(row):
                merge = tc.find(qn("w:tcPr"))
                across = max(1, _span(merge, "w:gridSpan", 1))
                text = self._cell_text(tc, depth)
                down = merge.find(qn("w:vMerge")) if merge is not None else None
                goes_on = down is not None and down.get(qn("w:val"), "continue") == "continue"
                if goes_on and column in open_at:
                    above = cells[open_at[column]]
                    cells[open_at[column]] = Cell(
                        above.row, above.column, above.text, at - above.row + 1, above.columns
                    )
                    if text.strip():
                        self._left.hidden.append(text)
                else:
                    open_at.pop(column, None)
                    if down is not None:
                        open_at[column] = len(cells)
                    cells.append(Cell(at, column, text, 1, across))
                column += across
                if column > MAX_COLUMNS:
                    break
            width = max(width, column)
            at += 1
        return checked_grid(at, width, cells)


def _rows(table: Any) -> Iterator[Any]:
    for child in table.iterchildren():
        if child.tag == qn("w:tr"):
            yield child
        elif child.tag in _BLOCK_WRAPS:
            yield from _rows(child)


def _cells(row: Any) -> Iterator[Any]:
    for child in row.iterchildren():
        if child.tag == qn("w:tc"):
            yield child
        elif child.tag in _BLOCK_WRAPS:
            yield from _cells(child)


def _span(properties: Any | None, name: str, default: int) -> int:
    child = properties.find(qn(name)) if properties is not None else None
    value = child.get(qn("w:val"), "") if child is not None else ""
    # A number of more digits is no number of columns, only one that is over the limit.
    return int(value) if re.fullmatch(r"\d{1,6}", value) else default


def _is_hidden(run: Any) -> bool:
    properties = run.find(qn("w:rPr"))
    hidden = properties.find(qn("w:vanish")) if properties is not None else None
    return hidden is not None and hidden.get(qn("w:val"), "1") not in ("0", "false", "off")


def _other_parts(part: Any) -> Iterator[Aside]:
    """Words of headers, footers, notes and comments: they are no part of the text, and are said once each."""
    for name, title in (("header", "页眉"), ("footer", "页脚"), *_NOTE_PARTS):
        texts: list[str] = []
        for relation in part.rels.values():
            if relation.is_external or relation.reltype.rpartition("/")[2] != name:
                continue
            words = "".join(_part_words(relation.target_part)).strip()
            if words and not _PAGE_FIELD.fullmatch(words) and words not in texts:
                texts.append(words)
        if texts:
            yield Aside(AsideKind.LEFT, f"{title}里的文字没有读入。", "\n".join(texts))


def _part_words(part: Any) -> Iterator[str]:
    element = getattr(part, "element", None)
    if element is None:
        from lxml import etree

        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        try:
            element = etree.fromstring(part.blob, parser)
        except etree.XMLSyntaxError:
            return
    for text in element.iter(qn("w:t")):
        yield text.text or ""
