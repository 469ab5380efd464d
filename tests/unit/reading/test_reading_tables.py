"""Rows, columns and projects: what text tables go through before they are imported."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from reading_look import Look

from documents.reading.lines import cleaned_lines
from documents.reading.tables import read_table
from models.findings import Severity


def _table(text: str) -> list[tuple[str, ...]]:
    return [row.cells for row in read_table(cleaned_lines(text)[0]).rows]


def test_stripped_trailing_tabs_are_filled_up(sample: str, look: Callable[..., Look]) -> None:
    read = look("\n".join(line.rstrip("\t") for line in sample.split("\n")))
    assert read.json == look(sample).json
    padded = read.one("I051")
    assert padded.place == "/projects/0"
    assert padded.repaired is None


def test_one_stripped_row_is_filled_up(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("就近借书。\t\t\t\t\t", "就近借书。"))
    assert read.json == look(sample).json
    assert "共 1 行" in read.one("I051").reason


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        ("按计划日期举办的活动", "按计划日期\n举办的活动", "/projects/0/indicators/4/description"),
        ("≥92 合格率 达到 92%", "≥92\n合格率\n达到 92%", "/projects/0/indicators/3/raw_value"),
        ("99042121H7KQ3O85 ZB0LM", "99042121H7KQ3O85\nZB0LM", "/projects/0/code"),
        ("更换新书3200册", "更换新书\n3200册", "/projects/0/indicators/2/raw_value"),
    ],
)
def test_cell_broken_over_lines_is_joined(
    sample: str, look: Callable[..., Look], before: str, after: str, place: str
) -> None:
    read, plain = look(sample.replace(before, after)), look(sample)
    assert read[place].replace(" ", "") == plain[place].replace(" ", "")
    assert read.json["projects"][0]["indicators"][3]["value"] == "92"
    joined = read.findings("I052")
    assert [item.place for item in joined] == [place]
    assert joined[0].raw.count("⏎") == after.count("\n")


def test_broken_rows_are_counted_in_tabs() -> None:
    assert _table("甲\t乙\t丙\n一\t二\n三\t四\n五\t六\t\n") == [
        ("甲", "乙", "丙"),
        ("一", "二三", "四"),
        ("五", "六", ""),
    ]


def test_repeated_header_row_and_title_are_left_out(sample: str, look: Callable[..., Look]) -> None:
    lines = sample.split("\n")
    header = next(line for line in lines if line.startswith("一级指标"))
    at = next(number for number, line in enumerate(lines) if line.startswith("效益指标"))
    again = [*lines[:at], "1.阅读推广经费绩效目标表（续）", header, *lines[at:]]
    read = look("\n".join(again))
    assert read.json == look(sample).json
    assert len(read.findings("I054")) == 2


def test_indicator_row_that_lost_its_tab_is_moved_back(sample: str, look: Callable[..., Look]) -> None:
    read = look(
        sample.replace("\t时效指标\t活动如期", "时效指标\t活动如期").replace(
            "90%\t馆年度工作安排\t\n\t成本", "90%\t馆年度工作安排\t\t\n\t成本"
        )
    )
    assert read.json == look(sample).json
    assert read.one("I053", "/projects/0/indicators/4/level2").repaired == "时效指标"


def test_row_cut_by_a_page_goes_on(sample: str, look: Callable[..., Look]) -> None:
    read = look(
        sample.replace("讲师按约到场并回答读者提问的情况\t", "讲师按约到场\t").replace(
            "\t时效指标", "\t\t\t并回答读者提问的情况\t\t\t\n\t时效指标"
        )
    )
    assert read.json == look(sample).json
    assert read.one("I058").place == "/projects/0/indicators/3/description"


def test_row_with_a_kind_alone_carries_it(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("效益指标\t经济效益指标\t节约", "效益指标\t\t\t\t\t\t\n\t经济效益指标\t节约"))
    assert read.json == look(sample).json
    assert read.one("I057").raw == "效益指标"


def test_new_first_level_clears_the_second(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("满意度指标\t服务对象满意度指标\t读者满意度", "满意度指标\t\t读者满意度"))
    assert read["/projects/0/indicators/8/level1"] == "满意度指标"
    assert read["/projects/0/indicators/8/level2"] is None


_WIDE = (
    "2021年部门预算绩效文本\n图书馆编制\n某县财政局审核\n1.新书经费绩效目标表\n612003 某县图书馆\n单位：元\n"
    "项目编码\t99042121H7KQ3A85ZB0LM\t\t项目名称\t新书经费\t\t\t\t\n"
    "{header}\n{row}\n"
)


def test_columns_are_known_by_their_labels(look: Callable[..., Look]) -> None:
    header = "二级指标\t一级指标\t指标名称\t权重（%）\t指标方向性\t计量单位\t符号\t指标值\t确定依据"
    row = "数量指标\t产出指标\t购书册数\t12.5\t正向指标\t册\t>=\t3,000\t历史标准"
    read = look(_WIDE.format(header=header, row=row))
    assert read["/projects/0/indicators"] == [
        {
            "id": "i1",
            "level1": "产出指标",
            "level2": "数量指标",
            "name": "购书册数",
            "weight": "12.50",
            "direction": "正向",
            "unit": "册",
            "sign": "≥",
            "value": "3000",
            "raw_value": "3,000",
            "basis": "历史标准",
        }
    ]
    place = "/projects/0/indicators/0"
    assert read.one("I093", f"{place}/direction").repaired == "正向"
    assert read.one("I085", f"{place}/sign").raw == ">="
    assert read.one("I081", f"{place}/value").raw == "3,000"


def test_column_without_a_member_goes_to_extra(look: Callable[..., Look]) -> None:
    header = "一级指标\t二级指标\t三级指标\t指标值\t数据来源\t备注\t\t\t"
    row = "产出指标\t数量指标\t购书册数\t≥3000册\t采购合同\t含儿童书\t第七格\t\t"
    read = look(_WIDE.format(header=header, row=row))
    assert read["/projects/0/indicators/0/extra"] == [
        {"label": "数据来源", "value": "采购合同"},
        {"label": "第7列", "value": "第七格"},
    ]
    assert read["/projects/0/indicators/0/remark"] == "含儿童书"
    assert [item.place for item in read.findings("I056")] == [
        "/projects/0/indicators",
        "/projects/0/indicators/0/extra/0/value",
        "/projects/0/indicators/0/extra/1/value",
    ]


def test_sign_weight_and_direction_that_say_nothing_are_kept_as_extra(look: Callable[..., Look]) -> None:
    header = "一级指标\t二级指标\t三级指标\t符号\t指标值\t权重\t指标方向\t\t"
    read = look(_WIDE.format(header=header, row="产出指标\t数量指标\t册数\t※\t300\t很多\t向上\t\t"))
    indicator = read["/projects/0/indicators/0"]
    assert "sign" not in indicator
    assert "weight" not in indicator
    assert {(item["label"], item["value"]) for item in indicator["extra"]} == {
        ("符号", "※"), ("权重", "很多"), ("指标方向", "向上"),
    }  # fmt: skip
    assert read.one("I094").severity is Severity.ERROR
    assert read.one("I085", "/projects/0/indicators/0/sign").repaired is None


def test_words_below_the_table_go_to_extra(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample + "\n填表人：张某\n以上数字经馆务会研究。\n")
    assert read["/projects/0/extra"] == [
        {"label": "填表人", "value": "张某"},
        {"label": "表中文字", "value": "以上数字经馆务会研究。"},
    ]
    assert [item.place for item in read.findings("I055")] == ["/projects/0/extra/0/value", "/projects/0/extra/1/value"]


def test_nothing_leaks_between_projects(two_projects: str, look: Callable[..., Look]) -> None:
    read = look(two_projects)
    first, second = read["/projects"]
    assert (first["code"], second["code"]) == ("99042121A2B4C6D8E9F1G", "99042121Z9Y7X5W3V1U2T")
    assert first["budget"] == {"total": "125000.00", "fiscal": "120000.00", "other": "5000.00"}
    assert second["budget"] == {"total": "48000.00", "fiscal": "40000.00", "other": "8000.00"}
    assert [len(item["indicators"]) for item in (first, second)] == [6, 6]
    assert [len(item["goals"]) for item in (first, second)] == [2, 1]
    assert [len(item["spending_plan"]) for item in (first, second)] == [3, 2]
    assert second["spending_plan"][1] == {"checkpoint": "11月底", "percent": "100.00"}
    assert [item["level1"] for item in second["indicators"]] == ["产出指标"] * 4 + ["效益指标", "满意度指标"]
    assert read["/sub_goals/0/projects"] == ["p1"]
    assert read["/sub_goals/1/projects"] == ["p2"]
    assert read["/department/unit_code"] == "613001"
    assert second["extra"] == [{"label": "单位", "value": "613002 澜石市青禾县非遗传习所"}]
    assert read.one("I064").place == "/projects/1/extra/0/value"


def test_each_project_alone_reads_as_it_does_beside_the_other(two_projects: str, look: Callable[..., Look]) -> None:
    both = look(two_projects)
    head, _, tables = two_projects.partition("1.送戏下乡经费绩效目标表\n\n613001")
    first, second = ("1.送戏下乡经费绩效目标表\n\n613001" + tables).split("2.非遗保护资金绩效目标表\n")
    only_first = look(head + first)["/projects/0"]
    only_second = look(head + "2.非遗保护资金绩效目标表\n" + second)["/projects/0"]
    assert only_first == both["/projects/0"]
    del both["/projects/1"]["extra"]
    assert only_second == {**both["/projects/1"], "id": "p1"}


def test_second_table_without_a_title_is_a_project_of_its_own(two_projects: str, look: Callable[..., Look]) -> None:
    read = look(two_projects.replace("2.非遗保护资金绩效目标表\n\n613002", "613002"))
    assert read.json == look(two_projects).json
    assert read.one("I021").raw == "2.非遗保护资金绩效目标表"


def test_project_name_comes_from_the_title_where_the_table_has_none(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("项目名称\t阅读推广经费", "\t"))
    assert read["/projects/0/name"] == "阅读推广经费"
    assert read.one("I059").repaired == "阅读推广经费"


def test_project_name_other_than_the_title_is_doubted(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("项目名称\t阅读推广经费", "项目名称\t阅读推广专项"))
    assert read["/projects/0/name"] == "阅读推广专项"
    assert read.one("I059").repaired is None


def test_code_in_two_cells_and_in_full_width(sample: str, look: Callable[..., Look]) -> None:
    split = look(sample.replace("99042121H7KQ3O85 ZB0LM\t", "99042121H7KQ3O85\tZB0LM"))
    assert split["/projects/0/code"] == "99042121H7KQ3O85ZB0LM"
    wide = look(sample.replace("99042121H7KQ3O85 ZB0LM", "９９042121H7KQ3O85ZB0LM"))
    assert wide["/projects/0/code"] == "99042121H7KQ3O85ZB0LM"
    assert wide.one("I061").raw.startswith("９９")
    short = look(sample.replace("99042121H7KQ3O85 ZB0LM", "99042121h7"))
    assert short["/projects/0/code"] == "99042121h7"
    assert short.one("I063").repaired is None


def test_percents_in_other_columns_are_paired_in_order(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("\t25.00%\t\t55.00%\t\t90.00%\t", "25.00%\t\t55.00%\t\t90.00%\t\t"))
    assert read.json == look(sample).json
    assert read.one("I071").place == "/projects/0/spending_plan"


def test_checkpoint_beside_its_percent(sample: str, look: Callable[..., Look]) -> None:
    old = "资金支出计划（%）\t3月底\t\t6月底\t\t10月底\t\n\t25.00%\t\t55.00%\t\t90.00%\t"
    read = look(sample.replace(old, "资金支出计划（%）\t3月底\t25%\t6月底\t55%\t10月底\t90%"))
    assert read.json == look(sample).json


def test_percent_that_cannot_be_read_is_an_error_and_stays_in_extra(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("55.00%", "55.555%"))
    assert [item["checkpoint"] for item in read["/projects/0/spending_plan"]] == ["3月底", "10月底"]
    assert read["/projects/0/extra"] == [{"label": "资金支出计划 6月底", "value": "55.555%"}]
    assert read.one("I072", "/projects/0/extra/0/value").severity is Severity.ERROR


def test_checkpoint_without_percent_stays_in_extra(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("\t\t90.00%\t", "\t\t\t"))
    assert len(read["/projects/0/spending_plan"]) == 2
    assert read["/projects/0/extra"] == [{"label": "资金支出计划", "value": "10月底"}]
    assert read.one("I071", "/projects/0/extra/0/value").raw == "10月底"


def test_goals_in_one_cell_are_told_apart(sample: str, look: Callable[..., Look]) -> None:
    old = "风气。\t\t\t\t\t\n\t2.把流动"
    read = look(sample.replace(old, "风气。2.把流动"))
    assert read.json == look(sample).json
    assert read.one("I074").place == "/projects/0/goals/1/text"


def test_goal_goes_on_in_the_next_row(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("把流动图书车开到集市和学校，", "把流动图书车开到集市\t\t\t\t\t\n\t和学校，"))
    assert read.json == look(sample).json
    assert read.one("I075").place == "/projects/0/goals/1/text"


def test_gap_in_the_goals_is_doubted(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("\t2.把流动", "\t4.把流动"))
    assert [item.repaired for item in read.findings("I074")] == [None, None]
    assert len(read["/projects/0/goals"]) == 3


def test_purpose_that_lost_its_tab_comes_back(sample: str, look: Callable[..., Look]) -> None:
    read = look(
        sample.replace("\t用于全年阅读活动", "用于全年阅读活动").replace(
            "等活动。\t\t\t\t\t\n", "等活动。\t\t\t\t\t\t\n"
        )
    )
    assert read.json == look(sample).json
    assert read.one("I053", "/projects/0/purpose").confidence == 0.9


def test_purpose_in_two_rows_is_one_text(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("支出，重点办好", "支出，\t\t\t\t\t\n\t重点办好"))
    assert read.json == look(sample).json
    assert read.one("I052").place == "/projects/0/purpose"


def test_broken_cell_in_a_table_without_trailing_tabs(sample: str, look: Callable[..., Look]) -> None:
    """Such a table has no common width: its indicators are counted by their header."""
    bare = "\n".join(line.rstrip("\t") for line in sample.split("\n"))
    read = look(bare.replace("按计划日期举办", "按计划日期\n举办"))
    assert read.json == look(sample).json
    assert read.one("I052").place == "/projects/0/indicators/4/description"


def test_number_and_words_of_a_broken_cell_stay_apart(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("≥92 合格率 达到 92%", "≥92\n合格率\n 达到 92%"))
    assert read["/projects/0/indicators/3/raw_value"] == "≥92 合格率达到 92%"
    assert read["/projects/0/indicators/3/value"] == "92"


def test_signatures_beside_each_other_below_the_table_are_no_indicator(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample + "\n填表人：张某\t\t审核人：李某\t\t\t\t")
    assert len(read["/projects/0/indicators"]) == 9
    assert read["/projects/0/extra"] == [{"label": "填表人", "value": "张某"}, {"label": "审核人", "value": "李某"}]


def test_shortened_title_on_the_next_page_does_not_begin_a_project(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("\n效益指标\t", "\n推广经费绩效目标表（续）\n效益指标\t"))
    assert read.json == look(sample).json
    assert read.one("I054").raw == "推广经费绩效目标表（续）"
