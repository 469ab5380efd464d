"""Indicators written without a table of their own, laid out as the rows that every form has.

Two ways are known: a sentence for each kind (``1.数量指标：采购编织袋≥20000条；储备照明灯≥15台。``), and a list of projects with
a column for each kind, whose cells hold name and value in one. The lines that come out have the numbers of those they are
made of; where name and value part is told by the sign or the first figure, and one finding says so.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Final

from documents.reading.finding_codes import FindingCode, finding
from documents.reading.forms.vocabulary import Vocabulary
from documents.reading.layout_files import ColumnRole, general_layout, key_of
from documents.reading.lines import Line, stripped
from documents.reading.measures import NUMBER_PATTERN, SIGN_AT_START
from models.findings import ReadingFinding

_HEADER: Final = ("一级指标", "二级指标", "三级指标", "指标值")
_FEWEST: Final = 3
# A hundred projects with thirty kinds each; a list that would become longer is none.
_MOST_LINES: Final = 20_000
_LONGEST_SENTENCE: Final = 400
_NUMBER: Final = r"(?:[（(]?[\d一二三四五六七八九十]{1,3}[）)、.．]\s*)?"
_KIND = re.compile(rf"\s*{_NUMBER}(?P<kind>[\u4e00-\u9fff]{{2,12}}?指标)\s*(?:[：:]\s*(?P<rest>.*))?")
_PARTS = re.compile(r"[；;。]")
_LIST_ROLES: Final = {
    ColumnRole.PROJECT_NAME: "项目名称",
    ColumnRole.PROJECT_CODE: "项目编码",
    ColumnRole.PROJECT_TOTAL: "预算数",
    ColumnRole.PROJECT_GOAL: "绩效目标",
}
_FIRST_LEVELS: Final = {
    "数量": "产出", "质量": "产出", "时效": "产出", "成本": "产出", "经济效益": "效益", "社会效益": "效益", "生态效益": "效益",
    "可持续影响": "效益", "服务对象满意度": "满意度", "经济成本": "成本", "社会成本": "成本", "生态环境成本": "成本",
}  # fmt: skip


def spread(lines: Sequence[Line]) -> tuple[tuple[Line, ...], tuple[ReadingFinding, ...]]:
    """The lines with such indicators as rows of a table, and a finding; the same lines where there are none."""
    vocabulary = Vocabulary(general_layout())
    made = _at_most(_of_list(lines, vocabulary)) or _at_most(_of_sentences(lines, vocabulary))
    if not made or len(made) > _MOST_LINES:
        return tuple(lines), ()
    old = {id(line) for line in lines}
    first = next((line for line in made if id(line) not in old), made[0])
    reason = "表上没有指标的名称和指标值两列，按符号或第一个数分开，没有写明的一级指标按二级指标推定，请对照原件确认。"
    raw = next((line.words for line in lines if line.number == first.number), "")
    return tuple(made), (finding(FindingCode.SEPARATOR_MISSING, "", raw[:60], reason, 0.7, line=first.number),)


def _at_most(lines: Iterator[Line]) -> list[Line]:
    return list(itertools.islice(lines, _MOST_LINES + 1))


def name_and_value(words: str) -> tuple[str, str]:
    """``采购编织袋≥20000条`` in two; without a sign or figure all of it is the name."""
    signs = [match.start() for match in re.finditer(r"[≥≤＞＜>=<＝]", words)]
    figure = re.search(NUMBER_PATTERN, words)
    starts = [at for at in (*signs[:1], figure.start() if figure else -1) if at > 0]
    if not starts:
        return words, ""
    at = min(starts)
    before = next(
        (
            begin
            for begin in range(max(1, at - 5), at)
            if (match := SIGN_AT_START.match(words, begin)) and match.end() == at
        ),
        at,
    )
    return words[:before].strip(" ：:"), words[before:].strip()


def _of_sentences(lines: Sequence[Line], vocabulary: Vocabulary) -> Iterator[Line]:
    """The lines with each sentence that begins with a kind as rows; nothing where the form has a table, or few of them."""
    if any(line.is_row or "|" in line.words for line in lines) or any("一级指标" in line.words for line in lines):
        return
    kinds = [_kind_of(line, vocabulary) for line in lines]
    if sum(kind is not None and bool(kind[1]) for kind in kinds) < _FEWEST:
        return
    first, begun = "", False
    for line, kind in zip(lines, kinds, strict=True):
        if kind is None:
            yield line
            continue
        name, rest, is_first = kind
        if is_first and not rest:
            first = name
            continue
        if not begun:
            yield _row(line.number, _HEADER)
            begun = True
        level1 = first if not is_first else name
        level1 = level1 or _first_level(name)
        for part in filter(None, map(stripped, _PARTS.split(rest))):
            yield _row(line.number, (level1, "" if is_first else name, *name_and_value(part)))


def _kind_of(line: Line, vocabulary: Vocabulary) -> tuple[str, str, bool] | None:
    """Kind, words behind it, and whether it is a first level; None where the line begins with none."""
    match = _KIND.fullmatch(line.words) if len(line.words) <= _LONGEST_SENTENCE else None
    level = vocabulary.level(match["kind"]) if match else None
    if match is None or level is None:
        return None
    return level[0], match["rest"] or "", level[1] and not level[2]


def _of_list(lines: Sequence[Line], vocabulary: Vocabulary) -> Iterator[Line]:
    """The lines with each project of a list whose columns are kinds of indicators in rows of its own."""
    at = next((at for at, line in enumerate(lines) if line.is_row and _list_columns(line, vocabulary)), None)
    if at is None:
        return
    columns = _list_columns(lines[at], vocabulary)
    yield from lines[:at]
    for line in lines[at + 1 :]:
        cells = dict(enumerate(map(stripped, line.text.split("\t"))))
        if not line.is_row or not any(isinstance(columns.get(column), ColumnRole) for column in cells):
            yield line
            continue
        for column, role in columns.items():
            if isinstance(role, ColumnRole) and cells.get(column):
                yield _row(line.number, (_LIST_ROLES[role], cells[column]))
        yield _row(line.number, _HEADER)
        for column, kind in columns.items():
            if not isinstance(kind, ColumnRole):
                level1 = _first_level(kind)
                for part in filter(None, map(stripped, _PARTS.split(cells.get(column, "")))):
                    yield _row(line.number, (level1, "" if level1 == kind else kind, *name_and_value(part)))
        others = [cell for column, cell in cells.items() if column not in columns and cell and not cell.isdecimal()]
        if others:
            yield _row(line.number, ("备注", " ".join(others)))


def _list_columns(line: Line, vocabulary: Vocabulary) -> dict[int, ColumnRole | str]:
    """What each column of a list's header holds: a member of the project, or a kind of indicators; {} for no such header."""
    columns: dict[int, ColumnRole | str] = {}
    if "项目" not in line.text or line.text.count("指标") < _FEWEST:
        return columns
    for at, cell in enumerate(map(stripped, line.text.split("\t"))):
        level = vocabulary.level(cell)
        role = next((role for role in vocabulary.columns(cell) if role in _LIST_ROLES), None)
        if level is not None:
            columns[at] = level[0]
        elif role is not None:
            columns[at] = role
    kinds = sum(not isinstance(role, ColumnRole) for role in columns.values())
    return columns if ColumnRole.PROJECT_NAME in columns.values() and kinds >= _FEWEST else {}


def _first_level(kind: str) -> str:
    term = key_of(kind).removesuffix("指标")
    first = _FIRST_LEVELS.get(term)
    return f"{first}指标" if first else kind


def _row(number: int, cells: Sequence[str]) -> Line:
    text = "\t".join(cells)
    return Line(number, text, stripped(text))
