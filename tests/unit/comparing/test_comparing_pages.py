"""What people read: rows in the words of the form, and pages that stand alone."""

from __future__ import annotations

import copy
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from comparing_texts import sample

from documents.comparing import compare_json
from documents.comparing.pages import LAYOUTS, Version, render_page
from documents.comparing.rows import Row, rows
from models.errors import NotFound


def rows_of(before: Any, after: Any) -> tuple[Row, ...]:
    return rows(before, after, compare_json(before, after))


def page(layout: str, before: Any, after: Any, reasons: tuple[str, ...] = ()) -> str:
    sides = (Version("旧版", "0" * 64), Version("新版", "1" * 64))
    return render_page(layout, *sides, rows_of(before, after), reasons).decode()


def edited() -> Any:
    content = sample()
    project = content["projects"][0]
    project["purpose"] = project["purpose"].replace("车油费", "租车费")
    project["budget"]["total"] = "126000.00"
    items = project["indicators"]
    items[0].update(value="70", raw_value="≥70场")
    items.append(items.pop(1))
    items.pop(3)
    content["sub_goals"][0]["projects"] = ["p1", "p2"]
    return content


@pytest.mark.parametrize("count", [3, 5, 7, 9])
def test_of_a_reversed_list_the_middle_is_what_stayed(count: int) -> None:
    before = sample()
    items = [{"id": f"s{at}", "title": f"措施之{at}", "text": f"第{at}项的办法。"} for at in range(1, count + 1)]
    before["safeguards"] = items
    after = {**before, "safeguards": items[::-1]}
    moves = [(row.before, row.after) for row in rows_of(before, after) if row.kind.value == "moved"]
    middle = count // 2 + 1
    assert sorted(moves) == [(f"第 {at} 项", f"第 {count + 1 - at} 项") for at in range(1, count + 1) if at != middle]


def test_an_item_that_others_went_around_is_not_shown_as_moved() -> None:
    """The longest run of unmoved items need not hold the one whose number stayed the same."""
    before = sample()
    items = [{"id": f"s{at}", "title": f"措施之{at}", "text": f"第{at}项的办法。"} for at in range(1, 7)]
    before["safeguards"] = items
    # 5 6 3 1 2 4: of the runs 1 2 4 and 3 4 only the first is the longest, and 3 stands where it stood.
    after = {**before, "safeguards": [items[at - 1] for at in (5, 6, 3, 1, 2, 4)]}
    assert "/safeguards/s3" in {change.place for change in compare_json(before, after).changes}
    moved = [row for row in rows_of(before, after) if row.kind.value == "moved"]
    assert all(row.before != row.after for row in moved)
    assert {"/safeguards/s5", "/safeguards/s6"} <= {place for row in moved for place in row.places}


def test_a_row_is_a_cell_of_the_form_in_the_words_of_the_form() -> None:
    found = {row.title: (row.kind.value, row.before, row.after) for row in rows_of(sample(), edited())}
    assert found["绩效指标“送戏场次” 指标值"] == ("changed", "≥60场", "≥70场")
    assert found["预算规模 预算数"] == ("changed", "125000.00 元", "126000.00 元")
    assert found["绩效指标“新戏比例”"] == ("moved", "第 2 项", "第 5 项")
    kind, before, after = found["绩效指标“观众人次”"]
    assert (kind, after) == ("removed", "")
    assert before.splitlines()[-1] == "指标值确定依据：历史标准"
    assert "指标值：≥1.2万人次" in before
    assert ">=" not in before  # the cell as it was read says the same once more
    references = next(row for row in rows_of(sample(), edited()) if row.places[0].startswith("/sub_goals"))
    assert "“送戏下乡经费”、“" in references.after


def test_an_item_in_another_project_says_from_where_to_where() -> None:
    after = sample()
    item = after["projects"][0]["indicators"].pop(0)
    after["projects"][1]["indicators"].append({**item, "id": "i40"})
    row = next(row for row in rows_of(sample(), after) if row.kind.value == "moved")
    assert row.before == "项目“送戏下乡经费” 第 1 项"
    assert row.after.startswith("项目“")
    assert row.after.endswith("” 第 7 项")


def test_only_the_cell_as_it_was_read_differs_and_is_told_as_such() -> None:
    after = sample()
    after["projects"][0]["indicators"][0]["raw_value"] = "不少于60场"
    [row] = rows_of(sample(), after)
    assert (row.title, row.before, row.after) == ("绩效指标“送戏场次” 指标值原文", "≥60场", "不少于60场")


class _Page(HTMLParser):
    """Whether every element is closed where it should be, and the addresses that the page names."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.inside: dict[str, list[str]] = {"ins": [], "del": []}
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "style", "action")]
        if tag not in ("meta", "br", "col"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.inside:
            self.inside[self.open[-1]].append(data)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_page_is_whole_and_stands_alone(layout: str) -> None:
    text = page(layout, sample(), edited())
    found = _Page(text)
    assert found.addresses == []
    assert not re.search(r"<script|@import|url\(|https?:", text)
    assert "旧版" in text
    assert "新版" in text
    assert text.count(' id="r') == len(rows_of(sample(), edited()))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_markup_in_a_text_stays_words(layout: str) -> None:
    after = sample()
    after["projects"][0]["purpose"] = "</td><script>alert(1)</script>&amp;"
    after["projects"][0]["name"] = "<b>粗</b>"
    text = page(layout, sample(), after, ("<i>理由</i>", "<i>理由</i>"))
    _Page(text)
    assert "<script" not in text
    assert "<b>" not in text
    assert "<i>" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize("layout", ["side", "inline"])
def test_what_was_removed_and_added_is_marked_without_colour_too(layout: str) -> None:
    text = page(layout, sample(), edited())
    found = _Page(text)
    assert "车油费" not in "".join(found.inside["ins"])
    assert {"60场", "125000.00 元"} <= set(found.inside["del"])
    assert {"70场", "126000.00 元"} <= set(found.inside["ins"])
    assert 'del::before { content: "−"' in text
    assert 'ins::before { content: "+"' in text
    assert "line-through" in text
    assert "underline" in text


def test_a_new_paragraph_gets_no_empty_mark() -> None:
    after = sample()
    after["overall"]["introduction"] += "\n另起一段。"
    for layout in ("side", "inline"):
        text = page(layout, sample(), after)
        assert "<p><ins>另起一段。</ins></p>" in text
        assert "<ins></ins>" not in text


def test_the_sheet_has_place_before_after_and_reason() -> None:
    after = sample()
    after["projects"][0]["purpose"] = "定稿"
    text = page("sheet", sample(), after, ("按批复压减",))
    assert "变更对照表" in text
    cells = re.findall(r"<t[hd](?: [^>]*)?>(?:<p>)?([^<]*)", text)
    assert cells[:5] == ["序号", "位置", "修改前", "修改后", "理由"]
    assert cells[5:] == ["1", "项目“送戏下乡经费” 资金用途", sample()["projects"][0]["purpose"], "定稿", "按批复压减"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_two_equal_contents_make_a_page_that_says_so(layout: str) -> None:
    text = page(layout, sample(), copy.deepcopy(sample()))
    _Page(text)
    assert "没有差异" in text
    assert "<table" not in text


def test_an_unknown_layout_names_those_there_are() -> None:
    with pytest.raises(NotFound, match="side、inline、sheet"):
        page("poster", sample(), sample())
