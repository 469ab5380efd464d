"""The rows of the indicator table, by the roles of their columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

from documents.reading.finding_codes import FindingCode, finding
from documents.reading.indicator_values import IndicatorValue, read_value
from documents.reading.measures import HALF_WIDTH
from documents.reading.money import read_percent
from documents.reading.table_labels import LEVEL1_TERMS, LEVEL2_TERMS, ColumnRole, level_term
from documents.reading.tables import Row
from models.content import Extra, Indicator, Sign
from models.findings import ReadingFinding

Direction = Literal["正向", "反向"]

_LEVELS: Final = (ColumnRole.LEVEL1, ColumnRole.LEVEL2)
_DERIVED_DIRECTIONS: Final[dict[Sign, Direction]] = {"≥": "正向", ">": "正向", "≤": "反向", "<": "反向"}


@dataclass(frozen=True, slots=True)
class Header:
    """The header row of an indicator table: its labels, and the column of each role."""

    labels: tuple[str, ...]
    columns: Mapping[ColumnRole, int]


@dataclass(slots=True)
class _Draft:
    """One indicator while its rows are read; ``loose`` are cells of columns without a role, by their label."""

    line: int
    cells: dict[ColumnRole, str]
    loose: list[Extra] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)


class IndicatorRows:
    """Collects the rows of one project's indicator table and makes the indicators of them."""

    def __init__(
        self, place: str, *, level1: frozenset[str] = LEVEL1_TERMS, level2: frozenset[str] = LEVEL2_TERMS
    ) -> None:
        self.findings: list[ReadingFinding] = []
        self.placed: list[tuple[int, str]] = []
        self._place = f"{place}/indicators"
        self._terms1, self._terms2 = level1, level2
        self._drafts: list[_Draft] = []
        self._level1 = ""
        self._level2 = ""

    def add(self, row: Row, header: Header) -> bool:
        """Takes a row; False where it can't be one of indicators (words alone in the first column)."""
        row = self._shifted(row, header)
        cells = {role: row.cells[at] for role, at in header.columns.items() if at < len(row.cells) and row.cells[at]}
        loose = self._loose(row, header)
        kind: dict[ColumnRole, str] = {role: cells.pop(role) for role in _LEVELS if role in cells}
        if not cells and not loose:
            return self._take_levels(row, kind)
        # 填表人：… beside 联系电话：… below a table is no indicator.
        if "：" in kind.get(ColumnRole.LEVEL1, ""):
            return False
        if self._drafts and not kind and ColumnRole.NAME not in cells:
            self._continue(row, cells, loose)
            return True
        if ColumnRole.LEVEL1 in kind:
            self._level1, self._level2 = kind[ColumnRole.LEVEL1], ""
        self._level2 = kind.get(ColumnRole.LEVEL2, self._level2)
        levels = {ColumnRole.LEVEL1: self._level1, ColumnRole.LEVEL2: self._level2}
        self._drafts.append(_Draft(row.number, {**cells, **levels}, loose, list(row.numbers)))
        return True

    @property
    def count(self) -> int:
        """How many indicators were begun so far."""
        return len(self._drafts)

    def indicators(self) -> tuple[Indicator, ...]:
        """The indicators of all rows that were taken; adds their findings and places."""
        return tuple(self._indicator(at, draft) for at, draft in enumerate(self._drafts))

    def _next_place(self) -> str:
        return f"{self._place}/{len(self._drafts)}"

    def _shifted(self, row: Row, header: Header) -> Row:
        """A row that has lost its first TAB has its second level in the first column: moved back."""
        first, second = header.columns.get(ColumnRole.LEVEL1), header.columns.get(ColumnRole.LEVEL2)
        if first is None or second != first + 1 or second >= len(row.cells) or row.cells[-1]:
            return row
        term, following = level_term(row.cells[first]), level_term(row.cells[second])
        if term not in self._terms2 or term in self._terms1 or following in self._terms2 or not following:
            return row
        reason = "这一行少了行首的制表符，各格左移了一列，已移回。"
        raw = "\t".join(row.cells).rstrip("\t")
        repaired = row.cells[first]
        self.findings.append(
            finding(
                FindingCode.ROW_SHIFTED,
                f"{self._next_place()}/level2",
                raw,
                reason,
                0.9,
                repaired=repaired,
                line=row.number,
            )
        )
        return Row((*row.cells[:first], "", *row.cells[first:-1]), row.numbers)

    def _loose(self, row: Row, header: Header) -> list[Extra]:
        known = set(header.columns.values())
        loose: list[Extra] = []
        for at, cell in enumerate(row.cells):
            if cell and at not in known:
                label = header.labels[at] if at < len(header.labels) and header.labels[at] else f"第{at + 1}列"
                loose.append(Extra(label=label, value=cell))
        return loose

    def _take_levels(self, row: Row, kind: dict[ColumnRole, str]) -> bool:
        level1, level2 = kind.get(ColumnRole.LEVEL1, ""), kind.get(ColumnRole.LEVEL2, "")
        if level1 and level_term(level1) not in self._terms1 | self._terms2:
            return False
        if level1:
            self._level1, self._level2 = level1, ""
        self._level2 = level2 or self._level2
        raw = " ".join(cell for cell in row.cells if cell)
        reason = "这一行只有指标类别，没有指标，类别用于下面的行。"
        self.findings.append(finding(FindingCode.ROW_EMPTY, self._place, raw, reason, 0.8, line=row.number))
        return True

    def _continue(self, row: Row, cells: dict[ColumnRole, str], loose: list[Extra]) -> None:
        """A row without level and name goes on with the cells of the indicator before it (a row cut by a page)."""
        draft = self._drafts[-1]
        for role, cell in cells.items():
            before = draft.cells.get(role, "")
            place = f"{self._place}/{len(self._drafts) - 1}"
            member = "raw_value" if role is ColumnRole.VALUE else role.value
            blank = " " if before and role is ColumnRole.VALUE else ""
            draft.cells[role] = before + blank + cell
            reason = "这一行没有类别和名称，当是上一行被分页断开，已接到上一行的同一列。"
            raw, repaired = f"{before[-10:]}⏎{cell}", f"{before[-10:]}{blank}{cell}"
            self.findings.append(
                finding(
                    FindingCode.ROW_CONTINUED, f"{place}/{member}", raw, reason, 0.7, repaired=repaired, line=row.number
                )
            )
        draft.loose += loose
        draft.numbers += row.numbers

    def _indicator(self, at: int, draft: _Draft) -> Indicator:
        place = f"{self._place}/{at}"
        cells, extra = draft.cells, list(draft.loose)
        self.placed += [(number, place) for number in draft.numbers]
        for number, loose in enumerate(draft.loose):
            reason = f"“{loose.label}”这一列没有对应的项，原文存入附加项。"
            code = FindingCode.COLUMN_UNKNOWN
            self.findings.append(
                finding(code, f"{place}/extra/{number}/value", loose.value, reason, 0.7, line=draft.line)
            )
        sign_cell = cells.get(ColumnRole.SIGN, "")
        raw_value = cells.get(ColumnRole.VALUE, "")
        value = read_value(raw_value, sign_cell=sign_cell, unit_cell=cells.get(ColumnRole.UNIT, ""))
        for note in value.notes:
            where = f"{place}/{note.member}"
            self.findings.append(
                finding(
                    note.code, where, note.raw, note.reason, note.confidence, repaired=note.repaired, line=draft.line
                )
            )
        if sign_cell and value.sign is None:
            extra.append(Extra(label="符号", value=sign_cell))
        direction = self._direction(place, draft, value, extra)
        return Indicator(
            id=f"i{at + 1}",
            level1=cells[ColumnRole.LEVEL1],
            level2=cells[ColumnRole.LEVEL2],
            name=cells.get(ColumnRole.NAME, ""),
            description=cells.get(ColumnRole.DESCRIPTION, ""),
            sign=value.sign,
            value=value.value,
            value_to=value.value_to,
            unit=value.unit,
            remark=cells.get(ColumnRole.REMARK) or value.remark,
            direction=direction,
            weight=self._weight(place, draft, extra),
            basis=cells.get(ColumnRole.BASIS, ""),
            raw_value=raw_value or None,
            scoring=cells.get(ColumnRole.SCORING),
            extra=tuple(extra),
        )

    def _direction(self, place: str, draft: _Draft, value: IndicatorValue, extra: list[Extra]) -> Direction | None:
        cell = draft.cells.get(ColumnRole.DIRECTION, "")
        where = f"{place}/direction"
        if not cell:
            derived = _DERIVED_DIRECTIONS.get(value.sign) if value.sign else None
            if derived is not None and value.sign is not None:
                reason = f"表里没有指标方向，按符号“{value.sign}”推定为{derived}。"
                code = FindingCode.DIRECTION_DERIVED
                self.findings.append(finding(code, where, value.sign, reason, 0.9, repaired=derived, line=draft.line))
            return derived
        words = level_term(cell)
        directions: tuple[Direction, ...] = ("正向", "反向")
        direction = next((known for known in directions if words == known), None)
        if direction is None:
            reason = f"指标方向写的是“{cell[:20]}”，不是正向或反向，原文存入附加项。"
            extra.append(Extra(label="指标方向", value=cell))
        else:
            reason = f"“{cell}”换成“{direction}”。"
        if direction != cell:
            code = FindingCode.DIRECTION_SPELLING
            self.findings.append(finding(code, where, cell, reason, 0.95, repaired=direction, line=draft.line))
        return direction

    def _weight(self, place: str, draft: _Draft, extra: list[Extra]) -> Decimal | None:
        cell = draft.cells.get(ColumnRole.WEIGHT, "")
        if not cell:
            return None
        weight, findings = read_percent(cell.translate(HALF_WIDTH).removesuffix("分"), f"{place}/weight", draft.line)
        if weight is None:
            reason = f"权重“{cell[:20]}”不是两位小数以内的数，原文存入附加项。"
            code = FindingCode.WEIGHT_UNREADABLE
            self.findings.append(finding(code, f"{place}/weight", cell, reason, 0.9, line=draft.line))
            extra.append(Extra(label="权重", value=cell))
        else:
            self.findings += findings
        return weight
