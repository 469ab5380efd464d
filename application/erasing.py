"""Erasing personal data: one person asks, another confirms; the log and its proofs stay as they are (audit.md "Personal data").

The request itself is an event, ``privacy.request`` of an object ``erasure``, and there is no table beside it: what is to be
erased, on what basis and by whose wish can't be changed between the asking and the confirming.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from application.accounts import require_role
from application.closing import close_account, is_erased, open_reasons
from application.histories import names_of_accounts
from application.installation import LOG, Request
from application.use_cases import refusals_recorded, typed, use_case
from audit.acts import Act
from audit.recorder import Detail
from audit.sealing import erase_subject, erase_value, find_sealed, sealed_of
from audit.timeline import LoggedEvent, events
from models.base import parse_timestamp, timestamp
from models.engine import Work, empty_side_file, transaction
from models.errors import Conflict, GuardFailed, InvalidInput, NotAllowed, NotFound
from models.ids import new_id
from models.people import Account, Role

# A request that nobody has confirmed by then would be confirmed by people who no longer know why.
VALID_DAYS = 30
# The basis stands in the event itself, where the second person and every auditor read it.
LONGEST_BASIS = 200
_KIND = "erasure"
_CONFIRMING = (Role.AUDITOR, Role.SYSTEM_ADMINISTRATOR)


@dataclass(frozen=True, slots=True)
class Erasure:
    """A request: whose data (an account, or a person named in a text), or which single commitment; on what legal basis."""

    id: str
    subject_id: str
    commitment: str | None
    basis: str
    reason: str
    asked_by: str
    asked_at: datetime
    account: Account | None = None


@use_case("audit.request_erasure")
def request_erasure(
    request: Request, *, basis: str, reason: str, subject: str | None = None, commitment: str | None = None
) -> dict[str, Any]:
    """Asks for an erasure (audit administrator): of all about ``subject``, a log-in name or subject id, or of one commitment.

    Raises NotFound where nothing is sealed, GuardFailed with every reason where an account can't be closed yet, Conflict where
    everything was erased before.
    """
    if (subject is None) == (commitment is None):
        raise InvalidInput("请用 --subject 写明要删除谁的信息，或用 --commitment 写明一个承诺值（二者选一）。")
    basis, reason = typed(basis), typed(reason)
    if not basis or not reason:
        raise InvalidInput("删除个人信息必须写明法律依据（--basis）和理由（--reason）。")
    if len(basis) > LONGEST_BASIS:
        raise InvalidInput(f"法律依据最多 {LONGEST_BASIS} 字，例如“个人信息保护法第四十七条”；其余请写在理由里。")
    installation = request.installation
    installation.require_writable()
    obj = ("account", request.person.account_id)
    with (
        refusals_recorded(request, Act.PRIVACY_REQUEST, obj, whom=subject),
        transaction(installation.engine) as work,
    ):
        role = require_role(work, request, Role.AUDIT_ADMINISTRATOR)
        now = request.now()
        asked = _asked(work, subject, commitment, basis, reason, request.person.account_id, now)
        count = _require_erasable(work, asked, now)
        recorded = request.recorder.write(
            work,
            Act.PRIVACY_REQUEST,
            actor=request.person.account_id,
            role=role,
            obj=(_KIND, asked.id),
            now=now,
            why=reason,
            details=_details(asked, count),
        )
        out = _json(work, asked, count)
    installation.settle(recorded.event_id)
    return out


@use_case("audit.erasures")
def list_erasures(request: Request) -> list[dict[str, Any]]:
    """Requests that wait for the second person, oldest first (the audit administrator, and those who may confirm)."""
    request.installation.catch_up()
    with (
        refusals_recorded(request, Act.TEXT_READ, ("audit_log", LOG)),
        transaction(request.installation.engine, read_only=True) as work,
    ):
        require_role(work, request, Role.AUDIT_ADMINISTRATOR, *_CONFIRMING)
        done = {item.event["obj"]["id"] for item in _pages(work, Act.PRIVACY_ERASE)}
        waiting = [item.event for item in _pages(work, Act.PRIVACY_REQUEST) if item.event["obj"]["type"] == _KIND]
        return [
            _json(work, asked, len(_commitments(work, asked)))
            for asked in (_parsed(event) for event in waiting if event["obj"]["id"] not in done)
            if request.now() - asked.asked_at < timedelta(days=VALID_DAYS)
        ]


@use_case("audit.confirm_erasure")
def confirm_erasure(request: Request, erasure_id: str) -> dict[str, Any]:
    """Confirms a request as the second person (auditor or system administrator) and erases at once, for good.

    Value, salt and key are deleted; an account gets a placeholder for its names, loses its password and tokens, and is closed.
    Raises NotAllowed for the person who asked, Conflict where it was done already or asked too long ago.
    """
    installation = request.installation
    installation.require_writable()
    installation.catch_up()
    with (
        refusals_recorded(request, Act.PRIVACY_ERASE, ("account", request.person.account_id), tried=_tried(erasure_id)),
        _wiping(request) as work,
    ):
        role = require_role(work, request, *_CONFIRMING)
        now = request.now()
        asked = _waiting(work, erasure_id, request.person.account_id, now)
        _require_erasable(work, asked, now)
        commitments = _erase(work, asked, request.person.account_id, now)
        if asked.account is not None:
            close_account(work, asked.account, now)
        recorded = request.recorder.write(
            work,
            Act.PRIVACY_ERASE,
            actor=request.person.account_id,
            role=role,
            obj=(_KIND, asked.id),
            now=now,
            why=asked.reason,
            details=[
                *_details(asked, len(commitments)),
                ("/asked_by", None, asked.asked_by),
                *([("/commitments", None, commitments)] if commitments else []),
            ],
        )
        out = {**_json(work, asked, len(commitments)), "event": recorded.event_id}
    installation.settle(recorded.event_id, checkpoint=True)
    return out


@contextmanager
def _wiping(request: Request) -> Iterator[Work]:
    """A transaction after which deleted values are in no free page of a SQLite file and in no side file any more.

    PostgreSQL gives the space of deleted rows back in its own time (VACUUM), and no database reaches its backups.
    """
    engine = request.installation.engine
    with transaction(engine) as work:
        if work.is_sqlite:
            work.connection.exec_driver_sql("PRAGMA secure_delete = ON")
        yield work
    if engine.dialect.name == "sqlite":
        empty_side_file(engine)


def _asked(
    work: Work, subject: str | None, commitment: str | None, basis: str, reason: str, who: str, now: datetime
) -> Erasure:
    if commitment is not None:
        found = find_sealed(work, commitment)
        if found is None:
            raise NotFound("没有这个承诺值；请从 jixiao audit log --json 的 oc 或 nc 复制。", commitment=commitment)
        if work.session.get(Account, found.subject_id) is not None:
            raise InvalidInput(f"这项信息属于一个账号，只删它没有用；请用 --subject {found.subject_id} 删除全部。")
        return Erasure(new_id(now), found.subject_id, commitment, basis, reason, who, now)
    account = work.session.scalar(sa.select(Account).where(sa.or_(Account.login == subject, Account.id == subject)))
    if account is not None:
        return Erasure(new_id(now), account.id, None, basis, reason, who, now, account)
    if not sealed_of(work, subject or ""):
        raise NotFound(
            "没有这个登录名，也没有这样的个人信息；账号请用 jixiao user list 查看，文本中的人请用 --commitment 指明。"
        )
    return Erasure(new_id(now), subject or "", None, basis, reason, who, now)


def _require_erasable(work: Work, asked: Erasure, now: datetime) -> int:
    """How many values would be erased; raises GuardFailed or Conflict where the request can't be carried out."""
    count = len(_commitments(work, asked))
    if asked.account is None:
        if count == 0:
            raise Conflict("要删除的个人信息已经删除过了。", erasure=asked.id)
        return count
    if is_erased(asked.account) and count == 0:
        raise Conflict("这个账号的个人信息已经删除过了。", erasure=asked.id)
    reasons = open_reasons(work, asked.account, now)
    if reasons:
        raise GuardFailed(f"现在不能删除这个账号的个人信息：{'；'.join(reasons)}。", reasons)
    return count


