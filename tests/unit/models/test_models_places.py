from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models_contents import EXAMPLE, contents

from models.content import from_json, to_json
from models.errors import InvalidInput
from models.places import anchor, changes, exists, get, join, pointer, put, split

CONTENT: dict[str, Any] = to_json(from_json(EXAMPLE))
few = settings(max_examples=40, deadline=None)


def places_of(value: Any, place: str = "") -> list[str]:
    """Every pointer of a JSON value, counted and escaped here, not by the module under test."""
    out = [place]
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        out += places_of(member, f"{place}/{str(key).replace('~', '~0').replace('/', '~1')}")
    return out


@given(st.lists(st.text(max_size=4) | st.sampled_from(["~", "/", "~1", "~0", "~01", ""]), max_size=4))
def test_tokens_survive_the_spelling(tokens: list[str]) -> None:
    assert split(join(tokens)) == tokens


@pytest.mark.parametrize(
    ("place", "tokens"),
    [("", []), ("/", [""]), ("/a~1b", ["a/b"]), ("/m~0n", ["m~n"]), ("/~01", ["~1"]), ("/a//b", ["a", "", "b"])],
)
def test_escapes_are_those_of_the_rfc(place: str, tokens: list[str]) -> None:
    assert split(place) == tokens


@pytest.mark.parametrize("place", ["projects", "projects/0", " /projects", "#/projects", "/a~", "/~2", "/a~/b", "/~~0"])
def test_what_is_no_place_is_invalid_input(place: str) -> None:
    for reader in (split, lambda it: get(CONTENT, it), lambda it: exists(CONTENT, it), lambda it: anchor(CONTENT, it)):
        with pytest.raises(InvalidInput):
            reader(place)
    with pytest.raises(InvalidInput):
        put(CONTENT, place, "x")


@pytest.mark.parametrize(
    "place", ["/projects/0/indicators/0/value", "/projects/p1/indicators/i4/value", "/projects/p1/indicators/0/value"]
)
def test_pointer_and_anchor_name_the_same_member(place: str) -> None:
    assert get(CONTENT, place) == "95"
    assert exists(CONTENT, place)
    assert anchor(CONTENT, place) == "/projects/p1/indicators/i4/value"
    assert pointer(CONTENT, place) == "/projects/0/indicators/0/value"


@pytest.mark.parametrize(
    "place",
    [
        "/projects/p2",
        "/projects/1",
        "/projects/-1",
        "/projects/00",
        "/projects/+0",
        "/projects/0\n",
        "/projects/０",
        "/projects/ 0",
        "/projects/-",
        f"/projects/{'9' * 5000}",
        "/title/x",
        "/title/0",
        "/nothing",
        "/",
        "/projects/p1/budget/sources/0/amount",
    ],
    ids=range(15),
)
def test_missing_member_is_the_default(place: str) -> None:
    assert not exists(CONTENT, place)
    assert get(CONTENT, place) is None
    assert get(CONTENT, place, "none") == "none"
    assert pointer(CONTENT, anchor(CONTENT, place)) == pointer(CONTENT, place)


def test_null_member_exists() -> None:
    assert exists({"weight": None}, "/weight")
    assert get({"weight": None}, "/weight", "none") is None


def test_items_without_ids_are_named_by_position() -> None:
    assert anchor(CONTENT, "/projects/0/spending_plan/2/percent") == "/projects/p1/spending_plan/2/percent"
    assert anchor(CONTENT, "/sub_goals/0/projects/0") == "/sub_goals/g1/projects/0"
    assert anchor({"a": [{"id": 5}, {"id": ""}, {"id": None}]}, "/a/0") == "/a/0"


class _Watched(dict[str, Any]):
    """An item that counts how often it is asked for its id."""

    asked = 0

    def get(self, key: str, default: Any = None) -> Any:
        _Watched.asked += 1
        return super().get(key, default)


