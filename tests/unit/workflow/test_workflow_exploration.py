"""The explored state space is exactly what people can bring about, as a plain acting out with a log shows."""

from __future__ import annotations

import time
from importlib.resources import files

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naive_workflow import Command, Office, Text, act_out, by_round
from random_definitions import definitions

from workflow.contents import any_contents, contents_of
from workflow.definition import AlwaysBefore, Definition
from workflow.duties import PERSON, _Node, _Search, joined
from workflow.exploration import Space, explore, told
from workflow.possibilities import Config, Kind
from workflow.source import parse_definition

Seen = tuple[str, tuple[str, ...], tuple[str, ...], str, int, bool, bool, frozenset[str]]

patient = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def shipped(name: str) -> Definition:
    return parse_definition(files("workflow").joinpath(f"definitions/{name}.yaml").read_text("utf-8"))


def watched(definition: Definition) -> set[str]:
    return {item.always_before[0] for item in definition.properties if isinstance(item, AlwaysBefore)}


def of_config(config: Config) -> Seen:
    agreed = sum(vote is not None for vote in config.votes)
    return (
        config.state, config.path, config.resume, config.role, agreed, config.submitted, config.approved, config.happened,
    )  # fmt: skip


def of_text(definition: Definition, text: Text) -> Seen:
    state = definition.states[text.state]
    role = "" if state.task and text.task == state.task.role else text.task or ""
    happened = frozenset(text.done()) & watched(definition)
    return (
        text.state, text.path, text.resume, role, len(text.votes), text.frozen, text.approved, happened,
    )  # fmt: skip


def acted_out(definition: Definition, depth: int) -> dict[Seen, int]:
    """What people can bring about in so many steps, with the least number of steps; people are told apart only as they must."""
    office = Office(definition, by_round)
    begun = office.begin()
    seen = {of_text(definition, begun): 0}
    level, known = [begun], {_likeness(begun)}
    for number in range(1, depth + 1):
        following = []
        for text in level:
            last = text.log[-1].person if text.log else "p0"
            submitters = [person for person, capacity, _ in text.parts if capacity == "submitter"]
            people = tuple(dict.fromkeys((f"p{number}", last, *submitters)))
            choices = [after for _, after in office.after(text, people)]
            # Somebody else looks into it: from then on it is too late to take the last step back.
            choices.append(office.perform(text, Command("lapse", "")))
            for after in choices:
                seen.setdefault(of_text(definition, after), number)
                if _likeness(after) not in known:
                    known.add(_likeness(after))
                    following.append(after)
        level = following
    return seen


def _likeness(text: Text) -> object:
    """What makes a difference to what may follow; people by the order in which they came, their parts as sets."""
    last = text.log[-1] if text.log else None
    names = {person: number for number, person in enumerate(text.people)}
    return (
        *(text.state, text.path, text.resume, text.task, text.votes and tuple(vote[::2] for vote in text.votes)),
        *(text.round, text.frozen, text.approved, text.touched, tuple(text.done()), bool(last and last.undoes)),
        last
        and (names[last.person], frozenset(text.capacities(last.person)), _likeness(last.before) if last else None),
        frozenset(
            person for person, capacity, number in text.parts if capacity == "submitter" and number == text.round
        ),
    )


def steps_to(space: Space, config: Config) -> int:
    return sum(step.action != "lapse" for step in space.path_to(config))


@given(definitions(desks=2))
@patient
def test_people_bring_about_only_what_was_explored(definition: Definition) -> None:
    explored = {of_config(config) for config in explore(definition).edges}
    for seen in acted_out(definition, 5):
        assert seen in explored


@given(definitions(desks=3, undo=False))
@patient
def test_what_was_explored_people_bring_about_in_as_many_steps(definition: Definition) -> None:
    space = explore(definition)
    acted = acted_out(definition, 5)
    nearest: dict[Seen, int] = {}
    for config in space.edges:
        nearest[of_config(config)] = min(steps_to(space, config), nearest.get(of_config(config), 99))
    for seen, distance in nearest.items():
        if distance <= 5:
            assert acted.get(seen) == distance


