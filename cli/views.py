"""What texts look like on a terminal: summary, content, findings, opinions, history."""

from __future__ import annotations

from typing import Any

import click

from cli.output import OUTCOMES, local_time, print_table, say

SEVERITIES = {"error": "错误", "warning": "警告", "hint": "提示"}
_MISSING = {"error": "（请改正）", "warning": "（待答复）"}
_CHOICES = {"agree": "同意", "against": "不同意"}
_STATUSES = {"open": "待确认", "confirmed": "已确认", "corrected": "已更正", "noted": ""}


def print_reading_findings(found: list[dict[str, Any]]) -> None:
    """What the reader repaired or doubts, as a table."""
    print_table(
        ("代码", "级别", "位置", "原文", "修复为", "原因", "状态"),
        [
            (
                item["code"],
                SEVERITIES[item["severity"]],
                item["anchor"],
                item["raw"],
                item.get("repaired"),
                item["reason"],
                _STATUSES[item.get("status", "noted" if item.get("repaired") is None else "open")],
            )
            for item in found
        ],
        empty="读入时没有修复，也没有存疑。",
    )


def print_checks(found: list[dict[str, Any]]) -> None:
    """What the checks found, each with the department's answer."""
    print_table(
        ("级别", "代码", "位置", "说明", "答复"),
        [
            (
                SEVERITIES[item["severity"]],
                item["code"],
                item["anchor"] or "全文",
                item["message"],
                item["answer"]["text"] if item["answer"] else _MISSING[item["severity"]] if item["stops"] else "",
            )
            for item in found
        ],
        empty="检查没有发现问题。",
    )


def coverage_sentence(counts: dict[str, Any]) -> str:
    """How much of the source found its place, and what is to be done about the rest."""
    sentence = f"原文 {counts['characters']} 字（不计空白），读入相应各项的占 {counts['percent']}%"
    if counts["kept"]:
        sentence += f"；{counts['kept']} 字没有对应的项，原文存入附加项"
    if counts["left"]:
        sentence += f"；{counts['left']} 字没有读入，原文见上表的 I006，请补上"
    return f"{sentence}。"


def print_summary(item: dict[str, Any], version: int, content_hash: str) -> None:
    """Where a text stands, in three lines."""
    task = item["task"]
    turn = f"轮到{task['role_title']}" + (f"，期限 {task['due']}" if task["due"] else "") if task else "流程已结束"
    click.echo(f"{item['title']}（{item['organization']}，{item['fiscal_year']} 年）")
    newest = "" if version == item["version"] else f"（最新为第 {item['version']} 版）"
    click.echo(f"状态：{item['state_title']}，第 {item['round']} 轮；{turn}。")
    click.echo(f"第 {version} 版{newest}，内容哈希：{content_hash}")


def print_content(content: dict[str, Any]) -> None:
    """The skeleton of a content: headings, money, indicators."""
    overall = content.get("overall", {})
    for heading, items, key in (
        ("总体绩效目标", overall.get("items", []), "title"),
        ("分项绩效目标", content.get("sub_goals", []), "name"),
        ("工作保障措施", content.get("safeguards", []), "title"),
    ):
        names = "、".join(f"{item['id']} {item.get(key, '')}" for item in items)
        click.echo(f"\n{heading}（{len(items)}）：{names}")
    for project in content.get("projects", []):
        budget = project.get("budget", {})
        click.echo(
            f"\n项目 {project['id']} {project.get('name', '')}（{project.get('code', '无编码')}），"
            f"预算 {budget.get('total', '—')} 元，其中财政资金 {budget.get('fiscal', '—')} 元"
        )
        print_table(
            ("编号", "一级指标", "二级指标", "三级指标", "指标值", "依据"),
            [
                (
                    item["id"],
                    item.get("level1"),
                    item.get("level2"),
                    item.get("name"),
                    f"{item.get('sign', '')}{item.get('value', '')}{item.get('unit', '')}",
                    item.get("basis"),
                )
                for item in project.get("indicators", [])
            ],
            empty="没有绩效指标。",
        )


def print_opinions(found: list[dict[str, Any]]) -> None:
    """Opinions one below the other: their sentences are too long for columns."""
    if not found:
        say("没有审核意见。")
    for item in found:
        answer = (
            "已作废（退回或签署已撤回，不用答复）"
            if item["withdrawn"]
            else f"{item['answer']['kind']} {item['answer']['text']}".strip()
            if item["answer"]
            else "待答复"
        )
        click.echo(f"意见 {item['id']}（第 {item['round']} 轮，{item['kind']}）")
        click.echo(f"  位置：{item['place_title']}  {item['anchor']}")
        click.echo(f"  问题：{item['problem']}")
        if item["wanted"]:
            click.echo(f"  要求：{item['wanted']}")
        click.echo(f"  答复：{answer}")


def print_history(found: list[dict[str, Any]]) -> None:
    """The timeline of a text as a table."""
    print_table(
        ("序号", "时间", "事项", "结果", "办理人", "到", "说明"),
        [
            (
                item["index"],
                local_time(item["at"]),
                item["title"],
                OUTCOMES[item["outcome"]],
                item["actor"] + (f"（代理{item['on_behalf_of']}）" if item["on_behalf_of"] else ""),
                item["state_title"],
                "；".join(filter(None, (_remark(item), item["why"]))),
            )
            for item in found
        ],
        empty="还没有记录。",
    )


def _remark(item: dict[str, Any]) -> str:
    """What an event is worth a word about: whose task it left undone, or which document it made."""
    voted = [change.get("n") for change in item["changes"] if change["p"] == "/sign/choice"]
    if voted and voted[0] in _CHOICES:
        return _CHOICES[voted[0]]
    if item["people"]:
        return f"给{'、'.join(item['people'])}"
    if item["left_open"]:
        return f"“{item['left_open']}”的任务未办"
    made = [change["n"] for change in item["changes"] if change["p"] == "/document" and "n" in change]
    return f"{made[0]['name']} {made[0]['format']}" if made else ""
