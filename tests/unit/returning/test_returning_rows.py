"""Rows and sections that were copied, inserted, deleted and moved; controls that are gone; words outside of them."""

import copy
import unicodedata

import pytest
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rendering_stages import stage
from returned_texts import P1, I, base, changed, codes, edited, rich
from word_edits import Editor, fill, run, tag_of, without_control

from documents.rendering.word import render_docx
from documents.returning import returned, returned_form
from models.content import to_json
from models.errors import InvalidInput


def ids(result, project=0, name="indicators"):
    return [item["id"] for item in result.content["projects"][project][name]]


def fill_row(row, **members):
    for sdt in row.iter(qn("w:sdt")):
        words = members.get(tag_of(sdt).rpartition("/")[2])
        if words is not None:
            fill(sdt, words)


def test_a_copied_row_is_a_new_indicator_with_an_id_of_its_own():
    made = base()
    result = edited(
        made,
        lambda file: fill_row(file.copied_row(f"{I}/i3/name"), name="发放手册", value="300册", description="按发放数"),
    )
    assert ids(result) == ["i1", "i2", "i3", "i10", "i4", "i5", "i6", "i7", "i8", "i9"]
    new = result.content["projects"][0]["indicators"][3]
    assert (new["name"], new["value"], new["unit"], new["description"]) == ("发放手册", "300", "册", "按发放数")
    assert (new["level1"], new["level2"], new["basis"]) == ("产出指标", "数量指标", "年度工作计划")
    [finding] = result.findings
    assert (finding.code, finding.place) == ("W011", "/projects/0/indicators/3")
    assert to_json(made.content)["projects"][0]["indicators"][2] == result.content["projects"][0]["indicators"][2]


def test_an_id_is_never_given_again():
    made = base()
    earlier = {"projects": [{"id": "p1", "indicators": [{"id": "i12"}]}]}
    result = edited(made, lambda file: file.copied_row(f"{I}/i3/name"), earlier=[earlier])
    assert ids(result)[3] == "i13"


def test_a_copy_of_a_row_keeps_what_the_form_shows_and_not_what_it_hides():
    made = rich()
    result = edited(made, lambda file: file.copied_row(f"{I}/i1/name"))
    first, second = result.content["projects"][0]["indicators"][:2]
    assert (second["core"], second["period"]) == (True, "年度")
    assert second["scoring"] == first["scoring"]
    assert "raw_value" not in second


def test_a_row_that_was_inserted_and_typed_into_is_a_new_indicator():
    made = base()
    result = edited(
        made, lambda file: file.inserted_row(f"{I}/i2/name", "", "", "新的指标", "怎么算", "≥8次", "历史标准")
    )
    new = result.content["projects"][0]["indicators"][2]
    assert ids(result)[2] == "i10"
    assert (new["level1"], new["level2"], new["name"], new["sign"], new["value"]) == (
        "产出指标",
        "数量指标",
        "新的指标",
        "≥",
        "8",
    )
    assert "core" not in new
    assert codes(result) == ["W011"]


def test_a_goal_that_was_typed_into_an_inserted_row_is_a_new_goal():
    made = base()
    result = edited(made, lambda file: file.inserted_row(f"{P1}/goals/t2/text", "", "3.第三个目标。"))
    assert [goal["text"] for goal in result.content["projects"][0]["goals"]][2] == "3.第三个目标。"
    assert codes(result) == ["W011"]


def test_the_empty_slot_of_a_form_takes_a_first_goal_and_a_first_indicator():
    made = base(1, projects=[{"id": "p1", "name": "新项目"}])
    result = edited(
        made,
        lambda file: file.type(f"{P1}/goals/-/text", "第一个目标。"),
        lambda file: file.type(f"{I}/-/name", "第一个指标"),
        lambda file: file.type(f"{I}/-/value", "≥3次"),
        lambda file: file.type(f"{P1}/spending_plan/-/checkpoint", "6月底"),
        lambda file: file.type(f"{P1}/spending_plan/-/percent", "50%"),
    )
    project = result.content["projects"][0]
    assert project["goals"] == [{"id": "t1", "text": "第一个目标。"}]
    assert project["indicators"][0]["name"] == "第一个指标"
    assert project["spending_plan"] == [{"checkpoint": "6月底", "percent": "50.00"}]


