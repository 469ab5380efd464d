"""Work lists: task list."""

from __future__ import annotations

import click

from application.installation import Request
from application.worklists import list_tasks
from cli.output import local_time, print_json, print_table
from cli.session import as_json, with_request


@click.group()
def task() -> None:
    """待办任务。"""


@task.command("list")
@as_json
@with_request
def task_list(request: Request, as_json: bool) -> None:
    """列出我的待办，最早的在前。"""
    found = list_tasks(request)
    if as_json:
        print_json(found)
        return
    print_table(
        ("编号", "标题", "单位", "环节", "轮次", "到达", "期限"),
        [
            (
                item["text"],
                item["title"],
                item["organization"],
                item["state_title"],
                item["round"],
                local_time(item["since"]),
                item["due"],
            )
            for item in found
        ],
        empty="没有待办。",
    )
