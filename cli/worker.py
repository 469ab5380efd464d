"""worker: what goes on beside the commands."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import click

from application.working import work, work_once
from cli.output import say
from cli.session import current_installation


@click.command()
@click.option("--once", is_flag=True, help="做完眼前的就退出（可放进 cron）。")
def worker(once: bool) -> None:
    """后台进程：PostgreSQL 上把审计事件写入日志，两种数据库上定时签发检查点；直到收到 SIGTERM 或 Ctrl-C。

    可以同时运行几个：一个在整合，其余待命，它停了就接上。
    """
    installation = current_installation()
    if once:
        work_once(installation)
        say("已完成一次：事件已写入日志，到期的检查点已签发。")
        return
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    say("后台进程已启动；按 Ctrl-C 或发送 SIGTERM 停止。")
    work(installation, stop)
    say("后台进程已停止。")
