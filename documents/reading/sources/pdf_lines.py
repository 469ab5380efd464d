"""Characters of a PDF page to lines, and lines that were only wrapped back to paragraphs.

A PDF knows no paragraphs and no blanks that must be there: a line was wrapped where the next unbreakable piece (a word, or
a character with the marks that must not stand alone) would not have fitted any more, and ended where it would have.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

_OPENING: Final = "（(《〈“‘「『【〔［["
_CLOSING: Final = "，。、；：！？）)》〉”’」』】〕］]%％‰…,.;:!?"
# In parts of an em: letters are set apart by a real blank, Chinese and Latin by a quarter em that is none.
_BLANK_BETWEEN_LETTERS: Final = 0.15
_BLANK: Final = 0.45
_SAME_LINE: Final = 0.45
_TOLERANCE: Final = 0.12
_NUMBER_MARK = re.compile(
    r"第[一二三四五六七八九十]{1,3}部分|[（(]?[一二三四五六七八九十]{1,3}[、）)]|\d{1,3}[.．、](?!\d)|[（(]\d{1,3}[）)]"
)
_LEADERS = re.compile(r"[.．·…]{3,}\s*\d{1,4}$")


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character and its box in points, from the upper left corner of the page."""

    text: str
    x0: float
    x1: float
    top: float
    bottom: float

    @property
    def size(self) -> float:
        """The height of the box, which is the em for the fonts that Chinese texts are set in."""
        return max(self.bottom - self.top, 0.1)


@dataclass(frozen=True, slots=True)
class PdfLine:
    """One line of glyphs from left to right; ``text`` has the blanks that are drawn or plainly left."""

    text: str
    glyphs: tuple[Glyph, ...]

    @property
    def x0(self) -> float:
        """The left edge."""
        return self.glyphs[0].x0

    @property
    def x1(self) -> float:
        """The right edge."""
        return self.glyphs[-1].x1

    @property
    def top(self) -> float:
        """The upper edge."""
        return min(glyph.top for glyph in self.glyphs)

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return max(glyph.bottom for glyph in self.glyphs)

    @property
    def em(self) -> float:
        """The size of the last character."""
        return self.glyphs[-1].size

    @property
    def letters_end(self) -> float:
        """The right edge without closing marks, which may hang over the margin."""
        return next((glyph.x1 for glyph in reversed(self.glyphs) if glyph.text not in _CLOSING), self.x1)

    @property
    def lead_width(self) -> float:
        """The width of what could not have been parted at the beginning of the line."""
        at = 0
        last = len(self.glyphs) - 1
        while at < last and self.glyphs[at].text in _OPENING:
            at += 1
        if self.glyphs[at].text.isascii() and self.glyphs[at].text.isalnum():
            while at < last and self.glyphs[at + 1].text.isascii() and self.glyphs[at + 1].text not in " -":
                at += 1
        while at < last and self.glyphs[at + 1].text in _CLOSING:
            at += 1
        return self.glyphs[at].x1 - self.x0


def lines_of(glyphs: Iterable[Glyph]) -> list[PdfLine]:
    """Glyphs to lines from top to bottom."""
    lines: list[list[Glyph]] = []
    for glyph in sorted(glyphs, key=lambda item: (item.top + item.bottom, item.x0)):
        middle = (glyph.top + glyph.bottom) / 2
        last = lines[-1][-1] if lines else None
        if last is not None and abs(middle - (last.top + last.bottom) / 2) <= _SAME_LINE * min(last.size, glyph.size):
            lines[-1].append(glyph)
        else:
            lines.append([glyph])
    made = (_line(sorted(line, key=lambda glyph: glyph.x0)) for line in lines)
    return [line for line in made if line is not None]


def _line(glyphs: Sequence[Glyph]) -> PdfLine | None:
    pieces: list[str] = []
    kept: list[Glyph] = []
    blank = False
    trailing = False
    for glyph in glyphs:
        if not glyph.text.strip():
            blank = bool(kept)
            trailing = blank
            continue
        if kept:
            before = kept[-1]
            # Printers without a bold face draw a character twice, a hair apart.
            if glyph.text == before.text and abs(glyph.x0 - before.x0) < 0.2 * glyph.size:
                continue
            letters = before.text[-1].isascii() and glyph.text[0].isascii()
            gap = (glyph.x0 - before.x1) / glyph.size
            if blank or gap > (_BLANK_BETWEEN_LETTERS if letters else _BLANK):
                pieces.append(" ")
        pieces.append(glyph.text)
        kept.append(glyph)
        blank = trailing = False
    if not kept:
        return None
    # A blank that is drawn at the end of a line stands between two words that were parted there.
    return PdfLine("".join(pieces) + (" " if trailing else ""), tuple(kept))


