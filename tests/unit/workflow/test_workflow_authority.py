from __future__ import annotations

import itertools

import pytest
from workflow_cases import DEPARTMENT, FINANCE, STANDARD, TEXT, named

from models.people import ADMINISTRATORS, Role
from workflow.authority import capacity_of, organization_for, refusals, role_wanted, separation_reasons, whom
from workflow.situation import Actor, Part, Standing

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
    return refusals(STANDARD, named(action, state), text, actor, held, parts or [], task_role)


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
        reasons = refusals(STANDARD, recall, text, ME, head, [part], "reviewer")
        assert (reasons == []) is allowed, part
    submitter = [Part("me", "submitter", 2)]
    assert refusals(STANDARD, recall, text, ME, standing(active=False), submitter, "reviewer") == ["您的账号已停用"]
    former = standing(("drafter", DEPARTMENT))
    assert refusals(STANDARD, recall, text, ME, former, submitter, "reviewer") == ["您已不再担任报送的岗位"]
    administers = standing(("audit_administrator", "x"))
    assert "管理员" in refusals(STANDARD, recall, text, ME, administers, submitter, "reviewer")[0]


def test_action_of_the_task_holder_needs_a_task() -> None:
    everything = standing(*itertools.product(STANDARD.roles, (DEPARTMENT, FINANCE)))
    text = TEXT._replace(state="submitted")
    assert refusals(STANDARD, named("return", "submitted"), text, ME, everything, [], None) == ["当前没有待办任务"]


def test_parts_may_be_read_once_only() -> None:
    parts = (part for part in [Part("me", "reviewer", 1), Part("me", "submitter", 1)])
    head = standing(("department_head", DEPARTMENT))
    text = TEXT._replace(state="submitted")
    reasons = refusals(STANDARD, named("recall", "submitted"), text, ME, head, parts, "reviewer")
    assert len(reasons) == 1
    assert "不相容" in reasons[0]


def test_small_questions() -> None:
    assert organization_for(STANDARD, "drafter", TEXT) == DEPARTMENT
    assert organization_for(STANDARD, "approver", TEXT) == FINANCE
    back = named("return", "second_review")
    assert (role_wanted(back, "approver"), role_wanted(back, None)) == ("approver", None)
    assert (capacity_of(back, "approver"), capacity_of(back, None)) == ("approver", "task_holder")
    assert capacity_of(named("submit", "draft"), "drafter") == "submitter"
    assert capacity_of(named("recall", "submitted"), "reviewer") == "submitter"
    assert whom(STANDARD, back, "second_reviewer") == "复审"
    assert whom(STANDARD, back, None) == "当前任务的岗位"
    assert whom(STANDARD, named("recall", "submitted"), "reviewer") == "本轮报送人"
    assert whom(STANDARD, named("submit", "draft"), "drafter") == "部门负责人"
    assert separation_reasons(STANDARD, "publisher", ME, [Part("me", "approver", 1)]) == []
