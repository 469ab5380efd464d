"""What changed inside a text: paragraphs are aligned first, then sentences, then words.

Chinese is written without blanks, so a word is one character here; but a figure with its unit, a share, an amount of money,
a code and a Latin word are one each: ``53100.00`` and ``54100.00`` differ as a whole, and nobody has to put the digits
together. Scraps that happen to be equal between two changes are joined to them, so that people can read the result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Final

from rapidfuzz import fuzz
from rapidfuzz.distance import LCSseq

_UNITS: Final = (
    "个百分点|百分点|亿元|万元|千元|元|万人次|人次|万人|平方米|平方公里|公里|公顷|千米|小时|分钟|个月|万亩|工作日|月底|年度|"
    "[%％‰人名次场期册个项家户件年月日号天周亩吨台套份座处条所村镇辆间株只头米类批本种部篇分点度级]"
)
_WORD: Final = re.compile(
    # A code such as 13030621G5NX247OTT0DE is one word, whatever its letters and digits.
    r"(?=[0-9]*[A-Za-z])[0-9A-Za-z]+(?:[-_][0-9A-Za-z]+)*"
    rf"|\d+(?:[,，]\d{{3}})*(?:[.．]\d+)?(?:[ \u3000]?(?:{_UNITS}))?"
    r"|.",
    re.DOTALL,
)
_SENTENCE: Final = re.compile(r"[^。；！？\n]*(?:[。；！？]+[”’）」』]*|\n|$)")
_PARAGRAPH: Final = re.compile(r"[^\n]*\n|[^\n]+")

# Below this share of common characters two paragraphs have nothing to do with each other.
_ALIKE: Final = 35.0
# From this share on two stretches are one that was changed here and there.
_SAME_SENTENCE: Final = 80.0
# Beyond so many comparisons paragraphs are paired as they come: alignment must not become quadratic in a long text.
_MOST_PAIRS: Final = 2_500
_MOST_UNITS: Final = 20_000
# Equal runs of so few characters between two changes are chance, not common text.
_SCRAP: Final = 2


class Mark(StrEnum):
    """Whether a piece of a text stands in both versions, or only in one."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text and where it stands: same and removed pieces make the text before, same and added that after."""

    mark: Mark
    text: str


Pieces = tuple[Piece, ...]


def words(text: str) -> list[str]:
    """A text in the words that are compared; joined they are the text."""
    return _WORD.findall(text)


def paragraphs(text: str) -> list[str]:
    """A text in paragraphs, each with its line break; joined they are the text."""
    return _PARAGRAPH.findall(text)


def _sentences(text: str) -> list[str]:
    return [found for found in _SENTENCE.findall(text) if found]


def pieces(before: str, after: str) -> Pieces:
    """The pieces of two texts; where they differ, what was removed stands before what was added."""
    pairs = aligned(paragraphs(before), paragraphs(after))
    return _joined(piece for old, new in pairs for piece in _inside(old, new))


def paired_paragraphs(before: str, after: str) -> tuple[Pieces, ...]:
    """The same by paragraphs and without line breaks: the pieces of each pair, or of what stands on one side only."""
    pairs = aligned(before.split("\n"), after.split("\n"))
    return tuple(_inside(old, new) for old, new in pairs if old or new)


def _inside(before: str, after: str) -> Pieces:
    found = _joined(
        piece for old, new in aligned(_sentences(before), _sentences(after)) for piece in _word_pieces(old, new)
    )
    return _joined(_again(found))


def _again(found: Sequence[Piece]) -> Iterator[Piece]:
    """The pieces, with what stands removed and added side by side compared once more where it is alike.

    A comma that becomes a semicolon parts a sentence in two, and only one of them finds its partner.
    """
    at = 0
    while at < len(found):
        pair = found[at : at + 2]
        if [piece.mark for piece in pair] == [Mark.REMOVED, Mark.ADDED] and (
            fuzz.ratio(pair[0].text, pair[1].text) >= _SAME_SENTENCE
        ):
            yield from _word_pieces(pair[0].text, pair[1].text)
            at += 2
        else:
            yield found[at]
            at += 1


