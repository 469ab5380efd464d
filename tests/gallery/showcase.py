"""One text on its way, as the pictures of docs/gallery show it: every document with what it can hold, on fixed days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from documents.reading import read_file
from documents.rendering import ArchivedFile, Opinion, Stage, Step, place_title
from documents.rendering.stage import Score, ScoreSheet
from documents.reviewing.form import default_form
from models.canonical import digest
from models.content import BudgetText, content_hash, from_json, to_json

SAMPLE = Path(__file__).resolve().parents[2] / "examples" / "library-2021.txt"
DEPARTMENT, BUREAU = "青禾县图书馆", "青禾县财政局"
DRAFTER, REVIEWER, SECOND, CHIEF = "许青", "周立", "方敏", "郑远"
_SUBMITTED = datetime(2021, 1, 18, 1, 30, tzinfo=UTC)
_RETURNED = datetime(2021, 1, 22, 7, 5, tzinfo=UTC)
_AGAIN = datetime(2021, 1, 27, 2, 40, tzinfo=UTC)
_PASSED = datetime(2021, 2, 1, 8, 20, tzinfo=UTC)
_SECOND = datetime(2021, 2, 3, 3, 0, tzinfo=UTC)
_APPROVED = datetime(2021, 2, 5, 6, 45, tzinfo=UTC)
_PUBLISHED = datetime(2021, 2, 19, 1, 10, tzinfo=UTC)

# Place, kind, problem, wanted, rule, and the department's answer.
_OPINIONS = (
    ("/projects/p1/indicators/i6/sign", "必改", "成本指标没有符号，看不出是上限还是定额。", "补写“≤”。", "F002", "接受"),
    ("/projects/p1/indicators/i2/value", "必改", "一个指标里写了两个数，无法分别考核。", "拆成场次和人数两个指标，或者只留场次。", "T004", "接受"),
    ("/sub_goals/g2", "建议", "没有预算项目与这个分项目标对应。", "写明由哪项经费保障。", "C005", "说明：由公用经费保障，不另设项目"),
    ("/overall/items/o3", "疑问", "三个时段的活动是否都在馆内举办？", "", "", "说明：重阳节的活动在三个敬老院举办"),
)  # fmt: skip
_NOTES = {"明确清晰": "成本指标已补写符号", "指标科学": "讲座指标宜再细分"}


def text(*, revised: bool) -> BudgetText:
    """The content as it came in, or as the department revised it."""
    value: dict[str, Any] = to_json(read_file(SAMPLE.read_bytes(), SAMPLE.name).content)
    project = value["projects"][0]
    project |= {"person_in_charge": DRAFTER, "phone": "0399-6012345"}
    if revised:
        project["indicators"][5]["sign"] = "≤"
    return from_json(value)


def stages() -> dict[str, Stage]:
    """The stage of each document, in the order of a text's life."""
    first, second = text(revised=False), text(revised=True)
    way = _way()
    return {
        "draft": _stage("draft", first, "草案", date(2021, 1, 15)),
        "return": _stage(
            "return",
            first,
            "送审稿",
            date(2021, 1, 22),
            opinions=_opinions(first, answered=False),
            due_on=date(2021, 1, 29),
            reason="成本指标不完整，个别指标无法考核。",
            document_number="青财绩〔2021〕3号",
        ),
        "submission": _stage(
            "submission",
            second,
            "送审稿",
            date(2021, 1, 27),
            version=2,
            round=2,
            opinions=_opinions(first, answered=True),
            document_number="青图〔2021〕2号",
        ),
        "review": _stage(
            "review",
            second,
            "送审稿",
            date(2021, 2, 1),
            version=2,
            round=2,
            opinions=_opinions(second, answered=True)[2:],
            conclusion="通过",
            steps=way[:6],
            sheets=_sheets(),
        ),
        "approval": _stage(
            "approval",
            second,
            "批复稿",
            date(2021, 2, 5),
            version=2,
            round=2,
            document_number="青财绩〔2021〕11号",
            copies_to=("青禾县审计局",),
        ),
        "publication": _stage("publication", second, "公开稿", date(2021, 2, 19), version=2, round=2),
        "processing": _stage(
            "processing",
            second,
            "公开稿",
            date(2021, 2, 19),
            version=2,
            round=2,
            steps=way,
            opinions=_opinions(first, answered=True),
            conclusion="已公开",
            document_number="青财绩〔2021〕11号",
        ),
        "archive": _stage(
            "archive", second, "公开稿", date(2021, 2, 19), version=2, round=2, steps=way, files=_files(first, second)
        ),
    }


