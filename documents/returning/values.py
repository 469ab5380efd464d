"""The words of one field back to members of the content; what is spelt in another way is read, and said.

A field is only looked at where its words differ from those that were written: the value of every other member stays exactly
as it is, hidden parts included.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from documents.reading.finding_codes import finding
from documents.reading.indicator_values import read_value
from documents.reading.money import read_money, read_percent
from documents.rendering.figures import NOTHING, joined
from documents.returning.codes import ReturnCode, returned_finding
from models.findings import ReadingFinding
from models.readable import unseen

_MONEY: Final = frozenset(
    {"budget/total", "budget/fiscal", "budget/other", "budget/basic", "budget/project", "budget/period_total", "amount"}
)
_PERCENTS: Final = frozenset({"percent", "weight"})
_REMARK = re.compile(r"(?P<figure>[^（]+)（(?P<remark>.+)）", re.DOTALL)
_FIGURE = re.compile(r"(?P<sign>[≥≤=><])?(?P<value>-?\d+(?:\.\d+)?)(?:～(?P<to>-?\d+(?:\.\d+)?))?(?P<unit>.*)")
_STEP = re.compile(r"(?:(?P<start>[^：至]+?)(?: 至 (?P<end>[^：]+))?：)?(?P<content>.+)")
_OPTIONAL: Final = frozenset(
    {
        "category", "nature", "supervising_department", "implementing_unit", "person_in_charge", "phone", "start", "end",
        "grounds", "contents", "task", "scoring",
    }
)  # fmt: skip
# The members that a control may bring where there was none of it before, as in a row that somebody pasted or typed.
TAKEN: Final = (
    _MONEY | _PERCENTS | _OPTIONAL | {"code", "name", "purpose", "checkpoint", "title", "text", "indicator", "duty", "project"}
    | {"level1", "level2", "description", "value", "basis", "label", "budget/sources", "schedule"}
)  # fmt: skip


@dataclass(slots=True)
class Taker:
    """Takes the words of fields into a content in JSON; ``projects`` gives the ids of projects by their names."""

    findings: list[ReadingFinding] = field(default_factory=list)
    projects: Mapping[str, str] = field(default_factory=dict)

    def take(self, item: dict[str, Any], member: str, words: str, place: str) -> None:
        """Writes one member of an item (a path such as ``budget/total`` below it); ``place`` is for what is reported."""
        words = self._tidy(words, place)
        if words == NOTHING:
            words = ""
        name = member.rpartition("/")[2]
        if member in _MONEY:
            self._number(item, member, words, place, lambda: read_money(words, "元", place, 0))
        elif name in _PERCENTS:
            self._number(item, member, words, place, lambda: read_percent(words, place, 0))
        elif member == "value" and "/indicators/" in place:
            self._value(item, words, place)
        elif member == "budget/sources":
            self._sources(item, words, place)
        elif member == "schedule":
            item["schedule"] = [_step(line) for line in words.split("\n") if line]
        elif member == "projects":
            self._links(item, words, place)
        else:
            _set(item, member, words or (None if member in _OPTIONAL else ""))

    def _tidy(self, words: str, place: str) -> str:
        """Words without outer blanks and empty lines; characters that nobody sees go, and that is said."""
        lines = [line.strip() for line in words.replace("\t", " ").split("\n")]
        words = "\n".join(line for line in lines if line)
        clean = unicodedata.normalize("NFC", words)
        while (character := unseen(clean)) is not None:
            clean = clean.replace(character, "")
        if clean != words:
            reason = "去掉了看不见的字符，或换成了规范形式。"
            self.findings.append(
                returned_finding(ReturnCode.CHARACTERS, place, words[:200], reason, 0.95, repaired=clean[:200])
            )
        return clean

    def _number(self, item: dict[str, Any], member: str, words: str, place: str, read: Callable[[], Any]) -> None:
        if not words:
            if member == "percent":
                self._not_read(place, words, "累计支出比例不能留空")
            else:
                _set(item, member, None)
            return
        amount, found = read()
        if amount is None:
            self._not_read(place, words, found[0].reason.split("，")[0])
            return
        self.findings += [_without_line(note) for note in found]
        _set(item, member, str(amount))

    def _value(self, item: dict[str, Any], words: str, place: str) -> None:
        """Sign, value, unit and remark of a value cell; the unit and the remark that were there are known again."""
        match = _REMARK.fullmatch(words)
        figure, remark = (match["figure"].strip(), match["remark"]) if match else (words, None)
        before = joined(item.get("remark") or "")
        kept = item.get("remark") if remark is not None and joined(remark) == before else remark
        plain = _FIGURE.fullmatch(figure)
        if plain is not None and plain["unit"] == (item.get("unit") or ""):
            sign = "区间" if plain["to"] else plain["sign"]
            told = {
                "sign": sign,
                "value": plain["value"],
                "value_to": plain["to"],
                "unit": item.get("unit"),
                "remark": kept,
            }
        else:
            read = read_value(figure)
            if read.remark is not None or (remark is not None and not read.value):
                read, kept = read_value(words), None
            told = {
                "sign": read.sign,
                "value": read.value,
                "value_to": read.value_to,
                "unit": read.unit,
                "remark": kept or read.remark,
            }
            parent = place.rpartition("/")[0]
            self.findings += [
                finding(
                    note.code, f"{parent}/{note.member}", note.raw, note.reason, note.confidence, repaired=note.repaired
                )
                for note in read.notes
            ]
        item |= {**told, "raw_value": words or None}

    def _sources(self, item: dict[str, Any], words: str, place: str) -> None:
        sources = []
        for line in filter(None, words.split("\n")):
            name, colon, amount_words = line.rpartition("：")
            amount, found = read_money(amount_words, "元", place, 0) if colon else (None, ())
            if amount is None:
                self._not_read(place, line, f"“{line[:40]}”不是“来源：金额”")
                return
            self.findings += [_without_line(note) for note in found]
            sources.append({"name": name, "amount": str(amount)})
        item["budget"] = {**(item.get("budget") or {}), "sources": sources}

    def _links(self, item: dict[str, Any], words: str, place: str) -> None:
        """The projects that a sub-goal names, by the names that they have now; a name may hold the mark between names."""
        rest, found = words, []
        names = sorted(self.projects, key=len, reverse=True)
        while rest:
            name = next((name for name in names if name and (rest == name or rest.startswith(f"{name}、"))), None)
            if name is None:
                self._not_read(place, words, f"“{rest[:40]}”不是这份文本里的项目名称")
                return
            found.append(self.projects[name])
            rest = rest[len(name) + 1 :]
        item["projects"] = found

    def _not_read(self, place: str, words: str, what: str) -> None:
        reason = f"{what}，这一处保持原样；请在文件里改正后重新导入，或导入后用 text edit 修改。"
        self.findings.append(returned_finding(ReturnCode.NOT_READ, place, words[:200], reason))


def _step(line: str) -> dict[str, Any]:
    match = _STEP.fullmatch(line)
    return {"content": line} if match is None else {name: value for name, value in match.groupdict().items() if value}


def _without_line(note: ReadingFinding) -> ReadingFinding:
    return ReadingFinding(note.code, note.severity, note.place, note.raw, note.reason, note.confidence, note.repaired)


def _set(item: dict[str, Any], member: str, value: Any) -> None:
    """Writes a member below an item; a number in the path is a position in a list."""
    *path, last = member.split("/")
    target: Any = item
    for name in path:
        if isinstance(target, list):
            target = target[int(name)]
            continue
        if target.get(name) is None:
            target[name] = {}
        target = target[name]
    target[last] = value