def delete(place):
    def edit(file):
        row = file.row(place)
        row.getparent().remove(row)

    return edit


def test_a_deleted_row_is_a_deleted_indicator():
    made = base()
    result = edited(made, delete(f"{I}/i5/name"))
    assert "i5" not in ids(result)
    assert [(finding.code, finding.place) for finding in result.findings] == [("W012", f"{I}/i5")]


def test_the_first_row_of_merged_cells_can_be_deleted():
    made = base()
    result = edited(made, delete(f"{I}/i1/name"))
    assert ids(result) == ["i2", "i3", "i4", "i5", "i6", "i7", "i8", "i9"]
    assert list(changed(made, result)) == [f"{I}/i1"]


def test_a_row_deleted_with_tracked_changes_is_deleted():
    made = base()

    def mark(file):
        properties = file.row(f"{I}/i5/name").find(qn("w:trPr"))
        properties.append(OxmlElement("w:del"))

    assert "i5" not in ids(edited(made, mark))


def test_a_moved_row_changes_its_place_only():
    made = base()

    def move(file):
        first, second = file.row(f"{I}/i2/name"), file.row(f"{I}/i3/name")
        second.addnext(first)

    result = edited(made, move)
    assert ids(result)[:3] == ["i1", "i3", "i2"]
    assert list(changed(made, result)) == [I]
    assert codes(result) == ["W013"]


def test_a_row_moved_under_another_level_takes_that_level():
    made = base()
    result = edited(made, lambda file: file.row(f"{I}/i3/name").addnext(file.row(f"{I}/i5/name")))
    moved = result.content["projects"][0]["indicators"][3]
    assert moved["id"] == "i5"
    # Its own level came with it, since it was no merged cell.
    assert moved["level2"] == "时效指标"


def test_a_level_typed_into_a_merged_cell_holds_for_all_its_rows():
    made = base()
    result = edited(made, lambda file: file.type(f"{I}/i1/level2", "产出数量"))
    assert [item["level2"] for item in result.content["projects"][0]["indicators"][:4]] == ["产出数量"] * 3 + [
        "质量指标"
    ]
    assert set(changed(made, result)) == {f"{I}/i{n}/level2" for n in (1, 2, 3)}


def test_a_row_pasted_into_another_project_is_a_new_indicator_there():
    made = base()

    def paste(file):
        row = copy.deepcopy(file.row(f"{I}/i9/name"))
        file.row("/projects/p2/indicators/i9/name").addnext(row)

    result = edited(made, paste)
    assert ids(result) == [f"i{n}" for n in range(1, 10)]
    assert ids(result, 1) == [f"i{n}" for n in range(1, 11)]
    assert codes(result) == ["W011"]


def test_a_row_cut_and_pasted_into_another_project_is_gone_here_and_new_there():
    made = base()
    result = edited(made, lambda file: file.row("/projects/p2/indicators/i9/name").addnext(file.row(f"{I}/i8/name")))
    assert "i8" not in ids(result)
    assert ids(result, 1)[-1] == "i10"
    assert result.content["projects"][1]["indicators"][-1]["name"] == "科学素质提高"
    assert sorted(codes(result)) == ["W011", "W012"]


def test_an_indicator_whose_whole_is_deleted_is_no_longer_a_part():
    made = rich()
    result = edited(made, delete(f"{I}/i1/name"))
    assert "part_of" not in result.content["projects"][0]["indicators"][0]
    assert "W016" in codes(result)


