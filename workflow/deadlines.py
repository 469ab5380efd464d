"""Deadlines: ``3 working days`` by the working calendar, ``20 days`` by the plain one.

Working days come from ``chinesecalendar`` (holidays and 调休 as the State Council publishes them each year); a year it
does not know falls back to Monday to Friday. The local day counts: a text submitted at 23:30 in Shanghai was submitted
on that day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from models.base import SHANGHAI

_DEADLINE = re.compile(r"([1-9][0-9]{0,3}) (working )?days?")


@dataclass(frozen=True, slots=True)
class Deadline:
    """So many days, or working days, after the day a task opens."""

    days: int
    working: bool


def parse_deadline(text: str) -> Deadline:
    """Deadline of ``N days`` or ``N working days``; raises ValueError for anything else."""
    match = _DEADLINE.fullmatch(text)
    if not match:
        raise ValueError(f"期限“{text}”无法识别；应写成“3 working days”或“20 days”")
    return Deadline(int(match[1]), bool(match[2]))


@lru_cache(maxsize=4096)
def is_working_day(day: date) -> bool:
    """Whether offices work on a day; Monday to Friday in a year without published data.

    Remembered, since the library looks through its whole table at each question, and a deadline asks for every day.
    """
    import chinese_calendar  # its tables cost 40 ms to load, and most commands need none

    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5


def due_day(deadline: Deadline, opened: datetime) -> date:
    """The last day of a deadline that opened at an aware time."""
    day = opened.astimezone(SHANGHAI).date()
    if not deadline.working:
        return day + timedelta(days=deadline.days)
    left = deadline.days
    while left:
        day += timedelta(days=1)
        left -= is_working_day(day)
    return day
