"""Which finding is the same after an edit: by its rule, its place, what it says, and what stands at the place."""

from __future__ import annotations

from typing import Any

from models.canonical import canonical_bytes, digest
from models.findings import CheckFinding
from models.places import anchor, get


def fingerprint(value: Any, finding: CheckFinding) -> str:
    """SHA-256 (64 hexadecimal characters) of a finding in a content in JSON.

    It stays while other places change, also where items are added, removed or moved around it, and is another one as soon as
    what stands at the place changed, or the sentence does: an answer to the old one says nothing about the new one. The
    severity is left out, since settings may move it without a change of the text.
    """
    place = anchor(value, finding.place)
    # Of the whole text nothing is held: every edit would void the answer, whatever it was about.
    held = _held(get(value, place)) if place else None
    return digest(canonical_bytes([finding.code, place, finding.message, held]))


def _held(value: Any) -> Any:
    """What stands at a place: a member or an item as it is, of a list of items which ones they are.

    A finding about a list says in its sentence what it objects to in the items; the rest of them is none of its business.
    """
    if isinstance(value, list):
        return [item.get("id") if isinstance(item, dict) and "id" in item else item for item in value]
    return value