def runs_on(before: Glyph, after: Glyph) -> bool:
    """Whether two glyphs, in the order they are drawn in, are one figure or Latin word, whatever border is between them."""
    near = abs(after.x0 - before.x1) < 0.1 * after.size and abs(after.bottom - before.bottom) < 0.1 * after.size
    return near and all(glyph.text.isascii() and glyph.text.strip() for glyph in (before, after))


def joined(before: str, after: str) -> str:
    """Two halves of a wrapped line: letters keep a blank between them, Chinese does not, a drawn blank stays."""
    letters = before[-1:].isascii() and before[-1:].isalnum() and after[:1].isascii() and after[:1].isalnum()
    return f"{before} {after}" if letters else before + after


def cell_text(lines: Sequence[PdfLine], left: float, right: float, padding: float) -> str:
    """The words of a cell that reaches from ``left`` to ``right``: wrapped lines joined, ended ones a line each.

    A blank that is drawn at the very end stays: the words may go on, on the next page.
    """
    wrapped = [_is_wrapped(*pair, left, right, padding) for pair in itertools.pairwise(lines)]
    text = lines[0].text if lines else ""
    for at, line in enumerate(lines[1:]):
        # Where an author ends every other line of the cell, a figure at the beginning of a line stands there by will.
        ended = wrapped.count(True) == 1 and len(wrapped) > 1 and line.text[0].isdecimal() and len(lines[0].text) < 8
        text = joined(text, line.text) if wrapped[at] and not ended else f"{text.rstrip()}\n{line.text}"
    return text.lstrip()


def _is_wrapped(before: PdfLine, after: PdfLine, left: float, right: float, padding: float) -> bool:
    return after.lead_width > room_after(before, left, right, padding)


def room_after(line: PdfLine, left: float, right: float, padding: float) -> float:
    """How wide the beginning of a next line may be to fit behind a line of a cell from ``left`` to ``right``."""
    slack = right - padding - line.x1
    start = line.x0 - padding - left
    # A centred line has as much room on its other side.
    if abs(slack - start) < _TOLERANCE * 2 * line.em and start > 0:
        slack += start
    return slack - _TOLERANCE * line.em


def padding_of(cells: Iterable[tuple[float, Sequence[PdfLine]]]) -> float:
    """The blank between a table's left borders and its words: the least that any line leaves, 0.6 em at most.

    Words that run over a border say nothing of it, so only lines that begin inside their cell are looked at.
    """
    least, size = float("inf"), 10.0
    for left, lines in cells:
        for line in lines:
            if line.x0 >= left:
                least, size = min(least, line.x0 - left), line.em
    return min(least, 0.6 * size)


def right_margin(lines: Iterable[PdfLine]) -> float:
    """Where full lines of running text end."""
    return max((line.letters_end for line in lines), default=0.0)


def left_margin(lines: Iterable[PdfLine]) -> float:
    """Where lines of running text begin that are not indented."""
    return min((line.x0 for line in lines), default=0.0)


def is_full(before: PdfLine, after: PdfLine, right: float) -> bool:
    """Whether the beginning of ``after`` would not have fitted behind ``before``."""
    return before.x1 + after.lead_width > right + _TOLERANCE * before.em


def goes_on(before: PdfLine, after: PdfLine, *, left: float, right: float) -> bool:
    """Whether ``after`` goes on with the paragraph of ``before``, by its place on the line alone."""
    if after.x0 > left + 0.8 * after.em or _NUMBER_MARK.match(_beginning(after)) or _LEADERS.search(before.text):
        return False
    if abs(before.em - after.em) > 0.15 * after.em:
        return False
    return is_full(before, after, right)


def _beginning(line: PdfLine) -> str:
    # Browsers write numerals as radicals: ⼀ is not 一, but stands for it.
    return unicodedata.normalize("NFKC", line.text[:12])


def glyph_of(char: dict[str, Any]) -> Glyph:
    """The glyph of a pdfplumber character."""
    return Glyph(char["text"], char["x0"], char["x1"], char["top"], char["bottom"])
