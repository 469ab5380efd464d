"""The quickest verification: the newest signed heads and those kept outside, the head's row, the edge and the tiles under it.

Of a log of any size it reads some hundred tiles and no body. What it finds is bound to the signed roots by consistency
proofs; what the proofs do not touch it does not see.
"""

from __future__ import annotations

from typing import Any

from audit import tiles, tree
from audit.claims import ClaimCheck
from audit.storedtree import StoredHashes
from audit.verdicts import Findings, Kind

# How many of the newest stored checkpoints are looked at.
NEWEST = 3


def check_head(stored: StoredHashes, claims: ClaimCheck, findings: Findings) -> tuple[int, bytes]:
    """Checks the head's row against edge and tiles, and the claims against the head; returns its size and root."""
    if stored.head is None or stored.size is None:
        findings.add(Kind.HEAD, None, "日志的头部记录不见了，或条数不是数字；它被删除或改动。")
        return 0, tree.EMPTY_ROOT
    size, (_n, frontier, edge, root) = stored.size, stored.head
    computed = _frontier(stored, edge, findings)
    if computed is not None and computed != frontier:
        findings.add(Kind.HEAD, None, "头部的前沿与右缘和末尾条目的叶哈希不符；其中之一被改动。")
    if computed is not None and tree.root_of(computed) != root:
        findings.add(Kind.HEAD, None, "头部的根与右缘和末尾条目的叶哈希不符；其中之一被改动。")
    if computed is not None:
        root = tree.root_of(computed)
    elif not isinstance(root, bytes):
        root = b""
    for claim in claims.upto(size):
        claims.compare(claim, stored.continues(claim.size, claim.root, size, root))
    claims.finish(size, findings.explains)
    return size, root


def _frontier(stored: StoredHashes, edge: Any, findings: Findings) -> bytes | None:
    """The frontier that edge and last leaves give, or None, with a problem, where they can't."""
    size = stored.size or 0
    base = size - size % tiles.WIDTH
    try:
        parts = tiles.split_edge(base, edge if isinstance(edge, bytes) else b"\x00")
        frontier = tiles.frontier_of(base, edge)
    except ValueError:
        findings.add(Kind.HEAD, None, "头部的右缘与条数不符；头部被改动。")
        return None
    for level, part in enumerate(parts, start=1):
        _check_part(stored, level, part, findings)
    for index, leaf in enumerate(stored.leaves(base, size), base):
        if leaf is None:
            findings.add(Kind.ENTRY, index, f"第 {index} 条缺失，或其叶哈希被改动。")
            return None
        frontier = tree.append(index, frontier, leaf)
    return frontier


def _check_part(stored: StoredHashes, level: int, part: bytes, findings: Findings) -> None:
    """Compares a level of the edge with the roots of the tiles below it."""
    size = stored.size or 0
    end = tiles.tile_count(size, level - 1)
    first = end - len(part) // tree.HASH_BYTES
    found = stored.tiles(level - 1, first, end)
    width = 1 << tiles.HEIGHT * level
    for slot, number in enumerate(range(first, end)):
        low, high = number * width, (number + 1) * width
        if number not in found:
            path = tiles.tile_path(level - 1, number)
            findings.add(Kind.TILE, None, f"瓦片 {path} 缺失或残缺（第 {low} 至 {high - 1} 条）。")
        elif tiles.fold(found[number]) != part[slot * tree.HASH_BYTES : (slot + 1) * tree.HASH_BYTES]:
            said = f"第 {low} 至 {high - 1} 条的瓦片与第 {level} 层右缘不符；其中之一被改动"
            findings.add(Kind.TILE, low, f"{said}。", high)
