"""Taking back: a step or a vote is undone by a compensating event, until the next person has acted. Nothing is deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from models.base import timestamp
from models.errors import GuardFailed, NotAllowed
from models.process import SignChoice
from workflow import statements as sql
from workflow.authority import unable
from workflow.definition import SIGN
from workflow.guards import nobody_acted_since
from workflow.machine import advance, machine_for, refused
from workflow.performed import Performed, performed
from workflow.records import Vote, remember, seats_of, votes_of
from workflow.signing import Outcome, ready_seats
from workflow.situation import Authority, LastStep, Situation, Standing
from workflow.steps import (
    Desk,
    close_tasks,
    insert_step,
    move_text,
    note_parts,
    tell,
    votes_by_seat,
    wf_of,
)
from workflow.tasks import Opened, insert_task, open_tasks


def take_back(desk: Desk, situation: Situation, last: LastStep | None) -> Performed:
    """Undoes the last step: state, way, hashes and tasks are again what they were before it; a step of its own says so.

    Raises GuardFailed where the next person has acted, or the last step was itself a taking back.
    """
    reasons = list(dict.fromkeys(nobody_acted_since(situation)))
    if last is not None and not last.before:
        reasons.append("这一步在系统升级之前办理，不能撤回")
    if last is None or reasons:
        raise refused(situation.transition.title, reasons, situation.transition.action)
    text, now, work = situation.text, situation.now, desk.work
    before: dict[str, Any] = orjson.loads(last.before)
    tasks = before.pop("tasks")
    situation = replace(situation, target=before["state"])
    advance(machine_for(situation.definition, desk.definition_sha), situation)
    moved = text._replace(**before, row_version=text.row_version + 1, step=text.step + 1)
    move_text(work, text, moved, situation)
    close_tasks(work, situation, situation.transition.action)
    _withdraw_signature(desk, situation, moved.visit)
    opened = []
    for seat, role, organization_id, assignee_id, owner_id, due_on in tasks:
        item = Opened(role, organization_id, assignee_id, due_on)
        insert_task(work, moved, seat, item, now, owner_id=owner_id)
        opened.append(item)
    # In a sign-off the deciding vote goes, with whatever its person had said since the sign-off began.
    in_sign_off = situation.definition.states[moved.state].sign is not None
    _withdraw_opinions(desk, situation, moved.visit if in_sign_off else last.number - 1)
    note_parts(situation, moved.round)
    recorded = desk.recorder.write(
        work,
        f"workflow.{situation.transition.action}",
        actor=situation.actor.account_id,
        role=situation.authority.capacity,
        obj=("text", text.id),
        now=now,
        why=situation.reason,
        after=text.current_hash,
        details=[("/undoes", None, {"step": last.number, "action": last.action, "event": last.event_id})],
        wf=wf_of(situation.definition, desk.definition_sha, text, moved),
        on_behalf_of=situation.authority.principal_id,
        bulk=desk.bulk,
    )
    insert_step(situation, moved, recorded.event_id, undoes=last.number)
    tell(work, situation, moved, recorded.event_id, opened)
    done = performed(
        text,
        moved,
        situation.transition.action,
        recorded.event_id,
        timestamp(now),
        waiting=tuple(dict.fromkeys(item.role for item in opened)),
    )
    remember(work, desk.command_id, situation.actor, desk.arguments, done.to_json(), now)
    return done


def withdraw_vote(desk: Desk, situation: Situation, standing: Standing) -> Performed:
    """Takes the actor's vote out of an open sign-off, until somebody who waited for it has voted.

    Raises NotAllowed for an account that may not act, GuardFailed where the next has voted.
    """
    text, now, work = situation.text, situation.now, desk.work
    sign = situation.definition.states[text.state].sign
    votes = votes_of(work, text.id, text.visit)
    me = situation.actor.account_id
    vote = next(item for item in votes if me in (item.account_id, item.principal_id))
    stop = unable(standing)
    if stop:
        raise NotAllowed(f"您不能{situation.transition.title}：{stop}。", action=SIGN, reasons=[stop])
    if sign is None:
        raise GuardFailed("这个环节没有签署。", ["这个环节没有签署"], action=SIGN)
    seats = seats_of(work, sign, text.id, text.visit)
    later = [item for item in votes[votes.index(vote) + 1 :] if _waited(sign.rule, seats, vote, item)]
    if later:
        raise refused(situation.transition.title, ["下一位已经签署，不能撤回"], situation.transition.action)
    role = next(seat.role for seat in seats if seat.key == vote.seat)
    situation = replace(situation, authority=Authority((), role, role, None, vote.principal_id))
    _write_withdrawal(desk, situation, vote, text.visit)
    _withdraw_opinions(desk, situation, text.visit)
    ready = {seat.key: seat for seat in ready_seats(sign, seats, votes_by_seat(work, text))}
    for turn in situation.turns:
        if turn.seat not in ready:
            # It was this vote that had given them their turn.
            work.run(sql.CLOSE_TASK, task_id=turn.task_id, moment=now, account_id=me, task_outcome="void")
    known = {turn.seat for turn in situation.turns}
    opened, notes = open_tasks(
        work, situation.definition, text, now, seats=[seat for key, seat in ready.items() if key not in known]
    )
    recorded = desk.recorder.write(
        work,
        f"workflow.{situation.transition.action}",
        actor=me,
        role=role,
        obj=("text", text.id),
        now=now,
        why=situation.reason,
        after=text.current_hash,
        details=[("/sign/seat", None, vote.seat), ("/sign/choice", "agree" if vote.agrees else "against", None)],
        wf=wf_of(situation.definition, desk.definition_sha, text, text),
        on_behalf_of=vote.principal_id if vote.principal_id != me else None,
        bulk=desk.bulk,
    )
    tell(work, situation, text, recorded.event_id, opened)
    done = performed(
        text,
        text,
        situation.transition.action,
        recorded.event_id,
        timestamp(now),
        vote=Outcome.PENDING.value,
        waiting=tuple(dict.fromkeys(seat.role for seat in ready.values())),
        notes=notes,
    )
    remember(work, desk.command_id, situation.actor, desk.arguments, done.to_json(), now)
    return done


def _waited(rule: str, seats: Any, mine: Vote, later: Vote) -> bool:
    """Whether a later vote could be given only after mine."""
    if rule == "sequential":
        return True
    anchors = {seat.key: seat for seat in seats}
    seat = anchors.get(later.seat)
    while seat is not None and seat.anchor is not None:
        if seat.anchor == mine.seat and seat.place == "after":
            return True
        seat = anchors.get(seat.anchor)
    return any(item.key == mine.seat and item.anchor == later.seat and item.place == "before" for item in seats)


def _withdraw_signature(desk: Desk, situation: Situation, visit: int) -> None:
    """The vote that had decided a sign-off is withdrawn when its outcome is undone."""
    me = situation.actor.account_id
    for vote in votes_of(desk.work, situation.text.id, visit):
        if me in (vote.account_id, vote.principal_id):
            _write_withdrawal(desk, situation, vote, visit)


def _write_withdrawal(desk: Desk, situation: Situation, vote: Vote, visit: int) -> None:
    text = situation.text
    numbers = desk.work.rows(sql.READ_SIGNATURES, text_id=text.id, visit=visit)
    desk.work.run(
        sql.INSERT_SIGNATURE,
        text_id=text.id,
        visit=visit,
        number=len(numbers) + 1,
        seat=vote.seat,
        round=text.round,
        account_id=situation.actor.account_id,
        principal_id=vote.principal_id,
        choice=SignChoice.WITHDRAWN.value,
        reason=situation.reason or "",
        content_hash=text.current_hash,
        created_at=situation.now,
    )


def _withdraw_opinions(desk: Desk, situation: Situation, since: int) -> None:
    """Withdraws the opinions that the actor gave after a step."""
    desk.work.run(
        sql.WITHDRAW_OPINIONS,
        text_id=situation.text.id,
        since=since,
        account_id=situation.actor.account_id,
        moment=situation.now,
    )
