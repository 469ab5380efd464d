"""What workbooks, pages and PDFs can hold beside the plain case."""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import made_files as made
import pylopdf_fonts_zh_cn
import pytest
import typst
import xlsxwriter

from documents.reading.sources import pdf_files
from documents.reading.sources.form import (
    AsideKind,
    Cell,
    Grid,
    Paragraph,
    SourceForm,
    from_json,
    to_json,
)
from documents.reading.sources.html_pages import read_html
from documents.reading.sources.isolation import Limits, isolated_form
from documents.reading.sources.kinds import SourceKind
from documents.reading.sources.number_formats import Shown, shown_by
from documents.reading.sources.pdf_files import read_pdf
from documents.reading.sources.spreadsheets import read_workbook


def _book(write: Callable[[Any], None]) -> SourceForm:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    write(book)
    book.close()
    return read_workbook(out.getvalue(), SourceKind.XLSX)


def _words(form: SourceForm) -> list[str]:
    return [cell.text for block in form.blocks if isinstance(block, Grid) for cell in block.cells]


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (0.2, "0.00%", "20%"),
        (0.285, "0%", "28.5%"),
        (0.07, "0%", "7%"),
        (5.31, '0.00"万元"', "5.31万元"),
        (5.31, "0.00万元", "5.31万元"),
        (12, '"¥"#,##0', "¥12"),
        (53100, "#,##0.00", "53100"),
        (0.1, "General", "0.1"),
        (1e21, "General", "1e+21"),
    ],
)
def test_a_number_is_written_as_its_format_shows_it(value: float, code: str, text: str) -> None:
    def write(book: Any) -> None:
        book.add_worksheet().write_number(2, 3, value, book.add_format({"num_format": code}))

    assert _words(_book(write)) == [text]


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("General", None),
        ("0.00_);[Red](0.00)", None),
        ('0"%"', Shown(after="%")),
        ("0.00%;[Red]-0.00%", Shown(percent=True)),
        ("[$-804]0", None),
    ],
)
def test_what_a_format_code_shows(code: str, shown: Shown | None) -> None:
    assert shown_by(code) == shown


def test_dates_and_truth_are_words() -> None:
    def write(book: Any) -> None:
        sheet = book.add_worksheet()
        sheet.write_datetime(0, 0, datetime.datetime(2021, 3, 31), book.add_format({"num_format": "yyyy/m/d"}))  # noqa: DTZ001
        sheet.write_boolean(0, 1, True)

    assert _words(_book(write)) == ["2021-03-31", "TRUE"]


def test_hidden_sheets_are_left_out_and_listed() -> None:
    def write(book: Any) -> None:
        book.add_worksheet("看").write_string(0, 0, "看得见")
        hidden = book.add_worksheet("藏")
        hidden.write_string(0, 0, "看不见")
        hidden.hide()

    form = _book(write)
    assert _words(form) == ["看得见"]
    assert [(aside.kind, aside.raw) for aside in form.asides] == [(AsideKind.LEFT, "看不见")]


def test_merged_ranges_are_spans_wherever_the_sheet_begins() -> None:
    def write(book: Any) -> None:
        sheet = book.add_worksheet()
        sheet.merge_range(3, 1, 4, 2, "并")
        sheet.write_string(3, 3, "右")
        sheet.write_string(5, 3, "下")

    (grid,) = _book(write).blocks
    assert isinstance(grid, Grid)
    assert grid.cells == (Cell(3, 1, "并", 2, 2), Cell(3, 3, "右"), Cell(5, 3, "下"))


def test_spans_of_a_page_are_laid_out_as_a_browser_does() -> None:
    form = read_html(
        "<html><body><div>前<br>行 &amp; 文</div>后<table><tr><td rowspan=2>甲</td><td colspan=2>乙</td></tr>"
        "<tr><td>丙</td><td>丁<p>下</p></td></tr></table><script>x</script></body></html>".encode()
    )
    assert [block.text for block in form.blocks if isinstance(block, Paragraph)] == ["前", "行 & 文", "后"]
    (grid,) = [block for block in form.blocks if isinstance(block, Grid)]
    assert [(cell.row, cell.column, cell.text) for cell in grid.cells] == [
        (0, 0, "甲"), (0, 1, "乙"), (1, 1, "丙"), (1, 2, "丁\n下"),
    ]  # fmt: skip


def test_hidden_words_of_a_page_are_listed() -> None:
    form = read_html(b'<html><body><p>a</p><p style="display: none">b</p><p hidden>c</p></body></html>')
    assert [block.text for block in form.blocks if isinstance(block, Paragraph)] == ["a"]
    assert [aside.raw for aside in form.asides] == ["b\nc"]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_page_is_read_in_the_encoding_it_is_in(encoding: str) -> None:
    form = read_html('<?xml version="1.0" encoding="gb2312"?><html><p>绩效</p></html>'.encode(encoding))
    assert form.blocks == (Paragraph("绩效"),)


