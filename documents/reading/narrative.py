"""Part one: 总体绩效目标, 分项绩效目标 and 工作保障措施 with their numbered items."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from documents.reading.finding_codes import FindingCode, finding
from documents.reading.headings import Block, BlockKind, compact, section_role, section_title
from documents.reading.lines import Line
from models.content import Extra, Item, Overall, SubGoal
from models.findings import ReadingFinding

_END_MARKS: Final = "。！？；：!?;:.”’）)》】」』…"
# A shorter line without an end mark is a heading or a list line of the author's; only longer ones were cut by a page.
_SHORTEST_CUT_LINE: Final = 20
# What begins the sentence under a sub-goal that names its projects, in documents that jixiao prints and in some forms.
PROJECTS_LABEL: Final = "对应项目："
_LABEL = re.compile(r"(?P<label>[^：:，。；]{2,7})[：:]\s*")
_PART_TITLES: Final = frozenset({"", "部门整体绩效目标", "预算项目绩效目标"})
_ROLES: Final = ("overall", "sub_goals", "safeguards")


@dataclass(frozen=True, slots=True)
class Narrative:
    """Part one; ``placed`` is where each line went, ``extra`` follows the ``extra`` members of the cover."""

    overall: Overall
    sub_goals: tuple[SubGoal, ...]
    safeguards: tuple[Item, ...]
    extra: tuple[Extra, ...]
    findings: tuple[ReadingFinding, ...]
    placed: tuple[tuple[int, str], ...]


@dataclass(slots=True)
class _Section:
    """The blocks under one heading: paragraphs before the first item, then items with their paragraphs."""

    heading: Block | None
    introduction: list[Line] = field(default_factory=list)
    items: list[tuple[Block, list[Line]]] = field(default_factory=list)


def read_narrative(blocks: Iterable[Block], *, first_extra: int) -> Narrative:
    """Narrative of the body's blocks outside the projects; its extra members are counted from ``first_extra``."""
    sections, others = _sections(blocks)
    findings: list[ReadingFinding] = []
    placed: list[tuple[int, str]] = []
    introduction = ""
    items: dict[str, list[Item]] = {"overall": [], "safeguards": []}
    sub_goals: list[SubGoal] = []
    for role in _ROLES:
        section = sections.get(role)
        if section is None:
            findings.append(_missing_section(role))
            continue
        findings += _heading_findings(role, section)
        if role == "overall":
            introduction = _joined(section.introduction, "/overall/introduction", findings, placed)
        elif section.introduction:
            others.append(_Section(section.heading, introduction=section.introduction))
        for at, (block, lines) in enumerate(section.items):
            if role == "sub_goals":
                sub_goals.append(_sub_goal(at, block, lines, findings, placed))
            else:
                place = "/overall/items" if role == "overall" else "/safeguards"
                items[role].append(_item(f"{place}/{at}", role[0] + str(at + 1), block, lines, findings, placed))
    findings += _style_findings(sections)
    extra = _unplaced(others, first_extra, findings, placed)
    return Narrative(
        overall=Overall(introduction=introduction, items=tuple(items["overall"])),
        sub_goals=tuple(sub_goals),
        safeguards=tuple(items["safeguards"]),
        extra=extra,
        findings=tuple(findings),
        placed=tuple(placed),
    )


def _sections(blocks: Iterable[Block]) -> tuple[dict[str, _Section], list[_Section]]:
    sections: dict[str, _Section] = {}
    others: list[_Section] = []
    current = _Section(None)
    others.append(current)
    for block in blocks:
        if block.kind is BlockKind.SECTION:
            current = _Section(block)
            role = section_role(block.title)
            if role is None or role in sections:
                others.append(current)
            else:
                sections[role] = current
        elif block.kind is BlockKind.PART:
            current = _Section(block)
            others.append(current)
        elif block.kind is BlockKind.ITEM:
            current.items.append((block, []))
        elif current.items:
            current.items[-1][1].append(block.line)
        else:
            current.introduction.append(block.line)
    return sections, others


