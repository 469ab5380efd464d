"""What a Word file can hold beside plain paragraphs and tables."""

from __future__ import annotations

import io
from typing import Any

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from hypothesis import given
from hypothesis import strategies as st

from documents.reading.headings import numeral
from documents.reading.sources.docx_files import read_docx
from documents.reading.sources.docx_numbering import chinese_number
from documents.reading.sources.form import AsideKind, Grid, Paragraph, SourceForm


def _read(*bodies: str, parts: dict[str, str] | None = None) -> SourceForm:
    document = docx.Document()
    for body in bodies:
        document.element.body.insert(-1, _element(body))
    for name, words in (parts or {}).items():
        section = document.sections[0]
        (section.header if name == "header" else section.footer).paragraphs[0].text = words
    out = io.BytesIO()
    document.save(out)
    return read_docx(out.getvalue())


def _element(body: str) -> Any:
    tag, _, rest = body.partition(">")
    return parse_xml(f"{tag} {nsdecls('w', 'wp', 'm')}>{rest}")


def _texts(form: SourceForm) -> list[str]:
    return [block.text for block in form.blocks if isinstance(block, Paragraph)]


def _grids(form: SourceForm) -> list[Grid]:
    return [block for block in form.blocks if isinstance(block, Grid)]


_RESTART = '<w:vMerge w:val="restart"/>'
_SPAN = '<w:gridSpan w:val="2"/>'


def _p(words: str) -> str:
    return f"<w:p><w:r><w:t>{words}</w:t></w:r></w:p>"


