"""Writing: a log is created, and events are recorded in the transaction of what they tell about.

SQLite has one writer by nature: the event gets its index, entry, projection and place in the tree at once. On PostgreSQL a
tree in the writer's transaction would need a global lock until commit, so the event goes into ``audit_outbox`` under an
HMAC and the integrator gives it an index (audit.md "Order under concurrent writers").
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from audit import tiles, tree
from audit.events import EventDraft, event_bytes
from audit.notes import parse_vkey
from models.engine import Work
from models.errors import Conflict, InvalidInput, LogCorrupt, NotFound
from models.log import AuditEntry, AuditHead, AuditKey, AuditLog, AuditObject, AuditOutbox, AuditProjection, AuditTile
from models.prepared import Prepared, insert_into

MAIN_LOG = "main"

_FIND_LOG = Prepared(sa.select(AuditLog.id).where(AuditLog.id == sa.bindparam("log")))
_ADD_LOG = insert_into(AuditLog)
_ADD_KEY = insert_into(AuditKey)
_ADD_HEAD = insert_into(AuditHead)

# One statement for both: a read costs a round trip through SQLite's compiler, whatever it reads. The edge (kilobytes) is
# left out, since it is only needed for one event in 256.
_HEAD_AND_OBJECT = Prepared(
    sa.select(AuditHead.n, AuditHead.frontier, AuditObject.ver, AuditObject.leaf)
    .select_from(AuditHead)
    .outerjoin(
        AuditObject,
        sa.and_(
            AuditObject.log == AuditHead.log,
            AuditObject.obj_type == sa.bindparam("obj_type"),
            AuditObject.obj_id == sa.bindparam("obj_id"),
        ),
    )
    .where(AuditHead.log == sa.bindparam("log"))
)
_ADD_ENTRY = insert_into(AuditEntry)
_ADD_PROJECTION = insert_into(AuditProjection)
_ADD_OBJECT = insert_into(AuditObject)
_MOVE_OBJECT = Prepared(
    sa.update(AuditObject)
    .where(
        AuditObject.log == sa.bindparam("of_log"),
        AuditObject.obj_type == sa.bindparam("of_type"),
        AuditObject.obj_id == sa.bindparam("of_id"),
    )
    .values(ver=sa.bindparam("ver"), leaf=sa.bindparam("leaf"))
)
_MOVE_HEAD = Prepared(
    sa.update(AuditHead)
    .where(AuditHead.log == sa.bindparam("of_log"), AuditHead.n == sa.bindparam("old"))
    .values(n=sa.bindparam("n"), frontier=sa.bindparam("frontier"), root=sa.bindparam("root"))
)
_READ_EDGE = Prepared(sa.select(AuditHead.edge).where(AuditHead.log == sa.bindparam("log")))
_MOVE_EDGE = Prepared(
    sa.update(AuditHead).where(AuditHead.log == sa.bindparam("of_log")).values(edge=sa.bindparam("edge"))
)
_LEAVES = Prepared(
    sa.select(AuditEntry.leaf)
    .where(AuditEntry.log == sa.bindparam("log"), AuditEntry.idx >= sa.bindparam("start"))
    .order_by(AuditEntry.idx)
    .limit(sa.bindparam("count"))
)
_ADD_TILE = insert_into(AuditTile)

# The upsert waits for another writer of the same object, locks its row, counts, and gives back the old link: two writers
# that both believe to write the first event of an object get the versions 1 and 2. It finds no row to insert where there is
# no such log.
_TAKE_VERSION = Prepared(
    postgresql.insert(AuditObject)
    .from_select(
        ["log", "obj_type", "obj_id", "ver", "leaf"],
        sa.select(
            AuditLog.id,
            sa.bindparam("obj_type", type_=sa.Text),
            sa.bindparam("obj_id", type_=sa.Text),
            sa.literal_column("1"),
            sa.literal_column("''::bytea"),
        ).where(AuditLog.id == sa.bindparam("log")),
    )
    .on_conflict_do_update(
        index_elements=[AuditObject.log, AuditObject.obj_type, AuditObject.obj_id],
        set_={"ver": AuditObject.ver + 1},
    )
    .returning(AuditObject.ver, AuditObject.leaf)
)
# One statement for both, since a round trip to the server costs as much as the rest of an event.
_LINKED = (
    sa.update(AuditObject)
    .where(
        AuditObject.log == sa.bindparam("log"),
        AuditObject.obj_type == sa.bindparam("obj_type"),
        AuditObject.obj_id == sa.bindparam("obj_id"),
    )
    .values(leaf=sa.bindparam("new_leaf", type_=sa.LargeBinary))
    .returning(AuditObject.log)
    .cte("linked")
)
_ADD_OUTBOX = Prepared(
    sa.insert(AuditOutbox)
    .from_select(
        ["log", "event_id", "body", "mac", "created"],
        sa.select(
            _LINKED.c.log,
            sa.bindparam("event_id", type_=sa.Text),
            sa.bindparam("body", type_=sa.LargeBinary),
            sa.bindparam("mac", type_=sa.LargeBinary),
            sa.bindparam("created", type_=AuditOutbox.__table__.c.created.type),
        ),
    )
    .inline()
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event in the log's keeping: its leaf hash and object version; ``index`` is None until it is integrated."""

    event_id: str
    index: int | None
    leaf: bytes
    version: int


