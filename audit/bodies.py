"""What strict verification asks of every body: canonical form, the projection's row, the object's chain, rising ids."""

from __future__ import annotations

from collections.abc import Sequence
from operator import lt
from typing import Any

import sqlalchemy as sa

from audit.eventbatches import TOGETHER, EventBatch, read_batch
from audit.eventchecks import EventCheck
from audit.objects import Link, ObjectKey, ObjectSpan, link_problem
from audit.rawrows import RawRows
from audit.verdicts import Findings, Kind
from models.base import timestamp
from models.errors import InvalidInput
from models.log import AuditProjection
from models.prepared import Prepared

_NAMES = ("idx", "event_id", "ts", "act", "actor", "obj_type", "obj_id", "obj_ver", "out")
_ROWS = Prepared(
    sa.select(*(getattr(AuditProjection, name) for name in _NAMES))
    .where(
        AuditProjection.log == sa.bindparam("log"),
        AuditProjection.idx >= sa.bindparam("first"),
        AuditProjection.idx < sa.bindparam("end"),
    )
    .order_by(AuditProjection.idx)
)

Row = tuple[Any, ...]


class BodyCheck:
    """Checks the bodies of a block, batch by batch; ``objects`` and ``ids`` are for joining with other blocks."""

    def __init__(self, rows: RawRows, log: str, findings: Findings, checks: Sequence[EventCheck]) -> None:
        self._rows = rows
        self._log = log
        self._findings = findings
        self._checks = checks
        self._first_id = self._last_id = ""
        self._rising = True
        # Of each object in the block: index, version and link of its first event, and those that its next one must have.
        self._firsts: dict[ObjectKey, tuple[int, int, str]] = {}
        self._expected: dict[ObjectKey, Link] = {}

    @property
    def objects(self) -> dict[ObjectKey, ObjectSpan]:
        """The stretch of each object's events in the block, in the order of their first ones."""
        return {key: ObjectSpan(*first, self._expected[key]) for key, first in self._firsts.items()}

    @property
    def ids(self) -> tuple[str, str] | None:
        """The first and the last event id, or None where they do not all rise."""
        return (self._first_id, self._last_id) if self._rising else None

    def check(self, first: int, bodies: Sequence[Any], leaves: Sequence[bytes]) -> None:
        """Checks the bodies of the entries from ``first`` on; what is no bytes is known as a problem already."""
        wanted: list[Row] = []
        for start in range(0, len(bodies), TOGETHER):
            some, hashes = bodies[start : start + TOGETHER], leaves[start : start + TOGETHER]
            indexes = range(first + start, first + start + len(some))
            try:
                wanted += self._take(indexes, read_batch(some), hashes)
            except (InvalidInput, TypeError):
                # One of them is no event; which one, and what the others say, is found one by one.
                for index, body, leaf in zip(indexes, some, hashes, strict=True):
                    wanted += self._check_one(index, body, leaf)
        self._compare(first, first + len(bodies), wanted)

    def _check_one(self, index: int, body: Any, leaf: bytes) -> list[Row]:
        if not isinstance(body, bytes):
            return []
        try:
            batch = read_batch([body])
        except InvalidInput as error:
            self._findings.add(Kind.FORM, index, f"第 {index} 条不是有效的事件：{error.message}")
            return []
        return self._take(range(index, index + 1), batch, [leaf])

    def _take(self, indexes: range, batch: EventBatch, leaves: Sequence[bytes]) -> list[Row]:
        """Follows the objects and ids of a batch, and gives the rows that the projection should have."""
        ids = batch.ids
        self._follow(indexes, batch, [leaf.hex() for leaf in leaves])
        if not (self._last_id < ids[0] and all(map(lt, ids, ids[1:]))):
            self._rising = False
        self._first_id = self._first_id or ids[0]
        self._last_id = ids[-1]
        for check in self._checks:
            for index, event in zip(indexes, batch.events, strict=True):
                check.see(index, event)
        columns = (batch.times, batch.acts, batch.actors, batch.types, batch.names, batch.versions, batch.outs)
        return list(zip(indexes, ids, *columns, strict=True))

    def _follow(self, indexes: range, batch: EventBatch, leaves: list[str]) -> None:
        """Follows the chain of each object: the version and link that its next event must have are known by its last."""
        expected = self._expected
        keys = zip(batch.types, batch.names, strict=True)
        claims = zip(batch.versions, batch.prevs, strict=True)
        following = zip([version + 1 for version in batch.versions], leaves, strict=True)
        for index, key, claim, after in zip(indexes, keys, claims, following, strict=True):
            known = expected.get(key)
            if known is None:
                self._firsts[key] = (index, *claim)
            elif known != claim:
                self._findings.add(Kind.OBJECT, index, link_problem(index, key, claim, known))
            expected[key] = after

    def _compare(self, first: int, end: int, wanted: list[Row]) -> None:
        stored = self._rows.all(_ROWS, log=self._log, first=first, end=end)
        if stored == wanted:
            return
        found: dict[Any, Row] = {}
        for row in stored:
            if type(row[0]) is not int or row[0] in found:
                said = f"查询表在第 {first} 条之后多出一行（索引 {row[0]!r}），它是被插入的。"
                self._findings.add(Kind.PROJECTION, first, said)
            found[row[0]] = _plain(row)
        for row_wanted in wanted:
            index, row_found = row_wanted[0], found.get(row_wanted[0])
            if row_found == row_wanted:
                continue
            if row_found is None:
                said = f"第 {index} 条在查询表中没有对应的行；它被删除"
            else:
                pairs = zip(_NAMES, row_found, row_wanted, strict=True)
                names = "、".join(name for name, old, new in pairs if old != new)
                said = f"第 {index} 条的查询列 {names} 与正文不符；查询列被改动"
            self._findings.add(Kind.PROJECTION, index, f"{said}（正文为准，查询表可重建）。")


def _plain(row: Row) -> Row:
    """A row with the time as the events spell it; PostgreSQL gives a value of its own type."""
    try:
        return (*row[:2], row[2] if isinstance(row[2], str) else timestamp(row[2]), *row[3:])
    except (AttributeError, ValueError):
        return row
