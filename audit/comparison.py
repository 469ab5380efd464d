"""Stored tiles against computed ones: where they differ, and whose fault it is."""

from __future__ import annotations

from audit import tiles, tree
from audit.verdicts import Findings, Kind

# A log rewritten as a whole differs in every hash; the first ones are enough.
_MOST_DIFFERENCES = 1000

# Hashes that stored tiles have and the entries have not: level, first entry, entry after the last.
Difference = tuple[int, int, int]


class Comparison:
    """Collects differences; they become problems at the end, when it is known what signatures prove."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.differences: list[Difference] = []

    def compare(self, level: int, first: int, computed: bytes, stored: bytes | None) -> None:
        """Compares a tile, full or partial; ``first`` is the number of its first hash at that level."""
        if stored == computed:
            return
        width = 1 << tiles.HEIGHT * level
        count = len(computed) // tree.HASH_BYTES
        if stored is None or len(stored) != len(computed):
            path = tiles.tile_path(level, first >> tiles.HEIGHT)
            where = f"第 {first * width} 至 {(first + count) * width - 1} 条"
            self._findings.add(Kind.TILE, None, f"瓦片 {path} 缺失或残缺（{where}）。")
            return
        for slot in range(count):
            place = slice(slot * tree.HASH_BYTES, (slot + 1) * tree.HASH_BYTES)
            low, high = (first + slot) * width, (first + slot + 1) * width
            if computed[place] != stored[place] and not self._findings.explains(low, high):
                self.add((level, low, high))

    def add(self, difference: Difference) -> None:
        """Notes a difference."""
        if len(self.differences) < _MOST_DIFFERENCES:
            self.differences.append(difference)

    def report(self, proven: int, *, bodies: bool) -> None:
        """Makes problems of the differences; ``proven`` entries are proved by a signature, so there the tile is wrong.

        Without ``bodies`` the tiles were only compared with each other.
        """
        known: list[tuple[int, int]] = []
        for level, low, high in sorted(self.differences):
            # An entry that differs makes every tile above it differ.
            if any(first < high and low < last for first, last in known):
                continue
            known.append((low, high))
            which = f"第 {low} 条" if level == 0 else f"第 {low} 至 {high - 1} 条"
            if not bodies:
                cause = "这一层或它下面的瓦片被改动；是哪一块，请用 --level full 校验"
            elif high <= proven:
                cause = "条目有签名的检查点证明，是瓦片被改动"
            else:
                cause = "条目的正文和叶哈希，或瓦片，被改动"
            self._findings.add(Kind.TILE, low, f"{which}与第 {level} 层瓦片不符：{cause}。", high)
