from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workflow.deadlines import (
    CALENDARS,
    CHINA,
    Calendar,
    Deadline,
    assumed,
    calendar,
    days_left,
    due_day,
    is_working_day,
    parse_deadline,
    resumed_day,
    unsure_years,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
WEEKDAYS = calendar("weekdays")
WORKING = Deadline(3, True)
NINE = time(9, tzinfo=SHANGHAI)

# Years with published days and years without, so that deadlines also run from the one into the other.
days = st.dates(date(2024, 1, 1), date(2029, 12, 31))
calendars = st.builds(
    calendar,
    st.sampled_from([None, *CALENDARS]),
    st.dictionaries(st.dates(date(2026, 1, 1), date(2026, 3, 31)), st.booleans(), max_size=40),
)
counted = st.builds(Deadline, st.integers(1, 40), st.booleans())


def due(text: str, *opened: int) -> str:
    """Due day of a deadline that opened at a local time."""
    return due_day(parse_deadline(text), datetime(*opened, tzinfo=SHANGHAI)).isoformat()  # type: ignore[misc,arg-type]


def morning(day: date) -> datetime:
    return datetime.combine(day, NINE)


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
        "before",
        "before 2026-2-10",
        "before 20260210",
        "before 2026-W07-2",
        "before 2026-02-10T00:00",
        "before 2026-02-10\n",
        "Before 2026-02-10",
        "before  2026-02-10",
        "before ２０２６-02-10",
        "after 2026-02-10",
        "2026-02-10",
    ],
)
def test_other_deadlines_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="无法识别；应写成"):
        parse_deadline(text)


def test_deadline_by_date_is_read() -> None:
    assert parse_deadline("before 2026-02-10") == Deadline(0, False, date(2026, 2, 10))
    assert parse_deadline("before 2028-02-29").before == date(2028, 2, 29)


@pytest.mark.parametrize("day", ["2026-02-29", "2026-02-30", "2026-13-01", "2026-00-10", "2026-04-31", "0000-01-01"])
def test_date_that_does_not_exist_is_refused(day: str) -> None:
    with pytest.raises(ValueError, match=f"“before {day}”中的日期不存在"):
        parse_deadline(f"before {day}")


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


# Published for National Day: 2021 1 to 7 October, worked 26 September and 9 October; 2025 1 to 8 October with Mid-Autumn,
# worked 28 September and 11 October; 2020 1 to 8 October, worked 27 September and 10 October.
@pytest.mark.parametrize(
    ("day", "working"),
    [
        ("2021-09-26", True),
        ("2021-10-01", False),
        ("2021-10-07", False),
        ("2021-10-08", True),
        ("2021-10-09", True),
        ("2021-10-10", False),
        ("2025-09-28", True),
        ("2025-10-08", False),
        ("2025-10-09", True),
        ("2025-10-11", True),
        ("2020-09-27", True),
        ("2020-10-08", False),
        ("2020-10-10", True),
    ],
)
def test_working_days_around_national_day(day: str, working: bool) -> None:
    assert CHINA.is_working_day(date.fromisoformat(day)) is working


def test_deadline_over_national_day_counts_the_days_worked_in_exchange() -> None:
    assert due("3 working days", 2021, 9, 29, 9, 0) == "2021-10-09"  # 30 September, 8 October, Saturday 9 October
    assert due("4 working days", 2021, 9, 29, 9, 0) == "2021-10-11"


def test_weekday_calendar_knows_no_holidays() -> None:
    assert due_day(Deadline(3, True), morning(date(2021, 9, 29)), WEEKDAYS) == date(2021, 10, 4)
    assert WEEKDAYS.is_working_day(date(2021, 10, 1))
    assert not WEEKDAYS.is_working_day(date(2021, 10, 9))


def test_calendar_is_china_unless_named() -> None:
    assert calendar(None) == CHINA == calendar("china")
    assert calendar("weekdays").name == "weekdays"
    for name in CALENDARS:
        assert calendar(name).name == name


@pytest.mark.parametrize("name", ["moon", "China", "china ", "中国"])
def test_unknown_calendar_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(ValueError, match=f"没有名为“{name}”的工作日历；可以用 china、weekdays"):
        calendar(name)


