"""Workflow definitions: workflow list|show|check|publish|graph|simulate|migrate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from application import diagrams, workflows
from application.installation import Request
from cli.migrating import migrate
from cli.output import local_time, print_json, print_table, say
from cli.session import as_json, current_request, read_input, with_request
from cli.simulating import simulate
from models.errors import DatabaseUnavailable, InvalidInput

_SEVERITIES = {"error": "错误", "warning": "警告"}
# Ways that lead to no state of their own.
_WAYS = {"previous": "上一环节", "earlier": "已经过的环节", "undo": "收回上一步"}


def source_of(name: str) -> bytes:
    """The YAML of a file (``-``: standard input), of a published definition, or of one that comes with the program.

    Those that come with the program are there without an installation.
    """
    if _is_file(name):
        return read_input(name)
    try:
        request = current_request()
    except DatabaseUnavailable:
        return _shipped_or_file(name)
    return workflows.workflow_source(request, name)


def _shipped_or_file(name: str) -> bytes:
    return workflows.shipped(name) if name in workflows.SHIPPED and not _is_file(name) else read_input(name)


def _is_file(name: str) -> bool:
    # Whoever writes a path or an ending means a file, even one that is not there.
    return name == "-" or "/" in name or name.endswith((".yaml", ".yml", ".json")) or Path(name).is_file()


@click.group()
def workflow() -> None:
    """流程定义。"""


@workflow.command("list")
@as_json
@with_request
def workflow_list(request: Request, as_json: bool) -> None:
    """列出已发布的流程定义。"""
    found = workflows.list_workflows(request)
    if as_json:
        print_json(found)
        return
    print_table(
        ("名称", "标题", "发布", "哈希"),
        [
            (f"{item['name']}@{item['version']}", item["title"], local_time(item["published"]), item["sha256"][:16])
            for item in found
        ],
        empty="还没有流程定义。",
    )


@workflow.command("show")
@click.argument("name")
@click.option("--yaml", "as_yaml", is_flag=True, help="以 YAML 输出，可以修改后再发布。")
@as_json
@with_request
def workflow_show(request: Request, name: str, as_yaml: bool, as_json: bool) -> None:
    """显示一个流程定义（NAME 或 NAME@版本）。"""
    if as_yaml:
        if as_json:
            raise click.UsageError("--yaml 和 --json 只能写一个。")
        click.echo(workflows.workflow_source(request, name), nl=False)
        return
    found = workflows.show_workflow(request, name)
    if as_json:
        print_json(found)
        return
    click.echo(f"{found['title']}（{found['name']}@{found['version']}），哈希 {found['sha256']}")
    titles = {**_WAYS, **{name: state["title"] for name, state in found["states"].items()}}
    print_table(
        ("动作", "名称", "从", "到", "由谁"),
        [
            (item["action"], item["title"], "、".join(titles[name] for name in item["from"]), titles[item["to"]], actor)
            for item, actor in zip(found["transitions"], found["actors"], strict=True)
        ],
        empty="没有动作。",
    )


@workflow.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--no-prove", is_flag=True, help="只检查写法，不走遍所有走法。")
@as_json
def workflow_check(files: tuple[str, ...], no_prove: bool, as_json: bool) -> int:
    """检查流程定义的写法，并对所有走法证明它的性质；不需要安装和登录。

    FILE 是 YAML 文件（- 为标准输入），或随程序的流程名称。有错误时退出码为 6。
    """
    checked = [{"file": name, **workflows.check_file(_shipped_or_file(name), prove=not no_prove)} for name in files]
    failed = any(item["errors"] for item in checked)
    if as_json:
        print_json({"ok": not failed, "files": checked})
        return 6 if failed else 0
    many = len(checked) > 1
    rows = [row for item in checked for finding in item["findings"] for row in _rows(finding, item["file"] * many)]
    if rows:
        columns = ("行", "级别", "代码", "说明")
        print_table(("文件", *columns) if many else columns, [row if many else row[1:] for row in rows], empty="")
    for item in checked:
        say(_summed_up(item, no_prove))
    return 6 if failed else 0


def _rows(finding: dict[str, Any], file: str) -> list[tuple[str, ...]]:
    """A finding, and below it the way that shows it."""
    line = "" if finding["line"] is None else str(finding["line"])
    rows: list[tuple[str, ...]] = [(file, line, _SEVERITIES[finding["severity"]], finding["code"], finding["message"])]
    if finding["path"]:
        rows.append(("", "", "", "", f"走法：{' → '.join(finding['path'])}"))
    return rows


def _summed_up(item: dict[str, Any], no_prove: bool) -> str:
    name = f"（{item['name']}）" if item["name"] else ""
    counted = f"{item['errors']} 个错误，{item['warnings']} 个警告" if item["findings"] else "没有问题"
    if item["proved"]:
        proved = "已走遍所有走法"
    else:
        proved = "没有走遍走法（--no-prove）" if no_prove else "改正之后才能走遍所有走法"
    return f"{item['file']}{name}：{counted}；{proved}。"


@workflow.command("publish")
@click.argument("file", metavar="FILE")
@as_json
@with_request
def workflow_publish(request: Request, file: str, as_json: bool) -> None:
    """发布一个流程定义（系统管理员）；先检查和证明，发布之后不能再改。

    FILE 是 YAML 文件（- 为标准输入），或随程序的流程名称。
    """
    done = workflows.publish_workflow(request, _shipped_or_file(file))
    if as_json:
        print_json(done)
        return
    for warning in done["warnings"]:
        say(f"警告：第 {warning['line']} 行 {warning['message']}")
    say(f"已发布流程“{done['title']}”（{done['name']}@{done['version']}），哈希 {done['sha256']}。")


@workflow.command("graph")
@click.argument("source", metavar="[NAME|FILE]", required=False)
@click.option(
    "--format",
    "format_",
    type=click.Choice([str(item) for item in diagrams.Format]),
    default=None,
    help="图的格式：mermaid（默认）、svg、bpmn；有 --text 时默认 svg。",
)
@click.option("--out", metavar="FILE", help="写到文件；默认写到标准输出。")
@click.option("--text", "text_id", metavar="ID", help="标出这份文本所在和经过的环节（SVG）；用它自己的流程版本。")
def workflow_graph(source: str | None, format_: str | None, out: str | None, text_id: str | None) -> None:
    """画出流程图：已发布的流程（NAME 或 NAME@版本）、YAML 文件，或一份文本的流程。"""
    chosen = diagrams.Format(format_ or ("svg" if text_id else "mermaid"))
    if text_id is not None:
        if source is not None:
            raise click.UsageError("写了 --text 时不写 NAME|FILE：图用这份文本自己的流程版本。")
        found = diagrams.text_position(current_request(), text_id)
        drawn = diagrams.draw_workflow(found["source"], chosen, state=found["state"], visited=found["visited"])
    elif source is not None:
        drawn = diagrams.draw_workflow(source_of(source), chosen)
    else:
        raise click.UsageError("请写流程名称或文件，或用 --text 指定文本。")
    if out is None:
        click.echo(drawn, nl=not drawn.endswith(b"\n"))
        return
    _write(Path(out), drawn)
    say(f"已写入 {out}（{len(drawn)} 字节）。")


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise InvalidInput(f"不能写入“{path}”（{error.strerror}）；请检查路径和权限。") from error


workflow.add_command(simulate)
workflow.add_command(migrate)
