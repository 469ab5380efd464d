"""The spending plan: checkpoints in one row, cumulative percents below them or beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from documents.reading.finding_codes import FindingCode, finding
from documents.reading.money import is_percent, read_percent
from models.content import Checkpoint, Extra
from models.findings import ReadingFinding

EXTRA_LABEL: Final = "资金支出计划"


@dataclass(frozen=True, slots=True)
class PlanCell:
    """One filled cell of the plan's rows: line, column and words."""

    line: int
    column: int
    words: str


@dataclass(slots=True)
class SpendingPlan:
    """The plan of one project; ``extra`` is what could not be paired."""

    checkpoints: list[Checkpoint] = field(default_factory=list)
    extra: list[Extra] = field(default_factory=list)
    findings: list[ReadingFinding] = field(default_factory=list)
    placed: list[tuple[int, str]] = field(default_factory=list)


def read_plan(rows: Sequence[Sequence[PlanCell]], place: str, *, first_extra: int) -> SpendingPlan:
    """Plan of the rows under 资金支出计划; ``place`` is the project's, whose extra members count from ``first_extra``."""
    plan = SpendingPlan()
    waiting: list[PlanCell] = []
    for row in rows:
        percents = [cell for cell in row if is_percent(cell.words)]
        if len(percents) < len(row):
            waiting = _read_mixed_row(plan, waiting, row, place, first_extra)
        elif [cell.column for cell in waiting] == [cell.column for cell in percents]:
            for checkpoint, percent in zip(waiting, percents, strict=True):
                _add(plan, checkpoint, percent, place, first_extra)
            waiting = []
        else:
            waiting = _pair_shifted(plan, waiting, percents, place, first_extra)
    for cell in waiting:
        _leave(plan, cell, place, first_extra, "没有对应的百分数")
    return plan


def _read_mixed_row(
    plan: SpendingPlan, waiting: list[PlanCell], row: Sequence[PlanCell], place: str, first_extra: int
) -> list[PlanCell]:
    """A row with words: checkpoints that wait for their percents, or each followed by its own."""
    waiting = list(waiting)
    own: list[PlanCell] = []
    for cell in row:
        if not is_percent(cell.words):
            own.append(cell)
        elif own:
            _add(plan, own.pop(), cell, place, first_extra)
        else:
            _leave(plan, cell, place, first_extra, "没有对应的时点")
    return waiting + own


def _pair_shifted(
    plan: SpendingPlan, waiting: list[PlanCell], percents: list[PlanCell], place: str, first_extra: int
) -> list[PlanCell]:
    """Percents that stand in other columns than the checkpoints: paired in order where their numbers agree."""
    if len(waiting) == len(percents):
        raw = " ".join(cell.words for cell in percents)
        reason = "时点与百分数不在同一列，个数相同，按先后次序对应，请确认。"
        line = percents[0].line
        repaired = "，".join(f"{when.words} {cell.words}" for when, cell in zip(waiting, percents, strict=True))
        plan.findings.append(
            finding(FindingCode.PLAN_PAIRING, f"{place}/spending_plan", raw, reason, 0.7, repaired=repaired, line=line)
        )
        for checkpoint, percent in zip(waiting, percents, strict=True):
            _add(plan, checkpoint, percent, place, first_extra)
        return []
    by_column = {cell.column: cell for cell in waiting}
    for percent in percents:
        same = by_column.pop(percent.column, None)
        if same is not None:
            _add(plan, same, percent, place, first_extra)
        else:
            _leave(plan, percent, place, first_extra, "没有对应的时点")
    return list(by_column.values())


def _add(plan: SpendingPlan, checkpoint: PlanCell, percent: PlanCell, place: str, first_extra: int) -> None:
    where = f"{place}/spending_plan/{len(plan.checkpoints)}"
    value, findings = read_percent(percent.words, f"{where}/percent", percent.line)
    if value is None:
        at = f"{place}/extra/{first_extra + len(plan.extra)}"
        plan.findings += [replace(item, place=f"{at}/value") for item in findings]
        plan.extra.append(Extra(label=f"{EXTRA_LABEL} {checkpoint.words}", value=percent.words))
        plan.placed += [(checkpoint.line, at), (percent.line, at)]
        return
    plan.findings += findings
    plan.checkpoints.append(Checkpoint(checkpoint=checkpoint.words, percent=value))
    plan.placed += [(checkpoint.line, f"{place}/spending_plan"), (percent.line, f"{place}/spending_plan")]


def _leave(plan: SpendingPlan, cell: PlanCell, place: str, first_extra: int, why: str) -> None:
    at = f"{place}/extra/{first_extra + len(plan.extra)}/value"
    reason = f"支出计划里的“{cell.words[:40]}”{why}，原文存入附加项。"
    plan.findings.append(finding(FindingCode.PLAN_PAIRING, at, cell.words, reason, 0.6, line=cell.line))
    plan.extra.append(Extra(label=EXTRA_LABEL, value=cell.words))
    plan.placed.append((cell.line, at))
