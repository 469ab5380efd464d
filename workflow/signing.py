"""Sign-off in one state, as pure functions: who may vote now, and what the votes decide.

A seat is a place at the table: one vote by one person. Base seats come from the definition, added ones (加签) from a signer:
one *before* an existing seat must vote first, one *after* it votes when that seat has agreed. The rule counts base seats; an
added seat is a condition beside it: while one is open nothing is decided in favour, and one against decides against. One after a
seat that refused is asked no more. The outcome is always computed from the votes, never from a counter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from workflow.definition import SignRule


class Outcome(StrEnum):
    """What a sign-off has come to."""

    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Seat:
    """A seat by its key; ``anchor`` and ``place`` say next to which seat an added one stands, ``account_id`` whose it is."""

    key: str
    role: str
    anchor: str | None = None
    place: Literal["before", "after"] | None = None
    account_id: str | None = None


def base_seats(rule: SignRule) -> tuple[Seat, ...]:
    """The seats of a rule in their order: ``role``, and ``role:2`` where a role is named again."""
    seen: dict[str, int] = {}
    out = []
    for role in rule.seats:
        seen[role] = seen.get(role, 0) + 1
        out.append(Seat(role if seen[role] == 1 else f"{role}:{seen[role]}", role))
    return tuple(out)


def outcome(rule: SignRule, seats: Sequence[Seat], votes: Mapping[str, bool]) -> Outcome:
    """What the votes (seat key to agreement) decide."""
    base = [seat for seat in seats if seat.anchor is None]
    added = [seat for seat in seats if seat.anchor is not None and not _moot(seat, seats, votes)]
    agreed = sum(votes.get(seat.key) is True for seat in base)
    refused = sum(votes.get(seat.key) is False for seat in base)
    open_base = len(base) - agreed - refused
    if any(votes.get(seat.key) is False for seat in added) or agreed + open_base < rule.needed:
        # Who goes on in turn after a refusal would sign what is already refused, unless everybody is to be heard.
        return Outcome.FAILED if rule.early_stop or not _waiting(rule, seats, votes) else Outcome.PENDING
    if agreed < rule.needed or any(seat.key not in votes for seat in added):
        return Outcome.PENDING
    return Outcome.PASSED if rule.early_stop or open_base == 0 else Outcome.PENDING


def ready_seats(rule: SignRule, seats: Sequence[Seat], votes: Mapping[str, bool]) -> tuple[Seat, ...]:
    """The seats whose turn it is while the outcome is pending."""
    if outcome(rule, seats, votes) is not Outcome.PENDING:
        return ()
    return _waiting(rule, seats, votes)


def _waiting(rule: SignRule, seats: Sequence[Seat], votes: Mapping[str, bool]) -> tuple[Seat, ...]:
    """The seats that could vote next, whatever is decided already."""
    anchors = {seat.key: seat for seat in seats}
    base = [seat for seat in seats if seat.anchor is None]
    turn = base
    if rule.rule == "sequential":
        # The next in turn waits for whoever was added to those before.
        undone = [seat for seat in base if seat.key not in votes or _followers_open(seat.key, seats, votes)]
        turn = undone[:1]
    allowed = {seat.key for seat in turn}
    out = []
    for seat in seats:
        if seat.key in votes or _before_open(seat.key, seats, votes):
            continue
        root = seat
        while root.anchor in anchors:
            root = anchors[root.anchor]
        if root.key not in allowed:
            continue
        if seat.place == "after" and votes.get(seat.anchor or "") is not True:
            continue
        out.append(seat)
    return tuple(out)


def _moot(seat: Seat, seats: Sequence[Seat], votes: Mapping[str, bool]) -> bool:
    """Whether an added seat will never be asked: it, or a seat that it stands beside, comes after one that refused."""
    anchor = next((item for item in seats if item.key == seat.anchor), None)
    if anchor is None or seat.key in votes:
        return False
    return (seat.place == "after" and votes.get(anchor.key) is False) or _moot(anchor, seats, votes)


def _before_open(key: str, seats: Sequence[Seat], votes: Mapping[str, bool]) -> bool:
    return any(seat.anchor == key and seat.place == "before" and seat.key not in votes for seat in seats)


def _followers_open(key: str, seats: Sequence[Seat], votes: Mapping[str, bool]) -> bool:
    return any(
        seat.anchor == key
        and not _moot(seat, seats, votes)
        and (seat.key not in votes or _followers_open(seat.key, seats, votes))
        for seat in seats
    )
