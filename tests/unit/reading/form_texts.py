"""Forms in our own words, one for each kind of layout, and ways to write the same rows in a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import made_files

P = "/projects/0"


@dataclass(frozen=True)
class Form:
    """A form: lines over its table, rows of its table (empty cells where cells are merged), and what it says."""

    above: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    expected: dict[str, Any]
    ways: tuple[str, ...] = ("tabs", "docx", "html", "xlsx", "pdf")

    @property
    def width(self) -> int:
        return max(map(len, self.rows))


def as_tabs(form: Form) -> str:
    """A line for each row, cells with TABs between them."""
    rows = ["\t".join(cell.replace("\n", " ") for cell in (*row, *[""] * (form.width - len(row)))) for row in form.rows]
    return "\n".join([*form.above, *rows]) + "\n"


def as_pipes(form: Form) -> str:
    """Rows as a pipe table whose merged cells have collapsed: empty cells go to the end of the row."""
    lines = [f"| {line} |{'|' * (form.width - 1)}" for line in form.above]
    for row in form.rows:
        filled = [cell for cell in row if cell]
        lines.append(f"| {' | '.join(filled)} |{'|' * (form.width - len(filled))}")
    return "\n".join(lines) + "\n"


def as_lines(form: Form) -> str:
    """One cell per line, empty cells lost."""
    return "\n".join([*form.above, *(cell for row in form.rows for cell in row if cell)]) + "\n"


def as_piped_lines(form: Form) -> str:
    """One cell per line with a pipe behind it, and pipes for the cells that are merged at the end of a row."""
    lines = [f"{line} |\n||||" for line in form.above]
    for row in form.rows:
        filled = [cell for cell in row if cell]
        lines += [f"{cell} |" for cell in filled]
        lines.append("|" * max(2, form.width - len(filled)))
    return "\n".join(lines) + "\n"


WRITERS = {"tabs": as_tabs, "pipes": as_pipes, "lines": as_lines, "piped": as_piped_lines}


def blocks(form: Form) -> list[str | made_files.Table]:
    """The form as paragraphs and a table whose cells reach over the empty ones beside and below them."""
    return made_files.blocks_of(as_tabs(form))


def files_of(form: Form, only: str = "") -> Iterator[tuple[str, bytes]]:
    """The form in every way that it is said to keep its content in, or in ``only`` one."""
    for way in (only,) if only else form.ways:
        if way in WRITERS:
            yield way, WRITERS[way](form).encode()
        else:
            yield way, made_files.MAKERS[way](blocks(form))


def indicators(place: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The fields of indicators."""
    return {f"{place}/indicators/{at}/{key}": value for at, row in enumerate(rows) for key, value in row.items()}


def _quantity(
    level1: str, level2: str, name: str, sign: str, value: str, unit: str, weight: str = "", **more: Any
) -> Any:
    direction = {"≥": "正向", "≤": "反向"}.get(sign)
    row = {"level1": level1, "level2": level2, "name": name, "sign": sign, "value": value, "unit": unit}
    row |= {"weight": weight} if weight else {}
    return {**row, **({"direction": direction} if direction else {}), **more}


LEVELS = (
    _quantity("产出指标", "数量指标", "修缮渠道长度", "≥", "12.5", "公里", "20.00"),
    _quantity("产出指标", "数量指标", "更换闸门", "=", "6", "座", "10.00"),
    _quantity("产出指标", "质量指标", "验收通过率", "≥", "98", "%", "20.00"),
    _quantity("产出指标", "成本指标", "每公里造价", "≤", "8", "万元", "20.00"),
    _quantity("效益指标", "社会效益指标", "受益农户", "≥", "430", "户", "20.00"),
    _quantity("满意度指标", "服务对象满意度指标", "农户满意度", "≥", "90", "%", "10.00"),
)
COLUMNS = ("一级指标", "二级指标", "三级指标", "指标性质", "指标值", "度量单位", "权重", "指标方向性")


