"""Rendering documents: text render, one of a text or one of each text."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from application import bulk_rendering, rendering, sealing
from application.installation import Request
from cli.output import print_json, say
from cli.publishing import say_notes
from cli.session import as_json, with_request
from models.errors import InvalidInput, JixiaoError


@click.command("render")
@click.argument("text_id", metavar="[ID]", required=False)
@click.option(
    "--document", help="文件名称（默认为当前环节的文件）：draft submission review return approval publication。"
)
@click.option("--format", "format_", type=click.Choice(rendering.FORMATS), default="pdf", show_default=True)
@click.option("--version", type=click.IntRange(min=1), help="第几版（默认为该环节的那一版）。")
@click.option("--as-of", "as_of", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="按那一天结束时的情况生成。")
@click.option("--seal", is_flag=True, help="加盖电子印章（要先设置签章；只用于 pdf）。")
@click.option("--all", "everything", is_flag=True, help="可以查看的每份文本各生成一份，写到 --out 的文件夹。")
@click.option("--state", help="与 --all 合用：只要某个状态的，如 approved。")
@click.option("--year", type=int, help="与 --all 合用：只要某个财政年度的。")
@click.option("--out", help="输出文件，或文件夹（以 / 结尾时会建立；默认当前文件夹；- 为标准输出）。")
@as_json
@with_request
def text_render(
    request: Request,
    text_id: str | None,
    document: str | None,
    format_: str,
    version: int | None,
    as_of: datetime | None,
    seal: bool,
    everything: bool,
    state: str | None,
    year: int | None,
    out: str | None,
    as_json: bool,
) -> int:
    """生成一个环节的文件；同一环节再次生成，字节相同，程序和模板更新后也相同（草案除外）。

    格式：pdf（PDF/A）、docx、html、xlsx（指标表，改后可以导回）、txt、json（内容和该环节的全部信息）。
    """
    if everything:
        if text_id or version or as_of or seal or out in (None, "-"):
            raise InvalidInput("--all 要用 --out 指定文件夹，不能同时写编号、--version、--as-of 或 --seal。")
        return _render_all(request, Path(str(out)), document, format_, state, year, as_json)
    if text_id is None or state or year:
        raise InvalidInput("请写文本编号；要生成全部文本的文件，用 --all（可加 --state、--year）。")
    made = rendering.render_text(
        request,
        text_id,
        document=document,
        format_=format_,
        version=version,
        as_of=None if as_of is None else as_of.date(),
    )
    if seal:
        made = sealing.sealed(request, text_id, made)
    if made.notes is not None and not as_json:
        say_notes(made.notes, advice="请逐处核对；要改正的，由经办人用 adjust 动作发起调整。")
    if out == "-":
        sys.stdout.buffer.write(made.data)
        return 0
    path = Path(out or ".")
    try:
        if out is not None and out.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        path = path / made.name if path.is_dir() else path
        path.write_bytes(made.data)
    except OSError as error:
        raise JixiaoError(f"不能写入 {path}（{error.strerror}）；请用 --out 指定别处。") from error
    if as_json:
        number = {"number": made.number} if made.number else {}
        notes = made.notes.to_json() if made.notes is not None else {}
        told = {"document": made.document, "version": made.version, "path": str(path), "sha256": made.sha256}
        print_json({**told, **number, **notes})
    else:
        click.echo(path)
    return 0


def _render_all(
    request: Request,
    folder: Path,
    document: str | None,
    format_: str,
    state: str | None,
    year: int | None,
    as_json: bool,
) -> int:
    options: dict[str, Any] = {"state": state, "year": year, "document": document, "format_": format_}
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("生成文件", total=None)
            done = bulk_rendering.render_all(
                request, folder, **options, progress=lambda at, total: bar.update(task, completed=at, total=total)
            )
    else:
        done = bulk_rendering.render_all(request, folder, **options)
    if as_json:
        print_json(done)
    else:
        click.echo(folder)
        for item in done["failed"]:
            say(f"文本 {item['text']}：{item['message']}")
        say(
            f"生成 {done['rendered']} 份，已有且相同 {done['skipped']} 份，没有这份文件 {done['absent']} 份，"
            f"失败 {len(done['failed'])} 份。"
        )
    return 1 if done["failed"] else 0
