"""Taking a step: everything that a transition writes, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Any

import orjson

from audit.journal import Recorded
from audit.recorder import Recorder
from models.base import SHANGHAI, timestamp
from models.engine import Work
from models.errors import Conflict
from models.ids import new_id
from workflow import statements as sql
from workflow.authority import organization_for
from workflow.deadlines import days_left, parse_deadline
from workflow.definition import SUBMITTER, Definition
from workflow.effects import Moved, Recipient, run_effects
from workflow.guards import details_of
from workflow.issuing import issue, issued_details, void, void_details
from workflow.moves import move
from workflow.performed import Performed, performed
from workflow.records import last_step_of, remember, seats_of, standing_of, take_part, tasks_now, votes_of
from workflow.signing import ready_seats
from workflow.situation import Actor, Situation, TextRow, Turn
from workflow.tasks import Opened, Wish, calendar_of, insert_task, open_tasks

# What the holder of a task did not decide, since somebody else's action ended it.
VOID = "void"
# What a signer's own task ends with while somebody signs before them; it opens again when they have.
WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Desk:
    """What every step needs besides the situation: where it is written, the definition's hash, and the command it belongs to."""

    work: Work
    recorder: Recorder
    definition_sha: str
    command_id: str
    arguments: str
    bulk: Mapping[str, Any] | None = None


def take_step(
    desk: Desk, situation: Situation, *, vote: str | None = None, kept: Mapping[str, Any] = MappingProxyType({})
) -> Performed:
    """Moves a text by a transition that authority and guards allow.

    ``vote`` is what a sign-off has come to; ``kept`` what its undoing needs to know besides: the ``seat`` whose vote decided,
    or the added ``signer`` whose removal did.
    """
    text, transition, now = situation.text, situation.transition, situation.now
    definition = situation.definition
    where = move(definition, transition, text.position, situation.target, situation.resume)
    came_back = text.coming_back if transition.resumes and text.position.resume else None
    back = text.resume
    if transition.returns:
        back = _way_back(situation, where.resume)
    elif not where.resume:
        back = ""
    # A transition that only hands the task on is no new visit; a sign-off begins anew whenever it is entered.
    stays = (
        situation.target == text.state and transition.task is not None and definition.states[text.state].sign is None
    )
    moved = text._replace(
        state=situation.target,
        round=text.round + transition.next_round,
        row_version=text.row_version + 1,
        submitted_hash=text.current_hash if transition.freeze else text.submitted_hash,
        approved_version=text.current_version if transition.approves else text.approved_version,
        approved_hash=text.current_hash if transition.approves else text.approved_hash,
        published_version=text.current_version if transition.publishes else text.published_version,
        path=" ".join(where.path),
        resume=back,
        step=text.step + 1,
        visit=text.visit if stays else text.step + 1,
    )
    move_text(desk.work, text, moved, situation)
    close_tasks(desk.work, situation, transition.action)
    seats = None
    sign = definition.states[moved.state].sign
    if sign is not None:
        seats = ready_seats(sign, seats_of(desk.work, sign, text.id, moved.visit), {})
    wish = _wish(desk.work, situation, moved, came_back) if came_back else None
    if wish is not None and seats is not None and not wish.persons.keys() & {seat.key for seat in seats}:
        # The days that were left are the returner's, whose turn has not come yet.
        wish = replace(wish, left=None)
    opened, notes = open_tasks(
        desk.work,
        definition,
        moved,
        now,
        rule=transition.task,
        seats=seats,
        wish=wish,
    )
    if wish is not None and seats is not None:
        _keep_waiting(situation, moved, wish, {seat.key for seat in seats})
    note_parts(situation, moved.round)
    opinions = write_opinions(situation, moved.step)
    _write_answers(situation, moved.step)
    gone = _submission_gone(situation, moved.step)
    issued = issue(situation, moved)
    details = [*_details(situation), *gone, *details_of(situation), *issued_details(issued)]
    recorded = _record(desk, situation, moved, details)
    insert_step(situation, moved, recorded.event_id, kept={"opinions": opinions, **kept})
    tell(desk.work, situation, moved, recorded.event_id, opened)
    done = performed(
        text,
        moved,
        transition.action,
        recorded.event_id,
        timestamp(now),
        vote=vote,
        waiting=waiting(opened),
        notes=(*notes, *(f"文号：{item.number}" for item in issued)),
    )
    remember(desk.work, desk.command_id, situation.actor, desk.arguments, done.to_json(), now)
    return done


