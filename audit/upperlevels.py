"""The levels of the tree above the entries, computed anew in bounded memory for comparison with what is stored."""

from __future__ import annotations

from collections.abc import Iterator

from audit import tiles, tree


class UpperLevels:
    """The levels of a tree above its level-0 tiles, which grow by the roots of those.

    ``edge`` is the one of the whole level-0 tiles so far (``audit.tiles``), ``base`` their leaves. A verification that goes on
    from an older one begins with the edge of then.
    """

    def __init__(self, base: int = 0, edge: bytes = b"") -> None:
        self.base = base
        self._parts = tiles.split_edge(base, edge)

    @property
    def edge(self) -> bytes:
        """The partial tiles of the levels from 1 up."""
        return b"".join(self._parts)

    @property
    def frontier(self) -> bytes:
        """Frontier at ``base`` leaves."""
        return tiles.frontier_of(self.base, self.edge)

    def add(self, roots: bytes) -> Iterator[tiles.Tile]:
        """Adds roots of level-0 tiles, and gives each tile of the levels from 1 up that they complete."""
        for start in range(0, len(roots), tree.HASH_BYTES):
            self.base += tiles.WIDTH
            carried, level = roots[start : start + tree.HASH_BYTES], 1
            while True:
                if level > len(self._parts):
                    self._parts.append(b"")
                part = self._parts[level - 1] + carried
                if len(part) < tiles.TILE_BYTES:
                    self._parts[level - 1] = part
                    break
                self._parts[level - 1] = b""
                yield level, (self.base >> tiles.HEIGHT * (level + 1)) - 1, part
                carried, level = tiles.fold(part), level + 1
