"""Closing the account of a person whose personal data is erased: the id stays, since events name it; the names go."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from models.engine import Work
from models.people import ADMINISTRATORS, ROLE_TITLES, AccessToken, Account, Delegation, Role, RoleGrant
from models.prepared import Prepared
from models.process import Task

# What stands in place of a name that was erased.
PLACEHOLDER = "已删除"

_REVOKE_TOKENS = Prepared(
    sa.update(AccessToken)
    .where(AccessToken.account_id == sa.bindparam("account"), AccessToken.revoked_at.is_(None))
    .values(revoked_at=sa.bindparam("moment"), name=PLACEHOLDER)
)


def is_erased(account: Account) -> bool:
    """Whether the account's names were erased before."""
    return account.display_name == PLACEHOLDER and account.login == _login(account)


def open_reasons(work: Work, account: Account, now: datetime) -> list[str]:
    """Why an account can't be closed now: what is still in the person's hands, and what nobody else could do."""
    reasons = []
    holding = sa.or_(Task.assignee_id == account.id, Task.owner_id == account.id)
    tasks = work.connection.scalar(
        sa.select(sa.func.count()).select_from(Task).where(Task.closed_at.is_(None), holding)
    )
    if tasks:
        reasons.append(f"该账号还有 {tasks} 项未办结的任务，请先办结、转办或退回待签收")
    lent = sa.or_(Delegation.principal_id == account.id, Delegation.delegate_id == account.id)
    delegations = work.connection.scalar(
        sa.select(sa.func.count())
        .select_from(Delegation)
        .where(lent, Delegation.revoked_at.is_(None), Delegation.ends_at > now)
    )
    if delegations:
        reasons.append(f"该账号还有 {delegations} 项没有到期的代理，请先撤销")
    reasons += [
        f"该账号是唯一的{ROLE_TITLES[role]}，请先把这个岗位授予另一个账号"
        for role in sorted(ADMINISTRATORS)
        if _is_last(work, account, role, now)
    ]
    return reasons


def _is_last(work: Work, account: Account, role: Role, now: datetime) -> bool:
    query = (
        sa.select(RoleGrant.account_id)
        .join(Account, Account.id == RoleGrant.account_id)
        .where(
            RoleGrant.role == role,
            RoleGrant.revoked_at.is_(None),
            sa.or_(RoleGrant.expires_at.is_(None), RoleGrant.expires_at > now),
            Account.disabled_at.is_(None),
        )
    )
    return set(work.connection.scalars(query)) == {account.id}


def close_account(work: Work, account: Account, now: datetime) -> None:
    """Puts placeholders for the names, takes password and tokens away, and disables the account."""
    account.login, account.display_name, account.password_hash = _login(account), PLACEHOLDER, None
    account.disabled_at = account.disabled_at or now
    work.session.flush()
    work.run(_REVOKE_TOKENS, account=account.id, moment=now)


def _login(account: Account) -> str:
    return f"{PLACEHOLDER}-{account.id[-12:]}"
