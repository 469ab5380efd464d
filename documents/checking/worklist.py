"""The findings as a workbook for the department: one row for each, with an empty column for its answer."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from documents.checking.report import Checked
from models.findings import Severity

SEVERITIES: Final = {Severity.ERROR: "错误", Severity.WARNING: "警告", Severity.HINT: "提示"}
_HEADINGS: Final = (("序号", 6), ("项目", 22), ("位置", 26), ("问题", 62), ("依据", 36), ("级别", 7), ("答复", 40))
_FILE: Final = ("文件", 26)
# What a cell may hold (ECMA-376: no control characters; Excel: 32,767 characters).
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_LONGEST: Final = 32_000


def worklist(results: Sequence[Checked], *, now: datetime) -> bytes:
    """The workbook's bytes; the same findings at the same ``now`` give the same bytes.

    With several texts each row names its file; a file that could not be read has a row of its own. Every cell is written as
    text, so that nothing of an author's words is ever a formula or a link.
    """
    import xlsxwriter  # only this output needs it

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    # The archive has no time zones.
    book.set_properties({"title": "绩效文本检查问题清单", "created": now.replace(tzinfo=None)})
    sheet = book.add_worksheet("问题清单")
    head = book.add_format({"bold": True, "border": 1, "bg_color": "#D9E2F3", "align": "center", "valign": "vcenter"})
    cell = book.add_format({"num_format": "@", "text_wrap": True, "border": 1, "valign": "top"})
    headings = list(_HEADINGS)
    if len(results) > 1:
        headings.insert(1, _FILE)
    for column, (title, width) in enumerate(headings):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, title, head)
    rows = _rows(results, with_file=len(results) > 1)
    for number, row in enumerate(rows, start=1):
        for column, text in enumerate((str(number), *row, "")):
            sheet.write_string(number, column, _UNWRITABLE.sub("", text)[:_LONGEST], cell)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, len(rows)), len(headings) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    book.close()
    return buffer.getvalue()


def _rows(results: Sequence[Checked], *, with_file: bool) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for checked in results:
        file: tuple[Any, ...] = (checked.shown_name,) if with_file else ()
        if checked.problem is not None:
            rows.append((*file, "", "全文", checked.problem, "文件应当能够读取", SEVERITIES[Severity.ERROR]))
        for item in checked.findings:
            finding = item.finding
            basis = f"{finding.code} {finding.basis or finding.title}"
            rows.append((*file, item.project, item.where, finding.message, basis, SEVERITIES[finding.severity]))
    return rows
