"""Whose task it is: claimed from the pool and released, handed on (转办), lent for help (委派) and given back.

Each act is one event and one change of a task in the caller's transaction; the text itself does not move. Raises Conflict
where somebody was first, NotAllowed with every reason, GuardFailed where words are missing.
"""

from __future__ import annotations

from typing import Any

from audit.acts import Act
from models.errors import Conflict, GuardFailed
from workflow import statements as sql
from workflow.authority import ADDED, barred, may_hold
from workflow.effects import Recipient
from workflow.handling import (
    Case,
    Power,
    heading,
    holding,
    named,
    only,
    refused,
    require_able,
    seated,
    title_of,
    to_person,
    unfit,
    write,
)
from workflow.records import take_part
from workflow.situation import Actor, Turn
from workflow.tasks import HELPED, Opened, insert_task

# The outcome of a task that was handed on; the one that took its place opened at the very moment at which it closed.
REASSIGNED = "reassign"


def claim(case: Case, *, task: str | None = None, seat: str | None = None) -> dict[str, Any]:
    """Takes a task out of the pool, in the person's own right; of seats of one role, the first that is free."""
    act = Act.TASK_CLAIM
    require_able(case, act)
    meant, grants = named(case, task, seat), case.standing.grants
    mine = [turn for turn in meant if (turn.role, turn.organization_id) in grants or turn.assignee_id == case.me]
    if not mine:
        raise refused(
            act, [f"任务属于“{'、'.join(dict.fromkeys(title_of(case, turn) for turn in meant))}”，您没有这个岗位"]
        )
    free = [turn for turn in mine if turn.assignee_id is None and may_hold(turn, case.standing.hats(case.me)[0])]
    if not free:
        if any(turn.assignee_id == case.me for turn in mine):
            raise Conflict("这项任务已经在您名下，不用再签收。", task=mine[0].task_id)
        raise Conflict("这项任务已由别人签收，或已指定别人办理；请重新读取。", task=mine[0].task_id)
    turn = free[0] if len({item.role for item in free}) == 1 else only(case, free)
    reasons = barred(case.definition, turn.role, case.actor, None, case.parts)
    reasons += [f"您{reason}" for reason in seated(case, case.me, beside=turn)]
    if reasons:
        raise refused(act, reasons)
    return _assign(case, act, turn, case.me, Power(turn.role))


def release(case: Case, *, task: str | None = None, seat: str | None = None) -> dict[str, Any]:
    """Gives a claimed task back to the pool: only what its holder claimed themselves."""
    act = Act.TASK_RELEASE
    require_able(case, act)
    mine = [turn for turn in named(case, task, seat) if turn.assignee_id == case.me]
    if not mine:
        raise refused(act, ["没有您签收的任务"])
    turn = only(case, mine)
    if turn.owner_id is not None:
        raise refused(act, ["这是委派给您协助的任务，请办结委派"])
    if turn.seat.startswith(ADDED):
        raise refused(act, ["这是加签给您的席位，请签署，或由加签的人减签"])
    if case.work.one(
        sql.READ_CLOSED_AT, text_id=case.text.id, of_seat=turn.seat, of_outcome=REASSIGNED, moment=turn.opened_at
    ):
        raise refused(act, ["这项任务是别人转办给您的，不是您签收的；请转办"])
    pool = [Recipient(turn.role, turn.organization_id)]
    return _assign(case, act, turn, None, Power(turn.role), recipients=pool)


def reassign(case: Case, to: Actor, *, reason: str, task: str | None = None, seat: str | None = None) -> dict[str, Any]:
    """Hands a task to another holder of its role: by whoever holds it, or by the role's head."""
    act = Act.TASK_REASSIGN
    require_able(case, act)
    _require_words(act, reason, "必须写明理由")
    turn, power = _disposable(case, act, task, seat, head=True)
    if turn.seat.startswith(ADDED):
        raise refused(act, ["这是加签的席位；请由加签的人减签后另加"])
    reasons = unfit(case, turn, to, needs_role=True)
    reasons += [f"该账号{reason}" for reason in seated(case, to.account_id, beside=turn)]
    if to.account_id in (turn.assignee_id, turn.owner_id):
        reasons = ["任务本来就在该账号名下"]
    elif to.account_id == case.me:
        reasons = ["不能转给自己，请签收"]
    if reasons:
        raise refused(act, reasons, to_whom="给该账号")
    # A task of its own for the new holder: what they did not claim they can't release, and the old one stays on the record.
    case.work.run(sql.CLOSE_TASK, task_id=turn.task_id, moment=case.now, account_id=case.me, task_outcome=REASSIGNED)
    made = Opened(turn.role, turn.organization_id, to.account_id, turn.due_on)
    insert_task(case.work, case.text, turn.seat, made, case.now)
    told = dict.fromkeys((to.account_id, *_holders(turn)))
    event_id = _record(
        case,
        act,
        turn,
        to.account_id,
        power,
        why=reason,
        recipients=[to_person(turn, account_id) for account_id in told if account_id != case.me],
    )
    return _result(case, turn, event_id, to.account_id)


