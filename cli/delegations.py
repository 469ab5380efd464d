"""Delegations: delegation add|list|revoke."""

from __future__ import annotations

from typing import Any

import click

from application import delegations
from application.installation import Request
from cli.listing import print_listing
from cli.output import local_time, print_json, say
from cli.session import as_json, with_request
from models.people import ADMINISTRATORS, Role

_STATUSES = {"active": "生效中", "planned": "未开始", "ended": "已到期", "revoked": "已撤销"}


@click.group()
def delegation() -> None:
    """代理：外出期间请本单位的另一个人代为办理。"""


@delegation.command("add")
@click.argument("login")
@click.option(
    "--until", required=True, help="到什么时候：2026-03-05（含当天）或 “2026-03-05 14:30”，北京时间；最长 90 天。"
)
@click.option("--from", "since", help="从什么时候；省略为现在。")
@click.option(
    "--role",
    type=click.Choice([str(role) for role in Role if role not in ADMINISTRATORS]),
    help="只代理这个岗位；省略为全部岗位。",
)
@click.option("--reason", required=True, help="理由，如 出差。")
@click.option("--principal", metavar="LOGIN", help="为别人设置（安全管理员）；省略为自己。")
@as_json
@with_request
def delegation_add(
    request: Request,
    login: str,
    until: str,
    since: str | None,
    role: str | None,
    reason: str,
    principal: str | None,
    as_json: bool,
) -> None:
    """请 LOGIN 代理：代办的事项同时记下两个人的名字，不相容岗位的限制对两个人都适用。"""
    made = delegations.add_delegation(
        request,
        login,
        until=until,
        since=since,
        role=None if role is None else Role(role),
        reason=reason,
        principal=principal,
    )
    if as_json:
        print_json(made)
    else:
        say(f"已设置：{login} 代理{_what(made)}，{_span(made)}。撤销用 jixiao delegation revoke {made['id']}。")


@delegation.command("list")
@as_json
@with_request
def delegation_list(request: Request, as_json: bool) -> None:
    """列出我给出和收到的代理；管理员和审计列出全部。"""
    found = delegations.list_delegations(request)
    if as_json:
        print_json(found)
        return
    print_listing(
        ("编号", "状态", "被代理人", "代理人", "岗位", "起止"),
        [
            (
                item["id"],
                _STATUSES[item["status"]],
                item["principal"]["name"],
                item["delegate"]["name"],
                item["role_title"] or "全部岗位",
                _span(item),
            )
            for item in found
        ],
        first=2,
        empty="没有代理。",
    )


@delegation.command("revoke")
@click.argument("delegation_id", metavar="ID")
@click.option("--reason", help="理由。")
@as_json
@with_request
def delegation_revoke(request: Request, delegation_id: str, reason: str | None, as_json: bool) -> None:
    """立即撤销代理（被代理人，或安全管理员）。"""
    done = delegations.revoke_delegation(request, delegation_id, reason=reason)
    if as_json:
        print_json(done)
    else:
        say(f"已撤销：{done['delegate']['login']} 不再代理 {done['principal']['login']}。")


def _what(item: dict[str, Any]) -> str:
    return f" {item['principal']['login']} 的{item['role_title'] or '全部岗位'}"


def _span(item: dict[str, Any]) -> str:
    return f"{local_time(item['starts'])} 至 {local_time(item['ends'])}"
