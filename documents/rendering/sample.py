"""A made-up stage for trying templates out: everything that a document can hold, and the least that one can.

The wording is ours, and says of itself that it is an example, so that nobody takes a tried page for an issued one.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final

from documents.rendering.stage import ArchivedFile, Opinion, Score, ScoreSheet, Stage, Step
from documents.rendering.titles import place_title
from models.content import BudgetText, content_hash, from_json

_STATUSES: Final = {"draft": "草案", "submission": "送审稿", "approval": "批复稿", "publication": "公开稿"}
_MOMENT: Final = datetime(2021, 3, 5, 2, 0, tzinfo=UTC)
_CONTENT: Final[dict[str, Any]] = {
    "title": "2021年部门预算绩效文本（示例）",
    "fiscal_year": 2021,
    "department": {"name": "示例单位", "code": "900", "unit_code": "900001", "unit_name": "示例县示例单位本级"},
    "reviewing_body": "示例县财政局",
    "overall": {
        "introduction": "这是用来检查模板的示例。",
        "items": [{"id": "o1", "title": "示例重点工作", "text": "示例内容第一行\n示例内容第二行"}],
        "budget": {"total": "300000.00", "basic": "200000.00", "project": "100000.00"},
    },
    "sub_goals": [{"id": "g1", "name": "示例分项", "indicator": "示例分项的指标。", "projects": ["p1"]}],
    "safeguards": [{"id": "s1", "title": "示例保障", "text": "示例保障措施。"}],
    "projects": [
        {
            "id": "p1",
            "code": "900000000000000000001",
            "name": "示例项目",
            "budget": {"total": "100000.00", "fiscal": "90000.00", "other": "10000.00"},
            "purpose": "示例用途，含标记 <b> 与 # $ {{ }}。",
            "spending_plan": [
                {"checkpoint": "6月底", "percent": "50.00"},
                {"checkpoint": "12月底", "percent": "100.00"},
            ],
            "goals": [{"id": "t1", "text": "示例目标。"}],
            "indicators": [
                {
                    "id": "i1",
                    "level1": "产出指标",
                    "level2": "数量指标",
                    "name": "示例数量",
                    "description": "示例指标说明",
                    "sign": "≥",
                    "value": "10",
                    "unit": "次",
                    "basis": "示例计划",
                },
                {
                    "id": "i2",
                    "level1": "效益指标",
                    "level2": "社会效益指标",
                    "name": "示例效益",
                    "description": "示例指标说明",
                    "sign": "定性",
                    "value": "有所提高",
                    "basis": "示例计划",
                },
            ],
            "person_in_charge": "某某",
            "phone": "0000-0000000",
        }
    ],
}


def full_stage(document: str) -> Stage:
    """A stage of a document in which every member holds something."""
    content = from_json(_CONTENT)
    opinion = Opinion(
        place="/projects/p1/indicators/i1/value",
        place_title=place_title(content, "/projects/p1/indicators/i1/value"),
        quote="10",
        kind="必改",
        problem="示例问题。",
        wanted="示例要求。",
        rule="F002",
        answer="接受",
        level="初审",
        author="某某",
    )
    sheets = tuple(
        ScoreSheet(
            subject,
            title,
            "初审",
            "某某",
            (Score("完整性", "示例要点", "10", "9", "示例说明"),),
            "90",
            "优",
            "通过",
            _MOMENT,
        )
        for subject, title in (("", "部门整体绩效目标"), ("p1", "项目“示例项目”"))
    )
    return _stage(
        document,
        content,
        round=2,
        department="示例县示例单位",
        finance="示例县财政局",
        opinions=(opinion,),
        steps=(Step("报送", "示例县示例单位 部门负责人", _MOMENT, "某某", "示例意见"),),
        due_on=date(2021, 3, 15),
        reason="示例原因。",
        document_number="示例〔2021〕1号",
        conclusion="通过",
        copies_to=("示例县审计局",),
        files=(ArchivedFile("content/v0001.json", "第1版内容", "0" * 64),),
        sheets=sheets,
    )


def empty_stage(document: str) -> Stage:
    """A stage of a document with nothing in it but what can't be missing."""
    return _stage(document, from_json({"fiscal_year": 2021, "projects": [{"id": "p1"}]}))


def _stage(document: str, content: BudgetText, **members: Any) -> Stage:
    return Stage(
        document=document,
        content=content,
        text_id="00000000-0000-7000-8000-000000000000",
        version=1,
        content_hash=content_hash(content),
        status=_STATUSES.get(document, "送审稿"),
        issued_on=date(2021, 3, 5),
        **members,
    )
