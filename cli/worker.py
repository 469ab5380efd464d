"""worker: what goes on beside the commands."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import click

from application.working import Part, work, work_once
from cli.output import say
from cli.session import current_installation


@click.command()
@click.option("--once", is_flag=True, help="做完眼前的就退出（可放进 cron）。")
@click.option(
    "--only",
    type=click.Choice([str(part) for part in Part]),
    help="只做一部分：log 审计日志和检查点，messages 通知；省略为全部。",
)
def worker(once: bool, only: str | None) -> None:
    """后台进程：PostgreSQL 上把审计事件写入日志，两种数据库上定时签发检查点、发送通知；直到收到 SIGTERM 或 Ctrl-C。

    可以同时运行几个，在几台机器上也行：整合日志的一个在做，其余待命，它停了就接上；通知由它们分着发。
    """
    installation = current_installation()
    parts = frozenset(Part) if only is None else frozenset({Part(only)})
    if once:
        work_once(installation, parts=parts)
        say("已完成一次：事件已写入日志，到期的检查点已签发，通知已发送。")
        return
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    say("后台进程已启动；按 Ctrl-C 或发送 SIGTERM 停止。")
    work(installation, stop, parts=parts)
    say("后台进程已停止。")
