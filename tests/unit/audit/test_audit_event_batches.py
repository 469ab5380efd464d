"""Batches of events: fast where all are as usual, and never of another opinion than the reader of single events."""

import datetime as dt

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import eventbatches
from audit.eventbatches import read_batch, valid_events
from audit.events import Actor, EventDraft, event_bytes, parse_event
from models.errors import InvalidInput
from models.ids import new_id

NOW = dt.datetime(2025, 3, 1, tzinfo=dt.UTC)
HASH = "ab" * 32


def body(number=1, **members):
    draft = EventDraft(
        act=members.pop("act", "text.field.update"),
        out="success",
        actor=Actor("account-1", "起草", "web", members.pop("deputy", None)),
        obj_type="text",
        obj_id=f"t{number}",
        ctx=members.pop("ctx", {"app": "jixiao", "req": f"{number}"}),
        **members,
    )
    version = number % 3 + 1
    return event_bytes(draft, event_id=new_id(NOW), ts=NOW, ver=version, prev=bytes(32) if version > 1 else None)


USUAL = [
    body(1, why="同意。"),
    body(1, why=""),
    body(2, chg=[{"p": "/a", "o": "旧", "n": "新"}, {"p": "", "n": "x"}], after=HASH),
    body(3, wf={"from": "a", "to": "b", "step": 3}, bulk={"op_id": "x", "i": 1, "n": 2}),
    body(4, chg=[{"p": "/a", "oh": HASH}], deputy="account-2"),
]
UNUSUAL = [
    body(2, ctx={"deep": {"list": [1, True, {"n": -5}]}}),
    body(3, chg=[{"p": "/a", "o": 1, "n": {"x": [2]}}]),
    body(5, wf={"from": "a", "n": 2**52}),
    body(6, chg=[{"p": "/a", "nc": "A" * 43 + "="}]),
]


def agrees(bodies):
    """Whether a batch gives what the events give one by one."""
    try:
        wanted = [parse_event(item) for item in bodies]
    except InvalidInput:
        with pytest.raises(InvalidInput):
            read_batch(bodies)
        return False
    batch = read_batch(bodies)
    assert list(batch.events) == wanted
    assert list(batch.ids) == [event["id"] for event in wanted]
    assert list(batch.times) == [event["ts"] for event in wanted]
    assert list(batch.acts) == [event["act"] for event in wanted]
    assert list(batch.actors) == [event["actor"]["sub"] for event in wanted]
    assert list(batch.outs) == [event["out"] for event in wanted]
    assert list(batch.prevs) == [event.get("prev", "") for event in wanted]
    objects = zip(batch.types, batch.names, batch.versions, strict=True)
    assert [{"type": a, "id": b, "ver": c} for a, b, c in objects] == [event["obj"] for event in wanted]
    return True


def test_usual_events_are_read_without_the_reader_of_single_ones(monkeypatch):
    monkeypatch.setattr(eventbatches, "parse_event", None)
    assert agrees(USUAL)


@pytest.mark.parametrize("unusual", UNUSUAL)
def test_unusual_events_are_left_to_the_reader_of_single_ones(monkeypatch, unusual):
    seen = []
    monkeypatch.setattr(eventbatches, "parse_event", lambda item: seen.append(item) or parse_event(item))
    assert agrees([*USUAL, unusual])
    assert len(seen) == len(USUAL) + 1


def edited(**members):
    return {**orjson.loads(USUAL[2]), **members}


def canonical(value):
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def without(name):
    event = edited()
    del event[name]
    return event


