"""Digests: one mail on a working morning with what somebody wanted to hear of once a day. None is empty."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time

from models.base import SHANGHAI
from notifications.letters import MOST_ITEMS, Item
from notifications.quiet import WorkingDay

# When digests and reminders go out: offices have begun, and quiet hours are over.
MORNING = time(8, 30)


@dataclass(frozen=True, slots=True)
class Collected:
    """What goes into somebody's digest, and the notices that it covers (also those beyond its length)."""

    account_id: str
    items: tuple[Item, ...]
    notices: tuple[str, ...]


def is_morning(now: datetime, works: WorkingDay) -> bool:
    """Whether the daily work is to be done: a working day, from half past eight in Shanghai on."""
    local = now.astimezone(SHANGHAI)
    return works(local.date()) and local.time() >= MORNING


def collect(waiting: Iterable[tuple[str, str, bool, tuple[Item, ...]]]) -> list[Collected]:
    """Digests of notices (account, notice, whether it was read, items): what was read in the inbox is not told again."""
    items: dict[str, list[Item]] = {}
    notices: dict[str, list[str]] = {}
    for account_id, notice_id, read, told in waiting:
        notices.setdefault(account_id, []).append(notice_id)
        if not read:
            items.setdefault(account_id, []).extend(told)
    return [
        Collected(account_id, tuple(items.get(account_id, ())[:MOST_ITEMS]), tuple(ids))
        for account_id, ids in notices.items()
    ]
