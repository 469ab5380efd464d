"""What must hold of every comparison, whatever was edited."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from comparing_texts import edited, sample
from hypothesis import given, settings
from hypothesis import strategies as st

from documents.comparing import Change, Comparison, Kind, apply, compare_json
from documents.comparing.rows import rows
from models.canonical import canonical_bytes
from models.errors import InvalidInput

many = settings(max_examples=120, deadline=None)
both = st.booleans()
contents = edited() | edited(renumber=True)
_OPPOSITE = {Kind.ADDED: Kind.REMOVED, Kind.REMOVED: Kind.ADDED, Kind.CHANGED: Kind.CHANGED, Kind.MOVED: Kind.MOVED}


@many
@given(contents, contents, both)
def test_the_changes_make_the_second_content_of_the_first(a: Any, b: Any, same_text: bool) -> None:
    untouched = canonical_bytes(a)
    assert apply(a, compare_json(a, b, same_text=same_text)) == b
    assert canonical_bytes(a) == untouched


@many
@given(contents, both)
def test_a_content_does_not_differ_from_itself(a: Any, same_text: bool) -> None:
    assert compare_json(a, a, same_text=same_text) == Comparison(())


@many
@given(contents, contents, both)
def test_turned_round_the_same_things_changed(a: Any, b: Any, same_text: bool) -> None:
    there = Counter(map(_told, compare_json(a, b, same_text=same_text).changes))
    back = Counter(_told(change, turned=True) for change in compare_json(b, a, same_text=same_text).changes)
    assert there == back


def _told(change: Change, *, turned: bool = False) -> tuple[Any, ...]:
    places, values = (change.before_place, change.after_place), (change.before, change.after)
    kind = _OPPOSITE[change.kind] if turned else change.kind
    step = -1 if turned else 1
    return kind, places[::step], tuple(canonical_bytes(value) for value in values[::step]), change.elsewhere


@many
@given(contents, contents, both)
def test_every_change_stands_in_exactly_one_row(a: Any, b: Any, same_text: bool) -> None:
    comparison = compare_json(a, b, same_text=same_text)
    told = [place for row in rows(a, b, comparison) for place in row.places]
    assert Counter(told) == Counter(change.place for change in comparison.changes)


@many
@given(edited())
def test_no_kept_id_is_both_removed_and_added(b: Any) -> None:
    """Among versions of one text an id is the thing itself: what keeps it was changed or moved, whatever became of it."""
    changes = compare_json(sample(), b).changes
    gone = {change.place for change in changes if change.kind is Kind.REMOVED and change.after_place is None}
    assert not gone & {change.place for change in changes if change.before_place is None}


def test_changes_of_another_content_are_refused() -> None:
    a, b, other = sample(), sample(), sample()
    b["projects"][0]["purpose"] = "改了"
    other["projects"][0]["purpose"] = "早就改了"
    with pytest.raises(InvalidInput, match="已不是比较时的值"):
        apply(other, compare_json(a, b))
    del b["projects"][1]
    del other["projects"][1]
    other["projects"][0]["purpose"] = a["projects"][0]["purpose"]
    with pytest.raises(InvalidInput, match="没有“p2”这一项"):
        apply(other, compare_json(a, b))
