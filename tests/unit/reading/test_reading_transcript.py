"""The neutral form written out as lines and TAB rows, and the count of what found its place."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from documents.reading import read_text
from documents.reading.coverage import Coverage, Placing, measured
from documents.reading.lines import cleaned_lines
from documents.reading.sources.form import Aside, AsideKind, Cell, Grid, Paragraph, SourceForm
from documents.reading.transcript import transcript_of


def _lines(*blocks: Paragraph | Grid, sheets: bool = False) -> list[str]:
    return transcript_of(SourceForm(blocks), sheets=sheets).text.split("\n")


def _grid(*rows: Sequence[str], spans: dict[tuple[int, int], tuple[int, int]] | None = None) -> Grid:
    cells = [
        Cell(down, across, text, *(spans or {}).get((down, across), (1, 1)))
        for down, row in enumerate(rows)
        for across, text in enumerate(row)
        if text
    ]
    return Grid(len(rows), max(map(len, rows)), tuple(cells))


def test_rows_of_all_tables_have_as_many_tabs() -> None:
    assert _lines(_grid(["甲", "乙", "丙"]), Paragraph("文"), _grid(["丁", "戊"])) == ["甲\t乙\t丙", "文", "丁\t戊\t"]


def test_columns_in_which_nothing_begins_are_dropped() -> None:
    assert _lines(_grid(["甲", "", "", "乙"], ["丙", "", "", ""])) == ["甲\t乙", "丙\t"]


def test_indents_go_and_lines_of_a_paragraph_are_lines() -> None:
    assert _lines(Paragraph("\t　单位：元\n 第二行\t3\n\n")) == ["单位：元", "第二行\t3"]


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("≥95\n完成率\n达到 95%", "≥95 完成率 达到 95%"),
        ("第一句。\n第二句。", "第一句。第二句。"),
        ("长" * 21 + "\n断开的", "长" * 21 + "断开的"),
        ("A\tB\u2028C", "A B C"),
        ("\n 独行 \n", "独行"),
    ],
)
def test_lines_of_a_cell_become_one(cell: str, written: str) -> None:
    assert _lines(_grid([cell, "x"])) == [f"{written}\tx"]


def test_joined_cells_are_said_once() -> None:
    transcript = transcript_of(SourceForm((_grid(["甲\n乙", "丙\n丁"]),)), sheets=False)
    (said,) = transcript.findings
    assert (said.code, said.raw) == ("I007", "甲⏎乙 / 丙⏎丁")
    assert "2 个单元格" in said.reason


def test_a_heading_across_a_table_is_a_paragraph_and_a_goal_is_not() -> None:
    grid = _grid(["1.某项目绩效目标表", ""], ["1.办好讲座。", ""], ["甲", "乙"], spans={(0, 0): (1, 2), (1, 0): (1, 2)})
    assert _lines(grid) == ["1.某项目绩效目标表", "1.办好讲座。\t", "甲\t乙"]


def test_a_cell_alone_in_a_sheet_is_a_paragraph_outside_of_tables() -> None:
    grid = _grid(["", "标题"], ["甲", "乙"], ["", "缩进的行"], ["单位：元", ""], ["丙", "丁"], ["尾", ""])
    assert _lines(grid, sheets=True) == ["标题", "甲\t乙", "\t缩进的行", "单位：元", "丙\t丁", "尾"]


def test_two_cells_under_one_header_stay_where_they_are() -> None:
    grid = Grid(
        2,
        6,
        (
            Cell(0, 0, "一级指标", 1, 2), Cell(0, 2, "二级指标", 1, 2), Cell(0, 4, "指标值", 1, 2),
            Cell(1, 0, "产出指标"), Cell(1, 1, "数量"), Cell(1, 4, "5"),
        ),
    )  # fmt: skip
    assert _lines(grid)[1] == "产出指标\t数量\t\t5"


def test_radicals_and_compatibility_characters_are_replaced_and_said_once() -> None:
    transcript = transcript_of(SourceForm((Paragraph("⽬标\uf9e9"), _grid(["⼀级指标", "x"]))), sheets=False)
    assert transcript.text == "目标里\n一级指标\tx"
    assert [item.raw for item in transcript.findings] == ["⽬标\uf9e9 / ⼀级指标"]


def test_asides_are_findings_of_their_kind() -> None:
    asides = tuple(Aside(kind, "说明。", "原文") for kind in AsideKind)
    transcript = transcript_of(SourceForm((), asides), sheets=False)
    assert [(item.code, item.severity.value, item.raw) for item in transcript.findings] == [
        ("I006", "warning", "原文"), ("I007", "hint", "原文"), ("I008", "warning", "原文"),
    ]  # fmt: skip
    assert transcript.left == ("原文",)


def _measured(text: str, value: object, where: dict[int, list[str]]) -> tuple[Coverage, list[str]]:
    lines, _ = cleaned_lines(text)
    coverage, findings = measured(lines, Placing(where, frozenset()), value, ())
    return coverage, [item.raw for item in findings]


def test_a_line_that_went_nowhere_is_left_over_with_its_row() -> None:
    value = {"projects": [{"purpose": "买书"}]}
    coverage, left = _measured("资金用途\t买书\n丢了的\t一行\n又一行\n", value, {1: ["/projects/0/purpose"]})
    assert (coverage.characters, coverage.placed, coverage.left) == (14, 6, 8)
    assert left == ["丢了的\t一行⏎又一行"]
    assert coverage.to_json()["percent"] == "42.85"


def test_a_cell_that_its_member_does_not_hold_is_left_over() -> None:
    """The line is said to be placed, but one of its cells is not where it should be."""
    value = {"projects": [{"indicators": [{"name": "讲座", "raw_value": "≥5场"}]}]}
    place = {1: ["/projects/0/indicators/0"]}
    assert _measured("数量指标\t讲座\t≥5场\n", value, place) == (Coverage(9, 9, 0, 0), [])
    assert _measured("数量指标\t讲座\t≥6场\n", value, place)[0].left > 0


def test_figures_are_compared_as_numbers() -> None:
    value = {"budget": {"total": "86400.00"}}
    assert _measured("预算数\t86,400\n", value, {1: ["/budget"]})[0].left == 0
    assert _measured("预算数\t86,401\n", value, {1: ["/budget"]})[0].left == 5


def test_everything_of_a_whole_text_is_placed(sample: str, two_projects: str) -> None:
    for text in (sample, two_projects):
        coverage = read_text(text.encode()).coverage
        assert (coverage.placed, coverage.kept, coverage.left) == (coverage.characters, 0, 0)


def test_what_a_reader_left_out_counts() -> None:
    lines, _ = cleaned_lines("买书")
    coverage, _ = measured(lines, Placing({1: ["/purpose"]}, frozenset()), {"purpose": "买书"}, (), ["水 印"])
    assert coverage == Coverage(4, 2, 0, 2)
