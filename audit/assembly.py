"""Joins the reports of a log's blocks: the tree above them, the claims, the edge and the head."""

from __future__ import annotations

from typing import Any

from audit import tiles, tree
from audit.blocks import BlockReport, BlockTask
from audit.claims import Claim, ClaimCheck
from audit.comparison import Comparison
from audit.storedtree import StoredHashes
from audit.upperlevels import UpperLevels
from audit.verdicts import Findings, Kind


class Assembly:
    """Takes the blocks in order; ``root`` is that of all leaves so far."""

    def __init__(self, stored: StoredHashes, claims: ClaimCheck, findings: Findings, start: UpperLevels) -> None:
        self._stored = stored
        self._claims = claims
        self._findings = findings
        self._levels = start
        self._comparison = Comparison(findings)
        self._frontier = start.frontier
        self.size = start.base
        self.root = tree.root_of(self._frontier)

    def add(self, task: BlockTask, report: BlockReport, claims: list[Claim]) -> None:
        """Joins a block; ``claims`` are those at its sizes, or at 0 before the first block."""
        self._findings.absorb(report.findings)
        for difference in report.differences:
            self._comparison.add(difference)
        below = self._levels.frontier
        for claim in claims:
            self._claims.compare(claim, claim.root == tree.root_of(below + report.frontiers[claim.size]))
        self._frontier = below + report.frontiers[task.high]
        self.size, self.root = task.high, tree.root_of(self._frontier)
        for level, number, hashes in self._levels.add(report.roots):
            self._comparison.compare(level, number * tiles.WIDTH, hashes, self._stored.tile(level, number))

    def finish(self, *, bodies: bool) -> None:
        """Compares head, edge and the number of tiles, then reports the differences of tiles and the claims."""
        self._compare_head()
        self._comparison.report(self._claims.proven, bodies=bodies)
        surplus = self._stored.count() - tiles.total_tiles(self.size)
        if surplus > 0:
            self._findings.add(Kind.TILE, None, f"多出 {surplus} 块瓦片；它们不属于现有的条目。")
        self._claims.finish(self.size, self._findings.explains)

    def _compare_head(self) -> None:
        head = self._stored.head
        if head is None:
            self._findings.add(Kind.HEAD, None, "日志的头部记录不见了；它被删除。")
            return
        size, frontier, edge, root = head
        if size != self.size:
            low, high = sorted((self._stored.size or 0, self.size))
            what = "末尾的条目被删除" if self.size == low else "末尾的条目是绕过程序插入的"
            self._findings.add(Kind.HEAD, low, f"头部写着 {size} 条，实有 {self.size} 条；{what}，或头部被改动。", high)
            return
        self._compare_edge(edge)
        if self._findings.explains(0, self.size) or self._comparison.differences:
            return
        if frontier != self._frontier:
            self._findings.add(Kind.HEAD, None, "头部的前沿与重算的不同；头部被改动。")
        if root != self.root:
            self._findings.add(Kind.HEAD, None, "头部的根与重算的不同；头部被改动。")

    def _compare_edge(self, stored: Any) -> None:
        if stored == self._levels.edge:
            return
        base = self._levels.base
        try:
            # A text of the right length is no edge: whoever joins hashes to it fails.
            parts = tiles.split_edge(base, stored if isinstance(stored, bytes) else b"\x00")
        except ValueError:
            self._findings.add(Kind.HEAD, None, "头部的右缘与条数不符；头部被改动。")
            return
        for level, part in enumerate(tiles.split_edge(base, self._levels.edge), start=1):
            first = (base >> tiles.HEIGHT * (level + 1)) << tiles.HEIGHT
            self._comparison.compare(level, first, part, parts[level - 1])
