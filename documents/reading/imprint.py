"""What jixiao itself prints around a text: the lines that name its id, version and hash, in the body and at page ends.

A department hands in the page that it got from here. The imprint on its cover is no line of the text, and longer than any
line of a cover: taken for the body, the contents list behind it would be a second text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from documents.reading.finding_codes import FindingCode, finding
from documents.reading.lines import Line
from models.findings import ReadingFinding

_PAGE = r"(?:[-—–]\s*\d{1,4}\s*[-—–])?"
_IMPRINT = re.compile(
    rf"{_PAGE}\s*(?:文本编号\s*[0-9a-f-]{{36}})?\s*版本\s*\d{{1,5}}\s*(?:内容哈希\s*[0-9a-f]{{16,64}})?\s*{_PAGE}"
    r"|内容哈希\s*[（(]SHA-256[）)]\s*[0-9a-f]{64}"
)
_LONGEST = 160
_MOST_SHOWN = 3


def without_imprint(lines: Sequence[Line]) -> tuple[tuple[Line, ...], tuple[ReadingFinding, ...]]:
    """The lines without those of an imprint, and one hint for all that were left out."""
    found = [line for line in lines if _is_imprint(line.words)]
    if not found:
        return tuple(lines), ()
    shown = " / ".join(line.words for line in found[:_MOST_SHOWN]) + (" …" if len(found) > _MOST_SHOWN else "")
    reason = f"共 {len(found)} 行是本系统打印的版本和哈希，不属于文本，已略去。"
    numbers = {id(line) for line in found}
    kept = tuple(line for line in lines if id(line) not in numbers)
    return kept, (finding(FindingCode.RUNNING_HEAD, "", shown, reason, 0.98, line=found[0].number),)


def _is_imprint(words: str) -> bool:
    """Whether a line holds nothing but an id with a version, or a hash; a bare 版本 3 says neither."""
    if len(words) > _LONGEST or ("哈希" not in words and "文本编号" not in words):
        return False
    return _IMPRINT.fullmatch(words) is not None
