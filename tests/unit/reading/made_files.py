"""Real files made of a text in the text form: the same paragraphs, and the same tables with merged cells."""

from __future__ import annotations

import html
import io
import json
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import docx
import pylopdf_fonts_zh_cn
import typst
import xlsxwriter
from docx.oxml import OxmlElement
from docx.oxml.ns import qn

_FONTS = str(Path(pylopdf_fonts_zh_cn.__file__).parent)
# Rows of a project table have more TABs than lines of a contents list.
_FEWEST_TABS = 3
# Between the margins of an A4 page, in twentieths of a point.
_TEXT_WIDTH = 9000


@dataclass(frozen=True)
class Box:
    """A cell of a table: where it begins, how far it reaches, its words (with newlines where it has several lines)."""

    row: int
    column: int
    words: str
    rows: int = 1
    columns: int = 1


@dataclass(frozen=True)
class Table:
    """A table of merged cells."""

    rows: int
    columns: int
    boxes: tuple[Box, ...]


def blocks_of(text: str) -> list[str | Table]:
    """Paragraphs and tables of a text; a cell reaches over the empty cells to its right, and over empty ones below."""
    blocks: list[str | Table] = []
    rows: list[list[str]] = []
    for line in [*text.split("\n"), ""]:
        if line.count("\t") >= _FEWEST_TABS:
            rows.append(line.split("\t"))
            continue
        if rows:
            blocks.append(_table(rows))
            rows = []
        if line.strip():
            blocks.append(line.strip())
    return blocks


def _table(rows: Sequence[Sequence[str]]) -> Table:
    width = max(map(len, rows))
    boxes: list[Box] = []
    first: int | None = None
    for at, row in enumerate(rows):
        cells = [*row, *[""] * (width - len(row))]
        column = 0
        if not cells[0] and first is not None:
            boxes[first] = replace(boxes[first], rows=boxes[first].rows + 1)
            column = 1
        while column < width:
            end = column + 1
            while end < width and not cells[end]:
                end += 1
            if column == 0:
                first = len(boxes)
            boxes.append(Box(at, column, cells[column], 1, end - column))
            column = end
    return Table(len(rows), width, tuple(boxes))


def in_lines(blocks: Iterable[str | Table]) -> list[str | Table]:
    """The blocks with the value cells in three lines, as Word has them: ``≥95``, the rate, the remark."""

    def broken(box: Box) -> Box:
        sign, blank, rest = box.words.partition(" ")
        rate, second, remark = rest.partition(" ")
        if blank and second and len(sign) < 8:
            return replace(box, words=f"{sign}\n{rate}\n{remark}")
        return box

    return [
        block if isinstance(block, str) else replace(block, boxes=tuple(map(broken, block.boxes))) for block in blocks
    ]


def as_docx(blocks: Iterable[str | Table], *, new_pages: bool = False) -> bytes:
    """A Word file by python-docx, with gridSpan and vMerge written as Word writes them.

    ``new_pages``: each project's table begins a page, as offices print it.
    """
    document = docx.Document()
    for block in blocks:
        if isinstance(block, str):
            paragraph = document.add_paragraph(block)
            paragraph.paragraph_format.page_break_before = new_pages and block.endswith("绩效目标表")
        else:
            document.element.body.insert(-1, _word_table(block))
            # Word writes no file that ends with a table, and LibreOffice takes one apart.
            document.add_paragraph()
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _word_table(table: Table) -> Any:
    made = OxmlElement("w:tbl")
    made.append(_borders())
    made.append(_columns(table.columns))
    at = {(box.row, box.column): box for box in table.boxes}
    covered = {(box.row + down, box.column): (box, down) for box in table.boxes for down in range(1, box.rows)}
    for row in range(table.rows):
        tr = OxmlElement("w:tr")
        column = 0
        while column < table.columns:
            box, down = (at[row, column], 0) if (row, column) in at else covered[row, column]
            tr.append(_word_cell(box, down, table.columns))
            column += box.columns
        made.append(tr)
    return made


def _borders() -> Any:
    """What makes a table of a form visible on paper: without it a PDF made of the file has no lines."""
    properties, borders = OxmlElement("w:tblPr"), OxmlElement("w:tblBorders")
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        line = OxmlElement(f"w:{side}")
        line.set(qn("w:val"), "single")
        line.set(qn("w:sz"), "4")
        borders.append(line)
    properties.append(borders)
    return properties


