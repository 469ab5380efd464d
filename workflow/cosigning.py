"""加签 and 减签: a signer asks a colleague to sign before or after them, and takes that back while there is no vote.

An added seat has a key ``+1``, ``+2``, …, the role of the seat beside which it stands, and one person. The rule of the
sign-off counts base seats only (``workflow/signing.py``), so what was proved of the definition holds whoever is added.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal

from audit.acts import Act
from models.canonical import canonical_bytes, digest
from models.errors import Conflict, GuardFailed, NotAllowed, NotFound
from models.ids import new_id
from workflow import statements as sql
from workflow.authority import ADDED, barred, organization_for
from workflow.conditions import choose, facts_of
from workflow.definition import SignRule
from workflow.effects import Recipient
from workflow.handling import (
    TITLES,
    Case,
    Power,
    has_left,
    in_role,
    refused,
    require_able,
    seated,
    title_of,
    unfit,
    write,
)
from workflow.machine import advance, check_limit, machine_for
from workflow.moves import resumptions, targets
from workflow.records import seats_of, standing_of, take_part, votes_of
from workflow.signing import Outcome, Seat, outcome, ready_seats
from workflow.situation import Actor, Authority, Objection, Situation, Turn
from workflow.steps import VOID, WAITING, Desk, take_step, votes_by_seat
from workflow.tasks import Opened, insert_task
from workflow.voting import OPINIONS_OF_STEP, open_seats, seat_for

Place = Literal["before", "after"]


def add_signer(
    case: Case, to: Actor, *, place: Place, seat: str | None = None, reason: str | None = None
) -> dict[str, Any]:
    """Adds a seat for one person next to the seat on which the actor may vote now.

    Raises GuardFailed (no sign-off here, voted already) or NotAllowed (no open seat of theirs, the person does not fit).
    """
    act = Act.SIGNER_ADD
    require_able(case, act)
    rule, text = _rule(case, act), case.text
    authority = _anchor(case, rule, seat)
    anchor = authority.turn
    assert anchor is not None  # noqa: S101 -- _anchor refuses otherwise
    holder = authority.principal_id or case.me
    reasons = unfit(case, anchor, to, needs_role=False)
    reasons += [f"该账号{reason}" for reason in seated(case, to.account_id)]
    if to.account_id in (case.me, holder):
        reasons = ["不能加签给自己，也不能加签给席位的办理人"]
    if reasons:
        raise refused(act, reasons, to_whom="给该账号")
    number = len(case.work.rows(sql.READ_SIGNERS, text_id=text.id, visit=text.visit)) + 1
    added = Seat(f"{ADDED}{number}", anchor.role, anchor.seat, place, to.account_id)
    case.work.run(
        sql.INSERT_SIGNER,
        text_id=text.id,
        visit=text.visit,
        seat=added.key,
        role=added.role,
        anchor=anchor.seat,
        place=place,
        account_id=to.account_id,
        added_by=holder,
        created_at=case.now,
        removed_at=None,
    )
    opened: tuple[Opened, ...] = ()
    if place == "before":
        _close(case, anchor, WAITING)
        # The clock of the seat does not begin anew for whom it waits.
        opened = (Opened(anchor.role, anchor.organization_id, to.account_id, anchor.due_on),)
        insert_task(case.work, text, added.key, opened[0], case.now)
    for account_id in dict.fromkeys(filter(None, (case.me, authority.principal_id))):
        take_part(case.work, text.id, account_id, anchor.role, text.round, case.parts, case.now)
    entry = {"account": to.account_id, "anchor": anchor.seat, "place": place}
    event_id = write(
        case,
        act,
        role=anchor.role,
        details=[(f"/sign/signers/{added.key}", None, entry)],
        recipients=_recipients(opened),
        why=reason,
        principal_id=authority.principal_id,
    )
    return {
        "text": text.id,
        "seat": added.key,
        "anchor": anchor.seat,
        "place": place,
        "role_title": title_of(case, anchor),
        "account": to.account_id,
        "event_id": event_id,
    }


def remove_signer(case: Case, seat: str, *, reason: str | None = None) -> dict[str, Any]:
    """Takes an added seat out again, while it has no vote and nobody was added to it.

    By whoever added it, as long as they hold the role in which they did; where they or the person of the seat are gone, by
    anybody of that role or its head, so that no sign-off waits for ever. Where the sign-off waited for this seat only, it ends here: the removal fires the transition of its outcome. Raises
    NotFound, Conflict (removed already), NotAllowed, GuardFailed (a seat of the definition, a vote, guards of the outcome).
    """
    act = Act.SIGNER_REMOVE
    require_able(case, act)
    rule, text = _rule(case, act), case.text
    rows = case.work.rows(sql.READ_SIGNERS, text_id=text.id, visit=text.visit)
    found = next((row for row in rows if row[0] == seat), None)
    if found is None:
        if any(item.key == seat for item in seats_of(case.work, rule, text.id, text.visit)):
            raise _failed(act, "这个席位由流程定义规定，流程的性质是按它证明的")
        raise NotFound(f"本次签署没有加签席位“{seat}”；请用 jixiao text show 查看。", seat=seat)
    _, role, anchor, place, account_id, added_by, removed_at = found
    if removed_at is not None:
        raise Conflict(f"加签席位“{seat}”已经减去；请重新读取。", seat=seat)
    power, against = _remover(case, rule, Seat(seat, role, anchor, place, account_id), added_by)
    if power is None:
        raise refused(act, against)
    voted = {vote.seat for vote in votes_of(case.work, text.id, text.visit)}
    if seat in voted:
        raise _failed(act, "这个席位已经签署")
    if any(row[2] == seat and row[6] is None and row[0] not in voted for row in rows):
        raise _failed(act, "这个席位上又加了签，请先减去后加的席位")
    case.work.run(sql.REMOVE_SIGNER, text_id=text.id, visit=text.visit, of_seat=seat, moment=case.now)
    own = next((turn for turn in case.turns if turn.seat == seat), None)
    if own is not None:
        _close(case, own, VOID)
    seats, votes = seats_of(case.work, rule, text.id, text.visit), votes_by_seat(case.work, text)
    result = outcome(rule, seats, votes)
    known = {turn.seat for turn in case.turns}
    ready = [item for item in ready_seats(rule, seats, votes) if item.key not in known]
    opened = open_seats(case.work, case.definition, case.text, ready, case.now)[0]
    told = [Recipient(role, own.organization_id, account_id)] if own is not None else []
    event_id = write(
        case,
        act,
        role=power.role,
        details=[(f"/sign/signers/{seat}", {"account": account_id, "anchor": anchor, "place": place}, None)],
        recipients=[*told, *_recipients(opened)],
        why=reason,
        principal_id=power.principal_id,
    )
    out = {"text": text.id, "seat": seat, "event_id": event_id, "vote": result.value, "state": text.state}
    if result is not Outcome.PENDING:
        return out | _conclude(
            case, rule, result, seat, Authority((), power.role, power.role, None, power.principal_id)
        )
    for person in dict.fromkeys(filter(None, (case.me, power.principal_id))):
        take_part(case.work, text.id, person, power.role, text.round, case.parts, case.now)
    return out


def _remover(case: Case, rule: SignRule, seat: Seat, added_by: str) -> tuple[Power | None, list[str]]:
    """As what the person may take a seat out, or why not."""
    where = organization_for(case.definition, seat.role, case.text)
    # Whoever sits on an added seat themselves adds to it in their own person, and may hold another role than the seat's.
    seats = seats_of(case.work, rule, case.text.id, case.text.visit)
    personal = any(item.key == seat.anchor and item.account_id == added_by for item in seats)
    reasons: list[str] = []
    for hat in case.standing.hats(case.me):
        if hat.account_id != added_by:
            continue
        if (seat.role, where) not in hat.grants and not (personal and hat.whole):
            reasons.append("您已没有加签时的岗位，或者没有代理这个岗位")
            continue
        clash = barred(case.definition, seat.role, case.actor, hat.principal_id, case.parts)
        if not clash:
            return Power(seat.role, hat.principal_id), []
        reasons += clash
    gone = has_left(case.work, added_by, seat.role, where, case.now) and not personal
    disabled = {who for who in (added_by, seat.account_id or "") if not _active(case, who)}
    if gone or disabled:
        for role in dict.fromkeys(filter(None, (seat.role, case.definition.roles[seat.role].head))):
            power, clash = in_role(case, role)
            if power is not None:
                return power, []
            reasons += clash
    return None, list(dict.fromkeys(reasons)) or ["只有加签的人可以减签"]


def _active(case: Case, account_id: str) -> bool:
    return standing_of(case.work, Actor(account_id, ""), case.now).active


def _conclude(case: Case, rule: SignRule, result: Outcome, seat: str, authority: Authority) -> dict[str, Any]:
    """The transition of an outcome for which nobody's vote is missing any more; undone, it brings the seat back."""
    text, definition = case.text, case.definition
    facts = facts_of(case.work, text)
    action = rule.passed if result is Outcome.PASSED else rule.failed
    transition = None if action is None else choose(definition.candidates(action, text.state), text, facts)
    if transition is None:
        raise _failed(Act.SIGNER_REMOVE, "内容不符合签署结果任何一条去向的条件")
    possible = targets(transition, text.position)
    if not possible:
        raise _failed(Act.SIGNER_REMOVE, "前面没有经过可以退回的环节")
    rows = case.work.rows(OPINIONS_OF_STEP, text_id=text.id, since=text.visit)
    situation = Situation(
        case.work,
        text,
        definition,
        transition,
        case.actor,
        case.parts,
        case.turns,
        case.now,
        f"减签之后的签署结果：{'通过' if result is Outcome.PASSED else '未通过'}",
        tuple(Objection(*row) for row in rows),
        authority=authority,
        target=possible[0],
        resume=resumptions(transition)[0],
        facts=facts,
    )
    check_limit(situation)
    advance(machine_for(definition, case.sha), situation)
    command_id = new_id(case.now)
    desk = Desk(case.work, case.recorder, case.sha, command_id, digest(canonical_bytes({"command": command_id})))
    # The opinions are stored and logged with the votes that they came with.
    done = take_step(desk, replace(situation, objections=()), vote=result.value, kept={"signer": seat})
    return {"state": done.state, "action": done.action, "event_id": done.event_id}


