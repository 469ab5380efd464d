"""One clean text that breaks no rule, and for each rule and each half of one, one change that breaks just that code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from checking_texts import CLEAN_A, CLEAN_B, Json, content, found, indicator, like_the_seed, outline

from documents.checking import ALONE, DEFAULT, CheckSettings, Surroundings, Unconfirmed, errors, rules
from documents.checking.corpus import neighbours
from documents.checking.fields import REQUIRED_FIELDS, RequiredField
from documents.checking.settings import BudgetList
from models.findings import ReadingFinding, Severity

P = "/projects/0"
COST = f"{P}/indicators/4"


@dataclass(frozen=True)
class Mutation:
    """One change of a clean text and the findings it must bring, and no others."""

    name: str
    place: str
    member: Any
    expected: list[tuple[str, str, str]]
    base: Json = field(default_factory=lambda: CLEAN_A)
    unconfirmed: tuple[Unconfirmed, ...] = ()
    settings: CheckSettings = DEFAULT
    surroundings: Surroundings = ALONE


def without(number: int) -> list[Json]:
    """The first project's indicators without one of them."""
    return [item for position, item in enumerate(CLEAN_A["projects"][0]["indicators"]) if position != number]


def with_cost(**members: Any) -> Json:
    """The first project's cost indicator with some members changed."""
    return {**CLEAN_A["projects"][0]["indicators"][4], **members}


def and_cost(*more: Json) -> list[Json]:
    """The first project's indicators and more of them."""
    return [*CLEAN_A["projects"][0]["indicators"], *more]


def plan(*shares: str) -> list[Json]:
    return [{"checkpoint": f"{number * 3}月底", "percent": share} for number, share in enumerate(shares, start=1)]


def weighted(*shares: str) -> list[Json]:
    return [{**item, "weight": share} for item, share in zip(CLEAN_A["projects"][0]["indicators"], shares, strict=True)]


def reported(code: str, raw: str, place: str = "") -> Surroundings:
    """What a reader says of a heading."""
    return Surroundings(read=(ReadingFinding(code, Severity.WARNING, place, raw, "", 1.0),))


def beside(*changes: tuple[str, Any]) -> Surroundings:
    """Another department's text of the year, with words of its own but for what is given."""
    other = content(CLEAN_A, ("/department/name", "农业局"), ("/department/unit_code", "431001"), *changes)
    own = content(CLEAN_A)
    return Surroundings(neighbours=neighbours([("文旅局", own), ("农业局", other)], similarity=95, length=12))


def others_words() -> list[Json]:
    return [
        {**item, "id": f"k{at}", "name": f"农技{at}", "description": f"农技站的第{at}件事"}
        for at, item in enumerate(without(9))
    ]


def before(*changes: tuple[str, Any]) -> Surroundings:
    """Last year's text of the department; its words and values differ, but for what is given."""
    last = [
        {**item, "value": f"{item['value']}0", "description": f"去年的{item['description']}"} for item in without(9)
    ]
    for item in last:
        if item["sign"] == "定性":
            item["value"] = "优、良、差"
        elif item["name"] != "读书会场次":
            item["value"] = item["value"].removesuffix("0") + ".1"
        else:
            item["value"] = "11"
    base = content(CLEAN_A, ("/fiscal_year", 2020), (f"{P}/indicators", last), ("/projects/1", None), *changes)
    return Surroundings(last_year=base)


