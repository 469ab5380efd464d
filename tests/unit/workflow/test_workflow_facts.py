from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

import pytest
from workflow_cases import TEXT

from application.facts import BUDGET_FACTS, total
from models.canonical import digest
from models.content import Budget, BudgetText, Indicator, Overall, Project, SubGoal, content_bytes
from workflow.facts import Fact, facts_known, read_facts, register_facts

ONE = Decimal(1)


class ContentWork:
    """A work whose one blob is a content, and whose organizations all have one name."""

    def __init__(self, content: BudgetText) -> None:
        self.data = content_bytes(content)

    def one(self, _prepared: Any, **values: Any) -> tuple[Any, ...]:
        return (self.data,) if "sha256" in values else ("科学技术协会",)


def read_budget(content: BudgetText) -> dict[str, Any]:
    work = ContentWork(content)
    return dict(read_facts("budget", cast(Any, work), TEXT._replace(current_hash=digest(work.data), round=3)))


def project(name: str, budget: Budget, *indicators: str) -> Project:
    return Project(id=name, budget=budget, indicators=tuple(Indicator(id=item) for item in indicators))


FIRST = project("p1", Budget(total=Decimal("0.10"), fiscal=Decimal("0.10"), other=Decimal(0)), "i1", "i2")
SECOND = project("p2", Budget(total=Decimal("0.20"), fiscal=Decimal("0.20"), other=Decimal(0)), "i1")


def test_a_budget_text_tells_its_sums_and_counts_exactly() -> None:
    content = BudgetText(
        fiscal_year=2026,
        projects=(FIRST, SECOND),
        overall=Overall(indicators=(Indicator(id="o1"),)),
        sub_goals=(SubGoal(id="g1"),),
    )
    assert read_budget(content) == {
        "round": 3,
        "total": Decimal("0.30"),
        "fiscal": Decimal("0.30"),
        "other": Decimal("0.00"),
        "projects": 2,
        "indicators": 4,
        "sub_goals": 1,
        "fiscal_year": 2026,
        "department": "科学技术协会",
    }


def test_a_missing_amount_makes_the_sum_missing_and_not_smaller() -> None:
    without = project("p2", Budget(total=Decimal(1), fiscal=None, other=None))
    facts = read_budget(BudgetText(fiscal_year=2026, projects=(FIRST, without)))
    assert (facts["total"], facts["fiscal"], facts["other"]) == (Decimal("1.10"), None, None)
    assert total([]) == 0


def test_every_kind_knows_the_round_and_only_budgets_know_money() -> None:
    assert list(facts_known("unregistered")) == ["round"]
    assert read_facts("unregistered", cast(Any, None), TEXT) == {"round": 1}
    assert set(facts_known("budget")) == {"round", *BUDGET_FACTS}


def test_a_kind_is_registered_once() -> None:
    with pytest.raises(ValueError, match="budget are registered twice"):
        register_facts("budget", {}, lambda work, text: {})


@pytest.mark.parametrize("name", ["and", "true", "round", "Total", "a.b", "", "总额", "_x", "x" * 41])
def test_a_fact_has_a_name_that_a_condition_can_write(name: str) -> None:
    with pytest.raises(ValueError, match="can't be called"):
        register_facts("probe-names", {name: Fact("x")}, lambda work, text: {})
    assert list(facts_known("probe-names")) == ["round"]


def test_the_least_value_is_one_that_the_fact_can_have() -> None:
    with pytest.raises(ValueError, match="least value of size"):
        register_facts("probe-least", {"size": Fact("大小", step=ONE, least=Decimal("0.5"))}, lambda work, text: {})


@pytest.mark.parametrize(
    ("number", "values"),
    [(1, {}), (2, {"size": 1.5}), (3, {"size": ONE, "more": ONE}), (4, {"size": None}), (5, {"size": Decimal("0.5")})],
)
def test_a_reader_that_breaks_its_own_registration_is_an_error(number: int, values: dict[str, Any]) -> None:
    kind = f"probe-broken-{number}"
    register_facts(kind, {"size": Fact("大小", step=ONE)}, lambda work, text: values)
    with pytest.raises(TypeError, match="not as they were registered"):
        read_facts(kind, cast(Any, None), TEXT)


@pytest.mark.parametrize(
    ("fact", "good", "bad"),
    [
        (Fact("x"), [1, -1, Decimal("0.001"), Decimal("-1E+5")], [True, 0.5, "1", None, Decimal("NaN"), Decimal("Infinity")]),
        (Fact("x"), [Decimal(10) ** 29], [Decimal(10) ** 30, Decimal("1E-31"), Decimal("1E+999999")]),
        (Fact("x", step=Decimal("0.01")), [Decimal("0.01"), 5], [Decimal("0.001")]),
        (Fact("x", least=ONE), [1], [0]),
        (Fact("x", optional=True), [None, 1], [""]),
        (Fact("x", "text"), ["", "字"], [None, 1, True]),
        (Fact("x", "flag"), [True, False], [None, 1, 0, "true"]),
    ],
)  # fmt: skip
def test_a_value_fits_by_type_grid_and_least(fact: Fact, good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if not fact.fits(value)] == []
    assert [value for value in bad if fact.fits(value)] == []
