"""Money and percent cells to numbers; what can't be read stays out of the content and is reported as an error."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Final

from documents.reading.finding_codes import FindingCode, finding
from models.findings import ReadingFinding

MONEY_UNITS: Final[dict[str, int]] = {"元": 1, "千元": 1000, "万元": 10000, "百万元": 1000000, "亿元": 100000000}
_CURRENCY = re.compile(r"(?:金额|计量|货币)?单位\s*[：:]\s*(?:人民币)?\s*(?P<unit>百万元|千元|万元|亿元|元)\s*[)）]?$")
_MONEY = re.compile(
    r"[¥￥]?(?P<number>-?(?:\d{1,3}(?:,\d{3})+|\d{1,16})(?:\.\d{1,8})?)(?P<unit>百万元|千元|万元|亿元|元)?"
)
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?")
_PERCENT = re.compile(r"(?P<number>-?\d{1,12}(?:\.\d{1,16})?)%?")
_CENT: Final = Decimal("0.01")
_LIMIT: Final = Decimal(10) ** 15
_LONGEST: Final = 40


def currency_of(words: str) -> tuple[str, str] | None:
    """Unit of a line such as ``单位：元``, and the words before it; None where the line names none."""
    if len(words) > 200 or "单位" not in words:
        return None
    match = _CURRENCY.search(words)
    return (match["unit"], words[: match.start()].strip(" \t\u3000(（")) if match else None


def read_money(cell: str, unit: str | None, place: str, line: int) -> tuple[Decimal | None, tuple[ReadingFinding, ...]]:
    """Amount in 元 of a cell whose table counts in ``unit`` (None: not said, read as 元); None where it can't be read."""
    words = "".join(unicodedata.normalize("NFKC", cell).split()) if len(cell) <= _LONGEST else ""
    match = _MONEY.fullmatch(words)
    if match is None:
        return None, (_unreadable(cell, place, line, f"“{cell[:40]}”不是金额，没有写入"),)
    counted_in = match["unit"] or unit or "元"
    amount = Decimal(match["number"].replace(",", "")) * MONEY_UNITS[counted_in]
    if abs(amount) >= _LIMIT:
        return None, (_unreadable(cell, place, line, f"“{cell}”换算成元超出范围，没有写入"),)
    cents = amount.quantize(_CENT)
    if cents != amount:
        return None, (_unreadable(cell, place, line, f"“{cell}”换算成元后小数多于两位，没有写入"),)
    if cents.is_zero():
        cents = abs(cents)
    findings: list[ReadingFinding] = []
    if counted_in != "元":
        whose = "单元格写明" if match["unit"] else "表上写明"
        reason = f"{whose}以{counted_in}计，已换算为元。"
        findings.append(finding(FindingCode.MONEY_CONVERTED, place, cell, reason, 0.95, repaired=str(cents), line=line))
    elif not _PLAIN.fullmatch(cell) or not cell.isascii():
        reason = "金额里的千分位逗号、全角数字、空白、货币符号或单位已去掉。"
        findings.append(finding(FindingCode.MONEY_NOTATION, place, cell, reason, 0.9, repaired=str(cents), line=line))
    return cents, tuple(findings)


def read_percent(cell: str, place: str, line: int) -> tuple[Decimal | None, tuple[ReadingFinding, ...]]:
    """Percent of a cell with or without ``%``, two decimals at most; None where it can't be read."""
    words = "".join(unicodedata.normalize("NFKC", cell).split()) if len(cell) <= _LONGEST else ""
    match = _PERCENT.fullmatch(words)
    percent = Decimal(match["number"]) if match else None
    if percent is None or percent != percent.quantize(_CENT):
        reason = f"“{cell[:40]}”不是两位小数以内的百分数，没有写入支出计划，请改正。"
        return None, (finding(FindingCode.PERCENT_UNREADABLE, place, cell, reason, 0.9, line=line),)
    percent = percent.quantize(_CENT)
    if words == cell:
        return percent, ()
    reason = "百分数里的全角字符或空白已整理。"
    return percent, (
        finding(FindingCode.PERCENT_NOTATION, place, cell, reason, 0.95, repaired=str(percent), line=line),
    )


def is_percent(cell: str) -> bool:
    """Whether a cell of the spending plan holds a number and no words."""
    if len(cell) > _LONGEST:
        return False
    words = "".join(unicodedata.normalize("NFKC", cell).split())
    return bool(words) and not words.strip("0123456789.%-,") and any(char.isdigit() for char in words)


def _unreadable(cell: str, place: str, line: int, what: str) -> ReadingFinding:
    return finding(FindingCode.MONEY_UNREADABLE, place, cell, f"{what}，请按原件填写。", 0.9, line=line)
