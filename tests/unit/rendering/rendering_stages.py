"""Texts and stages in our own wording for the rendering tests: one project with nine indicators, or any number."""

from datetime import UTC, date, datetime

from documents.rendering import Opinion, Stage, Step, place_title
from models.content import BudgetText, content_hash, from_json

SENTENCE = "面向乡村和社区组织科普活动，健全联系机制，帮助科技人员解决工作中的实际困难，让更多群众受益。"
INDICATORS = [
    ("产出指标", "数量指标", "开展下乡活动", None, "5", "次", "开展5次活动"),
    ("产出指标", "数量指标", "举办培训班", None, "12", "期", "举办培训班12期，培训500人"),
    ("产出指标", "数量指标", "发放宣传资料", None, "10000", "册", "发放资料10000册"),
    ("产出指标", "质量指标", "科普活动效果", "≥", "95", "%", "完成率 达到 95%"),
    ("产出指标", "时效指标", "活动按时完成率", "≥", "95", "%", None),
    ("产出指标", "成本指标", "科普活动花费资金", None, "5.31", "万元", "科普活动花费资金 5.31 万元"),
    ("效益指标", "经济效益指标", "农户增收", "≥", "90", "%", None),
    ("效益指标", "社会效益指标", "科学素质提高", "定性", "明显提高", None, None),
    ("满意度指标", "服务对象满意度指标", "群众满意度", "≥", "95", "%", None),
]


def _indicator(position: int, kind: tuple[str | None, ...], project: int) -> dict:
    level1, level2, name, sign, value, unit, remark = kind
    return {
        "id": f"i{position}",
        "level1": level1,
        "level2": level2,
        "name": name,
        "description": f"第{project}个项目第{position}项指标，按实际完成的数量与计划数相比较统计",
        "sign": sign,
        "value": value,
        "unit": unit,
        "remark": remark,
        "basis": "年度工作计划",
    }


def project(number: int = 1, **members: object) -> dict:
    return {
        "id": f"p{number}",
        "code": f"13030621G5NX247OTT{number:03d}",
        "name": "科普经费" if number == 1 else f"乡村科技服务经费第{number}批",
        "budget": {"total": f"{53000 + number}.00", "fiscal": f"{52000 + number}.00", "other": "1000.00"},
        "purpose": f"第{number}个项目用于全年活动的场地、资料和讲师支出，包括科技活动周和全国科普日的各项活动。",
        "spending_plan": [
            {"checkpoint": "3月底", "percent": "20.00"},
            {"checkpoint": "6月底", "percent": "60.00"},
            {"checkpoint": "10月底", "percent": "80.00"},
        ],
        "goals": [
            {"id": "t1", "text": "在全区营造尊重科学、学习科学的氛围。"},
            {"id": "t2", "text": "提高活动的质量和参与面，让更多群众受益。"},
        ],
        "indicators": [_indicator(position, kind, number) for position, kind in enumerate(INDICATORS, start=1)],
        **members,
    }


def text(count: int = 1, **members: object) -> BudgetText:
    return from_json(
        {
            "fiscal_year": 2021,
            "title": "2021年部门预算绩效文本",
            "department": {"name": "科协", "unit_code": "731001", "unit_name": "清河县科学技术协会本级"},
            "reviewing_body": "清河县财政局",
            "overall": {
                "introduction": SENTENCE,
                "items": [{"id": f"o{n}", "title": f"重点工作之{n}", "text": SENTENCE * 4} for n in (1, 2, 3, 4, 5)],
            },
            "sub_goals": [
                {"id": "g1", "name": "科学技术普及", "indicator": SENTENCE * 5, "projects": ["p1"]},
                {"id": "g2", "name": "政务管理", "indicator": SENTENCE},
            ],
            "safeguards": [
                {"id": f"s{n}", "title": f"保障措施之{n}", "text": SENTENCE * 4} for n in (1, 2, 3, 4, 5, 6, 7)
            ],
            "projects": [project(number) for number in range(1, count + 1)],
            **members,
        }
    )


STATUSES = {"draft": "草案", "approval": "批复稿", "publication": "公开稿"}


def opinions(content: BudgetText) -> tuple[Opinion, ...]:
    rows = [
        ("/projects/p1/indicators/i2/value", "必改", "一个指标里有两个数值。", "拆为两个指标。", "F002"),
        ("/projects/p1/budget/total", "建议", "成本与预算数的单位不一致。", "统一为元。", "A003"),
        ("/sub_goals/g2", "疑问", "没有对应的预算项目。", "说明由哪项经费保障。", "C005"),
        ("/overall/items/o5", "建议", "与职责的关系不够明确。", "", ""),
    ]
    return tuple(
        Opinion(place, place_title(content, place), "", kind, problem, wanted, rule, level="初审")
        for place, kind, problem, wanted, rule in rows
    )


def stage(document: str = "draft", content: BudgetText | None = None, **members: object) -> Stage:
    content = text() if content is None else content
    values: dict = {
        "text_id": "01932f6e-8f4b-7c1a-9d3e-5b6a7c8d9e0f",
        "version": 3,
        "content_hash": content_hash(content),
        "status": STATUSES.get(document, "送审稿"),
        "issued_on": date(2021, 3, 5),
        "department": "清河县科学技术协会",
        "finance": "清河县财政局",
        "steps": (Step("报送", "清河县科学技术协会", datetime(2021, 3, 1, 17, 30, tzinfo=UTC)),),
        **members,
    }
    return Stage(document=document, content=content, **values)
