"""Moving texts to another version of their workflow: workflow migrate."""

from __future__ import annotations

import sys

import click

from application import migrating
from application.installation import Request
from cli.output import print_json, print_table, say
from cli.session import as_json, with_request
from models.errors import InvalidInput


@click.command("migrate")
@click.option("--from", "source", required=True, metavar="NAME@版本", help="现在的流程版本，如 standard@1。")
@click.option("--to", "target", required=True, metavar="NAME@版本", help="新的流程版本，如 standard@2。")
@click.option(
    "--map",
    "pairs",
    multiple=True,
    metavar="旧=新",
    help="旧版本的一个状态成为新版本的哪个状态，可写多次；写成 旧=- 表示经过的这个环节去掉。",
)
@click.option("--dry-run", is_flag=True, help="只列出每份文本会怎样、为什么不能更换，什么都不改。")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="最多更换几份。")
@as_json
@with_request
def migrate(
    request: Request,
    source: str,
    target: str,
    pairs: tuple[str, ...],
    dry_run: bool,
    limit: int | None,
    as_json: bool,
) -> int:
    """把进行中的文本换到流程的另一个版本（系统管理员）。

    已经公开的文本也一起更换，以后按新版本调整。每份文本单独完成，中断之后可以再运行一次。
    有文本不能更换时逐份说明原因，退出码为 6（--dry-run 时为 0）。
    """
    mapping = _mapping(pairs)
    if sys.stderr.isatty() and not as_json:
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("试算" if dry_run else "更换流程版本", total=None)
            found = migrating.migrate_texts(
                request,
                source,
                target,
                mapping=mapping,
                dry_run=dry_run,
                limit=limit,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
    else:
        found = migrating.migrate_texts(request, source, target, mapping=mapping, dry_run=dry_run, limit=limit)
    if as_json:
        print_json(found)
    else:
        print_table(
            ("编号", "状态", "新状态", "结果", "说明"),
            [
                (
                    item["text"],
                    item["state"],
                    item["target"],
                    _outcome(item, dry_run),
                    "；".join([*item["obstacles"], *item["notes"]]),
                )
                for item in found["texts"]
            ],
            empty=f"没有使用 {source} 的文本。",
        )
        done = f"{'可以更换' if dry_run else '已更换'} {found['done']} 份，不能更换 {found['blocked']} 份"
        skipped = f"，{found['skipped']} 份已由别人更换" if found["skipped"] else ""
        left = found["running"] - len(found["texts"])
        rest = f"，还有 {left} 份没有处理（--limit）" if left else ""
        say(f"{source} → {target}：{done}{skipped}{rest}。{'没有改动任何内容。' if dry_run else ''}")
    return 6 if found["blocked"] and not dry_run else 0


def _outcome(item: dict[str, object], dry_run: bool) -> str:
    if item["skipped"]:
        return "已由别人更换"
    if not item["ok"]:
        return "不能更换"
    return "可以更换" if dry_run else "已更换"


def _mapping(pairs: tuple[str, ...]) -> dict[str, str]:
    """States by their old names; raises InvalidInput for what is no pair, or a state that is mapped twice."""
    out: dict[str, str] = {}
    for pair in pairs:
        old, separator, new = (part.strip() for part in pair.partition("="))
        if not old or not separator or not new:
            raise InvalidInput(f"--map“{pair}”无法识别；应写成 旧状态=新状态，例如 second_review=review。")
        if out.setdefault(old, new) != new:
            raise InvalidInput(f"--map 把状态“{old}”指定了两次（{out[old]} 和 {new}）；请只写一个。")
    return out
