"""A vote in a sign-off: recorded, counted anew from the rows, and followed by the transition that it decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from models.base import timestamp
from models.engine import Work
from models.errors import GuardFailed, InvalidInput, NotAllowed
from models.prepared import Prepared
from models.process import SignChoice
from models.texts import Opinion, OpinionKind
from workflow import statements as sql
from workflow.authority import ADDED, barred, organization_for, pick, unable
from workflow.conditions import choose
from workflow.definition import SIGN, Definition, SignRule
from workflow.effects import Moved, Recipient, run_effects
from workflow.machine import advance, check_limit, judge, machine_for, over_limit, refused
from workflow.moves import resumptions, targets
from workflow.performed import Performed, performed
from workflow.records import Vote, remember, seats_of, votes_of
from workflow.signing import Outcome, Seat, base_seats, outcome, ready_seats
from workflow.situation import Authority, Objection, Situation, Standing, TextRow, Turn
from workflow.steps import VOID, Desk, note_parts, opinion_details, take_step, wf_of, write_opinions
from workflow.tasks import Opened, Wish, insert_task, open_tasks

OPINIONS_OF_STEP = Prepared(
    sa.select(Opinion.anchor, Opinion.kind, Opinion.problem, Opinion.wanted, Opinion.quote, Opinion.rule)
    .where(
        Opinion.text_id == sa.bindparam("text_id"),
        Opinion.step > sa.bindparam("since"),
        Opinion.withdrawn_at.is_(None),
    )
    .order_by(Opinion.id)
)


def cast_vote(desk: Desk, situation: Situation, standing: Standing, *, agrees: bool) -> Performed:
    """Records a vote on a seat whose turn it is; the vote that decides fires the transition in the same transaction.

    Raises NotAllowed (no seat, duties to be kept apart), GuardFailed (voted already, guards of the outcome voted for).
    """
    text, work = situation.text, desk.work
    sign = situation.definition.states[text.state].sign
    assert sign is not None  # noqa: S101 -- the definition's checks tie `by: sign_off` to a sign-off
    votes = votes_of(work, text.id, text.visit)
    authority = seat_for(situation, standing, votes)
    situation = replace(situation, authority=authority)
    turn = authority.turn
    assert turn is not None  # noqa: S101 -- seat_for refuses otherwise
    _check_words(situation, agrees)
    reasons = against_vote(situation)
    if reasons:
        raise refused("同意" if agrees else "表示不同意", reasons, SIGN)
    seats = seats_of(work, sign, text.id, text.visit)
    counted = {vote.seat: vote.agrees for vote in votes} | {turn.seat: agrees}
    result = outcome(sign, seats, counted)
    _write_vote(desk, situation, turn, agrees)
    if result is Outcome.PENDING:
        return _go_on(desk, situation, sign, counted)
    return _decide(desk, situation, sign, result)


def open_seats(
    work: Work, definition: Definition, text: TextRow, seats: Iterable[Seat], now: datetime
) -> tuple[tuple[Opened, ...], tuple[str, ...]]:
    """Tasks for seats, and notes on their days; a seat that had a task is again whose it was, until the day that it had."""
    opened: list[Opened] = []
    notes: list[str] = []
    voted = {person for vote in votes_of(work, text.id, text.visit) for person in (vote.account_id, vote.principal_id)}
    for seat in seats:
        row = work.one(sql.READ_SEAT_BEFORE, text_id=text.id, visit=text.visit, of_seat=seat.key)
        assignee, due, closed_as = row or (None, None, "")
        # Nobody votes twice: who has signed elsewhere meanwhile leaves the seat to the pool.
        assignee = None if assignee in voted else assignee
        if due is None or closed_as == VOID:
            # Its turn had not come, or was taken away again: its days begin now.
            wish = Wish(persons={seat.key: assignee} if assignee else {})
            made, told = open_tasks(work, definition, text, now, seats=[seat], wish=wish)
            opened += made
            notes += told
            continue
        waited = Opened(seat.role, organization_for(definition, seat.role, text), assignee, due)
        insert_task(work, text, seat.key, waited, now)
        opened.append(waited)
    return tuple(opened), tuple(dict.fromkeys(notes))


def against_vote(situation: Situation) -> list[str]:
    """What speaks against a vote for an outcome: its guards, its limit, and that it would have nowhere to lead."""
    nowhere = not targets(situation.transition, situation.text.position)
    return [*judge(situation), *over_limit(situation), *(["前面没有经过可以退回的环节"] if nowhere else [])]


def seat_for(situation: Situation, standing: Standing, votes: tuple[Vote, ...]) -> Authority:
    """The seat that the actor votes on: in their own right first, else for the first whom they stand in for."""
    stop = unable(standing)
    if stop:
        raise NotAllowed(f"您不能签署：{stop}。", action=SIGN, reasons=[stop])
    actor = situation.actor.account_id
    voted = {vote.account_id for vote in votes} | {vote.principal_id for vote in votes}
    if actor in voted:
        raise GuardFailed("您在本次签署中已经投过票，不能再投。", ["您在本次签署中已经投过票"], action=SIGN)
    sign = situation.definition.states[situation.text.state].sign
    seats = seats_of(situation.work, sign, situation.text.id, situation.text.visit) if sign else ()
    done = {vote.seat for vote in votes}
    # One person votes once: who is asked to sign later must not spend the vote on a seat of the pool before.
    asked = {seat.account_id: seat.key for seat in seats if seat.account_id is not None and seat.key not in done}
    first: list[str] = []
    for hat in standing.hats(actor):
        principal_id, account_id = hat.principal_id, hat.account_id
        turn = pick(situation.turns, hat)
        if turn is None:
            continue
        reasons = barred(situation.definition, turn.role, situation.actor, principal_id, situation.parts)
        waiting = next((asked[who] for who in (actor, account_id) if asked.get(who, turn.seat) != turn.seat), None)
        if waiting is not None:
            reasons.append(f"加签席位 {waiting} 在等您签署，一个人只投一票；要在这里签，请先减签")
        if principal_id in voted and principal_id is not None:
            reasons.append("被代理人在本次签署中已经投过票")
        if not reasons:
            return Authority((), turn.role, turn.role, turn, principal_id)
        first = first or reasons
    first = first or _no_seat(situation, standing)
    raise NotAllowed(f"您不能签署：{'；'.join(first)}。", action=SIGN, reasons=first)


def _no_seat(situation: Situation, standing: Standing) -> list[str]:
    titles = "、".join(dict.fromkeys(situation.definition.roles[turn.role].title for turn in situation.turns))
    mine = [turn for turn in situation.turns if (turn.role, turn.organization_id) in standing.grants]
    if any(turn.owner_id for turn in mine):
        return ["任务已委派给别人协助，办结或收回之后才能签署"]
    if mine:
        return ["任务已由别人签收，或已指定别人办理"]
    sign = situation.definition.states[situation.text.state].sign
    open_keys = {turn.seat for turn in situation.turns}
    votes = {vote.seat for vote in votes_of(situation.work, situation.text.id, situation.text.visit)}
    held = {role for role, _ in standing.grants}
    if sign and any(seat.role in held and seat.key not in open_keys | votes for seat in base_seats(sign)):
        added = "、".join(turn.seat for turn in situation.turns if turn.seat.startswith(ADDED))
        return [f"还没有轮到您签署，要等“{titles}”" + (f"（加签席位 {added}）" if added else "") + "先签"]
    return [f"现在轮到“{titles}”签署，您没有可以签署的席位"]


def _check_words(situation: Situation, agrees: bool) -> None:
    if situation.replies:
        raise InvalidInput("签署时不能答复意见；答复由部门在报送时写。")
    side = situation.definition.side(situation.authority.role or "")
    if situation.objections and side != "finance":
        raise InvalidInput("签署时不能写审核意见；意见由审核机关写。")
    if agrees and any(objection.kind == OpinionKind.REQUIRED for objection in situation.objections):
        raise InvalidInput("同意时只能写“建议”或“疑问”；必须改的地方，请表示不同意或退回。")
    if not agrees and not (situation.reason or "").strip():
        raise GuardFailed("表示不同意必须写明理由。", ["表示不同意必须写明理由"], action=SIGN)


def _write_vote(desk: Desk, situation: Situation, turn: Turn, agrees: bool) -> None:
    text, now, work = situation.text, situation.now, desk.work
    numbers = work.rows(sql.READ_SIGNATURES, text_id=text.id, visit=text.visit)
    choice = SignChoice.AGREE if agrees else SignChoice.AGAINST
    work.run(
        sql.INSERT_SIGNATURE,
        text_id=text.id,
        visit=text.visit,
        number=len(numbers) + 1,
        seat=turn.seat,
        round=text.round,
        account_id=situation.actor.account_id,
        principal_id=situation.authority.principal_id,
        choice=choice.value,
        reason=situation.reason or "",
        content_hash=text.current_hash,
        created_at=now,
    )


def _record_vote(desk: Desk, situation: Situation, choice: str) -> str:
    text, turn = situation.text, situation.authority.turn
    recorded = desk.recorder.write(
        desk.work,
        f"workflow.{SIGN}",
        actor=situation.actor.account_id,
        role=situation.authority.role or situation.authority.capacity,
        obj=("text", text.id),
        now=situation.now,
        why=situation.reason,
        after=text.current_hash,
        details=[
            ("/sign/seat", None, turn.seat if turn else ""),
            ("/sign/choice", None, choice),
            *opinion_details(situation),
        ],
        wf=wf_of(desk.work, situation.definition, desk.definition_sha, text, text),
        on_behalf_of=situation.authority.principal_id,
        bulk=desk.bulk,
    )
    return recorded.event_id


def _go_on(desk: Desk, situation: Situation, sign: SignRule, counted: dict[str, bool]) -> Performed:
    """The sign-off goes on: the voter's task ends, and whoever waited for this vote has their turn."""
    text, now, work = situation.text, situation.now, desk.work
    turn = situation.authority.turn
    assert turn is not None  # noqa: S101 -- cast_vote has it
    choice = "agree" if counted[turn.seat] else "against"
    work.run(
        sql.CLOSE_TASK, task_id=turn.task_id, moment=now, account_id=situation.actor.account_id, task_outcome=choice
    )
    already = {item.seat for item in situation.turns}
    seats = seats_of(work, sign, text.id, text.visit)
    ready = ready_seats(sign, seats, counted)
    waiting = [seat for seat in ready if seat.key not in already]
    opened, notes = open_seats(work, situation.definition, text, waiting, now)
    note_parts(situation, text.round)
    write_opinions(situation, text.step + 1)
    event_id = _record_vote(desk, situation, choice)
    state_title = situation.definition.states[text.state].title
    run_effects(
        work,
        Moved(
            event_id,
            text.id,
            text.title,
            SIGN,
            "签署",
            text.state,
            state_title,
            tuple(Recipient(item.role, item.organization_id, item.account_id) for item in opened),
        ),
        now,
    )
    done = performed(
        text,
        text,
        SIGN,
        event_id,
        timestamp(now),
        vote=Outcome.PENDING.value,
        waiting=tuple(dict.fromkeys(seat.role for seat in ready)),
        notes=notes,
    )
    remember(work, desk.command_id, situation.actor, desk.arguments, done.to_json(), now)
    return done