def waiting(opened: Iterable[Opened]) -> tuple[str, ...]:
    """The roles of opened tasks."""
    return tuple(dict.fromkeys(item.role for item in opened))


def move_text(work: Work, text: TextRow, moved: TextRow, situation: Situation) -> None:
    """Writes the new row; raises Conflict where somebody changed the old one."""
    changed = work.run(
        sql.MOVE_TEXT,
        text_id=text.id,
        seen_version=text.row_version,
        new_definition_id=moved.definition_id,
        new_state=moved.state,
        new_round=moved.round,
        new_row_version=moved.row_version,
        new_submitted_hash=moved.submitted_hash,
        new_approved_version=moved.approved_version,
        new_approved_hash=moved.approved_hash,
        new_published_version=moved.published_version,
        new_path=moved.path,
        new_resume=moved.resume,
        new_step=moved.step,
        new_visit=moved.visit,
        moment=situation.now,
    )
    if changed != 1:
        raise Conflict("别人刚刚改动了这份文本；请重新读取后再试。", text=text.id)


def close_tasks(work: Work, situation: Situation, outcome: str) -> None:
    """Closes the actor's own task with its outcome, and what others had open as void."""
    turn = situation.authority.turn
    if turn is None and len(situation.turns) == 1:
        turn = situation.turns[0]
    given = {"moment": situation.now, "account_id": situation.actor.account_id}
    if turn is not None:
        work.run(sql.CLOSE_TASK, task_id=turn.task_id, task_outcome=outcome, **given)
    if turn is None or len(situation.turns) > 1:
        work.run(sql.CLOSE_TASKS, text_id=situation.text.id, task_outcome=VOID, **given)


def note_parts(situation: Situation, round_: int) -> None:
    """Notes that the actor took part, and whoever they stood in for."""
    authority = situation.authority
    for account_id in dict.fromkeys(filter(None, (situation.actor.account_id, authority.principal_id))):
        take_part(
            situation.work, situation.text.id, account_id, authority.capacity, round_, situation.parts, situation.now
        )


def write_opinions(situation: Situation, step: int) -> list[str]:
    """Stores the opinions that came along, with the step they belong to; their ids."""
    ids = [new_id(situation.now) for _ in situation.objections]
    for opinion_id, objection in zip(ids, situation.objections, strict=True):
        situation.work.run(
            sql.INSERT_OPINION,
            id=opinion_id,
            text_id=situation.text.id,
            round=situation.text.round,
            version=situation.text.current_version,
            anchor=objection.anchor,
            quote=objection.quote,
            kind=objection.kind,
            problem=objection.problem,
            wanted=objection.wanted,
            rule=objection.rule,
            state=situation.text.state,
            author_id=situation.actor.account_id,
            created_at=situation.now,
            step=step,
            withdrawn_at=None,
        )
    return ids


def opinion_details(situation: Situation) -> list[tuple[str, Any, Any]]:
    """Opinions as changes of the text's record, so that the log says what was objected."""
    return [
        (f"/opinions{item.anchor}", None, opinion_words(item.kind, item.problem, item.wanted))
        for item in situation.objections
    ]


def opinion_words(kind: str, problem: str, wanted: str) -> str:
    """An opinion as an event says it."""
    return f"{kind}：{problem}" + (f"→{wanted}" if wanted else "")


