"""Who may act and look, on live databases: roles, organizations, separation of duties, administrators."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from office_state import state_of

from application import texts
from application.acting import Remark, act
from application.editing import set_members
from application.identity import authenticate
from application.installation import Request
from audit.timeline import events
from models.engine import transaction
from models.errors import (
    GuardFailed,
    InvalidTransition,
    NotAllowed,
    NotFound,
)
from models.ids import new_id
from models.people import Account, Role, RoleGrant
from workflow.engine import perform
from workflow.offers import offers
from workflow.records import lock_text
from workflow.situation import Actor, Objection

# How many statements the longest use case below runs at most; the loops end where nothing is left to break.
MOST = 80


def grant(office, login: str, role: Role, *, expires=None, organization: str | None = None) -> None:
    """A grant by SQL: what the use case refuses, an attacker or an old database may hold."""
    with transaction(office.installation.engine) as work:
        account = work.session.scalar(sa.select(Account).where(Account.login == login))
        work.session.add(
            RoleGrant(
                id=new_id(office.clock()),
                account_id=account.id,
                organization_id=organization or account.organization_id,
                role=role,
                granted_by=None,
                granted_at=office.clock(),
                expires_at=expires,
                revoked_at=None,
            )
        )


def test_nobody_acts_in_two_groups_on_one_text(office):
    reviewing = office.people[Role.REVIEWER].person.organization_id
    for role in (Role.DRAFTER, Role.DEPARTMENT_HEAD):
        grant(office, role.value, Role.REVIEWER, organization=reviewing)
    grant(office, Role.REVIEWER.value, Role.SECOND_REVIEWER)
    grant(office, Role.REVIEWER.value, Role.APPROVER)
    text = office.driven("submitted")
    for author in (Role.DRAFTER, Role.DEPARTMENT_HEAD):
        with pytest.raises(NotAllowed, match="不相容岗位"):
            office.act(author, text, "accept")
    office.act(Role.REVIEWER, text, "accept")
    office.act(Role.REVIEWER, text, "pass")
    for action in ("pass", "approve"):
        with pytest.raises(NotAllowed, match="不相容岗位"):
            office.act(Role.REVIEWER, text, action)


def test_a_reviewer_of_an_earlier_round_still_can_not_approve(office):
    grant(office, Role.REVIEWER.value, Role.APPROVER)
    grant(office, Role.SECOND_REVIEWER.value, Role.REVIEWER)
    text = office.driven("first_review")
    office.act(Role.REVIEWER, text, "return", reason="有误", remarks=[Remark("/overall", "重复")])
    set_members(office.people[Role.DRAFTER], text, [("/title", "2021年部门预算绩效文本（改）")])
    office.act(Role.DEPARTMENT_HEAD, text, "submit", accept_all=True)
    office.act(Role.SECOND_REVIEWER, text, "accept")
    office.act(Role.SECOND_REVIEWER, text, "pass")
    with pytest.raises(NotAllowed, match="不相容岗位"):
        office.act(Role.REVIEWER, text, "approve")


def test_administrators_take_no_part_even_with_a_grant(office):
    reviewing = office.people[Role.REVIEWER].person.organization_id
    token = office.token(Role.REVIEWER, "both")
    grant(office, "both", Role.SYSTEM_ADMINISTRATOR, organization=reviewing)
    text = office.driven("submitted")
    administrator = Request(office.installation, authenticate(office.installation, token), "test")
    with pytest.raises(NotAllowed, match="系统管理员不能"):
        act(administrator, text, action="accept")


def test_a_role_in_another_organization_opens_nothing(office):
    other = office.people[Role.AUDITOR].person.organization_id
    grant(office, Role.AUDITOR.value, Role.REVIEWER, organization=other)
    text = office.driven("submitted")
    with pytest.raises(NotAllowed, match="没有这个岗位"):
        office.act(Role.AUDITOR, text, "accept")


def test_an_expired_grant_opens_nothing(office):
    with transaction(office.installation.engine) as work:
        work.connection.execute(sa.text("UPDATE role_grant SET revoked_at = granted_at WHERE role = 'reviewer'"))
    grant(office, Role.REVIEWER.value, Role.REVIEWER, expires=office.clock() + timedelta(seconds=-1))
    text = office.driven("submitted")
    with pytest.raises(NotAllowed, match="没有这个岗位"):
        office.act(Role.REVIEWER, text, "accept")


def test_a_disabled_account_acts_no_more_even_with_a_request_at_hand(office):
    text = office.driven("submitted")
    with transaction(office.installation.engine) as work:
        account = work.session.get(Account, office.people[Role.REVIEWER].person.account_id)
        account.disabled_at = office.clock()
    with pytest.raises(NotAllowed, match="停用"):
        office.act(Role.REVIEWER, text, "accept")


@pytest.mark.parametrize(
    ("role", "action", "error"),
    [
        (Role.DRAFTER, "submit", NotAllowed),
        (Role.REVIEWER, "submit", NotAllowed),
        (Role.DEPARTMENT_HEAD, "approve", InvalidTransition),
        (Role.DEPARTMENT_HEAD, "nonsense", InvalidTransition),
    ],
)
def test_a_refusal_is_an_event_with_its_reason_and_changes_nothing(office, role, action, error):
    text = office.imported()
    stood = state_of(office.installation, text)
    with pytest.raises(error) as refused:
        office.act(role, text, action)
    assert state_of(office.installation, text) == stood
    with transaction(office.installation.engine, read_only=True) as work:
        last = events(work, obj_type="text", obj_id=text, limit=100)[-1].event
    assert last["act"] == f"workflow.{action}"
    assert last["out"] == ("denied" if error is NotAllowed else "failure")
    assert refused.value.message in last["why"]
    assert last["actor"]["sub"] == office.people[role].person.account_id


def test_what_is_possible_is_said_with_whom(office):
    text = office.imported()
    with pytest.raises(InvalidTransition) as refused:
        office.act(Role.DRAFTER, text, "approve")
    assert refused.value.facts["available"] == [{"action": "submit", "title": "报送", "by": "部门负责人"}]
    assert "部门负责人" in refused.value.message


def test_the_offers_say_what_the_engine_then_does(office):
    """For every role in every state: what ``text actions`` allows is what ``perform`` does, and nothing else."""
    for state in ("submitted", "first_review", "second_review", "approved"):
        text = office.driven(state)
        for role, request in office.people.items():
            for offer in texts.actions(office.people[Role.AUDITOR], text)["actions"]:
                mine = next(
                    item
                    for item in _offers(request, text)
                    if item["action"] == offer["action"] and item["title"] == offer["title"]
                )
                given = (
                    {"reason": "有误", "remarks": [Remark("/overall", "重复")]} if offer["action"] == "return" else {}
                )
                assert mine["allowed"] == _would_do(office, request, text, offer["action"], given), (state, role, offer)


def _offers(request, text):
    with transaction(request.installation.engine) as work:
        return [item.to_json() for item in offers(work, lock_text(work, text), request.actor, request.now())]


def _would_do(office, request, text, action, given) -> bool:
    """Whether the engine performs an action; nothing of it stays."""
    with transaction(office.installation.engine) as work:
        savepoint = work.connection.begin_nested()
        try:
            perform(
                work,
                text,
                action,
                actor=request.actor,
                expected_version=None,
                command_id=new_id(office.clock()),
                recorder=request.recorder,
                now=office.clock(),
                reason=given.get("reason"),
                objections=[Objection("/overall", "必改", "重复")] if given else [],
            )
        except (NotAllowed, GuardFailed, InvalidTransition):
            return False
        finally:
            savepoint.rollback()
        return True


def test_an_unknown_text_is_not_found(office):
    with pytest.raises(NotFound, match="没有编号为"):
        office.act(Role.REVIEWER, "01a00000-0000-7000-8000-000000000000", "accept")


def test_others_can_not_read_a_text_before_it_concerns_them(office):
    text = office.imported()
    for role in (Role.REVIEWER, Role.APPROVER):
        with pytest.raises(NotAllowed, match="不能查看"):
            texts.show_text(office.people[role], text)
        assert texts.list_texts(office.people[role]) == []
    assert texts.list_texts(office.people[Role.AUDITOR])[0]["text"] == text
    office.act(Role.DEPARTMENT_HEAD, text, "submit")
    assert texts.list_texts(office.people[Role.APPROVER])[0]["text"] == text


def test_an_actor_that_does_not_exist_is_refused(office):
    text = office.driven("submitted")
    with pytest.raises(NotAllowed, match="停用"), transaction(office.installation.engine) as work:
        perform(
            work,
            text,
            "accept",
            actor=Actor("nobody", "nowhere"),
            expected_version=None,
            command_id="x",
            recorder=office.people[Role.REVIEWER].recorder,
            now=office.clock(),
        )
