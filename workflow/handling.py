"""A text at the desk of somebody who handles its tasks without moving it: what is needed to judge, to write and to tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.acts import Act
from audit.recorder import Recorder
from models.engine import Work
from models.errors import Conflict, InvalidInput, NotAllowed
from models.people import ADMINISTRATORS, ROLE_TITLES, Role
from workflow.authority import ADDED, barred, may_hold, organization_for, separation_reasons, unable
from workflow.definition import Definition
from workflow.effects import Moved, Recipient, run_effects
from workflow.records import definition_of, parts_of, seats_of, standing_of, turns_of, votes_of
from workflow.situation import Actor, Part, Standing, TextRow, Turn
from workflow.steps import wf_of

TITLES: dict[Act, str] = {
    Act.TASK_CLAIM: "签收",
    Act.TASK_RELEASE: "退回待签收",
    Act.TASK_REASSIGN: "转办",
    Act.TASK_DELEGATE: "委派",
    Act.TASK_RESOLVE: "办结委派",
    Act.TASK_REMIND: "催办",
    Act.TASK_OVERDUE: "逾期报告",
    Act.SIGNER_ADD: "加签",
    Act.SIGNER_REMOVE: "减签",
    Act.TEXT_COPY: "抄送",
}


@dataclass(frozen=True, slots=True)
class Case:
    """A locked text with its open tasks, as one person finds it; ``sha`` is the hash of its definition."""

    work: Work
    recorder: Recorder
    text: TextRow
    definition: Definition
    sha: str
    actor: Actor
    standing: Standing
    parts: tuple[Part, ...]
    turns: tuple[Turn, ...]
    now: datetime

    @property
    def me(self) -> str:
        """The account of the person."""
        return self.actor.account_id


@dataclass(frozen=True, slots=True)
class Power:
    """As what somebody disposes of a task: a role, and the account for which they stand in."""

    role: str
    principal_id: str | None = None


def case_of(work: Work, text: TextRow, *, actor: Actor, recorder: Recorder, now: datetime) -> Case:
    """The case of a text that the caller has locked.

    A task whose holder has left the role or is disabled counts as one of the pool, so that none is stuck with them.
    """
    definition, sha = definition_of(work, text.definition_id)
    turns = tuple(
        turn._replace(assignee_id=None, owner_id=None) if _abandoned(work, turn, now) else turn
        for turn in turns_of(work, text.id)
    )
    standing = standing_of(work, actor, now)
    return Case(work, recorder, text, definition, sha, actor, standing, parts_of(work, text.id), turns, now)


def _abandoned(work: Work, turn: Turn, now: datetime) -> bool:
    keeper = turn.owner_id or turn.assignee_id
    if keeper is None or turn.seat.startswith(ADDED):
        return False
    return has_left(work, keeper, turn.role, turn.organization_id, now)


def has_left(work: Work, account_id: str, role: str, organization_id: str, now: datetime) -> bool:
    """Whether an account is disabled, or does not hold a role any more."""
    standing = standing_of(work, Actor(account_id, organization_id), now)
    return not standing.active or (role, organization_id) not in standing.grants


def refused(act: Act, reasons: Sequence[str], *, to_whom: str = "") -> NotAllowed:
    """The refusal of an act with all its reasons; it goes into the log, so it names nobody."""
    return NotAllowed(f"不能{TITLES[act]}{to_whom}：{'；'.join(reasons)}。", reasons=list(reasons))


def require_able(case: Case, act: Act) -> None:
    """Raises NotAllowed for a disabled account and for administrators."""
    stop = unable(case.standing)
    if stop:
        raise refused(act, [stop])


def named(case: Case, task: str | None, seat: str | None) -> tuple[Turn, ...]:
    """The open tasks that are meant: that of an id, that of a seat, or all; raises Conflict where none is open."""
    found = tuple(
        turn for turn in case.turns if (task is None or turn.task_id == task) and (seat is None or turn.seat == seat)
    )
    if not found:
        state = case.definition.states[case.text.state].title
        meant = "没有待办的任务" if task is None and seat is None else "没有这项待办的任务，它可能刚刚办结"
        raise Conflict(f"文本现在是“{state}”，{meant}；请重新读取。", state=case.text.state)
    return found


def only(case: Case, turns: Sequence[Turn]) -> Turn:
    """The one task that is left to choose from; raises InvalidInput where there are several."""
    if len(turns) > 1:
        listed = "、".join(f"{turn.seat or turn.role}（{title_of(case, turn)}，{turn.task_id}）" for turn in turns)
        raise InvalidInput(
            f"这份文本有几项任务：{listed}；请用 --seat 或 --task 指定一项。", tasks=[turn.task_id for turn in turns]
        )
    return turns[0]


def title_of(case: Case, turn: Turn) -> str:
    """Chinese title of the role whose turn it is."""
    return case.definition.roles[turn.role].title


def holding(case: Case, turn: Turn) -> tuple[Power | None, list[str]]:
    """As what the person holds a task: in their own right first, else for the first whom they stand in for."""
    first: list[str] = []
    for hat in case.standing.hats(case.me):
        if may_hold(turn, hat):
            reasons = barred(case.definition, turn.role, case.actor, hat.principal_id, case.parts)
            if not reasons:
                return Power(turn.role, hat.principal_id), []
            first = first or reasons
    return None, first


def heading(case: Case, turn: Turn) -> tuple[Power | None, list[str]]:
    """As what the person is above a task: they hold the role that is the head of the task's."""
    head = case.definition.roles[turn.role].head
    return (None, []) if head is None else in_role(case, head)