@pytest.mark.parametrize("name", list(CALENDARS))
def test_days_that_were_set_turn_a_calendar_both_ways(name: str) -> None:
    friday, saturday, monday = date(2026, 3, 6), date(2026, 3, 7), date(2026, 3, 9)
    usual = calendar(name)
    assert [usual.is_working_day(day) for day in (friday, saturday, monday)] == [True, False, True]
    changed = calendar(name, {friday: False, saturday: True})
    assert [changed.is_working_day(day) for day in (friday, saturday, monday)] == [False, True, True]
    thursday = morning(date(2026, 3, 5))
    assert due_day(Deadline(1, True), thursday, changed) == saturday
    assert due_day(Deadline(2, True), thursday, changed) == monday
    # Plain days are counted whatever is worked.
    assert due_day(Deadline(1, False), thursday, changed) == friday


def test_days_that_were_set_overrule_a_published_holiday_and_exchange() -> None:
    changed = calendar("china", {date(2026, 2, 17): True, date(2026, 2, 14): False})
    assert changed.is_working_day(date(2026, 2, 17))
    assert not changed.is_working_day(date(2026, 2, 14))
    assert not changed.is_working_day(date(2026, 2, 18))
    assert due_day(Deadline(1, True), morning(date(2026, 2, 13)), changed) == date(2026, 2, 17)


def test_calendar_keeps_its_days_when_the_given_ones_change() -> None:
    given_days = {date(2026, 3, 7): True}
    made = calendar("china", given_days)
    given_days.clear()
    assert made.is_working_day(date(2026, 3, 7))


def test_years_without_data_are_not_covered_even_where_days_were_set() -> None:
    assert all(CHINA.covers(year) for year in range(2004, 2027))
    assert not CHINA.covers(2031)
    assert not CHINA.covers(2003)
    assert not calendar("china", {date(2031, 10, 1): False}).covers(2031)
    assert WEEKDAYS.covers(2031)


def test_days_that_were_set_hold_in_a_year_without_data() -> None:
    changed = calendar("china", {date(2031, 10, 1): False, date(2031, 10, 4): True})
    opened = morning(date(2031, 9, 30))  # a Tuesday; 1 October is a Wednesday
    assert due_day(WORKING, opened) == date(2031, 10, 3)
    assert due_day(WORKING, opened, changed) == date(2031, 10, 4)


@pytest.mark.parametrize(
    ("text", "opened", "years"),
    [
        ("3 working days", (2026, 12, 1), ()),
        ("30 working days", (2026, 12, 1), (2027,)),
        ("3 working days", (2031, 5, 6), (2031,)),
        ("300 working days", (2031, 5, 6), (2031, 2032)),
        ("300 days", (2031, 5, 6), ()),
        ("before 2031-12-31", (2031, 5, 6), ()),
        # No day of the year before is counted.
        ("1 working day", (2031, 12, 31), (2032,)),
        ("1 working day", (2003, 12, 31), ()),
    ],
)
def test_years_whose_days_are_only_assumed_are_named(
    text: str, opened: tuple[int, int, int], years: tuple[int, ...]
) -> None:
    assert unsure_years(parse_deadline(text), morning(date(*opened))) == years
    assert unsure_years(parse_deadline(text), morning(date(*opened)), WEEKDAYS) == ()


def test_days_that_were_set_can_carry_a_deadline_into_a_year_without_data() -> None:
    opened, one = morning(date(2026, 12, 29)), Deadline(1, True)
    changed = calendar("china", {date(2026, 12, 30): False, date(2026, 12, 31): False})
    assert unsure_years(one, opened) == ()
    assert due_day(one, opened, changed) == date(2027, 1, 1)
    assert unsure_years(one, opened, changed) == (2027,)


def test_people_are_told_which_years_are_assumed() -> None:
    told = assumed((2031, 2032))
    assert "没有 2031、2032 年的放假安排" in told
    assert "周一至周五" in told
    assert "jixiao calendar set" in told


def test_day_of_a_deadline_by_date_is_itself_in_time_and_never_moves() -> None:
    deadline = parse_deadline("before 2026-02-10")
    last = due_day(deadline, morning(date(2026, 1, 5)))
    assert last == date(2026, 2, 10)
    assert [days_left(deadline, last, date(2026, 2, day)) for day in (8, 10, 11)] == [2, 0, -1]
    assert resumed_day(deadline, 30, morning(date(2026, 2, 9))) == last
    # Opened too late: the day has passed, and no new one is made up.
    assert due_day(deadline, morning(date(2026, 3, 1))) == resumed_day(deadline, 0, morning(date(2026, 3, 1))) == last


