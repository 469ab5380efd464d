"""What jixiao prints is read back as it was: no field is wrong, and its imprint is no part of the text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from documents.reading import Limits, ReadResult, read_file, read_text
from documents.reading.imprint import without_imprint
from documents.reading.lines import cleaned_lines
from documents.rendering import Stage, render_html, render_pdf
from documents.rendering.plain import render_txt
from documents.rendering.word import render_docx
from models.content import BudgetText, content_hash, to_json

_HASH = "0123456789abcdef" * 4
_WRITERS: dict[str, Callable[[Stage], bytes]] = {
    "html": render_html,
    "txt": render_txt,
    "docx": render_docx,
    "pdf": render_pdf,
}


@pytest.fixture(params=["sample", "two_projects", "seed_text"])
def content(request: pytest.FixtureRequest) -> BudgetText:
    return read_text(str(request.getfixturevalue(request.param)).encode()).content


def draft(content: BudgetText) -> Stage:
    return Stage(
        document="draft",
        content=content,
        text_id="01932f6e-8f4b-7c1a-9d3e-5b6a7c8d9e0f",
        version=2,
        content_hash=content_hash(content),
        status="草案",
        issued_on=date(2021, 3, 5),
        department=content.department.unit_name or content.department.name,
        finance=content.reviewing_body,
    )


def fields(content: BudgetText) -> dict[str, Any]:
    """The fields without blanks: a page prints none beside Chinese characters. A cell as it was read is no field."""

    def flat(value: Any, place: str) -> Any:
        if isinstance(value, dict):
            for name, member in value.items():
                if name not in ("id", "raw_value"):
                    yield from flat(member, f"{place}/{name}")
        elif isinstance(value, list):
            for number, member in enumerate(value):
                yield from flat(member, f"{place}/{number}")
        else:
            yield place, "".join(value.split()) if isinstance(value, str) else value

    return dict(flat(to_json(content), ""))


def back(content: BudgetText, kind: str) -> ReadResult:
    return read_file(_WRITERS[kind](draft(content)), limits=Limits(seconds=120))


@pytest.mark.parametrize("kind", ["html", "txt", "docx"])
def test_a_draft_reads_back_without_a_wrong_field(content: BudgetText, kind: str) -> None:
    read = back(content, kind)
    assert fields(read.content) == fields(content)
    if kind != "docx":
        # Headers and footers of a Word file are never read, and counted as left.
        assert read.coverage.left == 0


def test_a_printed_draft_reads_back_without_a_wrong_field(sample: str) -> None:
    content = read_text(sample.encode()).content
    assert fields(back(content, "pdf").content) == fields(content)


def test_what_was_left_out_of_a_page_is_said_once(sample: str) -> None:
    read = back(read_text(sample.encode()).content, "html")
    (said,) = [item for item in read.findings if item.code == "I005"]
    assert "本系统打印" in said.reason
    assert "内容哈希" in said.raw


def test_the_sentence_that_names_the_projects_of_a_sub_goal_becomes_their_link(two_projects: str) -> None:
    content = read_text(two_projects.encode()).content
    read = back(content, "html")
    assert [goal.projects for goal in read.content.sub_goals] == [goal.projects for goal in content.sub_goals]
    written = [item for item in read.findings if item.code == "I042"]
    assert written
    assert {item.repaired for item in written} == {None}
    assert not [item for item in read.findings if item.code == "I040"]


@pytest.mark.parametrize(
    "line",
    [
        "文本编号 01932f6e-8f4b-7c1a-9d3e-5b6a7c8d9e0f　版本 3",
        f"内容哈希（SHA-256）{_HASH}",
        f"版本 3　内容哈希 {_HASH}",
        f"— 2 — 版本 3 内容哈希 {_HASH[:16]}",
        f"版本 3 内容哈希 {_HASH[:16]} — 3 —",
    ],
)
def test_each_line_of_an_imprint_is_left_out(line: str) -> None:
    kept, found = without_imprint(cleaned_lines(f"甲\n{line}\n乙\n")[0])
    assert [item.words for item in kept] == ["甲", "乙"]
    assert [item.raw for item in found] == [line]


@pytest.mark.parametrize("line", ["版本 3", "3", "系统升级到版本 3，内容哈希由软件算出。", "内容哈希（SHA-256）待填"])
def test_other_lines_stay(line: str) -> None:
    lines, _ = cleaned_lines(f"{line}\n")
    assert without_imprint(lines) == (lines, ())
