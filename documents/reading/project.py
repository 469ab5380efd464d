"""One project: the lines before its table, and the rows of the table by their labels.

A label names the member whose value is the first filled cell to its right; purpose, spending plan and goals go on in the
rows below their label; from the header row on, every row is an indicator. Nothing is carried from one project to another:
each has a reader of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from documents.reading.finding_codes import FindingCode, finding
from documents.reading.goals import GoalCell, read_goals
from documents.reading.headings import compact
from documents.reading.indicators import Header, IndicatorRows
from documents.reading.lines import Line
from documents.reading.money import currency_of, read_money
from documents.reading.project_code import read_code
from documents.reading.spending_plan import PlanCell, read_plan
from documents.reading.table_labels import (
    MONEY_ROLES,
    SECTION_ROLES,
    InfoRole,
    header_columns,
    info_role,
)
from documents.reading.tables import Row, read_table
from models.content import Budget, Extra, Project
from models.findings import ReadingFinding

_UNIT_LINE = re.compile(
    r"(?:(?:预算|填报|编制|申报)?单位(?:名称|编码)?\s*[：:]\s*)?(?P<code>\d{3,9})\s*[-—–]?\s*(?P<name>[^\d\s:：%.,，][^:：]{1,80})"
)
_OWN_LABEL = re.compile(r"[\u4e00-\u9fff（）()]{2,12}[：:]?")
_TITLE_SUFFIX = re.compile(r"绩效目标(?:申报)?表$")
_TEXT_ROLES: Final = (
    InfoRole.CATEGORY,
    InfoRole.NATURE,
    InfoRole.SUPERVISING_DEPARTMENT,
    InfoRole.IMPLEMENTING_UNIT,
    InfoRole.PERSON_IN_CHARGE,
    InfoRole.PHONE,
    InfoRole.START,
    InfoRole.END,
    InfoRole.GROUNDS,
    InfoRole.CONTENTS,
)
_MONEY_NAMES: Final = {InfoRole.TOTAL: "预算数", InfoRole.FISCAL: "财政资金", InfoRole.OTHER: "其他资金"}


@dataclass(frozen=True, slots=True)
class UnitLine:
    """The line over a table that names the unit: ``731001 …本级``."""

    code: str
    name: str
    raw: str
    line: int


@dataclass(frozen=True, slots=True)
class ProjectReading:
    """A project as read. ``unlocated`` findings get their place from ``placed`` when the content stands."""

    project: Project
    unit: UnitLine | None
    findings: tuple[ReadingFinding, ...]
    unlocated: tuple[ReadingFinding, ...]
    placed: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class _Cell:
    """The first value of a label: its words and line."""

    words: str
    line: int


def read_project(at: int, title: str, title_line: int, lines: Sequence[Line]) -> ProjectReading:
    """The project number ``at`` (from 0) of the text; ``title`` is its heading, "" where it has none."""
    first_row = next((number for number, line in enumerate(lines) if line.is_row), len(lines))
    table = read_table(lines[first_row:])
    reader = _ProjectReader(at)
    for line in lines[:first_row]:
        reader.take_words(line.words, line.number)
    for row in table.rows:
        reader.take_row(row)
    reader.report_padding(table.padded)
    return reader.result(title, title_line, table.findings)


class _ProjectReader:
    """The state while one project's rows are read."""

    def __init__(self, at: int) -> None:
        self._id = f"p{at + 1}"
        self._place = f"/projects/{at}"
        self._unit: UnitLine | None = None
        self._currency: str | None = None
        self._values: dict[InfoRole, _Cell] = {}
        self._purpose: list[_Cell] = []
        self._plan: list[list[PlanCell]] = []
        self._goals: list[GoalCell] = []
        self._section: InfoRole | None = None
        self._header: Header | None = None
        self._indicators = IndicatorRows(self._place)
        self._extra: list[Extra] = []
        self._findings: list[ReadingFinding] = []
        self._placed: list[tuple[int, str]] = []

    def take_words(self, words: str, line: int) -> None:
        """Takes a line or cell outside all labels: the unit's line, the money unit, or something for ``extra``."""
        currency = currency_of(words)
        if currency is not None:
            self._currency = self._currency or currency[0]
            words = currency[1]
            if currency[0] != self._currency:
                self._leave("单位", f"单位：{currency[0]}", line, "同一张表里写了两种金额单位")
            if not words:
                return
        unit = _UNIT_LINE.fullmatch(words) if len(words) <= 120 else None
        if unit and self._unit is None:
            self._unit = UnitLine(unit["code"], unit["name"].strip(), words, line)
            return
        label, colon, value = words.partition("：")
        if colon and value.strip() and 0 < len(label) <= 16:
            self._leave(label.strip(), value.strip(), line, "没有对应的项")
        else:
            self._leave("表中文字", words, line, "没有对应的项")

    def take_row(self, row: Row) -> None:
        """Takes one row of the table."""
        columns = header_columns(row.cells)
        if columns is not None:
            self._take_header(row, Header(row.cells, columns))
        elif self._header is None or self._is_info(row) or not self._indicators.add(row, self._header):
            self._take_info(row)

    def report_padding(self, padded: Sequence[Line]) -> None:
        """One hint for all rows of the table whose TABs at the end were missing."""
        if padded:
            raw = " / ".join(line.words[:12] for line in padded[:20])
            reason = f"共 {len(padded)} 行的制表符比表宽少，当是行尾的制表符被编辑器去掉了，已按空单元格补齐。"
            line = padded[0].number
            self._findings.append(finding(FindingCode.ROW_PADDED, self._place, raw, reason, 0.85, line=line))

    def result(self, title: str, title_line: int, unlocated: tuple[ReadingFinding, ...]) -> ProjectReading:
        """The project of everything taken."""
        budget = self._budget()
        plan = read_plan(self._plan, self._place, first_extra=len(self._extra))
        goals = read_goals(self._goals, self._place)
        indicators = self._indicators.indicators()
        texts = {role.value: self._values[role].words for role in _TEXT_ROLES if role in self._values}
        self._placed += [
            (cell.line, f"{self._place}/{role.value}") for role, cell in self._values.items() if role not in MONEY_ROLES
        ]
        project = Project(
            id=self._id,
            code=self._code(),
            name=self._name(title, title_line),
            budget=budget,
            purpose=self._purpose_text(),
            spending_plan=tuple(plan.checkpoints),
            goals=goals.goals,
            indicators=indicators,
            extra=(*self._extra, *plan.extra),
            **texts,
        )
        findings = (*self._findings, *plan.findings, *goals.findings, *self._indicators.findings)
        placed = (*self._placed, *plan.placed, *goals.placed, *self._indicators.placed)
        return ProjectReading(project, self._unit, findings, unlocated, placed)

    def _is_info(self, row: Row) -> bool:
        first = next((cell for cell in row.cells if cell), "")
        return info_role(first) is not None

    def _take_header(self, row: Row, header: Header) -> None:
        if self._header is not None:
            reason = "表头在换页后重复出现，已略去。"
            raw = " ".join(cell for cell in row.cells if cell)
            place = f"{self._place}/indicators"
            self._findings.append(finding(FindingCode.HEADER_REPEATED, place, raw, reason, 0.95, line=row.number))
        for at, label in enumerate(row.cells):
            if label and at not in header.columns.values() and self._header is None:
                reason = f"表头“{label[:20]}”不是已知的列，这一列的内容存入各指标的附加项。"
                place = f"{self._place}/indicators"
                self._findings.append(finding(FindingCode.COLUMN_UNKNOWN, place, label, reason, 0.7, line=row.number))
        self._header = header
        self._section = None

    def _take_info(self, row: Row) -> None:
        if self._take_own_label(row):
            return
        waiting: InfoRole | None = None
        labelled = False
        plan: list[PlanCell] = []
        for column, cell in enumerate(row.cells):
            if not cell:
                continue
            role, value = _labelled(cell)
            if role is not None:
                labelled = True
                waiting = None if role in SECTION_ROLES else role
                self._section = role if role in SECTION_ROLES or column == 0 else self._section
                if not value:
                    continue
                cell = value
            if waiting is not None:
                self._take_value(waiting, cell, row.number)
                waiting = None
                continue
            in_section = not labelled or self._row_section(row) is self._section
            if self._section is InfoRole.PLAN and in_section:
                plan.append(PlanCell(row.number, column, cell))
            elif self._section is InfoRole.GOALS and in_section:
                self._goals.append(GoalCell(row.number, cell, shifted=column == 0 and role is None))
            elif self._section is InfoRole.PURPOSE and in_section and not self._has_money(row):
                self._take_purpose(cell, row, column)
            else:
                self._take_loose(cell, row)
        if plan:
            self._plan.append(plan)

    def _take_own_label(self, row: Row) -> bool:
        """Takes a row of a label that no form has and its value, above the purpose; False where the row is none."""
        filled = [cell for cell in row.cells if cell]
        if self._section in SECTION_ROLES or self._header is not None or len(filled) != 2 or not row.cells[0]:
            return False
        label, value = filled
        if any(_labelled(cell)[0] for cell in filled) or not _OWN_LABEL.fullmatch(label):
            return False
        self._leave(label, value, row.number, "没有对应的项")
        return True

    def _row_section(self, row: Row) -> InfoRole | None:
        first = next((cell for cell in row.cells if cell), "")
        return _labelled(first)[0]

    def _has_money(self, row: Row) -> bool:
        return any(info_role(cell) in MONEY_ROLES for cell in row.cells if cell)

    def _take_value(self, role: InfoRole, words: str, line: int) -> None:
        known = self._values.get(role)
        if known is None:
            self._values[role] = _Cell(words, line)
        elif known.words != words:
            self._leave(role.value, words, line, "同一张表里同一项写了两次而不相同，取前者")

    def _take_purpose(self, cell: str, row: Row, column: int) -> None:
        self._purpose.append(_Cell(cell, row.number))
        if column == 0:
            reason = "这一行少了行首的制表符，资金用途落在标签列，已移回。"
            self._findings.append(
                finding(
                    FindingCode.ROW_SHIFTED, f"{self._place}/purpose", cell, reason, 0.9, repaired=cell, line=row.number
                )
            )

    def _take_loose(self, cell: str, row: Row) -> None:
        code = self._values.get(InfoRole.CODE)
        # A code that was wrapped can have fallen into two cells of its row.
        if (
            code is not None
            and row.number == code.line
            and len(code.words) < 21
            and re.fullmatch(r"[0-9A-Z]{1,13}", cell)
        ):
            self._values[InfoRole.CODE] = _Cell(f"{code.words} {cell}", code.line)
        else:
            self.take_words(cell, row.number)

    def _leave(self, label: str, value: str, line: int, why: str) -> None:
        place = f"{self._place}/extra/{len(self._extra)}/value"
        reason = f"“{label[:20]}：{value[:20]}”{why}，原文存入附加项。"
        self._findings.append(finding(FindingCode.CELL_NOT_PLACED, place, value, reason, 0.6, line=line))
        self._placed.append((line, place))
        self._extra.append(Extra(label=label, value=value))

    def _budget(self) -> Budget:
        place = f"{self._place}/budget"
        amounts: dict[str, Decimal | None] = {}
        for role, name in _MONEY_NAMES.items():
            cell = self._values.get(role)
            if cell is None:
                continue
            amount, findings = read_money(cell.words, self._currency, f"{place}/{role.value}", cell.line)
            self._findings += findings
            self._placed.append((cell.line, place))
            amounts[role.value] = amount
            if amount is None:
                self._extra.append(Extra(label=name, value=cell.words))
        if amounts and self._currency is None:
            reason = "表上没有写金额单位（如“单位：元”），按元读取，请确认。"
            raw = next(cell.words for role, cell in self._values.items() if role in MONEY_ROLES)
            line = next(cell.line for role, cell in self._values.items() if role in MONEY_ROLES)
            self._findings.append(finding(FindingCode.MONEY_UNIT_MISSING, place, raw, reason, 0.6, line=line))
        return Budget(**amounts)

    def _code(self) -> str:
        cell = self._values.get(InfoRole.CODE)
        if cell is None:
            return ""
        code, findings = read_code(cell.words, f"{self._place}/code", cell.line)
        self._findings += findings
        return code

    def _name(self, title: str, title_line: int) -> str:
        cell = self._values.get(InfoRole.NAME)
        in_title = _TITLE_SUFFIX.sub("", title).strip()
        place = f"{self._place}/name"
        if cell is None:
            if in_title:
                reason = "表里没有项目名称，取自表题。"
                self._findings.append(
                    finding(FindingCode.PROJECT_NAME, place, title, reason, 0.8, repaired=in_title, line=title_line)
                )
            return in_title
        if in_title and compact(in_title) != compact(cell.words):
            reason = f"表题里的项目名称“{in_title[:40]}”与表里的“{cell.words[:40]}”不一致，取表里的。"
            self._findings.append(finding(FindingCode.PROJECT_NAME, place, title, reason, 0.7, line=title_line))
        return cell.words

    def _purpose_text(self) -> str:
        place = f"{self._place}/purpose"
        self._placed += [(cell.line, place) for cell in self._purpose]
        text = "".join(cell.words for cell in self._purpose)
        for before, cell in zip(self._purpose, self._purpose[1:], strict=False):
            raw = f"{before.words[-10:]}⏎{cell.words[:10]}"
            reason = "资金用途写在几行里，已接成一段。"
            self._findings.append(
                finding(
                    FindingCode.CELL_JOINED, place, raw, reason, 0.8, repaired=raw.replace("⏎", "", 1), line=cell.line
                )
            )
        return text


def _labelled(cell: str) -> tuple[InfoRole | None, str]:
    """The member that a cell names, and the value after its colon where the cell holds both."""
    role = info_role(cell)
    if role is not None:
        return role, ""
    label, colon, value = cell[:60].partition("：")
    role = info_role(label) if colon and value.strip() else None
    return (role, cell.partition("：")[2].strip()) if role is not None else (None, "")