def test_a_copied_project_is_a_new_project():
    made = base()

    def duplicate(file):
        blocks = file.project(1)
        for block in reversed(blocks):
            blocks[-1].addnext(copy.deepcopy(block))

    def rename(file):
        file.type(f"{P1}/name", "另一个项目", at=1)
        file.type(f"{P1}/budget/total", "7.00", at=1)

    result = edited(made, duplicate, rename)
    assert [project["id"] for project in result.content["projects"]] == ["p1", "p3", "p2"]
    new = result.content["projects"][1]
    assert (new["name"], new["budget"]["total"], len(new["indicators"])) == ("另一个项目", "7.00", 9)
    assert set(changed(made, result)) == {"/projects/p3"}
    assert set(codes(result)) == {"W011"}


def test_a_deleted_project_is_deleted_and_the_links_to_it_too():
    made = base()

    def remove(file):
        for block in file.project(1):
            block.getparent().remove(block)

    result = edited(made, remove)
    assert [project["id"] for project in result.content["projects"]] == ["p2"]
    assert result.content["sub_goals"][0].get("projects", []) == []
    assert sorted(codes(result)) == ["W012", "W016"]


def test_a_copied_item_of_the_narrative_is_a_new_item():
    made = base()

    def duplicate(file):
        heading = next(file.control("/safeguards/s7/title").iterancestors(qn("w:p")))
        body = file.control("/safeguards/s7/text")
        for block in (body, heading):
            body.addnext(copy.deepcopy(block))
        file.type("/safeguards/s7/title", "第八项", at=1)
        file.type("/safeguards/s7/text", "新的内容。", at=1)

    result = edited(made, duplicate)
    assert result.content["safeguards"][-1] == {"id": "s8", "title": "第八项", "text": "新的内容。"}
    assert codes(result) == ["W011"]


def test_words_typed_outside_of_the_controls_are_reported_and_not_dropped():
    made = base()

    def scribble(file):
        file.row(f"{P1}/purpose").getprevious().iter(qn("w:p")).__next__().append(run("表里的话"))
        paragraph = file.paragraph("对应项目")
        paragraph.addnext(OxmlElement("w:p"))
        paragraph.getnext().append(run("夹在中间的一段话"))

    result = edited(made, scribble)
    assert changed(made, result) == {}
    left = [finding.raw for finding in result.findings if finding.code == "W003"]
    assert "夹在中间的一段话" in left
    assert any("表里的话" in words for words in left)


def test_comments_and_hidden_words_are_reported():
    made = base()

    def hide(file):
        hidden = run("藏着的话")
        hidden.insert(0, OxmlElement("w:rPr"))
        hidden[0].append(OxmlElement("w:vanish"))
        next(file.control("/safeguards/s1/text").iter(qn("w:p"))).append(hidden)

    result = edited(made, hide)
    assert changed(made, result) == {}
    assert [(finding.code, finding.raw) for finding in result.findings] == [("W004", "藏着的话")]


def test_a_control_that_was_removed_leaves_its_member_as_it_was_and_its_words_reported():
    made = base()

    def strip(file):
        file.type(f"{P1}/purpose", "改了又去掉控件")
        without_control(file.control(f"{P1}/purpose"))

    result = edited(made, strip)
    assert changed(made, result) == {}
    assert codes(result) == ["W014", "W003"]
    assert result.findings[1].raw == "改了又去掉控件"


def test_an_emptied_control_shows_words_own_invitation_which_is_nobodys_words():
    made = rich()

    def empty(file):
        file.type(f"{P1}/category", "单击或点击此处输入文字。")
        file.control(f"{P1}/category").find(qn("w:sdtPr")).append(OxmlElement("w:showingPlcHdr"))

    assert "category" not in edited(made, empty).content["projects"][0]


