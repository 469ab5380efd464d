"""Files of one text that come back: made, edited, read."""

from collections.abc import Callable, Iterable

from rendering_stages import project, stage, text
from word_edits import Editor

from documents.rendering.word import render_docx
from documents.returning import Returned, returned, returned_form
from models.content import from_json, to_json
from models.places import get

P1 = "/projects/p1"
I = f"{P1}/indicators"  # noqa: E741 -- short for the place that every test speaks of


def base(count: int = 2, **members):
    return stage(content=text(count, **members))


def rich():
    """A text that has every member which a file can show."""
    content = {
        "overall": {
            "introduction": "第一段。\n第二段。",
            "items": [{"id": "o1", "title": "重点工作", "text": "甲。\n乙。"}, {"id": "o7", "title": "另一项", "text": "丙。"}],
            "budget": {"total": "100.00", "basic": "60.00", "project": "40.00"},
            "duties": [{"id": "d1", "duty": "普及", "task": "讲座", "project": "科普", "amount": "5.00"}],
            "indicators": [
                {"id": "i1", "level1": "产出指标", "level2": "数量指标", "name": "活动", "value": "5", "unit": "次", "weight": "10.00"},
            ],
        },
        "extra": [{"label": "备注", "value": "无"}],
        "projects": [
            project(
                1,
                category="特定目标",
                phone="0319-0000000",
                person_in_charge="张三",
                schedule=[{"content": "启动", "start": "2021-01", "end": "2021-03"}, {"content": "收尾"}],
                extra=[{"label": "说明", "value": "另附"}],
                budget={
                    "total": "53100.00",
                    "fiscal": "53100.00",
                    "other": "0.00",
                    "sources": [{"name": "一般公共预算", "amount": "53100.00"}],
                    "period_total": "160000.00",
                },
                indicators=[
                    {"id": "i1", "level1": "产出指标", "level2": "数量指标", "name": "场次", "sign": "≥", "value": "5", "unit": "次",
                     "core": True, "period": "年度", "scoring": "少一场扣2分", "direction": "正向", "raw_value": "≥5次",
                     "extra": [{"label": "完成时限", "value": "年底"}], "basis": "年度工作计划"},
                    {"id": "i2", "level1": "产出指标", "level2": "数量指标", "name": "其中乡村", "value": "3", "unit": "次", "part_of": "i1"},
                    {"id": "i3", "level1": "产出指标", "level2": "质量指标", "name": "范围", "sign": "区间", "value": "60", "value_to": "80", "unit": "%"},
                    {"id": "i4", "level1": "效益指标", "level2": "社会效益指标", "name": "影响", "sign": "定性", "value": "明显提高", "remark": "按问卷判断"},
                ],
            ),
            project(2),
        ],
    }  # fmt: skip
    return stage(content=text(1, **content))


def edited(made, *edits: Callable[[Editor], object], earlier: Iterable = ()) -> Returned:
    """What a file says after edits."""
    editor = Editor(render_docx(made, numbered=False))
    for edit in edits:
        edit(editor)
    return returned(returned_form(editor.saved()), made, earlier)


def changed(made, result: Returned) -> dict[str, tuple]:
    """The places that differ, each with the value before and after."""
    from models.places import changes

    return {place: (old, new) for place, old, new in changes(to_json(made.content), result.content)}


def codes(result: Returned) -> list[str]:
    return [finding.code for finding in result.findings]


__all__ = ["P1", "I", "base", "changed", "codes", "edited", "from_json", "get", "rich"]
