"""Walks over the standard definition by the rules alone: authority, guards and machine, without a database."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from workflow_cases import STANDARD, Desk, compiled

from models.errors import GuardFailed

MACHINE = compiled()
ACTIONS = sorted({item.action for item in STANDARD.transitions})
PEOPLE = [*STANDARD.roles, "reviewer-2", "approver-2", "department_head-2"]


class Walk(RuleBasedStateMachine):
    """Anybody tries anything, in any order; edits come in between."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(MACHINE)
        self.edits = 0

    @rule(person=st.sampled_from(PEOPLE), action=st.sampled_from(ACTIONS))
    def act(self, person: str, action: str) -> None:
        before = self.desk.text
        moved = self.desk.tries(person, action)
        if moved:
            transition = STANDARD.transition(action, before.state)
            assert transition is not None
            assert self.desk.text.state == transition.target
            assert self.desk.text.row_version == before.row_version + 1
        else:
            assert self.desk.text == before

    @rule(action=st.sampled_from(ACTIONS))
    def act_with_every_role(self, action: str) -> None:
        # One person with all roles: what separates the duties is then only what the person did before.
        everything = self.desk.standing("drafter").grants.union(
            *(self.desk.standing(role).grants for role in STANDARD.roles)
        )
        standing = type(self.desk.standing("drafter"))(True, everything)
        self.desk.tries("everyman", action, standing)

    @precondition(lambda self: STANDARD.states[self.desk.text.state].editable)
    @rule()
    def edit(self) -> None:
        self.desk.edit("drafter")

    @invariant()
    def approval_is_for_the_current_content(self) -> None:
        text = self.desk.text
        if text.state in ("approved", "published"):
            assert text.approved_hash == text.current_hash == text.submitted_hash
            assert "approve" in self.desk.done

    @invariant()
    def published_was_approved_before(self) -> None:
        if self.desk.text.state == "published":
            assert self.desk.done[-2:] == ["approve", "publish"]
            assert self.desk.text.published_version == self.desk.text.approved_version

    @invariant()
    def duties_are_separate(self) -> None:
        groups = [
            {part.account_id for part in self.desk.parts if part.capacity in group} for group in STANDARD.separate
        ]
        everybody = [person for group in groups for person in group]
        assert len(everybody) == len(set(everybody))

    @invariant()
    def somebody_has_the_task_until_the_end(self) -> None:
        assert (self.desk.task_role is None) == STANDARD.states[self.desk.text.state].final

    @invariant()
    def rounds_count_resubmissions(self) -> None:
        returned = self.desk.done.count("return")
        assert self.desk.text.round in (returned, returned + 1)


TestWalk = Walk.TestCase
TestWalk.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)

STRAIGHT = [
    ("department_head", "submit"),
    ("reviewer", "accept"),
    ("reviewer", "pass"),
    ("second_reviewer", "pass"),
    ("approver", "approve"),
    ("publisher", "publish"),
]


def test_straight_way_reaches_publication() -> None:
    desk = Desk(MACHINE)
    assert [desk.act(*step) for step in STRAIGHT] == [True] * 6
    assert desk.text.state == "published"


@pytest.mark.parametrize("left_out", [0, 1, 2, 4, 5])
def test_no_step_before_publication_can_be_left_out(left_out: int) -> None:
    desk = Desk(MACHINE)
    for step in STRAIGHT[:left_out] + STRAIGHT[left_out + 1 :]:
        desk.tries(*step)
    assert desk.text.state != "published"


def test_the_approver_may_act_before_the_second_review_has_ended() -> None:
    # Decision 0003; the integration tests hold that the history shows it.
    desk = Desk(MACHINE)
    assert all(desk.act(*step) for step in STRAIGHT[:3] + STRAIGHT[4:])
    assert desk.text.state == "published"


def reached() -> dict[str, list[str]]:
    """Every state that people can bring a text into, with a shortest way."""
    found: dict[str, list[str]] = {}
    waiting: list[list[tuple[str, str]]] = [[]]
    seen: set[tuple[str, str | None]] = set()
    while waiting:
        way = waiting.pop(0)
        desk = Desk(MACHINE)
        for step in way:
            assert desk.act(*step)
        here = (desk.text.state, desk.task_role)
        if here in seen:
            continue
        seen.add(here)
        found.setdefault(desk.text.state, desk.done)
        for person in STANDARD.roles:
            for action in ACTIONS:
                trial = Desk(MACHINE)
                for step in way:
                    trial.act(*step)
                if trial.tries(person, action):
                    waiting.append([*way, (person, action)])
    return found


def test_every_state_is_reachable_and_none_is_a_trap() -> None:
    ways = reached()
    assert set(ways) == set(STANDARD.states)
    assert ways["published"][-2:] == ["approve", "publish"]
    for name, state in STANDARD.states.items():
        assert bool(STANDARD.leaving(name)) is not state.final


def test_approval_falls_with_an_edit() -> None:
    desk = Desk(MACHINE)
    for step in STRAIGHT[:5]:
        assert desk.act(*step)
    desk.edit("drafter")  # no state allows it; the guard holds even so
    with pytest.raises(GuardFailed, match="批复已失效"):
        desk.act("publisher", "publish")


def test_recall_ends_when_the_text_is_accepted() -> None:
    desk = Desk(MACHINE)
    assert desk.act("department_head", "submit")
    assert desk.act("department_head", "recall")
    assert desk.text.state == "draft"
    assert desk.act("department_head", "submit")
    assert desk.act("reviewer", "accept")
    assert desk.reasons("department_head", "recall") is None


def test_return_by_the_approver_after_both_reviews() -> None:
    desk = Desk(MACHINE)
    for step in STRAIGHT[:4]:
        assert desk.act(*step)
    assert not desk.act("second_reviewer", "return")
    assert desk.act("approver", "return")
    assert (desk.text.state, desk.task_role, desk.text.round) == ("revision", "drafter", 1)
    assert desk.act("department_head", "submit")
    assert desk.text.round == 2