@pytest.mark.parametrize(
    "place", ["/fiscal_year", f"{I}/i1/id", f"{P1}/spending_plan", f"{P1}/id", "/schema", "/projects/p1/x"]
)
def test_a_tag_that_is_no_field_changes_nothing(place):
    made = base()

    def forge(file):
        tag = file.control(f"{I}/i2/name").find(f"{qn('w:sdtPr')}/{qn('w:tag')}")
        tag.set(qn("w:val"), place)

    result = edited(made, forge)
    assert changed(made, result) == {}
    assert set(codes(result)) == {"W014", "W015"}


def test_a_control_around_the_whole_cell_is_the_same_field():
    made = base()

    def around(file):
        inner = file.control(f"{P1}/purpose")
        cell = next(inner.iterancestors(qn("w:tc")))
        outer = copy.deepcopy(inner)
        outer.find(qn("w:sdtContent"))[:] = []
        without_control(inner)
        cell.addprevious(outer)
        outer.find(qn("w:sdtContent")).append(cell)
        next(cell.iter(qn("w:t"))).text = "换了写法的用途"

    result = edited(made, around)
    assert list(changed(made, result)) == [f"{P1}/purpose"]
    assert codes(result) == []


def test_long_places_travel_under_short_tags():
    long = "p" + "a" * 15
    made = base(
        1,
        sub_goals=[],
        projects=[
            {
                "id": long,
                "indicators": [
                    {"id": "i" + "b" * 15, "name": "甲", "scoring": "乙", "extra": [{"label": "丙", "value": "丁"}]}
                ],
            }
        ],
    )
    editor = Editor(render_docx(made, numbered=False))
    tags = [tag_of(sdt) for sdt in editor.root.iter(qn("w:sdt"))]
    assert all(len(tag) <= 64 for tag in tags)
    tag = next(tag for tag in tags if tag.startswith("#"))
    editor.type(tag, "改了")
    result = returned(returned_form(editor.saved()), made)
    assert len(changed(made, result)) == 1
    assert codes(result) == []


def test_only_the_draft_comes_back():
    made = rich()
    issued = stage("submission", made.content)
    with pytest.raises(InvalidInput, match="--document draft"):
        returned(returned_form(render_docx(issued, numbered=False)), issued)


def test_a_file_of_another_layout_is_refused():
    editor = Editor(render_docx(base(), numbered=False))
    editor.part("customXml/item1.xml", lambda data: data.replace(b'layout="1"', b'layout="2"'))
    with pytest.raises(InvalidInput, match="格式版本"):
        returned(returned_form(editor.saved()), base())


@pytest.mark.parametrize(
    ("change", "spoilt"),
    [
        (lambda data: data.replace(b'version="3"', b'version="x"'), True),
        (lambda data: data.replace(b"<origin", b"<!DOCTYPE a [<!ENTITY b 'c'>]><origin"), True),
        (lambda data: data[:-5], True),
        (lambda data: b"<other/>", False),
    ],
)
def test_an_origin_that_was_tampered_with_is_none(change, spoilt):
    editor = Editor(render_docx(base(), numbered=False))
    editor.part("customXml/item1.xml", change)
    form = returned_form(editor.saved())
    assert (form.origin, form.spoilt) == (None, spoilt)


WORDS = st.text(
    st.characters(blacklist_categories=("Cc", "Cs", "Cf", "Co", "Cn", "Zl", "Zp"), blacklist_characters="\u2028"),
    max_size=30,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from([f"{I}/i{n}/{m}" for n in range(1, 10) for m in ("name", "description", "basis")]),
        WORDS,
        max_size=6,
    )
)
def test_any_words_in_any_cells_are_those_members_and_no_others(edits):
    made = base(1)
    result = edited(made, *(lambda file, at=at, words=words: file.type(at, words) for at, words in edits.items()))
    assert set(changed(made, result)) <= set(edits)
    for place, words in edits.items():
        name, member = place.split("/")[-2:]
        item = next(item for item in result.content["projects"][0]["indicators"] if item["id"] == name)
        shown = unicodedata.normalize("NFC", " ".join(words.split("\t")).strip())
        assert item.get(member, "") == ("" if shown == "—" else shown)
