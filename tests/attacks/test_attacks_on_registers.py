"""Attack 10 of audit.md on the registers: rows that let somebody act as somebody else, or by rules that nobody published.

Every event that follows is well-formed, so that no level below ``strict`` can say anything. The key has no part in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import yaml
from intruder import disarm
from intrusion import Victim

from application.acting import act
from application.auditing import Level, Status, checkpoint
from application.delegations import add_delegation, revoke_delegation
from application.identity import authenticate, log_in, set_password, token_digest
from application.workflows import shipped
from models.ids import new_id
from models.people import AccessToken, Account, Delegation, Organization, Role
from models.process import WorkflowDefinition
from workflow.definition import canonical, definition_hash
from workflow.source import parse_definition

Deed = Callable[[Victim], sa.Insert | sa.Update | sa.Delete]


def new(victim: Victim) -> tuple[str, datetime]:
    now = victim.installation.clock()
    return new_id(now), now


def a_token(victim: Victim) -> sa.Insert:
    name, now = new(victim)
    approver = victim.people[Role.APPROVER].person.account_id
    return sa.insert(AccessToken).values(
        id=name,
        account_id=approver,
        name="first",
        digest=token_digest("jx_stolen"),
        created_at=now,
        expires_at=now + timedelta(days=90),
    )


def a_delegation(victim: Victim) -> sa.Insert:
    name, now = new(victim)
    approver, reviewer = (victim.people[role].person.account_id for role in (Role.APPROVER, Role.REVIEWER))
    return sa.insert(Delegation).values(
        id=name,
        principal_id=approver,
        delegate_id=reviewer,
        role=None,
        reason="出差",
        starts_at=now,
        ends_at=now + timedelta(days=9),
        created_by=approver,
        created_at=now,
    )


def an_account(victim: Victim) -> sa.Insert:
    name, now = new(victim)
    return sa.insert(Account).values(
        id=name,
        organization_id=victim.people[Role.APPROVER].person.organization_id,
        login="ghost",
        display_name="无名",
        created_at=now,
    )


def a_definition(victim: Victim) -> sa.Insert:
    name, now = new(victim)
    easier = parse_definition(yaml.safe_dump({**yaml.safe_load(shipped("simple")), "version": 9}).encode())
    return sa.insert(WorkflowDefinition).values(
        id=name,
        name="simple",
        version=9,
        body=canonical(easier),
        sha256=definition_hash(easier),
        published_at=now,
    )


def a_changed_organization(victim: Victim) -> sa.Update:
    home = victim.people[Role.DRAFTER].person.organization_id
    return sa.update(Organization).where(Organization.id == home).values(aliases="青禾县财政局")


def a_deleted_token(victim: Victim) -> sa.Delete:
    mine = victim.people[Role.AUDITOR].person.session
    return sa.delete(AccessToken).where(AccessToken.id == mine)


DEEDS: dict[str, tuple[Deed, str]] = {
    "token": (a_token, "访问令牌 .*绕过程序写入"),
    "delegation": (a_delegation, "代理 .*绕过程序写入"),
    "account": (an_account, "账号 .*绕过程序写入"),
    "definition": (a_definition, "流程定义 .*绕过程序写入"),
    "organization": (a_changed_organization, "单位 .*与日志里的不同"),
    "deleted token": (a_deleted_token, "日志里有访问令牌 .*绕过程序删除"),
}


def run(victim: Victim, statement: sa.Insert | sa.Update | sa.Delete) -> None:
    with victim.engine.begin() as connection:
        disarm(connection)
        assert connection.execute(statement).rowcount != 0


@pytest.mark.parametrize("name", DEEDS)
def test_10_a_row_that_no_event_tells_of_is_caught_by_strict_alone(victim: Victim, name: str) -> None:
    deed, words = DEEDS[name]
    run(victim, deed(victim))
    for level in (Level.HEAD, Level.TILES, Level.FULL):
        assert victim.inside(level).ok, level
    verdict = victim.inside(Level.STRICT)
    assert (verdict.status, {problem.kind.value for problem in verdict.problems}) == (Status.TAMPERED, {"replay"})
    [problem] = verdict.problems
    assert re.search(words, problem.message)


def test_10_a_token_that_was_slipped_in_and_taken_out_again_stands_in_what_was_done_with_it(victim: Victim) -> None:
    """The row is gone, the approval stays, and it names a token that was never given to anybody."""
    run(victim, a_token(victim))
    thief = replace(victim.request(Role.APPROVER), person=authenticate(victim.installation, "jx_stolen"))
    act(thief, victim.text, action="approve")
    run(victim, sa.delete(AccessToken).where(AccessToken.digest == token_digest("jx_stolen")))
    checkpoint(victim.installation)
    assert victim.inside().ok
    verdict = victim.inside(Level.STRICT)
    assert verdict.status is Status.TAMPERED
    assert [problem.message for problem in verdict.problems] == [
        f"有人以账号 {thief.person.account_id} 办事，用的访问令牌 {thief.person.session} 日志里没有发给这个账号；请核查这些事件。"
    ]


def test_10_what_the_program_itself_writes_to_the_registers_is_whole(victim: Victim) -> None:
    """What all the others are compared with: log-ins, a delegation that was given and one that was revoked."""
    reviewer = victim.request(Role.REVIEWER)
    colleague = victim.request(Role.APPROVER).person.login
    set_password(reviewer, "long-enough")
    log_in(victim.installation, reviewer.person.login, "long-enough")
    until = (victim.installation.clock() + timedelta(days=3)).date().isoformat()
    made = add_delegation(reviewer, colleague, until=until, reason="出差")
    revoke_delegation(reviewer, made["id"], reason="回来了")
    add_delegation(reviewer, colleague, until=until, reason="出差", role=Role.REVIEWER)
    checkpoint(victim.installation)
    verdict = victim.inside(Level.STRICT)
    assert verdict.ok, verdict.problems
