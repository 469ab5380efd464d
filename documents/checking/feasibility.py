"""可行性: numbers and signs of quantitative indicators (F001)."""

from __future__ import annotations

from collections.abc import Iterator

from documents.checking.context import Context, LocatedIndicator
from documents.checking.fields import blank
from documents.checking.figures import count_numbers
from documents.checking.registry import Objection, rule
from documents.checking.wording import quote
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
