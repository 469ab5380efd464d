"""The labels of the project tables, as data: which words name which member, so that another layout is another row here."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import Final


class InfoRole(StrEnum):
    """What a label in the upper half of a table stands for; the last four have rows of their own below them."""

    CODE = "code"
    NAME = "name"
    TOTAL = "total"
    FISCAL = "fiscal"
    OTHER = "other"
    CATEGORY = "category"
    NATURE = "nature"
    SUPERVISING_DEPARTMENT = "supervising_department"
    IMPLEMENTING_UNIT = "implementing_unit"
    PERSON_IN_CHARGE = "person_in_charge"
    PHONE = "phone"
    START = "start"
    END = "end"
    GROUNDS = "grounds"
    CONTENTS = "contents"
    PURPOSE = "purpose"
    PLAN = "spending_plan"
    GOALS = "goals"


SECTION_ROLES: Final = frozenset({InfoRole.PURPOSE, InfoRole.PLAN, InfoRole.GOALS})
MONEY_ROLES: Final = frozenset({InfoRole.TOTAL, InfoRole.FISCAL, InfoRole.OTHER})

INFO_LABELS: Final[dict[str, InfoRole]] = {
    "项目编码": InfoRole.CODE,
    "项目代码": InfoRole.CODE,
    "项目名称": InfoRole.NAME,
    "预算数": InfoRole.TOTAL,
    "预算金额": InfoRole.TOTAL,
    "预算总额": InfoRole.TOTAL,
    "财政资金": InfoRole.FISCAL,
    "其中:财政资金": InfoRole.FISCAL,
    "其中财政资金": InfoRole.FISCAL,
    "其中:财政拨款": InfoRole.FISCAL,
    "财政拨款": InfoRole.FISCAL,
    "其他资金": InfoRole.OTHER,
    "其它资金": InfoRole.OTHER,
    "项目类别": InfoRole.CATEGORY,
    "项目性质": InfoRole.NATURE,
    "项目属性": InfoRole.NATURE,
    "主管部门": InfoRole.SUPERVISING_DEPARTMENT,
    "实施单位": InfoRole.IMPLEMENTING_UNIT,
    "项目负责人": InfoRole.PERSON_IN_CHARGE,
    "联系电话": InfoRole.PHONE,
    "开始时间": InfoRole.START,
    "起始时间": InfoRole.START,
    "结束时间": InfoRole.END,
    "终止时间": InfoRole.END,
    "立项依据": InfoRole.GROUNDS,
    "实施内容": InfoRole.CONTENTS,
    "项目内容": InfoRole.CONTENTS,
    "预算规模及资金用途": InfoRole.PURPOSE,
    "资金用途": InfoRole.PURPOSE,
    "资金支出计划": InfoRole.PLAN,
    "支出计划": InfoRole.PLAN,
    "绩效目标": InfoRole.GOALS,
    "年度绩效目标": InfoRole.GOALS,
    "项目绩效目标": InfoRole.GOALS,
}


class ColumnRole(StrEnum):
    """What a column of the indicator table holds."""

    LEVEL1 = "level1"
    LEVEL2 = "level2"
    NAME = "name"
    DESCRIPTION = "description"
    SIGN = "sign"
    VALUE = "value"
    UNIT = "unit"
    WEIGHT = "weight"
    DIRECTION = "direction"
    BASIS = "basis"
    REMARK = "remark"
    SCORING = "scoring"


COLUMN_LABELS: Final[dict[str, ColumnRole]] = {
    "一级指标": ColumnRole.LEVEL1,
    "二级指标": ColumnRole.LEVEL2,
    "三级指标": ColumnRole.NAME,
    "指标名称": ColumnRole.NAME,
    "指标内容": ColumnRole.NAME,
    "绩效指标描述": ColumnRole.DESCRIPTION,
    "指标描述": ColumnRole.DESCRIPTION,
    "指标说明": ColumnRole.DESCRIPTION,
    "指标解释": ColumnRole.DESCRIPTION,
    "符号": ColumnRole.SIGN,
    "指标符号": ColumnRole.SIGN,
    "运算符号": ColumnRole.SIGN,
    "指标性质": ColumnRole.SIGN,
    "指标值": ColumnRole.VALUE,
    "目标值": ColumnRole.VALUE,
    "年度指标值": ColumnRole.VALUE,
    "绩效指标值": ColumnRole.VALUE,
    "单位": ColumnRole.UNIT,
    "计量单位": ColumnRole.UNIT,
    "度量单位": ColumnRole.UNIT,
    "权重": ColumnRole.WEIGHT,
    "分值": ColumnRole.WEIGHT,
    "指标权重": ColumnRole.WEIGHT,
    "指标方向": ColumnRole.DIRECTION,
    "指标方向性": ColumnRole.DIRECTION,
    "指标值确定依据": ColumnRole.BASIS,
    "确定依据": ColumnRole.BASIS,
    "备注": ColumnRole.REMARK,
    "评分标准": ColumnRole.SCORING,
    "评(扣)分标准": ColumnRole.SCORING,
}

LEVEL1_TERMS: Final = frozenset({"产出", "效益", "效果", "满意度"})
# 成本 is a second level up to 2021 and a first level since, so a cell 成本指标 does not tell which column it stands in.
LEVEL2_TERMS: Final = frozenset(
    {
        "数量", "质量", "时效", "成本", "经济成本", "社会成本", "生态环境成本",
        "经济效益", "社会效益", "生态效益", "可持续影响", "服务对象满意度",
    }
)  # fmt: skip
GOAL_NUMBER: Final = re.compile(
    r"(?:(?P<number>\d{1,3})\s*[.．、](?!\d)|[（(]\s*(?P<round>\d{1,3})\s*[）)]|目标(?P<named>\d{1,3})\s*[：:.、])\s*"
)
_SUFFIX = re.compile(r"\((?:%|元|万元|分|年度)\)$")
_LONGEST_LABEL: Final = 16


def label_key(cell: str) -> str:
    """A cell as labels are compared: half width, without blanks, closing colon and unit in brackets; "" if too long."""
    if len(cell) > _LONGEST_LABEL:
        return ""
    words = "".join(unicodedata.normalize("NFKC", cell).split()).rstrip(":")
    return _SUFFIX.sub("", words)


def info_role(cell: str) -> InfoRole | None:
    """The member that a label cell names, or None where the cell is no label."""
    return INFO_LABELS.get(label_key(cell))


def level_term(cell: str) -> str:
    """A first-level or second-level cell without its ending 指标."""
    return label_key(cell).removesuffix("指标")


def header_columns(cells: list[str] | tuple[str, ...]) -> dict[ColumnRole, int] | None:
    """Column of each role where ``cells`` is the header row of the indicators, else None.

    A header has the name column or a level column, a value column, and at least three known labels.
    """
    columns: dict[ColumnRole, int] = {}
    for at, cell in enumerate(cells):
        role = COLUMN_LABELS.get(label_key(cell)) if cell else None
        if role is not None:
            columns.setdefault(role, at)
    levels = {ColumnRole.LEVEL1, ColumnRole.LEVEL2, ColumnRole.NAME} & columns.keys()
    return columns if len(columns) >= 3 and len(levels) >= 2 else None


def begins_row(cells: list[str] | tuple[str, ...]) -> bool:
    """Whether the first words of a line can only begin a row: a label, a kind of indicator, or a goal's number."""
    first = next((cell for cell in cells[:2] if cell), "")
    if not first:
        return False
    term = level_term(first)
    return (
        info_role(first) is not None
        or label_key(first) in COLUMN_LABELS
        or term in LEVEL1_TERMS
        or term in LEVEL2_TERMS
        or GOAL_NUMBER.match(first) is not None
    )
