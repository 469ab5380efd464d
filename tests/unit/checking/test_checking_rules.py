"""What the rules let pass on purpose, how they word their messages, and what settings change."""

from __future__ import annotations

import re
from typing import Any

import pytest
from checking_texts import CLEAN_A, CLEAN_B, found, indicator, outline, renumbered
from pydantic import ValidationError

from documents.checking import CheckSettings, RequiredField, Scheme, Unconfirmed, check, errors, rules
from documents.checking.registry import rule
from documents.checking.schemes import SCHEME_A, SCHEME_B
from models.content import BudgetText
from models.findings import Criterion, Severity

P = "/projects/0"
COST = f"{P}/indicators/4"


@pytest.mark.parametrize(
    ("place", "member"),
    [
        (f"{COST}/sign", "="),
        (f"{COST}/sign", "≥"),
        (f"{COST}/value", "５.３１"),
        (f"{COST}/remark", "总成本 5.31 万元，其中印刷费 5.31 元"),
        (f"{COST}/remark", "其中印刷费 3000 元"),
        (f"{COST}/remark", "人均 5.31 元"),
        (f"{COST}/remark", "片区总投资 5.31 亿元"),
        (f"{COST}/value", "9" * 101),
        (f"{COST}/remark", "按 5.31 元/人 测算"),
        (f"{P}/indicators/0/value", "2021年12月31日前办12场"),
        (f"{P}/goals/0/text", "读书会办12场，参加人次1,500人次"),
        (f"{P}/goals/0/text", "读书会办十二场，讲座办3场"),
        (f"{P}/goals/0/text", "读书会在2021年6月以后每月一场"),
        (f"{P}/goals/0/text", "项目总预算5.31万元"),
        (f"{P}/indicators/0/name", "读书会12场"),
        (f"{P}/indicators/2/name", "活动合格率增长"),
        (f"{P}/indicators/3/description", "按时完成率怎样统计"),
        (f"{P}/indicators/5/value", "好、较好、一般、差"),
        (f"{P}/indicators/5/value", "优良中差"),
        (f"{P}/indicators/5/scoring", "建立机制得 5 分"),
        (f"{P}/purpose", "用于社区委员会、全县居民和上级转移部门"),
        ("/safeguards/0/text", "加强领导，由局长每周召集会议，逐项核对进度"),
        (f"{P}/indicators/0/value", "１２"),
        (f"{P}/indicators/5/level1", "效果指标"),
        (f"{P}/indicators/5/level2", "社会效益"),
        (f"{P}/indicators/0/level2", "数量 指标"),
        (f"{P}/budget/sources", [{"name": "一般公共预算", "amount": "1.00"}]),
        ("/title", "部门预算绩效文本"),
        ("/title", "2021—2023年部门预算绩效文本"),
        ("/title", "二〇二一年部门预算绩效文本"),
        ("/overall/introduction", "2018年以来，全县阅读活动逐年增加。"),
        ("/overall/introduction", "2020年12月的会议提出了要求。"),
        ("/overall/introduction", "按照2020年的部署开展工作。"),
    ],
)
def test_nothing_is_found(place: str, member: Any) -> None:
    assert found(CLEAN_A, (place, member)) == ()


def test_cost_of_several_years_is_not_held_against_the_money_of_one_year() -> None:
    cost = {**indicator(8, "产出指标", "成本指标", "三年成本", "≤", "15.93", "万元"), "period": "中期"}
    assert found(CLEAN_A, (f"{P}/indicators/-", cost)) == ()
    assert found(CLEAN_A, (f"{P}/indicators/-", cost), (f"{P}/budget/period_total", "159300.00")) == ()


def test_only_yuan_and_ten_thousand_yuan_are_taken_for_one_another() -> None:
    changes = [(f"{COST}/value", "53.1"), (f"{COST}/unit", "千元"), (f"{COST}/remark", "片区总投资 53100 万元")]
    assert found(CLEAN_A, *changes) == ()


