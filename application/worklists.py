"""Work lists: 待办 (todo), 已办 (done), 我发起的 (started), 抄送我的 (copied)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from application.access import readable, summary
from application.installation import Request
from application.use_cases import use_case
from models.base import timestamp
from models.engine import Work, transaction
from models.people import Account, Organization
from models.process import CarbonCopy, Participation, Task
from models.texts import BudgetText
from workflow.definition import SUBMITTER
from workflow.records import definition_of, standing_of
from workflow.situation import TextRow


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
    conditions = [_theirs(me, sorted(standing.grants))]
    conditions += [_theirs(principal, sorted(grants)) for principal, grants in standing.principals]
    query = _query().where(Task.closed_at.is_(None), sa.or_(*conditions)).order_by(Task.opened_at, Task.id)
    return [
        {
            **_row(work, task, title, definition_id, organization),
            "assignee": assignee,
            "delegated": task.owner_id is not None,
            "for": None if _is_mine(task, me, standing.grants) else _standing_in(task, standing.principals),
        }
        for task, title, definition_id, organization, assignee in work.session.execute(query)
    ]


def _theirs(account_id: str, grants: list[tuple[str, str]]) -> Any:
    pool = [sa.and_(Task.role == role, Task.organization_id == where) for role, where in grants]
    return sa.or_(Task.assignee_id == account_id, sa.and_(Task.assignee_id.is_(None), sa.or_(sa.false(), *pool)))


def _is_mine(task: Task, me: str, grants: Any) -> bool:
    return task.assignee_id == me or (task.assignee_id is None and (task.role, task.organization_id) in grants)


def _standing_in(task: Task, principals: Any) -> str | None:
    """The account for which a task is on the list."""
    return next((who for who, grants in principals if _is_mine(task, who, grants)), None)


def _done(work: Work, request: Request) -> list[dict[str, Any]]:
    """Tasks that the person ended by a decision of theirs."""
    query = (
        _query()
        .where(Task.closed_by == request.person.account_id, Task.outcome != "void")
        .order_by(Task.closed_at.desc(), Task.id.desc())
    )
    return [
        {
            **_row(work, task, title, definition_id, organization),
            "outcome": task.outcome,
            "at": timestamp(task.closed_at),
        }
        for task, title, definition_id, organization, _ in work.session.execute(query)
        if task.closed_at is not None
    ]


def _query() -> Any:
    return (
        sa.select(Task, BudgetText.title, BudgetText.definition_id, Organization.name, Account.display_name)
        .join(BudgetText, Task.text_id == BudgetText.id)
        .join(Organization, BudgetText.organization_id == Organization.id)
        .join(Account, Task.assignee_id == Account.id, isouter=True)
    )


def _row(work: Work, task: Task, title: str, definition_id: str, organization: str) -> dict[str, Any]:
    definition, _ = definition_of(work, definition_id)
    state, role = definition.states.get(task.state), definition.roles.get(task.role)
    return {
        "task": task.id,
        "text": task.text_id,
        "title": title,
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
    return [summary(work, request, TextRow(*row)) for row in work.connection.execute(query)]
