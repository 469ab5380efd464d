"""UUIDv7 strings (RFC 9562 section 5.7): ids that sort by the time they were made."""

from __future__ import annotations

import os
import threading
import uuid
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_RANDOM_BITS = 74
_lock = threading.Lock()
_last: tuple[int, int] = (0, 0)


def new_id(now: datetime) -> str:
    """A UUIDv7 for ``now`` (milliseconds) with 74 random bits; sorts by time as text.

    Ids that a process makes for the same millisecond count up (RFC 9562 section 6.2, method 2): the opinions of one
    return have one time, and must keep the order in which they were written.
    """
    global _last
    milliseconds = (now - _EPOCH) // _MILLISECOND  # in whole numbers; a float loses a millisecond now and then
    with _lock:
        random = int.from_bytes(os.urandom(10), "big") >> (80 - _RANDOM_BITS)
        if _last[0] == milliseconds:
            # A small random step keeps ids hard to guess; an overflow wraps into a fresh random value instead.
            step = _last[1] + 1 + (random & 0xFFFFFFFF)
            random = step if step < 1 << _RANDOM_BITS else random
        _last = (milliseconds, random)
    high, low = random >> 62, random & ((1 << 62) - 1)
    return str(uuid.UUID(int=(milliseconds << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low))
