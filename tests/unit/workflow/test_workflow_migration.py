"""What a migration to another definition would do to a text, and why not: pure, one text at a time."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from workflow_cases import DEPARTMENT, FINANCE, NOW, STANDARD, TEXT

from models.errors import InvalidInput
from workflow.definition import Definition
from workflow.migration import Case, Migration, Plan, plan
from workflow.situation import Part, TextRow, Turn
from workflow.source import parse_definition

COUNTY: Definition = parse_definition(files("workflow").joinpath("definitions/county.yaml").read_text("utf-8"))
SIMPLE: Definition = parse_definition(files("workflow").joinpath("definitions/simple.yaml").read_text("utf-8"))
SUBMITTED = TEXT._replace(state="submitted", submitted_hash="h1", row_version=2, step=1, visit=1)
APPROVED = SUBMITTED._replace(state="approved", approved_version=1, approved_hash="h1", path="submitted first_review")


def changed(definition: Definition, **members: Any) -> Definition:
    """The next version of a definition with other members."""
    value = definition.model_dump(mode="json", by_alias=True, exclude_none=True)
    return parse_definition(yaml.safe_dump({**value, "version": definition.version + 1, **members}))


def renamed(definition: Definition, old: str, new: str) -> Definition:
    """The next version of a definition in which a state has another name."""
    value = definition.model_dump(mode="json", by_alias=True, exclude_none=True)
    value["states"] = {new if name == old else name: state for name, state in value["states"].items()}
    for item in value["transitions"]:
        item["from"] = [new if name == old else name for name in item["from"]]
        item["to"] = new if item["to"] == old else item["to"]
    for item in value["properties"]:
        item.update({key: new if state == old else state for key, state in item.items()})
    return parse_definition(yaml.safe_dump({**value, "version": definition.version + 1}))


def turn(role: str, seat: str = "", **members: Any) -> Turn:
    home = DEPARTMENT if COUNTY.side(role) == "department" else FINANCE
    return Turn(f"task-{role}", seat, role, home, None, None, NOW, "2026-03-01")._replace(**members)


def planned(
    old: Definition, new: Definition, text: TextRow, mapping: dict[str, str] | None = None, **case: Any
) -> Plan:
    case.setdefault("done", frozenset({"submit"} if text.submitted_hash else ()))
    return plan(Migration(old, "a", new, "b", "d2", mapping or {}), Case(text, **case))


def test_a_state_of_the_same_name_is_kept_with_its_task() -> None:
    held = turn("reviewer", assignee_id="zhang")
    found = planned(STANDARD, COUNTY, SUBMITTED, turns=(held,), done=frozenset({"submit"}))
    assert (found.target, found.obstacles, found.notes) == ("submitted", (), ())
    assert found.kept == {"": held}


def test_a_state_that_is_gone_is_an_obstacle_until_it_is_mapped() -> None:
    new = renamed(COUNTY, "issuing", "signing")
    text = SUBMITTED._replace(state="issuing", path="submitted first_review second_review")
    done = frozenset({"submit", "accept", "pass"})
    assert "没有状态“issuing”" in planned(COUNTY, new, text, done=done).obstacles[0]
    found = planned(COUNTY, new, text, {"issuing": "signing"}, turns=(turn("approver"),), done=done)
    assert (found.target, found.obstacles) == ("signing", ())
    assert found.path == ("submitted", "first_review", "second_review")


def test_the_state_itself_cannot_be_dropped() -> None:
    assert planned(STANDARD, COUNTY, SUBMITTED, {"submitted": "-"}).obstacles


def test_a_desk_on_the_way_that_is_gone_must_be_mapped_or_dropped() -> None:
    new = renamed(COUNTY, "first_review", "review")
    text = SUBMITTED._replace(state="issuing", path="submitted first_review second_review")
    done = frozenset({"submit", "accept", "pass"})
    assert [item for item in planned(COUNTY, new, text, done=done).obstacles if "first_review" in item]
    assert planned(COUNTY, new, text, {"first_review": "review"}, done=done).path == (
        "submitted",
        "review",
        "second_review",
    )
    dropped = planned(COUNTY, new, text, {"first_review": "-"}, done=done)
    assert (dropped.path, dropped.obstacles) == (("submitted", "second_review"), ())
    assert any("first_review" in note for note in dropped.notes)


def test_two_desks_that_become_one_stand_once_on_the_way() -> None:
    text = SUBMITTED._replace(state="issuing", path="submitted first_review second_review")
    merged = planned(COUNTY, changed(COUNTY), text, {"second_review": "first_review"})
    assert merged.path == ("submitted", "first_review")
    back = planned(COUNTY, changed(COUNTY), text, {"issuing": "first_review"})
    assert back.path == ("submitted",)


def test_a_published_text_comes_along_whatever_became_of_its_way() -> None:
    text = APPROVED._replace(state="published", published_version=1, path="submitted first_review second_review")
    done = frozenset({"submit", "accept", "pass", "approve", "issue", "publish"})
    found = planned(COUNTY, renamed(COUNTY, "first_review", "review"), text, done=done)
    assert (found.target, found.obstacles, found.seats) == ("published", (), ())
    assert found.path == ("submitted", "second_review")


@pytest.mark.parametrize(("state", "to"), [("submitted", "published"), ("published", "approved")])
def test_the_end_becomes_the_end_and_nothing_else_does(state: str, to: str) -> None:
    found = planned(COUNTY, changed(COUNTY), APPROVED._replace(state=state), {state: to})
    assert any("终点" in item for item in found.obstacles)


@pytest.mark.parametrize("state", ["submitted", "first_review", "draft"])
@pytest.mark.parametrize("to", ["issued", "approved"])
def test_no_mapping_makes_an_approval(state: str, to: str) -> None:
    text = SUBMITTED._replace(state=state)
    assert any("批复" in item for item in planned(COUNTY, changed(COUNTY), text, {state: to}).obstacles)
    stale = APPROVED._replace(current_hash="h2", submitted_hash="h2", state=state)
    assert any("批复" in item for item in planned(COUNTY, changed(COUNTY), stale, {state: to}).obstacles)


def test_a_new_version_under_which_the_review_came_first_takes_no_text_without_it() -> None:
    text = SUBMITTED._replace(state="submitted")
    found = planned(COUNTY, changed(COUNTY), text, {"submitted": "issuing"}, done=frozenset({"submit"}))
    # That `pass` precedes `approve` is declared, and every way to `issuing` has it.
    assert any("（pass）" in item for item in found.obstacles)
    done = frozenset({"submit", "accept", "pass"})
    assert planned(COUNTY, changed(COUNTY), text, {"submitted": "issuing"}, done=done).obstacles == ()


def test_what_was_not_submitted_does_not_come_before_the_bureau() -> None:
    draft = TEXT._replace(state="draft")
    found = planned(COUNTY, changed(COUNTY), draft, {"draft": "submitted"})
    assert any("还没有报送" in item for item in found.obstacles)
    returned = SUBMITTED._replace(state="revision")
    assert (
        planned(COUNTY, changed(COUNTY), returned, {"revision": "submitted"}, done=frozenset({"submit"})).obstacles
        == ()
    )


def test_back_with_its_author_the_text_begins_its_way_anew() -> None:
    text = SUBMITTED._replace(state="first_review", path="submitted")
    found = planned(COUNTY, changed(COUNTY), text, {"first_review": "revision"}, turns=(turn("reviewer", "reviewer"),))
    assert (found.path, found.obstacles) == ((), ())
    assert found.seats[0].role == "drafter"
    assert found.kept == {}


def test_who_has_done_two_things_that_the_new_version_keeps_apart_is_an_obstacle() -> None:
    joined = changed(COUNTY, separate=[["drafter", "editor", "submitter"], ["approver"]], properties=[])
    parts = (Part("li", "reviewer", 1), Part("li", "second_reviewer", 1), Part("wang", "approver", 1))
    found = planned(joined, changed(COUNTY), SUBMITTED, parts=parts, done=frozenset({"submit"}))
    assert [item for item in found.obstacles if "li" in item]
    assert not [item for item in found.obstacles if "wang" in item]
    assert planned(joined, changed(COUNTY), SUBMITTED, parts=parts[1:], done=frozenset({"submit"})).obstacles == ()


def test_what_the_new_version_no_longer_keeps_apart_is_said() -> None:
    parts = (Part("li", "second_reviewer", 1), Part("zhao", "submitter", 1))
    found = planned(COUNTY, SIMPLE, SUBMITTED, parts=parts)
    assert [note for note in found.notes if "绩效股复审" in note]
    assert not [note for note in found.notes if "报送" in note]


def test_a_task_of_a_role_that_is_gone_is_an_obstacle() -> None:
    found = planned(COUNTY, SIMPLE, SUBMITTED, turns=(turn("reviewer"),))
    assert any("岗位“初审”" in item for item in found.obstacles)


def test_votes_are_void_and_every_seat_is_asked_again() -> None:
    text = SUBMITTED._replace(state="second_review", path="submitted first_review")
    left = turn("second_reviewer", "second_reviewer", assignee_id="fu")
    done = frozenset({"submit", "accept", "pass"})
    found = planned(COUNTY, changed(COUNTY), text, turns=(left,), votes=1, done=done)
    assert [seat.key for seat in found.seats] == ["second_reviewer", "budget_reviewer"]
    assert found.kept == {"second_reviewer": left}
    assert any("1 票作废" in note for note in found.notes)


def test_a_task_without_a_seat_becomes_the_first_seat_of_its_role() -> None:
    text = SUBMITTED._replace(state="second_review", path="submitted first_review")
    held = turn("second_reviewer", assignee_id="fu")
    found = planned(STANDARD, COUNTY, text, turns=(held,), done=frozenset({"submit", "accept", "pass"}))
    assert found.kept == {"second_reviewer": held}
    again = planned(COUNTY, STANDARD, text, turns=(held._replace(seat="second_reviewer"),))
    assert again.kept == {"": held._replace(seat="second_reviewer")}


def test_added_seats_end_with_their_sign_off() -> None:
    text = SUBMITTED._replace(state="first_review", path="submitted")
    added = turn("reviewer", "+1", assignee_id="qian")
    found = planned(COUNTY, changed(COUNTY), text, turns=(added,), done=frozenset({"submit", "accept"}))
    assert found.kept == {}
    assert any("加签" in note for note in found.notes)


def test_the_turn_that_a_transition_gave_within_a_state_goes_on() -> None:
    text = SUBMITTED._replace(state="second_review", path="submitted first_review")
    held = turn("approver")
    found = planned(STANDARD, changed(STANDARD), text, turns=(held,), done=frozenset({"submit", "accept", "pass"}))
    assert (found.kept, [seat.role for seat in found.seats]) == ({"": held}, ["approver"])
    assert found.rule is not None
    assert found.rule.role == "approver"
    anew = planned(STANDARD, COUNTY, text, turns=(held,), done=frozenset({"submit", "accept", "pass"}))
    assert anew.rule is None
    assert any("“审批”的任务作废" in note for note in anew.notes)


def returned(*way: str, seat: str = "second_reviewer") -> TextRow:
    back = {"way": list(way), "account": "fu", "seat": seat, "left": 2}
    return SUBMITTED._replace(state="revision", resume=orjson.dumps(back).decode())


def test_where_a_text_comes_straight_back_to_is_mapped_with_its_way() -> None:
    new = renamed(COUNTY, "second_review", "joint_review")
    text = returned("submitted", "first_review", "second_review")
    assert any("second_review" in item for item in planned(COUNTY, new, text).obstacles)
    found = planned(COUNTY, new, text, {"second_review": "joint_review"})
    assert orjson.loads(found.resume) == {
        "way": ["submitted", "first_review", "joint_review"],
        "account": "fu",
        "seat": "second_reviewer",
        "left": 2,
    }
    assert found.obstacles == ()


@pytest.mark.parametrize(
    ("new", "mapping"),
    [(COUNTY, {"second_review": "-"}), (COUNTY, {"second_review": "draft"}), (STANDARD, {})],
    ids=["dropped", "with the author", "no coming straight back"],
)
def test_without_a_place_to_come_back_to_the_text_goes_the_whole_way(new: Definition, mapping: dict[str, str]) -> None:
    found = planned(changed(COUNTY), new, returned("submitted", "first_review", "second_review"), mapping)
    assert (found.resume, found.obstacles) == ("", ())
    assert any("重走流程" in note for note in found.notes)


def test_a_seat_that_the_new_sign_off_lacks_is_not_waited_for() -> None:
    value = COUNTY.model_dump(mode="json", by_alias=True, exclude_none=True)
    value["states"]["second_review"]["sign"]["seats"] = ["budget_reviewer"]
    new = parse_definition(yaml.safe_dump({**value, "version": 2}))
    found = planned(COUNTY, new, returned("submitted", "first_review", "second_review"))
    assert orjson.loads(found.resume)["seat"] == ""


def test_another_kind_of_text_is_an_obstacle_and_no_migration() -> None:
    other = changed(COUNTY, kind="evaluation")
    assert "类别" in planned(COUNTY, other, SUBMITTED).obstacles[0]
    with pytest.raises(InvalidInput, match="文本类别不同"):
        Migration(COUNTY, "a", other, "b", "d2").check()


@pytest.mark.parametrize(
    ("mapping", "named"),
    [({"nowhere": "draft"}, "county@1”没有状态 nowhere"), ({"draft": "nowhere"}, "county@2”没有状态 nowhere")],
)
def test_a_mapping_of_states_that_do_not_exist_is_refused(mapping: dict[str, str], named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        Migration(COUNTY, "a", changed(COUNTY), "b", "d2", mapping).check()
    Migration(COUNTY, "a", changed(COUNTY), "b", "d2", {"draft": "-"}).check()


def test_after_an_adjustment_began_nothing_that_was_done_before_is_asked_for() -> None:
    begun = TEXT._replace(state="adjustment", round=2, published_version=1, current_hash="h2")
    assert planned(COUNTY, changed(COUNTY), begun, done=frozenset()).obstacles == ()
    submitted = begun._replace(state="submitted", submitted_hash="h2")
    assert planned(COUNTY, changed(COUNTY), submitted, done=frozenset({"submit"})).obstacles == ()


def test_a_task_that_is_now_held_on_the_other_side_begins_anew() -> None:
    roles = COUNTY.model_dump(mode="json", exclude_none=True)["roles"]
    new = changed(COUNTY, roles={**roles, "reviewer": {**roles["reviewer"], "of": "department"}})
    found = planned(COUNTY, new, SUBMITTED, turns=(turn("reviewer", assignee_id="zhang"),))
    assert found.kept == {}
    assert found.notes == ("“初审”的任务作废", "新开“初审”的任务")


STATES = st.sampled_from(sorted(COUNTY.states))
NAMES = st.sampled_from(sorted({*COUNTY.states, *STANDARD.states, "-"}))


@given(
    state=STATES,
    path=st.lists(STATES, unique=True, max_size=5),
    mapping=st.dictionaries(STATES, NAMES, max_size=5),
    new=st.sampled_from([STANDARD, SIMPLE, changed(COUNTY)]),
    approved=st.booleans(),
    votes=st.integers(0, 2),
)
def test_a_plan_without_obstacles_fits_the_new_definition(
    state: str, path: list[str], mapping: dict[str, str], new: Definition, approved: bool, votes: int
) -> None:
    text = SUBMITTED._replace(state=state, path=" ".join(path), approved_hash="h1" if approved else None)
    found = planned(COUNTY, new, text, mapping, turns=(turn("approver"),), votes=votes, done=frozenset({"submit"}))
    if found.obstacles:
        return
    target = new.states[found.target]
    assert target.final == COUNTY.states[state].final
    assert all(name in new.states and not new.states[name].editable for name in found.path)
    assert len(set(found.path)) == len(found.path)
    assert found.target not in found.path
    assert bool(found.seats) != target.final
    assert all(seat.role in new.roles for seat in found.seats)
    if found.target in ("approved", "published", "issued"):
        assert approved
