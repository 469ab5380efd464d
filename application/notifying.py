"""What somebody was told, and how they want to be told: their inbox, their preferences, their mail address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
import structlog

from application.accounts import require_role
from application.channels import quiet_of
from application.installation import Installation, Request
from application.telling import tell_waiting
from application.use_cases import refusals_recorded, use_case
from audit.events import Act
from audit.sealing import Personal
from models.base import timestamp
from models.engine import Work, transaction
from models.errors import InvalidInput, JixiaoError, NotFound
from models.messages import Contact, Notice, NoticePreference
from models.people import Account, Role
from models.prepared import Prepared, insert_into
from notifications.channels import inbox as inboxes
from notifications.channels.mail import check_address
from notifications.kinds import CHOSEN, KIND_TITLES, MANDATORY, MODE_TITLES, Kind, Mode, require_choice, usual
from notifications.letters import from_body

# How many notices are shown or marked at once.
MOST = 500
_PREFERENCE = (
    NoticePreference.account_id == sa.bindparam("of_account"),
    NoticePreference.kind == sa.bindparam("of_kind"),
)
_READ_PREFERENCE = Prepared(sa.select(NoticePreference.mode).where(*_PREFERENCE).with_for_update())
_DROP_PREFERENCE = Prepared(sa.delete(NoticePreference).where(*_PREFERENCE))
_ADD_PREFERENCE = insert_into(NoticePreference)
_DROP_CONTACT = Prepared(sa.delete(Contact).where(Contact.account_id == sa.bindparam("of_account")))
_ADD_CONTACT = insert_into(Contact)


def tell_now(installation: Installation) -> None:
    """Puts into inboxes what waits, as a worker does: an inbox is right even where none runs. A failure is only logged."""
    try:
        while tell_waiting(installation)[0]:
            pass
    except (JixiaoError, OSError) as error:
        reason = error.message if isinstance(error, JixiaoError) else str(error)
        structlog.get_logger("jixiao").warning("postroom", job="tell", outcome="failed", reason=reason)


@use_case("notice.inbox")
def inbox(request: Request, *, unread: bool = False, limit: int = 50) -> list[dict[str, Any]]:
    """The person's notices, newest first: ``{notice, kind, kind_title, text, title, state, due, left, remark, at, read}``."""
    query = inboxes.inbox_of(request.person.account_id, unread=unread, limit=max(1, min(limit, MOST)))
    with transaction(request.installation.engine, read_only=True) as work:
        return [_shown(item) for item in work.session.scalars(query)]


@use_case("notice.read")
def read_notices(request: Request, ids: Sequence[str] = (), *, everything: bool = False) -> dict[str, Any]:
    """Marks notices of the person as read: ``{read}`` counts those that were not. Raises NotFound, InvalidInput."""
    if bool(ids) == everything:
        raise InvalidInput("请写消息的编号，或用 --all 全部标为已读（二者选一）。")
    request.installation.require_writable()
    me = request.person.account_id
    with transaction(request.installation.engine) as work:
        now = request.now()
        if everything:
            ids = [item.id for item in work.session.scalars(inboxes.inbox_of(me, unread=True, limit=MOST))]
        else:
            _require_mine(work, me, ids)
        read = inboxes.mark_read(work, me, ids, now)
        event_id = None
        if read:
            event_id = request.recorder.write(
                work,
                Act.NOTICE_READ,
                actor=me,
                role="-",
                obj=("account", me),
                now=now,
                details=[("/read", None, read)],
            ).event_id
    request.installation.settle(event_id)
    return {"read": len(read)}


@use_case("preference.show")
def preferences(request: Request) -> dict[str, Any]:
    """How the person is told: ``{address, quiet, kinds: [{kind, title, mode, mode_title, usual, mandatory}]}``."""
    me, quiet = request.person.account_id, quiet_of(request.installation.settings)
    with transaction(request.installation.engine, read_only=True) as work:
        contact = work.session.get(Contact, me)
        chosen = _chosen(work, me)
    return {
        "address": None if contact is None else contact.address,
        "quiet": f"{quiet.begins:%H:%M}-{quiet.ends:%H:%M}" + ("，非工作日" if quiet.days_off else ""),
        "kinds": [
            {
                "kind": str(kind),
                "title": KIND_TITLES[kind],
                "mode": str(chosen.get(kind, usual(kind))),
                "mode_title": MODE_TITLES[chosen.get(kind, usual(kind))],
                "usual": str(usual(kind)),
                "mandatory": kind in MANDATORY,
            }
            for kind in CHOSEN
        ],
    }


