"""When a deadline reminds: three, one and no working days before its last day, then daily, and the head after three.

A task with a publication deadline (20 calendar days after the approval) is also counted down in calendar days. Reminders go
out on working days only; the last working day before the end counts as the last day, since the end itself may be a Sunday.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from notifications.kinds import Kind

WorkingDay = Callable[[date], bool]

_BEFORE = (0, 1, 3)
# Calendar days before the end of a publication deadline.
_COUNTDOWN = (5, 10)
# Working days after the last day, at which the head of the role is told.
ESCALATION = 3
# No deadline that anybody set is so far away that its days need counting one by one.
_HORIZON = 400


@dataclass(frozen=True, slots=True)
class Stage:
    """A reminder that is due: its name (unique for a task and its last day), its kind, and what it says of the time."""

    name: str
    kind: Kind
    words: str
    escalates: bool = False


def stage_of(due: date, today: date, works: WorkingDay, *, countdown: bool = False) -> Stage | None:
    """The reminder of a task on a day, None where there is none; a stage that was missed is made up for on a later day.

    ``works`` says of a day whether offices work; on days off nothing is due.
    """
    if not works(today) or abs((due - today).days) > _HORIZON:
        return None
    if today > due:
        late = working_days(due, today, works)
        return Stage(f"late {today}", Kind.OVERDUE, f"已逾期 {late} 个工作日", escalates=late >= ESCALATION)
    left = working_days(today, due, works)
    for limit in _BEFORE:
        if left <= limit:
            words = (
                f"还有 {left} 个工作日" if left else "今天是最后一天" if due == today else "今天是期限前最后一个工作日"
            )
            return Stage(f"left {limit}", Kind.DUE, words)
    if countdown:
        days = (due - today).days
        for limit in _COUNTDOWN:
            if days <= limit:
                return Stage(f"countdown {limit}", Kind.DUE, f"还有 {days} 天（自然日）")
    return None


def working_days(after: date, until: date, works: WorkingDay) -> int:
    """How many working days there are after a day, up to and with another."""
    return sum(works(after + timedelta(days=number)) for number in range(1, (until - after).days + 1))
