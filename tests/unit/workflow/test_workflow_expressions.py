from __future__ import annotations

import ast
import itertools
import unicodedata
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.expressions import (
    Expression,
    ExpressionError,
    Undecidable,
    combinations,
    describe,
    evaluate,
    overlap,
    parse,
)
from workflow.facts import Fact

CENT, ONE = Decimal("0.01"), Decimal(1)
KNOWN = {
    "round": Fact("轮次", step=ONE, least=ONE),
    "total": Fact("预算总额", step=CENT, optional=True),
    "fiscal": Fact("财政资金", step=CENT, optional=True),
    "share": Fact("占比"),
    "department": Fact("编制部门", type="text"),
    "meeting": Fact("需要上会", type="flag"),
}
FACTS: dict[str, Any] = {
    "round": 2,
    "total": Decimal("1000000.00"),
    "fiscal": Decimal("999999.99"),
    "share": Decimal("0.3"),
    "department": "科协",
    "meeting": True,
}


def met(text: str, **facts: Any) -> bool:
    return evaluate(parse(text, KNOWN), {**FACTS, **facts})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("total > 1000000", False),
        ("total >= 1000000", True),
        ("total > 999999.99", True),
        ("total - fiscal == 0.01", True),
        ("share == 0.1 + 0.2", True),
        ("share * 3 == 0.9", True),
        ("-share < 0", True),
        ("0 < total <= 1000000", True),
        ("0 < total < 1000000", False),
        ("round in [1, 2]", True),
        ("round in (1, 3)", False),
        ("round not in [1]", True),
        ("-round in [-2]", True),
        ("department == '科协'", True),
        ('department != "科协"', False),
        ("department in ['科协', '图书馆']", True),
        ("department in ('科协馆',)", False),
        ("meeting", True),
        ("not meeting", False),
        ("meeting == true", True),
        ("meeting == (total > 5)", True),
        ("meeting != true or round == 2 and total == 1", False),
        ("(meeting or round == 3) and not (total < 0)", True),
        ("  total>0  ", True),
    ],
)
def test_conditions_mean_what_they_say(text: str, expected: bool) -> None:
    assert met(text) is expected


def test_a_literal_keeps_every_digit_that_a_float_would_lose() -> None:
    assert met("share == 0.10000000000000000000000001", share=Decimal("0.10000000000000000000000001"))
    assert not met("share == 0.1", share=Decimal("0.10000000000000000000000001"))
    money = Decimal("999999999999999.99")
    assert met("total == 999999999999999.99", total=money)
    assert not met("total == 999999999999999.98", total=money)


def test_arithmetic_rounds_nothing_away() -> None:
    money = Decimal("999999999999999.99")
    assert met("total * total - 0.0001 < total * total", total=money)
    assert met("total * total * total - total * total * total + 0.01 == 0.01", total=money)
    everything = " * ".join(["share"] * 25)
    assert met(f"{everything} - 1 < {everything}", share=Decimal("9" * 30))


@given(st.decimals(-(10**15), 10**15, places=2), st.decimals(-(10**15), 10**15, places=2))
def test_money_compares_as_the_number_that_is_written(money: Decimal, limit: Decimal) -> None:
    assert met(f"total > {limit:f}", total=money) is (money > limit)
    assert met(f"total == {limit:f}", total=money) is (money == limit)
    assert met(f"total == {money:f}", total=money)


@pytest.mark.parametrize("text", ["total > 5", "not (total > 5)", "total > 5 or round > 0", "round > 0 or total > 5"])
def test_a_condition_that_names_a_missing_fact_is_not_met(text: str) -> None:
    assert met(text, total=None) is False
    assert evaluate(parse(text, KNOWN), {"round": 1}) is False


@pytest.mark.parametrize("wrong", [{"total": 1.5}, {"total": "1"}, {"total": True}, {"total": Decimal("NaN")}])
def test_a_fact_of_another_type_is_refused_by_its_title(wrong: dict[str, Any]) -> None:
    with pytest.raises(ExpressionError, match="预算总额"):
        met("total > 1", **wrong)