def _typeset(source: str) -> bytes:
    head = '#set text(font: "Noto Serif SC", size: 12pt, lang: "zh")\n#set page(paper: "a4", margin: 25mm)\n'
    fonts = [str(Path(pylopdf_fonts_zh_cn.__file__).parent)]
    data: bytes = typst.compile((head + source).encode(), font_paths=fonts, ignore_system_fonts=True)
    return data


def _set(source: str) -> SourceForm:
    return read_pdf(_typeset(source))


def _paragraphs(form: SourceForm) -> list[str]:
    return [block.text for block in form.blocks if isinstance(block, Paragraph)]


_SENTENCE = "流动图书车按月排班，走遍十二个乡镇的集市和学校，为行动不便的老人和残疾读者送书上门。"


def test_watermarks_are_left_out_and_listed() -> None:
    form = _set(f"#place(center + horizon, rotate(-45deg, text(60pt, gray)[送审稿]))\n{_SENTENCE}")
    assert _paragraphs(form) == [_SENTENCE]
    assert [(aside.kind, aside.raw) for aside in form.asides] == [(AsideKind.LEFT, "送审稿")]


def test_indents_begin_paragraphs_where_nothing_else_does() -> None:
    form = _set(
        f"#set par(first-line-indent: (amount: 2em, all: true), spacing: .65em)\n{_SENTENCE * 3}\n\n{_SENTENCE * 2}"
    )
    assert _paragraphs(form) == [_SENTENCE * 3, _SENTENCE * 2]


@pytest.mark.parametrize("justify", ["true", "false"])
def test_a_paragraph_over_a_page_break_is_one_and_that_is_said(justify: str) -> None:
    long = _SENTENCE * 60
    form = _set(f'#set par(justify: {justify})\n#set page(numbering: "— 1 —")\n{long}')
    assert form.pages > 1
    assert [text for text in _paragraphs(form) if "—" not in text] == [long]
    assert any("分页" in aside.sentence for aside in form.asides)


def test_heads_that_pages_repeat_are_left_out_and_said() -> None:
    form = _set(f"#set page(header: [某县图书馆])\n{'#pagebreak()'.join([_SENTENCE] * 4)}")
    assert _paragraphs(form) == [_SENTENCE] * 4
    assert [aside.raw for aside in form.asides if aside.kind is AsideKind.REMARK] == ["某县图书馆"]


def test_a_page_without_text_among_others_is_doubted() -> None:
    form = _set(f"{_SENTENCE}#pagebreak()#rect(fill: red)#pagebreak(){_SENTENCE}")
    assert [(aside.kind, aside.page) for aside in form.asides] == [(AsideKind.DOUBT, 2)]


def test_the_pieces_of_a_table_have_one_set_of_columns() -> None:
    """The second page shows fewer borders than the first, and its columns are the first page's all the same."""
    rows = "".join(f"[行{at}], table.cell(colspan: 2)[甲{at}], [乙{at}]," for at in range(60))
    form = _set(f"#table(columns: (1fr, 1fr, 1fr, 1fr), [一], [二], [三], [四], {rows})")
    (grid,) = [block for block in form.blocks if isinstance(block, Grid)]
    assert (grid.rows, grid.columns) == (61, 4)
    assert {cell.column for cell in grid.cells if cell.text.startswith("乙")} == {3}
    assert max(grid.pages) > 1


_CUT = (
    "[数量指标],[讲座场次],[举办讲座的场数],[≥10],[年度计划],"
    "[质量指标],[听众合格],[听完讲座后答对题目的听众所占的比例，由馆员当场抽查五十人],[≥95 \\ 合格率 \\ 达到 95%],[年度计划],"
    "[时效指标],[按时完成],[按时],[≤6],[年度计划]"
)


def test_a_row_that_a_page_cuts_in_two_is_one_and_that_is_doubted() -> None:
    form = _set(f"#set page(height: 55mm, margin: 10mm)\n#table(columns: (20mm, 22mm, 30mm, 22mm, 22mm), {_CUT})")
    (grid,) = [block for block in form.blocks if isinstance(block, Grid)]
    assert (grid.rows, grid.pages) == (3, (1, 1, 2))
    assert [cell.text for cell in grid.cells if cell.row == 1] == [
        "质量指标", "听众合格", "听完讲座后答对题目的听众所占的比例，由馆员当场抽查五十人", "≥95\n合格率\n达到 95%", "年度计划",
    ]  # fmt: skip
    assert [(aside.kind, aside.raw) for aside in form.asides if "分页" in aside.sentence] == [
        (AsideKind.DOUBT, "目的听众所占的比例，⏎由馆员当场抽查五十人")
    ]