@given(definitions(desks=3), st.data())
@patient
def test_the_way_to_a_configuration_can_be_acted_out(definition: Definition, data: st.DataObject) -> None:
    space = explore(definition)
    config = data.draw(st.sampled_from(list(space.edges)))
    text = act_out(definition, space.path_to(config), holds=by_round)
    assert of_text(definition, text) == of_config(config)
    assert (not text.touched and bool(text.log)) or not config.last


@given(
    definitions(desks=2),
    st.sampled_from(
        [("clerk", "second", "chief"), ("drafter", "submitter", "clerk"), ("editor", "submitter", "chief")]
    ),
)
@patient
def test_one_person_comes_to_two_capacities_exactly_when_acting_out_shows_it(
    definition: Definition, capacities: tuple[str, ...]
) -> None:
    found = joined(explore(definition), capacities)
    shown = _acted_jointly(definition, capacities, 4)
    if shown is not None:
        assert found is not None
        assert _length(found[1]) <= shown
    if found is not None and _length(found[1]) <= 4:
        assert shown == _length(found[1])
    if found is not None:
        text = act_out(definition, found[1], holds=by_round)
        assert text.capacities(PERSON) >= set(found[0])


def _length(steps: tuple[object, ...]) -> int:
    return sum(getattr(step, "action", "") not in ("import", "lapse") for step in steps)


def _acted_jointly(definition: Definition, capacities: tuple[str, ...], depth: int) -> int | None:
    """The least number of steps after which one person has two of the capacities; everybody else comes new if they can."""
    office = Office(definition, by_round)
    level = [office.begin(PERSON), office.begin("p0")]
    known = set()
    for number in range(depth + 1):
        following = []
        for text in level:
            if len(text.capacities(PERSON) & {*capacities}) > 1:
                return number
            key = (_likeness(text), frozenset(text.capacities(PERSON)), _role_of_person(text))
            if key in known:
                continue
            known.add(key)
            others = tuple(person for person in text.people if person != PERSON)
            following += [after for _, after in office.after(text, (PERSON, f"p{number + 1}", *others))]
            following.append(office.perform(text, Command("lapse", "")))
        level = following
    return None


def _role_of_person(text: Text) -> object:
    return (
        bool(text.log) and text.log[-1].person == PERSON,
        [vote[0] for vote in text.votes if vote[1] == PERSON],
        bool(text.log) and [vote[0] for vote in text.log[-1].before.votes if vote[1] == PERSON],
        {
            person == PERSON
            for person, capacity, number in text.parts
            if capacity == "submitter" and number == text.round
        },
    ).__repr__()


@pytest.mark.parametrize(("name", "most"), [("simple", 10), ("standard", 50), ("county", 200)])
def test_a_shipped_definition_has_few_configurations(name: str, most: int) -> None:
    space = explore(shipped(name))
    assert space.complete
    assert 5 < len(space.edges) <= most


def test_the_county_definition_is_explored_within_a_second() -> None:
    began = time.process_time()
    explore(shipped("county"))
    assert time.process_time() - began < 1


def test_the_way_reads_as_a_story() -> None:
    space = explore(shipped("county"))
    goal = next(config for config in space.edges if config.state == "issuing")
    assert told(space.path_to(goal)) == (
        "报送（部门负责人） → 受理（初审） → 同意，初审通过（初审） → 同意（绩效股复审） → 同意，复审通过（预算股复审）"
    )
    assert space.path_to(goal)[3].to_json() == {
        "action": "sign",
        "title": "同意",
        "who": "绩效股复审",
        "capacity": "second_reviewer",
        "from": "second_review",
        "target": "second_review",
        "choice": "agree",
    }


def test_ways_are_shortest() -> None:
    space = explore(shipped("county"))
    lengths = [len(space.path_to(config)) for config in space.edges]
    assert lengths == sorted(lengths)
    for config, edges in space.edges.items():
        for edge in edges:
            assert len(space.path_to(edge.target)) <= len(space.path_to(config)) + 1


