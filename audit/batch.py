"""One batch of the integrator: waiting rows are checked, get dense indexes, and are written with tiles and head by COPY."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from audit import tiles, tree
from audit.events import parse_event
from audit.journal import move_head, outbox_mac
from audit.storage import Head, read_head
from models.base import parse_timestamp
from models.engine import Work
from models.errors import InvalidInput, LogCorrupt
from models.log import AuditEntry, AuditHead, AuditOutbox
from models.prepared import Prepared

_WAITING = Prepared(
    sa.select(AuditOutbox.seq, AuditOutbox.event_id, AuditOutbox.body, AuditOutbox.mac)
    .where(AuditOutbox.log == sa.bindparam("log"))
    .order_by(AuditOutbox.seq)
    .limit(sa.bindparam("count"))
)
_DONE = Prepared(
    sa.delete(AuditOutbox).where(AuditOutbox.seq == sa.func.any(sa.bindparam("done", type_=ARRAY(sa.BigInteger))))
)
_LEAVES = Prepared(
    sa.select(AuditEntry.leaf)
    .where(AuditEntry.log == sa.bindparam("log"), AuditEntry.idx >= sa.bindparam("start"))
    .order_by(AuditEntry.idx)
    .limit(sa.bindparam("count"))
)
_MOVE_EDGE = Prepared(
    sa.update(AuditHead).where(AuditHead.log == sa.bindparam("of_log")).values(edge=sa.bindparam("edge"))
)

# Column names and PostgreSQL types of the three tables that are filled by COPY in binary form, which needs no escaping.
_ENTRY = ("audit_entry", {"log": "text", "idx": "int8", "body": "bytea", "leaf": "bytea"})
_PROJECTION = (
    "audit_projection",
    {
        "log": "text",
        "idx": "int8",
        "event_id": "text",
        "ts": "timestamptz",
        "act": "text",
        "actor": "text",
        "obj_type": "text",
        "obj_id": "text",
        "obj_ver": "int8",
        "out": "text",
    },
)
_TILE = ("audit_tile", {"log": "text", "level": "int8", "n": "int8", "h": "bytea"})

_EVENT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# A checked row: its sequence number, body and parsed event.
Checked = tuple[int, bytes, dict[str, Any]]


def integrate_batch(work: Work, log: str, mac_key: bytes, limit: int) -> tuple[int, LogCorrupt | None]:
    """Integrates up to ``limit`` waiting events in the caller's transaction; the caller is the elected integrator.

    Returns how many, and the error of the first row that is not ours: what stands before it is written, and nothing from it
    on, so the caller commits first and raises then. Raises Conflict where another integrator has moved the head, and LogCorrupt
    where nothing of the batch can be written.
    """
    good, broken = checked(work.rows(_WAITING, log=log, count=limit), log, mac_key)
    if good:
        _write(work, log, good)
    return len(good), broken


def first_broken(work: Work, log: str, mac_key: bytes, limit: int) -> LogCorrupt | None:
    """The error of the first waiting row that no integrator will take, or None; for who waits in vain."""
    return checked(work.rows(_WAITING, log=log, count=limit), log, mac_key)[1]


def checked(rows: Iterable[tuple[Any, ...]], log: str, mac_key: bytes) -> tuple[list[Checked], LogCorrupt | None]:
    """The rows up to the first whose HMAC, body or id is wrong, and the error that names it."""
    good: list[Checked] = []
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


def _write(work: Work, log: str, rows: Sequence[Checked]) -> None:
    head = read_head(work, log)
    size, frontier = head.size, head.frontier
    leaves = []
    for _seq, body, _event in rows:
        leaf = tree.leaf_hash(body)
        leaves.append(leaf)
        frontier = tree.append(size, frontier, leaf)
        size += 1
    # The fence comes first: an integrator that was overtaken must fail before it writes at indexes that are taken.
    move_head(work, log, old=head.size, new=size, frontier=frontier)
    _copy(
        work,
        _ENTRY,
        ((log, index, row[1], leaf) for index, (row, leaf) in enumerate(zip(rows, leaves, strict=True), head.size)),
    )
    try:
        _copy(
            work, _PROJECTION, (tuple(projection(log, at, row[2]).values()) for at, row in enumerate(rows, head.size))
        )
    except work.dialect.loaded_dbapi.IntegrityError as error:
        raise _replayed(error) or error from None
    if size // tiles.WIDTH > head.size // tiles.WIDTH:
        _write_tiles(work, log, head, leaves)
    sequence = [row[0] for row in rows]
    if work.run(_DONE, done=sequence) != len(sequence):
        raise LogCorrupt(f"审计日志“{log}”的待写事件在整合时被人删除；没有写入任何内容，请调查后重试。")


def _write_tiles(work: Work, log: str, head: Head, leaves: Sequence[bytes]) -> None:
    base = head.size - head.size % tiles.WIDTH
    before = [row[0] for row in work.rows(_LEAVES, log=log, start=base, count=head.size - base)]
    if len(before) != head.size - base:
        raise _incomplete(log, base)
    hashes = b"".join([*before, *leaves])
    edge, completed = head.edge, []
    for start in range(0, len(hashes) - tiles.TILE_BYTES + 1, tiles.TILE_BYTES):
        at = base + start // tree.HASH_BYTES
        try:
            more, edge = tiles.complete(at, edge, hashes[start : start + tiles.TILE_BYTES])
        except ValueError as error:
            raise _incomplete(log, base) from error
        completed += more
    _copy(work, _TILE, ((log, *tile) for tile in completed))
    work.run(_MOVE_EDGE, of_log=log, edge=edge)


def _replayed(error: Any) -> LogCorrupt | None:
    """The error for a waiting row that stands in the log already; None where something else stands twice.

    Its HMAC is right, since somebody kept it and put it back. It would stop the integrator for ever, as a busy neighbour
    would for a moment, and nobody would be told.
    """
    if error.diag.constraint_name != "uq_audit_projection_event_id":
        return None
    found = _EVENT_ID.search(error.diag.message_detail or "")
    event_id = found[0] if found else ""
    return LogCorrupt(
        f"待写入的审计事件 {event_id} 早已在日志里，它被人再次放进了 audit_outbox；没有写入任何内容，请停止使用并调查。",
        event_id=event_id,
    )


def _incomplete(log: str, index: int) -> LogCorrupt:
    return LogCorrupt(
        f"审计日志“{log}”第 {index} 条起的条目或右缘缺失，不能再写；请停止使用并运行 jixiao audit verify。", index=index
    )


def _copy(work: Work, table: tuple[str, dict[str, str]], rows: Iterable[tuple[Any, ...]]) -> None:
    name, columns = table
    names = ", ".join(f'"{column}"' for column in columns)
    statement = f"COPY {name} ({names}) FROM STDIN WITH (FORMAT BINARY)"
    driver: Any = work.connection.connection.dbapi_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(list(columns.values()))
        for row in rows:
            copy.write_row(row)


def projection(log: str, index: int, event: dict[str, Any]) -> dict[str, Any]:
    """The projection row of a parsed event, its columns in the table's order."""
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
