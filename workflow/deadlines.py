"""Deadlines: ``3 working days`` by the working calendar, ``20 days`` by the plain one, ``before 2026-02-10`` by its date.

Working days come from ``chinesecalendar`` (holidays and 调休 as the State Council publishes them each year), changed by the
days that an installation has set itself; a year without data falls back to Monday to Friday, and says so. The local day
counts: a text submitted at 23:30 in Shanghai was submitted on that day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache

from models.base import SHANGHAI

_DEADLINE = re.compile(r"([1-9][0-9]{0,3}) (working )?days?")
_BEFORE = re.compile(r"before ([0-9]{4}-[0-9]{2}-[0-9]{2})")

# The calendars that a definition can name.
CALENDARS: dict[str, str] = {"china": "国务院放假安排，含调休", "weekdays": "周一至周五"}


@dataclass(frozen=True, slots=True)
class Deadline:
    """So many days, or working days, after the day a task opens; or the day ``before``, which is itself still in time."""

    days: int
    working: bool
    before: date | None = None


@dataclass(frozen=True, slots=True)
class Calendar:
    """A working calendar by its name, with the days that are worked (or not) whatever it says."""

    name: str
    overrides: Mapping[date, bool] = field(default_factory=dict)

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on a day."""
        known = self.overrides.get(day)
        if known is not None:
            return known
        return is_working_day(day) if self.name == "china" else day.weekday() < 5

    def covers(self, year: int) -> bool:
        """Whether the days of a year are known, and not only assumed; what Monday to Friday says is always known.

        Single days that were set for a year do not make it known: the others are assumed as before.
        """
        return self.name != "china" or _published(year)


CHINA = Calendar("china")


def calendar(name: str | None, overrides: Mapping[date, bool] | None = None) -> Calendar:
    """A calendar by its name (None: china); raises ValueError for an unknown one."""
    name = name or CHINA.name
    if name not in CALENDARS:
        raise ValueError(f"没有名为“{name}”的工作日历；可以用 {'、'.join(CALENDARS)}")
    return Calendar(name, dict(overrides or {}))


def parse_deadline(text: str) -> Deadline:
    """Deadline of ``N days``, ``N working days`` or ``before YYYY-MM-DD``; raises ValueError for anything else."""
    match = _DEADLINE.fullmatch(text)
    if match:
        return Deadline(int(match[1]), bool(match[2]))
    match = _BEFORE.fullmatch(text)
    if match:
        try:
            return Deadline(0, False, date.fromisoformat(match[1]))
        except ValueError:
            raise ValueError(f"期限“{text}”中的日期不存在") from None
    raise ValueError(f"期限“{text}”无法识别；应写成“3 working days”“20 days”或“before 2026-02-10”")


@lru_cache(maxsize=4096)
def is_working_day(day: date) -> bool:
    """Whether offices work on a day by the published calendar; Monday to Friday in a year without data.

    Remembered, since the library looks through its whole table at each question, and a deadline asks for every day.
    """
    import chinese_calendar  # its tables cost 40 ms to load, and most commands need none

    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5


@lru_cache(maxsize=256)
def _published(year: int) -> bool:
    import chinese_calendar

    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


def due_day(deadline: Deadline, opened: datetime, days: Calendar = CHINA) -> date:
    """The last day that is still in time, of a deadline that opened at an aware time.

    Days are counted from the day after the opening; ``before 2026-02-10`` names its last day itself, 10 February.
    """
    if deadline.before is not None:
        return deadline.before
    return _after(opened.astimezone(SHANGHAI).date(), deadline.days, days if deadline.working else None)


def resumed_day(deadline: Deadline, left: int, opened: datetime, days: Calendar = CHINA) -> date:
    """The last day of a task that opens again with ``left`` days of its deadline; today where none is left.

    A fixed day is never moved.
    """
    if deadline.before is not None:
        return deadline.before
    return _after(opened.astimezone(SHANGHAI).date(), max(0, left), days if deadline.working else None)


def days_left(deadline: Deadline, due: date, today: date, days: Calendar = CHINA) -> int:
    """How many days, in the deadline's own unit, are left until ``due``: 0 on the last day, negative afterwards.

    The weekend after a due Friday has no working day in it, yet is late: it counts -1, as the Monday does.
    """
    if not deadline.working:
        return (due - today).days
    first, last = min(due, today), max(due, today)
    between = sum(days.is_working_day(first + timedelta(days=number)) for number in range(1, (last - first).days + 1))
    return between if due >= today else min(-1, -between)


def unsure_years(deadline: Deadline, opened: datetime, days: Calendar = CHINA) -> tuple[int, ...]:
    """The years whose working days are only assumed, among those that the deadline counts days of."""
    if not deadline.working:
        return ()
    # The day of the opening is not counted, so the year of a New Year's Eve is no doubt.
    first = opened.astimezone(SHANGHAI).date() + timedelta(days=1)
    last = due_day(deadline, opened, days)
    return tuple(year for year in range(first.year, last.year + 1) if not days.covers(year))


def assumed(years: tuple[int, ...]) -> str:
    """What people are told about years whose days are only assumed."""
    listed = "、".join(str(year) for year in years)
    # The holidays may be published and only this program not have them yet, so it speaks of its own calendar.
    return f"工作日历里没有 {listed} 年的放假安排，期限按周一至周五推算；请更新程序，或用 jixiao calendar set 设置"


def _after(day: date, count: int, days: Calendar | None) -> date:
    if days is None:
        return day + timedelta(days=count)
    left = count
    while left > 0:
        day += timedelta(days=1)
        left -= days.is_working_day(day)
    return day
