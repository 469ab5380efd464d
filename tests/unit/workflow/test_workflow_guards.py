from __future__ import annotations

from typing import Any

import pytest
from workflow_cases import STANDARD, TEXT, fake_work, named, situation, step, turn

from workflow.guards import find_guards
from workflow.situation import Objection, Reply, TextRow

SUBMIT = named("submit", "draft")
RETURN = named("return", "submitted")
RECALL = named("recall", "submitted")
SECOND_PASS = named("pass", "second_review")
PUBLISH = named("publish", "approved")


def reasons(name: str, text: TextRow, transition: Any, **given: Any) -> list[str]:
    return list(find_guards([name])[0].judge(situation(text, transition, **given)))


def test_every_open_opinion_is_asked_for_by_its_number_and_place() -> None:
    work = fake_work(("o-1", "/projects/p1/code", "编码不对"), ("o-2", "", "目标不清"))
    found = reasons("opinions_answered", TEXT, SUBMIT, work=work)
    assert len(found) == 2
    assert "o-1（/projects/p1/code：编码不对）" in found[0]
    assert "o-2（全文：目标不清）" in found[1]


def test_answers_that_come_with_the_submission_count() -> None:
    work = fake_work(("o-1", "/a", "x"), ("o-2", "/b", "y"))
    assert len(reasons("opinions_answered", TEXT, SUBMIT, work=work, replies={"o-1": Reply("接受")})) == 1
    both = {"o-1": Reply("接受"), "o-2": Reply("说明", "理由")}
    assert reasons("opinions_answered", TEXT, SUBMIT, work=work, replies=both) == []
    assert reasons("opinions_answered", TEXT, SUBMIT, work=fake_work()) == []


def test_return_names_its_places() -> None:
    assert reasons("places_named", TEXT, RETURN, objections=())
    assert reasons("places_named", TEXT, RETURN, objections=(Objection("/a", "必改", "x"),)) == []


@pytest.mark.parametrize(
    ("last", "turns", "refused"),
    [
        (step("submit", "somebody"), (turn("reviewer"),), []),
        (None, (), ["还没有可以撤回的步骤"]),
        (step("submit", "other"), (), ["最后一步不是您办理的，只有办理的人可以撤回"]),
        (step("submit", "somebody", row_version=0), (), ["下一环节已经处理，不能撤回"]),
        (step("recall", "somebody", undoes=1), (), ["上一步本身就是撤回，不能再撤回"]),
        (step("submit", "somebody"), (turn("reviewer", owner_id="x"),), ["下一环节已经处理，不能撤回"]),
    ],
)
def test_a_step_is_taken_back_only_by_its_person_and_before_the_next_has_acted(
    last: Any, turns: Any, refused: list[str]
) -> None:
    assert reasons("nobody_acted_since", TEXT, RECALL, work=fake_work(last=last), turns=turns) == refused


@pytest.mark.parametrize(("holder", "words"), [("second_reviewer", None), ("approver", "审批"), (None, "别人")])
def test_task_must_lie_with_the_role_that_acts(holder: str | None, words: str | None) -> None:
    found = reasons("holds_task", TEXT, SECOND_PASS, task_role=holder)
    assert (found == []) if words is None else (words in found[0])


@pytest.mark.parametrize(("submitted", "refused"), [("h1", False), ("h0", True), (None, True)])
def test_review_is_for_the_content_that_was_submitted(submitted: str | None, refused: bool) -> None:
    text = TEXT._replace(submitted_hash=submitted)
    assert bool(reasons("content_unchanged", text, SECOND_PASS)) is refused


@pytest.mark.parametrize(("approved", "refused"), [("h1", False), ("h0", True), (None, True)])
def test_publication_is_of_the_content_that_was_approved(approved: str | None, refused: bool) -> None:
    text = TEXT._replace(approved_hash=approved)
    assert bool(reasons("approved_content_unchanged", text, PUBLISH)) is refused


def test_decisions_on_content_ask_for_the_content() -> None:
    for item in STANDARD.transitions:
        if item.action in ("pass", "approve"):
            assert "content_unchanged" in item.guards
        if item.publishes:
            assert "approved_content_unchanged" in item.guards
        if item.freeze:
            assert {"text_complete", "opinions_answered"} <= set(item.guards)
