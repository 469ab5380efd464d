"""Organizations and accounts: org add|list|number-word, user add|list|grant."""

from __future__ import annotations

import sys

import click

from application import accounts, leaving
from application.installation import Request
from cli.documents import number_word
from cli.output import print_json, print_table, say
from cli.session import as_json, with_request
from models.people import ROLE_TITLES, OrganizationKind, Role


@click.group()
def org() -> None:
    """单位：部门、财政、审计。"""


@org.command("add")
@click.argument("name")
@click.option(
    "--kind", type=click.Choice([str(kind) for kind in OrganizationKind]), default="department", help="类别。"
)
@click.option("--code", help="单位编码，3 位或 6 位数字。")
@click.option("--alias", "aliases", multiple=True, help="别名（如封面上的简称），可写多次。")
@as_json
@with_request
def org_add(request: Request, name: str, kind: str, code: str | None, aliases: tuple[str, ...], as_json: bool) -> None:
    """登记一个单位（系统管理员）。"""
    made = accounts.add_organization(request, name, OrganizationKind(kind), code=code, aliases=aliases)
    if as_json:
        print_json(made)
    else:
        say(f"已登记单位“{made['name']}”。下一步：jixiao user add 登录名 --org {made['name']}。")


@org.command("list")
@as_json
@with_request
def org_list(request: Request, as_json: bool) -> None:
    """列出单位。"""
    found = accounts.list_organizations(request)
    if as_json:
        print_json(found)
        return
    print_table(
        ("单位", "类别", "编码", "别名"),
        [
            (
                item["name"],
                accounts.KIND_TITLES[OrganizationKind(item["kind"])],
                item["code"],
                "、".join(item["aliases"]),
            )
            for item in found
        ],
        empty="还没有单位。",
    )


org.add_command(number_word)


@click.group()
def user() -> None:
    """账号和岗位。"""


@user.command("add")
@click.argument("login")
@click.option("--org", "organization", required=True, help="所属单位（名称、别名或编号）。")
@click.option("--name", default="", help="姓名。")
@click.option("--password-stdin", is_flag=True, help="从标准输入读取口令。")
@as_json
@with_request
def user_add(request: Request, login: str, organization: str, name: str, password_stdin: bool, as_json: bool) -> None:
    """新建账号，并给出它的第一个访问令牌（只显示一次；系统管理员）。"""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else None
    made = accounts.add_account(request, login, name, organization, password=password)
    if as_json:
        print_json(made)
        return
    say(f"已建账号“{login}”，访问令牌（只显示这一次，请交给本人）：")
    click.echo(made["token"])
    say("下一步：请安全管理员运行 jixiao user grant 登录名 岗位。")


@user.command("list")
@as_json
@with_request
def user_list(request: Request, as_json: bool) -> None:
    """列出账号。"""
    found = accounts.list_accounts(request)
    if as_json:
        print_json(found)
        return
    print_table(
        ("登录名", "姓名", "单位", "岗位", "状态"),
        [
            (
                item["login"],
                item["name"],
                item["organization"],
                "、".join(ROLE_TITLES[Role(role)] for role in item["roles"]),
                "停用" if item["disabled"] else "正常",
            )
            for item in found
        ],
        empty="还没有账号。",
    )


@user.command("grant")
@click.argument("login")
@click.argument("role", type=click.Choice([str(role) for role in Role]))
@click.option("--days", type=click.IntRange(min=1), help="有效天数；省略为长期。")
@as_json
@with_request
def user_grant(request: Request, login: str, role: str, days: int | None, as_json: bool) -> None:
    """授予岗位（安全管理员）。

    \b
    岗位：drafter 经办人，department_head 部门负责人，publisher 公开，
    reviewer 初审，second_reviewer 复审，approver 审批，auditor 审计，
    system_administrator / security_administrator / audit_administrator。
    """
    made = accounts.grant_role(request, login, Role(role), days=days)
    if as_json:
        print_json(made)
    else:
        say(f"已授予“{login}”岗位“{ROLE_TITLES[Role(role)]}”。")


@user.command("revoke")
@click.argument("login")
@click.argument("role", type=click.Choice([str(role) for role in Role]))
@click.option("--reason", required=True, help="理由，例如“调离本岗位”。")
@as_json
@with_request
def user_revoke(request: Request, login: str, role: str, reason: str, as_json: bool) -> None:
    """收回岗位（安全管理员）；此人在这个岗位上未办结的任务由同岗位的人签收。"""
    done = leaving.revoke_role(request, login, Role(role), reason=reason)
    if as_json:
        print_json(done)
        return
    say(f"已收回“{login}”的岗位“{ROLE_TITLES[Role(role)]}”。")
    _say_tasks(done["open_tasks"])


@user.command("disable")
@click.argument("login")
@click.option("--reason", required=True, help="理由，例如“离职”。")
@as_json
@with_request
def user_disable(request: Request, login: str, reason: str, as_json: bool) -> None:
    """停用账号（系统管理员）：不能再登录，令牌作废；办过的事和姓名都保留。"""
    done = leaving.disable_account(request, login, reason=reason)
    if as_json:
        print_json(done)
        return
    say(f"已停用账号“{login}”。")
    _say_tasks(done["open_tasks"])


def _say_tasks(number: int) -> None:
    if number:
        say(f"此人名下还有 {number} 项任务；请同岗位的人运行 jixiao task list 查看，再用 jixiao task claim 签收。")
