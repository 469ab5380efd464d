"""Sign-off with added seats: what ``workflow/signing.py`` says of itself, looked at from every state that it can come to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow.definition import SignRule
from workflow.signing import Outcome, Seat, base_seats, outcome, ready_seats


def rule(kind: str, seats: tuple[str, ...] = ("a", "b"), **members: Any) -> SignRule:
    return SignRule.model_validate(
        {"rule": kind, "seats": list(seats), "passed": "pass", "failed": "reject", **members}
    )


def added(key: str, anchor: str, place: Any) -> Seat:
    return Seat(key, "a", anchor, place, f"who{key}")


def ready(of: SignRule, seats: tuple[Seat, ...], **votes: bool) -> set[str]:
    return {seat.key for seat in ready_seats(of, seats, {key.replace("p", "+"): vote for key, vote in votes.items()})}


def result(of: SignRule, seats: tuple[Seat, ...], **votes: bool) -> Outcome:
    return outcome(of, seats, {key.replace("p", "+"): vote for key, vote in votes.items()})


def test_one_before_votes_first_and_one_after_when_the_seat_has_agreed() -> None:
    every = rule("all")
    seats = (*base_seats(every), added("+1", "a", "before"), added("+2", "a", "after"))
    assert ready(every, seats) == {"+1", "b"}
    assert ready(every, seats, p1=True) == {"a", "b"}
    assert ready(every, seats, p1=True, a=True) == {"b", "+2"}
    assert result(every, seats, p1=True, a=True, b=True) is Outcome.PENDING
    assert result(every, seats, p1=True, a=True, b=True, p2=True) is Outcome.PASSED


def test_an_added_seat_against_decides_against_whatever_the_rule() -> None:
    for kind in ("all", "any", "sequential"):
        of = rule(kind)
        seats = (*base_seats(of), added("+1", "a", "before"))
        assert result(of, seats, p1=False) is Outcome.FAILED
        assert ready(of, seats, p1=False) == set()


def test_seats_added_to_added_seats_wait_for_one_another() -> None:
    of = rule("all", ("a",))
    seats = (*base_seats(of), added("+1", "a", "before"), added("+2", "+1", "before"), added("+3", "+1", "after"))
    assert ready(of, seats) == {"+2"}
    assert ready(of, seats, p2=True) == {"+1"}
    assert ready(of, seats, p2=True, p1=True) == {"a", "+3"}
    assert result(of, seats, p2=True, p1=True, a=True) is Outcome.PENDING
    assert result(of, seats, p2=True, p1=True, a=True, p3=True) is Outcome.PASSED


def test_in_turn_the_next_waits_for_those_added_to_the_one_before() -> None:
    of = rule("sequential")
    seats = (*base_seats(of), added("+1", "a", "after"), added("+2", "b", "before"))
    assert ready(of, seats) == {"a"}
    assert ready(of, seats, a=True) == {"+1"}
    assert ready(of, seats, a=True, p1=True) == {"+2"}
    assert ready(of, seats, a=True, p1=True, p2=True) == {"b"}


def test_an_added_seat_holds_a_decided_majority_back_and_votes_withdrawn_open_seats_again() -> None:
    of = rule("any")
    seats = (*base_seats(of), added("+1", "a", "after"))
    assert result(of, seats, a=True) is Outcome.PENDING
    assert ready(of, seats, a=True) == {"b", "+1"}
    assert ready(of, seats) == {"a", "b"}
    assert result(of, seats, a=True, p1=True) is Outcome.PASSED


def test_who_was_added_after_a_seat_that_refused_is_not_waited_for() -> None:
    of = rule("any")
    seats = (*base_seats(of), added("+1", "a", "after"))
    assert result(of, seats, a=False, b=True) is Outcome.PASSED


def test_everybody_in_turn_is_heard_past_a_refusal_to_which_somebody_was_added() -> None:
    of = rule("sequential", early_stop=False)
    seats = (*base_seats(of), added("+1", "a", "after"))
    assert ready(of, seats, a=False) == {"b"}


@st.composite
def sign_offs(draw: st.DrawFn) -> tuple[SignRule, tuple[Seat, ...]]:
    """A rule with up to three base and four added seats."""
    names = ("a", "b", "c")[: draw(st.integers(1, 3))]
    kind = draw(st.sampled_from(["all", "any", "quorum", "sequential"]))
    more: dict[str, Any] = {"quorum": draw(st.integers(1, len(names)))} if kind == "quorum" else {}
    of = rule(kind, names, early_stop=draw(st.booleans()), **more)
    seats = list(base_seats(of))
    for number in range(draw(st.integers(0, 4))):
        anchor = draw(st.sampled_from([seat.key for seat in seats]))
        seats.append(added(f"+{number + 1}", anchor, draw(st.sampled_from(["before", "after"]))))
    return of, tuple(seats)


@settings(max_examples=400, derandomize=True)
@given(sign_offs(), st.data())
def test_a_pending_sign_off_always_waits_for_somebody_and_ends(
    sign_off: tuple[SignRule, tuple[Seat, ...]], data: st.DataObject
) -> None:
    of, seats = sign_off
    votes: dict[str, bool] = {}
    while outcome(of, seats, votes) is Outcome.PENDING:
        waiting = ready_seats(of, seats, votes)
        assert waiting, (of, seats, votes)
        for seat in waiting:
            assert seat.key not in votes
            assert all(item.key in votes for item in seats if item.anchor == seat.key and item.place == "before")
            assert seat.place != "after" or votes[seat.anchor or ""]
        seat = data.draw(st.sampled_from(waiting))
        votes[seat.key] = data.draw(st.booleans())
    agreed = sum(votes.get(seat.key) is True for seat in seats if seat.anchor is None)
    against = any(votes.get(seat.key) is False for seat in seats if seat.anchor is not None)
    assert (outcome(of, seats, votes) is Outcome.PASSED) == (agreed >= of.needed and not against)


@pytest.mark.parametrize("kind", ["all", "any", "sequential"])
def test_agreement_of_everybody_passes(kind: str) -> None:
    of = rule(kind)
    seats = (*base_seats(of), added("+1", "a", "before"), added("+2", "+1", "after"))
    assert outcome(of, seats, {seat.key: True for seat in seats}) is Outcome.PASSED
