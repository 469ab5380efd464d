"""Which items of a list stayed where they were, and which were moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise


def kept(ranks: Sequence[int], weight: Callable[[int], int]) -> set[int]:
    """Positions in ``ranks`` (all different) of the heaviest chain of rising ranks: those who stayed; the others moved.

    ``weight(position)`` is above 0 and asked for only where the order is broken. The longest chain is often not the only
    one: weights that depend on the items alone make the same items move whichever way round two lists are compared.
    The time is that of sorting.
    """
    if all(first < second for first, second in pairwise(ranks)):
        return set(range(len(ranks)))
    place = {rank: number for number, rank in enumerate(sorted(ranks), start=1)}
    # A Fenwick tree over the ranks: (weight, position) of the heaviest chain that ends below a rank.
    tree: list[tuple[int, int]] = [(0, -1)] * (len(ranks) + 1)
    before: list[int] = []
    for position, rank in enumerate(ranks):
        best, at = (0, -1), place[rank] - 1
        while at > 0:
            best, at = max(best, tree[at]), at & (at - 1)
        before.append(best[1])
        chain, at = (best[0] + weight(position), position), place[rank]
        while at < len(tree):
            tree[at] = max(tree[at], chain)
            at += at & -at
    best, at = (0, -1), len(ranks)
    while at > 0:
        best, at = max(best, tree[at]), at & (at - 1)
    found, last = set(), best[1]
    while last >= 0:
        found.add(last)
        last = before[last]
    return found
