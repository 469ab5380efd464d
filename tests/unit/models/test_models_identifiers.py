from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models_contents import contents

from models.content import from_json, to_json
from models.errors import InvalidInput
from models.identifiers import assign_ids


def ids(items: Any) -> list[Any]:
    return [item.get("id") for item in items]


def lists_of(value: Any) -> dict[str, list[Any]]:
    """Every list of items of a content, a project's under its position."""
    overall = value.get("overall", {})
    out = {f"overall.{name}": overall.get(name, []) for name in ("items", "duties", "indicators")}
    out |= {name: value.get(name, []) for name in ("sub_goals", "safeguards", "projects")}
    for number, project in enumerate(out["projects"]):
        out |= {f"{number}.{name}": project.get(name, []) for name in ("goals", "indicators")}
    return out


def used_in(earlier: list[Any], key: str, made: Any) -> set[str]:
    """The ids that a list had in earlier contents; a project's list is found by the project's id."""
    position, _, name = key.partition(".")
    if not position.isdigit():
        return {item for content in earlier for item in ids(lists_of(content)[key])}
    owner = made["projects"][int(position)]["id"]
    projects = [project for content in earlier for project in content.get("projects", []) if project["id"] == owner]
    return {item for project in projects for item in ids(project.get(name, []))}


def test_new_items_count_on_by_the_letter_of_their_list() -> None:
    value = {
        "overall": {"items": [{}], "duties": [{}], "indicators": [{}]},
        "sub_goals": [{}, {}],
        "safeguards": [{"id": "s7"}, {}],
        "projects": [{"goals": [{}], "indicators": [{}, {}]}],
    }
    made = assign_ids(value)
    assert ids(made["overall"]["items"]) == ["o1"]
    assert ids(made["overall"]["duties"]) == ["d1"]
    assert ids(made["overall"]["indicators"]) == ["i1"]
    assert ids(made["sub_goals"]) == ["g1", "g2"]
    assert ids(made["safeguards"]) == ["s7", "s8"]
    assert ids(made["projects"]) == ["p1"]
    assert ids(made["projects"][0]["goals"]) == ["t1"]
    assert ids(made["projects"][0]["indicators"]) == ["i1", "i2"]


def test_removed_item_never_lends_its_id() -> None:
    earlier = [{"safeguards": [{"id": "s1"}, {"id": "s9"}]}, {"safeguards": [{"id": "s1"}]}]
    assert ids(assign_ids({"safeguards": [{"id": "s1"}, {}]}, earlier)["safeguards"]) == ["s1", "s10"]


def test_removed_project_never_lends_its_id() -> None:
    earlier = [{"projects": [{"id": "p1", "goals": [{"id": "t5"}]}, {"id": "p2"}]}]
    made = assign_ids({"projects": [{"goals": [{}]}, {"id": "p1", "goals": [{}]}]}, earlier)
    assert ids(made["projects"]) == ["p3", "p1"]
    assert ids(made["projects"][0]["goals"]) == ["t1"]
    assert ids(made["projects"][1]["goals"]) == ["t6"]


def test_new_project_may_bring_items_with_and_without_ids() -> None:
    made = assign_ids({"projects": [{"goals": [{"id": "t1"}, {}, {}]}, {"goals": [{}, {"id": "t1"}]}]})
    assert [ids(project["goals"]) for project in made["projects"]] == [["t1", "t2", "t3"], ["t2", "t1"]]


def test_ids_of_persons_are_kept_and_passed_over() -> None:
    made = assign_ids({"projects": [{"id": "kepu"}, {"id": "x3"}, {"id": "p04"}, {}]})
    assert ids(made["projects"]) == ["kepu", "x3", "p04", "p4"]


def test_longest_ids_leave_room_for_new_ones() -> None:
    items = [{"id": "s999999999"}, {"id": "s1000000000"}, {"id": "s" + "9" * 15}, {"id": "s" + "9" * 5000}, {}, {}]
    made = assign_ids({"safeguards": items})
    assert ids(made["safeguards"])[-2:] == ["s1000000001", "s1000000002"]


def test_argument_stays_as_it_was() -> None:
    value = {"safeguards": [{}]}
    assign_ids(value)
    assert value == {"safeguards": [{}]}


@settings(max_examples=40, deadline=None)
@given(contents, st.lists(contents, max_size=2), st.data())
def test_ids_are_kept_given_once_and_accepted(content: Any, others: Any, data: st.DataObject) -> None:
    whole, earlier = to_json(content), [to_json(other) for other in others]
    value = copy.deepcopy(whole)
    for items in lists_of(value).values():
        for item in items:
            if data.draw(st.booleans()):
                item.pop("id")
    made = assign_ids(value, earlier)
    from_json(made)
    asked = lists_of(value)
    for key, items in lists_of(made).items():
        for item, wanted in zip(items, asked[key], strict=True):
            if "id" in wanted:
                assert item["id"] == wanted["id"]
            else:
                assert item["id"] not in used_in(earlier, key, made)
    assert assign_ids(made, earlier) == made


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["overall", "items", "projects", "goals", "indicators", "safeguards", "id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(ODD, st.lists(ODD, max_size=2))
def test_odd_values_are_left_for_the_content_to_refuse(value: Any, earlier: Any) -> None:
    try:
        content = from_json(assign_ids(value, earlier))
    except InvalidInput:
        return
    assert from_json(to_json(content)) == content


def test_value_nested_without_end_is_invalid_input() -> None:
    deep: Any = []
    for _ in range(3000):
        deep = [deep]
    with pytest.raises(InvalidInput):
        assign_ids({"safeguards": deep})
