"""Whose task it is, and who is told: 签收, 转办, 委派, 加签, 减签, 催办, 抄送, overdue tasks. One use case per act."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from application.access import readable, require_party
from application.accounts import require_role
from application.installation import Person, Request
from application.summaries import shown_titles
from application.use_cases import refusals_recorded, typed, use_case
from audit.events import Act
from models.base import SHANGHAI
from models.engine import Work, transaction
from models.errors import InvalidInput, NotAllowed, NotFound
from models.people import Account, Organization, Role
from models.process import Reminder, Task
from models.texts import BudgetText
from workflow import assignments, cosigning, reminding
from workflow.handling import Case, case_of
from workflow.records import definition_of, lock_text, standing_of
from workflow.situation import Actor

# One call copies a text to so many people at most: whoever means more has picked the wrong list.
_MOST_COPIES = 50


@contextlib.contextmanager
def _handling(request: Request, act: Act, text_id: str) -> Iterator[Case]:
    """One transaction on a locked text that the person may read; a refusal is an event."""
    request.installation.require_writable()
    with refusals_recorded(request, act, ("text", text_id)), transaction(request.installation.engine) as work:
        text = lock_text(work, text_id)
        require_party(work, request, text)
        # The bureau's messages name the text as it was submitted, and not as it is being written.
        title = shown_titles(work, request, [text_id]).get(text_id, "")
        # The time is taken under the lock: whoever waited for it acts after the one who held it.
        yield case_of(
            work, text._replace(title=title), actor=request.actor, recorder=request.recorder, now=request.now()
        )


def _settled(request: Request, done: dict[str, Any]) -> dict[str, Any]:
    if done["event_id"] is not None:
        request.installation.settle(done["event_id"])
    return done


def account_of(work: Work, login: str) -> Account:
    """An account by its log-in name; raises NotFound."""
    found = work.session.scalar(sa.select(Account).where(Account.login == login))
    if found is None:
        raise NotFound(f"没有登录名为“{login}”的账号；请用 jixiao user list 查看。", login=login)
    return found


def _actor(work: Work, login: str) -> Actor:
    found = account_of(work, login)
    return Actor(found.id, found.organization_id)


@use_case("task.claim")
def claim(request: Request, text_id: str, *, task: str | None = None, seat: str | None = None) -> dict[str, Any]:
    """签收: takes a task of the person's own roles out of the pool."""
    with _handling(request, Act.TASK_CLAIM, text_id) as case:
        done = assignments.claim(case, task=task, seat=seat)
    return _settled(request, done)


@use_case("task.release")
def release(request: Request, text_id: str, *, task: str | None = None, seat: str | None = None) -> dict[str, Any]:
    """Gives a task that the person claimed back to the pool."""
    with _handling(request, Act.TASK_RELEASE, text_id) as case:
        done = assignments.release(case, task=task, seat=seat)
    return _settled(request, done)


@use_case("task.reassign")
def reassign(
    request: Request, text_id: str, login: str, *, reason: str, task: str | None = None, seat: str | None = None
) -> dict[str, Any]:
    """转办: hands a task to another holder of its role."""
    reason = typed(reason)
    with _handling(request, Act.TASK_REASSIGN, text_id) as case:
        done = assignments.reassign(case, _actor(case.work, login), reason=reason, task=task, seat=seat)
    return _settled(request, done)


@use_case("task.delegate")
def delegate(
    request: Request,
    text_id: str,
    login: str,
    *,
    reason: str | None = None,
    task: str | None = None,
    seat: str | None = None,
) -> dict[str, Any]:
    """委派: lends a task to a colleague for help; it comes back with their note."""
    reason = typed(reason or "")
    with _handling(request, Act.TASK_DELEGATE, text_id) as case:
        done = assignments.delegate(case, _actor(case.work, login), reason=reason, task=task, seat=seat)
    return _settled(request, done)


@use_case("task.resolve")
def resolve(
    request: Request, text_id: str, *, note: str | None = None, task: str | None = None, seat: str | None = None
) -> dict[str, Any]:
    """Ends a delegation for help: the helper's note, or the owner takes the task back."""
    note = typed(note or "")
    with _handling(request, Act.TASK_RESOLVE, text_id) as case:
        done = assignments.resolve(case, note=note, task=task, seat=seat)
    return _settled(request, done)


@use_case("task.remind")
def remind(request: Request, text_id: str, *, task: str | None = None, seat: str | None = None) -> dict[str, Any]:
    """催办: urges whoever's turn it is, once a day."""
    with _handling(request, Act.TASK_REMIND, text_id) as case:
        done = reminding.remind(case, task=task, seat=seat)
    return _settled(request, done)


@use_case("text.copy")
def copy(request: Request, text_id: str, logins: Sequence[str]) -> dict[str, Any]:
    """抄送: copies a text to accounts that may read it anyway; who has a copy gets no second one."""
    wanted = list(dict.fromkeys(logins))
    if not 0 < len(wanted) <= _MOST_COPIES:
        raise InvalidInput(f"请写 1 到 {_MOST_COPIES} 个登录名。")
    with _handling(request, Act.TEXT_COPY, text_id) as case:
        to = []
        for login in wanted:
            account = account_of(case.work, login)
            if not _may_read(case.work, request, account, text_id, case.now):
                raise NotAllowed("不能抄送给该账号：该账号已停用，或者不能查看这份文本。")
            to.append(Actor(account.id, account.organization_id))
        done = reminding.copy(case, to)
    return _settled(request, done)