def _rule(case: Case, act: Act) -> SignRule:
    rule = case.definition.states[case.text.state].sign
    if rule is None:
        raise _failed(act, f"文本现在是“{case.definition.states[case.text.state].title}”，这个环节没有签署")
    return rule


def _anchor(case: Case, rule: SignRule, seat: str | None) -> Authority:
    """The seat on which the actor may vote now: the engine's own judgement, in words of this act."""
    transition = case.definition.candidates(rule.passed, case.text.state)[0]
    turns = tuple(turn for turn in case.turns if seat is None or turn.seat == seat)
    if seat is not None and not turns:
        raise refused(Act.SIGNER_ADD, [f"没有可以签署的席位“{seat}”"])
    situation = Situation(case.work, case.text, case.definition, transition, case.actor, case.parts, turns, case.now)
    try:
        return seat_for(situation, case.standing, votes_of(case.work, case.text.id, case.text.visit))
    except NotAllowed as error:
        raise refused(Act.SIGNER_ADD, error.facts["reasons"]) from error
    except GuardFailed as error:
        raise _failed(Act.SIGNER_ADD, *error.reasons) from error


def _failed(act: Act, *reasons: str) -> GuardFailed:
    return GuardFailed(f"不能{TITLES[act]}：{'；'.join(reasons)}。", reasons, act=str(act))


def _close(case: Case, turn: Turn, outcome_: str) -> None:
    case.work.run(sql.CLOSE_TASK, task_id=turn.task_id, moment=case.now, account_id=case.me, task_outcome=outcome_)


def _recipients(opened: Iterable[Opened]) -> list[Recipient]:
    return [Recipient(item.role, item.organization_id, item.account_id) for item in opened]