ACTOR = {"role": "r", "sub": "s", "via": "web"}
OBJ = {"id": "a", "type": "text", "ver": 2}
WRONG = [
    *(without(name) for name in ("v", "id", "ts", "act", "out", "actor", "obj", "ctx")),
    without("prev"),
    *(edited(v=value) for value in (2, True, 1.0, "1")),
    *(edited(id=value) for value in ("", "x", 5, HASH[:36], "017b1b20-e4d6-7cc8-a630-b4e819ade529\n")),
    *(edited(ts=value) for value in ("", 5, "2025-02-30T00:00:00.000000Z", "2025-01-01T00:00:00Z")),
    *(edited(act=value) for value in ("", "x", "X.y", 5, "a.b\n")),
    *(edited(out=value) for value in ("", "done", 5)),
    *(edited(actor=value) for value in ([], {**ACTOR, "x": "y"}, {**ACTOR, "sub": ""}, {**ACTOR, "via": "fax"})),
    *(edited(actor={**ACTOR, name: value}) for name in ("sub", "role", "on_behalf_of") for value in (5, "")),
    *(edited(obj=value) for value in ({**OBJ, "x": "y"}, {**OBJ, "id": ""}, {**OBJ, "id": 5}, {**OBJ, "type": ""})),
    *(edited(obj={**OBJ, "ver": value}) for value in (0, -1, True, 1.5, "2", 1)),
    *(edited(prev=value) for value in ("", HASH[:-1], HASH.upper(), HASH[:-1] + " ", 5)),
    *(edited(after=value) for value in ("", HASH.upper(), "g" * 64, 5)),
    *(edited(ctx=value) for value in ([], "x", {"键": "x"}, {"x": 1.5}, {"x": "e\u0301"})),
    *(edited(why=value) for value in (5, "e\u0301", ["x"])),
    *(edited(chg=value) for value in ([], {}, "x", [5], [{}], [{"p": "/a"}], [{"p": "a", "n": "x"}])),
    *(edited(chg=[{"p": "/a", **sides}]) for sides in ({"n": 1.5}, {"oh": "x"}, {"o": "x", "nh": HASH}, {"x": "y"})),
    *(edited(wf=value) for value in ([], {"键": "x"}, {"x": 1.5}, {"x": 2**53}, {"x": "e\u0301"})),
    edited(extra="x"),
    [],
    "text",
    5,
]


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("place", [0, 2])
def test_what_is_no_event_is_refused_wherever_it_stands(wrong, place):
    bodies = [*USUAL]
    bodies[place] = canonical(wrong)
    assert not agrees(bodies)


@pytest.mark.parametrize(
    "spelling",
    [
        lambda text: text + b" ",
        lambda text: text.replace(b'"v":1', b'"v": 1'),
        lambda text: text.replace(b'"v":1', b'"v":1,"v":1'),
        lambda text: text.replace(b"text.field", b"te\\u0078t.field"),
        lambda text: text.replace(b'"v":1', b'"v":1,"why":null'),
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text[:-1],
        lambda text: b"",
    ],
)
def test_another_spelling_is_refused(spelling):
    assert not agrees([USUAL[0], spelling(USUAL[2])])


def test_an_event_split_over_two_bodies_is_refused():
    joined = USUAL[0] + b"," + USUAL[1]
    assert not agrees([joined[:100], joined[101:]])
    assert not agrees([joined, USUAL[2][:50], USUAL[2][51:]])


@pytest.mark.parametrize("count", [0, 1, 64, 65, 200])
def test_the_valid_events_of_many_bodies_are_given_with_their_indexes(count):
    bodies = [USUAL[number % 4] for number in range(count)]
    assert [index for index, _event in valid_events(enumerate(bodies))] == list(range(count))
    if count:
        bodies[count // 2] = b"{}"
        found = list(valid_events(enumerate(bodies)))
        assert found == [(at, parse_event(item)) for at, item in enumerate(bodies) if item != b"{}"]


@given(
    st.lists(st.sampled_from([*USUAL, *UNUSUAL]), min_size=1, max_size=6),
    st.integers(0, 5),
    st.integers(0, 300),
    st.binary(max_size=3),
)
def test_any_edit_of_a_byte_is_judged_as_one_by_one(bodies, which, place, replacement):
    edit = bodies[which % len(bodies)]
    bodies[which % len(bodies)] = edit[:place] + replacement + edit[place + 1 :]
    agrees(bodies)


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=3), children, max_size=3),
    max_leaves=5,
)


@given(
    st.sampled_from(["v", "id", "ts", "act", "out", "actor", "obj", "ctx", "prev", "why", "chg", "after", "wf"]),
    _values,
)
def test_any_value_of_a_member_is_judged_as_one_by_one(name, value):
    try:
        text = canonical(edited(**{name: value}))
    except TypeError:
        return  # a lone surrogate, which JSON does not hold
    agrees([USUAL[0], text])


@given(st.sampled_from(["actor", "obj", "ctx", "wf", "bulk"]), st.text(max_size=3), _values)
def test_any_value_inside_a_member_is_judged_as_one_by_one(name, key, value):
    inside = {**orjson.loads(USUAL[3]).get(name, {}), key: value}
    try:
        text = canonical({**orjson.loads(USUAL[3]), name: inside})
    except TypeError:
        return
    agrees([USUAL[0], text])
