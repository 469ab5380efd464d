"""Variants of our own forms: what an office program, a page or a scanner does to a form changes no value silently."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import form_texts
import pytest
from form_texts import IN_COLUMNS, LISTED, SELF_EVALUATION, P
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.fidelity import judged
from documents.reading import FormKind, Reading, read_text
from models.content import to_json
from models.errors import InvalidInput
from models.places import get

HEADER = IN_COLUMNS.rows.index(form_texts.COLUMNS)
FULL = str.maketrans("0123456789.,%", "０１２３４５６７８９．，％")


def reading_of(text: str, **arguments: Any) -> Reading:
    return read_text(text.encode(), **arguments)


def wrong_of(reading: Reading, form: form_texts.Form = IN_COLUMNS) -> tuple[Any, ...]:
    fidelity = judged(to_json(reading.content), form.expected)
    return fidelity.wrong, fidelity.missed, fidelity.invented


def silently_different(reading: Reading, form: form_texts.Form = IN_COLUMNS) -> list[tuple[str, Any, Any]]:
    """Fields that differ from what the form says though no finding speaks of them or of their indicator."""
    told = [item.place for item in reading.findings if item.place.startswith("/projects/")]
    wrong, _, _ = wrong_of(reading, form)
    return [item for item in wrong if not any(item[0].startswith(place) for place in told)]


def with_rows(change: Any) -> form_texts.Form:
    """The form with its indicator rows (and header) changed."""
    rows = [*IN_COLUMNS.rows[:HEADER], *change(list(IN_COLUMNS.rows[HEADER:]))]
    return dataclasses.replace(IN_COLUMNS, rows=tuple(rows))


@given(st.permutations(range(2, 8)))
@settings(max_examples=25, deadline=None)
def test_columns_in_another_order_give_the_same_content(order: list[int]) -> None:
    columns = [0, 1, *order]
    form = with_rows(lambda rows: [tuple(row[at] for at in columns) for row in rows])
    assert wrong_of(reading_of(form_texts.as_tabs(form))) == ((), (), ())


@given(st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_lost_merged_cells_give_the_same_content_or_a_finding(chance: random.Random) -> None:
    def change(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
        return [tuple(cell for cell in row if cell or chance.random() < 0.5) for row in rows]

    reading = reading_of(form_texts.as_tabs(with_rows(change)))
    assert silently_different(reading) == []


def test_rows_that_lost_all_merged_cells_are_laid_by_their_words_and_asked_about() -> None:
    form = with_rows(lambda rows: [tuple(cell for cell in row if cell) for row in rows])
    reading = reading_of(form_texts.as_tabs(form))
    assert wrong_of(reading) == ((), (), ())
    moved = {item.place for item in reading.findings if item.code == "I053" and item.repaired}
    assert moved == {f"{P}/indicators/{at}/name" for at in (1, 2, 3)}


@given(st.integers(HEADER + 2, len(IN_COLUMNS.rows) - 1))
@settings(max_examples=10, deadline=None)
def test_a_header_repeated_on_a_new_page_is_no_indicator(at: int) -> None:
    rows = [*IN_COLUMNS.rows[:at], form_texts.COLUMNS, *IN_COLUMNS.rows[at:]]
    form = dataclasses.replace(IN_COLUMNS, rows=tuple(rows))
    assert wrong_of(reading_of(form_texts.as_tabs(form))) == ((), (), ())


def test_full_width_digits_give_the_same_numbers_and_findings() -> None:
    text = form_texts.as_tabs(IN_COLUMNS)
    reading = reading_of(text.translate(FULL).replace("２０２４", "2024"))
    wrong, missed, invented = wrong_of(reading)
    assert {place.rsplit("/", 1)[1] for place, _, _ in wrong} <= {"raw_value"}
    assert (missed, invented) == ((), ())
    assert {"I067", "I081"} <= {item.code for item in reading.findings}


def test_a_row_cut_by_a_page_goes_on_in_the_row_above() -> None:
    rows = list(IN_COLUMNS.rows)
    first = rows[HEADER + 1]
    assert first[2] == "修缮渠道长度"
    rows[HEADER + 1 : HEADER + 2] = [(*first[:4], "", *first[5:]), ("", "", "", "", first[4], "", "", "")]
    form = dataclasses.replace(IN_COLUMNS, rows=tuple(rows))
    reading = reading_of(form_texts.as_tabs(form))
    assert wrong_of(reading) == ((), (), ())
    assert "I058" in {item.code for item in reading.findings}


def test_labels_first_and_values_behind_are_paired_and_asked_about() -> None:
    text = (
        "渠道修缮项目绩效目标申报表\n（2024年度）\n项目名称\n主管部门\n实施单位\n渠道修缮\n青禾县水利局\n青禾县水利站\n"
    )
    content = to_json(reading_of(text).content)
    assert content["projects"][0]["implementing_unit"] == "青禾县水利站"
    asked = {item.place for item in reading_of(text).findings if item.code == "I103" and item.repaired}
    assert asked == {f"{P}/name", f"{P}/supervising_department", f"{P}/implementing_unit"}


def test_one_label_too_many_is_no_reason_to_pair_by_order() -> None:
    text = "渠道修缮项目绩效目标申报表\n（2024年度）\n项目名称\n渠道修缮\n主管部门\n实施单位\n联系电话\n青禾县水利局\n"
    content = to_json(reading_of(text).content)
    assert "supervising_department" not in content["projects"][0]


@pytest.mark.parametrize(
    ("written", "sign", "value", "doubt"),
    [
        ("292%", None, "292", True),
        ("2100%", None, "2100", True),
        ("29%", None, "29", False),
        ("392%", None, "392", False),
    ],
)
def test_a_percent_that_may_be_a_lost_sign_is_shown_and_not_decided(
    written: str, sign: str | None, value: str, doubt: bool
) -> None:
    header = ("一级指标", "二级指标", "三级指标", "指标值")
    rows = "\t".join(header) + f"\n产出指标\t质量指标\t合格率\t{written}\n"
    reading = reading_of(f"某项目绩效目标表（2024年度）\n项目名称\t甲\t实施单位\t乙\n{rows}")
    indicator = reading.content.projects[0].indicators[0]
    assert (indicator.sign, indicator.value) == (sign, value)
    found = [item for item in reading.findings if item.code == "I095"]
    assert bool(found) is doubt
    if found:
        assert written[1:] in found[0].reason
        assert found[0].repaired == value


@pytest.mark.parametrize(
    ("written", "chosen"),
    [
        ("新增项目□延续项目☑", "延续项目"),
        ("□新增项目 ☑延续项目", "延续项目"),
        ("新增项目√延续项目□", "新增项目"),
        ("新增项目□延续项目□", None),
        ("常年项目", "常年项目"),
    ],
)
def test_boxes_are_read_by_what_is_ticked(written: str, chosen: str | None) -> None:
    text = form_texts.as_tabs(IN_COLUMNS).replace("新增项目□延续项目☑", written)
    reading = reading_of(text)
    assert reading.content.projects[0].nature == chosen
    if chosen is None:
        assert any(item.raw == written and item.code == "I055" for item in reading.findings)


def test_four_decimals_in_ten_thousands_are_exact_and_five_are_refused() -> None:
    text = form_texts.as_tabs(IN_COLUMNS)
    assert str(reading_of(text).content.projects[0].budget.total) == "10625000.00"
    reading = reading_of(text.replace("1,062.5000", "1,062.50001"))
    assert str(reading.content.projects[0].budget.total) == "10625000.10"
    reading = reading_of(text.replace("1,062.5000", "1,062.5000001"))
    assert reading.content.projects[0].budget.total is None
    assert any(item.code == "I069" for item in reading.findings)


OTHER = ("816001-青禾县林业局本级", "林地巡护", "9,000.00", "按月巡山", *form_texts.LISTED.rows[2][4:])


def several() -> str:
    return form_texts.as_tabs(dataclasses.replace(LISTED, rows=(*LISTED.rows, OTHER)))


def test_a_file_with_several_departments_asks_which() -> None:
    with pytest.raises(InvalidInput) as refused:
        reading_of(several())
    assert refused.value.facts["departments"] == ["815001-青禾县水利局本级", "816001-青禾县林业局本级"]
    assert "--department" in str(refused.value)


@pytest.mark.parametrize("chosen", ["青禾县林业局", "816"])
def test_the_chosen_department_is_read_alone_and_the_others_are_named(chosen: str) -> None:
    reading = reading_of(several(), department=chosen)
    assert [project.name for project in reading.content.projects] == ["林地巡护"]
    assert reading.content.department.unit_code == "816001"
    assert any(item.code == "I115" and "815001" in item.raw for item in reading.findings)


@pytest.mark.parametrize("chosen", ["财政局", "青禾县"])
def test_a_department_that_is_none_or_more_than_one_is_refused(chosen: str) -> None:
    with pytest.raises(InvalidInput, match="没有" if chosen == "财政局" else "不止一个"):
        reading_of(several(), department=chosen)


def test_a_self_evaluation_is_of_its_own_kind() -> None:
    reading = reading_of(form_texts.as_tabs(SELF_EVALUATION))
    assert reading.form is FormKind.SELF_EVALUATION
    assert reading.content.kind == "self_evaluation"
    assert get(to_json(reading.content), f"{P}/indicators/1/part_of") == "i1"


@pytest.mark.parametrize("mark", ["-", "—", "……", ""])
def test_marks_for_nothing_are_no_values(mark: str) -> None:
    text = form_texts.as_tabs(IN_COLUMNS).replace("62.5000\n", f"{mark}\n", 1)
    reading = reading_of(text)
    assert reading.content.projects[0].budget.other is None
    assert not any(mark and item.repaired == mark for item in reading.findings)


def test_personal_data_is_never_kept_among_the_extra_members() -> None:
    content = to_json(reading_of(form_texts.as_tabs(SELF_EVALUATION)).content)
    assert not any("0599" in item["value"] for item in content["projects"][0].get("extra", []))


@given(
    st.text(
        alphabet=st.sampled_from("项目名称绩效目标表指标值一二三级产出数量|\t\n 0123456789.%≥□√：（）元万年度2024单位"),
        max_size=300,
    )
)
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        reading = reading_of("项目绩效目标表\n项目名称：甲\n主管部门：乙\n实施单位：丙\n" + text, fiscal_year=2024)
    except InvalidInput:
        return
    value = to_json(reading.content)
    for item in reading.findings:
        assert item.place == "" or item.place.startswith("/")
    assert value["fiscal_year"] == 2024
    assert reading.coverage.placed + reading.coverage.kept + reading.coverage.left == reading.coverage.characters


CODED = """项目支出绩效目标申报表
（2025年度）
单位：万元
项目编码\t99042125H7KQ3X85ZB7LM\t项目名称\t护路\t\t
项目资金\t年度资金总额\t12.5\t其中：财政拨款\t12.5\t
一级指标\t二级指标\t三级指标\t指标值\t权重\t备注
产出指标\t数量指标\t养护里程\t≥20公里\t30\t
"""


def test_a_form_with_a_project_code_is_no_budget_text_without_its_cover() -> None:
    reading = reading_of(CODED)
    project = reading.content.projects[0]
    assert (reading.form, reading.content.fiscal_year) == (FormKind.PROJECT_FORM, 2025)
    assert (project.code, str(project.budget.fiscal)) == ("99042125H7KQ3X85ZB7LM", "125000.00")
    assert reading_of("2021年部门预算绩效文本\n" + CODED).form is FormKind.BUDGET_TEXT


@pytest.mark.parametrize("written", ["（2025年度）", "2025年", "预算年度：2025", "年度：2025年"])
def test_the_year_is_found_however_a_form_writes_it(written: str) -> None:
    assert reading_of(CODED.replace("（2025年度）", written)).content.fiscal_year == 2025


def test_a_form_without_a_year_asks_for_it() -> None:
    with pytest.raises(InvalidInput, match="--year"):
        reading_of(CODED.replace("（2025年度）", "（年度）"))
    assert reading_of(CODED.replace("（2025年度）", "（年度）"), fiscal_year=2026).content.fiscal_year == 2026
