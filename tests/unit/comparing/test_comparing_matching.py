"""Which item is which: by id among versions, by name and likeness between texts; and what counts as moved."""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from comparing_texts import sample

from documents.comparing import Change, Kind, compare_json
from documents.comparing import likeness as likenesses
from documents.comparing.likeness import RECOGNITIONS
from documents.comparing.order import kept
from documents.comparing.pairing import pair


def changes(edit: Callable[[Any], object], *, same_text: bool = True) -> list[Change]:
    content = sample()
    edit(content)
    return list(compare_json(sample(), content, same_text=same_text).changes)


def short(found: list[Change]) -> list[tuple[str, str | None, str | None]]:
    return [(change.kind.value, change.before_place, change.after_place) for change in found]


def indicators(content: Any, project: int = 0) -> Any:
    return content["projects"][project]["indicators"]


def test_contents_without_projects_are_compared() -> None:
    before = {"safeguards": [{"id": "s1", "title": "明确分工", "text": "馆长总负责。"}]}
    found = compare_json(before, {}, same_text=False)
    assert [(change.kind, change.place) for change in found.changes] == [(Kind.REMOVED, "/safeguards/s1")]


def test_a_single_value_is_a_single_change() -> None:
    [change] = changes(lambda content: indicators(content)[0].update(value="70"))
    place = "/projects/p1/indicators/i1/value"
    assert change == Change(Kind.CHANGED, place, place, before="60", after="70")
    assert change.to_json()["pieces"] == [["removed", "60"], ["added", "70"]]


def test_a_filled_and_an_emptied_member_are_told_apart() -> None:
    found = changes(
        lambda content: (indicators(content)[0].update(weight="10.00"), indicators(content)[1].pop("basis"))
    )
    assert [(change.kind, change.before, change.after) for change in found] == [
        (Kind.ADDED, None, "10.00"),
        (Kind.REMOVED, "历史标准", None),
    ]


@pytest.mark.parametrize("same_text", [True, False])
def test_an_indicator_moved_in_its_table_is_one_move(same_text: bool) -> None:
    def edit(content: Any) -> None:
        indicators(content).insert(0, indicators(content).pop(4))

    [change] = changes(edit, same_text=same_text)
    assert (change.kind, change.place, change.position, change.elsewhere) == (
        Kind.MOVED,
        "/projects/p1/indicators/i5",
        0,
        False,
    )


def test_an_indicator_moved_to_another_project_is_a_move_and_its_value_a_change() -> None:
    def edit(content: Any) -> None:
        item = indicators(content).pop(2)
        indicators(content, 1).append({**item, "id": "i20", "value": "99"})

    moved, value = changes(edit)
    assert short([moved]) == [("moved", "/projects/p1/indicators/i3", "/projects/p2/indicators/i20")]
    assert moved.elsewhere
    assert (value.place, value.before, value.after) == ("/projects/p2/indicators/i20/value", "95", "99")


def test_an_indicator_moved_out_of_a_project_that_is_gone_survives_it() -> None:
    def edit(content: Any) -> None:
        item = indicators(content).pop(0)
        del content["projects"][0]
        for goal in content["sub_goals"]:
            goal["projects"] = [name for name in goal.get("projects", ()) if name != "p1"]
        indicators(content).append({**item, "id": "i20"})

    found = changes(edit)
    gone = next(change for change in found if change.place == "/projects/p1")
    assert "i1" not in [item["id"] for item in gone.before["indicators"]]
    assert ("moved", "/projects/p1/indicators/i1", "/projects/p2/indicators/i20") in short(found)


def test_a_common_name_makes_no_move_between_projects() -> None:
    """Another project's indicator of the same name is another indicator when it measures something else."""

    def edit(content: Any) -> None:
        item = indicators(content).pop()
        indicators(content, 1).append({**item, "id": "i20", "description": "由社区代为发放和回收的问卷"})

    assert {change.kind for change in changes(edit)} == {Kind.ADDED, Kind.REMOVED}


def test_a_project_replaced_by_another_takes_no_indicator_along() -> None:
    def edit(content: Any) -> None:
        new = copy.deepcopy(content["projects"][1])
        new.update(id="p9", code="", name="全民健身路径维修", purpose="维修器材。")
        content["projects"][1] = new

    found = changes(edit)
    assert {change.kind for change in found if change.place.startswith("/projects")} == {Kind.ADDED, Kind.REMOVED}


def test_among_versions_a_kept_id_is_the_same_indicator_whatever_it_says() -> None:
    [change] = changes(lambda content: indicators(content)[0].update(name="完全另取的名字"))
    assert change.kind is Kind.CHANGED


def _shifted(content: Any) -> None:
    """A new indicator in the first row: every id behind it is counted on, as a reader does."""
    items = indicators(content)
    items.insert(
        0, {"level1": "产出指标", "level2": "数量指标", "name": "下乡文艺骨干培训", "value": "40", "sign": "≥"}
    )
    for number, item in enumerate(items, start=1):
        item["id"] = f"i{number}"


def test_between_texts_counted_ids_mislead_nobody() -> None:
    [change] = changes(_shifted, same_text=False)
    assert short([change]) == [("added", None, "/projects/p1/indicators/i1")]


