"""Workbooks (xlsx, xls, ods) through python-calamine: one grid a sheet, merged ranges as spans, in the order of sheets.

A number comes as it is stored; what its format adds to it (a percent sign, a unit) is put back where the kind of file lets
us see formats, and is doubted where it does not.
"""

from __future__ import annotations

import datetime
import io
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

import python_calamine as calamine

from documents.reading.sources.containers import checked_container, macro_asides
from documents.reading.sources.form import (
    MAX_COLUMNS,
    MAX_ROWS,
    Aside,
    AsideKind,
    Cell,
    Grid,
    SourceForm,
    checked_grid,
)
from documents.reading.sources.kinds import SourceKind
from documents.reading.sources.number_formats import Shown, formats_of
from models.errors import InvalidInput

_Value = int | float | str | bool | datetime.time | datetime.date | datetime.datetime | datetime.timedelta
_MOST_SHOWN: Final = 20
_BROKEN: Final = "表格文件不完整或已损坏，打不开；请用 Excel 或 WPS 打开并重新保存，再导入。"


def read_workbook(data: bytes, kind: SourceKind) -> SourceForm:
    """The neutral form of a workbook; raises InvalidInput for a broken, encrypted or oversized one."""
    asides: list[Aside] = []
    formats: Mapping[tuple[int, int, int], Shown] | None = None
    if kind is not SourceKind.XLS:
        container = checked_container(data)
        asides += macro_asides(container)
        formats = formats_of(container, kind)
    try:
        workbook = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        blocks = _sheets(workbook, formats, asides)
    except calamine.PasswordError as error:
        raise InvalidInput("文件设了打开密码，读不了；请用原来的软件打开，去掉密码后另存，再导入。") from error
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise InvalidInput(_BROKEN) from error
    except BaseException as error:
        # The library in Rust panics at many a broken xls; its panic is no Exception, and no module has it by name.
        if type(error).__name__ != "PanicException":
            raise
        raise InvalidInput(_BROKEN) from error
    return SourceForm(tuple(blocks), tuple(asides))


def _sheets(
    workbook: calamine.CalamineWorkbook,
    formats: Mapping[tuple[int, int, int], Shown] | None,
    asides: list[Aside],
) -> list[Grid]:
    grids: list[Grid] = []
    unsure: list[str] = []
    for at, sheet in enumerate(workbook.sheets_metadata):
        if sheet.typ is not calamine.SheetTypeEnum.WorkSheet:
            asides.append(Aside(AsideKind.LEFT, "工作簿里的图表或宏表没有读入。", sheet.name))
            continue
        table = workbook.get_sheet_by_index(at)
        if not table.height:
            continue
        _refuse_size(sheet.name, table)
        rows = table.to_python(skip_empty_area=False)
        texts = [
            [_text(cell, formats, (at, down, across), unsure) for across, cell in enumerate(row)]
            for down, row in enumerate(rows)
        ]
        if sheet.visible is not calamine.SheetVisibleEnum.Visible:
            # What is hidden is not part of what the office printed and sealed.
            words = "\n".join("\t".join(row) for row in texts if any(row))
            asides.append(Aside(AsideKind.LEFT, f"隐藏的工作表“{sheet.name[:40]}”没有读入。", words))
            continue
        grids.append(_grid(texts, table.merged_cell_ranges or ()))
    if unsure:
        sentence = (
            "这种表格文件看不到数字格式，1 以内的小数可能显示为百分数（0.2 即 20%），这里按存储的数读取；"
            "请逐个核对，或用 Excel 另存为 xlsx 再导入。"
        )
        asides.append(Aside(AsideKind.DOUBT, sentence, " / ".join(unsure[:_MOST_SHOWN])))
    return grids


def _refuse_size(name: str, table: calamine.CalamineSheet) -> None:
    height, width = (at + 1 for at in table.end or (0, 0))
    if height > MAX_ROWS:
        raise InvalidInput(
            f"工作表“{name[:40]}”有 {height} 行，超过 {MAX_ROWS} 行的上限；请确认选对了文件，或删去多余的行。"
        )
    if width > MAX_COLUMNS:
        raise InvalidInput(
            f"工作表“{name[:40]}”有 {width} 列，超过 {MAX_COLUMNS} 列的上限；请确认选对了文件，或删去多余的列。"
        )


def _text(
    value: _Value, formats: Mapping[tuple[int, int, int], Shown] | None, where: tuple[int, int, int], unsure: list[str]
) -> str:
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n")
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        if formats is None and 0 < value <= 1 and value != int(value):
            unsure.append(repr(value))
        shown = formats.get(where) if formats else None
        return _number(value, shown)
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return str(value)


def _number(value: float, shown: Shown | None) -> str:
    # The shortest spelling of the stored double is what the author typed: 53100.0 is written 53100.
    exact = Decimal(repr(value))
    if shown is not None and shown.percent:
        exact *= 100
    if not exact.is_finite() or abs(exact.adjusted()) > 20:
        return repr(value)
    plain = f"{exact:f}"
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    if shown is None:
        return plain
    return f"{shown.before}{plain}{'%' if shown.percent else ''}{shown.after}"


def _grid(texts: Sequence[Sequence[str]], merged: Iterable[tuple[tuple[int, int], tuple[int, int]]]) -> Grid:
    height, width = len(texts), max(map(len, texts), default=0)
    spans = {
        (top, left): (min(bottom, height - 1) - top + 1, min(right, width - 1) - left + 1)
        for (top, left), (bottom, right) in merged
        if top < height and left < width
    }
    cells = [
        Cell(down, across, text, *spans.get((down, across), (1, 1)))
        for down, row in enumerate(texts)
        for across, text in enumerate(row)
        if text or (down, across) in spans
    ]
    return checked_grid(height, width, cells)
