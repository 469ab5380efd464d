"""Generated contents: every member may be there or not, ids are unique where the schema asks for it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from models.content import (
    Budget,
    BudgetText,
    Checkpoint,
    Department,
    DepartmentBudget,
    Duty,
    Extra,
    Goal,
    Indicator,
    Item,
    Overall,
    Project,
    Schedule,
    Source,
    SubGoal,
)

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
maybe_words = st.none() | words
money = st.integers(-(10**17) + 1, 10**17 - 1).map(lambda cents: Decimal(cents).scaleb(-2))
maybe_money = st.none() | money
ids = st.builds("{}{}".format, st.sampled_from("giopst"), st.integers(1, 99))


def several(item: Any, size: int = 2) -> Any:
    return st.lists(item, max_size=size).map(tuple)


def identified(item: Any, size: int = 2) -> Any:
    return st.lists(item, max_size=size, unique_by=lambda made: made.id).map(tuple)


extras = several(st.builds(Extra, label=words, value=words))
items = identified(st.builds(Item, id=ids, title=words, text=words))
indicators = identified(
    st.builds(
        Indicator,
        id=ids,
        level1=words,
        name=words,
        sign=st.sampled_from([None, "≥", "≤", "=", ">", "<", "区间", "定性"]),
        value=words,
        value_to=maybe_words,
        unit=maybe_words,
        direction=st.sampled_from([None, "正向", "反向"]),
        weight=maybe_money,
        core=st.sampled_from([None, True, False]),
        part_of=st.none() | ids,
        extra=extras,
    )
)
projects = identified(
    st.builds(
        Project,
        id=ids,
        code=words,
        budget=st.builds(
            Budget,
            total=maybe_money,
            other=maybe_money,
            sources=several(st.builds(Source, name=words, amount=money)),
        ),
        spending_plan=several(st.builds(Checkpoint, checkpoint=words, percent=money)),
        goals=identified(st.builds(Goal, id=ids, text=words, period=st.sampled_from([None, "年度", "中期"]))),
        indicators=indicators,
        phone=maybe_words,
        schedule=several(st.builds(Schedule, content=words, start=maybe_words)),
    )
)
contents = st.builds(
    BudgetText,
    title=words,
    fiscal_year=st.integers(2000, 2099),
    department=st.builds(Department, name=words, code=maybe_words),
    reviewing_body=words,
    overall=st.builds(
        Overall,
        introduction=words,
        items=items,
        budget=st.none() | st.builds(DepartmentBudget, total=maybe_money, basic=maybe_money),
        duties=identified(st.builds(Duty, id=ids, duty=words, task=maybe_words, amount=maybe_money)),
        indicators=indicators,
    ),
    sub_goals=identified(st.builds(SubGoal, id=ids, name=words, projects=several(ids))),
    safeguards=items,
    projects=projects,
    extra=extras,
)

# The example of the format's description, in the order and with the null of the description.
EXAMPLE: dict[str, Any] = json.loads("""
{
  "schema": "jixiao/budget-text/1",
  "title": "2021年部门预算绩效文本",
  "fiscal_year": 2021,
  "department": {"name": "科协", "code": "731", "unit_code": "731001", "unit_name": "秦皇岛市抚宁区科学技术协会本级"},
  "reviewing_body": "秦皇岛市抚宁区财政局",
  "overall": {"introduction": "…", "items": [{"id": "o1", "title": "加强意识形态建设", "text": "…"}]},
  "sub_goals": [{"id": "g1", "name": "科学技术普及", "indicator": "…", "projects": ["p1"]}],
  "safeguards": [{"id": "s1", "title": "完善制度建设", "text": "…"}],
  "projects": [{
    "id": "p1", "code": "13030621G5NX247OTT0DE", "name": "科普经费",
    "budget": {"total": "53100.00", "fiscal": "53100.00", "other": "0.00"},
    "purpose": "…",
    "spending_plan": [{"checkpoint": "3月底", "percent": "20.00"}, {"checkpoint": "6月底", "percent": "60.00"},
                      {"checkpoint": "10月底", "percent": "80.00"}],
    "goals": [{"id": "t1", "text": "…"}],
    "indicators": [{
      "id": "i4", "level1": "产出指标", "level2": "质量指标", "name": "科普活动效果", "description": "…",
      "sign": "≥", "value": "95", "unit": "%", "remark": "完成率 达到 95%", "direction": "正向", "weight": null,
      "basis": "年度工作计划", "raw_value": "≥95 完成率 达到 95%"
    }]
  }]
}
""")
