"""代理: one person acts for another in their organization, for a while. Both names stand in the log whenever they do.

Nothing is lent on: what a delegate holds by a delegation is the principal's own roles of that moment (``READ_PRINCIPALS``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from application.accounts import require_role
from application.assignments import account_of
from application.installation import Request
from application.use_cases import refusals_recorded, typed, use_case
from audit.events import Act
from models.base import SHANGHAI, timestamp
from models.engine import Work, transaction
from models.errors import Conflict, InvalidInput, NotAllowed, NotFound
from models.ids import new_id
from models.people import ADMINISTRATORS, ROLE_TITLES, Account, Delegation, Organization, Role
from workflow.records import standing_of
from workflow.situation import Actor

LONGEST = timedelta(days=90)


class Span(NamedTuple):
    """Who acts for whom, from when until (exclusive) when."""

    principal: str
    delegate: str
    starts: datetime
    ends: datetime


def moment_of(text: str, *, end: bool = False) -> datetime:
    """The aware time of ``2026-03-05`` or ``2026-03-05 14:30`` in Shanghai; a day that ends something is over at midnight.

    Raises InvalidInput for any other spelling.
    """
    day, _, clock = text.strip().replace("T", " ").partition(" ")
    try:
        moment = datetime.strptime(f"{day} {clock or '00:00'}", "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI)
        return (moment + timedelta(days=1 if end and not clock else 0)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(f"时间“{text}”无法识别；应写成 2026-03-05 或 2026-03-05 14:30（北京时间）。") from None


def closes_a_circle(new: Span, others: Iterable[Span]) -> bool:
    """Whether at some moment the new delegation leads round in a circle, through however many people.

    Delegations that have a moment in common have one at the start of one of them, so only these are looked at.
    """
    near = [item for item in others if item.starts < new.ends and new.starts < item.ends]
    for moment in {new.starts, *(item.starts for item in near if item.starts > new.starts)}:
        lent = [item for item in near if item.starts <= moment < item.ends]
        reached, waiting = {new.delegate}, [new.delegate]
        while waiting:
            who = waiting.pop()
            following = {item.delegate for item in lent if item.principal == who} - reached
            reached |= following
            waiting += following
        if new.principal in reached:
            return True
    return False


@use_case("delegation.add")
def add_delegation(
    request: Request,
    delegate: str,
    *,
    until: str,
    reason: str,
    since: str | None = None,
    role: Role | None = None,
    principal: str | None = None,
) -> dict[str, Any]:
    """Lets ``delegate`` (a log-in name) act for the person, in one role or in all of theirs, from ``since`` (default: now).

    For another ``principal`` a security administrator does it. Raises InvalidInput (times, no reason), NotAllowed (who may not
    lend or be lent to), Conflict (a circle, or the same delegation for the same time).
    """
    request.installation.require_writable()
    reason = typed(reason)
    if not reason:
        raise InvalidInput("设置代理必须写明理由。")
    with (
        refusals_recorded(request, Act.DELEGATION_ADD, ("account", request.person.account_id), whom=delegate),
        transaction(request.installation.engine) as work,
    ):
        lender = account_of(work, principal or request.person.login)
        borrower = account_of(work, delegate)
        # Two delegations at once would each not see the other, and close a circle together.
        work.session.scalar(
            sa.select(Organization).where(Organization.id == lender.organization_id).with_for_update(key_share=True)
        )
        now = request.now()
        starts, ends = _times(since, until, now)
        acting = None if lender.id == request.person.account_id else _administrator(work, request)
        own = _require_fit(work, lender, borrower, role, now)
        span = Span(lender.id, borrower.id, starts, ends)
        _require_free(work, span, role)
        made = Delegation(
            id=new_id(now),
            principal_id=lender.id,
            delegate_id=borrower.id,
            role=None if role is None else str(role),
            reason=reason,
            starts_at=starts,
            ends_at=ends,
            created_by=request.person.account_id,
            created_at=now,
            revoked_at=None,
        )
        work.session.add(made)
        work.session.flush()
        recorded = request.recorder.write(
            work,
            Act.DELEGATION_ADD,
            actor=request.person.account_id,
            role=acting or made.role or own,
            obj=("delegation", made.id),
            now=now,
            why=reason,
            details=[
                ("/principal", None, lender.id),
                ("/delegate", None, borrower.id),
                *([("/role", None, made.role)] if made.role else []),
                ("/starts", None, timestamp(starts)),
                ("/ends", None, timestamp(ends)),
            ],
        )
        out = _json(made, lender, borrower, now)
    request.installation.settle(recorded.event_id)
    return out


@use_case("delegation.revoke")
def revoke_delegation(request: Request, delegation_id: str, *, reason: str | None = None) -> dict[str, Any]:
    """Ends a delegation at once: the principal, or a security administrator."""
    request.installation.require_writable()
    reason = typed(reason or "")
    with (
        refusals_recorded(request, Act.DELEGATION_REVOKE, ("delegation", delegation_id)),
        transaction(request.installation.engine) as work,
    ):
        found = work.session.scalar(sa.select(Delegation).where(Delegation.id == delegation_id).with_for_update())
        if found is None:
            raise NotFound(f"没有编号为“{delegation_id}”的代理；请用 jixiao delegation list 查看。")
        now = request.now()
        acting = None if found.principal_id == request.person.account_id else _administrator(work, request)
        if found.revoked_at is not None or found.ends_at <= now:
            raise Conflict(f"这项代理{'已经撤销' if found.revoked_at else '已经到期'}。", delegation=delegation_id)
        found.revoked_at = now
        recorded = request.recorder.write(
            work,
            Act.DELEGATION_REVOKE,
            actor=request.person.account_id,
            role=acting or found.role or "-",
            obj=("delegation", found.id),
            now=now,
            why=reason or None,
            details=[("/revoked", None, timestamp(now))],
        )
        people = [work.session.get_one(Account, item) for item in (found.principal_id, found.delegate_id)]
        out = _json(found, people[0], people[1], now)
    request.installation.settle(recorded.event_id)
    return out


@use_case("delegation.list")
def list_delegations(request: Request) -> list[dict[str, Any]]:
    """Delegations, newest first: given and received ones; all of them for administrators and auditors."""
    now, me = request.now(), request.person.account_id
    lender, borrower = aliased(Account), aliased(Account)
    query = (
        sa.select(Delegation, lender, borrower)
        .join(lender, Delegation.principal_id == lender.id)
        .join(borrower, Delegation.delegate_id == borrower.id)
        .order_by(Delegation.starts_at.desc(), Delegation.id.desc())
    )
    if not request.person.holds(*ADMINISTRATORS, Role.AUDITOR):
        query = query.where(sa.or_(Delegation.principal_id == me, Delegation.delegate_id == me))
    with transaction(request.installation.engine, read_only=True) as work:
        return [_json(item, giver, taker, now) for item, giver, taker in work.session.execute(query)]


def _times(since: str | None, until: str, now: datetime) -> tuple[datetime, datetime]:
    starts = now if since is None else moment_of(since)
    ends = moment_of(until, end=True)
    if starts.astimezone(SHANGHAI).date() < now.astimezone(SHANGHAI).date():
        raise InvalidInput("代理不能从过去的日子开始；请从今天或以后开始。")
    # What was done before this moment was done by nobody's delegate.
    starts = max(starts, now)
    if ends <= starts:
        raise InvalidInput("代理的结束时间必须在开始之后，也在现在之后。")
    # The last day counts in whole, so that ninety days from today are ninety days.
    if ends - starts > LONGEST + timedelta(days=1):
        raise InvalidInput(f"代理最长 {LONGEST.days} 天；请缩短，到期后可以再设。")
    return starts, ends


def _administrator(work: Work, request: Request) -> str:
    return require_role(work, request, Role.SECURITY_ADMINISTRATOR)


def _require_fit(work: Work, lender: Account, borrower: Account, role: Role | None, now: datetime) -> str:
    """Refuses pairs of which one may not lend or borrow; returns a role of the principal, for the log."""
    if lender.id == borrower.id:
        raise NotAllowed("不能由自己代理自己；请指定另一个人。")
    reasons = []
    roles: dict[str, set[str]] = {}
    for account, who in ((lender, "被代理人"), (borrower, "代理人")):
        standing = standing_of(work, Actor(account.id, account.organization_id), now)
        roles[account.id] = {name for name, _ in standing.grants}
        reasons += [] if standing.active else [f"{who}的账号已停用"]
        reasons += [f"{who}是{ROLE_TITLES[Role(name)]}" for name in sorted(roles[account.id] & ADMINISTRATORS)]
    held = roles[lender.id]
    if lender.organization_id != borrower.organization_id:
        reasons.append("代理人和被代理人不在同一个单位")
    if not held:
        reasons.append("被代理人没有任何岗位")
    elif role is not None and role not in held:
        reasons.append(f"被代理人没有“{ROLE_TITLES[role]}”岗位")
    if reasons:
        raise NotAllowed(f"不能设置代理：{'；'.join(reasons)}。", reasons=reasons)
    return min(held)


def _require_free(work: Work, new: Span, role: Role | None) -> None:
    query = sa.select(Delegation).where(
        Delegation.revoked_at.is_(None), Delegation.starts_at < new.ends, Delegation.ends_at > new.starts
    )
    near = list(work.session.scalars(query))
    for item in near:
        same = (item.principal_id, item.delegate_id) == (new.principal, new.delegate)
        if same and (item.role is None or role is None or item.role == role):
            raise Conflict("这两个人在这段时间里已有同样的代理；请先撤销，或改换时间。", delegation=item.id)
    if closes_a_circle(new, (Span(item.principal_id, item.delegate_id, item.starts_at, item.ends_at) for item in near)):
        raise Conflict("代理会绕成一圈：代理人在这段时间里直接或间接地由被代理人代理；请改换人选或时间。")


def _json(item: Delegation, lender: Account, borrower: Account, now: datetime) -> dict[str, Any]:
    if item.revoked_at is not None:
        status = "revoked"
    elif item.ends_at <= now:
        status = "ended"
    else:
        status = "planned" if item.starts_at > now else "active"
    return {
        "id": item.id,
        "principal": {"login": lender.login, "name": lender.display_name},
        "delegate": {"login": borrower.login, "name": borrower.display_name},
        "role": item.role,
        "role_title": None if item.role is None else ROLE_TITLES[Role(item.role)],
        "reason": item.reason,
        "starts": timestamp(item.starts_at),
        "ends": timestamp(item.ends_at),
        "status": status,
        "by_administrator": item.created_by != item.principal_id,
    }
