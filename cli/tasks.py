"""Tasks: task list, and what people do with a task besides deciding it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from application import assignments
from application.accounts import list_accounts
from application.installation import Request
from application.worklists import View, list_tasks
from cli.listing import print_listing
from cli.output import local_time, print_json, say
from cli.session import as_json, with_request
from models.base import SHANGHAI

_OUTCOMES = {"agree": "同意", "against": "不同意", "reassign": "转办", "waiting": "加签等待"}


def which_task(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that choose among several tasks of a text."""
    function = click.option("--task", "task", metavar="TASK", help="任务编号；文本有几项任务时指定一项。")(function)
    return click.option("--seat", "seat", metavar="SEAT", help="签署席位，如 budget_reviewer；同上。")(function)


@click.group()
def task() -> None:
    """待办、签收、转办、委派、加签、催办、抄送。"""


@task.command("list")
@click.option(
    "--view",
    type=click.Choice([str(view) for view in View]),
    default=str(View.TODO),
    help="todo 待办（默认），done 已办，started 我发起的，copied 抄送我的。",
)
@as_json
@with_request
def task_list(request: Request, view: str, as_json: bool) -> None:
    """列出我的待办（最早的在前）、已办、我发起的、抄送我的（最近的在前）。"""
    found = list_tasks(request, view=View(view))
    if as_json:
        print_json(found)
        return
    today = request.now().astimezone(SHANGHAI).date().isoformat()
    if view == View.TODO:
        _print_todo(request, found, today)
    elif view == View.DONE:
        _print_done(found)
    else:
        _print_texts(found, today)


def _print_todo(request: Request, found: list[dict[str, Any]], today: str) -> None:
    # Whoever may be stood in for is in one's own organization, whose names everybody may see.
    lent = any(item["for"] for item in found)
    names = {item["id"]: item["name"] for item in list_accounts(request)} if lent else {}
    print_listing(
        ("编号", "期限", "办理", "标题", "单位", "环节", "席位"),
        [
            (
                item["text"],
                _due(item["due"], today),
                _holder(item, names),
                item["title"],
                item["organization"],
                item["state_title"],
                item["seat"],
            )
            for item in found
        ],
        first=3,
        empty="没有待办。",
    )


def _holder(item: dict[str, Any], names: dict[str, str]) -> str:
    words = item["assignee"] or "待签收"
    if item["abandoned"]:
        words += "（已离岗，请签收）"
    if item["delegated"]:
        words += "（协助）"
    return words + (f"（代理{names.get(item['for'], '')}）" if item["for"] else "")


def _print_done(found: list[dict[str, Any]]) -> None:
    print_listing(
        ("编号", "时间", "结果", "标题", "单位", "环节"),
        [
            (
                item["text"],
                local_time(item["at"]),
                _OUTCOMES.get(item["outcome"], item["outcome"]),
                item["title"],
                item["organization"],
                item["state_title"],
            )
            for item in found
        ],
        first=3,
        empty="还没有办过。",
    )


def _print_texts(found: list[dict[str, Any]], today: str) -> None:
    print_listing(
        ("编号", "期限", "轮到", "标题", "单位", "环节"),
        [
            (
                item["text"],
                _due(item["task"]["due"], today) if item["task"] else "",
                "、".join(turn["assignee"] or turn["role_title"] for turn in item["tasks"]),
                item["title"],
                item["organization"],
                item["state_title"],
            )
            for item in found
        ],
        first=3,
        empty="没有文本。",
    )


def _due(due: str | None, today: str) -> str:
    """A due day, marked where it is past in Shanghai."""
    return f"{due} 逾期" if due is not None and due < today else due or ""


@task.command("claim")
@click.argument("text_id", metavar="ID")
@which_task
@as_json
@with_request
def task_claim(request: Request, text_id: str, as_json: bool, **which: Any) -> None:
    """签收：把本岗位待办的任务收到自己名下。"""
    done = assignments.claim(request, text_id, **which)
    _tell(done, as_json, f"已签收“{done['role_title']}”的任务{_until(done)}。")


@task.command("release")
@click.argument("text_id", metavar="ID")
@which_task
@as_json
@with_request
def task_release(request: Request, text_id: str, as_json: bool, **which: Any) -> None:
    """退回待签收：放弃自己签收的任务，同岗位的人可以再签收。"""
    done = assignments.release(request, text_id, **which)
    _tell(done, as_json, f"“{done['role_title']}”的任务已退回待签收。")


@task.command("reassign")
@click.argument("text_id", metavar="ID")
@click.argument("login")
@click.option("--reason", required=True, help="转办的理由。")
@which_task
@as_json
@with_request
def task_reassign(request: Request, text_id: str, login: str, reason: str, as_json: bool, **which: Any) -> None:
    """转办：把任务交给同岗位的另一个人（办理人或其上级岗位）。"""
    done = assignments.reassign(request, text_id, login, reason=reason, **which)
    _tell(done, as_json, f"“{done['role_title']}”的任务已转给 {login}{_until(done)}。")


