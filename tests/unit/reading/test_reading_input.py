"""What a file may be, and the one sentence about each file that is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from reading_look import Look

from documents.reading import FindingCode, read_text
from documents.reading.decoding import MAX_BYTES
from models.errors import InvalidInput

_HEAD = "图书馆\n2021年部门预算绩效文本\n图书馆编制\n某县财政局审核\n"
_TABLE = "项目编码\t99042121H7KQ3O85ZB0LM\n一级指标\t二级指标\t三级指标\t指标值\n产出指标\t数量指标\t场次\t≥5场\n"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "空的"),
        (b" \r\n\t\n", "空的"),
        (b"PK\x03\x04rest", "Word、Excel"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "旧版 Word"),
        (b"{\\rtf1", "RTF"),
        (b"text\x00text", "第 5 个字节"),
        ("预算绩效".encode("utf-16"), "UTF-16"),
        (b"\xfe\xff" + "预算绩效".encode("utf-16-be"), "UTF-16"),
        ("预算绩效".encode("utf-32"), "UTF-32"),
        (b"\xff\xff\xff\xff", "既不是 UTF-8"),
        ("预算绩效".encode() + b"\xff", "既不是 UTF-8"),
        ("今天天气很好。\n".encode(), "不是部门预算绩效文本"),
        (_HEAD.encode(), "没有表格"),
        ((_HEAD + "甲\t乙\t丙\n").encode(), "没有项目绩效目标表"),
        (b"x" * (MAX_BYTES + 1), "20 MB"),
        (b"x\n" * 20_001, "20000 行"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[:8]),
)
def test_bad_file_is_refused_with_one_sentence(data: bytes, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_text(data)
    assert words in caught.value.message
    assert caught.value.message.endswith("。")
    assert caught.value.message.count("。") == 1
    assert "；请" in caught.value.message or "请另存为" in caught.value.message


def test_smallest_text_that_can_be_read(look: Callable[..., Look]) -> None:
    read = look(_HEAD + _TABLE)
    assert read["/projects/0/indicators/0/value"] == "5"
    assert {"I023", "I033", "I064"} <= read.codes


def test_year_must_be_somewhere(sample: str, look: Callable[..., Look]) -> None:
    without = sample.replace("2021 年部门", "部门")
    with pytest.raises(InvalidInput, match="--year"):
        read_text(without.encode())
    read = look(without, fiscal_year=2022)
    assert read["/fiscal_year"] == 2022
    assert read.one("I013").repaired == "2022"


def test_year_of_another_century_is_no_fiscal_year(sample: str) -> None:
    with pytest.raises(InvalidInput, match="--year"):
        read_text(sample.replace("2021 年部门", "1998 年部门").encode())


def test_argument_goes_before_the_year_of_the_file(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample, fiscal_year=2023)
    year = read.one("I013", "/fiscal_year")
    assert read["/fiscal_year"] == 2023
    assert read["/title"] == "2021年部门预算绩效文本"
    assert (year.raw, year.repaired, year.line) == ("2021", "2023", 5)
    assert not look(sample, fiscal_year=2021).findings("I013")


@pytest.mark.parametrize("year", [1999, 2100, 0, -1])
def test_year_out_of_range_is_refused(sample: str, year: int) -> None:
    with pytest.raises(InvalidInput, match="2000 到 2099"):
        read_text(sample.encode(), fiscal_year=year)


@pytest.mark.parametrize(
    ("title", "year"),
    [
        ("２０２１年部门预算绩效文本", 2021),
        ("二〇二一年部门预算绩效文本", 2021),
        ("二○二一年度部门预算绩效文本", 2021),
    ],
)
def test_other_digits_of_the_year(sample: str, look: Callable[..., Look], title: str, year: int) -> None:
    read = look(sample.replace("2021 年部门预算绩效文本", title))
    assert read["/fiscal_year"] == year
    assert read["/title"] == title
    assert read.one("I013").repaired == str(year)


def test_title_in_two_lines_is_joined(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("2021 年部门预算绩效文本", "2021年\n部门预算绩效文本"))
    assert read["/title"] == "2021年部门预算绩效文本"
    assert read.one("I011").raw == "2021年⏎部门预算绩效文本"


def test_day_of_writing_is_not_the_fiscal_year(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("澜石市青禾县财政局审核", "澜石市青禾县财政局审核\n\n2020年12月"))
    assert read["/fiscal_year"] == 2021
    assert read.one("I015").raw == "2020年12月"
    assert read["/extra/0"] == {"label": "封面", "value": "2020年12月"}


def test_compiler_other_than_the_short_name_is_doubted(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("图书馆编制", "县公共图书馆编制"))
    assert read["/department/name"] == "图书馆"
    assert read.one("I014").raw == "县公共图书馆"
    assert {"label": "编制单位", "value": "县公共图书馆"} in read["/extra"]


def test_missing_reviewing_body_is_reported(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("澜石市青禾县财政局审核\n", ""))
    assert read["/reviewing_body"] is None
    assert read.one("I016").place == "/reviewing_body"


@pytest.mark.parametrize(
    ("twice", "words"),
    [
        (lambda text: text + "\n" + text, "目录"),
        (lambda text: text + "\n" + text[text.index("第一部分\n") :], "第一部分"),
        (lambda text: text + "\n\n一、总体绩效目标\n\n再写一遍。\n", "总体绩效目标"),
        (lambda text: text + "\n\n2022年部门预算绩效文本\n\n博物馆编制\n\n某县财政局审核\n", "封面"),
    ],
    ids=["contents", "part", "section", "cover"],
)
def test_two_texts_in_one_file_are_refused(sample: str, twice: Callable[[str], str], words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_text(twice(sample).encode())
    message = caught.value.message
    assert "两份文本" in message
    assert words in message
    assert "拆成" in message
    assert all(f"第 {number} 行" in message for number in caught.value.facts["lines"])


@pytest.mark.parametrize(
    ("encode", "encoding"),
    [
        (lambda text: text.encode(), "utf-8"),
        (lambda text: text.encode("utf-8-sig"), "utf-8"),
        (lambda text: text.encode("gb18030"), "gb18030"),
        (lambda text: text.replace("\n", "\r\n").encode(), "utf-8"),
        (lambda text: text.replace("\n", "\r").encode(), "utf-8"),
        (lambda text: text.replace("\n", "\r\n").encode("gb18030"), "gb18030"),
        (lambda text: ("\ufeff" + text).encode("gb18030"), "gb18030"),
    ],
    ids=["utf-8", "bom", "gb18030", "crlf", "cr", "gb18030-crlf", "gb18030-bom"],
)
@pytest.mark.parametrize("name", ["sample", "two_projects"])
def test_every_spelling_of_the_file_reads_the_same(
    request: pytest.FixtureRequest, name: str, encode: Callable[[str], bytes], encoding: str
) -> None:
    text = request.getfixturevalue(name)
    read, plain = read_text(encode(text)), read_text(text.encode())
    assert read.content == plain.content
    assert read.findings == plain.findings
    assert read.contents == plain.contents
    assert read.encoding == encoding


def test_radicals_of_a_pdf_become_characters(sample: str, look: Callable[..., Look]) -> None:
    read = look(
        sample.replace("跟踪目标进度", "跟踪⽬标进度")
        .replace("节约购书开支", "节约购书开⽀")
        .replace("流动图书车按月", "流动图书⻋按⽉")
    )
    assert read.json == look(sample).json
    found = {item.place: item for item in read.findings("I002")}
    assert set(found) == {"/safeguards/2/title", "/projects/0/indicators/6/name", "/overall/items/3/text"}
    assert found["/projects/0/indicators/6/name"].repaired == "节约购书开支"


def test_invisible_characters_go_and_are_reported(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("读者满意度", "读者\u200b满意\u00ad度"))
    assert read.json == look(sample).json
    hidden = read.one("I001", "/projects/0/indicators/8/name")
    assert (hidden.raw, hidden.repaired) == ("读者\u200b满意\u00ad度", "读者满意度")
    assert "U+200B" in hidden.reason


def test_outer_blanks_of_any_width_are_no_finding(sample: str, look: Callable[..., Look]) -> None:
    blanks = sample.replace("读者满意度", "\u3000 读者满意度\xa0\u200b").replace(
        "二、分项绩效目标\n\n", "\u3000\u3000二、分项绩效目标 \n\n"
    )
    read, plain = look(blanks), look(sample)
    assert read.json == plain.json
    assert read.reading.findings == plain.reading.findings


def test_form_feeds_end_a_line_without_counting_as_one(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("遗失和破损", "\f遗失和破损").replace("第二部分\n\n预算", "\n第二部分\f\n预算"))
    plain = look(sample)
    assert read.json == plain.json
    assert read.findings("I038")[1].line == 88


def test_page_numbers_are_left_out_even_inside_a_sentence(sample: str, look: Callable[..., Look]) -> None:
    text = (
        sample.replace("职工业\n", "职工业\n\n— 3 —\n")
        .replace("一级指标\t", "12\n一级指标\t")
        .replace("七)提升", "第 5 页 共 9 页\n七)提升")
    )
    read = look(text)
    assert read.json == look(sample).json
    numbers = read.one("I003")
    assert (numbers.raw, numbers.line) == ("— 3 — / 第 5 页 共 9 页 / 12", 63 + 1)


def test_running_head_is_left_out(sample: str, look: Callable[..., Look]) -> None:
    read = look(sample.replace("务培训全部", "2021年部门预算绩效文本\n\n务培训全部"))
    assert read.json == look(sample).json
    assert read.one("I005").raw == "2021年部门预算绩效文本"


def test_codes_are_stable_and_each_has_a_title() -> None:
    from documents.reading import KINDS

    assert set(KINDS) == set(FindingCode)
    assert all(len(code.value) == 4 and code.value[0] == "I" and code.value[1:].isdigit() for code in FindingCode)
    assert len({title for _, title in KINDS.values()}) == len(KINDS)
