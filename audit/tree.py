"""The Merkle tree of RFC 6962 section 2.1: hashes, frontier, root, proofs and their verification.

A *frontier* (compact range) is what an append needs of a tree of ``size`` leaves: the roots of its complete subtrees,
largest first, one for each set bit of ``size``, 32 bytes each, concatenated. Everything here is pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

HASH_BYTES = 32

EMPTY_ROOT = sha256(b"").digest()
EMPTY_FRONTIER = b""

# MTH(D[low:high]): the root over the leaves ``low`` to ``high - 1``.
RangeRoot = Callable[[int, int], bytes]


def leaf_hash(body: bytes) -> bytes:
    """SHA-256(0x00 ‖ body); the prefix keeps a leaf from being passed off as a node."""
    return sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def append(size: int, frontier: bytes, leaf: bytes) -> bytes:
    """Frontier of ``size + 1`` leaves; one node hash on average."""
    while size & 1:
        leaf = sha256(b"\x01" + frontier[-HASH_BYTES:] + leaf).digest()
        frontier = frontier[:-HASH_BYTES]
        size >>= 1
    return frontier + leaf


def root_of(frontier: bytes) -> bytes:
    """Root of a frontier: the smaller subtrees are folded into the larger ones from the right."""
    if not frontier:
        return EMPTY_ROOT
    root = frontier[-HASH_BYTES:]
    for start in range(len(frontier) - 2 * HASH_BYTES, -1, -HASH_BYTES):
        root = sha256(b"\x01" + frontier[start : start + HASH_BYTES] + root).digest()
    return root


def split_point(count: int) -> int:
    """The largest power of two smaller than ``count`` (at least 2): where RFC 6962 splits a list."""
    return 1 << ((count - 1).bit_length() - 1)


def inclusion_proof(index: int, size: int, range_root: RangeRoot) -> list[bytes]:
    """PATH(index, D[size]) of RFC 6962 section 2.1.1, from the leaf's sibling upwards."""
    if not 0 <= index < size:
        raise ValueError("index outside the tree")
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + split_point(high - low)
        if index < middle:
            path.append(range_root(middle, high))
            high = middle
        else:
            path.append(range_root(low, middle))
            low = middle
    return path[::-1]


def consistency_proof(old: int, new: int, range_root: RangeRoot) -> list[bytes]:
    """PROOF(old, D[new]) of RFC 6962 section 2.1.2; empty for ``old`` 0 and for equal sizes."""
    if not 0 <= old <= new:
        raise ValueError("sizes out of order")
    if old in (0, new):
        return []
    path: list[bytes] = []
    low, high, known = 0, new, True
    while old != high:
        middle = low + split_point(high - low)
        if old <= middle:
            path.append(range_root(middle, high))
            high = middle
        else:
            path.append(range_root(low, middle))
            low, known = middle, False
    if not known:
        path.append(range_root(low, high))
    return path[::-1]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof shows ``leaf`` at ``index`` under ``root`` (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    first, last, value = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if first & 1 or first == last:
            value = node_hash(step, value)
            while not first & 1 and first:
                first >>= 1
                last >>= 1
        else:
            value = node_hash(value, step)
        first >>= 1
        last >>= 1
    return last == 0 and value == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree of ``new`` leaves only appends to that of ``old`` leaves (RFC 9162 section 2.1.4.2).

    From an empty tree every tree follows, provided that its root is the empty root and the proof is empty.
    """
    if not 0 <= old <= new:
        return False
    if old == new:
        return old_root == new_root and not proof
    if old == 0:
        return old_root == EMPTY_ROOT and not proof
    # Where ``old`` is a power of two its root is a subtree of the new tree, and the proof leaves it out.
    steps = list(proof) if old & (old - 1) else [old_root, *proof]
    if not steps:
        return False
    first, last = old - 1, new - 1
    while first & 1:
        first >>= 1
        last >>= 1
    old_value = new_value = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            old_value = node_hash(step, old_value)
            new_value = node_hash(step, new_value)
            while not first & 1 and first:
                first >>= 1
                last >>= 1
        else:
            new_value = node_hash(new_value, step)
        first >>= 1
        last >>= 1
    return last == 0 and old_value == old_root and new_value == new_root
