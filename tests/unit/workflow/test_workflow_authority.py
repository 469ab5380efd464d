from __future__ import annotations

import itertools
from importlib.resources import files
from typing import Any

import pytest
from workflow_cases import DEPARTMENT, FINANCE, STANDARD, TEXT, named, turn

from models.people import ADMINISTRATORS, Role
from workflow.authority import authorize, barred, may_hold, organization_for, pick, separation_reasons, whom
from workflow.situation import Actor, Authority, Hat, LastStep, Part, Standing, Turn
from workflow.source import parse_definition

ME = Actor("me", DEPARTMENT)
SIDES = {role: DEPARTMENT if rule.of == "department" else FINANCE for role, rule in STANDARD.roles.items()}
# (action, state) and the role whose task lies open there: who may act, written out by hand from the process.
WHO = {
    ("submit", "draft", "drafter"): "department_head",
    ("submit", "revision", "drafter"): "department_head",
    ("accept", "submitted", "reviewer"): "reviewer",
    ("return", "submitted", "reviewer"): "reviewer",
    ("return", "first_review", "reviewer"): "reviewer",
    ("return", "second_review", "second_reviewer"): "second_reviewer",
    ("return", "second_review", "approver"): "approver",
    ("pass", "first_review", "reviewer"): "reviewer",
    ("pass", "second_review", "second_reviewer"): "second_reviewer",
    ("approve", "second_review", "approver"): "approver",
    ("publish", "approved", "publisher"): "publisher",
}
# The capacity in which each of them takes part.
CAPACITY = {"department_head": "submitter"}
GROUPS = {"drafter": 0, "editor": 0, "submitter": 0, "reviewer": 1, "second_reviewer": 2, "approver": 3}


def standing(*grants: tuple[str, str], active: bool = True) -> Standing:
    return Standing(active, frozenset(grants))


def may(case: tuple[str, str, str], held: Standing, parts: list[Part] | None = None, actor: Actor = ME) -> list[str]:
    action, state, task_role = case
    text = TEXT._replace(state=state)
    return refused(named(action, state), text, actor, held, parts or [], task_role)


def refused(transition: Any, text: Any, actor: Actor, held: Standing, parts: Any, task_role: str | None) -> list[str]:
    turns = (turn(task_role),) if task_role else ()
    return list(authorize(STANDARD, transition, text, actor, held, parts, turns).reasons)


def test_table_covers_the_definition() -> None:
    pairs = {(item.action, source) for item in STANDARD.transitions for source in item.sources}
    assert {(action, state) for action, state, _ in WHO} | {("recall", "submitted")} == pairs


@pytest.mark.parametrize("role", sorted(STANDARD.roles))
@pytest.mark.parametrize("case", sorted(WHO), ids="-".join)
def test_only_the_role_of_the_step_may_act(case: tuple[str, str, str], role: str) -> None:
    reasons = may(case, standing((role, SIDES[role])))
    if role == WHO[case]:
        assert reasons == []
    else:
        title = STANDARD.roles[WHO[case]].title
        assert len(reasons) == 1
        assert title in reasons[0]


@pytest.mark.parametrize("case", sorted(WHO), ids="-".join)
def test_role_counts_only_in_the_organization_of_the_text(case: tuple[str, str, str]) -> None:
    role = WHO[case]
    other = FINANCE if SIDES[role] == DEPARTMENT else DEPARTMENT
    assert may(case, standing((role, "org-elsewhere")))
    assert may(case, standing((role, other)))
    assert may(case, standing())
    assert may(case, standing((role, "org-elsewhere"), (role, SIDES[role]))) == []


@pytest.mark.parametrize("case", sorted(WHO), ids="-".join)
def test_disabled_account_may_do_nothing(case: tuple[str, str, str]) -> None:
    role = WHO[case]
    assert may(case, standing((role, SIDES[role]), active=False)) == ["您的账号已停用"]


@pytest.mark.parametrize("administrator", sorted(ADMINISTRATORS))
@pytest.mark.parametrize("case", sorted(WHO), ids="-".join)
def test_administrator_may_do_nothing_whatever_else_they_hold(case: tuple[str, str, str], administrator: Role) -> None:
    role = WHO[case]
    for place in ("org-elsewhere", SIDES[role]):
        reasons = may(case, standing((role, SIDES[role]), (administrator.value, place)))
        assert len(reasons) == 1
        assert "管理员" in reasons[0]