def delegate(
    case: Case, to: Actor, *, reason: str | None = None, task: str | None = None, seat: str | None = None
) -> dict[str, Any]:
    """Lends a task to somebody of the same organization for help; until it comes back nobody decides."""
    act = Act.TASK_DELEGATE
    require_able(case, act)
    turn, power = _disposable(case, act, task, seat, head=False)
    owner = power.principal_id or case.me
    reasons = unfit(case, turn, to, needs_role=False)
    if to.account_id in (case.me, owner):
        reasons = ["不能委派给自己，也不能委派给任务的办理人"]
    if reasons:
        raise refused(act, reasons, to_whom="给该账号")
    return _assign(
        case, act, turn, to.account_id, power, owner=owner, why=reason, recipients=[to_person(turn, to.account_id)]
    )


def resolve(case: Case, *, note: str | None = None, task: str | None = None, seat: str | None = None) -> dict[str, Any]:
    """Ends a delegation for help: the helper with a note, or the owner at any time; the task is the owner's again.

    The helper takes part in the role's capacity from here on, so the separation of duties counts them.
    """
    act = Act.TASK_RESOLVE
    require_able(case, act)
    lent = [turn for turn in named(case, task, seat) if turn.owner_id is not None]
    helping = [turn for turn in lent if turn.assignee_id == case.me]
    lenders = [hat for hat in case.standing.hats(case.me) if hat.principal_id is not None]
    owned = [
        turn
        for turn in lent
        if turn.owner_id == case.me
        or any(
            turn.owner_id == hat.account_id and (hat.whole or (turn.role, turn.organization_id) in hat.grants)
            for hat in lenders
        )
    ]
    if not helping and not owned:
        raise refused(act, ["没有委派给您的任务，也没有您委派出去的任务"])
    turn = only(case, helping or owned)
    owner, helper = turn.owner_id or "", turn.assignee_id or ""
    if not helping:
        power = Power(turn.role, None if owner == case.me else owner)
        return _assign(case, act, turn, owner, power, why=note, recipients=[to_person(turn, helper)])
    _require_words(act, note, "必须写明协助的意见")
    reasons = barred(case.definition, turn.role, case.actor, None, case.parts)
    if reasons:
        raise refused(act, reasons)
    take_part(case.work, case.text.id, case.me, turn.role, case.text.round, case.parts, case.now)
    # A task of its own again, so that the help which was given stays on the record, and the step before can't be taken back.
    case.work.run(sql.CLOSE_TASK, task_id=turn.task_id, moment=case.now, account_id=case.me, task_outcome=HELPED)
    insert_task(
        case.work, case.text, turn.seat, Opened(turn.role, turn.organization_id, owner, turn.due_on), turn.opened_at
    )
    event_id = _record(case, act, turn, owner, Power(turn.role), why=note, recipients=[to_person(turn, owner)])
    return _result(case, turn, event_id, owner)


def _require_words(act: Act, words: str | None, demand: str) -> None:
    if not (words or "").strip():
        raise GuardFailed(f"{demand}。", [demand], act=str(act))


def _holders(turn: Turn) -> list[str]:
    return [account_id for account_id in (turn.owner_id, turn.assignee_id) if account_id is not None]


def _disposable(case: Case, act: Act, task: str | None, seat: str | None, *, head: bool) -> tuple[Turn, Power]:
    """The task that the person may dispose of, and as what: as its holder first, else as the head of its role."""
    meant = named(case, task, seat)
    found: list[tuple[Turn, Power]] = []
    reasons: list[str] = []
    for turn in meant:
        power, against = holding(case, turn)
        if power is None and head:
            power, more = heading(case, turn)
            against = against or more
        if power is not None:
            found.append((turn, power))
        reasons += against
    if not found:
        if not reasons and any(turn.owner_id in (case.me, *dict(case.standing.principals)) for turn in meant):
            reasons = ["任务已委派给别人协助，办结或收回之后才能处理"]
        who = "办理人和其上级岗位" if head else "办理人"
        raise refused(act, reasons or [f"只有任务的{who}可以{'转办' if head else '委派'}"])
    chosen = only(case, [turn for turn, _ in found])
    return chosen, next(power for turn, power in found if turn.task_id == chosen.task_id)


def _assign(
    case: Case,
    act: Act,
    turn: Turn,
    assignee: str | None,
    power: Power,
    *,
    owner: str | None = None,
    why: str | None = None,
    recipients: list[Recipient] | None = None,
) -> dict[str, Any]:
    changed = case.work.run(sql.ASSIGN_TASK, task_id=turn.task_id, new_assignee=assignee, new_owner=owner)
    if changed != 1:
        raise Conflict("这项任务刚刚已经办结；请重新读取。", task=turn.task_id)
    event_id = _record(case, act, turn, assignee, power, owner=owner, why=why, recipients=recipients or [])
    return _result(case, turn, event_id, assignee, owner)


def _record(
    case: Case,
    act: Act,
    turn: Turn,
    assignee: str | None,
    power: Power,
    *,
    owner: str | None = None,
    why: str | None = None,
    recipients: list[Recipient],
) -> str:
    place = f"/tasks/{turn.seat or turn.role}"
    changes = [(f"{place}/assignee", turn.assignee_id, assignee), (f"{place}/owner", turn.owner_id, owner)]
    return write(
        case,
        act,
        role=power.role,
        details=[change for change in changes if change[1] != change[2]],
        recipients=recipients,
        why=why,
        principal_id=power.principal_id,
    )


def _result(case: Case, turn: Turn, event_id: str, assignee: str | None, owner: str | None = None) -> dict[str, Any]:
    return {
        "text": case.text.id,
        "seat": turn.seat,
        "role": turn.role,
        "role_title": title_of(case, turn),
        "assignee": assignee,
        "owner": owner,
        "due": turn.due_on,
        "event_id": event_id,
    }
