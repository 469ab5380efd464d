from __future__ import annotations

import copy
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models_contents import EXAMPLE, contents

from models.content import (
    Budget,
    BudgetText,
    Department,
    DepartmentBudget,
    Extra,
    Overall,
    content_bytes,
    content_hash,
    from_json,
    json_schema,
    parse_content,
    schema_bytes,
    to_json,
)
from models.errors import InvalidInput

SCHEMA_FILE = Path(__file__).parents[3] / "docs/schema/budget-text-1.json"
few = settings(max_examples=40, deadline=None)  # a content has some hundred parts
AMOUNT = re.compile(r"-?[0-9]+\.[0-9]{2}")


def with_total(total: Any) -> dict[str, Any]:
    return {"fiscal_year": 2021, "projects": [{"id": "p1", "budget": {"total": total}}]}


def walk(value: Any) -> Any:
    yield value
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(member)


def reordered(value: Any, data: st.DataObject) -> Any:
    if isinstance(value, dict):
        keys = data.draw(st.permutations(list(value)))
        return {key: reordered(value[key], data) for key in keys}
    return [reordered(member, data) for member in value] if isinstance(value, list) else value


@few
@given(contents)
def test_canonical_bytes_are_sorted_json_without_blanks(content: BudgetText) -> None:
    plain = json.dumps(to_json(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    assert content_bytes(content) == plain.encode()


@few
@given(contents)
def test_content_survives_the_round_trip(content: BudgetText) -> None:
    assert from_json(to_json(content)) == content
    assert parse_content(content_bytes(content)) == content


@few
@given(contents)
def test_members_that_hold_nothing_are_left_out(content: BudgetText) -> None:
    for value in walk(to_json(content)):
        if isinstance(value, dict):
            assert not [key for key, member in value.items() if member in (None, "", [], {})]
        assert not isinstance(value, float)


@few
@given(contents, st.data())
def test_hash_does_not_depend_on_the_order_of_members(content: BudgetText, data: st.DataObject) -> None:
    value = reordered(to_json(content), data)
    assert content_hash(from_json(value)) == content_hash(content)


@given(
    *[
        st.builds(
            BudgetText,
            fiscal_year=st.just(2021),
            title=st.sampled_from(["", "文本"]),
            department=st.builds(Department, code=st.sampled_from([None, "", "731"])),
            overall=st.builds(
                Overall, budget=st.sampled_from([None, DepartmentBudget(), DepartmentBudget(total=Decimal(0))])
            ),
        )
    ]
    * 2
)
def test_contents_are_equal_exactly_when_their_hashes_are(one: BudgetText, other: BudgetText) -> None:
    assert (content_hash(one) == content_hash(other)) == (one == other)


def test_hash_of_a_known_content_never_changes() -> None:
    # Approvals bind to this hash: another value here would void every approval that was ever given.
    assert content_bytes(from_json({"fiscal_year": 2021, "title": "文本"})) == (
        '{"fiscal_year":2021,"schema":"jixiao/budget-text/1","title":"文本"}'.encode()
    )
    assert content_hash(from_json(EXAMPLE)) == "4c94afe5ace17aa687c1474935800e57e96a969a5c8748575cf3e5d4e534fa02"


def test_order_of_items_is_part_of_the_content() -> None:
    value = {"fiscal_year": 2021, "safeguards": [{"id": "s1"}, {"id": "s2"}]}
    turned = {"fiscal_year": 2021, "safeguards": [{"id": "s2"}, {"id": "s1"}]}
    assert content_hash(from_json(value)) != content_hash(from_json(turned))


def test_example_of_the_description_is_its_own_canonical_form() -> None:
    expected = copy.deepcopy(EXAMPLE)
    del expected["projects"][0]["indicators"][0]["weight"]
    assert to_json(from_json(EXAMPLE)) == expected


@pytest.mark.parametrize(
    ("spelling", "stored"),
    [
        ("53100.00", "53100.00"),
        ("53100", "53100.00"),
        ("5.3", "5.30"),
        ("0.10000", "0.10"),
        (53100, "53100.00"),
        ("-0", "0.00"),
        ("-0.00", "0.00"),
        ("-1.5", "-1.50"),
        ("007", "7.00"),
        ("999999999999999.99", "999999999999999.99"),
        (Decimal("1E+3"), "1000.00"),
    ],
)
def test_amounts_have_one_stored_spelling(spelling: Any, stored: str) -> None:
    assert to_json(from_json(with_total(spelling)))["projects"][0]["budget"]["total"] == stored


@pytest.mark.parametrize(
    "spelling",
    [
        "５３",
        "٣",
        "五",
        "1_000",
        "53,100.00",
        " 53",
        "53 ",
        "53\n",
        "1E+3",
        "1e3",
        "+5",
        ".5",
        "5.",
        "--5",
        "",
        "NaN",
        "sNaN",
        "Infinity",
        "-inf",
        "0.001",
        "0.005",
        "1e-400000000",
        "1000000000000000",
        "999999999999999.999",
        "9" * 5000,
        53100.0,
        float("nan"),
        True,
        [],
        Decimal("NaN"),
        Decimal("Infinity"),
        Decimal("0.001"),
        10**5000,
    ],
    ids=lambda value: repr(value)[:20] if not isinstance(value, int) else "int",
)
def test_amount_that_is_no_plain_decimal_is_refused_with_its_place(spelling: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        from_json(with_total(spelling))
    assert [item["place"] for item in caught.value.facts["problems"]] == ["/projects/0/budget/total"]
    assert len(caught.value.message) < 200


@given(st.text(max_size=8) | st.from_regex(r"-?[0-9]{1,4}(\.[0-9]{0,3})?", fullmatch=True))
def test_amount_is_stored_exactly_or_refused(spelling: str) -> None:
    try:
        stored = to_json(from_json(with_total(spelling)))["projects"][0]["budget"]["total"]
    except InvalidInput:
        return
    assert AMOUNT.fullmatch(stored)
    assert Decimal(stored) == Decimal(spelling)
    assert spelling.isascii()


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"fiscal_year": 2021, "titel": "x"}, "/titel"),
        ({"fiscal_year": 2021, "a/b~c": "x"}, "/a~1b~0c"),
        ({"fiscal_year": 2021, "projects": [{"id": "p1", "kosten": 1}]}, "/projects/0/kosten"),
        ({"fiscal_year": 2021, "overall": {"items": [{"id": "o1"}, {"id": "o2", "x": 1}]}}, "/overall/items/1/x"),
        ({"title": "x"}, "/fiscal_year"),
        ({"fiscal_year": 1999}, "/fiscal_year"),
        ({"fiscal_year": 2100}, "/fiscal_year"),
        ({"fiscal_year": "二〇二一"}, "/fiscal_year"),
        ({"fiscal_year": True}, "/fiscal_year"),
        ({"fiscal_year": 2021, "schema": "jixiao/budget-text/2"}, "/schema"),
        ({"fiscal_year": 2021, "title": None}, "/title"),
        ({"fiscal_year": 2021, "title": 7}, "/title"),
        ({"fiscal_year": 2021, "projects": {"p1": {}}}, "/projects"),
        ({"fiscal_year": 2021, "projects": [{"name": "x"}]}, "/projects/0/id"),
        ({"fiscal_year": 2021, "projects": [{"id": "7"}]}, "/projects/0/id"),
        ({"fiscal_year": 2021, "projects": [{"id": "P1"}]}, "/projects/0/id"),
        ({"fiscal_year": 2021, "projects": [{"id": "p1\n"}]}, "/projects/0/id"),
        ({"fiscal_year": 2021, "projects": [{"id": "p" * 17}]}, "/projects/0/id"),
        ({"fiscal_year": 2021, "projects": [{"id": ""}]}, "/projects/0/id"),
        (
            {"fiscal_year": 2021, "projects": [{"id": "p1", "indicators": [{"id": "i1", "sign": ">="}]}]},
            "/projects/0/indicators/0/sign",
        ),
        ([], ""),
        (None, ""),
        ("text", ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_member_is_refused_with_its_place(value: Any, place: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        from_json(value)
    assert [item["place"] for item in caught.value.facts["problems"]] == [place]
    assert (place or "全文") in caught.value.message


def test_every_wrong_member_is_listed_in_chinese() -> None:
    with pytest.raises(InvalidInput) as caught:
        from_json({"fiscal_year": 1, "x": 1, "projects": [{}]})
    assert len(caught.value.facts["problems"]) == 3
    for item in caught.value.facts["problems"]:
        assert re.search(r"[\u4e00-\u9fff]", item["message"]), item
    assert "共 3 处" in caught.value.message


@pytest.mark.parametrize("text", ["\ud800", "好\udfff"])
@pytest.mark.parametrize("member", ["title", "department", "unknown"])
def test_lone_surrogate_is_refused(text: str, member: str) -> None:
    value = {"title": {"title": text}, "department": {"department": {"code": text}}, "unknown": {text: 1}}[member]
    with pytest.raises(InvalidInput) as caught:
        from_json({"fiscal_year": 2021, **value})
    caught.value.message.encode()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (("overall", "items"), "overall.items"),
        (("overall", "duties"), "overall.duties"),
        (("overall", "indicators"), "overall.indicators"),
        (("sub_goals",), "sub_goals"),
        (("safeguards",), "safeguards"),
        (("projects",), "projects"),
        (("projects", "goals"), "projects.p1.goals"),
        (("projects", "indicators"), "projects.p1.indicators"),
    ],
)
def test_duplicate_ids_in_one_list_are_refused(path: tuple[str, ...], name: str) -> None:
    value: Any = [{"id": "p1"}, {"id": "p1"}]
    if len(path) == 2:
        value = {path[1]: value} if path[0] == "overall" else [{"id": "p1", path[1]: value}]
    with pytest.raises(InvalidInput, match=f"{re.escape(name)} 中有重复的 id"):
        from_json({"fiscal_year": 2021, path[0]: value})


def test_two_projects_may_number_their_indicators_alike() -> None:
    inner = {"goals": [{"id": "t1"}], "indicators": [{"id": "i1"}]}
    content = from_json({"fiscal_year": 2021, "projects": [{"id": "p1", **inner}, {"id": "p2", **inner}]})
    assert [project.indicators[0].id for project in content.projects] == ["i1", "i1"]


@pytest.mark.parametrize("year", [2000, 2099])
def test_first_and_last_year_are_taken(year: int) -> None:
    assert from_json({"fiscal_year": year}).fiscal_year == year


def test_empty_cell_beside_a_label_survives_storage() -> None:
    # A form's own member may be empty: left out in canonical form, it must read back.
    content = BudgetText(
        fiscal_year=2021, extra=(Extra(label="备注", value=""), Extra(label="", value="x"), Extra(label="", value=""))
    )
    assert parse_content(content_bytes(content)) == content
    assert to_json(content)["extra"] == [{"label": "备注"}, {"value": "x"}, {}]


def test_nothing_has_one_value() -> None:
    written = BudgetText(fiscal_year=2021, department=Department(code=""), overall=Overall(budget=DepartmentBudget()))
    assert written == BudgetText(fiscal_year=2021)
    assert from_json({"fiscal_year": 2021, "department": {"code": None}}) == written


def test_zero_and_false_hold_something() -> None:
    value = to_json(
        from_json(
            {
                "fiscal_year": 2021,
                "projects": [
                    {"id": "p1", "budget": {"other": "0"}, "indicators": [{"id": "i1", "core": False, "weight": "0"}]}
                ],
            }
        )
    )
    assert value["projects"][0]["budget"] == {"other": "0.00"}
    assert value["projects"][0]["indicators"] == [{"id": "i1", "core": False, "weight": "0.00"}]


def test_content_is_frozen() -> None:
    content = from_json(EXAMPLE)
    with pytest.raises(ValueError, match="frozen"):
        content.title = "x"  # type: ignore[misc]
    assert Budget() == from_json({"fiscal_year": 2021, "projects": [{"id": "p1"}]}).projects[0].budget


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"nul", b"\xff", b'{"fiscal_year": NaN}', b'"\\ud800"', b"[" * 2000, b"[]", b"1" * 5000, b"\x00"],
    ids=range(10),
)
def test_bytes_that_are_no_content_are_invalid_input(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_content(data)


@given(
    st.binary(max_size=40)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["fiscal_year", "projects", "id", "x"]), inner, max_size=3)
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_bytes_are_a_content_or_invalid_input(data: bytes) -> None:
    try:
        content = parse_content(data)
    except InvalidInput as error:
        error.message.encode()
        return
    assert parse_content(content_bytes(content)) == content


def test_published_schema_is_the_schema_of_the_models() -> None:
    assert SCHEMA_FILE.read_bytes() == schema_bytes(), "run make schema"
    assert json.loads(schema_bytes()) == json_schema()


def test_schema_describes_canonical_contents_only() -> None:
    schema = json_schema()
    amount = schema["$defs"]["Source"]["properties"]["amount"]
    assert re.fullmatch(amount["pattern"], "53100.00")
    assert not re.search(amount["pattern"], "５３.００")
    assert (
        schema["properties"]["fiscal_year"] | {"minimum": 2000, "maximum": 2099, "type": "integer"}
        == (schema["properties"]["fiscal_year"])
    )
    for definition in [schema, *schema["$defs"].values()]:
        assert definition["additionalProperties"] is False
    assert schema["required"] == ["fiscal_year"]
