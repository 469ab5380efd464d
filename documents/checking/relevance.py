"""相关性: legal pairs of first and second level (R001)."""

from __future__ import annotations

from collections.abc import Iterator

from documents.checking.context import Context
from documents.checking.fields import blank
from documents.checking.registry import Objection, rule
from documents.checking.schemes import full
from documents.checking.wording import quote
from models.findings import Criterion, Severity


@rule(
    "R001",
    Severity.ERROR,
    Criterion.RELEVANCE,
    title="指标级次不在当年指标体系内",
    basis="一级指标和二级指标应当属于当年的指标体系",
)
def illegal_pairs(context: Context) -> Iterator[Objection]:
    """Every indicator whose pair of levels the year's scheme does not have; an empty level is C001's business."""
    year = context.content.fiscal_year
    for item in context.indicators:
        first, second = item.indicator.level1, item.indicator.level2
        if item.pair is not None or blank(first) or blank(second):
            continue
        level = context.scheme.level(first)
        if level is None:
            legal = "、".join(full(known.name) for known in context.scheme.levels)
            yield Objection(
                f"{item.place}/level1",
                f"{item.name}的一级指标{quote(first)}不在 {year} 年度的指标体系内；请改为{legal}之一。",
            )
        else:
            legal = "、".join(full(known.name) for known in level.kinds)
            yield Objection(
                f"{item.place}/level2",
                f"{item.name}的二级指标{quote(second)}在 {year} 年度的指标体系内不属于{quote(first)}；请改为{legal}之一，"
                "或更正一级指标。",
            )
