from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rendering_stages import opinions, project, text

from documents.rendering import Opinion
from documents.rendering.reviews import review_forms
from documents.rendering.tables import details, goal_lines, indicator_rows, plan_lines, totals
from models.content import Checkpoint, Goal, Indicator, from_json

LEVELS = st.lists(
    st.tuples(st.sampled_from(["产出指标", "效益指标", ""]), st.sampled_from(["数量指标", "质量指标", ""]))
)


@given(LEVELS)
def test_merged_levels_cover_every_row_once(levels):
    rows = indicator_rows([Indicator(id=f"i{n}", level1=a, level2=b) for n, (a, b) in enumerate(levels)])
    assert len(rows) == len(levels)
    assert sum(row.level1_rows for row in rows) == len(rows)
    assert sum(row.level2_rows for row in rows) == len(rows)
    # A second level never reaches beyond its first level.
    ends1 = set(accumulate(row.level1_rows for row in rows if row.level1_rows))
    ends2 = set(accumulate(row.level2_rows for row in rows if row.level2_rows))
    assert ends1 <= ends2


def test_equal_second_levels_under_different_first_levels_are_not_merged():
    rows = indicator_rows([Indicator(id="i1", level1="甲", level2="丙"), Indicator(id="i2", level1="乙", level2="丙")])
    assert [(row.level1_rows, row.level2_rows) for row in rows] == [(1, 1), (1, 1)]


@pytest.mark.parametrize(("points", "sizes"), [(0, [1]), (1, [1]), (3, [3]), (4, [2, 2]), (5, [3, 2]), (7, [3, 2, 2])])
def test_every_line_of_the_plan_fills_the_table(points, sizes):
    lines = plan_lines([Checkpoint(checkpoint=f"{n}月底", percent=n) for n in range(1, points + 1)])
    assert [len(line) for line in lines] == sizes
    assert all(sum(cell.columns for cell in line) == 6 for line in lines)


def test_goals_keep_the_number_that_the_author_gave():
    goals = [Goal(id="t1", text="1.已有编号"), Goal(id="t2", text="没有编号"), Goal(id="t3", text="", period="中期")]
    assert goal_lines(goals) == ("1.已有编号", "2.没有编号", "3.（中期目标）—")
    assert goal_lines(()) == ("—",)


def test_members_of_other_forms_are_not_dropped():
    members = {
        "category": "特定目标",
        "phone": "0319-0000000",
        "schedule": [{"content": "启动", "start": "2021-01", "end": "2021-03"}],
        "extra": [{"label": "备注", "value": "无"}],
    }
    content = from_json({"fiscal_year": 2021, "projects": [project(**members)]})
    assert details(content.projects[0]) == (
        ("项目类别", "特定目标"),
        ("联系电话", "0319-0000000"),
        ("实施进度", "2021-01 至 2021-03：启动"),
        ("备注", "无"),
    )


def test_totals_count_a_project_without_money_and_add_nothing():
    content = from_json({"fiscal_year": 2021, "projects": [project(1), {"id": "p2"}]})
    sums = totals(content.projects)
    assert (sums.projects, sums.without_money, str(sums.total)) == (2, 1, "53001.00")


def test_opinions_stand_in_the_form_of_their_subject_and_criterion():
    content = text(2)
    overall, first, second = review_forms(content, opinions(content))
    assert [opinion.rule for opinion in overall.completeness] == ["C005"]
    assert len(overall.others) == 1
    assert [opinion.rule for opinion in first.feasibility + first.appropriateness] == ["F002", "A003"]
    assert not any((second.completeness, second.relevance, second.appropriateness, second.feasibility, second.others))


def test_an_opinion_about_a_project_that_is_gone_is_not_lost():
    lost = Opinion("/projects/p9/code", "项目编码", "", "必改", "编码不符。", rule="T001")
    assert review_forms(text(), (lost,))[0].completeness == (lost,)
