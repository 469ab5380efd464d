"""The same text in every kind of file gives the same content as its text form."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import made_files as made
import pytest
from made_files import Box, Table

from documents.reading import Limits, ReadResult, SourceKind, read_file, read_text
from models.content import BudgetText, to_json
from models.findings import ReadingFinding
from models.places import changes

# A machine that is busy with other tests must not fail these; the limits have tests of their own.
_PATIENT = Limits(seconds=120.0)
# What differs with the kind of file and not with the text: remarks on the form, page numbers, and how a rule is drawn.
_OF_THE_FORM = frozenset({"I003", "I004", "I005", "I007"})
# Rows that a page cuts are joined, and that is said.
_OF_PAGES = frozenset({"I008", "I038", "I052", "I058"})
_TEXTS = ("sample", "two_projects", "seed_text")


def _read(data: bytes, name: str = "") -> ReadResult:
    return read_file(data, name, limits=_PATIENT)


def _said(findings: Iterable[ReadingFinding], without: frozenset[str] = _OF_THE_FORM) -> Counter[tuple[str, str, str]]:
    return Counter((item.code, item.place, item.raw) for item in findings if item.code not in without)


def _assert_same(read: ReadResult, text: str, *, also: frozenset[str] = frozenset()) -> None:
    expected = read_text(text.encode())
    assert changes(to_json(expected.content), to_json(read.content)) == []
    without = _OF_THE_FORM | also
    assert _said(read.findings, without) == _said(expected.findings, without)
    assert [entry.title for entry in read.contents] == [entry.title for entry in expected.contents]
    assert read.coverage.share == 1.0


@pytest.fixture(params=_TEXTS)
def text(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.mark.parametrize("lines", [False, True], ids=["one line a cell", "several lines a cell"])
@pytest.mark.parametrize("kind", ["docx", "html", "xlsx"])
def test_every_kind_of_file_gives_the_content_of_the_text(text: str, kind: str, lines: bool) -> None:
    blocks = made.blocks_of(text)
    read = _read(made.MAKERS[kind](made.in_lines(blocks) if lines else blocks))
    _assert_same(read, text)
    assert read.kind == kind
    assert read.encoding is None


@pytest.mark.parametrize("lines", [False, True], ids=["one line a cell", "several lines a cell"])
def test_typeset_pdf_gives_the_content_of_the_text(text: str, lines: bool) -> None:
    blocks = made.blocks_of(text)
    read = _read(made.as_pdf(made.in_lines(blocks) if lines else blocks))
    _assert_same(read, text, also=_OF_PAGES)
    assert {1, 2} <= {read.page(item) for item in read.findings if item.line}


def test_printed_page_gives_the_content_of_the_text(text: str) -> None:
    program = made.chromium()
    if program is None:
        pytest.skip("no Chromium here to print a page with")
    _assert_same(_read(made.as_printed_page(made.in_lines(made.blocks_of(text)), program)), text, also=_OF_PAGES)


@pytest.mark.parametrize(
    ("maker", "source", "target", "kind"),
    [
        (made.as_docx, "docx", "odt", SourceKind.ODT),
        (made.as_docx, "docx", "doc", SourceKind.DOC),
        (made.as_docx, "docx", "rtf", SourceKind.RTF),
        (made.as_xlsx, "xlsx", "ods", SourceKind.ODS),
        (made.as_xlsx, "xlsx", "xls", SourceKind.XLS),
    ],
    ids=["odt", "doc", "rtf", "ods", "xls"],
)
def test_files_of_libreoffice_give_the_content_of_the_text(
    text: str, maker: Callable[..., bytes], source: str, target: str, kind: SourceKind
) -> None:
    program = made.soffice()
    if program is None:
        pytest.skip("LibreOffice is not installed")
    data = made.by_libreoffice(maker(made.in_lines(made.blocks_of(text))), source, target, program)
    read = _read(data)
    assert read.kind is kind
    _assert_same(read, text, also=_OF_PAGES)


@pytest.mark.parametrize("new_pages", [True, False], ids=["each table on a new page", "tables cut by pages"])
def test_a_pdf_of_libreoffice_gives_the_content_of_the_text(text: str, new_pages: bool) -> None:
    """But for the blanks where a line of a cell was folded: LibreOffice draws none there."""
    program = made.soffice()
    if program is None:
        pytest.skip("LibreOffice is not installed")
    word = made.as_docx(made.in_lines(made.blocks_of(text)), new_pages=new_pages)
    read = _read(made.by_libreoffice(word, "docx", "pdf", program))
    assert read.kind is SourceKind.PDF
    assert changes(_without_blanks(read_text(text.encode()).content), _without_blanks(read.content)) == []
    assert read.coverage.share == 1.0


def _without_blanks(content: BudgetText) -> Any:
    return json.loads(json.dumps(to_json(content), ensure_ascii=False).replace(" ", ""))


def test_numbers_of_a_workbook_are_read_as_they_are_shown(text: str) -> None:
    read = _read(made.as_xlsx(made.blocks_of(text), numbers=True))
    assert changes(to_json(read_text(text.encode()).content), to_json(read.content)) == []


def test_kind_is_told_by_the_bytes_and_a_false_name_is_said(sample: str) -> None:
    read = _read(made.as_docx(made.blocks_of(sample)), "图书馆2021.pdf")
    assert read.kind is SourceKind.DOCX
    said = [item for item in read.findings if item.code == "I007"]
    assert [item.raw for item in said] == ["图书馆2021.pdf"]
    assert "docx" in said[0].reason
    assert not [item for item in _read(sample.encode(), "图书馆2021.txt").findings if item.code == "I007"]


def test_text_file_is_read_as_before(text: str) -> None:
    read, plain = _read(text.encode("gb18030")), read_text(text.encode("gb18030"))
    assert (read.content, read.findings, read.kind, read.encoding) == (
        plain.content, plain.findings, SourceKind.TEXT, "gb18030",
    )  # fmt: skip
    assert read.coverage.share == 1.0


def _tables(blocks: Iterable[str | Table], change: Callable[[Table], Table]) -> list[str | Table]:
    return [block if isinstance(block, str) else change(block) for block in blocks]


def _header_row(table: Table) -> int:
    return next(box.row for box in table.boxes if box.words == "一级指标")


@pytest.mark.parametrize("kind", ["docx", "html", "xlsx"])
def test_columns_in_another_order_give_the_same_content(sample: str, kind: str) -> None:
    order = {0: 0, 1: 1, 2: 4, 3: 2, 4: 3, 5: 5, 6: 6}

    def shuffled(table: Table) -> Table:
        first = _header_row(table)
        moved = [replace(box, column=order[box.column]) if box.row >= first else box for box in table.boxes]
        return replace(table, boxes=tuple(sorted(moved, key=lambda box: (box.row, box.column))))

    _assert_same(_read(made.MAKERS[kind](_tables(made.blocks_of(sample), shuffled))), sample)


def test_cells_under_a_header_that_they_are_not_aligned_with_go_to_its_column(sample: str) -> None:
    """Word draws borders by hand: the header's cells and the cells below them begin on different lines of the grid."""

    def drawn(table: Table) -> Table:
        first = _header_row(table)
        boxes: list[Box] = []
        for box in table.boxes:
            start, end = 3 * box.column, 3 * (box.column + box.columns)
            if box.row > first and box.column > 0:
                start, end = start + 1, min(end + 1, 3 * table.columns)
            elif box.row > first:
                end += 1
            boxes.append(replace(box, column=start, columns=end - start))
        return Table(table.rows, 3 * table.columns, tuple(boxes))

    _assert_same(_read(made.as_docx(_tables(made.blocks_of(sample), drawn))), sample)


