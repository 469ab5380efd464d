import hashlib
import json
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.changes import INLINE_CHARACTERS
from audit.events import (
    Act,
    Actor,
    EventDraft,
    Outcome,
    Via,
    change,
    digest_change,
    event_bytes,
    parse_event,
    workflow_act,
)
from models.errors import InvalidInput

ID = "019550ef-1280-795b-9cfd-d950b1159102"
NOW = datetime(2025, 3, 1, 9, 0, 0, 123456, tzinfo=UTC)
DRAFT = EventDraft(
    act=Act.TEXT_FIELD_UPDATE,
    out=Outcome.SUCCESS,
    actor=Actor("a1", "drafter", Via.WEB),
    obj_type="budget_text",
    obj_id="t1",
    ctx={"req": "r1", "app": "jixiao/0.1"},
)


def written(draft=DRAFT, **other):
    arguments = {"event_id": ID, "ts": NOW, "ver": 1, "prev": None} | other
    return event_bytes(draft, **arguments)


def with_value(value):
    return replace(DRAFT, wf={"step": value})


def test_bytes_are_the_published_spelling():
    draft = replace(
        DRAFT,
        actor=Actor("a1", "drafter", Via.WEB, on_behalf_of="a2"),
        why="按意见修改",
        chg=[{"p": "/code", "o": "1", "n": "2"}],
        after="0" * 64,
        wf={"from": "draft", "to": "submitted", "step": 1},
        bulk={"op_id": "b1", "i": 0, "n": 50},
    )
    assert (
        written(draft, ver=2, prev=b"\xab" * 32).decode()
        == '{"act":"text.field.update","actor":{"on_behalf_of":"a2","role":"drafter","sub":"a1","via":"web"},"after":"'
        + "0" * 64
        + '","bulk":{"i":0,"n":50,"op_id":"b1"},"chg":[{"n":"2","o":"1","p":"/code"}],"ctx":{"app":"jixiao/0.1","req":"r1"},"id":"'
        + ID
        + '","obj":{"id":"t1","type":"budget_text","ver":2},"out":"success","prev":"'
        + "ab" * 32
        + '","ts":"2025-03-01T09:00:00.123456Z","v":1,"wf":{"from":"draft","step":1,"to":"submitted"},"why":"按意见修改"}'
    )


def test_what_is_written_can_be_parsed():
    body = written(replace(DRAFT, why="原因", chg=[digest_change("/a", None, "新")]))
    assert parse_event(body)["why"] == "原因"


def nested(depth):
    value = "x"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        float("inf"),
        2**53,
        -(2**53),
        None,
        "e\u0301",
        "\ud800",
        {"键": "x"},
        {1: "x"},
        {"k": None},
        [None],
        b"bytes",
        NOW,
        {"k": 0.5},
        {"k": ["e\u0301"]},
        {"k": {"k": 2**60}},
        nested(7),
    ],
    ids=repr,
)
def test_values_outside_the_profile_are_refused(value):
    with pytest.raises(InvalidInput):
        written(with_value(value))


def test_an_empty_member_is_named():
    with pytest.raises(InvalidInput, match="成员“step”是空值"):
        written(with_value(None))


@pytest.mark.parametrize("value", [2**53 - 1, -(2**53) + 1, True, "é", "绩效", "\x00\x1f\x7f", "", nested(6), [], {}])
def test_values_at_the_edge_of_the_profile_are_taken(value):
    assert parse_event(written(with_value(value)))["wf"] == {"step": value}


@pytest.mark.parametrize(
    "draft",
    [
        replace(DRAFT, act="submit"),
        replace(DRAFT, act="Text.import"),
        replace(DRAFT, act=""),
        replace(DRAFT, out="ok"),
        replace(DRAFT, actor=Actor("a1", "drafter", "fax")),
        replace(DRAFT, actor=Actor("", "drafter", "web")),
        replace(DRAFT, actor=Actor("a1", "drafter", "web", on_behalf_of="")),
        replace(DRAFT, actor=Actor(7, "drafter", "web")),
        replace(DRAFT, obj_type=""),
        replace(DRAFT, obj_id=""),
        replace(DRAFT, obj_id=5),
        replace(DRAFT, ctx=["r"]),
        replace(DRAFT, wf="x"),
        replace(DRAFT, bulk=3),
        replace(DRAFT, why=5),
        replace(DRAFT, after="ABC"),
        replace(DRAFT, after="A" * 64),
        replace(DRAFT, chg=[{"p": "/a"}]),
        replace(DRAFT, chg=[{"p": "a", "n": "1"}]),
        replace(DRAFT, chg=[{"o": "1", "n": "1"}]),
        replace(DRAFT, chg=[{"p": "/a", "o": "1", "nh": "0" * 64}]),
        replace(DRAFT, chg=[{"p": "/a", "nh": "0"}]),
        replace(DRAFT, chg=[{"p": "/a", "nc": "0319-8800123"}]),
        replace(DRAFT, chg=[{"p": "/a", "oc": "A" * 44}]),
        replace(DRAFT, chg=["x"]),
    ],
    ids=repr,
)
def test_drafts_of_another_shape_are_refused(draft):
    with pytest.raises(InvalidInput):
        written(draft)


