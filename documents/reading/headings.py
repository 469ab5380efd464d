"""Headings: what each line of the body is.

Three levels use the same Chinese numerals and are told apart by their marks: ``第一部分``, ``一、``, ``一）`` (with or
without the opening bracket, in either width); a project begins with ``1.…绩效目标表``. A heading is short and does not
end as a sentence does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from documents.reading.lines import Line

_NUMERAL: Final = "一二三四五六七八九十"
_DIGITS: Final = {char: value for value, char in enumerate(_NUMERAL, start=1)}
_PART = re.compile(rf"第\s*(?P<number>[{_NUMERAL}]{{1,3}}|\d{{1,2}})\s*部\s*分\s*[：:]?\s*(?P<title>.*)")
_SECTION = re.compile(rf"(?P<number>[{_NUMERAL}]{{1,3}})\s*、\s*(?P<title>.+)")
_ITEM = re.compile(
    rf"(?P<open>[（(]?)\s*(?P<number>[{_NUMERAL}]{{1,3}})\s*(?P<close>[）)])(?P<blank>\s*)(?P<title>.+)", re.DOTALL
)
_PROJECT = re.compile(
    r"(?:(?P<number>\d{1,4})\s*[.．、]\s*)?(?P<title>.+?绩效目标(?:申报)?表)\s*(?P<again>[（(]\s*续表?\s*[）)])?"
)
_PAGE_NUMBER = re.compile(
    r"[-—–－─·\s]*(?:第\s*)?[0-9０-９]{1,4}(?:\s*页)?(?:\s*[,，/／]?\s*共\s*[0-9０-９]{1,4}\s*页)?[-—–－─·\s]*"
)
_RULE_CHARACTERS: Final = "-－—─━–_=＿＝ \t\u3000"
_LONGEST_HEADING: Final = 60
_LONGEST_INLINE_TITLE: Final = 40

# What each section of part one is called, by a word that only its heading has; and how the heading is written in full.
_SECTION_WORDS: Final = (("分项", "sub_goals"), ("保障", "safeguards"), ("总体", "overall"))
_SECTION_TITLES: Final = {"overall": "总体绩效目标", "sub_goals": "分项绩效目标", "safeguards": "工作保障措施"}


class BlockKind(StrEnum):
    """What a line of the body is."""

    PART = "part"
    SECTION = "section"
    ITEM = "item"
    PROJECT = "project"
    PARAGRAPH = "paragraph"
    ROW = "row"
    PAGE_NUMBER = "page_number"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class Block:
    """One line of the body with its kind; headings have a number (0 for none) and a title.

    ``style`` is how an item's number is written, without the numeral; ``inline`` the sentence that follows an item's
    title on the same line; ``again`` marks the title of a table that goes on after a page break.
    """

    kind: BlockKind
    line: Line
    number: int = 0
    title: str = ""
    style: str = ""
    inline: str = ""
    again: bool = False
    title_line: Line | None = None


def numeral(text: str) -> int:
    """Value of a Chinese numeral up to 99, or of digits; 0 where it is neither."""
    if text.isdecimal():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return _DIGITS.get(text, 0)
    return (_DIGITS.get(tens, 0) if tens else 1) * 10 + (_DIGITS.get(ones, 0) if ones else 0)


def compact(text: str) -> str:
    """``text`` without blanks: headings and labels are compared so."""
    return "".join(text.split())


def section_role(title: str) -> str | None:
    """Which section of part one a heading names (overall, sub_goals, safeguards), or None."""
    words = compact(title)
    if "目标" not in words and "措施" not in words:
        return None
    return next((role for word, role in _SECTION_WORDS if word in words), None)


def section_title(role: str) -> str:
    """The full heading of a section."""
    return _SECTION_TITLES[role]


def is_page_number(words: str) -> bool:
    """Whether a line holds nothing but a page number."""
    return len(words) <= 24 and _PAGE_NUMBER.fullmatch(words) is not None


def is_rule(words: str) -> bool:
    """Whether a line only draws a rule."""
    return len(words) >= 3 and not words.strip(_RULE_CHARACTERS)


def part_heading(line: Line) -> Block | None:
    """``第N部分`` with or without its title, or None."""
    if len(line.words) > _LONGEST_HEADING or not line.words.startswith("第"):
        return None
    match = _PART.fullmatch(line.words)
    if match is None or _is_sentence(line.words):
        return None
    return Block(BlockKind.PART, line, numeral(match["number"]), match["title"].strip())


def section_heading(line: Line) -> Block | None:
    """``一、…``, or the bare title of a known section, or None."""
    words = line.words
    if len(words) > _LONGEST_HEADING or _is_sentence(words):
        return None
    if match := _SECTION.fullmatch(words):
        return Block(BlockKind.SECTION, line, numeral(match["number"]), match["title"].strip())
    if compact(words) in _SECTION_TITLES.values():
        return Block(BlockKind.SECTION, line, 0, words)
    return None


def project_heading(line: Line) -> Block | None:
    """``1.…绩效目标表``, or None; the title of the whole part two (预算项目绩效目标) is none."""
    if len(line.words) > _LONGEST_HEADING or "绩效目标" not in line.words or line.is_row:
        return None
    match = _PROJECT.fullmatch(line.words)
    if match is None or _is_sentence(line.words):
        return None
    return Block(BlockKind.PROJECT, line, int(match["number"] or 0), match["title"], again=bool(match["again"]))


def item_heading(line: Line, expected: int) -> Block | None:
    """``一）…``, or None.

    A long line is an item only where its number is the ``expected`` one and a title can be told from the sentence that
    follows it: authors number their sentences too.
    """
    words = line.words
    if words[0] not in "（(" + _NUMERAL:
        return None
    match = _ITEM.match(words)
    if match is None:
        return None
    number, title = numeral(match["number"]), match["title"].strip()
    style = f"{match['open']}{match['close']}{' ' if match['blank'] else ''}"
    if len(words) <= _LONGEST_HEADING and not _is_sentence(words):
        return Block(BlockKind.ITEM, line, number, title, style)
    if number != expected:
        return None
    end = next((at for at, char in enumerate(title[: _LONGEST_INLINE_TITLE + 1]) if char in "。：:"), 0)
    if end == 0 or title[:end] in ("绩效目标", "绩效指标"):
        return None
    return Block(BlockKind.ITEM, line, number, title[:end], style, inline=title[end + 1 :].strip())


def body_blocks(lines: Sequence[Line]) -> tuple[Block, ...]:
    """The kind of each line of the body, in order; a part's title on the next line is taken with the part."""
    return tuple(_blocks(lines))


