"""Tiles of height 8 (C2SP ``tlog-tiles``): 256 hashes each, and the right edge of partial tiles.

Tile ``(level, n)`` holds the roots of the complete subtrees of 256**level leaves numbered ``n * 256`` to ``n * 256 + 255``.
The *edge* of a tree of ``size`` leaves holds its partial tiles of the levels from 1 up: ``(size >> 8 * level) & 255`` hashes
each, concatenated level 1, 2, …; it only changes when a level-0 tile is completed. The partial tile of level 0 are the
leaf hashes of the last ``size % 256`` entries.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from audit.tree import HASH_BYTES, node_hash, split_point

HEIGHT = 8
WIDTH = 1 << HEIGHT
TILE_BYTES = WIDTH * HASH_BYTES

# A tile as it is stored: level, number, hashes.
Tile = tuple[int, int, bytes]
# The hashes of tile (level, n), full or partial; raises where they are missing.
TileReader = Callable[[int, int], bytes]


def tile_path(level: int, number: int, width: int = WIDTH) -> str:
    """Path of a tile in a C2SP folder: ``tile/0/x001/x234/067``, with ``.p/width`` where it is partial."""
    if level < 0 or number < 0 or not 1 <= width <= WIDTH:
        raise ValueError("no such tile")
    text = f"{number % 1000:03d}"
    while number >= 1000:
        number //= 1000
        text = f"x{number % 1000:03d}/{text}"
    return f"tile/{level}/{text}" + ("" if width == WIDTH else f".p/{width}")


def tile_count(size: int, level: int) -> int:
    """How many full tiles a tree of ``size`` leaves has at a level."""
    return size >> HEIGHT * (level + 1)


def partial_width(size: int, level: int) -> int:
    """How many hashes the partial tile at a level holds (0 to 255)."""
    return (size >> HEIGHT * level) & (WIDTH - 1)


def total_tiles(size: int) -> int:
    """How many full tiles a tree of ``size`` leaves has at all levels."""
    total = 0
    while size:
        size >>= HEIGHT
        total += size
    return total


def fold(hashes: bytes) -> bytes:
    """Root of the complete subtree over ``hashes``: 32 bytes each, a power of two of them."""
    nodes = [hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES)]
    while len(nodes) > 1:
        pairs = iter(nodes)
        nodes = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
    return nodes[0]


def split_edge(size: int, edge: bytes) -> list[bytes]:
    """Partial tiles of the levels 1, 2, … of an edge; raises ValueError where its length does not fit ``size``."""
    parts = []
    start, level = 0, 1
    while size >> HEIGHT * level:
        end = start + partial_width(size, level) * HASH_BYTES
        parts.append(edge[start:end])
        start, level = end, level + 1
    if start != len(edge):
        raise ValueError("edge of another size")
    return parts


def complete(size: int, edge: bytes, leaves: bytes) -> tuple[list[Tile], bytes]:
    """Tiles that a full level-0 tile completes, and the edge afterwards.

    ``size`` (a multiple of 256) counts the leaves before it and ``edge`` is theirs; ``leaves`` holds 256 leaf hashes.
    """
    if size % WIDTH or len(leaves) != TILE_BYTES:
        raise ValueError("not a whole tile")
    parts = split_edge(size, edge)
    tiles: list[Tile] = [(0, size >> HEIGHT, leaves)]
    carried, level = fold(leaves), 1
    while True:
        if level > len(parts):
            parts.append(b"")
        parts[level - 1] += carried
        if len(parts[level - 1]) < TILE_BYTES:
            return tiles, b"".join(parts)
        full = parts[level - 1]
        tiles.append((level, size >> HEIGHT * (level + 1), full))
        parts[level - 1] = b""
        carried, level = fold(full), level + 1


def frontier_of(size: int, edge: bytes) -> bytes:
    """Frontier (``audit.tree``) of a tree whose ``size`` is a multiple of 256, from its edge.

    Raises ValueError where the edge does not fit ``size``.
    """
    if size % WIDTH:
        raise ValueError("not a whole tile")
    subtrees = []
    for part in reversed(split_edge(size, edge)):
        start, left = 0, len(part) // HASH_BYTES
        while left:
            width = 1 << (left.bit_length() - 1)
            subtrees.append(fold(part[start : start + width * HASH_BYTES]))
            start, left = start + width * HASH_BYTES, left - width
    return b"".join(subtrees)


def subtree_root(start: int, count: int, read: TileReader) -> bytes:
    """Root of the complete subtree over ``count`` leaves (a power of two) from ``start`` (a multiple of it); one tile is read."""
    level = (count.bit_length() - 1) // HEIGHT
    first = start >> HEIGHT * level
    hashes = count >> HEIGHT * level
    offset = first % WIDTH
    wanted = read(level, first >> HEIGHT)[offset * HASH_BYTES : (offset + hashes) * HASH_BYTES]
    if len(wanted) != hashes * HASH_BYTES:
        raise ValueError("tile too short")
    return fold(wanted)


def range_root(low: int, high: int, read: TileReader) -> bytes:
    """MTH(D[low:high]) from tiles, for the ranges that proofs ask for (each splits into complete subtrees)."""
    count = high - low
    if count & (count - 1) == 0 and low % count == 0:
        return subtree_root(low, count, read)
    middle = low + split_point(count)
    return node_hash(range_root(low, middle, read), range_root(middle, high, read))
