"""The fingerprint of a finding: the same after edits elsewhere, another one once its own place or sentence changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from documents.checking import check
from documents.checking.fingerprints import fingerprint
from documents.reading import read_text
from models.content import from_json, to_json
from models.findings import CheckFinding, Severity
from models.places import anchor, get, put

SAMPLE = Path(__file__).parents[3] / "examples" / "library-2021.txt"
VALUE = to_json(read_text(SAMPLE.read_bytes()).content)


def marks(value: Any) -> dict[str, str]:
    """Fingerprints of all findings by CODE@ANCHOR and sentence."""
    return {
        f"{item.code}@{anchor(value, item.place)} {item.message}": fingerprint(value, item)
        for item in check(from_json(value))
    }


def finding(value: Any, code: str, place: str) -> CheckFinding:
    return next(item for item in check(from_json(value)) if item.code == code and anchor(value, item.place) == place)


def test_findings_of_one_text_have_different_fingerprints() -> None:
    found = marks(VALUE)
    assert len(found) > 5
    assert len(set(found.values())) == len(found)


def test_an_edit_elsewhere_leaves_it_as_it_was() -> None:
    before = marks(VALUE)
    edited = put(put(VALUE, "/overall/introduction", "改写了"), "/projects/p1/indicators/i9/description", "改写了")
    kept = {key: mark for key, mark in marks(edited).items() if key in before}
    assert len(kept) > 5
    assert all(before[key] == mark for key, mark in kept.items())


def test_items_may_move_around_it() -> None:
    place = "/projects/p1/indicators/i2/sign"
    moved = put(VALUE, "/projects/p1/indicators", list(reversed(get(VALUE, "/projects/p1/indicators"))))
    old, new = finding(VALUE, "F001", place), finding(moved, "F001", place)
    assert old.place != new.place
    assert fingerprint(VALUE, old) == fingerprint(moved, new)


def test_another_value_or_sentence_or_rule_is_another_finding() -> None:
    place = "/projects/p1/indicators/i2/sign"
    item = finding(VALUE, "F001", place)
    mark = fingerprint(VALUE, item)
    assert fingerprint(put(VALUE, place, "="), item) != mark
    assert fingerprint(VALUE, replace(item, message="另一句")) != mark
    assert fingerprint(VALUE, replace(item, code="F002")) != mark
    assert fingerprint(VALUE, replace(item, severity=Severity.HINT)) == mark


def test_of_a_list_it_holds_which_items_there_are() -> None:
    item = finding(VALUE, "C006", "/projects/p1/indicators")
    mark = fingerprint(VALUE, item)
    assert fingerprint(put(VALUE, "/projects/p1/indicators/i1/remark", "改写了"), item) == mark
    assert fingerprint(put(VALUE, "/projects/p1/indicators/i1", None), item) != mark
