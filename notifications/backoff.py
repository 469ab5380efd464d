"""When a delivery that failed is tried again: after 30 seconds, then twice as long each time, 6 hours at most."""

from __future__ import annotations

from datetime import timedelta
from random import Random

FIRST = timedelta(seconds=30)
LONGEST = timedelta(hours=6)
# After so many attempts a delivery is dead, with its last reason: that is about two days.
ATTEMPTS = 10
# Each wait is up to a fifth shorter or longer, so that what failed together is not tried together.
_JITTER = 0.2


def wait(attempts: int, random: Random, *, asked: float | None = None) -> timedelta:
    """How long to wait after the attempt of this number (from 1), between 30 seconds and 6 hours.

    ``asked`` are the seconds for which the provider asked (Retry-After); what it asks for is a lower bound.
    """
    doubled: int = 2 ** min(attempts - 1, 20)
    plain = min(FIRST * doubled, LONGEST)
    spread = plain * (1 + random.uniform(-_JITTER, _JITTER))
    if asked is not None and asked > 0:
        spread = max(spread, timedelta(seconds=min(asked, LONGEST.total_seconds())))
    return min(max(spread, FIRST), LONGEST)