def test_an_item_is_found_without_looking_through_the_list() -> None:
    value = {"projects": [_Watched(id=f"p{number}") for number in range(1, 1001)]}
    _Watched.asked = 0
    for number in range(1000):
        assert pointer(value, anchor(value, f"/projects/{number}/code")) == f"/projects/{number}/code"
    assert _Watched.asked < 10_000


def test_anchor_follows_an_item_that_was_moved() -> None:
    value = {"projects": [{"id": "p1", "code": "one"}, {"id": "p2", "code": "two"}]}
    place = anchor(value, "/projects/0/code")
    value["projects"].reverse()
    assert get(value, place) == "one"
    assert pointer(value, place) == "/projects/1/code"


@few
@given(contents)
def test_every_pointer_survives_its_anchor(content: Any) -> None:
    value = to_json(content)
    for place in places_of(value):
        assert pointer(value, anchor(value, place)) == place
        assert exists(value, place)
        assert get(value, anchor(value, place)) == get(value, place)


# put


def test_put_replaces_adds_and_removes() -> None:
    assert get(put(CONTENT, "/projects/p1/code", "x"), "/projects/0/code") == "x"
    assert get(put(CONTENT, "/projects/0/phone", "x"), "/projects/p1/phone") == "x"
    assert not exists(put(CONTENT, "/projects/p1/code", None), "/projects/0/code")
    assert put(CONTENT, "/projects/p1", None)["projects"] == []
    assert put(CONTENT, "/nothing", None) == CONTENT
    assert put(CONTENT, "", 7) == 7


def test_put_makes_missing_objects_on_the_way() -> None:
    assert put({}, "/overall/budget/total", "1.00") == {"overall": {"budget": {"total": "1.00"}}}


def test_put_appends_to_a_list_that_is_there_or_not() -> None:
    goal = {"text": "第二个目标"}
    assert put(CONTENT, "/projects/p1/goals/-", goal)["projects"][0]["goals"] == [{"id": "t1", "text": "…"}, goal]
    # Canonical contents leave empty lists out, so the first item has no list to come to.
    assert put({"fiscal_year": 2021}, "/safeguards/-", goal) == {"fiscal_year": 2021, "safeguards": [goal]}
    assert put({}, "/overall/items/-", goal) == {"overall": {"items": [goal]}}


def test_put_into_the_new_item_of_a_missing_list_is_refused() -> None:
    with pytest.raises(InvalidInput):
        put({}, "/projects/-/code", "x")


@pytest.mark.parametrize(
    "place",
    [
        "/projects/p2",
        "/projects/1",
        "/projects/p2/code",
        "/projects/1/code",
        f"/projects/{'9' * 5000}",
        f"/projects/{'9' * 5000}/code",
        "/title/x",
        "/title/x/y",
        "/fiscal_year/0",
        "/projects/p1/code/0",
    ],
    ids=range(10),
)
@pytest.mark.parametrize("member", ["x", None])
def test_place_that_cannot_exist_is_invalid_input(place: str, member: Any) -> None:
    with pytest.raises(InvalidInput, match="不存在"):
        put(CONTENT, place, member)


def test_value_nested_without_end_is_invalid_input() -> None:
    deep: Any = []
    for _ in range(3000):
        deep = [deep]
    with pytest.raises(InvalidInput, match="嵌套"):
        put(put({}, "/extra", deep), "/title", "x")


def test_item_with_the_index_of_another_as_its_id_is_no_content() -> None:
    # A number is a position; a content can't hold an id that is read as one.
    shadowing = {"fiscal_year": 2021, "projects": [{"id": "p1"}, {"id": "0"}]}
    assert get(shadowing, "/projects/0") == {"id": "p1"}
    with pytest.raises(InvalidInput):
        from_json(shadowing)


@few
@given(contents, st.data(), st.sampled_from(["x", None, {"id": "z9"}, [1]]))
def test_put_never_changes_its_argument(content: Any, data: st.DataObject, member: Any) -> None:
    value = to_json(content)
    before = copy.deepcopy(value)
    place = data.draw(st.sampled_from([*places_of(value), "/overall/items/-", "/new/one"]))
    changed = put(value, place, member)
    assert value == before
    if place and member is not None and not place.endswith("-"):
        assert get(changed, place) == member
    if isinstance(changed, dict):
        for inner in changed.values():
            if isinstance(inner, dict | list):
                inner.clear()
    assert value == before


