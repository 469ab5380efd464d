"""A document as plain text: the words of its HTML page, a line a paragraph, tables as rows of cells between TABs.

It is the form in which departments keep such texts: the page is read by the reader that takes HTML files, and written out as
the transcript from which every import is assembled, so that the text reader reads a draft or a public text back as it was.
Four things differ from the page. The contents list is left out: without pages to point at it would only say every heading
twice. The lines that name version and hash of a whole text are left out, since they are no words of the text (JSON has
them), and so are the sentences that name a sub-goal's projects. The value of an indicator is spelt as forms spell it (``≥95 完成率 达到 95%``), as far as the reader takes it for the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from documents.reading.indicator_values import read_value
from documents.reading.sources.form import Grid, Paragraph, SourceForm
from documents.reading.sources.html_pages import read_html
from documents.reading.transcript import transcript_of
from documents.rendering.facts import shown_content
from documents.rendering.figures import value_words
from documents.rendering.pages import render_html
from documents.rendering.stage import Stage
from documents.rendering.template_set import SHIPPED, TemplateSet
from models.content import BudgetText, Indicator

# Data is escaped in the page, so that no words of an author can look like these tags.
_CONTENTS: Final = re.compile(rb'<nav class="contents">.*?</nav>', re.DOTALL)
_IMPRINT: Final = re.compile(rb'<p class="imprint">.*?</p>', re.DOTALL)
_FOOTER: Final = re.compile(rb"<footer>.*?</footer>", re.DOTALL)
_VALUE: Final = "指标值"


def render_txt(stage: Stage, *, templates: TemplateSet = SHIPPED) -> bytes:
    """The document in UTF-8, lines ended by a line feed; raises as ``render_html`` does."""
    page = render_html(stage, templates=templates)
    if _CONTENTS.search(page):
        page = _IMPRINT.sub(b"", _CONTENTS.sub(b"", page))
    content = shown_content(stage)
    form = _without_links(_with_values(read_html(_FOOTER.sub(b"", page)), content), content)
    return f"{transcript_of(form, sheets=False).text}\n".encode()


def value_cell(indicator: Indicator) -> str:
    """The value of an indicator in the first spelling that reads back as the same; else as the page has it."""
    figure = f"{indicator.sign or ''}{indicator.value}"
    spellings = (
        indicator.raw_value or "",
        f"{figure}{indicator.unit or ''}",
        f"{figure}{indicator.unit or ''} {indicator.remark or ''}",
        f"{figure} {indicator.remark or ''}",
        figure,
    )
    for spelling in spellings:
        cell = " ".join(spelling.split())
        read = read_value(cell) if cell else None
        if read is not None and _members(read) == _members(indicator):
            return cell
    return value_words(indicator)


def _members(value: object) -> tuple[str, ...]:
    return tuple(getattr(value, name) or "" for name in ("sign", "value", "value_to", "unit", "remark"))


def _with_values(form: SourceForm, content: BudgetText) -> SourceForm:
    """The form with the value cells of the indicator tables, which stand there in the order of the content."""
    indicators = (*content.overall.indicators, *(item for project in content.projects for item in project.indicators))
    values = iter([value_cell(item) for item in indicators])
    blocks = tuple(_with_cells(block, values) if isinstance(block, Grid) else block for block in form.blocks)
    return replace(form, blocks=blocks)


def _without_links(form: SourceForm, content: BudgetText) -> SourceForm:
    """The form without the sentences that name the projects of a sub-goal: no words of the text, and read as its goal."""
    names = {project.id: project.name for project in content.projects}
    linked = ([names[at] for at in names if at in goal.projects] for goal in content.sub_goals)
    sentences = [f"对应项目：{'、'.join(served)}。" for served in linked if served]
    blocks = []
    for block in form.blocks:
        if sentences and isinstance(block, Paragraph) and block.text.strip() == sentences[0].strip():
            sentences.pop(0)
        else:
            blocks.append(block)
    return replace(form, blocks=tuple(blocks))


def _with_cells(grid: Grid, values: Iterator[str]) -> Grid:
    header = next((cell for cell in grid.cells if cell.row == 0 and cell.text.strip() == _VALUE), None)
    # A project without indicators has a row of dashes, and no value in it.
    if header is None or all(cell.text.strip() in ("", "—") for cell in grid.cells if cell.row > 0):
        return grid
    return replace(
        grid,
        cells=tuple(
            replace(cell, text=next(values, cell.text)) if cell.row > 0 and cell.column == header.column else cell
            for cell in grid.cells
        ),
    )