def _item(
    place: str,
    item_id: str,
    block: Block,
    lines: Sequence[Line],
    findings: list[ReadingFinding],
    placed: list[tuple[int, str]],
) -> Item:
    placed.append((block.line.number, f"{place}/title"))
    text = _joined(_with_inline(place, block, lines, findings), f"{place}/text", findings, placed)
    return Item(id=item_id, title=block.title, text=text)


def _with_inline(place: str, block: Block, lines: Sequence[Line], findings: list[ReadingFinding]) -> list[Line]:
    if not block.inline:
        return list(lines)
    reason = "标题与正文写在同一行，已在第一个句号或冒号处分开。"
    raw, number = block.line.words, block.line.number
    findings.append(
        finding(FindingCode.HEADING_INLINE, f"{place}/title", raw, reason, 0.7, repaired=block.title, line=number)
    )
    return [Line(number, block.inline, block.inline), *lines]


def _sub_goal(
    at: int, block: Block, lines: Sequence[Line], findings: list[ReadingFinding], placed: list[tuple[int, str]]
) -> SubGoal:
    place = f"/sub_goals/{at}"
    placed.append((block.line.number, f"{place}/name"))
    name = _without_label(Line(block.line.number, block.title, block.title), "绩效目标", f"{place}/name", findings)
    paragraphs = _with_inline(place, block, lines, findings)
    if paragraphs:
        first = paragraphs[0]
        words = _without_label(first, "绩效指标", f"{place}/indicator", findings)
        paragraphs[0] = Line(first.number, words, words)
    return SubGoal(id=f"g{at + 1}", name=name, indicator=_joined(paragraphs, f"{place}/indicator", findings, placed))


def _without_label(line: Line, label: str, place: str, findings: list[ReadingFinding]) -> str:
    """The words after ``label：``; a label with one wrong, missing or extra character is taken and reported."""
    match = _LABEL.match(line.words)
    written = compact(match["label"]) if match else ""
    if match is None or not _is_nearly(written, label):
        if label == "绩效指标":
            reason = f"这一段前面没有“{label}：”，整段作为{label}。"
            findings.append(finding(FindingCode.LABEL_MISSING, place, line.words[:20], reason, 0.7, line=line.number))
        return line.words
    if written != label:
        reason = f"标签“{written}：”当是“{label}：”，已按“{label}”读取。"
        raw = match[0].strip()
        findings.append(
            finding(FindingCode.LABEL_TYPO, place, raw, reason, 0.9, repaired=f"{label}：", line=line.number)
        )
    return line.words[match.end() :]


def _is_nearly(written: str, label: str) -> bool:
    """Whether at most one character was changed, left out or added."""
    if written == label:
        return True
    shorter, longer = sorted((written, label), key=len)
    if len(longer) - len(shorter) > 1:
        return False
    same = next((at for at, char in enumerate(shorter) if char != longer[at]), len(shorter))
    return shorter[same + (len(shorter) == len(longer)) :] == longer[same + 1 :]


def _joined(lines: Sequence[Line], place: str, findings: list[ReadingFinding], placed: list[tuple[int, str]]) -> str:
    """The paragraphs of a text, one a line; a sentence that a page break cut is joined and reported."""
    paragraphs: list[str] = []
    last = 0
    for line in lines:
        placed.append((line.number, place))
        before = paragraphs[-1] if paragraphs else ""
        cut = last > _SHORTEST_CUT_LINE and before[-1] not in _END_MARKS
        if cut and not line.words.startswith(PROJECTS_LABEL):
            raw = f"{before[-10:]}⏎{line.words[:10]}"
            reason = "上一行很长而没有句末标点，当是分页或换行断开了句子，已接上。"
            repaired = raw.replace("⏎", "", 1)
            findings.append(
                finding(FindingCode.SENTENCE_JOINED, place, raw, reason, 0.9, repaired=repaired, line=line.number)
            )
            paragraphs[-1] = before + line.words
        elif line.words:
            paragraphs.append(line.words)
        last = len(line.words)
    return "\n".join(paragraphs)


