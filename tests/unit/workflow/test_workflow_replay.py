"""The fold of events: what it keeps, and what it calls wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from importlib.resources import files
from typing import Any

import pytest
from workflow_cases import STANDARD

from application.replaying import differences
from workflow.definition import Definition
from workflow.replay import TextFold
from workflow.source import parse_definition

PIN = "standard@1:aa"


def event(act: str, source: str | None = None, target: str = "", **more: Any) -> dict[str, Any]:
    """An event with as little as the fold looks at."""
    wf = {"to": target, "round": more.pop("round", 1), "definition": PIN, "tasks": more.pop("tasks", [])}
    if source is not None:
        wf |= {"from": source, "step": more.pop("step", 1)}
    actor = {"sub": more.pop("sub", "head"), "role": more.pop("role", "department_head")}
    if "behalf" in more:
        actor["on_behalf_of"] = more.pop("behalf")
    return {"act": act, "out": "success", "actor": actor, "after": more.pop("after", "h1"), "wf": wf, "chg": [], **more}


COUNTY = parse_definition(files("workflow").joinpath("definitions/county.yaml").read_text("utf-8"))


def apply(fold: TextFold, *events: dict[str, Any], definition: Definition = STANDARD) -> list[str]:
    return [said for each in events for said in fold.apply(each, each["chg"], {PIN: definition}.get)]


IMPORT = event(
    "text.import",
    target="draft",
    sub="drafter",
    role="drafter",
    tasks=[{"role": "drafter"}],
    chg=[{"p": "/organization", "n": "dep"}, {"p": "/reviewing", "n": "fin"}],
)
SUBMIT = event("workflow.submit", "draft", "submitted", tasks=[{"role": "reviewer"}])
ACCEPT = event(
    "workflow.accept", "submitted", "first_review", step=2, sub="rev", role="reviewer", tasks=[{"role": "reviewer"}]
)


def begun(*events: dict[str, Any]) -> TextFold:
    fold = TextFold()
    assert apply(fold, IMPORT, *events) == []
    return fold


def test_the_straight_way_is_right_and_ends_where_the_events_say() -> None:
    fold = begun(SUBMIT, ACCEPT)
    assert (fold.state, fold.round, fold.step, fold.path) == ("first_review", 1, 2, ("submitted",))
    assert fold.submitted_hash == fold.current_hash == "h1"
    assert fold.tasks == [{"role": "reviewer"}]
    assert (fold.organization_id, fold.reviewing_id) == ("dep", "fin")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (event("workflow.approve", "draft", "approved", sub="app", role="approver"), "按流程定义"),
        (event("workflow.submit", "draft", "first_review"), "按流程定义"),
        (event("workflow.submit", "draft", "submitted", round=2), "按流程定义"),
        (event("workflow.submit", "revision", "submitted"), "而文本当时在"),
        (event("workflow.submit", "draft", "submitted", role="drafter"), "由“department_head”执行"),
        (event("workflow.submit", "draft", "submitted", step=7), "这是第 7 步"),
        (event("workflow.submit", "draft", "submitted", after="h9"), "不是当时的内容"),
        (event("text.import", target="draft", sub="drafter", role="drafter"), "导入了两次"),
    ],
)
def test_what_no_engine_would_have_written_is_said(wrong: dict[str, Any], said: str) -> None:
    fold = begun()
    found = apply(fold, wrong)
    assert any(said in sentence for sentence in found), found


def test_one_person_in_two_groups_is_said_whoever_they_stood_in_for() -> None:
    by_author = {**ACCEPT, "actor": {"sub": "head", "role": "reviewer"}}
    assert any("不相容" in said for said in apply(begun(SUBMIT), by_author))
    on_behalf = {**ACCEPT, "actor": {"sub": "rev", "role": "reviewer", "on_behalf_of": "head"}}
    assert any("不相容" in said for said in apply(begun(SUBMIT), on_behalf))


def test_an_edit_voids_what_was_submitted_and_a_refusal_changes_nothing() -> None:
    fold = begun(SUBMIT)
    refused = {**ACCEPT, "out": "denied"}
    assert apply(fold, refused) == []
    assert fold.state == "submitted"
    edit = event("text.field.update", after="h2", sub="drafter", role="drafter")
    assert apply(fold, edit) == []
    assert (fold.current_version, fold.current_hash, fold.submitted_hash) == (2, "h2", None)


def test_only_the_last_step_can_have_been_taken_back() -> None:
    recall = event("workflow.recall", "submitted", "draft", step=2, role="submitter")
    undone = {**recall, "chg": [{"p": "/undoes", "n": {"step": 1, "action": "submit", "event": "e"}}]}
    fold = TextFold()
    assert apply(fold, IMPORT, SUBMIT, undone, definition=COUNTY) == []
    assert (fold.state, fold.submitted_hash, fold.step) == ("draft", None, 2)
    again = {**undone, "wf": {**undone["wf"], "step": 3}}
    resubmitted = {**SUBMIT, "wf": {**SUBMIT["wf"], "step": 3}}
    assert apply(fold, resubmitted, definition=COUNTY) == []
    assert any("不是可以撤回的最后一步" in said for said in apply(fold, again, definition=COUNTY))


def test_opinions_and_answers_come_and_go() -> None:
    fold = begun(SUBMIT)
    given = {**ACCEPT, "chg": [{"p": "/opinions/p1", "n": "建议：短些"}, {"p": "/answers/o1", "n": "接受："}]}
    apply(fold, given)
    assert (fold.opinions, fold.answers) == (Counter({("/p1", "建议：短些"): 1}), Counter({("o1", "接受："): 1}))
    taken = {**ACCEPT, "act": "task.claim", "chg": [{"p": "/opinions/p1", "o": "建议：短些"}]}
    apply(fold, taken)
    assert +fold.opinions == Counter()


def test_every_difference_has_a_name() -> None:
    fold = begun(SUBMIT)
    live: dict[str, Any] = {item.name: getattr(fold, item.name) for item in fields(TextFold)}
    live |= {"current_version": fold.current_version, "taken_part": fold.taken_part}
    assert list(differences(fold, live)) == []
    compared = [name for name in live if name not in ("parts", "before", "untold")]
    for name in compared:
        other = Counter({("x", "y"): 1}) if isinstance(live[name], Counter) else "else"
        assert len(list(differences(fold, {**live, name: other}))) == 1, name