@task.command("delegate")
@click.argument("text_id", metavar="ID")
@click.argument("login")
@click.option("--reason", help="请对方协助什么。")
@which_task
@as_json
@with_request
def task_delegate(request: Request, text_id: str, login: str, reason: str | None, as_json: bool, **which: Any) -> None:
    """委派：请本单位的人协助；办结之前谁也不能决定，办结之后回到您名下。"""
    done = assignments.delegate(request, text_id, login, reason=reason, **which)
    _tell(done, as_json, f"已委派 {login} 协助；需要时可用 jixiao task resolve {text_id} 收回。")


@task.command("resolve")
@click.argument("text_id", metavar="ID")
@click.option("--note", help="协助的意见（协助人必填；委派人收回时可不写）。")
@which_task
@as_json
@with_request
def task_resolve(request: Request, text_id: str, note: str | None, as_json: bool, **which: Any) -> None:
    """办结委派：协助人写明意见后交回；委派人也可以随时收回。"""
    done = assignments.resolve(request, text_id, note=note, **which)
    _tell(done, as_json, f"“{done['role_title']}”的任务已回到委派人名下。")


@task.command("remind")
@click.argument("text_id", metavar="ID")
@which_task
@as_json
@with_request
def task_remind(request: Request, text_id: str, as_json: bool, **which: Any) -> None:
    """催办：提醒轮到的人；同一任务每天一次。"""
    done = assignments.remind(request, text_id, **which)
    _tell(done, as_json, f"已催办“{done['role_title']}”{_until(done)}。")


@task.command("copy")
@click.argument("text_id", metavar="ID")
@click.argument("logins", metavar="LOGIN...", nargs=-1, required=True)
@as_json
@with_request
def task_copy(request: Request, text_id: str, logins: tuple[str, ...], as_json: bool) -> None:
    """抄送：让可以查看这份文本的人知悉；已抄送过的不重复。"""
    done = assignments.copy(request, text_id, logins)
    _tell(done, as_json, f"已抄送 {len(done['copied'])} 人。" if done["copied"] else "都已抄送过，没有重复发送。")


@task.command("add-signer")
@click.argument("text_id", metavar="ID")
@click.argument("login")
@click.option(
    "--place", type=click.Choice(["before", "after"]), required=True, help="before 在我之前签，after 在我之后签。"
)
@click.option("--seat", metavar="SEAT", help="加在我的哪个席位旁；只有一个时可不写。")
@click.option("--reason", help="理由。")
@as_json
@with_request
def task_add_signer(
    request: Request, text_id: str, login: str, place: Any, seat: str | None, reason: str | None, as_json: bool
) -> None:
    """加签：在签署中请本单位的另一个人也签。"""
    done = assignments.add_signer(request, text_id, login, place=place, seat=seat, reason=reason)
    where = "之前" if place == "before" else "之后"
    _tell(done, as_json, f"已在席位 {done['anchor']} {where}加签 {login}，席位 {done['seat']}。")


@task.command("remove-signer")
@click.argument("text_id", metavar="ID")
@click.argument("seat")
@click.option("--reason", help="理由。")
@as_json
@with_request
def task_remove_signer(request: Request, text_id: str, seat: str, reason: str | None, as_json: bool) -> None:
    """减签：减去自己加的、还没有签署的席位（SEAT 如 +1）。"""
    done = assignments.remove_signer(request, text_id, seat, reason=reason)
    ended = "" if done["vote"] == "pending" else "；签署随之有了结果"
    _tell(done, as_json, f"已减去席位 {seat}{ended}。")


@task.command("overdue")
@click.option("--report", is_flag=True, help="报告给各岗位的上级（系统管理员）；同一期限只报告一次。")
@as_json
@with_request
def task_overdue(request: Request, report: bool, as_json: bool) -> None:
    """列出逾期的任务，最久的在前。"""
    if report:
        done = assignments.report_overdue(request)
        _tell(done, as_json, f"已报告 {done['reported']} 项逾期任务。")
        return
    found = assignments.list_overdue(request)
    if as_json:
        print_json(found)
        return
    print_listing(
        ("编号", "期限", "逾期", "办理", "标题", "单位", "环节"),
        [
            (
                item["text"],
                item["due"],
                f"{item['days']} 天" + ("，已报告" if item["reported"] else ""),
                item["assignee"] or item["role_title"],
                item["title"],
                item["organization"],
                item["state_title"],
            )
            for item in found
        ],
        first=3,
        empty="没有逾期的任务。",
    )


def _until(done: dict[str, Any]) -> str:
    return f"，期限 {done['due']}" if done["due"] else ""


def _tell(done: dict[str, Any], as_json: bool, words: str) -> None:
    if as_json:
        print_json(done)
    else:
        say(words)
