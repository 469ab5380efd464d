import pytest
from rendering_stages import text

from documents.rendering import place_title
from models.content import from_json
from models.errors import InvalidInput


@pytest.mark.parametrize(
    ("place", "title"),
    [
        ("", "全文"),
        ("/fiscal_year", "财政年度"),
        ("/department/unit_code", "部门 单位编码"),
        ("/projects/0/indicators/3/value", "项目“科普经费” 绩效指标“科普活动效果” 指标值"),
        ("/projects/p1/indicators/i4/value", "项目“科普经费” 绩效指标“科普活动效果” 指标值"),
        ("/projects/0/indicators/3/name", "项目“科普经费” 绩效指标“科普活动效果” 三级指标"),
        ("/projects/0/code", "项目“科普经费” 项目编码"),
        ("/projects/0/budget/total", "项目“科普经费” 预算规模 预算数"),
        ("/projects/0/spending_plan/1/percent", "项目“科普经费” 资金支出计划“6月底” 累计支出比例"),
        ("/projects/0/goals/0/text", "项目“科普经费” 第1项绩效目标 内容"),
        ("/overall/items/o2", "部门整体 总体绩效目标“重点工作之2”"),
        ("/sub_goals/g2/indicator", "分项绩效目标“政务管理” 绩效指标"),
        ("/safeguards/0/text", "工作保障措施“保障措施之1” 内容"),
        ("/projects", "项目"),
    ],
)
def test_a_place_reads_as_a_person_would_say_it(place, title):
    assert place_title(text(), place) == title


@pytest.mark.parametrize(
    ("place", "title"),
    [
        ("/projects/7/name", "第8项项目 项目名称"),
        ("/projects/p9/name", "项目（p9） 项目名称"),
        ("/projects/0/indicators/-", "项目“科普经费” 绩效指标（-）"),
        ("/nowhere/0", "nowhere 0"),
    ],
)
def test_a_place_that_is_gone_is_still_named(place, title):
    assert place_title(text(), place) == title


def test_an_empty_list_still_counts_its_places():
    assert place_title(from_json({"fiscal_year": 2021}), "/projects/0/name") == "第1项项目 项目名称"


def test_a_place_that_is_no_pointer_is_refused():
    with pytest.raises(InvalidInput, match="应以 / 开头"):
        place_title(text(), "projects")
