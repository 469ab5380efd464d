"""Words typed into controls come back as members of the content, and nothing else changes."""

import pytest
from returned_texts import P1, I, base, changed, codes, edited, rich
from word_edits import renumbered

from documents.rendering.word import render_docx
from documents.returning import returned, returned_form
from models.content import to_json


@pytest.mark.parametrize("made", [base(), rich(), base(1, overall={}, sub_goals=[], safeguards=[], projects=[])])
def test_a_file_that_nobody_touched_changes_nothing(made):
    result = edited(made)
    assert result.content == to_json(made.content)
    assert result.findings == ()


def test_the_origin_names_text_version_and_hash():
    made = base()
    origin = returned_form(render_docx(made, numbered=False)).origin
    assert (origin.text_id, origin.version, origin.content_hash) == (made.text_id, made.version, made.content_hash)
    assert (origin.document, origin.status) == ("draft", "草案")


def test_word_may_give_the_origin_another_number():
    made = base()
    form = returned_form(renumbered(render_docx(made, numbered=False)))
    assert form.origin.version == made.version
    assert returned(form, made).content == to_json(made.content)


TYPED = [
    ("/title", "新标题", "新标题"),
    ("/department/name", "县科协", "县科协"),
    ("/reviewing_body", "清河县财政局预算股", "清河县财政局预算股"),
    ("/overall/introduction", "改了的第一段。\n第二段。", "改了的第一段。\n第二段。"),
    ("/overall/items/o7/title", "新题目", "新题目"),
    ("/overall/items/o1/text", "甲。\n乙。\n新的一段。", "甲。\n乙。\n新的一段。"),
    ("/overall/budget/basic", "61.50", "61.50"),
    ("/overall/duties/d1/task", "讲座与培训", "讲座与培训"),
    ("/overall/duties/d1/amount", "6", "6.00"),
    ("/overall/indicators/i1/weight", "12.5", "12.50"),
    ("/extra/0/value", "另有说明", "另有说明"),
    ("/sub_goals/g1/name", "普及科学", "普及科学"),
    ("/sub_goals/g1/indicator", "指标一\n指标二", "指标一\n指标二"),
    ("/safeguards/s3/title", "第三项措施", "第三项措施"),
    (f"{P1}/code", "13030621G5NX247OTT999", "13030621G5NX247OTT999"),
    (f"{P1}/name", "科普专项", "科普专项"),
    (f"{P1}/purpose", "第一行\n第二行", "第一行\n第二行"),
    (f"{P1}/budget/total", "53200.00", "53200.00"),
    (f"{P1}/budget/period_total", "170000", "170000.00"),
    (f"{P1}/budget/sources", "一般公共预算：53000.00\n上年结转：100.00", [{"name": "一般公共预算", "amount": "53000.00"}, {"name": "上年结转", "amount": "100.00"}]),
    (f"{P1}/category", "一次性", "一次性"),
    (f"{P1}/phone", "0319-1111111", "0319-1111111"),
    (f"{P1}/schedule", "2021-01 至 2021-04：启动\n收尾", [{"content": "启动", "start": "2021-01", "end": "2021-04"}, {"content": "收尾"}]),
    (f"{P1}/extra/0/value", "见附件", "见附件"),
    (f"{P1}/goals/t1/text", "新的目标。", "新的目标。"),
    (f"{I}/i1/name", "讲座场次", "讲座场次"),
    (f"{I}/i1/description", "按实际场次", "按实际场次"),
    (f"{I}/i1/scoring", "少一场扣3分", "少一场扣3分"),
    (f"{I}/i1/extra/0/value", "十二月底", "十二月底"),
    (f"{I}/i1/basis", "行业标准", "行业标准"),
]  # fmt: skip


@pytest.mark.parametrize(("place", "words", "value"), TYPED, ids=[place for place, _, _ in TYPED])
def test_what_is_typed_into_a_control_is_that_member_alone(place, words, value):
    made = rich()
    result = edited(made, lambda file: file.type(place, words))
    found = changed(made, result)
    target = (
        place
        if not place.endswith(("/sources", "/schedule", "/value")) or "extra" not in place
        else place.rpartition("/0")[0]
    )
    assert list(found) == [target]
    after = found[target][1]
    assert after == value or (target != place and after == [{**found[target][0][0], "value": value}])
    assert codes(result) == []


@pytest.mark.parametrize("at", [0, 1, 2])
def test_the_spending_plan_is_edited_by_its_points(at):
    made = base()
    result = edited(
        made,
        lambda file: file.type(f"{P1}/spending_plan/{at}/percent", "33%"),
        lambda file: file.type(f"{P1}/spending_plan/{at}/checkpoint", "9月底"),
    )
    assert list(changed(made, result)) == [f"{P1}/spending_plan"]
    assert result.content["projects"][0]["spending_plan"][at] == {"checkpoint": "9月底", "percent": "33.00"}
    assert codes(result) == []


