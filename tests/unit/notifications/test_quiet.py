from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.base import SHANGHAI
from models.errors import InvalidInput
from notifications.quiet import QuietHours, parse_hours
from workflow.deadlines import CHINA

MOMENTS = st.integers(0, 186_000_000).map(lambda seconds: datetime(2021, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-03-03 10:00", "2026-03-03 10:00"),
        ("2026-03-03 19:59:59", "2026-03-03 19:59:59"),
        ("2026-03-03 20:00", "2026-03-04 08:00"),
        ("2026-03-04 07:59", "2026-03-04 08:00"),
        # A Friday evening, and a Saturday noon.
        ("2026-03-06 20:30", "2026-03-09 08:00"),
        ("2026-03-07 12:00", "2026-03-09 08:00"),
        # Before the spring holiday of 2026 (15 to 23 February), whose Saturday before is worked in its place.
        ("2026-02-13 21:00", "2026-02-14 08:00"),
        ("2026-02-14 20:00", "2026-02-24 08:00"),
    ],
)
def test_what_comes_in_quiet_hours_waits_for_the_next_working_morning(at, until):
    assert QuietHours().not_before(local(at), CHINA.is_working_day) == local(until)


@settings(deadline=None)
@given(MOMENTS)
def test_nobody_is_ever_disturbed_in_quiet_hours_or_on_a_day_off(moment):
    found = QuietHours().not_before(moment, CHINA.is_working_day)
    there = found.astimezone(SHANGHAI)
    assert found >= moment
    assert time(8) <= there.time() < time(20)
    assert CHINA.is_working_day(there.date())
    assert QuietHours().not_before(found, CHINA.is_working_day) == found


@settings(deadline=None)
@given(MOMENTS)
def test_no_message_waits_for_longer_than_a_holiday(moment):
    assert QuietHours().not_before(moment, CHINA.is_working_day) - moment < timedelta(days=12)


def test_a_calendar_without_working_days_does_not_keep_messages_for_ever():
    assert QuietHours().not_before(local("2026-03-03 10:00"), lambda _: False) < local("2026-05-01 00:00")


def test_days_off_may_be_days_like_others():
    quiet = QuietHours(days_off=False)
    assert quiet.not_before(local("2026-03-07 12:00"), lambda _: False) == local("2026-03-07 12:00")


def test_hours_within_a_day():
    quiet = QuietHours(time(12), time(14))
    assert quiet.not_before(local("2026-03-03 12:30"), lambda _: True) == local("2026-03-03 14:00")
    assert quiet.not_before(local("2026-03-03 23:00"), lambda _: True) == local("2026-03-03 23:00")


def test_hours_are_read():
    assert parse_hours("21:30 - 07:15") == (time(21, 30), time(7, 15))
    for wrong in ("", "20:00", "20:00-25:00", "20-08-10", "20:00+08:00-08:00"):
        with pytest.raises(InvalidInput):
            parse_hours(wrong)


def test_the_day_is_the_local_one():
    # 23:30 UTC on Sunday is 07:30 on Monday in Shanghai.
    moment = datetime(2026, 3, 8, 23, 30, tzinfo=UTC)
    assert QuietHours().not_before(moment, CHINA.is_working_day) == datetime(2026, 3, 9, 0, 0, tzinfo=UTC)
    assert not CHINA.is_working_day(date(2026, 3, 8))
