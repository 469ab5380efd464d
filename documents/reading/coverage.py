"""How much of a source found its place: every character that is not blank is looked for where its line went.

The count does not trust the reader's word that a line was taken: the words of each cell are looked for in the members of
the content that the line went to. What is in none of them, nor in a finding, is left over and reported with its rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from documents.reading.finding_codes import FindingCode, finding
from documents.reading.headings import compact
from documents.reading.lines import Line
from documents.reading.money import currency_of
from documents.reading.table_labels import (
    COLUMN_LABELS,
    LEVEL1_TERMS,
    LEVEL2_TERMS,
    info_role,
    label_key,
    level_term,
)
from models import places
from models.findings import ReadingFinding

# What is kept as an extra member has been read, but has found no place of its own.
_KEPT_CODES: Final = frozenset(
    {
        FindingCode.COVER_LINE, FindingCode.TEXT_NOT_PLACED, FindingCode.CELL_NOT_PLACED, FindingCode.COLUMN_UNKNOWN,
    }
)  # fmt: skip
_MARK = re.compile(
    r"(?:第.{1,4}部分|[（(]?[一二三四五六七八九十]{1,3}[、）)]|\d{1,4}[.．、]|[（(]\d{1,3}[）)]|目标\d{1,3}[：:.、])?"
    r"(?:绩效目标|绩效指标)?[：:]?"
)
_COVER_WORDS = re.compile(r"编制|审核|单位|部门|机关|年度|[：:]")
_NUMBER = re.compile(r"-?\d{1,20}(?:\.\d{1,10})?")
_WORD = re.compile(r"\w")
_MOST_LEAVES: Final = 2000


@dataclass(frozen=True, slots=True)
class Coverage:
    """Characters of a source without blanks: all, those that found a place, those kept as extra members, and the rest."""

    characters: int
    placed: int
    kept: int
    left: int

    @property
    def share(self) -> float:
        """The share of characters that found a place, 0 to 1; 1 for a source without characters."""
        return self.placed / self.characters if self.characters else 1.0

    def to_json(self) -> dict[str, Any]:
        """The counts and the share in percent, rounded down so that 100.00 means all."""
        percent = Decimal(self.placed * 10_000 // self.characters if self.characters else 10_000) / 100
        return {
            "characters": self.characters,
            "placed": self.placed,
            "kept": self.kept,
            "left": self.left,
            "percent": f"{percent:.2f}",
        }


@dataclass(frozen=True, slots=True)
class Placing:
    """What is known about each line: the members it went to, and whether it only orders the text (a heading, a rule)."""

    where: Mapping[int, Sequence[str]]
    ordering: frozenset[int]


def measured(
    lines: Sequence[Line],
    placing: Placing,
    value: Any,
    findings: Sequence[ReadingFinding],
    left_out: Iterable[str] = (),
    *,
    is_order: Callable[[int, str], bool] | None = None,
) -> tuple[Coverage, tuple[ReadingFinding, ...]]:
    """Coverage of the lines by the content ``value``, and a finding for each run of lines with words left over.

    ``left_out`` are words that the reader of the file left out; they count, and have their findings already. ``is_order``
    tells of a line and cell whether it only orders the text, where a form has other labels than a budget text.
    """
    said: dict[int, list[ReadingFinding]] = {}
    for item in findings:
        if item.line is not None:
            said.setdefault(item.line, []).append(item)
    placed = kept = left = 0
    runs: list[list[Line]] = []
    last = -2
    for at, line in enumerate(lines):
        places_of_line, kept_of_line, left_of_line = _count(line, placing, value, said.get(line.number, ()), is_order)
        placed, kept, left = placed + places_of_line, kept + kept_of_line, left + left_of_line
        if left_of_line:
            if last == at - 1:
                runs[-1].append(line)
            else:
                runs.append([line])
            last = at
    outside = sum(len(compact(words)) for words in left_out)
    coverage = Coverage(placed + kept + left + outside, placed, kept, left + outside)
    return coverage, tuple(map(_left_finding, runs))


def _count(
    line: Line,
    placing: Placing,
    value: Any,
    said: Sequence[ReadingFinding],
    is_order: Callable[[int, str], bool] | None,
) -> tuple[int, int, int]:
    """Characters of a line that are placed, kept, and left over."""
    whole = len(compact(line.words))
    if line.number in placing.ordering or currency_of(line.words) is not None:
        return whole, 0, 0
    members: list[str] = []
    extras: list[str] = []
    for place in dict.fromkeys(placing.where.get(line.number, ())):
        for leaf, text in _leaves(places.get(value, place), place):
            (extras if "/extra/" in f"{leaf}/" else members).append(compact(text))
    for item in said:
        target = extras if item.code in _KEPT_CODES else members
        target += [compact(piece) for piece in item.raw.split("⏎")] + [compact(item.raw.replace("⏎", ""))]
    members = [text for text in members if text][:_MOST_LEAVES]
    extras = [text for text in extras if text][:_MOST_LEAVES]
    placed = kept = left = 0
    for cell in line.text.split("\t"):
        words = compact(cell)
        if not words:
            continue
        order = is_order(line.number, cell) if is_order is not None else _is_label(cell.strip())
        if order or _is_found(words, members):
            placed += len(words)
        elif _is_found(words, extras):
            kept += len(words)
        else:
            rest = len(_rest(words, [*members, *extras]))
            placed, left = placed + len(words) - rest, left + rest
    return placed, kept, left


def _is_label(cell: str) -> bool:
    term = level_term(cell)
    return (
        info_role(cell) is not None or label_key(cell) in COLUMN_LABELS or term in LEVEL1_TERMS or term in LEVEL2_TERMS
    )


def _is_found(words: str, members: Sequence[str]) -> bool:
    if any(words in member for member in members):
        return True
    match = _MARK.match(words)
    bare = words[match.end() :] if match else ""
    if bare and bare != words and any(bare in member for member in members):
        return True
    number = words.rstrip("%％").replace(",", "")
    if not _NUMBER.fullmatch(number):
        return False
    return any(_NUMBER.fullmatch(member) and Decimal(member) == Decimal(number) for member in members)


def _rest(words: str, members: Sequence[str]) -> str:
    """The word characters of a cell that are in none of the members: the longest are taken out first."""
    match = _MARK.match(words)
    rest = words[match.end() :] if match else words
    for member in sorted(set(members), key=len, reverse=True):
        if len(member) > 1 or rest == member:
            rest = rest.replace(member, "\x00", 1)
    for piece in rest.split("\x00"):
        if piece and any(piece in member for member in members):
            rest = rest.replace(piece, "", 1)
    return "".join(_WORD.findall(_COVER_WORDS.sub("", rest)))


def _leaves(value: object, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, member in value.items():
            if key != "id":
                yield from _leaves(member, f"{place}/{key}")
    elif isinstance(value, list):
        for at, member in enumerate(value):
            yield from _leaves(member, f"{place}/{at}")


def _left_finding(run: Sequence[Line]) -> ReadingFinding:
    raw = "⏎".join(line.text.strip("\t") for line in run)
    reason = f"原文的 {len(run)} 行没有全部读入内容，也没有别的说明；请对照原文，把缺的补上。"
    return finding(FindingCode.SOURCE_LEFT, "", raw, reason, 0.6, line=run[0].number)