def in_role(case: Case, role: str) -> tuple[Power | None, list[str]]:
    """As what the person holds a role for the text, their own or one lent to them."""
    held = (role, organization_for(case.definition, role, case.text))
    first: list[str] = []
    for hat in case.standing.hats(case.me):
        if held in hat.grants:
            reasons = barred(case.definition, role, case.actor, hat.principal_id, case.parts)
            if not reasons:
                return Power(role, hat.principal_id), []
            first = first or reasons
    return None, first


def unfit(case: Case, turn: Turn, to: Actor, *, needs_role: bool) -> list[str]:
    """Why a task can't be given to an account: whose it is, what it holds, and what it did on the text."""
    standing = standing_of(case.work, to, case.now)
    reasons = [] if standing.active else ["该账号已停用"]
    if to.organization_id != turn.organization_id:
        reasons.append("该账号不属于办理这项任务的单位")
    reasons += [f"该账号是{ROLE_TITLES[Role(role)]}" for role, _ in sorted(standing.grants) if role in ADMINISTRATORS]
    if needs_role and (turn.role, turn.organization_id) not in standing.grants:
        reasons.append(f"该账号没有“{title_of(case, turn)}”岗位")
    done = separation_reasons(case.definition, turn.role, to.account_id, case.parts)
    if done:
        reasons.append(f"该账号已参与本文本的{'、'.join(done)}，不相容岗位应由不同的人担任")
    return reasons


def seated(case: Case, account_id: str, *, beside: Turn | None = None) -> list[str]:
    """Why an account can't take a seat of the present sign-off, besides one that it may have already."""
    text = case.text
    rule = case.definition.states[text.state].sign
    if rule is None:
        return []
    if any(account_id in (vote.account_id, vote.principal_id) for vote in votes_of(case.work, text.id, text.visit)):
        return ["在本次签署中已经投过票"]
    others = [turn for turn in case.turns if beside is None or turn.task_id != beside.task_id]
    added = {seat.account_id for seat in seats_of(case.work, rule, text.id, text.visit) if seat.account_id}
    if account_id in added or any(account_id in (turn.assignee_id, turn.owner_id) for turn in others):
        return ["在本次签署中已经有席位"]
    return []


def write(
    case: Case,
    act: Act,
    *,
    role: str,
    details: Iterable[tuple[str, Any, Any]],
    recipients: Iterable[Recipient] = (),
    why: str | None = None,
    principal_id: str | None = None,
) -> str:
    """The event of an act and what is told of it; returns the event's id."""
    text = case.text
    recorded = case.recorder.write(
        case.work,
        act,
        actor=case.me,
        role=role,
        obj=("text", text.id),
        now=case.now,
        why=why or None,
        after=text.current_hash,
        details=details,
        wf=wf_of(case.work, case.definition, case.sha, text, text),
        on_behalf_of=principal_id,
    )
    state_title = case.definition.states[text.state].title
    moved = Moved(recorded.event_id, text.id, text.title, act, TITLES[act], text.state, state_title, tuple(recipients))
    run_effects(case.work, moved, case.now)
    return recorded.event_id


def to_person(turn: Turn, account_id: str) -> Recipient:
    """One person, about a task."""
    return Recipient(turn.role, turn.organization_id, account_id)
