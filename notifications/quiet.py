"""Quiet hours and days off: what comes then is delivered on the next working morning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from models.base import SHANGHAI
from models.errors import InvalidInput

WorkingDay = Callable[[date], bool]
# Longer than any holiday; a calendar that knows no working day at all must not keep messages for ever.
_LONGEST = 31


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The local hours in which nobody is disturbed, from ``begins`` to ``ends``, over midnight where it begins later."""

    begins: time = time(20)
    ends: time = time(8)
    days_off: bool = True

    def not_before(self, moment: datetime, works: WorkingDay) -> datetime:
        """The first time from ``moment`` on (aware) at which somebody may be disturbed; aware UTC."""
        local = moment.astimezone(SHANGHAI)
        for _ in range(_LONGEST):
            if self.days_off and not works(local.date()):
                local = _at(local.date() + timedelta(days=1), time(0))
            elif self._is_quiet(local.time()):
                tomorrow = self.begins > self.ends and local.time() >= self.begins
                local = _at(local.date() + timedelta(days=tomorrow), self.ends)
            else:
                break
        return max(local.astimezone(UTC), moment.astimezone(UTC))

    def _is_quiet(self, now: time) -> bool:
        if self.begins <= self.ends:
            return self.begins <= now < self.ends
        return now >= self.begins or now < self.ends


def parse_hours(text: str) -> tuple[time, time]:
    """The two times of ``20:00-08:00``; raises InvalidInput."""
    try:
        begins, ends = (time.fromisoformat(part.strip()) for part in text.split("-"))
    except ValueError:
        raise InvalidInput(f"免打扰时间“{text}”无法识别；应写成 20:00-08:00。") from None
    if begins.tzinfo or ends.tzinfo:
        raise InvalidInput(f"免打扰时间“{text}”不能带时区；一律是北京时间。")
    return begins, ends


def _at(day: date, moment: time) -> datetime:
    return datetime.combine(day, moment, SHANGHAI)