def _commitments(work: Work, asked: Erasure) -> list[str]:
    if asked.commitment is None:
        return sealed_of(work, asked.subject_id)
    found = find_sealed(work, asked.commitment)
    return [asked.commitment] if found is not None and found.erased_at is None else []


def _erase(work: Work, asked: Erasure, by: str, now: datetime) -> list[str]:
    # With the last value of somebody their key goes, too.
    if asked.commitment is None or sealed_of(work, asked.subject_id) == [asked.commitment]:
        return erase_subject(work, asked.subject_id, by=by, now=now)
    if not erase_value(work, asked.commitment, by=by, now=now):
        raise Conflict("别人刚刚删除了这项个人信息。", erasure=asked.id)
    return [asked.commitment]


def _waiting(work: Work, erasure_id: str, who: str, now: datetime) -> Erasure:
    """A request that the person may confirm now; the account of its subject is locked."""
    found = events(work, log=LOG, obj_type=_KIND, obj_id=erasure_id, limit=10)
    asked = [item.event for item in found if item.event["act"] == Act.PRIVACY_REQUEST]
    if not asked:
        raise NotFound(f"没有编号为“{erasure_id}”的删除申请；请用 jixiao audit erase --list 查看。", erasure=erasure_id)
    if any(item.event["act"] == Act.PRIVACY_ERASE and item.event["out"] == "success" for item in found):
        raise Conflict("这项删除申请已经办完。", erasure=erasure_id)
    erasure = _parsed(asked[0])
    if erasure.asked_by == who:
        raise NotAllowed("删除要由两个人办理：申请的人不能自己确认，请由审计或系统管理员岗位的另一个人确认。")
    if erasure.subject_id == who:
        # Whose traces these are is the last who should decide that nobody sees them any more.
        raise NotAllowed("要删除的是您本人的信息，不能由您自己确认；请由审计或系统管理员岗位的另一个人确认。")
    if now - erasure.asked_at >= timedelta(days=VALID_DAYS):
        raise Conflict(f"这项删除申请超过 {VALID_DAYS} 天没有确认，已经失效；请重新申请。", erasure=erasure_id)
    if erasure.commitment is not None:
        return erasure
    query = sa.select(Account).where(Account.id == erasure.subject_id).with_for_update()
    return replace(erasure, account=work.session.scalar(query))


