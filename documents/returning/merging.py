"""The content that a file's fields make of the content it was made of, item by item."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from documents.rendering.figures import NOTHING
from documents.returning.arranging import LEVELS, Arranged, Item, ListPlace
from documents.returning.codes import ReturnCode, returned_finding
from documents.returning.values import TAKEN, Taker
from models.findings import ReadingFinding
from models.places import copied, join

_TITLES: Final = ("name", "title", "text", "duty", "label", "checkpoint")
_SHOWN: Final = 60
_NEW: Final = "-"


@dataclass(slots=True)
class Edit:
    """The content in JSON, new items without ids, and what was found."""

    content: dict[str, Any]
    findings: list[ReadingFinding] = field(default_factory=list)


def merged(base: dict[str, Any], issued: Arranged, found: Arranged) -> Edit:
    """The base content (in JSON) with everything that ``found`` says otherwise than ``issued``, which was made of it."""
    return _Merge(base, issued, found).edit()


def _same(one: str, other: str) -> bool:
    """Whether two spellings of a field differ in nothing but outer blanks and empty lines."""
    return one == other or _lines(one) == _lines(other)


def _lines(words: str) -> list[str]:
    lines = [line for line in (line.strip() for line in words.split("\n")) if line]
    return [] if lines == [NOTHING] else lines


def _title(words: Item) -> str:
    return next((words.members[name] for name in _TITLES if words.members.get(name)), words.id)[:_SHOWN]


class _Merge:
    def __init__(self, base: dict[str, Any], issued: Arranged, found: Arranged) -> None:
        self._base = base
        self._found = found
        self._issued = issued
        self._written = dict(_by_place(issued))
        self._taker = Taker()
        self._findings = self._taker.findings

    def edit(self) -> Edit:
        """Everything, in the order of the text; projects before the sub-goals that name them."""
        content = copied(self._base)
        self._members(content)
        for home in (("projects",), ("overall", "items"), ("overall", "duties"), ("overall", "indicators")):
            self._list_of(content, home)
        self._taker.projects = {
            item.get("name", ""): item.get("id") or "" for item in content.get("projects", []) if item.get("id")
        }
        for home in (("sub_goals",), ("safeguards",), ("extra",)):
            self._list_of(content, home)
        self._drop_links(content)
        for item in self._found.unknown:
            self._unknown(item.place, item.words)
        return Edit(content, self._findings)

    def _members(self, content: dict[str, Any]) -> None:
        """The members that stand by themselves, such as the title and the introduction."""
        shown, now = self._issued.members, self._found.members
        for place, words in shown.items():
            if place not in now:
                self._missing(place)
            elif not _same(words, now[place]):
                # What belongs to the whole department stands in an object of its own.
                within = "overall" if place.startswith("/overall/") else ""
                holder = content.setdefault(within, {}) if within else content
                self._taker.take(holder, place.removeprefix(f"/{within}").removeprefix("/"), now[place], place)
        for place in now.keys() - shown.keys():
            self._unknown(place, now[place])

    def _list_of(self, content: dict[str, Any], home: ListPlace) -> None:
        if home not in self._issued.lists and home not in self._found.lists:
            return
        holder: Any = content
        for name in home[:-1]:
            holder = holder.setdefault(name, {})
        holder[home[-1]] = self._items(home, self._found.lists.get(home, []), home)

    def _items(
        self, home: ListPlace, found: Sequence[Item], at: ListPlace, *, copy: bool = False
    ) -> list[dict[str, Any]]:
        """The items of one list as the file has them; ``at`` is where they stand now, ``copy`` that the whole list is one."""
        out: list[dict[str, Any]] = []
        used: list[str] = []
        for item in found:
            place = join((*at, str(len(out))))
            kept = item.home == home and item.id not in used and item.id != _NEW and self._known(home, item.id)
            made = self._item(item, place, home, kept=kept)
            if made is None:
                continue
            if kept:
                used.append(item.id)
            out.append(made)
        ids = {item.get("id") for item in out}
        for number, made in enumerate(out):
            if made.get("part_of") and made["part_of"] not in ids:
                self._drop_part(made, join((*at, str(number))))
        if not copy:
            self._told(home, used)
        return out

    def _known(self, home: ListPlace, name: str) -> bool:
        return (*home, name) in self._written

    def _item(self, item: Item, place: str, home: ListPlace, *, kept: bool) -> dict[str, Any] | None:
        """One item: that of the base with what was changed, or a new one; None for a slot that was left empty."""
        before = self._written.get((*item.home, item.id))
        shown = before.members if before is not None else {}
        if item.id == _NEW and all(_same(shown.get(name, ""), words) for name, words in item.members.items()):
            return None
        source = self._source(item.home, item.id)
        out = copied(source) if source is not None else {}
        if not kept:
            out.pop("id", None)
            out.pop("raw_value", None)
            self._added(item, place, before)
        for name in shown.keys() - item.members.keys():
            if name not in LEVELS and item.id != _NEW:
                self._missing(f"{place}/{name}")
        for name, words in item.members.items():
            if name not in shown and name not in TAKEN:
                self._unknown(f"{place}/{name}", words)
            elif not _same(shown.get(name, ""), words):
                self._taker.take(out, name, words, f"{place}/{name}")
        if item.home != home and out.get("part_of"):
            self._drop_part(out, place)
        if home[-1] == "projects":
            self._lists_of_project(out, item, place, kept=kept)
        if home[-1] == "spending_plan" and "percent" not in out:
            self._unknown(place, " ".join(item.members.values()))
            return None
        return out

    def _lists_of_project(self, out: dict[str, Any], item: Item, place: str, *, kept: bool) -> None:
        at = tuple(place[1:].split("/"))
        before = self._written.get(("projects", item.id))
        names = {*(before.lists if before is not None else ()), *item.lists}
        for name in sorted(names):
            made = self._items(("projects", item.id, name), item.lists.get(name, []), (*at, name), copy=not kept)
            out[name] = made

    def _drop_part(self, out: dict[str, Any], place: str) -> None:
        reason = "它所属的指标不在这张表里，“其中”的关系一并去掉。"
        gone = str(out.pop("part_of"))
        self._findings.append(returned_finding(ReturnCode.REFERENCE_DROPPED, f"{place}/part_of", gone, reason))

    def _source(self, home: ListPlace, name: str) -> dict[str, Any] | None:
        """The item of the base that the tags of a field name."""
        value: Any = self._base
        for token in (*home, name):
            if isinstance(value, dict):
                value = value.get(token)
            elif isinstance(value, list):
                counted = token.isdigit() and int(token) < len(value)
                found = [item for item in value if item.get("id") == token]
                value = found[0] if found else value[int(token)] if counted else None
            else:
                return None
        return value if isinstance(value, dict) else None

    def _added(self, item: Item, place: str, before: Item | None) -> None:
        where = f"与“{_title(before)}”标识相同" if before is not None and item.id != _NEW else "原来没有"
        reason = f"文件里多出一项“{_title(item)}”（{where}），按新的一项加入，另给标识。"
        self._findings.append(returned_finding(ReturnCode.ITEM_ADDED, place, item.id, reason))

    def _told(self, home: ListPlace, used: list[str]) -> None:
        """What is gone from a list, and whether the rest changed its order."""
        names = [key[-1] for key in self._written if key[:-1] == home and key[-1] != _NEW]
        for name in names:
            if name not in used:
                reason = f"文件里没有了“{_title(self._written[(*home, name)])}”，从内容中删去。"
                self._findings.append(returned_finding(ReturnCode.ITEM_REMOVED, join((*home, name)), name, reason))
        if used != [name for name in names if name in used]:
            reason = "这一组的次序按文件改变。"
            self._findings.append(returned_finding(ReturnCode.ITEMS_MOVED, join(home), "、".join(used), reason))

    def _drop_links(self, content: dict[str, Any]) -> None:
        left = {item.get("id") for item in content.get("projects", [])}
        removed = {item["id"] for item in self._base.get("projects", [])} - left
        for goal in content.get("sub_goals", []):
            gone = [name for name in goal.get("projects", ()) if name in removed]
            if gone:
                goal["projects"] = [name for name in goal["projects"] if name not in removed]
                reason = "对应的项目已从文件里删去，分项目标与它的对应关系一并去掉。"
                place = f"/sub_goals/{goal.get('id', _NEW)}/projects"
                self._findings.append(returned_finding(ReturnCode.REFERENCE_DROPPED, place, "、".join(gone), reason))

    def _missing(self, place: str) -> None:
        reason = "这一处的控件在文件里没有了，内容保持原样；要清空请留着控件、删去其中的文字。"
        self._findings.append(returned_finding(ReturnCode.FIELD_MISSING, place, "", reason))

    def _unknown(self, place: str, words: str) -> None:
        reason = "这个控件的标识不是这份文本里可以修改的一处，文字没有读入；请移到相应的控件里。"
        self._findings.append(returned_finding(ReturnCode.PLACE_UNKNOWN, "", words[:200] or place, reason))


def _by_place(issued: Arranged) -> Iterator[tuple[ListPlace, Item]]:
    for home, items in issued.lists.items():
        for item in items:
            yield (*home, item.id), item
            for name, inner in item.lists.items():
                for member in inner:
                    yield (*home, item.id, name, member.id), member
