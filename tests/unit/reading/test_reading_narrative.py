"""Part one and the contents list."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from reading_look import Look

from documents.reading.headings import numeral


@pytest.mark.parametrize(
    ("text", "value"), [("一", 1), ("十", 10), ("十二", 12), ("二十", 20), ("三十五", 35), ("7", 7)]
)
def test_numerals(text: str, value: int) -> None:
    assert numeral(text) == value


@pytest.mark.parametrize("mark", ["（{}）", "({})", "{}）", "{})", "（{})", "({}） "])
def test_items_in_every_spelling_of_the_brackets(two_projects: str, look: Callable[..., Look], mark: str) -> None:
    text = two_projects
    for number in "一二":
        text = text.replace(f"（{number}）", mark.format(number))
    read = look(text)
    assert read.json == look(two_projects).json
    assert not read.findings("I031")


def test_contents_entry_without_heading(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("三、工作保障措施.....\t4", "三、工作保障措施.....\t4\n四、监督检查.....\t5"))
    assert read.one("I021").raw == "四、监督检查"
    assert read.one("I021").line == 20


def test_heading_without_contents_entry(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("三、工作保障措施.....\t4\n", ""))
    missing = read.one("I022")
    assert (missing.place, missing.raw) == ("/safeguards", "三、工作保障措施")


def test_wrong_number_in_the_contents(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("二、分项绩效目标.....", "四、分项绩效目标....."))
    assert "编号" in read.one("I021").reason
    assert not read.findings("I022")


def test_falling_page_numbers_in_the_contents(sample: str, look: Callable[..., Look]) -> None:
    assert look(sample.replace("目标表.....\t6", "目标表.....\t1")).one("I024").line == 23


@pytest.mark.parametrize("leaders", ["……\t", "……………… ", "\t", "··········", " . . . . . "])
def test_leaders_of_the_contents(sample: str, look: Callable[..., Look], leaders: str) -> None:
    read, plain = look(sample.replace(".....\t", leaders)), look(sample)
    assert read.json == plain.json
    assert read.reading.contents == plain.reading.contents


def test_text_without_contents_list(sample: str, look: Callable[..., Look]) -> None:
    start, end = sample.index("目 录"), sample.index("第一部分\n")
    read = look(sample[:start] + sample[end:])
    assert read.json == look(sample).json
    assert read.one("I023").repaired is None


def test_parts_with_their_title_on_the_same_line(sample: str, look: Callable[..., Look]) -> None:
    text = sample.replace("第一部分\n\n部门", "第一部分 部门").replace("第二部分\n\n预算", "第二部分　预算")
    assert look(text).json == look(sample).json


def test_missing_section_is_reported(sample: str, look: Callable[..., Look]) -> None:
    start, end = sample.rindex("三、工作保障措施"), sample.index("第二部分\n")
    read = look(sample[:start] + sample[end:])
    assert read.one("I033").place == "/safeguards"
    assert read.one("I021").raw == "三、工作保障措施"


def test_section_heading_in_other_words(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("二、分项绩效目标", "二、部门分项绩效目标"))
    assert read.json == look(sample).json
    assert read.one("I034").place == "/sub_goals"


def test_gap_in_the_numbering(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("三)跟踪", "四)跟踪"))
    assert [item.place for item in read.findings("I032")] == ["/safeguards/2", "/safeguards/3"]
    doubled = look(sample.replace("四)组织", "三)组织"))
    assert [item.place for item in doubled.findings("I032")] == ["/safeguards/3", "/safeguards/4"]


def test_title_and_sentence_on_one_line(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("六)接受内外监督\n\n", "六)接受内外监督。"))
    assert read.json == look(sample).json
    split = read.one("I035")
    assert (split.place, split.repaired) == ("/safeguards/5/title", "接受内外监督")


def test_unknown_section_goes_to_extra(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("第二部分\n\n预算", "四、其他说明\n\n本文本一式三份。\n\n第二部分\n\n预算"))
    assert read["/extra"] == [{"label": "其他说明", "value": "本文本一式三份。"}]
    assert read.one("I039").place == "/extra/0/value"


def test_sub_goal_without_label_is_taken_whole(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("绩效指标：读者到馆", "读者到馆").replace("绩效目标：馆务保障", "馆务保障"))
    assert read.json == look(sample).json
    assert read.one("I037").place == "/sub_goals/0/indicator"


@pytest.mark.parametrize("label", ["绩校指标：", "绩效目指标：", "效指标：", "绩效指示：", "绩效标："])
def test_label_with_one_wrong_character(sample: str, look: Callable[..., Look], label: str) -> None:
    read = look(sample.replace("绩效指：", label))
    assert read.json == look(sample).json
    assert read.one("I036").raw == label


def test_short_lines_are_paragraphs_of_their_own(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("自评结果在馆内公示", "\n附：评分表\n\n自评结果在馆内公示"))
    assert read["/safeguards/3/text"].split("\n")[1:] == [
        "附：评分表",
        "自评结果在馆内公示，作为下一年安排经费的参考。",
    ]
    assert len(read.findings("I038")) == 2


def test_doubled_characters_are_only_reported_where_no_word_has_them(sample: str, look: Callable[..., Look]) -> None:
    fine = "天天、人人、多多益善，推动事业业务发展，人民民主，开展展览，工作作风，兢兢业业，账账相符"
    read = look(sample.replace("配合文明城市创建", f"{fine}，配合文明城市创建"))
    assert len(read.findings("I041")) == 1
    fine = "为居民民生办实事，目的的实现，发动群众众多力量"
    assert len(look(sample.replace("配合文明城市创建", f"{fine}，配合文明城市创建")).findings("I041")) == 1
    for word in ("方便居民民读书", "活动的的开展"):
        assert len(look(sample.replace("配合文明城市创建", f"{word}，配合文明城市创建")).findings("I041")) == 2
    read = look(sample.replace("配合文明城市创建", "加强管理理馆舍，配合文明城市创建"))
    assert [item.place for item in read.findings("I041")] == [
        "/overall/items/4/text", "/projects/0/indicators/0/description",
    ]  # fmt: skip


def test_a_line_that_names_the_projects_of_a_sub_goal_is_their_link(sample: str, look: Callable[..., Look]) -> None:
    before = next(line for line in sample.splitlines() if line.startswith("绩效指标："))
    read = look(sample.replace(before, f"{before}\n对应项目：阅读推广经费。"))
    assert read.json["sub_goals"] == look(sample).json["sub_goals"]
    assert read.one("I042").raw == "对应项目：阅读推广经费。"
    assert not read.findings("I040")
    other = look(sample.replace(before, f"{before}\n对应项目：别的经费。"))
    assert "对应项目：别的经费。" in other["/sub_goals/0/indicator"]
    assert other.one("I040")


def test_project_in_one_piece_in_the_sub_goal_is_more_certain(sample: str, look: Callable[..., Look]) -> None:
    assert look(sample.replace("全民阅读与推广服务", "阅读推广服务")).one("I040").confidence == 0.85
    assert not look(sample.replace("全民阅读与推广服务", "惠民服务")).findings("I040")


def test_part_title_in_other_words_is_reported(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("\n部门整体绩效目标\n", "\n部门整体目标\n"))
    assert read.json == look(sample).json
    assert read.one("I034").raw == "部门整体目标"
