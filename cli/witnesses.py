"""Witnesses: audit status, audit witness ask|init|trust|show|serve."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

from cli.output import local_time, print_json, print_table, say
from cli.session import as_json, configure_log, current_installation

_FOLDER = click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
_STATUS_TITLES = {409: "同一条数，根不同", 422: "不是已见证部分的延续"}


@click.group()
def witness() -> None:
    """见证：请别的机关为检查点联署；或在本机提供见证服务。"""


@witness.command("ask")
@as_json
def ask(as_json: bool) -> int:
    """签发检查点，请设置中的见证者联署；发现分叉时退出码为 7。"""
    from application import witnessing

    replies = witnessing.ask_witnesses(current_installation())
    if as_json:
        print_json(replies)
    else:
        print_table(
            ("日志", "见证者", "条数", "见证时间", "说明"),
            [(r["log"], r["witness"], r["size"], local_time(r["time"]), r["message"]) for r in replies],
            empty="没有可以见证的检查点。",
        )
    witnessing.require_no_fork(replies)
    return 0 if all(reply["trouble"] in (None, "overtaken") for reply in replies) else 1


@witness.command("init")
@_FOLDER
@click.option("--name", required=True, help="见证者的名称，如 audit.example.gov.cn/witness；以后不能改。")
def init(folder: Path, name: str) -> None:
    """建立见证者：密钥（0600）、公钥文件、记录。在审计机关的机器上运行，不需要安装数据库。"""
    from application.witness_service import create_witness

    click.echo(create_witness(folder, name))
    say(
        f"见证者已建立在 {folder}；把 {folder / 'witness.vkey'} 交给日志所在的机关，"
        "再用 jixiao audit witness trust 登记它们日志的公钥。"
    )


@witness.command("trust")
@_FOLDER
@click.argument("vkey_file", metavar="VKEY-FILE", type=click.Path(dir_okay=False, path_type=Path))
def trust(folder: Path, vkey_file: Path) -> None:
    """登记日志的公钥（当面取得的文件，一行一把）；换密钥时新旧两把都登记。"""
    from application.witness_service import read_key_file, trust_logs

    for key, added in trust_logs(folder, read_key_file(vkey_file)):
        say(f"已登记日志 {key.name}。" if added else f"日志 {key.name} 的这把公钥早已登记。")


@witness.command("show")
@_FOLDER
@click.option("--checkpoint", "origin", metavar="ORIGIN", help="输出一个日志的最新检查点（带见证签名），用于核对。")
@as_json
def show(folder: Path, origin: str | None, as_json: bool) -> None:
    """查看见证过的日志，以及被拒绝的分叉证据。"""
    from application.witness_service import witness_report, witnessed_checkpoint

    if origin is not None:
        click.echo(witnessed_checkpoint(folder, origin), nl=False)
        return
    report = witness_report(folder)
    if as_json:
        print_json(report)
        return
    click.echo(f"见证公钥 {report['vkey']}")
    print_table(
        ("日志", "条数", "见证时间", "根哈希"),
        [(log["origin"], log["size"], local_time(log["time"]), log["root"] or "") for log in report["logs"]],
        empty="还没有登记日志；请用 jixiao audit witness trust 登记。",
    )
    if report["evidence"]:
        _print_evidence(report["evidence"])


def _print_evidence(evidence: list[dict[str, Any]]) -> None:
    click.echo(f"警告：有 {len(evidence)} 个检查点有日志的签名，却接不上见证过的历史；请保存本文件夹并调查：")
    print_table(
        ("日志", "收到", "条数", "当时已见证", "不符之处"),
        [
            (
                item["origin"],
                local_time(item["received"]),
                item["size"],
                item["known"],
                _STATUS_TITLES.get(item["status"], item["status"]),
            )
            for item in evidence
        ],
        empty="",
    )


@witness.command("serve")
@_FOLDER
@click.option("--host", default="127.0.0.1", show_default=True, help="监听的地址；只在可信的网络上对外。")
@click.option("--port", default=8765, show_default=True, type=click.IntRange(0, 65535), help="端口；0 为任选。")
def serve(folder: Path, host: str, port: int) -> None:
    """提供见证服务，直到 Ctrl-C。"""
    from application.witness_server import WitnessServer
    from application.witness_service import open_witness

    configure_log()
    server = WitnessServer(open_witness(folder), host, port)
    # A shell that starts it in the background lets it ignore Ctrl-C, which has to end it all the same.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    with server:
        say(f"见证服务在 {server.address}；按 Ctrl-C 停止。")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say("见证服务已停止。")


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


@click.command("status")
@click.option("--vkey", "only_vkeys", is_flag=True, help="只输出各日志的公钥，一行一把，用于交给见证机关。")
@as_json
def status(only_vkeys: bool, as_json: bool) -> None:
    """日志现在怎样：条数、检查点、公钥、见证者、暴露窗口、待写事件。"""
    from application.exposing import status

    logs = status(current_installation())
    if only_vkeys:
        click.echo("\n".join(vkey for log in logs for vkey in log["vkeys"]))
    elif as_json:
        print_json(logs)
    else:
        for number, log in enumerate(logs):
            if number:
                click.echo("")
            _print_log(log)


def _print_log(log: dict[str, Any]) -> None:
    from application.exposing import exposure_sentence

    click.echo(f"日志 {log['log']}（{log['origin']}）：{log['size']} 条")
    click.echo(f"根哈希 {log['root']}")
    for vkey in log["vkeys"]:
        click.echo(f"公钥 {vkey}")
    last = log["checkpoint"]
    click.echo(f"最后的检查点：{last['size']} 条，{local_time(last['time'])}" if last else "还没有检查点。")
    for item in log["witnesses"]:
        seen = f"见证到 {item['size']} 条，{local_time(item['time'])}" if item["size"] is not None else "还没有见证过"
        click.echo(f"见证者 {item['name']}（{item['url']}）：{seen}")
    click.echo(exposure_sentence(log["exposure"]))
    outbox = log["outbox"]
    if outbox["waiting"]:
        click.echo(f"待写入日志的事件 {outbox['waiting']} 条，最早的等了 {outbox['seconds']} 秒。")
