"""A text, a cast of people and a situation without a database; the standard definition with guards of the tests."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, cast

from transitions import Machine

from models.engine import Work
from models.errors import GuardFailed
from workflow.authority import authorize
from workflow.definition import Definition, Transition
from workflow.guards import _REGISTRY, UNANSWERED, Guard, Judge
from workflow.machine import advance, compile_machine
from workflow.moves import move, targets
from workflow.situation import Actor, Authority, LastStep, Objection, Part, Reply, Situation, Standing, TextRow, Turn
from workflow.source import parse_definition
from workflow.statements import READ_LAST_STEP

NOW = datetime(2026, 2, 13, 8, 0, tzinfo=UTC)
DEPARTMENT, FINANCE = "org-department", "org-finance"
SOURCE = files("workflow").joinpath("definitions/standard.yaml").read_text("utf-8")
STANDARD: Definition = parse_definition(SOURCE)
TEXT = TextRow(
    id="t1",
    kind="budget",
    fiscal_year=2026,
    title="文本",
    organization_id=DEPARTMENT,
    reviewing_id=FINANCE,
    definition_id="d1",
    state="draft",
    round=1,
    row_version=1,
    current_version=1,
    current_hash="h1",
    submitted_hash=None,
    approved_version=None,
    approved_hash=None,
    published_version=None,
)


class FakeWork:
    """A work without a database: ``rows`` are the opinions that wait for an answer, ``last`` is the text's newest step."""

    def __init__(self, rows: tuple[tuple[Any, ...], ...] = (), last: LastStep | None = None) -> None:
        self._rows = rows
        self._last = last

    def rows(self, prepared: Any, **_values: Any) -> list[tuple[Any, ...]]:
        return list(self._rows) if prepared is UNANSWERED else []

    def one(self, prepared: Any, **_values: Any) -> tuple[Any, ...] | None:
        return self._last if prepared is READ_LAST_STEP else None


def fake_work(*rows: tuple[Any, ...], last: LastStep | None = None) -> Work:
    return cast("Work", FakeWork(rows, last))


def turn(role: str, **members: Any) -> Turn:
    """An open task of a role."""
    made = Turn("task", "", role, DEPARTMENT if STANDARD.side(role) == "department" else FINANCE, None, None, NOW, None)
    return made._replace(**members)


def step(action: str, account_id: str, **members: Any) -> LastStep:
    """A text's newest step, after which nothing happened."""
    made = LastStep(1, action, "draft", "submitted", 1, 1, account_id, None, "submitter", None, "{}", "e1")
    return made._replace(**members)


@contextlib.contextmanager
def guards(judges: Mapping[str, Judge]) -> Iterator[None]:
    """The registry with guards of a test, whoever has registered what before; as it was afterwards."""
    before = dict(_REGISTRY)
    _REGISTRY.update({name: Guard(name, name, judge) for name, judge in judges.items()})
    try:
        yield
    finally:
        _REGISTRY.clear()
        _REGISTRY.update(before)


def compiled(definition: Definition = STANDARD, **judges: Judge) -> Machine:
    """A machine of the test's own: the shared ones of ``machine_for`` belong to the application's guards."""
    with guards({"text_complete": lambda _: (), **judges}):
        return compile_machine(definition)


def named(action: str, state: str, definition: Definition = STANDARD) -> Transition:
    found = definition.transition(action, state)
    assert found is not None
    return found


def situation(
    text: TextRow,
    transition: Transition,
    *,
    work: Work | None = None,
    definition: Definition = STANDARD,
    actor: str = "somebody",
    parts: tuple[Part, ...] = (),
    task_role: str | None = None,
    turns: tuple[Turn, ...] = (),
    target: str | None = None,
    reason: str | None = "理由",
    objections: tuple[Objection, ...] = (Objection("/projects/p1", "必改", "不完整"),),
    replies: Mapping[str, Reply] | None = None,
) -> Situation:
    return Situation(
        work or fake_work(),
        text,
        definition,
        transition,
        Actor(actor, DEPARTMENT),
        parts,
        turns or ((turn(task_role),) if task_role else ()),
        NOW,
        reason,
        objections,
        replies or {},
        Authority((), None, transition.by),
        target or transition.target,
    )


