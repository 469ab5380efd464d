"""Value cells, money and percents."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from reading_look import Look

from documents.reading.indicator_values import read_value
from documents.reading.money import currency_of, read_money, read_percent
from models.findings import Severity


@pytest.mark.parametrize(
    ("cell", "sign", "value", "unit", "remark", "codes"),
    [
        ("≥95 完成率 达到 95%", "≥", "95", "%", "完成率 达到 95%", ["I082"]),
        ("≥100 完成率 达到 100%", "≥", "100", "%", "完成率 达到 100%", ["I082"]),
        ("5.31 科普活动花费资金 5.31 万元", None, "5.31", "万元", "科普活动花费资金 5.31 万元", ["I082", "I086"]),
        ("开展5次活动", None, "5", "次", "开展5次活动", ["I083", "I082", "I086"]),
        ("发放资料10000册", None, "10000", "册", "发放资料10000册", ["I083", "I082", "I086"]),
        ("举办培训班12期，培训500人", None, "举办培训班12期，培训500人", None, None, ["I084"]),
        ("8次（开展8次服务）", None, "8", "次", "开展8次服务", ["I086"]),
        ("≥92%（合格率达到92%）", "≥", "92", "%", "合格率达到92%", []),
        ("12期（每期50人）", None, "12", "期", "每期50人", ["I090", "I086"]),
        ("培训（含12期、500人）", None, "培训（含12期、500人）", None, None, ["I084"]),
        ("≥95%", "≥", "95", "%", None, []),
        ("≤5.31万元", "≤", "5.31", "万元", None, []),
        ("=3项", "=", "3", "项", None, []),
        (">=95%", "≥", "95", "%", None, ["I085"]),
        ("＞９０％", ">", "90", "%", None, ["I085", "I081", "I081"]),
        ("≦5天", "≤", "5", "天", None, ["I085"]),
        ("不低于95%", "≥", "95", "%", None, ["I085"]),
        ("不少于3次", "≥", "3", "次", None, ["I085"]),
        ("不超过5万元", "≤", "5", "万元", None, ["I085"]),
        ("未超过5%", "≤", "5", "%", None, ["I085"]),
        ("不高于10%", "≤", "10", "%", None, ["I085"]),
        ("达到95%", "≥", "95", "%", None, ["I085"]),
        ("至少6人", "≥", "6", "人", None, ["I085"]),
        ("95%以上", "≥", "95", "%", None, ["I085"]),
        ("24小时内", "≤", "24", "小时", None, ["I085"]),
        ("群众满意率不低于95%", "≥", "95", "%", "群众满意率不低于95%", ["I085", "I083", "I082"]),
        ("满意率≥95%", "≥", "95", "%", "满意率≥95%", ["I083", "I082"]),
        ("10,000册", None, "10000", "册", None, ["I081", "I086"]),
        ("1.2万人次", None, "1.2", "万人次", None, ["I086"]),
        ("-5", None, "-5", None, None, ["I086"]),
        ("95", None, "95", None, None, ["I086"]),
        ("≥7标段", "≥", "7", "标段", None, ["I092"]),
        ("≥90 合格率 达到 95%", "≥", "90", None, "合格率 达到 95%", ["I090"]),
        ("较好", "定性", "较好", None, None, ["I088"]),
        ("优", "定性", "优", None, None, ["I088"]),
        ("显著提升", "定性", "显著提升", None, None, ["I088"]),
        ("十分满意", "定性", "十分满意", None, None, ["I088"]),
        ("开展五次活动", None, "开展五次活动", None, None, ["I084"]),
        ("≥良好", None, "≥良好", None, None, ["I084"]),
        ("2021年底前完成", None, "2021年底前完成", None, None, ["I084"]),
        ("1/3", None, "1/3", None, None, ["I084"]),
        ("-", None, "", None, None, ["I091"]),
        ("……", None, "", None, None, ["I091"]),
        ("", None, "", None, None, []),
    ],
)
def test_value_cells(
    cell: str, sign: str | None, value: str, unit: str | None, remark: str | None, codes: list[str]
) -> None:
    read = read_value(cell)
    assert (read.sign, read.value, read.unit, read.remark) == (sign, value, unit, remark)
    assert read.value_to is None
    assert [note.code.value for note in read.notes] == codes


def test_cell_longer_than_any_value_is_kept_whole() -> None:
    cell = "开展5次活动" * 100
    read = read_value(cell)
    assert (read.sign, read.value, read.unit) == (None, cell, None)
    assert [note.code.value for note in read.notes] == ["I084"]


@pytest.mark.parametrize("cell", ["90-95%", "90%~95%", "90～95％", "90%—95%", "90至95%", "90%-95%"])
def test_ranges(cell: str) -> None:
    read = read_value(cell)
    assert (read.sign, read.value, read.value_to, read.unit) == ("区间", "90", "95", "%")
    assert "I087" in [note.code.value for note in read.notes]


def test_columns_of_their_own_go_before_the_cell() -> None:
    plain = read_value("95", sign_cell="≥", unit_cell="%")
    assert (plain.sign, plain.value, plain.unit, plain.notes) == ("≥", "95", "%", ())
    words = read_value("优良", sign_cell="定性")
    assert (words.sign, words.value, words.notes) == ("定性", "优良", ())
    clash = read_value("≥95%", sign_cell="≤", unit_cell="分")
    assert (clash.sign, clash.unit) == ("≤", "分")
    assert [note.code.value for note in clash.notes] == ["I090", "I090"]
    spelt = read_value("95", sign_cell="不低于", unit_cell="％")
    assert (spelt.sign, spelt.unit) == ("≥", "%")
    assert [note.code.value for note in spelt.notes] == ["I085", "I081"]


@pytest.mark.parametrize(
    ("cell", "unit", "amount", "code"),
    [
        ("53100.00", "元", "53100.00", None),
        ("53100", "元", "53100.00", None),
        ("0", "元", "0.00", None),
        ("53,100.00", "元", "53100.00", "I068"),
        ("５３１００", "元", "53100.00", "I068"),
        ("53 100.00", "元", "53100.00", "I068"),
        ("￥53100元", "万元", "53100.00", "I068"),
        ("5.31", "万元", "53100.00", "I067"),
        ("5.3100", "万元", "53100.00", "I067"),
        ("5.31万元", "元", "53100.00", "I067"),
        ("0", "万元", "0.00", "I067"),
        ("1.5", "亿元", "150000000.00", "I067"),
        ("五万", "元", None, "I069"),
        ("5.31.2", "元", None, "I069"),
        ("1,23.00", "元", None, "I069"),
        ("53100.005", "元", None, "I069"),
        ("0.0000001", "万元", None, "I069"),
        ("9999999999999999", "元", None, "I069"),
        ("9" * 1000, "元", None, "I069"),
    ],
)
def test_money_cells(cell: str, unit: str, amount: str | None, code: str | None) -> None:
    value, findings = read_money(cell, unit, "/projects/0/budget/total", 7)
    assert value == (None if amount is None else Decimal(amount))
    assert [item.code for item in findings] == ([code] if code else [])
    for item in findings:
        assert item.raw == cell
        assert item.repaired == amount
        assert (item.severity is Severity.ERROR) == (amount is None)


def test_unreadable_money_is_absent_and_kept_as_extra(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("预算数\t86400.00", "预算数\t八万多"))
    assert read["/projects/0/budget"] == {"fiscal": "86400.00", "other": "0.00"}
    assert read["/projects/0/extra"] == [{"label": "预算数", "value": "八万多"}]
    error = read.one("I069", "/projects/0/budget/total")
    assert (error.raw, error.severity, error.line) == ("八万多", Severity.ERROR, 109)


def test_table_in_ten_thousands(sample: str, look: Callable[..., Look]) -> None:
    text = sample.replace("单位：元", "金额单位:万元").replace("86400.00", "8.64")
    read = look(text)
    assert read.json == look(sample).json
    converted = read.one("I067", "/projects/0/budget/total")
    assert (converted.raw, converted.repaired) == ("8.64", "86400.00")


def test_table_without_a_money_unit_is_doubted(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("单位：元\n", ""))
    assert read.json == look(sample).json
    assert read.one("I066").place == "/projects/0/budget"


def test_unit_and_money_unit_on_one_line(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("本级\n\n单位：元", "本级    单位：元"))
    assert read.json == look(sample).json
    tabbed = look(sample.replace("本级\n\n单位：元", "本级\t\t\t\t\t\t单位：元"))
    assert tabbed.json == look(sample).json


@pytest.mark.parametrize(
    ("words", "unit"),
    [
        ("单位：元", "元"),
        ("金额单位：万元", "万元"),
        ("（单位:人民币元）", "元"),
        ("单位：次", None),
        ("计量单位", None),
    ],
)
def test_money_unit_lines(words: str, unit: str | None) -> None:
    found = currency_of(words)
    assert (found[0] if found else None) == unit


@pytest.mark.parametrize(
    ("cell", "percent", "code"),
    [
        ("20.00%", "20.00", None),
        ("20", "20.00", None),
        ("２０％", "20.00", "I073"),
        ("20.125%", None, "I072"),
        ("两成", None, "I072"),
    ],
)
def test_percents(cell: str, percent: str | None, code: str | None) -> None:
    value, findings = read_percent(cell, "/p", 1)
    assert value == (None if percent is None else Decimal(percent))
    assert [item.code for item in findings] == ([code] if code else [])


def test_a_range_can_have_a_remark_in_brackets() -> None:
    read = read_value("30%～50%（按抽查）")
    assert (read.sign, read.value, read.value_to, read.unit, read.remark) == ("区间", "30", "50", "%", "按抽查")