@pytest.mark.parametrize("round_", [1, 2, 7])
@pytest.mark.parametrize("earlier", [*sorted(GROUPS), "publisher", "auditor"])
@pytest.mark.parametrize("case", sorted(WHO), ids="-".join)
def test_person_who_acted_in_another_group_may_not_act(case: tuple[str, str, str], earlier: str, round_: int) -> None:
    role = WHO[case]
    mine = GROUPS.get(CAPACITY.get(role, role))
    theirs = GROUPS.get(earlier)
    clash = mine is not None and theirs is not None and mine != theirs
    reasons = may(case, standing((role, SIDES[role])), [Part("me", earlier, round_)])
    assert bool(reasons) is clash
    if clash:
        assert "不相容" in reasons[0]


@pytest.mark.parametrize("case", sorted(WHO), ids="-".join)
def test_what_others_did_binds_nobody(case: tuple[str, str, str]) -> None:
    role = WHO[case]
    others = [Part("other", capacity, 1) for capacity in GROUPS]
    assert may(case, standing((role, SIDES[role])), others) == []


def test_all_reasons_are_given_at_once() -> None:
    reasons = may(
        ("approve", "second_review", "approver"), standing(), [Part("me", "editor", 1), Part("me", "reviewer", 2)]
    )
    assert len(reasons) == 2
    assert "岗位" in reasons[0]
    assert "修改、初审" in reasons[1] or "初审、修改" in reasons[1]


def test_only_the_submitter_of_the_round_recalls() -> None:
    recall = named("recall", "submitted")
    text = TEXT._replace(state="submitted", round=2)
    head = standing(("department_head", DEPARTMENT))
    for part, allowed in (
        (Part("me", "submitter", 2), True),
        (Part("me", "submitter", 1), False),
        (Part("other", "submitter", 2), False),
        (Part("me", "editor", 2), False),
    ):
        reasons = refused(recall, text, ME, head, [part], "reviewer")
        assert (reasons == []) is allowed, part
    submitter = [Part("me", "submitter", 2)]
    assert refused(recall, text, ME, standing(active=False), submitter, "reviewer") == ["您的账号已停用"]
    former = standing(("drafter", DEPARTMENT))
    assert refused(recall, text, ME, former, submitter, "reviewer") == ["您已不再担任报送的岗位"]
    administers = standing(("audit_administrator", "x"))
    assert "管理员" in refused(recall, text, ME, administers, submitter, "reviewer")[0]


def test_action_of_the_task_holder_needs_a_task() -> None:
    everything = standing(*itertools.product(STANDARD.roles, (DEPARTMENT, FINANCE)))
    text = TEXT._replace(state="submitted")
    assert refused(named("return", "submitted"), text, ME, everything, [], None) == ["当前没有待办任务"]


def test_parts_may_be_read_once_only() -> None:
    parts = (part for part in [Part("me", "reviewer", 1), Part("me", "submitter", 1)])
    head = standing(("department_head", DEPARTMENT))
    text = TEXT._replace(state="submitted")
    reasons = refused(named("recall", "submitted"), text, ME, head, parts, "reviewer")
    assert len(reasons) == 1
    assert "不相容" in reasons[0]


def test_small_questions() -> None:
    assert organization_for(STANDARD, "drafter", TEXT) == DEPARTMENT
    assert organization_for(STANDARD, "approver", TEXT) == FINANCE
    back = named("return", "second_review")
    everything = standing(*itertools.product(STANDARD.roles, (DEPARTMENT, FINANCE)))

    def found(transition: Any, *turns: Turn) -> Authority:
        return authorize(STANDARD, transition, TEXT, ME, everything, [], turns)

    assert (found(back, turn("approver")).role, found(back).role) == ("approver", None)
    assert (found(back, turn("approver")).capacity, found(back).capacity) == ("approver", "task_holder")
    assert found(named("submit", "draft"), turn("drafter")).capacity == "submitter"
    assert found(named("recall", "submitted"), turn("reviewer")).capacity == "submitter"
    assert whom(STANDARD, back, [turn("second_reviewer")]) == "复审"
    assert whom(STANDARD, back) == "当前任务的岗位"
    assert whom(STANDARD, named("recall", "submitted"), [turn("reviewer")]) == "本轮报送人"
    assert whom(STANDARD, named("submit", "draft"), [turn("drafter")]) == "部门负责人"
    assert separation_reasons(STANDARD, "publisher", "me", [Part("me", "approver", 1)]) == []


