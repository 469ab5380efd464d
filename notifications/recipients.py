"""Who is told of an event, and of what: whoever's turn it is, whom they asked to stand in, and who took part. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from notifications.kinds import Kind
from notifications.letters import Item

# What acts of handling (workflow/handling.py) tell of; those that are not named here are steps and votes: a turn.
_OF_ACTS: dict[str, Kind] = {
    "task.remind": Kind.URGE,
    "task.overdue": Kind.OVERDUE,
    "text.copy": Kind.COPIED,
}
# Acts after which it may be somebody else's turn.
_REMARKS: dict[str, str] = {
    "task.reassign": "任务已转办",
    "task.delegate": "请您协助办理",
    "task.resolve": "协助已经办结，任务回到您名下",
    "task.release": "任务退回待签收",
    "signer.add": "请您加签",
}
# Acts by which somebody's turn ended without their doing.
_GONE: dict[str, str] = {
    "task.reassign": "您名下的任务已转给别人办理",
    "task.resolve": "请您协助的任务已由委派人收回",
    "signer.remove": "您的加签席位已减去",
}


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody whose turn it is: in their own right, or standing in for a colleague."""

    account_id: str
    stands_in: bool = False


@dataclass(frozen=True, slots=True)
class Turned:
    """What a step did: the kind of news it is for those who took part (None: none), and its number.

    ``back`` says that it went back on the way: whose turn it is now want to know why.
    """

    kind: Kind | None = None
    step: int = 0
    back: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """One account that is to be told of one thing."""

    account_id: str
    item: Item


def turned(
    *, returns: bool, to_department: bool, approves: bool, publishes: bool, undoes: bool, by_department: bool, step: int
) -> Turned:
    """What a step was. What a bureau sends back within itself is no news for the department, nor what it did itself."""
    if undoes or (by_department and not publishes):
        return Turned(None, step)
    if publishes:
        return Turned(Kind.PUBLISHED, step)
    back = returns or to_department
    if back:
        return Turned(Kind.RETURN if to_department else None, step, back=True)
    return Turned(Kind.APPROVED if approves else Kind.PASSED, step)


def of_turn(topic: str, base: Item, holders: Iterable[Holder], turned: Turned) -> list[Told]:
    """What the holders of a turn are told: of their task, or of why the text came back to them."""
    kind = _OF_ACTS.get(topic) or (Kind.RETURN if turned.back else Kind.TASK)
    told = []
    for holder in holders:
        remark = "您正在代理同事的岗位" if holder.stands_in else _REMARKS.get(topic, "")
        # Whoever stands in for somebody is told of what they may do for them, in a kind of its own that can be silenced.
        theirs = Kind.DELEGATED if holder.stands_in and kind is Kind.TASK else kind
        told.append(Told(holder.account_id, _as(base, theirs, remark, turned.step)))
    return told


def of_bystander(topic: str, base: Item, account_id: str) -> list[Told]:
    """What somebody is told whom an act names though it is not their turn (any more)."""
    kind = _OF_ACTS.get(topic)
    if kind in (Kind.COPIED, Kind.OVERDUE):
        return [Told(account_id, _as(base, kind, "", 0))]
    remark = _GONE.get(topic)
    return [Told(account_id, _as(base, Kind.COPIED, remark, 0))] if remark else []


def of_followers(base: Item, followers: Iterable[str], turned: Turned) -> list[Told]:
    """What those who took part are told of a step."""
    if turned.kind is None:
        return []
    return [Told(account_id, _as(base, turned.kind, "", turned.step)) for account_id in dict.fromkeys(followers)]


def once_each(told: Iterable[Told]) -> dict[str, Item]:
    """One item for each account of one event: the most pressing, since one thing is told once."""
    order = list(Kind)
    best: dict[str, Item] = {}
    for item in told:
        known = best.get(item.account_id)
        if known is None or order.index(item.item.kind) < order.index(known.kind):
            best[item.account_id] = item.item
    return best


def without(told: Mapping[str, Item], accounts: Iterable[str | None]) -> dict[str, Item]:
    """Without those who did it themselves: what somebody has just done they know."""
    gone = set(accounts)
    return {account_id: item for account_id, item in told.items() if account_id not in gone}


def _as(base: Item, kind: Kind, remark: str, step: int) -> Item:
    return Item(
        kind,
        text=base.text,
        title=base.title,
        state=base.state,
        due=base.due if kind is not Kind.PASSED else "",
        left=base.left,
        step=step,
        remark=remark,
    )
