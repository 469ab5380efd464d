"""Text to numbered lines, cleaned of what an editor does not show.

Kangxi radicals (U+2E80 to U+2FDF, which some PDF printers write instead of the characters they look like) become
characters; zero-width and control characters go. Nothing else is normalised: NFKC would turn （） into () in the
author's words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from documents.reading.finding_codes import FindingCode, finding
from models.errors import InvalidInput
from models.findings import ReadingFinding

# Unicode has no compatibility mapping for most of the radicals supplement; these stand for a character of the same
# shape (EquivalentUnifiedIdeograph.txt). The others never occur as a character of their own.
_SUPPLEMENT: Final = str.maketrans(
    "⺒⺝⺠⺨⺫⺼⺽⻁⻄⻅⻆⻇⻉⻋⻑⻓⻔⻗⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻬⻮⻰",
    "巳月民犭目肉臼虎西见角角贝车長长门雨青韦页风飞食马骨鬼鱼鸟卤麦黄齐齿龙",
)
# A text of a hundred projects has about 4,000 lines, and the volume of a whole county about as many as this, paragraphs and rows
# of tables together; the limit keeps a file that is none from taking minutes.
MAX_LINES: Final = 20_000
_RADICAL = re.compile("[\u2e80-\u2fdf]")
_INVISIBLE_CLASS: Final = "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
_INVISIBLE = re.compile(f"[{_INVISIBLE_CLASS}]")
_SPECIAL = re.compile(f"[\u2e80-\u2fdf{_INVISIBLE_CLASS}]")
# A page or section break inside a line ends the line, but does not count as one: line numbers are the editor's.
_BREAK = re.compile("[\x0b\x0c\x85\u2028\u2029]")
_OUTER: Final = (
    " \t\u3000\xa0\u1680\u202f\u205f"
    + "".join(map(chr, range(0x2000, 0x2010)))
    + "\xad\ufeff\u2060\u2061\u2062\u2063\u2064\u202a\u202b\u202c\u202d\u202e"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line that is not blank: its number in the file, its text with TABs, and its words without outer blanks."""

    number: int
    text: str
    words: str

    @property
    def is_row(self) -> bool:
        """Whether the line has a TAB, as rows of a table have."""
        return "\t" in self.text


def cleaned_lines(text: str) -> tuple[tuple[Line, ...], tuple[ReadingFinding, ...]]:
    """The lines of ``text`` that are not blank, and one finding for each line or cell whose characters were changed.

    The findings have no place yet: where a line went is known when the content stands. Raises InvalidInput for more lines
    than any text has.
    """
    lines: list[Line] = []
    findings: list[ReadingFinding] = []
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    count = text.count("\n") + 1
    if count > MAX_LINES:
        raise InvalidInput(
            f"文件有 {count} 行，超过 {MAX_LINES} 行的上限；请确认选对了文件，或拆成几份导入。", lines=count
        )
    special = _SPECIAL.search(text) is not None
    for number, physical in enumerate(text.split("\n"), start=1):
        for raw in _BREAK.split(physical):
            clean = raw
            if special and _SPECIAL.search(raw):
                clean = "\t".join(_cleaned_piece(piece, number, findings) for piece in raw.split("\t"))
            words = clean.strip(_OUTER)
            if words:
                lines.append(Line(number, clean, words))
    return tuple(lines), tuple(findings)


def without_radicals(text: str) -> str:
    """``text`` with the characters that its Kangxi radicals stand for."""
    if _RADICAL.search(text) is None:
        return text
    return _RADICAL.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text).translate(_SUPPLEMENT)


def stripped(cell: str) -> str:
    """A cell or line without outer blanks of any width."""
    return cell.strip(_OUTER)


def _cleaned_piece(piece: str, number: int, findings: list[ReadingFinding]) -> str:
    raw = piece.strip(_OUTER)
    clean = _INVISIBLE.sub("", raw)
    invisible = clean != raw
    radicals = _RADICAL.search(clean) is not None
    if radicals:
        clean = without_radicals(clean)
    if clean == raw:
        return raw
    if radicals:
        reason = "文字里有康熙部首字符（形同汉字），已换成相应的汉字"
        if invisible:
            reason += "，并去掉看不见的字符"
        findings.append(
            finding(FindingCode.RADICAL_CHARACTER, "", raw, reason + "。", 0.98, repaired=clean, line=number)
        )
    else:
        names = "、".join(sorted({f"U+{ord(char):04X}" for char in _INVISIBLE.findall(raw)}))
        reason = f"去掉了看不见的字符（{names}）。"
        findings.append(finding(FindingCode.INVISIBLE_CHARACTER, "", raw, reason, 0.98, repaired=clean, line=number))
    return clean


def page_number_findings(dropped: Sequence[Line]) -> tuple[ReadingFinding, ...]:
    """One hint for all page-number lines that were left out: a long text has hundreds of them."""
    if not dropped:
        return ()
    shown = " / ".join(line.words for line in dropped[:20]) + (" …" if len(dropped) > 20 else "")
    reason = f"共 {len(dropped)} 行只有页码（第一处在第 {dropped[0].number} 行），不属于内容，已略去。"
    return (finding(FindingCode.PAGE_NUMBER, "", shown, reason, 0.9, line=dropped[0].number),)
