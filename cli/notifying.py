"""Notifications: notify inbox|read|preferences|prefer|address|list|dead|retry|channels|test|preview."""

from __future__ import annotations

from typing import Any

import click

from application import dispatching, notifying
from application.installation import Request
from cli.listing import print_listing
from cli.output import local_time, print_json, print_table, say
from cli.session import as_json, with_request
from models.errors import GuardFailed, InvalidInput


@click.group()
def notify() -> None:
    """通知：收件箱，接收方式，投递和通道。"""


@notify.command("inbox")
@click.option("--unread", is_flag=True, help="只列未读。")
@click.option("--limit", type=click.IntRange(1, notifying.MOST), default=50, show_default=True, help="最多几条。")
@as_json
@with_request
def notify_inbox(request: Request, unread: bool, limit: int, as_json: bool) -> None:
    """我的收件箱，最新的在前；这里总是全的，邮件和机器人只是提醒。"""
    notifying.tell_now(request.installation)
    found = notifying.inbox(request, unread=unread, limit=limit)
    if as_json:
        print_json(found)
        return
    print_listing(
        ("时间", "种类", "状态", "标题", "环节", "期限", "说明", "文本", "编号"),
        [
            (
                local_time(item["at"]),
                item["kind_title"],
                "" if item["read"] else "未读",
                item["title"],
                item["state"],
                item["due"] or "",
                item["left"] or item["remark"],
                item["text"] or "",
                item["notice"],
            )
            for item in found
        ],
        first=3,
        empty="收件箱是空的。",
    )


