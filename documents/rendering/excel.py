"""The indicator table of a text as a workbook: indicators, projects with their money, and what the workbook was made of.

Every text is written as text: a cell that begins with ``=`` stays words in Excel, also after somebody has edited it. Ids stand
in the first columns as text, so that an edited row is still the same row (``documents/reading/returned_workbook.py`` reads
such a file back). The same stage gives the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

import xlsxwriter

from documents.rendering.facts import shown_content
from documents.rendering.stage import Stage
from documents.rendering.titles import member_title
from models.content import BudgetText, Indicator, Project
from models.errors import InvalidInput

INDICATORS: Final = "绩效指标"
PROJECTS: Final = "项目"
ABOUT: Final = "说明"
# Where the header stands on both tables, counted from 0.
HEADER_ROW: Final = 2
WHOLE: Final = "部门整体"
# The id that stands for the department's own indicators.
WHOLE_ID: Final = "overall"

_A4: Final = 9
_LONGEST: Final = 32_767
# Beyond fifteen digits a spreadsheet's number is another number.
_DIGITS: Final = 15
_NUMBER: Final = re.compile(r"-?\d{1,15}(\.(\d{1,6}))?")
_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r")
_PROPERTIES_DAY: Final = datetime(1980, 1, 1)  # noqa: DTZ001 -- the file's own time has no zone


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the member of the content, its heading, its width in characters, and how its cells are written."""

    member: str
    title: str
    width: float
    kind: str = "text"


def _column(member: str, within: str, width: float, kind: str = "text") -> Column:
    return Column(member, member_title(member, within), width, kind)


INDICATOR_COLUMNS: Final = (
    Column("project", "项目编号", 9, "id"),
    Column("id", "指标编号", 9, "id"),
    Column("project_name", "项目名称", 18, "level"),
    _column("level1", "indicators", 12, "level"),
    _column("level2", "indicators", 14, "level"),
    _column("name", "indicators", 22),
    _column("description", "indicators", 34),
    _column("sign", "indicators", 6, "middle"),
    _column("value", "indicators", 12, "number"),
    _column("value_to", "indicators", 10, "number"),
    _column("unit", "indicators", 9, "middle"),
    _column("remark", "indicators", 24),
    _column("direction", "indicators", 9, "middle"),
    _column("weight", "indicators", 8, "number"),
    _column("basis", "indicators", 16),
)
PROJECT_COLUMNS: Final = (
    Column("id", "项目编号", 9, "id"),
    _column("code", "projects", 26),
    _column("name", "projects", 26),
    Column("total", "预算数（元）", 16, "money"),
    Column("fiscal", "财政资金（元）", 16, "money"),
    Column("other", "其他资金（元）", 16, "money"),
    _column("purpose", "projects", 60),
)


def render_xlsx(stage: Stage) -> bytes:
    """The workbook of a stage's content; no formula in it, whatever the content says."""
    content = shown_content(stage)
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"title": content.title, "author": stage.department, "created": _PROPERTIES_DAY})
        styles = _Styles(book)
        _indicators(_Sheet(book, INDICATORS, INDICATOR_COLUMNS, styles, stage, content), content)
        _projects(_Sheet(book, PROJECTS, PROJECT_COLUMNS, styles, stage, content), content)
        _about(book, styles, stage)
    return buffer.getvalue()


