"""UUIDv7 strings (RFC 9562 section 5.7): ids that sort by the time they were made."""

from __future__ import annotations

import os
import uuid
from datetime import datetime


def new_id(now: datetime) -> str:
    """A UUIDv7 for ``now`` (milliseconds) with 74 random bits; sorts by time as text."""
    milliseconds = int(now.timestamp() * 1000)
    value = int.from_bytes(os.urandom(10), "big") | (milliseconds << 80)
    value = (value & ~(0xF000 << 64)) | (0x7000 << 64)
    value = (value & ~(0xC000 << 48)) | (0x8000 << 48)
    return str(uuid.UUID(int=value))
