"""The project code: 21 characters, six digits division, two digits year, 13 of digits and capital letters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from documents.reading.finding_codes import FindingCode, finding
from models.findings import ReadingFinding

_CODE = re.compile(r"[0-9]{6}[0-9]{2}[0-9A-Z]{13}")
_LONGEST: Final = 100


def read_code(cell: str, place: str, line: int) -> tuple[str, tuple[ReadingFinding, ...]]:
    """Code of a cell, without the blank of a wrapped cell and in half width; letters are never changed into digits."""
    code = "".join(unicodedata.normalize("NFKC", cell).split()) if len(cell) <= _LONGEST else cell
    return code, tuple(_findings(cell, code, place, line))


def _findings(cell: str, code: str, place: str, line: int) -> Iterator[ReadingFinding]:
    well_formed = _CODE.fullmatch(code) is not None
    if code != cell:
        reason = (
            "编码中的空白是单元格换行留下的，已去掉"
            if code.isascii() and cell.isascii()
            else "编码里的空白或全角字符已整理"
        )
        sure = 0.95 if well_formed else 0.7
        yield finding(
            FindingCode.PROJECT_CODE,
            place,
            cell,
            f"{reason}，去掉后共 {len(code)} 位。",
            sure,
            repaired=code,
            line=line,
        )
    if not well_formed:
        reason = f"项目编码应为 21 位（6 位区划、2 位年度、13 位数字或大写字母），这里有 {len(code)} 位，按原文保留，请核对。"
        yield finding(FindingCode.PROJECT_CODE_MALFORMED, place, cell, reason, 0.8, line=line)
    if "O" in code[8:]:
        reason = "编码里有字母 O，容易与数字 0 混淆，按原文保留，请对照项目库核对。"
        yield finding(FindingCode.PROJECT_CODE_LETTER_O, place, cell, reason, 0.8, line=line)
