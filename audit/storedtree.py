"""The stored tree as a verifier reads it: any value may be of any type or length, and nothing that is read is believed yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from audit import tiles, tree
from audit.rawrows import RawRows
from models.log import AuditEntry, AuditHead, AuditTile
from models.prepared import Prepared

_HEAD = Prepared(
    sa.select(AuditHead.n, AuditHead.frontier, AuditHead.edge, AuditHead.root).where(
        AuditHead.log == sa.bindparam("log")
    )
)
_TILES = Prepared(
    sa.select(AuditTile.n, AuditTile.h)
    .where(
        AuditTile.log == sa.bindparam("log"),
        AuditTile.level == sa.bindparam("level"),
        AuditTile.n >= sa.bindparam("first"),
        AuditTile.n < sa.bindparam("end"),
    )
    .order_by(AuditTile.n)
)
_TILE_COUNT = Prepared(sa.select(sa.func.count()).where(AuditTile.log == sa.bindparam("log")))
_LEAVES = Prepared(
    sa.select(AuditEntry.idx, AuditEntry.leaf)
    .where(
        AuditEntry.log == sa.bindparam("log"),
        AuditEntry.idx >= sa.bindparam("first"),
        AuditEntry.idx < sa.bindparam("end"),
    )
    .order_by(AuditEntry.idx)
)
_BODIES = Prepared(
    sa.select(AuditEntry.idx, AuditEntry.body)
    .where(
        AuditEntry.log == sa.bindparam("log"),
        AuditEntry.idx >= sa.bindparam("first"),
        AuditEntry.idx < sa.bindparam("end"),
    )
    .order_by(AuditEntry.idx)
)
_PAGE = 1000


class StoredHashes:
    """Tiles, edge and head of a log as they are stored; a tile is cached, so that several proofs read it once."""

    def __init__(self, rows: RawRows, log: str) -> None:
        self._rows = rows
        self._log = log
        self._cache: dict[tuple[int, int], bytes] = {}
        self.head: tuple[Any, ...] | None = rows.one(_HEAD, log=log)
        said = self.head[0] if self.head else None
        self.size: int | None = said if type(said) is int and said >= 0 else None

    def tile(self, level: int, number: int) -> bytes | None:
        """Hashes of a full tile, or None where there is no tile of that length."""
        return self.tiles(level, number, number + 1).get(number)

    def tiles(self, level: int, first: int, end: int) -> dict[int, bytes]:
        """The full tiles ``first`` to ``end - 1`` of a level, by number; those of another length or type are left out."""
        found = self._rows.all(_TILES, log=self._log, level=level, first=first, end=end)
        return {
            number: hashes
            for number, hashes in found
            if isinstance(hashes, bytes) and len(hashes) == tiles.TILE_BYTES and type(number) is int
        }

    def count(self) -> int:
        """How many tiles are stored."""
        found = self._rows.one(_TILE_COUNT, log=self._log)
        return int(found[0]) if found else 0

    def leaves(self, first: int, end: int) -> list[bytes | None]:
        """The leaf column of the entries ``first`` to ``end - 1``; None where there is no hash."""
        found = dict(self._rows.all(_LEAVES, log=self._log, first=first, end=end))
        stored = [found.get(index) for index in range(first, end)]
        return [leaf if isinstance(leaf, bytes) and len(leaf) == tree.HASH_BYTES else None for leaf in stored]

    def read(self, level: int, number: int) -> bytes:
        """Hashes of a tile of the head's tree, full or partial, for proofs; raises ValueError where they are missing."""
        key = (level, number)
        if key not in self._cache:
            self._cache[key] = self._read(level, number)
        return self._cache[key]

    def _read(self, level: int, number: int) -> bytes:
        size = self.size or 0
        if number < tiles.tile_count(size, level):
            found = self.tile(level, number)
            if found is None:
                raise ValueError(tiles.tile_path(level, number))
            return found
        width = tiles.partial_width(size, level)
        if level:
            edge = self.head[2] if self.head else None
            if not isinstance(edge, bytes):
                raise ValueError("edge")
            parts = tiles.split_edge(size - size % tiles.WIDTH, edge)
            return parts[level - 1] if level <= len(parts) else b""
        leaves = self.leaves(size - width, size)
        if None in leaves:
            raise ValueError("leaf")
        return b"".join(leaf for leaf in leaves if leaf is not None)

    def root(self, size: int) -> bytes:
        """Root at a size, up to the head's; raises ValueError where hashes are missing."""
        return tiles.range_root(0, size, self.read) if size else tree.EMPTY_ROOT

    def continues(self, old: int, old_root: bytes, new: int, new_root: bytes) -> bool:
        """Whether the stored tiles prove that the root at ``new`` only appends to the one at ``old``."""
        try:
            proof = tree.consistency_proof(old, new, self._range)
        except ValueError:
            return False
        return tree.verify_consistency(old, new, old_root, new_root, proof)

    def holds(self, index: int, leaf: bytes, size: int, root: bytes) -> bool:
        """Whether the stored tiles prove that a leaf stands at ``index`` under a root."""
        try:
            proof: Sequence[bytes] = tree.inclusion_proof(index, size, self._range)
        except ValueError:
            return False
        return tree.verify_inclusion(index, size, leaf, proof, root)

    def _range(self, low: int, high: int) -> bytes:
        return tiles.range_root(low, high, self.read)


def read_bodies(rows: RawRows, log: str, first: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Index and body of the entries ``first`` to ``end - 1`` that have a body, page by page."""
    for start in range(first, end, _PAGE):
        for index, body in rows.all(_BODIES, log=log, first=start, end=min(start + _PAGE, end)):
            if type(index) is int and isinstance(body, bytes):
                yield index, body