def _tc(words: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{_p(words)}</w:tc>"


def test_tabs_breaks_and_symbols_are_text() -> None:
    form = _read(
        "<w:p><w:r><w:t>一</w:t><w:tab/><w:t>二</w:t><w:br/><w:t>三</w:t><w:noBreakHyphen/>"
        '<w:sym w:font="Wingdings" w:char="F0FE"/><w:sym w:font="x" w:char="F123"/></w:r></w:p>'
    )
    assert _texts(form) == ["一\t二", "三-☑\ufffd"]


def test_tracked_changes_are_read_as_accepted_and_said() -> None:
    form = _read(
        '<w:p><w:ins w:id="1" w:author="a"><w:r><w:t>新</w:t></w:r></w:ins>'
        '<w:del w:id="2" w:author="a"><w:r><w:delText>旧</w:delText></w:r></w:del><w:r><w:t>文</w:t></w:r></w:p>'
    )
    assert _texts(form) == ["新文"]
    assert [aside.kind for aside in form.asides] == [AsideKind.REMARK]


def test_hidden_text_is_left_out_and_listed() -> None:
    form = _read("<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>看不见</w:t></w:r><w:r><w:t>看得见</w:t></w:r></w:p>")
    assert _texts(form) == ["看得见"]
    assert [(aside.kind, aside.raw) for aside in form.asides] == [(AsideKind.LEFT, "看不见")]


def test_text_boxes_and_controls_are_read_in_place() -> None:
    form = _read(
        f"<w:p><w:r><w:t>前</w:t></w:r><w:r><w:pict><w:txbxContent>{_p('框')}</w:txbxContent></w:pict></w:r></w:p>",
        f"<w:sdt><w:sdtContent>{_p('控件')}</w:sdtContent></w:sdt>",
        _p("后"),
    )
    assert _texts(form) == ["前", "框", "控件", "后"]


def test_heads_feet_are_listed_but_page_numbers_are_not() -> None:
    form = _read(_p("正文"), parts={"header": "某县图书馆 内部资料", "footer": "— 3 —"})
    assert [(aside.kind, aside.raw) for aside in form.asides] == [(AsideKind.LEFT, "某县图书馆 内部资料")]


def test_merged_cells_keep_their_spans() -> None:
    form = _read(
        "<w:tbl>"
        f"<w:tr>{_tc('甲', _RESTART)}{_tc('乙', _SPAN)}</w:tr>"
        f"<w:tr>{_tc('', '<w:vMerge/>')}{_tc('丙')}{_tc('丁')}</w:tr>"
        f'<w:tr><w:trPr><w:gridBefore w:val="1"/></w:trPr>{_tc("戊")}{_tc("己")}</w:tr>'
        "</w:tbl>"
    )
    (grid,) = _grids(form)
    assert (grid.rows, grid.columns) == (3, 3)
    assert [(cell.row, cell.column, cell.text, cell.rows, cell.columns) for cell in grid.cells] == [
        (0, 0, "甲", 2, 1),
        (0, 1, "乙", 1, 2),
        (1, 1, "丙", 1, 1),
        (1, 2, "丁", 1, 1),
        (2, 1, "戊", 1, 1),
        (2, 2, "己", 1, 1),
    ]


def test_words_in_the_covered_part_of_a_merged_cell_are_listed() -> None:
    form = _read(
        f"<w:tbl><w:tr>{_tc('甲', _RESTART)}{_tc('乙')}</w:tr>"
        f"<w:tr>{_tc('盖住', '<w:vMerge/>')}{_tc('丙')}</w:tr></w:tbl>"
    )
    assert [aside.raw for aside in form.asides] == ["盖住"]


def test_a_table_of_one_cell_only_frames_and_a_table_in_a_cell_gives_lines() -> None:
    inner = f"<w:tbl><w:tr>{_tc('一')}{_tc('二')}</w:tr></w:tbl>"
    framed = _read(f"<w:tbl><w:tr><w:tc>{_p('框里')}{inner}{_p('')}</w:tc></w:tr></w:tbl>")
    assert [text for text in _texts(framed) if text] == ["框里"]
    assert len(_grids(framed)) == 1
    nested = _read(f"<w:tbl><w:tr><w:tc>{_p('上')}{inner}{_p('')}</w:tc>{_tc('右')}</w:tr></w:tbl>")
    assert [cell.text for cell in _grids(nested)[0].cells] == ["上\n一 二", "右"]


def test_a_deleted_row_is_no_row() -> None:
    form = _read(
        f'<w:tbl><w:tr><w:trPr><w:del w:id="1" w:author="a"/></w:trPr>{_tc("旧")}{_tc("旧")}</w:tr>'
        f"<w:tr>{_tc('新')}{_tc('新')}</w:tr></w:tbl>"
    )
    assert [cell.text for cell in _grids(form)[0].cells] == ["新", "新"]


def _numbered(patterns: list[tuple[str, str]], levels: list[int]) -> list[str]:
    """The paragraphs of a list whose numbers Word draws."""
    document = docx.Document()
    numbering = document.part.numbering_part.element
    made = "".join(
        f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{pattern}"/></w:lvl>'
        for at, (form, pattern) in enumerate(patterns)
    )
    numbering.insert(0, parse_xml(f'<w:abstractNum {nsdecls("w")} w:abstractNumId="77">{made}</w:abstractNum>'))
    numbering.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="77"><w:abstractNumId w:val="77"/></w:num>'))
    for level in levels:
        paragraph = document.add_paragraph("题")
        properties = paragraph._p.get_or_add_pPr()
        properties.append(
            parse_xml(f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="77"/></w:numPr>')
        )
    out = io.BytesIO()
    document.save(out)
    return _texts(read_docx(out.getvalue()))


def test_numbers_that_word_draws_are_written_out() -> None:
    patterns = [("chineseCountingThousand", "%1、"), ("chineseCounting", "（%2）"), ("decimal", "%1-%3．")]
    assert _numbered(patterns, [0, 1, 1, 2, 2, 0, 1, 2]) == [
        "一、题", "（一）题", "（二）题", "一-1．题", "一-2．题", "二、题", "（一）题", "二-1．题",
    ]  # fmt: skip


def test_a_level_set_in_digits_writes_those_above_it_in_digits_too() -> None:
    patterns = [("chineseCounting", "%1、"), ('decimal"/><w:isLgl w:val="1', "%1.%2 ")]
    assert _numbered(patterns, [0, 1, 0, 1]) == ["一、题", "1.1 题", "二、题", "2.1 题"]


def test_bullets_are_no_numbers() -> None:
    assert _numbered([("bullet", "·")], [0, 0]) == ["题", "题"]


def test_a_list_of_a_style_is_numbered() -> None:
    document = docx.Document()
    document.add_paragraph("题", style="List Number")
    document.add_paragraph("题", style="List Number")
    out = io.BytesIO()
    document.save(out)
    assert _texts(read_docx(out.getvalue())) == ["1.题", "2.题"]


@given(st.integers(1, 99))
def test_chinese_numbers_are_those_that_headings_are_read_with(value: int) -> None:
    assert numeral(chinese_number(value)) == value


@pytest.mark.parametrize(
    ("value", "words"), [(100, "一百"), (105, "一百零五"), (110, "一百一十"), (1000, "1000"), (0, "0")]
)
def test_larger_chinese_numbers(value: int, words: str) -> None:
    assert chinese_number(value) == words


def test_namespaces_of_the_tests_are_those_of_word() -> None:
    assert qn("w:p").startswith("{http://schemas.openxmlformats.org/wordprocessingml/")
