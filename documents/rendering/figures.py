"""Figures as a reader of Chinese documents expects them: money, dates, ordinals, and the value of an indicator."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final

from models.content import Indicator
from models.errors import InvalidInput

NOTHING: Final = "—"

# A fixed offset instead of Asia/Shanghai: no document is older than 1991, and small systems have no zone data.
_CHINA: Final = timezone(timedelta(hours=8))
_DIGITS: Final = "〇一二三四五六七八九"
_WIDE: Final = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
_BLANK_BESIDE_WIDE: Final = re.compile(rf"(?<=[{_WIDE}])\s+|\s+(?=[{_WIDE}])")
_BLANK: Final = re.compile(r"\s+")


def plain_money(amount: Decimal | None) -> str:
    """Money of a table cell, ``53100.00`` as the budget forms write it; a dash where there is none."""
    return NOTHING if amount is None else f"{amount:.2f}"


def grouped_money(amount: Decimal) -> str:
    """Money of a letter in 元, ``53,100.00元``."""
    return f"{amount:,.2f}元"


def ten_thousands(amount: Decimal) -> str:
    """The same money in 万元, exact and without trailing zeros: ``5.31万元``."""
    digits = f"{amount / 10000:,.6f}".rstrip("0").rstrip(".")
    return f"{digits}万元"


def chinese_date(day: date) -> str:
    """Date in Arabic digits without leading zeros, ``2021年3月5日``."""
    return f"{day.year}年{day.month}月{day.day}日"


def local_time(moment: datetime) -> str:
    """Chinese date and wall-clock time of an aware moment, ``2021年3月5日 14:05``."""
    if moment.tzinfo is None:
        raise InvalidInput("办理时间没有时区；请给出带时区的时间。", time=moment.isoformat())
    local = moment.astimezone(_CHINA)
    return f"{chinese_date(local)} {local:%H:%M}"


def ordinal(number: int) -> str:
    """Chinese numeral of 1 to 999 as headings number their sections: 1 is 一, 12 is 十二, 120 is 一百二十."""
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    words = f"{_DIGITS[hundreds]}百" if hundreds else ""
    if tens:
        words += "十" if tens == 1 and not hundreds else f"{_DIGITS[tens]}十"
    elif hundreds and ones:
        words += "〇"
    return words + (_DIGITS[ones] if ones else "")


def share(percent: Decimal | None) -> str:
    """Cumulative percent of a spending plan, ``20.00%``."""
    return NOTHING if percent is None else f"{percent:.2f}%"


def joined(words: str) -> str:
    """Words without the blanks that wrapped lines leave beside Chinese characters; blanks between Latin words stay."""
    return _BLANK_BESIDE_WIDE.sub("", words.strip())


def _figure(indicator: Indicator) -> str:
    value, sign, unit = indicator.value.strip(), indicator.sign or "", (indicator.unit or "").strip()
    if not value:
        return ""
    if indicator.value_to:
        value = f"{value}～{indicator.value_to.strip()}"
    if sign in ("定性", "区间") or value.startswith(sign):
        sign = ""
    if unit and value.endswith(unit):
        unit = ""
    return f"{sign}{value}{unit}"


def value_words(indicator: Indicator) -> str:
    """The cell 指标值: sign, value and unit as one figure, the remark behind it in brackets.

    A remark that says no more than the figure is not said twice; where a form has no value the remark, or else the cell
    as it was read, stands for it. The author's words are never shortened.
    """
    figure = _figure(indicator)
    remark = joined(indicator.remark or "")
    if not figure:
        return remark or joined(indicator.raw_value or "")
    if not remark or _BLANK.sub("", remark) in (_BLANK.sub("", figure), indicator.value.strip()):
        return figure
    return f"{figure}（{remark}）"
