"""The audit log: audit log|verify|checkpoint."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from application import auditing
from application.auditing import Status
from application.installation import Request
from cli.output import OUTCOMES, local_time, print_json, print_table, say
from cli.session import as_json, current_installation, read_input, with_request

_TITLES = {
    Status.INTACT: "完整：日志自签名以来没有被改动。",
    Status.TAMPERED: "已被改动：日志与签名或与它自己不符。",
    Status.NOT_PROVABLE: "无法证明：有的部分还没有签名，或签名的公钥不可信。",
    Status.CANNOT_READ: "无法读取：数据库不可读，不能下结论。",
}


@click.group()
def audit() -> None:
    """审计日志：查看、校验、签发检查点。"""


@audit.command("log")
@click.option("--text", "text_id", help="只看一份文本的事件。")
@click.option("--act", help="只看一种事件，如 workflow.approve。")
@click.option("--since", default=0, show_default=True, type=click.IntRange(min=0), help="从第几条开始。")
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1, 10000), help="最多几条。")
@as_json
@with_request
def audit_log(request: Request, text_id: str | None, act: str | None, since: int, limit: int, as_json: bool) -> None:
    """查看事件（审计、审计管理员）。"""
    found = auditing.read_log(request, text_id=text_id, act=act, since=since, limit=limit)
    if as_json:
        print_json(found)
        return
    print_table(
        ("序号", "时间", "事件", "结果", "办理人", "对象", "说明"),
        [
            (
                item["index"],
                local_time(item["event"]["ts"]),
                item["event"]["act"],
                OUTCOMES[item["event"]["out"]],
                item["actor"],
                f"{item['event']['obj']['type']} {item['event']['obj']['id']}",
                item["event"].get("why", ""),
            )
            for item in found
        ],
        empty="没有这样的事件。",
    )


@audit.command("verify")
@click.option("--vkey", "vkeys", multiple=True, help="从外部取得的验证公钥；不给时相信数据库中的公钥。")
@click.option("--checkpoint", "notes", multiple=True, metavar="FILE", help="另外保存的检查点，可写多次。")
@as_json
def audit_verify(vkeys: tuple[str, ...], notes: tuple[str, ...], as_json: bool) -> int:
    """校验全部日志：内容、哈希、树、每一个检查点。被改动时退出码为 7。"""
    installation = current_installation()
    outside = tuple(read_input(path).decode("utf-8", "replace") for path in notes)
    if sys.stderr.isatty() and not as_json:
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("校验日志", total=None)
            verdict = auditing.verify_log(
                installation,
                trusted=vkeys,
                outside=outside,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
    else:
        verdict = auditing.verify_log(installation, trusted=vkeys, outside=outside)
    if as_json:
        print_json(auditing.verdict_json(verdict))
    else:
        click.echo(_TITLES[verdict.status])
        click.echo(f"事件 {verdict.size} 条，检查点 {verdict.checkpoints} 个，已由签名证明 {verdict.signed} 条。")
        click.echo(f"根哈希 {verdict.root.hex()}")
        if verdict.ok and verdict.signed < verdict.size:
            click.echo(f"注意：最后 {verdict.size - verdict.signed} 条还没有签名，可用 jixiao audit checkpoint 签名。")
        for problem in verdict.problems:
            click.echo(f"- {problem.message}")
        if not vkeys:
            say("提示：公钥取自数据库本身；请用 --vkey 给出从外部取得的公钥再核对一次。")
    return 0 if verdict.ok else 7


@audit.command("checkpoint")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="写入文件，交给外部保存。")
def audit_checkpoint(out: Path | None) -> None:
    """签发检查点并输出（C2SP 格式）；请交给审计机关保存。"""
    note = auditing.checkpoint(current_installation())
    if out is None:
        click.echo(note, nl=False)
    else:
        out.write_text(note, encoding="utf-8")
        say(f"检查点已写入 {out}；请交给审计机关保存，日后用 jixiao audit verify --checkpoint {out} 核对。")
