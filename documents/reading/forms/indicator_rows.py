"""The rows of a form's indicator tables: levels carried from row to row on each side, marks of core and 其中 rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from documents.reading.finding_codes import FindingCode, finding
from documents.reading.forms.drafts import RowDraft
from documents.reading.forms.pieces import Piece, Style
from documents.reading.forms.vocabulary import Vocabulary
from documents.reading.indicators import Header, IndicatorRows
from documents.reading.layout_files import ColumnRole, key_of
from documents.reading.money import read_percent
from documents.reading.tables import Row
from models.content import Indicator
from models.findings import ReadingFinding

_LEVELS: Final = (ColumnRole.LEVEL1, ColumnRole.LEVEL2)
# What the rows of a budget text know; the others are read here.
_OWN: Final = tuple(role for role in list(ColumnRole)[: list(ColumnRole).index(ColumnRole.SCORING) + 1])
_CORE: Final = "★☆"
_PART: Final = ("其中:", "其中：", "其中")
_EMPTY: Final = frozenset({"…", "……", "-", "—", "——"})
# Above this a row fits its columns only by force.
_DOUBTFUL_FIT: Final = 4.0


@dataclass(slots=True)
class IndicatorsRead:
    """The indicators of one project."""

    indicators: tuple[Indicator, ...] = ()
    findings: list[ReadingFinding] = field(default_factory=list)
    placed: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Source:
    """One row on one side of a table: its pieces by role, what does not fit, and where it comes from."""

    cells: dict[ColumnRole, Piece]
    loose: list[tuple[str, Piece]]
    row: RowDraft
    period: str | None


def read_rows(rows: Sequence[RowDraft], vocabulary: Vocabulary, place: str) -> IndicatorsRead:
    """Indicators of the rows of the project at ``place``; both sides of a table become rows of their own period."""
    result = IndicatorsRead()
    layout = vocabulary.layout
    reader = IndicatorRows(place, level1=layout.level1, level2=layout.level2)
    taken: list[_Source] = []
    empty: list[Piece] = []
    periods = {row.period for row in rows if row.period} | {
        period for row in rows if row.columns.second for period in ("中期", "年度")
    }
    for source in _sides(rows):
        at = f"{place}/indicators/{len(taken)}"
        cells = {role: piece for role, piece in source.cells.items() if not _is_nothing(role, piece)}
        levels = _levels(cells, vocabulary, at, result)
        if not any(role not in _LEVELS for role in cells) and not source.loose:
            result.placed += [(piece.line, f"{place}/indicators") for piece in source.cells.values()]
            empty += [piece for role, piece in cells.items() if role is ColumnRole.LEVEL2]
            continue
        written: dict[ColumnRole, str] = {
            role: piece.words for role, piece in cells.items() if role in _OWN and role not in _LEVELS
        }
        written |= levels
        if (name := written.get(ColumnRole.NAME, "")) and name[0] in _CORE:
            written[ColumnRole.NAME] = name.lstrip(_CORE).strip()
        line = min((piece.line for piece in [*cells.values(), *(piece for _, piece in source.loose)]), default=1)
        labels = [role.value for role in _OWN] + [label for label, _ in source.loose]
        words = [written.get(role, "") for role in _OWN] + [piece.words for _, piece in source.loose]
        header = Header(tuple(labels), {role: number for number, role in enumerate(_OWN)})
        # A row without levels and name goes on with the one before it, and makes no indicator of its own.
        if reader.add(Row((*words, ""), (line,)), header) and reader.count > len(taken):
            taken.append(source)
            result.placed += [(piece.line, at) for piece in [*cells.values(), *(piece for _, piece in source.loose)]]
            _report_cut(source, at, written, line, result)
    indicators = list(reader.indicators())
    result.findings += reader.findings
    result.placed += reader.placed
    for number, source in enumerate(taken):
        period = source.period if "中期" in periods else None
        indicators[number] = _with_own(indicators, number, source, period, f"{place}/indicators/{number}", result)
    result.indicators = tuple(indicators)
    filled = {(item.level1, item.level2) for item in indicators}
    empty = [piece for piece in empty if not any(key_of(piece.words) == second for _, second in filled)]
    if empty:
        raw = " ".join(key_of(piece.words) for piece in empty)
        reason = "这些类别下面没有指标。"
        result.findings.append(
            finding(FindingCode.ROW_EMPTY, f"{place}/indicators", raw, reason, 0.8, line=empty[0].line)
        )
    return result


def _sides(rows: Sequence[RowDraft]) -> list[_Source]:
    """The rows of the left side, then those of the right side, of each run under one header; first levels are shared."""
    sources: list[_Source] = []
    at = 0
    while at < len(rows):
        end = at
        while end < len(rows) and rows[end].columns is rows[at].columns:
            end += 1
        second = rows[at].columns.second
        for side in (0, 1) if second else (0,):
            carried: Piece | None = None
            carried_second: Piece | None = None
            for row in rows[at:end]:
                own = _side(row, second, side)
                first = _first_level(row)
                if first is not None:
                    carried, carried_second = first, None
                if ColumnRole.LEVEL2 in own.cells:
                    carried_second = own.cells[ColumnRole.LEVEL2]
                if side == 1 and not own.cells and not own.loose:
                    continue
                # A row with a name stands for itself; one without may go on with the row before it.
                if ColumnRole.NAME in own.cells and carried is not None:
                    own.cells[ColumnRole.LEVEL1] = carried
                if ColumnRole.NAME in own.cells and carried_second is not None:
                    own.cells[ColumnRole.LEVEL2] = carried_second
                sources.append(own)
        at = end
    return sources


def _first_level(row: RowDraft) -> Piece | None:
    at = next((at for at, role in enumerate(row.columns.roles) if role is ColumnRole.LEVEL1), None)
    return row.aligned.cells.get(at) if at is not None else None


def _side(row: RowDraft, second: int | None, side: int) -> _Source:
    cells: dict[ColumnRole, Piece] = {}
    loose: list[tuple[str, Piece]] = []
    for at, piece in row.aligned.cells.items():
        role = row.columns.roles[at]
        if second is not None and (at >= second) != (side == 1):
            continue
        if role is not None and role in (*_OWN, ColumnRole.ACTUAL, ColumnRole.SCORE, ColumnRole.REASON):
            cells.setdefault(role, piece)
        elif role is None:
            loose.append((row.columns.labels[at] or f"第{at + 1}列", piece))
    if side == 0:
        loose += [("表中文字", piece) for piece in row.aligned.loose]
    period = row.period if second is None else ("年度" if side else "中期")
    return _Source(cells, loose, row, period)


def _is_nothing(role: ColumnRole, piece: Piece) -> bool:
    return piece.words in _EMPTY and role is not ColumnRole.VALUE


def _levels(
    cells: dict[ColumnRole, Piece], vocabulary: Vocabulary, at: str, result: IndicatorsRead
) -> dict[ColumnRole, str]:
    """The level cells in full; a broken merged cell is completed and reported."""
    levels: dict[ColumnRole, str] = {}
    for role in _LEVELS:
        piece = cells.get(role)
        if piece is None:
            continue
        level = vocabulary.level(piece.words)
        words = level[0] if level else key_of(piece.words)
        levels[role] = words
        written = key_of(piece.words)
        reported = any(item.code == FindingCode.LEVEL_BROKEN and item.line == piece.line for item in result.findings)
        if level and not written.startswith(words) and not reported:
            reason = f"指标类别只剩“{piece.words}”，当是合并单元格断开后的“{words}”，这一类的各行都按此读取，请确认。"
            member = f"{at}/{role.value}"
            code = FindingCode.LEVEL_BROKEN
            result.findings.append(finding(code, member, piece.words, reason, 0.8, repaired=words, line=piece.line))
    return levels


def _report_cut(source: _Source, at: str, written: dict[ColumnRole, str], line: int, result: IndicatorsRead) -> None:
    if source.row.style is Style.FUSED:
        reason = "这一段没有分隔，按类别和数值切开，名称、说明与指标值的界线是推定的，请对照原件确认。"
        shown = written.get(ColumnRole.NAME, "") or written.get(ColumnRole.LEVEL2, "")
        member = "name" if written.get(ColumnRole.NAME) else "level2"
        raw = source.row.raw or shown
        code = FindingCode.SEPARATOR_MISSING
        result.findings.append(finding(code, f"{at}/{member}", raw, reason, 0.6, repaired=shown, line=line))
    elif source.row.moved:
        raw = " ".join(piece.words for piece in source.cells.values())
        reason = "这一行的单元格与表头对不上（合并单元格丢失或错列），按内容认列，请对照原件确认。"
        shown = written.get(ColumnRole.NAME, "")
        code = FindingCode.ROW_SHIFTED
        result.findings.append(finding(code, f"{at}/name", raw, reason, 0.6, repaired=shown, line=line))
    elif source.row.aligned.fit >= _DOUBTFUL_FIT:
        raw = " ".join(piece.words for piece in source.cells.values())
        reason = "这一行的单元格比表头少，又不能都按内容认出所在的列，请对照原件核对各列。"
        result.findings.append(finding(FindingCode.ORDER_ONLY, at, raw, reason, 0.5, line=line))


def _with_own(
    indicators: Sequence[Indicator], at: int, source: _Source, period: str | None, place: str, result: IndicatorsRead
) -> Indicator:
    """The indicator with what only forms have: period, actual value, score and reason, ★ and 其中."""
    indicator = indicators[at]
    changed: dict[str, object] = {}
    if period is not None:
        changed["period"] = period
    for role, member in ((ColumnRole.ACTUAL, "actual"), (ColumnRole.REASON, "reason")):
        piece = source.cells.get(role)
        if piece is not None and piece.words not in _EMPTY:
            changed[member] = piece.words
    score = source.cells.get(ColumnRole.SCORE)
    if score is not None and score.words not in _EMPTY:
        number, findings = read_percent(score.words.removesuffix("分"), f"{place}/score", score.line)
        changed["score"] = number
        result.findings += findings
    name = source.cells.get(ColumnRole.NAME)
    if name is not None and name.words[0] in _CORE:
        changed["core"] = True
        reason = "名称前的★读作核心指标，★不写入名称。"
        result.findings.append(
            finding(FindingCode.CORE_MARK, f"{place}/core", name.words, reason, 0.95, line=name.line)
        )
    if name is not None and name.words.startswith(_PART):
        whole = next((other for other in reversed(range(at)) if not indicators[other].name.startswith(_PART)), None)
        if whole is not None:
            changed["part_of"] = indicators[whole].id
            reason = f"“{name.words[:20]}”以“其中”开头，归于上一项“{indicators[whole].name[:20]}”，请确认。"
            result.findings.append(
                finding(
                    FindingCode.PART_OF, f"{place}/part_of", name.words, reason, 0.85,
                    repaired=indicators[whole].id, line=name.line,
                )
            )  # fmt: skip
    if source.row.style is Style.FUSED and _is_run_of_figures(indicator):
        reason = f"“{indicator.raw_value}”像是几个数粘在一起，没有写入指标值，请对照原件填写。"
        result.findings = [item for item in result.findings if item.place not in (f"{place}/value", f"{place}/sign")]
        line = min(piece.line for piece in source.cells.values())
        result.findings.append(
            finding(FindingCode.VALUE_FUSED, f"{place}/value", indicator.raw_value or "", reason, 0.8, line=line)
        )
        changed["value"] = ""
    return indicator.model_copy(update=changed) if changed else indicator


def _is_run_of_figures(indicator: Indicator) -> bool:
    """Whether a value without separators is longer than any single figure of its kind: 85100 can be 85 and 100."""
    return (
        indicator.sign is None and indicator.unit is None and indicator.value.isdecimal() and len(indicator.value) > 3
    )
