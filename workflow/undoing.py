"""Taking back: a step or a vote is undone by a compensating event, until the next person has acted. Nothing is deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from models.base import timestamp
from models.errors import NotAllowed
from models.process import SignChoice
from workflow import statements as sql
from workflow.authority import still_there, unable
from workflow.definition import SIGN
from workflow.guards import nobody_acted_since
from workflow.issuing import void, void_details
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
    opinion_words,
    tell,
    votes_by_seat,
    wf_of,
    withdraw_answers,
)
from workflow.tasks import Opened, insert_task
from workflow.voting import open_seats

# An entry of an event: place, before, after.
Detail = tuple[str, Any, Any]


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
    tasks, opinions = before.pop("tasks"), before.pop("opinions", None)
    seat_decided, signer = before.pop("seat", None), before.pop("signer", None)
    situation = replace(situation, target=before["state"])
    advance(machine_for(situation.definition, desk.definition_sha), situation)
    moved = text._replace(**before, row_version=text.row_version + 1, step=text.step + 1)
    move_text(work, text, moved, situation)
    close_tasks(work, situation, situation.transition.action)
    gone: list[Detail] = []
    if seat_decided is not None:
        # The outcome of a sign-off: the vote that had decided goes, whoever of its persons asks for it.
        gone += _withdraw_from(desk, situation, moved.visit, seat_decided)
    elif opinions is None and _was_outcome(situation, last):
        # A step from before the seat was noted: the vote is that of its persons.
        for vote in votes_of(work, text.id, moved.visit):
            if {vote.account_id, vote.principal_id} & {last.account_id, last.principal_id} - {None}:
                gone += _withdraw_from(desk, situation, moved.visit, vote.seat)
    elif signer is not None:
        work.run(sql.RESTORE_SIGNER, text_id=text.id, visit=moved.visit, of_seat=signer)
    for opinion_id in opinions or ():
        gone += _opinions_gone(work.rows(sql.WITHDRAW_OPINION, opinion_id=opinion_id, moment=now))
    if opinions is None:  # a step from before its opinions were noted
        gone += _withdraw_opinions(situation, last.account_id, last.number - 1)
    gone += withdraw_answers(situation, last.number)
    gone += void_details(void(work, text.id, last.number, by=moved.step, now=now))
    opened = []
    for seat, role, organization_id, assignee_id, owner_id, due_on in tasks:
        item = Opened(role, organization_id, assignee_id, due_on)
        insert_task(work, moved, seat, item, now, owner_id=owner_id)
        opened.append(item)
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
        details=[("/undoes", None, {"step": last.number, "action": last.action, "event": last.event_id}), *gone],
        wf=wf_of(work, situation.definition, desk.definition_sha, text, moved),
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


def _was_outcome(situation: Situation, last: LastStep) -> bool:
    sign = situation.definition.states[last.source].sign if last.source in situation.definition.states else None
    return sign is not None and last.action in (sign.passed, sign.failed)


def withdraw_vote(desk: Desk, situation: Situation, standing: Standing) -> Performed:
    """Takes the actor's vote out of an open sign-off, until somebody who waited for it has voted.

    Raises NotAllowed for an account that may not act any more, GuardFailed where the next has voted.
    """
    text, now, work = situation.text, situation.now, desk.work
    sign, vote, me = (
        situation.definition.states[text.state].sign,
        vote_to_withdraw(situation),
        situation.actor.account_id,
    )
    assert sign is not None and vote is not None  # noqa: S101, PT018 -- the engine asks for the vote before
    seats = seats_of(work, sign, text.id, text.visit)
    role = next(seat.role for seat in seats if seat.key == vote.seat)
    denied, acted = against_withdrawal(situation, standing, vote)
    if denied:
        title = situation.transition.title
        raise NotAllowed(f"您不能{title}：{'；'.join(denied)}。", action=SIGN, reasons=denied)
    if acted:
        raise refused(situation.transition.title, acted, situation.transition.action)
    situation = replace(situation, authority=Authority((), role, role, None, vote.principal_id))
    _write_withdrawal(desk, situation, vote, text.visit)
    gone = _withdraw_opinions(situation, vote.account_id, text.visit)
    ready = {seat.key: seat for seat in ready_seats(sign, seats, votes_by_seat(work, text))}
    for turn in situation.turns:
        if turn.seat not in ready:
            # It was this vote that had given them their turn.
            work.run(sql.CLOSE_TASK, task_id=turn.task_id, moment=now, account_id=me, task_outcome="void")
    known = {turn.seat for turn in situation.turns}
    again = [seat for key, seat in ready.items() if key not in known]
    opened, notes = open_seats(work, situation.definition, text, again, now)
    recorded = desk.recorder.write(
        work,
        f"workflow.{situation.transition.action}",
        actor=me,
        role=role,
        obj=("text", text.id),
        now=now,
        why=situation.reason,
        after=text.current_hash,
        details=[*_vote_gone(vote), *gone],
        wf=wf_of(work, situation.definition, desk.definition_sha, text, text),
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


def vote_to_withdraw(situation: Situation) -> Vote | None:
    """The vote of the actor, or given for them, in the open sign-off of a text."""
    me = situation.actor.account_id
    votes = votes_of(situation.work, situation.text.id, situation.text.visit)
    return next((vote for vote in votes if me in (vote.account_id, vote.principal_id)), None)


def against_withdrawal(situation: Situation, standing: Standing, vote: Vote) -> tuple[list[str], list[str]]:
    """Why the actor may not withdraw a vote: what is missing in their standing, and who has voted since."""
    text, definition = situation.text, situation.definition
    stop = unable(standing)
    if stop:
        return [stop], []
    sign = definition.states[text.state].sign
    assert sign is not None  # noqa: S101 -- there are votes of this visit
    seats = seats_of(situation.work, sign, text.id, text.visit)
    role = next(seat.role for seat in seats if seat.key == vote.seat)
    votes = votes_of(situation.work, text.id, text.visit)
    later = any(_waited(sign.rule, seats, vote, item) for item in votes[votes.index(vote) + 1 :])
    denied = still_there(definition, text, standing.hats(situation.actor.account_id)[0], role)
    return denied, ["下一位已经签署，不能撤回"] if later else []


def _withdraw_from(desk: Desk, situation: Situation, visit: int, seat: str) -> list[Detail]:
    """Withdraws the vote on a seat, with whatever its person had said with it; what the event says of it."""
    gone: list[Detail] = []
    for vote in votes_of(desk.work, situation.text.id, visit):
        if vote.seat == seat:
            _write_withdrawal(desk, situation, vote, visit)
            gone += [*_vote_gone(vote), *_withdraw_opinions(situation, vote.account_id, visit)]
    return gone


def _vote_gone(vote: Vote) -> list[Detail]:
    return [("/sign/seat", None, vote.seat), ("/sign/choice", "agree" if vote.agrees else "against", None)]


def _opinions_gone(rows: list[tuple[Any, ...]]) -> list[Detail]:
    return [
        (f"/opinions{anchor}", opinion_words(kind, problem, wanted), None) for anchor, kind, problem, wanted in rows
    ]


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


def _withdraw_opinions(situation: Situation, author_id: str, since: int) -> list[Detail]:
    """Withdraws the opinions that somebody gave after a step: in a sign-off nobody votes twice."""
    rows = situation.work.rows(
        sql.WITHDRAW_OPINIONS,
        text_id=situation.text.id,
        since=since,
        account_id=author_id,
        moment=situation.now,
    )
    return _opinions_gone(sorted(rows))