HOSTILE = {
    "().__class__": "第 3 个字符“.”",
    "total.real > 1": "第 6 个字符“.”",
    "9**9**9": "不能用“9\\*\\*9\\*\\*9”",
    "total > 9**9**9": "不能用",
    '"a"*10**9': "不能用|要数",
    '"a" * 10 == department': '“"a"”是文字，这里要数',
    "department + 'a' == 'b'": "这里要数",
    "nobody > 1": "没有名为 nobody 的事实；可以用：round 轮次、total 预算总额",
    "__import__ == 1": "没有名为 __import__ 的事实",
    "print(total)": "不能用“print\\(total\\)”",
    "__import__('os')": "不能用",
    "lambda: total": "第 7 个字符“:”",
    "(x := total) > 1": "“:”",
    "[t for t in [total]] == 1": "不能用",
    "total if meeting else fiscal": "不能用",
    "f'{total}' == '1'": "缺少运算符",
    "total << 3 > 1": "不能用|顺序",
    "total >> 3 > 1": "不能用|顺序",
    "total / 3 > 1": "“/”",
    "total % 3 > 1": "“%”",
    "total | 3 > 1": "“\\|”",
    "~round > 1": "“~”",
    "+round > 1": "不能用“\\+round”",
    "round[0] > 1": "不能用",
    "round is 1": "比较不能用",
    "round in []": "in 的右边",
    "round in [total]": "不能有事实",
    "round in [*[1]]": "不能用",
    "round in ([1],)": "不能用",
    "department in '科协馆'": "in 的右边",
    "department in ('科协')": "in 的右边",
    "meeting in [true]": "in 的右边",
    "round in [1] in [true]": "in 的右边",
    "1 < round in [1]": "in 要单独写",
    "department < '科'": "没有大小",
    "meeting < true": "没有大小",
    "round == '1'": "是文字，这里要数",
    "meeting == 1": "是数，这里要成立与否的条件",
    "not total": "是数，这里要成立与否的条件",
    "total and meeting": "是数",
    "total": "结果不是成立或不成立",
    "department": "结果不是成立或不成立",
    "1 == 1": "没有用到任何事实",
    "true": "没有用到任何事实",
    "meeting == True": "要写成 true",
    "meeting == None": "不能用“None”",
    "total = 5": "相等要写 ==",
    "total ＞ 5": "半角",
    "department == “科协”": "半角",
    "total > 1_000": "缺少运算符",
    "total > 1e9": "缺少运算符",
    "total > 0x10": "缺少运算符",
    "total > 007": "缺少运算符",
    "total > 5j": "缺少运算符",
    "department == b'a'": "缺少运算符",
    "department == 'a' 'b'": "缺少运算符",
    "department == '''a'''": "缺少运算符",
    "department == '\\u202e'": "不能用在这里",
    "department == 'a": "不能用在这里",
    "total > 5 # always": "“#”",
    "total > 5; meeting": "“;”",
    "total > 5\nmeeting": "第 10 个字符不能显示",
    "department == '\u202e协科'": "第 16 个字符不能显示",
    "\u2066total > 5": "第 1 个字符不能显示",
    "ｔｏｔａｌ > 5": "半角",
    "tоtal > 5": "第 2 个字符“о”",
    "total >": "不完整",
    "": "不完整",
    "   ": "不完整",
    "(total > 5": "不完整",
    "total > " + "9" * 31: "最多 30 位",
    "(" * 140 + "meeting" + ")" * 140: None,
    "(" * 400 + "meeting" + ")" * 400: "太复杂",
    "not " * 200 + "meeting": "嵌套超过",
    "-" * 900 + "total > 1": "太复杂",
    "total > 1" + " + 1" * 100: "嵌套超过",
    "meeting" + " and meeting" * 90: "有 1087 个字符",
    "meeting or " * 90 + "x": "没有名为 x",
}


@pytest.mark.parametrize(("text", "words"), HOSTILE.items())
def test_what_the_language_does_not_have_is_refused_in_one_clear_sentence(text: str, words: str | None) -> None:
    if words is None:
        assert parse(text, KNOWN).names == ("meeting",)
        return
    with pytest.raises(ExpressionError, match=words) as refused:
        parse(text, KNOWN)
    message = str(refused.value)
    assert message.endswith("。")
    assert message.count("。") == 1
    assert len(message) < 300
    assert not [letter for letter in message if unicodedata.category(letter) in ("Cc", "Cf", "Cs")]


@given(
    st.text(alphabet="totalrundmeeting 0123456789.+-*<>=!()[],'\"andornotinifelselambda:_{}@\\\u202e\n科", max_size=60)
)
def test_whatever_is_written_is_a_condition_or_a_clear_refusal(text: str) -> None:
    try:
        expression = parse(text, KNOWN)
    except ExpressionError:
        return
    assert evaluate(expression, FACTS) in (True, False)
    assert describe(expression, KNOWN)


