"""Telling people about a text that does not move: 催办 (once a day and task), 抄送, and reports of overdue tasks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from audit.acts import Act
from models.base import SHANGHAI
from models.errors import Conflict, GuardFailed
from workflow import statements as sql
from workflow.authority import organization_for
from workflow.definition import SUBMITTER, Definition
from workflow.effects import Recipient
from workflow.handling import Case, named, only, refused, require_able, title_of, write
from workflow.situation import Actor, Turn

URGED = "urge"
OVERDUE = "overdue"


def remind(case: Case, *, task: str | None = None, seat: str | None = None) -> dict[str, Any]:
    """Urges whoever's turn it is, by anybody concerned whose turn it is not.

    Raises Conflict where the task was urged today (Shanghai); ``facts["again"]`` is the day from which it may be again.
    """
    act = Act.TASK_REMIND
    _require_concerned(case, act)
    others = [turn for turn in named(case, task, seat) if not _is_mine(case, turn)]
    if not others:
        raise GuardFailed("不能催办：现在轮到您自己办理。", ["现在轮到您自己办理"])
    turn = only(case, others)
    today = case.now.astimezone(SHANGHAI).date()
    if not _note(case, turn, URGED, today.isoformat()):
        again = (today + timedelta(days=1)).isoformat()
        raise Conflict(
            f"这项任务今天已经催办过，每天只能催办一次；{again} 起可以再催。", task=turn.task_id, again=again
        )
    event_id = write(
        case,
        act,
        role=_capacity(case),
        details=[(f"/tasks/{turn.seat or turn.role}/urged", None, today.isoformat())],
        recipients=[Recipient(turn.role, turn.organization_id, turn.assignee_id)],
    )
    return {
        "text": case.text.id,
        "task": turn.task_id,
        "seat": turn.seat,
        "role_title": title_of(case, turn),
        "due": turn.due_on,
        "event_id": event_id,
    }


def copy(case: Case, to: Iterable[Actor]) -> dict[str, Any]:
    """Copies the text to accounts that may read it (the caller has checked); who has a copy gets no second one.

    ``event_id`` is None where nobody was new, and then nothing was written.
    """
    act = Act.TEXT_COPY
    _require_concerned(case, act)
    known = {row[0] for row in case.work.rows(sql.READ_COPIES, text_id=case.text.id)}
    new = [actor for actor in dict.fromkeys(to) if actor.account_id not in known]
    for actor in new:
        case.work.run(
            sql.INSERT_COPY, text_id=case.text.id, account_id=actor.account_id, sent_by=case.me, created_at=case.now
        )
    event_id = None
    if new:
        event_id = write(
            case,
            act,
            role=_capacity(case),
            details=[("/copies", None, [actor.account_id for actor in new])],
            recipients=[Recipient("-", actor.organization_id, actor.account_id) for actor in new],
        )
    return {"text": case.text.id, "copied": [actor.account_id for actor in new], "event_id": event_id}


def report_overdue(case: Case, *, role: str) -> list[str]:
    """Reports each task that is past its due day to the head of its role, once for that day; the ids of the events."""
    today = case.now.astimezone(SHANGHAI).date().isoformat()
    out = []
    for turn in case.turns:
        if turn.due_on is None or turn.due_on >= today or not _note(case, turn, OVERDUE, turn.due_on):
            continue
        head = head_of(case, turn)
        event_id = write(
            case,
            Act.TASK_OVERDUE,
            role=role,
            details=[(f"/tasks/{turn.seat or turn.role}/overdue", None, turn.due_on)],
            recipients=[Recipient(head, organization_for(case.definition, head, case.text))],
        )
        out.append(event_id)
    return out


def head_of(case: Case, turn: Turn) -> str:
    """The role that is told of an overdue task."""
    return head_role(case.definition, case.text.state, turn.role)


def head_role(definition: Definition, state: str, role: str) -> str:
    """Who is above a task of a state: the head of its role, whoever submits for an author's, else the role itself."""
    head = definition.roles[role].head
    if head is None and definition.states[state].editable:
        head = next((item.by for item in definition.transitions if item.capacity == SUBMITTER), None)
    return head if head in definition.roles else role


def _note(case: Case, turn: Turn, kind: str, day: str) -> bool:
    """Notes a reminder; False where there is one of this kind and day.

    The text is locked, so nobody comes between the question and the row; the primary key holds whatever happens.
    """
    given = {"task_id": turn.task_id, "kind": kind, "day": day}
    if case.work.one(sql.READ_REMINDER, **given) is not None:
        return False
    case.work.run(sql.INSERT_REMINDER, **given, account_id=case.me, created_at=case.now)
    return True


def _is_mine(case: Case, turn: Turn) -> bool:
    if turn.assignee_id is not None:
        return turn.assignee_id == case.me
    return (turn.role, turn.organization_id) in case.standing.grants


def _require_concerned(case: Case, act: Act) -> None:
    require_able(case, act)
    where = (case.text.organization_id, case.text.reviewing_id)
    involved = any(part.account_id == case.me for part in case.parts)
    if not involved and not any(organization_id in where for _, organization_id in case.standing.grants):
        raise refused(act, ["只有参与过这份文本的人，以及编制部门和审核机关有岗位的人可以办理"])


def _capacity(case: Case) -> str:
    """The role in which somebody concerned is named in the log: one of theirs there, else what they took part in."""
    where = (case.text.organization_id, case.text.reviewing_id)
    held = sorted(role for role, organization_id in case.standing.grants if organization_id in where)
    done = [part.capacity for part in case.parts if part.account_id == case.me]
    return (held or done)[0]
