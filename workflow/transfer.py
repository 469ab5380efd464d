"""The move of one text to another definition: what a plan without obstacles says, written in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from audit.events import Act
from audit.recorder import Recorder
from models.engine import Work
from workflow.definition import MIGRATE, Definition, Transition
from workflow.migration import Case, Migration, Plan, name_of
from workflow.records import actions_on_content, parts_of, tasks_now, turns_of, votes_of
from workflow.situation import Actor, Authority, Situation, TextRow
from workflow.steps import VOID, close_tasks, insert_step, move_text
from workflow.tasks import Opened, Wish, insert_task, open_tasks


def gather(work: Work, migration: Migration, text: TextRow) -> Case:
    """What a plan needs to know of a text."""
    done = actions_on_content(work, text.id, text.current_hash)
    votes = votes_of(work, text.id, text.visit) if migration.old.states[text.state].sign else ()
    return Case(text, parts_of(work, text.id), turns_of(work, text.id), len(votes), done)


def migrate(
    work: Work,
    migration: Migration,
    case: Case,
    planned: Plan,
    *,
    actor: Actor,
    role: str,
    recorder: Recorder,
    now: datetime,
    bulk: Mapping[str, Any] | None = None,
) -> str:
    """Writes what a plan says of a text that the caller has locked; the event's id.

    Nothing is delivered: the people whose turn it is are the same as a rule, and a thousand messages would tell them nothing.
    """
    text, old, new = case.text, migration.old, migration.new
    moved = text._replace(
        definition_id=migration.new_id,
        state=planned.target,
        path=" ".join(planned.path),
        resume=planned.resume,
        row_version=text.row_version + 1,
        step=text.step + 1,
        visit=text.step + 1,
    )
    situation = Situation(
        work,
        text,
        new,
        Transition(action=MIGRATE, title="更换流程版本", sources=(text.state,), target=planned.target, by=role),
        actor,
        case.parts,
        case.turns,
        now,
        authority=Authority((), role, role),
        target=planned.target,
    )
    move_text(work, text, moved, situation)
    close_tasks(work, situation, VOID)
    _open(work, new, moved, planned, now)
    changes: list[tuple[str, Any, Any]] = [
        ("/definition", _pinned(old, migration.old_sha), _pinned(new, migration.new_sha)),
        ("/state", text.state, planned.target),
        ("/path", text.path, moved.path),
        ("/resume", text.resume, moved.resume),
        ("/votes", case.votes, 0),
    ]
    recorded = recorder.write(
        work,
        Act.DEFINITION_MIGRATE,
        actor=actor.account_id,
        role=role,
        obj=("text", text.id),
        now=now,
        after=text.current_hash,
        details=[item for item in changes if item[0] in ("/definition", "/state") or item[1] != item[2]],
        wf={
            "from": text.state,
            "to": planned.target,
            "round": text.round,
            "step": moved.step,
            "tasks": tasks_now(work, text.id),
            "definition": _pinned(new, migration.new_sha),
        },
        bulk=bulk,
    )
    insert_step(situation, moved, recorded.event_id, action=MIGRATE)
    return recorded.event_id


def _open(work: Work, definition: Definition, moved: TextRow, planned: Plan, now: datetime) -> None:
    """The tasks of the new state: those that go on with their persons, since when and until when, the others from now."""
    fresh = []
    persons: dict[str, str] = {}
    rule = planned.rule or definition.states[moved.state].task
    for seat in planned.seats:
        turn = planned.kept.get(seat.key)
        if turn is None or (turn.due_on is None and turn.owner_id is None and rule is not None and rule.due):
            fresh.append(seat)
            if turn is not None and turn.assignee_id is not None:
                persons[seat.key] = turn.assignee_id
            continue
        opened = Opened(seat.role, turn.organization_id, turn.assignee_id, turn.due_on)
        # Documents are dated by the day on which their task was opened: a migration must not make them new.
        insert_task(work, moved, seat.key, opened, turn.opened_at, owner_id=turn.owner_id)
    if fresh:
        open_tasks(work, definition, moved, now, rule=planned.rule, seats=fresh, wish=Wish(persons=persons))


def _pinned(definition: Definition, sha: str) -> str:
    return f"{name_of(definition)}:{sha}"
