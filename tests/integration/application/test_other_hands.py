"""Acting for others, and undoing what others did: delegates, added signers, people who have left."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from handled_texts import disable, grant, me, nothing_changes, open_tasks, parts, revoke
from office_state import state_of
from signing_rules import publish_signing

from application import texts
from application.acting import Choice, Remark, act
from application.acting import Reply as Answer
from application.assignments import add_signer, claim, delegate, remove_signer, resolve
from application.delegations import add_delegation
from application.worklists import list_tasks
from models.engine import transaction
from models.errors import GuardFailed, InvalidInput, NotAllowed
from models.people import Role
from models.process import Signature
from models.texts import AnswerKind, OpinionKind

REMARK = Remark("/projects/p1/code", "编码与批复不符", "核对编码")
AGAINST = Choice(against=True)


def lend(office: Any, principal: Any, to: Any, **given: Any) -> None:
    add_delegation(principal, to.person.login, until="2026-04-01", reason="出差", **given)


def counted(office: Any, text: str) -> list[tuple[str, str]]:
    """Every row of votes: seat and choice."""
    with transaction(office.installation.engine, read_only=True) as work:
        query = sa.select(Signature.seat, Signature.choice).where(Signature.text_id == text)
        return [tuple(row) for row in work.connection.execute(query.order_by(Signature.visit, Signature.number))]


def opinions(office: Any, text: str) -> list[tuple[str, bool]]:
    shown = texts.show_text(office.people[Role.REVIEWER], text)["opinions"]
    return [(item["problem"], item["withdrawn"]) for item in shown]


def returned_by_the_approver(office: Any) -> str:
    """A text in its second round, of whose first the approver has taken part."""
    text = office.county("issuing")
    office.act(Role.APPROVER, text, "return", reason="有误", remarks=[REMARK])
    office.act(Role.DEPARTMENT_HEAD, text, "submit", accept_all=True)
    office.act(Role.REVIEWER, text, "accept")
    return str(text)


# Taking a seat out


def test_a_delegate_whose_duties_clash_takes_no_seat_out(sqlite_office: Any) -> None:
    office = sqlite_office
    text, reviewer, approver = (
        returned_by_the_approver(office),
        office.people[Role.REVIEWER],
        office.people[Role.APPROVER],
    )
    office.another(Role.REVIEWER, "adviser")
    add_signer(reviewer, text, "adviser", place="after")
    office.act(Role.REVIEWER, text, "sign")
    lend(office, reviewer, approver)
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="不相容岗位"):
        remove_signer(approver, text, "+1")
    assert parts(office, text, approver) == {"approver"}


def test_a_seat_is_taken_out_only_in_the_role_in_which_it_was_added(sqlite_office: Any) -> None:
    office = sqlite_office
    text, reviewer = office.county("first_review"), office.people[Role.REVIEWER]
    grant(office, reviewer, Role.BUDGET_REVIEWER)
    office.another(Role.REVIEWER, "adviser")
    stand_in = office.another(Role.BUDGET_REVIEWER, "daili")
    add_signer(reviewer, text, "adviser", place="after")
    office.act(Role.REVIEWER, text, "sign")
    lend(office, reviewer, stand_in, role=Role.BUDGET_REVIEWER)
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="岗位"):
        remove_signer(stand_in, text, "+1")
    revoke(office, reviewer, Role.REVIEWER)
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="已没有加签时的岗位"):
        remove_signer(reviewer, text, "+1")


def test_no_sign_off_waits_for_somebody_who_has_left(office: Any) -> None:
    text, reviewer = office.county("first_review"), office.people[Role.REVIEWER]
    colleague, adviser = office.another(Role.REVIEWER, "colleague"), office.another(Role.REVIEWER, "adviser")
    add_signer(reviewer, text, "adviser", place="before")
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="只有加签的人"):
        remove_signer(colleague, text, "+1")
    disable(office, adviser)
    remove_signer(colleague, text, "+1")
    assert office.act(Role.REVIEWER, text, "sign")["state"] == "second_review"


def test_a_seat_whose_removal_decided_comes_back_with_its_person(sqlite_office: Any) -> None:
    office = sqlite_office
    text, reviewer = office.county("first_review"), office.people[Role.REVIEWER]
    first, second = office.another(Role.BUDGET_REVIEWER, "xx"), office.another(Role.REVIEWER, "yy")
    add_signer(reviewer, text, "xx", place="after")
    act(reviewer, text, action="sign")
    add_signer(first, text, "yy", place="after")
    act(first, text, action="sign")
    assert remove_signer(first, text, "+2")["state"] == "second_review"
    assert act(first, text, action="recall")["state"] == "first_review"
    assert {seat: task.assignee_id for seat, task in open_tasks(office, text).items()} == {"+2": me(second)}
    with pytest.raises(GuardFailed, match="已经投过票"):
        act(first, text, action="sign")
    assert act(second, text, action="sign")["state"] == "second_review"


# Taking back


def test_a_delegate_whose_duties_clash_takes_nothing_back(sqlite_office: Any) -> None:
    office = sqlite_office
    text, reviewer, approver = (
        returned_by_the_approver(office),
        office.people[Role.REVIEWER],
        office.people[Role.APPROVER],
    )
    lend(office, reviewer, approver)
    with nothing_changes(office, text), pytest.raises(NotAllowed):
        act(approver, text, action="recall")
    assert act(reviewer, text, action="recall")["state"] == "submitted"


def test_who_was_lent_another_role_takes_nothing_back(sqlite_office: Any) -> None:
    office = sqlite_office
    text, reviewer = office.county("first_review"), office.people[Role.REVIEWER]
    grant(office, reviewer, Role.BUDGET_REVIEWER)
    stand_in, whole = office.another(Role.BUDGET_REVIEWER, "daili"), office.another(Role.APPROVER, "whole")
    lend(office, reviewer, stand_in, role=Role.BUDGET_REVIEWER)
    with nothing_changes(office, text), pytest.raises(NotAllowed):
        act(stand_in, text, action="recall")
    lend(office, reviewer, whole)
    assert act(whole, text, action="recall")["state"] == "submitted"


def test_the_vote_that_decided_goes_whoever_of_its_persons_takes_it_back(office: Any) -> None:
    text = publish_signing(office, "any")
    reviewer, stand_in = office.people[Role.REVIEWER], office.another(Role.REVIEWER, "daili")
    assert act(reviewer, text, action="sign")["state"] == "done"
    lend(office, reviewer, stand_in)
    assert act(stand_in, text, action="recall")["state"] == "signing"
    assert counted(office, text) == [("reviewer", "agree"), ("reviewer", "withdrawn")]
    # With that vote still counted, the next one would pass the text, though it is against.
    refused = act(office.people[Role.SECOND_REVIEWER], text, action="sign", reason="不行", choice=AGAINST)
    assert (refused["vote"], refused["state"]) == ("pending", "signing")


def test_a_return_that_is_taken_back_leaves_the_votes_and_their_opinions(sqlite_office: Any) -> None:
    office = sqlite_office
    text, second, budget = (
        office.county("second_review"),
        office.people[Role.SECOND_REVIEWER],
        office.people[Role.BUDGET_REVIEWER],
    )
    hint = Remark("/projects/p1/code", "可以写得短些", "缩短", OpinionKind.SUGGESTION)
    act(second, text, action="sign", remarks=[hint])
    lend(office, budget, second)
    act(second, text, action="return", reason="有误", remarks=[REMARK])
    act(second, text, action="recall")
    assert counted(office, text)[-1] == ("second_reviewer", "agree")
    assert opinions(office, text) == [("可以写得短些", False), ("编码与批复不符", True)]
    assert act(budget, text, action="sign")["state"] == "issuing"


def test_the_opinions_of_a_delegate_go_with_the_return_that_the_principal_takes_back(sqlite_office: Any) -> None:
    office = sqlite_office
    text, reviewer = office.county("first_review"), office.people[Role.REVIEWER]
    stand_in = office.another(Role.BUDGET_REVIEWER, "daili")
    lend(office, reviewer, stand_in)
    act(stand_in, text, action="return", reason="有误", remarks=[REMARK])
    assert act(reviewer, text, action="recall")["state"] == "first_review"
    assert opinions(office, text) == [("编码与批复不符", True)]


def test_an_answer_goes_with_the_submission_that_was_taken_back(office: Any) -> None:
    text, head = office.county("first_review"), office.people[Role.DEPARTMENT_HEAD]
    office.act(Role.REVIEWER, text, "return", reason="有误", remarks=[REMARK])
    opinion = texts.show_text(head, text)["opinions"][0]["id"]

    def answered(words: str) -> dict[str, Answer]:
        return {opinion: Answer(AnswerKind.EXPLAINED, words)}

    act(head, text, action="submit", replies=answered("写错了"))
    act(head, text, action="recall")
    assert texts.show_text(head, text)["opinions"][0]["answer"] is None
    with pytest.raises(GuardFailed, match="还没有答复"):
        act(head, text, action="submit")
    act(head, text, action="submit", replies=answered("改正过的"))
    assert texts.show_text(head, text)["opinions"][0]["answer"]["text"] == "改正过的"


def test_a_step_stands_once_somebody_was_asked_or_has_helped(sqlite_office: Any) -> None:
    office = sqlite_office
    text, reviewer = office.county("submitted"), office.people[Role.REVIEWER]
    colleague = office.another(Role.REVIEWER, "colleague")
    helper = office.another(Role.REVIEWER, "helper")
    act(reviewer, text, action="accept")
    add_signer(colleague, text, "helper", place="after")
    with nothing_changes(office, text), pytest.raises(GuardFailed, match="下一环节已经处理"):
        act(reviewer, text, action="recall")
    other = office.county("submitted")
    act(reviewer, other, action="accept")
    claim(colleague, other)
    delegate(colleague, other, "helper", reason="请协助")
    resolve(helper, other, note="看过了")
    with nothing_changes(office, other), pytest.raises(GuardFailed, match="下一环节已经处理"):
        act(reviewer, other, action="recall")
    # What was helped with before the last step does not hold it.
    act(colleague, other, action="sign")
    assert act(colleague, other, action="recall")["state"] == "first_review"


def test_a_vote_taken_back_leaves_the_task_with_its_person_and_its_day(sqlite_office: Any) -> None:
    office = sqlite_office
    text, second = office.county("second_review"), office.people[Role.SECOND_REVIEWER]
    claim(second, text)
    before = open_tasks(office, text)["second_reviewer"]
    office.clock.moment += timedelta(days=4)
    act(second, text, action="sign")
    act(second, text, action="recall")
    after = open_tasks(office, text)["second_reviewer"]
    assert (after.assignee_id, after.due_on) == (me(second), before.due_on)


def test_nothing_is_chosen_or_said_when_something_is_taken_back(sqlite_office: Any) -> None:
    office = sqlite_office
    text, second = office.county("second_review"), office.people[Role.SECOND_REVIEWER]
    act(second, text, action="sign")
    for given in ({"remarks": [REMARK]}, {"choice": Choice(to="draft")}, {"choice": Choice(resume="direct")}):
        before = state_of(office.installation, text)
        with pytest.raises(InvalidInput):
            act(second, text, action="recall", **given)
        assert state_of(office.installation, text) == before
    revoke(office, second, Role.SECOND_REVIEWER)
    grant(office, second, Role.APPROVER)
    assert act(second, text, action="recall")["vote"] == "pending"
    disable(office, second)


def test_a_recall_that_would_be_refused_is_not_offered(sqlite_office: Any) -> None:
    office = sqlite_office
    seats = ("seats: [reviewer, second_reviewer]", "seats: [reviewer, second_reviewer, reviewer]")
    text = publish_signing(office, "sequential", seats)
    office.act(Role.REVIEWER, text, "sign")
    office.act(Role.SECOND_REVIEWER, text, "sign")
    offered = texts.actions(office.people[Role.REVIEWER], text)["actions"]
    recall = next(item for item in offered if item["action"] == "recall")
    assert (recall["allowed"], recall["reasons"]) == (False, ["下一位已经签署，不能撤回"])


# Sign-offs


def test_no_vote_is_taken_for_an_outcome_beyond_its_limit(sqlite_office: Any) -> None:
    office = sqlite_office
    text = publish_signing(
        office,
        "all",
        ("to: done, by: sign_off,", "to: done, by: sign_off, at_most: 1,"),
        (
            "  - {action: finish",
            "  - {action: again, title: 重签, from: done, to: signing, by: reviewer}\n  - {action: finish",
        ),
    )
    office.act(Role.REVIEWER, text, "sign")
    office.act(Role.SECOND_REVIEWER, text, "sign")
    office.act(Role.REVIEWER, text, "again")
    # The first to vote is told, and not the last, who could never end it.
    with nothing_changes(office, text), pytest.raises(GuardFailed, match="最多 1 次"):
        office.act(Role.REVIEWER, text, "sign")


def test_who_returned_from_the_second_of_two_turns_gets_it_back(sqlite_office: Any) -> None:
    office = sqlite_office
    text = publish_signing(
        office,
        "sequential",
        (
            "  - {action: recall",
            "  - {action: back, title: 退回, from: signing, to: draft, by: task_holder, resume: direct}\n  - {action: recall",
        ),
        ("freeze: true}", "freeze: true, resumes: true}"),
    )
    second = office.people[Role.SECOND_REVIEWER]
    colleague = office.another(Role.SECOND_REVIEWER, "colleague")
    office.act(Role.REVIEWER, text, "sign")
    act(second, text, action="back")
    office.act(Role.DEPARTMENT_HEAD, text, "submit")
    assert list(open_tasks(office, text)) == ["reviewer"]
    office.act(Role.REVIEWER, text, "sign")
    assert open_tasks(office, text)["second_reviewer"].assignee_id == me(second)
    with pytest.raises(NotAllowed):
        act(colleague, text, action="sign")


def test_the_task_of_somebody_who_left_is_on_the_list_of_the_others(office: Any) -> None:
    text, reviewer = office.county("submitted"), office.people[Role.REVIEWER]
    colleague = office.another(Role.REVIEWER, "colleague")
    claim(reviewer, text)
    assert list_tasks(colleague) == []
    disable(office, reviewer)
    (item,) = list_tasks(colleague)
    assert (item["text"], item["abandoned"]) == (text, True)
    claim(colleague, text)
    assert [row["abandoned"] for row in list_tasks(colleague)] == [False]


def test_a_limited_delegation_lists_the_tasks_of_its_role_only(sqlite_office: Any) -> None:
    office = sqlite_office
    text, reviewer = office.county("submitted"), office.people[Role.REVIEWER]
    grant(office, reviewer, Role.BUDGET_REVIEWER)
    stand_in = office.another(Role.APPROVER, "daili")
    claim(reviewer, text)
    lend(office, reviewer, stand_in, role=Role.BUDGET_REVIEWER)
    assert list_tasks(stand_in) == []


# What a second look found


def test_a_seat_whose_person_is_gone_is_taken_out_though_its_follower_has_signed(sqlite_office: Any) -> None:
    office = sqlite_office
    text, reviewer = office.county("first_review"), office.people[Role.REVIEWER]
    colleague = office.another(Role.REVIEWER, "colleague")
    asked, follower = office.another(Role.REVIEWER, "xx"), office.another(Role.REVIEWER, "yy")
    add_signer(reviewer, text, "xx", place="before")
    add_signer(asked, text, "yy", place="before")
    act(follower, text, action="sign")
    disable(office, asked)
    remove_signer(colleague, text, "+1")
    assert office.act(Role.REVIEWER, text, "sign")["state"] == "second_review"


def test_a_seat_lent_for_help_reopens_as_its_owners(sqlite_office: Any) -> None:
    office = sqlite_office
    text = publish_signing(office, "sequential")
    second, helper = office.people[Role.SECOND_REVIEWER], office.another(Role.SECOND_REVIEWER, "helper")
    office.act(Role.REVIEWER, text, "sign")
    claim(second, text)
    delegate(second, text, helper.person.login)
    office.act(Role.REVIEWER, text, "recall")
    office.act(Role.REVIEWER, text, "sign")
    assert open_tasks(office, text)["second_reviewer"].assignee_id == me(second)
    assert act(second, text, action="sign")["state"] == "done"


def test_the_vote_of_an_outcome_from_before_seats_were_noted_goes_as_well(sqlite_office: Any) -> None:
    office = sqlite_office
    text = publish_signing(office, "any")
    office.act(Role.REVIEWER, text, "sign")
    with transaction(office.installation.engine) as work:
        for (name,) in work.connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
            work.connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
        work.connection.exec_driver_sql("UPDATE step SET before = json_remove(before, '$.seat', '$.opinions')")
    office.act(Role.REVIEWER, text, "recall")
    assert counted(office, text)[-1] == ("reviewer", "withdrawn")


def test_a_recall_that_is_a_step_of_its_own_withdraws_the_answers(office: Any) -> None:
    text, head = office.driven("first_review"), office.people[Role.DEPARTMENT_HEAD]
    office.act(Role.REVIEWER, text, "return", reason="有误", remarks=[Remark("/overall", "重复")])
    opinion = texts.show_text(head, text)["opinions"][0]["id"]
    act(head, text, action="submit", replies={opinion: Answer(AnswerKind.EXPLAINED, "写错了")})
    act(head, text, action="recall")
    assert texts.show_text(head, text)["opinions"][0]["answer"] is None
    act(head, text, action="submit", replies={opinion: Answer(AnswerKind.EXPLAINED, "改正过的")})
    assert texts.show_text(head, text)["opinions"][0]["answer"]["text"] == "改正过的"


def test_who_was_asked_to_sign_later_does_not_spend_the_vote_for_another(sqlite_office: Any) -> None:
    office = sqlite_office
    text, second = office.county("second_review"), office.people[Role.SECOND_REVIEWER]
    asked = office.another(Role.APPROVER, "daili")
    add_signer(second, text, "daili", place="after")
    lend(office, second, asked)
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="在等您签署"):
        act(asked, text, action="sign")
    act(second, text, action="sign")
    act(asked, text, action="sign")
    assert office.act(Role.BUDGET_REVIEWER, text, "sign")["state"] == "issuing"


def test_a_turn_that_had_not_come_has_days_of_its_own(sqlite_office: Any) -> None:
    office = sqlite_office
    text = publish_signing(office, "sequential")
    office.act(Role.REVIEWER, text, "sign")
    first_day = open_tasks(office, text)["second_reviewer"].due_on
    office.act(Role.REVIEWER, text, "recall")
    office.clock.moment += timedelta(days=25)
    office.act(Role.REVIEWER, text, "sign")
    assert open_tasks(office, text)["second_reviewer"].due_on > first_day


def test_a_limited_stand_in_ends_no_help_for_another_role(sqlite_office: Any) -> None:
    office = sqlite_office
    text, reviewer = office.county("submitted"), office.people[Role.REVIEWER]
    grant(office, reviewer, Role.BUDGET_REVIEWER)
    helper, stand_in = office.another(Role.REVIEWER, "helper"), office.another(Role.BUDGET_REVIEWER, "daili")
    claim(reviewer, text)
    delegate(reviewer, text, helper.person.login)
    lend(office, reviewer, stand_in, role=Role.BUDGET_REVIEWER)
    with nothing_changes(office, text), pytest.raises(NotAllowed):
        resolve(stand_in, text)
