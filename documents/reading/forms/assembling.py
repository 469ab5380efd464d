"""A form outside a budget text becomes content: the layout is recognized, the pieces are walked, the projects are built."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from documents.reading.coverage import Coverage, Placing, measured
from documents.reading.finding_codes import FindingCode, finding
from documents.reading.forms.columns import header_of
from documents.reading.forms.departments import chosen_department
from documents.reading.forms.drafts import Draft, FormDraft
from documents.reading.forms.duties import read_department
from documents.reading.forms.pieces import Chunk, Piece, Style, chunks_of
from documents.reading.forms.projects import Built, build_project
from documents.reading.forms.vocabulary import Vocabulary
from documents.reading.forms.walking import FormWalk, code_and_name
from documents.reading.headings import is_page_number, is_rule
from documents.reading.layout_files import (
    FormKind,
    InfoRole,
    Layout,
    builtin_layouts,
    general_layout,
    key_of,
    recognized,
)
from documents.reading.lines import Line, page_number_findings
from documents.reading.money import read_money
from documents.reading.project_tables import rule_finding
from models.content import BudgetText, Department, DepartmentBudget, Overall, to_json
from models.errors import InvalidInput
from models.findings import ReadingFinding

_FEWEST_LABELS: Final = 3
# A list of a hundred projects has about ten thousand cells; the limit keeps a file that is none from taking minutes.
MAX_PIECES: Final = 20_000
_TITLE_WORDS: Final = ("绩效目标", "绩效自评", "自评表")


@dataclass(frozen=True, slots=True)
class FormReading:
    """A form as it was read, the layout that it was read by, and what the form is."""

    content: BudgetText
    findings: tuple[ReadingFinding, ...]
    coverage: Coverage
    kind: FormKind
    layout: str


def layout_of(lines: Sequence[Line], layouts: Sequence[Layout] | None = None) -> Layout | None:
    """The layout of a form; the general one where enough labels are known, None where the lines are no form."""
    if len(lines) > MAX_PIECES:
        return None
    words = key_of("".join(line.words.replace("|", "") for line in lines))
    found = recognized(words, builtin_layouts() if layouts is None else layouts)
    if found is not None:
        return found
    if not any(title in words for title in _TITLE_WORDS) and "一级指标" not in words:
        return None
    vocabulary = Vocabulary(general_layout())
    chunks = chunks_of(lines, vocabulary)
    pieces = [piece for chunk in chunks for piece in chunk.filled]
    known = {vocabulary.labelled(piece.words)[0] for piece in pieces} - {None, InfoRole.HEADING, InfoRole.GOALS}
    rows = (header_of(chunk.pieces, vocabulary, whole=chunk.style is Style.ROW) for chunk in chunks)
    table = any(header is not None for header in rows)
    return general_layout() if len(known) >= _FEWEST_LABELS or (table and known) else None


def read_form(
    lines: Sequence[Line],
    layout: Layout,
    *,
    fiscal_year: int | None = None,
    department: str | None = None,
    before: Sequence[ReadingFinding] = (),
    left_out: Sequence[str] = (),
) -> FormReading:
    """The content of a form's lines under its layout; the other arguments are those of ``assembled``.

    Raises InvalidInput where the form names no year, or several departments and ``department`` chooses none of them.
    """
    vocabulary = Vocabulary(layout)
    # A bare number can be a cell; a page number has dashes or words around it.
    numbers = [line for line in lines if is_page_number(line.words) and not line.words.isdecimal() and not line.is_row]
    rules = [line for line in lines if is_rule(line.words)]
    ordering = {line.number for line in [*numbers, *rules]}
    chunks = chunks_of([line for line in lines if line.number not in ordering], vocabulary)
    if (count := sum(len(chunk.pieces) for chunk in chunks)) > MAX_PIECES:
        raise InvalidInput(
            f"表里有 {count} 个单元格，超过 {MAX_PIECES} 个的上限；请确认选对了文件，或拆成几份导入。", cells=count
        )
    walk = FormWalk(vocabulary)
    for chunk in chunks:
        walk.take(chunk)
    form = walk.end()
    drafts, choosing = chosen_department(form, department)
    whole = layout.kind is FormKind.DEPARTMENT_FORM
    built = [] if whole else [build_project(draft, at, form.currency, vocabulary) for at, draft in enumerate(drafts)]
    overall, about = read_department(form, drafts[0], vocabulary) if whole else (Overall(), Built(built[0].project))
    findings: list[ReadingFinding] = [*before, *choosing, _layout_finding(layout, form)]
    where: dict[int, list[str]] = {}
    for item in [*built, about]:
        findings += item.findings
        for line, place in item.placed:
            where.setdefault(line, []).append(place)
    year = _year(form, fiscal_year, findings)
    unit = _department(form, drafts, findings, where)
    overall = _with_total(form, overall, findings, where)
    for piece in form.titles:
        where.setdefault(piece.line, []).append("/title")
    content = BudgetText(
        kind="self_evaluation" if layout.kind is FormKind.SELF_EVALUATION else None,
        title=_title(form),
        fiscal_year=year,
        department=unit,
        reviewing_body=_reviewing(drafts, where),
        overall=overall,
        projects=tuple(item.project for item in built),
    )
    findings += [*_form_findings(form), *page_number_findings(numbers), *map(rule_finding, rules)]
    coverage, leftovers = _coverage(chunks, form, where, to_json(content), findings, left_out, vocabulary)
    findings += leftovers
    findings.sort(key=lambda item: item.line or 0)
    return FormReading(content, tuple(findings), coverage, layout.kind, layout.name)


def _title(form: FormDraft) -> str:
    """The first title that is no name of a file."""
    words = [piece.words for piece in form.titles]
    return next((title for title in words if "." not in title[-5:]), words[0] if words else "")


def _layout_finding(layout: Layout, form: FormDraft) -> ReadingFinding:
    raw = form.titles[0].words if form.titles else ""
    kinds = {
        FormKind.PROJECT_FORM: "项目绩效目标表",
        FormKind.SELF_EVALUATION: "绩效自评表（不是预算绩效文本）",
        FormKind.DEPARTMENT_FORM: "部门整体绩效目标表",
    }
    reason = f"这是一份{kinds.get(layout.kind, '表')}，按版式“{layout.title}”（{layout.name}）读取。"
    line = form.titles[0].line if form.titles else None
    return finding(FindingCode.LAYOUT, "", raw, reason, 0.9, line=line)


def _year(form: FormDraft, given: int | None, findings: list[ReadingFinding]) -> int:
    if given is None and form.year is None:
        raise InvalidInput("表上没有找到财政年度（如“（2023年度）”）；请用 --year 指定年份，例如 --year 2023。")
    if given is None and form.year is not None:
        return form.year[0]
    year = cast_year(given)
    if form.year is None or form.year[0] != year:
        written = f"表上是 {form.year[0]} 年" if form.year else "表上没有年度"
        raw, line = (str(form.year[0]), form.year[1]) if form.year else ("", None)
        reason = f"{written}，按导入时指定的 {year} 年读取。"
        findings.append(
            finding(FindingCode.FISCAL_YEAR, "/fiscal_year", raw, reason, 0.8, repaired=str(year), line=line)
        )
    return year


def cast_year(given: int | None) -> int:
    """The given year; raises InvalidInput where it is none of ours."""
    if given is None or not 2000 <= given <= 2099:
        raise InvalidInput(f"财政年度 {given} 不在 2000 到 2099 之间；请用 --year 给出四位年份。", year=given)
    return given


def _department(
    form: FormDraft, drafts: Iterable[Draft], findings: list[ReadingFinding], where: dict[int, list[str]]
) -> Department:
    pieces: list[Piece] = []
    for draft in drafts:
        item = draft.first(InfoRole.UNIT)
        pieces += [draft.unit] if draft.unit is not None else item.pieces[:1] if item is not None else []
    if form.department is not None:
        where.setdefault(form.department.line, []).append("/department")
    own = code_and_name(form.department.words) if form.department is not None else None
    if not pieces:
        reason = "表上没有找到单位名称（如“填报单位：某县某局”），内容中留空，请补上。"
        findings.append(finding(FindingCode.UNIT_LINE, "/department/name", "", reason, 0.8))
        return Department(name=own[1] if own else "", code=own[0] if own else None)
    for piece in pieces:
        where.setdefault(piece.line, []).append("/department")
    unit = code_and_name(pieces[0].words)
    if unit is None:
        return Department(name=pieces[0].words, unit_name=pieces[0].words)
    code = own[0] if own else unit[0][:3]
    if own is None:
        reason = "部门编码取单位编码的前三位。"
        line = pieces[0].line
        findings.append(
            finding(FindingCode.DEPARTMENT_CODE, "/department/code", unit[0], reason, 0.95, repaired=code, line=line)
        )
    return Department(name=own[1] if own else unit[1], code=code, unit_code=unit[0], unit_name=unit[1])


def _with_total(
    form: FormDraft, overall: Overall, findings: list[ReadingFinding], where: dict[int, list[str]]
) -> Overall:
    """The total that a list of projects gives for its department: money of its projects, not of the whole department."""
    piece = form.department_total
    if piece is None:
        return overall
    amount, found = read_money(piece.words, form.currency, "/overall/budget/project", piece.line)
    findings += found
    where.setdefault(piece.line, []).append("/overall/budget")
    return overall.model_copy(update={"budget": DepartmentBudget(project=amount)}) if amount is not None else overall


def _reviewing(drafts: Iterable[Draft], where: dict[int, list[str]]) -> str:
    for draft in drafts:
        item = draft.first(InfoRole.REVIEWING_BODY)
        if item is not None:
            where.setdefault(item.line, []).append("/reviewing_body")
            return item.words
    return ""


def _form_findings(form: FormDraft) -> list[ReadingFinding]:
    findings: list[ReadingFinding] = []
    for piece in form.noise:
        reason = "这一行不属于表（网页或软件所加），已略去。"
        findings.append(finding(FindingCode.NOISE, "", piece.words, reason, 0.8, line=piece.line))
    for (before, _), (number, piece) in itertools.pairwise(form.numbers):
        if number not in (1, before + 1):
            reason = f"编号不连续：{before} 之后是 {number}，请看是否漏了一项。"
            findings.append(finding(FindingCode.NUMBERING_GAP, "", piece.words[:20], reason, 0.8, line=piece.line))
    if len(form.titles) > 1:
        raw = " / ".join(piece.words[:40] for piece in form.titles[1:])
        reason = "表题重复出现或不止一个，取第一个。"
        line = form.titles[1].line
        findings.append(finding(FindingCode.HEADER_REPEATED, "/title", raw, reason, 0.8, line=line))
    return findings


def _coverage(
    chunks: Sequence[Chunk],
    form: FormDraft,
    where: dict[int, list[str]],
    value: object,
    findings: Sequence[ReadingFinding],
    left_out: Sequence[str],
    vocabulary: Vocabulary,
) -> tuple[Coverage, tuple[ReadingFinding, ...]]:
    """Coverage counted by pieces, since a line of such a form can hold a whole table."""
    ordering = {(piece.line, piece.words) for piece in form.ordering}
    cells: dict[int, list[str]] = {}
    for chunk in chunks:
        for piece in chunk.filled:
            _, _, member = vocabulary.labelled(piece.words)
            label = piece.words[: piece.words.rfind(member)] if member else ""
            if label:
                ordering.add((piece.line, label))
            cells.setdefault(piece.line, []).extend(filter(None, (label, member or piece.words)))
    lines = [Line(number, "\t".join(words), " ".join(words)) for number, words in sorted(cells.items())]

    def is_order(line: int, cell: str) -> bool:
        return (line, cell) in ordering or vocabulary.is_word(cell)

    return measured(lines, Placing(where, frozenset()), value, findings, left_out, is_order=is_order)
