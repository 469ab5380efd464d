"""A settings file: what it changes, and how its mistakes are told."""

from __future__ import annotations

import pytest
from checking_texts import CLEAN_A, content, found, outline

from documents.checking import DEFAULT, CheckSettings, check, rules
from documents.checking.settings_file import parse_settings
from models.errors import InvalidInput
from models.findings import Severity

TOML = """
division = "130999"
required_checkpoints = ["6月底"]

[thresholds]
year_factor = 3.0

[rules.A006]
severity = "error"

[rules.R004]
disabled = "本县由区改县不久，旧称仍可用"

[organizations."612"]
required_checkpoints = []
[organizations."612".rules.C006]
disabled = "文旅部门的依据统一为年度计划"
[organizations."612".thresholds]
copy_length = 20
"""
YAML = """
rules:
  A006: {severity: hint}
  T002:
    disabled: 印刷厂统一校对
"""


def test_severity_and_switched_off_rules_hold() -> None:
    settings = parse_settings(TOML.encode(), "county.toml")
    full = ("/projects/0/indicators/6/value", "100")
    foreign = ("/projects/0/purpose", "用于全区居民的读书活动")
    assert outline(found(CLEAN_A, full, foreign, settings=settings)) == [("A006", "error", full[0])]
    softer = parse_settings(YAML.encode(), "county.YML")
    assert outline(found(CLEAN_A, full, settings=softer)) == [("A006", "hint", full[0])]


def test_the_weaker_half_of_a_rule_stays_the_weaker() -> None:
    stronger = parse_settings(b'[rules.A004]\nseverity = "error"\n[rules.A002]\nseverity = "hint"', "a.toml")
    below = ("/projects/0/spending_plan/2/percent", "90")
    cheaper = ("/projects/0/indicators/4/value", "5.3")
    assert [item[:2] for item in outline(found(CLEAN_A, below, cheaper, settings=stronger))] == [
        ("A002", "hint"),
        ("A004", "hint"),
    ]


def test_a_department_has_settings_of_its_own_by_code_or_name() -> None:
    settings = parse_settings(TOML.encode(), "county.toml")
    department = content(CLEAN_A).department
    own = settings.for_department(department)
    assert own.rules.keys() == {"A006", "R004", "C006"}
    assert own.required_checkpoints == ()
    assert (own.thresholds.copy_length, own.thresholds.year_factor) == (20, 3.0)
    other = department.model_copy(update={"code": "431", "unit_code": "431001"})
    assert settings.for_department(other) == settings
    named = CheckSettings.model_validate({"organizations": {" 文旅局 ": {"rules": {"C001": {"disabled": "试点"}}}}})
    assert "C001" in named.for_department(department).rules
    nearer = CheckSettings.model_validate(
        {"organizations": {"612": {}, "612001": {"required_checkpoints": ["9月底"]}, "文旅局": {}}}
    )
    assert nearer.for_department(department).required_checkpoints == ("9月底",)


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("division = 130999", "a.toml", ["第 1 行 division", "应为文字"]),
        ("\ndivisoin = '130999'", "a.toml", ["第 2 行 divisoin", "不是格式中的成员"]),
        ("[rules.A006]\n\nseverity = 'fatal'", "a.toml", ["第 3 行", "error"]),
        ("[rules.A006]\ndisabled = ' '", "a.toml", ["第 1 行 rules.A006", "写明理由"]),
        ("[rules.A006]\ndisabled = '不用'\nseverity='hint'", "a.toml", ["rules.A006", "只写一项"]),
        ("[rules.C007]\ndisabled = '太麻烦'", "a.toml", ["C007 不能停用"]),
        ("[rules.C007]\nseverity = 'hint'", "a.toml", ["C007 不能停用，也不能降级"]),
        ("[organizations.612.rules.C007]\ndisabled = '太麻烦'", "a.toml", ["C007 不能停用"]),
        ("[rules.C099]\nseverity = 'hint'", "a.toml", ["第 1 行 rules.C099", "jixiao check rules"]),
        ("[rules.x1]\nseverity = 'hint'", "a.toml", ["rules.x1"]),
        ("[thresholds]\nyear_factor = 1.0", "a.toml", ["第 2 行 thresholds.year_factor", "应大于 1"]),
        ("[thresholds]\nyear_factor = nan", "a.toml", ["第 2 行 thresholds.year_factor"]),
        ("[thresholds]\ncopy_similarity = 'viel'", "a.toml", ["第 2 行", "应为数字"]),
        ("a = [1\nb = 2", "a.toml", ["第 2 行不是有效的 TOML"]),
        ("rules:\n  A006:\n    severity: fatal", "a.yaml", ["第 3 行 rules.A006.severity"]),
        ("rules: {A006: {severity: hint}", "a.yaml", ["不是有效的 YAML"]),
        ("a: &x 1\nb: *x", "a.yml", ["用了 YAML 的引用"]),
        ("- 1", "a.yml", ["应为对象"]),
        ("[[schemes]]\ntitle='甲'\nsince=2000\nuntil=2050\nlevels=[]", "a.toml", ["首尾相接"]),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, name: str, words: list[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_settings(text.encode(), name)
    assert f"检查设置“{name}”" in caught.value.message
    for word in words:
        assert word in caught.value.message
    assert "Input should" not in caught.value.message
    assert caught.value.message.endswith("。")


@pytest.mark.parametrize("data", [b"\xff\xfe", b"x" * 1_100_000, b"[" * 5000, b"- " * 5000])
def test_what_is_no_settings_file_is_refused(data: bytes) -> None:
    for name in ("a.toml", "a.yaml"):
        with pytest.raises(InvalidInput):
            parse_settings(data, name)


def test_an_empty_file_is_the_defaults() -> None:
    assert parse_settings(b"", "a.toml") == parse_settings(b"# nothing\n", "a.yaml") == DEFAULT


def test_a_county_may_write_a_scheme_of_its_own() -> None:
    scheme = """
[[schemes]]
title = "本县"
since = 2000
until = 2099
levels = [{ name = "产出", kinds = [{ name = "数量" }] }]
required = [{ title = "数量指标", level = "产出", kinds = ["数量"] }]
weight_totals = ["50"]
"""
    settings = parse_settings(scheme.encode(), "a.toml")
    assert {item.code for item in check(content(CLEAN_A), settings=settings)} == {"R001"}


@pytest.mark.parametrize("rule", [rule for rule in rules() if rule.code != "C007"], ids=lambda item: item.code)
def test_every_rule_can_be_switched_off_but_confirmation(rule) -> None:
    settings = CheckSettings.model_validate({"rules": {rule.code: {"disabled": "试点期间不用"}}})
    broken = content(
        CLEAN_A,
        ("/projects/0/budget/fiscal", "1.00"),
        ("/projects/0/purpose", ""),
        ("/projects/0/indicators/0/sign", None),
        ("/projects/0/indicators/6/value", "100"),
    )
    before = {item.code for item in check(broken)}
    after = {item.code for item in check(broken, settings=settings)}
    assert after == before - {rule.code}
    assert rule.severity in Severity
