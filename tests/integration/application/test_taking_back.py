"""撤回: steps and votes taken back by compensating events, until the next person has acted."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from office_state import counts, state_of

from application import histories, texts
from application.acting import Choice, Remark
from application.editing import set_members
from models.engine import transaction
from models.errors import GuardFailed, InvalidTransition, NotAllowed
from models.people import Role
from models.process import Step, Task
from models.texts import BudgetText, OpinionKind

REMARK = Remark("/projects/p1/code", "编码与批复不符", "核对编码")
WHOLE = (
    "state",
    "round",
    "path",
    "resume",
    "visit",
    "submitted_hash",
    "approved_version",
    "approved_hash",
    "published_version",
)


def row(office, text: str) -> BudgetText:
    with transaction(office.installation.engine, read_only=True) as work:
        return work.session.get_one(BudgetText, text)


def open_tasks(office, text: str) -> list[tuple[Any, ...]]:
    with transaction(office.installation.engine, read_only=True) as work:
        tasks = work.session.scalars(sa.select(Task).where(Task.text_id == text, Task.closed_at.is_(None)))
        return sorted((task.role, task.seat, task.due_on, task.assignee_id or "") for task in tasks)


STEPS = [
    ("draft", Role.DEPARTMENT_HEAD, "submit", {}),
    ("submitted", Role.REVIEWER, "accept", {}),
    ("first_review", Role.REVIEWER, "pass", {}),
    ("first_review", Role.REVIEWER, "return", {"reason": "编码不对", "remarks": [REMARK]}),
    ("issuing", Role.APPROVER, "approve", {}),
    ("issuing", Role.APPROVER, "send_back", {"reason": "再核实"}),
    ("issued", Role.REVIEWER, "issue", {}),
    ("published", Role.DRAFTER, "adjust", {"reason": "项目压减"}),
]


@pytest.mark.parametrize(
    ("state", "role", "action", "given"), STEPS, ids=[f"{step[2]} from {step[0]}" for step in STEPS]
)
def test_a_step_taken_back_leaves_everything_as_it_was(office, state, role, action, given) -> None:
    text = office.county(state)
    before, tasks = row(office, text), open_tasks(office, text)
    office.act(role, text, action, **given)
    done = office.act(role, text, "recall")
    assert done["state"] == state
    after = row(office, text)
    assert {name: getattr(after, name) for name in WHOLE} == {name: getattr(before, name) for name in WHOLE}
    assert open_tasks(office, text) == tasks
    assert after.row_version == before.row_version + 2
    last = histories.history(office.people[Role.AUDITOR], text)[-1]
    assert last["changes"][0]["p"] == "/undoes"
    assert last["changes"][0]["n"]["action"] == action
    # Taken back once more is too much; done again is not.
    with pytest.raises((GuardFailed, InvalidTransition), match="不能"):
        office.act(role, text, "recall")
    office.act(role, text, action, **given)


def test_nobody_else_takes_a_step_back(office) -> None:
    text = office.county("first_review")
    second = office.another(Role.REVIEWER, "chushen2")
    before = counts(office.installation)
    for who in (Role.DEPARTMENT_HEAD, Role.SECOND_REVIEWER, Role.APPROVER):
        with pytest.raises(NotAllowed, match="只有上一步的办理人"):
            office.act(who, text, "recall")
    office.people[Role.SECOND_REVIEWER] = second
    with pytest.raises(NotAllowed, match="只有上一步的办理人"):
        office.act(Role.SECOND_REVIEWER, text, "recall")
    assert counts(office.installation)["step"] == before["step"]


def test_a_step_stands_when_the_next_has_acted(office) -> None:
    text = office.county("second_review")
    office.act(Role.BUDGET_REVIEWER, text, "sign")
    with pytest.raises(GuardFailed, match="下一环节已经处理"):
        office.act(Role.REVIEWER, text, "recall")
    returned = office.county("first_review")
    office.act(Role.REVIEWER, returned, "return", reason="x", remarks=[REMARK])
    set_members(office.people[Role.DRAFTER], returned, [("/projects/p1/name", "图书购置与阅读推广")], reason="改名")
    with pytest.raises(GuardFailed, match="下一环节已经处理"):
        office.act(Role.REVIEWER, returned, "recall")


def test_opinions_of_a_return_taken_back_wait_for_no_answer(office) -> None:
    text = office.county("first_review")
    office.act(Role.REVIEWER, text, "return", reason="x", remarks=[REMARK])
    office.act(Role.REVIEWER, text, "recall")
    assert [item["withdrawn"] for item in texts.list_opinions(office.people[Role.REVIEWER], text)] == [True]
    office.act(Role.REVIEWER, text, "return", reason="y", remarks=[Remark("/projects/p1/name", "名称不一致")])
    office.act(Role.DEPARTMENT_HEAD, text, "submit", accept_all=True)
    assert [item["answer"] is None for item in texts.list_opinions(office.people[Role.REVIEWER], text)] == [True, False]


def test_a_vote_is_taken_back_while_the_sign_off_is_open(office) -> None:
    text = office.county("second_review")
    tasks = open_tasks(office, text)
    office.act(Role.BUDGET_REVIEWER, text, "sign")
    done = office.act(Role.BUDGET_REVIEWER, text, "recall", reason="看错了")
    assert (done["vote"], sorted(done["waiting"])) == ("pending", ["budget_reviewer", "second_reviewer"])
    assert open_tasks(office, text) == tasks
    office.act(Role.SECOND_REVIEWER, text, "sign")
    assert office.act(Role.BUDGET_REVIEWER, text, "sign")["state"] == "issuing"


def test_the_deciding_vote_is_taken_back_and_the_others_stand(office) -> None:
    text = office.county("second_review")
    office.act(Role.BUDGET_REVIEWER, text, "sign")
    waiting = open_tasks(office, text)
    office.act(Role.SECOND_REVIEWER, text, "sign")
    assert office.act(Role.SECOND_REVIEWER, text, "recall")["state"] == "second_review"
    assert open_tasks(office, text) == waiting
    with pytest.raises(GuardFailed, match="已经投过票"):
        office.act(Role.BUDGET_REVIEWER, text, "sign")
    assert office.act(Role.SECOND_REVIEWER, text, "sign")["state"] == "issuing"


def test_a_vote_taken_back_takes_its_opinions_along_even_after_an_undone_refusal(office) -> None:
    text = office.county("second_review")
    hint = Remark("/projects/p1/name", "名称可以更短", kind=OpinionKind.SUGGESTION)
    against = Choice(against=True)
    office.act(Role.SECOND_REVIEWER, text, "sign", remarks=[hint])
    office.act(Role.BUDGET_REVIEWER, text, "sign", choice=against, reason="x", remarks=[REMARK])
    office.act(Role.BUDGET_REVIEWER, text, "recall")
    office.act(Role.SECOND_REVIEWER, text, "recall")
    assert [item["withdrawn"] for item in texts.list_opinions(office.people[Role.REVIEWER], text)] == [True, True]
    office.act(Role.BUDGET_REVIEWER, text, "sign", choice=against, reason="y", remarks=[REMARK])
    waiting = [item for item in texts.list_opinions(office.people[Role.REVIEWER], text) if not item["withdrawn"]]
    assert [item["problem"] for item in waiting] == [REMARK.problem]


def test_standard_recall_by_the_submitter_still_ends_with_the_acceptance(office) -> None:
    text = office.driven("submitted")
    assert office.act(Role.DEPARTMENT_HEAD, text, "recall")["state"] == "draft"
    office.act(Role.DEPARTMENT_HEAD, text, "submit")
    office.act(Role.REVIEWER, text, "accept")
    with pytest.raises(Exception, match="不能"):
        office.act(Role.DEPARTMENT_HEAD, text, "recall")
    assert state_of(office.installation, text)[0] == "first_review"


def test_every_step_is_numbered_and_none_is_deleted(office) -> None:
    text = office.county("first_review")
    office.act(Role.REVIEWER, text, "pass")
    office.act(Role.REVIEWER, text, "recall")
    with transaction(office.installation.engine, read_only=True) as work:
        steps = work.session.scalars(sa.select(Step).where(Step.text_id == text).order_by(Step.number)).all()
    assert [(step.number, step.action, step.undoes) for step in steps] == [
        (1, "submit", None),
        (2, "accept", None),
        (3, "pass", None),
        (4, "recall", 3),
    ]
