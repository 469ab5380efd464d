"""Workflow definitions: workflow list|show."""

from __future__ import annotations

import click

from application import workflows
from application.installation import Request
from cli.output import local_time, print_json, print_table
from cli.session import as_json, with_request


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
@as_json
@with_request
def workflow_show(request: Request, name: str, as_json: bool) -> None:
    """显示一个流程定义（NAME 或 NAME@版本）。"""
    found = workflows.show_workflow(request, name)
    if as_json:
        print_json(found)
        return
    click.echo(f"{found['title']}（{found['name']}@{found['version']}），哈希 {found['sha256']}")
    states = found["states"]
    print_table(
        ("动作", "名称", "从", "到", "由谁"),
        [
            (
                item["action"],
                item["title"],
                "、".join(states[name]["title"] for name in item["from"]),
                states[item["to"]]["title"],
                found["actors"][item["title"]],
            )
            for item in found["transitions"]
        ],
        empty="没有动作。",
    )
