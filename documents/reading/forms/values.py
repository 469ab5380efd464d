"""Single values of a form: ticked boxes, days, steps of a schedule."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from models.content import Schedule

_TICKED: Final = "√☑✓✔■"
_OPEN: Final = "□☐"
_OPTION = re.compile(rf"([^{_TICKED}{_OPEN}]*)([{_TICKED}{_OPEN}])")
_DAY = re.compile(r"(20\d\d)\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?|(20\d\d)(\d\d)(\d\d)")
_SPAN = re.compile(r"(?P<start>[^-—–~至]{4,12})\s*(?:-|—+|–|~|至)\s*(?P<end>[^-—–~至]{4,12})")
_STEP = re.compile(
    r"(?P<number>\d)[、.．]?(?P<content>[^\d]{2,40}?)(?P<start>20\d\d)(?P<end>20\d\d)(?=\d[、.．]?\D|$|[、。])"
)


def ticked(words: str) -> str | None:
    """The options that are ticked, joined by 、; None where the words hold no boxes or nothing is ticked for certain."""
    marks = _OPTION.findall(words)
    if not marks:
        return None
    if words[0] in _TICKED + _OPEN:
        # The mark stands before its option.
        pieces = re.findall(rf"([{_TICKED}{_OPEN}])([^{_TICKED}{_OPEN}]*)", words)
        chosen = [option.strip() for mark, option in pieces if mark in _TICKED]
    else:
        chosen = [option.strip() for option, mark in marks if mark in _TICKED]
    return "、".join(chosen) if chosen and all(chosen) else None


def has_boxes(words: str) -> bool:
    """Whether a value holds boxes to tick."""
    return any(mark in words for mark in _TICKED + _OPEN)


def iso_day(words: str) -> str | None:
    """ISO date of a whole day; None for a month, a year, or no day at all."""
    match = _DAY.fullmatch(words.strip())
    if match is None:
        return None
    year, month, day = (int(group) for group in match.groups() if group)
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def span_of(words: str) -> tuple[str, str] | None:
    """Begin and end of ``2023年3月-2024年1月``; None where the words are no span of time."""
    day = re.fullmatch(r"(\d{4}-\d{1,2}-\d{1,2})\s*(?:至|~|—+|–|-)\s*(\d{4}-\d{1,2}-\d{1,2})", words.strip())
    if day is not None:
        return day[1], day[2]
    match = _SPAN.fullmatch(words.strip())
    if match is None or not all(re.match(r"20\d\d", part.strip()) for part in match.groups()):
        return None
    return match["start"].strip(), match["end"].strip()


def steps_of(words: str) -> tuple[Schedule, ...]:
    """Steps of a schedule whose number, words and years run together; empty where not all of it is steps."""
    steps: list[Schedule] = []
    at = 0
    for match in _STEP.finditer(words):
        if words[at : match.start()].strip("、。 "):
            return ()
        steps.append(Schedule(content=match["content"].strip("、. "), start=match["start"], end=match["end"]))
        at = match.end()
    return tuple(steps) if steps and not words[at:].strip("、。 ") else ()
