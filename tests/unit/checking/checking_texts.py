"""Texts to check, in wording of our own: two clean ones, and one with the shape of the seed."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from documents.checking import ALONE, DEFAULT, CheckSettings, Surroundings, Unconfirmed, check
from models import places
from models.content import BudgetText, from_json
from models.findings import CheckFinding

Json = dict[str, Any]


def indicator(number: int, level1: str, level2: str, name: str, sign: str | None, value: str, unit: str) -> Json:
    made = {
        "id": f"i{number}",
        "level1": level1,
        "level2": level2,
        "name": name,
        "description": f"说明{name}怎样统计",
        "value": value,
        "unit": unit,
        # Bases that differ, or every text would break C006.
        "basis": f"年度工作计划第 {number} 条",
    }
    return made if sign is None else {**made, "sign": sign}


def project(number: int, code: str, name: str, indicators: list[Json]) -> Json:
    return {
        "id": f"p{number}",
        "code": code,
        "name": name,
        "budget": {"total": "53100.00", "fiscal": "50000.00", "other": "3100.00"},
        "purpose": "用于面向居民的读书活动",
        "spending_plan": [
            {"checkpoint": "3月底", "percent": "20.00"},
            {"checkpoint": "6月底", "percent": "60.00"},
            {"checkpoint": "12月底", "percent": "100.00"},
        ],
        "goals": [{"id": "t1", "text": "让更多居民参加读书活动"}],
        # Words of the project's own: the same in two projects would be a copy (R003).
        "indicators": [
            {**item, "description": item["description"].replace("怎样", f"在{name}中怎样")} for item in indicators
        ],
    }


def indicators(cost_level1: str, cost_level2: str) -> list[Json]:
    return [
        indicator(1, "产出指标", "数量指标", "读书会场次", "≥", "12", "场"),
        indicator(2, "产出指标", "数量指标", "参加人次", "≥", "1,500", "人次"),
        indicator(3, "产出指标", "质量指标", "活动合格率", "≥", "95", "%"),
        indicator(4, "产出指标", "时效指标", "完成月份", "≤", "12", "月"),
        indicator(5, cost_level1, cost_level2, "活动总成本", "≤", "5.31", "万元"),
        indicator(6, "效益指标", "社会效益指标", "居民阅读习惯", "定性", "持续改善（优、良、中、差）", ""),
        indicator(7, "满意度指标", "服务对象满意度指标", "参加者满意度", "≥", "90", "%"),
    ]


def text(year: int, title: str, projects: list[Json]) -> Json:
    return {
        "schema": "jixiao/budget-text/1",
        "title": title,
        "fiscal_year": year,
        "department": {"name": "文旅局", "code": "612", "unit_code": "612001", "unit_name": "清河县文化和旅游局本级"},
        "reviewing_body": "清河县财政局",
        "overall": {
            "introduction": f"{year}年县文化和旅游局以公共阅读为重点，继续巩固2018年以来的成果。",
            "items": [{"id": "o1", "title": "办好公共阅读", "text": "全年不间断开放阅览室。"}],
            "indicators": [indicator(1, "产出指标", "数量指标", "阅览室开放天数", "≥", "300", "天")],
        },
        "sub_goals": [{"id": "g1", "name": "全民阅读", "indicator": "读书活动覆盖各乡镇。", "projects": ["p1", "p2"]}],
        "safeguards": [{"id": "s1", "title": "落实责任", "text": "每项支出由专人负责。"}],
        "projects": projects,
    }


CLEAN_A: Json = text(
    2021,
    "2021年部门预算绩效文本",
    [
        project(1, "13099921A7B4C8D9E1F2G", "读书会经费", indicators("产出指标", "成本指标")),
        project(2, "13099921H3J4K5L6M7N8P", "阅览室经费", indicators("产出指标", "成本指标")),
    ],
)
CLEAN_B: Json = text(
    2023,
    "2023 年部门预算绩效文本",
    [project(1, "13099923A7B4C8D9E1F2G", "读书会经费", indicators("成本指标", "经济成本指标"))],
)


def like_the_seed() -> Json:
    """The shape of the seed after its repairs are confirmed: no sums wrong, but few signs and a plan that ends at 80 %."""
    made = project(
        1,
        "13030621G5NX247OTT0DE",
        "阅读推广经费",
        [
            indicator(1, "产出指标", "数量指标", "开展送书活动", None, "5", "次"),
            indicator(2, "产出指标", "数量指标", "举办读书班6期，参加300人", None, "举办读书班6期，参加300人", ""),
            indicator(3, "产出指标", "数量指标", "发放书目", None, "10000", "册"),
            indicator(4, "产出指标", "质量指标", "活动效果", "≥", "95", "%"),
            indicator(5, "产出指标", "时效指标", "按时完成率", "≥", "95", "%"),
            {**indicator(6, "产出指标", "成本指标", "活动花费", None, "5.31", "万元"), "remark": "活动花费 5.31 万元"},
            indicator(7, "效益指标", "经济效益指标", "经济效益", "≥", "95", "%"),
            indicator(8, "效益指标", "社会效益指标", "社会效益", "≥", "95", "%"),
            indicator(9, "满意度指标", "服务对象满意度指标", "服务对象满意度", "≥", "100", "%"),
        ],
    )
    made["budget"] = {"total": "53100.00", "fiscal": "53100.00", "other": "0.00"}
    made["spending_plan"] = [
        {"checkpoint": "3月底", "percent": "20.00"},
        {"checkpoint": "6月底", "percent": "60.00"},
        {"checkpoint": "10月底", "percent": "80.00"},
    ]
    return text(2021, "2021 年部门预算绩效文本", [made])


def content(value: Json, *changes: tuple[str, Any]) -> BudgetText:
    """The content of a text with members changed (None removes a member)."""
    for place, member in changes:
        value = places.put(value, place, member)
    return from_json(value)


def found(
    value: Json,
    *changes: tuple[str, Any],
    settings: CheckSettings = DEFAULT,
    unconfirmed: Sequence[Unconfirmed] = (),
    surroundings: Surroundings = ALONE,
) -> tuple[CheckFinding, ...]:
    return check(content(value, *changes), settings=settings, unconfirmed=unconfirmed, surroundings=surroundings)


def outline(findings: Sequence[CheckFinding]) -> list[tuple[str, str, str]]:
    return [(finding.code, finding.severity.value, finding.place) for finding in findings]


def renumbered(value: Json, count: int) -> Json:
    """The text with its first project ``count`` times, each with an id of its own."""
    # Copies share nothing, or a change of one would change them all.
    projects = [{**deepcopy(value["projects"][0]), "id": f"p{n}"} for n in range(count)]
    for number, item in enumerate(projects):
        for one in item["indicators"]:
            one["description"] += f"（第{number}个项目）"
    goals = [{**value["sub_goals"][0], "projects": [item["id"] for item in projects]}]
    return {**value, "projects": projects, "sub_goals": goals}
