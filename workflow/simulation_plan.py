"""What a simulation is told: how texts arrive, who is there, how long work takes, and how often texts come back."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal

from workflow.definition import LAST_ACTOR, Definition

MOST_TEXTS: Final = 100_000
_NUMBER: Final = r"([0-9]{1,6}(?:\.[0-9]{1,6})?)"
_RATE: Final = re.compile(rf"{_NUMBER} per (day|week)")
_BATCH: Final = re.compile(r"batch ([1-9][0-9]{0,5}) every (?:([1-9][0-9]{0,3}) )?working days?")
_TIME: Final = re.compile(rf"{_NUMBER}([mhd])")
_DAYS: Final = {"m": 1 / 480, "h": 1 / 8, "d": 1.0}


@dataclass(frozen=True, slots=True)
class Arrivals:
    """When texts begin: ``rate`` a working day at random (Poisson), or ``batch`` at once ``every`` so many working days.

    With neither all begin at once.
    """

    rate: float | None = None
    batch: int | None = None
    every: int = 1

    def times(self, texts: int, dice: random.Random) -> list[float]:
        """The beginning of each text in working days."""
        if self.rate is None:
            return [0.0 if self.batch is None else float(number // self.batch * self.every) for number in range(texts)]
        now, out = 0.0, []
        for _ in range(texts):
            now += dice.expovariate(self.rate)
            out.append(now)
        return out


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated: people by role, mean times of work in working days by state (which goes first) or role.

    ``probabilities`` by action, for each time that somebody handles a text (for a recall: that a step is taken back; for the
    outcome against: that one vote is against). ``direct`` is the share of returns that lead straight back where whoever
    returns may choose. ``start`` is the first working day, for deadlines by date and by plain days.
    """

    texts: int = 1000
    arrivals: Arrivals = Arrivals()
    staff: Mapping[str, int] = field(default_factory=dict)
    service: Mapping[str, float] = field(default_factory=dict)
    probabilities: Mapping[str, float] = field(default_factory=dict)
    direct: float = 0.5
    shape: Literal["exponential", "constant"] = "exponential"
    seed: int = 0
    start: date = date(2026, 1, 5)


def parse_arrivals(text: str) -> Arrivals:
    """``all at once``, ``40 per day``, ``12.5 per week``, ``batch 50 every 5 working days``; raises ValueError."""
    if text == "all at once":
        return Arrivals()
    if match := _RATE.fullmatch(text):
        rate = float(match[1]) / (1 if match[2] == "day" else 5)
        if rate > 0:
            return Arrivals(rate=rate)
    if match := _BATCH.fullmatch(text):
        return Arrivals(batch=int(match[1]), every=int(match[2] or 1))
    raise ValueError(
        f"文本到达方式“{text}”无法识别；应写成“all at once”“40 per day”“200 per week”或“batch 50 every 5 working days”"
    )


def parse_staff(items: Iterable[str]) -> dict[str, int]:
    """People by role of texts such as ``reviewer=3``; raises ValueError."""
    return {name: _staff(value, text) for name, value, text in _pairs(items, "reviewer=3")}


def parse_service(items: Iterable[str]) -> dict[str, float]:
    """Working days by state or role of texts such as ``second_review=2h``, ``0.5d`` or ``30m``; raises ValueError."""
    out = {}
    for name, value, text in _pairs(items, "second_review=2h"):
        match = _TIME.fullmatch(value)
        if match is None or not float(match[1]):
            raise ValueError(f"办理用时“{text}”无法识别；应写成“second_review=2h”“reviewer=0.5d”或“approver=30m”")
        out[name] = float(match[1]) * _DAYS[match[2]]
    return out


def parse_probabilities(items: Iterable[str]) -> dict[str, float]:
    """Probabilities by action of texts such as ``return=0.3``; raises ValueError."""
    out = {}
    for name, value, text in _pairs(items, "return=0.3"):
        if not re.fullmatch(_NUMBER, value) or float(value) > 1:
            raise ValueError(f"概率“{text}”无法识别；应写成“return=0.3”，概率在 0 和 1 之间")
        out[name] = float(value)
    return out


def people_of(definition: Definition, plan: Plan, role: str) -> int | None:
    """How many people a role has; None: as many as it takes."""
    return plan.staff.get(role, None if definition.side(role) == "department" else 1)


def _pairs(items: Iterable[str], example: str) -> Iterator[tuple[str, str, str]]:
    seen = set()
    for text in items:
        name, sign, value = text.partition("=")
        if not name or not sign:
            raise ValueError(f"“{text}”无法识别；应写成“{example}”")
        if name in seen:
            raise ValueError(f"“{name}”写了两次")
        seen.add(name)
        yield name, value, text


def _staff(value: str, text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,4}", value):
        raise ValueError(f"人数“{text}”无法识别；应写成“reviewer=3”，至少 1 人")
    return int(value)


def check_plan(definition: Definition, plan: Plan) -> None:
    """Raises ValueError for whatever in a plan does not fit the definition."""
    actions = list(dict.fromkeys(item.action for item in definition.transitions))
    for kind, names, known in (
        ("角色", plan.staff, [*definition.roles]),
        ("环节或角色", plan.service, [*definition.states, *definition.roles]),
        ("动作", plan.probabilities, actions),
    ):
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ValueError(f"流程“{definition.title}”没有{kind}“{'、'.join(unknown)}”；可以用 {'、'.join(known)}")
    if not 1 <= plan.texts <= MOST_TEXTS:
        raise ValueError(f"文本数应在 1 和 {MOST_TEXTS} 之间，不能是 {plan.texts}")
    given = plan.arrivals
    if (given.rate is not None and not 0 < given.rate < math.inf) or (given.batch or 1) < 1 or given.every < 1:
        raise ValueError("文本到达的数量和间隔应大于 0")
    if any(people < 1 for people in plan.staff.values()):
        raise ValueError("每个角色至少 1 人")
    if any(not 0 < mean < math.inf for mean in plan.service.values()):
        raise ValueError("办理用时应大于 0")
    if any(not 0 <= chance <= 1 for chance in (*plan.probabilities.values(), plan.direct)):
        raise ValueError("概率应在 0 和 1 之间")
    if plan.start.weekday() > 4:
        raise ValueError(f"开始日期 {plan.start} 不是工作日（周一至周五）")
    for name, state in definition.states.items():
        voted = {state.sign.passed, state.sign.failed} if state.sign else set()
        mine = dict.fromkeys(item.action for item in definition.leaving(name) if item.by != LAST_ACTOR)
        total = math.fsum(plan.probabilities.get(action, 0.0) for action in mine if action not in voted)
        if total > 1 + 1e-9:  # sums of shares are not exact
            raise ValueError(f"环节“{state.title}”各动作的概率合计 {total:g}，超过 1")


def notes_of(definition: Definition, staff: Mapping[str, int | None]) -> tuple[str, ...]:
    """What the figures take for granted."""
    free_roles = [definition.roles[role].title for role, people in staff.items() if people is None]
    notes = ["不考虑节假日、请假、代理和回避；校验都视为通过"]
    if free_roles:
        notes.append(f"{'、'.join(free_roles)}没有给人数，各单位各办各的，不排队")
    if any(item.when for item in definition.transitions):
        notes.append("按内容分流的各种情形按相同概率计算")
    return tuple(notes)
