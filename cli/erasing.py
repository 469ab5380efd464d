"""Erasing personal data by two persons: audit erase."""

from __future__ import annotations

from typing import Any

import click

from application import erasing
from application.installation import Request
from cli.output import local_time, print_json, print_table, say
from cli.session import as_json, with_request


@click.command("erase")
@click.option("--subject", metavar="LOGIN", help="申请删除谁的信息：登录名、账号编号，或事件里的主体编号。")
@click.option("--commitment", metavar="承诺值", help="申请只删除一项：它的承诺值（audit log --json 的 oc 或 nc）。")
@click.option("--basis", metavar="法律依据", help="申请时必须写明，如“个人信息保护法第四十七条第一款第三项”。")
@click.option("--reason", metavar="理由", help="申请时必须写明；请不要写入个人信息。")
@click.option("--confirm", "erasure_id", metavar="申请编号", help="由第二个人确认一项申请，随即删除，不能恢复。")
@click.option("--list", "listing", is_flag=True, help="列出等待确认的申请。")
@click.option("--yes", is_flag=True, help="确认时不再询问。")
@as_json
@with_request
def erase(
    request: Request,
    subject: str | None,
    commitment: str | None,
    basis: str | None,
    reason: str | None,
    erasure_id: str | None,
    listing: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """删除个人信息：审计管理员申请，审计或系统管理员中的另一个人确认。

    删除之后日志照样可以校验，收据照样有效；日志里只剩承诺值，没有人再能知道它是什么。
    """
    asking = subject is not None or commitment is not None
    if [asking, erasure_id is not None, listing].count(True) != 1:
        raise click.UsageError("请用 --subject 或 --commitment 申请，用 --confirm 确认，或用 --list 查看（三者选一）。")
    if listing:
        _print_waiting(erasing.list_erasures(request), as_json)
    elif erasure_id is not None:
        _confirm(request, erasure_id, yes, as_json)
    else:
        asked = erasing.request_erasure(
            request, basis=basis or "", reason=reason or "", subject=subject, commitment=commitment
        )
        if as_json:
            print_json(asked)
        else:
            say(
                f"已申请删除 {asked['count']} 项个人信息。请由审计或系统管理员岗位的另一个人在 {erasing.VALID_DAYS} 天内运行：\n"
                f"jixiao audit erase --confirm {asked['id']}"
            )


def _print_waiting(found: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    print_table(
        ("编号", "时间", "申请人", "删除谁的", "几项", "是什么", "法律依据", "理由"),
        [
            (
                item["id"],
                local_time(item["asked_at"]),
                item["asked_by"],
                item["login"] or item["subject"],
                item["count"],
                "、".join(item["purposes"]),
                item["basis"],
                item["reason"],
            )
            for item in found
        ],
        empty="没有等待确认的删除申请。",
    )


def _confirm(request: Request, erasure_id: str, yes: bool, as_json: bool) -> None:
    if not yes:
        found = next((item for item in erasing.list_erasures(request) if item["id"] == erasure_id), None)
        if found is not None:
            say(
                f"{found['asked_by']} 于 {local_time(found['asked_at'])} 申请删除“{found['login'] or found['subject']}”的"
                f" {found['count']} 项信息（{'、'.join(found['purposes'])}）。"
            )
            say(f"法律依据：{found['basis']}　理由：{found['reason']}")
            click.confirm("删除之后不能恢复，确定吗？", abort=True, err=True)
    done = erasing.confirm_erasure(request, erasure_id)
    if as_json:
        print_json(done)
        return
    closed = "，账号已停用，登录名和姓名已换成占位" if done["login"] else ""
    # Whoever asked for the erasure must not be told more than was done.
    kept = "" if done["login"] else "文本各版本的内容、原始文件和已生成的文件按档案保管，其中的仍在。"
    say(f"已删除 {done['count']} 项个人信息{closed}。{kept}日志照样可以校验；备份里的副本请按保管期限销毁。")
