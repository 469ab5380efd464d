"""Word files: every field is read back, tables are real, and the file says nothing of when and where it was made."""

import io
import re
import zipfile

import docx
import pytest
from docx.oxml.ns import qn
from rendering_stages import opinions, project, stage, text

from documents.rendering import document_names
from documents.rendering.figures import value_words
from documents.rendering.word import render_docx
from models.content import from_json
from models.errors import InvalidInput, NotFound

MARKUP = "#let $x$ <script>alert(1)</script> {{ 7*7 }} `a` *b* _c_ &amp; ]]>"
DOCUMENTS = document_names()
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def made(*arguments, **members):
    return render_docx(stage(*arguments, **members), numbered=False)


def opened(data):
    return docx.Document(io.BytesIO(data))


def grid(table):
    """Rows of (text, columns, merge) of a table, read from python-docx's own XML."""
    rows = []
    for row in table._tbl.tr_lst:
        cells = []
        for cell in row.tc_lst:
            words = "\n".join("".join(t.text or "" for t in p.iter(qn("w:t"))) for p in cell.p_lst)
            cells.append((words, cell.grid_span, cell.vMerge))
        rows.append(cells)
    return rows


def controls(document):
    found = {}
    for sdt in document.element.body.iter(qn("w:sdt")):
        tag = sdt.find(f"{qn('w:sdtPr')}/{qn('w:tag')}")
        if tag is not None:
            words = "".join(t.text or "" for t in sdt.iter(qn("w:t")))
            found.setdefault(tag.get(qn("w:val")), []).append(words)
    return found


@pytest.mark.parametrize("count", [1, 40])
def test_every_field_is_read_back(count):
    content = text(count)
    document = opened(made(content=content))
    tables = [grid(table) for table in document.tables]
    assert len(tables) == 2 * count
    for wanted, form, rows in zip(content.projects, tables[::2], tables[1::2], strict=True):
        cells = [cell for row in form for cell, _, _ in row]
        assert [cell for cell, _, _ in form[0]] == ["项目编码", wanted.code, "项目名称", wanted.name]
        money = [f"{amount:.2f}" for amount in (wanted.budget.total, wanted.budget.fiscal, wanted.budget.other)]
        assert [cell for cell, _, _ in form[1] if re.fullmatch(r"[\d.]+", cell)] == money
        assert wanted.purpose in cells
        assert {"3月底", "20.00%", "6月底", "60.00%", "10月底", "80.00%"} <= set(cells)
        assert [f"{number}.{goal.text}" for number, goal in enumerate(wanted.goals, 1)] == cells[-3::2]
        read = [[cell for cell, _, _ in row][2:] for row in rows[1:]]
        assert read == [[i.name, i.description, value_words(i), i.basis] for i in wanted.indicators]


def test_every_field_stands_in_a_control_with_its_place():
    content = text(3)
    found = controls(opened(made(content=content)))
    for wanted in content.projects:
        at = f"/projects/{wanted.id}"
        assert found[f"{at}/code"] == [wanted.code]
        assert found[f"{at}/budget/total"] == [f"{wanted.budget.total:.2f}"]
        for goal in wanted.goals:
            assert found[f"{at}/goals/{goal.id}/text"] == [goal.text]
        for indicator in wanted.indicators:
            assert found[f"{at}/indicators/{indicator.id}/name"] == [indicator.name]
            assert found[f"{at}/indicators/{indicator.id}/value"] == [value_words(indicator)]
    assert found["/title"] == [content.title]
    assert found["/safeguards/s7/text"] == [content.safeguards[6].text]


def test_levels_are_merged_cells_and_header_rows_repeat():
    indicators = opened(made()).tables[1]
    rows = grid(indicators)
    assert rows[1][0] == ("产出指标", 1, "restart")
    assert [row[0] for row in rows[2:7]] == [("", 1, "continue")] * 5
    assert rows[7][0] == ("效益指标", 1, "restart")
    header = indicators._tbl.tr_lst[0]
    assert header.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None
    widths = [int(column.get(qn("w:w"))) for column in indicators._tbl.tblGrid]
    assert sum(widths) == pytest.approx(156 / 25.4 * 1440, abs=5)


