"""The tree computed anew from entries, in bounded memory, for comparison with what is stored."""

from __future__ import annotations

from dataclasses import dataclass, field

from audit import tiles, tree


@dataclass(slots=True)
class Rebuild:
    """A tree that grows by leaf hashes: ``base`` leaves in completed level-0 tiles, their edge, and the leaves after them."""

    base: int = 0
    edge: bytes = b""
    leaves: list[bytes] = field(default_factory=list)
    _point: tuple[int, bytes] = (0, tree.EMPTY_FRONTIER)

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self.base + len(self.leaves)

    @property
    def room(self) -> int:
        """How many leaves the unfinished level-0 tile still takes."""
        return tiles.WIDTH - len(self.leaves)

    def extend(self, leaves: list[bytes]) -> None:
        """Adds leaf hashes, at most ``room`` of them."""
        self.leaves += leaves

    def settle(self) -> list[tiles.Tile]:
        """Completes the level-0 tile where it is full, and returns the tiles of all levels that this completes."""
        if self.room:
            return []
        completed, self.edge = tiles.complete(self.base, self.edge, b"".join(self.leaves))
        self.base += tiles.WIDTH
        self.leaves = []
        return completed

    def frontier(self, size: int) -> bytes:
        """Frontier at ``size``, from ``base`` to the present size; rising sizes cost least."""
        at, frontier = self._point
        if not self.base <= at <= size:
            at, frontier = self.base, tiles.frontier_of(self.base, self.edge)
        for leaf in self.leaves[at - self.base : size - self.base]:
            frontier = tree.append(at, frontier, leaf)
            at += 1
        self._point = (at, frontier)
        return frontier

    def root(self, size: int) -> bytes:
        """Root at ``size``, from ``base`` to the present size."""
        return tree.root_of(self.frontier(size))