def _stage(document: str, content: BudgetText, status: str, day: date, **members: Any) -> Stage:
    return Stage(
        document=document,
        content=content,
        text_id="01770f2e-0000-7000-8000-000000000612",
        content_hash=content_hash(content),
        status=status,
        issued_on=day,
        department=DEPARTMENT,
        finance=BUREAU,
        **{"version": 1, **members},
    )


def _opinions(content: BudgetText, *, answered: bool) -> tuple[Opinion, ...]:
    return tuple(
        Opinion(
            place=place,
            place_title=place_title(content, place),
            quote="",
            kind=kind,
            problem=problem,
            wanted=wanted,
            rule=rule,
            answer=answer if answered else "",
            level="初审",
            author=REVIEWER,
        )
        for place, kind, problem, wanted, rule, answer in _OPINIONS
    )


def _way() -> tuple[Step, ...]:
    department, reviewer = f"{DEPARTMENT} 部门负责人", f"{BUREAU} 初审"
    return (
        Step("报送", department, _SUBMITTED, "陈岭", "请审核"),
        Step("退回修改", reviewer, _RETURNED, REVIEWER, "成本指标不完整，个别指标无法考核"),
        Step("修改", f"{DEPARTMENT} 经办人", datetime(2021, 1, 25, 9, 0, tzinfo=UTC), DRAFTER, "按初审意见补写符号"),
        Step("报送", department, _AGAIN, "陈岭", "已逐条修改或者说明"),
        Step("通过", reviewer, _PASSED, REVIEWER, "指标清楚"),
        Step("通过", f"{BUREAU} 复审", _SECOND, SECOND),
        Step("批复", f"{BUREAU} 审批", _APPROVED, CHIEF, "同意"),
        Step("公开", f"{DEPARTMENT} 公开", _PUBLISHED, "孟白"),
    )


def _sheets() -> tuple[ScoreSheet, ...]:
    return tuple(
        _sheet(subject, title, level, author, at, less)
        for level, author, at, less in (("初审", REVIEWER, _PASSED, 1), ("复审", SECOND, _SECOND, 2))
        for subject, title in (("", "部门整体绩效目标"), ("p1", "项目“阅读推广经费”"))
    )


def _sheet(subject: str, title: str, level: str, author: str, at: datetime, less: int) -> ScoreSheet:
    form = default_form()
    scores, total = [], 0
    for criterion in form.criteria:
        for number, item in enumerate(criterion.items):
            points = int(item.points)
            given = points - (less if number else 0) - (1 if subject and criterion.name == "适当性" else 0)
            total += given
            note = _NOTES.get(item.name, "") if level == "初审" and subject else ""
            scores.append(Score(criterion.name, item.name, str(points), str(given), note))
    grade = form.grade(Decimal(total))
    return ScoreSheet(subject, title, level, author, tuple(scores), str(total), grade.name, grade.conclusion, at)


def _files(first: BudgetText, second: BudgetText) -> tuple[ArchivedFile, ...]:
    named = (
        ("documents/r1-return-v1.pdf", "退回修改通知 第1轮 青财绩〔2021〕3号"),
        ("documents/r2-approval-v2.pdf", "批复函 第2轮 青财绩〔2021〕11号"),
        ("documents/r2-publication-v2.pdf", "公开稿 第2轮"),
        ("opinions.json", "审核意见和答复"),
        ("log/checkpoint", "检查点"),
    )
    contents = (
        ArchivedFile("content/v0001.json", "第1版内容", content_hash(first)),
        ArchivedFile("content/v0002.json", "第2版内容", content_hash(second)),
    )
    # Files of a made-up archive: their digests stand for bytes that nobody made.
    return (*contents, *(ArchivedFile(path, title, digest(path.encode())) for path, title in named))
