"""Writing texts: text import|new|confirm|edit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import orjson

from application import beginning, editing, forms, importing
from application.installation import Request
from cli.form_editing import edit_in_editor
from cli.output import print_json, print_table, say
from cli.returning import bring_back
from cli.session import as_json, read_input, with_request
from cli.views import coverage_sentence, print_reading_findings
from models.errors import InvalidInput


@click.command("import")
@click.argument("file", metavar="FILE")
@click.option("--org", "organization", help="编制部门（默认为登录账号的单位）。")
@click.option("--year", type=click.IntRange(2000, 2099), help="财政年度（默认取自文件）。")
@click.option("--workflow", metavar="NAME", help="按哪个流程办理（默认 standard，或设置 JIXIAO_WORKFLOW）。")
@click.option("--department", metavar="NAME", help="文件里有几个部门时读哪一个（名称或编码）。")
@click.option("--into", metavar="ID", help="把修改过的文件导回这份文本：列出差异和说明，问过之后生成新的一版。")
@click.option("--reason", default="", help="修改理由（与 --into 同用）。")
@click.option("--yes", is_flag=True, help="与 --into 同用：不再问，直接保存。")
@as_json
@with_request
def text_import(
    request: Request,
    file: str,
    organization: str | None,
    year: int | None,
    workflow: str | None,
    department: str | None,
    into: str | None,
    reason: str,
    yes: bool,
    as_json: bool,
) -> None:
    """导入文本：docx、doc、xlsx、xls、ods、pdf、html 或纯文本（- 为标准输入）。读入时修复或存疑之处逐条列出，由人确认。"""
    name = "标准输入" if file == "-" else Path(file).name
    if into is not None:
        if organization or year or department or workflow:
            raise InvalidInput(
                "--into 导回已有的文本，不能与 --org、--year、--department、--workflow 同用；请去掉它们。"
            )
        bring_back(request, into, read_input(file), name, reason=reason, yes=yes, as_json=as_json)
        return
    done = importing.import_text(
        request,
        read_input(file),
        organization=organization,
        year=year,
        name=name,
        department=department,
        workflow=workflow,
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


@click.command("new")
@click.option(
    "--from", "source", metavar="ID", help="照哪份文本新建：结构、名称和文字留下，当年的金额、计划和指标值清空。"
)
@click.option("--template", metavar="NAME", help="按模板新建，如 standard：各部分留空，指标按年度的指标体系列出。")
@click.option("--year", type=click.IntRange(2000, 2099), required=True, help="财政年度。")
@click.option("--org", "organization", help="编制部门（默认为登录账号的单位）。")
@click.option("--workflow", metavar="NAME", help="按哪个流程办理（默认 standard，或设置 JIXIAO_WORKFLOW）。")
@as_json
@with_request
def text_new(
    request: Request,
    source: str | None,
    template: str | None,
    year: int,
    organization: str | None,
    workflow: str | None,
    as_json: bool,
) -> None:
    """新建一年的文本（经办人）：照本部门上年的文本，或按模板。"""
    done = beginning.new_text(
        request, year=year, source=source, template=template, organization=organization, workflow=workflow
    )
    if done["earlier"]:
        say(f"注意：{done['organization']} {year} 年已有 {len(done['earlier'])} 份文本。")
    if as_json:
        print_json(done)
        return
    click.echo(done["text"])
    if done["figures"]:
        say("下列文字原样带来，其中有数字，请逐处核对：")
        print_table(("位置", "名称"), [(item["anchor"], item["title"]) for item in done["figures"]], empty="")
    say(f"已新建“{done['content']['title']}”，将报送“{done['reviewing']}”。")
    say(f"下一步：用 jixiao text edit {done['text']} --as yaml 填写，再运行 jixiao text check {done['text']}。")


@click.command("confirm")
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


@click.command("edit")
@click.argument("text_id", metavar="ID")
@click.option(
    "--as", "kind", type=click.Choice(forms.KINDS), default="json", show_default=True, help="在编辑器中用哪种写法。"
)
@click.option("--file", "file", metavar="FILE", help="整份内容的 JSON 文件，或 YAML 表单（- 为标准输入）。")
@click.option(
    "--set", "members", multiple=True, metavar="位置=值", help="改一处，可写多次；值可以是 JSON；留空为删除。"
)
@click.option("--reason", default="", help="修改理由。")
@click.option("--expect", "expected", type=int, help="您看到的改动次数（row_version）。")
@click.option("--yes", is_flag=True, help="在编辑器中改完直接保存，不再问。")
@as_json
@with_request
def text_edit(
    request: Request,
    text_id: str,
    kind: str,
    file: str | None,
    members: tuple[str, ...],
    reason: str,
    expected: int | None,
    yes: bool,
    as_json: bool,
) -> None:
    """修改内容，生成新版本（经办人）。不写 --file 和 --set 时，在编辑器（$EDITOR）中打开，改完检查、对照，再问是否保存。"""
    if file is not None and members:
        raise InvalidInput("--file（整份内容）和 --set（改若干处）只能选一个。")
    if file is None and not members:
        if as_json:
            raise InvalidInput("--json 只用于 --file 和 --set；在编辑器中修改时请去掉 --json。")
        edit_in_editor(request, text_id, kind=kind, reason=reason, expected=expected, yes=yes)
        return
    if file is not None:
        data = forms.value_of_file(read_input(file), file)
        done = editing.replace_content(request, text_id, data, reason=reason, expected=expected)
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
