"""The same words as text, JSON and workbook; what goes out comes back without a wrong field."""

from __future__ import annotations

import dataclasses
import io
import re
import zipfile
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
import python_calamine
from hypothesis import given, settings
from hypothesis import strategies as st
from rendering_stages import opinions, project, stage, text

from documents.reading import read_text
from documents.reading.returned_workbook import returned_workbook
from documents.rendering import Step
from documents.rendering.excel import render_xlsx
from documents.rendering.facts import facts_digest, render_json, stage_facts
from documents.rendering.plain import render_txt
from documents.rendering.template_version import templates_sha256
from models.content import from_json, to_json
from models.errors import InvalidInput
from models.places import changes

LIBRARY = Path(__file__).parents[3] / "examples" / "library-2021.txt"
SEED = Path(__file__).parents[4] / "shared" / "seed-2021-kexie.txt"
DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")', "{=1}", "http://example.org"]


def fields(content):
    """The fields that a reader must find; a cell as it was read is how it was written, and no field."""
    value = to_json(content)

    def flat(item, place):
        if isinstance(item, dict):
            for name, member in item.items():
                if name not in ("id", "raw_value"):
                    yield from flat(member, f"{place}/{name}")
        elif isinstance(item, list):
            for number, member in enumerate(item):
                yield from flat(member, f"{place}/{number}")
        else:
            yield place, item

    return dict(flat(value, ""))


@pytest.mark.parametrize("document", ["draft", "publication"])
@pytest.mark.parametrize("path", [LIBRARY, SEED], ids=["library", "seed"])
def test_text_reads_back_without_a_wrong_field(path, document):
    if not path.is_file():
        pytest.skip(f"no {path.name} on this machine")
    content = read_text(path.read_bytes()).content
    back = read_text(render_txt(stage(document, content))).content
    assert fields(back) == fields(content)


def test_text_of_many_projects_reads_back_all_that_was_written():
    content = text(40)
    back = fields(read_text(render_txt(stage(content=content))).content)
    assert {place: value for place, value in fields(content).items() if back.get(place) != value} == {}


def test_text_of_a_letter_has_its_words():
    content = text()
    words = render_txt(
        stage("return", content, opinions=opinions(content), document_number="青财绩〔2021〕5号")
    ).decode()
    assert "青财绩〔2021〕5号" in words
    assert "一个指标里有两个数值。" in words
    assert words.endswith("\n")


def test_json_is_the_content_with_what_the_stage_says():
    content = text()
    value = orjson.loads(
        render_json(stage("return", content, opinions=opinions(content), document_number="青财绩〔2021〕5号"))
    )
    assert value["content"] == to_json(content)
    assert value["stage"]["document_number"] == "青财绩〔2021〕5号"
    assert value["stage"]["issued_on"] == "2021-03-05"
    assert len(value["stage"]["opinions"]) == 4
    assert "content" not in value["stage"]


def test_what_is_published_holds_no_person_in_any_format():
    content = text(1, projects=[project(person_in_charge="王小明", phone="0319-7654321")])
    made = stage("publication", content)
    for data in (render_json(made), render_txt(made)):
        assert "王小明" not in data.decode()
        assert "7654321" not in data.decode()
    assert "王小明" in render_json(stage("draft", content)).decode()


def test_the_digest_of_a_document_is_that_of_its_facts():
    content = text()
    one = stage("return", content, opinions=opinions(content))
    assert facts_digest(one) == facts_digest(dataclasses.replace(one))
    others = [
        dataclasses.replace(one, round=2),
        dataclasses.replace(one, document_number="x"),
        dataclasses.replace(one, opinions=one.opinions[1:]),
        dataclasses.replace(one, steps=()),
        dataclasses.replace(one, content=text(2)),
        dataclasses.replace(one, document="review"),
    ]
    assert len({facts_digest(other) for other in (one, *others)}) == len(others) + 1


def test_the_digest_stays_when_titles_are_reworded_or_members_added():
    content = text()
    one = stage("return", content, opinions=opinions(content))
    reworded = tuple(dataclasses.replace(item, place_title="别的名称") for item in one.opinions)
    steps = tuple(Step(item.title, item.by, item.at, person="", words="") for item in one.steps)
    assert facts_digest(dataclasses.replace(one, opinions=reworded, steps=steps)) == facts_digest(one)
    assert "person" not in str(stage_facts(one)["steps"])