def test_project_without_money_may_cost_nothing() -> None:
    nothing = {"total": "0.00", "fiscal": "0.00", "other": "0.00"}
    assert found(CLEAN_A, (f"{P}/budget", nothing), (f"{COST}/value", "0")) == ()


def test_absurdly_large_cost_exceeds_the_budget() -> None:
    assert outline(found(CLEAN_A, (f"{COST}/value", "9" * 60))) == [("A002", "error", f"{COST}/value")]


def test_unit_written_only_in_the_remark_is_a_unit() -> None:
    assert found(CLEAN_A, (f"{COST}/unit", None), (f"{COST}/remark", "活动花费 5.31 万元")) == ()


def test_unit_written_behind_the_number_is_a_unit() -> None:
    assert found(CLEAN_A, (f"{COST}/unit", None), (f"{COST}/value", "5.31万元")) == ()


def test_value_and_unit_with_different_units_contradict() -> None:
    assert outline(found(CLEAN_A, (f"{COST}/value", "53100元"))) == [("A003", "error", f"{COST}/unit")]


@pytest.mark.parametrize(("unit", "value"), [("元/人", "60000"), ("元／次", "60000"), ("㎡", "9")])
def test_cost_in_another_unit_is_no_total(unit: str, value: str) -> None:
    assert found(CLEAN_A, (f"{COST}/unit", unit), (f"{COST}/value", value)) == ()


def test_cost_per_head_is_no_total() -> None:
    per_head = indicator(8, "产出指标", "成本指标", "人均成本", "≤", "60", "元")
    assert found(CLEAN_A, (f"{P}/indicators/-", per_head)) == ()


def test_part_of_a_cost_is_not_added_again() -> None:
    part = {**indicator(8, "产出指标", "成本指标", "印刷费", "≤", "3100", "元"), "part_of": "i5"}
    part_of_part = {**indicator(9, "产出指标", "成本指标", "纸张费", "≤", "1000", "元"), "part_of": "i8"}
    changes = [(f"{P}/indicators/-", part), (f"{P}/indicators/-", part_of_part)]
    assert found(CLEAN_A, *changes) == ()


def test_costs_that_are_part_of_one_another_in_a_circle_still_count() -> None:
    changes = [
        (f"{COST}/part_of", "i8"),
        (f"{P}/indicators/-", {**indicator(8, "产出指标", "成本指标", "印刷费", "≤", "1", "元"), "part_of": "i5"}),
    ]
    assert outline(found(CLEAN_A, *changes)) == [("A002", "error", f"{P}/indicators")]


def test_social_cost_is_not_paid_from_the_budget() -> None:
    social = indicator(8, "成本指标", "社会成本指标", "居民误工损失", "≤", "9", "万元")
    assert found(CLEAN_B, (f"{P}/indicators/-", social)) == ()


def test_cost_is_compared_exactly() -> None:
    changes = [
        (f"{P}/budget", {"total": "99999999999.99", "fiscal": "99999999999.99", "other": "0.00"}),
        (f"{COST}/value", "9999999.999999"),
    ]
    assert found(CLEAN_A, *changes) == ()
    assert outline(found(CLEAN_A, *changes[:1], (f"{COST}/value", "9999999.9999990000000001"))) == [
        ("A002", "error", f"{COST}/value")
    ]


def test_majority_decides_which_division_is_wrong() -> None:
    value = renumbered(CLEAN_A, 3)
    findings = found(value, ("/projects/1/code", "13099821A7B4C8D9E1F2G"))
    assert outline(findings) == [("T001", "error", "/projects/1/code")]


def test_message_of_a_sum_has_the_amounts() -> None:
    (finding,) = found(CLEAN_A, (f"{P}/budget/other", "3000.00"))
    assert finding.message == (
        "项目“读书会经费”的预算数 53,100.00 元不等于财政资金 50,000.00 元与其他资金 3,000.00 元之和 53,000.00 元；"
        "请核对这三个数。"
    )


