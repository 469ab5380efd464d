"""Which lines of the body belong to which project, so that nothing leaks from one table into the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from documents.reading.finding_codes import FindingCode, finding
from documents.reading.headings import Block, BlockKind, compact
from documents.reading.lines import Line
from documents.reading.money import currency_of
from documents.reading.table_labels import InfoRole, header_columns, info_role
from models.findings import ReadingFinding


@dataclass(slots=True)
class ProjectLines:
    """The heading of a project (None where its table has none) and the lines under it."""

    heading: Block | None
    lines: list[Line] = field(default_factory=list)
    has_code: bool = False


@dataclass(frozen=True, slots=True)
class Division:
    """The body divided: the blocks of part one, the projects, and the lines left out with the findings about them."""

    narrative: tuple[Block, ...]
    projects: tuple[ProjectLines, ...]
    page_numbers: tuple[Line, ...]
    findings: tuple[ReadingFinding, ...]


def divide(blocks: Sequence[Block], *, running_head: str) -> Division:
    """Blocks of the body to part one and projects; ``running_head`` is the cover's title, which pages may repeat."""
    narrative: list[Block] = []
    projects: list[ProjectLines] = []
    page_numbers: list[Line] = []
    findings: list[ReadingFinding] = []
    current: ProjectLines | None = None
    for block in blocks:
        if block.kind is BlockKind.PAGE_NUMBER and not (current and _may_be_cell(current, block.line)):
            page_numbers.append(block.line)
        elif block.kind is BlockKind.RULE:
            findings.append(rule_finding(block.line))
        elif running_head and block.kind is BlockKind.PARAGRAPH and compact(block.line.words) == running_head:
            reason = "这一行与封面标题相同，当是页眉，已略去。"
            code = FindingCode.RUNNING_HEAD
            findings.append(finding(code, "", block.line.words, reason, 0.8, line=block.line.number))
        elif block.kind is BlockKind.PROJECT:
            same = current is not None and current.heading is not None and current.heading.title == block.title
            if current is not None and (block.again or (same and current.has_code)):
                findings.append(_title_again(block, len(projects) - 1))
            else:
                current = ProjectLines(block)
                projects.append(current)
        elif block.kind in (BlockKind.PART, BlockKind.SECTION):
            current = None
            narrative.append(block)
        elif current is None and not _begins_project(block):
            narrative.append(block)
        else:
            if current is None or (current.has_code and _begins_project(block)):
                current = _next_project(current)
                projects.append(current)
            current.lines.append(block.line)
            current.has_code = current.has_code or _begins_project(block)
    return Division(tuple(narrative), tuple(projects), tuple(page_numbers), tuple(findings))


def has_table(project: ProjectLines) -> bool:
    """Whether the lines of a project hold a project table: a labelled row or the indicators' header."""
    for line in project.lines:
        if line.is_row:
            cells = [cell.strip() for cell in line.text.split("\t")]
            if any(info_role(cell) is not None for cell in cells if cell) or header_columns(cells) is not None:
                return True
    return False


def rule_finding(line: Line) -> ReadingFinding:
    """The hint about a line that only draws a rule."""
    reason = "这一行只是分隔线，不属于内容，已略去。"
    return finding(FindingCode.RULE_LINE, "", line.words, reason, 0.95, line=line.number)


def _begins_project(block: Block) -> bool:
    if block.kind is not BlockKind.ROW:
        return False
    first = next((cell for cell in block.line.text.split("\t") if cell.strip()), "")
    return info_role(first.strip()) is InfoRole.CODE


def _next_project(before: ProjectLines | None) -> ProjectLines:
    """A table without a title: the unit and money lines right over it belong to it, not to the table before."""
    project = ProjectLines(None)
    while (
        before is not None and before.lines and not before.lines[-1].is_row and _is_over_table(before.lines[-1].words)
    ):
        project.lines.insert(0, before.lines.pop())
    return project


def _is_over_table(words: str) -> bool:
    return currency_of(words) is not None or (len(words) <= 100 and words[:3].isdecimal() and not words.isdecimal())


def _may_be_cell(project: ProjectLines, line: Line) -> bool:
    """Whether a bare number between table lines can be a piece of a broken cell: the row before it is not whole."""
    if not line.words.isdecimal() or not project.lines or not project.lines[-1].is_row:
        return False
    last = project.lines[-1].text.count("\t")
    return any(other.text.count("\t") > last for other in project.lines[-30:])


def _title_again(block: Block, at: int) -> ReadingFinding:
    reason = "同一张表的标题在换页后重复出现，已略去。"
    place = f"/projects/{at}/name"
    return finding(FindingCode.HEADER_REPEATED, place, block.line.words, reason, 0.9, line=block.line.number)
