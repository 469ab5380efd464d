from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from documents.rendering.figures import (
    chinese_date,
    grouped_money,
    joined,
    local_time,
    ordinal,
    plain_money,
    ten_thousands,
    value_words,
)
from models.content import Indicator
from models.errors import InvalidInput


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"sign": "≥", "value": "95", "unit": "%"}, "≥95%"),
        ({"sign": "≥", "value": "95", "unit": "%", "remark": "完成率 达到 95%"}, "≥95%（完成率达到95%）"),
        ({"value": "5", "unit": "次", "remark": "开展5次活动"}, "5次（开展5次活动）"),
        ({"value": "5", "unit": "次", "remark": "5 次"}, "5次"),
        ({"value": "5", "unit": "次", "remark": "5"}, "5次"),
        ({"sign": "≥", "value": "≥95%", "unit": "%"}, "≥95%"),
        ({"sign": "定性", "value": "明显提高"}, "明显提高"),
        ({"sign": "区间", "value": "80", "value_to": "90", "unit": "分"}, "80～90分"),
        ({"value": "5.31", "unit": "万元", "remark": "花费资金 5.31 万元"}, "5.31万元（花费资金5.31万元）"),
        ({"remark": "按时完成"}, "按时完成"),
        ({"raw_value": "见 附件"}, "见附件"),
        ({"unit": "次"}, ""),
        ({}, ""),
    ],
)
def test_an_indicator_value_says_nothing_twice(members, words):
    assert value_words(Indicator(id="i1", **members)) == words


def test_blanks_between_latin_words_stay():
    assert joined(" 使用 Open Data 平台 2 个 ") == "使用Open Data平台2个"


@pytest.mark.parametrize(
    ("amount", "grouped", "wan"),
    [
        ("53100", "53,100.00元", "5.31万元"),
        ("0", "0.00元", "0万元"),
        ("1234567890.12", "1,234,567,890.12元", "123,456.789012万元"),
        ("100000", "100,000.00元", "10万元"),
    ],
)
def test_money_is_exact_in_both_units(amount, grouped, wan):
    assert grouped_money(Decimal(amount)) == grouped
    assert ten_thousands(Decimal(amount)) == wan


def test_missing_money_is_a_dash():
    assert plain_money(None) == "—"
    assert plain_money(Decimal(53100)) == "53100.00"


def test_dates_have_no_leading_zeros():
    assert chinese_date(date(2021, 3, 5)) == "2021年3月5日"


def test_times_are_shown_in_chinese_time():
    assert local_time(datetime(2021, 3, 1, 17, 30, tzinfo=UTC)) == "2021年3月2日 01:30"


def test_a_time_without_zone_is_refused():
    with pytest.raises(InvalidInput, match="没有时区"):
        local_time(datetime(2021, 3, 1, 17, 30))  # noqa: DTZ001 -- the naive time is the point


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "一"),
        (10, "十"),
        (11, "十一"),
        (20, "二十"),
        (41, "四十一"),
        (100, "一百"),
        (105, "一百〇五"),
        (110, "一百一十"),
        (112, "一百一十二"),
    ],
)
def test_ordinals(number, words):
    assert ordinal(number) == words