def _in_columns(rows: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    table: list[tuple[str, ...]] = []
    levels = ("", "")
    for row in rows:
        first = "" if row["level1"] == levels[0] else row["level1"]
        second = "" if not first and row["level2"] == levels[1] else row["level2"]
        levels = (row["level1"], row["level2"])
        direction = f"{row.get('direction') or '正向'}指标"
        cells = (first, second, row["name"], row["sign"], row["value"], row["unit"])
        table.append((*cells, row["weight"].removesuffix(".00"), direction))
    return table


_WITH_DIRECTION = tuple({**row, "direction": row.get("direction", "正向"), "raw_value": row["value"]} for row in LEVELS)

IN_COLUMNS = Form(
    above=("渠道修缮项目绩效目标申报表", "（2024年度）", "金额单位：万元", "填报单位：青禾县水利站"),
    rows=(
        ("项目名称", "渠道修缮", "", "", "项目属性", "新增项目□延续项目☑", "", ""),
        ("主管部门", "青禾县水利局", "", "", "实施单位", "青禾县水利站", "", ""),
        ("年度资金总额", "1,062.5000", "", "", "其中：财政拨款", "1,000.0000", "其他资金", "62.5000"),
        ("年度总体目标", "修好三条支渠，让下游的田按时用上水。", "", "", "", "", "", ""),
        COLUMNS,
        *_in_columns(LEVELS),
    ),
    expected={
        "fields": {
            "/title": ["渠道修缮项目绩效目标申报表", "渠道修缮项目绩效目标申报表（2024年度）"],
            "/fiscal_year": 2024,
            "/department/name": "青禾县水利站",
            "/department/unit_name": "青禾县水利站",
            f"{P}/name": "渠道修缮",
            f"{P}/nature": "延续项目",
            f"{P}/supervising_department": "青禾县水利局",
            f"{P}/implementing_unit": "青禾县水利站",
            f"{P}/budget/total": "10625000.00",
            f"{P}/budget/fiscal": "10000000.00",
            f"{P}/budget/other": "625000.00",
            f"{P}/goals/0/text": "修好三条支渠，让下游的田按时用上水。",
            **indicators(P, _WITH_DIRECTION),
        }
    },
    ways=("tabs", "pipes", "lines", "piped", "docx", "html", "xlsx", "pdf"),
)

_EVALUATED = (
    _quantity("产出指标", "数量指标", "巡护林地", "≥", "300", "亩", "30.00", core=True, actual="310亩", score="30.00"),
    _quantity("产出指标", "数量指标", "其中：公益林", "≥", "120", "亩", part_of="i1", actual="125亩"),
    _quantity(
        "产出指标", "时效指标", "每月巡护", "≥", "4", "次", "20.00", actual="3次", score="15.00", reason="雨季停巡"
    ),
    _quantity("效益指标", "生态效益指标", "林木成活率", "≥", "85", "%", "40.00", actual="88%", score="40.00"),
)


def _evaluated_row(row: dict[str, Any], first: str, second: str) -> tuple[str, ...]:
    name = ("★" if row.get("core") else "") + row["name"]
    value = f"{row['sign']}{row['value']}{row['unit']}"
    points = row.get("weight", "").removesuffix(".00") or "-"
    score = row.get("score", "").removesuffix(".00")
    return (first, second, name, points, value, row["actual"], score, row.get("reason", ""))


SELF_EVALUATION = Form(
    above=("林地巡护项目绩效自评表", "（2023年度）"),
    rows=(
        ("项目名称", "林地巡护", "", "", "项目负责人及电话", "钱某 0599-1234567", "", ""),
        ("主管部门", "青禾县林业局", "", "", "实施单位", "青禾县林场", "", ""),
        ("资金情况（万元）", "全年预算数", "全年执行数", "分值", "执行率", "得分", "", ""),
        ("年度资金总额", "9.6", "9.6", "10", "100%", "10", "", ""),
        ("一级指标", "二级指标", "三级指标", "分值", "年度指标值", "全年实际值", "得分", "未完成原因"),
        _evaluated_row(_EVALUATED[0], "产出指标", "数量指标"),
        _evaluated_row(_EVALUATED[1], "", ""),
        _evaluated_row(_EVALUATED[2], "", "时效指标"),
        _evaluated_row(_EVALUATED[3], "效益指标", "生态效益指标"),
    ),
    expected={
        "fields": {
            "/kind": "self_evaluation",
            "/title": ["林地巡护项目绩效自评表", "林地巡护项目绩效自评表（2023年度）"],
            "/fiscal_year": 2023,
            f"{P}/name": "林地巡护",
            f"{P}/person_in_charge": "钱某",
            f"{P}/phone": "0599-1234567",
            f"{P}/supervising_department": "青禾县林业局",
            f"{P}/implementing_unit": "青禾县林场",
            f"{P}/budget/total": "96000.00",
            f"{P}/budget/executed": "96000.00",
            **indicators(P, [{**row, "raw_value": f"{row['sign']}{row['value']}{row['unit']}"} for row in _EVALUATED]),
        },
        "extra": [
            [P, "年度资金总额 分值", "10"],
            [P, "年度资金总额 执行率", "100%"],
            [P, "年度资金总额 得分", "10"],
        ],
    },
    ways=("tabs", "pipes", "lines", "docx", "html", "xlsx", "pdf"),
)

_WHOLE = (
    _quantity("产出指标", "数量指标", "办结事项", "≥", "2400", "件"),
    _quantity("满意度指标", "服务对象满意度指标", "办事群众满意度", "≥", "92", "%"),
)

WHOLE_DEPARTMENT = Form(
    above=("部门整体绩效目标表", "（2025年度）", "金额单位：万元"),
    rows=(
        ("部门名称", "青禾县政务服务中心", "", ""),
        ("年度预算总额", "86.5", "", ""),
        ("其中：基本支出", "60", "项目支出", "26.5"),
        ("部门职能", "工作任务", "对应项目", "预算资金"),
        ("办理审批事项", "窗口延时服务", "窗口运行", "16.5"),
        ("", "帮办代办", "帮办队伍", "10"),
        ("年度总体目标", "让群众办事少跑一趟。", "", ""),
        ("一级指标", "二级指标", "三级指标", "指标值"),
        ("产出指标", "数量指标", "办结事项", "≥2400件"),
        ("满意度指标", "服务对象满意度指标", "办事群众满意度", "≥92%"),
    ),
    expected={
        "fields": {
            "/title": ["部门整体绩效目标表", "部门整体绩效目标表（2025年度）"],
            "/fiscal_year": 2025,
            "/department/name": "青禾县政务服务中心",
            "/department/unit_name": "青禾县政务服务中心",
            "/overall/budget/total": "865000.00",
            "/overall/budget/basic": "600000.00",
            "/overall/budget/project": "265000.00",
            "/overall/duties/0/duty": "办理审批事项",
            "/overall/duties/0/task": "窗口延时服务",
            "/overall/duties/0/project": "窗口运行",
            "/overall/duties/0/amount": "165000.00",
            "/overall/duties/1/duty": "办理审批事项",
            "/overall/duties/1/task": "帮办代办",
            "/overall/duties/1/project": "帮办队伍",
            "/overall/duties/1/amount": "100000.00",
            "/overall/items/0/text": "让群众办事少跑一趟。",
            **indicators(
                "/overall", [{**row, "raw_value": f"{row['sign']}{row['value']}{row['unit']}"} for row in _WHOLE]
            ),
        }
    },
    ways=("tabs", "docx", "html", "xlsx", "pdf"),
)

LIST_HEADER = ("单位名称", "项目名称", "预算数", "年度目标", *COLUMNS)
LISTED = Form(
    above=("部门预算项目绩效目标申报表（2024年度）", "金额单位：元"),
    rows=(
        LIST_HEADER,
        ("815-青禾县水利局", "", "910,000.00", *[""] * 9),
        ("815001-青禾县水利局本级", "渠道修缮", "850,000.00", "修好三条支渠", *_in_columns(LEVELS[:3])[0]),
        *(("", "", "", "", *row) for row in _in_columns(LEVELS[:3])[1:]),
        ("", "闸门值守", "60,000.00", "汛期日夜有人", *_in_columns(LEVELS[4:])[0]),
        ("", "", "", "", *_in_columns(LEVELS[4:])[1]),
    ),
    expected={
        "fields": {
            "/title": "部门预算项目绩效目标申报表（2024年度）",
            "/fiscal_year": 2024,
            "/department/name": "青禾县水利局",
            "/department/code": "815",
            "/department/unit_code": "815001",
            "/department/unit_name": "青禾县水利局本级",
            "/overall/budget/project": "910000.00",
            f"{P}/name": "渠道修缮",
            f"{P}/budget/total": "850000.00",
            f"{P}/goals/0/text": "修好三条支渠",
            "/projects/1/name": "闸门值守",
            "/projects/1/budget/total": "60000.00",
            "/projects/1/goals/0/text": "汛期日夜有人",
            **indicators(P, _WITH_DIRECTION[:3]),
            **indicators("/projects/1", _WITH_DIRECTION[4:]),
        }
    },
    ways=("tabs", "pipes", "docx", "html", "xlsx", "pdf"),
)

FORMS = {
    "in columns": IN_COLUMNS,
    "self-evaluation": SELF_EVALUATION,
    "department": WHOLE_DEPARTMENT,
    "list": LISTED,
}
