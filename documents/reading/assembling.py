"""A budget text from its bytes: the order in which the file is read, and what joins the pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from documents.reading.contents_list import contents_findings
from documents.reading.cover import Cover, read_cover
from documents.reading.coverage import Coverage, Placing, measured
from documents.reading.decoding import Encoding, decoded
from documents.reading.finding_codes import FindingCode, finding
from documents.reading.forms.assembling import layout_of, read_form
from documents.reading.forms.spread import spread
from documents.reading.headings import (
    Block,
    BlockKind,
    body_blocks,
    compact,
    section_role,
)
from documents.reading.imprint import without_imprint
from documents.reading.layout_files import FormKind, Layout, general_layout
from documents.reading.letters import refuse_letter
from documents.reading.lines import cleaned_lines, page_number_findings, stripped
from documents.reading.narrative import Narrative, read_narrative
from documents.reading.outline import ContentsEntry, Outline, refuse_two_bodies, split_outline
from documents.reading.project import ProjectReading, UnitLine, read_project
from documents.reading.project_links import linked
from documents.reading.project_tables import Division, divide, rule_finding
from documents.reading.recognition import has_code_table, is_budget_text, refuse_other_files
from documents.reading.traditional import simplified
from documents.reading.wording import doubled_characters
from models import places
from models.content import BudgetText, Department, Extra, to_json
from models.errors import InvalidInput
from models.findings import ReadingFinding


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as it was read: the content, what was repaired or doubted, the encoding, the contents list, the coverage.

    ``form`` is what the file is, ``layout`` the name of the layout that it was read by ("" for a budget text).
    """

    content: BudgetText
    findings: tuple[ReadingFinding, ...]
    encoding: Encoding
    contents: tuple[ContentsEntry, ...]
    coverage: Coverage
    form: FormKind = FormKind.BUDGET_TEXT
    layout: str = ""


def read_text(
    data: bytes,
    *,
    fiscal_year: int | None = None,
    department: str | None = None,
    layouts: Sequence[Layout] | None = None,
) -> Reading:
    """The content of a budget text in plain text, and a finding for everything that was repaired or is in doubt.

    ``data`` is the file, 20 MB at most, in UTF-8 (with or without mark) or GB18030; ``fiscal_year`` (2000 to 2099) goes
    before the year on the cover, ``department`` chooses one of several, ``layouts`` go before the general one. Money is 元. A finding's ``place`` is a JSON pointer into ``content``; its ``repaired`` is
    the value there, or the piece of it that was changed; ``line`` is the line in the file. Raises InvalidInput where the
    file is none that can be read: empty, binary, another encoding, no budget text, no project table, two texts, no year.
    """
    text, encoding = decoded(data)
    return assembled(text, encoding=encoding, fiscal_year=fiscal_year, department=department, layouts=layouts)


def assembled(
    text: str,
    *,
    encoding: Encoding = "utf-8",
    fiscal_year: int | None = None,
    department: str | None = None,
    layouts: Sequence[Layout] | None = None,
    before: Sequence[ReadingFinding] = (),
    left_out: Sequence[str] = (),
) -> Reading:
    """The content of a text in lines and TAB rows; ``read_text`` says what comes back, and what is refused.

    ``before`` are findings of the reader that wrote the lines out of another kind of file, ``left_out`` the words of the
    file that it did not write out; both count into the result.
    """
    if fiscal_year is not None and not 2000 <= fiscal_year <= 2099:
        raise InvalidInput(
            f"财政年度 {fiscal_year} 不在 2000 到 2099 之间；请用 --year 给出四位年份。", year=fiscal_year
        )
    text, converting = simplified(text)
    lines, cleaning = cleaned_lines(text)
    lines, own = without_imprint(lines)
    before = [*before, *converting, *own]
    refuse_letter(lines)
    layout = None
    if not is_budget_text(lines):
        lines, spreading = spread(lines)
        layout = layout_of(lines, layouts)
        before = [*before, *spreading]
    if layout is not None and (layout is not general_layout() or not has_code_table(lines)):
        form = read_form(
            lines,
            layout,
            fiscal_year=fiscal_year,
            department=department,
            before=[*before, *cleaning],
            left_out=left_out,
        )
        return Reading(form.content, form.findings, encoding, (), form.coverage, form.kind, form.layout)
    outline = split_outline(lines)
    blocks = body_blocks(outline.body)
    refuse_two_bodies(blocks)
    cover = read_cover(outline.cover)
    division = divide(blocks, running_head=compact(cover.title))
    refuse_other_files(lines, division)
    year = _fiscal_year(cover, fiscal_year)
    narrative = read_narrative(division.narrative, first_extra=len(cover.extra))
    projects = tuple(
        read_project(
            at, part.heading.title if part.heading else "", part.heading.line.number if part.heading else 0, part.lines
        )
        for at, part in enumerate(division.projects)
    )
    content, joining = _content(cover, year, narrative, projects)
    unlocated = [*cleaning, *doubled_characters(outline.body)]
    for project in projects:
        unlocated += project.unlocated
    value = to_json(content)
    where = _line_places(cover, narrative, projects)
    findings = [
        *before,
        *cover.findings,
        *_year_findings(cover, fiscal_year),
        *contents_findings(outline, blocks),
        *(rule_finding(line) for line in outline.rules),
        *division.findings,
        *page_number_findings(division.page_numbers),
        *narrative.findings,
        *(item for project in projects for item in project.findings),
        *joining,
        *_located(unlocated, value, where),
    ]
    placing = Placing(where, _ordering_lines(outline, blocks, division))
    coverage, leftovers = measured(lines, placing, value, findings, left_out)
    findings += leftovers
    # Sorting is stable: the findings of one line keep the order in which they were made.
    findings.sort(key=lambda item: item.line or 0)
    return Reading(content, tuple(findings), encoding, outline.contents, coverage)