WORDS = st.sampled_from(
    [*KNOWN, "nobody", "true", "false", "and", "or", "not", "in", "is", "if", "else", "for", "lambda", "1", "0.5", "'科协'",
     "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "**", "(", ")", "[", "]", ",", "True", "None", "await", "yield"]
)  # fmt: skip


@given(st.lists(WORDS, max_size=9).map(" ".join))
def test_words_in_any_order_are_a_condition_or_a_clear_refusal(text: str) -> None:
    try:
        expression = parse(text, KNOWN)
    except ExpressionError:
        return
    assert evaluate(expression, FACTS) in (True, False)


def test_the_evaluator_itself_refuses_what_slipped_past_the_parser() -> None:
    for text in (
        "().__class__",
        "print(1)",
        "9 ** 9",
        "[x for x in (1,)]",
        "f'{1}'",
        "1 if 1 else 2",
        "(1,)[0]",
        "1 << 2",
    ):
        with pytest.raises(ExpressionError):
            evaluate(Expression(text, {}, ast.parse(text, mode="eval").body), {})


def test_a_condition_is_read_once() -> None:
    assert parse("total > 5", KNOWN) is parse("total > 5", dict(KNOWN))
    assert parse("total > 5 and round == 1", KNOWN).names == ("round", "total")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("total > 1000000", "预算总额 > 1000000"),
        ("0 < total <= 0.50", "0 < 预算总额 ≤ 0.50"),
        ("(round == 1 or meeting) and not (total != 5)", "（轮次 = 1 或 需要上会） 且 并非（预算总额 ≠ 5）"),
        ("round == 1 or meeting and total >= 5", "轮次 = 1 或 需要上会 且 预算总额 ≥ 5"),
        ("department in ['科协', '图书馆']", "编制部门 属于 （“科协”、“图书馆”）"),
        ("round not in (1, 2)", "轮次 不属于 （1、2）"),
        ("(total - fiscal) * 2 > total - (fiscal - 1)", "（预算总额 - 财政资金） × 2 > 预算总额 - （财政资金 - 1）"),
        ("meeting == false", "需要上会 = 否"),
        ("meeting == (round == -1)", "需要上会 = （轮次 = -1）"),
        ("meeting == (not meeting)", "需要上会 = 并非（需要上会）"),
    ],
)
def test_a_condition_is_told_in_chinese(text: str, words: str) -> None:
    assert describe(parse(text, KNOWN), KNOWN) == words


def vectors(*texts: str, missing: bool = True) -> set[tuple[bool, ...]]:
    return set(combinations([parse(text, KNOWN) for text in texts], missing=missing))


def test_opposite_conditions_leave_only_the_missing_fact_between_them() -> None:
    assert vectors("total > 5", "total <= 5", missing=False) == {(True, False), (False, True)}
    assert vectors("total > 5", "total <= 5") == {(True, False), (False, True), (False, False)}
    found = combinations([parse("total > 5", KNOWN), parse("total <= 5", KNOWN)])
    assert found[False, False] == {"total": None}


def test_a_gap_of_one_cent_and_a_shared_cent_are_found_with_their_witness() -> None:
    assert (False, False) in vectors("total > 5", "total < 5", missing=False)
    assert overlap(parse("total >= 5", KNOWN), parse("total <= 5", KNOWN)) == {"total": Decimal(5)}
    assert overlap(parse("total > 5", KNOWN), parse("total <= 5.01", KNOWN)) == {"total": Decimal("5.01")}
    assert overlap(parse("total > 5", KNOWN), parse("total < 5.01", KNOWN)) is None
    assert overlap(parse("share > 5", KNOWN), parse("share < 5.01", KNOWN)) == {"share": Decimal(f"5.{1:030}")}


def test_only_values_that_occur_count() -> None:
    assert vectors("round >= 2", "round <= 1") == {(True, False), (False, True)}
    assert vectors("round >= 1") == {(True,)}
    assert vectors("round > -5") == {(True,)}
    assert vectors("round < 1.5") == {(True,), (False,)}
    assert vectors("total == 0.001", missing=False) == {(False,)}
    assert vectors("total > -0.5", "total < -0.49", missing=False) == {(True, False), (False, True)}
    assert vectors("total > -0.505", "total < -0.495", missing=False) == {(True, False), (True, True), (False, True)}


def test_literals_beyond_every_value_hide_none_of_them() -> None:
    vast = " * ".join(["1000000000000"] * 4)
    assert vectors(f"share > {vast}") == {(False,)}
    assert vectors(f"share > -1 * {vast}", f"share < {vast}") == {(True, True)}
    assert vectors("share > 5", f"share < {vast}") == {(False, True), (True, True)}
    assert vectors("share >= 999999999999999999999999999999") == {(False,), (True,)}


def test_texts_and_flags_are_compared_by_cases() -> None:
    assert vectors("department == '科协'", "department in ['科协', '其他']") == {
        (True, True),
        (False, True),
        (False, False),
    }
    assert vectors("meeting", "not meeting") == {(True, False), (False, True)}
    assert vectors("meeting == (total > 5)", missing=False) == {(True,), (False,)}
    assert overlap(parse("meeting", KNOWN), parse("round == 3", KNOWN)) == {"meeting": True, "round": 3}
    assert combinations([]) == {(): {}}