def create_log(work: Work, *, log_id: str, origin: str, vkey: str, now: datetime) -> None:
    """Adds an empty log; ``vkey`` is the verifier key of its signer, whose name is ``origin``.

    Raises InvalidInput where the two do not fit and Conflict where the log exists.
    """
    if parse_vkey(vkey).name != origin:
        raise InvalidInput(f"验证公钥的名称与日志来源“{origin}”不一致；请使用同一个名称。")
    if work.one(_FIND_LOG, log=log_id) is not None:
        raise Conflict(f"审计日志“{log_id}”已经存在；无需再次创建。")
    work.run(_ADD_LOG, id=log_id, origin=origin, vkey=vkey, created=now)
    work.run(_ADD_KEY, log=log_id, vkey=vkey, from_size=0, until_size=None)
    work.run(_ADD_HEAD, log=log_id, n=0, frontier=tree.EMPTY_FRONTIER, edge=b"", root=tree.EMPTY_ROOT)


def record(
    work: Work, draft: EventDraft, *, log: str = MAIN_LOG, event_id: str, now: datetime, mac_key: bytes | None
) -> Recorded:
    """Records an event in the caller's transaction.

    On SQLite the index is known at once; on PostgreSQL the event waits in the outbox under an HMAC with ``mac_key`` (32
    bytes, required there). Raises NotFound for an unknown log and InvalidInput for an event outside the profile.
    """
    if work.is_sqlite:
        return _apply(work, draft, log, event_id, now)
    if mac_key is None:
        raise InvalidInput("PostgreSQL 上写审计事件需要发件箱密钥；请检查 JIXIAO_HOME 中的密钥文件。")
    return _enqueue(work, draft, log, event_id, now, mac_key)


def outbox_mac(key: bytes, log: str, body: bytes) -> bytes:
    """HMAC-SHA256 of an outbox row; the log's id is in it, so that a row can't be moved to another log."""
    return hmac.digest(key, log.encode() + b"\x00" + body, "sha256")


