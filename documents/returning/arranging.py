"""The fields of a file, gathered into items: which words belong to which indicator, goal or project, as they stand now.

An item is recognized by where its controls stand together, never by counting: the controls of one table row are one item,
a heading's control begins one, and a project begins with its code and name. So a copied row is a second item with the same
id, and a row that was pasted into another project's table belongs to that project.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from documents.reading.sources.returned_form import Field
from models.places import split

# The lists whose items have a row each, and those whose items begin with a member of their own.
ROWS: Final = frozenset({"duties", "indicators", "goals", "extra"})
_BEGINNINGS: Final = {"items": "title", "safeguards": "title", "sub_goals": "name"}
_OVERALL_LISTS: Final = frozenset({"items", "duties", "indicators"})
_PROJECT_LISTS: Final = frozenset({"goals", "indicators", "spending_plan", "extra"})
_TOP_LISTS: Final = frozenset({"safeguards", "sub_goals", "extra"})
# Merged cells name the first row's indicator and hold for every row that they cover.
LEVELS: Final = frozenset({"level1", "level2"})
_OPENING: Final = frozenset({"code", "name"})

ListPlace = tuple[str, ...]


@dataclass(slots=True)
class Item:
    """One item as the file has it: the id and the list in its tags, its members' words, and for a project its lists.

    ``votes`` are the ids and lists that the fields of a row name.
    """

    id: str
    home: ListPlace
    members: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[Item]] = field(default_factory=dict)
    row: int = 0
    votes: Counter[tuple[ListPlace, str]] = field(default_factory=Counter)


@dataclass(slots=True)
class Arranged:
    """All fields of a file: single members by place, items by the place of their list."""

    members: dict[str, str] = field(default_factory=dict)
    lists: dict[ListPlace, list[Item]] = field(default_factory=dict)
    unknown: list[Field] = field(default_factory=list)


def arranged(fields: Iterable[Field]) -> Arranged:
    """The fields in items, in the order of the file."""
    out = Arranged()
    work = _Arranging(out)
    for item in fields:
        work.take(item)
    return out


def _joined(before: str | None, words: str) -> str:
    """The words of a member that several controls hold, a line each."""
    return words if before is None else f"{before}\n{words}"


class _Arranging:
    def __init__(self, out: Arranged) -> None:
        self._out = out
        self._opened: set[str] = set()

    def take(self, found: Field) -> None:
        """Puts one field where it belongs."""
        tokens = split(found.place)
        if len(tokens) > 2 and tokens[0] == "projects":
            self._of_project(found, tokens)
        elif len(tokens) > 2 and tokens[0] in _TOP_LISTS:
            self._of_list((tokens[0],), tokens[1], tokens[2:], found, self._out.lists.setdefault((tokens[0],), []))
        elif len(tokens) > 3 and tokens[0] == "overall" and tokens[1] in _OVERALL_LISTS:
            home = ("overall", tokens[1])
            self._of_list(home, tokens[2], tokens[3:], found, self._out.lists.setdefault(home, []))
        else:
            members = self._out.members
            members[found.place] = _joined(members.get(found.place), found.words)

    def _of_project(self, found: Field, tokens: list[str]) -> None:
        projects = self._out.lists.setdefault(("projects",), [])
        project = projects[-1] if projects else None
        name, rest = tokens[1], tokens[2:]
        listed = rest[0] in _PROJECT_LISTS and len(rest) > 2
        if self._begins(project, name, rest, listed=listed):
            project = Item(name, ("projects",))
            projects.append(project)
            self._opened.add(name)
        if project is None:
            self._out.unknown.append(found)
        elif listed:
            home = ("projects", name, rest[0])
            self._of_list(home, rest[1], rest[2:], found, project.lists.setdefault(rest[0], []))
        else:
            member = "/".join(rest)
            if member in project.members:
                self._out.unknown.append(found)
            else:
                project.members[member] = found.words

    def _begins(self, project: Item | None, name: str, rest: list[str], *, listed: bool) -> bool:
        """Whether a field begins a project: the code or name of another one, or once more of the same."""
        if project is not None and project.id == name:
            return rest[0] in _OPENING and rest[0] in project.members
        # Rows of another project were pasted here; a whole form without its first row still is that project's.
        return rest[0] in _OPENING or (not listed and name not in self._opened)

    def _of_list(self, home: ListPlace, name: str, rest: list[str], found: Field, items: list[Item]) -> None:
        member, kind = "/".join(rest), home[-1]
        if kind in ROWS:
            self._of_row(home, name, member, found, items)
            return
        item = next((item for item in reversed(items) if item.home == home and item.id == name), None)
        if kind in _BEGINNINGS:
            if item is None or (member == _BEGINNINGS[kind] and member in item.members):
                item = self._added(Item(name, home), items)
        elif item is None or member in item.members:
            item = self._plan_point(home, name, member, items)
        item.members[member] = _joined(item.members.get(member), found.words)

    def _of_row(self, home: ListPlace, name: str, member: str, found: Field, items: list[Item]) -> None:
        """A field of a table row, which is one item: that which most of its fields name, wherever single ones come from."""
        item = items[-1] if items and items[-1].row == found.row else None
        if item is None:
            item = self._added(Item(name, home, row=found.row), items)
        if member in item.members:
            # A merged cell names its first row's item, and a control pasted into the row brings its old tag.
            self._out.unknown += [] if member in LEVELS else [found]
            return
        item.members[member] = found.words
        if member not in LEVELS:
            item.votes[home, name] += 1
            item.home, item.id = item.votes.most_common(1)[0][0]

    @staticmethod
    def _plan_point(home: ListPlace, name: str, member: str, items: list[Item]) -> Item:
        """A point of the spending plan: its checkpoint stands in one row and its percent in the next."""
        copies = [item for item in items if item.home == home and item.id == name and member not in item.members]
        return copies[0] if copies else _Arranging._added(Item(name, home), items)

    @staticmethod
    def _added(item: Item, items: list[Item]) -> Item:
        items.append(item)
        return item
