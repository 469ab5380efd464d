from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.timerule import SKEW, Breach, Stamp, TimedEvent, TimeRule, timed, violations

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def at(minutes):
    return START + minutes * MINUTE


def events(*minutes, act="text.field.update"):
    return [TimedEvent(index, at(minute), act) for index, minute in enumerate(minutes)]


def breaches(found):
    return [(item.index, item.breach) for item in found]


def test_honest_events_between_stamps_pass():
    stamps = [Stamp(2, at(11)), Stamp(4, at(31))]
    assert list(violations(events(0, 10, 20, 30, 40), stamps)) == []


def test_an_event_with_an_old_time_after_a_stamp_is_too_early():
    (found,) = violations(events(0, 10, 3, 30), [Stamp(2, at(11))])
    assert (found.index, found.breach, found.bound) == (2, Breach.TOO_EARLY, at(11))
    assert "第 2 条" in found.message
    assert "120 秒" in found.message


def test_an_event_from_the_future_of_the_stamp_that_holds_it_is_too_late():
    (found,) = violations(events(0, 50, 20), [Stamp(2, at(11)), Stamp(3, at(60))])
    assert (found.index, found.breach, found.bound) == (1, Breach.TOO_LATE, at(11))
    assert "过晚" in found.message


@pytest.mark.parametrize(("seconds", "wrong"), [(120, False), (121, True)])
def test_the_skew_is_two_minutes_on_both_sides(seconds, wrong):
    off = timedelta(seconds=seconds)
    stamp = Stamp(1, at(10))
    early = [TimedEvent(0, at(9), "a.b"), TimedEvent(1, at(10) - off, "a.b")]
    late = [TimedEvent(0, at(10) + off, "a.b")]
    assert bool(list(violations(early, [stamp]))) is wrong
    assert bool(list(violations(late, [stamp]))) is wrong


def test_without_stamps_nothing_can_be_said():
    assert list(violations(events(5, 1, 9), [])) == []


def test_events_after_the_last_stamp_have_no_upper_bound():
    assert list(violations(events(0, 900_000), [Stamp(1, at(1))])) == []


def test_a_late_stamp_accuses_nobody_who_worked_meanwhile():
    # Signed after the second event, carried to the authority by hand, stamped a day later.
    late = Stamp(2, at(1440), prompt=False)
    assert list(violations(events(0, 10, 20, 30), [late])) == []
    assert breaches(violations(events(0, 10, 20, 30), [Stamp(2, at(1440))])) == [
        (2, Breach.TOO_EARLY),
        (3, Breach.TOO_EARLY),
    ]


def test_a_late_stamp_still_bounds_by_the_events_that_it_holds():
    late = Stamp(2, at(1440), prompt=False)
    assert breaches(violations(events(0, 100, 20), [late])) == [(2, Breach.TOO_EARLY)]
    # And what it holds did not happen after it.
    assert breaches(violations(events(0, 1500, 1600), [late])) == [(1, Breach.TOO_LATE)]


def test_of_two_stamps_of_one_size_the_earlier_bounds_from_above_and_the_later_from_below():
    stamps = [Stamp(1, at(10)), Stamp(1, at(20))]
    assert breaches(violations(events(15, 30), stamps)) == [(0, Breach.TOO_LATE)]
    assert breaches(violations(events(0, 15), stamps)) == [(1, Breach.TOO_EARLY)]


def test_a_lower_bound_is_not_lowered_by_a_later_stamp_with_an_earlier_time():
    stamps = [Stamp(1, at(20)), Stamp(2, at(15))]
    assert breaches(violations(events(19, 14, 14), stamps)) == [(1, Breach.TOO_EARLY), (2, Breach.TOO_EARLY)]


def late_import(ts, effective):
    change = {"p": "/effective_at", "n": effective.isoformat()}
    return {"ts": ts.isoformat(), "act": "text.import", "why": "补录", "chg": [change]}


def test_a_late_import_is_marked_and_its_own_time_is_still_judged():
    rule = TimeRule([Stamp(1, at(60))])
    honest = timed(0, late_import(at(59), at(-100_000)))
    assert (honest.effective, rule.see(honest)) == (at(-100_000), None)
    assert rule.late_imports == 1
    pretended = timed(1, late_import(at(10), at(5)))
    assert rule.see(pretended).breach is Breach.TOO_EARLY
    assert rule.late_imports == 2


def test_only_an_import_that_tells_of_an_earlier_time_is_marked():
    rule = TimeRule([])
    for event in (
        late_import(at(1), at(0)) | {"act": "text.create"},
        late_import(at(1), at(1)),
        {"ts": at(1).isoformat(), "act": "text.import"},
        {"ts": at(1).isoformat(), "act": "text.import", "chg": [{"p": "/effective_at", "nh": "x"}]},
    ):
        rule.see(timed(0, event))
    assert rule.late_imports == 0


@st.composite
def honest_logs(draw):
    """Event times that never go back, stamps got after the events that they hold and before the next."""
    gaps = draw(st.lists(st.integers(0, 600), min_size=1, max_size=30))
    moments, stamps, now = [], [], 0
    for gap in gaps:
        now += gap
        moments.append(START + timedelta(seconds=now))
        if draw(st.booleans()):
            now += draw(st.integers(0, 120))
            stamps.append(Stamp(len(moments), START + timedelta(seconds=now)))
    return moments, stamps


@given(honest_logs(), st.integers(-120, 120))
def test_honest_logs_pass_with_a_clock_that_is_two_minutes_off(log, off):
    moments, stamps = log
    shifted = [Stamp(item.size, item.time + timedelta(seconds=off), item.prompt) for item in stamps]
    assert list(violations((TimedEvent(i, moment, "a.b") for i, moment in enumerate(moments)), shifted)) == []


@given(honest_logs(), st.data())
def test_an_event_outside_its_bounds_is_always_found(log, data):
    moments, stamps = log
    index = data.draw(st.integers(0, len(moments) - 1))
    before = [item.time for item in stamps if item.size <= index]
    after = [item.time for item in stamps if item.size > index]
    beyond = timedelta(seconds=data.draw(st.integers(1, 10**6)))
    for bound, moved in ((before and max(before), -1), (after and min(after), 1)):
        if not bound:
            continue
        changed = list(moments)
        changed[index] = bound + moved * (SKEW + beyond)
        found = violations((TimedEvent(i, moment, "a.b") for i, moment in enumerate(changed)), stamps)
        assert index in [item.index for item in found]