def test_message_of_a_cost_has_both_amounts() -> None:
    (finding,) = found(CLEAN_A, (f"{COST}/value", "6"))
    assert "6 万元（60,000.00 元）超过预算数 53,100.00 元" in finding.message


def test_item_without_a_name_is_called_by_its_number() -> None:
    (finding,) = found(CLEAN_A, (f"{P}/indicators/2/name", ""))
    assert finding.message == "项目“读书会经费”的第 3 个指标的三级指标没有填写；请补填后再报送。"


def test_long_words_of_the_author_are_shortened_and_kept_on_one_line() -> None:
    (finding,) = found(CLEAN_A, (f"{P}/code", "x\n\x1b" * 200))
    assert "\n" not in finding.message
    assert "\x1b" not in finding.message
    assert len(finding.message) < 120


def test_basis_names_no_clause() -> None:
    for known in rules():
        assert not re.search(r"第.+条|〔", known.basis or "")


def test_finding_carries_the_facts_of_its_rule() -> None:
    (finding,) = found(CLEAN_A, ("/title", "2022年部门预算绩效文本"))
    (known,) = [item for item in rules() if item.code == "T003"]
    assert (finding.criterion, finding.title, finding.basis) == (known.criterion, known.title, known.basis)
    assert known.criterion is Criterion.FORM


def test_findings_come_by_code_and_then_by_place() -> None:
    value = renumbered(CLEAN_A, 12)
    changes = [(f"/projects/{number}/purpose", "") for number in (10, 2)]
    changes += [(f"/projects/{number}/budget/fiscal", "1.00") for number in (11, 3)]
    changes += [("/reviewing_body", ""), ("/department/name", "")]
    assert [(finding.code, finding.place) for finding in found(value, *changes)] == [
        ("A001", "/projects/3/budget/total"),
        ("A001", "/projects/11/budget/total"),
        ("C001", "/department/name"),
        ("C001", "/reviewing_body"),
        ("C001", "/projects/2/purpose"),
        ("C001", "/projects/10/purpose"),
    ]


def test_order_of_the_repairs_does_not_matter() -> None:
    repairs = [
        Unconfirmed("/projects/1/code", "b", "B"),
        Unconfirmed("/projects/p1/code", "a", "A"),
        Unconfirmed("/projects/0/code", "a", "C"),
        Unconfirmed("nowhere", "", ""),
        Unconfirmed("/projects/77/code", "c", "C"),
        Unconfirmed("", "d", "D"),
    ]
    findings = found(CLEAN_A, unconfirmed=repairs)
    assert [finding.place for finding in findings] == [
        "",
        "/projects/0/code",
        "/projects/0/code",
        "/projects/1/code",
        "/projects/77/code",
        "nowhere",
    ]
    assert found(CLEAN_A, unconfirmed=repairs[::-1]) == findings


def test_only_errors_stop_the_submission() -> None:
    findings = found(CLEAN_A, (f"{P}/indicators/0/sign", None), (f"{P}/purpose", ""))
    assert [finding.severity for finding in findings] == [Severity.ERROR, Severity.WARNING]
    assert errors(findings) == findings[:1]


def test_empty_text_lacks_its_required_members() -> None:
    findings = check(BudgetText(fiscal_year=2021))
    assert {finding.code for finding in findings} == {"C001"}
    assert [finding.message for finding in findings if finding.place == "/overall/introduction"] == [
        "总体绩效目标的总述没有填写；请补填后再报送。"
    ]


def test_code_of_a_rule_cannot_be_given_twice() -> None:
    with pytest.raises(ValueError, match="C001"):
        rule("C001", Severity.HINT, Criterion.FORM, title="另一条")(lambda context: iter(()))


