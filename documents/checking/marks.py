"""规范性: mixed numbering, half-width marks in Chinese text, and doubled characters (T002)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from documents.checking.context import Context
from documents.checking.members import texts_of
from documents.checking.registry import Objection, rule
from documents.checking.wording import owner, quote
from documents.reading.lines import Line
from documents.reading.wording import doubled_characters
from models.findings import Criterion, Severity

_HALF_WIDTH = re.compile(
    r"(?<=[\u4e00-\u9fff])[,;:?!](?=[\u4e00-\u9fff]|$)|\((?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff])\)"
)
_MARK_TWICE = re.compile(r"([，。；：、！？])\1")
_TWICE = re.compile(r"([\u4e00-\u9fff])\1")
# How numbered paragraphs begin; one member uses one way for one level.
_STYLES: Final = (
    ("（一）", re.compile(r"（[一二三四五六七八九十]{1,3}）")),
    ("(一)", re.compile(r"\([一二三四五六七八九十]{1,3}\)")),
    ("一）", re.compile(r"[一二三四五六七八九十]{1,3}）")),
    ("一)", re.compile(r"[一二三四五六七八九十]{1,3}\)")),
    ("（1）", re.compile(r"（\d{1,2}）")),
    ("(1)", re.compile(r"\(\d{1,2}\)")),
    ("1.", re.compile(r"\d{1,2}[.．](?!\d)")),
    ("1、", re.compile(r"\d{1,2}、")),
)
_NUMBERING: Final = "I031"
_AROUND: Final = 4
_LONGEST: Final = 20_000


@rule(
    "T002",
    Severity.HINT,
    Criterion.FORM,
    title="编号、标点或用字不规范",
    basis="编号写法前后一致，中文用全角标点，没有叠字",
)
def marks_and_numbering(context: Context) -> Iterator[Objection]:
    """One hint for each member and kind of fault, and one for the numbering of the file as it was read."""
    content = context.content
    mixed = [item for item in context.surroundings.read if item.code == _NUMBERING]
    if mixed:
        more = f"等 {len(mixed)} 处" if len(mixed) > 1 else ""
        yield Objection("", f"原文件的编号写法不一（{quote(mixed[0].raw)}{more}）；请统一编号的写法。")
    for place, text in texts_of(content):
        if not text or text.isascii():
            continue
        text = text[:_LONGEST]
        faults = [*_half_width(text), *_mixed(text), *_doubled(text)]
        if faults:
            of = owner(content, place[1:].split("/")[:-1]) or "总述"
            yield from (Objection(place, f"{of}的{fault}") for fault in faults)


def _half_width(text: str) -> Iterator[str]:
    found = list(_HALF_WIDTH.finditer(text))
    if found:
        first = found[0]
        around = text[max(0, first.start() - _AROUND) : first.end() + _AROUND]
        more = f"等 {len(found)} 处" if len(found) > 1 else ""
        yield f"{quote(around)}{more}用了半角标点；请改为全角。"


def _mixed(text: str) -> Iterator[str]:
    """More than one style of numbering of one kind of digits, Chinese or Arabic, at the beginning of lines."""
    if "\n" not in text:
        return
    lines = [line.strip() for line in text.splitlines()]
    used = [name for name, pattern in _STYLES if any(pattern.match(line) for line in lines)]
    for digit in ("一", "1"):
        styles = [name for name in used if digit in name]
        if len(styles) > 1:
            yield f"编号混用了 {' 和 '.join(styles)}；请统一编号的写法。"


def _doubled(text: str) -> Iterator[str]:
    mark = _MARK_TWICE.search(text)
    if mark:
        yield f"{quote(text[max(0, mark.start() - _AROUND) : mark.end() + _AROUND])}多打了标点；请删去一个。"
    # Almost no sentence has the same character twice in a row.
    if not _TWICE.search(text):
        return
    for found in doubled_characters([Line(1, text, text.replace("\t", " "))]):
        yield f"{quote(found.raw)}可能多打了字；请核对。"
