"""Reminders over years of real holidays, 调休 included: each stage once, none on a day off, none missed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.kinds import Kind
from notifications.reminders import Stage, stage_of, working_days
from workflow.deadlines import CHINA

WORKS = CHINA.is_working_day
DAYS = st.dates(date(2021, 1, 1), date(2026, 10, 1))


def stages(opened: date, due: date, until: date, *, countdown: bool = False) -> dict[date, Stage]:
    found = {}
    for number in range(1, (until - opened).days + 1):
        day = opened + timedelta(days=number)
        stage = stage_of(due, day, WORKS, countdown=countdown)
        if stage is not None:
            found[day] = stage
    return found


def first_of_each(found: dict[date, Stage]) -> dict[str, date]:
    first: dict[str, date] = {}
    for day, stage in found.items():
        first.setdefault(stage.name, day)
    return first


def test_three_one_and_no_working_days_before_the_end():
    found = first_of_each(stages(date(2026, 3, 2), date(2026, 3, 16), date(2026, 3, 16)))
    assert found == {
        "left 3": date(2026, 3, 11),
        "left 1": date(2026, 3, 13),
        "left 0": date(2026, 3, 16),
    }


def test_over_the_spring_holiday_with_its_worked_saturdays():
    # 14 February and 28 February 2026 are worked Saturdays, 15 to 23 February is the holiday.
    found = first_of_each(stages(date(2026, 2, 5), date(2026, 2, 25), date(2026, 2, 25)))
    assert found == {"left 3": date(2026, 2, 13), "left 1": date(2026, 2, 24), "left 0": date(2026, 2, 25)}


def test_an_end_on_a_day_off_is_told_on_the_last_working_day_before():
    # 8 March 2026 is a Sunday.
    stage = stage_of(date(2026, 3, 8), date(2026, 3, 6), WORKS)
    assert stage is not None
    assert (stage.name, stage.words) == ("left 0", "今天是期限前最后一个工作日")
    assert stage_of(date(2026, 3, 8), date(2026, 3, 8), WORKS) is None


def test_a_stage_that_was_missed_is_made_up_for_with_the_days_that_are_left():
    stage = stage_of(date(2026, 3, 16), date(2026, 3, 12), WORKS)
    assert stage is not None
    assert (stage.name, stage.words) == ("left 3", "还有 2 个工作日")


def test_late_tasks_are_told_daily_and_the_head_from_the_third_day_on():
    found = stages(date(2026, 3, 6), date(2026, 3, 6), date(2026, 3, 16))
    assert [(day.day, stage.escalates) for day, stage in found.items()] == [
        (9, False), (10, False), (11, True), (12, True), (13, True), (16, True),
    ]  # fmt: skip
    assert {stage.kind for stage in found.values()} == {Kind.OVERDUE}
    assert len({stage.name for stage in found.values()}) == 6


def test_a_publication_is_counted_down_in_calendar_days():
    # Approved on 2 March, 20 calendar days: 22 March, a Sunday.
    found = first_of_each(stages(date(2026, 3, 2), date(2026, 3, 22), date(2026, 3, 22), countdown=True))
    assert found == {
        "countdown 10": date(2026, 3, 12),
        # The 17th is also the fifth day before the end; one reminder a day is enough.
        "left 3": date(2026, 3, 17),
        "left 1": date(2026, 3, 19),
        "left 0": date(2026, 3, 20),
    }


@settings(deadline=None)
@given(DAYS, st.integers(1, 60), st.booleans())
def test_every_deadline_is_told_before_it_ends_and_never_on_a_day_off(opened, length, countdown):
    due = opened + timedelta(days=length)
    found = stages(opened - timedelta(days=30), due, due + timedelta(days=20), countdown=countdown)
    assert all(WORKS(day) for day in found)
    first = first_of_each(found)
    # Over six years of holidays the last stage comes on the last working day up to the end itself.
    last = max(day for day in (due - timedelta(days=number) for number in range(31)) if WORKS(day))
    assert first["left 0"] == last
    assert first["left 3"] < first["left 1"] < first["left 0"] <= due
    late = [stage for day, stage in found.items() if day > due]
    assert [stage.escalates for stage in late[:3]] == [False, False, True]
    assert working_days(first["left 3"], due, WORKS) == 3 or working_days(first["left 3"], due, WORKS) == 2


def test_what_lies_years_away_is_no_matter_of_today():
    assert stage_of(date(2030, 1, 1), date(2026, 3, 2), WORKS) is None
    assert stage_of(date(2020, 1, 1), date(2026, 3, 2), WORKS) is None


@pytest.mark.parametrize("year", range(2021, 2027))
def test_a_year_of_deadlines_reminds_once_for_each_stage(year):
    day, told = date(year, 1, 1), []
    dues = [date(year, month, 15) for month in range(2, 12)]
    while day.year == year:
        for due in dues:
            stage = stage_of(due, day, WORKS)
            if stage is not None and stage.kind is Kind.DUE:
                told.append((due, stage.name))
        day += timedelta(days=1)
    assert {name for _, name in told} == {"left 3", "left 1", "left 0"}
    assert all({name for due, name in told if due == each} == {"left 3", "left 1", "left 0"} for each in dues)