def _missing_section(role: str) -> ReadingFinding:
    title = section_title(role)
    place = f"/{role}"
    return finding(FindingCode.SECTION_MISSING, place, "", f"正文里没有“{title}”这一节，内容中留空，请补上。", 0.9)


def _heading_findings(role: str, section: _Section) -> list[ReadingFinding]:
    findings: list[ReadingFinding] = []
    heading = section.heading
    if heading is not None and compact(heading.title) != section_title(role):
        reason = f"这一节的标题与通常的“{section_title(role)}”不同，按“{section_title(role)}”读取。"
        findings.append(
            finding(FindingCode.HEADING_WORDING, f"/{role}", heading.title, reason, 0.8, line=heading.line.number)
        )
    place = "/overall/items" if role == "overall" else f"/{role}"
    for at, (block, _) in enumerate(section.items):
        expected = section.items[at - 1][0].number + 1 if at else 1
        if block.number != expected:
            reason = f"编号不连续：这里当是第 {expected} 项，写的是第 {block.number} 项，请看是否漏了或重了一项。"
            findings.append(
                finding(
                    FindingCode.NUMBERING_GAP,
                    f"{place}/{at}",
                    block.line.words[:20],
                    reason,
                    0.8,
                    line=block.line.number,
                )
            )
    return findings


def _style_findings(sections: dict[str, _Section]) -> list[ReadingFinding]:
    """One hint for each section that mixes ways to write its numbers, and one where the sections differ."""
    findings: list[ReadingFinding] = []
    by_style: dict[str, Block] = {}
    for role in _ROLES:
        if role not in sections:
            continue
        own: dict[str, Block] = {}
        for block, _ in sections[role].items:
            own.setdefault(block.style, block)
            by_style.setdefault(block.style, block)
        if len(own) > 1:
            place = "/overall/items" if role == "overall" else f"/{role}"
            findings.append(_style_finding(place, "同一节里", own))
    if len(by_style) > 1:
        findings.append(_style_finding("", "各节之间", by_style))
    return findings


def _style_finding(place: str, where: str, styles: dict[str, Block]) -> ReadingFinding:
    blocks = list(styles.values())
    raw = " / ".join(block.line.words[:10] for block in blocks)
    reason = f"{where}编号的括号或空白写法不一（全角、半角混用等）；编号不写入内容，不影响读取。"
    return finding(FindingCode.NUMBERING_STYLE, place, raw, reason, 0.9, line=blocks[-1].line.number)


def _unplaced(
    sections: Sequence[_Section], first: int, findings: list[ReadingFinding], placed: list[tuple[int, str]]
) -> tuple[Extra, ...]:
    extra: list[Extra] = []
    for section in sections:
        part = section.heading if section.heading and section.heading.kind is BlockKind.PART else None
        if part is not None and compact(part.title) not in _PART_TITLES:
            reason = f"第{part.number}部分的标题与通常的写法不同；标题不写入内容。"
            findings.append(finding(FindingCode.HEADING_WORDING, "", part.title, reason, 0.8, line=part.line.number))
        lines = list(section.introduction)
        for block, paragraphs in section.items:
            lines += [block.line, *paragraphs]
        known_heading = section.heading is None or section.heading.kind is BlockKind.PART
        if not lines and known_heading:
            continue
        title = section.heading.title if section.heading and section.heading.title else "正文"
        label = title if lines else "标题"
        place = f"/extra/{first + len(extra)}/value"
        if section.heading is not None:
            placed.append((section.heading.line.number, place))
        raw = _joined(lines, place, findings, placed) if lines else title
        number = lines[0].number if lines else section.heading.line.number if section.heading else None
        reason = f"“{title[:20]}”下的文字不属于总体目标、分项目标或保障措施，原文存入附加项。"
        findings.append(finding(FindingCode.TEXT_NOT_PLACED, place, raw, reason, 0.6, line=number))
        extra.append(Extra(label=label, value=raw))
    return tuple(extra)
