"""Pairing the items of two lists: which item of the second is which of the first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import product
from typing import Final

from documents.comparing.likeness import Item, Recognition
from models.canonical import canonical_bytes

# Two items that are less alike are two items.
_ALIKE: Final = 0.6
# Up to so many pairs each is looked at; beyond, only those that share a rare pair of characters.
_ALL_PAIRS: Final = 1_024
_RARE: Final = 24
# Names tell items apart by their beginning; a paragraph need not be indexed whole.
_INDEXED: Final = 60


def pair(
    recognition: Recognition, before: Sequence[Item], after: Sequence[Item], *, by_id: bool
) -> list[tuple[int, int]]:
    """Index pairs of the items that are the same, in the order of ``before``.

    ``by_id``: an id means the same item in both lists. The result is the same, turned round, when the lists are swapped.
    """
    pairs: dict[int, int] = {}
    left = (list(range(len(before))), list(range(len(after))))

    def take(found: Iterable[tuple[int, int]]) -> None:
        nonlocal left
        pairs.update(found)
        taken = set(pairs.values())
        left = ([i for i in left[0] if i not in pairs], [j for j in left[1] if j not in taken])

    if recognition.identified:
        # Without trusted ids what is equal goes first, so that of two indicators with one name each finds its own.
        take(_by_key(_identifier if by_id else _whole, before, after, left))
    for key in recognition.keys:
        if left[0] and left[1]:
            take(_by_key(key, before, after, left))
    if left[0] and left[1]:
        # Steps of a plan have nothing but their place where their names were changed.
        here = set(left[1])
        take(
            _by_likeness(recognition, before, after, left)
            if recognition.shares
            else [(i, i) for i in left[0] if i in here]
        )
    return sorted(pairs.items())


def _identifier(item: Item) -> Hashable:
    return item.get("id")


def _whole(item: Item) -> Hashable:
    return canonical_bytes({name: value for name, value in item.items() if name != "id"})


def by_key(key: Callable[[Item], Hashable], before: Sequence[Item], after: Sequence[Item]) -> Iterator[tuple[int, int]]:
    """Pairs of items with the same key, the first with the first, the second with the second; None is no key."""
    return _by_key(key, before, after, (range(len(before)), range(len(after))))


def _by_key(
    key: Callable[[Item], Hashable],
    before: Sequence[Item],
    after: Sequence[Item],
    left: tuple[Iterable[int], Iterable[int]],
) -> Iterator[tuple[int, int]]:
    waiting: dict[Hashable, list[int]] = defaultdict(list)
    for j in left[1]:
        waiting[key(after[j])].append(j)
    waiting.pop(None, None)
    places = {name: iter(found) for name, found in waiting.items()}
    for i in left[0]:
        name = key(before[i])
        partner = next(places[name], None) if name in places else None
        if partner is not None:
            yield i, partner


def _by_likeness(
    recognition: Recognition, before: Sequence[Item], after: Sequence[Item], left: tuple[list[int], list[int]]
) -> Iterator[tuple[int, int]]:
    """The most alike first, each item once."""
    words = (
        {i: recognition.words(before[i]) for i in left[0]},
        {j: recognition.words(after[j]) for j in left[1]},
    )
    scored = []
    for i, j in _candidates(*words):
        score = recognition.likeness(words[0][i], words[1][j])
        if score >= _ALIKE:
            # The places break ties in a way that is the same when the lists are swapped.
            scored.append((-score, i + j, abs(i - j), i, j))
    taken: tuple[set[int], set[int]] = (set(), set())
    for *_, i, j in sorted(scored):
        if i not in taken[0] and j not in taken[1]:
            taken[0].add(i)
            taken[1].add(j)
            yield i, j


def _candidates(before: dict[int, tuple[str, ...]], after: dict[int, tuple[str, ...]]) -> Iterable[tuple[int, int]]:
    """Pairs worth a look; their number grows with that of the items and not with its square."""
    if len(before) * len(after) <= _ALL_PAIRS:
        return product(before, after)
    index: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for number, side in enumerate((before, after)):
        for place, words in side.items():
            text = next(filter(None, words), "")[:_INDEXED]
            for gram in {text[at : at + 2] for at in range(len(text))}:
                index[gram][number].append(place)
    return {found for olds, news in index.values() if len(olds) * len(news) <= _RARE for found in product(olds, news)}
