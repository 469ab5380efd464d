"""The simulation of a definition: against queueing theory, against timelines by hand, and for every random definition."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_definitions import definitions

from workflow.definition import Definition
from workflow.simulation import ROUNDS, STEPS, simulate
from workflow.simulation_plan import Arrivals, Plan, parse_arrivals, parse_probabilities, parse_service, parse_staff
from workflow.simulation_report import Report, Summary
from workflow.source import parse_definition

ROOT = Path(__file__).parents[3]
ROLES = {
    "drafter": {"title": "经办人", "of": "department"},
    "clerk": {"title": "初审", "of": "finance"},
    "chief": {"title": "局领导", "of": "finance"},
}


def shipped(name: str) -> Definition:
    return parse_definition(files("workflow").joinpath(f"definitions/{name}.yaml").read_text("utf-8"))


def desk(title: str, role: str, **members: Any) -> dict[str, Any]:
    due = {"due": members.pop("due")} if "due" in members else {}
    return {"title": title, "status": "送审稿", "document": "review", "task": {"role": role, **due}, **members}


def step(action: str, source: str, target: str, by: str, **members: Any) -> dict[str, Any]:
    return {"action": action, "title": "动作", "from": source, "to": target, "by": by, **members}


def definition(states: dict[str, Any], *transitions: dict[str, Any]) -> Definition:
    end = {"title": "办结", "status": "批复稿", "document": "approval", "final": True}
    return Definition.model_validate(
        {
            "name": "example",
            "version": 1,
            "title": "示例",
            "kind": "budget",
            "initial": next(iter(states)),
            "roles": ROLES,
            "states": {**states, "end": end},
            "transitions": transitions,
        }
    )


def one_desk(**members: Any) -> Definition:
    return definition({"desk": desk("初审", "clerk", **members)}, step("approve", "desk", "end", "clerk"))


def signed(rule: str, *seats: str, **members: Any) -> Definition:
    sign = {"rule": rule, "seats": seats, "passed": "pass", **members}
    outcomes = [step("pass", "desk", "end", "sign_off")]
    if "failed" in members:
        outcomes.append(step(members["failed"], "desk", "end", "sign_off"))
    return definition({"desk": desk("会签", "clerk", sign=sign)}, *outcomes)


def constant(**members: Any) -> Plan:
    return replace(Plan(texts=1, shape="constant"), **members)


def ended(report: Report) -> int:
    return report.finished + len(report.stopped)


# --- against theory -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shape", "expected"), [("exponential", 0.8), ("constant", 0.4)])
def test_one_person_at_one_desk_waits_as_long_as_theory_says(shape: Any, expected: float) -> None:
    # M/M/1 and M/D/1 (Pollaczek-Khinchine) with 4 arrivals and 5 places a day: rho 0.8, mean wait 0.8 and 0.4 days.
    plan = Plan(texts=15_000, arrivals=Arrivals(rate=4.0), service={"desk": 0.2}, shape=shape, seed=5)
    report = simulate(one_desk(), plan)
    assert report.state("desk").wait.mean == pytest.approx(expected, rel=0.1)
    assert report.role("clerk").utilisation == pytest.approx(0.8, rel=0.03)
    assert report.cycle.mean == pytest.approx(expected + 0.2, rel=0.1)


def test_three_people_at_one_desk_wait_as_long_as_erlang_says() -> None:
    load, people = 2.4, 3
    blocked = load**people / math.factorial(people) / (1 - load / people)
    waits = blocked / (sum(load**number / math.factorial(number) for number in range(people)) + blocked)
    plan = Plan(texts=15_000, arrivals=Arrivals(rate=12.0), service={"desk": 0.2}, staff={"clerk": 3}, seed=5)
    report = simulate(one_desk(), plan)
    assert report.state("desk").wait.mean == pytest.approx(waits / (15 - 12), rel=0.1)
    assert report.role("clerk").utilisation == pytest.approx(0.8, rel=0.03)


def test_queue_length_is_the_rate_times_the_wait() -> None:
    report = simulate(shipped("county"), Plan(texts=200, arrivals=Arrivals(rate=2.0), probabilities={"send_back": 0.0}))
    for name in ("submitted", "first_review", "issuing"):
        found = report.state(name)
        assert found.queue_mean * report.days == pytest.approx(found.wait.count * found.wait.mean)
        assert found.queue_max >= found.queue_mean > 0


# --- timelines by hand ----------------------------------------------------------------------------------------------


def test_texts_that_come_at_once_are_done_one_after_the_other() -> None:
    report = simulate(one_desk(), constant(texts=4, service={"clerk": 1.0}))
    assert report.cycle == Summary(4, 2.5, 2.5, 4.0, 4.0)
    assert (report.state("desk").wait.max, report.state("desk").queue_max) == (3.0, 3)
    assert report.state("desk").queue_mean == 6 / 4
    assert report.role("clerk").utilisation == 1.0


def test_nine_of_ten_are_no_longer_than_the_ninetieth_percentile() -> None:
    assert Summary.of([float(number) for number in range(10, 0, -1)]) == Summary(10, 5.5, 5.5, 9.0, 10.0)
    assert Summary.of([float(number) for number in range(1, 12)]) == Summary(11, 6.0, 6.0, 10.0, 11.0)
    assert Summary.of([]).count == 0


def test_batches_come_in_the_morning_of_their_day() -> None:
    assert Arrivals(batch=2, every=5).times(5, None) == [0.0, 0.0, 5.0, 5.0, 10.0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sign", "days", "chief"),
    [
        (signed("all", "clerk", "chief"), 1.0, 0.25),
        (signed("sequential", "clerk", "chief"), 1.25, 0.25),
        (signed("any", "clerk", "chief"), 0.25, 0.25),
        (signed("any", "clerk", "chief", early_stop=False), 1.0, 0.25),
        (signed("quorum", "chief", "chief", "clerk", quorum=2), 0.5, 0.5),
    ],
)
def test_seats_work_side_by_side_as_their_rule_says(sign: Definition, days: float, chief: float) -> None:
    report = simulate(sign, constant(service={"clerk": 1.0, "chief": 0.25}))
    assert report.cycle.mean == days
    assert report.role("chief").busy == chief
    # Whoever still works when the sign-off ends stops there.
    assert report.role("clerk").busy == min(days, 1.0)


def test_whoever_still_waits_when_a_sign_off_ends_waits_no_longer() -> None:
    sign = signed("any", "clerk", "chief")
    report = simulate(sign, constant(texts=3, service={"clerk": 1.0, "chief": 0.25}))
    assert (report.finished, report.days) == (3, 0.75)
    assert report.role("clerk").busy == 0.75
    assert report.state("desk").queue_max == 4


def test_a_place_in_the_queue_is_given_up_when_a_sign_off_ends() -> None:
    plan = constant(texts=6, arrivals=Arrivals(batch=3), service={"clerk": 1.0, "chief": 0.25}, staff={"chief": 3})
    report = simulate(signed("any", "clerk", "chief"), plan)
    # Two of each batch wait for the clerk, until the chief has decided a quarter of a day later.
    assert (report.days, report.state("desk").queue_max) == (1.25, 2)
    assert report.state("desk").queue_mean == (2 * 0.25 + 2 * 0.25) / 1.25


def test_whoever_does_not_return_a_text_votes_against_with_the_probability() -> None:
    sign = {"rule": "all", "seats": ["clerk"], "passed": "pass", "failed": "reject"}
    made = definition(
        {
            "desk": desk("会签", "clerk", sign=sign),
            "draft": desk("修改", "drafter", editable=True),
            "refused": desk("不同意", "chief"),
        },
        step("pass", "desk", "end", "sign_off"),
        step("reject", "desk", "refused", "sign_off"),
        step("return", "desk", "draft", "task_holder"),
        step("submit", "draft", "desk", "drafter"),
        step("close", "refused", "end", "chief"),
    )
    report = simulate(made, Plan(texts=3000, probabilities={"return": 0.4, "reject": 0.5}))
    visits = report.state("desk").wait.count
    assert report.state("draft").wait.count / visits == pytest.approx(0.4, abs=0.02)
    assert report.state("refused").wait.count / visits == pytest.approx(0.6 * 0.5, abs=0.02)


def test_votes_against_decide_with_their_probability() -> None:
    states = {"desk": desk("会签", "clerk", sign={"rule": "all", "seats": ["clerk"], "passed": "pass", "failed": "reject"}),
              "draft": desk("修改", "drafter", editable=True)}  # fmt: skip
    made = definition(
        states,
        step("pass", "desk", "end", "sign_off"),
        step("reject", "desk", "draft", "sign_off", resume="restart"),
        step("submit", "draft", "desk", "drafter", next_round=True),
    )
    assert simulate(made, Plan(texts=50, probabilities={"reject": 0.0})).rounds == ((1, 50),)
    report = simulate(made, Plan(texts=4000, probabilities={"reject": 0.25}))
    assert sum(number * count for number, count in report.rounds) / 4000 == pytest.approx(1 / 0.75, rel=0.05)


def test_returns_happen_with_their_probability() -> None:
    report = simulate(shipped("simple"), Plan(texts=2000, probabilities={"return": 0.5}))
    assert sum(number * count for number, count in report.rounds) / 2000 == pytest.approx(2.0, rel=0.05)


def test_returns_without_a_probability_share_the_default() -> None:
    made = definition(
        {
            "draft": desk("草案", "drafter", editable=True),
            "first": desk("初审", "clerk"),
            "last": desk("签发", "chief"),
        },
        step("submit", "draft", "first", "drafter"),
        step("pass", "first", "last", "clerk"),
        step("send_back", "last", "previous", "task_holder"),
        step("return", "last", "draft", "task_holder"),
        step("approve", "last", "end", "chief"),
    )
    report = simulate(made, Plan(texts=4000))
    # A fifth of 1.25 visits to the last desk leads back, half of these to the author.
    visits = [report.state(name).wait.count / 4000 for name in ("draft", "first", "last")]
    assert visits == pytest.approx([1.125, 1.25, 1.25], abs=0.03)
    spared = simulate(made, Plan(texts=400, probabilities={"send_back": 0.0, "return": 0.0}))
    assert [spared.state(name).wait.count for name in ("draft", "first", "last")] == [400, 400, 400]


def test_resuming_straight_back_spares_the_desks_in_between() -> None:
    returned = {"return": 0.3, "send_back": 0.0, "reject": 0.0}
    handled = [
        simulate(shipped("county"), Plan(texts=200, probabilities=returned, direct=share)).role("reviewer").handled
        for share in (0.0, 1.0)
    ]
    assert handled[1] < 0.8 * handled[0]


def test_a_recalled_step_is_done_again() -> None:
    plan = constant(texts=2000, probabilities={"recall": 0.25, "return": 0.0})
    report = simulate(shipped("simple"), plan)
    assert report.finished == 2000
    assert report.role("drafter").handled / 2000 == pytest.approx(4 / 3, rel=0.05)
    assert simulate(shipped("simple"), replace(plan, probabilities={"return": 0.0})).role("drafter").handled == 2000


def test_nobody_takes_a_step_back_twice_running() -> None:
    undo = step("undo", "a", "undo", "last_actor")
    made = definition(
        {"a": desk("甲", "clerk"), "b": desk("乙", "clerk")},
        step("on", "a", "b", "clerk"),
        {**undo, "from": ["a", "b"]},
        step("approve", "b", "end", "clerk"),
    )
    report = simulate(made, Plan(texts=1, probabilities={"undo": 1.0}))
    assert report.stopped[0].reason == "步骤太多"
    assert report.state("a").service.count == STEPS / 2


def test_where_the_holder_can_only_return_another_role_leads_on() -> None:
    made = definition(
        {"desk": desk("初审", "clerk"), "draft": desk("修改", "drafter", editable=True)},
        step("return", "desk", "draft", "task_holder"),
        step("submit", "draft", "desk", "drafter"),
        step("approve", "desk", "end", "chief"),
    )
    report = simulate(made, Plan(texts=2000))
    assert report.role("chief").handled == report.finished == 2000
    assert report.role("clerk").handled / 2000 == pytest.approx(1.25, rel=0.05)


def test_a_task_handed_on_in_its_state_goes_to_the_next_role() -> None:
    report = simulate(shipped("standard"), constant(texts=10, probabilities={"return": 0.0}))
    assert [report.role(role).handled for role in ("reviewer", "second_reviewer", "approver")] == [20, 10, 10]


def test_a_head_signs_what_the_drafter_wrote() -> None:
    report = simulate(
        shipped("simple"), constant(texts=10, probabilities={"return": 0.0}, service={"department_head": 0.5})
    )
    assert report.role("department_head").busy == 5.0


def test_work_takes_a_third_of_its_deadline_unless_told() -> None:
    report = simulate(shipped("simple"), constant(probabilities={"return": 0.0}))
    assert report.state("submitted").service.mean == pytest.approx(10 / 3)
    assert report.state("approved").service.mean == pytest.approx(20 * 5 / 7 / 3)
    told = simulate(
        shipped("simple"), constant(probabilities={"return": 0.0}, service={"approver": 1.0, "submitted": 2.0})
    )
    assert told.state("submitted").service.mean == 2.0


@pytest.mark.parametrize(
    ("due", "start", "days", "kept"),
    [
        ("2 working days", date(2026, 1, 8), 3.0, 1),  # Thursday, Friday, Monday; due on Monday
        ("2 working days", date(2026, 1, 8), 3.1, 0),
        ("3 days", date(2026, 1, 9), 1.5, 1),  # Friday to Monday
        ("3 days", date(2026, 1, 9), 2.5, 0),
        ("2 days", date(2026, 1, 9), 1.5, 0),  # due on Sunday, on which nobody works
        ("before 2026-01-13", date(2026, 1, 9), 3.0, 1),
        ("before 2026-01-13", date(2026, 1, 9), 3.1, 0),
    ],
)
def test_deadlines_are_kept_by_the_day(due: str, start: date, days: float, kept: float) -> None:
    report = simulate(one_desk(due=due), constant(service={"desk": days}, start=start))
    assert report.on_time == report.state("desk").on_time == kept


def test_a_text_that_goes_round_in_circles_is_noted() -> None:
    report = simulate(shipped("simple"), Plan(texts=3, probabilities={"return": 1.0}))
    assert [(item.text, item.reason) for item in report.stopped] == [(number, "轮次太多") for number in (1, 2, 3)]
    assert report.finished == 0
    assert report.role("approver").handled == 3 * ROUNDS
    assert "没有文本办结" in report.bottleneck.sentence
    forever = definition({"a": desk("甲", "clerk"), "b": desk("乙", "clerk")}, step("on", "a", "b", "clerk"),
                         step("off", "b", "a", "clerk"))  # fmt: skip
    assert simulate(forever, Plan(texts=1)).stopped[0].reason == "步骤太多"


def test_a_text_without_a_way_on_is_noted() -> None:
    stuck = definition({"desk": desk("初审", "clerk")}, step("again", "desk", "desk", "clerk", at_most=2))
    report = simulate(stuck, Plan(texts=2))
    assert {(item.state, item.reason) for item in report.stopped} == {("desk", "没有可走的下一步")}
    assert report.role("clerk").handled == 6


# --- the bottleneck -------------------------------------------------------------------------------------------------


def test_the_bottleneck_says_what_one_more_person_brings() -> None:
    plan = Plan(texts=200, arrivals=Arrivals(rate=1.0), staff={"reviewer": 2, "approver": 2})
    report = simulate(shipped("county"), plan)
    more = simulate(shipped("county"), replace(plan, staff={"reviewer": 3, "approver": 2}))
    found = report.bottleneck
    assert found.role == max((role for role in report.roles if role.staff), key=lambda role: role.utilisation or 0).name
    assert (found.role, found.cycle_mean) == ("reviewer", more.cycle.mean)
    assert found.saved == report.cycle.mean - more.cycle.mean > 0
    assert found.state is not None
    assert found.wait_mean == more.state(found.state).wait.mean
    assert "“初审”（2 人" in found.sentence
    assert f"缩短 {found.saved:.1f} 个工作日" in found.sentence


def test_without_waits_there_is_no_bottleneck() -> None:
    report = simulate(one_desk(), Plan(texts=5, staff={"clerk": 5}))
    assert (report.bottleneck.role, report.bottleneck.saved) == (None, None)
    assert report.bottleneck.sentence.startswith("没有瓶颈")


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), people=st.integers(1, 5), rate=st.sampled_from((None, 2.0, 8.0)))
def test_more_people_never_lengthen_a_wait_at_one_desk(seed: int, people: int, rate: float | None) -> None:
    # Without feedback the order of the texts stays, and common random numbers make this exact for every text.
    plan = Plan(texts=60, arrivals=Arrivals(rate=rate), staff={"clerk": people}, seed=seed)
    few = simulate(one_desk(), plan)
    many = simulate(one_desk(), replace(plan, staff={"clerk": people + 1}))
    for name in ("mean", "median", "p90", "max"):
        assert getattr(many.state("desk").wait, name) <= getattr(few.state("desk").wait, name) + 1e-9


@pytest.mark.parametrize("seed", range(2))
def test_more_people_shorten_the_wait_at_the_bottleneck_of_the_county(seed: int) -> None:
    waits = []
    for people in (1, 2, 6):
        plan = Plan(texts=150, arrivals=Arrivals(rate=2.0), staff={"reviewer": people, "second_reviewer": 3}, seed=seed)
        waits.append(simulate(shipped("county"), plan).state("first_review").wait.mean)
    assert all(later <= earlier * 1.05 for earlier, later in pairwise(waits))
    assert waits[-1] < waits[0] / 4


def test_more_people_do_not_change_the_way_of_a_text() -> None:
    plan = Plan(texts=300, probabilities={"recall": 0.1})
    few = simulate(shipped("simple"), plan)
    many = simulate(shipped("simple"), replace(plan, staff={"approver": 7}))
    assert few.rounds == many.rounds
    assert few.state("submitted").service.mean == pytest.approx(many.state("submitted").service.mean)


# --- every definition -----------------------------------------------------------------------------------------------

chances = st.sampled_from((0.0, 0.3, 1.0))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(made=definitions(), seed=st.integers(0, 99), share=chances, chance=chances)
def test_every_text_ends_or_is_noted(made: Definition, seed: int, share: float, chance: float) -> None:
    backs = {item.action for item in made.transitions if item.resume or item.action in ("fail", "undo", "recall")}
    given_chances = {action: chance / len(backs) for action in sorted(backs)}
    plan = Plan(texts=5, seed=seed, direct=share, probabilities=given_chances)
    seen: list[int] = []
    report = simulate(made, plan, seen.append)
    assert ended(report) == report.texts == 5
    assert seen == [1, 2, 3, 4, 5]
    assert sum(count for _, count in report.rounds) == report.finished == report.cycle.count
    assert all(role.utilisation is None or 0 <= role.utilisation <= 1 + 1e-9 for role in report.roles)
    for state in report.states:
        assert (
            state.queue_mean * report.days == pytest.approx(state.wait.count * state.wait.mean)
            or made.states[state.name].sign
        )
        assert state.service.count <= state.wait.count
    assert sum(role.handled for role in report.roles) == sum(state.service.count for state in report.states)
    assert simulate(made, plan) == report


@pytest.mark.parametrize("name", ["simple", "standard", "county"])
def test_shipped_definitions_lose_no_text(name: str) -> None:
    report = simulate(shipped(name), Plan(texts=100, arrivals=Arrivals(batch=20, every=5)))
    assert (report.finished, report.stopped) == (100, ())
    given_back = json.loads(json.dumps(report.to_json()))
    assert given_back["rounds"] == {str(number): count for number, count in report.rounds}
    assert given_back["bottleneck"]["sentence"] == report.bottleneck.sentence
    assert len(given_back["states"]) == len(report.states)


def test_department_roles_have_as_many_people_as_it_takes_unless_told() -> None:
    report = simulate(shipped("simple"), Plan(texts=50))
    assert (report.role("drafter").staff, report.state("draft").wait.max) == (None, 0.0)
    assert "经办人、部门负责人、公开" in report.notes[1]
    told = simulate(shipped("simple"), Plan(texts=50, staff={"drafter": 1}))
    assert told.state("draft").wait.max > 0
    assert "经办人" not in told.notes[1]


def told_by_another_process(program: str, hash_seed: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", f"import json\n{program}\nprint(json.dumps(simulate(made, plan).to_json()))"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_the_same_seed_gives_the_same_numbers_whatever_the_hash_seed() -> None:
    program = """
