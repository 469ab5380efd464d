"""完整性: sub-goals and the projects that serve them (C005), and where values come from (C006)."""

from __future__ import annotations

from collections.abc import Iterator

from documents.checking.context import Context
from documents.checking.fields import blank
from documents.checking.registry import Objection, rule
from documents.checking.wording import owner, quote
from models.findings import Criterion, Severity


@rule(
    "C005",
    Severity.WARNING,
    Criterion.COMPLETENESS,
    title="分项绩效目标与项目没有对应",
    basis="每个分项绩效目标由项目支撑，每个项目服务于分项绩效目标",
)
def sub_goals_and_projects(context: Context) -> Iterator[Objection]:
    """A sub-goal without a project of this text, and a project that no sub-goal names.

    A text without sub-goals or without projects is C001's business.
    """
    content = context.content
    if not content.sub_goals or not content.projects:
        return
    present = {project.id for project in content.projects}
    for number, goal in enumerate(content.sub_goals):
        if present.isdisjoint(goal.projects):
            name = owner(content, ["sub_goals", str(number)])
            yield Objection(
                f"/sub_goals/{number}/projects", f"{name}没有对应的项目；请指明由哪个项目实现，或说明由日常经费保障。"
            )
    served = {project for goal in content.sub_goals for project in goal.projects}
    for located in context.projects:
        if located.project.id not in served:
            yield Objection(located.place, f"{located.name}没有对应的分项绩效目标；请指明它服务于哪个分项绩效目标。")


@rule(
    "C006",
    Severity.WARNING,
    Criterion.COMPLETENESS,
    title="指标值确定依据缺失或雷同",
    basis="每条指标应当写明指标值的确定依据，依据应当因指标而异",
)
def bases_of_values(context: Context) -> Iterator[Objection]:
    """Indicators without a basis, and projects in which every indicator has the same one.

    A form that has no such column gets one finding for the project, not one for each indicator.
    """
    for item in context.indicators:
        if item.located is None and blank(item.indicator.basis):
            yield Objection(f"{item.place}/basis", f"{item.name}没有指标值确定依据；请写明依据的计划、标准或历史数据。")
    for located in context.projects:
        items = context.of_project(located)
        without = [item for item in items if blank(item.indicator.basis)]
        if len(without) > 1 and len(without) == len(items):
            yield Objection(
                f"{located.place}/indicators",
                f"{located.name}的 {len(items)} 条指标都没有指标值确定依据；请逐条写明依据的计划、标准或历史数据。",
            )
            continue
        for item in without:
            yield Objection(f"{item.place}/basis", f"{item.name}没有指标值确定依据；请写明依据的计划、标准或历史数据。")
        bases = {"".join(item.indicator.basis.split()) for item in items}
        if not without and len(bases) == 1 and len(items) >= context.settings.thresholds.same_basis:
            yield Objection(
                f"{located.place}/indicators",
                f"{located.name}的 {len(items)} 条指标的确定依据都是{quote(items[0].indicator.basis)}；"
                "请按各条指标分别写明依据。",
            )
