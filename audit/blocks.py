"""One block of a log: up to 65,536 entries, the span of one tile of level 1, checked on its own.

Blocks are what a verification hands to its processes. What a block reports is small and joins with the others' reports: the
roots of its level-0 tiles, and inside it the frontiers that checkpoints need.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from audit import tiles, tree
from audit.bodies import BodyCheck
from audit.comparison import Comparison, Difference
from audit.eventchecks import EventCheck
from audit.objects import ObjectSpan
from audit.rawrows import RawRows
from audit.storedtree import StoredHashes
from audit.verdicts import Findings, Kind, Level
from models.log import AuditEntry
from models.prepared import Prepared

BLOCK = tiles.WIDTH * tiles.WIDTH
# Entries read at once, whole tiles of them: few enough to stay in the processor's cache, where they are worked on fastest.
_BATCH = tiles.WIDTH

Advance = Callable[[int], None]

_ENTRIES = Prepared(
    sa.select(AuditEntry.idx, AuditEntry.body, AuditEntry.leaf)
    .where(
        AuditEntry.log == sa.bindparam("log"),
        AuditEntry.idx >= sa.bindparam("first"),
        AuditEntry.idx < sa.bindparam("end"),
    )
    .order_by(AuditEntry.idx)
)


@dataclass(frozen=True, slots=True)
class BlockTask:
    """What to check: the entries ``low`` (a multiple of 65,536) to ``high - 1``.

    Bodies are read from ``start`` on; the hashes before it are taken from the tiles, for a signed root to confirm. ``sizes``
    are those (above ``low``, rising) at which the frontier is wanted.
    """

    log: str
    low: int
    start: int
    high: int
    sizes: tuple[int, ...]
    level: Level


@dataclass(slots=True)
class BlockReport:
    """What a block has: roots of its full level-0 tiles, frontiers inside the block by size, problems, differences.

    ``objects`` (strict) are the versions of each object in the block; ``ids`` the first and last event id where all ids
    rise, else None.
    """

    roots: bytes = b""
    frontiers: dict[int, bytes] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)
    differences: list[Difference] = field(default_factory=list)
    objects: dict[tuple[str, str], ObjectSpan] = field(default_factory=dict)
    ids: tuple[str, str] | None = None


def check_block(
    rows: RawRows, task: BlockTask, checks: Sequence[EventCheck] = (), advance: Advance | None = None
) -> BlockReport:
    """Checks a block; ``checks`` are shown its events (strict only), ``advance(index)`` is called after each batch."""
    return _Block(rows, task, checks).run(advance)


class _Block:
    def __init__(self, rows: RawRows, task: BlockTask, checks: Sequence[EventCheck]) -> None:
        self.task = task
        self.report = BlockReport()
        self.rows = rows
        self.stored = StoredHashes(rows, task.log)
        self.bodies = BodyCheck(rows, task.log, self.report.findings, checks) if task.level is Level.STRICT else None
        self.pending = list(task.sizes)
        self.frontier = tree.EMPTY_FRONTIER
        self.roots: list[bytes] = []
        self.comparison = Comparison(self.report.findings)
        # Missing entries are reported in one piece: first, and the entry after the last.
        self.gap: tuple[int, int] | None = None

    def run(self, advance: Advance | None) -> BlockReport:
        task = self.task
        believed = task.high if task.level is Level.TILES else task.start
        for first in range(task.low, task.high, _BATCH):
            end = min(first + _BATCH, task.high)
            tiles_before = self.stored.tiles(0, first >> tiles.HEIGHT, -(-end >> tiles.HEIGHT))
            leaves: list[bytes] = []
            if first < believed:
                leaves = self._stored_leaves(first, min(end, believed), tiles_before)
            if end > believed:
                leaves += self._leaves(max(first, believed), end, tiles_before)
            self._feed(first, leaves, tiles_before, compare_from=believed)
            if advance is not None:
                advance(end)
        self._close_gap()
        self.report.roots = b"".join(self.roots)
        self.report.differences = self.comparison.differences
        if self.bodies is not None:
            self.report.objects, self.report.ids = self.bodies.objects, self.bodies.ids
        return self.report

    def _stored_leaves(self, first: int, end: int, stored: dict[int, bytes]) -> list[bytes]:
        """Leaf hashes of entries as the tiles have them, and in the unfinished tile as the leaf column has them."""
        leaves: list[bytes] = []
        for start in range(first, end, tiles.WIDTH):
            until, number = min(start + tiles.WIDTH, end), start >> tiles.HEIGHT
            hashes = stored.get(number)
            if hashes is not None:
                leaves += [hashes[at : at + 32] for at in range(0, (until - start) * 32, 32)]
                continue
            if until - start == tiles.WIDTH:
                path = tiles.tile_path(0, number)
                self.report.findings.add(Kind.TILE, None, f"瓦片 {path} 缺失或残缺（第 {start} 至 {until - 1} 条）。")
            for index, leaf in enumerate(self.stored.leaves(start, until), start):
                if leaf is None:
                    self.report.findings.add(Kind.ENTRY, index, f"第 {index} 条缺失，或其叶哈希被改动。")
                leaves.append(leaf or bytes(tree.HASH_BYTES))
        return leaves

    def _leaves(self, first: int, end: int, stored: dict[int, bytes]) -> list[bytes]:
        """Leaf hashes computed from the bodies, one for each index from ``first`` to ``end - 1``."""
        batch = self.rows.all(_ENTRIES, log=self.task.log, first=first, end=end)
        if len(batch) == end - first:
            indexes, bodies, column = zip(*batch, strict=True)
            try:
                leaves = [sha256(b"\x00" + body).digest() for body in bodies]
            except TypeError:
                leaves = []
            if tuple(leaves) == column and indexes == tuple(range(first, end)):
                self._close_gap()
                if self.bodies is not None:
                    self.bodies.check(first, bodies, leaves)
                return leaves
        return self._leaves_one_by_one(first, end, batch, stored)

    def _leaves_one_by_one(
        self, first: int, end: int, batch: list[tuple[Any, ...]], stored: dict[int, bytes]
    ) -> list[bytes]:
        found: dict[int, tuple[Any, Any]] = {}
        for index, body, leaf in batch:
            if type(index) is int and index not in found:
                found[index] = (body, leaf)
            else:
                place = int(index) if isinstance(index, int | float) else first
                said = f"第 {place} 条之后有一条多余的记录，索引为 {index!r}；它是被插入的。"
                self.report.findings.add(Kind.INDEX, place, said)
        leaves = []
        for index in range(first, end):
            expected = _slot(stored, index)
            if index not in found:
                self._open_gap(index)
                leaves.append(expected or bytes(tree.HASH_BYTES))
                continue
            self._close_gap()
            leaves.append(self._entry_leaf(index, *found[index], expected))
        if self.bodies is not None:
            self.bodies.check(first, [found.get(index, (None,))[0] for index in range(first, end)], leaves)
        return leaves

    def _entry_leaf(self, index: int, body: Any, leaf: Any, stored: bytes | None) -> bytes:
        computed = tree.leaf_hash(body) if isinstance(body, bytes) else b""
        if computed == leaf:
            return computed
        if stored is not None and stored == leaf:
            detail = "叶哈希与瓦片一致，正文被改动"
        elif stored == computed:
            detail = "正文与瓦片一致，叶哈希被改动"
        else:
            detail = "正文或叶哈希被改动"
        self.report.findings.add(Kind.ENTRY, index, f"第 {index} 条的正文与叶哈希不符：{detail}。")
        return computed or stored or bytes(tree.HASH_BYTES)

    def _open_gap(self, index: int) -> None:
        self.gap = (self.gap[0] if self.gap else index, index + 1)

    def _close_gap(self) -> None:
        if self.gap is not None:
            low, high = self.gap
            self.report.findings.add(
                Kind.INDEX, low, f"缺少第 {low} 至 {high - 1} 条；它们被删除，或索引被改动。", high
            )
            self.gap = None

    def _feed(self, first: int, leaves: list[bytes], stored: dict[int, bytes], *, compare_from: int) -> None:
        for offset in range(0, len(leaves), tiles.WIDTH):
            low = first + offset
            some = leaves[offset : offset + tiles.WIDTH]
            levels = _levels(some)
            self._answer(low, levels)
            if len(some) < tiles.WIDTH:
                return
            number = low >> tiles.HEIGHT
            if low + tiles.WIDTH > compare_from:
                self.comparison.compare(0, low, b"".join(some), stored.get(number))
            (root,) = levels[-1]
            self.frontier = tree.append(len(self.roots), self.frontier, root)
            self.roots.append(root)

    def _answer(self, low: int, levels: list[list[bytes]]) -> None:
        """Gives the frontiers at the wanted sizes inside the tile that begins at ``low``: they are nodes of its levels."""
        while self.pending and self.pending[0] <= low + len(levels[0]):
            size = self.pending.pop(0)
            count = size - low
            nodes = [levels[bit][(count >> bit) - 1] for bit in range(tiles.HEIGHT, -1, -1) if count >> bit & 1]
            if count == tiles.WIDTH:
                self.report.frontiers[size] = tree.append(len(self.roots), self.frontier, nodes[0])
            else:
                self.report.frontiers[size] = self.frontier + b"".join(nodes)


def _levels(leaves: list[bytes]) -> list[list[bytes]]:
    """The nodes of all complete subtrees over a tile's hashes, level by level from the leaves up."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        pairs = iter(levels[-1])
        levels.append([sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)])
    return levels


def _slot(stored: dict[int, bytes], index: int) -> bytes | None:
    hashes = stored.get(index >> tiles.HEIGHT)
    start = index % tiles.WIDTH * tree.HASH_BYTES
    return None if hashes is None else hashes[start : start + tree.HASH_BYTES]
