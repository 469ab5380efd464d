"""What holds for any bytes, and for the samples however they are damaged."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading_look import EXAMPLES

from documents.reading import Reading, read_text
from models.content import content_bytes, parse_content, to_json
from models.errors import InvalidInput

_TEXTS = [(EXAMPLES / name).read_text(encoding="utf-8") for name in ("library-2021.txt", "two-projects-2021.txt")]
_PIECES = [
    "\t", "\n", " ", "\u3000", "1.", "一）", "（", "：", "目录", "第一部分", "绩效", "≥", "95%", "万元", "2021年", "项目编码",
    "一级指标\t二级指标\t三级指标\t指标值", "绩效目标", "-", "90-95%", "\f", "\u200b", "⽬", "单位：万元", ".....\t3", "O", "业业",
]  # fmt: skip
# 鱻 stands in neither sample and in no label.
_MARK = "鱻"


def _checked_read(data: bytes) -> Reading | None:
    """The reading of any bytes; anything else than a Reading or InvalidInput fails the test."""
    try:
        reading = read_text(data)
    except InvalidInput as error:
        refusal = error.message
    else:
        _check(reading)
        return reading
    assert refusal.endswith("。")
    return None


def _check(reading: Reading) -> None:
    assert parse_content(content_bytes(reading.content)) == reading.content
    for item in reading.findings:
        assert item.reason
        assert 0 <= item.confidence <= 1
        assert item.place == "" or item.place.startswith("/")


@st.composite
def _damaged(draw: st.DrawFn) -> str:
    lines = draw(st.sampled_from(_TEXTS)).split("\n")
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        column = draw(st.integers(0, len(lines[at])))
        match draw(st.integers(0, 5)):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[at])
            case 2:
                lines[at] = lines[at].rstrip("\t")
            case 3:
                lines = [line.rstrip("\t") for line in lines]
            case 4:
                lines[at] = lines[at][:column] + draw(st.sampled_from(_PIECES)) + lines[at][column:]
            case _:
                lines[at] = lines[at][:column] + lines[at][column + draw(st.integers(1, 4)) :]
        if not lines:
            break
    return "\n".join(lines)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=2000))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    _checked_read(data)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.one_of(st.sampled_from(_PIECES), st.text(max_size=12)), max_size=80).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    _checked_read(text.encode("utf-8", "surrogatepass"))


@settings(deadline=None, max_examples=300)
@given(_damaged())
def test_damaged_samples_are_read_or_refused_and_read_the_same_twice(text: str) -> None:
    first, second = _checked_read(text.encode()), _checked_read(text.encode())
    assert first == second


@settings(deadline=None, max_examples=100)
@given(_damaged())
def test_encoding_and_line_ends_change_nothing(text: str) -> None:
    plain = _checked_read(text.encode())
    for data in (text.encode("utf-8-sig"), text.encode("gb18030"), text.replace("\n", "\r\n").encode()):
        other = _checked_read(data)
        assert (other is None) == (plain is None)
        if plain is not None and other is not None:
            assert (other.content, other.findings) == (plain.content, plain.findings)


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(_TEXTS), st.data())
def test_no_character_is_dropped_wherever_it_is_written(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    reading = _checked_read((text[:at] + _MARK + text[at:]).encode())
    if reading is None:
        return
    found = json.dumps(to_json(reading.content), ensure_ascii=False)
    found += "".join(item.raw for item in reading.findings) + "".join(entry.title for entry in reading.contents)
    assert _MARK in found


_LONG = 1_000_000
_FLOODS = {
    "blanks": " " * _LONG,
    "dots": "." * _LONG + "5",
    "ellipses": "…" * _LONG + "1",
    "digits": "9" * _LONG,
    "tabs": "\t" * _LONG,
    "numerals": "一" * _LONG,
    "brackets": "（" * _LONG,
    "commas": "1," * (_LONG // 2),
    "years": "2021 年" * (_LONG // 6),
    "doubled": "业" * _LONG,
    "invisible": "\u200b" * _LONG,
    "goals": "1.某。" * (_LONG // 4),
    "spaced heading": "第" + " " * _LONG + "部分",
}
_PLACES: dict[str, Callable[[str], str]] = {
    "alone": lambda flood: flood,
    "paragraph": lambda flood: _TEXTS[0].replace("修订借阅", flood + "修订借阅"),
    "cell": lambda flood: _TEXTS[0].replace("开展8次服务", flood),
    "money": lambda flood: _TEXTS[0].replace("\t86400.00", "\t" + flood, 1),
    "code": lambda flood: _TEXTS[0].replace("99042121H7KQ3O85", flood),
    "title": lambda flood: _TEXTS[0].replace("2021 年部门", flood + "2021 年部门"),
    "contents": lambda flood: _TEXTS[0].replace(".....\t2", flood),
}


@pytest.mark.parametrize("place", _PLACES)
@pytest.mark.parametrize("flood", _FLOODS)
def test_a_flood_of_one_character_does_not_hang(flood: str, place: str) -> None:
    """Quadratic work on a megabyte takes hours; the bound is far from both, so that a slow machine does not matter."""
    start = time.process_time()
    _checked_read(_PLACES[place](_FLOODS[flood]).encode())
    assert time.process_time() - start < 20


def test_work_grows_with_the_number_of_projects() -> None:
    """Twenty times as many tables take about twenty times the calls and not four hundred; calls are counted, not time.

    A place is found by looking through its list, which is all that may grow faster.
    """
    head, mark, table = _TEXTS[0].partition("1.阅读推广经费绩效目标表\n\n612003")

    def calls(count: int) -> int:
        tables = [f"{at}{mark[1:]}{table}\n".replace("阅读推广经费", f"阅读推广经费{at}") for at in range(1, count + 1)]
        data = (head + "".join(tables)).encode()
        seen = 0

        def profile(_frame: Any, event: str, _argument: Any) -> None:
            nonlocal seen
            seen += event in ("call", "c_call")

        before = sys.getprofile()
        sys.setprofile(profile)
        try:
            reading = read_text(data)
        finally:
            sys.setprofile(before)
        assert len(reading.content.projects) == count
        return seen

    calls(2)
    assert calls(160) < 35 * calls(8)