def test_ids_that_were_counted_anew_are_no_changes_for_people() -> None:
    before, after = sample(), sample()
    after["projects"].reverse()
    names = {}
    for number, project in enumerate(after["projects"], start=1):
        names[project["id"]] = f"p{number}"
    for project in after["projects"]:
        project["id"] = names[project["id"]]
    for goal in after["sub_goals"]:
        goal["projects"] = [names[name] for name in goal["projects"]]
    found = compare_json(before, after, same_text=False)
    assert [change.kind for change in found.changes] == [Kind.MOVED]
    assert {change.place.split("/")[-1] for change in found.renumbered} == {"id", "projects"}


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("送戏80场次", None),  # the value in the name
        ("送戏到村场次", None),
        ("送戏场次", "完全换了一种说法"),
    ],
)
def test_between_texts_an_indicator_is_known_by_name_or_likeness(name: str, description: str | None) -> None:
    def edit(content: Any) -> None:
        item = indicators(content)[0]
        item.update(id="i77", name=name, **({"description": description} if description else {}))

    assert {change.kind for change in changes(edit, same_text=False)} == {Kind.CHANGED}


def test_between_years_a_project_is_known_by_code_then_by_name() -> None:
    def other_name(content: Any) -> None:
        content["projects"][0].update(id="p8", name="换了名字的戏曲事业费")

    def other_code(content: Any) -> None:
        content["projects"][0].update(id="p8", code="99042122Z9Y8X7W6V5U4T")

    for edit, member in ((other_name, "name"), (other_code, "code")):
        found = [change for change in changes(edit, same_text=False) if not change.place.startswith("/sub_goals")]
        assert short(found) == [("changed", f"/projects/p1/{member}", f"/projects/p8/{member}")]


def test_of_two_indicators_with_one_name_each_finds_its_own() -> None:
    content = sample()
    first = indicators(content)[0]
    indicators(content).insert(1, {**first, "id": "i30", "value": "12"})
    turned = copy.deepcopy(content)
    del indicators(turned)[0]
    [change] = compare_json(content, turned, same_text=False).changes
    assert short([change]) == [("removed", "/projects/p1/indicators/i1", None)]


def test_which_of_two_copies_was_moved_does_not_depend_on_the_direction() -> None:
    before, after = sample(), sample()
    moving = indicators(before)[0]
    for content in (before, after):
        content["projects"].append({"id": "p3", "code": "1", "name": "公益电影放映", "indicators": []})
    indicators(before, 2).append({**moving, "id": "i50", "name": "放映场次"})
    for number in (0, 1):
        indicators(after, number).append({**moving, "id": "i50", "name": "放映场次"})
    after["projects"].reverse()
    there = [change for change in compare_json(before, after).changes if change.elsewhere]
    back = [change for change in compare_json(after, before).changes if change.elsewhere]
    assert [(change.before_place, change.after_place) for change in there] == [
        (change.after_place, change.before_place) for change in back
    ]
    assert len(there) == 1


def test_figures_in_a_name_do_not_make_another_indicator() -> None:
    before = [
        {"id": "i1", "level1": "产出指标", "level2": "数量指标", "name": "3期5天80人次", "description": "新任馆员"}
    ]
    after = [{**before[0], "id": "i9", "name": "12期30天1600人次", "description": "志愿者、分馆管理员轮训"}]
    assert pair(RECOGNITIONS["indicators"], before, after, by_id=False) == [(0, 0)]
    after[0]["name"] = "12门课6套教材"
    assert pair(RECOGNITIONS["indicators"], before, after, by_id=False) == []


def test_steps_of_a_plan_are_changed_one_by_one() -> None:
    def edit(content: Any) -> None:
        plan = content["projects"][0]["spending_plan"]
        plan[0]["percent"] = "15.00"
        plan[1]["checkpoint"] = "7月底"

    found = changes(edit)
    assert [(change.place, change.before, change.after) for change in found] == [
        ("/projects/p1/spending_plan/0/percent", "10.00", "15.00"),
        ("/projects/p1/spending_plan/1/checkpoint", "6月底", "7月底"),
    ]


def test_changes_come_in_the_order_of_the_form() -> None:
    def edit(content: Any) -> None:
        content["projects"][0].update(purpose="改", name="改")
        content["safeguards"][0]["text"] = "改"
        content["title"] = "改"

    assert [change.place for change in changes(edit)] == [
        "/title",
        "/safeguards/s1/text",
        "/projects/p1/name",
        "/projects/p1/purpose",
    ]


def test_big_lists_are_not_compared_each_with_each(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0
    ratio = likenesses.fuzz.ratio

    def counted(*given: Any, **more: Any) -> float:
        nonlocal compared
        compared += 1
        return ratio(*given, **more)

    monkeypatch.setattr(likenesses.fuzz, "ratio", counted)
    # All names differ, so that neither ids nor names pair anything: only likeness is left.
    letters = [chr(0x4E00 + number) for number in range(3_000)]
    before = [{"id": f"a{n}", "name": f"{one}{two}培训人次"} for n, (one, two) in enumerate(pairwise(letters))]
    after = [{"id": f"b{n}", "name": item["name"] + "数"} for n, item in enumerate(before)]
    pairs = pair(RECOGNITIONS["indicators"], before, after, by_id=True)
    assert pairs == [(n, n) for n in range(len(before))]
    # Nine million pairs there are; each item is looked at with a few others, four members at a time.
    assert compared < 40 * len(before)


@pytest.mark.parametrize(
    ("ranks", "found"),
    [
        ([], set()),
        ([3, 7, 9], {0, 1, 2}),
        ([5, 1, 2, 3], {1, 2, 3}),
        ([1, 9, 2, 3], {0, 2, 3}),
        ([2, 3, 0, 1, 4], {0, 1, 4}),
    ],
)
def test_the_longest_chain_stays(ranks: list[int], found: set[int]) -> None:
    assert kept(ranks, lambda position: 100 - position) == found
