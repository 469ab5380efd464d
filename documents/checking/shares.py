"""适当性: satisfaction and shares at their limit (A006), weights (A007), sign and direction (A008)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from documents.checking import figures
from documents.checking.context import Context, LocatedIndicator
from documents.checking.registry import Objection, rule
from documents.checking.schemes import full
from documents.checking.wording import percent, quote
from models.findings import Criterion, Severity

# What grows may more than double.
_GROWTH = re.compile(r"增长|增幅|增速|增加|提高|提升|同比|超额|倍")
_SHARE_UNITS: Final = frozenset({"%", "％", "百分比"})
_SATISFACTION: Final = "满意"
_HUNDRED: Final = Decimal(100)
_SHOWN: Final = 40


@rule(
    "A006",
    Severity.WARNING,
    Criterion.APPROPRIATENESS,
    title="比率过满或超过 100%",
    basis="满意度应当留有余地，比率不超过 100%",
)
def full_shares(context: Context) -> Iterator[Objection]:
    """Satisfaction that promises 100 % or more, and shares above 100 % that are no growth."""
    for item in context.indicators:
        indicator = item.indicator
        satisfaction = (item.pair is not None and item.pair[0] == _SATISFACTION + "度") or (
            _SATISFACTION in indicator.name
        )
        highest = _highest(item, share=satisfaction)
        if highest is None or len(indicator.value) > _SHOWN:
            continue
        if satisfaction and highest >= _HUNDRED and indicator.sign not in ("≤", "<"):
            yield Objection(
                f"{item.place}/value",
                f"{item.name}的满意度要求达到 {_plain(highest)}%，没有留余地；请改为调查后能够达到的比例。",
            )
        elif highest > _HUNDRED and not _GROWTH.search(indicator.name + indicator.description):
            yield Objection(
                f"{item.place}/value", f"{item.name}的比率是 {_plain(highest)}%，超过 100%；请核对数值和计量单位。"
            )


def _plain(number: Decimal) -> str:
    return percent(number).removesuffix("%")


def _highest(item: LocatedIndicator, *, share: bool) -> Decimal | None:
    """The larger end of a value that is a share, or None where it is none; ``share``: a bare number is one, too."""
    indicator = item.indicator
    if indicator.sign == "定性" or (indicator.unit and indicator.unit.strip() not in _SHARE_UNITS):
        return None
    found = []
    for end in (indicator.value, indicator.value_to or ""):
        words = figures.narrow(end).strip()
        if share or indicator.unit or words.endswith("%"):
            number = figures.number(words.removesuffix("%"))
            if number is not None:
                found.append(number)
    return max(found, default=None)


@rule(
    "A007",
    Severity.ERROR,
    Criterion.APPROPRIATENESS,
    title="权重合计不符",
    basis="设了权重的，各指标权重之和应当符合当年指标体系的要求",
)
def weights(context: Context) -> Iterator[Objection]:
    """Weights of a project, or of the department, that do not sum as the scheme asks; parts (其中) do not count.

    A form with indicators of three years beside the year's has weights for each of them.
    """
    groups: list[tuple[str, str, Sequence[LocatedIndicator]]] = [
        ("/overall/indicators", "部门整体", [item for item in context.indicators if item.located is None])
    ]
    groups += [(f"{item.place}/indicators", item.name, context.of_project(item)) for item in context.projects]
    for place, name, items in groups:
        for period, title in (("年度", ""), ("中期", "中期")):
            weighted = [
                (item, item.indicator.weight)
                for item in items
                if item.indicator.weight is not None
                and item.indicator.part_of is None
                and (item.indicator.period or "年度") == period
            ]
            if weighted:
                yield from _sums(context, place, f"{name}的{title}", weighted)


def _sums(
    context: Context, place: str, name: str, weighted: Sequence[tuple[LocatedIndicator, Decimal]]
) -> Iterator[Objection]:
    scheme = context.scheme
    total = figures.total(weight for _, weight in weighted)
    if total not in scheme.weight_totals:
        wanted = " 或 ".join(_plain(item) for item in scheme.weight_totals)
        yield Objection(place, f"{name}指标权重合计是 {_plain(total)}，应为 {wanted}；请重新分配权重。")
        return
    for level, share in scheme.weight_shares.items():
        given = figures.total(weight for item, weight in weighted if item.pair is not None and item.pair[0] == level)
        if given != share:
            yield Objection(
                place, f"{name}{full(level)}权重合计是 {_plain(given)}，应为 {_plain(share)}；请重新分配权重。"
            )


_CLASHES: Final = {("正向", "≤"), ("正向", "<"), ("反向", "≥"), ("反向", ">")}


@rule(
    "A008",
    Severity.WARNING,
    Criterion.APPROPRIATENESS,
    title="符号与指标方向矛盾",
    basis="正向指标越大越好，用 ≥；反向指标越小越好，用 ≤",
)
def directions(context: Context) -> Iterator[Objection]:
    """A positive indicator with an upper bound, and a negative one with a lower bound."""
    for item in context.indicators:
        indicator = item.indicator
        if (indicator.direction, indicator.sign) in _CLASHES:
            yield Objection(
                f"{item.place}/direction",
                f"{item.name}是{quote(indicator.direction or '')}指标，符号却是 {indicator.sign}；请核对方向和符号。",
            )
