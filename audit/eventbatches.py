"""Reading very many stored events: what ``audit.events.parse_event`` accepts, many times as fast.

A batch is turned into columns, and each rule of the profile is asked of a whole column by operations that the interpreter
does in C. They recognize what nearly all events are like; wherever one is not, ``parse_event`` decides about each event of
the batch. So the two never differ, and the rules here may be as narrow as they like.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from operator import eq, itemgetter
from typing import Any

import orjson

from audit.events import MAX_BYTES, Outcome, Via, parse_event
from models.errors import InvalidInput

# Bodies that are best read together: few enough that their parsed events stay in the processor's cache.
TOGETHER = 64

# Members that every event, actor and object has.
_MEMBERS, _OF_ACTOR, _OF_OBJECT = 8, 3, 3
# In canonical form the members stand in the order of their names, so a tuple of them tells which there are.
_CHANGES = frozenset((*sides, "p") for sides in (("n", "o"), ("n",), ("o",), ("nh", "oh"), ("nh",), ("oh",)))
_OUTCOMES = frozenset(map(str, Outcome))
_DOORS = frozenset(map(str, Via))
# Larger numbers are rare, and left to ``parse_event``.
_SMALL = 2**31
_HASH_CHARACTERS = 64

_ids_are_well_formed = re.compile(
    "(?:[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\n)*"
).fullmatch
_times_are_well_formed = re.compile(
    r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z\n)*"
).fullmatch
_act_is_well_formed = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+").fullmatch
_canonical = partial(orjson.dumps, option=orjson.OPT_SORT_KEYS)
_members = itemgetter("act", "actor", "ctx", "id", "obj", "out", "ts", "v")
_of_actor = itemgetter("role", "sub", "via")
_of_object = itemgetter("type", "id", "ver")
_chained = itertools.chain.from_iterable


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Parsed events, and their members as columns; ``prevs`` are in hexadecimal, "" for none."""

    events: Sequence[dict[str, Any]]
    ids: Sequence[str]
    times: Sequence[str]
    acts: Sequence[str]
    actors: Sequence[str]
    types: Sequence[str]
    names: Sequence[str]
    versions: Sequence[int]
    outs: Sequence[str]
    prevs: Sequence[str]


def read_batch(bodies: Sequence[bytes]) -> EventBatch:
    """The events in stored bytes (at least one); raises InvalidInput where one is no event in its canonical spelling."""
    try:
        events: list[Any] = list(map(orjson.loads, bodies))
        if all(map(eq, map(_canonical, events), bodies)) and max(map(len, bodies)) <= MAX_BYTES:
            batch = _common(events)
            if batch is not None:
                return batch
    except (AttributeError, KeyError, TypeError, ValueError):
        pass
    events = [parse_event(body) for body in bodies]
    acts, actors, _contexts, ids, objects, outs, times, _ones = zip(*map(_members, events), strict=True)
    types, names, versions = zip(*map(_of_object, objects), strict=True)
    subs = [actor["sub"] for actor in actors]
    prevs = [event.get("prev", "") for event in events]
    return EventBatch(events, ids, times, acts, subs, types, names, versions, outs, prevs)


def valid_events(bodies: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The events among stored bytes with their indexes; what is no event is left out."""
    coming = iter(bodies)
    while some := list(itertools.islice(coming, TOGETHER)):
        try:
            events = read_batch([body for _index, body in some]).events
        except InvalidInput:
            for index, body in some:
                with contextlib.suppress(InvalidInput):
                    yield index, parse_event(body)
        else:
            yield from zip((index for index, _body in some), events, strict=True)


def _common(events: list[Any]) -> EventBatch | None:
    """The batch, if its events (in canonical form) are surely valid: shape, types, formats, NFC."""
    acts, actors, contexts, ids, objects, outs, times, ones = zip(*map(_members, events), strict=True)
    types, names, versions = zip(*map(_of_object, objects), strict=True)
    roles, subs, doors = zip(*map(_of_actor, actors), strict=True)
    deputies = [actor["on_behalf_of"] for actor in actors if "on_behalf_of" in actor]
    prevs = [event.get("prev", "") for event in events]
    afters = [event["after"] for event in events if "after" in event]
    reasons = [event["why"] for event in events if "why" in event]
    flows = [event[name] for event in events for name in ("wf", "bulk") if name in event]
    lists = [event["chg"] for event in events if "chg" in event]
    changes = list(_chained(lists))
    linked = [prev for prev in prevs if prev]
    optional = len(linked) + len(afters) + len(reasons) + len(flows) + len(lists)
    values = list(_chained(map(dict.values, flows)))
    words = [value for value in values if type(value) is not int]
    numbers = [value for value in values if type(value) is int]
    digests = [change[side] for change in changes for side in ("oh", "nh") if side in change]
    # Joining refuses whatever is not a text.
    texts = (
        "".join((*subs, *roles, *types, *names, *deputies)),
        "".join(_chained(map(dict.values, contexts))),
        "".join(reasons),
        "".join(_chained(map(dict.values, changes))),
        "".join(words),
    )
    keys = "".join((*_chained(contexts), *_chained(flows)))
    # All have the members that they must have; where the numbers of members agree none has any other.
    good = (
        sum(map(len, events)) == _MEMBERS * len(events) + optional
        and sum(map(len, actors)) == _OF_ACTOR * len(events) + len(deputies)
        and sum(map(len, objects)) == _OF_OBJECT * len(events)
        and all(subs)
        and all(roles)
        and all(types)
        and all(names)
        and all(deputies)
        and _are_whole(ones, 1, 1)
        and _are_whole(versions, 1, _SMALL)
        and _are_whole(numbers, 0, _SMALL)
        # Only the first event of an object has nothing to link to.
        and [prev != "" for prev in prevs] == [version > 1 for version in versions]
        and _OUTCOMES.issuperset(outs)
        and _DOORS.issuperset(doors)
        and all(map(_act_is_well_formed, set(acts)))
        and _ids_are_well_formed("\n".join((*ids, ""))) is not None
        and _are_times(times)
        and _are_hashes([*linked, *afters, *digests])
        and all(lists)
        and {list}.issuperset(map(type, lists))
        and _CHANGES.issuperset(map(tuple, changes))
        and all(change["p"] == "" or change["p"][0] == "/" for change in changes)
        and keys.isascii()
        # A part of a normalized text is normalized (Unicode Standard Annex 15).
        and all(text.isascii() or unicodedata.is_normalized("NFC", text) for text in texts)
    )
    return EventBatch(events, ids, times, acts, subs, types, names, versions, outs, prevs) if good else None


def _are_whole(numbers: Sequence[Any], low: int, high: int) -> bool:
    return not numbers or (set(map(type, numbers)) == {int} and low <= min(numbers) and max(numbers) <= high)


def _are_times(times: Sequence[str]) -> bool:
    # The pattern asks for the spelling, and the parser whether there is such a day; it raises where there is none.
    return _times_are_well_formed("\n".join((*times, ""))) is not None and all(map(datetime.fromisoformat, times))


def _are_hashes(hashes: list[str]) -> bool:
    # The parser of hexadecimal takes blanks and capitals, too, which do not come back.
    joined = "".join(hashes)
    return {_HASH_CHARACTERS}.issuperset(map(len, hashes)) and bytes.fromhex(joined).hex() == joined