def test_templates_have_a_version_of_their_own():
    assert re.fullmatch("[0-9a-f]{64}", templates_sha256("draft"))
    assert templates_sha256("draft") != templates_sha256("return")


def sheet(data, number=0):
    return python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(number)


def part(data, name):
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        return book.read(name).decode()


def test_the_workbook_has_a_row_for_each_indicator_and_project():
    content = text(3)
    rows = sheet(render_xlsx(stage(content=content))).to_python()
    assert len(rows) == 3 + 27
    assert rows[3][:5] == ["p1", "i1", "科普经费", "产出指标", "数量指标"]
    assert rows[6][8] == 95.0
    money = sheet(render_xlsx(stage(content=content)), 1).to_python()
    assert money[3][3:6] == [53001.0, 52001.0, 1000.0]


def test_the_workbook_is_ready_to_print_and_to_filter():
    data = render_xlsx(stage(content=text(2)))
    page = part(data, "xl/worksheets/sheet1.xml")
    assert 'paperSize="9"' in page
    assert 'orientation="landscape"' in page
    assert 'fitToHeight="0"' in page
    assert '<pane ySplit="3"' in page
    assert '<autoFilter ref="A3:O21"/>' in page
    assert "Print_Titles" in part(data, "xl/workbook.xml")
    assert ((3, 3), (8, 3)) in sheet(data).merged_cell_ranges
    # Each cell under a merge keeps its words, so that a filter finds every row.
    assert [row[3] for row in sheet(data).to_python()[3:9]] == ["产出指标"] * 6


def test_the_workbook_is_the_same_bytes_twice():
    assert render_xlsx(stage(content=text(3))) == render_xlsx(stage(content=text(3)))


@pytest.mark.parametrize("words", DANGEROUS)
def test_no_words_become_a_formula_or_a_link(words):
    data = render_xlsx(stage(content=text(1, projects=[project(name=words, purpose=words)], title=words)))
    for name in ("xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"):
        assert "<f>" not in part(data, name)
        assert "<hyperlink" not in part(data, name)
    if words.strip()[0] in "=+-@":
        assert 'quotePrefix="1"' in part(data, "xl/styles.xml")


def test_a_number_too_long_for_a_spreadsheet_stays_as_it_is():
    long = "123456789012345.67"
    budget = {"total": long, "fiscal": long, "other": "0.00"}
    content = text(1, projects=[project(budget=budget)])
    data = render_xlsx(stage(content=content))
    assert sheet(data, 1).to_python()[3][3] == long
    assert returned_workbook(data, content).content == content


def test_words_too_long_for_a_cell_are_refused_and_not_cut():
    with pytest.raises(InvalidInput, match="32767"):
        render_xlsx(stage(content=text(1, projects=[project(purpose="长" * 32_768)])))


@pytest.mark.parametrize("count", [1, 3])
def test_an_untouched_workbook_changes_nothing(count):
    content = text(count)
    back = returned_workbook(render_xlsx(stage(content=content)), content)
    assert back.content == content
    assert back.findings == ()
    assert (back.text_id, back.version) == (stage().text_id, "3")


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Co", "Cn", "Zl", "Zp")), max_size=30)


@settings(max_examples=25, deadline=None)
@given(
    name=WORDS,
    description=WORDS,
    value=st.one_of(WORDS, st.decimals(0, 10**9, places=2).map(str)),
    weight=st.decimals(0, 100, places=2),
)
def test_whatever_an_indicator_says_comes_back(name, description, value, weight):
    item = {
        "id": "i1",
        "name": name.strip(),
        "description": description.strip(),
        "value": value.strip(),
        "weight": str(weight),
    }
    content = text(1, projects=[project(indicators=[item])])
    assert returned_workbook(render_xlsx(stage(content=content)), content).content == content


def edited(data, *cells, sheet_number=1, drop=(), insert=()):
    """The workbook with cells written anew, as an office program would: (row, column, words), rows from 0."""
    import xlsxwriter

    buffer = io.BytesIO()
    source = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        for at, name in enumerate(source.sheet_names, 1):
            rows = source.get_sheet_by_index(at - 1).to_python()
            if at == sheet_number:
                for row, column, words in cells:
                    rows[row][column] = words
                for row, given in insert:
                    rows.insert(row, given)
                rows = [row for number, row in enumerate(rows) if number not in drop]
            made = book.add_worksheet(name)
            for row, items in enumerate(rows):
                for column, item in enumerate(items):
                    if isinstance(item, float):
                        made.write_number(row, column, item)
                    elif item != "":
                        made.write_string(row, column, str(item))
    return buffer.getvalue()


