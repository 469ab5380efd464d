"""The keys of a log: audit key show|rotate|retire."""

from __future__ import annotations

import click

from application import rotating
from application.installation import LOG, Request
from cli.output import print_json, print_table, say
from cli.session import as_json, current_installation, with_request

which_log = click.option(
    "--log", default=LOG, show_default=True, metavar="main|reads", help="哪个日志：main 办理，reads 审计查看。"
)


@click.group("key")
def key() -> None:
    """日志的签名密钥：查看、更换、停用旧的。"""


@key.command("show")
@which_log
@as_json
def key_show(log: str, as_json: bool) -> None:
    """列出日志用过的公钥，和各自签名的范围；不需要登录。"""
    found = rotating.show_keys(current_installation(), log=log)
    if as_json:
        print_json(found)
        return
    print_table(
        ("公钥", "从多少条起", "到多少条止", "状态", "私钥文件"),
        [
            (
                item["vkey"],
                item["from_size"],
                item["until_size"],
                "签名" if item["active"] else "停用",
                "在" if item["file"] else "不在",
            )
            for item in found
        ],
        empty="没有密钥。",
    )


@key.command("rotate")
@which_log
@as_json
@with_request
def key_rotate(request: Request, log: str, as_json: bool) -> None:
    """换一把新密钥（审计管理员）：从现在起新旧两把一起签名，直到停用旧的。"""
    done = rotating.rotate_key(request, log=log)
    if as_json:
        print_json(done)
        return
    click.echo(f"新的日志公钥（请公布在安装之外）：{done['new']}")
    say(f"私钥在 {done['file']}，请立即备份。新旧两把密钥现在一起签名。")
    say("请把新公钥当面交给审计机关，等对方用旧公钥核对过新的检查点，再运行 jixiao audit key retire。")


@key.command("retire")
@which_log
@click.option("--reason", default="", help="理由。")
@as_json
@with_request
def key_retire(request: Request, log: str, reason: str, as_json: bool) -> None:
    """停用旧密钥（审计管理员）：从现在起只用新密钥签名。请先确认审计机关已取得新公钥。"""
    done = rotating.retire_key(request, log=log, reason=reason)
    if as_json:
        print_json(done)
        return
    say(f"旧密钥已停用，它签名到 {done['until_size']} 条为止：{done['retired']}")
    say(f"请销毁它的私钥文件 {done['file']} 和备份中的副本；公钥请保留，早先的检查点要用它核对。")
