"""New texts: what was true for one year is gone, everything else stands under the same ids; templates fit their year."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from documents.beginning import begin_from, begin_template, template_names
from documents.checking import check
from documents.checking.schemes import SCHEME_A, SCHEME_B
from documents.reading import read_text
from models.content import from_json, to_json
from models.errors import InvalidInput, NotFound
from models.places import get, put

SAMPLE = Path(__file__).parents[3] / "examples" / "library-2021.txt"
LAST = read_text(SAMPLE.read_bytes()).content


def full() -> Any:
    """Last year's text with everything in it that belongs to its year."""
    value = to_json(LAST)
    for place, member in (
        ("/overall/budget", {"total": "100.00"}),
        ("/overall/duties", [{"id": "d1", "duty": "借阅", "amount": "5.00"}]),
        ("/overall/indicators", [{"id": "i1", "name": "总人次", "value": "9"}]),
        ("/projects/p1/person_in_charge", "某人"),
        ("/projects/p1/phone", "0319-1"),
        ("/projects/p1/start", "2021-01-01"),
        ("/projects/p1/schedule", [{"content": "采购", "end": "2021-03"}]),
        ("/projects/p1/grounds", "按2021年要点"),
        ("/projects/p1/extra", [{"label": "备注", "value": "上年结余3元"}]),
        ("/projects/p1/indicators/i1/value_to", "9"),
    ):
        value = put(value, place, member)
    return value


def test_the_values_of_the_year_are_gone() -> None:
    begun = begin_from(from_json(full()), 2022).content
    (project,) = begun.projects
    assert (project.code, project.spending_plan, project.start, project.schedule) == ("", (), None, ())
    assert (project.budget.total, project.budget.fiscal, project.budget.other) == (None, None, None)
    assert (project.person_in_charge, project.phone) == (None, None)
    for indicator in (*project.indicators, *begun.overall.indicators):
        assert (indicator.value, indicator.value_to, indicator.raw_value, indicator.remark) == ("", None, None, None)
    assert begun.overall.budget is None
    assert begun.overall.duties[0].amount is None
    assert [(item.label, item.value) for item in project.extra] == [("备注", "")]


def test_what_describes_the_work_stays_under_its_ids() -> None:
    old, new = full(), to_json(begin_from(from_json(full()), 2022).content)
    assert (new["fiscal_year"], new["title"]) == (2022, "2022年部门预算绩效文本")
    for place in (
        "/department",
        "/reviewing_body",
        "/sub_goals",
        "/safeguards",
        "/overall/items",
        "/projects/p1/goals",
    ):
        assert get(new, place) == get(old, place), place
    for name in ("level1", "level2", "name", "description", "sign", "unit", "direction", "basis"):
        for number in range(1, 10):
            place = f"/projects/p1/indicators/i{number}/{name}"
            assert get(new, place) == get(old, place), place


def test_words_that_still_hold_figures_are_named() -> None:
    begun = begin_from(from_json(full()), 2022)
    assert "/projects/p1/indicators/i2/name" in begun.figures  # 办讲座10场，到场600人
    assert "/projects/p1/grounds" in begun.figures
    assert "/projects/p1/indicators/i9/name" not in begun.figures  # 读者满意度
    assert "/title" not in begun.figures
    value = to_json(begun.content)
    assert all(
        any(character.isdigit() or character in "一二三四五六七八九十百" for character in get(value, place))
        for place in begun.figures
    )


def test_the_same_year_and_other_kinds_are_refused() -> None:
    with pytest.raises(InvalidInput, match="原文本就是 2021 年的"):
        begin_from(LAST, 2021)
    evaluation = from_json({**to_json(LAST), "kind": "self_evaluation"})
    with pytest.raises(InvalidInput, match="自评表"):
        begin_from(evaluation, 2022)


@pytest.mark.parametrize(("year", "scheme"), [(2021, SCHEME_A), (2026, SCHEME_B)])
@pytest.mark.parametrize("name", template_names())
def test_a_template_lacks_values_and_no_kind_of_indicator(name: str, year: int, scheme: Any) -> None:
    content = begin_template(name, year, scheme).content
    assert (content.fiscal_year, content.title) == (year, f"{year}年部门预算绩效文本")
    codes = {item.code for item in check(content)}
    assert "C001" in codes, "a template is to be filled in"
    # Its kinds are whole, its pairs legal, its sections there and linked.
    assert not codes & {"C002", "C005", "R001", "T003"}


def test_an_unknown_template_is_told_which_there_are() -> None:
    with pytest.raises(NotFound, match="standard"):
        begin_template("other", 2026, SCHEME_B)
    with pytest.raises(NotFound):
        begin_template("../texts/standard", 2026, SCHEME_B)
