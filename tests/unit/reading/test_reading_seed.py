"""The real seed, field by field. Its text stays outside the repository: long texts are taken from its lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from reading_look import Look

from models.findings import Severity


@pytest.fixture(scope="module")
def seed(seed_text: str, look: Callable[..., Look]) -> Look:
    return look(seed_text)


def test_cover_and_department(seed: Look) -> None:
    assert seed["/title"] == "2021年部门预算绩效文本"
    assert seed["/fiscal_year"] == 2021
    assert seed["/reviewing_body"] == "秦皇岛市抚宁区财政局"
    assert seed["/department"] == {
        "name": "科协",
        "code": "731",
        "unit_code": "731001",
        "unit_name": "秦皇岛市抚宁区科学技术协会本级",
    }
    assert "extra" not in seed.json
    assert seed.reading.encoding == "utf-8"


def test_contents_list(seed: Look) -> None:
    assert [(entry.page, entry.line) for entry in seed.reading.contents] == [
        (None, 15), (2, 17), (3, 18), (4, 19), (None, 21), (7, 23),
    ]  # fmt: skip
    assert seed.reading.contents[5].title == "1.科普经费绩效目标表"


def test_overall(seed: Look, seed_text: str) -> None:
    lines = seed_text.splitlines()
    assert seed["/overall/introduction"] == lines[31]
    assert [item["title"] for item in seed["/overall/items"]] == [
        "加强意识形态建设",
        "夯实科协组织建设",
        "建好科技工作者之家",
        "推动科普工作深入开展",
        "完成区委区政府交办的各项中心工作",
    ]
    assert [item["text"] for item in seed["/overall/items"]] == [lines[at] for at in (35, 39, 43, 47, 51)]
    assert [item["id"] for item in seed["/overall/items"]] == ["o1", "o2", "o3", "o4", "o5"]


def test_sub_goals(seed: Look, seed_text: str) -> None:
    lines = seed_text.splitlines()
    assert [goal["name"] for goal in seed["/sub_goals"]] == ["科学技术普及", "政务管理"]
    assert seed["/sub_goals/0/indicator"] == lines[57].removeprefix("绩效指标：")
    assert seed["/sub_goals/1/indicator"] == lines[61].removeprefix("绩效指：") + lines[63]
    assert seed["/sub_goals/0/projects"] == ["p1"]
    assert seed["/sub_goals/1/projects"] is None


def test_safeguards(seed: Look, seed_text: str) -> None:
    lines = seed_text.splitlines()
    assert [item["title"] for item in seed["/safeguards"]] == [
        "完善制度建设",
        "加强支出管理",
        "加强绩效运行监控",
        "做好绩效自评",
        "规范财务资产管理",
        "加强内部监督",
        "加强宣传培训调研",
    ]
    texts = [item["text"] for item in seed["/safeguards"]]
    assert texts == [lines[69], lines[73], lines[77], lines[81], lines[85] + lines[87], lines[91], lines[95]]


def test_project(seed: Look, seed_text: str) -> None:
    rows = [line.split("\t") for line in seed_text.splitlines()]
    assert len(seed["/projects"]) == 1
    project = seed["/projects/0"]
    assert project["code"] == "13030621G5NX247OTT0DE"
    assert project["name"] == "科普经费"
    assert project["budget"] == {"total": "53100.00", "fiscal": "53100.00", "other": "0.00"}
    assert project["purpose"] == rows[109][1]
    assert project["spending_plan"] == [
        {"checkpoint": "3月底", "percent": "20.00"},
        {"checkpoint": "6月底", "percent": "60.00"},
        {"checkpoint": "10月底", "percent": "80.00"},
    ]
    goals = [rows[112][1].removeprefix("1."), rows[113][1].removeprefix("2."), rows[114][0].removeprefix("3.")]
    assert [goal["text"] for goal in project["goals"]] == goals
    assert all(len(goal) > 30 and goal.endswith("。") for goal in goals)


_RATE = {"sign": "≥", "value": "95", "unit": "%", "remark": "完成率 达到 95%", "direction": "正向"}
_INDICATORS: list[tuple[str, str, str, str, dict[str, str]]] = [
    ("产出指标", "数量指标", "开展下乡活动5次", "开展5次活动", {"value": "5", "unit": "次", "remark": "开展5次活动"}),
    ("产出指标", "数量指标", "举办培训班12期，培训500人", "举办培训班12期，培训500人", {"value": "举办培训班12期，培训500人"}),
    ("产出指标", "数量指标", "组织科普活动、文艺演出等", "发放资料10000册",
     {"value": "10000", "unit": "册", "remark": "发放资料10000册"}),
    ("产出指标", "质量指标", "科普活动效果", "≥95 完成率 达到 95%", _RATE),
    ("产出指标", "时效指标", "活动按时完成率", "≥95 完成率 达到 95%", _RATE),
    ("产出指标", "成本指标", "科普活动花费资金", "5.31 科普活动花费资金 5.31 万元",
     {"value": "5.31", "unit": "万元", "remark": "科普活动花费资金 5.31 万元"}),
    ("效益指标", "经济效益指标", "经济效益", "≥95 完成率 达到 95%", _RATE),
    ("效益指标", "社会效益指标", "社会效益", "≥95 完成率 达到 95%", _RATE),
    ("满意度指标", "服务对象满意度指标", "服务对象满意度", "≥100 完成率 达到 100%",
     {**_RATE, "value": "100", "remark": "完成率 达到 100%"}),
]  # fmt: skip


def test_nine_indicators_with_every_field(seed: Look, seed_text: str) -> None:
    rows = [line.split("\t") for line in seed_text.splitlines()[116:125]]
    expected: list[dict[str, Any]] = [
        {
            "id": f"i{at}",
            "level1": level1,
            "level2": level2,
            "name": name,
            "description": rows[at - 1][3],
            "basis": "年度工作计划",
            "raw_value": raw,
            **value,
        }
        for at, (level1, level2, name, raw, value) in enumerate(_INDICATORS, start=1)
    ]
    assert seed["/projects/0/indicators"] == expected


def test_findings_of_the_seed(seed: Look) -> None:
    """All of them, so that a new or lost finding shows."""
    found = [(item.code, item.place, item.line, item.repaired) for item in seed.reading.findings]
    rates = [
        row
        for at, line in ((3, 120), (4, 121), (6, 123), (7, 124), (8, 125))
        for row in (
            ("I082", f"/projects/0/indicators/{at}/unit", line, "%"),
            ("I089", f"/projects/0/indicators/{at}/direction", line, "正向"),
        )
    ]
    others = [
        ("I011", "/title", 5, "2021年部门预算绩效文本"),
        ("I012", "", 7, None),
        ("I004", "", 24, None),
        ("I031", "/overall/items", 46, None),
        ("I031", "", 68, None),
        ("I040", "/sub_goals/0/projects/0", 56, "p1"),
        ("I036", "/sub_goals/1/indicator", 62, "绩效指标："),
        ("I038", "/sub_goals/1/indicator", 64, "，助推科普事业发展能力提升;保障机关网站"),
        ("I038", "/safeguards/4/text", 88, "暂行规定。严格报销审核程序，强化内部控制"),
        ("I065", "/department/code", 104, "731"),
        ("I061", "/projects/0/code", 108, "13030621G5NX247OTT0DE"),
        ("I062", "/projects/0/code", 108, None),
        ("I053", "/projects/0/goals/2/text", 115, seed["/projects/0/goals/2/text"]),
        ("I083", "/projects/0/indicators/0/value", 117, "5"),
        ("I082", "/projects/0/indicators/0/unit", 117, "次"),
        ("I086", "/projects/0/indicators/0/sign", 117, None),
        ("I041", "/projects/0/indicators/0/description", 117, None),
        ("I084", "/projects/0/indicators/1/value", 118, None),
        ("I083", "/projects/0/indicators/2/value", 119, "10000"),
        ("I082", "/projects/0/indicators/2/unit", 119, "册"),
        ("I086", "/projects/0/indicators/2/sign", 119, None),
        ("I082", "/projects/0/indicators/5/unit", 122, "万元"),
        ("I086", "/projects/0/indicators/5/sign", 122, None),
    ]
    assert sorted(found, key=str) == sorted([*rates, *others], key=str)
    assert not [item for item in seed.reading.findings if item.severity is Severity.ERROR]


def test_authors_slips_stay(seed: Look) -> None:
    assert "农业业生产" in seed["/projects/0/indicators/0/description"]
    assert "各工项工作" in seed["/sub_goals/1/indicator"]


def test_seed_without_trailing_tabs_reads_the_same(seed: Look, seed_text: str, look: Callable[..., Look]) -> None:
    bare = look("\n".join(line.rstrip("\t") for line in seed_text.split("\n")))
    assert bare.json == seed.json
    assert bare.one("I051").place == "/projects/0"