def _columns(count: int) -> Any:
    """The widths of the columns, which Word always writes and LibreOffice needs to write a doc."""
    grid = OxmlElement("w:tblGrid")
    for _ in range(count):
        column = OxmlElement("w:gridCol")
        column.set(qn("w:w"), str(_TEXT_WIDTH // count))
        grid.append(column)
    return grid


def _word_cell(box: Box, down: int, columns: int) -> Any:
    tc, properties = OxmlElement("w:tc"), OxmlElement("w:tcPr")
    tc.append(properties)
    width = OxmlElement("w:tcW")
    width.set(qn("w:w"), str(_TEXT_WIDTH * box.columns // columns))
    width.set(qn("w:type"), "dxa")
    properties.append(width)
    if box.columns > 1:
        span = OxmlElement("w:gridSpan")
        span.set(qn("w:val"), str(box.columns))
        properties.append(span)
    if box.rows > 1:
        merge = OxmlElement("w:vMerge")
        if down == 0:
            merge.set(qn("w:val"), "restart")
        properties.append(merge)
    for words in ("" if down else box.words).split("\n"):
        paragraph, run, text = OxmlElement("w:p"), OxmlElement("w:r"), OxmlElement("w:t")
        text.text = words
        text.set(qn("xml:space"), "preserve")
        run.append(text)
        paragraph.append(run)
        tc.append(paragraph)
    return tc


def as_html(blocks: Iterable[str | Table]) -> bytes:
    """A page with paragraphs and tables, printed with borders."""
    parts = [
        "<!DOCTYPE html><html lang=zh><head><meta charset=utf-8><title>文本</title><style>",
        "@page{size:A4;margin:25mm} body{font:12pt/1.6 serif;margin:0} table{border-collapse:collapse;width:160mm}",
        "td{border:.5pt solid;padding:1mm;font-size:10.5pt} p{margin:0 0 4mm}</style></head><body>",
    ]
    for block in blocks:
        if isinstance(block, str):
            parts.append(f"<p>{html.escape(block)}</p>")
            continue
        parts.append("<table>")
        for row in range(block.rows):
            parts.append("<tr>")
            for box in (box for box in block.boxes if box.row == row):
                words = "<br>".join(map(html.escape, box.words.split("\n")))
                parts.append(f"<td rowspan={box.rows} colspan={box.columns}>{words}</td>")
            parts.append("</tr>")
        parts.append("</table>")
    return "".join([*parts, "</body></html>"]).encode()


def as_xlsx(blocks: Iterable[str | Table], *, numbers: bool = False) -> bytes:
    """A workbook of one sheet; with ``numbers``, money and shares are stored as numbers with their formats."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("文本")
    percent, money = book.add_format({"num_format": "0.00%"}), book.add_format({"num_format": "#,##0.00"})
    at = 0

    def write(row: int, box: Box) -> None:
        value: Any = box.words
        form = None
        if numbers and box.words.endswith("%") and box.words[:-1].replace(".", "").isdigit():
            value, form = float(box.words[:-1]) / 100, percent
        elif numbers and box.words.replace(".", "").isdigit():
            value, form = float(box.words), money
        if box.rows > 1 or box.columns > 1:
            sheet.merge_range(row, box.column, row + box.rows - 1, box.column + box.columns - 1, "", form)
        if isinstance(value, float):
            sheet.write_number(row, box.column, value, form)
        else:
            sheet.write_string(row, box.column, value, form)

    for block in blocks:
        if isinstance(block, str):
            sheet.write_string(at, 0, block)
            at += 1
        else:
            for box in block.boxes:
                write(at + box.row, box)
            at += block.rows
    book.close()
    return out.getvalue()


_ODS_NAMES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
)
_ODS_KIND = "application/vnd.oasis.opendocument.spreadsheet"


def as_ods(blocks: Iterable[str | Table]) -> bytes:
    """A sheet of OpenDocument with its merged cells; only what a reader asks for."""
    rows: list[str] = []
    for block in blocks:
        if isinstance(block, str):
            rows.append(_ods_cell(Box(0, 0, block)))
            continue
        at = {(box.row, box.column): box for box in block.boxes}
        places = [[at.get((row, column)) for column in range(block.columns)] for row in range(block.rows)]
        rows += ["".join(_ods_cell(box) if box else "<table:covered-table-cell/>" for box in row) for row in places]
    cells = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_ODS_NAMES} office:version="1.2"><office:body>'
        f'<office:spreadsheet><table:table table:name="文本">{cells}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{_ODS_KIND}"/></manifest:manifest>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as container:
        for name, data in (("mimetype", _ODS_KIND), ("META-INF/manifest.xml", manifest), ("content.xml", content)):
            container.writestr(name, data)
    return out.getvalue()


def _ods_cell(box: Box) -> str:
    spans = f'table:number-columns-spanned="{box.columns}" table:number-rows-spanned="{box.rows}"'
    words = "".join(f"<text:p>{html.escape(line)}</text:p>" for line in box.words.split("\n"))
    return f'<table:table-cell office:value-type="string" {spans}>{words}</table:table-cell>'


_PAGE = """
#set page(paper: "a4", margin: 25mm, numbering: "— 1 —")
#set text(font: "Noto Serif SC", size: 12pt, lang: "zh")
#for block in json("blocks.json") {
  if block.kind == "words" { par(block.words) } else {
    table(
      columns: block.widths.map(width => if width == 0 { 1fr } else { width * 1mm }),
      stroke: .5pt,
      ..block.cells.map(it => table.cell(y: it.at(0), x: it.at(1), rowspan: it.at(3), colspan: it.at(4))[
        #set text(size: 10.5pt)
        #it.at(2).split("\\n").join(linebreak())
      ]),
    )
  }
}
"""
_WIDTHS = (22, 22, 26, 0, 38, 20, 16)


@lru_cache(maxsize=8)
def _typeset(source: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "blocks.json").write_text(source, "utf-8")
        (Path(folder) / "page.typ").write_text(_PAGE, "utf-8")
        made: bytes = typst.compile(Path(folder) / "page.typ", font_paths=[_FONTS], ignore_system_fonts=True)
        return made


def as_pdf(blocks: Iterable[str | Table]) -> bytes:
    """A PDF that typst sets: tables with borders, cells that wrap and tables that break over pages."""
    value = [
        {"kind": "words", "words": block}
        if isinstance(block, str)
        else {
            "kind": "table",
            "widths": _WIDTHS[: block.columns] if block.columns <= len(_WIDTHS) else [0] * block.columns,
            "cells": [[box.row, box.column, box.words, box.rows, box.columns] for box in block.boxes],
        }
        for block in blocks
    ]
    return _typeset(json.dumps(value, ensure_ascii=False))


def chromium() -> str | None:
    """The browser that prints pages, where there is one."""
    return shutil.which("chromium") or shutil.which("google-chrome")


def as_printed_page(blocks: Iterable[str | Table], program: str) -> bytes:
    """A PDF that a browser prints of the page: borders stay open where a page ends a table."""
    with tempfile.TemporaryDirectory() as folder:
        page, made = Path(folder) / "page.html", Path(folder) / "page.pdf"
        # The machine may have no Chinese font, without which a browser prints boxes.
        font = (Path(_FONTS) / "NotoSerifSC-Regular.otf").as_uri()
        style = f"<style>@font-face{{font-family:noto;src:url({font})}} body{{font-family:noto!important}}</style>"
        page.write_bytes(as_html(blocks).replace(b"</head>", f"{style}</head>".encode()))
        subprocess.run(
            [
                program, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
                f"--user-data-dir={folder}/profile", f"--print-to-pdf={made}", page.as_uri(),
            ],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        return made.read_bytes()


def soffice() -> str | None:
    """LibreOffice, where it is installed."""
    return shutil.which("soffice") or shutil.which("libreoffice")


def by_libreoffice(data: bytes, source: str, target: str, program: str) -> bytes:
    """A file of the kind ``source`` turned into the kind ``target`` by LibreOffice."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"source.{source}"
        path.write_bytes(data)
        # The machine may have no Chinese font, without which a PDF has no Chinese either.
        fonts = Path(folder) / "fonts.conf"
        fonts.write_text(f"<fontconfig><dir>{_FONTS}</dir><cachedir>{folder}/cache</cachedir></fontconfig>", "utf-8")
        subprocess.run(
            [
                program, f"-env:UserInstallation={(Path(folder) / 'profile').as_uri()}", "--headless",
                "--convert-to", target, "--outdir", f"{folder}/out", str(path),
            ],
            check=True, capture_output=True, timeout=180, env={**os.environ, "FONTCONFIG_FILE": str(fonts)},
        )  # fmt: skip
        return (Path(folder) / "out" / f"source.{target.split(':')[0]}").read_bytes()


MAKERS: dict[str, Callable[[Iterable[str | Table]], bytes]] = {
    "docx": as_docx,
    "html": as_html,
    "xlsx": as_xlsx,
    "ods": as_ods,
    "pdf": as_pdf,
}
