"""When people change their post or leave: a role is taken back, an account is disabled. What they did stays theirs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from application.accounts import require_role
from application.closing import last_administrator
from application.installation import Request
from application.use_cases import refusals_recorded, typed, use_case
from audit.events import Act
from models.engine import Work, transaction
from models.errors import Conflict, InvalidInput, NotAllowed, NotFound
from models.people import ROLE_TITLES, AccessToken, Account, Role, RoleGrant
from models.process import Task


@use_case("role.revoke")
def revoke_role(request: Request, login: str, role: Role, *, reason: str) -> dict[str, Any]:
    """Takes a role back (security administrator): ``{login, role, open_tasks}``.

    Tasks that the person holds in this role go back to the pool of their colleagues. Raises NotAllowed for one's own roles and
    the last administrator of a kind, NotFound, Conflict where the account does not hold the role, InvalidInput without a reason.
    """
    words = _reason(reason)
    request.installation.require_writable()
    obj, tried = ("account", request.person.account_id), [("/role", None, str(role))]
    with (
        refusals_recorded(request, Act.ROLE_REVOKE, obj, whom=login, tried=tried),
        transaction(request.installation.engine) as work,
    ):
        mine = require_role(work, request, Role.SECURITY_ADMINISTRATOR)
        account = _locked(work, login)
        now = request.now()
        if account.id == request.person.account_id:
            raise NotAllowed("不能收回自己的岗位；请由另一位安全管理员办理。")
        grants = [grant for grant in _grants(work, account) if grant.role == role]
        if not grants:
            raise Conflict(f"该账号没有“{ROLE_TITLES[role]}”岗位；请用 jixiao user list 查看。")
        _require_others(work, account, [role], now)
        for grant in grants:
            grant.revoked_at = now
        recorded = request.recorder.write(
            work,
            Act.ROLE_REVOKE,
            actor=request.person.account_id,
            role=mine,
            obj=("account", account.id),
            now=now,
            why=words,
            details=[("/roles", {"role": str(role), "organization": account.organization_id}, None)],
        )
        out = {"login": account.login, "role": str(role), "open_tasks": _open_tasks(work, account, role)}
    request.installation.settle(recorded.event_id)
    return out


@use_case("account.disable")
def disable_account(request: Request, login: str, *, reason: str) -> dict[str, Any]:
    """Disables an account for good (system administrator): ``{login, open_tasks}``; its tokens end, its tasks go to its colleagues.

    Raises NotAllowed for one's own account and the last administrator of a kind, NotFound, Conflict where it is disabled already,
    InvalidInput without a reason.
    """
    words = _reason(reason)
    request.installation.require_writable()
    with (
        refusals_recorded(request, Act.ACCOUNT_DISABLE, ("account", request.person.account_id), whom=login),
        transaction(request.installation.engine) as work,
    ):
        mine = require_role(work, request, Role.SYSTEM_ADMINISTRATOR)
        account = _locked(work, login)
        now = request.now()
        if account.id == request.person.account_id:
            raise NotAllowed("不能停用自己的账号；请由另一位系统管理员办理。")
        if account.disabled_at is not None:
            raise Conflict("这个账号已经停用。")
        _require_others(work, account, [Role(grant.role) for grant in _grants(work, account)], now)
        account.disabled_at = now
        tokens = sa.select(AccessToken).where(AccessToken.account_id == account.id, AccessToken.revoked_at.is_(None))
        for token in work.session.scalars(tokens):
            token.revoked_at = now
        recorded = request.recorder.write(
            work,
            Act.ACCOUNT_DISABLE,
            actor=request.person.account_id,
            role=mine,
            obj=("account", account.id),
            now=now,
            why=words,
            details=[("/disabled", None, True)],
        )
        out = {"login": account.login, "open_tasks": _open_tasks(work, account, None)}
    request.installation.settle(recorded.event_id)
    return out


def _reason(reason: str) -> str:
    words = typed(reason)
    if not words:
        raise InvalidInput("必须写明理由，例如“调离本岗位”。")
    return words


def _locked(work: Work, login: str) -> Account:
    account = work.session.scalar(sa.select(Account).where(Account.login == login).with_for_update(key_share=True))
    if account is None:
        raise NotFound(f"没有登录名为“{login}”的账号；请用 jixiao user list 查看。", login=login)
    return account


def _grants(work: Work, account: Account) -> list[RoleGrant]:
    query = sa.select(RoleGrant).where(RoleGrant.account_id == account.id, RoleGrant.revoked_at.is_(None))
    return list(work.session.scalars(query))


def _require_others(work: Work, account: Account, roles: list[Role], now: datetime) -> None:
    """Raises NotAllowed where nobody else could administer any more."""
    reasons = last_administrator(work, account, roles, now)
    if reasons:
        raise NotAllowed(f"{'；'.join(reasons)}。", reasons=reasons)


def _open_tasks(work: Work, account: Account, role: Role | None) -> int:
    """How many open tasks the person holds, of one role or of all: what their colleagues should claim."""
    query = sa.select(sa.func.count()).where(Task.assignee_id == account.id, Task.closed_at.is_(None))
    return int(work.session.scalar(query if role is None else query.where(Task.role == role)) or 0)
