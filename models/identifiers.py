"""Short stable ids for the items of a content: given once, never given to something else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from models.places import copied

# The letter of each list of items, by the list's place (projects' lists stand once for every project).
_LETTERS: dict[tuple[str, ...], str] = {
    ("overall", "items"): "o",
    ("overall", "duties"): "d",
    ("overall", "indicators"): "i",
    ("sub_goals",): "g",
    ("safeguards",): "s",
    ("projects",): "p",
}
_PROJECT_LETTERS = {"goals": "t", "indicators": "i"}
# Numbers that a program would give: a longer one was written by a person, and counting on from it would soon exceed the
# length of an id.
_NUMBERED = re.compile(r"[a-z]([1-9][0-9]{0,8})")


def _lists(value: Any) -> Iterator[tuple[tuple[str, ...], str, list[Any]]]:
    """Lists of items of a content in JSON: (key, letter, items); projects' lists come after the projects."""
    if not isinstance(value, dict):
        return
    for path, letter in _LETTERS.items():
        items: Any = value
        for token in path:
            items = items.get(token) if isinstance(items, dict) else None
        if isinstance(items, list):
            yield path, letter, items
    projects = value.get("projects")
    for project in projects if isinstance(projects, list) else []:
        if isinstance(project, dict):
            for name, letter in _PROJECT_LETTERS.items():
                items = project.get(name)
                if isinstance(items, list):
                    yield ("projects", str(project.get("id")), name), letter, items


def assign_ids(value: Any, earlier: Iterable[Any] = ()) -> Any:
    """Copy of a content in JSON whose items all have ids; new ones count on from every id in ``earlier`` contents too.

    Raises InvalidInput where the value is nested too deeply to be a content; other odd values stay as they are.
    """
    taken: dict[tuple[str, ...], set[str]] = {}
    result = copied(value)
    for content in earlier:
        for key, _, items in _lists(content):
            taken.setdefault(key, set()).update(_ids(items))
    # Each list is counted only when its turn comes, when the project around it has its id.
    for key, letter, items in _lists(result):
        ids = taken.setdefault(key, set())
        ids.update(_ids(items))
        number = max((int(match[1]) for match in map(_NUMBERED.fullmatch, ids) if match), default=0)
        for item in items:
            if isinstance(item, dict) and not item.get("id"):
                number += 1
                while f"{letter}{number}" in ids:
                    number += 1
                item["id"] = f"{letter}{number}"
                ids.add(item["id"])
    return result


def _ids(items: list[Any]) -> Iterator[str]:
    return (item["id"] for item in items if isinstance(item, dict) and isinstance(item.get("id"), str))
