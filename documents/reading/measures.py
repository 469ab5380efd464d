"""The figures in an indicator's value cell: numbers, signs and measure words, and how they may be written."""

from __future__ import annotations

import re
from typing import Final

# One character for one, so that positions in the normalised cell are positions in the cell.
HALF_WIDTH: Final = str.maketrans(
    "０１２３４５６７８９．％＞＜＝≧≦⩾⩽－～〜−﹪﹥﹤﹦\u3000\xa0",
    "0123456789.%><=≥≤≥≤-~~-%><=  ",
)

_UNITS: Final = (
    "%", "‰", "个百分点", "百分点", "元", "角", "元/人", "元/年", "元/平方米",
    "次", "人次", "车次", "人", "人/年", "名", "位", "户", "家", "个", "项", "件", "条", "篇", "份", "册", "本", "张", "幅",
    "套", "台", "部", "辆", "座", "处", "所", "间", "栋", "场", "场次", "期", "班", "批", "批次", "轮", "届", "节", "课时", "学时",
    "小时", "天", "日", "个工作日", "工作日", "周", "月", "个月", "年", "季度", "分钟", "分",
    "平方米", "平方公里", "立方米", "公里", "千米", "米", "里", "亩", "公顷", "㎡", "m²", "m2", "km",
    "吨", "公斤", "千克", "克", "kg", "升", "头", "只", "株", "棵", "村", "乡镇", "社区", "网点", "片", "盏", "块", "种", "类", "例",
    "宗", "起",
)  # fmt: skip
_UNIT: Final = "(?:[百千万亿]{0,2}(?:" + "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True)) + "))"
NUMBER_PATTERN: Final = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
NUMBER: Final = re.compile(NUMBER_PATTERN)
# Only a cell that begins with its number can have a negative one: in a phrase the mark is a hyphen.
LEADING_NUMBER: Final = re.compile(f"-?{NUMBER_PATTERN}")
UNIT: Final = re.compile(_UNIT)
# A measure word counts as one where the words end, or go on with 以上 and the like; 5次活动 goes on with other words.
UNIT_END: Final = re.compile(rf"\s*(?P<unit>{_UNIT})(?=\s|$|以上|及以上|以下|及以下|以内|之内|内|左右|[，,。；;、）)])")

_SIGN_WORDS: Final[dict[str, str]] = {
    "不得低于": "≥", "不得少于": "≥", "大于或等于": "≥", "大于等于": "≥", "不低于": "≥", "不少于": "≥", "不小于": "≥", "不短于": "≥", "至少": "≥",
    "达到": "≥", "达": "≥",
    "不得超过": "≤", "不得高于": "≤", "未超过": "≤", "小于或等于": "≤", "小于等于": "≤", "不超过": "≤", "不高于": "≤", "不大于": "≤", "不多于": "≤", "不晚于": "≤", "至多": "≤",
    "控制在": "≤",
    "大于": ">", "超过": ">", "高于": ">", "多于": ">",
    "小于": "<", "低于": "<", "少于": "<",
    "等于": "=",
}  # fmt: skip
_SYMBOLS: Final[dict[str, str]] = {
    ">=": "≥", "=>": "≥", "≥": "≥", "<=": "≤", "=<": "≤", "≤": "≤", ">": ">", "<": "<", "=": "=",
}  # fmt: skip
_SIGN_PATTERN: Final = "|".join(map(re.escape, [*_SYMBOLS, *_SIGN_WORDS]))
SIGN_AT_START: Final = re.compile(rf"(?P<sign>{_SIGN_PATTERN})\s*")
SIGN_BEFORE: Final = re.compile(rf"(?P<sign>{_SIGN_PATTERN})\s*$")
_AFTER: Final = re.compile(r"\s*(?P<words>及以上|以上|及以下|以下|以内|之内|内(?=$|\s|[，。；]))")
_AFTER_SIGNS: Final = {"及以上": "≥", "以上": "≥", "及以下": "≤", "以下": "≤", "以内": "≤", "之内": "≤", "内": "≤"}
RANGE: Final = re.compile(
    rf"(?P<low>{NUMBER_PATTERN})\s*(?P<low_unit>{_UNIT})?\s*(?:-|~|—|–|至|到)\s*(?P<high>{NUMBER_PATTERN})\s*"
    rf"(?P<unit>{_UNIT})?(?:之间)?(?:\s+(?P<remark>\S.*))?$",
    re.DOTALL,
)
LOST_SIGN: Final = re.compile(r"2(?P<rest>(?:\d{2}(?:\.\d{1,2})?|100))\s*%")
# 2021年 and 12月底 are days, not quantities.
DATE: Final = re.compile(r"\d{4}\s*年|\d{1,2}\s*月\s*(?:\d{1,2}\s*日|底|前|初|中旬|份|末)|\d{1,2}\s*日\s*前")
CHINESE_COUNT: Final = re.compile(rf"(?!十分)[一二三四五六七八九十百千万两]{{1,6}}\s*{_UNIT}|百分之")


def sign_of(written: str) -> str:
    """The standard sign of a symbol or word that ``SIGN_AT_START`` or ``SIGN_BEFORE`` found."""
    return _SYMBOLS.get(written) or _SIGN_WORDS[written]


def known_sign(cell: str) -> str | None:
    """The standard sign that a whole cell names (a symbol, a word, 区间 or 定性), or None."""
    words = "".join(cell.translate(HALF_WIDTH).split())
    if words in ("区间", "定性"):
        return words
    return _SYMBOLS.get(words) or _SIGN_WORDS.get(words)


def is_symbol(written: str) -> bool:
    """Whether a sign was written as a symbol rather than in words."""
    return written in _SYMBOLS


def sign_after(words: str) -> tuple[str, str] | None:
    """Sign and words of 以上, 以内 and the like at the beginning of ``words``, or None."""
    match = _AFTER.match(words)
    return (_AFTER_SIGNS[match["words"]], match["words"]) if match else None


def plain_number(written: str) -> str:
    """A number without thousands commas; its digits and decimals stay as written."""
    return written.replace(",", "")


def is_same_number(one: str, other: str) -> bool:
    """Whether two plain numbers are equal, compared as text: a cell can hold more digits than arithmetic should see."""
    return _reduced(one) == _reduced(other)


def _reduced(number: str) -> str:
    whole, _, decimals = number.partition(".")
    return f"{whole.lstrip('0') or '0'}.{decimals.rstrip('0')}"
