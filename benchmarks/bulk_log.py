"""A log of any size in a SQLite file within seconds: what ``audit.journal`` writes event by event, in batches.

For measurements, and for tests that need a large honest log. The bytes are those of the journal: canonical events with
versions and links, leaf hashes, tiles, edge and head; ``audit.verification`` finds nothing to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from audit import tiles, tree
from audit.events import Act, Actor, EventDraft, Outcome, Via, event_bytes
from audit.integrator import projection
from audit.journal import MAIN_LOG, create_log
from audit.keys import Signer
from audit.storage import StoredTree, read_head
from models.engine import Work, make_engine, metadata, transaction
from models.ids import new_id
from models.log import AuditEntry, AuditObject, AuditProjection, AuditTile

ORIGIN = "finance.example.gov.cn/jixiao"
BEGAN = datetime(2025, 3, 1, 1, 0, tzinfo=UTC)
# Texts that the events are about, in turn.
TEXTS = 997
_BATCH = 8192


def make_log(folder: Path) -> tuple[sa.Engine, Signer]:
    """An empty log in ``jixiao.db`` of a folder, and its signer."""
    engine = make_engine(f"sqlite:///{folder / 'jixiao.db'}", synchronous="OFF")
    metadata().create_all(engine)
    signer = Signer.create(folder / "log.pem", ORIGIN)
    with transaction(engine) as work:
        create_log(work, log_id=MAIN_LOG, origin=ORIGIN, vkey=signer.vkey, now=BEGAN)
    return engine, signer


def fill_log(engine: sa.Engine, size: int) -> None:
    """Adds events until the log has so many."""
    with transaction(engine) as work:
        head = read_head(work, MAIN_LOG)
    while head.size < size:
        with transaction(engine) as work:
            _add(work, min(size, head.size + _BATCH))
            head = read_head(work, MAIN_LOG)


def _add(work: Work, until: int) -> None:
    head = read_head(work, MAIN_LOG)
    objects: dict[str, tuple[int, bytes]] = {
        row[0]: (row[1], bytes(row[2]))
        for row in work.connection.execute(sa.select(AuditObject.obj_id, AuditObject.ver, AuditObject.leaf))
    }
    known = set(objects)
    leaves = b""
    if head.size % tiles.WIDTH:
        leaves = StoredTree(work, MAIN_LOG, head).tile(0, head.size // tiles.WIDTH)
    entries, projections, completed = [], [], []
    frontier, edge = head.frontier, head.edge
    for index, (text, event, body) in enumerate(_events(objects, head.size, until), head.size):
        leaf = tree.leaf_hash(body)
        objects[text] = (event["obj"]["ver"], leaf)
        entries.append({"log": MAIN_LOG, "idx": index, "body": body, "leaf": leaf})
        projections.append(projection(MAIN_LOG, index, event))
        frontier = tree.append(index, frontier, leaf)
        leaves += leaf
        if len(leaves) == tiles.TILE_BYTES:
            made, edge = tiles.complete(index + 1 - tiles.WIDTH, edge, leaves)
            completed += [{"log": MAIN_LOG, "level": level, "n": n, "h": hashes} for level, n, hashes in made]
            leaves = b""
    execute = work.connection.execute
    execute(sa.insert(AuditEntry), entries)
    execute(sa.insert(AuditProjection), projections)
    if completed:
        execute(sa.insert(AuditTile), completed)
    rows = [
        {"log": MAIN_LOG, "obj_type": "text", "obj_id": text, "ver": ver, "leaf": leaf}
        for text, (ver, leaf) in objects.items()
    ]
    if known:
        execute(sa.text("DELETE FROM audit_object"))
    execute(sa.insert(AuditObject), rows)
    execute(
        sa.text("UPDATE audit_head SET n = :n, frontier = :frontier, edge = :edge, root = :root WHERE log = :log"),
        {"n": until, "frontier": frontier, "edge": edge, "root": tree.root_of(frontier), "log": MAIN_LOG},
    )


def _events(
    objects: dict[str, tuple[int, bytes]], start: int, until: int
) -> Iterator[tuple[str, dict[str, Any], bytes]]:
    """Text, parsed event and its bytes; the caller notes the object's new version before the next one."""
    for index in range(start, until):
        text = f"text-{index % TEXTS}"
        version, prev = objects.get(text, (0, None))
        now = BEGAN + timedelta(seconds=index)
        draft = EventDraft(
            act=Act.TEXT_FIELD_UPDATE,
            out=Outcome.SUCCESS,
            actor=Actor(f"account-{index % 40}", "drafter", Via.WEB),
            obj_type="text",
            obj_id=text,
            ctx={"req": f"{index:016x}", "app": "jixiao/benchmark"},
            why="按意见修改绩效指标",
            chg=({"p": f"/indicators/{index % 30}/value", "o": str(index), "n": str(index + 1)},),
        )
        event_id = new_id(now)
        body = event_bytes(draft, event_id=event_id, ts=now, ver=version + 1, prev=prev)
        # What the projection needs of the event; parsing each body again would double the time.
        event = {
            "id": event_id,
            "ts": now.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z",
            "act": draft.act,
            "actor": {"sub": draft.actor.sub},
            "obj": {"type": "text", "id": text, "ver": version + 1},
            "out": draft.out,
        }
        yield text, event, body