@pytest.mark.parametrize(
    ("today", "working", "plain"),
    [
        ("2026-02-12", 2, 2),
        ("2026-02-13", 1, 1),
        ("2026-02-14", 0, 0),
        # The Spring Festival: nine days late by the plain calendar, and late from the first day by the working one.
        ("2026-02-15", -1, -1),
        ("2026-02-23", -1, -9),
        ("2026-02-24", -1, -10),
        ("2026-02-25", -2, -11),
    ],
)
def test_days_left_are_counted_in_the_unit_of_the_deadline(today: str, working: int, plain: int) -> None:
    due, day = date(2026, 2, 14), date.fromisoformat(today)
    assert days_left(Deadline(3, True), due, day) == working
    assert days_left(Deadline(3, False), due, day) == plain


def test_weekend_after_the_last_day_is_late() -> None:
    assert days_left(WORKING, date(2026, 3, 6), date(2026, 3, 7)) == -1


def test_task_that_waited_through_a_revision_goes_on_with_the_days_it_had() -> None:
    # Opened on Thursday 12 February with 3 working days: 13, 14 and 24 February.
    due = due_day(WORKING, morning(date(2026, 2, 12)))
    assert due == date(2026, 2, 24)
    left = days_left(WORKING, due, date(2026, 2, 13))
    assert left == 2
    assert resumed_day(WORKING, left, morning(date(2026, 3, 5))) == date(2026, 3, 9)  # Friday, Monday
    assert resumed_day(Deadline(3, False), left, morning(date(2026, 3, 5))) == date(2026, 3, 7)


def test_task_without_days_left_is_due_on_the_day_it_opens_again() -> None:
    # Half past midnight in Shanghai, still the day before in UTC.
    opened = datetime(2026, 3, 4, 16, 30, tzinfo=UTC)
    for left in (0, -1, -5):
        assert resumed_day(WORKING, left, opened) == date(2026, 3, 5)
        assert resumed_day(Deadline(3, False), left, opened) == date(2026, 3, 5)


@given(counted, days, calendars)
def test_new_task_has_all_its_days_left(deadline: Deadline, opened: date, found: Calendar) -> None:
    last = due_day(deadline, morning(opened), found)
    assert days_left(deadline, last, opened, found) == deadline.days
    assert days_left(deadline, last, last, found) == 0
    assert days_left(deadline, last, last + timedelta(days=1), found) == -1


@given(counted, days, st.integers(0, 30), st.integers(0, 30), calendars)
def test_later_opening_or_more_days_never_end_earlier(
    deadline: Deadline, opened: date, later: int, more: int, found: Calendar
) -> None:
    longer = Deadline(deadline.days + more, deadline.working)
    first = due_day(deadline, morning(opened), found)
    assert first <= due_day(deadline, morning(opened + timedelta(days=later)), found)
    assert first <= due_day(longer, morning(opened), found)
    assert first > opened


@given(counted, days, st.integers(0, 60), st.integers(0, 400), calendars)
@example(Deadline(3, True), date(2026, 2, 12), 1, 20, CHINA)
def test_suspension_keeps_the_days_that_were_left(
    deadline: Deadline, opened: date, worked: int, waited: int, found: Calendar
) -> None:
    due = due_day(deadline, morning(opened), found)
    stopped = opened + timedelta(days=worked)
    again = stopped + timedelta(days=waited)
    left = days_left(deadline, due, stopped, found)
    new = resumed_day(deadline, left, morning(again), found)
    assert new >= again
    assert days_left(deadline, new, again, found) == max(0, left)
    if left > 0:
        # What did not wait at all ends when it would have ended anyway.
        assert resumed_day(deadline, left, morning(stopped), found) == due


@given(counted, days, st.integers(-60, 60), calendars)
def test_days_left_never_grow_and_are_negative_exactly_when_overdue(
    deadline: Deadline, due: date, distance: int, found: Calendar
) -> None:
    today = due + timedelta(days=distance)
    left = days_left(deadline, due, today, found)
    assert (left < 0) == (today > due)
    assert days_left(deadline, due, today + timedelta(days=1), found) <= left


@given(days, calendars)
def test_years_named_as_assumed_are_those_of_the_counted_days(opened: date, found: Calendar) -> None:
    deadline = Deadline(40, True)
    last = due_day(deadline, morning(opened), found)
    counted_years = {(opened + timedelta(days=step)).year for step in range(1, (last - opened).days + 1)}
    named = unsure_years(deadline, morning(opened), found)
    assert set(named) == {year for year in counted_years if not found.covers(year)}
    assert list(named) == sorted(named)
