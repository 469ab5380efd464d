"""What is made of the findings: SARIF, the department's workbook, places in words, lines, and explanations."""

from __future__ import annotations

import io
import json
import os
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from checking_texts import CLEAN_A, content, found
from hypothesis import given, settings
from hypothesis import strategies as st
from library_text import SAMPLE, judged, read
from python_calamine import CalamineWorkbook

from documents.checking import DEFAULT, CheckSettings, rules
from documents.checking.catalogue import EXPLANATIONS
from documents.checking.positions import Lines
from documents.checking.report import Checked, shown, totals
from documents.checking.sarif import sarif
from documents.checking.titles import place_words
from documents.checking.worklist import worklist

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def sample() -> Checked:
    text = SAMPLE.read_text("utf-8")
    reading = read(text)
    return Checked("来文/图书馆 1.txt", reading.content.title, shown(reading.content, judged(text), Lines(text)))


BROKEN = Checked("坏.txt", problem="文件是空的；请选择有内容的部门预算绩效文本。")


def test_sarif_names_rule_level_file_line_and_member() -> None:
    made = sarif([sample(), BROKEN], settings=DEFAULT, version="1.0")
    assert json.loads(json.dumps(made)) == made
    (run,) = made["runs"]
    known = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert known.keys() == {rule.code for rule in rules()}
    for rule in known.values():
        assert rule["shortDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
    assert len(run["results"]) == len(sample().findings)
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == (
            "%E6%9D%A5%E6%96%87/%E5%9B%BE%E4%B9%A6%E9%A6%86%201.txt"
        )
        assert location["logicalLocations"][0]["fullyQualifiedName"].startswith("/")
    lines = SAMPLE.read_text("utf-8").splitlines()
    told = {result["ruleId"]: result["locations"][0]["physicalLocation"].get("region") for result in run["results"]}
    # A finding in a text of several lines stands where the text begins.
    half_width = next(result for result in run["results"] if ";" in result["message"]["text"])
    assert lines[half_width["locations"][0]["physicalLocation"]["region"]["startLine"] - 1].startswith("绩效指：馆舍")
    assert "99042121H7KQ3O85" in lines[told["T001"]["startLine"] - 1]
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"] == BROKEN.problem
    assert run["invocations"][0]["executionSuccessful"] is False


def test_a_file_name_that_is_no_text_stands_in_every_output() -> None:
    """Linux has names of any bytes; one of them must not cost the report on a thousand others."""
    name = os.fsdecode(b"a:\xff \n.txt")
    odd = [replace(sample(), name=name), replace(BROKEN, name=name)]
    (run,) = sarif(odd, settings=DEFAULT, version="1.0")["runs"]
    orjson.dumps(run)
    (location,) = run["results"][0]["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "a%3A%FF%20%0A.txt"
    assert {orjson.loads(orjson.dumps(item.to_json()))["file"] for item in odd} == {"a:? \n.txt"}
    assert rows_of(worklist(odd, now=NOW))[1][1] == "a:? \n.txt"


def test_sarif_of_stored_texts_names_no_file_and_a_switched_off_rule_is_disabled() -> None:
    off = CheckSettings.model_validate({"rules": {"R004": {"disabled": "旧称"}, "A006": {"severity": "error"}}})
    made = sarif([sample()], settings=off, version="1.0", files=False)
    (run,) = made["runs"]
    assert all("physicalLocation" not in result["locations"][0] for result in run["results"])
    configured = {rule["id"]: rule["defaultConfiguration"] for rule in run["tool"]["driver"]["rules"]}
    assert configured["R004"] == {"level": "note", "enabled": False}
    assert configured["A006"] == {"level": "error", "enabled": True}


def test_fingerprints_are_those_of_the_place_and_not_of_the_line() -> None:
    text = SAMPLE.read_text("utf-8")
    moved = "\n\n\n" + text
    prints = [
        [
            result["partialFingerprints"]
            for result in sarif(
                [Checked("a.txt", "", shown(read(t).content, judged(t), Lines(t)))], settings=DEFAULT, version="1"
            )["runs"][0]["results"]
        ]
        for t in (text, moved)
    ]
    assert prints[0] == prints[1]


def rows_of(data: bytes) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python(skip_empty_area=False)


def test_the_workbook_has_a_row_for_each_finding_and_room_for_the_answer() -> None:
    one = sample()
    head, *rows = rows_of(worklist([one], now=NOW))
    assert head == ["序号", "项目", "位置", "问题", "依据", "级别", "答复"]
    assert len(rows) == len(one.findings)
    assert [row[0] for row in rows] == [str(number) for number in range(1, len(rows) + 1)]
    assert {row[5] for row in rows} == {"警告", "提示"}
    assert {row[6] for row in rows} == {""}
    assert rows[0][4].startswith(one.findings[0].finding.code)
    head, *rows = rows_of(worklist([one, BROKEN], now=NOW))
    assert head[1] == "文件"
    assert rows[-1][1:5] == ["坏.txt", "", "全文", BROKEN.problem]


def test_the_workbook_is_filtered_frozen_and_the_same_twice() -> None:
    data = worklist([sample()], now=NOW)
    assert data == worklist([sample()], now=NOW)
    sheet = zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml").decode()
    assert '<pane ySplit="1"' in sheet
    assert "<autoFilter ref=" in sheet
    assert rows_of(worklist([], now=NOW))[0][0] == "序号"


@pytest.mark.parametrize(
    "words", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "http://example.org/", "{=1}", "0012", "\x00\x0b"]
)
def test_no_cell_is_a_formula_a_link_or_a_number(words: str) -> None:
    broken = content(CLEAN_A, ("/projects/0/name", words), ("/projects/0/budget/fiscal", "1.00"))
    one = Checked(
        words, "", shown(broken, found(CLEAN_A, ("/projects/0/name", words), ("/projects/0/budget/fiscal", "1.00")))
    )
    archive = zipfile.ZipFile(io.BytesIO(worklist([one, one], now=NOW)))
    sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet
    assert "<v>" in sheet
    assert sheet.count('t="s"') == sheet.count("<v>")


def test_places_are_told_in_words() -> None:
    text = content(CLEAN_A)
    assert place_words(text, "") == "全文"
    assert place_words(text, "/projects/0/indicators/0/value") == "项目“读书会经费”的指标“读书会场次” 指标值"
    assert place_words(text, "/projects/0/code") == "项目“读书会经费” 项目编码"
    assert place_words(text, "/safeguards") == "工作保障措施"
    assert place_words(text, "/projects/1") == "项目“阅览室经费”"
    assert place_words(text, "/projects/9/code") == "/projects/9/code"


@settings(max_examples=150, deadline=None, database=None)
@given(
    place=st.one_of(st.text(max_size=20), st.sampled_from(["/projects/0/indicators/99/value", "/9", "/overall/items"]))
)
def test_any_place_has_words_and_a_line_or_none(place: str) -> None:
    text = content(CLEAN_A)
    assert isinstance(place_words(text, place), str)
    assert Lines("甲\n乙").line_of(text, place) is None


def test_a_line_is_the_one_of_the_project_that_is_meant() -> None:
    text = (SAMPLE.parent / "two-projects-2021.txt").read_text("utf-8")
    reading = read(text)
    lines = Lines(text)
    rows = text.splitlines()
    for number, project in enumerate(reading.content.projects):
        assert project.code in rows[(lines.line_of(reading.content, f"/projects/{number}/code") or 0) - 1]
        for at, indicator in enumerate(project.indicators):
            line = lines.line_of(reading.content, f"/projects/{number}/indicators/{at}/basis")
            # 计划标准 stands in both projects, and the line is the one of this project.
            assert line is not None
            assert line > (lines.line_of(reading.content, f"/projects/{number}/code") or 0)
            at_name = lines.line_of(reading.content, f"/projects/{number}/indicators/{at}/name")
            assert indicator.name in rows[(at_name or 0) - 1]


def test_every_rule_is_explained_with_two_different_examples() -> None:
    assert EXPLANATIONS.keys() == {rule.code for rule in rules()}
    for item in EXPLANATIONS.values():
        assert item.looks_for.endswith("。")
        assert item.wrong
        assert item.right
        assert item.wrong != item.right


def test_totals_count_files_and_severities() -> None:
    counted = totals([sample(), BROKEN])
    assert (counted["texts"], counted["unreadable"], counted["errors"]) == (2, 1, 0)
    assert counted["warnings"] + counted["hints"] == len(sample().findings)
    assert sample().passed
    assert not BROKEN.passed
    assert "problem" in BROKEN.to_json()