def test_county_configures_its_own_scheme() -> None:
    own = Scheme.model_validate(
        {
            "title": "产出、投入",
            "since": 2000,
            "until": 2099,
            "levels": [{"name": "产出", "kinds": [{"name": "数量"}]}, {"name": "投入", "kinds": [{"name": "资金"}]}],
            "required": [{"title": "资金指标", "level": "投入", "kinds": ["资金"]}],
            "money": [["投入", "资金"]],
        }
    )
    settings = CheckSettings(schemes=(own,))
    only = [
        indicator(1, "产出指标", "数量指标", "场次", "≥", "3", "场"),
        indicator(2, "投入指标", "资金指标", "投入", "≤", "6", "万元"),
    ]
    findings = found(CLEAN_B, (f"{P}/indicators", only), settings=settings)
    assert outline(findings) == [("A002", "error", f"{P}/indicators/1/value")]
    assert outline(found(CLEAN_B, (f"{P}/indicators", only[:1]), settings=settings)) == [
        ("C002", "error", f"{P}/indicators")
    ]


def test_county_configures_its_own_required_fields() -> None:
    settings = CheckSettings(required_fields=(RequiredField(path="/projects/*/category", title="项目类别"),))
    assert outline(found(CLEAN_B, ("/reviewing_body", ""), settings=settings)) == [("C001", "error", f"{P}/category")]


@pytest.mark.parametrize(
    "path", ["", "projects", "/projekts", "/projects/name", "/department/*/name", "/projects/*", "/title/x", "/title/*"]
)
def test_path_that_the_schema_lacks_is_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        RequiredField(path=path, title="某项")


@pytest.mark.parametrize(
    "schemes",
    [(), (SCHEME_A,), (SCHEME_B,), (SCHEME_A, SCHEME_A, SCHEME_B)],
    ids=["none", "no end", "no beginning", "overlap"],
)
def test_year_without_exactly_one_scheme_is_refused(schemes: tuple[Scheme, ...]) -> None:
    with pytest.raises(ValidationError):
        CheckSettings(schemes=schemes)


@pytest.mark.parametrize(
    "change",
    [
        {"required": [{"title": "过程", "level": "过程"}]},
        {"required": [{"title": "过程", "level": "产出", "kinds": ["过程"]}]},
        {"money": [["产出", "过程"]]},
    ],
)
def test_scheme_that_names_unknown_kinds_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Scheme.model_validate({**SCHEME_A.model_dump(), **change})


def test_settings_survive_a_round_trip_through_json() -> None:
    settings = CheckSettings(division="130306", required_checkpoints=("6月底",))
    assert CheckSettings.model_validate_json(settings.model_dump_json()) == settings


def test_malformed_division_is_refused() -> None:
    with pytest.raises(ValidationError):
        CheckSettings(division="13030６")


def test_words_of_a_county_are_foreign_to_a_city() -> None:
    city = [("/reviewing_body", "清河市财政局"), ("/department/unit_name", "清河市图书馆")]
    assert found(CLEAN_A, *city) == ()
    place = "/overall/items/0/text"
    assert outline(found(CLEAN_A, *city, (place, "全县居民不间断开放。"))) == [("R004", "hint", place)]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("/projects/0/goals/0/text", "每季度举办读书会3场"),
        ("/projects/0/goals/0/text", "每个乡镇举办读书会2场"),
        ("/projects/0/indicators/5/value", "明显改善、有所改善、没有改善"),
    ],
)
def test_what_is_no_contradiction_and_no_empty_word_is_left_alone(place: str, words: str) -> None:
    assert found(CLEAN_A, (place, words)) == ()


@pytest.mark.parametrize("name", ["成本控制率", "活动总成本占比", "节约办公经费", "压减接待支出"])
def test_a_share_of_a_cost_may_be_a_percent(name: str) -> None:
    findings = found(CLEAN_A, (f"{COST}/name", name), (f"{COST}/unit", "%"), (f"{COST}/value", "95"))
    assert "A003" not in {item.code for item in findings}


@pytest.mark.parametrize(
    "goal", ["读书会参加人次达到60人次", "每场参加人次达到60人次", "参加人次达到1500人次", "全年参加人次增加60人次"]
)
def test_a_short_name_inside_a_sentence_is_not_compared(goal: str) -> None:
    findings = found(CLEAN_A, (f"{P}/goals/0/text", goal))
    assert "A005" not in {item.code for item in findings}
