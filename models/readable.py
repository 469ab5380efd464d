"""Text that people can read and both databases can hold: NFC, and no characters that nobody sees."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

from models.errors import InvalidInput
from models.places import join

# Control characters and half characters. Line breaks and tabs stand in texts.
_UNSEEN = ("Cc", "Cs")
_BREAKS = "\n\t"
# Zero-width blanks, and marks that turn the direction of writing: two texts that look alike would differ.
_HIDDEN = frozenset("\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")


def unseen(text: str) -> str | None:
    """The first character of a text that nobody sees, or None."""
    return next(
        (item for item in text if item in _HIDDEN or (item not in _BREAKS and unicodedata.category(item) in _UNSEEN)),
        None,
    )


def visible(text: str) -> str:
    """A text as a terminal can show it: what nobody sees, and what would steer the terminal, as the sign for that.

    Names of files and words of files that are only looked at were never held against ``require_readable``.
    """
    if unseen(text) is None:
        return text
    return "".join("\ufffd" if unseen(item) is not None else item for item in text)


def require_readable(value: Any) -> None:
    """Raises InvalidInput, naming the place, where a JSON value holds text that is not readable or not in NFC.

    PostgreSQL refuses NUL, a terminal obeys ESC, no font sets either; and two spellings of one character would make two
    hashes of what looks the same to every reader.
    """
    for place, text in _texts(value, []):
        character = unseen(text)
        if character is not None:
            raise InvalidInput(
                f"{place or '内容'} 中有不能显示的字符 U+{ord(character):04X}；请去掉后重试。", place=place
            )
        if not unicodedata.is_normalized("NFC", text):
            raise InvalidInput(f"{place or '内容'} 中有不是 NFC 规范形式的文字；请以 NFC 保存后重试。", place=place)


def _texts(value: Any, tokens: list[str]) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield join(tokens), value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from _texts(member, [*tokens, str(key)])
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from _texts(member, [*tokens, str(number)])