@pytest.mark.parametrize(
    "other",
    [
        {"event_id": "1"},
        {"event_id": "019550EF-1280-795B-9CFD-D950B1159102"},
        {"event_id": "019550ef-1280-495b-9cfd-d950b1159102"},
        {"ts": NOW.replace(tzinfo=None)},
        {"ver": 0},
        {"ver": 2},
        {"ver": True},
        {"prev": b"\x00" * 32},
        {"ver": 2, "prev": b"\x00" * 31},
    ],
    ids=repr,
)
def test_wrong_id_time_version_or_link_is_refused(other):
    with pytest.raises(InvalidInput):
        written(**other)


def test_an_event_may_have_65535_bytes_and_no_more():
    spare = 65_535 - len(written(replace(DRAFT, why="")))
    body = written(replace(DRAFT, why="x" * spare))
    assert len(body) == 65_535
    assert parse_event(body)
    with pytest.raises(InvalidInput):
        written(replace(DRAFT, why="x" * (spare + 1)))


def test_every_act_is_an_act_of_the_profile():
    for act in Act:
        assert parse_event(written(replace(DRAFT, act=act)))["act"] == act.value


def test_workflow_actions_have_their_act():
    assert workflow_act("submit") == "workflow.submit"
    assert parse_event(written(replace(DRAFT, act=workflow_act("second_review"))))
    for name in ("", "Submit", "a.b", "报送", "a-b", "submit\n"):
        with pytest.raises(InvalidInput):
            workflow_act(name)


BODY = written(replace(DRAFT, why="原因é"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b" " + BODY,
        BODY + b"\n",
        BODY.replace(b'"v":1', b'"v":1.0'),
        BODY.replace(b'"v":1', b'"v":2'),
        BODY.replace(b'"v":1', b'"v":true'),
        BODY.replace(b'"v":1', b'"v":1,"v":1'),
        BODY.replace(b'"v":1', b'"v":1,"w":1'),
        BODY.replace(b'"v":1,', b""),
        BODY.replace("é".encode(), b"\\u00e9"),
        BODY.replace("é".encode(), "e\u0301".encode()),
        BODY.replace("é".encode(), b"\xff"),
        BODY.replace(b'{"act"', b'{ "act"'),
        BODY.replace(b"2025-03-01T", b"2025-13-01T"),
        BODY.replace(b"2025-03-01T", b"2025-3-01T"),
        BODY.replace(b".123456Z", b"Z"),
        BODY.replace(b'"ctx":{', b'"ctx":{"a":NaN,'),
        BODY.replace(b'"ctx":{', b'"ctx":{"a":null,'),
        BODY.replace(b'"ts":"2025-03-01T09:00:00.123456Z"', b'"ts":5'),
        json.dumps(json.loads(BODY), ensure_ascii=False).encode(),
    ],
)
def test_other_spellings_are_not_parsed(body):
    assert body != BODY
    with pytest.raises(InvalidInput):
        parse_event(body)


SCALARS = (
    st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(codec="utf-8")).map(lambda text: unicodedata.normalize("NFC", text))
)


def containers(inner):
    keys = st.text(st.characters(max_codepoint=127), max_size=5)
    return st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4)


@given(SCALARS | containers(SCALARS | containers(SCALARS)))
def test_canonical_form_is_that_of_rfc_8785(value):
    body = written(with_value(value))
    # RFC 8785 for ASCII keys, integers and text: sorted keys, no blanks, shortest escapes.
    assert body.decode() == json.dumps(json.loads(body), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert parse_event(body)["wf"] == {"step": value}


def sha(data):
    return hashlib.sha256(data).hexdigest()


def test_short_changes_stand_in_the_event():
    assert change("/a", "1", "2").entry == {"p": "/a", "o": "1", "n": "2"}
    assert change("/a", None, ["x", 1]).entry == {"p": "/a", "n": ["x", 1]}
    assert change("/a", "x" * INLINE_CHARACTERS, "").entry["o"] == "x" * INLINE_CHARACTERS
    assert not change("/a", "1", "2").blobs


def test_long_changes_go_to_blobs_by_their_digest():
    long = "绩" * (INLINE_CHARACTERS + 1)
    made = change("/a", "短", long)
    assert made.entry == {"p": "/a", "oh": sha("短".encode()), "nh": sha(long.encode())}
    assert made.blobs == {sha("短".encode()): "短".encode(), sha(long.encode()): long.encode()}
    items = ["x" * 100] * 6
    assert change("/a", None, items).blobs == {sha(json.dumps(items, separators=(",", ":")).encode()): made_of(items)}
    assert written(replace(DRAFT, chg=[made.entry]))


def made_of(items):
    return json.dumps(items, separators=(",", ":")).encode()


def test_a_change_of_nothing_and_texts_outside_the_profile_are_refused():
    with pytest.raises(InvalidInput):
        change("/a", None, None)
    for text in ("e\u0301" * 600, "\ud800" * 600):
        with pytest.raises(InvalidInput):
            change("/a", None, text)
