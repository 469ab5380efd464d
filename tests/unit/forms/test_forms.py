"""A content as a form: what is written is read back, a mistake is told with its line, and nothing is taken for a number."""

from __future__ import annotations

import contextlib
import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents.forms import KINDS, read_form, with_message, write_form
from documents.reading import read_text
from models.content import from_json, to_json
from models.errors import InvalidInput

SAMPLE = Path(__file__).parents[3] / "examples" / "library-2021.txt"
CONTENT = to_json(read_text(SAMPLE.read_bytes()).content)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to all words of a content that may be any words."""
    if isinstance(value, dict):
        return [found for key, member in value.items() for found in leaves(member, (*path, key))]
    if isinstance(value, list):
        return [found for number, item in enumerate(value) for found in leaves(item, (*path, number))]
    free = {"title", "text", "name", "description", "purpose", "indicator", "introduction", "basis", "value", "remark"}
    return [path] if path[-1] in free else []


WAYS = leaves(CONTENT)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
# What YAML would like to read otherwise.
ODD = st.sampled_from(
    [
        *(
            "95",
            "1e3",
            "0o17",
            "12:30",
            "2021-03-05",
            "true",
            "no",
            "null",
            "~",
            "是",
            "- a",
            "* b",
            "&c",
            "!d",
            "%",
            "@x",
        ),
        *(
            "a: b",
            "a #b",
            "'",
            '"',
            "[x]",
            "{y}",
            "|",
            ">",
            "≥95 ",
            " 前面有空格",
            "两行\n文字",
            "尾\n",
            "\n\n头",
            "a\u2028b",
        ),
        *("\u0085", "\ufeff", "\x7f", "𠮷", "-", "---", "...", "? k", "x:", "#", "#! 说明"),
    ]
)


def changed(values: dict[int, str]) -> Any:
    value = copy.deepcopy(CONTENT)
    for number, words in values.items():
        way = WAYS[number]
        target = value
        for token in way[:-1]:
            target = target[token]
        target[way[-1]] = words
    return to_json(from_json(value))


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.integers(0, len(WAYS) - 1), WORDS | ODD, max_size=8), st.sampled_from(KINDS))
def test_what_is_written_is_read_back(values: dict[int, str], kind: str) -> None:
    value = changed(values)
    form = read_form(write_form(value, kind, title="图书馆"), kind)
    assert form is not None
    assert form.value == value


def test_members_that_are_no_text_keep_their_type() -> None:
    value = copy.deepcopy(CONTENT)
    value["projects"][0]["indicators"][0]["core"] = True
    value["projects"][0]["indicators"][1]["core"] = False
    form = read_form(write_form(value, "yaml"), "yaml")
    assert form is not None
    assert form.value == value
    assert form.value["fiscal_year"] == 2021


def test_a_yaml_form_shows_blank_members_and_their_chinese_names() -> None:
    text = write_form(CONTENT, "yaml", title="图书馆")
    assert text.startswith("# 图书馆\n")
    assert "\n        # 符号\n        sign:\n" in text
    assert text.count("# 指标值确定依据\n") == 1, "a name is explained once and not at every indicator"
    assert "code: 612\n" in text, "a code is text, and text needs no quotes here"


@pytest.mark.parametrize("kind", KINDS)
def test_the_line_of_a_member_is_that_of_the_file(kind: str) -> None:
    text = write_form(CONTENT, kind)
    form = read_form(text, kind)
    assert form is not None
    line = form.line_of(("projects", "0", "budget", "total"))
    assert line is not None
    assert "86400.00" in text.splitlines()[line - 1]
    assert form.line_of(("projects", "0", "budget", "none")) == form.line_of(("projects", "0", "budget"))


def test_a_message_stands_at_the_top_and_only_the_newest() -> None:
    text = write_form(CONTENT, "json")
    first = with_message(text, "第 3 行有误\n请改正")
    assert first == f"#! 第 3 行有误\n#! 请改正\n{text}"
    assert with_message(first, "还有一处") == f"#! 还有一处\n{text}"
    form = read_form(first, "json")
    assert form is not None
    assert form.value == CONTENT


@pytest.mark.parametrize("kind", KINDS)
def test_an_emptied_form_says_nothing(kind: str) -> None:
    assert read_form("", kind) is None
    assert read_form("# 说明\n\n#! 有误\n", kind) is None


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        ("yaml", "title: a\ntitle: b\n", "第 2 行的“title”在同一处写了两次"),
        ("yaml", "title: a\n  b: c\n", "第 2 行不是有效的 YAML"),
        ("yaml", "# x\n\ntitle: [a\n", "第 4 行不是有效的 YAML"),
        ("yaml", "a: &x 1\nb: *x\n", "YAML 的引用"),
        ("yaml", "? [a, b]\n: c\n", "第 1 行的名称不是文字"),
        ("yaml", "[" * 400, "嵌套太深|不是有效的 YAML"),
        ("yaml", "a: \x01\n", "控制字符"),
        ("json", '# x\n\n{"a": 1,}\n', "第 3 行"),
        ("json", '{"a": 1, "a": 2}', "成员“a”写了两次"),
        ("json", "[" * 100_000, "不是有效的 JSON"),
    ],
)
def test_a_mistake_is_told_with_its_line(kind: str, text: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        read_form(text, kind)


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=200)
    | st.lists(st.sampled_from(["a", ":", " ", "\n", "-", "[", "]", "{", "}", "#", "'", "&"])).map("".join),
    st.sampled_from(KINDS),
)
def test_any_form_is_read_or_refused(text: str, kind: str) -> None:
    with contextlib.suppress(InvalidInput):
        read_form(text, kind)
