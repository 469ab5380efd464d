"""The queue of deliveries: claimed with a lease, settled one by one, tried again when they are due.

On PostgreSQL a claim takes rows that nobody else is taking (FOR UPDATE SKIP LOCKED); SQLite has one writer at a time, and the
same UPDATE … RETURNING runs inside BEGIN IMMEDIATE. A claim moves ``due_at`` to the end of the lease: of a worker that died
the rows come due again, with no other worker looking after it. Settling asks for the lease, so that whoever was overtaken
(a clock that jumped, a process that slept) changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from models.engine import Work
from models.ids import new_id
from models.messages import Delivery, DeliveryStatus
from models.prepared import Prepared
from notifications.backoff import ATTEMPTS, wait
from notifications.channels.protocol import Outcome, Verdict
from notifications.kinds import Kind
from notifications.letters import Item, chief, from_body, merged, to_body

# How long a worker holds what it claimed, where nobody says otherwise.
LEASE_SECONDS = 300.0
# No wait is longer than this (the longest holiday and a weekend): what lies beyond was written by a clock that ran ahead.
_LONGEST_WAIT = timedelta(days=16)
# Several events of one text within this time are one message.
JOINING = timedelta(minutes=1)

_COLUMNS = tuple(column.name for column in Delivery.__table__.columns)
_ADD = {
    "postgresql": Prepared(postgresql.insert(Delivery).on_conflict_do_nothing(), _COLUMNS),
    "sqlite": Prepared(sqlite.insert(Delivery).on_conflict_do_nothing(), _COLUMNS),
}
_CLAIMED = (Delivery.id, Delivery.account_id, Delivery.text_id, Delivery.kind, Delivery.body, Delivery.attempts)
_DUE = (
    sa.select(Delivery.id)
    .where(
        Delivery.channel == sa.bindparam("of_channel"),
        Delivery.finished_at.is_(None),
        Delivery.due_at <= sa.bindparam("moment"),
    )
    .order_by(Delivery.due_at)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_IS_DUE = Prepared(_DUE)
_TAKE = {
    # SQLite knows no FOR UPDATE and needs none.
    name: Prepared(
        sa.update(Delivery)
        .where(Delivery.id.in_(query))
        .values(due_at=sa.bindparam("until"), lease=sa.bindparam("new_lease"), attempts=Delivery.attempts + 1)
        .returning(*_CLAIMED)
    )
    for name, query in (
        # The array is made once: as a plain subquery PostgreSQL may evaluate it anew for each row, and take more than asked.
        ("postgresql", _DUE.with_for_update(skip_locked=True).cte("taken").select()),
        ("sqlite", _DUE),
    )
}
_MINE = (Delivery.id == sa.bindparam("of_id"), Delivery.lease == sa.bindparam("of_lease"))
_FINISH = Prepared(
    sa.update(Delivery)
    .where(*_MINE, Delivery.finished_at.is_(None))
    .values(
        status=sa.bindparam("new_status"),
        reason=sa.bindparam("new_reason"),
        finished_at=sa.bindparam("moment"),
        lease=sa.null(),
    )
)
_AGAIN = Prepared(
    sa.update(Delivery)
    .where(*_MINE, Delivery.finished_at.is_(None))
    .values(
        due_at=sa.bindparam("again_at"),
        reason=sa.bindparam("new_reason"),
        attempts=sa.bindparam("new_attempts"),
        lease=sa.null(),
    )
)
_PENDING = Prepared(
    sa.select(Delivery.id, Delivery.body)
    .where(
        Delivery.text_id == sa.bindparam("of_text"),
        Delivery.account_id == sa.bindparam("of_account"),
        Delivery.channel == sa.bindparam("of_channel"),
        Delivery.finished_at.is_(None),
        Delivery.lease.is_(None),
        Delivery.attempts == 0,
    )
    .order_by(Delivery.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_NEWEST = Prepared(
    sa.select(Delivery.created_at)
    .where(
        Delivery.text_id == sa.bindparam("of_text"),
        Delivery.account_id == sa.bindparam("of_account"),
        Delivery.channel == sa.bindparam("of_channel"),
    )
    .order_by(Delivery.created_at.desc())
    .limit(1)
)
_JOIN = Prepared(
    sa.update(Delivery)
    .where(Delivery.id == sa.bindparam("of_id"), Delivery.lease.is_(None), Delivery.attempts == 0)
    .values(body=sa.bindparam("new_body"), kind=sa.bindparam("new_kind"))
)
_UNREPORTED = Prepared(
    sa.select(
        Delivery.id,
        Delivery.channel,
        Delivery.account_id,
        Delivery.text_id,
        Delivery.kind,
        Delivery.status,
        Delivery.attempts,
        Delivery.reason,
        Delivery.finished_at,
    )
    .where(Delivery.finished_at.is_not(None), Delivery.event_id.is_(None))
    .order_by(Delivery.finished_at)
    .limit(sa.bindparam("most", type_=sa.Integer))
    .with_for_update(skip_locked=True)
)
_REPORTED = Prepared(
    sa.update(Delivery).where(Delivery.id == sa.bindparam("of_id")).values(event_id=sa.bindparam("new_event"))
)
_MEND = Prepared(
    sa.update(Delivery)
    .where(
        Delivery.channel == sa.bindparam("of_channel"),
        Delivery.finished_at.is_(None),
        Delivery.due_at > sa.bindparam("latest"),
    )
    .values(due_at=sa.bindparam("moment"), lease=sa.null())
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this worker is to hand over before its lease ends; ``attempts`` counts this one."""

    id: str
    channel: str
    account_id: str | None
    text_id: str | None
    kind: str
    items: tuple[Item, ...]
    attempts: int
    lease: str


