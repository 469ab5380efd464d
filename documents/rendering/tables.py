"""The shape of the project tables: merged levels, spending-plan cells, and rows for what only some forms have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Final

from documents.rendering.figures import NOTHING, plain_money, share, value_words
from documents.rendering.titles import member_title
from models.content import Checkpoint, Goal, Indicator, Project, Schedule

# The six columns beside the label are shared out evenly among the checkpoints of one line.
_COLUMNS: Final = 6
_CHECKPOINTS_A_LINE: Final = 3
_NUMBERED: Final = re.compile(r"\s*[（(]?\d+[)）.．、]")
_OPTIONAL: Final = (
    "category",
    "nature",
    "supervising_department",
    "implementing_unit",
    "person_in_charge",
    "phone",
    "start",
    "end",
    "grounds",
    "contents",
)


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    """One row of an indicator table; a level's row count is 0 where a merged cell above already covers it."""

    level1: str
    level1_rows: int
    level2: str
    level2_rows: int
    name: str
    description: str
    value: str
    basis: str
    weight: str


@dataclass(frozen=True, slots=True)
class PlanCell:
    """One checkpoint of the spending plan, and how many columns of the table it takes."""

    checkpoint: str
    percent: str
    columns: int


def _name(indicator: Indicator) -> str:
    period = f"（{indicator.period}）" if indicator.period else ""
    return f"{'★' if indicator.core else ''}{'其中：' if indicator.part_of else ''}{indicator.name or NOTHING}{period}"


def _description(indicator: Indicator) -> str:
    lines = [indicator.description or NOTHING]
    if indicator.scoring:
        lines.append(f"{member_title('scoring')}：{indicator.scoring}")
    lines += [f"{member.label}：{member.value}" for member in indicator.extra]
    return "\n".join(lines)


def indicator_rows(indicators: Sequence[Indicator]) -> tuple[IndicatorRow, ...]:
    """Rows in the order of the content, runs of the same level merged: 二级 only within its 一级."""
    rows: list[IndicatorRow] = []
    for level1, first in groupby(indicators, key=lambda indicator: indicator.level1):
        members = list(first)
        level1_rows = len(members)
        for level2, second in groupby(members, key=lambda indicator: indicator.level2):
            run = list(second)
            level2_rows = len(run)
            for indicator in run:
                rows.append(
                    IndicatorRow(
                        level1=level1 or NOTHING,
                        level1_rows=level1_rows,
                        level2=level2 or NOTHING,
                        level2_rows=level2_rows,
                        name=_name(indicator),
                        description=_description(indicator),
                        value=value_words(indicator) or NOTHING,
                        basis=indicator.basis or NOTHING,
                        weight=NOTHING if indicator.weight is None else f"{indicator.weight.normalize():f}",
                    )
                )
                level1_rows = level2_rows = 0
    return tuple(rows)


def plan_lines(plan: Sequence[Checkpoint]) -> tuple[tuple[PlanCell, ...], ...]:
    """The spending plan in lines of at most three checkpoints, each line as wide as the table."""
    if not plan:
        return ((PlanCell(NOTHING, NOTHING, _COLUMNS),),)
    count = -(-len(plan) // _CHECKPOINTS_A_LINE)
    shorter, longer = divmod(len(plan), count)
    lines, start = [], 0
    for number in range(count):
        size = shorter + (number < longer)
        points = plan[start : start + size]
        start += size
        lines.append(tuple(PlanCell(p.checkpoint or NOTHING, share(p.percent), _COLUMNS // size) for p in points))
    return tuple(lines)


def goal_lines(goals: Sequence[Goal]) -> tuple[str, ...]:
    """Goals numbered as the forms do, unless the author's own number stands before the text already."""
    lines = []
    for number, goal in enumerate(goals, start=1):
        period = f"（{goal.period}目标）" if goal.period else ""
        before = "" if _NUMBERED.match(goal.text) else f"{number}."
        lines.append(f"{before}{period}{goal.text or NOTHING}")
    return tuple(lines) or (NOTHING,)


def _schedule_line(step: Schedule) -> str:
    time = " 至 ".join(part for part in (step.start, step.end) if part)
    return f"{time}：{step.content}" if time else step.content


def details(project: Project) -> tuple[tuple[str, str], ...]:
    """Title and words of every member that only some forms have, so that nothing of a form is dropped."""
    pairs = [
        (member_title(member, "projects"), getattr(project, member)) for member in _OPTIONAL if getattr(project, member)
    ]
    budget = project.budget
    if budget.sources:
        words = "\n".join(f"{source.name}：{plain_money(source.amount)}" for source in budget.sources)
        pairs.append((member_title("sources"), words))
    if budget.period_total is not None:
        pairs.append((member_title("period_total"), plain_money(budget.period_total)))
    if project.schedule:
        pairs.append((member_title("schedule"), "\n".join(_schedule_line(step) for step in project.schedule)))
    pairs += [(member.label, member.value) for member in project.extra]
    return tuple(pairs)


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of a letter: how many projects, their money in 元, and how many of them name none."""

    projects: int
    total: Decimal
    fiscal: Decimal
    other: Decimal
    without_money: int


def totals(projects: Sequence[Project]) -> Totals:
    """Sums over all projects; a project without money counts as one and adds nothing."""
    budgets = [project.budget for project in projects]
    return Totals(
        projects=len(budgets),
        total=sum((budget.total for budget in budgets if budget.total is not None), Decimal(0)),
        fiscal=sum((budget.fiscal for budget in budgets if budget.fiscal is not None), Decimal(0)),
        other=sum((budget.other for budget in budgets if budget.other is not None), Decimal(0)),
        without_money=sum(budget.total is None for budget in budgets),
    )