def aligned(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Pairs of units in order, "" where a unit has no partner: equal ones first, then the similar between them."""
    for same, olds, news in _common(before, after):
        if same:
            yield from zip(olds, news, strict=True)
        else:
            yield from _similar(olds, news)


def _common(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[bool, Sequence[str], Sequence[str]]]:
    """Runs that are equal and the gaps between them, by a longest common subsequence."""
    if max(len(before), len(after)) > _MOST_UNITS:
        yield list(before) == list(after), before, after
        return
    # Numbers stand for the words, since the library compares hashes, and two words may share one.
    numbers: dict[str, int] = {}
    coded = [[numbers.setdefault(word, len(numbers)) for word in side] for side in (before, after)]
    operations = LCSseq.opcodes(*coded)
    for same, run in groupby(operations, key=lambda operation: operation.tag == "equal"):
        parts = list(run)
        yield (
            same,
            before[parts[0].src_start : parts[-1].src_end],
            after[parts[0].dest_start : parts[-1].dest_end],
        )


def _similar(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The best pairs of a gap that keep the order: the sum of their likeness is greatest."""
    if not before or not after:
        yield from ((old, "") for old in before)
        yield from (("", new) for new in after)
        return
    if len(before) * len(after) > _MOST_PAIRS:
        shorter = min(len(before), len(after))
        yield from zip(before[:shorter], after[:shorter], strict=True)
        yield from _similar(before[shorter:], after[shorter:])
        return
    likeness = [[fuzz.ratio(old, new, score_cutoff=_ALIKE) for new in after] for old in before]
    best = [[0.0] * (len(after) + 1) for _ in range(len(before) + 1)]
    for i in reversed(range(len(before))):
        for j in reversed(range(len(after))):
            best[i][j] = max(likeness[i][j] + best[i + 1][j + 1], best[i + 1][j], best[i][j + 1])
    i = j = 0
    while i < len(before) and j < len(after):
        if likeness[i][j] and best[i][j] == likeness[i][j] + best[i + 1][j + 1]:
            yield before[i], after[j]
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            yield before[i], ""
            i += 1
        else:
            yield "", after[j]
            j += 1
    yield from ((old, "") for old in before[i:])
    yield from (("", new) for new in after[j:])


def _word_pieces(before: str, after: str) -> Iterator[Piece]:
    if before == after:
        yield Piece(Mark.SAME, before)
        return
    olds, news = words(before), words(after)
    runs = [(same, "".join(old), "".join(new)) for same, old, new in _common(olds, news)]
    removed = added = ""
    for number, (same, old, new) in enumerate(runs):
        inner = 0 < number < len(runs) - 1
        if same and not (inner and _is_scrap(old, runs[number - 1], runs[number + 1])):
            yield from (Piece(Mark.REMOVED, removed), Piece(Mark.ADDED, added), Piece(Mark.SAME, old))
            removed = added = ""
        else:
            removed, added = removed + old, added + new
    yield from (Piece(Mark.REMOVED, removed), Piece(Mark.ADDED, added))


def _is_scrap(equal: str, *around: tuple[bool, str, str]) -> bool:
    """Whether an equal run is so short beside the changes on both sides that to keep it would only hinder reading."""
    if len(equal) > _SCRAP or any(character.isdigit() for character in equal):
        return False
    return all(max(len(old), len(new)) >= len(equal) for _, old, new in around)


def _joined(found: Iterator[Piece]) -> Pieces:
    """Neighbours of one mark in one piece; between two common pieces all that was removed, then all that was added."""
    out: list[Piece] = []
    for same, run in groupby((piece for piece in found if piece.text), key=lambda piece: piece.mark is Mark.SAME):
        parts = list(run)
        for mark in (Mark.SAME,) if same else (Mark.REMOVED, Mark.ADDED):
            text = "".join(piece.text for piece in parts if piece.mark is mark)
            if text:
                out.append(Piece(mark, text))
    return tuple(out)


def side(found: Iterable[Piece], mark: Mark) -> Pieces:
    """The pieces of one side: those before for REMOVED, those after for ADDED."""
    return tuple(piece for piece in found if piece.mark in (Mark.SAME, mark))
