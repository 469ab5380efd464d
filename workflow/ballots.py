"""Votes of a sign-off without the people who cast them: one place for each base seat, None where nobody has voted yet.

Seats of one role are alike, so votes are kept in one order for each role, and configurations that differ only by the names of
seats are one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from workflow.definition import SignRule
from workflow.signing import Outcome, Seat, base_seats, outcome, ready_seats

Votes = tuple[bool | None, ...]

# The same votes come again on every way to a sign-off; nine seats have some twenty thousand of them.
_KNOWN: Final = 1 << 15


def no_votes(sign: SignRule | None) -> Votes:
    """What a sign-off begins with; empty where a state has none."""
    return (None,) * len(sign.seats) if sign else ()


@lru_cache(_KNOWN)
def ready(sign: SignRule, votes: Votes) -> tuple[str, ...]:
    """The roles whose turn it is to vote."""
    seats = _seats(sign)
    return tuple(dict.fromkeys(seat.role for seat in ready_seats(sign, seats, _by_key(sign, votes))))


@lru_cache(_KNOWN)
def cast(sign: SignRule, votes: Votes, role: str, agrees: bool) -> Votes:
    """The votes after somebody voted on the first seat of a role whose turn it is."""
    seats = _seats(sign)
    key = next(seat.key for seat in ready_seats(sign, seats, _by_key(sign, votes)) if seat.role == role)
    return _ordered(sign, [agrees if seat.key == key else vote for seat, vote in zip(seats, votes, strict=True)])


def withdrawn(sign: SignRule, votes: Votes, role: str, agrees: bool) -> Votes:
    """The votes without one that was cast on a seat of a role."""
    number = next(n for n, at in enumerate(sign.seats) if at == role and votes[n] is agrees)
    return _ordered(sign, [*votes[:number], None, *votes[number + 1 :]])


@lru_cache(_KNOWN)
def decided(sign: SignRule, votes: Votes) -> str | None:
    """The action that the votes decide upon; None while they decide nothing."""
    result = outcome(sign, _seats(sign), _by_key(sign, votes))
    return {Outcome.PASSED: sign.passed, Outcome.FAILED: sign.failed}.get(result)


@lru_cache(256)
def _seats(sign: SignRule) -> tuple[Seat, ...]:
    return base_seats(sign)


def _by_key(sign: SignRule, votes: Votes) -> dict[str, bool]:
    pairs = zip(_seats(sign), votes, strict=True)
    return {seat.key: vote for seat, vote in pairs if vote is not None}


def _ordered(sign: SignRule, votes: Sequence[bool | None]) -> Votes:
    # Of each role first those who agree, then those who do not, then who has not voted.
    order = {True: 0, False: 1, None: 2}
    by_role: dict[str, list[bool | None]] = {}
    for role, vote in zip(sign.seats, votes, strict=True):
        by_role.setdefault(role, []).append(vote)
    waiting = {role: iter(sorted(given, key=order.__getitem__)) for role, given in by_role.items()}
    return tuple(next(waiting[role]) for role in sign.seats)
