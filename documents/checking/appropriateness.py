"""适当性: sums of money (A001), costs against the budget (A002), units of money (A003), spending plan (A004)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from documents.checking import figures
from documents.checking.context import Context, LocatedIndicator, LocatedProject
from documents.checking.fields import blank
from documents.checking.figures import Amount
from documents.checking.registry import Objection, rule
from documents.checking.wording import percent, quote, yuan
from models.content import Indicator
from models.findings import Criterion, Severity

# A cost per person or piece is no total even where its unit is written as 元.
_PER_PIECE = re.compile(r"人均|户均|亩均|次均|单位成本|单价|每[人户亩次场期册件个名]")
# A name that can only be an amount, and words beside a share that say what it is a share of.
_MONEY_NAME = re.compile(r"(?:资金|经费|费用|成本|支出|金额|总额|开支)$")
_SHARE_WORDS = re.compile(r"率|比|占|节约|压减|降低|控制|不超|以内|百分|增长|偏差|误差")
_MIXED: Final = frozenset({"元", "万元"})


@rule(
    "A001",
    Severity.ERROR,
    Criterion.APPROPRIATENESS,
    title="预算数与资金来源不符",
    basis="预算数等于财政资金与其他资金之和",
)
def sums_of_budgets(context: Context) -> Iterator[Objection]:
    """预算数 = 财政资金 + 其他资金; a missing member is C001's business."""
    for located in context.projects:
        budget = located.project.budget
        if budget.total is None or budget.fiscal is None or budget.other is None:
            continue
        both = budget.fiscal + budget.other
        if budget.total != both:
            yield Objection(
                f"{located.place}/budget/total",
                f"{located.name}的预算数 {yuan(budget.total)}不等于财政资金 {yuan(budget.fiscal)}与其他资金 "
                f"{yuan(budget.other)}之和 {yuan(both)}；请核对这三个数。",
            )


@dataclass(frozen=True, slots=True)
class _Cost:
    item: LocatedIndicator
    amount: Amount

    @property
    def written(self) -> str:
        if self.amount.unit == "元":
            return yuan(self.amount.yuan)
        return f"{self.amount.number:f} {self.amount.unit}（{yuan(self.amount.yuan)}）"


@dataclass(frozen=True, slots=True)
class _Costs:
    """The cost indicators of one project that are held against one amount of its budget."""

    located: LocatedProject
    budget: Decimal
    budget_name: str
    costs: tuple[_Cost, ...]

    @property
    def sum(self) -> Decimal:
        """The sum of the costs that are not part of another one (其中)."""
        parents = {cost.item.indicator.id: cost.item.indicator.part_of for cost in self.costs}
        return figures.total(cost.amount.yuan for cost in self.costs if not _is_part(cost.item.indicator.id, parents))

    @property
    def sum_is_off_by_unit(self) -> bool:
        return len(self.costs) > 1 and figures.off_by_ten_thousand(self.sum, self.budget)


def _is_part(start: str, parents: dict[str, str | None]) -> bool:
    """Whether a cost stands inside another one of the list; members of a circle are nobody's part, so they count."""
    seen = {start}
    parent = parents[start]
    found = False
    while parent is not None and parent in parents:
        if parent in seen:
            return False
        seen.add(parent)
        found, parent = True, parents[parent]
    return found


def _is_money(context: Context, item: LocatedIndicator) -> bool:
    return item.pair in context.scheme.money and not _PER_PIECE.search(item.indicator.name)


def _costs(context: Context) -> Iterator[_Costs]:
    """The costs of each project beside the year's budget, and those of several years beside the total of the period."""
    for located in context.projects:
        budget = located.project.budget
        yearly: list[_Cost] = []
        period: list[_Cost] = []
        for item in context.of_project(located):
            amount = figures.indicator_amount(item.indicator) if _is_money(context, item) else None
            if amount is not None:
                (period if item.indicator.period == "中期" else yearly).append(_Cost(item, amount))
        if yearly and budget.total is not None:
            yield _Costs(located, budget.total, "预算数", tuple(yearly))
        if period and budget.period_total is not None:
            yield _Costs(located, budget.period_total, "中期资金总额", tuple(period))


@rule(
    "A002",
    Severity.ERROR,
    Criterion.APPROPRIATENESS,
    title="成本指标与预算数不符",
    basis="成本指标的金额应当与预算数相符，并且不得超过预算数",
)
def costs_against_budgets(context: Context) -> Iterator[Objection]:
    """A cost, or the sum of the costs, above the budget is an error; a sum below it is a warning.

    Where the unit is in doubt (A003) the amount says nothing, and nothing is compared with it.
    """
    for group in _costs(context):
        name, budget = group.located.name, f"{group.budget_name} {yuan(group.budget)}"
        sound = [cost for cost in group.costs if not _doubtful(cost, group.budget)]
        exceeding = [cost for cost in sound if cost.amount.yuan > group.budget]
        for cost in exceeding:
            yield Objection(
                f"{cost.item.place}/value",
                f"{cost.item.name}的成本 {cost.written}超过{budget}；请调整成本指标或更正预算。",
            )
        if exceeding or len(sound) < len(group.costs) or group.sum_is_off_by_unit:
            continue
        place = f"{group.located.place}/indicators"
        if group.sum > group.budget:
            yield Objection(
                place,
                f"{name}的成本指标合计 {yuan(group.sum)}，超过{budget}；请调整成本指标，其中属于另一条的分项请标为“其中”。",
            )
        elif group.sum < group.budget:
            only = group.costs[0] if len(group.costs) == 1 else None
            yield Objection(
                f"{only.item.place}/value" if only else place,
                f"{only.item.name}的成本 {only.written}与{budget}不一致；请核对，或说明差额的用途。"
                if only
                else f"{name}的成本指标合计 {yuan(group.sum)}，与{budget}不一致；请核对，或说明差额的用途。",
                Severity.WARNING,
            )


