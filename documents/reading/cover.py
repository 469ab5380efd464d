"""The cover: title and fiscal year, draft mark, the department by its short name, compiler and reviewing body."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from documents.reading.finding_codes import FindingCode, finding
from documents.reading.headings import compact, is_page_number, is_rule
from documents.reading.lines import Line
from models.content import Extra
from models.findings import ReadingFinding

_YEAR_CHARACTERS: Final = "0-9０-９〇○零一二三四五六七八九"
_YEAR_DIGITS: Final = str.maketrans("０１２３４５６７８９〇○零一二三四五六七八九", "0123456789000123456789")
# 2020年12月 on a cover is the day of writing, not the fiscal year.
_YEAR = re.compile(
    rf"(?<![{_YEAR_CHARACTERS}])(?P<year>[{_YEAR_CHARACTERS}]{{4}})\s*年\s*度?(?!\s*[{_YEAR_CHARACTERS}十]{{1,3}}\s*月)"
)
_ONLY_YEAR = re.compile(rf"[（(]?\s*(?:(?:财政|预算)?年度\s*[：:])?\s*[{_YEAR_CHARACTERS}]{{4}}\s*年\s*度?\s*[）)]?")
_DRAFT = re.compile(
    r"[（(\[【〔]?\s*(?:草\s*案|草\s*稿|送\s*审\s*稿|修\s*订\s*稿|批\s*复\s*稿|公\s*开\s*稿|征求意见稿)\s*[）)\]】〕]?"
)
_MEMBERS: Final = (
    ("compiler", re.compile(r"编\s*制\s*(?:单位|部门|机关)?\s*[：:]\s*(?P<value>\S.*)")),
    ("compiler", re.compile(r"(?P<value>\S.*?)\s*编\s*制")),
    ("reviewing_body", re.compile(r"审\s*核\s*(?:单位|部门|机关)?\s*[：:]\s*(?P<value>\S.*)")),
    ("reviewing_body", re.compile(r"(?P<value>\S.*?)\s*审\s*核")),
)
_PLACES: Final = {"compiler": "/department/name", "name": "/department/name", "reviewing_body": "/reviewing_body"}
_BLANK = re.compile(r"(?<![A-Za-z])\s+|\s+(?![A-Za-z])")
_LONGEST: Final = 80


@dataclass(frozen=True, slots=True)
class Cover:
    """What the cover says; ``fiscal_year`` is None where it names none. ``placed`` is where each line went."""

    title: str
    fiscal_year: int | None
    year_line: int | None
    department: str
    reviewing_body: str
    extra: tuple[Extra, ...]
    findings: tuple[ReadingFinding, ...]
    placed: tuple[tuple[int, str], ...]


def read_cover(lines: Sequence[Line]) -> Cover:
    """Cover of the lines before the contents list."""
    title_lines = _title_lines(lines)
    title, findings = _title(title_lines)
    found: dict[str, Line] = {}
    values: dict[str, str] = {}
    loose: list[Line] = []
    for line in lines:
        member, value = _member(line)
        if line in title_lines or is_rule(line.words):
            continue
        if member == "draft":
            reason = "封面上的稿本标记不属于内容（稿本由流程状态决定），没有写入。"
            findings.append(finding(FindingCode.DRAFT_MARK, "", line.words, reason, 1.0, line=line.number))
        elif member == "" or member in found:
            loose.append(line)
        else:
            found[member], values[member] = line, value
    extra: list[Extra] = []
    department = _department(values, found, extra, findings)
    for line in loose:
        reason = "封面上的这一行没有对应的项，原文存入附加项。"
        place = f"/extra/{len(extra)}"
        findings.append(finding(FindingCode.COVER_LINE, place, line.words, reason, 0.6, line=line.number))
        extra.append(Extra(label="封面", value=line.words))
    if not title:
        findings.append(_missing("/title", "标题（如“2021年部门预算绩效文本”）"))
    if "reviewing_body" not in found:
        findings.append(_missing("/reviewing_body", "审核机关（如“某县财政局审核”）"))
    year, year_line = _fiscal_year([*title_lines, *([found["year"]] if "year" in found else []), *loose])
    if (
        year is not None
        and year_line is not None
        and (raw := _YEAR.search(year_line.words))
        and str(year) != raw["year"]
    ):
        reason = "年份换成了阿拉伯数字。"
        code = FindingCode.FISCAL_YEAR
        findings.append(
            finding(code, "/fiscal_year", raw["year"], reason, 0.95, repaired=str(year), line=year_line.number)
        )
    return Cover(
        title=title,
        fiscal_year=year,
        year_line=year_line.number if year_line else None,
        department=department,
        reviewing_body=values.get("reviewing_body", ""),
        extra=tuple(extra),
        findings=tuple(findings),
        placed=tuple(
            [(line.number, "/title") for line in title_lines]
            + [(line.number, _PLACES[member]) for member, line in found.items() if member in _PLACES]
        ),
    )


def is_title(words: str) -> bool:
    """Whether a line can be the title of a text, such as ``2021年部门预算绩效文本``."""
    bare = compact(words)
    if len(words) > _LONGEST or "绩效" not in bare or bare.endswith(("编制", "审核")):
        return False
    return bare.endswith("文本") or ("预算" in bare and _YEAR.search(words) is not None)


def _title_lines(lines: Sequence[Line]) -> list[Line]:
    for at, line in enumerate(lines):
        if is_title(line.words):
            year_above = (
                at > 0 and not _YEAR.search(line.words) and _ONLY_YEAR.fullmatch(lines[at - 1].words[:_LONGEST])
            )
            return [lines[at - 1], line] if year_above else [line]
    return []


def _title(lines: Sequence[Line]) -> tuple[str, list[ReadingFinding]]:
    raw = "⏎".join(line.words for line in lines)
    title = _BLANK.sub("", "".join(line.words for line in lines))
    if title == raw:
        return title, []
    reason = "标题里的空白已去掉。" if len(lines) == 1 else "标题原在两行，已接成一行。"
    return title, [finding(FindingCode.TITLE_BLANKS, "/title", raw, reason, 0.98, repaired=title, line=lines[0].number)]


def _member(line: Line) -> tuple[str, str]:
    words = line.words
    if len(words) > _LONGEST:
        return "", words
    if _DRAFT.fullmatch(words):
        return "draft", words
    if _ONLY_YEAR.fullmatch(words):
        return "year", words
    for member, pattern in _MEMBERS:
        if match := pattern.fullmatch(words):
            return member, match["value"]
    plain = not _YEAR.search(words) and not is_page_number(words) and "月" not in words and not is_title(words)
    return ("name" if plain and len(words) <= 40 and words[-1] not in "。；" else ""), words


def _department(
    values: dict[str, str], found: dict[str, Line], extra: list[Extra], findings: list[ReadingFinding]
) -> str:
    name, compiler = values.get("name"), values.get("compiler")
    if name is None and compiler is None:
        findings.append(_missing("/department/name", "编制部门的名称（单独一行，或“…编制”）"))
    if name is None or compiler is None or name == compiler:
        return name or compiler or ""
    reason = f"封面上的部门名称“{name}”与编制单位“{compiler}”不一致，取前者，后者存入附加项，请确认。"
    line = found["compiler"].number
    findings.append(finding(FindingCode.DEPARTMENT_NAME, "/department/name", compiler, reason, 0.6, line=line))
    extra.append(Extra(label="编制单位", value=compiler))
    return name


def _fiscal_year(lines: Sequence[Line]) -> tuple[int | None, Line | None]:
    for line in lines:
        if len(line.words) <= _LONGEST and (match := _YEAR.search(line.words)):
            year = int(match["year"].translate(_YEAR_DIGITS))
            if 2000 <= year <= 2099:
                return year, line
    return None, None


def _missing(place: str, what: str) -> ReadingFinding:
    return finding(FindingCode.COVER_MISSING, place, "", f"封面上没有找到{what}，内容中留空，请补上。", 0.8)
