"""Text without any separator, as web pages and scanners give it: cut where the layout's own words stand.

Nothing tells where a value ends but the next label, so every reading of such a text asks for a person's confirmation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from documents.reading import measures
from documents.reading.forms.vocabulary import Vocabulary

_SHORTEST: Final = 120
_FEWEST_LABELS: Final = 6
_MOST_CHARACTERS: Final = 10_000
_HALF_WIDTH: Final = str.maketrans("：（）", ":()")
_TITLE = re.compile(
    r"(?:[^\W\d日月]{0,8}\d{4}年)?[\u4e00-\u9fff]{0,20}绩效目标(?:申报|审批|自评)?表(?:\.[a-z]{3,4})?(?:\(\s*\d{4}\s*年度?\s*\))?"
)
_AFTER_LABEL = re.compile(r"(?:\([^()\d]{1,8}\))?:?")
_EDGES: Final = " ;；,，(（)）:："
_NEXT_NUMBER = re.compile(r"[)）]?[一二三四五六七八九十]、$")
_VALUE = re.compile(rf"(?:[≥≤=<>]|>=|<=)?\d+(?:\.\d+)?(?:{measures.UNIT.pattern})?")


class FusedText:
    """Cuts text by the words of one layout."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._words = vocabulary.fused_words()
        self._columns = {words for words, column in self._words if column}
        self._short = vocabulary.short_columns()
        pattern = "|".join(re.escape(words.translate(_HALF_WIDTH)) for words, _ in self._words)
        # Labels can begin inside one another, so that a match must not use up its characters.
        self._pattern = re.compile(f"(?=({pattern}))") if pattern else None

    def labels(self, text: str) -> list[tuple[int, int]]:
        """Begin and end of the labels in a text, the longest first where they overlap."""
        text = text.translate(_HALF_WIDTH)[:_MOST_CHARACTERS]
        taken: list[tuple[int, int]] = [match.span() for match in _TITLE.finditer(text)]
        used = bytearray(len(text))
        for begin, end in taken:
            used[begin:end] = b"\x01" * (end - begin)
        found = [match.span(1) for match in self._pattern.finditer(text)] if self._pattern else []
        for begin, end in sorted(found, key=lambda span: (span[0] - span[1], span[0])):
            if not any(used[begin:end]):
                taken.append((begin, end))
                used[begin:end] = b"\x01" * (end - begin)
        return sorted(taken)

    def split(self, text: str) -> list[str]:
        """The pieces of a text: titles, labels, and what stands between them."""
        plain = text.translate(_HALF_WIDTH)
        pieces: list[str] = []
        at = 0
        for begin, end in self.labels(text):
            pieces += self._between(text[at:begin], after_column=bool(pieces) and pieces[-1] in self._columns)
            pieces.append(text[begin:end])
            after = _AFTER_LABEL.match(plain, end)
            at = after.end() if after else end
        pieces += self._between(text[at:], after_column=bool(pieces) and pieces[-1] in self._columns)
        return pieces

    def _between(self, words: str, *, after_column: bool) -> list[str]:
        pieces: list[str] = []
        while after_column:
            column = next((short for short in self._short if words.startswith(short)), None)
            if column is None:
                break
            pieces.append(column)
            words = words[len(column) :]
        words = _NEXT_NUMBER.sub("", words.strip()).strip(_EDGES)
        return [*pieces, words] if words else pieces


@dataclass(frozen=True, slots=True)
class FusedIndicator:
    """One indicator of fused text: its own characters, and what they seem to be."""

    raw: str
    name: str
    description: str
    value: str


def is_fused(words: str, text: FusedText) -> bool:
    """Whether a line holds so many labels that it can only be a form without separators."""
    return len(words) >= _SHORTEST and len(text.labels(words)) >= _FEWEST_LABELS


def fused_indicators(words: str, descriptions: tuple[str, ...], values: tuple[str, ...]) -> tuple[FusedIndicator, ...]:
    """Indicators of the characters between two kinds: each ends with its value, the last may have none.

    ``descriptions`` are words that begin a description, ``values`` words that are a value (layout ``fused``).
    """
    found: list[FusedIndicator] = []
    at = 0
    pattern = re.compile("|".join([*map(re.escape, sorted(values, key=len, reverse=True)), _VALUE.pattern]))
    for match in pattern.finditer(words):
        if match.start() >= at:
            found.append(_indicator(words[at : match.end()], words[at : match.start()], match[0], descriptions))
            at = match.end()
    rest = words[at:].strip(" …。")
    if rest:
        found.append(_indicator(words[at:], rest, "", descriptions))
    return tuple(found)


def _indicator(raw: str, words: str, value: str, descriptions: tuple[str, ...]) -> FusedIndicator:
    begins = [at for start in descriptions if (at := words.find(start)) > 0]
    at = min(begins, default=len(words))
    return FusedIndicator(raw, words[:at].strip(" …"), words[at:], value)
