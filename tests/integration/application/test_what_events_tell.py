"""An event tells enough: of a new row what is in it, of a refusal to whom something was to be done; and no name of anybody."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from handled_texts import administrator, me

from application.accounts import add_organization, grant_role
from application.delegations import add_delegation
from application.installation import LOG
from application.leaving import disable_account, revoke_role
from audit.timeline import events
from models.engine import transaction
from models.errors import Conflict, JixiaoError, NotAllowed
from models.people import Organization, OrganizationKind, Role


def told(office: Any, act: str) -> list[dict[str, Any]]:
    office.installation.catch_up()
    with transaction(office.installation.engine, read_only=True) as work:
        return [item.event for item in events(work, log=LOG, act=act, limit=1000)]


def said(event: dict[str, Any]) -> dict[str, Any]:
    return {change["p"]: change["n"] for change in event["chg"]}


def test_a_new_organization_can_be_rebuilt_from_its_event(office):
    system = administrator(office, Role.SYSTEM_ADMINISTRATOR)
    add_organization(
        system, "青禾县文化馆", OrganizationKind.DEPARTMENT, code="731001", aliases=(" 文化馆", "文馆", " ")
    )
    event = told(office, "organization.add")[-1]
    with transaction(office.installation.engine, read_only=True) as work:
        row = work.session.scalars(sa.select(Organization).where(Organization.id == event["obj"]["id"])).one()
    assert row.aliases == "文化馆\n文馆"
    assert said(event) == {"/name": row.name, "/kind": row.kind, "/code": row.code, "/aliases": row.aliases.split("\n")}
    add_organization(system, "青禾县档案馆", OrganizationKind.DEPARTMENT)
    assert said(told(office, "organization.add")[-1]).keys() == {"/name", "/kind"}


def test_no_event_says_that_somebody_gave_themselves_a_role(office):
    """The first roles are given by the installation, and by nobody."""
    found = told(office, "role.grant")
    assert found
    assert [event for event in found if event["actor"]["sub"] == event["obj"]["id"]] == []


def deeds(office: Any) -> dict[str, Any]:
    security = administrator(office, Role.SECURITY_ADMINISTRATOR)
    system, drafter = administrator(office, Role.SYSTEM_ADMINISTRATOR), office.people[Role.DRAFTER]
    return {
        "role.grant": lambda: grant_role(security, "drafter", Role.SYSTEM_ADMINISTRATOR),
        "role.revoke": lambda: revoke_role(security, "drafter", Role.PUBLISHER, reason="调离"),
        "account.disable": lambda: disable_account(drafter, "drafter", reason="离职"),
        "delegation.add": lambda: add_delegation(system, "drafter", until="2026-03-09", reason="出差"),
    }


@pytest.mark.parametrize(
    ("act", "more"),
    [
        ("role.grant", {"/role": "system_administrator"}),
        ("role.revoke", {"/role": "publisher"}),
        ("account.disable", {}),
        ("delegation.add", {}),
    ],
)
def test_a_refusal_tells_to_whom_something_was_to_be_done(office, act, more):
    with pytest.raises((NotAllowed, Conflict)):
        deeds(office)[act]()
    event = told(office, act)[-1]
    assert event["out"] != "success"
    found = {place: value for place, value in said(event).items() if place not in ("/code", "/reasons")}
    assert found == {"/account": me(office.people[Role.DRAFTER]), **more}


def test_a_refusal_does_not_tell_what_was_typed_where_it_is_no_log_in_name(office):
    with pytest.raises(JixiaoError):
        grant_role(office.people[Role.DRAFTER], "孙慧兰", Role.REVIEWER)
    event = told(office, "role.grant")[-1]
    assert (event["out"], said(event)) == ("denied", {"/code": "not_allowed", "/role": "reviewer"})
    assert "孙慧兰" not in str(event)