def _blocks(lines: Sequence[Line]) -> Iterator[Block]:
    in_project = False
    expected = 1
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        block = _heading(line, in_project=in_project, expected=expected)
        if block.kind is BlockKind.PART and not block.title and at < len(lines) and _is_part_title(lines[at]):
            block = Block(BlockKind.PART, line, block.number, lines[at].words, title_line=lines[at])
            at += 1
        if block.kind in (BlockKind.PART, BlockKind.SECTION, BlockKind.PROJECT):
            in_project = block.kind is BlockKind.PROJECT
            expected = 1
        elif block.kind is BlockKind.ITEM:
            expected = block.number + 1
        elif block.kind is BlockKind.ROW and not in_project:
            in_project = compact(line.text.split("\t", 1)[0]) in ("项目编码", "项目代码")
        yield block


def _heading(line: Line, *, in_project: bool, expected: int) -> Block:
    words = line.words
    if "\t" in words:
        return Block(BlockKind.RULE if is_rule(words) else BlockKind.ROW, line)
    if in_project and line.is_row:
        return Block(BlockKind.ROW, line)
    if is_page_number(words):
        return Block(BlockKind.PAGE_NUMBER, line)
    if is_rule(words):
        return Block(BlockKind.RULE, line)
    block = part_heading(line) or project_heading(line) or section_heading(line)
    # Inside a project's table a line is a piece of a cell, whatever numbers it begins with.
    if block is not None and in_project and block.kind is BlockKind.SECTION and section_role(block.title) is None:
        block = None
    if block is None and not in_project:
        block = item_heading(line, expected)
    return block or Block(BlockKind.PARAGRAPH, line)


def _is_part_title(line: Line) -> bool:
    if line.is_row or len(line.words) > _LONGEST_INLINE_TITLE or _is_sentence(line.words):
        return False
    return not (part_heading(line) or project_heading(line) or section_heading(line) or item_heading(line, 0))


def _is_sentence(words: str) -> bool:
    return words[-1] in "。；，;,！？"