def test_a_return_tells_where_to_and_how_it_goes_on() -> None:
    space = explore(shipped("county"))
    stories = {str(step) for config, edge in space.all_edges() for step in space.describe(config, edge)}
    assert "退回前面环节（局领导，初审，直送退回人）" in stories
    assert "退回修改（初审，重走流程）" in stories
    assert "不同意，复审未通过（预算股复审）" in stories


def test_the_exploration_stops_at_its_limit() -> None:
    space = explore(shipped("county"), limit=20)
    assert not space.complete
    assert len(space.edges) <= 20


def test_seats_of_one_role_are_alike() -> None:
    definition = signed({"rule": "all", "seats": ["clerk", "clerk", "clerk"], "passed": "pass"})
    votes = [config.votes for config in explore(definition).edges if config.state == "desk"]
    assert votes == [(None, None, None), (True, None, None), (True, True, None)]


def test_who_is_heard_in_turn_votes_in_turn() -> None:
    definition = signed({"rule": "sequential", "seats": ["clerk", "chief"], "passed": "pass", "failed": "fail"})
    voters = [
        (edge.capacity, edge.agrees, edge.target.state)
        for config, edge in explore(definition).all_edges()
        if config.state == "desk"
    ]
    assert voters == [
        ("clerk", True, "desk"),
        ("clerk", False, "end"),
        ("chief", True, "end"),
        ("chief", False, "end"),
    ]


def test_an_edit_voids_what_was_submitted_and_approved() -> None:
    space = explore(shipped("county"))
    edits = [(config, edge) for config, edge in space.all_edges() if edge.kind is Kind.EDIT]
    assert any(config.submitted and config.approved for config, _ in edits)
    for _, edge in edits:
        assert not edge.target.submitted
        assert not edge.target.approved


def test_votes_in_any_order_are_one_configuration() -> None:
    sign = {
        "rule": "quorum",
        "quorum": 2,
        "seats": ["clerk"] * 4,
        "passed": "pass",
        "failed": "fail",
        "early_stop": False,
    }
    votes = {config.votes for config in explore(signed(sign)).edges if config.state == "desk"}
    assert len(votes) == 10  # by how many agreed and how many did not, of at most three
    assert all(list(it) == sorted(it, key=[True, False, None].index) for it in votes)


def test_a_task_that_was_handed_on_is_no_longer_its_own_role_s() -> None:
    space = explore(shipped("standard"))
    passes = {
        (config.role, edge.target.role)
        for config, edge in space.all_edges()
        if config.state == "second_review" and edge.kind is Kind.MOVE and edge.target.state == "second_review"
    }
    assert passes == {("", "approver")}


LATE: dict[str, object] = {
    "action": "late", "title": "作废", "from": ["draft", "desk"], "to": "end", "by": "submitter",
}  # fmt: skip
SUBMIT: dict[str, object] = {
    "action": "submit", "title": "报送", "from": "draft", "to": "desk", "by": "drafter", "as": "submitter", "freeze": True,
}  # fmt: skip
PASS: dict[str, object] = {"action": "pass", "title": "通过", "from": "desk", "to": "end", "by": "sign_off"}
BACK: dict[str, object] = {"action": "back", "title": "退回", "from": "desk", "to": "draft", "by": "chief"}
UNDO: dict[str, object] = {"action": "undo", "title": "撤回", "from": "desk", "to": "undo", "by": "last_actor"}


def happening(action: str, *transitions: dict[str, object], **members: object) -> set[tuple[str, str]]:
    """Where an action can happen, and the story that leads there."""
    sign = {"rule": "all", "seats": ["clerk", "chief"], "passed": "pass"}
    definition = signed(sign, transitions=list(transitions), **members)
    space = explore(definition)
    numbers = [number for number, item in enumerate(definition.transitions) if item.action == action]
    return {
        (config.state, told(space.path_to(config)))
        for config, edge in space.all_edges()
        if edge.kind is Kind.MOVE and edge.number in numbers
    }


