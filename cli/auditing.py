"""The audit log: audit log|verify|checkpoint, and the commands of its other modules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from application import auditing
from application.installation import Request
from cli.erasing import erase
from cli.keys import key, which_log
from cli.output import OUTCOMES, local_time, print_json, print_table, say
from cli.proving import check_receipt, export, prove
from cli.session import as_json, current_installation, with_request
from cli.timestamps import timestamp
from cli.verifying import verify
from cli.witnesses import status, witness


@click.group()
def audit() -> None:
    """审计日志：查看、校验、签发检查点。"""


@audit.command("log")
@which_log
@click.option("--text", "text_id", help="只看一份文本的事件。")
@click.option("--act", help="只看一种事件，如 workflow.approve。")
@click.option("--since", default=0, show_default=True, type=click.IntRange(min=0), help="从第几条开始。")
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1, 10000), help="最多几条。")
@as_json
@with_request
def audit_log(
    request: Request, log: str, text_id: str | None, act: str | None, since: int, limit: int, as_json: bool
) -> None:
    """查看事件（审计、审计管理员）。"""
    found = auditing.read_log(request, log=log, text_id=text_id, act=act, since=since, limit=limit)
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
                "；".join(filter(None, (item["event"].get("why"), _looked(item), *map(_personal, item["personal"])))),
            )
            for item in found
        ],
        empty="没有这样的事件。",
    )


def _looked(item: dict[str, Any]) -> str:
    """What an auditor looked at: the use case, and what was asked of it."""
    looked = [change["n"] for change in item["event"].get("chg", []) if change["p"] == "/looked"]
    told = looked[0] if looked else {}
    return " ".join([told.get("at", ""), *(f"{name}={value}" for name, value in told.items() if name != "at")]).strip()


def _personal(change: dict[str, Any]) -> str:
    sides = [change[side] for side in ("o", "n") if side in change]
    return f"{change['p']}：{' → '.join(sides)}"


@audit.command("checkpoint")
@which_log
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="写入文件，交给外部保存。")
def audit_checkpoint(log: str, out: Path | None) -> None:
    """签发检查点并输出（C2SP 格式）；请交给审计机关保存。"""
    note = auditing.checkpoint(current_installation(), log)
    if out is None:
        click.echo(note, nl=False)
    else:
        out.write_text(note, encoding="utf-8")
        say(f"检查点已写入 {out}；请交给审计机关保存，日后用 jixiao audit verify --checkpoint {out} 核对。")


for _command in (erase, key, export, prove, check_receipt, status, timestamp, verify, witness):
    audit.add_command(_command)