def _may_read(work: Work, request: Request, account: Account, text_id: str, now: datetime) -> bool:
    """Whether an active account may read a text, by the very rule by which it would be shown to them."""
    if account.disabled_at is not None:
        return False
    organization = work.session.get_one(Organization, account.organization_id)
    grants = standing_of(work, Actor(account.id, organization.id), now).grants
    person = Person(
        account.id, organization.id, account.login, account.display_name, organization.name, organization.kind, grants
    )
    theirs = readable(Request(request.installation, person, request.id))
    return bool(work.connection.scalar(sa.select(sa.func.count()).where(BudgetText.id == text_id, theirs)))


@use_case("signer.add")
def add_signer(
    request: Request,
    text_id: str,
    login: str,
    *,
    place: cosigning.Place,
    seat: str | None = None,
    reason: str | None = None,
) -> dict[str, Any]:
    """加签: asks a colleague to sign before or after the person's own seat."""
    reason = typed(reason or "")
    if place not in ("before", "after"):
        raise InvalidInput(f"加签的位置“{place}”无法识别；可以是 before（在我之前）或 after（在我之后）。")
    with _handling(request, Act.SIGNER_ADD, text_id) as case:
        done = cosigning.add_signer(case, _actor(case.work, login), place=place, seat=seat, reason=reason)
    return _settled(request, done)


@use_case("signer.remove")
def remove_signer(request: Request, text_id: str, seat: str, *, reason: str | None = None) -> dict[str, Any]:
    """减签: takes an added seat out again; the answer to a decision that binds waits for its checkpoint, as of any other."""
    reason = typed(reason or "")
    with _handling(request, Act.SIGNER_REMOVE, text_id) as case:
        done = cosigning.remove_signer(case, seat, reason=reason)
        binding = any(
            item.action == done.get("action") and (item.approves or item.publishes)
            for item in case.definition.transitions
        )
    request.installation.settle(done["event_id"], checkpoint=binding)
    return done


@use_case("task.overdue")
def list_overdue(request: Request) -> list[dict[str, Any]]:
    """Open tasks past their due day, the longest first: of all texts for a system administrator, else of those one may read."""
    today = request.now().astimezone(SHANGHAI).date()
    everything = request.person.holds(Role.SYSTEM_ADMINISTRATOR)
    query = (
        sa.select(Task, BudgetText.definition_id, Organization.name, Account.display_name)
        .join(BudgetText, Task.text_id == BudgetText.id)
        .join(Organization, BudgetText.organization_id == Organization.id)
        .join(Account, Task.assignee_id == Account.id, isouter=True)
        .where(
            Task.closed_at.is_(None), Task.due_on < today.isoformat(), sa.true() if everything else readable(request)
        )
        .order_by(Task.due_on, Task.id)
    )
    with transaction(request.installation.engine, read_only=True) as work:
        reported = _reported(work)
        found = list(work.session.execute(query))
        titles = shown_titles(work, request, [task.text_id for task, *_ in found])
        out = []
        for task, definition_id, organization, assignee in found:
            definition, _ = definition_of(work, definition_id)
            state, role = definition.states.get(task.state), definition.roles.get(task.role)
            out.append(
                {
                    "task": task.id,
                    "text": task.text_id,
                    # A draft under edit is the department's business: the bureau and administrators read what was submitted.
                    "title": titles.get(task.text_id, ""),
                    "organization": organization,
                    "state_title": state.title if state else task.state,
                    "role_title": role.title if role else task.role,
                    "seat": task.seat,
                    "assignee": assignee,
                    "due": task.due_on,
                    "days": (today - date.fromisoformat(str(task.due_on))).days,
                    "reported": (task.id, task.due_on) in reported,
                }
            )
    return out


def _reported(work: Work) -> set[tuple[str, str]]:
    query = sa.select(Reminder.task_id, Reminder.day).where(Reminder.kind == reminding.OVERDUE)
    return {(task_id, day) for task_id, day in work.connection.execute(query)}


def _unreported(work: Work, today: date) -> list[str]:
    """Texts with an overdue task that was not reported for its due day."""
    told = sa.exists().where(
        Reminder.task_id == Task.id, Reminder.kind == reminding.OVERDUE, Reminder.day == Task.due_on
    )
    query = sa.select(Task.text_id).where(Task.closed_at.is_(None), Task.due_on < today.isoformat(), ~told)
    return sorted(set(work.connection.scalars(query)))


@use_case("task.report_overdue")
def report_overdue(request: Request) -> dict[str, Any]:
    """Tells the heads of overdue tasks (system administrator); each task once for its due day, so it may run as often as one likes.

    One transaction for each text: what was reported stays reported whatever happens to the next.
    """
    request.installation.require_writable()
    with (
        refusals_recorded(request, Act.TASK_OVERDUE, ("account", request.person.account_id)),
        transaction(request.installation.engine, read_only=True) as work,
    ):
        role = require_role(work, request, Role.SYSTEM_ADMINISTRATOR)
        waiting = _unreported(work, request.now().astimezone(SHANGHAI).date())
    events: list[str] = []
    for text_id in waiting:
        with transaction(request.installation.engine) as work:
            text = lock_text(work, text_id)
            case = case_of(work, text, actor=request.actor, recorder=request.recorder, now=request.now())
            events += reminding.report_overdue(case, role=role)
    if events:
        request.installation.settle(events[-1])
    return {"texts": len(waiting), "reported": len(events)}