def test_a_recall_is_for_whoever_submitted_and_directly_after() -> None:
    guarded = LATE | {"guards": ["nobody_acted_since"]}
    assert happening("late", SUBMIT, PASS, guarded) == {("desk", "报送（经办人）")}


def test_a_recall_without_that_guard_is_possible_while_others_vote() -> None:
    assert {state for state, _ in happening("late", SUBMIT, PASS, LATE)} == {"desk"}
    assert len(happening("late", SUBMIT, PASS, LATE)) == 3


def test_an_edit_ends_the_chance_to_recall() -> None:
    guarded = LATE | {"from": "draft", "guards": ["nobody_acted_since"]}
    mine = BACK | {"by": "submitter"}
    stories = {story for _, story in happening("late", SUBMIT, PASS, mine, guarded)}
    assert stories == {"报送（经办人） → 退回（本轮报送人）"}


def test_a_recall_asks_the_last_actor_to_be_in_no_other_group() -> None:
    guarded = LATE | {"from": "draft", "guards": ["nobody_acted_since"]}
    mine = BACK | {"by": "submitter"}
    separate = [["submitter"], ["chief"]]
    assert not happening("late", SUBMIT, PASS, BACK, guarded, separate=separate)
    assert happening("late", SUBMIT, PASS, mine, guarded, separate=separate)
    assert happening("late", SUBMIT, PASS, BACK, guarded)


def test_a_new_round_has_no_submitter_until_somebody_submits() -> None:
    again = BACK | {"next_round": True}
    assert {state for state, _ in happening("late", SUBMIT, PASS, BACK, LATE)} == {"draft", "desk"}
    assert {state for state, _ in happening("late", SUBMIT, PASS, again, LATE)} == {"desk"}


def test_who_submitted_stays_the_submitter_after_taking_it_back() -> None:
    assert ("draft", "报送（经办人） → 撤回（上一步办理人）") in happening("late", SUBMIT, PASS, UNDO, LATE)
    assert {state for state, _ in happening("late", SUBMIT | {"next_round": True}, PASS, UNDO, LATE)} == {"desk"}


def test_the_submitter_must_still_hold_a_role_that_submits() -> None:
    submit = SUBMIT | {"by": "task_holder"}
    assert not happening("late", submit, PASS, LATE)


def test_conditions_of_the_round_follow_the_rounds() -> None:
    again = BACK | {"next_round": True}
    third = LATE | {"by": "chief", "from": "desk", "when": "round > 2"}
    assert {story.count("退回") for _, story in happening("late", SUBMIT, PASS, again, third)} == {2}


def both(capacities: tuple[str, str], *transitions: dict[str, object], separate: list[list[str]]) -> str | None:
    """The story in which one person comes to both capacities."""
    sign = {"rule": "all", "seats": ["clerk"], "passed": "pass"}
    found = joined(explore(signed(sign, transitions=list(transitions), separate=separate)), capacities)
    return None if found is None else told(found[1])


def test_only_whoever_submitted_acts_as_the_submitter() -> None:
    # Who submitted goes on as clerk, which bars them from being the chief; nobody else can submit a second time.
    once = SUBMIT | {"at_most": 1}
    onward = LATE | {"from": "desk", "as": "clerk"}
    last = BACK | {"from": "end"}
    wanted = ("submitter", "chief")
    story = "报送（经办人·甲） → 作废（本轮报送人·甲） → 退回（局领导·甲）"
    assert both(wanted, once, onward, NEVER, last, separate=[]) == story
    assert both(wanted, once, onward, NEVER, last, separate=[["clerk"], ["chief"]]) is None


NEVER = PASS | {"guards": ["approved_content_unchanged"]}


def test_only_whoever_acted_last_acts_directly_after_it() -> None:
    onward = LATE | {"from": "desk", "by": "clerk", "guards": ["nobody_acted_since"]}
    last = BACK | {"from": "end"}
    once = SUBMIT | {"at_most": 1}
    story = "报送（经办人·甲） → 作废（初审·甲） → 退回（局领导·甲）"
    assert both(("submitter", "chief"), once, onward, NEVER, last, separate=[]) == story
    assert both(("submitter", "chief"), once, onward, NEVER, last, separate=[["clerk"], ["chief"]]) is None


