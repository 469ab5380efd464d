"""Closing the account of a person whose personal data is erased: the id stays, since events name it; the names go."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from models.engine import Work
from models.messages import Contact
from models.people import ADMINISTRATORS, ROLE_TITLES, AccessToken, Account, Delegation, Role, RoleGrant
from models.prepared import Prepared
from models.process import Signature, Signer, Task
from models.texts import BudgetText

# What stands in place of a name that was erased.
PLACEHOLDER = "已删除"

_REVOKE_TOKENS = Prepared(
    sa.update(AccessToken)
    .where(AccessToken.account_id == sa.bindparam("account"), AccessToken.revoked_at.is_(None))
    .values(revoked_at=sa.bindparam("moment"), name=PLACEHOLDER)
)
_FORGET_CONTACT = Prepared(sa.delete(Contact).where(Contact.account_id == sa.bindparam("account")))


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
    seats = work.connection.scalar(_waiting_seats(account))
    if seats:
        reasons.append(f"该账号还有 {seats} 个加签席位没有轮到，请先由加签的人减去，或等其签署")
    return [*reasons, *last_administrator(work, account, ADMINISTRATORS, now)]


def _waiting_seats(account: Account) -> sa.Select[int]:
    """How many seats were added for the person that will be theirs once somebody else has signed: they have no task yet."""
    signed = sa.exists().where(
        Signature.text_id == Signer.text_id, Signature.visit == Signer.visit, Signature.seat == Signer.seat
    )
    opened = sa.exists().where(
        Task.text_id == Signer.text_id,
        Task.visit == Signer.visit,
        Task.seat == Signer.seat,
        Task.closed_at.is_(None),
    )
    return (
        sa.select(sa.func.count())
        .select_from(Signer)
        .join(BudgetText, sa.and_(BudgetText.id == Signer.text_id, BudgetText.visit == Signer.visit))
        .where(Signer.account_id == account.id, Signer.removed_at.is_(None), ~signed, ~opened)
    )


def last_administrator(work: Work, account: Account, roles: Iterable[Role], now: datetime) -> list[str]:
    """Which of these roles nobody but the account could exercise, as sentences; only administrators are asked for."""
    return [
        f"该账号是唯一的{ROLE_TITLES[role]}，请先把这个岗位授予另一个账号"
        for role in sorted(ADMINISTRATORS & set(roles))
        if _is_last(work, account, role, now)
    ]


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
    """Puts placeholders for the names, takes password, tokens and mail address away, and disables the account."""
    account.login, account.display_name, account.password_hash = _login(account), PLACEHOLDER, None
    account.disabled_at = account.disabled_at or now
    work.session.flush()
    work.run(_REVOKE_TOKENS, account=account.id, moment=now)
    work.run(_FORGET_CONTACT, account=account.id)


def _login(account: Account) -> str:
    return f"{PLACEHOLDER}-{account.id[-12:]}"
