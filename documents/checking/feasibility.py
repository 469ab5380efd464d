"""可行性: numbers and signs of quantitative indicators (F001), several figures (F002), grades of qualitative ones (F003)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from documents.checking.context import Context, LocatedIndicator
from documents.checking.fields import blank
from documents.checking.figures import count_numbers
from documents.checking.registry import Objection, rule
from documents.checking.wording import quote
from documents.reading.measures import DATE
from models.findings import Criterion, Severity


@rule(
    "F001",
    Severity.ERROR,
    Criterion.FEASIBILITY,
    title="定量指标没有数字",
    basis="定量指标应当有符号和数字，定性指标应当注明定性",
)
def numbers_of_quantitative_indicators(context: Context) -> Iterator[Objection]:
    """A value without a number is an error unless the sign is 定性; a number without a sign is a warning.

    An empty value is C001's business.
    """
    for item in context.indicators:
        indicator = item.indicator
        if indicator.sign == "定性" or blank(indicator.value):
            continue
        if count_numbers(indicator.value) == 0:
            yield Objection(
                f"{item.place}/value",
                f"{item.name}的指标值{quote(indicator.value)}没有数字；请填写数字，属于定性指标的请把符号改为“定性”。",
            )
        elif indicator.sign is None:
            yield Objection(
                f"{item.place}/sign",
                f"{item.name}的指标值{quote(indicator.value)}没有符号；请选择 ≥、≤、= 等符号。",
                Severity.WARNING,
            )
        elif indicator.sign == "区间" and not _has_both_ends(item):
            yield Objection(
                f"{item.place}/value_to",
                f"{item.name}的指标值是区间，但只有一端{quote(indicator.value)}有数字；请补上另一端，或改用其他符号。",
            )


def _has_both_ends(item: LocatedIndicator) -> bool:
    """Whether a 区间 has two numbers, be it in two members or, as ``90-95``, in one."""
    return count_numbers(item.indicator.value_to or "") > 0 or count_numbers(item.indicator.value) > 1


_LONGEST: Final = 2_000


@rule(
    "F002",
    Severity.WARNING,
    Criterion.FEASIBILITY,
    title="一条指标有几个数",
    basis="一条指标只设一个可以考核的数值",
)
def several_figures(context: Context) -> Iterator[Objection]:
    """A value with more than one figure; the two ends of a range are one value, and a date is no figure."""
    for item in context.indicators:
        indicator = item.indicator
        if indicator.sign in ("定性", "区间") or indicator.value_to:
            continue
        count = count_numbers(DATE.sub("", indicator.value[:_LONGEST]))
        if count > 1:
            yield Objection(
                f"{item.place}/value",
                f"{item.name}的指标值{quote(indicator.value)}有 {count} 个数，无法分别考核；请拆成几条指标。",
            )


_GRADES = re.compile(
    "不合格|不满意|不达标|未达成|未达到|部分达成|基本达成|达成|达标|比较满意|基本满意|满意|优秀|优|良好|良|中等|中|较好|一般|较差|差|"
    "好|合格|是|否|有|无|较高|较低|高|低|[一二三四五]级|[ABCD]"
)
_PARTS = re.compile(r"[、,，/／；;。（）()\[\]【】|｜\s或和及]+")
_FEWEST_STEPS: Final = 3
_ENDING = re.compile("(?:档|等次|等|级)$")


@rule(
    "F003",
    Severity.WARNING,
    Criterion.FEASIBILITY,
    title="定性指标没有分档",
    basis="定性指标应当分档，写明各档的标准",
)
def grades_of_qualitative_indicators(context: Context) -> Iterator[Objection]:
    """A qualitative value that names no two grades and no score; an empty value is C001's business."""
    for item in context.indicators:
        indicator = item.indicator
        if indicator.sign != "定性" or blank(indicator.value) or not blank(indicator.scoring):
            continue
        if not _has_grades(indicator.value) and not _has_grades(indicator.remark or ""):
            yield Objection(
                f"{item.place}/value",
                f"{item.name}的定性指标值{quote(indicator.value)}没有分档；请写明等次，例如“优、良、中、差”，并说明各档标准。",
            )


def _has_grades(text: str) -> bool:
    """Whether a text names two grades, be they apart (优、良) or in one word (优良中差), or gives scores."""
    if count_numbers(text[:_LONGEST]):
        return True
    parts = [part for part in _PARTS.split(text[:_LONGEST]) if part]
    if len(parts) >= _FEWEST_STEPS and len({part[-2:] for part in parts}) == 1 and len(set(parts)) == len(parts):
        # 明显改善、有所改善、没有改善: steps of one thing.
        return True
    grades: set[str] = set()
    for part in _PARTS.split(text[:_LONGEST]):
        words = _ENDING.sub("", part)
        found = _GRADES.findall(words)
        if found and "".join(found) == words:
            grades.update(found)
    return len(grades) > 1
