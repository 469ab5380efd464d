"""What holds for every content that the schema allows."""

from __future__ import annotations

from typing import Any

from checking_texts import CLEAN_A, content, renumbered
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from documents.checking import CheckSettings, Surroundings, Unconfirmed, check
from documents.checking.corpus import neighbours
from models import content as schema
from models.content import BudgetText
from models.findings import ReadingFinding, Severity

# A small alphabet of the words that rules look at finds more than free text, which comes as well.
WORDS = [
    "", " ", "-", "……", "5", "5.31", "53100", "1,500", "９５", "9" * 60, "-3", "≥95 完成率", "举办12期，培训500人", "①较好",
    "5.31万元", "5.31 万元，其中 3 元", "元", "万元", "亿元", "元/人", "%", "产出指标", "数量指标", "质量", "时效指标", "成本指标", "经济成本指标",
    "效益指标", "社会效益", "满意度指标", "服务对象满意度指标", "人均成本", "2021年", "二〇二二年工作", "2020年以来", "13030621G5NX247OTT0DE",
    "全区（一）\n二）业业;", "读书会二十场", "总预算六万元", "转移支付", "满意度", "加强领导",
    "13030622G5NX247ATT0DE", "13O30621G5NX247ATT0DE", "13099921G5NX247ATT0DE", "3月底", "i0", "\x00\n",
]  # fmt: skip
texts = st.one_of(st.sampled_from(WORDS), st.text(max_size=12))
optional_texts = st.none() | texts
cents = st.sampled_from([0, 1, 531, 5_310_000, -100, 10**17 - 1]) | st.integers(-(10**17) + 1, 10**17 - 1)
money = cents.map(lambda number: _decimal(number))
shares = st.sampled_from([0, 2000, 6000, 10000, 10001, -1]).map(lambda number: _decimal(number))


def _decimal(number: int) -> str:
    sign, digits = ("-" if number < 0 else ""), f"{abs(number):03d}"
    return f"{sign}{digits[:-2]}.{digits[-2:]}"


def lists(strategy: st.SearchStrategy[Any], largest: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    """Up to some members with ids that differ, as the schema asks."""
    return st.lists(strategy, max_size=largest).map(
        lambda items: tuple(
            item.model_copy(update={"id": f"i{number}"}) if "id" in type(item).model_fields else item
            for number, item in enumerate(items)
        )
    )


items = st.builds(schema.Item, id=st.just("i0"), title=texts, text=texts)
indicators = st.builds(
    schema.Indicator,
    id=st.just("i0"),
    level1=texts,
    level2=texts,
    name=texts,
    description=texts,
    sign=st.sampled_from([None, "≥", "≤", "=", ">", "<", "区间", "定性"]),
    value=texts,
    value_to=optional_texts,
    unit=optional_texts,
    remark=optional_texts,
    period=st.sampled_from([None, "年度", "中期"]),
    part_of=st.sampled_from([None, "i0", "i1", "i2"]),
    basis=texts,
    weight=st.none() | shares,
    direction=st.sampled_from([None, "正向", "反向"]),
    scoring=optional_texts,
)
budgets = st.builds(
    schema.Budget,
    total=st.none() | money,
    fiscal=st.none() | money,
    other=st.none() | money,
    period_total=st.none() | money,
)
projects = st.builds(
    schema.Project,
    id=st.just("i0"),
    code=texts,
    name=texts,
    budget=budgets,
    purpose=texts,
    spending_plan=lists(st.builds(schema.Checkpoint, checkpoint=texts, percent=shares)),
    goals=lists(st.builds(schema.Goal, id=st.just("i0"), text=texts)),
    indicators=lists(indicators, 4),
)
contents = st.builds(
    BudgetText,
    title=texts,
    fiscal_year=st.sampled_from([2000, 2021, 2022, 2099]),
    department=st.builds(schema.Department, name=texts, unit_code=optional_texts, unit_name=optional_texts),
    reviewing_body=texts,
    overall=st.builds(schema.Overall, introduction=texts, items=lists(items), indicators=lists(indicators)),
    sub_goals=lists(st.builds(schema.SubGoal, id=st.just("i0"), name=texts, indicator=texts)),
    safeguards=lists(items),
    projects=lists(projects),
)
repairs = st.lists(
    st.builds(
        Unconfirmed,
        place=st.sampled_from(["", "/projects/0/code", "/projects/i1/code", "/9/9"]) | texts,
        raw=texts,
        repaired=texts,
    ),
    max_size=3,
)
reported = st.lists(
    st.builds(
        ReadingFinding,
        code=st.sampled_from(["I021", "I022", "I031", "I059"]),
        severity=st.just(Severity.WARNING),
        place=st.sampled_from(["", "/projects/0/name", "/projects/i1/name", "/projects/9/name", "/projects", "/9"]),
        raw=st.sampled_from(["1.读书经费绩效目标表", "绩效目标表", "9" * 60 + "绩效目标表"]) | texts,
        reason=texts,
        confidence=st.just(1.0),
        repaired=optional_texts,
    ),
    max_size=3,
)
own = CheckSettings(division="130306", required_checkpoints=("6月底",))
many = settings(max_examples=200, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


@many
@given(content=contents, other=contents, unconfirmed=repairs, read=reported, configured=st.booleans())
def test_check_never_raises_and_always_finds_the_same(
    content: BudgetText, other: BudgetText, unconfirmed: list[Unconfirmed], read: list[ReadingFinding], configured: bool
) -> None:
    chosen = own if configured else CheckSettings()
    beside = neighbours([("甲", content), ("乙", other)], similarity=90, length=4)
    around = Surroundings(tuple(read), other, beside)
    findings = check(content, unconfirmed=unconfirmed, settings=chosen, surroundings=around)
    copy = BudgetText.model_validate_json(content.model_dump_json(by_alias=True))
    assert check(copy, unconfirmed=unconfirmed[::-1], settings=chosen, surroundings=around) == findings
    halves = [
        check(content, unconfirmed=unconfirmed, settings=chosen, surroundings=around, compares=half)
        for half in (True, False)
    ]
    assert sorted(map(str, (*halves[0], *halves[1]))) == sorted(map(str, findings))
    assert [finding.code for finding in findings] == sorted(finding.code for finding in findings)
    assert all(isinstance(finding.severity, Severity) and finding.message for finding in findings)


@many
@given(content=contents, data=st.data())
def test_order_of_the_projects_does_not_change_the_codes(content: BudgetText, data: st.DataObject) -> None:
    order = data.draw(st.permutations(content.projects))
    moved = content.model_copy(update={"projects": tuple(order)})
    assert _codes(moved) == _codes(content)


@many
@given(content=contents)
def test_places_are_places_of_the_content(content: BudgetText) -> None:
    for finding in check(content):
        value: Any = content
        for token in finding.place.split("/")[1:]:
            value = value[int(token)] if isinstance(value, tuple) else getattr(value, token)


def _codes(content: BudgetText) -> list[tuple[str, Severity]]:
    return sorted((finding.code, finding.severity) for finding in check(content))


def test_forty_clean_projects_have_no_findings() -> None:
    assert check(content(renumbered(CLEAN_A, 40))) == ()


def test_long_run_of_digits_is_checked_without_backtracking() -> None:
    # A pattern that backtracks would not come back from this within a day.
    words = ("/projects/0/indicators/4/remark", "1" * 200_000 + " " * 200_000 + ",1" * 100_000)
    assert check(content(CLEAN_A, words)) == ()