@dataclass(frozen=True, slots=True)
class Result:
    """A finished delivery as the log tells of it."""

    id: str
    channel: str
    account_id: str | None
    text_id: str | None
    kind: str
    status: str
    attempts: int
    reason: str
    finished_at: datetime


def add(
    work: Work,
    channel: str,
    items: Iterable[Item],
    *,
    key: str,
    account_id: str | None,
    due_at: datetime,
    now: datetime,
    kind: Kind | None = None,
) -> str | None:
    """Puts a delivery into the queue; its id, or None where this channel has one of this key.

    ``kind`` is the most pressing of the items where nothing else is said; a digest is about no text in particular.
    """
    items = tuple(items)
    delivery_id = new_id(now)
    count = work.run(
        _ADD[work.dialect.name],
        id=delivery_id,
        channel=channel,
        account_id=account_id,
        text_id=None if kind is Kind.DIGEST else items[0].text or None,
        kind=str(kind or chief(items)),
        key=key,
        body=to_body(items),
        due_at=due_at,
        attempts=0,
        lease=None,
        status=DeliveryStatus.WAITING.value,
        reason="",
        created_at=now,
        finished_at=None,
        event_id=None,
    )
    return delivery_id if count == 1 else None


def add_joined(
    work: Work, channel: str, item: Item, *, key: str, account_id: str, due_at: datetime, now: datetime
) -> str | None:
    """As ``add`` for a person and a text; joins a letter of the same text that has not left yet.

    The first letter of a text leaves at once. What follows within a minute waits for the end of that minute, together.
    """
    given = {"of_text": item.text, "of_account": account_id, "of_channel": channel}
    waiting = work.one(_PENDING, **given) if item.text else None
    if waiting is not None:
        items = merged((*from_body(waiting[1]), item))
        if work.run(_JOIN, of_id=waiting[0], new_body=to_body(items), new_kind=str(chief(items))) == 1:
            return str(waiting[0])
    newest = work.one(_NEWEST, **given) if item.text else None
    # A time of the future is a clock that ran ahead; nobody waits for it.
    if newest is not None and timedelta(0) <= now - newest[0] < JOINING:
        due_at = max(due_at, newest[0] + JOINING)
    return add(work, channel, [item], key=key, account_id=account_id, due_at=due_at, now=now)


