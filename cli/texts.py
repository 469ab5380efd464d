"""Texts: import|list|show|check|compare|confirm|edit|history|actions|do|render, and the short forms."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import click
import orjson

from application import editing, histories, importing, rendering, texts
from application.installation import Request
from cli import actions as acting
from cli.adjusting import adjustment
from cli.checking import text_check
from cli.comparing import compare
from cli.output import print_json, print_table, say
from cli.session import as_json, read_input, with_request
from cli.views import (
    coverage_sentence,
    print_content,
    print_history,
    print_opinions,
    print_reading_findings,
    print_summary,
)
from models.errors import InvalidInput, JixiaoError


@click.group()
def text() -> None:
    """预算绩效文本。"""


@text.command("import")
@click.argument("file", metavar="FILE")
@click.option("--org", "organization", help="编制部门（默认为登录账号的单位）。")
@click.option("--year", type=click.IntRange(2000, 2099), help="财政年度（默认取自文件）。")
@click.option("--workflow", metavar="NAME", help="按哪个流程办理（默认 standard，或设置 JIXIAO_WORKFLOW）。")
@as_json
@with_request
def text_import(
    request: Request, file: str, organization: str | None, year: int | None, workflow: str | None, as_json: bool
) -> None:
    """导入文本：docx、doc、xlsx、xls、ods、pdf、html 或纯文本（- 为标准输入）。读入时修复或存疑之处逐条列出，由人确认。"""
    name = "标准输入" if file == "-" else Path(file).name
    done = importing.import_text(
        request, read_input(file), organization=organization, year=year, name=name, workflow=workflow
    )
    if done["earlier"]:
        say(f"注意：{done['organization']} {done['content']['fiscal_year']} 年已有 {len(done['earlier'])} 份文本。")
    for note in done["notes"]:
        say(f"注意：{note}")
    if as_json:
        print_json(done)
        return
    click.echo(done["text"])
    print_reading_findings(done["findings"])
    waiting = sum(1 for item in done["findings"] if "repaired" in item)
    say(
        f"已导入“{done['content']['title']}”，{len(done['content'].get('projects', []))} 个项目，待确认修复 {waiting} 处。"
    )
    say(coverage_sentence(done["coverage"]))
    say(f"下一步：核对后运行 jixiao text confirm {done['text']} --all，再运行 jixiao text check {done['text']}。")


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
    if found["opinions"]:
        click.echo("\n审核意见")
        print_opinions(found["opinions"])


@text.command("confirm")
@click.argument("text_id", metavar="ID")
@click.argument("places", nargs=-1, metavar="[位置…]")
@click.option("--all", "everything", is_flag=True, help="确认全部修复。")
@click.option("--expect", "expected", type=int, help="您看到的改动次数（row_version）。")
@as_json
@with_request
def text_confirm(
    request: Request, text_id: str, places: tuple[str, ...], everything: bool, expected: int | None, as_json: bool
) -> None:
    """确认读入时的修复（经办人）。不对的地方用 text edit 更正。"""
    done = editing.confirm_repairs(request, text_id, places, everything=everything, expected=expected)
    if as_json:
        print_json(done)
        return
    say(f"已确认 {len(done['confirmed'])} 处，还有 {done['open']} 处待确认。下一步：jixiao text check {text_id}。")


@text.command("edit")
@click.argument("text_id", metavar="ID")
@click.option("--file", "file", metavar="FILE", help="整份内容的 JSON 文件（- 为标准输入）。")
@click.option(
    "--set", "members", multiple=True, metavar="位置=值", help="改一处，可写多次；值可以是 JSON；留空为删除。"
)
@click.option("--reason", default="", help="修改理由。")
@click.option("--expect", "expected", type=int, help="您看到的改动次数（row_version）。")
@as_json
@with_request
def text_edit(
    request: Request,
    text_id: str,
    file: str | None,
    members: tuple[str, ...],
    reason: str,
    expected: int | None,
    as_json: bool,
) -> None:
    """修改内容，生成新版本（经办人）。"""
    if (file is None) == (not members):
        raise InvalidInput("请用 --file 给出整份内容，或用 --set 改若干处（二者选一）。")
    if file is not None:
        done = editing.replace_content(request, text_id, read_input(file), reason=reason, expected=expected)
    else:
        done = editing.set_members(
            request, text_id, [_member(item) for item in members], reason=reason, expected=expected
        )
    if as_json:
        print_json(done)
        return
    print_table(
        ("位置", "修改前", "修改后"),
        [(item["anchor"], _short(item["old"]), _short(item["new"])) for item in done["changes"]],
        empty="没有变化。",
    )
    say(f"已生成第 {done['version']} 版，改动 {len(done['changes'])} 处。下一步：jixiao text check {text_id}。")


def _member(item: str) -> tuple[str, Any]:
    place, equals, value = item.partition("=")
    if not equals:
        raise InvalidInput(f"“{item}”无法识别；应写成 位置=值，如 /projects/p1/indicators/i6/sign=≤。")
    if value == "":
        return place, None
    # Objects, lists and quoted text are JSON; anything else is text as typed, numbers included: a code or an amount is
    # text in a content. The year is the one number.
    if value[0] in '{["':
        try:
            return place, orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise InvalidInput(f"“{value}”不是有效的 JSON：{error}。") from error
    return place, int(value) if place == "/fiscal_year" and re.fullmatch("[0-9]{4}", value) else value


def _short(value: Any) -> str:
    shown = value if isinstance(value, str) else "" if value is None else orjson.dumps(value).decode()
    return shown if len(shown) <= 60 else shown[:59] + "…"


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


for _command in (*acting.SHORT_FORMS, adjustment, compare, text_check):
    text.add_command(_command)


@text.command("render")
@click.argument("text_id", metavar="ID")
@click.option(
    "--document", help="文件名称（默认为当前环节的文件）：draft submission review return approval publication。"
)
@click.option("--format", "format_", type=click.Choice(rendering.FORMATS), default="pdf", show_default=True)
@click.option("--version", type=click.IntRange(min=1), help="第几版（默认为该环节的那一版）。")
@click.option("--out", help="输出文件，或文件夹（以 / 结尾时会建立；默认当前文件夹；- 为标准输出）。")
@as_json
@with_request
def text_render(
    request: Request,
    text_id: str,
    document: str | None,
    format_: str,
    version: int | None,
    out: str | None,
    as_json: bool,
) -> None:
    """生成一个环节的文件（PDF/A 或 HTML）；同一环节再次生成，字节相同。"""
    made = rendering.render_text(request, text_id, document=document, format_=format_, version=version)
    if out == "-":
        sys.stdout.buffer.write(made.data)
        return
    path = Path(out or ".")
    try:
        if out is not None and out.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        path = path / made.name if path.is_dir() else path
        path.write_bytes(made.data)
    except OSError as error:
        raise JixiaoError(f"不能写入 {path}（{error.strerror}）；请用 --out 指定别处。") from error
    if as_json:
        print_json({"document": made.document, "version": made.version, "path": str(path), "sha256": made.sha256})
    else:
        click.echo(path)


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