# changes


def test_equal_contents_have_no_changes() -> None:
    assert changes(CONTENT, copy.deepcopy(CONTENT)) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 2}, [("/a", 1, 2)]),
        ({"a": 1}, {}, [("/a", 1, None)]),
        ({}, {"a/b~": 1}, [("/a~1b~0", None, 1)]),
        ({"x": {"a": 1, "b": 2}}, {"x": {"a": 1, "b": 3}}, [("/x/b", 2, 3)]),
        ({}, {"x": {"a": 1}}, [("/x", None, {"a": 1})]),
        ({"l": ["a"]}, {"l": ["a", "b"]}, [("/l", ["a"], ["a", "b"])]),
        ({"l": [{"id": "i1", "v": 1}]}, {"l": [{"id": "i1", "v": 2}]}, [("/l/i1/v", 1, 2)]),
        ({"l": [{"id": "i1"}]}, {"l": [{"id": "i1"}, {"id": "i2"}]}, [("/l/i2", None, {"id": "i2"})]),
        ({"l": [{"id": "i1"}, {"id": "i2"}]}, {"l": [{"id": "i2"}]}, [("/l/i1", {"id": "i1"}, None)]),
        ({"l": [{"id": "i1"}]}, {}, [("/l/i1", {"id": "i1"}, None)]),
        ({}, {"l": [{"id": "i1"}]}, [("/l/i1", None, {"id": "i1"})]),
        (
            {"l": [{"id": "i1"}, {"id": "i2"}]},
            {"l": [{"id": "i2"}, {"id": "i1"}]},
            [("/l", ["i1", "i2"], ["i2", "i1"])],
        ),
        (
            {"l": [{"id": "i1", "v": 1}, {"id": "i2"}]},
            {"l": [{"id": "i2"}, {"id": "i1", "v": 2}]},
            [("/l/i1/v", 1, 2), ("/l", ["i1", "i2"], ["i2", "i1"])],
        ),
        ({"l": [{"id": "i2"}]}, {"l": [{"id": "i1"}, {"id": "i2"}]}, [("/l/i1", None, {"id": "i1"})]),
    ],
)
def test_changes_name_leaves_by_stable_ids(old: Any, new: Any, expected: Any) -> None:
    assert changes(old, new) == expected


def altered(value: Any, data: st.DataObject) -> Any:
    """A content with the same ids and other words: leaves changed, removed or added."""
    if isinstance(value, dict):
        out = {}
        for key, member in value.items():
            if key in ("id", "schema", "fiscal_year"):
                out[key] = member
            elif isinstance(member, dict | list):
                out[key] = altered(member, data)
            elif data.draw(st.booleans()):
                out[key] = data.draw(st.text(max_size=3))
        return out
    if isinstance(value, list) and value and all(isinstance(item, dict) and "id" in item for item in value):
        return [altered(item, data) for item in value]
    return value[: data.draw(st.integers(0, len(value)))] if isinstance(value, list) else value


@few
@given(contents, st.data())
def test_changes_applied_one_by_one_give_the_new_content(content: Any, data: st.DataObject) -> None:
    old = to_json(content)
    new = altered(old, data)
    differences = changes(old, new)
    patched = old
    for place, before, after in differences:
        assert get(old, place) == before
        assert get(new, place) == after
        assert before != after
        patched = put(patched, place, after)
    assert patched == new
    assert (differences == []) == (old == new)


@few
@given(contents, contents)
def test_changes_between_any_two_contents_can_be_read_at_their_places(one: Any, other: Any) -> None:
    old, new = to_json(one), to_json(other)
    for place, before, after in changes(old, new):
        if (
            isinstance(before, list)
            and before
            and before == [item["id"] for item in get(old, place) or () if "id" in item]
        ):
            continue
        assert get(old, place) == before
        assert get(new, place) == after
