"""Words of other departments' texts, indexed so that a copy is found without comparing everything with everything.

Two texts that are alike share one of their rarest pairs of characters: with a common order of all pairs from rare to
frequent, two sets of Jaccard similarity ``t`` share a member of their first ``n - ceil(t n) + 1`` members (the prefix
filter of set similarity joins; Chaudhuri, Ganti and Kaushik, ICDE 2006). Only those candidates are compared, by RapidFuzz.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz

from models.content import BudgetText, Department

_NO_WORD = re.compile(r"[\W_]+")
# Among more candidates than this there is a copy anyway, or only stock phrases; the bound keeps forms that a whole county
# filled in alike from costing the square of their number.
_MOST_CANDIDATES: Final = 256
# A text that is longer says by its beginning whether it was copied.
_LONGEST: Final = 2_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One piece of a text: whose it is (``department``, compared), what people call the text, and the item's name."""

    department: str
    title: str
    name: str
    words: str


def department_key(department: Department) -> str:
    """By what two texts are known to be of one department: the first three digits of its code, else its name."""
    code = department.unit_code or department.code or ""
    return code[:3] if len(code) >= 3 and code[:3].isdigit() else "".join(department.name.split())


def plain_words(*texts: str) -> str:
    """Texts as they are compared: letters and digits only, since marks and blanks change when words are copied."""
    return _NO_WORD.sub("", "".join(texts)[:_LONGEST])


class Corpus:
    """An index of entries; ``similarity`` is percent of equal characters, ``length`` what is too short to be a copy."""

    def __init__(self, entries: Iterable[Entry], *, similarity: float, length: int) -> None:
        self._similarity = similarity
        distance = 1 - similarity / 100
        self._overlap = max(0.2, (1 - 2 * distance) / (1 + 4 * distance))
        self._length = length
        # One entry of each department is enough, and equal words are indexed once: many fill in the same words.
        self._same: dict[str, dict[str, Entry]] = {}
        for entry in entries:
            if len(entry.words) >= length:
                self._same.setdefault(entry.words, {}).setdefault(entry.department, entry)
        self._words = list(self._same)
        pairs = [_pairs(words) for words in self._words]
        self._frequency: Counter[str] = Counter()
        for members in pairs:
            self._frequency.update(members)
        self._postings: dict[str, list[int]] = {}
        for number, members in enumerate(pairs):
            for pair in self._prefix(members):
                self._postings.setdefault(pair, []).append(number)

    def copy_of(self, words: str, department: str) -> Entry | None:
        """The entry of another department that has these words, or the most similar ones; None where there is none."""
        if len(words) < self._length:
            return None
        same = self._foreign(words, department)
        if same is not None:
            return same
        best, found = self._similarity, None
        for number in self._candidates(words):
            other = self._words[number]
            if 2 * min(len(words), len(other)) * 100 < best * (len(words) + len(other)):
                continue
            score = fuzz.ratio(words, other, score_cutoff=best)
            entry = self._foreign(other, department) if score >= best else None
            if entry is not None and (found is None or score > best):
                best, found = score, entry
        return found

    def _foreign(self, words: str, department: str) -> Entry | None:
        entries = self._same.get(words, {})
        return next((entry for owner, entry in entries.items() if owner != department), None)

    def _candidates(self, words: str) -> Iterable[int]:
        seen: set[int] = set()
        for pair in self._prefix(_pairs(words)):
            for number in self._postings.get(pair, ()):
                seen.add(number)
                if len(seen) >= _MOST_CANDIDATES:
                    return sorted(seen)
        return sorted(seen)

    def _prefix(self, members: frozenset[str]) -> Sequence[str]:
        ordered = sorted(members, key=lambda pair: (self._frequency.get(pair, 0), pair))
        return ordered[: len(ordered) - math.ceil(self._overlap * len(ordered)) + 1]


def _pairs(words: str) -> frozenset[str]:
    """The pairs of neighbouring characters; one that comes again is numbered, so that repetitions count as well."""
    pairs = [words[at : at + 2] for at in range(len(words) - 1)] or [words]
    found = frozenset(pairs)
    if len(found) == len(pairs):
        return found
    times: Counter[str] = Counter()
    numbered = []
    for pair in pairs:
        numbered.append(f"{pair}{times[pair]}" if times[pair] else pair)
        times[pair] += 1
    return frozenset(numbered)


@dataclass(frozen=True)
class Neighbours:
    """The indicators and the safeguards of a year's texts, the text itself included: its department is passed over."""

    indicators: Corpus
    safeguards: Corpus


def neighbours(texts: Iterable[tuple[str, BudgetText]], *, similarity: float, length: int) -> Neighbours:
    """The index of texts of one year, each with what people call it."""
    indicators: list[Entry] = []
    safeguards: list[Entry] = []
    for title, text in texts:
        owner = department_key(text.department)
        for project in text.projects:
            for item in project.indicators:
                words = plain_words(item.name, item.description)
                indicators.append(Entry(owner, title, f"{project.name}：{item.name}", words))
        safeguards += [Entry(owner, title, item.title, plain_words(item.text)) for item in text.safeguards]
    return Neighbours(
        Corpus(indicators, similarity=similarity, length=length),
        Corpus(safeguards, similarity=similarity, length=length),
    )
