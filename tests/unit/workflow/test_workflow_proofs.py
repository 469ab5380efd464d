"""What is proved of a definition: the shipped ones hold, each broken one gives its own code and a story that can be acted out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from naive_workflow import Command, Entry, Holds, Office, Text, act_out, by_round, unconditional
from random_definitions import definitions

from workflow.contents import Case, Contents, any_contents
from workflow.definition import AlwaysBefore, AtMost, Definition, Reachable, Separate
from workflow.duties import PERSON
from workflow.exploration import told
from workflow.proofs import Proof, prove

SHIPPED = ("simple", "standard", "county")
Data = dict[str, Any]


def source(name: str) -> Data:
    data: Data = yaml.safe_load(files("workflow").joinpath(f"definitions/{name}.yaml").read_text("utf-8"))
    return data


def simple(**members: Any) -> Data:
    """The simple definition without its properties."""
    return source("simple") | {"properties": []} | members


def action(data: Data, name: str, number: int = 0) -> Data:
    found: list[Data] = [item for item in data["transitions"] if item["action"] == name]
    return found[number]


def state(title: str, **members: Any) -> Data:
    return {"title": title, "status": "送审稿", "document": "review", "task": {"role": "approver"}} | members


def add(data: Data, name: str, start: str, end: str, by: str = "approver", **members: Any) -> None:
    data["transitions"].append({"action": name, "title": name, "from": start, "to": end, "by": by} | members)


def unreachable(data: Data) -> None:
    data["states"]["limbo"] = state("搁置")


def never(data: Data) -> None:
    add(data, "hurry", "submitted", "approved", "department_head", guards=["approved_content_unchanged"])


def never_the_submitter(data: Data) -> None:
    add(data, "wave", "submitted", "approved", "submitter", **{"as": "approver"})


def never_from_one_state(data: Data) -> None:
    action(data, "recall")["from"].append("draft")


def refused_recall(data: Data) -> None:
    action(data, "recall")["guards"].append("approved_content_unchanged")
    action(data, "recall")["from"] = ["submitted", "approved"]


def trap(data: Data) -> None:
    data["states"]["parked"] = state("暂存")
    add(data, "park", "submitted", "parked")


def trap_that_only_the_last_actor_leaves(data: Data) -> None:
    trap(data)
    action(data, "recall")["from"].append("parked")


def trap_unless_recalled_in_time(data: Data) -> None:
    data["states"]["parked"] = state("暂存")
    add(data, "park", "submitted", "parked", "submitter")
    add(data, "fetch", "parked", "submitted", "submitter", guards=["nobody_acted_since"])


def undecided_sign_off(data: Data) -> None:
    data["states"]["submitted"]["sign"] = {"rule": "all", "seats": ["approver"], "passed": "sure"}
    data["states"]["decided"] = state("已审")
    add(data, "sure", "submitted", "decided", "sign_off", at_most=1)
    add(data, "again", "decided", "revision")
    data["transitions"] = [item for item in data["transitions"] if item["action"] != "return"]
    action(data, "approve")["from"] = "decided"


def circle(data: Data) -> None:
    data["states"] |= {"shelf": state("搁置"), "depot": state("封存")}
    add(data, "shelve", "submitted", "shelf")
    add(data, "store", "shelf", "depot")
    add(data, "fetch", "depot", "shelf")


def endless(data: Data) -> None:
    data["states"]["published"] |= {"final": False, "task": {"role": "publisher"}}
    add(data, "adjust", "published", "draft", "drafter")


def one_way_return(data: Data) -> None:
    data["states"]["dropped"] = state("不予安排", final=True)
    add(data, "drop", "submitted", "dropped", resume="restart")


def unused_way_back(data: Data) -> None:
    action(data, "return")["resume"] = "choose"


def unapproved(data: Data) -> None:
    del action(data, "approve")["approves"]
    action(data, "publish")["guards"] = []


def unsubmitted(data: Data) -> None:
    action(data, "submit")["freeze"] = False
    action(data, "approve")["guards"] = []


def left_end(data: Data) -> None:
    add(data, "adjust", "published", "draft", "drafter")


def bureau_writes(data: Data) -> None:
    data["states"]["submitted"]["editable"] = True


def refusal(data: Data) -> None:
    data["states"]["refused"] = state("不予批复", final=True)
    add(data, "refuse", "submitted", "refused")
    data["properties"] = [{"eventually_possible": "published"}]


def short_cut(data: Data) -> None:
    add(data, "hurry", "draft", "approved", "department_head", freeze=True, approves=True)
    data["properties"] = [{"always_before": ["submit", "hurry"]}]


def taken_back_too_early(data: Data) -> None:
    data["properties"] = [{"always_before": ["approve", "recall"]}]


def many_returns(data: Data) -> None:
    data["properties"] = [{"at_most": ["return", 2]}]


def many_recalls(data: Data) -> None:
    data["properties"] = [{"at_most": ["recall", 1]}]


def same_author(data: Data) -> None:
    data["properties"] = [{"separate": ["drafter", "submitter", "approver"]}]


def free_capacity(data: Data) -> None:
    data["separate"] = [["drafter", "editor"], ["approver"]]
    data["properties"] = [{"separate": ["submitter", "approver"]}]


def part_after_taking_back(data: Data) -> None:
    # One of the two seats is signed once only, so without withdrawing a vote nobody comes to both.
    data["roles"]["second"] = {"title": "复核", "of": "finance"}
    data["separate"] = [["drafter", "editor", "submitter"], ["approver", "second"]]
    data["states"]["submitted"] |= {"sign": {"rule": "all", "seats": ["approver", "second"], "passed": "approve"}}
    action(data, "approve")["by"] = "sign_off"
    data["transitions"] = [item for item in data["transitions"] if item["action"] != "return"][:1] + [
        item for item in data["transitions"] if item["action"] in ("recall", "approve", "publish")
    ]
    del data["states"]["revision"]
    action(data, "recall")["from"] = ["submitted", "approved"]
    data["properties"] = [{"separate": ["approver", "second"]}]


def part_after_undoing(data: Data) -> None:
    data["roles"]["second"] = {"title": "复核", "of": "finance"}
    data["separate"] = [["drafter", "editor", "submitter"], ["approver", "second"]]
    data["transitions"] = [item for item in data["transitions"] if item["action"] != "return"]
    data["transitions"] = [item for item in data["transitions"] if item["from"] != "revision"]
    del data["states"]["revision"]
    action(data, "recall")["from"] = ["submitted", "approved"]
    add(data, "approve_too", "submitted", "approved", "second", approves=True, guards=["content_unchanged"])
    data["properties"] = [{"separate": ["approver", "second"]}]


BROKEN: dict[str, tuple[Callable[[Data], None], str]] = {
    made.__name__: (made, code)
    for made, code in (
        (unreachable, "unreachable_state"),
        (never, "dead_transition"),
        (never_the_submitter, "dead_transition"),
        (never_from_one_state, "dead_source"),
        (refused_recall, "dead_source"),
        (trap, "trap"),
        (trap_that_only_the_last_actor_leaves, "trap"),
        (trap_unless_recalled_in_time, "trap"),
        (undecided_sign_off, "trap"),
        (circle, "no_way_to_final"),
        (endless, "no_final"),
        (one_way_return, "no_way_back"),
        (unused_way_back, "resume_unused"),
        (unapproved, "publishes_unapproved"),
        (unsubmitted, "approves_unsubmitted"),
        (left_end, "final_left"),
        (bureau_writes, "bureau_edits"),
        (refusal, "property_eventually_possible"),
        (short_cut, "property_always_before"),
        (taken_back_too_early, "property_always_before"),
        (many_returns, "property_at_most"),
        (many_recalls, "property_at_most"),
        (same_author, "property_separate"),
        (free_capacity, "property_separate"),
        (part_after_taking_back, "property_separate"),
        (part_after_undoing, "property_separate"),
    )
}
STORIES = {
    "trap_unless_recalled_in_time": "报送（部门负责人） → park（本轮报送人） → 已有后续处理，不能再撤回",
    "part_after_undoing": "报送（部门负责人） → 批复（审批·甲） → 撤回（上一步办理人·甲） → approve_too（复核·甲）",
    "never": "报送（部门负责人）",
    "trap": "报送（部门负责人） → park（审批）",
    "undecided_sign_off": "报送（部门负责人） → 同意，sure（审批） → again（审批） → 再报送（部门负责人）",
    "circle": "报送（部门负责人） → shelve（审批）",
    "one_way_return": "报送（部门负责人） → drop（审批）",
    "unused_way_back": "报送（部门负责人） → 退回修改（审批，直送退回人）",
    "unapproved": "报送（部门负责人） → 批复（审批） → 公开（公开）",
    "unsubmitted": "报送（部门负责人） → 批复（审批）",
    "refusal": "报送（部门负责人） → refuse（审批）",
    "taken_back_too_early": "报送（部门负责人） → 撤回（上一步办理人）",
    "many_returns": (
        "报送（部门负责人） → 退回修改（审批） → 再报送（部门负责人） → 退回修改（审批） → 再报送（部门负责人） → 退回修改（审批）"
    ),
    "many_recalls": "报送（部门负责人） → 撤回（上一步办理人） → 报送（部门负责人） → 撤回（上一步办理人）",
    "same_author": "编制（经办人·甲） → 报送（部门负责人·甲）",
    "free_capacity": "报送（部门负责人·甲） → 退回修改（审批·甲）",
    "part_after_taking_back": ("报送（部门负责人） → 同意（审批·甲） → 撤回签署（上一步办理人·甲） → 同意（复核·甲）"),
}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_definition_proves_clean(name: str) -> None:
    began = time.process_time()
    assert prove(Definition.model_validate(source(name))) == ()
    assert time.process_time() - began < 1


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_definition_gives_its_own_code(name: str) -> None:
    change, code = BROKEN[name]
    data = simple()
    change(data)
    definition = Definition.model_validate(data)
    found = prove(definition)
    assert [finding.code for finding in found] == [code]
    assert [finding.severity for finding in found] == ["warning" if code == "dead_source" else "error"]
    assert found[0].message.endswith("。")
    assert "请" in found[0].message
    if name in STORIES:
        assert told(found[0].counterexample) == STORIES[name]
    check(definition, found[0], unconditional)


def test_a_definition_without_its_own_defect_is_clean() -> None:
    assert prove(Definition.model_validate(simple())) == ()


def test_a_step_may_approve_and_publish_at_once() -> None:
    data = simple()
    action(data, "approve").update(to="published", publishes=True)
    data["transitions"] = [item for item in data["transitions"] if item["action"] != "publish"]
    action(data, "recall")["from"] = ["submitted", "revision"]
    del data["states"]["approved"]
    assert prove(Definition.model_validate(data)) == ()


def test_taking_back_the_last_step_leaves_no_final_state() -> None:
    data = simple()
    action(data, "recall")["from"].append("published")
    assert prove(Definition.model_validate(data)) == ()


def test_a_way_back_that_another_return_replaces_is_not_used() -> None:
    data = simple()
    data["states"] |= {"second": state("复审"), "fix": state("再改", editable=True, task={"role": "drafter"})}
    action(data, "return")["resume"] = "direct"
    action(data, "submit", 1)["to"] = "second"
    action(data, "approve")["from"] = "submitted"
    add(data, "return_again", "second", "fix", resume="direct")
    add(data, "again", "fix", "second", "department_head", freeze=True, resumes=True)
    add(data, "start_over", "second", "submitted", guards=["content_unchanged"])
    (found,) = prove(Definition.model_validate(data))
    assert (found.code, found.place) == ("resume_unused", ("transitions", 3, "resume"))


def test_a_place_points_into_the_yaml() -> None:
    places = {}
    for name in ("trap", "unused_way_back", "many_returns", "never_from_one_state"):
        data = simple()
        BROKEN[name][0](data)
        places[name] = prove(Definition.model_validate(data))[0].place
    assert places == {
        "trap": ("states", "parked"),
        "unused_way_back": ("transitions", 3, "resume"),
        "many_returns": ("properties", 0),
        "never_from_one_state": ("transitions", 2, "from"),
    }


def test_an_unreachable_state_fails_its_property_too() -> None:
    data = simple(properties=[{"reachable": "limbo"}])
    unreachable(data)
    found = prove(Definition.model_validate(data))
    assert [finding.code for finding in found] == ["unreachable_state", "property_reachable"]


def test_one_person_may_sign_for_one_reviewer_and_return_for_the_other() -> None:
    # They are in one group, so that either may stand in for the other; one sign-off still needs two people.
    data = source("county") | {"properties": [{"separate": ["second_reviewer", "budget_reviewer"]}]}
    definition = Definition.model_validate(data)
    (found,) = prove(definition)
    assert found.code == "property_separate"
    # The same vote twice is refused; a return while the other seat is open is none.
    assert told(found.counterexample[-2:]) == "同意（绩效股复审·甲） → 退回修改（预算股复审·甲，重走流程）"
    check(definition, found, unconditional)


def test_errors_come_before_warnings() -> None:
    data = simple()
    never_from_one_state(data)
    refusal(data)
    assert [finding.severity for finding in prove(Definition.model_validate(data))] == ["error", "warning"]


def test_too_many_configurations_are_an_error() -> None:
    (found,) = prove(Definition.model_validate(source("county")), limit=20)
    assert (found.code, found.severity) == ("too_many", "error")
    assert "状态太多，无法穷举" in found.message


def test_too_many_ways_of_one_person_are_an_error() -> None:
    data = source("county") | {"properties": [{"separate": ["second_reviewer", "budget_reviewer"]}]}
    assert [finding.code for finding in prove(Definition.model_validate(data), limit=70)] == ["too_many"]


def test_an_unknown_fact_is_an_error_with_its_place() -> None:
    data = simple()
    action(data, "approve")["when"] = "weather > 3"
    (found,) = prove(Definition.model_validate(data))
    assert (found.code, found.place) == ("condition", ("transitions", 4, "when"))


BIG = Contents(("total > 1",), (Case((True,), 0, {"total": 2}), Case((False,), 0, {"total": 1})), (True,))


def of_total(condition: str, text: Text) -> bool:
    return bool(eval(condition, {"__builtins__": {}}, {"total": int(text.content["total"])}))


def test_a_content_that_meets_no_condition_is_a_trap() -> None:
    data = simple()
    data["transitions"] = [item for item in data["transitions"] if item["action"] != "return"]
    data["transitions"] = [item for item in data["transitions"] if item.get("from") != "revision"]
    del data["states"]["revision"]
    action(data, "recall")["from"] = ["submitted", "approved"]
    action(data, "approve")["when"] = "total > 1"
    definition = Definition.model_validate(data)
    (found,) = prove(definition, contents=BIG)
    assert told(found.counterexample) == "编制（经办人，total=1） → 报送（部门负责人）"
    check(definition, found, of_total)


def test_a_content_that_can_still_be_edited_is_no_trap() -> None:
    data = simple()
    action(data, "submit")["when"] = "total > 1"
    assert prove(Definition.model_validate(data), contents=BIG) == ()


def test_a_requirement_that_nobody_can_meet_any_more_is_a_trap() -> None:
    data = simple()
    action(data, "publish")["requires"] = [{"that": "total > 1", "message": "预算不能为零"}]
    definition = Definition.model_validate(data)
    (found,) = prove(definition, contents=BIG)
    assert (found.code, found.place) == ("trap", ("states", "approved"))
    check(definition, found, of_total)


def test_conditions_of_which_nothing_is_known_can_all_be_met_and_not_met() -> None:
    data = simple()
    action(data, "submit")["when"] = "total > 1"
    assert prove(Definition.model_validate(data), contents=any_contents(["total > 1"])) == ()


def test_a_finding_tells_its_story_in_json() -> None:
    data = simple()
    trap(data)
    (found,) = prove(Definition.model_validate(data))
    assert found.to_json() == {
        "code": "trap",
        "severity": "error",
        "message": "文本会停在“暂存”：没有任何人能做任何动作，也不是终点；请增加离开它的动作，或写 final: true。",
        "place": ["states", "parked"],
        "counterexample": [step.to_json() for step in found.counterexample],
        "story": "报送（部门负责人） → park（审批）",
    }


@given(definitions())
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_every_counterexample_can_be_acted_out_and_shows_what_it_says(definition: Definition) -> None:
    for finding in prove(definition):
        check(definition, finding, by_round)


@given(definitions(desks=2, limits=False, properties=False))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_a_definition_is_free_of_dead_ends_exactly_when_acting_out_finds_none(definition: Definition) -> None:
    codes = {finding.code for finding in prove(definition)}
    texts, after = closure(definition)
    ends = {text for text in texts if definition.states[text.state].final}
    able = set(ends)
    while True:
        more = {text for text, following in after.items() if text not in able and following & able}
        if not more:
            break
        able |= more
    if ends:
        assert bool(codes & {"trap", "no_way_to_final"}) == (able != texts)
    else:
        assert codes & {"unreachable_state"}


def closure(definition: Definition) -> tuple[set[Text], dict[Text, set[Text]]]:
    """Every text up to what makes no difference any more, taking back left out: it is no way on."""
    office = Office(definition, by_round)
    begun = plain(office.begin())
    waiting, after = [begun], {}
    while waiting:
        text = waiting.pop()
        if text in after:
            continue
        people = ("new", *text.people)
        following = {plain(it) for command, it in office.after(text, people) if not undoes(definition, command.action)}
        following.add(plain(office.perform(text, _LAPSE)))
        after[text] = following
        waiting += following
    return set(after), after


def undoes(definition: Definition, name: str) -> bool:
    return any(item.undoes for item in definition.transitions if item.action == name)


def plain(text: Text) -> Text:
    """A text with only what may still matter where nothing is counted, so that there is an end to telling texts apart.

    That is: who did the last step with their capacities, and whether anybody else submitted this round.
    """
    past = max(0, text.round - 3)  # conditions of random definitions speak of the first two rounds
    last = text.log[-1] if text.log and not text.touched else None
    now = {who for who, what, number in text.parts if what == "submitter" and number == text.round}
    parts = {("last", what, 0) for who, what, _ in text.parts if last and who == last.person and what != "editor"}
    if last and last.person in now:
        parts.add(("last", "submitter", text.round - past))
    if now - {last.person if last else ""}:
        parts.add(("other", "submitter", text.round - past))
    return replace(
        text,
        round=text.round - past,
        log=(Entry("", "last", last.capacity, False, _NOTHING),) if last else (),
        parts=frozenset(parts),
        votes=tuple((seat, f"voter-{seat}", agrees) for seat, _, agrees in sorted(text.votes)),
    )


_NOTHING = Text("")
_LAPSE = Command("lapse", "")


def check(definition: Definition, finding: Proof, holds: Holds) -> None:
    """Acts the story out, and looks at its end for what the finding says."""
    text = act_out(definition, finding.counterexample, holds=holds)
    office = Office(definition, holds)
    last = text.log[-1] if text.log else None
    transitions = definition.transitions
    match finding.code, finding.place:
        case "trap", (_, name):
            assert text.state == name
            assert not definition.states[text.state].final
            assert not ways_on(definition, office, text)
        case (("no_way_to_final" | "no_way_back" | "property_eventually_possible"), _):
            assert text.state in {*definition.states}
        case "publishes_unapproved", (_, number):
            assert last is not None
            assert last.action == transitions[int(number)].action
            assert transitions[int(number)].publishes
            assert not last.before.approved
        case "approves_unsubmitted", (_, number):
            assert last is not None
            assert last.action == transitions[int(number)].action
            assert not last.before.frozen
        case "bureau_edits", (_, name):
            assert text.state == name
            assert {definition.side(role) for role in office.roles_waiting(text)} == {"finance"}
        case "resume_unused", _:
            assert text.resume
        case "dead_transition" | "dead_source", _:
            item = transitions[int(finding.place[1])]
            done = {command.action for command, _ in office.after(text, ("new", *text.people))}
            assert item.action not in done or office.candidate(text, item.action) != item
        case _, ("properties", number):
            check_property(definition, finding, text, int(number))


def check_property(definition: Definition, finding: Proof, text: Text, number: int) -> None:
    last = text.log[-1] if text.log else None
    match definition.properties[number]:
        case AlwaysBefore(always_before=(before, after)):
            assert last is not None
            assert last.action == after
            assert before not in last.before.done()
        case AtMost(at_most=(name, most)):
            assert last is not None
            assert last.action == name
            assert (last.before.times(name) + 1 > most) or sum(it.action == name for it in text.log) > most
        case Separate(separate=names):
            assert finding.code == "property_separate"
            assert len(text.capacities(PERSON) & {*names}) > 1
        case Reachable():
            assert finding.counterexample == ()


def ways_on(definition: Definition, office: Office, text: Text) -> list[str]:
    """What anybody can do that is more than an edit or a taking back, now or after an edit."""
    people = ("new", *text.people)
    begun = [text, *(after for command, after in office.after(text, people) if command.action == "edit")]
    return [
        command.action
        for at in begun
        for command, _ in office.after(at, people)
        if command.action != "edit" and not undoes(definition, command.action)
    ]