@notify.command("read")
@click.argument("ids", metavar="ID...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="全部标为已读。")
@as_json
@with_request
def notify_read(request: Request, ids: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """把消息标为已读。"""
    done = notifying.read_notices(request, ids, everything=everything)
    _tell(done, as_json, f"已标为已读 {done['read']} 条。")


@notify.command("preferences")
@as_json
@with_request
def notify_preferences(request: Request, as_json: bool) -> None:
    """我的接收方式：邮箱、免打扰时间、每种消息怎样通知。"""
    found = notifying.preferences(request)
    if as_json:
        print_json(found)
        return
    say(f"邮箱：{found['address'] or '没有登记（jixiao notify address 邮箱）'}；免打扰：{found['quiet']}")
    rows = [
        (item["kind"], item["title"], item["mode_title"], "不能关闭" if item["mandatory"] else "")
        for item in found["kinds"]
    ]
    print_table(("种类", "名称", "方式", "说明"), rows, empty="")


@notify.command("prefer")
@click.argument("kind")
@click.argument("mode", type=click.Choice(["at_once", "digest", "off"]))
@as_json
@with_request
def notify_prefer(request: Request, kind: str, mode: str, as_json: bool) -> None:
    """选择一种消息怎样通知：at_once 立即，digest 每日汇总，off 只进收件箱；待办和退回不能关闭。"""
    done = notifying.set_preference(request, kind, mode)
    _tell(done, as_json, "已保存。" if done["changed"] else "本来就是这样，没有改动。")


@notify.command("address")
@click.argument("address", required=False)
@click.option("--remove", is_flag=True, help="删除登记的邮箱。")
@click.option("--login", metavar="LOGIN", help="为别人登记（系统管理员）。")
@as_json
@with_request
def notify_address(request: Request, address: str | None, remove: bool, login: str | None, as_json: bool) -> None:
    """登记或删除邮箱；邮箱是个人信息，日志里不写它的内容。"""
    if (address is None) != remove:
        raise InvalidInput("请写邮箱，或用 --remove 删除（二者选一）。")
    done = notifying.set_contact(request, address, login=login)
    _tell(done, as_json, "已保存。" if done["changed"] else "本来就是这样，没有改动。")


@notify.command("list")
@click.option("--channel", metavar="NAME", help="只列这个通道。")
@click.option("--status", type=click.Choice(["waiting", "sent", "dropped", "dead"]), help="只列这种状态。")
@click.option("--limit", type=click.IntRange(1, dispatching.MOST), default=50, show_default=True, help="最多几条。")
@as_json
@with_request
def notify_list(request: Request, channel: str | None, status: str | None, limit: int, as_json: bool) -> None:
    """列出投递，最新的在前：系统管理员和审计看全部，其他人看自己的。"""
    _print_deliveries(dispatching.list_deliveries(request, channel=channel, status=status, limit=limit), as_json)


@notify.command("dead")
@click.option("--limit", type=click.IntRange(1, dispatching.MOST), default=50, show_default=True, help="最多几条。")
@as_json
@with_request
def notify_dead(request: Request, limit: int, as_json: bool) -> None:
    """列出失败的投递和原因；更正之后用 jixiao notify retry 重试。"""
    _print_deliveries(dispatching.list_deliveries(request, status="dead", limit=limit), as_json)


@notify.command("retry")
@click.argument("ids", metavar="ID...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="重试全部失败的投递。")
@as_json
@with_request
def notify_retry(request: Request, ids: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """重试失败的投递（系统管理员）。"""
    done = dispatching.retry(request, ids, everything=everything)
    _tell(done, as_json, f"{done['retried']} 项投递将重新发送。")


@notify.command("channels")
@click.option("--on", "on", metavar="NAME", help="启用这个通道（系统管理员）。")
@click.option("--off", "off", metavar="NAME", help="停用这个通道（系统管理员）。")
@click.option("--reason", default="", help="启用或停用的理由。")
@as_json
@with_request
def notify_channels(request: Request, on: str | None, off: str | None, reason: str, as_json: bool) -> None:
    """列出通道，或启用、停用一个；停用期间的消息都在等待。"""
    if on is not None and off is not None:
        raise InvalidInput("--on 和 --off 只能写一个。")
    name = on or off
    if name is not None:
        done = dispatching.switch(request, name, on=on is not None, reason=reason)
        _tell(done, as_json, f"通道“{name}”已{'启用' if done['on'] else '停用'}。")
        return
    found = dispatching.list_channels(request)
    if as_json:
        print_json(found)
        return
    print_table(
        ("通道", "类型", "状态", "等待", "失败", "原因"),
        [
            (
                item["name"],
                item["kind"],
                "启用" if item["on"] else "停用",
                item["waiting"],
                item["dead"],
                item["reason"],
            )
            for item in found
        ],
        empty="没有设置通道；收件箱不需要设置。设置方法见 docs/guide/notifications.md。",
    )


@notify.command("test")
@click.argument("name", metavar="NAME")
@as_json
@with_request
def notify_test(request: Request, name: str, as_json: bool) -> None:
    """通过一个通道发一条测试消息（系统管理员）；邮件发到自己登记的邮箱。"""
    done = dispatching.send_test(request, name)
    if done["status"] == "sent":
        _tell(done, as_json, "测试消息已经送达。")
        return
    if as_json:
        print_json(done)
    raise GuardFailed(f"测试消息没有送达：{done['reason'] or '还在等待'}。", [done["reason"] or "还在等待"])


@notify.command("preview")
@click.argument("kind")
@click.option("--html", is_flag=True, help="显示网页格式。")
@as_json
@with_request
def notify_preview(request: Request, kind: str, html: bool, as_json: bool) -> None:
    """按模板写一封示例邮件，并检查全部模板（KIND 如 task、return、digest）。"""
    letter, problems = dispatching.preview(request, kind)
    listed = [{"file": item.file, "line": item.line, "message": item.message} for item in problems]
    if as_json:
        print_json({"subject": letter.subject, "text": letter.text, "html": letter.html, "problems": listed})
    else:
        click.echo(f"标题：{letter.subject}\n")
        click.echo(letter.html if html else letter.text)
    if problems:
        told = [
            f"{item.file}" + (f" 第 {item.line} 行" if item.line else "") + f"：{item.message}" for item in problems
        ]
        raise GuardFailed(f"模板有 {len(told)} 处问题：{'；'.join(told)}。", told)


def _print_deliveries(found: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    print_listing(
        ("时间", "通道", "种类", "状态", "次数", "标题", "原因", "下次", "编号"),
        [
            (
                local_time(item["at"]),
                item["channel"],
                item["kind_title"],
                item["status_title"],
                str(item["attempts"]),
                item["title"],
                item["reason"],
                local_time(item["due"]) if item["status"] == "waiting" else "",
                item["delivery"],
            )
            for item in found
        ],
        first=5,
        empty="没有投递。",
    )


def _tell(done: dict[str, Any], as_json: bool, words: str) -> None:
    if as_json:
        print_json(done)
    else:
        say(words)