VALUES = [
    ("i1", "≥6次", {"sign": "≥", "value": "6", "unit": "次"}, []),
    ("i1", "6次", {"value": "6", "unit": "次"}, []),
    ("i3", "65～85%", {"sign": "区间", "value": "65", "value_to": "85", "unit": "%"}, []),
    ("i4", "显著提高（按问卷判断）", {"sign": "定性", "value": "显著提高", "remark": "按问卷判断"}, ["I088"]),
    ("i1", "不少于6次", {"sign": "≥", "value": "6", "unit": "次"}, ["I085"]),
    ("i1", "≥1,200人次", {"sign": "≥", "value": "1200", "unit": "人次"}, ["I081"]),
    ("i1", "—", {"value": ""}, []),
    ("i1", "", {"value": ""}, []),
]


@pytest.mark.parametrize(("name", "words", "members", "expected"), VALUES)
def test_a_value_cell_is_read_as_sign_number_unit_and_remark(name, words, members, expected):
    made = rich()
    result = edited(made, lambda file: file.type(f"{I}/{name}/value", words))
    indicator = next(item for item in result.content["projects"][0]["indicators"] if item["id"] == name)
    told = {
        key: indicator.get(key, "" if key == "value" else None)
        for key in ("sign", "value", "value_to", "unit", "remark")
    }
    assert told == {"sign": None, "value_to": None, "unit": None, "remark": None, **members}
    assert codes(result) == expected


def test_the_remark_of_a_value_keeps_its_spelling_when_only_the_number_changes():
    made = base()
    result = edited(made, lambda file: file.type(f"{I}/i4/value", "≥96%（完成率达到95%）"))
    indicator = result.content["projects"][0]["indicators"][3]
    assert (indicator["value"], indicator["remark"]) == ("96", "完成率 达到 95%")


@pytest.mark.parametrize(
    ("words", "amount", "code"),
    [
        ("1,000", "1000.00", "I068"),
        ("5.31万元", "53100.00", "I067"),
        ("１０００", "1000.00", "I068"),
        ("￥1000元", "1000.00", "I068"),
    ],
)
def test_money_in_another_spelling_is_read_and_said(words, amount, code):
    made = base()
    result = edited(made, lambda file: file.type(f"{P1}/budget/other", words))
    assert result.content["projects"][0]["budget"]["other"] == amount
    [finding] = result.findings
    assert (finding.code, finding.place, finding.raw, finding.repaired) == (
        code,
        "/projects/0/budget/other",
        words,
        amount,
    )


@pytest.mark.parametrize("words", ["一千", "1000左右", "12.345", "1e9", "9" * 30])
def test_money_that_can_not_be_read_stays_as_it_was_and_is_an_error(words):
    made = base()
    result = edited(made, lambda file: file.type(f"{P1}/budget/other", words))
    assert changed(made, result) == {}
    [finding] = result.findings
    assert (finding.code, finding.severity, finding.raw) == ("W021", "error", words)


@pytest.mark.parametrize("words", ["", "—", "一半", "150.123"])
def test_a_percent_that_can_not_be_read_stays_as_it_was(words):
    made = base()
    result = edited(made, lambda file: file.type(f"{P1}/spending_plan/1/percent", words))
    assert changed(made, result) == {}
    assert codes(result) == ["W021"]


def test_an_emptied_optional_member_is_gone():
    made = rich()
    result = edited(
        made, lambda file: file.type(f"{P1}/phone", ""), lambda file: file.type(f"{P1}/budget/period_total", "")
    )
    assert set(changed(made, result)) == {f"{P1}/phone", f"{P1}/budget/period_total"}
    assert "phone" not in result.content["projects"][0]


def test_invisible_characters_go_and_that_is_said():
    made = base()
    result = edited(made, lambda file: file.type(f"{P1}/purpose", "用\u200b途\ufeff"))
    assert result.content["projects"][0]["purpose"] == "用途"
    assert codes(result) == ["W022"]


def test_blanks_at_the_ends_of_lines_are_no_change():
    made = base()
    words = made.content.projects[0].purpose
    result = edited(made, lambda file: file.type(f"{P1}/purpose", f"  {words} \n\n"))
    assert changed(made, result) == {}


def test_the_projects_of_a_sub_goal_follow_the_names_in_the_file():
    made = base()
    result = edited(
        made,
        lambda file: file.type("/projects/p2/name", "甲、乙经费"),
        lambda file: file.type("/sub_goals/g1/projects", "甲、乙经费、科普经费"),
    )
    assert changed(made, result)["/sub_goals/g1/projects"] == (["p1"], ["p2", "p1"])
    assert codes(result) == []


def test_a_project_name_that_nobody_has_is_an_error():
    made = base()
    result = edited(made, lambda file: file.type("/sub_goals/g1/projects", "没有的项目"))
    assert changed(made, result) == {}
    assert codes(result) == ["W021"]


def test_renaming_a_project_keeps_the_links_to_it():
    made = base()
    result = edited(made, lambda file: file.type(f"{P1}/name", "新名称"))
    assert list(changed(made, result)) == [f"{P1}/name"]
    assert codes(result) == []
