"""Failed log-ins: after so many within so many minutes an account takes no password for a while, be it the right one.

They are counted in the log itself, so that no process and no restart forgets them. What was refused for this reason is an event
of another outcome and counts for nothing: who goes on trying can't keep somebody out for ever.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from application.installation import LOG
from audit.acts import Act
from audit.events import Outcome
from models.engine import Work
from models.log import AuditProjection
from models.prepared import Prepared

MOST_FAILURES: Final = 10
WINDOW: Final = timedelta(minutes=15)

_FAILURES = Prepared(
    sa.select(sa.func.count())
    .select_from(AuditProjection)
    .where(
        AuditProjection.log == LOG,
        AuditProjection.obj_type == "account",
        AuditProjection.obj_id == sa.bindparam("account"),
        AuditProjection.act == Act.AUTH_FAILURE.value,
        AuditProjection.out == Outcome.DENIED.value,
        AuditProjection.ts > sa.bindparam("since"),
    )
)


def exhausted(work: Work, account_id: str, now: datetime) -> bool:
    """Whether an account has had its failed log-ins of the last ``WINDOW``.

    On PostgreSQL failures that have no index yet are not counted; the caller lets them have one before (``catch_up``).
    """
    row = work.one(_FAILURES, account=account_id, since=now - WINDOW)
    return row is not None and row[0] >= MOST_FAILURES
