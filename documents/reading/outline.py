"""The outline of a file: cover, contents list, body; and the refusal of a file that holds two texts.

The contents list repeats the body's headings, so the first hit of a heading is not the section: the body begins where
a heading comes again, at a ``第N部分`` line without a title, or after the last line with dots and a page.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from documents.reading.headings import (
    Block,
    BlockKind,
    compact,
    is_rule,
    part_heading,
    project_heading,
    section_heading,
    section_role,
)
from documents.reading.lines import Line
from models.errors import InvalidInput

_PAGE_DIGITS: Final = "0123456789０１２３４５６７８９"
_LEADERS: Final = ".．…·・•。-—"
_LONGEST_ENTRY: Final = 120
_DOTS = re.compile(r"[.．·・•]{3}|…")
_NUMBER_MARK = re.compile(r"^(?:第.{1,3}部分|[（(]?[一二三四五六七八九十]{1,3}[、）)]|\d{1,4}[.．、])")


@dataclass(frozen=True, slots=True)
class ContentsEntry:
    """One entry of the contents list: its words, the page (None where it has none) and its line in the file."""

    title: str
    page: int | None
    line: int


@dataclass(frozen=True, slots=True)
class Outline:
    """The three parts of a file; ``contents_heading`` is the line 目录, ``rules`` the lines between that only draw."""

    cover: tuple[Line, ...]
    contents_heading: Line | None
    contents: tuple[ContentsEntry, ...]
    rules: tuple[Line, ...]
    body: tuple[Line, ...]


def heading_key(title: str) -> str:
    """A heading as it is compared: full and half width alike, without blanks."""
    return compact(unicodedata.normalize("NFKC", title))


def bare_key(title: str) -> str:
    """A heading's key without its number."""
    return _NUMBER_MARK.sub("", heading_key(title), count=1).removeprefix(":")


def is_contents_heading(line: Line) -> bool:
    """Whether a line is the heading of the contents list."""
    return len(line.words) <= 12 and compact(line.words).strip("【】[]") in ("目录", "目次")


def split_outline(lines: Sequence[Line]) -> Outline:
    """Cover, contents list and body of a file's lines; refuses a file that holds two texts."""
    headings = [line for line in lines if is_contents_heading(line)]
    if len(headings) > 1:
        _refuse("“目录”", [line.number for line in headings])
    first = next((at for at, line in enumerate(lines) if _ends_cover(line)), len(lines))
    heading = headings[0] if headings else None
    # A line 目录 that comes after the body has begun heads no contents list of the text.
    if heading is not None and first < len(lines) and heading.number > lines[first].number:
        heading = None
    begin = lines.index(heading) + 1 if heading is not None else first
    start = _body_start(lines, begin, sure=heading is not None)
    listed = lines[begin:start]
    outline = Outline(
        cover=tuple(lines[: begin - 1 if heading is not None else begin]),
        contents_heading=heading,
        contents=tuple(_entry(line) for line in listed if not is_rule(line.words)),
        rules=tuple(line for line in listed if is_rule(line.words)),
        body=tuple(lines[start:]),
    )
    _refuse_second_cover(outline)
    return outline


def refuse_two_bodies(blocks: Iterable[Block]) -> None:
    """Raises InvalidInput where a part, or a section of part one, stands twice in the body."""
    seen: dict[str, int] = {}
    for block in blocks:
        if block.kind is BlockKind.PART:
            key = f"第{block.number}部分"
        elif block.kind is BlockKind.SECTION and section_role(block.title):
            key = heading_key(block.title)
        else:
            continue
        if key in seen:
            _refuse(f"“{block.line.words[:20]}”", [seen[key], block.line.number])
        seen[key] = block.line.number


def leader_entry(words: str) -> tuple[str, int] | None:
    """Title and page of a line with dots (or one TAB after a heading) and a page, or None."""
    if len(words) > _LONGEST_ENTRY or words[-1] not in _PAGE_DIGITS:
        return None
    head = words.rstrip(_PAGE_DIGITS)
    page = words[len(head) :]
    title = head.rstrip(_LEADERS + " \t\u3000")
    leaders = head[len(title) :]
    dots = sum(3 if char == "…" else 1 for char in leaders if char in _LEADERS)
    by_tab = leaders.count("\t") == 1 and "\t" not in title and _NUMBER_MARK.match(title) is not None
    if not title or len(page) > 4 or not (dots >= 3 or by_tab):
        return None
    return title, int(page)


def _entry(line: Line) -> ContentsEntry:
    title, page = leader_entry(line.words) or (line.words, None)
    return ContentsEntry(title, page, line.number)


def _is_hard_body(line: Line) -> bool:
    """A table row or a long paragraph: nothing that a contents list holds."""
    if leader_entry(line.words) or is_rule(line.words):
        return False
    # A line with dots is an entry even where its page can't be read.
    has_dots = len(line.words) <= _LONGEST_ENTRY and _DOTS.search(line.words) is not None
    return not has_dots and ("\t" in line.words or len(line.words) > 60)


def _ends_cover(line: Line) -> bool:
    return bool(
        part_heading(line)
        or section_heading(line)
        or project_heading(line)
        or leader_entry(line.words)
        or _is_hard_body(line)
    )


def _body_start(lines: Sequence[Line], begin: int, *, sure: bool) -> int:
    hard = next((at for at in range(begin, len(lines)) if _is_hard_body(lines[at])), len(lines))
    leaders = [at for at in range(begin, hard) if leader_entry(lines[at].words)]
    if not leaders and not sure:
        return begin
    after = leaders[-1] + 1 if leaders else begin
    keys = {heading_key(_entry(lines[at]).title) for at in range(begin, after)}
    for at in range(after, hard):
        part = part_heading(lines[at])
        key = heading_key(lines[at].words)
        if (part is not None and not part.title) or key in keys:
            return at
        keys.add(key)
    while after < hard and is_rule(lines[after].words):
        after += 1
    return after


def _refuse_second_cover(outline: Outline) -> None:
    titles = [(at, line) for at, line in enumerate(outline.body) if _is_cover_title(line)]
    first = next((line.number for line in outline.cover if _is_cover_title(line)), 1)
    for at, title in titles:
        following = [compact(line.words) for line in outline.body[at + 1 : at + 7]]
        if any(len(words) <= 40 and words.endswith(("编制", "审核")) for words in following):
            _refuse("封面", [first, title.number])


def _is_cover_title(line: Line) -> bool:
    return len(line.words) <= 60 and compact(line.words).endswith(("部门预算绩效文本", "部门绩效文本"))


def _refuse(what: str, numbers: Sequence[int]) -> None:
    where = "、".join(f"第 {number} 行" for number in numbers[:5])
    raise InvalidInput(
        f"文件里像是有两份文本（{where}各有一处{what}）；请拆成各含一份文本的文件后分别导入。", lines=list(numbers)
    )