MINE = frozenset({("reviewer", FINANCE)})


@pytest.mark.parametrize(
    ("task", "grants", "able"),
    [
        (turn("reviewer"), MINE, True),
        (turn("reviewer"), frozenset(), False),
        (turn("reviewer", assignee_id="me"), MINE, True),
        (turn("reviewer", assignee_id="me"), frozenset(), False),  # the role was withdrawn meanwhile
        (turn("reviewer", assignee_id="other"), MINE, False),
        (turn("reviewer", assignee_id="me", owner_id="other"), MINE, False),
        (turn("reviewer", assignee_id="other", owner_id="me"), MINE, False),
        (turn("reviewer", seat="+1", assignee_id="me"), frozenset(), True),
        (turn("reviewer", seat="+1", assignee_id="other"), MINE, False),
        (turn("reviewer", organization_id="org-elsewhere"), MINE, False),
    ],
)
def test_a_task_is_for_its_person_or_for_its_pool(task: Turn, grants: frozenset[tuple[str, str]], able: bool) -> None:
    assert may_hold(task, Hat("me", None, grants)) is able


def test_an_added_seat_is_lent_with_everything_or_in_its_role() -> None:
    added = turn("reviewer", seat="+1", assignee_id="principal")
    for whole, grants, able in ((True, frozenset(), True), (False, frozenset(), False), (False, MINE, True)):
        assert may_hold(added, Hat("principal", "principal", grants, whole)) is able


def test_the_own_task_comes_before_one_of_the_pool() -> None:
    own, pool = turn("reviewer", task_id="own", assignee_id="me"), turn("reviewer", task_id="pool")
    assert pick([pool, own], Hat("me", None, MINE)) is own
    assert pick([pool], Hat("me", None, MINE)) is pool
    assert pick([], Hat("me", None, MINE)) is None


def test_a_claimed_task_is_left_to_who_claimed_it() -> None:
    held = standing(("reviewer", FINANCE))
    text = TEXT._replace(state="submitted")
    for action in ("accept", "return"):
        taken = (turn("reviewer", assignee_id="other"),)
        reasons = authorize(STANDARD, named(action, "submitted"), text, ME, held, [], taken).reasons
        assert reasons == ("任务已由别人签收，或已指定别人办理",)


def test_who_stands_in_acts_with_both_names_and_both_are_bound() -> None:
    lent = Standing(True, frozenset(), (("principal", frozenset({("reviewer", FINANCE)})),))
    text = TEXT._replace(state="submitted")
    accept = named("accept", "submitted")

    def found(*parts: Part) -> Authority:
        return authorize(STANDARD, accept, text, ME, lent, parts, (turn("reviewer"),))

    assert (found().reasons, found().principal_id, found().capacity) == ((), "principal", "reviewer")
    assert "没有这个岗位" in found(Part("me", "editor", 1)).reasons[0]
    clash = barred(STANDARD, "reviewer", ME, "principal", [Part("me", "editor", 1), Part("principal", "approver", 1)])
    assert [reason[:3] for reason in clash] == ["您已参", "被代理"]
    # In one's own right before standing in for another.
    both = Standing(True, frozenset({("reviewer", FINANCE)}), lent.principals)
    assert authorize(STANDARD, accept, text, ME, both, [], (turn("reviewer"),)).principal_id is None


def test_only_who_did_the_last_step_takes_it_back() -> None:
    county = parse_definition(files("workflow").joinpath("definitions/county.yaml").read_text("utf-8"))
    recall = county.candidates("recall", "first_review")[0]
    last = LastStep(2, "accept", "submitted", "first_review", 3, 2, "me", "principal", "reviewer", None, "{}", "e")
    text = TEXT._replace(state="first_review")
    for actor, reasons in (("me", 0), ("principal", 0), ("other", 1)):
        held = standing(("reviewer", FINANCE))
        found = authorize(county, recall, text, Actor(actor, FINANCE), held, [], (turn("reviewer"),), last)
        assert len(found.reasons) == reasons
        assert found.capacity == "reviewer"
        gone = authorize(county, recall, text, Actor(actor, FINANCE), standing(), [], (turn("reviewer"),), last)
        assert len(gone.reasons) == 1
    assert authorize(county, recall, text, ME, standing(), [], (turn("reviewer"),)).reasons
