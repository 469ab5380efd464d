from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from workflow_cases import SOURCE, STANDARD

from models.errors import InvalidInput
from workflow.definition import Definition, canonical, definition_hash
from workflow.guards import find_guards
from workflow.source import LONGEST, parse_definition

PLAIN: dict[str, Any] = yaml.safe_load(SOURCE)
LAUGHS = "a: &a [x, x]\n" + "\n".join(
    f"{n}: &{n} [*{m}, *{m}, *{m}]" for m, n in zip("abcdefgh", "bcdefghi", strict=True)
)


def source_of(value: dict[str, Any], *, ascii_only: bool = False) -> str:
    """JSON is YAML; members that are None are left out."""
    return json.dumps({key: member for key, member in value.items() if member is not None}, ensure_ascii=ascii_only)


def changed(*, ascii_only: bool = False, **members: Any) -> str:
    """The standard definition with members replaced, or removed where the value is None."""
    return source_of(PLAIN | members, ascii_only=ascii_only)


def with_transition(**members: Any) -> str:
    """The standard definition whose first transition has members replaced, or removed where the value is None."""
    first = {key: member for key, member in (PLAIN["transitions"][0] | members).items() if member is not None}
    return changed(transitions=[first, *PLAIN["transitions"][1:]])


def with_state(name: str, state: Any) -> str:
    return changed(states=PLAIN["states"] | {name: state})


def test_shipped_definition_holds_what_the_process_asks() -> None:
    assert (STANDARD.name, STANDARD.version, STANDARD.initial) == ("standard", 1, "draft")
    assert list(STANDARD.states) == [
        "draft",
        "submitted",
        "first_review",
        "second_review",
        "revision",
        "approved",
        "published",
    ]
    assert [name for name, state in STANDARD.states.items() if state.editable] == ["draft", "revision"]
    assert [name for name, state in STANDARD.states.items() if state.final] == ["published"]
    assert [item.action for item in STANDARD.transitions if item.approves] == ["approve"]
    assert {item.action for item in STANDARD.transitions if item.freeze} == {"submit"}
    find_guards(name for item in STANDARD.transitions for name in item.guards if name != "text_complete")


def test_canonical_form_is_a_fixed_point() -> None:
    body = canonical(STANDARD)
    again = parse_definition(body)
    assert again == STANDARD
    assert canonical(again) == body
    assert definition_hash(again) == definition_hash(STANDARD)
    assert parse_definition(body.decode()) == STANDARD


def test_layout_and_comments_do_not_change_the_hash() -> None:
    assert definition_hash(parse_definition("# 说明\n" + json.dumps(PLAIN, indent=3))) == definition_hash(STANDARD)


def test_every_member_changes_the_hash() -> None:
    others = [
        changed(version=2),
        changed(title="别的"),
        changed(separate=None),
        with_transition(guards=["text_complete"]),
        with_transition(reason="required"),
        with_transition(freeze=False),
        with_state("draft", {"title": "草案", "status": "草案", "document": "draft", "task": {"role": "drafter"}}),
    ]
    hashes = {definition_hash(parse_definition(other)) for other in others} | {definition_hash(STANDARD)}
    assert len(hashes) == len(others) + 1


titles = st.text(min_size=1, max_size=6)


@settings(max_examples=30, deadline=None)
@given(
    titles,
    st.integers(-1, 10**7),
    st.sampled_from(["3 days", "3 day", "3 working days", "0 days", "3  days", "3 days\n"]),
)
def test_definition_that_is_taken_reads_back_as_the_same(title: str, version: int, due: str) -> None:
    state = {"title": title, "status": title, "document": "draft", "task": {"role": "drafter", "due": due}}
    try:
        made = parse_definition(
            changed(ascii_only=True, title=title, version=version, states=PLAIN["states"] | {"draft": state})
        )
    except InvalidInput:
        return
    assert parse_definition(canonical(made)) == made
    assert made.title == title
    assert 1 <= made.version < 10**6