from importlib.resources import files
from workflow.simulation import simulate
from workflow.simulation_plan import Arrivals, Plan
from workflow.source import parse_definition
made = parse_definition(files("workflow").joinpath("definitions/county.yaml").read_text("utf-8"))
plan = Plan(texts=40, arrivals=Arrivals(rate=4.0), probabilities={"recall": 0.2}, seed=9)
"""
    plan = Plan(texts=40, arrivals=Arrivals(rate=4.0), probabilities={"recall": 0.2}, seed=9)
    here = json.loads(json.dumps(simulate(shipped("county"), plan).to_json()))
    assert told_by_another_process(program, "1") == told_by_another_process(program, "2") == here
    assert simulate(shipped("county"), replace(plan, seed=10)).cycle != simulate(shipped("county"), plan).cycle


def test_contents_are_chosen_alike_whatever_the_hash_seed() -> None:
    divided = one_desk().model_dump(mode="json", by_alias=True)
    divided["kind"] = "simulated"
    way = divided["transitions"][0]
    ways = ["area == '甲' and size > 3", "size > 3", "area in ('乙', '丙') and urgent"]
    divided["states"]["other"] = divided["states"]["desk"]
    divided["transitions"] = [{**way, "when": text, "to": "other"} for text in ways]
    divided["transitions"] += [{**way, "when": "size <= 3"}, {**way, "action": "close", "from": ["other"]}]
    program = f"""
