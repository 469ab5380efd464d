"""A workbook that ``documents.rendering.excel`` wrote, edited and brought back: every row is known by its ids.

``returned_workbook(data, base)`` gives the base content with what the sheets say. Members without a column, and whatever the
sheets do not hold (goals, plans, narrative), stay as they are. A number that means the same as before keeps its spelling. What
is not taken as it stands is a finding; nothing is repaired without one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from documents.reading.finding_codes import FindingCode, finding
from documents.reading.money import read_money
from documents.reading.sources.form import Grid
from documents.reading.sources.isolation import Limits, isolated_form
from documents.reading.sources.kinds import SourceKind, kind_of
from documents.rendering.excel import (
    ABOUT_HASH,
    ABOUT_TEXT,
    ABOUT_VERSION,
    INDICATOR_COLUMNS,
    PROJECT_COLUMNS,
    WHOLE_ID,
    Column,
)
from models.content import BudgetText, from_json, to_json
from models.errors import InvalidInput
from models.findings import ReadingFinding
from models.identifiers import assign_ids

_MONEY: Final = ("total", "fiscal", "other")
_LEVELS: Final = ("project_name", "level1", "level2")
# Members that the schema wants as words even where they are empty; all others are absent then.
_WORDS: Final = ("level1", "level2", "name", "description", "value", "basis", "code", "purpose")


@dataclass(frozen=True, slots=True)
class ReturnedWorkbook:
    """The content as the workbook has it, the text, version and hash that it was made of ("" where missing), and findings."""

    content: BudgetText
    text_id: str
    version: str
    content_hash: str
    findings: tuple[ReadingFinding, ...]


@dataclass(slots=True)
class _Row:
    """A row of a sheet: its number as people count it, and its cells by member; ``covered`` are those under a merge."""

    number: int
    cells: dict[str, str]
    covered: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Sheets:
    """What the sheets hold; None where a table is missing."""

    indicators: list[_Row] | None = None
    projects: list[_Row] | None = None
    about: dict[str, str] = field(default_factory=dict)
    findings: list[ReadingFinding] = field(default_factory=list)


def returned_workbook(
    data: bytes, base: BudgetText, *, limits: Limits | None = None, earlier: Iterable[Any] = ()
) -> ReturnedWorkbook:
    """The base content with the edits of a workbook; raises InvalidInput for a file that is none of ours."""
    kind = kind_of(data)
    kind, form = isolated_form(data, kind, limits or Limits())
    if kind is not SourceKind.XLSX or form is None:
        raise InvalidInput("这不是 Excel 文件（xlsx）；请用由 jixiao text render --format xlsx 生成、修改过的文件。")
    sheets = _sheets([block for block in form.blocks if isinstance(block, Grid)])
    if sheets.indicators is None and sheets.projects is None:
        raise InvalidInput(
            "表里没有“项目编号”“指标编号”的表头，认不出各行；请用由 jixiao text render --format xlsx 生成的文件，不要删表头和编号列。"
        )
    value = to_json(base)
    if sheets.projects is not None:
        _take_projects(value, sheets)
    if sheets.indicators is not None:
        _take_indicators(value, sheets)
    content = from_json(assign_ids(value, [to_json(base), *earlier]))
    about = sheets.about
    return ReturnedWorkbook(
        content,
        about.get(ABOUT_TEXT, ""),
        about.get(ABOUT_VERSION, ""),
        about.get(ABOUT_HASH, ""),
        tuple(sheets.findings),
    )


def _sheets(grids: Iterable[Grid]) -> _Sheets:
    out = _Sheets()
    for grid in grids:
        rows = _cells(grid)
        header = next((row for row, cells in rows.items() if "项目编号" in cells.values()), None)
        if header is None:
            pairs = ((cells.get(0, ""), cells.get(1, "")) for cells in rows.values())
            known = {label: words for label, words in pairs if label in (ABOUT_TEXT, ABOUT_VERSION, ABOUT_HASH)}
            if known:
                out.about |= known
            elif rows:
                words = " ".join(" ".join(cells.values()) for cells in rows.values())
                out.findings.append(finding(FindingCode.SOURCE_LEFT, "", words[:2000], "多出的工作表没有读入。", 0.9))
            continue
        is_indicators = "指标编号" in rows[header].values()
        columns = _columns(rows[header], INDICATOR_COLUMNS if is_indicators else PROJECT_COLUMNS, out.findings)
        taken = _rows(grid, rows, header, columns, out.findings)
        if is_indicators:
            out.indicators = taken
        else:
            out.projects = taken
    return out


def _cells(grid: Grid) -> dict[int, dict[int, str]]:
    rows: dict[int, dict[int, str]] = {}
    for cell in sorted(grid.cells, key=lambda cell: (cell.row, cell.column)):
        if cell.text.strip():
            rows.setdefault(cell.row, {})[cell.column] = cell.text.strip()
    return rows


def _columns(header: Mapping[int, str], known: Iterable[Column], findings: list[ReadingFinding]) -> dict[int, str]:
    members = {column.title: column.member for column in known}
    columns = {at: members.pop(title) for at, title in header.items() if title in members}
    for at, title in header.items():
        if at not in columns:
            findings.append(finding(FindingCode.COLUMN_UNKNOWN, "", title, f"多出的列“{title}”没有读入。", 0.9))
    for title in members:
        reason = f"缺少“{title}”一列，这一列的内容保持原样。"
        findings.append(finding(FindingCode.COLUMN_UNKNOWN, "", title, reason, 0.9))
    return columns


def _rows(
    grid: Grid, rows: dict[int, dict[int, str]], header: int, columns: Mapping[int, str], findings: list[ReadingFinding]
) -> list[_Row]:
    spans = [cell for cell in grid.cells if cell.rows > 1 and cell.row > header and cell.text.strip()]
    out = []
    for row, cells in rows.items():
        if row <= header:
            continue
        outside = [words for at, words in cells.items() if at not in columns]
        if outside:
            words = " ".join(outside)
            findings.append(finding(FindingCode.SOURCE_LEFT, "", words, f"第 {row + 1} 行表外的文字没有读入。", 0.9))
        made = _Row(row + 1, {member: cells.get(at, "") for at, member in columns.items()})
        for span in spans:
            if span.row <= row < span.row + span.rows and span.column in columns:
                made.covered[columns[span.column]] = span.text.strip()
        if any(made.cells.values()):
            out.append(made)
    return out


def _take_projects(value: dict[str, Any], sheets: _Sheets) -> None:
    known = {item["id"]: item for item in value.get("projects", [])}
    used = {row.cells.get("project", "") for row in sheets.indicators or ()}
    out: list[dict[str, Any]] = []
    seen: set[str] = set()
    for row in sheets.projects or ():
        given = row.cells.get("id", "")
        item = dict(known[given]) if given in known and given not in seen else {"indicators": []}
        if not item.get("id"):
            reason = f"“项目”表第 {row.number} 行的编号{'重复或不存在' if given else '是空的'}，按新项目加入。"
            sheets.findings.append(
                finding(FindingCode.SOURCE_DOUBT, "", given or row.cells.get("name", ""), reason, 0.7)
            )
        seen.add(given)
        place = f"/projects/{len(out)}"
        for member in ("code", "name", "purpose"):
            if member in row.cells:
                _set(item, member, row.cells[member])
        item["budget"] = dict(item.get("budget") or {})
        for member in _MONEY:
            if member in row.cells:
                _set_money(item["budget"], member, row, f"{place}/budget/{member}", sheets.findings)
        out.append(item)
    for gone in known.keys() - seen:
        if gone in used:
            reason = f"“项目”表里没有 {gone}，而“绩效指标”表里还有它的指标；项目保留。"
            sheets.findings.append(finding(FindingCode.SOURCE_DOUBT, "", gone, reason, 0.6))
            out.append(known[gone])
    value["projects"] = out


def _take_indicators(value: dict[str, Any], sheets: _Sheets) -> None:
    overall = value.setdefault("overall", {})
    owners = {WHOLE_ID: overall, **{item["id"]: item for item in value.get("projects", []) if item.get("id")}}
    known = {(owner, item["id"]): item for owner, holder in owners.items() for item in holder.get("indicators") or ()}
    taken: dict[str, list[dict[str, Any]]] = {owner: [] for owner in owners}
    seen: set[tuple[str, str]] = set()
    owner = ""
    for row in sheets.indicators or ():
        given = row.cells.get("project", "")
        if given and given not in owners:
            reason = f"“绩效指标”表第 {row.number} 行的项目编号“{given}”不存在，这一行没有读入。"
            words = " ".join(filter(None, row.cells.values()))
            sheets.findings.append(finding(FindingCode.SOURCE_LEFT, "", words, reason, 0.9))
            continue
        owner = given or owner
        if not owner:
            continue
        key = (owner, row.cells.get("id", ""))
        item = dict(known[key]) if key in known and key not in seen else {}
        if not given or not item:
            sheets.findings.append(_doubt(row, key[1], owner))
        seen.add(key)
        _take_cells(item, row, owner, taken[owner], sheets.findings)
        taken[owner].append(item)
    for name, holder in owners.items():
        if taken[name] or holder.get("indicators"):
            holder["indicators"] = taken[name]


def _doubt(row: _Row, given: str, owner: str) -> ReadingFinding:
    what = f"的编号“{given}”重复，或不属于项目 {owner}" if given else "没有编号"
    reason = f"“绩效指标”表第 {row.number} 行{what}，按项目 {owner} 的新指标加入。"
    if given and not row.cells.get("project"):
        reason = f"“绩效指标”表第 {row.number} 行没有项目编号，按上一行归入项目 {owner}。"
    return finding(FindingCode.SOURCE_DOUBT, "", given or row.cells.get("name", ""), reason, 0.7)


def _take_cells(
    item: dict[str, Any], row: _Row, owner: str, before: list[dict[str, Any]], findings: list[ReadingFinding]
) -> None:
    for member, words in row.cells.items():
        if member in ("project", "id", "project_name"):
            continue
        if not words and member in _LEVELS and not item.get("id"):
            # A row put between merged ones is covered by no merge of its own; a level that was emptied stays empty.
            words = row.covered.get(member) or (before[-1].get(member, "") if before else "")
        elif not words and member in row.covered:
            words = row.covered[member]
        if member == "weight":
            _set_weight(item, words, row, owner, findings)
        else:
            _set(item, member, words)


def _set(item: dict[str, Any], member: str, words: str) -> None:
    before = item.get(member)
    if isinstance(before, str) and (words == before.strip() or _same_number(words, before)):
        return
    item[member] = words or ("" if member in _WORDS else None)


def _same_number(one: str, other: str) -> bool:
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return False


def _set_weight(item: dict[str, Any], words: str, row: _Row, owner: str, findings: list[ReadingFinding]) -> None:
    try:
        weight = Decimal(words) if words else None
    except InvalidOperation:
        reason = f"“绩效指标”表第 {row.number} 行（项目 {owner}）的权重“{words}”读不出，保持原样。"
        findings.append(finding(FindingCode.WEIGHT_UNREADABLE, "", words, reason, 0.0))
        return
    if weight is None or not _same_number(words, str(item.get("weight"))):
        item["weight"] = None if weight is None else f"{weight:f}"


def _set_money(budget: dict[str, Any], member: str, row: _Row, place: str, findings: list[ReadingFinding]) -> None:
    words = row.cells[member]
    if not words:
        budget[member] = None
        return
    if _same_number(words, str(budget.get(member))):
        return
    amount, noted = read_money(words, "元", place, row.number)
    findings.extend(noted)
    if amount is not None:
        budget[member] = f"{amount:.2f}"
