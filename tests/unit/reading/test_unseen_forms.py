"""Forms that were labelled before the program had read them (docs/layouts.md tells the first figure), and what was mended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.fidelity import judged
from documents.reading import Reading, read_text
from documents.reading.forms.spread import name_and_value, spread
from documents.reading.lines import cleaned_lines
from models.content import to_json
from models.errors import InvalidInput

FOLDER = Path(__file__).parents[2] / "data" / "unseen"
# What is still missed of each form, by the number of fields; nothing is wrong or invented. A count is only ever lowered.
MISSED = {"flood": 2, "harbour": 1, "lanes": 0, "meals": 1, "stage": 2}


def form(name: str) -> tuple[Reading, dict[str, Any]]:
    expected = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return read_text((FOLDER / f"{name}.txt").read_bytes()), expected


def test_every_labelled_form_is_read() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == MISSED.keys()


@pytest.mark.parametrize("name", MISSED)
def test_nothing_is_wrong_or_invented_and_what_is_missed_is_kept(name: str) -> None:
    reading, expected = form(name)
    found = judged(to_json(reading.content), expected)
    assert (found.wrong, found.invented) == ((), ())
    assert len(found.missed) <= MISSED[name]
    assert reading.coverage.left == 0
    assert reading.form == expected["kind"]


def test_a_column_of_row_numbers_shifts_nothing() -> None:
    text = (FOLDER / "lanes.txt").read_text(encoding="utf-8").replace("成本指标\t经济成本指标", "产出指标\t成本指标")
    reading = read_text(text.encode())
    assert not [item for item in reading.findings if item.code == "I053"]
    piped = "\n".join("| " + line.replace("\t", " | ") + " |" if "\t" in line else line for line in text.splitlines())
    names = [item.name for item in read_text(piped.encode()).content.projects[0].indicators]
    assert names == [item.name for item in reading.content.projects[0].indicators]


@pytest.mark.parametrize("name", ["flood", "stage"])
def test_names_and_values_that_were_parted_are_asked_about(name: str) -> None:
    reading, _ = form(name)
    assert [item.severity for item in reading.findings if item.code == "I102"] == ["warning"]


def test_goals_that_one_cell_numbers_are_parted_and_said() -> None:
    reading, _ = form("meals")
    assert len(reading.content.projects[0].goals) == 2
    assert [item.raw[:4] for item in reading.findings if "已按编号分开" in item.reason] == ["目标1："]


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("采购编织袋≥20000条", ("采购编织袋", "≥20000条")),
        ("物资到库时间4月30日前", ("物资到库时间", "4月30日前")),
        ("受理时限不超过3天", ("受理时限", "不超过3天")),
        ("队伍保持稳定", ("队伍保持稳定", "")),
        ("12345热线办结率≥98%", ("12345热线办结率", "≥98%")),
    ],
)
def test_name_and_value_part_at_the_sign_or_the_first_figure(words: str, parts: tuple[str, str]) -> None:
    assert name_and_value(words) == parts


def test_a_list_too_long_to_be_one_is_left_as_it_is() -> None:
    header = "项目名称\t预算数\t" + "\t".join(["数量指标"] * 150)
    row = "甲\t1\t" + "\t".join(["办件≥1件"] * 150)
    lines = "\n".join(["某县项目绩效目标汇总表", "（2025年）", header, *[row] * 300])
    cleaned, _ = cleaned_lines(lines)
    assert spread(cleaned) == (cleaned, ())
    assert spread(cleaned[:5])[0] != cleaned[:5]
    with pytest.raises(InvalidInput, match="没有项目绩效目标表"):
        read_text(lines.encode())