MUTATIONS = [
    Mutation(
        "a required checkpoint is not in the plan",
        f"{P}/spending_plan/1/checkpoint",
        "7月底",
        [("C001", "error", f"{P}/spending_plan")],
        settings=CheckSettings(required_checkpoints=("6月底",)),
    ),
    Mutation("marks for empty", f"{P}/purpose", " —— / …… ", [("C001", "error", f"{P}/purpose")]),
    Mutation("no quality", f"{P}/indicators", without(2), [("C002", "error", f"{P}/indicators")]),
    Mutation("no time", f"{P}/indicators", without(3), [("C002", "error", f"{P}/indicators")]),
    Mutation("no cost", f"{P}/indicators", without(4), [("C002", "error", f"{P}/indicators")]),
    Mutation("no benefit", f"{P}/indicators", without(5), [("C002", "error", f"{P}/indicators")]),
    Mutation("no satisfaction", f"{P}/indicators", without(6), [("C002", "error", f"{P}/indicators")]),
    Mutation("no quantity", f"{P}/indicators", without(0)[1:], [("C002", "error", f"{P}/indicators")]),
    Mutation(
        "quality only for the period of three years",
        f"{P}/indicators/2/period",
        "中期",
        [("C002", "error", f"{P}/indicators")],
    ),
    Mutation(
        "a repair that nobody confirmed",
        f"{P}/purpose",
        "用于读书活动",
        [("C007", "error", f"{P}/code")],
        unconfirmed=(Unconfirmed("/projects/p1/code", "13099921 A7B4C8D9E1F2G", "13099921A7B4C8D9E1F2G"),),
    ),
    Mutation(
        "unknown first level", f"{P}/indicators/0/level1", "投入指标", [("R001", "error", f"{P}/indicators/0/level1")]
    ),
    Mutation(
        "second level of another first level",
        f"{P}/indicators/0/level2",
        "社会效益指标",
        [("R001", "error", f"{P}/indicators/0/level2")],
    ),
    Mutation(
        "an indicator of the department is judged too",
        "/overall/indicators/0/level2",
        "经济成本指标",
        [("R001", "error", "/overall/indicators/0/level2")],
    ),
    Mutation("sources do not add up", f"{P}/budget/fiscal", "50000.01", [("A001", "error", f"{P}/budget/total")]),
    Mutation("cost above the budget by one fen", f"{COST}/value", "5.310001", [("A002", "error", f"{COST}/value")]),
    Mutation(
        "cost in 元 above the budget",
        COST,
        with_cost(value="53,100.01", unit="元"),
        [("A002", "error", f"{COST}/value")],
    ),
    Mutation(
        "upper end of a range above the budget",
        COST,
        with_cost(sign="区间", value="5", value_to="5.4"),
        [("A002", "error", f"{COST}/value")],
    ),
    Mutation("cost below the budget", f"{COST}/value", "5.3", [("A002", "warning", f"{COST}/value")]),
    Mutation(
        "costs together above the budget",
        f"{P}/indicators",
        and_cost(indicator(8, "产出指标", "成本指标", "印刷费", "≤", "100", "元")),
        [("A002", "error", f"{P}/indicators")],
    ),
    Mutation(
        "costs together below the budget",
        f"{P}/indicators",
        [*without(4), with_cost(value="3"), indicator(8, "产出指标", "成本指标", "印刷费", "≤", "100", "元")],
        [("A002", "warning", f"{P}/indicators")],
    ),
    Mutation(
        "cost of the period above the money of the period",
        "/projects/0",
        {
            **CLEAN_A["projects"][0],
            "budget": {**CLEAN_A["projects"][0]["budget"], "period_total": "159300.00"},
            "indicators": and_cost(
                {**indicator(8, "产出指标", "成本指标", "三年成本", "≤", "16", "万元"), "period": "中期"}
            ),
        },
        [("A002", "error", f"{P}/indicators/7/value")],
    ),
    Mutation("money without a unit", f"{COST}/unit", None, [("A003", "error", f"{COST}/unit")]),
    Mutation("a dash for the unit", f"{COST}/unit", "—", [("A003", "error", f"{COST}/unit")]),
    Mutation("元 for 万元", f"{COST}/unit", "元", [("A003", "error", f"{COST}/unit")]),
    Mutation(
        "a share for an amount",
        COST,
        indicator(5, "产出指标", "成本指标", "活动经费", "≤", "95", "%"),
        [("A003", "error", f"{COST}/unit")],
    ),
    Mutation("万元 for 元", f"{COST}/value", "53100", [("A003", "error", f"{COST}/unit")]),
    Mutation("the remark has another unit", f"{COST}/remark", "总成本 5.31 元", [("A003", "error", f"{COST}/unit")]),
    Mutation("the name has another unit", f"{COST}/name", "总成本53100万元", [("A003", "error", f"{COST}/unit")]),
    Mutation(
        "the costs together are in the wrong unit",
        f"{P}/indicators",
        [
            *without(4),
            with_cost(value="5", unit="元"),
            indicator(8, "产出指标", "成本指标", "印刷费", "≤", "0.31", "元"),
        ],
        [("A003", "error", f"{P}/indicators")],
    ),
    Mutation(
        "plan decreases",
        f"{P}/spending_plan",
        plan("60", "20", "100"),
        [("A004", "error", f"{P}/spending_plan/1/percent")],
    ),
    Mutation(
        "plan above 100",
        f"{P}/spending_plan",
        plan("60", "100.01"),
        [("A004", "error", f"{P}/spending_plan/1/percent")],
    ),
    Mutation(
        "plan below 0", f"{P}/spending_plan", plan("-0.01", "100"), [("A004", "error", f"{P}/spending_plan/0/percent")]
    ),
    Mutation(
        "plan ends below 100",
        f"{P}/spending_plan/2/percent",
        "99.99",
        [("A004", "hint", f"{P}/spending_plan/2/percent")],
    ),
    Mutation("no number", f"{P}/indicators/0/value", "多场", [("F001", "error", f"{P}/indicators/0/value")]),
    Mutation(
        "numbering is no number", f"{P}/indicators/0/value", "①多场", [("F001", "error", f"{P}/indicators/0/value")]
    ),
    Mutation("no sign", f"{P}/indicators/0/sign", None, [("F001", "warning", f"{P}/indicators/0/sign")]),
    Mutation("range with one end", f"{P}/indicators/0/sign", "区间", [("F001", "error", f"{P}/indicators/0/value_to")]),
    Mutation("code too short", f"{P}/code", "13099921A7B4C8D9E1F2", [("T001", "error", f"{P}/code")]),
    Mutation("code too long", f"{P}/code", "13099921A7B4C8D9E1F2GH", [("T001", "error", f"{P}/code")]),
    Mutation("code with a blank", f"{P}/code", "13099921A7B4 C8D9E1F2G", [("T001", "error", f"{P}/code")]),
    Mutation("code with lower case", f"{P}/code", "13099921a7B4C8D9E1F2G", [("T001", "error", f"{P}/code")]),
    Mutation("code with full-width digits", f"{P}/code", "１3099921A7B4C8D9E1F2G", [("T001", "error", f"{P}/code")]),
    Mutation("letter O among the digits", f"{P}/code", "13O99921A7B4C8D9E1F2G", [("T001", "error", f"{P}/code")]),
    Mutation("letter O in the code", f"{P}/code", "13099921A7B4C8D9E1F2O", [("T001", "warning", f"{P}/code")]),
    Mutation(
        "another division than the other project, and nobody knows which is right",
        f"{P}/code",
        "13099821A7B4C8D9E1F2G",
        [("T001", "error", f"{P}/code"), ("T001", "error", "/projects/1/code")],
    ),
    Mutation(
        "another division than the configured one",
        f"{P}/code",
        "13099821A7B4C8D9E1F2G",
        [("T001", "error", f"{P}/code")],
        settings=CheckSettings(division="130999"),
    ),
    # The table of the domain gives a code's year to both rules; T003 reports it once for the text.
    Mutation(
        "another year in the code",
        f"{P}/code",
        "13099922A7B4C8D9E1F2G",
        [("T001", "error", f"{P}/code"), ("T003", "error", "/fiscal_year")],
    ),
    Mutation("another year on the cover", "/title", "2022年部门预算绩效文本", [("T003", "error", "/title")]),
    Mutation("another year in Chinese digits", "/title", "二〇二二年部门预算绩效文本", [("T003", "error", "/title")]),
    Mutation("another year after the name", "/title", "清河县文旅局2022 年绩效文本", [("T003", "error", "/title")]),
    Mutation(
        "another year at the beginning of the introduction",
        "/overall/introduction",
        " 2020 年全局工作以阅读为重点。",
        [("T003", "error", "/overall/introduction")],
    ),
    Mutation(
        "scheme A in a year of scheme B",
        f"{P}/indicators",
        CLEAN_B["projects"][0]["indicators"] + [indicator(8, "产出指标", "成本指标", "总成本", "≤", "5.31", "万元")],
        [("R001", "error", f"{P}/indicators/7/level2")],
        base=CLEAN_B,
    ),
    Mutation(
        "no cost in scheme B",
        f"{P}/indicators",
        without(4),
        [("C002", "error", f"{P}/indicators")],
        base=CLEAN_B,
    ),
    Mutation(
        "cost above the budget in scheme B", f"{COST}/value", "6", [("A002", "error", f"{COST}/value")], base=CLEAN_B
    ),
    Mutation(
        "money without a unit in scheme B", f"{COST}/unit", None, [("A003", "error", f"{COST}/unit")], base=CLEAN_B
    ),
    Mutation(
        "a project of the budget list has no table",
        "/title",
        "2021年部门预算绩效文本（一）",
        [("C003", "error", "/projects")],
        settings=CheckSettings(
            budget_lists=(BudgetList(year=2021, department="612", projects=("读书会经费", "阅览室经费", "送书车经费")),)
        ),
    ),
    Mutation(
        "a table is in no budget list",
        "/title",
        "2021年部门预算绩效文本（一）",
        [("C003", "error", "/projects/1/name")],
        settings=CheckSettings(
            budget_lists=(BudgetList(year=2021, department="文旅局", projects=("13099921A7B4C8D9E1F2G",)),)
        ),
    ),
    Mutation(
        "a contents entry without a table",
        "/title",
        "2021年部门预算绩效文本（一）",
        [("C003", "error", "/projects")],
        surroundings=reported("I021", "3.流动图书车绩效目标表"),
    ),
    Mutation(
        "a table without a contents entry",
        "/title",
        "2021年部门预算绩效文本（一）",
        [("C003", "error", "/projects/1/name")],
        surroundings=reported("I022", "2.阅览室经费绩效目标表", "/projects/1/name"),
    ),
    Mutation(
        "the contents call a project otherwise",
        "/title",
        "2021年部门预算绩效文本（一）",
        [("C004", "warning", f"{P}/name")],
        surroundings=reported("I021", "1.读书会经费用绩效目标表"),
    ),
    Mutation(
        "the table's title calls its project otherwise",
        "/title",
        "2021年部门预算绩效文本（一）",
        [("C004", "warning", f"{P}/name")],
        surroundings=reported("I059", "读书活动经费绩效目标表", f"{P}/name"),
    ),
    Mutation(
        "a sub-goal without a project",
        "/sub_goals/-",
        {"id": "g2", "name": "馆务", "indicator": "馆舍平稳运行。"},
        [("C005", "warning", "/sub_goals/1/projects")],
    ),
    Mutation(
        "a sub-goal with a project that does not exist",
        "/sub_goals/-",
        {"id": "g2", "name": "馆务", "indicator": "馆舍平稳运行。", "projects": ["p9"]},
        [("C005", "warning", "/sub_goals/1/projects")],
    ),
    Mutation(
        "a project that serves no sub-goal", "/sub_goals/0/projects", ["p1"], [("C005", "warning", "/projects/1")]
    ),
    Mutation("no basis", f"{P}/indicators/0/basis", "", [("C006", "warning", f"{P}/indicators/0/basis")]),
    Mutation(
        "no basis anywhere",
        f"{P}/indicators",
        [{**item, "basis": ""} for item in without(9)],
        [("C006", "warning", f"{P}/indicators")],
    ),
    Mutation(
        "one basis for all",
        f"{P}/indicators",
        [{**item, "basis": "年度工作计划"} for item in without(9)],
        [("C006", "warning", f"{P}/indicators")],
    ),
    Mutation(
        "satisfaction in another kind, by its remark",
        f"{P}/indicators/5",
        {
            **CLEAN_A["projects"][0]["indicators"][5],
            "sign": "≥",
            "value": "95",
            "unit": "%",
            "remark": "满意度 达到 95%",
        },
        [("R002", "warning", f"{P}/indicators/5/level2")],
    ),
    Mutation(
        "time by a share of what is done",
        f"{P}/indicators/3",
        {**CLEAN_A["projects"][0]["indicators"][3], "name": "任务完成比例", "value": "95", "unit": "%"},
        [("R002", "warning", f"{P}/indicators/3/name")],
    ),
    Mutation(
        "full satisfaction without its unit",
        f"{P}/indicators/6",
        {**CLEAN_A["projects"][0]["indicators"][6], "value": "100", "unit": None},
        [("A006", "warning", f"{P}/indicators/6/value")],
    ),
    Mutation("a mark twice", f"{P}/purpose", "用于读书，，方便居民", [("T002", "hint", f"{P}/purpose")]),
    Mutation(
        "stock phrases of another kind only",
        "/safeguards/0/text",
        "成立领导小组，明确分工，定期检查，保证目标如期实现。",
        [("F005", "warning", "/safeguards")],
    ),
    Mutation(
        "time by completion",
        f"{P}/indicators/3/remark",
        "完成率 达到 95%",
        [("R002", "warning", f"{P}/indicators/3/name")],
    ),
    Mutation(
        "satisfaction in another kind",
        f"{P}/indicators/2/name",
        "读者满意率",
        [("R002", "warning", f"{P}/indicators/2/level2")],
    ),
    Mutation(
        "the same indicator twice",
        f"{P}/indicators/-",
        {**CLEAN_A["projects"][0]["indicators"][0], "id": "i8"},
        [("R003", "warning", f"{P}/indicators/7/name")],
    ),
    Mutation(
        "the same indicator in two projects",
        "/projects/1/indicators/0",
        CLEAN_A["projects"][0]["indicators"][0],
        [("R003", "warning", "/projects/1/indicators/0/name")],
    ),
    Mutation(
        "a copy from another department",
        "/title",
        "2021年部门预算绩效文本（一）",
        [("R003", "warning", f"{P}/indicators/0/description")],
        surroundings=beside(
            ("/projects/1", None),
            (f"{P}/indicators", [CLEAN_A["projects"][0]["indicators"][0], *others_words()]),
            ("/safeguards/0/text", "农技站每周碰头"),
        ),
    ),
    Mutation(
        "a copy from last year",
        "/title",
        "2021年部门预算绩效文本（一）",
        [("R003", "warning", f"{P}/indicators")],
        surroundings=before((f"{P}/indicators/0", CLEAN_A["projects"][0]["indicators"][0])),
    ),
    Mutation(
        "words of another kind of area", f"{P}/purpose", "用于全区居民的读书活动", [("R004", "hint", f"{P}/purpose")]
    ),
    Mutation(
        "transfers where there are none", f"{P}/purpose", "用于转移支付的读书活动", [("R004", "hint", f"{P}/purpose")]
    ),
    Mutation(
        "a neighbouring area",
        f"{P}/purpose",
        "用于白石县居民的读书活动",
        [("R004", "hint", f"{P}/purpose")],
        settings=CheckSettings(other_areas=("白石县", "清河县")),
    ),
    Mutation(
        "a goal with another figure",
        f"{P}/goals/0/text",
        "全年办读书会10场",
        [("A005", "warning", f"{P}/goals/0/text")],
    ),
    Mutation(
        "a whole short name with another figure",
        f"{P}/goals/0/text",
        "全年参加人次达到1600人次",
        [("A005", "warning", f"{P}/goals/0/text")],
    ),
    Mutation(
        "a goal with another figure in Chinese",
        f"{P}/goals/0/text",
        "全年办读书会二十场",
        [("A005", "warning", f"{P}/goals/0/text")],
    ),
    Mutation(
        "the department's sentences with another figure",
        "/overall/items/0/text",
        "各乡镇的读书会每年15场。",
        [("A005", "warning", "/overall/items/0/text")],
    ),
    Mutation(
        "a name with another figure",
        f"{P}/indicators/0/name",
        "读书会10场",
        [("A005", "warning", f"{P}/indicators/0/name")],
    ),
    Mutation(
        "another sum for the budget",
        f"{P}/purpose",
        "项目总预算6万元，用于读书活动",
        [("A005", "warning", f"{P}/purpose")],
    ),
    Mutation("full satisfaction", f"{P}/indicators/6/value", "100", [("A006", "warning", f"{P}/indicators/6/value")]),
    Mutation("a share above 100", f"{P}/indicators/2/value", "101", [("A006", "warning", f"{P}/indicators/2/value")]),
    Mutation(
        "weights sum to 99",
        f"{P}/indicators",
        weighted("20", "20", "20", "10", "10", "10", "9"),
        [("A007", "error", f"{P}/indicators")],
    ),
    Mutation(
        "weights of a level are not its share",
        f"{P}/indicators",
        weighted("20", "20", "20", "10", "10", "10", "10"),
        [("A007", "error", f"{P}/indicators")],
        settings=CheckSettings(
            schemes=(
                DEFAULT.schemes[0].model_copy(update={"weight_shares": {"满意度": 20}}),
                DEFAULT.schemes[1],
            )
        ),
    ),
    Mutation(
        "sign and direction clash",
        f"{P}/indicators/0/direction",
        "反向",
        [("A008", "warning", f"{P}/indicators/0/direction")],
    ),
    Mutation(
        "several figures",
        f"{P}/indicators/0/value",
        "读书会12场，到场500人",
        [("F002", "warning", f"{P}/indicators/0/value")],
    ),
    Mutation("no grades", f"{P}/indicators/5/value", "明显改善", [("F003", "warning", f"{P}/indicators/5/value")]),
    Mutation(
        "far from last year",
        f"{P}/indicators/0/value",
        "22",
        [("F004", "hint", f"{P}/indicators/0/value")],
        surroundings=before(),
    ),
    Mutation(
        "far below last year",
        f"{P}/indicators/0/value",
        "5",
        [("F004", "hint", f"{P}/indicators/0/value")],
        surroundings=before(),
    ),
    Mutation(
        "stock phrases only",
        "/safeguards/0/text",
        "加强组织领导，健全工作机制，落实工作责任，确保各项工作顺利完成。",
        [("F005", "warning", "/safeguards")],
    ),
    Mutation(
        "safeguards of another department",
        "/safeguards/0/text",
        "农技站的同志每周碰头一次，逐项核对进度。",
        [("F005", "warning", "/safeguards")],
        surroundings=beside(
            ("/projects/1", None),
            (f"{P}/indicators", others_words()),
            ("/safeguards/0/text", "农技站的同志每周碰头一次，逐项核对进度。"),
        ),
    ),
    Mutation("half-width marks", f"{P}/purpose", "用于读书活动;添置书架", [("T002", "hint", f"{P}/purpose")]),
    Mutation("doubled characters", f"{P}/purpose", "用于读书活动动，添置书架", [("T002", "hint", f"{P}/purpose")]),
    Mutation(
        "mixed numbering in one member",
        f"{P}/contents",
        "（一）办读书会\n二）添置书架",
        [("T002", "hint", f"{P}/contents")],
    ),
    Mutation(
        "mixed numbering in the file",
        "/title",
        "2021年部门预算绩效文本（一）",
        [("T002", "hint", "")],
        surroundings=reported("I031", "一）总则 / 二)分则"),
    ),
]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda item: item.name)
def test_one_change_breaks_just_one_rule(mutation: Mutation) -> None:
    findings = found(
        mutation.base,
        (mutation.place, mutation.member),
        settings=mutation.settings,
        unconfirmed=mutation.unconfirmed,
        surroundings=mutation.surroundings,
    )
    assert outline(findings) == mutation.expected
    for finding in findings:
        assert finding.message.endswith("。")
        assert finding.message.count("。") == 1


