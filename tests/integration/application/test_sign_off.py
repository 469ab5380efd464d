"""Sign-off in one state, on both databases: votes, their tally, and the transition that the last one fires."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from office_state import counts, state_of

from application import histories, texts, worklists
from application.acting import Choice, Remark, act
from models.engine import transaction
from models.errors import Conflict, GuardFailed, InvalidInput, InvalidTransition, NotAllowed
from models.people import Role
from models.process import Signature, Step, Task
from models.texts import Opinion

AGAINST = Choice(against=True)
REMARK = Remark("/projects/p1/code", "编码与批复不符", "核对编码")


def rows(office, model: Any, text: str) -> list[Any]:
    with transaction(office.installation.engine, read_only=True) as work:
        return list(
            work.session.scalars(sa.select(model).where(model.text_id == text).order_by(*model.__table__.primary_key))
        )


def open_tasks(office, text: str) -> list[tuple[str, str]]:
    return sorted((task.role, task.seat) for task in rows(office, Task, text) if task.closed_at is None)


def test_both_divisions_sign_and_the_last_vote_fires_the_transition(office) -> None:
    text = office.county("second_review")
    assert open_tasks(office, text) == [("budget_reviewer", "budget_reviewer"), ("second_reviewer", "second_reviewer")]
    before = state_of(office.installation, text)
    first = office.act(Role.BUDGET_REVIEWER, text, "sign")
    assert (first["vote"], first["state"], first["waiting"]) == ("pending", "second_review", ["second_reviewer"])
    assert state_of(office.installation, text) == before  # a vote moves no text
    assert open_tasks(office, text) == [("second_reviewer", "second_reviewer")]
    last = office.act(Role.SECOND_REVIEWER, text, "pass")
    assert (last["vote"], last["action"], last["state"]) == ("passed", "pass", "issuing")
    assert [
        (vote.seat, vote.choice)
        for vote in rows(office, Signature, text)
        if vote.visit == rows(office, Step, text)[2].number
    ] == [
        ("budget_reviewer", "agree"),
        ("second_reviewer", "agree"),
    ]
    acts = [
        item["act"]
        for item in histories.history(office.people[Role.AUDITOR], text)
        if item["act"].startswith("workflow.")
    ]
    assert acts[-3:] == ["workflow.sign", "workflow.sign", "workflow.pass"]


def test_nobody_votes_twice_and_nobody_votes_after_the_end(office) -> None:
    text = office.county("second_review")
    office.act(Role.SECOND_REVIEWER, text, "sign")
    before = counts(office.installation)
    with pytest.raises(GuardFailed, match="已经投过票"):
        office.act(Role.SECOND_REVIEWER, text, "sign")
    office.act(Role.BUDGET_REVIEWER, text, "sign")
    with pytest.raises((Conflict, InvalidTransition)):
        office.act(Role.SECOND_REVIEWER, text, "sign")
    with pytest.raises(NotAllowed, match="您没有可以签署的席位"):
        office.act(Role.REVIEWER, office.county("second_review"), "sign")
    assert counts(office.installation)["signature"] > before["signature"]  # the second division's vote


def test_a_vote_against_needs_reason_and_places_and_sends_the_text_back(office) -> None:
    text = office.county("second_review")
    with pytest.raises(GuardFailed, match="必须写明理由"):
        office.act(Role.SECOND_REVIEWER, text, "sign", choice=AGAINST, remarks=[REMARK])
    with pytest.raises(GuardFailed, match="逐处"):
        office.act(Role.SECOND_REVIEWER, text, "sign", choice=AGAINST, reason="编码不对")
    done = office.act(Role.SECOND_REVIEWER, text, "sign", choice=AGAINST, reason="编码不对", remarks=[REMARK])
    assert (done["vote"], done["action"], done["state"]) == ("failed", "reject", "revision")
    assert [task.outcome for task in rows(office, Task, text) if task.role == "budget_reviewer"] == ["void"]
    assert [item.problem for item in rows(office, Opinion, text)] == ["编码与批复不符"]
    assert open_tasks(office, text) == [("drafter", "")]
    done_list = worklists.list_tasks(office.people[Role.SECOND_REVIEWER], view=worklists.View.DONE)
    assert [item["outcome"] for item in done_list] == ["reject"]


def test_against_is_for_votes_only(office) -> None:
    text = office.county("submitted")
    with pytest.raises(InvalidInput, match="不是投票"):
        office.act(Role.REVIEWER, text, "accept", choice=AGAINST)
    office.act(Role.REVIEWER, text, "accept")
    with pytest.raises(InvalidInput, match="没有“不同意”"):
        office.act(Role.REVIEWER, text, "sign", choice=AGAINST, reason="不同意")
    with pytest.raises(InvalidTransition, match="没有进行中的签署"):
        office.act(Role.REVIEWER, office.county("submitted"), "sign")


def test_agreement_goes_with_no_demand_and_a_vote_chooses_no_way(office) -> None:
    text = office.county("second_review")
    before = counts(office.installation)
    with pytest.raises(InvalidInput, match="只能写“建议”或“疑问”"):
        office.act(Role.SECOND_REVIEWER, text, "sign", remarks=[REMARK])
    for choice in (Choice(to="first_review"), Choice(resume="direct"), Choice(resume="direct", against=True)):
        with pytest.raises(InvalidInput, match="由流程决定"):
            office.act(Role.SECOND_REVIEWER, text, "sign", choice=choice, reason="x", remarks=[REMARK])
    assert counts(office.installation) == before


def test_what_can_be_done_names_both_votes(office) -> None:
    with pytest.raises(InvalidTransition) as caught:
        office.act(Role.SECOND_REVIEWER, office.county("second_review"), "publish")
    names = [item["action"] for item in caught.value.facts["available"]]
    assert {"sign", "sign --against", "return"} <= set(names)
    assert len(names) == len(set(names))
    with pytest.raises(InvalidTransition, match="没有进行中的签署"):
        office.act(Role.REVIEWER, office.county("submitted"), "sign", choice=AGAINST, reason="x")


def test_a_return_inside_a_sign_off_closes_the_open_siblings(office) -> None:
    text = office.county("second_review")
    office.act(Role.BUDGET_REVIEWER, text, "sign")
    with pytest.raises(NotAllowed):
        office.act(Role.BUDGET_REVIEWER, text, "return", reason="重看", remarks=[REMARK])  # has voted: no task any more
    office.act(Role.SECOND_REVIEWER, text, "return", reason="编码不对", remarks=[REMARK])
    assert open_tasks(office, text) == [("drafter", "")]
    assert state_of(office.installation, text)[0] == "revision"


def test_direct_resumption_leads_straight_back_to_the_division_that_returned(office) -> None:
    text = office.county("second_review")
    other = office.another(Role.SECOND_REVIEWER, "fuhe2")
    office.act(Role.BUDGET_REVIEWER, text, "sign")
    office.act(
        Role.SECOND_REVIEWER, text, "return", reason="编码不对", remarks=[REMARK], choice=Choice(resume="direct")
    )
    done = office.act(Role.DEPARTMENT_HEAD, text, "submit", accept_all=True)
    assert (done["state"], done["round"]) == ("second_review", 2)
    # Votes were for a content of an earlier round: all seats are open again, and the returner has theirs back.
    held = {task.seat: task.assignee_id for task in rows(office, Task, text) if task.closed_at is None}
    assert held == {
        "second_reviewer": office.people[Role.SECOND_REVIEWER].person.account_id,
        "budget_reviewer": None,
    }
    with pytest.raises(NotAllowed, match="已指定别人"):
        act(other, text, action="sign")
    office.act(Role.SECOND_REVIEWER, text, "sign")
    assert office.act(Role.BUDGET_REVIEWER, text, "sign")["state"] == "issuing"
    # The way is whole again: the approver can send it back to any desk before.
    offered = texts.actions(office.people[Role.APPROVER], text)["actions"]
    assert next(item for item in offered if item["action"] == "send_back")["targets"] == [
        "second_review",
        "first_review",
        "submitted",
    ]


def test_restart_goes_the_whole_way_again(office) -> None:
    text = office.county("second_review")
    office.act(
        Role.SECOND_REVIEWER, text, "return", reason="编码不对", remarks=[REMARK], choice=Choice(resume="restart")
    )
    assert office.act(Role.DEPARTMENT_HEAD, text, "submit", accept_all=True)["state"] == "submitted"


def test_direct_is_refused_where_the_definition_fixes_the_way(office) -> None:
    text = office.driven("submitted")
    with pytest.raises(InvalidInput, match="重走流程"):
        office.act(Role.REVIEWER, text, "return", reason="x", remarks=[REMARK], choice=Choice(resume="direct"))
    with pytest.raises(InvalidInput, match="不是退回"):
        office.act(Role.REVIEWER, text, "accept", choice=Choice(resume="direct"))


@pytest.mark.parametrize(
    ("to", "state"), [(None, "second_review"), ("初审", "first_review"), ("submitted", "submitted")]
)
def test_the_approver_sends_back_to_any_desk_before(office, to: str | None, state: str) -> None:
    text = office.county("issuing")
    done = office.act(Role.APPROVER, text, "send_back", reason="请再核实", choice=Choice(to=to))
    assert done["state"] == state
    with pytest.raises((NotAllowed, InvalidTransition)):
        office.act(Role.APPROVER, text, "approve")


def test_send_back_direct_returns_to_the_approver_after_one_desk(office) -> None:
    text = office.county("issuing")
    office.act(Role.APPROVER, text, "send_back", reason="请再核实", choice=Choice(to="first_review", resume="direct"))
    done = office.act(Role.REVIEWER, text, "pass")
    assert done["state"] == "issuing"
    held = [task.assignee_id for task in rows(office, Task, text) if task.closed_at is None]
    assert held == [office.people[Role.APPROVER].person.account_id]


def test_no_desk_ahead_or_beside_the_way_can_be_chosen(office) -> None:
    text = office.county("second_review")
    for to in ("issuing", "revision", "draft", "nowhere"):
        with pytest.raises(InvalidInput, match="可以到"):
            office.act(Role.SECOND_REVIEWER, text, "send_back", reason="x", choice=Choice(to=to))
    with pytest.raises(GuardFailed, match="必须写明理由"):
        office.act(Role.SECOND_REVIEWER, text, "send_back")
