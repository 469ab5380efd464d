"""Human titles of places, so that an opinion reads 项目“科普经费” 绩效指标“科普活动效果” 指标值 and not a JSON pointer."""

from __future__ import annotations

from typing import Any, Final

from models.content import BudgetText, to_json
from models.places import split

WHOLE_TEXT: Final = "全文"

# Words for a single item of each list; an item with a name of its own is quoted by it, any other is counted.
_ITEMS: Final = {
    "projects": "项目",
    "indicators": "绩效指标",
    "goals": "绩效目标",
    "items": "总体绩效目标",
    "sub_goals": "分项绩效目标",
    "safeguards": "工作保障措施",
    "spending_plan": "资金支出计划",
    "duties": "部门职责",
    "schedule": "实施进度",
    "sources": "资金来源",
    "extra": "其他事项",
}
_NAMES: Final = ("name", "title", "label", "checkpoint", "duty", "content")
_PARTS: Final = {"department": "部门", "overall": "部门整体", "budget": "预算"}
_MEMBERS: Final = {
    "title": "标题",
    "fiscal_year": "财政年度",
    "reviewing_body": "审核机关",
    "introduction": "总体思路",
    "code": "编码",
    "unit_code": "单位编码",
    "unit_name": "单位名称",
    "total": "预算数",
    "fiscal": "财政资金",
    "other": "其他资金",
    "basic": "基本支出",
    "project": "项目支出",
    "period_total": "三年预算总额",
    "purpose": "资金用途",
    "percent": "累计支出比例",
    "checkpoint": "时间节点",
    "text": "内容",
    "indicator": "绩效指标",
    "name": "名称",
    "level1": "一级指标",
    "level2": "二级指标",
    "description": "绩效指标描述",
    "sign": "符号",
    "value": "指标值",
    "value_to": "指标值上限",
    "raw_value": "指标值原文",
    "unit": "计量单位",
    "remark": "指标值说明",
    "direction": "指标方向",
    "weight": "权重",
    "basis": "指标值确定依据",
    "scoring": "评（扣）分标准",
    "actual": "全年实际值",
    "score": "得分",
    "reason": "未完成原因",
    "executed": "全年执行数",
    "kind": "表的种类",
    "core": "核心指标",
    "part_of": "所属指标",
    "period": "期间",
    "category": "项目类别",
    "nature": "项目属性",
    "supervising_department": "主管部门",
    "implementing_unit": "实施单位",
    "person_in_charge": "项目负责人",
    "phone": "联系电话",
    "start": "开始时间",
    "end": "结束时间",
    "grounds": "立项依据",
    "contents": "实施内容",
    "amount": "金额",
    "duty": "职能",
    "task": "工作任务",
    "content": "事项",
    "label": "名称",
}
# One member name can mean two things: the title of a project's code is not that of a department's.
_MEMBERS_WITHIN: Final = {
    ("projects", "code"): "项目编码",
    ("projects", "name"): "项目名称",
    ("projects", "budget"): "预算规模",
    ("department", "code"): "部门编码",
    ("department", "name"): "部门名称",
    ("indicators", "name"): "三级指标",
    ("sub_goals", "projects"): "对应项目",
    ("duties", "project"): "对应项目",
    ("extra", "value"): "内容",
}


def member_title(member: str, within: str = "") -> str:
    """Title of a member of the content, such as 项目类别 for ``category``; the name itself where it has none."""
    special = _MEMBERS_WITHIN.get((within, member))
    return special or _MEMBERS.get(member) or _PARTS.get(member) or _ITEMS.get(member) or member


def _item_title(kind: str, item: Any, position: int) -> str:
    title = _ITEMS.get(kind, kind)
    names = [item[name] for name in _NAMES if item.get(name)] if isinstance(item, dict) else []
    return f"{title}“{names[0]}”" if names else f"第{position + 1}项{title}"


def _position(items: list[Any], token: str) -> int:
    for number, item in enumerate(items):
        if isinstance(item, dict) and item.get("id") == token:
            return number
    return int(token) if token.isascii() and token.isdigit() else -1


def place_title(content: BudgetText, place: str) -> str:
    """Chinese title of a place given as JSON pointer or anchor; raises InvalidInput where ``place`` is neither.

    What the content does not hold (any more) is still named as well as its tokens allow.
    """
    return title_in(to_json(content), place)


def title_in(content: Any, place: str) -> str:
    """The same for a content in JSON: whoever asks for many titles makes it once."""
    value = content
    kind = ""
    words: list[str] = []
    for token in split(place):
        if isinstance(value, list) or (value is None and kind in _ITEMS and token.isdigit()):
            items = value or []
            number = _position(items, token)
            value = items[number] if 0 <= number < len(items) else None
            words[-1] = _item_title(kind, value, number) if number >= 0 else f"{words[-1]}（{token}）"
        else:
            words.append(member_title(token, kind))
            value = value.get(token) if isinstance(value, dict) else None
            kind = token
    return " ".join(words) or WHOLE_TEXT