@rule(
    "A003",
    Severity.ERROR,
    Criterion.APPROPRIATENESS,
    title="金额缺少单位或单位混用",
    basis="金额应当写明单位，元和万元不得混用",
)
def units_of_money(context: Context) -> Iterator[Objection]:
    """Money without a unit, and amounts that contradict the words beside them or the budget by 元 taken for 万元."""
    for item in context.indicators:
        amount = figures.indicator_amount(item.indicator)
        if amount is None:
            if _is_money(context, item) and _has_no_unit(item.indicator):
                yield Objection(
                    f"{item.place}/unit",
                    f"{item.name}的成本 {item.indicator.value.strip()} 没有计量单位；请写明元或万元。",
                )
            elif _is_money(context, item) and _is_share_of_nothing(item.indicator):
                yield Objection(
                    f"{item.place}/unit",
                    f"{item.name}是一笔金额，指标值却写成 {item.indicator.value.strip()}%；请改写为金额（元或万元），"
                    "如指占比或控制率，请在指标名称里写明。",
                )
            continue
        stated = _contradicting(item.indicator, amount)
        if stated is not None:
            yield Objection(
                f"{item.place}/unit",
                f"{item.name}的指标值按计量单位是 {_plain(amount)}，而文字写的是 {_plain(stated)}；请统一元和万元。",
            )
    for group in _costs(context):
        for cost in group.costs:
            if figures.off_by_ten_thousand(cost.amount.yuan, group.budget) and not _contradicting(
                cost.item.indicator, cost.amount
            ):
                yield Objection(
                    f"{cost.item.place}/unit",
                    f"{cost.item.name}的成本 {cost.written}与{group.budget_name} {yuan(group.budget)}正好相差一万倍；"
                    "请核对计量单位是元还是万元。",
                )
        if group.sum_is_off_by_unit:
            yield Objection(
                f"{group.located.place}/indicators",
                f"{group.located.name}的成本指标合计 {yuan(group.sum)}，与{group.budget_name} {yuan(group.budget)}"
                "正好相差一万倍；请核对计量单位是元还是万元。",
            )


def _plain(amount: Amount) -> str:
    return f"{amount.number:f} {amount.unit}"


def _doubtful(cost: _Cost, budget: Decimal) -> bool:
    return (
        figures.off_by_ten_thousand(cost.amount.yuan, budget)
        or _contradicting(cost.item.indicator, cost.amount) is not None
    )


def _has_no_unit(indicator: Indicator) -> bool:
    ends = (indicator.value, indicator.value_to or "")
    return (
        indicator.sign != "定性"
        and not figures.has_unit(indicator.unit)
        and any(figures.number(end) is not None for end in ends if not blank(end))
    )


def _is_share_of_nothing(indicator: Indicator) -> bool:
    """Whether an amount of money is given in percent, and no word beside it says of what."""
    if figures.narrow(indicator.unit or "").strip() != "%" or indicator.sign == "定性":
        return False
    words = f"{indicator.name}{indicator.description}{indicator.remark or ''}{indicator.scoring or ''}"
    number = figures.number(indicator.value)
    return number is not None and bool(_MONEY_NAME.search(indicator.name)) and not _SHARE_WORDS.search(words)


def _contradicting(indicator: Indicator, amount: Amount) -> Amount | None:
    """An amount in the indicator's own words that shows 元 taken for 万元: exactly 10,000 times more or less.

    Other amounts beside it, such as a part of the cost, say nothing against it; and where one of them is the value
    itself, the value is confirmed.
    """
    if amount.unit not in _MIXED:
        return None
    words = (indicator.value, indicator.value_to, indicator.remark, indicator.name, indicator.description)
    stated = [item for text in words if text for item in figures.amounts(text)]
    if any(item.yuan == amount.yuan for item in stated):
        return None
    return next(
        (item for item in stated if item.unit in _MIXED and figures.off_by_ten_thousand(item.yuan, amount.yuan)),
        None,
    )


@rule(
    "A004",
    Severity.ERROR,
    Criterion.APPROPRIATENESS,
    title="资金支出计划不合理",
    basis="资金支出计划为累计比例，在 0 至 100 之间，逐期不减",
)
def spending_plans(context: Context) -> Iterator[Objection]:
    """Points outside 0 to 100 and decreasing points; a sound plan that ends below 100 gets a hint."""
    for located in context.projects:
        sound = True
        highest: Decimal | None = None
        for number, point in enumerate(located.project.spending_plan):
            place = f"{located.place}/spending_plan/{number}/percent"
            when = quote(point.checkpoint) if point.checkpoint.strip() else f"第 {number + 1} 个时点"
            if not 0 <= point.percent <= 100:
                sound = False
                yield Objection(
                    place,
                    f"{located.name}的资金支出计划在{when}为 {percent(point.percent)}，超出 0 至 100；请改为累计支出比例。",
                )
                continue
            if highest is not None and point.percent < highest:
                sound = False
                yield Objection(
                    place,
                    f"{located.name}的资金支出计划在{when}为 {percent(point.percent)}，低于此前的 {percent(highest)}；"
                    "支出计划是累计比例，请按逐期不减填写。",
                )
            highest = point.percent if highest is None else max(highest, point.percent)
        if sound and highest is not None and highest < 100:
            last = len(located.project.spending_plan) - 1
            yield Objection(
                f"{located.place}/spending_plan/{last}/percent",
                f"{located.name}的资金支出计划到最后一个时点只有 {percent(highest)}；如全年将支出完毕，请补充后续时点。",
                Severity.HINT,
            )