def _tried(erasure_id: str) -> list[Detail]:
    # Only what looks like an id: anything else that was typed may be a person's name.
    try:
        known = str(uuid.UUID(erasure_id)) == erasure_id
    except ValueError:
        known = False
    return [("/erasure", None, erasure_id)] if known else []


def _details(asked: Erasure, count: int) -> list[tuple[str, Any, Any]]:
    which = ("/commitment", None, asked.commitment) if asked.commitment else ("/subject", None, asked.subject_id)
    return [which, ("/basis", None, asked.basis), ("/count", None, count)]


def _parsed(event: dict[str, Any]) -> Erasure:
    said = {change["p"]: change.get("n") for change in event["chg"]}
    return Erasure(
        id=event["obj"]["id"],
        subject_id=said.get("/subject", ""),
        commitment=said.get("/commitment"),
        basis=said["/basis"],
        reason=event.get("why", ""),
        asked_by=event["actor"]["sub"],
        asked_at=parse_timestamp(event["ts"]),
    )


def _json(work: Work, asked: Erasure, count: int) -> dict[str, Any]:
    names = names_of_accounts(work)
    account = asked.account or work.session.get(Account, asked.subject_id)
    purposes = [found.purpose for item in _commitments(work, asked) if (found := find_sealed(work, item)) is not None]
    return {
        "id": asked.id,
        "subject": asked.subject_id,
        "login": account.login if account is not None and asked.commitment is None else None,
        "commitment": asked.commitment,
        "purposes": sorted(set(purposes)),
        "count": count,
        "basis": asked.basis,
        "reason": asked.reason,
        "asked_by": names.get(asked.asked_by, ("系统", ""))[0],
        "asked_at": timestamp(asked.asked_at),
    }


def _pages(work: Work, act: str) -> Iterator[LoggedEvent]:
    since = 0
    while page := events(work, log=LOG, act=act, since_index=since, limit=500):
        yield from (item for item in page if item.event["out"] == "success")
        since = page[-1].index + 1
