"""The sample of our own wording, which has all twelve traps of the seed (domain.md section 2)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from reading_look import EXPECTED, Look

from documents.reading.table_labels import GOAL_NUMBER, info_role, label_key
from models.findings import Severity


@pytest.fixture(scope="module")
def read(sample: str, look: Callable[..., Look]) -> Look:
    return look(sample)


def test_content_is_what_a_careful_clerk_wrote_down(read: Look) -> None:
    expected = json.loads((EXPECTED / "library-2021.json").read_text(encoding="utf-8"))
    assert read.json == expected


def test_trap_01_title_loses_its_blank_and_the_draft_mark_is_no_content(read: Look) -> None:
    title = read.one("I011", "/title")
    assert (title.raw, title.repaired, title.line) == ("2021 年部门预算绩效文本", "2021年部门预算绩效文本", 5)
    assert read.one("I012").raw == "(草案)"
    assert "草案" not in json.dumps(read.json, ensure_ascii=False)
    assert read["/department/name"] == "图书馆"


def test_trap_02_contents_are_not_the_body(read: Look) -> None:
    assert [(entry.title, entry.page, entry.line) for entry in read.reading.contents] == [
        ("第一部分 部门整体绩效目标", None, 15),
        ("一、总体绩效目标", 2, 17),
        ("二、分项绩效目标", 3, 18),
        ("三、工作保障措施", 4, 19),
        ("第二部分 预算项目绩效目标", None, 21),
        ("1.阅读推广经费绩效目标表", 6, 23),
    ]
    assert read.one("I004").line == 24
    assert not {"I021", "I022", "I023", "I024"} & read.codes


def test_trap_03_mixed_numbering_is_a_hint_and_loses_no_item(read: Look) -> None:
    assert len(read["/overall/items"]) == 5
    assert len(read["/sub_goals"]) == 2
    assert len(read["/safeguards"]) == 7
    hints = read.findings("I031")
    assert [item.place for item in hints] == ["/overall/items", ""]
    assert all(item.severity is Severity.HINT and item.repaired is None for item in hints)


def test_trap_04_label_typo_is_taken_and_reported(read: Look) -> None:
    typo = read.one("I036", "/sub_goals/1/indicator")
    assert (typo.raw, typo.repaired, typo.line) == ("绩效指：", "绩效指标：", 62)
    assert read["/sub_goals/1/indicator"].startswith("馆舍、设备")


def test_trap_05_page_breaks_inside_sentences_are_joined(read: Look) -> None:
    first, second = read.findings("I038")
    assert (first.place, first.line) == ("/sub_goals/1/indicator", 64)
    assert (second.place, second.line) == ("/safeguards/4/text", 88)
    assert "职工业务培训" in read["/sub_goals/1/indicator"]
    assert "对遗失和破损的图书" in read["/safeguards/4/text"]
    for item in (first, second):
        assert item.repaired == item.raw.replace("⏎", "")
        assert item.repaired in read[item.place]


def test_trap_06_blank_in_the_code_is_removed_and_letter_o_kept(read: Look) -> None:
    repair = read.one("I061", "/projects/0/code")
    assert (repair.raw, repair.repaired) == ("99042121H7KQ3O85 ZB0LM", "99042121H7KQ3O85ZB0LM")
    assert len(read["/projects/0/code"]) == 21
    assert read.one("I062", "/projects/0/code").repaired is None


def test_trap_07_zero_is_the_same_number_as_two_places(read: Look) -> None:
    assert read["/projects/0/budget"] == {"total": "86400.00", "fiscal": "86400.00", "other": "0.00"}
    assert not [item for item in read.reading.findings if "/budget" in item.place]


def test_trap_08_third_goal_that_lost_its_tab_comes_back(read: Look) -> None:
    shifted = read.one("I053")
    assert shifted.place == "/projects/0/goals/2/text"
    assert shifted.line == 115
    assert shifted.raw == f"3.{shifted.repaired}"
    assert read[shifted.place] == shifted.repaired
    assert len(read["/projects/0/goals"]) == 3
    assert read["/projects/0/purpose"].startswith("用于全年阅读活动")


def test_trap_09_first_level_carries_over(read: Look) -> None:
    levels = [(item["level1"], item["level2"]) for item in read["/projects/0/indicators"]]
    assert levels == [
        ("产出指标", "数量指标"),
        ("产出指标", "数量指标"),
        ("产出指标", "数量指标"),
        ("产出指标", "质量指标"),
        ("产出指标", "时效指标"),
        ("产出指标", "成本指标"),
        ("效益指标", "经济效益指标"),
        ("效益指标", "社会效益指标"),
        ("满意度指标", "服务对象满意度指标"),
    ]


def test_trap_10_three_wrapped_lines_in_a_value_cell(read: Look) -> None:
    place = "/projects/0/indicators/3"
    unit = read.one("I082", f"{place}/unit")
    assert (unit.severity, unit.raw, unit.repaired) == (Severity.HINT, "≥92 合格率 达到 92%", "%")
    assert read.one("I089", f"{place}/direction").repaired == "正向"


def test_trap_11_cost_without_sign_has_its_unit_from_the_remark(read: Look) -> None:
    place = "/projects/0/indicators/5"
    assert read.one("I082", f"{place}/unit").repaired == "万元"
    assert read.one("I086", f"{place}/sign").repaired is None
    assert read[f"{place}/sign"] is None


def test_trap_12_what_the_checker_objects_to_is_read_as_written(read: Look) -> None:
    assert read["/projects/0/indicators/8/value"] == "100"
    assert {item["basis"] for item in read["/projects/0/indicators"]} == {"馆年度工作安排"}
    link = read.one("I040")
    assert (link.place, link.repaired, link.confidence, link.line) == ("/sub_goals/0/projects/0", "p1", 0.6, 56)
    assert read["/sub_goals/1/projects"] is None


def test_values_in_words_are_taken_out_and_several_figures_are_not(read: Look) -> None:
    place = "/projects/0/indicators"
    assert read.one("I083", f"{place}/0/value").repaired == "8"
    assert read.one("I083", f"{place}/2/value").repaired == "3200"
    several = read.one("I084")
    assert (several.place, several.repaired) == (f"{place}/1/value", None)


def test_authors_words_are_never_corrected(read: Look) -> None:
    doubled = read.one("I041")
    assert doubled.place == "/projects/0/indicators/0/description"
    assert doubled.repaired is None
    assert "活动动" in read[doubled.place]
    assert "各务项服务" in read["/sub_goals/1/indicator"]


def test_findings_come_in_the_order_of_the_file(read: Look) -> None:
    lines = [item.line or 0 for item in read.reading.findings]
    assert lines == sorted(lines)


def test_nothing_is_an_error_and_every_finding_says_why(read: Look) -> None:
    for item in read.reading.findings:
        assert item.severity is not Severity.ERROR
        assert item.reason.endswith("。")
        assert 0 < item.confidence <= 1


def test_every_repair_stands_in_the_content_at_its_place(read: Look) -> None:
    for item in read.reading.findings:
        if item.repaired is not None and item.code != "I036":
            assert item.repaired in str(read[item.place]), item


def test_every_cell_of_the_tables_is_in_content_or_findings(sample: str, read: Look) -> None:
    found = json.dumps(read.json, ensure_ascii=False) + "".join(item.raw for item in read.reading.findings)
    found = found.replace("86400.00", "86400.00 0 ")
    for line in sample.splitlines()[107:]:
        for cell in line.split("\t"):
            words = GOAL_NUMBER.sub("", cell.strip(), count=1)
            known = info_role(words) or label_key(words) in (
                "一级指标",
                "二级指标",
                "三级指标",
                "指标值",
                "绩效指标描述",
                "指标值确定依据",
            )
            for run in [] if known else words.split():
                assert re.sub("%$", "", run) in found, cell


def test_sample_is_no_copy_of_the_seed(sample: str, seed_text: str) -> None:
    """Long runs of the seed's own words do not stand in the sample; labels and headings are the form's."""
    runs = {seed_text[at : at + 14] for at in range(len(seed_text) - 14)}
    shared = [run for run in runs if run in sample and not re.search(r"[\t\n-]|绩效|指标|部分|年度工作", run)]
    assert shared == []


def test_examples_are_where_the_documentation_says() -> None:
    folder = Path(__file__).resolve().parents[3] / "examples"
    assert (folder / "library-2021.txt").is_file()
    assert (folder / "two-projects-2021.txt").is_file()
