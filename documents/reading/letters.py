"""Letters (批复, 通知, 函) about a text: recognized, so that none is read as a budget text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from documents.reading.layout_files import FormKind
from documents.reading.lines import Line
from models.canonical import without_empty
from models.errors import InvalidInput

_NUMBER = re.compile(r"[\u4e00-\u9fff]{1,12}\s*[〔\[［(（]\s*20\d\d\s*[〕\]］)）]\s*第?\s*\d{1,5}\s*号")
_TITLE = re.compile(r"[^。；]{0,60}关于[^。；]{2,80}的?(?P<kind>批复|复函|通知|函)")
_ADDRESSEE = re.compile(r"(?P<name>[\u4e00-\u9fff（）()、]{2,40})[：:]")
_MONEY = re.compile(r"\d[\d,]*(?:\.\d+)?\s*(?:万元|亿元|元)")
# A letter says what it is on its first lines; a text that quotes one does not.
_FIRST_LINES: Final = 8
_MOST_AMOUNTS: Final = 20


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter: its kind as written, number, title, whom it is to, and the amounts of money in it as written."""

    kind: str
    document_number: str
    title: str
    addressee: str
    money: tuple[str, ...]


def letter_of(lines: Sequence[Line]) -> Letter | None:
    """The letter that the lines are, or None. A letter has a title 关于…的批复 among its first lines, and no table."""
    first = lines[:_FIRST_LINES]
    at = next((at for at, line in enumerate(first) if len(line.words) <= 120 and _TITLE.fullmatch(line.words)), None)
    if at is None or any(
        line.is_row or "一级指标" in line.words or line.words.startswith("第一部分") for line in lines
    ):
        return None
    number = next((match[0] for line in first if len(line.words) <= 80 and (match := _NUMBER.search(line.words))), "")
    addressee = next(
        (match["name"] for line in lines[at + 1 : at + 4] if (match := _ADDRESSEE.fullmatch(line.words[:60]))), ""
    )
    if not number and not addressee:
        return None
    title = _TITLE.fullmatch(first[at].words)
    amounts = [amount for line in lines for amount in _MONEY.findall(line.words)]
    return Letter(title["kind"] if title else "", number, first[at].words, addressee, tuple(amounts[:_MOST_AMOUNTS]))


def refuse_letter(lines: Sequence[Line]) -> None:
    """Raises InvalidInput, with what the letter says, where the lines are one."""
    letter = letter_of(lines)
    if letter is None:
        return
    number = f"（{letter.document_number}）" if letter.document_number else ""
    raise InvalidInput(
        f"这是一份{letter.kind}“{letter.title[:60]}”{number}，不是预算绩效文本，没有读取；请作为附件随文本保存，导入的请选文本本身。",
        form=FormKind.LETTER.value,
        letter=without_empty(asdict(letter)),
    )
