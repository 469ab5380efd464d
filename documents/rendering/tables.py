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
    """One row of an indicator table; a level's row count is 0 where a merged cell above already covers it.

    ``name`` and ``description`` are the whole cells; ``before``, ``own_name`` and ``after`` are the parts of the first,
    ``own_description`` and ``more`` (label, words, member) those of the second, so that each member is marked by itself.
    """

    id: str
    level1: str
    level1_rows: int
    level2: str
    level2_rows: int
    name: str
    description: str
    value: str
    basis: str
    weight: str
    before: str
    own_name: str
    after: str
    own_description: str
    more: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class PlanCell:
    """One checkpoint of the spending plan: its position in the plan ("-" for none), and how many columns it takes."""

    checkpoint: str
    percent: str
    columns: int
    position: str


@dataclass(frozen=True, slots=True)
class GoalRow:
    """One goal: its id ("-" for none), what the form writes before its text, and the text."""

    id: str
    before: str
    text: str


@dataclass(frozen=True, slots=True)
class DetailRow:
    """One member that only some forms have: title, words, the member's place below the project, and that of a label."""

    title: str
    words: str
    member: str
    label: str = ""


def _more(indicator: Indicator) -> tuple[tuple[str, str, str], ...]:
    scoring = [(member_title("scoring"), indicator.scoring, "scoring")] if indicator.scoring else []
    return (*scoring, *((extra.label, extra.value, f"extra/{at}/value") for at, extra in enumerate(indicator.extra)))


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
                before = f"{'★' if indicator.core else ''}{'其中：' if indicator.part_of else ''}"
                own_name, own_description = indicator.name or NOTHING, indicator.description or NOTHING
                after = f"（{indicator.period}）" if indicator.period else ""
                more = _more(indicator)
                rows.append(
                    IndicatorRow(
                        id=indicator.id,
                        level1=level1 or NOTHING,
                        level1_rows=level1_rows,
                        level2=level2 or NOTHING,
                        level2_rows=level2_rows,
                        name=f"{before}{own_name}{after}",
                        description="\n".join([own_description, *(f"{label}：{words}" for label, words, _ in more)]),
                        value=value_words(indicator) or NOTHING,
                        basis=indicator.basis or NOTHING,
                        weight=NOTHING if indicator.weight is None else f"{indicator.weight.normalize():f}",
                        before=before,
                        own_name=own_name,
                        after=after,
                        own_description=own_description,
                        more=more,
                    )
                )
                level1_rows = level2_rows = 0
    return tuple(rows)


def plan_lines(plan: Sequence[Checkpoint]) -> tuple[tuple[PlanCell, ...], ...]:
    """The spending plan in lines of at most three checkpoints, each line as wide as the table."""
    if not plan:
        return ((PlanCell(NOTHING, NOTHING, _COLUMNS, "-"),),)
    count = -(-len(plan) // _CHECKPOINTS_A_LINE)
    shorter, longer = divmod(len(plan), count)
    lines, start = [], 0
    for number in range(count):
        size = shorter + (number < longer)
        points = enumerate(plan[start : start + size], start)
        start += size
        lines.append(
            tuple(PlanCell(p.checkpoint or NOTHING, share(p.percent), _COLUMNS // size, str(at)) for at, p in points)
        )
    return tuple(lines)


def goal_rows(goals: Sequence[Goal]) -> tuple[GoalRow, ...]:
    """Goals numbered as the forms do, unless the author's own number stands before the text already."""
    rows = []
    for number, goal in enumerate(goals, start=1):
        period = f"（{goal.period}目标）" if goal.period else ""
        before = "" if _NUMBERED.match(goal.text) else f"{number}."
        text = goal.text.lstrip(" ")
        rows.append(GoalRow(goal.id, f"{before}{period}{goal.text[: len(goal.text) - len(text)]}", text or NOTHING))
    return tuple(rows) or (GoalRow("-", "", NOTHING),)


def goal_lines(goals: Sequence[Goal]) -> tuple[str, ...]:
    """The same as whole lines."""
    return tuple(f"{row.before}{row.text}" for row in goal_rows(goals))


def _schedule_line(step: Schedule) -> str:
    time = " 至 ".join(part for part in (step.start, step.end) if part)
    return f"{time}：{step.content}" if time else step.content


def detail_rows(project: Project) -> tuple[DetailRow, ...]:
    """Every member that only some forms have, so that nothing of a form is dropped."""
    rows = [
        DetailRow(member_title(member, "projects"), getattr(project, member), member)
        for member in _OPTIONAL
        if getattr(project, member)
    ]
    budget = project.budget
    if budget.sources:
        words = "\n".join(f"{source.name}：{plain_money(source.amount)}" for source in budget.sources)
        rows.append(DetailRow(member_title("sources"), words, "budget/sources"))
    if budget.period_total is not None:
        rows.append(DetailRow(member_title("period_total"), plain_money(budget.period_total), "budget/period_total"))
    if project.schedule:
        words = "\n".join(_schedule_line(step) for step in project.schedule)
        rows.append(DetailRow(member_title("schedule"), words, "schedule"))
    rows += [
        DetailRow(extra.label, extra.value, f"extra/{at}/value", f"extra/{at}/label")
        for at, extra in enumerate(project.extra)
    ]
    return tuple(rows)


def details(project: Project) -> tuple[tuple[str, str], ...]:
    """Title and words of each of them."""
    return tuple((row.title, row.words) for row in detail_rows(project))


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