def test_headings_have_styles_and_the_contents_lead_to_them():
    document = opened(render_docx(stage(content=text(3))))
    headings = [(p.style.name, p.text) for p in document.paragraphs if p.style.name.startswith("Heading")]
    assert ("Heading 2", "第一部分\u3000部门整体绩效目标") in headings
    assert ("Heading 3", "1.科普经费绩效目标表") in headings
    body = document.element.body
    entries = [p for p in body.iter(qn("w:p")) if p.find(f"{qn('w:pPr')}/{qn('w:pStyle')}[@{W}val='TOC2']") is not None]
    numbers = ["".join(t.text or "" for t in entry.iter(qn("w:t"))) for entry in entries]
    assert len(numbers) == 6
    assert all(re.search(r"\D\d{1,2}$", line) for line in numbers)
    anchors = {link.get(qn("w:anchor")) for link in body.iter(qn("w:hyperlink"))}
    marks = {mark.get(qn("w:name")) for mark in body.iter(qn("w:bookmarkStart"))}
    assert anchors <= marks
    begins = [f.get(qn("w:fldCharType")) for f in body.iter(qn("w:fldChar"))]
    assert begins.count("begin") == begins.count("end") == begins.count("separate")


def test_the_page_is_that_of_the_standard():
    document = opened(made())
    cover, rest = document.sections
    for section in (cover, rest):
        assert section.page_width.mm == pytest.approx(210, abs=0.1)
        assert section.top_margin.mm == pytest.approx(37, abs=0.1)
        assert section.left_margin.mm == pytest.approx(28, abs=0.1)
        assert (section.page_height - section.top_margin - section.bottom_margin) / 36000 == pytest.approx(225, abs=0.2)
        assert (section.page_width - section.left_margin - section.right_margin) / 36000 == pytest.approx(156, abs=0.2)
    assert "PAGE" not in cover.footer._element.xml
    assert "PAGE" in rest.footer._element.xml
    assert "PAGE" in rest.even_page_footer._element.xml
    assert document.settings.odd_and_even_pages_header_footer
    normal = document.styles["Normal"]
    assert (normal.font.size.pt, normal.font.name) == (16, "仿宋_GB2312")
    assert normal.paragraph_format.line_spacing.pt == pytest.approx(225 / 22 * 72 / 25.4, abs=0.1)


def test_version_and_hash_stand_in_the_footer_and_on_the_cover():
    content = text()
    document = opened(made(content=content))
    hashed = stage(content=content).content_hash
    assert f"版本 3\u3000内容哈希 {hashed[:16]}" in document.sections[1].footer.paragraphs[0].text
    assert any(hashed in paragraph.text for paragraph in document.paragraphs)


def test_only_a_draft_has_a_watermark_and_it_is_no_text():
    def headers(data):
        return [section.header._element.xml for section in opened(data).sections]

    assert all('string="草案"' in xml for xml in headers(made()))
    assert not any("textpath" in xml for xml in headers(made("approval")))
    assert not any(paragraph.text for section in opened(made()).sections for paragraph in section.header.paragraphs)


def test_a_letter_has_its_parts():
    document = opened(made("approval", copies_to=("县审计局",), document_number="清财〔2021〕3号"))
    by_style = {}
    for paragraph in document.paragraphs:
        by_style.setdefault(paragraph.style.name, []).append(paragraph.text)
    assert by_style["Document Number"] == ["清财〔2021〕3号"]
    assert by_style["Addressee"] == ["清河县科学技术协会："]
    assert by_style["Seal"] == ["（此处盖章）"]
    assert by_style["Document Signature"] == ["清河县财政局", "2021年3月5日"]
    assert by_style["Copies"] == ["抄送：县审计局。"]
    assert len(document.sections) == 3


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_same_stage_gives_the_same_bytes(document):
    one = stage(document, opinions=opinions(text()))
    assert render_docx(one) == render_docx(one)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_container_tells_no_time_no_machine_and_no_editing_session(document):
    with zipfile.ZipFile(io.BytesIO(made(document, opinions=opinions(text())))) as container:
        names = container.namelist()
        assert names[0] == "[Content_Types].xml"
        assert names[1:] == sorted(names[1:])
        assert {entry.date_time for entry in container.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.create_system for entry in container.infolist()} == {0}
        whole = b"".join(container.read(name) for name in names)
        assert not container.testzip()
    assert b"rsid" not in whole
    assert re.findall(rb"W3CDTF\">([^<]*)<", whole) == [b"2021-03-05T00:00:00Z"] * 2


