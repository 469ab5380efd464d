"""Characters that no document can hold: found before a renderer sees them, and named with their place.

XML 1.0 has no control characters and no lone surrogates; the fonts have what they have, and PDF/A refuses the rest.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from documents.rendering.stage import Stage
from documents.rendering.titles import place_title
from models.content import to_json
from models.errors import InvalidInput

_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufeff\ufffe\uffff]")


def _strings(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _strings(member, f"{place}/{name}")
    elif isinstance(value, (list, tuple)):
        for number, member in enumerate(value):
            yield from _strings(member, f"{place}/{number}")


def _occurrences(stage: Stage) -> Iterator[tuple[str, str]]:
    yield from _strings(to_json(stage.content), "")
    for number, opinion in enumerate(stage.opinions, start=1):
        yield from ((f"第{number}条意见", words) for _, words in _strings(asdict(opinion), ""))
    for step in stage.steps:
        yield from ((f"办理环节“{step.title}”", words) for words in (step.title, step.by))
    rest = (stage.text_id, stage.status, stage.department, stage.finance, stage.reason, stage.document_number)
    yield from (("文书信息", words) for words in (*rest, stage.conclusion, stage.content_hash, *stage.copies_to))


def _named(character: str) -> str:
    # A control character or half a surrogate pair would spoil the message that names it.
    shown = "" if unicodedata.category(character[0]).startswith("C") else f"“{character}”"
    codes = " ".join(f"U+{ord(part):04X}" for part in character)
    return f"{shown}（{codes}）" if shown else codes


def refusal(stage: Stage, character: str) -> InvalidInput:
    """The error that names a character no document can hold, and the first place where it stands."""
    found = next((place for place, words in _occurrences(stage) if character in words), None)
    if found is None:
        where, place = "", None
    elif found.startswith("/"):
        where, place = f"{place_title(stage.content, found)}中的", found
    else:
        where, place = f"{found}中的", None
    return InvalidInput(
        f"{where}字符{_named(character)}无法排版：可用的字体中没有这个字符；请改用通用规范汉字，或在字体文件夹中补充含有该字的字体。",
        character=character.encode("utf-8", "backslashreplace").decode(),
        place=place,
    )


def refuse_forbidden(stage: Stage, made: str) -> None:
    """Raise InvalidInput for the first character in the words made for a stage that neither HTML nor PDF can hold."""
    match = _FORBIDDEN.search(made)
    if match:
        raise refusal(stage, match.group())


def refuse_unwritable(stage: Stage) -> None:
    """The same for everything that a stage holds, where what will be made of it is not known."""
    for _, words in _occurrences(stage):
        refuse_forbidden(stage, words)
