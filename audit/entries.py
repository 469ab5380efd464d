"""The part of a full verification that streams the entries: indexes, leaf column, tiles, edge and head."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from audit import tiles, tree
from audit.rawrows import RawRows
from audit.rebuild import Rebuild
from audit.verdicts import Findings, Kind
from models.log import AuditEntry, AuditHead, AuditTile
from models.prepared import Prepared

Progress = Callable[[int, int], None]
# Called with a size and the function from sizes to recomputed roots, for every stretch of the log.
CompareRoots = Callable[[int, Callable[[int], bytes]], None]

_BATCH = 2048
# More missing entries than this are not filled in; the log is damaged anyway, and an index can be any number.
_MOST_FILLED = 65_536
# A log rewritten as a whole differs in every hash; the first ones are enough.
_MOST_DIFFERENCES = 1000

_COLUMNS = sa.select(AuditEntry.idx, AuditEntry.body, AuditEntry.leaf).where(AuditEntry.log == sa.bindparam("log"))
_FIRST = Prepared(_COLUMNS.order_by(AuditEntry.idx).limit(sa.bindparam("count")))
_NEXT = Prepared(
    _COLUMNS.where(AuditEntry.idx > sa.bindparam("after")).order_by(AuditEntry.idx).limit(sa.bindparam("count"))
)
_HEAD = Prepared(
    sa.select(AuditHead.n, AuditHead.frontier, AuditHead.edge, AuditHead.root).where(
        AuditHead.log == sa.bindparam("log")
    )
)
_TILE = Prepared(
    sa.select(AuditTile.h).where(
        AuditTile.log == sa.bindparam("log"),
        AuditTile.level == sa.bindparam("level"),
        AuditTile.n == sa.bindparam("n"),
    )
)
_TILE_COUNT = Prepared(sa.select(sa.func.count()).where(AuditTile.log == sa.bindparam("log")))


class EntryCheck:
    """Streams the entries of a log into a tree of its own and compares it with what is stored."""

    def __init__(self, rows: RawRows, log: str, findings: Findings, compare_roots: CompareRoots) -> None:
        self.tree = Rebuild()
        self._rows = rows
        self._log = log
        self._findings = findings
        self._compare_roots = compare_roots
        # Hashes that stored tiles have and the entries have not: level, first entry, entry after the last.
        self._differences: list[tuple[int, int, int]] = []
        self._filled = 0
        self._head = rows.one(_HEAD, log=log)
        self._total = self._head[0] if self._head and isinstance(self._head[0], int) else 0

    def run(self, progress: Progress | None) -> None:
        """Reads all entries, in batches."""
        self._compare_roots(0, self.tree.root)
        batch = self._rows.all(_FIRST, log=self._log, count=_BATCH)
        while batch:
            self._feed(self._leaves(batch))
            if progress is not None:
                progress(self.tree.size, self._total)
            batch = self._rows.all(_NEXT, log=self._log, after=batch[-1][0], count=_BATCH)

    def _leaves(self, batch: list[tuple[Any, ...]]) -> list[bytes]:
        """Leaf hashes of a batch, computed from the bodies."""
        start = self.tree.size
        try:
            leaves = [sha256(b"\x00" + row[1]).digest() for row in batch]
        except TypeError:
            return self._leaves_one_by_one(batch)
        if leaves == [row[2] for row in batch] and all(row[0] == start + place for place, row in enumerate(batch)):
            return leaves
        return self._leaves_one_by_one(batch)

    def _leaves_one_by_one(self, batch: list[tuple[Any, ...]]) -> list[bytes]:
        start = self.tree.size
        leaves: list[bytes] = []
        for index, body, leaf in batch:
            expected = start + len(leaves)
            if not isinstance(index, int) or index < expected:
                self._findings.add(
                    Kind.INDEX, expected, f"第 {expected} 条前后有一条多余的记录，索引为 {index!r}；它是被插入的。"
                )
                continue
            if index > expected:
                self._findings.add(
                    Kind.INDEX, expected, f"缺少第 {expected} 至 {index - 1} 条；它们被删除，或索引被改动。", index
                )
                self._filled += index - expected
                if self._filled > _MOST_FILLED:
                    continue
                leaves += [self._stored_leaf(missing) for missing in range(expected, index)]
            leaves.append(self._entry_leaf(index, body, leaf))
        return leaves

    def _entry_leaf(self, index: int, body: Any, leaf: Any) -> bytes:
        computed = tree.leaf_hash(body) if isinstance(body, bytes) else b""
        if computed == leaf:
            return computed
        stored = self._stored_leaf(index)
        if stored == leaf:
            detail = "叶哈希与瓦片一致，正文被改动"
        elif stored == computed:
            detail = "正文与瓦片一致，叶哈希被改动"
        else:
            detail = "正文或叶哈希被改动"
        self._findings.add(Kind.ENTRY, index, f"第 {index} 条的正文与叶哈希不符：{detail}。")
        return computed or stored

    def _stored_leaf(self, index: int) -> bytes:
        """The leaf hash that the stored tile has for an entry, or zero bytes."""
        hashes = self._stored_tile(0, index >> tiles.HEIGHT) or b""
        start = index % tiles.WIDTH * tree.HASH_BYTES
        return hashes[start : start + tree.HASH_BYTES].ljust(tree.HASH_BYTES, b"\x00")

    def _stored_tile(self, level: int, number: int) -> bytes | None:
        found = self._rows.one(_TILE, log=self._log, level=level, n=number)
        return found[0] if found is not None and isinstance(found[0], bytes) else None

    def _feed(self, leaves: list[bytes]) -> None:
        start = 0
        while start < len(leaves):
            end = start + self.tree.room
            self.tree.extend(leaves[start:end])
            self._compare_roots(self.tree.size, self.tree.root)
            for level, number, hashes in self.tree.settle():
                stored = self._stored_tile(level, number)
                if stored != hashes:
                    self._compare_hashes(level, number * tiles.WIDTH, hashes, stored)
            start = end

    def _compare_hashes(self, level: int, first: int, computed: bytes, stored: bytes | None) -> None:
        width = 1 << tiles.HEIGHT * level
        count = len(computed) // tree.HASH_BYTES
        if stored is None or len(stored) != len(computed):
            self._findings.add(
                Kind.TILE,
                None,
                f"瓦片 {tiles.tile_path(level, first >> tiles.HEIGHT)} 缺失或残缺（第 {first * width} 至 {(first + count) * width - 1} 条）。",
            )
            return
        for slot in range(count):
            place = slice(slot * tree.HASH_BYTES, (slot + 1) * tree.HASH_BYTES)
            low, high = (first + slot) * width, (first + slot + 1) * width
            if (
                computed[place] != stored[place]
                and len(self._differences) < _MOST_DIFFERENCES
                and not self._findings.explains(low, high)
            ):
                self._differences.append((level, low, high))

    def compare_stored(self, proven: int) -> None:
        """Compares tiles, edge and head; ``proven`` entries are proved by a signature, so there the tile is wrong."""
        self._compare_head()
        known: list[tuple[int, int]] = []
        for level, low, high in sorted(self._differences):
            # An entry that differs makes every tile above it differ.
            if any(first < high and low < last for first, last in known):
                continue
            known.append((low, high))
            which = f"第 {low} 条" if level == 0 else f"第 {low} 至 {high - 1} 条"
            cause = "条目有签名的检查点证明，是瓦片被改动" if high <= proven else "条目的正文和叶哈希，或瓦片，被改动"
            self._findings.add(Kind.TILE, low, f"{which}与第 {level} 层瓦片不符：{cause}。", high)
        stored = self._rows.one(_TILE_COUNT, log=self._log)
        surplus = (stored[0] if stored else 0) - tiles.total_tiles(self.tree.size)
        if surplus > 0:
            self._findings.add(Kind.TILE, None, f"多出 {surplus} 块瓦片；它们不属于现有的条目。")

    def _compare_head(self) -> None:
        if self._head is None:
            self._findings.add(Kind.HEAD, None, "日志的头部记录不见了；它被删除。")
            return
        size, frontier, edge, root = self._head
        if size != self.tree.size:
            low, high = sorted((self._total, self.tree.size))
            what = "末尾的条目被删除" if self.tree.size == low else "末尾的条目是绕过程序插入的"
            self._findings.add(
                Kind.HEAD, low, f"头部写着 {size} 条，实有 {self.tree.size} 条；{what}，或头部被改动。", high
            )
            return
        self._compare_edge(edge)
        if self._findings.explains(0, size) or self._differences:
            return
        if frontier != self.tree.frontier(size):
            self._findings.add(Kind.HEAD, None, "头部的前沿与重算的不同；头部被改动。")
        if root != self.tree.root(size):
            self._findings.add(Kind.HEAD, None, "头部的根与重算的不同；头部被改动。")

    def _compare_edge(self, stored: Any) -> None:
        if stored == self.tree.edge:
            return
        try:
            parts = tiles.split_edge(self.tree.base, stored)
        except (TypeError, ValueError):
            self._findings.add(Kind.HEAD, None, "头部的右缘与条数不符；头部被改动。")
            return
        for level, part in enumerate(tiles.split_edge(self.tree.base, self.tree.edge), start=1):
            first = (self.tree.base >> tiles.HEIGHT * (level + 1)) << tiles.HEIGHT
            self._compare_hashes(level, first, part, parts[level - 1])
