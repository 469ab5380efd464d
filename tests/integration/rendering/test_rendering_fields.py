"""What was written into the content can be read out of the PDF again, every field of every project."""

import io
import re

import pdfplumber
import pytest
from rendering_stages import project, stage, text

from documents.rendering import render_pdf
from documents.rendering.figures import value_words

MARKUP = "#let $x$ <script>alert(1)</script> {{ 7*7 }} `a` *b* _c_ &amp; ]]>"


def squeezed(words):
    return re.sub(r"\s", "", words or "")


def rows_of(pdf):
    with pdfplumber.open(io.BytesIO(pdf)) as document:
        for page in document.pages:
            for table in page.extract_tables():
                for row in table:
                    yield [squeezed(cell) for cell in row]
            page.close()


def projects_of(pdf):
    """Rows of each project's form; a row begins a project where its first cell is 项目编码."""
    found = []
    for row in rows_of(pdf):
        if row[0] == "项目编码":
            found.append([])
        if found:
            found[-1].append([cell for cell in row if cell])
    return found


@pytest.mark.parametrize("count", [1, 40])
def test_every_field_is_read_back(count, request):
    pdf = request.getfixturevalue("one_project" if count == 1 else "forty_projects")
    content, found = text(count), projects_of(pdf)
    assert len(found) == count
    for wanted, rows in zip(content.projects, found, strict=True):
        cells = [cell for row in rows for cell in row]
        assert rows[0] == ["项目编码", wanted.code, "项目名称", wanted.name]
        money = [f"{amount:.2f}" for amount in (wanted.budget.total, wanted.budget.fiscal, wanted.budget.other)]
        assert [cell for cell in rows[1] if re.fullmatch(r"[\d.]+", cell)] == money
        assert squeezed(wanted.purpose) in cells
        assert {"3月底", "20.00%", "6月底", "60.00%", "10月底", "80.00%"} <= set(cells)
        for number, goal in enumerate(wanted.goals, start=1):
            assert f"{number}.{squeezed(goal.text)}" in cells
        for indicator in wanted.indicators:
            expected = [indicator.name, squeezed(indicator.description), value_words(indicator), indicator.basis]
            assert [row for row in rows if row[-4:] == expected], expected


def test_markup_in_data_is_printed_as_it_stands():
    content = text(1, projects=[project(name=MARKUP, purpose=MARKUP)], title=MARKUP)
    printed = squeezed(" ".join(" ".join(row) for row in rows_of(render_pdf(stage(content=content)))))
    assert squeezed(MARKUP) in printed


def test_the_header_row_comes_again_on_every_page_of_a_table():
    indicators = [
        {"id": f"i{n}", "level1": "产出指标", "level2": "数量指标", "name": f"第{n}项"} for n in range(1, 301)
    ]
    pdf = render_pdf(stage(content=text(1, projects=[project(indicators=indicators)])))
    pages = 0
    with pdfplumber.open(io.BytesIO(pdf)) as document:
        for page in document.pages:
            rows = [[squeezed(cell) for cell in row] for table in page.extract_tables() for row in table]
            if any("第" in cell and cell.endswith("项") for row in rows for cell in row):
                pages += 1
                assert sum(row[0] == "一级指标" for row in rows) == 1
            page.close()
    assert pages > 5


def test_long_words_break_inside_their_cell():
    made = render_pdf(stage(content=text(1, projects=[project(code="X" * 60, name="https://example.org/" * 5)])))
    with pdfplumber.open(io.BytesIO(made)) as document:
        for page in document.pages:
            assert all(char["x1"] <= (210 - 26) * 72 / 25.4 + 9 for char in page.chars)
    rows = projects_of(made)[0]
    assert rows[0] == ["项目编码", "X" * 60, "项目名称", "https://example.org/" * 5]
