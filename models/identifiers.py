"""Short stable ids for the items of a content: given once, never given to something else."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator
from typing import Any

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
_NUMBERED = re.compile(r"^[a-z]([1-9][0-9]*)$")


def _lists(value: Any) -> Iterator[tuple[tuple[str, ...], str, list[Any]]]:
    """Lists of items of a content in JSON: (key, letter, items)."""
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
    """Copy of a content in JSON whose items all have ids; new ones count on from every id in ``earlier`` contents too."""
    highest: dict[tuple[str, ...], int] = {}
    result = copy.deepcopy(value)
    for content in (*earlier, result):
        for key, _, items in _lists(content):
            for item in items:
                match = _NUMBERED.match(str(item.get("id", ""))) if isinstance(item, dict) else None
                if match:
                    highest[key] = max(highest.get(key, 0), int(match[1]))
    for key, letter, items in _lists(result):
        for item in items:
            if isinstance(item, dict) and not item.get("id"):
                highest[key] = highest.get(key, 0) + 1
                item["id"] = f"{letter}{highest[key]}"
    return result