class _Styles:
    """The formats of a workbook, each made once: the order in which they are made is part of the bytes."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Any] = {}

    def __call__(self, **given: Any) -> Any:
        key = tuple(sorted(given.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(
                {"font_name": "宋体", "font_size": 10, "valign": "vcenter", **given}
            )
        return self._made[key]


class _Sheet:
    """A table with title, header and print set-up, into which rows are written."""

    def __init__(
        self, book: Any, name: str, columns: Sequence[Column], styles: _Styles, stage: Stage, content: BudgetText
    ) -> None:
        self.sheet, self.columns, self.styles = book.add_worksheet(name), columns, styles
        sheet, last = self.sheet, len(columns) - 1
        title = f"{content.title or content.department.name}　{name}"
        sheet.write_string(0, 0, title, styles(bold=True, font_size=14))
        line = f"编制部门：{stage.department}　第 {stage.version} 版　金额单位：元"
        sheet.write_string(1, 0, line, styles())
        for at, column in enumerate(columns):
            sheet.set_column(at, at, column.width)
            heading = styles(bold=True, border=1, bg_color="#DDE6F0", text_wrap=True, align="center")
            sheet.write_string(HEADER_ROW, at, column.title, heading)
        sheet.freeze_panes(HEADER_ROW + 1, 0)
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(HEADER_ROW)
        sheet.set_margins(left=0.5, right=0.5, top=0.7, bottom=0.7)
        sheet.set_footer("&C第 &P 页，共 &N 页")
        self._last = last

    def write(self, row: int, at: int, value: str | Decimal | None) -> None:
        """One cell: a number where the column holds numbers and a spreadsheet can hold it exactly, else text."""
        column, shown = self.columns[at], "" if value is None else str(value)
        if len(shown) > _LONGEST:
            raise InvalidInput(
                f"“{column.title}”有 {len(shown)} 字，一个单元格最多 {_LONGEST} 字；请改用 pdf、docx 或 json 格式。"
            )
        number = _NUMBER.fullmatch(shown) if column.kind in ("number", "money") else None
        if number is not None and len(re.sub(r"\D", "", shown)) <= _DIGITS:
            decimals = len(number[2] or "")
            form = "#,##0.00" if column.kind == "money" else "0" + ("." + "0" * decimals if decimals else "")
            self.sheet.write_number(row, at, float(shown), self.styles(border=1, num_format=form, align="right"))
            return
        given: dict[str, Any] = {"border": 1, "text_wrap": True, "num_format": "@"}
        if column.kind in ("middle", "id", "level"):
            given["align"] = "center"
        if column.kind == "id":
            given["font_color"] = "#808080"
        if shown.startswith(_DANGEROUS):
            given["quote_prefix"] = True
        self.sheet.write_string(row, at, shown, self.styles(**given))

    def finish(self, rows: int) -> None:
        """The filter, and the part of the sheet that is printed."""
        self.sheet.autofilter(HEADER_ROW, 0, HEADER_ROW + rows, self._last)
        self.sheet.print_area(0, 0, HEADER_ROW + rows, self._last)

    def merge(self, first: int, last: int, at: int) -> None:
        """Merges the cells of a run of equal levels; each keeps its words under the merge, so that filters find the rows."""
        if last > first:
            self.sheet.merge_range(
                first, at, last, at, "", self.styles(border=1, text_wrap=True, align="center", num_format="@")
            )


def _rows(content: BudgetText) -> list[tuple[str, str, Indicator]]:
    whole = [(WHOLE_ID, WHOLE, item) for item in content.overall.indicators]
    return [*whole, *((project.id, project.name, item) for project in content.projects for item in project.indicators)]


def _cell(member: str, project: str, name: str, indicator: Indicator) -> str | Decimal | None:
    if member == "project":
        return project
    if member == "project_name":
        return name
    value: str | Decimal | None = getattr(indicator, member)
    return f"{value:f}" if isinstance(value, Decimal) else value


def _indicators(table: _Sheet, content: BudgetText) -> None:
    rows = _rows(content)
    first = HEADER_ROW + 1
    keys = (lambda row: row[0], lambda row: (row[0], row[2].level1), lambda row: (row[0], row[2].level1, row[2].level2))
    for at, key in zip((2, 3, 4), keys, strict=True):
        begin = first
        for _, run in groupby(rows, key=key):
            end = begin + len(list(run)) - 1
            table.merge(begin, end, at)
            begin = end + 1
    for number, (project, name, indicator) in enumerate(rows):
        for at, column in enumerate(table.columns):
            table.write(first + number, at, _cell(column.member, project, name, indicator))
    table.finish(len(rows))


def _projects(table: _Sheet, content: BudgetText) -> None:
    for number, project in enumerate(content.projects):
        for at, column in enumerate(table.columns):
            table.write(HEADER_ROW + 1 + number, at, _project_cell(column.member, project))
    table.finish(len(content.projects))


def _project_cell(member: str, project: Project) -> str | Decimal | None:
    value: str | Decimal | None = getattr(project.budget if member in ("total", "fiscal", "other") else project, member)
    return f"{value:f}" if isinstance(value, Decimal) else value


ABOUT_TEXT: Final = "文本编号"
ABOUT_VERSION: Final = "版本"
ABOUT_HASH: Final = "内容哈希（SHA-256）"


def _about(book: Any, styles: _Styles, stage: Stage) -> None:
    sheet = book.add_worksheet(ABOUT)
    rows = (
        (ABOUT_TEXT, stage.text_id),
        (ABOUT_VERSION, str(stage.version)),
        (ABOUT_HASH, stage.content_hash),
        ("文件", f"{stage.status}　{stage.document_number}".strip()),
        ("修改", "可以直接改“绩效指标”和“项目”两张表的内容；灰色的编号请不要改，系统靠它认出每一行。"),
        ("新增", "在同一项目的行之间插入一行，项目编号照抄，指标编号留空。删除一行就是删除这个指标。"),
        ("导回", f"jixiao text import 文件.xlsx --into {stage.text_id}"),
    )
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 1, 90)
    for at, (label, words) in enumerate(rows):
        sheet.write_string(at, 0, label, styles(bold=True))
        sheet.write_string(at, 1, words, styles(text_wrap=True, num_format="@"))
