"""The inbox: notices in the database, the source of truth. Writing a notice is its delivery; nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from models.engine import Work
from models.ids import new_id
from models.messages import Notice
from models.prepared import Prepared
from notifications.kinds import Mode
from notifications.letters import Item, to_body

_COLUMNS = tuple(column.name for column in Notice.__table__.columns)
_ADD = {
    "postgresql": Prepared(postgresql.insert(Notice).on_conflict_do_nothing(), _COLUMNS),
    "sqlite": Prepared(sqlite.insert(Notice).on_conflict_do_nothing(), _COLUMNS),
}
_READ = Prepared(
    sa.update(Notice)
    .where(
        Notice.id == sa.bindparam("of_id"), Notice.account_id == sa.bindparam("of_account"), Notice.read_at.is_(None)
    )
    .values(read_at=sa.bindparam("moment"))
)
_DIGESTED = Prepared(
    sa.update(Notice)
    .where(Notice.id == sa.bindparam("of_id"), Notice.digested_at.is_(None))
    .values(digested_at=sa.bindparam("moment"))
)


def put(work: Work, account_id: str, item: Item, *, key: str, mode: Mode, now: datetime) -> str | None:
    """Puts a notice into somebody's inbox; its id, or None where they were told of this before."""
    notice_id = new_id(now)
    count = work.run(
        _ADD[work.dialect.name],
        id=notice_id,
        account_id=account_id,
        kind=str(item.kind),
        text_id=item.text or None,
        key=f"{key}:{account_id}",
        body=to_body([item]),
        mode=str(mode),
        created_at=now,
        read_at=None,
        digested_at=None,
    )
    return notice_id if count == 1 else None


def mark_read(work: Work, account_id: str, ids: Sequence[str], now: datetime) -> list[str]:
    """Marks notices of somebody as read; the ids of those that were not."""
    return [item for item in ids if work.run(_READ, of_id=item, of_account=account_id, moment=now) == 1]


def mark_digested(work: Work, ids: Sequence[str], now: datetime) -> None:
    """Notes that notices stand in a digest."""
    for item in ids:
        work.run(_DIGESTED, of_id=item, moment=now)


def inbox_of(account_id: str, *, unread: bool, limit: int) -> sa.Select[Notice]:
    """The query for somebody's notices, newest first."""
    query = sa.select(Notice).where(Notice.account_id == account_id)
    if unread:
        query = query.where(Notice.read_at.is_(None))
    return query.order_by(Notice.id.desc()).limit(limit)
