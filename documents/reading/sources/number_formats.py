"""What a number's format adds to it in a workbook: a percent sign, or words such as ``"万元"`` around it.

A share is stored as 0.2 and shown as 20%: whoever reads the stored number alone is wrong by a hundred. ECMA-376 part 1,
18.8.30 (xlsx) and OpenDocument 1.2 part 1, 19.385 (ods).
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from documents.reading.sources.containers import member, memory_error_of
from documents.reading.sources.kinds import SourceKind
from models.errors import InvalidInput

_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_PACKAGE: Final = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_TABLE: Final = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE: Final = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_BUILT_IN_PERCENTS: Final = frozenset({"9", "10"})
_SIGNS_BEFORE = re.compile(r'^(?:\[[^\]]*\])*"?(?P<words>[¥￥])"?')
_WORDS_AFTER = re.compile(r'"(?P<words>[^"]{1,20})"\s*$|(?<=[0#?.])(?P<bare>[\u4e00-\u9fff]{1,10})\s*$')
_REFERENCE = re.compile(r"(?P<letters>[A-Z]{1,3})(?P<row>[1-9]\d{0,6})")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a format shows beside the digits; with ``percent`` the stored number counts a hundredfold."""

    percent: bool = False
    before: str = ""
    after: str = ""


def formats_of(container: zipfile.ZipFile, kind: SourceKind) -> dict[tuple[int, int, int], Shown] | None:
    """Format by sheet, row and column (all from 0), of the cells whose format adds something; None: can't be seen."""
    names = set(container.namelist())
    if kind is SourceKind.ODS:
        return dict(_ods_percents(container))
    if "xl/workbook.xml" not in names:
        return None
    styles = _styles(container) if "xl/styles.xml" in names else {}
    found: dict[tuple[int, int, int], Shown] = {}
    if styles:
        for at, path in enumerate(_sheet_paths(container)):
            if path in names:
                found |= {(at, row, column): shown for row, column, shown in _styled_cells(container, path, styles)}
    return found


def shown_by(code: str) -> Shown | None:
    """What a format code shows beside the digits, None for nothing; ``0.00%`` is a percent, ``0.00"万元"`` has a unit."""
    first = code.split(";")[0]
    bare = re.sub(r'"[^"]*"|\\.', "", first)
    before = _SIGNS_BEFORE.match(first)
    after = _WORDS_AFTER.search(first)
    percent = "%" in bare
    shown = Shown(percent, before["words"] if before else "", (after["words"] or after["bare"]) if after else "")
    return shown if shown != Shown() else None


def _parsed(data: bytes) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        if starved := memory_error_of(error):
            raise starved from error
        raise InvalidInput("表格文件不完整或已损坏，读不出；请用 Excel 或 WPS 打开并重新保存，再导入。") from error
    if root.getroottree().docinfo.doctype:
        raise InvalidInput("表格文件里有 DTD 声明，正常的文件没有；请用 Excel 或 WPS 打开并重新保存，再导入。")
    return root


def _styles(container: zipfile.ZipFile) -> dict[str, Shown]:
    """What each cell style shows, by its number as cells name it."""
    root = _parsed(member(container, "xl/styles.xml"))
    codes = {item.get("numFmtId"): item.get("formatCode", "") for item in root.iter(f"{_MAIN}numFmt")}
    cells = root.find(f"{_MAIN}cellXfs")
    found: dict[str, Shown] = {}
    for at, style in enumerate(cells if cells is not None else ()):
        number = style.get("numFmtId", "0")
        shown = Shown(percent=True) if number in _BUILT_IN_PERCENTS else shown_by(codes.get(number, ""))
        if shown is not None:
            found[str(at)] = shown
    return found


def _sheet_paths(container: zipfile.ZipFile) -> Iterator[str]:
    targets = {
        item.get("Id"): item.get("Target", "")
        for item in _parsed(member(container, "xl/_rels/workbook.xml.rels")).iter(f"{_PACKAGE}Relationship")
    }
    for sheet in _parsed(member(container, "xl/workbook.xml")).iter(f"{_MAIN}sheet"):
        yield posixpath.normpath(posixpath.join("/xl", targets.get(sheet.get(_RELATION)) or "")).lstrip("/")


def _styled_cells(container: zipfile.ZipFile, path: str, styles: dict[str, Shown]) -> Iterator[tuple[int, int, Shown]]:
    """Cells read one by one and forgotten, since a sheet can be larger than what memory the tree of it would take."""
    events = etree.iterparse(
        io.BytesIO(member(container, path)), tag=f"{_MAIN}c", resolve_entities=False, no_network=True
    )
    try:
        for _, cell in events:
            shown = styles.get(cell.get("s", ""))
            where = _REFERENCE.fullmatch(cell.get("r", ""))
            if shown is not None and where is not None:
                yield int(where["row"]) - 1, _column(where["letters"]), shown
            row = cell.getparent()
            cell.clear()
            while row is not None and cell.getprevious() is not None:
                del row[0]
    except etree.XMLSyntaxError as error:
        if starved := memory_error_of(error):
            raise starved from error
        raise InvalidInput("表格文件不完整或已损坏，读不出；请用 Excel 或 WPS 打开并重新保存，再导入。") from error


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _ods_percents(container: zipfile.ZipFile) -> Iterator[tuple[tuple[int, int, int], Shown]]:
    root = _parsed(member(container, "content.xml"))
    percent = Shown(percent=True)
    for at, table in enumerate(root.iter(f"{_TABLE}table")):
        down = 0
        for row in table.iter(f"{_TABLE}table-row"):
            across = 0
            for cell in row:
                repeated = _repeat(cell, "number-columns-repeated")
                if cell.get(f"{_OFFICE}value-type") == "percentage":
                    yield from (((at, down, across + offset), percent) for offset in range(min(repeated, 200)))
                across += repeated
            # A repeated row of shares does not occur in a form; only its first row is looked at.
            down += _repeat(row, "number-rows-repeated")


def _repeat(element: Any, name: str) -> int:
    value = element.get(f"{_TABLE}{name}", "1")
    return int(value) if re.fullmatch(r"\d{1,7}", value) else 1
