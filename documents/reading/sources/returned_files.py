"""A Word file that this program wrote, as it comes back: its origin, the words in each content control, and the words outside.

The controls are found wherever an editor has put them: around runs, paragraphs, cells or rows (ECMA-376 part 1, 17.5.2). A
merged cell counts for every row that it covers. Tracked changes are read as if they were accepted.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any, Final

import docx
from docx.oxml.ns import qn

from documents.reading.sources import docx_files
from documents.reading.sources.containers import checked_container, container_kind, member, memory_error_of
from documents.reading.sources.kinds import SourceKind
from documents.reading.sources.returned_form import Field, ReturnedForm
from documents.returning.origin import NAMESPACE, Origin, parse_origin
from models.errors import InvalidInput

_P: Final = qn("w:p")
_TABLE: Final = qn("w:tbl")
_SDT: Final = qn("w:sdt")
_SETTINGS: Final = qn("w:sdtPr")
_CONTENT: Final = qn("w:sdtContent")
_RUN: Final = qn("w:r")
_TEXT: Final = qn("w:t")
_VAL: Final = qn("w:val")
_TAG: Final = f"{_SETTINGS}/{qn('w:tag')}"
_TITLE: Final = f"{_SETTINGS}/{qn('w:alias')}"
_CONTENTS_LIST: Final = f"{_SETTINGS}/{qn('w:docPartObj')}"
_INVITATION: Final = f"{_SETTINGS}/{qn('w:showingPlcHdr')}"
_MERGE: Final = f"{qn('w:tcPr')}/{qn('w:vMerge')}"
_SPAN: Final = f"{qn('w:tcPr')}/{qn('w:gridSpan')}"
_HIDDEN: Final = f"{qn('w:rPr')}/{qn('w:vanish')}"
_ROW_DELETED: Final = f"{qn('w:trPr')}/{qn('w:del')}"
_ROW: Final = qn("w:tr")
_CELL: Final = qn("w:tc")
_DELETED: Final = frozenset({qn("w:del"), qn("w:moveFrom")})
_WRITTEN: Final = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_SKIPPED: Final = frozenset({qn("w:pPr"), qn("w:rPr"), _SETTINGS, qn("w:instrText"), qn("w:delText")})
_WRAPS: Final = frozenset({qn("w:customXml"), qn("w:ins"), qn("w:moveTo")})
_FALLBACK: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
# Places of members of items that have a row each.
_OF_ITEM: Final = re.compile(
    r"(?P<home>(?:/projects/[^/]+|/overall)?/(?:indicators|goals|duties|extra))/[^/]+/(?P<member>.+)"
)
_DEEPEST: Final = 60
_LONG_NUMBER: Final = 5
# An origin is a few hundred bytes, and a line for each tag that Word would find too long.
_LARGEST_ITEM: Final = 4 * 1024 * 1024
# The page's own words are left out on purpose.
_PAGE_PARTS: Final = ("页眉", "页脚")


def read_returned(data: bytes, *, beside: bool = True) -> ReturnedForm:
    """The returned form of a docx file, empty for another kind of container; raises InvalidInput where it can't be opened.

    ``beside`` asks for what stands beside the text, too: notes, comments, hidden words.
    """
    container = checked_container(data)
    kind = container_kind(container)
    if kind is not SourceKind.DOCX:
        return ReturnedForm(kind.value, None, False, (), (), ())
    asides = docx_files.read_docx(data).asides if beside else ()
    try:
        body = docx.Document(io.BytesIO(data)).element.body
    except Exception as error:
        if starved := memory_error_of(error):
            raise starved from error
        raise InvalidInput("Word 文件不完整或已损坏，打不开；请用 Word 打开并重新保存，再导入。") from error
    origin, spoilt = _origin(container)
    walk = _Walk(dict(origin.places) if origin is not None else {})
    walk.blocks(body, 0)
    told = tuple(aside for aside in asides if not aside.sentence.startswith(_PAGE_PARTS))
    return ReturnedForm(kind.value, origin, spoilt, tuple(walk.fields), tuple(walk.outside), told, walk.untagged)


def _origin(container: zipfile.ZipFile) -> tuple[Origin | None, bool]:
    """The origin, and whether there is one that is not as it was written; Word may have given the part another number."""
    spoilt = False
    for entry in container.infolist():
        name = entry.filename
        if name.startswith("customXml/item") and name.endswith(".xml") and entry.file_size <= _LARGEST_ITEM:
            data = member(container, name)
            if NAMESPACE.encode() not in data or b"datastoreItem" in data:
                continue
            origin = parse_origin(data)
            if origin is not None:
                return origin, False
            spoilt = True
    return None, spoilt


class _Walk:
    """Walks the body once; ``places`` are the long places by their tags."""

    def __init__(self, places: dict[str, str]) -> None:
        self._places = places
        self._row = self._table = self._rows = self._tables = 0
        self.fields: list[Field] = []
        self.outside: list[str] = []
        self.untagged = 0

    def blocks(self, parent: Any, depth: int) -> None:
        """The paragraphs, tables and controls under an element."""
        _require_shallow(depth)
        for child in parent.iterchildren():
            if child.tag == _P:
                self._leave(self._words(child, depth))
            elif child.tag == _TABLE:
                self._grid(child, depth)
            elif child.tag == _SDT:
                self._control(child, depth)
            elif child.tag not in _DELETED and isinstance(child.tag, str) and len(child):
                self.blocks(child, depth + 1)

    def _leave(self, words: str) -> None:
        if words.strip():
            self.outside.append(words.strip())

    def _control(self, control: Any, depth: int) -> None:
        """A control around paragraphs; the one that Word keeps its contents list in holds no text of anybody."""
        content = control.find(_CONTENT)
        if content is None or control.find(_CONTENTS_LIST) is not None:
            return
        place = self._place(control)
        if place is None:
            self.blocks(content, depth + 1)
        else:
            self._take(place, "" if _is_empty(control) else self._lines(content, depth + 1))

    def _lines(self, parent: Any, depth: int) -> str:
        """The paragraphs inside a control, one a line; a table has no place in a member of words and is left over."""
        lines: list[str] = []
        for child in parent.iterchildren():
            if child.tag == _P:
                lines.append(self._words(child, depth, inside=True))
            elif child.tag == _TABLE:
                self._grid(child, depth + 1)
            elif child.tag not in _DELETED and child.tag not in _SKIPPED and isinstance(child.tag, str) and len(child):
                lines.append(self._lines(child, depth + 1))
        return "\n".join(lines)

    def _take(self, place: str, words: str) -> None:
        self.fields.append(Field(place, words, self._row, self._table))

    def _place(self, control: Any) -> str | None:
        tag = control.find(_TAG)
        value = "" if tag is None else tag.get(_VAL, "")
        self.untagged += tag is None and control.find(_TITLE) is not None
        found = self._places.get(value, value)
        return found if found.startswith("/") else None

    def _words(self, element: Any, depth: int, *, inside: bool = False) -> str:
        """The words of a paragraph outside of its controls (``inside``: all of them, since it is in a control itself)."""
        pieces: list[str] = []
        self._collect(element, pieces, depth, inside=inside)
        return "".join(pieces)

    def _collect(self, element: Any, pieces: list[str], depth: int, *, inside: bool) -> None:
        _require_shallow(depth)
        for child in element.iterchildren():
            tag = child.tag
            if tag == _TEXT:
                pieces.append(child.text or "")
            elif tag in _WRITTEN:
                pieces.append(_WRITTEN[tag])
            elif tag == qn("w:sym"):
                pieces.append("\ufffd")
            elif tag == qn("w:txbxContent"):
                self.blocks(child, depth + 1)
            elif tag == _SDT and not inside and (place := self._place(child)) is not None:
                content = child.find(_CONTENT)
                words = "" if content is None or _is_empty(child) else self._words(content, depth + 1, inside=True)
                self._take(place, words)
            elif tag == _RUN and _is_hidden(child):
                continue
            elif tag not in _SKIPPED and tag not in _DELETED and tag != _FALLBACK and isinstance(tag, str):
                self._collect(child, pieces, depth + 1, inside=inside)

    def _grid(self, table: Any, depth: int) -> None:
        _require_shallow(depth)
        before = self._row, self._table
        self._tables += 1
        self._table = self._tables
        # By column: the fields of the merged cell that is still open there.
        merged: dict[int, list[Field]] = {}
        columns: dict[tuple[int, int], str] = {}
        for row, _ in self._wrapped(table, _ROW, None):
            if row.find(_ROW_DELETED) is None:
                self._rows += 1
                self._row = self._rows
                columns = self._take_row(row, merged, columns, depth)
        self._row, self._table = before

    def _take_row(
        self, row: Any, merged: dict[int, list[Field]], columns: dict[tuple[int, int], str], depth: int
    ) -> dict[tuple[int, int], str]:
        """The fields of a row; gives the places of its columns, by which a row that somebody inserted below is read."""
        column, own = 0, False
        places: dict[tuple[int, int], str] = {}
        typed: dict[tuple[int, int], str] = {}
        left = len(self.outside)
        for cell, place in self._wrapped(row, _CELL, None):
            start, words = len(self.fields), len(self.outside)
            if place is None:
                self.blocks(cell, depth + 1)
            else:
                self._take(place, self._lines(cell, depth + 1))
            made, across = self.fields[start:], _across(cell)
            own = own or bool(made)
            if made:
                places[column, across] = made[0].place
            elif len(self.outside) > words:
                typed[column, across] = "\n".join(self.outside[words:])
            merge = cell.find(_MERGE)
            if merge is None:
                merged.pop(column, None)
            elif merge.get(_VAL, "continue") != "continue":
                merged[column] = made
            elif column in merged:
                self.fields += [Field(item.place, item.words, self._row, self._table) for item in merged[column]]
            column += across
        if own:
            return places
        if typed and all(_OF_ITEM.match(columns.get(at, "")) for at in typed):
            # Word gives a row that is inserted no controls: its cells mean what those of the row above mean.
            del self.outside[left:]
            for at, place in columns.items():
                if found := _OF_ITEM.match(place):
                    self._take(f"{found['home']}/-/{found['member']}", typed.get(at, ""))
        return columns

    def _wrapped(self, parent: Any, tag: str, place: str | None) -> Iterator[tuple[Any, str | None]]:
        """Rows or cells under an element, each with the place of the control that an editor has put around it."""
        for child in parent.iterchildren():
            if child.tag == tag:
                yield child, place
            elif child.tag == _SDT:
                content = child.find(_CONTENT)
                if content is not None:
                    yield from self._wrapped(content, tag, self._place(child) or place)
            elif child.tag in _WRAPS:
                yield from self._wrapped(child, tag, place)


def _across(cell: Any) -> int:
    span = cell.find(_SPAN)
    value = span.get(_VAL, "") if span is not None else ""
    return int(value) if value.isascii() and value.isdigit() and len(value) < _LONG_NUMBER else 1


def _is_empty(control: Any) -> bool:
    """Whether Word shows its own invitation to type in a control, which is nobody's words."""
    return control.find(_INVITATION) is not None


def _is_hidden(run: Any) -> bool:
    hidden = run.find(_HIDDEN)
    return hidden is not None and hidden.get(_VAL, "1") not in ("0", "false", "off")


def _require_shallow(depth: int) -> None:
    if depth > _DEEPEST:
        raise InvalidInput("Word 文件里的表格或控件嵌套太深；请确认选对了文件。")
