"""The integrator: gives committed outbox events their place in the log (PostgreSQL; audit.md "Order under concurrent writers").

It is a queue, not a cursor: gaps in the sequence and late commits do no harm. One integrator is elected by an advisory
lock and fenced by the head's size, and everything it does for a batch is one transaction.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from audit import tiles, tree
from audit.events import parse_event
from audit.journal import MAIN_LOG, add_tiles, move_head, outbox_mac
from audit.storage import read_head
from models.base import parse_timestamp
from models.engine import Work, transaction
from models.errors import DatabaseUnavailable, InvalidInput, LogCorrupt, NotFound
from models.log import AuditEntry, AuditOutbox, AuditProjection
from models.prepared import Prepared

_ELECT = Prepared(sa.select(sa.func.pg_try_advisory_xact_lock(sa.bindparam("key", type_=sa.BigInteger))))
_WAITING = Prepared(
    sa.select(AuditOutbox.seq, AuditOutbox.event_id, AuditOutbox.body, AuditOutbox.mac)
    .where(AuditOutbox.log == sa.bindparam("log"))
    .order_by(AuditOutbox.seq)
    .limit(sa.bindparam("count"))
)
_DONE = Prepared(
    sa.delete(AuditOutbox).where(AuditOutbox.seq == sa.func.any(sa.bindparam("done", type_=ARRAY(sa.BigInteger))))
)
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


def integrate(engine: sa.Engine, *, log: str = MAIN_LOG, mac_key: bytes | None, limit: int = 1000) -> int:
    """Integrates up to ``limit`` waiting events and returns how many; 0 on SQLite, and while another process integrates.

    Raises LogCorrupt, naming the event, at the first row whose HMAC or body is wrong: what stands before it is integrated,
    and nothing from it on.
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
    """Index of a committed event, integrating here until it has one; at most ``timeout`` seconds.

    Raises NotFound for an event that was never recorded, LogCorrupt as ``integrate`` does, and DatabaseUnavailable where
    another integrator holds the lock for too long.
    """
    deadline = time.monotonic() + timeout
    pause = _FIRST_PAUSE
    while True:
        index = _index_of(engine, log, event_id)
        if index is not None:
            return index
        try:
            elected = _integrate(engine, log, mac_key, 1000) is not None
        except LogCorrupt:
            # The damaged row may stand behind the event that is waited for.
            index = _index_of(engine, log, event_id)
            if index is None:
                raise
            return index
        if time.monotonic() > deadline:
            raise DatabaseUnavailable(
                f"等待 {timeout:g} 秒后，审计事件 {event_id} 仍未写入日志；操作已保存，请检查审计整合进程后重试。",
                event_id=event_id,
            )
        if not elected:
            sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)


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
        elected: Any = work.one(_ELECT, key=_lock_number(log))
        if not elected[0]:
            return None
        waiting = work.rows(_WAITING, log=log, count=limit)
        good, broken = _checked(waiting, log, mac_key)
        if good:
            _apply(work, log, good)
    if broken is not None:
        raise broken
    return len(good)


def _lock_number(log: str) -> int:
    return int.from_bytes(sha256(f"jixiao audit integrator {log}".encode()).digest()[:8], "big", signed=True)


# A checked row: its sequence number, body and parsed event.
_Checked = tuple[int, bytes, dict[str, Any]]


def _checked(rows: list[tuple[Any, ...]], log: str, mac_key: bytes) -> tuple[list[_Checked], LogCorrupt | None]:
    good: list[_Checked] = []
    for seq, event_id, body, mac in rows:
        reason = None
        if not hmac.compare_digest(outbox_mac(mac_key, log, body), mac):
            reason = "校验码不符，它在写入日志之前被改动过，或密钥不对"
        else:
            try:
                event = parse_event(body)
            except InvalidInput as error:
                reason = error.message
            else:
                if event["id"] != event_id:
                    reason = "编号与内容不符"
        if reason is not None:
            return good, LogCorrupt(
                f"待写入的审计事件 {event_id} 有误（{reason}）；从它起都没有写入，请停止使用并调查。",
                event_id=event_id,
                seq=seq,
            )
        good.append((seq, body, event))
    return good, None


def _apply(work: Work, log: str, rows: list[_Checked]) -> None:
    head = read_head(work, log)
    size, frontier = head.size, head.frontier
    entries, projections = [], []
    for _seq, body, event in rows:
        leaf = tree.leaf_hash(body)
        entries.append({"log": log, "idx": size, "body": body, "leaf": leaf})
        projections.append(projection(log, size, event))
        frontier = tree.append(size, frontier, leaf)
        size += 1
    # The fence comes first: an integrator that was overtaken must fail before it writes at indexes that are taken.
    move_head(work, log, old=head.size, new=size, frontier=frontier)
    work.connection.execute(sa.insert(AuditEntry), entries)
    work.connection.execute(sa.insert(AuditProjection), projections)
    for start in range(head.size - head.size % tiles.WIDTH, size - size % tiles.WIDTH, tiles.WIDTH):
        add_tiles(work, log, start)
    sequence = [seq for seq, _body, _event in rows]
    if work.run(_DONE, done=sequence) != len(sequence):
        raise LogCorrupt(f"审计日志“{log}”的待写事件在整合时被人删除；没有写入任何内容，请调查后重试。")


def projection(log: str, index: int, event: dict[str, Any]) -> dict[str, Any]:
    """The projection row of a parsed event."""
    return {
        "log": log,
        "idx": index,
        "event_id": event["id"],
        "ts": parse_timestamp(event["ts"]),
        "act": event["act"],
        "actor": event["actor"]["sub"],
        "obj_type": event["obj"]["type"],
        "obj_id": event["obj"]["id"],
        "obj_ver": event["obj"]["ver"],
        "out": event["out"],
    }
