"""What a simulation observes, and what it tells: waiting, work, queues, staff, cycle times, and the bottleneck.

All times are working days of eight hours; a share is a number from 0 to 1.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from workflow.definition import Definition

# A mean wait below it (about half an hour) is nothing that one more person would shorten.
_NOTICEABLE = 0.06


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures of a sample in working days; all of them 0 where ``count`` is 0. ``p90`` is the nearest rank."""

    count: int
    mean: float
    median: float
    p90: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Summary:
        """The figures of these values."""
        if not values:
            return cls(0, 0.0, 0.0, 0.0, 0.0)
        ranked = sorted(values)
        count, half = len(ranked), len(ranked) // 2
        median = ranked[half] if count % 2 else (ranked[half - 1] + ranked[half]) / 2
        return cls(count, math.fsum(ranked) / count, median, ranked[math.ceil(0.9 * count) - 1], ranked[-1])


@dataclass(frozen=True, slots=True)
class StateReport:
    """A state: each time that somebody handled a text there, how many waited, and how often its deadline was kept."""

    name: str
    title: str
    wait: Summary
    service: Summary
    queue_mean: float
    queue_max: int
    due: int
    on_time: float | None


@dataclass(frozen=True, slots=True)
class RoleReport:
    """A role: how many people (None: as many as it takes), days worked by all of them, and the share of their time."""

    name: str
    title: str
    staff: int | None
    handled: int
    busy: float
    utilisation: float | None


@dataclass(frozen=True, slots=True)
class Stopped:
    """A text that came to no final state, by its number from 1, where it stopped, and why in Chinese."""

    text: int
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """The busiest role, the state with the longest mean wait, what one more person changes, in one Chinese ``sentence``.

    Without a role of limited staff that anybody waits for, only the sentence is there. ``saved`` is the difference of the
    mean cycle time, None where no text came to its end.
    """

    sentence: str
    role: str | None = None
    state: str | None = None
    saved: float | None = None
    cycle_mean: float | None = None
    wait_mean: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A whole simulation; ``texts == finished + len(stopped)``. ``days`` is the time until the last text ended."""

    definition: str
    version: int
    title: str
    seed: int
    texts: int
    finished: int
    stopped: tuple[Stopped, ...]
    days: float
    cycle: Summary
    rounds: tuple[tuple[int, int], ...]
    on_time: float | None
    states: tuple[StateReport, ...]
    roles: tuple[RoleReport, ...]
    bottleneck: Bottleneck
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Its members by name; ``rounds`` maps the number of rounds (a text) to finished texts; six decimal places."""
        value = {**asdict(self), "rounds": {str(number): count for number, count in self.rounds}}
        rounded: dict[str, Any] = _rounded(value)
        return rounded

    def state(self, name: str) -> StateReport:
        """The figures of a state; raises KeyError for one in which nothing can happen."""
        return {item.name: item for item in self.states}[name]

    def role(self, name: str) -> RoleReport:
        """The figures of a role; raises KeyError for an unknown one."""
        return {item.name: item for item in self.roles}[name]


@dataclass(slots=True)
class Desk:
    """What is observed in a state; ``area`` is the number of waiting texts, integrated over time."""

    waits: list[float] = field(default_factory=list)
    services: list[float] = field(default_factory=list)
    waiting: int = 0
    most: int = 0
    since: float = 0.0
    area: float = 0.0
    due: int = 0
    kept: int = 0

    def queue(self, change: int, now: float) -> None:
        """So many more (or fewer) wait from now on."""
        self.area += self.waiting * (now - self.since)
        self.waiting, self.since = self.waiting + change, now
        self.most = max(self.most, self.waiting)


@dataclass(slots=True)
class Ledger:
    """Everything that one run observes."""

    desks: dict[str, Desk]
    busy: dict[str, float]
    handled: dict[str, int]
    cycles: list[float] = field(default_factory=list)
    rounds: Counter[int] = field(default_factory=Counter)
    stopped: list[Stopped] = field(default_factory=list)
    last: float = 0.0

    @classmethod
    def empty(cls, definition: Definition) -> Ledger:
        """A ledger with a desk for each state that has something to do."""
        desks = {name: Desk() for name, state in definition.states.items() if not state.final}
        return cls(desks, dict.fromkeys(definition.roles, 0.0), dict.fromkeys(definition.roles, 0))

    def state_reports(self, definition: Definition) -> tuple[StateReport, ...]:
        """The figures of each state, in the order of the definition."""
        return tuple(
            StateReport(
                name,
                definition.states[name].title,
                Summary.of(desk.waits),
                Summary.of(desk.services),
                desk.area / self.last if self.last else 0.0,
                desk.most,
                desk.due,
                desk.kept / desk.due if desk.due else None,
            )
            for name, desk in self.desks.items()
        )

    def role_reports(self, definition: Definition, staff: Mapping[str, int | None]) -> tuple[RoleReport, ...]:
        """The figures of each role, in the order of the definition."""
        out = []
        for name, rule in definition.roles.items():
            people, busy = staff[name], self.busy[name]
            share = None if people is None else busy / (people * self.last) if self.last else 0.0
            out.append(RoleReport(name, rule.title, people, self.handled[name], busy, share))
        return tuple(out)

    def on_time(self) -> float | None:
        """The share of tasks with a deadline that were done by it; None where there were none."""
        due = sum(desk.due for desk in self.desks.values())
        return sum(desk.kept for desk in self.desks.values()) / due if due else None


def narrowest(states: Sequence[StateReport], roles: Sequence[RoleReport]) -> tuple[RoleReport, StateReport] | None:
    """The role of limited staff with the highest utilisation and the state with the longest mean wait; None without waits.

    Of equals the first in the definition.
    """
    limited = [role for role in roles if role.utilisation is not None]
    longest = max(states, key=lambda state: state.wait.mean, default=None)
    if not limited or longest is None or longest.wait.mean < _NOTICEABLE:
        return None
    return max(limited, key=lambda role: role.utilisation or 0.0), longest


def free() -> Bottleneck:
    """What is told where nobody waits."""
    return Bottleneck("没有瓶颈：按这样的人数，文本几乎不用等人。")


def compared(
    role: RoleReport, state: StateReport, cycle: Summary, more_cycle: Summary, more_state: StateReport
) -> Bottleneck:
    """The bottleneck, with the cycle times and the same state of a run that has one more person in the role."""
    told = (
        f"瓶颈是“{role.title}”（{role.staff} 人，利用率 {role.utilisation or 0.0:.0%}），等待最长的环节是“{state.title}”"
        f"（平均 {state.wait.mean:.1f} 个工作日）；“{role.title}”增加 1 人，该环节平均等待变为 {more_state.wait.mean:.1f} 个工作日，"
    )
    if not cycle.count or not more_cycle.count:
        return Bottleneck(f"{told}但没有文本办结，无法比较全程用时。", role.name, state.name)
    saved = cycle.mean - more_cycle.mean
    change = f"缩短 {saved:.1f}" if saved >= 0 else f"延长 {-saved:.1f}"
    return Bottleneck(
        f"{told}全程平均用时从 {cycle.mean:.1f} 变为 {more_cycle.mean:.1f} 个工作日，{change} 个工作日。",
        role.name,
        state.name,
        saved,
        more_cycle.mean,
        more_state.wait.mean,
    )


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return round(value, 6)
        case dict():
            return {key: _rounded(member) for key, member in value.items()}
        case list() | tuple():
            return [_rounded(member) for member in value]
    return value
