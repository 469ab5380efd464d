"""What tests of tasks, sign-offs and delegations look at: open tasks, the newest event, messages, and that nothing changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from office_state import counts, state_of

from application.access import every_event
from application.accounts import insert_grant
from application.identity import authenticate
from application.installation import Request
from models.engine import transaction
from models.people import Account, Role, RoleGrant
from models.process import Message, Participation, Task


def me(request: Request) -> str:
    return request.person.account_id


def open_tasks(office: Any, text: str) -> dict[str, Task]:
    """The open tasks by seat."""
    with transaction(office.installation.engine, read_only=True) as work:
        query = sa.select(Task).where(Task.text_id == text, Task.closed_at.is_(None))
        return {task.seat: task for task in work.session.scalars(query)}


def last_event(office: Any, text: str) -> dict[str, Any]:
    office.installation.catch_up()
    with transaction(office.installation.engine, read_only=True) as work:
        return list(every_event(work, text))[-1].event


def messages(office: Any, text: str, topic: str) -> list[tuple[str, str | None]]:
    with transaction(office.installation.engine, read_only=True) as work:
        query = sa.select(Message).where(Message.text_id == text, Message.topic == topic).order_by(Message.id)
        return [(item.role, item.account_id) for item in work.session.scalars(query)]


def parts(office: Any, text: str, request: Request) -> set[str]:
    """In which capacities somebody took part."""
    with transaction(office.installation.engine, read_only=True) as work:
        query = sa.select(Participation.capacity).where(
            Participation.text_id == text, Participation.account_id == me(request)
        )
        return set(work.session.scalars(query))


@contextmanager
def nothing_changes(office: Any, text: str) -> Iterator[None]:
    """Every table holds what it held, open tasks are whose they were, and the refusal is an event."""

    def everything() -> Any:
        whose = {seat: (task.id, task.assignee_id, task.owner_id) for seat, task in open_tasks(office, text).items()}
        # What a refusal adds is its own event.
        held = {
            name: number
            for name, number in counts(office.installation).items()
            if not name.startswith("audit_") and name != "blob"
        }
        return held, state_of(office.installation, text), whose

    before = everything()
    yield
    assert everything() == before
    assert last_event(office, text)["out"] in ("denied", "failure")


def grant(office: Any, request: Request, role: Role) -> Request:
    with transaction(office.installation.engine) as work:
        account = work.session.get_one(Account, me(request))
        insert_grant(work, request.recorder, account=account, role=role, actor=None, actor_role="-", now=office.clock())
    return request


def revoke(office: Any, request: Request, role: Role) -> Request:
    with transaction(office.installation.engine) as work:
        query = sa.select(RoleGrant).where(RoleGrant.account_id == me(request), RoleGrant.role == role)
        work.session.scalars(query).one().revoked_at = office.clock()
    return request


def disable(office: Any, request: Request) -> Request:
    with transaction(office.installation.engine) as work:
        work.session.get_one(Account, me(request)).disabled_at = office.clock()
    return request


def turned_administrator(office: Any, role: Role, name: str) -> Request:
    """Somebody of the organization of a role who is an administrator, as no use case would let them be."""
    request = office.another(role, name)
    with transaction(office.installation.engine) as work:
        query = sa.select(RoleGrant).where(RoleGrant.account_id == me(request))
        work.session.scalars(query).one().role = Role.SYSTEM_ADMINISTRATOR
    return request


def administrator(office: Any, role: Role) -> Request:
    token = office.administrators[role]
    return Request(office.installation, authenticate(office.installation, token), "administrator")
