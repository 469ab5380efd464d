"""The outbox: a row for whoever's turn it is, in the same transaction as the change it tells of."""

from __future__ import annotations

from datetime import datetime

import orjson

from models.engine import Work
from models.ids import new_id
from models.prepared import insert_into
from models.process import Message

_INSERT = insert_into(Message)
# In place of a role: those who took part in the text, whom a step concerns though it is not their turn.
FOLLOWERS = "*"


def enqueue(
    work: Work,
    *,
    event_id: str,
    topic: str,
    text_id: str,
    role: str,
    organization_id: str,
    account_id: str | None,
    title: str,
    state: str,
    now: datetime,
) -> None:
    """Writes one outbox row, for a role or one account of it; title and state only, no opinions and no personal data."""
    work.run(
        _INSERT,
        id=new_id(now),
        event_id=event_id,
        topic=topic,
        text_id=text_id,
        role=role,
        organization_id=organization_id,
        account_id=account_id,
        body=orjson.dumps({"title": title, "state": state}).decode(),
        created_at=now,
        told_at=None,
    )