@pytest.mark.parametrize(
    "title", ["审批　流程", "a: b # c", "'\"\\", "- x", "😀", "null", "2026-01-01", "true", " x ", "<<", "="]
)
def test_unusual_titles_read_back_as_written(title: str) -> None:
    made = parse_definition(changed(title=title))
    assert made.title == title
    assert parse_definition(canonical(made)) == made


# What YAML holds in a line break or can't hold at all would make a stored definition unreadable.
@pytest.mark.parametrize(
    "title", ["", "a\x7fb", "a\u2028b", "a\u0085b", "a\nb", "a\tb", "\ufeffa", "a\u202eb", "x" * 201]
)
def test_titles_that_would_not_read_back_are_refused(title: str) -> None:
    with pytest.raises(InvalidInput):
        parse_definition(changed(title=title, ascii_only=True))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (with_transition(guards=["os.system"]), "transitions.0.guards.0"),
        (with_transition(guards=["application.guards._text_complete"]), "transitions.0.guards.0"),
        (with_transition(guards="text_complete"), "transitions.0.guards"),
        (with_transition(to="nowhere"), "没有定义的状态“nowhere”"),
        (with_transition(**{"from": "nowhere"}), "没有定义的状态“nowhere”"),
        (with_transition(**{"from": ["draft", "nowhere"]}), "没有定义的状态“nowhere”"),
        (with_transition(**{"from": "*"}), "transitions.0.from"),
        (with_transition(to="="), "transitions.0.to"),
        (with_transition(**{"from": []}), "transitions.0.from"),
        (with_transition(by="mayor"), "角色“mayor”没有定义"),
        (with_transition(task={"role": "mayor"}), "任务角色“mayor”没有定义"),
        (with_transition(task={"role": "drafter", "due": "soon"}), "期限“soon”"),
        (with_transition(action="Submit"), "transitions.0.action"),
        (with_transition(action="os.system"), "transitions.0.action"),
        (with_transition(**{"from": "revision"}), "“revision”上的动作“submit”定义了两次"),
        (with_transition(**{"as": "submiter"}), "身份“submiter”没有定义"),
        (with_transition(reason="maybe"), "transitions.0.reason"),
        (with_transition(freeze=[]), "transitions.0.freeze"),
        (with_transition(before="os.system"), "transitions.0.before"),
        (with_transition(conditions=["os.system"]), "transitions.0.conditions"),
        (with_transition(title=None), "transitions.0.title"),
        (with_transition(by=None), "transitions.0.by"),
        (with_transition(title={}), "transitions.0.title"),
        (changed(initial="nowhere"), "初始状态“nowhere”没有定义"),
        (changed(initial=None), "initial"),
        (changed(roles={}), "roles"),
        (changed(states={}), "没有定义的状态“draft”"),
        (changed(transitions=[]), "transitions"),
        (changed(transitions={}), "transitions"),
        (changed(roles={"drafter": {"title": "x", "of": "parliament"}}), "roles.drafter.of"),
        (changed(roles={"Drafter": {"title": "x", "of": "finance"}}), "roles.Drafter"),
        (changed(roles=[1]), "roles"),
        (changed(version=0), "version"),
        (changed(version="1.5"), "version"),
        (changed(version=10**30), "version"),
        (changed(version=True), "version"),
        (changed(version=float("nan")), "version"),
        (changed(version=float("inf")), "version"),
        (changed(version=[]), "version"),
        (changed(properties=["x"]), "properties"),
        (changed(name="standard.v2"), "name"),
        (changed(name="a" * 41), "name"),
        (changed(separate=[["aprover"]]), "separate 中的“aprover”没有定义"),
        (changed(separate=[["reviewer"], ["approver", "reviewer"]]), "separate 中的“reviewer”出现了两次"),
        (with_state("draft", {"title": "x", "status": "x", "document": "draft"}), "“draft”不是终点，却没有任务"),
        (with_state("draft", {"title": "x", "status": "x", "document": "draft", "task": {"role": "mayor"}}), "mayor"),
        (with_state("draft", {"title": "x", "document": "draft", "final": True}), "states.draft.status"),
        (with_state("draft", {"title": "x", "status": "x", "document": "d", "final": "perhaps"}), "states.draft.final"),
        (with_state("draft", []), "states.draft"),
        (with_state("draft.x", {"title": "x", "status": "x", "document": "draft", "final": True}), "draft.x"),
        (SOURCE.replace("  submitted: {", "  draft: {title: x}\n  submitted: {"), "“draft”写了两次"),
        (SOURCE + "\ntitle: 又一个\n", "“title”写了两次"),
        (SOURCE.replace("by: approver", "by: *x").replace("name: standard", "name: &x standard"), "别名"),
        (LAUGHS, "别名"),
        ("a: &a [*a]", "别名"),
        ("!!python/object/apply:os.system ['true']", "标签"),
        ("!!python/object:os.system {}", "标签"),
        ("!!python/name:os.system ''", "标签"),
        ("version: !!int x", "标签"),
        ("version: !!timestamp x", "标签"),
        ("version: !x 1", "标签"),
        ("a: 1\n--- \nb: 2", "YAML"),
        ("{a: 1", "YAML"),
        ("a: [1, 2}", "YAML"),
        ("? [a]\n: b", "YAML"),
        ("\ta: 1", "YAML"),
        ("", "应为对象"),
        ("~", "应为对象"),
        ("[]", "应为对象"),
        ("text", "应为对象"),
        (b"\xff\xfe\x00", "YAML"),
        (b"\xff", "YAML"),
        ("a: \ud800", "YAML"),
        ("[" * 5000, "嵌套"),
        ("{a: " * 3000, "嵌套"),
        ("version: " + "9" * 5000, "version"),
        ("version: 2026-13-45", "version"),
        ("#" * (LONGEST + 1), "太长"),
        ('{"__class__": "x"}', "__class__"),
    ],
    ids=range(79),
)
def test_what_is_no_definition_is_refused_with_its_reason(source: str | bytes, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_definition(source)
    message = caught.value.message
    assert words in message
    assert re.search(r"[\u4e00-\u9fff]", message)
    assert message.endswith("。")
    assert "\n" not in message


@pytest.mark.parametrize("name", ["submitter", "task_holder"])
def test_role_cannot_take_the_name_of_a_person(name: str) -> None:
    roles = PLAIN["roles"] | {name: {"title": "x", "of": "finance"}}
    with pytest.raises(InvalidInput, match=f"角色不能叫“{name}”"):
        parse_definition(changed(roles=roles))


def test_every_problem_is_listed() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_definition(with_transition(to="nowhere", by="mayor", **{"as": "nobody"}))
    for words in ("nowhere", "mayor", "nobody"):
        assert words in caught.value.message


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=60)
    | st.binary(max_size=60)
    | st.text("{}[]:,-?!&*|>%@`#'\"\\\n \tab1.~<=", max_size=40)
    | st.from_regex(r"[a-z]+: ![a-z!/:]{1,10} ?[a-z0-9]{0,3}", fullmatch=True)
)
def test_any_text_is_a_definition_or_invalid_input(source: str | bytes) -> None:
    try:
        definition = parse_definition(source)
    except InvalidInput:
        return
    assert parse_definition(canonical(definition)) == definition


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_damaged_definition_is_a_definition_or_invalid_input(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(SOURCE)))
    length = data.draw(st.integers(0, 20))
    damaged = SOURCE[:at] + data.draw(st.text("{}[]:,-?!&*'\"\n ax1", max_size=5)) + SOURCE[at + length :]
    try:
        made = parse_definition(damaged)
    except InvalidInput:
        return
    assert parse_definition(canonical(made)) == made


def test_definition_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        STANDARD.initial = "published"  # type: ignore[misc]


def test_lookups_by_action_and_state() -> None:
    found = STANDARD.transition("return", "first_review")
    assert found is not None
    assert found.target == "revision"
    assert STANDARD.transition("return", "draft") is None
    assert STANDARD.transition("nothing", "draft") is None
    assert [item.action for item in STANDARD.leaving("submitted")] == ["recall", "accept", "return"]
    assert STANDARD.leaving("published") == ()
    assert STANDARD.group("editor") == ("drafter", "editor", "submitter")
    assert STANDARD.group("publisher") is None
    assert isinstance(STANDARD, Definition)
