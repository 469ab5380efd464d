"""What the words of a form mean under its layout: labels, columns, kinds of indicators."""

from __future__ import annotations

import re
from typing import Final

from documents.reading.headings import numeral
from documents.reading.layout_files import ColumnRole, FormKind, InfoRole, Layout, key_of

_ENUMERATOR = re.compile(r"(?:[一二三四五六七八九十]{1,3}、|\(\d{1,2}\)|\([一二三四五六七八九十]{1,3}\)|\d{1,2}[.、])")
_WRITTEN_NUMBER = re.compile(
    r"\s*(?:[一二三四五六七八九十]{1,3}、|[（(]\s*[\d一二三四五六七八九十]{1,3}\s*[）)]|\d{1,2}[.、．])\s*"
)
# (450字内), (盖章), (90分), (0-20)分 behind a label say how to fill it in, and are no part of its name.
_BRACKET = re.compile(r"\([^()]{0,16}\)分?$")
_RANGE = re.compile(r"\(\d{1,3}(?:-\d{1,3})?(?:分\)|\)分)$")
_LONGEST: Final = 40
_COLON = re.compile(r"[：:。]")
# In running text the labels of other columns (执行数, 金额) are words like any others.
_FUSED_COLUMNS: Final = frozenset(list(ColumnRole)[: list(ColumnRole).index(ColumnRole.SCORING) + 1])
_OF_DEPARTMENT: Final = frozenset({InfoRole.DEPARTMENT_TOTAL, InfoRole.DEPARTMENT_BASIC, InfoRole.DEPARTMENT_PROJECT})


class Vocabulary:
    """The words of one layout, asked by cell."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        whole = layout.kind is FormKind.DEPARTMENT_FORM
        self._labels = {words: role for words, role in layout.labels.items() if whole or role not in _OF_DEPARTMENT}

    def info(self, cell: str) -> InfoRole | None:
        """The member that a whole cell names as its label, or None."""
        return next((self._labels[key] for key in _keys(cell) if key in self._labels), None)

    def labelled(self, cell: str) -> tuple[InfoRole | None, str, str]:
        """Role, label and value of a cell that is a label, or a label and its value behind a colon; else (None, "", "")."""
        role = self.info(cell)
        if role is not None:
            return role, label_of(cell), ""
        for match in list(_COLON.finditer(cell[:_LONGEST]))[:2]:
            label = cell[: match.start()]
            value = cell[match.end() :].strip()
            role = self.info(label)
            if role is not None and value:
                return role, label_of(label), value
        return None, "", ""

    def columns(self, cell: str) -> tuple[ColumnRole, ...]:
        """The roles that a column with this label can have."""
        return next((self.layout.columns[key] for key in _keys(cell) if key in self.layout.columns), ())

    def level(self, cell: str) -> tuple[str, bool, bool] | None:
        """A kind of indicator in full, whether it can be a first and whether a second level; None where it is none."""
        if len(cell) > _LONGEST:
            return None
        for key in _keys(cell):
            words = self.layout.broken.get(key, key)
            term = words.removesuffix("指标")
            first, second = term in self.layout.level1, term in self.layout.level2
            if (first or second) and (words != key or key.endswith("指标") or term == key):
                return words, first, second
        return None

    def is_word(self, cell: str) -> bool:
        """Whether a cell is a label of any kind, and no value."""
        return self.info(cell) is not None or bool(self.columns(cell)) or self.level(cell) is not None

    def fused_words(self) -> list[tuple[str, bool]]:
        """Words that can be told in text without separators, the longest first; True for columns."""
        labels = {(words, False) for words in self._labels}
        columns = {
            (words, True)
            for words, roles in self.layout.columns.items()
            if len(words) >= 3 and words not in self._labels and _FUSED_COLUMNS.intersection(roles)
        }
        terms = {(f"{term}指标", False) for term in self.layout.level1 | self.layout.level2}
        return sorted(labels | columns | terms, key=lambda pair: (-len(pair[0]), pair[0]))

    def short_columns(self) -> list[str]:
        """Column labels too short to be told from words of a sentence, except behind another column label."""
        return sorted((words for words in self.layout.columns if len(words) < 3), key=len, reverse=True)


def number_of(cell: str) -> int:
    """The number before a label (``六、年度预算安排`` is 6, ``(3)实施主体`` is 3); 0 where it has none."""
    match = _ENUMERATOR.match(key_of(cell[:_LONGEST]))
    return numeral(match[0].strip("()、.")) if match else 0


def label_of(cell: str) -> str:
    """A label as written, without its number and closing mark."""
    words = cell.strip()
    match = _WRITTEN_NUMBER.match(words)
    return (words[match.end() :] if match else words).rstrip("：:。")


def points_of(cell: str) -> str:
    """The range of points behind a label, such as ``(40-50)分``; "" where there is none."""
    match = _RANGE.search(key_of(cell)) if len(cell) <= _LONGEST else None
    return match[0] if match else ""


def _keys(cell: str) -> list[str]:
    """The ways in which a cell can be a label: as it is, without its number, without brackets behind it."""
    if len(cell) > _LONGEST:
        return []
    key = key_of(cell)
    keys = [key]
    bare = _ENUMERATOR.sub("", key, count=1) if _ENUMERATOR.match(key) else key
    keys.append(bare)
    while (shorter := _BRACKET.sub("", bare).rstrip(":")) != bare:
        bare = shorter
        keys.append(bare)
    return [key for key in dict.fromkeys(keys) if key]
