"""Labels that a page end has cut: joined by their words, and nothing else is."""

from __future__ import annotations

import pytest

from documents.reading.cut_labels import whole_labels
from documents.reading.sources.form import Cell, Grid, SourceForm
from documents.reading.transcript import transcript_of


def grid(*rows: tuple[str, ...], pages: tuple[int, ...], spans: dict[str, int] | None = None) -> Grid:
    """A grid of rows of cells; ``spans`` gives the rows that a cell reaches over."""
    cells = [
        Cell(at, column, words, (spans or {}).get(words, 1))
        for at, row in enumerate(rows)
        for column, words in enumerate(row)
        if words
    ]
    return Grid(len(rows), max(map(len, rows)), tuple(cells), pages)


def rows_of(found: Grid) -> list[list[str]]:
    """The words of each row that has any."""
    rows: dict[int, dict[int, str]] = {}
    for cell in found.cells:
        if cell.text:
            rows.setdefault(cell.row, {})[cell.column] = cell.text
    return [[words for _, words in sorted(row.items())] for _, row in sorted(rows.items())]


def test_a_label_that_spans_two_rows_is_joined_and_the_rows_stay_two() -> None:
    found, cut = whole_labels(
        grid(("预算规模及资金用", "预算数", "9.6"), ("途", "用于场地", ""), ("绩效目标", "1.甲。", ""), pages=(1, 2, 2))
    )
    assert cut == ("预算规模及资金用⏎途",)
    assert rows_of(found) == [["预算规模及资金用途", "预算数", "9.6"], ["用于场地"], ["绩效目标", "1.甲。"]]


def test_both_rows_of_a_plan_keep_their_cells() -> None:
    found, cut = whole_labels(grid(("资金支出", "5月底", "11月底"), ("计划（%）", "40%", "100%"), pages=(3, 4)))
    assert cut == ("资金支出⏎计划（%）",)
    assert rows_of(found) == [["资金支出计划（%）", "5月底", "11月底"], ["40%", "100%"]]


def test_a_row_whose_value_stands_on_the_second_page_becomes_one() -> None:
    found, _ = whole_labels(grid(("项目名", ""), ("称", "阅读推广"), pages=(1, 2)))
    assert rows_of(found) == [["项目名称", "阅读推广"]]


def test_a_value_that_was_cut_with_its_label_is_joined_too() -> None:
    found, _ = whole_labels(grid(("项目名", "城乡阅读推"), ("称", "广经费"), pages=(1, 2)))
    assert rows_of(found) == [["项目名称", "城乡阅读推\n广经费"]]


def test_a_kind_of_indicator_is_joined_and_its_indicators_are_not() -> None:
    found, cut = whole_labels(
        grid(("社会效益", "阅读风气", "≥90"), ("指标", "到馆人次", "≥800"), ("", "外借册数", "≥60"), pages=(1, 2, 2))
    )
    assert cut == ("社会效益⏎指标",)
    assert rows_of(found)[0][0] == "社会效益指标"
    assert [row[-2:] for row in rows_of(found)] == [["阅读风气", "≥90"], ["到馆人次", "≥800"], ["外借册数", "≥60"]]


@pytest.mark.parametrize(
    ("rows", "pages"),
    [
        ((("预算规模及资金用", "预算数"), ("途", "用于场地")), (1, 1)),
        ((("预算规模及资金用", "预算数"), ("途", "用于场地")), ()),
        ((("绩效目标", "1.甲。"), ("项目名称", "乙")), (1, 2)),
        ((("数量指标", "甲"), ("质量指标", "乙")), (1, 2)),
        ((("某种标签的前", "甲"), ("一半", "乙")), (1, 2)),
    ],
    ids=["one page", "no pages", "two labels", "two kinds", "no known label"],
)
def test_nothing_else_is_joined(rows: tuple[tuple[str, ...], ...], pages: tuple[int, ...]) -> None:
    before = grid(*rows, pages=pages)
    assert whole_labels(before) == (before, ())


def test_a_joined_label_is_a_doubt_in_the_transcript() -> None:
    form = SourceForm((grid(("资金支出", "5月底"), ("计划（%）", "40%"), pages=(1, 2)),), pages=2)
    made = transcript_of(form, sheets=False)
    assert made.text.split("\n") == ["资金支出计划（%）\t5月底", "\t40%"]
    assert [(item.code, item.raw) for item in made.findings] == [("I008", "资金支出⏎计划（%）")]
