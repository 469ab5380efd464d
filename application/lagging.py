"""The alarm of the log: events that have waited too long for their place in it (PostgreSQL)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from application.installation import Installation
from audit.lag import Lag, outbox_lag
from models.engine import Work, transaction
from models.log import AuditLog
from models.prepared import Prepared

_NAMES = Prepared(sa.select(AuditLog.id).order_by(AuditLog.id))


def log_ids(work: Work) -> list[str]:
    """The ids of all logs of the installation."""
    return [row[0] for row in work.rows(_NAMES)]


def lags(installation: Installation) -> dict[str, Lag]:
    """The lag of each log; empty on SQLite, where nothing ever waits."""
    if installation.engine.dialect.name == "sqlite":
        return {}
    with transaction(installation.engine, read_only=True) as work:
        return {log: outbox_lag(work, log) for log in log_ids(work)}


def alarm(installation: Installation) -> str:
    """One sentence where the oldest waiting event of any log is older than ``lag_seconds``, else empty.

    The sentence is for the person at the command; the program's log gets a warning with the figures.
    """
    now = installation.clock()
    limit = timedelta(seconds=installation.settings.lag_seconds)
    late: list[tuple[timedelta, str, Lag]] = [
        (lag.age(now), log, lag) for log, lag in lags(installation).items() if lag.age(now) > limit
    ]
    for age, log, lag in late:
        facts: dict[str, Any] = {"log": log, "waiting": lag.waiting, "seconds": int(age.total_seconds())}
        structlog.get_logger("jixiao").warning("lag", **facts)
    if not late:
        return ""
    count = sum(lag.waiting for _age, _log, lag in late)
    oldest = int(max(late)[0].total_seconds())
    return (
        f"注意：{count} 条审计事件已保存、还没有写入日志，最早的等了 {oldest} 秒；"
        "请运维检查 jixiao worker 是否在运行、运行记录里有没有报警。"
    )
