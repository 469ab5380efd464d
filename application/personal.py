"""Personal data in events: which values of a budget text are about a person, and how screens show them again.

The rule is that of the public version (``documents.rendering``): the person in charge, the phone, and members of a form that
are labelled as a person or a way to reach one. It is applied to every event that is written, so no use case can forget it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from audit.recorder import Detail
from audit.sealing import Opened, Personal, Sealer
from documents.rendering import is_personal
from models.base import SHANGHAI
from models.canonical import canonical_bytes
from models.engine import Work
from models.places import join, split

_MEMBERS = frozenset(("person_in_charge", "phone"))
_EXTRA = "extra"
# The places of a content that can hold such members; other details of events are passed over at once.
_PLACES = ("/projects", "/overall", "/extra")

# The names of accounts by id: (name, organization).
Names = Mapping[str, tuple[str, str]]


def subject_of(text_id: str, place: str) -> str:
    """Whom a value of a text is about: nobody knows the person's account, so it is the text, and the project in it."""
    tokens = split(place)
    return "text/" + text_id + join(tokens[:2] if tokens[0] == "projects" else ())


def guard(obj: tuple[str, str], details: Iterable[Detail]) -> Iterator[Detail]:
    """The details of an event with everything personal as ``Personal``.

    The personal members of an object that came or went whole, such as a project, become details of their own.
    """
    kind, text_id = obj
    for detail in details:
        if kind != "text" or not detail[0].startswith(_PLACES):
            yield detail
            continue
        for place, old, new in _parted(*detail):
            if _personal(place, old) or _personal(place, new):
                subject = subject_of(text_id, place)
                yield place, _sealable(subject, old), _sealable(subject, new)
            else:
                yield place, old, new


def _parted(place: str, old: Any, new: Any) -> Iterator[Detail]:
    members: list[dict[str, Any]] = [side if isinstance(side, dict) else {} for side in (old, new)]
    apart = sorted({key for side in members for key in side if _personal(f"{place}/{key}", side[key])})
    if not apart:
        yield place, old, new
        return
    rest = [
        {key: value for key, value in side.items() if key not in apart} if isinstance(side, dict) else side
        for side in (old, new)
    ]
    if any(side is not None for side in rest):
        yield place, rest[0], rest[1]
    for key in apart:
        yield f"{place}/{key}", members[0].get(key), members[1].get(key)


def may_be_personal(place: str) -> bool:
    """Whether a place of a content may hold something about a person: sentences that quote it belong on screens only."""
    tokens = split(place)
    return bool(tokens) and (tokens[-1] in _MEMBERS or _EXTRA in tokens)


def _personal(place: str, value: Any) -> bool:
    if value is None:
        return False
    tokens = split(place)
    if tokens[-1] in _MEMBERS:
        return True
    # Of a single member of a form the label is not in the change: nobody can tell that it is no telephone number.
    return (_EXTRA in tokens and not isinstance(value, dict | list)) or _holds_person(value)


def _holds_person(value: Any) -> bool:
    if isinstance(value, list):
        return any(_holds_person(item) for item in value)
    if not isinstance(value, dict):
        return False
    label = value.get("label")
    return (
        not _MEMBERS.isdisjoint(value)
        or (isinstance(label, str) and is_personal(label))
        or any(_holds_person(member) for member in value.values())
    )


def _sealable(subject: str, value: Any) -> Personal | None:
    if value is None:
        return None
    return Personal(subject, value if isinstance(value, str) else canonical_bytes(value).decode())


def erased_words(names: Names, opened: Opened) -> str:
    """What a screen says where a value was erased."""
    at = opened.erased_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") if opened.erased_at else "某时"
    return f"已于 {at} 由{names.get(opened.erased_by or '', ('系统', ''))[0]}删除"


def reveal(
    work: Work,
    sealer: Sealer | None,
    names: Names,
    change: Mapping[str, Any],
    *,
    allowed: Callable[[str], bool] = lambda _: True,
) -> dict[str, Any]:
    """A change of ``chg`` as screens show it: ``{p, o, n}`` in place of commitments, with words where a value is gone.

    ``allowed`` says of a subject whether the reader may see the value; others get words that say so. Raises LogCorrupt where
    a stored value is not what was committed to.
    """
    out = {key: value for key, value in change.items() if key not in ("oc", "nc")}
    for sealed, shown in (("oc", "o"), ("nc", "n")):
        if sealed in change:
            out[shown] = _shown(work, sealer, names, change[sealed], allowed)
    return out


def _shown(work: Work, sealer: Sealer | None, names: Names, commitment: str, allowed: Callable[[str], bool]) -> str:
    if sealer is None:
        return "（已密封：这里没有密封密钥，打不开）"
    opened = sealer.open_sealed(work, commitment)
    if opened is None:
        return "（已密封：数据库中没有它的内容）"
    if opened.value is None:
        return erased_words(names, opened)
    return opened.value if allowed(opened.subject_id) else "（已密封：您不能查看）"