def _values(value: Any, place: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, member in value.items():
            if key not in ("id", "schema", "projects") or (isinstance(member, list) and place == ""):
                yield from _values(member, f"{place}/{key}")
    elif isinstance(value, list):
        for at, member in enumerate(value):
            yield from _values(member, f"{place}/{at}")


def _invented(read: ReadResult, text: str) -> list[tuple[str, str]]:
    """Members of the content whose words do not stand in the source, and that no finding answers for."""
    source = "".join(text.split())
    figures = {figure.rstrip("%").rstrip("0").rstrip(".") for figure in source.replace("%", "% ").split() if figure}
    repaired = {item.place for item in read.findings if item.repaired is not None}
    found = []
    for place, value in _values(to_json(read.content)):
        words = "".join(value.split())
        bare = words.rstrip("0").rstrip(".") if "." in words else words
        if words not in source and (bare or "0") not in source and bare not in figures and place not in repaired:
            found.append((place, value))
    return found


def test_the_look_for_invented_values_finds_one(sample: str) -> None:
    read = _read(sample.encode())
    assert _invented(read, sample) == []
    assert ("/projects/0/budget/total", "86400.00") in _invented(read, sample.replace("86400.00", "77777.00"))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", ["docx", "html"])
def test_a_lost_merge_is_found_and_nothing_is_invented(two_projects: str, sample: str, kind: str, seed: int) -> None:
    """One merged cell of a table comes apart: the cells to its right move over, or the cells below it are missing."""
    chance = random.Random(seed)
    text = chance.choice([two_projects, sample])

    def damaged(table: Table) -> Table:
        merged = [box for box in table.boxes if box.rows > 1 or box.columns > 1]
        lost = chance.choice(merged)
        boxes: list[Box] = []
        for box in table.boxes:
            if box == lost:
                boxes.append(replace(box, rows=1, columns=1))
            elif box.row in range(lost.row, lost.row + lost.rows) and box.column > lost.column:
                below = box.row > lost.row
                moved = lost.columns if below else lost.columns - 1
                boxes.append(replace(box, column=box.column - moved))
            else:
                boxes.append(box)
        return _filled(Table(table.rows, table.columns, tuple(boxes)))

    read = _read(made.MAKERS[kind](_tables(made.blocks_of(text), damaged)))
    assert _invented(read, text) == []
    differences = changes(to_json(read_text(text.encode()).content), to_json(read.content))
    beyond = _said(read.findings) - _said(read_text(text.encode()).findings)
    assert not differences or beyond, differences


def _filled(table: Table) -> Table:
    """The table with empty cells where rows have become too short."""
    taken = {
        (box.row + down, box.column + across)
        for box in table.boxes
        for down in range(box.rows)
        for across in range(box.columns)
    }
    empty = [
        Box(row, column, "")
        for row in range(table.rows)
        for column in range(table.columns)
        if (row, column) not in taken
    ]
    return replace(table, boxes=tuple(sorted([*table.boxes, *empty], key=lambda box: (box.row, box.column))))


def test_a_figure_wider_than_its_cell_is_not_parted(two_projects: str) -> None:
    narrow = [
        block if isinstance(block, str) else replace(block, boxes=tuple(replace(box) for box in block.boxes))
        for block in made.blocks_of(two_projects)
    ]
    widths = made._WIDTHS
    try:
        made._WIDTHS = (22, 22, 26, 0, 38, 24, 4)
        read = _read(made.as_pdf(narrow))
    finally:
        made._WIDTHS = widths
    expected = to_json(read_text(two_projects.encode()).content)
    assert [project["budget"] for project in to_json(read.content)["projects"]] == [
        project["budget"] for project in expected["projects"]
    ]


def test_what_found_no_place_is_counted_and_listed(sample: str) -> None:
    odd = sample.replace("单位：元\n", "单位：元\n本表一式两份\n")
    read = _read(made.as_docx(made.blocks_of(odd)))
    assert read.coverage.kept == len("本表一式两份")
    assert read.coverage.left == 0
    assert read.coverage.share < 1
    assert read.coverage.to_json()["percent"] == "99.71"
    assert [item.raw for item in read.findings if item.code == "I055"] == ["本表一式两份"]