@pytest.mark.parametrize("document", DOCUMENTS)
def test_markup_in_data_stays_literal(document):
    content = text(1, projects=[project(name=MARKUP, purpose=MARKUP)], title=MARKUP)
    data = made(document, content, opinions=opinions(content), reason=MARKUP, conclusion=MARKUP, department=MARKUP)
    words = "".join(t.text or "" for t in opened(data).element.body.iter(qn("w:t")))
    assert MARKUP in words
    assert "49" not in words.replace(stage(document, content).content_hash, "")


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize(
    "members",
    [
        {"fiscal_year": 2021},
        {"fiscal_year": 2021, "projects": [{"id": "p1"}]},
        {"fiscal_year": 2021, "projects": [project(purpose="说明" * 5000, code="X" * 3000)]},
    ],
    ids=["nothing", "empty project", "long cells"],
)
def test_incomplete_and_overlong_texts_are_written_all_the_same(document, members):
    data = render_docx(stage(document, from_json(members), department="", finance=""))
    words = "".join(t.text or "" for t in opened(data).element.body.iter(qn("w:t")))
    assert "None" not in words
    if members.get("projects") and document in ("draft", "submission", "approval", "publication"):
        assert members["projects"][0].get("code", "") in words


def test_three_hundred_indicators_have_three_hundred_rows():
    many = [{"id": f"i{n}", "level1": "产出指标", "level2": "数量指标", "name": f"第{n}项"} for n in range(1, 301)]
    rows = grid(opened(made(content=text(1, projects=[project(indicators=many)]))).tables[1])
    assert [row[2][0] for row in rows[1:]] == [f"第{n}项" for n in range(1, 301)]


@pytest.mark.parametrize("name", ["𠮷田小学", "甲𪛖乙"])
def test_rare_characters_are_written_as_they_are_even_where_no_font_has_them(name):
    document = opened(render_docx(stage(content=text(1, projects=[project(name=name)]))))
    assert controls(document)["/projects/p1/name"] == [name]


@pytest.mark.parametrize("character", ["\x01", "\x08", "\ufeff"])
def test_a_control_character_is_named_with_its_place(character):
    with pytest.raises(InvalidInput, match="资金用途中的字符"):
        made(content=text(1, projects=[project(purpose=f"坏{character}字")]))


def test_a_tab_and_a_line_break_in_data_stay_apart():
    data = made(content=text(1, projects=[project(purpose="一\t二\n三")]))
    sdt = next(
        sdt
        for sdt in opened(data).element.body.iter(qn("w:sdt"))
        if sdt.find(f"{qn('w:sdtPr')}/{qn('w:tag')}[@{W}val='/projects/p1/purpose']") is not None
    )
    assert [child.tag for run in sdt.iter(qn("w:r")) for child in run] == [
        qn("w:t"), qn("w:tab"), qn("w:t"), qn("w:br"), qn("w:t"),
    ]  # fmt: skip


def test_public_files_hold_no_personal_data():
    content = text(1, projects=[project(person_in_charge="张三丰", phone="0319-1234567")])
    with zipfile.ZipFile(io.BytesIO(made("publication", content))) as container:
        whole = b"".join(container.read(name) for name in container.namelist()).decode()
    assert "张三丰" not in whole
    assert "0319-1234567" not in whole


def test_an_unknown_document_is_not_found():
    with pytest.raises(NotFound):
        made("letter")
