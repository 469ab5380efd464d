"""Evidence to take away: audit export, audit prove, audit check-receipt."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from application import proving
from application.auditing import Status
from application.installation import Request
from application.proving import Proof
from cli.keys import which_log
from cli.output import OUTCOMES, local_time, print_json, say
from cli.session import as_json, read_input, with_request
from models.errors import InvalidInput

_TITLES = {
    Status.INTACT: "收据有效。",
    Status.TAMPERED: "已被改动，或不是同一个事件。",
    Status.NOT_PROVABLE: "无法证明。",
    Status.CANNOT_READ: "无法读取。",
}


@click.command("export")
@click.option(
    "--tiles",
    "folder",
    required=True,
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="写入这个文件夹；以前导出过的接着写，只写新的部分。",
)
@which_log
@as_json
@with_request
def export(request: Request, folder: Path, log: str, as_json: bool) -> None:
    """把整个日志导出为瓦片文件夹（审计、审计管理员）。

    格式是公开的 C2SP tlog-tiles，别的程序也能读；用 docs/verifier/verify.py 和公钥就能核对，不需要本系统。
    先签发一个检查点，导出到它为止。
    """
    if sys.stderr.isatty() and not as_json:
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("导出日志", total=None)
            found = proving.export_tiles(
                request, folder, log=log, progress=lambda done, total: bar.update(task, completed=done, total=total)
            )
    else:
        found = proving.export_tiles(request, folder, log=log)
    if as_json:
        print_json(found)
        return
    click.echo(f"已导出 {found['size']} 条到 {folder}，新写 {found['written']} 个文件。")
    click.echo(f"根哈希 {found['root']}")
    say(f"把整个文件夹交给核对的人；核对：python3 docs/verifier/verify.py {folder} --vkey 公钥文件")


@click.command("prove")
@click.argument("subject", metavar="TEXT|EVENT")
@click.option("--act", "acts", multiple=True, help="只要文本的这种事件，如 workflow.approve；可写多次。")
@click.option(
    "--out",
    metavar="FILE|FOLDER",
    type=click.Path(path_type=Path),
    help="写到哪里；一个事件可以写成 名称.tlog-proof。默认是当前文件夹（文本在其中新建一个）。",
)
@which_log
@as_json
@with_request
def prove(request: Request, subject: str, acts: tuple[str, ...], out: Path | None, log: str, as_json: bool) -> None:
    """为一个事件，或一份文本的各个事件，开具收据（审计、审计管理员）。

    TEXT 是文本编号；EVENT 是事件编号，或 audit log 里的序号。每个事件两个文件：事件原样的 .json 和收据 .tlog-proof。
    以后用 jixiao audit check-receipt 和公钥核对，不需要数据库。
    """
    proofs = proving.prove(request, subject, acts=acts, log=log)
    single = len(proofs) == 1 and subject in (proofs[0].event["id"], str(proofs[0].index))
    if single and out is not None and out.suffix == proving.SUFFIX:
        folder, names = out.parent, [out.stem]
    else:
        folder = out or (Path() if single else Path(f"receipts-{subject}"))
        names = [f"{proof.index:08d}-{proof.event['act']}" for proof in proofs]
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"“{folder}”是文件，放不下收据；请指定文件夹，一个事件也可以写成 名称{proving.SUFFIX}。")
    folder.mkdir(parents=True, exist_ok=True)
    for name, proof in zip(names, proofs, strict=True):
        (folder / f"{name}.json").write_bytes(proof.body)
        (folder / f"{name}{proving.SUFFIX}").write_text(proof.receipt, encoding="utf-8", newline="\n")
    if not single:
        (folder / "index.md").write_text(_index(subject, names, proofs), encoding="utf-8", newline="\n")
    if as_json:
        print_json([_row(folder, name, proof) for name, proof in zip(names, proofs, strict=True)])
        return
    for name in names:
        click.echo(folder / f"{name}{proving.SUFFIX}")
    first = folder / names[0]
    say(
        f"已开具 {len(proofs)} 份收据。核对：jixiao audit check-receipt {first}{proving.SUFFIX} {first}.json --vkey 公钥文件"
    )


def _row(folder: Path, name: str, proof: Proof) -> dict[str, Any]:
    return {
        "index": proof.index,
        "event": proof.event["id"],
        "act": proof.event["act"],
        "receipt": str(folder / f"{name}{proving.SUFFIX}"),
        "body": str(folder / f"{name}.json"),
    }


def _index(subject: str, names: list[str], proofs: list[Proof]) -> str:
    """The list that lies beside a text's receipts: what each file is, and how to check it."""
    lines = [
        f"# 文本 {subject} 的事件收据",
        "",
        "每个事件两个文件：`.json` 是事件原样的字节（请勿用编辑器保存），`.tlog-proof` 是收据。",
        "公钥请从安装之外取得（公文、网站、审计机关的档案），不要用与收据一起送来的。",
        "",
        "| 序号 | 时间（北京） | 事件 | 结果 | 文件 |",
        "|---:|---|---|---|---|",
        *(
            f"| {proof.index} | {local_time(proof.event['ts'])} | {proof.event['act']} "
            f"| {OUTCOMES[proof.event['out']]} | {name} |"
            for name, proof in zip(names, proofs, strict=True)
        ),
        "",
        "核对一份：",
        "",
        "```bash",
        f"jixiao audit check-receipt {names[0]}{proving.SUFFIX} {names[0]}.json --vkey 公钥文件",
        f"python3 verify.py --receipt {names[0]}{proving.SUFFIX} --event {names[0]}.json --vkey 公钥文件",
        "```",
        "",
        "收据证明事件在日志里、以后没有被改动；不证明这里列出了这份文本的全部事件。",
        "",
    ]
    return "\n".join(lines)


@click.command("check-receipt")
@click.argument("receipt", metavar="RECEIPT")
@click.argument("event", metavar="EVENT")
@click.option(
    "--vkey", "vkeys", multiple=True, required=True, metavar="FILE", help="从外部取得的公钥文件，一行一个；可写多次。"
)
@as_json
def check_receipt(receipt: str, event: str, vkeys: tuple[str, ...], as_json: bool) -> int:
    """核对一份收据：不需要登录、数据库和网络。不能证明时退出码为 7。

    RECEIPT 是 .tlog-proof 文件，EVENT 是事件原样的 .json 文件。
    """
    keys = [line for path in vkeys for line in read_vkeys(path)]
    verdict = proving.check_receipt(read_input(receipt), read_input(event), keys)
    if as_json:
        print_json(proving.receipt_json(verdict))
    else:
        click.echo(f"{_TITLES[verdict.status]}{verdict.message}")
    return 0 if verdict.ok else 7


def read_vkeys(path: str) -> list[str]:
    """The verifier keys in a file, one a line; raises InvalidInput where there is none."""
    text = read_input(path).decode("utf-8", "replace")
    found = [line.strip() for line in text.splitlines() if line.strip()]
    if not found:
        raise InvalidInput(f"公钥文件“{path}”是空的；每行应有一个公钥。")
    return found