@pytest.mark.parametrize("base", [CLEAN_A, CLEAN_B], ids=["scheme A", "scheme B"])
def test_clean_text_breaks_no_rule(base: Json) -> None:
    assert found(base) == ()


@pytest.mark.parametrize("required", REQUIRED_FIELDS, ids=lambda item: item.path)
def test_each_required_field_is_missed(required: RequiredField) -> None:
    place = required.path.replace("*", "0")
    owner, _, member = place.rpartition("/")
    changes = [(f"{owner}/{name}", None if member != "checkpoint" else "") for name in (member, *required.or_members)]
    findings = found(CLEAN_A, *changes)
    expected = [] if required.path == "/overall/indicators" else [("C001", "error", place)]
    assert outline(findings) == expected


def test_item_of_the_overall_goal_may_have_a_title_only() -> None:
    assert found(CLEAN_A, ("/overall/items/0/text", None)) == ()


def test_every_rule_and_every_half_has_a_mutation() -> None:
    covered = {(code, severity) for mutation in MUTATIONS for code, severity, _ in mutation.expected}
    assert {(rule.code, rule.severity.value) for rule in rules()} <= covered
    halves = {("A002", "warning"), ("A004", "hint"), ("F001", "warning"), ("T001", "warning")}
    assert halves <= covered
    for rule in rules():
        assert any({code for code, _, _ in item.expected} == {rule.code} for item in MUTATIONS), rule.code


def test_confirmed_text_like_the_seed_has_no_error() -> None:
    findings = found(like_the_seed())
    assert errors(findings) == ()
    assert outline(findings) == [
        ("A004", "hint", f"{P}/spending_plan/2/percent"),
        ("A006", "warning", f"{P}/indicators/8/value"),
        ("F001", "warning", f"{P}/indicators/0/sign"),
        ("F001", "warning", f"{P}/indicators/1/sign"),
        ("F001", "warning", f"{P}/indicators/2/sign"),
        ("F001", "warning", f"{P}/indicators/5/sign"),
        ("F002", "warning", f"{P}/indicators/1/value"),
        ("T001", "warning", f"{P}/code"),
    ]
