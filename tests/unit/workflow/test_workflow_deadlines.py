from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.deadlines import Deadline, due_day, is_working_day, parse_deadline

SHANGHAI = ZoneInfo("Asia/Shanghai")


def due(text: str, *opened: int) -> str:
    """Due day of a deadline that opened at a local time."""
    return due_day(parse_deadline(text), datetime(*opened, tzinfo=SHANGHAI)).isoformat()  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("text", "days", "working"),
    [("1 day", 1, False), ("20 days", 20, False), ("1 working day", 1, True), ("9999 working days", 9999, True)],
)
def test_deadline_is_read(text: str, days: int, working: bool) -> None:
    assert parse_deadline(text) == Deadline(days, working)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "days",
        "0 days",
        "-1 days",
        "03 days",
        "10000 days",
        "3  days",
        " 3 days",
        "3 days ",
        "3 days\n",
        "3 Days",
        "3 workingdays",
        "３ days",
        "3.5 days",
        "3 weeks",
        "三天",
        "1e3 days",
    ],
)
def test_other_deadlines_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="期限"):
        parse_deadline(text)


# The State Council's calendar of 2026: Spring Festival 15 to 23 February, Saturdays 14 and 28 are worked instead.
@pytest.mark.parametrize(
    ("day", "working"),
    [
        ((2026, 2, 13), True),
        ((2026, 2, 14), True),
        ((2026, 2, 15), False),
        ((2026, 2, 16), False),
        ((2026, 2, 23), False),
        ((2026, 2, 24), True),
        ((2026, 2, 28), True),
        ((2026, 3, 1), False),
    ],
)
def test_working_days_around_the_spring_festival(day: tuple[int, int, int], working: bool) -> None:
    assert is_working_day(date(*day)) is working


@pytest.mark.parametrize(
    ("text", "opened", "expected"),
    [
        ("1 working day", (2026, 2, 13, 9, 0), "2026-02-14"),
        ("2 working days", (2026, 2, 13, 9, 0), "2026-02-24"),
        ("3 working days", (2026, 2, 13, 9, 0), "2026-02-25"),
        ("6 working days", (2026, 2, 13, 9, 0), "2026-02-28"),
        ("7 working days", (2026, 2, 13, 9, 0), "2026-03-02"),
        ("1 working day", (2026, 2, 18, 9, 0), "2026-02-24"),
        ("20 days", (2026, 2, 13, 9, 0), "2026-03-05"),
        ("1 day", (2026, 12, 31, 9, 0), "2027-01-01"),
    ],
)
def test_deadline_counts_from_the_day_after(text: str, opened: tuple[int, ...], expected: str) -> None:
    assert due(text, *opened) == expected


def test_year_without_published_holidays_counts_monday_to_friday() -> None:
    # 1 October is a holiday in every year; a calendar that does not know the year can't know it.
    assert is_working_day(date(2099, 10, 1))
    assert not is_working_day(date(2099, 10, 3))
    assert due("2 working days", 2099, 10, 1, 9, 0) == "2099-10-05"
    assert is_working_day(date(1999, 10, 1))


def test_local_day_counts_late_in_the_evening() -> None:
    assert due("1 day", 2026, 3, 2, 23, 30) == "2026-03-03"
    # 16:30 in UTC is half past midnight of the next day in Shanghai.
    assert due_day(Deadline(1, False), datetime(2026, 3, 2, 15, 59, tzinfo=UTC)) == date(2026, 3, 3)
    assert due_day(Deadline(1, False), datetime(2026, 3, 2, 16, 0, tzinfo=UTC)) == date(2026, 3, 4)
    assert due_day(Deadline(1, True), datetime(2026, 2, 13, 16, 30, tzinfo=UTC)) == date(2026, 2, 24)


@given(st.integers(1, 40), st.dates(date(2020, 1, 1), date(2030, 12, 31)))
def test_deadline_ends_on_a_working_day_after_so_many(days: int, opened: date) -> None:
    start = datetime(opened.year, opened.month, opened.day, 12, tzinfo=SHANGHAI)
    last = due_day(Deadline(days, True), start)
    between = [opened + timedelta(days=step) for step in range(1, (last - opened).days + 1)]
    assert sum(map(is_working_day, between)) == days
    assert is_working_day(last)
