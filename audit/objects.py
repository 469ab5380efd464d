"""The chain of each object's events: versions without a gap, each linked to the one before (audit.md "Event").

A log has far more objects than memory should hold, so what is known of them is kept for the recent ones, and put into a
temporary file for the others. The file is the verifier's own: an index of the database in doubt could hide what it is asked.
"""

from __future__ import annotations

import sqlite3
from typing import Any, NamedTuple

import sqlalchemy as sa

from audit.events import parse_event
from audit.rawrows import RawRows
from audit.tree import leaf_hash
from audit.verdicts import Findings, Kind
from models.errors import InvalidInput
from models.log import AuditObject, AuditOutbox
from models.prepared import Prepared

# An object: its type and id.
ObjectKey = tuple[str, str]
# The version and the link (leaf hash in hexadecimal, "" for none) that an object's next event must have.
Link = tuple[int, str]

FIRST: Link = (1, "")


class ObjectSpan(NamedTuple):
    """A stretch of an object's events: what the first one says, and what must follow the last."""

    first: int
    version: int
    prev: str
    following: Link


_IN_MEMORY = 50_000
_PAGE = 1000

_OBJECTS = sa.select(AuditObject.obj_type, AuditObject.obj_id, AuditObject.ver, AuditObject.leaf).where(
    AuditObject.log == sa.bindparam("log")
)
_ORDER = (AuditObject.obj_type, AuditObject.obj_id)
_FIRST = Prepared(_OBJECTS.order_by(*_ORDER).limit(sa.bindparam("count")))
_NEXT = Prepared(
    _OBJECTS.where(sa.tuple_(*_ORDER) > sa.tuple_(sa.bindparam("after_type"), sa.bindparam("after_id")))
    .order_by(*_ORDER)
    .limit(sa.bindparam("count"))
)
_WAITING = Prepared(
    sa.select(AuditOutbox.seq, AuditOutbox.body)
    .where(AuditOutbox.log == sa.bindparam("log"), AuditOutbox.seq > sa.bindparam("after"))
    .order_by(AuditOutbox.seq)
    .limit(sa.bindparam("count"))
)


class ObjectChains:
    """What must follow the newest event of every object, in bounded memory."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._recent: dict[ObjectKey, Link] = {}
        # "" is a temporary file of SQLite's own, which is gone when the connection is.
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("CREATE TABLE object (type, id, ver, prev, PRIMARY KEY (type, id)) WITHOUT ROWID")
        self._filed = False
        self.count = 0

    def close(self) -> None:
        """Removes the temporary file."""
        self._file.close()

    def following(self, key: ObjectKey) -> Link | None:
        """What must follow the newest event of an object so far; None where it has none."""
        found = self._recent.get(key)
        if found is None and self._filed:
            found = self._file.execute("SELECT ver, prev FROM object WHERE type = ? AND id = ?", key).fetchone()
        return found

    def join(self, key: ObjectKey, span: ObjectSpan) -> None:
        """Takes the next stretch of an object's events, in order of the log."""
        known = self.following(key)
        self.count += known is None
        claim = (span.version, span.prev)
        if claim != (known or FIRST):
            self._findings.add(Kind.OBJECT, span.first, link_problem(span.first, key, claim, known or FIRST))
        self._recent[key] = span.following
        if len(self._recent) > _IN_MEMORY:
            self._put_away()

    def _put_away(self) -> None:
        rows = [(*key, *link) for key, link in self._recent.items()]
        self._file.execute("BEGIN")
        self._file.executemany("INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?)", rows)
        self._file.execute("COMMIT")
        self._filed = True
        self._recent.clear()

    def finish(self, rows: RawRows, log: str) -> None:
        """Compares with ``audit_object``, which is ahead of the log by the events that still wait in the outbox."""
        after, page = -1, rows.all(_WAITING, log=log, after=-1, count=_PAGE)
        while page:
            for _seq, body in page:
                self._wait(body)
            after = page[-1][0]
            page = rows.all(_WAITING, log=log, after=after, count=_PAGE)
        stored = 0
        page = rows.all(_FIRST, log=log, count=_PAGE)
        while page:
            stored += len(page)
            for kind, name, version, leaf in page:
                found = (version + 1, leaf.hex()) if type(version) is int and isinstance(leaf, bytes) else None
                if found is None or self.following((kind, name)) != found:
                    self._findings.add(
                        Kind.OBJECT, None, f"对象 {kind} {name} 的版本记录（audit_object）与事件不符；它被改动。"
                    )
            page = rows.all(_NEXT, log=log, after_type=page[-1][0], after_id=page[-1][1], count=_PAGE)
        if stored < self.count:
            self._findings.add(
                Kind.OBJECT, None, f"有 {self.count - stored} 个对象的版本记录（audit_object）不见了；它们被删除。"
            )

    def _wait(self, body: Any) -> None:
        try:
            event = parse_event(body if isinstance(body, bytes) else b"")
        except InvalidInput:
            # The outbox's own check says so of every row that is not as it was written.
            return
        obj = event["obj"]
        self.count += self.following((obj["type"], obj["id"])) is None
        self._recent[obj["type"], obj["id"]] = (obj["ver"] + 1, leaf_hash(body).hex())


def link_problem(index: int, key: ObjectKey, claim: Link, expected: Link) -> str:
    """What is wrong with an event's place in its object's chain; ``claim`` is what it says."""
    if claim[0] != expected[0]:
        wanted = f"应为第 {expected[0]} 版，却写着第 {claim[0]} 版"
        return f"第 {index} 条（{key[0]} {key[1]}）{wanted}；有事件被删除、插入或调换。"
    return f"第 {index} 条（{key[0]} {key[1]}）没有接在该对象的上一个事件之后；有事件被替换。"
