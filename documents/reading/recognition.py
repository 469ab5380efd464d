"""What a file's lines are: a budget text by its order, a form, or neither."""

from __future__ import annotations

from collections.abc import Sequence

from documents.reading.cover import is_title
from documents.reading.headings import part_heading, section_heading, section_role
from documents.reading.layout_files import InfoRole
from documents.reading.lines import Line
from documents.reading.outline import is_contents_heading
from documents.reading.project_tables import Division, has_table
from documents.reading.table_labels import info_role
from models.errors import InvalidInput


def is_budget_text(lines: Sequence[Line]) -> bool:
    """Whether lines have the order of a budget text: parts, a contents list, or two of the sections of part one."""
    if any(part_heading(line) or is_contents_heading(line) for line in lines):
        return True
    headings = [section_heading(line) for line in lines]
    return len({role for heading in headings if heading and (role := section_role(heading.title))}) > 1


def has_code_table(lines: Sequence[Line]) -> bool:
    """Whether a row in TABs begins with a project's code under the title of a budget text: its cover without its parts."""
    # A form can be called 2025年预算项目绩效目标批复表; what is called a table is no text.
    return any(is_title(line.words) and not line.words.endswith("表") for line in lines) and any(
        line.is_row and info_role(line.words.split("\t", 1)[0].strip()) is InfoRole.CODE for line in lines
    )


def refuse_other_files(lines: Sequence[Line], division: Division) -> None:
    """Raises InvalidInput, with what is missing, where the lines are no text with project tables."""
    if not any("绩效" in line.words for line in lines):
        raise InvalidInput("文件里没有“绩效”二字，不是部门预算绩效文本；请确认选对了文件。")
    if not any("\t" in line.words for line in lines):
        raise InvalidInput(
            "文件里没有表格（纯文本里是用制表符分列的行）；请用带表格的原件导入，或另存为保留制表符的纯文本后再导入。"
        )
    if not any(has_table(project) for project in division.projects):
        raise InvalidInput("文件里没有项目绩效目标表（含“项目编码”或“一级指标”的表）；请补上项目表后再导入。")
