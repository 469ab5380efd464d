"""The verification of the log: audit verify."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

import click

from application import auditing, exposing
from application.auditing import Level, Status
from application.installation import LOG
from application.verifying import token_check
from cli.keys import which_log
from cli.output import print_json, say
from cli.session import as_json, current_installation, read_input
from models.errors import InvalidInput

_TITLES = {
    Status.INTACT: "完整：日志自签名以来没有被改动。",
    Status.TAMPERED: "已被改动：日志与签名或与它自己不符。",
    Status.NOT_PROVABLE: "无法证明：有的部分还没有签名，或签名的公钥不可信。",
    Status.CANNOT_READ: "无法读取：数据库不可读，不能下结论。",
}
# What a level has not looked at is said with every verdict, so that nobody reads more into it.
_SCOPES = {
    Level.HEAD: "范围 head：只看了最新的签名、头部和右缘，没有读正文，也没有核对较早的瓦片。",
    Level.TILES: "范围 tiles：核对了全部瓦片和检查点，没有读正文。",
    Level.FULL: "范围 full：核对了全部正文、瓦片和检查点。",
    Level.STRICT: "范围 strict：另外核对了每条正文的写法、对象的版本与衔接、查询表和事件编号",
}
_REPLAYED = "，并按事件重放，与文本、任务、意见、签署和岗位各表比较"
_TIMED = "。按见证和时间戳核对了事件的时间，到最后一个有见证或时间戳的检查点为止。"
_UNTIMED = "。没有见证者的公钥，也没有时间戳机构的证书：事件的时间没有核对；请用 --witness 或 --tsa-cert 给出。"


@click.command("verify")
@which_log
@click.option(
    "--level",
    type=click.Choice([level.value for level in Level]),
    default=Level.FULL.value,
    show_default=True,
    help="查到多深：head 最新的头部，tiles 全部瓦片，full 全部正文，strict 再逐条核对内容。",
)
@click.option("--since", metavar="FILE", help="从上次核对过的检查点继续，只读其后的正文（tiles、full）。")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="用几个进程。")
@click.option("--vkey", "vkeys", multiple=True, help="从外部取得的验证公钥；不给时相信数据库中的公钥。")
@click.option("--trust", "files", multiple=True, metavar="FILE", help="同 --vkey，从文件读取，一行一个公钥。")
@click.option(
    "--witness", "witnesses", multiple=True, metavar="FILE", help="见证者的公钥文件；不给时相信设置中的见证者。"
)
@click.option("--tsa-cert", metavar="FILE", help="时间戳机构的根证书和中间证书（PEM）；不给时不采信时间戳。")
@click.option("--checkpoint", "--outside", "notes", multiple=True, metavar="FILE", help="另外保存的检查点，可写多次。")
@as_json
def verify(
    log: str,
    level: str,
    since: str | None,
    jobs: int,
    vkeys: tuple[str, ...],
    files: tuple[str, ...],
    witnesses: tuple[str, ...],
    tsa_cert: str | None,
    notes: tuple[str, ...],
    as_json: bool,
) -> int:
    """校验日志：内容、哈希、树、每一个检查点；四种结论。不是“完整”时退出码为 7。"""
    installation = current_installation()
    trusted = (*vkeys, *(key for path in files for key in _keys(path)))
    outside = tuple(_text(path) for path in notes)
    cosigners = tuple(key for path in witnesses for key in _keys(path))
    verify_token = token_check(None if tsa_cert is None else read_input(tsa_cert))
    with _bar(shown=sys.stderr.isatty() and not as_json) as progress:
        verdict = auditing.verify_log(
            installation,
            level=Level(level),
            trusted=trusted,
            outside=outside,
            since=None if since is None else _text(since),
            jobs=jobs,
            cosigners=cosigners,
            verify_token=verify_token,
            progress=progress,
            log=log,
        )
    if as_json:
        print_json(auditing.verdict_json(verdict))
        return 0 if verdict.ok else 7
    click.echo(_TITLES[verdict.status])
    click.echo(f"事件 {verdict.size} 条，检查点 {verdict.checkpoints} 个，已由签名证明 {verdict.signed} 条。")
    click.echo(f"根哈希 {verdict.root.hex()}")
    if verdict.status is not Status.CANNOT_READ:
        timed = bool(cosigners or verify_token or installation.settings.witnesses)
        click.echo(_scope(verdict.level, log, timed=timed))
    if verdict.start:
        click.echo(f"前 {verdict.start} 条由上次的检查点证明没有变化，这次没有重读正文。")
    if verdict.ok and verdict.signed < verdict.size:
        click.echo(f"注意：最后 {verdict.size - verdict.signed} 条还没有签名，可用 jixiao audit checkpoint 签名。")
    for problem in verdict.problems:
        click.echo(f"- {problem.message}")
    if verdict.ok:
        found = exposing.exposure(
            installation, log=log, vkeys=cosigners, trusted=trusted, outside=outside, verify_token=verify_token
        )
        click.echo(exposing.exposure_sentence(exposing.exposure_json(found)))
    if not trusted:
        say("提示：公钥取自数据库本身；请用 --vkey 给出从外部取得的公钥再核对一次。")
    return 0 if verdict.ok else 7


def _scope(level: Level, log: str, *, timed: bool) -> str:
    if level is not Level.STRICT:
        return _SCOPES[level]
    # Only the main log tells of what stands in the other tables.
    return _SCOPES[level] + (_REPLAYED if log == LOG else "") + (_TIMED if timed else _UNTIMED)


def _text(path: str) -> str:
    return read_input(path).decode("utf-8", "replace")


def _keys(path: str) -> list[str]:
    keys = _text(path).split()
    if not keys:
        raise InvalidInput(f"公钥文件“{path}”是空的；请放入从外部取得的验证公钥，一行一个。")
    return keys


@contextlib.contextmanager
def _bar(*, shown: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on standard error, or nothing."""
    if not shown:
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("校验日志", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