class Desk:
    """A text on its way, moved by the rules alone: who may act, the machine, and what a transition does to the row."""

    def __init__(self, machine: Machine, definition: Definition = STANDARD) -> None:
        self.machine = machine
        self.definition = definition
        self.text = TEXT._replace(state=definition.initial)
        self.parts: set[Part] = {Part("drafter", "drafter", 1)}
        self.done: list[str] = []
        self.last: LastStep | None = None
        task = definition.states[definition.initial].task
        self.task_role = task.role if task else None

    def standing(self, person: str) -> Standing:
        """A person is named by the role that they hold; a name like ``approver-2`` is another person of that role."""
        role = person.partition("-")[0]
        side = DEPARTMENT if self.definition.side(role) == "department" else FINANCE
        return Standing(True, frozenset({(role, side)}))

    def reasons(self, person: str, action: str, standing: Standing | None = None) -> list[str] | None:
        """Why a person may not act; None where the action does not exist here."""
        transition = self.definition.transition(action, self.text.state)
        if transition is None:
            return None
        standing = standing or self.standing(person)
        actor = Actor(person, DEPARTMENT)
        return list(self.authority(transition, actor, standing).reasons)

    def authority(self, transition: Transition, actor: Actor, standing: Standing) -> Authority:
        turns = (turn(self.task_role),) if self.task_role else ()
        return authorize(self.definition, transition, self.text, actor, standing, self.parts, turns, self.last)

    def act(self, person: str, action: str, standing: Standing | None = None) -> bool:
        """Whether the action was possible; raises GuardFailed where a guard refuses."""
        if self.reasons(person, action, standing) != []:
            return False
        transition = named(action, self.text.state, self.definition)
        authority = self.authority(transition, Actor(person, DEPARTMENT), standing or self.standing(person))
        where = targets(transition, self.text.position)
        made = situation(
            self.text,
            transition,
            work=fake_work(last=self.last),
            target=where[0],
            definition=self.definition,
            actor=person,
            parts=tuple(self.parts),
            task_role=self.task_role,
        )
        target = advance(self.machine, made)
        self.parts.add(Part(person, authority.capacity, self.text.round + transition.next_round))
        text = self.text
        position = move(self.definition, transition, text.position, target, "restart")
        self.text = text._replace(
            state=target,
            round=text.round + transition.next_round,
            row_version=text.row_version + 1,
            submitted_hash=text.current_hash if transition.freeze else text.submitted_hash,
            approved_version=text.current_version if transition.approves else text.approved_version,
            approved_hash=text.current_hash if transition.approves else text.approved_hash,
            published_version=text.current_version if transition.publishes else text.published_version,
            path=" ".join(position.path),
            step=text.step + 1,
            visit=text.step + 1,
        )
        self.last = step(action, person, source=text.state, target=target, row_version=self.text.row_version)
        rule = transition.task or self.definition.states[target].task
        self.task_role = rule.role if rule else None
        self.done.append(action)
        return True

    def tries(self, person: str, action: str, standing: Standing | None = None) -> bool:
        """Whether the action was possible, guards included; a guard that refuses has its reasons."""
        try:
            return self.act(person, action, standing)
        except GuardFailed as error:
            if not error.reasons:
                raise
            return False

    def edit(self, person: str) -> None:
        """A new content, as ``revise`` leaves the row: what was submitted or approved is void."""
        version = self.text.current_version + 1
        self.parts.add(Part(person, "editor", self.text.round))
        self.text = self.text._replace(
            row_version=self.text.row_version + 1,
            current_version=version,
            current_hash=f"h{version}",
            submitted_hash=None,
            approved_version=None,
            approved_hash=None,
        )
