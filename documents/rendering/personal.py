"""What looks personal: labels of persons, and phone numbers, ID-card numbers, e-mail addresses and names within words.

A pattern says only that somebody should look: a hotline is a phone number, too. Money and codes have digits as well, so a
number is taken for a phone's only where nothing goes on before and after it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

# 姓名 of a contact comes under many labels, and forms spread them with blanks (联 系 人), so blanks are taken out first.
_PERSONAL: Final = re.compile(r"联系人|联系方式|电话|负责人|手机|经办人|填报人|填表人|姓名|电子邮箱|邮箱|身份证")
_BLANK: Final = re.compile(r"\s+")
_BEFORE: Final = r"(?<![0-9A-Za-z.])"
_AFTER: Final = r"(?![0-9A-Za-z]|\.[0-9]|\s?(?:元|万|亿))"
PHONE: Final = "电话号码"
CARD: Final = "身份证号"
MAIL: Final = "电子邮箱"
NAME: Final = "姓名"
_PATTERNS: Final = (
    # GB 11643: region, day of birth, order, check character; numbers of before 1999 have two digits of the year and no check.
    (CARD, re.compile(r"(?<![0-9A-Za-z])[1-9]\d{5}(?:(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]|\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3})(?![0-9A-Za-z])")),
    (PHONE, re.compile(rf"{_BEFORE}(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{{4}}[- ]?\d{{4}}{_AFTER}")),
    (PHONE, re.compile(rf"{_BEFORE}(?:\(0\d{{2,3}}\)[- ]?|0\d{{2,3}}[- ]?)[1-9]\d{{6,7}}{_AFTER}")),
    (PHONE, re.compile(rf"(?:电话|手机|联系方式|热线|传真|[Tt][Ee][Ll])\D{{0,6}}[1-9]\d{{6,7}}{_AFTER}")),
    (MAIL, re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")),
)  # fmt: skip
# Members that are codes by their nature.
_CODES: Final = frozenset({"id", "schema", "code", "unit_code", "part_of"})
_NAME: Final = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff·]{2,}")


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Something that looks personal: its place by stable ids, its kind, and as much of it as is needed to find it."""

    place: str
    kind: str
    shown: str


def is_personal(label: str) -> bool:
    """Whether a form's label names a person, or a way to reach one."""
    return _PERSONAL.search(_BLANK.sub("", label)) is not None


def persons_in(words: str) -> tuple[str, ...]:
    """The names of persons in a field that holds such, as “王 明” or “王小明、李大华 13900001111”."""
    parts = re.split(r"[\s、，,;；/（）()]+", words.strip())
    if parts and all(len(part) == 1 for part in parts):
        parts = ["".join(parts)]
    return tuple(part for part in parts if _NAME.fullmatch(part))


def looks_personal(value: Any, names: frozenset[str], place: str = "") -> Iterator[Suspicion]:
    """What looks personal in a content as JSON, each thing once for each place."""
    if isinstance(value, dict):
        for member, inner in value.items():
            if member not in _CODES:
                yield from looks_personal(inner, names, f"{place}/{member}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            named = inner.get("id") if isinstance(inner, dict) else None
            yield from looks_personal(inner, names, f"{place}/{named or number}")
    elif isinstance(value, str):
        yield from dict.fromkeys(Suspicion(place, kind, shown) for kind, shown in _found(value, names))


def _found(words: str, names: frozenset[str]) -> Iterator[tuple[str, str]]:
    # Digits and letters of input methods are wider than those of the patterns.
    plain = unicodedata.normalize("NFKC", words)
    taken: list[tuple[int, int]] = []
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(plain):
            if not any(match.start() < end and start < match.end() for start, end in taken):
                taken.append(match.span())
                yield kind, _masked(match[0])
    together = _BLANK.sub("", words)
    for name in sorted(names):
        if name in together:
            yield NAME, f"{name[0]}{'*' * (len(name) - 1)}"


def _masked(found: str) -> str:
    """The first three characters, and stars: a warning that repeats a number would be one more place where it stands."""
    return f"{found[:3]}{'*' * min(len(found) - 3, 8)}"
