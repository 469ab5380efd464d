"""Reading the tree from the database: head, tiles, right edge; a cold proof reads a handful of rows."""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa

from audit import tiles, tree
from models.engine import Work
from models.errors import LogCorrupt, NotFound
from models.log import AuditEntry, AuditHead, AuditLog, AuditTile
from models.prepared import Prepared

_READ_LOG = Prepared(sa.select(AuditLog.origin, AuditLog.vkey).where(AuditLog.id == sa.bindparam("log")))
_READ_HEAD = Prepared(
    sa.select(AuditHead.n, AuditHead.frontier, AuditHead.edge, AuditHead.root).where(
        AuditHead.log == sa.bindparam("log")
    )
)
_READ_TILE = Prepared(
    sa.select(AuditTile.h).where(
        AuditTile.log == sa.bindparam("log"),
        AuditTile.level == sa.bindparam("level"),
        AuditTile.n == sa.bindparam("n"),
    )
)
_READ_LEAVES = Prepared(
    sa.select(AuditEntry.leaf)
    .where(
        AuditEntry.log == sa.bindparam("log"),
        AuditEntry.idx >= sa.bindparam("start"),
        AuditEntry.idx < sa.bindparam("end"),
    )
    .order_by(AuditEntry.idx)
)


@dataclass(frozen=True, slots=True)
class LogIdentity:
    """Who signs a log: its origin (the key's name) and its verifier key, as the database has them."""

    log: str
    origin: str
    vkey: str


@dataclass(frozen=True, slots=True)
class Head:
    """The stored head of a log: size in leaves, frontier, right edge of the upper tiles, root."""

    size: int
    frontier: bytes
    edge: bytes
    root: bytes


def read_identity(work: Work, log: str) -> LogIdentity:
    """Origin and key of a log; raises NotFound where there is no such log."""
    found = work.one(_READ_LOG, log=log)
    if found is None:
        raise NotFound(f"审计日志“{log}”不存在；请检查名称，或先运行 jixiao init。", log=log)
    return LogIdentity(log, *found)


def read_head(work: Work, log: str) -> Head:
    """The head of a log; raises LogCorrupt where a log has none."""
    found = work.one(_READ_HEAD, log=log)
    if found is None:
        raise LogCorrupt(f"审计日志“{log}”没有头部记录；请停止使用并运行 jixiao audit verify。", log=log)
    return Head(*found)


@dataclass(slots=True)
class StoredTree:
    """The tree of a head, from stored tiles, the edge and the last leaf rows; each tile is read once."""

    work: Work
    log: str
    head: Head
    _read: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def tile(self, level: int, number: int) -> bytes:
        """Hashes of a tile, full or partial; raises LogCorrupt where they are missing."""
        key = (level, number)
        if key not in self._read:
            self._read[key] = self._load(level, number)
        return self._read[key]

    def _load(self, level: int, number: int) -> bytes:
        if number < tiles.tile_count(self.head.size, level):
            found = self.work.one(_READ_TILE, log=self.log, level=level, n=number)
            hashes = b"" if found is None else bytes(found[0])
            width = tiles.WIDTH
        else:
            width = tiles.partial_width(self.head.size, level)
            hashes = self._leaves(number) if level == 0 else self._edge(level)
        if len(hashes) != width * tree.HASH_BYTES:
            raise LogCorrupt(
                f"审计日志“{self.log}”的瓦片 {tiles.tile_path(level, number)} 缺失或残缺；请停止使用并运行 jixiao audit verify。",
                level=level,
                tile=number,
            )
        return hashes

    def _leaves(self, number: int) -> bytes:
        rows = self.work.rows(_READ_LEAVES, log=self.log, start=number * tiles.WIDTH, end=self.head.size)
        return b"".join(row[0] for row in rows)

    def _edge(self, level: int) -> bytes:
        try:
            return tiles.split_edge(self.head.size, self.head.edge)[level - 1]
        except (ValueError, IndexError):
            return b""

    def range_root(self, low: int, high: int) -> bytes:
        """MTH(D[low:high]) for the ranges that proofs ask for."""
        return tiles.range_root(low, high, self.tile)

    def root(self, size: int) -> bytes:
        """Root at an older size, or at the head's."""
        return self.range_root(0, size) if size else tree.EMPTY_ROOT

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Proof that the leaf ``index`` is in the tree of ``size`` leaves (RFC 6962 section 2.1.1)."""
        return tree.inclusion_proof(index, size, self.range_root)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Proof that the tree of ``new`` leaves appends to that of ``old`` (RFC 6962 section 2.1.2)."""
        return tree.consistency_proof(old, new, self.range_root)