def differences(content, back):
    return [(place, old, new) for place, old, new in changes(to_json(content), to_json(back.content))]


def test_an_edited_indicator_stays_the_same_indicator():
    content = text(2)
    back = returned_workbook(edited(render_xlsx(stage(content=content)), (6, 8, 98.0), (6, 5, "活动效果")), content)
    assert sorted(place for place, _, _ in differences(content, back)) == [
        "/projects/p1/indicators/i4/name",
        "/projects/p1/indicators/i4/value",
    ]
    assert back.content.projects[0].indicators[3].value == "98"


def test_a_row_taken_out_is_an_indicator_less():
    content = text(1)
    back = returned_workbook(edited(render_xlsx(stage(content=content)), drop=(4,)), content)
    assert [item.id for item in back.content.projects[0].indicators] == ["i1", *(f"i{n}" for n in range(3, 10))]


def test_a_copied_row_is_a_new_indicator_with_a_finding():
    content = text(1)
    data = render_xlsx(stage(content=content))
    copy = list(sheet(data).to_python()[4])
    back = returned_workbook(edited(data, insert=[(5, copy)]), content)
    ids = [item.id for item in back.content.projects[0].indicators]
    assert ids == ["i1", "i2", "i10", *(f"i{n}" for n in range(3, 10))]
    assert "按项目 p1 的新指标加入" in back.findings[0].reason


def test_a_new_row_without_levels_takes_those_above():
    content = text(1)
    row = ["p1", "", "", "", "", "新指标", "说明", "≥", "3", "", "次", "", "", "", "年度工作计划"]
    back = returned_workbook(edited(render_xlsx(stage(content=content)), insert=[(5, row)]), content)
    new = back.content.projects[0].indicators[2]
    assert (new.level1, new.level2, new.name, new.sign, new.value) == ("产出指标", "数量指标", "新指标", "≥", "3")


@pytest.mark.parametrize(("written", "amount"), [("1,000", "1000.00"), ("5.31万元", "53100.00"), ("￥12.5", "12.50")])
def test_money_in_another_spelling_is_taken_with_a_finding(written, amount):
    content = text(1)
    back = returned_workbook(edited(render_xlsx(stage(content=content)), (3, 3, written), sheet_number=2), content)
    assert back.content.projects[0].budget.total == Decimal(amount)
    assert [(item.raw, item.repaired) for item in back.findings] == [(written, amount)]


def test_money_that_is_none_leaves_what_was():
    content = text(1)
    back = returned_workbook(edited(render_xlsx(stage(content=content)), (3, 3, "待定"), sheet_number=2), content)
    assert back.content == content
    assert back.findings[0].raw == "待定"


def test_what_stands_outside_the_table_is_reported():
    content = text(1)
    data = render_xlsx(stage(content=content))
    row = ["p9", "i1", "没有的项目", *[""] * 12]
    back = returned_workbook(edited(data, (2, 6, "我的列"), insert=[(12, row)]), content)
    assert [item.raw for item in back.findings if "p9" in item.reason]
    assert [item for item in back.findings if item.raw == "我的列"]
    assert back.content == content


def test_a_project_whose_row_is_gone_stays_while_it_has_indicators():
    content = text(2)
    back = returned_workbook(edited(render_xlsx(stage(content=content)), drop=(4,), sheet_number=2), content)
    assert [item.id for item in back.content.projects] == ["p1", "p2"]
    assert "项目保留" in back.findings[0].reason


def test_a_copied_project_is_a_new_one_without_indicators():
    content = text(1)
    data = render_xlsx(stage(content=content))
    copy = sheet(data, 1).to_python()[3]
    back = returned_workbook(edited(data, insert=[(4, copy)], sheet_number=2), content)
    assert [(item.id, len(item.indicators)) for item in back.content.projects] == [("p1", 9), ("p2", 0)]
    assert "按新项目加入" in back.findings[0].reason


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"text", LIBRARY.read_bytes()])
def test_a_file_that_is_none_of_ours_is_refused(data):
    with pytest.raises(InvalidInput):
        returned_workbook(data, text(1))


def test_an_empty_text_has_a_workbook():
    empty = from_json({"fiscal_year": 2021, "projects": [{"id": "p1"}]})
    assert returned_workbook(render_xlsx(stage(content=empty)), empty).content == empty
