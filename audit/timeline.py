"""Reading the log: the events of an object, of an act, or all, in their order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from audit.events import parse_event
from audit.journal import MAIN_LOG
from models.engine import Work
from models.errors import InvalidInput, LogCorrupt
from models.log import AuditEntry, AuditProjection
from models.prepared import Prepared


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event with its index in the log; ``event`` is the parsed body (audit.md "Event")."""

    index: int
    event: dict[str, Any]


def events(
    work: Work,
    *,
    log: str = MAIN_LOG,
    obj_type: str | None = None,
    obj_id: str | None = None,
    act: str | None = None,
    since_index: int = 0,
    limit: int,
) -> list[LoggedEvent]:
    """Up to ``limit`` events from ``since_index`` on, by index; each filter that is given must hold.

    The projection finds them and the body is what is returned. Raises LogCorrupt where a body is not an event, or not the
    one that the projection promised.
    """
    wanted = {"obj_type": obj_type, "obj_id": obj_id, "act": act}
    given = {name: value for name, value in wanted.items() if value is not None}
    rows = work.rows(_query(tuple(given)), log=log, since=since_index, count=limit, **given)
    return [LoggedEvent(index, _event(index, body, given)) for index, body in rows]


@cache
def _query(names: tuple[str, ...]) -> Prepared:
    conditions = [getattr(AuditProjection, name) == sa.bindparam(name) for name in names]
    return Prepared(
        sa.select(AuditEntry.idx, AuditEntry.body)
        .join(AuditProjection, sa.and_(AuditProjection.log == AuditEntry.log, AuditProjection.idx == AuditEntry.idx))
        .where(AuditEntry.log == sa.bindparam("log"), AuditEntry.idx >= sa.bindparam("since"), *conditions)
        .order_by(AuditEntry.idx)
        .limit(sa.bindparam("count"))
    )


def _event(index: int, body: bytes, given: dict[str, str]) -> dict[str, Any]:
    try:
        event = parse_event(body)
    except InvalidInput as error:
        raise LogCorrupt(
            f"审计日志第 {index} 条不是有效的事件；请停止使用并运行 jixiao audit verify。",
            index=index,
            cause=error.message,
        ) from error
    said = {"obj_type": event["obj"]["type"], "obj_id": event["obj"]["id"], "act": event["act"]}
    if any(said[name] != value for name, value in given.items()):
        raise LogCorrupt(
            f"审计日志第 {index} 条的查询列与正文不符；请停止使用并运行 jixiao audit verify。", index=index
        )
    return event