def _fiscal_year(cover: Cover, given: int | None) -> int:
    year = given if given is not None else cover.fiscal_year
    if year is None:
        raise InvalidInput(
            "封面上没有找到财政年度（如“2021年部门预算绩效文本”）；请用 --year 指定年份，例如 --year 2021。"
        )
    return year


def _year_findings(cover: Cover, given: int | None) -> Iterator[ReadingFinding]:
    if given is None or given == cover.fiscal_year:
        return
    written = cover.fiscal_year
    reason = (
        f"封面上是 {written} 年，按导入时指定的 {given} 年读取。"
        if written
        else f"封面上没有年度，按导入时指定的 {given} 年读取。"
    )
    raw = str(written) if written else ""
    code, line = FindingCode.FISCAL_YEAR, cover.year_line
    yield finding(code, "/fiscal_year", raw, reason, 0.8 if written else 1.0, repaired=str(given), line=line)


def _content(
    cover: Cover, year: int, narrative: Narrative, readings: Sequence[ProjectReading]
) -> tuple[BudgetText, list[ReadingFinding]]:
    units = [reading.unit for reading in readings]
    first = next((unit for unit in units if unit is not None), None)
    projects = [reading.project for reading in readings]
    findings = list(_unit_findings(first))
    for at, unit in enumerate(units):
        # The department has one unit line; a project of another unit keeps its own beside its table.
        if unit is not None and first is not None and (unit.code, unit.name) != (first.code, first.name):
            place = f"/projects/{at}/extra/{len(projects[at].extra)}/value"
            reason = "这张表的单位与第一张表的不同，原文存入该项目的附加项。"
            findings.append(finding(FindingCode.UNIT_LINE, place, unit.raw, reason, 0.8, line=unit.line))
            extra = (*projects[at].extra, Extra(label="单位", value=unit.raw))
            projects[at] = projects[at].model_copy(update={"extra": extra})
    sub_goals, links = linked(
        narrative.sub_goals,
        projects,
        lines={place: line for line, place in reversed(narrative.placed)},
        sentence_lines={place: line for line, place in narrative.placed},
    )
    content = BudgetText(
        title=cover.title,
        fiscal_year=year,
        department=Department(
            name=cover.department,
            code=first.code[:3] if first else None,
            unit_code=first.code if first else None,
            unit_name=first.name if first else None,
        ),
        reviewing_body=cover.reviewing_body,
        overall=narrative.overall,
        sub_goals=sub_goals,
        safeguards=narrative.safeguards,
        projects=tuple(projects),
        extra=(*cover.extra, *narrative.extra),
    )
    return content, [*findings, *links]


def _unit_findings(unit: UnitLine | None) -> Iterator[ReadingFinding]:
    if unit is None:
        reason = "表上没有找到单位编码和名称（如“731001 某县某局本级”），内容中留空，请补上。"
        yield finding(FindingCode.UNIT_LINE, "/department/unit_code", "", reason, 0.8)
        return
    reason = "部门编码取单位编码的前三位。"
    code = FindingCode.DEPARTMENT_CODE
    yield finding(code, "/department/code", unit.code, reason, 0.95, repaired=unit.code[:3], line=unit.line)


def _line_places(cover: Cover, narrative: Narrative, projects: Iterable[ProjectReading]) -> dict[int, list[str]]:
    """The members that each line went to; the first one is where a finding about the line belongs."""
    where: dict[int, list[str]] = {}
    pieces = [cover.placed, narrative.placed, *(project.placed for project in projects)]
    for piece in pieces:
        for line, place in piece:
            where.setdefault(line, []).append(place)
    for project in projects:
        if project.unit is not None:
            where.setdefault(project.unit.line, []).append("/department")
    return where


def _ordering_lines(outline: Outline, blocks: Iterable[Block], division: Division) -> frozenset[int]:
    """Lines that order the text and hold nothing of it: headings, the contents list, page numbers, rules."""
    numbers = {entry.line for entry in outline.contents} | {line.number for line in outline.rules}
    if outline.contents_heading is not None:
        numbers.add(outline.contents_heading.number)
    for block in blocks:
        named = block.kind is BlockKind.SECTION and section_role(block.title) is not None
        if named or block.kind in (BlockKind.PART, BlockKind.PROJECT):
            numbers.add(block.line.number)
            if block.title_line is not None:
                numbers.add(block.title_line.number)
    return frozenset(numbers | {line.number for line in division.page_numbers})


def _located(
    findings: Iterable[ReadingFinding], value: object, where: Mapping[int, Sequence[str]]
) -> list[ReadingFinding]:
    """Findings about a line or cell, each with the member of the content that holds its words."""
    located: list[ReadingFinding] = []
    for item in findings:
        place = next(iter(where.get(item.line or 0, ())), "")
        words = stripped(item.repaired if item.repaired is not None else item.raw)
        leaves = list(_leaves(places.get(value, place), place))
        leaf = next((at for at, text in leaves if text == words), None)
        leaf = leaf or next((at for at, text in leaves if words in text), None)
        inside = [(at, text) for at, text in leaves if text in words]
        leaf = leaf or max(inside, key=lambda pair: len(pair[1]), default=(place, ""))[0]
        located.append(replace(item, place=leaf))
    return located


def _leaves(value: object, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        # A cell that was repaired is raw_value first of all; value and remark are taken out of it.
        for key, member in sorted(value.items(), key=lambda pair: pair[0] != "raw_value"):
            if key != "id":
                yield from _leaves(member, f"{place}/{key}")
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from _leaves(member, f"{place}/{number}")
