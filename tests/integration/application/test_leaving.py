"""People change their post or leave: roles taken back, accounts disabled."""

from __future__ import annotations

from typing import Any

import pytest
from handled_texts import me, open_tasks
from use_case_scenes import administrator

from application.assignments import claim
from application.auditing import Level, verify_log
from application.identity import authenticate
from application.leaving import disable_account, revoke_role
from application.worklists import list_tasks
from models.errors import Conflict, InvalidInput, NotAllowed, NotFound
from models.people import Role


def test_a_role_that_was_taken_back_opens_nothing_and_leaves_the_task_to_colleagues(office: Any) -> None:
    text, reviewer = office.county("submitted"), office.people[Role.REVIEWER]
    colleague = office.another(Role.REVIEWER, "colleague")
    claim(reviewer, text)
    security = administrator(office, Role.SECURITY_ADMINISTRATOR)
    done = revoke_role(security, reviewer.person.login, Role.REVIEWER, reason="调离本岗位")
    assert done["open_tasks"] == 1
    with pytest.raises(NotAllowed):
        office.act(Role.REVIEWER, text, "accept")
    assert [item["abandoned"] for item in list_tasks(colleague)] == [True]
    claim(colleague, text)
    assert open_tasks(office, text)[""].assignee_id == me(colleague)
    assert verify_log(office.installation, level=Level.STRICT).ok
    with pytest.raises(Conflict, match="没有"):
        revoke_role(security, reviewer.person.login, Role.REVIEWER, reason="再一次")


def test_a_disabled_account_is_out_with_its_tokens_and_replays(office: Any) -> None:
    token = office.token(Role.REVIEWER, "leaver")
    authenticate(office.installation, token)
    system = administrator(office, Role.SYSTEM_ADMINISTRATOR)
    disable_account(system, "leaver", reason="离职")
    with pytest.raises(NotAllowed):
        authenticate(office.installation, token)
    assert verify_log(office.installation, level=Level.STRICT).ok
    with pytest.raises(Conflict, match="已经停用"):
        disable_account(system, "leaver", reason="离职")


def test_nobody_removes_themselves_or_the_last_administrator(sqlite_office: Any) -> None:
    office = sqlite_office
    system, security = (
        administrator(office, role) for role in (Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR)
    )
    with pytest.raises(NotAllowed, match="自己"):
        disable_account(system, system.person.login, reason="x")
    with pytest.raises(NotAllowed, match="自己"):
        revoke_role(security, security.person.login, Role.SECURITY_ADMINISTRATOR, reason="x")
    with pytest.raises(NotAllowed, match="唯一的"):
        disable_account(system, security.person.login, reason="x")
    with pytest.raises(NotAllowed, match="唯一的"):
        revoke_role(security, system.person.login, Role.SYSTEM_ADMINISTRATOR, reason="x")


def test_a_reason_and_a_name_are_asked_for_and_roles_of_administrators(sqlite_office: Any) -> None:
    office = sqlite_office
    system, security = (
        administrator(office, role) for role in (Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR)
    )
    reviewer = office.people[Role.REVIEWER]
    with pytest.raises(InvalidInput, match="理由"):
        disable_account(system, reviewer.person.login, reason="  ")
    with pytest.raises(NotFound):
        revoke_role(security, "nobody", Role.REVIEWER, reason="x")
    for who in (reviewer, security):
        with pytest.raises(NotAllowed):
            disable_account(who, office.people[Role.DRAFTER].person.login, reason="x")
    with pytest.raises(NotAllowed):
        revoke_role(system, reviewer.person.login, Role.REVIEWER, reason="x")
