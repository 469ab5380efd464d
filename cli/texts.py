"""Texts: import|new|list|show|check|findings|answer|compare|confirm|edit|history|actions|do|render, and the short forms."""

from __future__ import annotations

from typing import Any

import click

from application import histories, texts
from application.installation import Request
from cli import actions as acting
from cli.adjusting import adjustment
from cli.authoring import text_confirm, text_edit, text_import, text_new
from cli.checking import text_check
from cli.comparing import compare
from cli.findings import text_answer, text_findings
from cli.output import print_json, print_table
from cli.rendering import text_render
from cli.session import as_json, with_request
from cli.views import (
    print_checks,
    print_content,
    print_history,
    print_opinions,
    print_reading_findings,
    print_summary,
)


@click.group()
def text() -> None:
    """预算绩效文本。"""


@text.command("list")
@click.option("--state", help="只看某个状态，如 first_review。")
@click.option("--year", type=int, help="只看某个财政年度。")
@as_json
@with_request
def text_list(request: Request, state: str | None, year: int | None, as_json: bool) -> None:
    """列出可以查看的文本，最近改动的在前。"""
    found = texts.list_texts(request, state=state, year=year)
    if as_json:
        print_json(found)
        return
    print_table(
        ("编号", "标题", "单位", "状态", "轮次", "版本", "期限"),
        [
            (
                item["text"],
                item["title"],
                item["organization"],
                item["state_title"],
                item["round"],
                item["version"],
                item["task"] and item["task"]["due"],
            )
            for item in found
        ],
        empty="没有可以查看的文本。",
    )


@text.command("show")
@click.argument("text_id", metavar="ID")
@click.option("--version", type=click.IntRange(min=1), help="第几版（默认当前版）。")
@click.option("--findings", is_flag=True, help="只看读入时的修复与存疑。")
@as_json
@with_request
def text_show(request: Request, text_id: str, version: int | None, findings: bool, as_json: bool) -> None:
    """显示一份文本；--json 输出内容（budget-text/1 格式），加 --findings 则输出读入时的修复与存疑。"""
    found = texts.show_text(request, text_id, version=version)
    if as_json:
        print_json(found["findings"] if findings else found["content"])
        return
    if findings:
        print_reading_findings(found["findings"])
        return
    print_summary(found["summary"], found["version"], found["content_hash"])
    print_content(found["content"])
    if found["findings"]:
        click.echo("\n读入时的修复与存疑")
        print_reading_findings(found["findings"])
    if found["checks"]:
        click.echo("\n检查的错误和警告")
        print_checks(found["checks"])
    if found["opinions"]:
        click.echo("\n审核意见")
        print_opinions(found["opinions"])


@text.command("history")
@click.argument("text_id", metavar="ID")
@as_json
@with_request
def text_history(request: Request, text_id: str, as_json: bool) -> None:
    """文本的全过程：谁在何时做了什么，结果如何。"""
    found = histories.history(request, text_id)
    if as_json:
        print_json(found)
        return
    print_history(found)


@text.command("actions")
@click.argument("text_id", metavar="ID")
@as_json
@with_request
def text_actions(request: Request, text_id: str, as_json: bool) -> None:
    """现在能做什么：每个动作由谁做，我能不能做，为什么不能。"""
    found = texts.actions(request, text_id)
    if as_json:
        print_json(found)
        return
    print_table(
        ("动作", "名称", "由谁", "到", "我", "原因"),
        [
            (
                item["action"],
                item["title"],
                item["by"] + (f"（{'、'.join(item['people'])}）" if item["people"] else ""),
                item["to"],
                "可以" if item["allowed"] else "不能",
                "；".join(item["reasons"][:3])
                + (f"；… 共 {len(item['reasons'])} 条" if len(item["reasons"]) > 3 else ""),
            )
            for item in found["actions"]
        ],
        empty="流程已结束，没有可做的动作。",
    )


@text.command("do")
@click.argument("action", metavar="ACTION")
@click.argument("text_ids", metavar="ID…", nargs=-1)
@click.option("--against", is_flag=True, help="签署时表示不同意。")
@acting.acting_options
def text_do(action: str, text_ids: tuple[str, ...], **given: Any) -> int:
    """执行一个动作，如 jixiao text do submit ID；可以写多个编号，每份文本各自办理。"""
    return acting.perform(text_ids, action, given)


for _command in (
    *(text_import, text_new, text_confirm, text_edit, text_check, text_findings, text_answer, compare, adjustment),
    *acting.SHORT_FORMS,
    text_render,
):
    text.add_command(_command)


@click.group()
def opinion() -> None:
    """审核意见。"""


@opinion.command("list")
@click.argument("text_id", metavar="ID")
@as_json
@with_request
def opinion_list(request: Request, text_id: str, as_json: bool) -> None:
    """列出一份文本的审核意见和答复。"""
    found = texts.list_opinions(request, text_id)
    if as_json:
        print_json(found)
        return
    print_opinions(found)