def test_a_row_of_its_own_on_top_of_a_page_stays_one() -> None:
    """Each word fills its line, so that by that alone the words below could be the rest of it."""
    row = "[数量指标],[讲座场次],[讲座场数],[年度计划],"
    form = _set(f"#set page(height: 33mm, margin: 10mm)\n#table(columns: (22mm, 22mm, 22mm, 22mm), {row * 3})")
    assert form.pages == 3
    (grid,) = [block for block in form.blocks if isinstance(block, Grid)]
    assert (grid.rows, len(grid.cells)) == (3, 12)


def test_centred_cells_with_lines_of_their_own_are_not_joined() -> None:
    form = _set("#table(columns: (40mm, 1fr), align: center, [≥95 \\ 完成率 \\ 达到 95%], [" + _SENTENCE * 2 + "])")
    (grid,) = [block for block in form.blocks if isinstance(block, Grid)]
    assert [cell.text for cell in grid.cells] == ["≥95\n完成率\n达到 95%", _SENTENCE * 2]


def test_centred_cells_have_room_on_both_sides() -> None:
    """Half of the room that the line leaves would be too little for the next character, the whole of it is enough."""
    form = _set(f"#table(columns: (24mm, 1fr), align: center, [完成率 \\ 达到上限], [{_SENTENCE}])")
    (grid,) = [block for block in form.blocks if isinstance(block, Grid)]
    assert grid.cells[0].text == "完成率\n达到上限"


def test_a_blank_that_is_drawn_at_the_end_of_a_line_stays() -> None:
    form = _set(f"#table(columns: (30mm, 1fr), [甲乙丙丁戊己 庚辛壬], [{_SENTENCE}])")
    (grid,) = [block for block in form.blocks if isinstance(block, Grid)]
    assert grid.cells[0].text == "甲乙丙丁戊己 庚辛壬"


@pytest.mark.parametrize(
    ("style", "first"),
    [("first-line-indent: (amount: 2em, all: true), spacing: .65em", 71), ("spacing: 1.3em", 73)],
    ids=["indent", "distance"],
)
def test_a_paragraph_whose_last_line_is_full_still_ends(style: str, first: int) -> None:
    """37 characters fill a line, so nothing but the indent or the distance tells that the next line begins anew."""
    one, two = "书" * first + "。", "人" * 130 + "。"
    assert _paragraphs(_set(f"#set par({style})\n{one}\n\n{two}")) == [one, two]


def test_a_long_file_read_in_two_halves_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"[行{at}], [{_SENTENCE}]," for at in range(500))
    data = _typeset(f'#set page(numbering: "— 1 —")\n#table(columns: 2, {rows})\n{_SENTENCE * 9}')
    shared: list[list[int]] = []
    half = pdf_files._half
    monkeypatch.setattr(pdf_files, "_half", lambda data, numbers: shared.append(numbers) or half(data, numbers))
    monkeypatch.setattr(pdf_files, "ProcessPoolExecutor", _Here)
    monkeypatch.setattr(pdf_files, "_can_share", lambda: True)
    in_halves = read_pdf(data)
    assert [(numbers[0], numbers[-1]) for numbers in shared] == [(in_halves.pages // 2 + 1, in_halves.pages)]
    monkeypatch.setattr(pdf_files, "_can_share", lambda: False)
    assert read_pdf(data) == in_halves


class _Here:
    """The second process, in this one: forking a process with the threads of a test run is not safe."""

    def __init__(self, *_: Any) -> None:
        pass

    def __enter__(self) -> _Here:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(function(*arguments))
        return done


def test_a_long_file_is_read_by_the_reading_process() -> None:
    rows = "".join(f"[行{at}], [{_SENTENCE}]," for at in range(500))
    _, form = isolated_form(_typeset(f"#table(columns: 2, {rows})"), SourceKind.PDF, Limits(seconds=120))
    assert form is not None
    assert form.pages > 16
    (grid,) = form.blocks
    assert isinstance(grid, Grid)
    assert (grid.rows, grid.pages[-1]) == (500, form.pages)


def test_framed_paragraphs_are_no_table() -> None:
    form = _set(f"#table(columns: 1, [{_SENTENCE}], [{_SENTENCE}])\n#rect[{_SENTENCE}]")
    assert _paragraphs(form) == [_SENTENCE] * 3


def test_a_form_comes_back_from_json_as_it_was(sample: str) -> None:
    form = read_html(made.as_html(made.in_lines(made.blocks_of(sample))))
    assert from_json(to_json(form)) == form
