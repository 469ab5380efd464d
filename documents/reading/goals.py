"""The numbered goals of a project."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from documents.reading.finding_codes import FindingCode, finding
from documents.reading.table_labels import GOAL_NUMBER
from models.content import Goal
from models.findings import ReadingFinding

_INNER_NUMBER = re.compile(r"(?<=[。；;！\s])(?P<number>\d{1,2})\s*[.．、](?!\d)\s*")


@dataclass(frozen=True, slots=True)
class GoalCell:
    """One cell under 绩效目标; ``shifted`` where it stands in the label column, its row having lost a TAB."""

    line: int
    words: str
    shifted: bool


@dataclass(frozen=True, slots=True)
class Goals:
    """The goals of one project."""

    goals: tuple[Goal, ...]
    findings: tuple[ReadingFinding, ...]
    placed: tuple[tuple[int, str], ...]


def read_goals(cells: Sequence[GoalCell], place: str) -> Goals:
    """Goals of the cells; a cell that begins with no number goes on with the numbered goal before it."""
    texts: list[str] = []
    findings: list[ReadingFinding] = []
    placed: list[tuple[int, str]] = []
    number = 0
    numbered = False
    for cell in cells:
        for written, words, inner in _numbered_pieces(cell.words, number):
            if written is None and texts and numbered:
                here = f"{place}/goals/{len(texts) - 1}/text"
                raw = f"{texts[-1][-10:]}⏎{words[:10]}"
                reason = "这一行前面没有编号，作为上一条绩效目标的续行接上。"
                findings.append(
                    finding(
                        FindingCode.GOAL_CONTINUED,
                        here,
                        raw,
                        reason,
                        0.8,
                        repaired=raw.replace("⏎", "", 1),
                        line=cell.line,
                    )
                )
                texts[-1] += words
            else:
                here = f"{place}/goals/{len(texts)}/text"
                texts.append(words)
                findings += _number_findings(here, cell, written, words, number, inner=inner)
                numbered = written is not None
                number = written if written is not None else number + 1
            placed.append((cell.line, here))
            if cell.shifted:
                reason = "这一行少了行首的制表符，绩效目标落在标签列，已移回。"
                findings.append(
                    finding(
                        FindingCode.ROW_SHIFTED, here, cell.words, reason, 0.95, repaired=words or None, line=cell.line
                    )
                )
    goals = tuple(Goal(id=f"t{at}", text=text) for at, text in enumerate(texts, start=1))
    return Goals(goals, tuple(findings), tuple(placed))


def _numbered_pieces(words: str, before: int) -> Iterator[tuple[int | None, str, bool]]:
    """Number (None where there is none), words, and whether the piece began inside a cell, for each goal of a cell."""
    match = GOAL_NUMBER.match(words)
    number = int(match["number"] or match["round"] or match["named"]) if match else None
    start = match.end() if match else 0
    current, inner = number, False
    expected = (number if number is not None else before) + 1
    for mark in _INNER_NUMBER.finditer(words, start):
        if number is None or int(mark["number"]) != expected:
            continue
        yield current, words[start : mark.start()].rstrip(), inner
        current, start, inner = expected, mark.end(), True
        expected += 1
    yield current, words[start:], inner


def _number_findings(
    place: str, cell: GoalCell, written: int | None, words: str, before: int, *, inner: bool
) -> Iterator[ReadingFinding]:
    code = FindingCode.GOAL_NUMBERING
    if inner:
        reason = "几条绩效目标写在同一格里，已按编号分开。"
        yield finding(code, place, cell.words, reason, 0.85, repaired=words or None, line=cell.line)
    if written is not None and written != before + 1:
        reason = f"绩效目标的编号不连续：这里当是第 {before + 1} 条，写的是第 {written} 条，请看是否漏了或重了一条。"
        yield finding(code, place, cell.words[:20], reason, 0.8, line=cell.line)
