"""How far a log reaches: which indexes a verification goes through, and which rows lie outside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from audit.rawrows import RawRows
from audit.storedtree import StoredHashes
from audit.verdicts import Findings, Kind
from models.log import AuditEntry, AuditProjection
from models.prepared import Prepared

# More missing entries than this are not gone through; the log is damaged anyway, and an index can be any number.
_MOST_MISSING = 65_536
_MOST_SHOWN = 100

_OF_LOG = AuditEntry.log == sa.bindparam("log")
_COUNT = Prepared(sa.select(sa.func.count()).where(_OF_LOG))
_LAST = Prepared(
    sa.select(AuditEntry.idx)
    .where(_OF_LOG, AuditEntry.idx < sa.bindparam("beyond"))
    .order_by(AuditEntry.idx.desc())
    .limit(1)
)
_STRAYS = Prepared(
    sa.select(AuditEntry.idx)
    .where(_OF_LOG, sa.or_(AuditEntry.idx < 0, AuditEntry.idx >= sa.bindparam("end"), AuditEntry.idx.is_(None)))
    .order_by(AuditEntry.idx)
    .limit(_MOST_SHOWN)
)
_PROJECTED = Prepared(sa.select(sa.func.count()).where(AuditProjection.log == sa.bindparam("log")))
# Joining an empty text keeps the database from answering out of the index, which is in doubt as everything else.
_TWICE = Prepared(
    sa.select(sa.func.min(AuditProjection.idx), sa.func.count())
    .where(AuditProjection.log == sa.bindparam("log"))
    .group_by(AuditProjection.event_id.concat(""))
    .having(sa.func.count() > 1)
    .order_by(sa.func.min(AuditProjection.idx))
    .limit(_MOST_SHOWN)
)
# Larger than any index, and within the 64 bits of both databases.
_BEYOND = 2**62


def entry_end(rows: RawRows, log: str, stored: StoredHashes) -> int:
    """The index after the last entry, as far as it can be believed."""
    count = _number(rows.one(_COUNT, log=log))
    last: Any = rows.one(_LAST, log=log, beyond=_BEYOND)
    end = int(last[0]) + 1 if last is not None and isinstance(last[0], int | float) else 0
    if end <= count + _MOST_MISSING:
        return max(end, 0)
    return min(stored.size or 0, count + _MOST_MISSING) or count


def report_strays(rows: RawRows, log: str, end: int, findings: Findings) -> None:
    """Reports entries with an index before the first, after the last, or that is no number."""
    for (index,) in rows.all(_STRAYS, log=log, end=end):
        place = 0 if isinstance(index, int | float) and index < 0 else end
        findings.add(
            Kind.INDEX, place, f"有一条索引为 {index!r} 的多余记录，不在第 0 至 {end - 1} 条之中；它是被插入的。"
        )


def report_projection(rows: RawRows, log: str, end: int, findings: Findings, *, rising: bool) -> None:
    """Reports surplus rows of the projection, and, unless the ids are known to rise, ids that stand twice.

    For a projection whose rows were compared with the bodies: then its ids are theirs.
    """
    surplus = _number(rows.one(_PROJECTED, log=log)) - end
    if surplus > 0:
        findings.add(Kind.PROJECTION, None, f"查询表多出 {surplus} 行；它们不属于现有的条目，是被插入的。")
    if rising:
        return
    for index, count in rows.all(_TWICE, log=log):
        findings.add(Kind.IDENTITY, index, f"第 {index} 条的事件编号出现了 {count} 次；有事件被重复写入。")


def _number(found: tuple[Any, ...] | None) -> int:
    return int(found[0]) if found else 0


def block_bounds(start: int, end: int, width: int) -> Iterator[tuple[int, int]]:
    """The blocks of ``width`` entries that hold the entries ``start`` to ``end - 1``: first entry, entry after the last."""
    for low in range(start - start % width, end, width):
        yield low, min(low + width, end)
