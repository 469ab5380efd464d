"""可行性: values that are far from last year's (F004)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from documents.checking import figures
from documents.checking.context import Context
from documents.checking.corpus import plain_words
from documents.checking.registry import Objection, rule
from models.content import BudgetText, Indicator
from models.findings import Criterion, Severity

_Key = tuple[str, str, str, str]


@rule(
    "F004",
    Severity.HINT,
    Criterion.FEASIBILITY,
    title="指标值与上年相差过大",
    basis="指标值应当与上年实际衔接，变化较大的应当说明",
    compares=True,
)
def far_from_last_year(context: Context) -> Iterator[Objection]:
    """A value that is many times more or less than that of the indicator with the same name, kind and unit last year."""
    last = context.surroundings.last_year
    if last is None:
        return
    before = _values(last)
    factor = Decimal(str(context.settings.thresholds.year_factor))
    for located in context.projects:
        for item in context.of_project(located):
            key = _key(located.project.name, item.indicator)
            now, then = _value(item.indicator), before.get(key)
            if now is None or then is None or now <= 0 or then <= 0:
                continue
            if now >= then * factor or then >= now * factor:
                unit = f" {item.indicator.unit}" if item.indicator.unit else ""
                yield Objection(
                    f"{item.place}/value",
                    f"{item.name}的指标值是 {now:f}{unit}，{last.fiscal_year} 年是 {then:f}{unit}，相差 "
                    f"{factor:f} 倍以上；请核对，或说明变化的原因。",
                )


def _key(project: str, indicator: Indicator) -> _Key:
    unit = "".join((indicator.unit or "").split())
    return (plain_words(project), plain_words(indicator.level2), plain_words(indicator.name), unit)


def _value(indicator: Indicator) -> Decimal | None:
    return None if indicator.sign == "定性" else figures.number(indicator.value)


def _values(last: BudgetText) -> dict[_Key, Decimal]:
    """The figures of last year; a name that stands twice says nothing about either."""
    values: dict[_Key, Decimal] = {}
    twice: set[_Key] = set()
    for project in last.projects:
        for indicator in project.indicators:
            number = _value(indicator)
            key = _key(project.name, indicator)
            if key in values:
                twice.add(key)
            elif number is not None:
                values[key] = number
    return {key: number for key, number in values.items() if key not in twice}