def anything_due(work: Work, channel: str, now: datetime) -> bool:
    """Whether a claim would find something; asked first, since on SQLite a claim keeps every other writer waiting."""
    return work.one(_IS_DUE, of_channel=channel, moment=now, most=1) is not None


def claim(
    work: Work, channel: str, *, most: int, lease: str, now: datetime, seconds: float = LEASE_SECONDS
) -> list[Claimed]:
    """Takes up to ``most`` due deliveries of a channel for ``lease`` (a name of this claim only), the longest due first.

    What is not settled after so many seconds comes due again for others.
    """
    rows = work.rows(
        _TAKE[work.dialect.name],
        of_channel=channel,
        moment=now,
        most=most,
        until=now + timedelta(seconds=seconds),
        new_lease=lease,
    )
    claimed = [
        Claimed(delivery_id, channel, account_id, text_id, kind, from_body(body), attempts, lease)
        for delivery_id, account_id, text_id, kind, body, attempts in rows
    ]
    return sorted(claimed, key=lambda item: item.id)


def settle(work: Work, claimed: Claimed, outcome: Outcome, *, now: datetime, random: Random) -> DeliveryStatus:
    """Writes what became of a claimed delivery; its status now.

    A channel that is refused (OFF) costs no attempt: its letters wait until an administrator switches it on again.
    """
    given: dict[str, Any] = {"of_id": claimed.id, "of_lease": claimed.lease, "new_reason": outcome.reason[:500]}
    if outcome.verdict is Verdict.SENT:
        work.run(_FINISH, **given, new_status=DeliveryStatus.SENT.value, moment=now)
        return DeliveryStatus.SENT
    if outcome.verdict is Verdict.OFF:
        work.run(_AGAIN, **given, again_at=now, new_attempts=claimed.attempts - 1)
        return DeliveryStatus.WAITING
    if outcome.verdict is Verdict.NEVER or claimed.attempts >= ATTEMPTS:
        work.run(_FINISH, **given, new_status=DeliveryStatus.DEAD.value, moment=now)
        return DeliveryStatus.DEAD
    again = now + wait(claimed.attempts, random, asked=outcome.after)
    work.run(_AGAIN, **given, again_at=again, new_attempts=claimed.attempts)
    return DeliveryStatus.WAITING


def drop(work: Work, claimed: Claimed, reason: str, now: datetime) -> None:
    """Ends a delivery that says nothing any more."""
    work.run(
        _FINISH,
        of_id=claimed.id,
        of_lease=claimed.lease,
        new_reason=reason,
        new_status=DeliveryStatus.DROPPED.value,
        moment=now,
    )


def give_back(work: Work, claimed: Claimed, now: datetime) -> None:
    """Gives a claimed delivery back untried: the worker stops, or the channel has just failed for others."""
    work.run(
        _AGAIN,
        of_id=claimed.id,
        of_lease=claimed.lease,
        new_reason="",
        again_at=now,
        new_attempts=claimed.attempts - 1,
    )


def unreported(work: Work, most: int) -> list[Result]:
    """Finished deliveries of which the log does not tell yet, locked."""
    return [Result(*row) for row in work.rows(_UNREPORTED, most=most)]


def mark_reported(work: Work, ids: Iterable[str], event_id: str) -> None:
    """Notes which event tells of finished deliveries."""
    for item in ids:
        work.run(_REPORTED, of_id=item, new_event=event_id)


def mend_clock(work: Work, channel: str, now: datetime) -> int:
    """Makes due what a clock that ran ahead put off for longer than anything is; how many that were."""
    return work.run(_MEND, of_channel=channel, latest=now + _LONGEST_WAIT, moment=now)
