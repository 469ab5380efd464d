"""The codes of what is reported of a Word file that comes back: one table of code, severity and title.

Codes are stable, like those of the readers (documents.reading.finding_codes); values that are read anew bring the readers'
own codes with them. A warning means that something was not taken as it stands; a hint, that something changed its place.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from models.findings import ReadingFinding, Severity


class ReturnCode(StrEnum):
    """Stable code of one kind of finding about a returned file."""

    NOT_OURS = "W001"
    SPOILT = "W002"
    LEFT_OVER = "W003"
    BESIDE = "W004"
    ITEM_ADDED = "W011"
    ITEM_REMOVED = "W012"
    ITEMS_MOVED = "W013"
    FIELD_MISSING = "W014"
    PLACE_UNKNOWN = "W015"
    REFERENCE_DROPPED = "W016"
    NOT_READ = "W021"
    CHARACTERS = "W022"


_HINT, _WARNING, _ERROR = Severity.HINT, Severity.WARNING, Severity.ERROR

KINDS: Final[dict[ReturnCode, tuple[Severity, str]]] = {
    ReturnCode.NOT_OURS: (_WARNING, "文件不带文本的编号"),
    ReturnCode.SPOILT: (_WARNING, "文件里的编号已被改动"),
    ReturnCode.LEFT_OVER: (_WARNING, "控件之外的文字没有读入"),
    ReturnCode.BESIDE: (_WARNING, "正文之外的内容没有读入"),
    ReturnCode.ITEM_ADDED: (_WARNING, "新增一项"),
    ReturnCode.ITEM_REMOVED: (_WARNING, "删去一项"),
    ReturnCode.ITEMS_MOVED: (_HINT, "次序改变"),
    ReturnCode.FIELD_MISSING: (_WARNING, "控件不见了"),
    ReturnCode.PLACE_UNKNOWN: (_WARNING, "控件不属于这份文本"),
    ReturnCode.REFERENCE_DROPPED: (_WARNING, "对应关系一并去掉"),
    ReturnCode.NOT_READ: (_ERROR, "读不出，保持原样"),
    ReturnCode.CHARACTERS: (_HINT, "字符已整理"),
}


def returned_finding(
    code: ReturnCode, place: str, raw: str, reason: str, confidence: float = 0.9, *, repaired: str | None = None
) -> ReadingFinding:
    """A finding of the kind ``code`` with the severity that the table gives it."""
    return ReadingFinding(code.value, KINDS[code][0], place, raw, reason, confidence, repaired=repaired)
