"""The integrator: gives committed outbox events their place in the log (PostgreSQL; audit.md "Order under concurrent writers").

It is a queue, not a cursor: gaps in the sequence and late commits do no harm. One integrator is elected by an advisory
lock and fenced by the head's size, and everything it does for a batch is one transaction. Here it works for one call;
``audit.integration`` keeps one running.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from audit.batch import first_broken, integrate_batch
from audit.batch import projection as projection
from audit.journal import MAIN_LOG
from models.engine import Work, transaction
from models.errors import DatabaseUnavailable, InvalidInput, LogCorrupt, NotFound
from models.log import AuditEntry, AuditOutbox, AuditProjection
from models.prepared import Prepared

# What the running integrator listens on; the payload is the log's id.
CHANNEL = "jixiao_audit"
BATCH = 2000

# A process of the application's role may not write entries (decision 0022). It must not take the lock either, or it would
# keep out those that may; so the right is asked for first: NULL is "not allowed", false is "another one is at it".
_ELECT = Prepared(
    sa.select(
        sa.case(
            (
                sa.func.has_table_privilege(AuditEntry.__tablename__, "INSERT"),
                sa.func.pg_try_advisory_xact_lock(sa.bindparam("key", type_=sa.BigInteger)),
            )
        )
    )
)
_WAKE = Prepared(sa.select(sa.func.pg_notify(CHANNEL, sa.bindparam("log", type_=sa.Text))))
_INDEX = Prepared(
    sa.select(
        sa.select(AuditProjection.idx)
        .where(AuditProjection.log == sa.bindparam("log"), AuditProjection.event_id == sa.bindparam("event_id"))
        .scalar_subquery(),
        sa.exists().where(AuditOutbox.log == sa.bindparam("log"), AuditOutbox.event_id == sa.bindparam("event_id")),
    )
)

# Waiting for another integrator: first and longest pause between two looks, in seconds.
_FIRST_PAUSE = 0.002
_LONGEST_PAUSE = 0.05


def integrate(engine: sa.Engine, *, log: str = MAIN_LOG, mac_key: bytes | None, limit: int = BATCH) -> int:
    """Integrates up to ``limit`` waiting events and returns how many.

    0 on SQLite, while another process integrates, and where the database's role may not. Raises LogCorrupt, naming the
    event, at the first row whose HMAC or body is wrong: what stands before it is integrated, and nothing from it on.
    """
    return _integrate(engine, log, mac_key, limit) or 0


def await_integrated(
    engine: sa.Engine,
    event_id: str,
    *,
    log: str = MAIN_LOG,
    mac_key: bytes | None,
    timeout: float = 15.0,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Index of a committed event: wakes the running integrator and waits for it, or integrates here where none runs.

    At most ``timeout`` seconds. Raises NotFound for an event that was never recorded, LogCorrupt where a damaged row stands
    before it, and DatabaseUnavailable where nobody has integrated it in time.
    """
    deadline = time.monotonic() + timeout
    pause = _FIRST_PAUSE
    woken = False
    while True:
        index = _index_of(engine, log, event_id)
        if index is not None:
            return index
        try:
            elected = _integrate(engine, log, mac_key, BATCH) is not None
        except LogCorrupt:
            # The damaged row may stand behind the event that is waited for.
            index = _index_of(engine, log, event_id)
            if index is None:
                raise
            return index
        if time.monotonic() > deadline:
            raise _not_in_time(engine, event_id, log, mac_key, timeout)
        if not elected:
            if not woken:
                wake(engine, log)
                woken = True
            sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)


def wake(engine: sa.Engine, log: str = MAIN_LOG) -> None:
    """Tells the running integrator that something waits; nothing on SQLite.

    In a transaction of its own, after the writer's commit: PostgreSQL lets transactions that notify commit one at a time
    (decision 0022 has the figures).
    """
    if engine.dialect.name == "postgresql":
        with transaction(engine) as work:
            work.one(_WAKE, log=log)


def lock_number(log: str) -> int:
    """The number of the advisory lock by which the integrator of a log is elected."""
    return int.from_bytes(sha256(f"jixiao audit integrator {log}".encode()).digest()[:8], "big", signed=True)


def _not_in_time(engine: sa.Engine, event_id: str, log: str, mac_key: bytes | None, timeout: float) -> Exception:
    if mac_key is not None:
        with transaction(engine, read_only=True) as work:
            broken = first_broken(work, log, mac_key, BATCH)
        if broken is not None:
            return broken
    return DatabaseUnavailable(
        f"等待 {timeout:g} 秒后，审计事件 {event_id} 仍未写入日志；操作已保存，请检查 jixiao worker 是否在运行，然后重试。",
        event_id=event_id,
    )


def _index_of(engine: sa.Engine, log: str, event_id: str) -> int | None:
    with transaction(engine, read_only=True) as work:
        found: Any = work.one(_INDEX, log=log, event_id=event_id)
    index, waiting = found
    if index is None and not waiting:
        raise NotFound(f"审计日志“{log}”中没有事件 {event_id}；请检查编号。", event_id=event_id)
    return None if index is None else int(index)


def _integrate(engine: sa.Engine, log: str, mac_key: bytes | None, limit: int) -> int | None:
    if engine.dialect.name == "sqlite":
        return 0
    if mac_key is None:
        raise InvalidInput("整合审计事件需要发件箱密钥；请检查 JIXIAO_HOME 中的密钥文件。")
    with transaction(engine) as work:
        if not _elected(work, log):
            return None
        count, broken = integrate_batch(work, log, mac_key, limit)
    if broken is not None:
        raise broken
    return count


def _elected(work: Work, log: str) -> bool:
    found: Any = work.one(_ELECT, key=lock_number(log))
    return bool(found[0])