def _decide(desk: Desk, situation: Situation, sign: SignRule, result: Outcome) -> Performed:
    """The vote decided: its event, and the transition of the outcome with an event of its own."""
    text, voted_for = situation.text, situation.transition.action
    write_opinions(situation, text.step + 1)
    _record_vote(desk, situation, "agree" if voted_for == sign.passed else "against")
    action = sign.passed if result is Outcome.PASSED else sign.failed
    transition = situation.transition
    if action is not None and action != voted_for:
        # Everybody is heard before the count, and the last vote was the other way.
        found = choose(situation.definition.candidates(action, text.state), text, situation.facts)
        if found is None:
            raise refused("签署", ["内容不符合签署结果任何一条去向的条件"], SIGN)
        transition = found
    possible = targets(transition, text.position)
    if not possible:
        raise refused(transition.title, ["前面没有经过可以退回的环节"], SIGN)
    told = "通过" if result is Outcome.PASSED else "未通过"
    decided = replace(
        situation,
        transition=transition,
        target=possible[0],
        resume=resumptions(transition)[0],
        objections=_objections_of(situation),
        reason=situation.reason or f"签署结果：{told}",
    )
    check_limit(decided)
    advance(machine_for(situation.definition, desk.definition_sha), decided)
    # Opinions are stored and logged with the votes that they came with.
    seat = situation.authority.turn.seat if situation.authority.turn else ""
    return take_step(desk, replace(decided, objections=()), vote=result.value, kept={"seat": seat})


def _objections_of(situation: Situation) -> tuple[Objection, ...]:
    """The opinions of all votes of this sign-off, which the guards of its outcome look at."""
    rows = situation.work.rows(OPINIONS_OF_STEP, text_id=situation.text.id, since=situation.text.visit)
    return tuple(Objection(*row) for row in rows)
