"""The review form: its shape is checked when it is read, and scores come to a total, a grade and a conclusion."""

from __future__ import annotations

from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from documents.reviewing import default_form, fill, parse_form
from models.errors import InvalidInput

FORM = default_form()
POINTS = {item.name: item.points for item in FORM.items}
SHIPPED = FORM.model_dump(mode="json")


def scored(total: str) -> dict[str, Decimal]:
    """Scores that come to a total: taken away from the items in their order."""
    lost = FORM.points - Decimal(total)
    out = {}
    for name, points in POINTS.items():
        out[name] = points - min(points, lost)
        lost -= points - out[name]
    return out


def test_the_shipped_form_has_four_criteria_and_a_hundred_points() -> None:
    assert [criterion.name for criterion in FORM.criteria] == ["完整性", "相关性", "适当性", "可行性"]
    assert [sum(item.points for item in criterion.items) for criterion in FORM.criteria] == [20, 30, 30, 20]


@pytest.mark.parametrize(
    ("total", "grade", "conclusion"),
    [
        *(("100", "优", "通过"), ("90", "优", "通过"), ("89.9", "良", "协商完善"), ("80", "良", "协商完善")),
        *(("79.9", "中", "退回"), ("60", "中", "退回"), ("59.9", "差", "不予安排"), ("0", "差", "不予安排")),
    ],
)
def test_a_total_has_its_grade(total, grade, conclusion) -> None:
    filled = fill(FORM, scored(total))
    assert (filled.total, filled.grade.name, filled.conclusion) == (Decimal(total), grade, conclusion)


@given(st.fixed_dictionaries({name: st.integers(0, int(points * 10)) for name, points in POINTS.items()}))
def test_whatever_the_scores_the_total_is_their_sum_and_the_grade_the_highest_reached(tenths) -> None:
    filled = fill(FORM, {name: Decimal(number) / 10 for name, number in tenths.items()})
    assert filled.total == Decimal(sum(tenths.values())) / 10
    reached = [grade for grade in FORM.grades if grade.at_least <= filled.total]
    assert filled.grade == max(reached, key=lambda grade: grade.at_least)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"规范完整": Decimal("10.1")}, "不在 0 至 10 之间"),
        ({"规范完整": Decimal(-1)}, "不在 0 至 10 之间"),
        ({"规范完整": Decimal("NaN")}, "不在 0 至 10 之间"),
        ({"规范完整": Decimal("9.55")}, "最多保留一位小数"),
        ({"字迹工整": Decimal(1)}, "没有“字迹工整”"),
    ],
)
def test_a_score_that_the_form_does_not_give_is_refused(change, said) -> None:
    with pytest.raises(InvalidInput, match=said):
        fill(FORM, {**scored("100"), **change})


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        fill(FORM, {})
    assert all(f"“{name}”还没有打分" in caught.value.message for name in POINTS)


def test_a_low_grade_can_not_be_concluded_as_passed() -> None:
    with pytest.raises(InvalidInput, match="结论不能是“通过”"):
        fill(FORM, scored("79"), conclusion="通过")
    assert fill(FORM, scored("95"), conclusion="退回").conclusion == "退回"
    with pytest.raises(InvalidInput, match="无法识别"):
        fill(FORM, scored("95"), conclusion="甚好")


def test_notes_are_kept_in_the_order_of_the_form_and_empty_ones_are_not() -> None:
    filled = fill(FORM, scored("95"), {"条件充分": "人员已到位", "规范完整": "缺时效", "明确清晰": " "})
    assert list(filled.notes.items()) == [("规范完整", "缺时效"), ("条件充分", "人员已到位")]
    with pytest.raises(InvalidInput, match="没有“字迹工整”"):
        fill(FORM, scored("95"), {"字迹工整": "好"})


def test_a_county_may_have_a_form_of_its_own() -> None:
    own = {
        "title": "简表",
        "criteria": [{"name": "完整性", "items": [{"name": "完整", "points": "12.5"}]}],
        "grades": [{"name": "合格", "at_least": 0, "passes": True, "conclusion": "通过"}],
        "conclusions": ["通过"],
    }
    form = parse_form(yaml.safe_dump(own, allow_unicode=True).encode(), "a.yaml")
    assert fill(form, {"完整": Decimal("12.5")}).grade.name == "合格"


def broken(**given) -> bytes:
    return yaml.safe_dump({**SHIPPED, **given}, allow_unicode=True).encode()


GRADE = {"name": "优", "at_least": 90, "passes": True, "conclusion": "通过"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"title: [", "不是有效的 YAML"),
        (b"- 1", "全文"),
        (broken(colour="red"), "colour"),
        (broken(grades=[GRADE]), "从 0 分起"),
        (broken(grades=[{**GRADE, "at_least": 0}, GRADE]), "从高到低"),
        (broken(grades=[{**GRADE, "at_least": 120}, {**GRADE, "name": "差", "at_least": 0}]), "满分只有 100"),
        (broken(grades=[{**GRADE, "at_least": 0, "conclusion": "好"}]), "不在 conclusions 中"),
        (broken(criteria=SHIPPED["criteria"] * 2), "写了两次"),
        (broken(criteria=[]), "criteria"),
    ],
)
def test_a_form_that_does_not_hold_together_is_refused(data, said) -> None:
    with pytest.raises(InvalidInput, match=said) as caught:
        parse_form(data, "自定.yaml")
    assert "自定.yaml" in caught.value.message
