"""How far the integrator is behind: what waits in the outbox, and since when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from audit.journal import MAIN_LOG
from models.engine import Work
from models.log import AuditOutbox
from models.prepared import Prepared

_WAITING = Prepared(
    sa.select(sa.func.count(), sa.func.min(AuditOutbox.created, type_=AuditOutbox.created.type)).where(
        AuditOutbox.log == sa.bindparam("log")
    )
)


class Lag(NamedTuple):
    """How many committed events have no index yet, and when the oldest of them was written (None where none waits)."""

    waiting: int
    since: datetime | None

    def age(self, now: datetime) -> timedelta:
        """How long the oldest has waited at ``now``; never negative, since clocks of two machines differ."""
        return timedelta(0) if self.since is None else max(now - self.since, timedelta(0))


def outbox_lag(work: Work, log: str = MAIN_LOG) -> Lag:
    """The lag of a log; always ``(0, None)`` on SQLite, which has one writer and no outbox."""
    found: Any = work.one(_WAITING, log=log)
    return Lag(*found)
