"""Archives: make|verify."""

from __future__ import annotations

from pathlib import Path

import click

from application import archive_checks, archiving
from application.installation import Request
from cli.output import print_json, say
from cli.proving import read_vkeys
from cli.session import as_json, read_input, with_request
from models.errors import JixiaoError


@click.group()
def archive() -> None:
    """归档：一份文本的全部文件、内容、经过和收据，装成一个可以离线核对的 ZIP。"""


@archive.command("make")
@click.argument("text_id", metavar="ID")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="写到哪里（默认 年度-编号.zip）。")
@as_json
@with_request
def archive_make(request: Request, text_id: str, out: Path | None, as_json: bool) -> None:
    """归档一份文本（编制部门、审核机关、审计）；文本没有变化时，再归档一次，字节相同。

    里面有：归档目录、文件处理单、各环节的正式文件（PDF/A）、每一版内容、审核意见和答复、审计事件和收据、
    检查点和公钥、SHA-256 清单，以及给陌生人看的说明（README.md）。
    """
    made = archiving.make_archive(request, text_id)
    path = out or Path(made.name)
    path = path / made.name if path.is_dir() else path
    try:
        path.write_bytes(made.data)
    except OSError as error:
        raise JixiaoError(f"不能写入 {path}（{error.strerror}）；请用 --out 指定别处。") from error
    if as_json:
        print_json({"path": str(path), "sha256": made.sha256, "files": len(made.files)})
        return
    click.echo(path)
    say(f"已归档 {len(made.files)} 个文件，SHA-256 {made.sha256}。")
    say(f"核对：jixiao archive verify {path} --vkey 公钥文件")


@archive.command("verify")
@click.argument("file", metavar="FILE")
@click.option(
    "--vkey", "vkeys", multiple=True, required=True, metavar="FILE", help="从外部取得的公钥文件，一行一个；可写多次。"
)
@as_json
def archive_verify(file: str, vkeys: tuple[str, ...], as_json: bool) -> int:
    """核对一个归档文件：清单、哈希、收据；不需要登录、数据库和网络。有不符时逐条列出，退出码为 7。"""
    keys = [line for path in vkeys for line in read_vkeys(path)]
    verdict = archive_checks.verify_archive(read_input(file), keys)
    if as_json:
        print_json(verdict.to_json())
    elif verdict.ok:
        click.echo(f"归档完好：“{verdict.title}”，{verdict.files} 个文件，{verdict.receipts} 份收据。")
    else:
        for problem in verdict.problems:
            click.echo(problem)
        say(f"有 {len(verdict.problems)} 处不符；请重新取得归档文件，或向审计机关核对。")
    return 0 if verdict.ok else 7