from workflow.definition import Definition
from workflow.facts import Fact, register_facts
from workflow.simulation import simulate
from workflow.simulation_plan import Plan
register_facts(
    "simulated", {{"area": Fact("地区", "text"), "size": Fact("规模"), "urgent": Fact("紧急", "flag")}}, lambda *_: {{}}
)
made = Definition.model_validate({divided!r})
plan = Plan(texts=60)
"""
    found = [told_by_another_process(program, hash_seed) for hash_seed in ("1", "2", "3")]
    assert found[0] == found[1] == found[2]
    visited = {state["name"]: state["wait"]["count"] for state in found[0]["states"]}
    assert visited["desk"] == 60 > visited["other"] > 0
    assert "按内容分流的各种情形按相同概率计算" in found[0]["notes"]


# --- what is given --------------------------------------------------------------------------------------------------


def test_what_is_given_is_read() -> None:
    assert parse_arrivals("all at once") == Arrivals()
    assert parse_arrivals("40 per day") == Arrivals(rate=40.0)
    assert parse_arrivals("12.5 per week") == Arrivals(rate=2.5)
    assert parse_arrivals("batch 50 every 5 working days") == Arrivals(batch=50, every=5)
    assert parse_arrivals("batch 50 every working day") == Arrivals(batch=50, every=1)
    assert parse_staff(["reviewer=3", "approver=1"]) == {"reviewer": 3, "approver": 1}
    assert parse_service(["second_review=2h", "a=0.5d", "b=30m"]) == {"second_review": 0.25, "a": 0.5, "b": 0.0625}
    assert parse_probabilities(["return=0.3", "reject=1"]) == {"return": 0.3, "reject": 1.0}


@pytest.mark.parametrize(
    "text",
    ["", "0 per day", "-1 per day", "nan per day", "1e3 per day", "batch 0 every 5 working days", "40 per month"],
)
def test_arrivals_that_nobody_can_read_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"无法识别；应写成“all at once”"):
        parse_arrivals(text)


@pytest.mark.parametrize(
    ("parse", "items", "message"),
    [
        (parse_staff, ["reviewer"], "应写成“reviewer=3”"),
        (parse_staff, ["reviewer=0"], "至少 1 人"),
        (parse_staff, ["reviewer=1.5"], "至少 1 人"),
        (parse_staff, ["reviewer=1", "reviewer=2"], "写了两次"),
        (parse_staff, ["=2"], "无法识别"),
        (parse_service, ["a=2"], "办理用时"),
        (parse_service, ["a=0h"], "办理用时"),
        (parse_probabilities, ["return=1.5"], "0 和 1 之间"),
        (parse_probabilities, ["return=x"], "0 和 1 之间"),
    ],
)
def test_items_that_nobody_can_read_are_refused(parse: Any, items: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(items)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"staff": {"nobody": 1}}, "没有角色“nobody”；可以用 drafter、department_head、publisher、approver"),
        ({"service": {"nowhere": 1.0}}, "没有环节或角色“nowhere”；可以用 draft"),
        ({"probabilities": {"nothing": 0.5}}, "没有动作“nothing”；可以用 submit、recall"),
        ({"texts": 0}, "文本数应在 1"),
        ({"arrivals": Arrivals(rate=0.0)}, "应大于 0"),
        ({"arrivals": Arrivals(batch=0, every=0)}, "应大于 0"),
        ({"staff": {"approver": 0}}, "至少 1 人"),
        ({"service": {"draft": math.inf}}, "应大于 0"),
        ({"probabilities": {"return": -0.1}}, "概率应在"),
        ({"direct": 2.0}, "概率应在"),
        ({"start": date(2026, 1, 4)}, "不是工作日"),
        ({"probabilities": {"return": 0.6, "approve": 0.6}}, "合计 1.2，超过 1"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused(members: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(shipped("simple"), replace(Plan(texts=1), **members))
