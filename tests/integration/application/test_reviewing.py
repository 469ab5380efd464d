"""Filling in the review form on both databases: who may, what is kept, what a low grade stops, who sees it when."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa
from handled_texts import administrator, last_event, me, nothing_changes, parts

from application.acting import Remark
from application.auditing import read_log
from application.reviewing import Sheet, blank_form, fill_form, list_forms
from documents.reviewing import default_form
from models.engine import transaction
from models.errors import Conflict, GuardFailed, InvalidInput, NotAllowed, NotFound
from models.people import Role

FORM = default_form()


def sheet(share: str = "1", subject: str = "", **given) -> Sheet:
    scores = {item.name: item.points * Decimal(share) for item in FORM.items}
    return Sheet(scores, given.get("notes", {}), subject, given.get("conclusion"))


def test_a_reviewer_scores_the_department_part_and_a_project(office) -> None:
    text, reviewer = office.county("first_review"), office.people[Role.REVIEWER]
    project = blank_form(reviewer, text, project="p1")
    assert (project["subject"], project["title"][:3]) == ("p1", "项目“")
    done = fill_form(reviewer, text, sheet(notes={"规范完整": "格式完整"}))
    assert (done["total"], done["grade"], done["passes"], done["conclusion"]) == ("100", "优", True, "通过")
    fill_form(reviewer, text, sheet("0.9", "p1"))
    assert [(item["subject"], item["total"], item["round"]) for item in list_forms(reviewer, text)] == [
        ("", "100", 1),
        ("p1", "90.0", 1),
    ]
    event = last_event(office, text)
    assert (event["act"], event["chg"][0]["p"], event["chg"][0]["n"]["grade"]) == (
        "review_form.update",
        "/review_forms/p1",
        "优",
    )
    assert parts(office, text, reviewer) == {"reviewer"}
    office.act(Role.REVIEWER, text, "pass")


def test_a_form_filled_again_stands_in_place_of_the_earlier_one(office) -> None:
    text, reviewer = office.county("first_review"), office.people[Role.REVIEWER]
    fill_form(reviewer, text, sheet("0.5"))
    with nothing_changes(office, text), pytest.raises(GuardFailed, match=r"审核等级为“差”（50\.0 分）"):
        office.act(Role.REVIEWER, text, "pass")
    fill_form(reviewer, text, sheet("0.8"))
    assert [item["grade"] for item in list_forms(reviewer, text)] == ["良"]
    office.act(Role.REVIEWER, text, "pass")


def test_a_project_with_a_low_grade_stops_the_whole_text_and_is_forgotten_after_the_revision(office) -> None:
    text, reviewer = office.county("first_review"), office.people[Role.REVIEWER]
    fill_form(reviewer, text, sheet())
    fill_form(reviewer, text, sheet("0.7", "p1"))
    with nothing_changes(office, text), pytest.raises(GuardFailed, match=r"项目“.+”的审核等级为“中”"):
        office.act(Role.REVIEWER, text, "pass")
    remark = Remark("/projects/p1/indicators/i1", "指标与资金不匹配", "重新测算")
    office.act(
        Role.REVIEWER,
        text,
        "return",
        reason="请修改",
        remarks=[remark],
    )
    office.act(Role.DEPARTMENT_HEAD, text, "submit", accept_all=True)
    office.act(Role.REVIEWER, text, "accept")
    office.act(Role.REVIEWER, text, "pass")
    assert [item["round"] for item in list_forms(office.people[Role.DRAFTER], text)] == [1, 1]


def test_only_whoever_has_the_task_fills_in_a_form(office) -> None:
    text = office.county("first_review")
    for role in (Role.DRAFTER, Role.DEPARTMENT_HEAD, Role.SECOND_REVIEWER, Role.APPROVER, Role.AUDITOR):
        with nothing_changes(office, text), pytest.raises(NotAllowed, match=r"审核任务|不能办理"):
            fill_form(office.people[role], text, sheet())
    with nothing_changes(office, text), pytest.raises(NotAllowed):
        fill_form(administrator(office, Role.SYSTEM_ADMINISTRATOR), text, sheet())


@pytest.mark.parametrize("state", ["draft", "approved", "published"])
def test_a_text_that_nobody_reviews_has_no_form_to_fill(office, state) -> None:
    text = office.county(state)
    with nothing_changes(office, text), pytest.raises(NotAllowed):
        fill_form(office.people[Role.REVIEWER], text, sheet())


def test_the_department_sees_a_form_once_its_step_is_taken(office) -> None:
    text, drafter = office.county("first_review"), office.people[Role.DRAFTER]
    fill_form(office.people[Role.REVIEWER], text, sheet())
    assert list_forms(drafter, text) == []
    office.act(Role.REVIEWER, text, "pass")
    assert [item["state_title"] for item in list_forms(drafter, text)] == ["初审"]


def test_a_stale_version_and_a_strange_project_are_refused(office) -> None:
    text, reviewer = office.county("first_review"), office.people[Role.REVIEWER]
    with nothing_changes(office, text), pytest.raises(Conflict):
        fill_form(reviewer, text, sheet(), expected=1)
    with pytest.raises(NotFound, match="没有项目“p9”"):
        fill_form(reviewer, text, sheet(subject="p9"))
    with pytest.raises(InvalidInput, match="还没有打分"):
        fill_form(reviewer, text, Sheet({}, {}))
    assert list_forms(reviewer, text) == []


def test_a_refused_form_is_an_event(office) -> None:
    text, drafter = office.county("first_review"), office.people[Role.DRAFTER]
    with pytest.raises(NotAllowed):
        fill_form(drafter, text, sheet())
    office.installation.catch_up()
    found = read_log(administrator(office, Role.AUDIT_ADMINISTRATOR), limit=1000)
    refusal = next(item["event"] for item in found if item["event"]["act"] == "review_form.update")
    assert (refusal["out"], refusal["actor"]["sub"]) == ("denied", me(drafter))


@pytest.mark.tampers
def test_a_filled_form_is_never_changed_in_the_database(office) -> None:
    text = office.county("first_review")
    fill_form(office.people[Role.REVIEWER], text, sheet("0.5"))
    for statement in ("UPDATE review_form SET total = '100'", "DELETE FROM review_form"):
        with (
            pytest.raises(Exception, match="只能新增"),
            transaction(office.installation.engine) as work,
        ):
            work.connection.execute(sa.text(statement))
