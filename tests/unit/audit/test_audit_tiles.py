import hashlib

import pytest
from audit_naive import leaf_hashes, mth, path, proof
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import tiles, tree
from audit.upperlevels import UpperLevels


@pytest.mark.parametrize(
    ("level", "number", "width", "expected"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 5, 256, "tile/0/005"),
        (1, 999, 256, "tile/1/999"),
        (0, 1000, 256, "tile/0/x001/000"),
        (0, 1234067, 256, "tile/0/x001/x234/067"),
        (2, 0, 3, "tile/2/000.p/3"),
        (0, 273, 112, "tile/0/273.p/112"),
    ],
)
def test_paths_are_those_of_c2sp_tlog_tiles(level, number, width, expected):
    assert tiles.tile_path(level, number, width) == expected


@pytest.mark.parametrize("place", [(-1, 0, 256), (0, -1, 256), (0, 0, 0), (0, 0, 257)])
def test_no_path_for_tiles_that_can_not_be(place):
    with pytest.raises(ValueError, match="no such tile"):
        tiles.tile_path(*place)


def leaf(number):
    return number.to_bytes(32, "big")


def build(size):
    """Edge and tiles of ``size`` leaves, a multiple of 256."""
    edge, stored = b"", {}
    for base in range(0, size, 256):
        completed, edge = tiles.complete(base, edge, b"".join(map(leaf, range(base, base + 256))))
        stored |= {(level, number): hashes for level, number, hashes in completed}
    return edge, stored


def test_three_levels_of_tiles_fold_into_one_another():
    size = 256 * 256 + 256 * 3
    edge, stored = build(size)
    assert len(stored) == tiles.total_tiles(size) == 256 + 3 + 1
    assert all(len(hashes) == tiles.TILE_BYTES for hashes in stored.values())
    assert stored[1, 0] == b"".join(tiles.fold(stored[0, number]) for number in range(256))
    level_1 = b"".join(tiles.fold(stored[0, number]) for number in range(256, 259))
    level_2 = tiles.fold(stored[1, 0])
    assert edge == level_1 + level_2
    assert tiles.split_edge(size, edge) == [level_1, level_2]
    assert tiles.fold(stored[0, 0]) == mth([leaf(number) for number in range(256)])
    frontier = tree.EMPTY_FRONTIER
    for number in range(size):
        frontier = tree.append(number, frontier, leaf(number))
    assert tiles.frontier_of(size, edge) == frontier


def test_an_edge_of_another_size_is_noticed():
    edge, _ = build(512)
    for size in (256, 768, 0):
        with pytest.raises(ValueError, match="edge"):
            tiles.split_edge(size, edge)
    with pytest.raises(ValueError, match="whole"):
        tiles.complete(5, b"", b"x" * tiles.TILE_BYTES)
    with pytest.raises(ValueError, match="whole"):
        tiles.complete(0, b"", b"x" * 8000)
    with pytest.raises(ValueError, match="whole"):
        tiles.frontier_of(5, b"")


LEAVES = leaf_hashes(1000)


class Reader:
    """Tiles of the first ``size`` leaves, counting what is read."""

    def __init__(self, size):
        self.size = size
        self.read = []

    def __call__(self, level, number):
        self.read.append((level, number))
        width = 256**level
        count = self.size // width
        first = number * 256
        return b"".join(
            mth(LEAVES[place * width : (place + 1) * width]) for place in range(first, min(first + 256, count))
        )


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_proofs_from_tiles_are_those_of_the_rfc(data):
    size = data.draw(st.integers(1, 1000))
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    reader = Reader(size)

    def roots(low, high):
        return tiles.range_root(low, high, reader)

    assert roots(0, size) == mth(LEAVES[:size])
    assert tree.inclusion_proof(index, size, roots) == path(index, LEAVES[:size])
    assert tree.consistency_proof(old, size, roots) == proof(old, LEAVES[:size])


def test_a_cold_proof_in_a_million_leaves_reads_five_tiles_at_most():
    size, read = 1_000_000, set()

    def tile(level, number):
        read.add((level, number))
        return bytes(min(256, (size >> 8 * level) - number * 256) * 32)

    steps = tree.inclusion_proof(123_456, size, lambda low, high: tiles.range_root(low, high, tile))
    assert len(steps) == 20
    assert len(read) <= 5


def test_a_short_tile_is_noticed():
    with pytest.raises(ValueError, match="short"):
        tiles.range_root(0, 256, lambda level, number: b"")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 300), st.lists(st.integers(1, 70), min_size=1, max_size=10))
def test_the_upper_levels_are_the_same_however_they_grow_and_from_wherever_they_begin(start, steps):
    whole = b"".join(node(number) for number in range(300 + sum(steps)))
    grown = UpperLevels()
    completed = [tile for number in range(start) for tile in grown.add(whole[32 * number : 32 * (number + 1)])]
    begun = UpperLevels(start * 256, grown.edge)
    at = start
    for step in steps:
        part = whole[32 * at : 32 * (at + step)]
        assert list(begun.add(part)) == [tile for tile in grown.add(part) if completed.append(tile) is None]
        at += step
    assert (begun.base, begun.edge, begun.frontier) == (grown.base, grown.edge, grown.frontier)
    assert begun.base == at * 256
    assert [(level, number) for level, number, _hashes in completed] == [(1, number) for number in range(at // 256)]
    assert b"".join(hashes for _level, _number, hashes in completed) == whole[: 8192 * (at // 256)]
    frontier = b""
    for number in range(at):
        frontier = tree.append(number, frontier, whole[32 * number : 32 * (number + 1)])
    assert begun.frontier == frontier


def node(number):
    return hashlib.sha256(b"%d" % number).digest()
