"""The numbers that Word draws before paragraphs: they stand in no text, only in the numbering part.

ECMA-376 part 1, 17.9: a paragraph names a list and a level, by itself or through its style; a level has a format, a start
and a pattern such as ``%1、``. Deeper levels begin again when a higher one counts on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from docx.oxml.ns import qn

_HAN: Final = "零一二三四五六七八九"
_PLACEHOLDER = re.compile(r"%([1-9])")
_DEEPEST: Final = 9
_LONGEST_STYLE_CHAIN: Final = 20


def chinese_number(value: int) -> str:
    """A count as Chinese lists write it: 十, 十二, 二十, 一百零五; digits above 999."""
    if not 0 < value < 1000:
        return str(value)
    hundreds, rest = divmod(value, 100)
    tens, ones = divmod(rest, 10)
    words = f"{_HAN[hundreds]}百" if hundreds else ""
    if tens:
        words += ("" if tens == 1 and not hundreds else _HAN[tens]) + "十"
    elif hundreds and ones:
        words += "零"
    return words + (_HAN[ones] if ones else "")


def _letters(value: int) -> str:
    return chr(ord("a") + (value - 1) % 26) * ((value - 1) // 26 + 1) if 0 < value <= 780 else str(value)


def _roman(value: int) -> str:
    if not 0 < value < 400:
        return str(value)
    words = ""
    for sign, worth in (
        ("c", 100),
        ("xc", 90),
        ("l", 50),
        ("xl", 40),
        ("x", 10),
        ("ix", 9),
        ("v", 5),
        ("iv", 4),
        ("i", 1),
    ):
        words += sign * (value // worth)
        value %= worth
    return words


def _circled(value: int) -> str:
    return chr(0x245F + value) if 0 < value <= 20 else str(value)


_FORMATS: Final[dict[str, Callable[[int], str]]] = {
    "decimal": str,
    "decimalFullWidth": lambda value: str(value).translate({48 + at: 0xFF10 + at for at in range(10)}),
    "decimalZero": lambda value: f"{value:02d}",
    "chineseCounting": chinese_number,
    "chineseCountingThousand": chinese_number,
    "chineseLegalSimplified": chinese_number,
    "japaneseCounting": chinese_number,
    "taiwaneseCounting": chinese_number,
    "taiwaneseCountingThousand": chinese_number,
    "ideographDigital": chinese_number,
    "lowerLetter": _letters,
    "upperLetter": lambda value: _letters(value).upper(),
    "lowerRoman": _roman,
    "upperRoman": lambda value: _roman(value).upper(),
    "decimalEnclosedCircle": _circled,
    "decimalEnclosedCircleChinese": _circled,
}


@dataclass(frozen=True, slots=True)
class _Level:
    """How one level of a list counts; ``digits`` where it writes the numbers of the levels above it in digits too."""

    start: int
    format: str
    pattern: str
    digits: bool


class Numbering:
    """Counts the lists of one document; ask for each paragraph once, in the order of the text."""

    def __init__(self, numbering: Any | None, styles: Any | None) -> None:
        self._abstract: dict[str, str] = {}
        self._levels: dict[str, dict[int, _Level]] = {}
        self._own: dict[str, dict[int, _Level]] = {}
        self._style_lists = _style_lists(styles) if styles is not None else {}
        self._counts: dict[str, list[int]] = {}
        if numbering is None:
            return
        for abstract in numbering.iterchildren(qn("w:abstractNum")):
            self._levels[abstract.get(qn("w:abstractNumId"), "")] = _levels(abstract)
        for number in numbering.iterchildren(qn("w:num")):
            key = number.get(qn("w:numId"), "")
            self._abstract[key] = _value(number, "w:abstractNumId") or ""
            self._own[key] = {}
            for override in number.iterchildren(qn("w:lvlOverride")):
                self._own[key] |= _levels(override)

    def label(self, paragraph: Any) -> str:
        """The number that Word draws before a paragraph, "" where it draws none (or a bullet)."""
        properties = paragraph.find(qn("w:pPr"))
        if properties is None:
            return ""
        key, depth = _list_of(properties)
        if key is None:
            key, style_depth = self._style_lists.get(_value(properties, "w:pStyle") or "", (None, 0))
            depth = depth or style_depth
        if key is None or key == "0" or key not in self._abstract or not 0 <= depth < _DEEPEST:
            return ""
        # Lists of one abstract list count together, as Word has it.
        group = self._abstract[key]
        levels = self._levels.get(group, {}) | self._own[key]
        level = levels.get(depth)
        if level is None:
            return ""
        counts = self._counts.setdefault(group, [0] * _DEEPEST)
        for at in range(depth):
            counts[at] = counts[at] or (levels[at].start if at in levels else 1)
        counts[depth] = counts[depth] + 1 if counts[depth] else level.start
        counts[depth + 1 :] = [0] * (_DEEPEST - depth - 1)
        if level.format in ("bullet", "none"):
            return ""

        def number(match: re.Match[str]) -> str:
            at = int(match[1]) - 1
            shown = levels[at].format if at in levels and not level.digits else "decimal"
            return _FORMATS.get(shown, str)(counts[at])

        return _PLACEHOLDER.sub(number, level.pattern)


def _levels(parent: Any) -> dict[int, _Level]:
    found: dict[int, _Level] = {}
    for level in parent.iterchildren(qn("w:lvl")):
        depth = _number(level.get(qn("w:ilvl")), 0)
        pattern = (_value(level, "w:lvlText") or "")[:40]
        legal = level.find(qn("w:isLgl"))
        digits = legal is not None and legal.get(qn("w:val"), "1") not in ("0", "false", "off")
        form = _value(level, "w:numFmt") or "decimal"
        found[depth] = _Level(_number(_value(level, "w:start"), 1), form, pattern, digits)
    return found


def _style_lists(styles: Any) -> dict[str, tuple[str | None, int]]:
    """The list and level of each paragraph style that has one, by itself or through the style it is based on."""
    own: dict[str, tuple[str | None, int]] = {}
    parents: dict[str, str] = {}
    for style in styles.iterchildren(qn("w:style")):
        key = style.get(qn("w:styleId"), "")
        properties = style.find(qn("w:pPr"))
        own[key] = _list_of(properties) if properties is not None else (None, 0)
        parents[key] = _value(style, "w:basedOn") or ""
    found: dict[str, tuple[str | None, int]] = {}
    for key in own:
        ancestor = key
        for _ in range(_LONGEST_STYLE_CHAIN):
            if own.get(ancestor, (None, 0))[0] is not None or ancestor not in parents:
                break
            ancestor = parents[ancestor]
        found[key] = own.get(ancestor, (None, 0))
    return found


def _list_of(properties: Any) -> tuple[str | None, int]:
    listed = properties.find(qn("w:numPr"))
    if listed is None:
        return None, 0
    return _value(listed, "w:numId"), _number(_value(listed, "w:ilvl"), 0)


def _value(parent: Any, name: str) -> str | None:
    child = parent.find(qn(name))
    value = child.get(qn("w:val")) if child is not None else None
    return str(value) if value is not None else None


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and re.fullmatch(r"\d{1,6}", text) else default
