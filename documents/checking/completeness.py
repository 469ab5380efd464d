"""完整性: required fields (C001), required kinds of indicator (C002), confirmation of repairs (C007)."""

from __future__ import annotations

from collections.abc import Iterator

from documents.checking.context import Context
from documents.checking.fields import missing
from documents.checking.registry import Objection, rule
from documents.checking.schemes import full
from documents.checking.wording import owner, quote
from models import places
from models.content import to_json
from models.findings import Criterion, Severity


@rule(
    "C001",
    Severity.ERROR,
    Criterion.COMPLETENESS,
    title="必填项为空",
    basis="部门预算绩效文本的必填项应当全部填写",
)
def empty_required_fields(context: Context) -> Iterator[Objection]:
    """Every required field that is empty, and every required checkpoint that a spending plan lacks."""
    for field in context.settings.required_fields:
        for tokens in missing(context.content, field):
            of = owner(context.content, tokens[:-1])
            what = f"{of}的{field.title}" if of else field.title
            yield Objection(places.join(list(tokens)), f"{what}没有填写；请补填后再报送。")
    for located in context.projects:
        plan = located.project.spending_plan
        names = {"".join(point.checkpoint.split()) for point in plan}
        for wanted in context.settings.required_checkpoints if plan else ():
            if "".join(wanted.split()) not in names:
                yield Objection(
                    f"{located.place}/spending_plan",
                    f"{located.name}的资金支出计划没有时点{quote(wanted)}；请补上该时点的累计支出比例。",
                )


@rule(
    "C002",
    Severity.ERROR,
    Criterion.COMPLETENESS,
    title="缺少必设的指标类别",
    basis="每个项目应当设置当年指标体系必设的各类指标",
)
def missing_kinds_of_indicator(context: Context) -> Iterator[Objection]:
    """Every kind of indicator that the year's scheme requires and a project lacks.

    A project without any indicator is C001's business. Indicators of a period of several years do not count, since the
    year's money is approved against the year's indicators.
    """
    requirements = [(item, context.scheme.satisfying(item)) for item in context.scheme.required]
    for located in context.projects:
        if not located.project.indicators:
            continue
        pairs = {item.pair for item in context.of_project(located) if item.indicator.period != "中期"}
        for requirement, satisfying in requirements:
            if pairs.isdisjoint(satisfying):
                kinds = "、".join(f"{full(first)}—{full(second)}" for first, second in sorted(satisfying))
                yield Objection(
                    f"{located.place}/indicators",
                    f"{located.name}缺少{requirement.title}，{context.content.fiscal_year} 年度的指标体系要求至少有一条"
                    f"（{kinds}）；请补充。",
                )


@rule(
    "C007",
    Severity.ERROR,
    Criterion.COMPLETENESS,
    title="导入时修正的值未经确认",
    basis="导入时修正的值应当由人核对原文后确认",
)
def unconfirmed_repairs(context: Context) -> Iterator[Objection]:
    """Every repair of the import that nobody has confirmed."""
    if not context.unconfirmed:
        return
    value = to_json(context.content)
    for item in context.unconfirmed:
        place = places.pointer(value, item.place) if item.place.startswith("/") else item.place
        yield Objection(
            place,
            f"原文{quote(item.raw)}在导入时修正为{quote(item.repaired)}，尚未经人确认；请核对原文后确认或改正。",
        )