@use_case("preference.set")
def set_preference(request: Request, kind: str, mode: str) -> dict[str, Any]:
    """Chooses how the person is told of a kind: ``{kind, mode, changed}``; raises InvalidInput, also for 待办 and 退回 off."""
    wanted, chosen = require_choice(kind, mode)
    request.installation.require_writable()
    me = request.person.account_id
    with transaction(request.installation.engine) as work:
        now = request.now()
        row = work.one(_READ_PREFERENCE, of_account=me, of_kind=str(wanted))
        before = usual(wanted) if row is None else Mode(row[0])
        event_id = None
        if before is not chosen:
            work.run(_DROP_PREFERENCE, of_account=me, of_kind=str(wanted))
            if chosen is not usual(wanted):
                work.run(_ADD_PREFERENCE, account_id=me, kind=str(wanted), mode=str(chosen), changed_at=now)
            event_id = request.recorder.write(
                work,
                Act.PREFERENCE_CHANGE,
                actor=me,
                role="-",
                obj=("account", me),
                now=now,
                details=[(f"/preferences/{wanted}", str(before), str(chosen))],
            ).event_id
    request.installation.settle(event_id)
    return {"kind": str(wanted), "mode": str(chosen), "changed": event_id is not None}


@use_case("contact.set")
def set_contact(request: Request, address: str | None, *, login: str | None = None) -> dict[str, Any]:
    """Sets or (None) removes a mail address: one's own, or somebody's as system administrator: ``{address, changed}``.

    The address is personal data: the log has a commitment of it, and an erasure removes it. Raises InvalidInput, NotFound,
    NotAllowed.
    """
    new = None if address is None else check_address(address.strip())
    request.installation.require_writable()
    me = request.person.account_id
    with (
        refusals_recorded(request, Act.CONTACT_CHANGE, ("account", me), whom=login),
        transaction(request.installation.engine) as work,
    ):
        other = login is not None and login != request.person.login
        role = str(require_role(work, request, Role.SYSTEM_ADMINISTRATOR)) if other else "-"
        account = work.session.scalar(
            sa.select(Account).where(Account.login == (login or request.person.login)).with_for_update(key_share=True)
        )
        if account is None or account.disabled_at is not None:
            raise NotFound(f"没有登录名为“{login}”的账号，或者它已停用；请用 jixiao user list 查看。")
        known = work.session.get(Contact, account.id)
        before, now = None if known is None else known.address, request.now()
        event_id = None
        if before != new:
            work.run(_DROP_CONTACT, of_account=account.id)
            if new is not None:
                work.run(_ADD_CONTACT, account_id=account.id, address=new, changed_at=now)
            sides = [None if side is None else Personal(account.id, side) for side in (before, new)]
            event_id = request.recorder.write(
                work,
                Act.CONTACT_CHANGE,
                actor=me,
                role=role,
                obj=("account", account.id),
                now=now,
                details=[("/address", sides[0], sides[1])],
            ).event_id
    request.installation.settle(event_id)
    return {"address": new, "changed": event_id is not None}


def _require_mine(work: Work, account_id: str, ids: Sequence[str]) -> None:
    query = sa.select(Notice.id).where(Notice.account_id == account_id, Notice.id.in_(ids[:MOST]))
    missing = set(ids) - set(work.session.scalars(query))
    if missing:
        raise NotFound(f"收件箱里没有编号为“{min(missing)}”的消息；请用 jixiao notify inbox 查看。")


def _chosen(work: Work, account_id: str) -> dict[Kind, Mode]:
    query = sa.select(NoticePreference).where(NoticePreference.account_id == account_id)
    return {Kind(item.kind): Mode(item.mode) for item in work.session.scalars(query)}


def _shown(notice: Notice) -> dict[str, Any]:
    item = from_body(notice.body)[0]
    return {
        "notice": notice.id,
        "kind": notice.kind,
        "kind_title": item.kind_title,
        "text": notice.text_id,
        "title": item.title,
        "state": item.state,
        "due": item.due or None,
        "left": item.left,
        "remark": item.remark,
        "at": timestamp(notice.created_at),
        "read": None if notice.read_at is None else timestamp(notice.read_at),
    }