@pytest.mark.parametrize(
    "text",
    [
        "total > fiscal",
        "total + 1 > 5",
        "-total > 5",
        "meeting and total * 2 == 4",
        "total == total",
        "1 < round < total",
    ],
)
def test_arithmetic_and_facts_compared_with_each_other_are_undecidable(text: str) -> None:
    with pytest.raises(Undecidable, match="无法证明互斥") as refused:
        combinations([parse("round == 1", KNOWN), parse(text, KNOWN)])
    assert refused.value.expression == text


def test_arithmetic_of_literals_alone_is_decidable() -> None:
    assert overlap(parse("total > 100 * 10000", KNOWN), parse("total <= 1000000", KNOWN)) is None


def test_too_many_cases_are_undecidable() -> None:
    def many(name: str) -> Expression:
        return parse(f"{name} in [{', '.join(map(str, range(40)))}]", KNOWN)

    assert (True, True) in combinations([many("total"), many("round")])
    with pytest.raises(Undecidable, match="超过 20000 种"):
        combinations([many("total"), many("round"), many("fiscal"), many("share")])


# Few literals close to one another, so that random values fall on, between and beside them.
NUMBERS = st.decimals(-2, 3, places=2).map(lambda value: f"{value:f}") | st.sampled_from(
    ["0", "1", "1.005", "-0.005", "2"]
)
SIGNS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
NUMERIC = st.sampled_from(["round", "total", "share"])
TEXTS = st.sampled_from(["'科协'", "'图书馆'", "'其他'", "''"])
ATOMS = st.one_of(
    st.tuples(NUMERIC, SIGNS, NUMBERS).map(" ".join),
    st.tuples(NUMBERS, SIGNS, NUMERIC).map(" ".join),
    st.tuples(NUMBERS, SIGNS, NUMERIC, SIGNS, NUMBERS).map(" ".join),
    st.tuples(NUMERIC, st.sampled_from(["in", "not in"]), st.lists(NUMBERS, min_size=1, max_size=3)).map(
        lambda it: f"{it[0]} {it[1]} [{', '.join(it[2])}]"
    ),
    st.tuples(st.just("department"), st.sampled_from(["==", "!="]), TEXTS).map(" ".join),
    st.lists(TEXTS, min_size=1, max_size=2).map(lambda it: f"department in [{', '.join(it)}]"),
    st.just("meeting"),
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or", "==", "!="]), inner).map(
            lambda it: f"({it[0]}) {it[1]} ({it[2]})"
        ),
        inner.map(lambda it: f"not ({it})"),
    ),
    max_leaves=4,
)
CENTS = st.decimals(-3, 4, places=2)
SOME_FACTS = st.fixed_dictionaries(
    {
        "round": st.integers(1, 5),
        "total": st.none() | CENTS,
        "share": CENTS | st.decimals(-3, 4, places=3),
        "department": st.sampled_from(["科协", "图书馆", "其他", "", "别的"]),
        "meeting": st.booleans(),
    }
)


@given(st.lists(CONDITIONS, min_size=1, max_size=3), st.lists(SOME_FACTS, min_size=1, max_size=20))
def test_no_facts_give_a_vector_that_the_proof_has_not_seen(texts: list[str], cases: list[dict[str, Any]]) -> None:
    expressions = [parse(text, KNOWN) for text in texts]
    found = combinations(expressions)
    for facts in cases:
        assert tuple(evaluate(item, facts) for item in expressions) in found


@given(st.lists(CONDITIONS, min_size=1, max_size=3), st.booleans())
def test_every_witness_is_possible_and_gives_its_vector(texts: list[str], missing: bool) -> None:
    expressions = [parse(text, KNOWN) for text in texts]
    for vector, witness in combinations(expressions, missing=missing).items():
        assert all(KNOWN[name].fits(value) for name, value in witness.items())
        assert missing or None not in witness.values()
        assert tuple(evaluate(item, witness) for item in expressions) == vector


@given(st.lists(st.tuples(SIGNS, st.integers(0, 5)), min_size=1, max_size=3), st.booleans())
def test_the_proof_sees_neither_more_nor_less_than_every_value_tried(parts: list[tuple[str, int]], whole: bool) -> None:
    name, grid = ("round", range(1, 9)) if whole else ("share", range(-2, 18))
    expressions = [parse(f"{name} {sign} {limit}", KNOWN) for sign, limit in parts]
    tried = {
        tuple(evaluate(item, {name: value if whole else value * Decimal("0.5")}) for item in expressions)
        for value in grid
    }
    assert set(combinations(expressions)) == tried


@given(CONDITIONS, CONDITIONS)
def test_an_overlap_is_found_from_both_sides(one: str, other: str) -> None:
    first, second = parse(one, KNOWN), parse(other, KNOWN)
    witness = overlap(first, second)
    assert (witness is None) == (overlap(second, first) is None)
    if witness is not None:
        assert all(evaluate(item, witness) for item in itertools.chain([first, second]))
