from __future__ import annotations

import itertools
from datetime import timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.backoff import ATTEMPTS, FIRST, LONGEST, wait


@settings(deadline=None)
@given(st.integers(1, 10_000), st.integers(), st.none() | st.floats(allow_nan=False))
def test_waits_lie_between_half_a_minute_and_six_hours(attempts, seed, asked):
    assert FIRST <= wait(attempts, Random(seed), asked=asked) <= LONGEST


@settings(deadline=None)
@given(st.integers())
def test_waits_grow_and_all_attempts_take_about_a_day(seed):
    random = Random(seed)
    waits = [wait(number, random) for number in range(1, ATTEMPTS)]
    assert all(later > earlier for earlier, later in itertools.pairwise(waits))
    assert timedelta(hours=3) < sum(waits, timedelta()) < timedelta(days=2)


def test_what_failed_together_is_not_tried_together():
    random = Random(1)
    assert len({wait(5, random) for _ in range(50)}) > 40


def test_what_a_provider_asks_for_is_a_lower_bound():
    assert wait(1, Random(1), asked=600) == timedelta(seconds=600)
    assert wait(10, Random(1), asked=60) > timedelta(hours=1)