@pytest.mark.parametrize("members", [{"by": "clerk", "guards": ["nobody_acted_since"]}, {"as": "clerk"}])
def test_whoever_comes_new_is_neither_the_last_actor_nor_the_submitter(members: dict[str, object]) -> None:
    onward = LATE | {"from": "desk"} | members
    last = BACK | {"from": "end"}
    separate = [["submitter"], ["chief"]]
    assert both(("clerk", "chief"), SUBMIT, onward, NEVER, last, separate=separate) is None


def test_who_took_their_submission_back_still_acts_as_the_submitter() -> None:
    onward = LATE | {"from": "draft", "as": "clerk"}
    story = "报送（经办人·甲） → 撤回（上一步办理人·甲） → 作废（本轮报送人·甲）"
    assert both(("drafter", "clerk"), SUBMIT | {"as": "submitter"}, onward, NEVER, UNDO, separate=[]) is not None
    assert both(("submitter", "clerk"), SUBMIT, onward, NEVER, UNDO, separate=[]) == story


def test_taking_back_a_return_withdraws_the_vote_of_whoever_returned() -> None:
    sign = {"rule": "all", "seats": ["clerk", "clerk", "chief"], "passed": "pass"}
    undo = UNDO | {"from": ["desk", "draft"]}
    space = explore(signed(sign, transitions=[SUBMIT, PASS, BACK, undo]))
    search = _Search(space, ("clerk", "chief"))
    voted = next(config for config in space.edges if config.votes == (True, True, None))
    node = _Node(voted, vote=("clerk", True))
    back = next(edge for edge in space.edges[voted] if edge.kind is Kind.MOVE)
    (taken,) = search._back(node, back)
    assert taken.target.config == voted._replace(votes=(True, None, None))
    assert taken.target.vote is None


def signed(sign: dict[str, object], **members: object) -> Definition:
    """A draft, a desk with this sign-off, and an end."""
    desk = {"title": "会签", "status": "送审稿", "document": "review", "task": {"role": "clerk"}, "sign": sign}
    transitions = [
        {"action": "submit", "title": "报送", "from": "draft", "to": "desk", "by": "drafter", "freeze": True},
        {"action": "pass", "title": "通过", "from": "desk", "to": "end", "by": "sign_off"},
    ]
    if "failed" in sign:
        transitions.append({"action": "fail", "title": "未通过", "from": "desk", "to": "end", "by": "sign_off"})
    draft = {"title": "草案", "status": "草案", "document": "draft", "editable": True, "task": {"role": "drafter"}}
    end = {"title": "办结", "status": "批复稿", "document": "approval", "final": True}
    given = {
        "name": "signed",
        "version": 1,
        "title": "签署",
        "kind": "budget",
        "initial": "draft",
        "roles": {
            "drafter": {"title": "经办人", "of": "department"},
            "clerk": {"title": "初审", "of": "finance"},
            "chief": {"title": "局领导", "of": "finance"},
        },
        "states": {"draft": draft, "desk": desk, "end": end},
        "transitions": transitions,
    }
    return Definition.model_validate(given | members)


def test_contents_tell_rounds_apart_up_to_the_last_that_matters() -> None:
    definition = signed({"rule": "all", "seats": ["clerk"], "passed": "pass"})
    changed = definition.transitions[1].model_copy(update={"when": "round < 2"})
    contents = contents_of(definition.model_copy(update={"transitions": (definition.transitions[0], changed)}))
    rounds = {case.round: case.truths for case in contents.cases}
    assert rounds == {1: (True,), 2: (False,), 3: (False,)}
    assert [contents.cases[case].round for case in contents.first()] == [1]


def test_a_new_round_leaves_conditions_of_the_content_as_they_are() -> None:
    contents = any_contents(["a", "b"])
    assert [contents.later(case) for case in range(4)] == [(0,), (1,), (2,), (3,)]
    assert contents.edited(0) == (0, 1, 2, 3)
