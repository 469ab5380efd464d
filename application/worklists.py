"""Work lists: 待办 (todo), 已办 (done), 我发起的 (started), 抄送我的 (copied)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from application.access import readable
from application.installation import Request
from application.summaries import shown_titles, summaries
from application.use_cases import use_case
from models.base import timestamp
from models.engine import Work, transaction
from models.people import Account, Organization, RoleGrant
from models.process import CarbonCopy, Participation, Task
from models.texts import BudgetText
from workflow.authority import ADDED
from workflow.definition import SUBMITTER
from workflow.records import definition_of, standing_of
from workflow.situation import Hat, TextRow


class View(StrEnum):
    """Which list."""

    TODO = "todo"
    DONE = "done"
    STARTED = "started"
    COPIED = "copied"


@use_case("task.list")
def list_tasks(request: Request, *, view: View = View.TODO) -> list[dict[str, Any]]:
    """A list of the person's: open tasks oldest first; what they did, began, or got a copy of, newest first."""
    with transaction(request.installation.engine, read_only=True) as work:
        if view is View.TODO:
            return _todo(work, request)
        if view is View.DONE:
            return _done(work, request)
        column = CarbonCopy if view is View.COPIED else Participation
        mine = sa.select(column.text_id).where(column.account_id == request.person.account_id)
        if view is View.STARTED:
            mine = mine.where(Participation.capacity.in_(("drafter", SUBMITTER)))
        return _texts(work, request, mine)


def _todo(work: Work, request: Request) -> list[dict[str, Any]]:
    """Tasks of the person's roles and of those for whom they stand in, without what is somebody else's."""
    me = request.person.account_id
    standing = standing_of(work, request.actor, request.now())
    if not standing.active:
        return []
    hats = standing.hats(me)
    query = (
        _query()
        .where(Task.closed_at.is_(None), sa.or_(*(_theirs(hat, request.now()) for hat in hats)), readable(request))
        .order_by(Task.opened_at, Task.id)
    )
    found = [(task, row, assignee) for task, *row, assignee in work.session.execute(query)]
    titles = shown_titles(work, request, [task.text_id for task, _, _ in found])
    return [
        {
            **_row(work, task, titles, *row),
            "assignee": assignee,
            "delegated": task.owner_id is not None,
            # Whoever had it has left: the task waits until somebody of the role claims it.
            "abandoned": task.assignee_id is not None and not any(_is_theirs(task, hat) for hat in hats),
            "for": next((hat.principal_id for hat in hats if _is_theirs(task, hat)), None),
        }
        for task, row, assignee in found
    ]


def _theirs(hat: Hat, now: datetime) -> Any:
    pool = sa.or_(
        sa.false(), *(sa.and_(Task.role == role, Task.organization_id == at) for role, at in sorted(hat.grants))
    )
    mine = Task.assignee_id == hat.account_id
    return sa.or_(
        mine if hat.whole else sa.and_(mine, pool),
        sa.and_(sa.or_(Task.assignee_id.is_(None), sa.false() if hat.principal_id else _left(now)), pool),
    )


def _left(now: datetime) -> Any:
    """Whether the keeper of a task is disabled or has left its role; an added seat is its person's in whatever role.

    Claiming is in one's own right, so such a task is on no stand-in's list.
    """
    keeper = sa.func.coalesce(Task.owner_id, Task.assignee_id)
    active = sa.exists().where(Account.id == keeper, Account.disabled_at.is_(None)).correlate(Task)
    held = (
        sa.exists()
        .where(
            RoleGrant.account_id == keeper,
            RoleGrant.role == Task.role,
            RoleGrant.organization_id == Task.organization_id,
            RoleGrant.revoked_at.is_(None),
            sa.or_(RoleGrant.expires_at.is_(None), RoleGrant.expires_at > now),
        )
        .correlate(Task)
    )
    return sa.and_(~Task.seat.startswith(ADDED, autoescape=True), sa.or_(~active, ~held))


def _is_theirs(task: Task, hat: Hat) -> bool:
    in_pool = (task.role, task.organization_id) in hat.grants
    return in_pool if task.assignee_id is None else task.assignee_id == hat.account_id and (hat.whole or in_pool)


def _done(work: Work, request: Request) -> list[dict[str, Any]]:
    """Tasks that the person ended by a decision of theirs."""
    query = (
        _query()
        .where(Task.closed_by == request.person.account_id, Task.outcome.not_in(("void", "waiting")), readable(request))
        .order_by(Task.closed_at.desc(), Task.id.desc())
    )
    found = [(task, row) for task, *row, _ in work.session.execute(query)]
    titles = shown_titles(work, request, [task.text_id for task, _ in found])
    return [
        {**_row(work, task, titles, *row), "outcome": task.outcome, "at": timestamp(task.closed_at)}
        for task, row in found
    ]


def _query() -> Any:
    return (
        sa.select(Task, BudgetText.definition_id, Organization.name, Account.display_name)
        .join(BudgetText, Task.text_id == BudgetText.id)
        .join(Organization, BudgetText.organization_id == Organization.id)
        .join(Account, Task.assignee_id == Account.id, isouter=True)
    )


def _row(work: Work, task: Task, titles: Mapping[str, str], definition_id: str, organization: str) -> dict[str, Any]:
    definition, _ = definition_of(work, definition_id)
    state, role = definition.states.get(task.state), definition.roles.get(task.role)
    return {
        "task": task.id,
        "text": task.text_id,
        "title": titles.get(task.text_id, ""),
        "organization": organization,
        "state": task.state,
        "state_title": state.title if state else task.state,
        "seat": task.seat,
        "role": task.role,
        "role_title": role.title if role else task.role,
        "round": task.round,
        "since": timestamp(task.opened_at),
        "due": task.due_on,
    }


def _texts(work: Work, request: Request, mine: Any) -> list[dict[str, Any]]:
    columns = [BudgetText.__table__.c[name] for name in TextRow._fields]
    query = (
        sa.select(*columns)
        .where(BudgetText.id.in_(mine), readable(request))
        .order_by(BudgetText.changed_at.desc(), BudgetText.id)
    )
    return summaries(work, request, [TextRow(*row) for row in work.connection.execute(query)])
