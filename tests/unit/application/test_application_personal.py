"""Which values of a budget text are about a person: nothing of them may stand in an event."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from application.personal import guard, subject_of
from audit.sealing import Personal

TEXT = ("text", "t1")


def guarded(*details: tuple[str, Any, Any], obj: tuple[str, str] = TEXT) -> list[tuple[str, Any, Any]]:
    return list(guard(obj, details))


def test_persons_and_phones_are_sealed_and_figures_are_not():
    found = guarded(
        ("/projects/p1/person_in_charge", None, "赵敏"),
        ("/projects/p1/phone", "0319-1", None),
        ("/projects/p1/budget/total", "1.00", "2.00"),
    )
    assert found == [
        ("/projects/p1/person_in_charge", None, Personal("text/t1/projects/p1", "赵敏")),
        ("/projects/p1/phone", Personal("text/t1/projects/p1", "0319-1"), None),
        ("/projects/p1/budget/total", "1.00", "2.00"),
    ]


def test_a_new_project_keeps_its_figures_in_clear_and_its_persons_apart():
    project = {"id": "p2", "name": "修缮", "person_in_charge": "赵敏", "phone": "0319-1"}
    assert guarded(("/projects/p2", None, project)) == [
        ("/projects/p2", None, {"id": "p2", "name": "修缮"}),
        ("/projects/p2/person_in_charge", None, Personal("text/t1/projects/p2", "赵敏")),
        ("/projects/p2/phone", None, Personal("text/t1/projects/p2", "0319-1")),
    ]


def test_members_of_a_form_are_sealed_by_their_label():
    contact, plain = {"label": "联 系 人", "value": "赵敏"}, {"label": "项目类别", "value": "维修"}
    assert guarded(("/extra", [plain], [plain, {"label": "备注", "value": "x"}]))[0][1] == [plain]
    [(place, old, new)] = guarded(("/projects/p1/extra", [plain], [plain, contact]))
    assert place == "/projects/p1/extra"
    assert json.loads(old.value) == [plain]
    assert json.loads(new.value) == [plain, contact]
    [(_, _, leaf)] = guarded(("/projects/p1/extra/0/value", "a", "赵敏"))
    assert leaf == Personal("text/t1/projects/p1", "赵敏")


def test_a_person_deep_in_an_indicator_is_sealed_with_its_list():
    indicator = {"id": "i1", "extra": [{"label": "联系电话", "value": "0319-1"}]}
    found = guarded(("/projects/p1", None, {"id": "p1", "indicators": [indicator]}))
    assert found[0] == ("/projects/p1", None, {"id": "p1"})
    assert json.loads(found[1][2].value) == [indicator]


def test_other_objects_and_other_places_pass():
    details = [("/phone", None, "0319-1"), ("/projects/p1/phone", None, "x")]
    assert guarded(*details, obj=("account", "a")) == details
    assert guarded(("/task", None, "初审"), ("/sign/choice", None, "agree")) == [
        ("/task", None, "初审"),
        ("/sign/choice", None, "agree"),
    ]


def test_a_person_of_the_whole_text_is_one_of_the_text():
    assert subject_of("t1", "/extra/0/value") == "text/t1"
    assert subject_of("t1", "/projects/p1/indicators/i1/extra") == "text/t1/projects/p1"


words = st.text("甲乙丙0123", min_size=1, max_size=4)
values = st.recursive(
    words,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "text", "phone", "person_in_charge", "goals", "label"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


def people(value: Any) -> list[Any]:
    """Every value under a personal name, found another way than the guard does."""
    if isinstance(value, list):
        return [item for member in value for item in people(member)]
    if not isinstance(value, dict):
        return []
    own = [member for key, member in value.items() if key in ("phone", "person_in_charge")]
    return own + [item for member in value.values() for item in people(member)]


@given(values, values)
def test_no_person_is_left_in_clear(old, new):
    for _, *sides in guarded(("/projects/p1", old, new)):
        assert not any(people(side) for side in sides if not isinstance(side, Personal))


@given(values, values)
def test_nothing_else_is_lost(old, new):
    """Clear and sealed members together are the change that was given."""
    for number, side in enumerate((old, new)):
        rebuilt: Any = None
        for place, *sides in guarded(("/projects/p1", old, new)):
            value = sides[number]
            if isinstance(value, Personal):
                value = _parsed(value.value)
            if place == "/projects/p1":
                rebuilt = value
            elif value is not None:
                rebuilt = {**(rebuilt or {}), place.rpartition("/")[2]: value}
        assert rebuilt == side or (side == {} and rebuilt is None)


def _parsed(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, dict | list) else text