def _apply(work: Work, draft: EventDraft, log: str, event_id: str, now: datetime) -> Recorded:
    found = work.one(_HEAD_AND_OBJECT, log=log, obj_type=draft.obj_type, obj_id=draft.obj_id)
    if found is None:
        raise _no_log(log)
    size, frontier, version, prev = found
    version = 1 if version is None else version + 1
    body = event_bytes(draft, event_id=event_id, ts=now, ver=version, prev=prev)
    leaf = tree.leaf_hash(body)
    work.run(_ADD_ENTRY, log=log, idx=size, body=body, leaf=leaf)
    work.run(
        _ADD_PROJECTION,
        log=log,
        idx=size,
        event_id=event_id,
        ts=now,
        act=draft.act,
        actor=draft.actor.sub,
        obj_type=draft.obj_type,
        obj_id=draft.obj_id,
        obj_ver=version,
        out=draft.out,
    )
    if version == 1:
        work.run(_ADD_OBJECT, log=log, obj_type=draft.obj_type, obj_id=draft.obj_id, ver=1, leaf=leaf)
    else:
        work.run(_MOVE_OBJECT, of_log=log, of_type=draft.obj_type, of_id=draft.obj_id, ver=version, leaf=leaf)
    frontier = tree.append(size, frontier, leaf)
    move_head(work, log, old=size, new=size + 1, frontier=frontier)
    if (size + 1) % tiles.WIDTH == 0:
        add_tiles(work, log, size + 1 - tiles.WIDTH)
    return Recorded(event_id, size, leaf, version)


def move_head(work: Work, log: str, *, old: int, new: int, frontier: bytes) -> None:
    """Moves the head from ``old`` to ``new`` leaves; fenced, so that of two movers one is refused with Conflict."""
    if work.run(_MOVE_HEAD, of_log=log, old=old, n=new, frontier=frontier, root=tree.root_of(frontier)) != 1:
        raise Conflict(f"审计日志“{log}”的头部刚刚被别的进程改动；请重试。")


def add_tiles(work: Work, log: str, start: int) -> None:
    """Stores the tiles that the 256 entries from ``start`` (all stored by now) complete, and the edge afterwards."""
    leaves = b"".join(row[0] for row in work.rows(_LEAVES, log=log, start=start, count=tiles.WIDTH))
    found = work.one(_READ_EDGE, log=log)
    try:
        completed, edge = tiles.complete(start, found[0] if found else b"", leaves)
    except ValueError as error:
        raise LogCorrupt(
            f"审计日志“{log}”第 {start} 条起的条目或右缘缺失，不能再写；请停止使用并运行 jixiao audit verify。",
            index=start,
        ) from error
    for level, number, hashes in completed:
        work.run(_ADD_TILE, log=log, level=level, n=number, h=hashes)
    work.run(_MOVE_EDGE, of_log=log, edge=edge)


def _enqueue(work: Work, draft: EventDraft, log: str, event_id: str, now: datetime, mac_key: bytes) -> Recorded:
    taken = work.one(_TAKE_VERSION, log=log, obj_type=draft.obj_type, obj_id=draft.obj_id)
    if taken is None:
        raise _no_log(log)
    version, prev = taken[0], bytes(taken[1]) or None
    try:
        body = event_bytes(draft, event_id=event_id, ts=now, ver=version, prev=prev)
    except InvalidInput:
        # A caller may catch the refusal and commit; a version counted for no event would then look like a deleted one.
        work.run(
            _MOVE_OBJECT, of_log=log, of_type=draft.obj_type, of_id=draft.obj_id, ver=version - 1, leaf=prev or b""
        )
        raise
    leaf = tree.leaf_hash(body)
    # The sequence number is taken while the object's row is locked, so it rises in the order of the object's versions.
    work.run(
        _ADD_OUTBOX,
        log=log,
        obj_type=draft.obj_type,
        obj_id=draft.obj_id,
        new_leaf=leaf,
        event_id=event_id,
        body=body,
        mac=outbox_mac(mac_key, log, body),
        created=now,
    )
    return Recorded(event_id, None, leaf, version)


def _no_log(log: str) -> NotFound:
    return NotFound(f"审计日志“{log}”不存在；请先运行 jixiao init。", log=log)