def insert_step(
    situation: Situation,
    moved: TextRow,
    event_id: str,
    *,
    undoes: int | None = None,
    action: str = "",
    kept: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """The step, with what its undoing restores: what the row said, the open tasks, and what is ``kept`` besides."""
    text, authority, transition = situation.text, situation.authority, situation.transition
    before: dict[str, Any] = {
        name: getattr(text, name)
        for name in (
            *("state", "round", "path", "resume", "visit"),
            *("submitted_hash", "approved_version", "approved_hash", "published_version"),
        )
    }
    before["tasks"] = [
        [turn.seat, turn.role, turn.organization_id, turn.assignee_id, turn.owner_id, turn.due_on]
        for turn in situation.turns
    ]
    situation.work.run(
        sql.INSERT_STEP,
        text_id=text.id,
        number=moved.step,
        action=action or transition.action,
        source=text.state,
        target=moved.state,
        round=moved.round,
        row_version=moved.row_version,
        visit=moved.visit,
        account_id=situation.actor.account_id,
        principal_id=authority.principal_id,
        capacity=authority.capacity,
        undoes=undoes,
        returns=transition.returns,
        publishes=transition.publishes,
        reopens=transition.reopens,
        before=orjson.dumps({**before, **kept}).decode(),
        event_id=event_id,
        created_at=situation.now,
    )


def wf_of(work: Work, definition: Definition, sha: str, text: TextRow, moved: TextRow) -> dict[str, Any]:
    """What an event says of the workflow: from, to, round, number of the last step, the tasks that are open now, and the
    definition with its hash. The history is replayed from it (``workflow/replay.py``)."""
    return {
        "from": text.state,
        "to": moved.state,
        "round": moved.round,
        "step": moved.step,
        "tasks": tasks_now(work, text.id),
        "definition": f"{definition.name}@{definition.version}:{sha}",
    }


def tell(
    work: Work, situation: Situation, moved: TextRow, event_id: str, opened: Sequence[Opened], *, action: str = ""
) -> None:
    """Runs the effects of a step."""
    definition = situation.definition
    run_effects(
        work,
        Moved(
            event_id=event_id,
            text_id=moved.id,
            title=moved.title,
            action=action or situation.transition.action,
            action_title=situation.transition.title,
            state=moved.state,
            state_title=definition.states[moved.state].title,
            recipients=tuple(Recipient(item.role, item.organization_id, item.account_id) for item in opened),
        ),
        situation.now,
    )


def _record(desk: Desk, situation: Situation, moved: TextRow, details: Iterable[tuple[str, Any, Any]]) -> Recorded:
    authority, text = situation.authority, situation.text
    return desk.recorder.write(
        desk.work,
        f"workflow.{situation.transition.action}",
        actor=situation.actor.account_id,
        role=authority.role or authority.capacity,
        obj=("text", text.id),
        now=situation.now,
        why=situation.reason,
        after=text.current_hash,
        details=details,
        wf=wf_of(desk.work, situation.definition, desk.definition_sha, text, moved),
        on_behalf_of=authority.principal_id,
        bulk=desk.bulk,
    )


def _details(situation: Situation) -> list[tuple[str, Any, Any]]:
    changes = opinion_details(situation)
    transition, roles = situation.transition, situation.definition.roles
    if transition.by in roles and roles[transition.by].of == "finance":
        # A reviewing role acted while it was another's turn, as the approver may in `standard` before the second review has
        # ended: allowed by the definition, and never invisible.
        others = [turn.role for turn in situation.turns if roles[turn.role].of == "finance"]
        changes += [("/task", role, None) for role in others if transition.by not in others]
    if transition.returns and transition.resume == "choose":
        changes.append(("/resume", None, situation.resume))
    changes += [
        (f"/answers/{key}", None, f"{reply.kind}：{reply.text}") for key, reply in sorted(situation.replies.items())
    ]
    return changes


def _write_answers(situation: Situation, step: int) -> None:
    for opinion_id, reply in situation.replies.items():
        situation.work.run(
            sql.INSERT_ANSWER,
            id=new_id(situation.now),
            opinion_id=opinion_id,
            kind=reply.kind,
            text=reply.text,
            author_id=situation.actor.account_id,
            created_at=situation.now,
            step=step,
            withdrawn_at=None,
        )


def _submission_gone(situation: Situation, by: int) -> list[tuple[str, Any, Any]]:
    # A recall by the submitter that is a transition of its own (``standard``) takes the submission back as well.
    transition = situation.transition
    if transition.by != SUBMITTER or transition.freeze or not situation.definition.states[situation.target].editable:
        return []
    last = last_step_of(situation.work, situation.text.id)
    if last is None:
        return []
    numbers = void(situation.work, situation.text.id, last.number, by=by, now=situation.now)
    return [*withdraw_answers(situation, last.number), *void_details(numbers)]


def withdraw_answers(situation: Situation, step: int) -> list[tuple[str, Any, Any]]:
    """Withdraws the answers that came with a step; what the event says of it."""
    given = {"text_id": situation.text.id, "of_step": step, "moment": situation.now}
    rows = situation.work.rows(sql.WITHDRAW_ANSWERS, **given)
    return [(f"/answers/{opinion_id}", f"{kind}：{words}", None) for opinion_id, kind, words in sorted(rows)]


def _way_back(situation: Situation, way: tuple[str, ...]) -> str:
    """Where the text comes straight back to: the way, who returned it from which seat, and the days that were left."""
    if not way:
        return ""
    turn = situation.authority.turn
    left = _days_left(situation, turn)
    account_id = situation.authority.principal_id or situation.actor.account_id
    return orjson.dumps({"way": way, "account": account_id, "seat": turn.seat if turn else "", "left": left}).decode()


def _days_left(situation: Situation, turn: Turn | None) -> int | None:
    rule = situation.definition.states[situation.text.state].task
    if turn is None or turn.due_on is None or rule is None or rule.due is None:
        return None
    today = situation.now.astimezone(SHANGHAI).date()
    days = calendar_of(situation.work, situation.definition, situation.now)
    return max(0, days_left(parse_deadline(rule.due), date.fromisoformat(turn.due_on), today, days))


def _wish(work: Work, situation: Situation, moved: TextRow, back: Mapping[str, Any]) -> Wish:
    """The returner gets the task back, if they still hold the role; its clock goes on where it stopped."""
    definition = situation.definition
    rule, sign = definition.states[moved.state].task, definition.states[moved.state].sign
    seat = str(back["seat"])
    role = seat.partition(":")[0] if sign is not None else rule.role if rule else ""
    persons: dict[str, str] = {}
    if role in definition.roles:
        organization_id = organization_for(definition, role, moved)
        standing = standing_of(work, Actor(str(back["account"]), organization_id), situation.now)
        if standing.active and (role, organization_id) in standing.grants:
            persons[seat] = str(back["account"])
    return Wish(back["left"], persons)


def _keep_waiting(situation: Situation, moved: TextRow, wish: Wish, ready: set[str]) -> None:
    # Whoever returned the text from a seat whose turn has not come yet: a task that waits says whose it will be.
    for seat, account_id in wish.persons.items():
        if seat not in ready:
            role = seat.partition(":")[0]
            where = organization_for(situation.definition, role, moved)
            given = {"moment": situation.now, "account_id": situation.actor.account_id, "task_outcome": WAITING}
            task_id = insert_task(situation.work, moved, seat, Opened(role, where, account_id, None), situation.now)
            situation.work.run(sql.CLOSE_TASK, task_id=task_id, **given)


def votes_by_seat(work: Work, text: TextRow) -> dict[str, bool]:
    """The votes that count in a text's present sign-off."""
    return {vote.seat: vote.agrees for vote in votes_of(work, text.id, text.visit)}
