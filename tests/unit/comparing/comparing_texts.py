"""Contents to compare: the sample with two projects, and edits of it such as people make."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from documents.reading import read_text
from models.content import from_json, to_json

EXAMPLES = Path(__file__).parents[3] / "examples"


@cache
def _sample() -> dict[str, Any]:
    return to_json(read_text((EXAMPLES / "two-projects-2021.txt").read_bytes()).content)


def sample() -> dict[str, Any]:
    """A fresh copy of the sample in JSON."""
    return copy.deepcopy(_sample())


words = st.text(st.sampled_from("农村读者服务活动图书一二三0123456789.%，。\n万元次"), min_size=1, max_size=20)
_ITEM_LISTS = ("goals", "indicators", "spending_plan", "extra")


def _lists(content: dict[str, Any]) -> list[list[dict[str, Any]]]:
    found = [content["projects"], content["safeguards"], content["sub_goals"], content["overall"]["items"]]
    return found + [project.setdefault(name, []) for project in content["projects"] for name in _ITEM_LISTS]


def _new(draw: Any, items: list[dict[str, Any]], kind: dict[str, Any]) -> dict[str, Any]:
    """An item like ``kind`` with a free id, and with words of its own."""
    item = copy.deepcopy(kind)
    for name, value in item.items():
        if isinstance(value, str) and name in ("name", "title", "text", "description", "label", "purpose"):
            item[name] = draw(st.just(value) | words)
    if "id" in item:
        taken = {other["id"] for other in items}
        item["id"] = next(f"x{n}" for n in range(1, 99) if f"x{n}" not in taken)
    return item


@st.composite
def edited(draw: Any, renumber: bool = False) -> dict[str, Any]:
    """The sample after some edits: words changed, items added, taken out, moved within a list and to another project."""
    content = sample()
    for _ in range(draw(st.integers(0, 8))):
        edit = draw(st.sampled_from((_change_item, _change_list, _move_away, _change_references)))
        edit(draw, content)
    if renumber:
        _renumber(content)
    return to_json(from_json(content))


def _some_list(draw: Any, content: dict[str, Any]) -> list[dict[str, Any]]:
    return draw(st.sampled_from([found for found in _lists(content) if found] or [[{}]]))


def _change_item(draw: Any, content: dict[str, Any]) -> None:
    item = draw(st.sampled_from(_some_list(draw, content)))
    names = [name for name in ("name", "title", "text", "description", "value", "checkpoint") if name in item]
    if names and draw(st.booleans()):
        item[draw(st.sampled_from(names))] = draw(words)
    else:
        item.pop(draw(st.sampled_from(("text", "description", "basis", "purpose", "budget"))), None)


def _change_list(draw: Any, content: dict[str, Any]) -> None:
    items = _some_list(draw, content)
    at = draw(st.integers(0, len(items) - 1))
    edit = draw(st.sampled_from(("remove", "copy", "move")))
    if edit == "copy":
        items.insert(draw(st.integers(0, len(items))), _new(draw, items, items[at]))
        return
    item = items.pop(at)
    if edit == "move":
        items.insert(draw(st.integers(0, len(items))), item)


def _move_away(draw: Any, content: dict[str, Any]) -> None:
    one, other = (draw(st.sampled_from(content["projects"] or [{}])) for _ in range(2))
    if one.get("indicators"):
        item = one["indicators"].pop(draw(st.integers(0, len(one["indicators"]) - 1)))
        target = other["indicators"]
        target.insert(draw(st.integers(0, len(target))), _new(draw, target, item))


def _change_references(draw: Any, content: dict[str, Any]) -> None:
    for goal in content["sub_goals"][:1]:
        goal["projects"] = [project["id"] for project in content["projects"] if draw(st.booleans())]


def _renumber(content: dict[str, Any]) -> None:
    """Ids counted anew, as a reader of another file gives them."""
    names = {}
    for number, project in enumerate(content["projects"], start=1):
        old, project["id"] = project["id"], f"p{number}"
        names[old] = project["id"]
        for key, letter in (("goals", "t"), ("indicators", "i")):
            for at, item in enumerate(project.get(key, ()), start=1):
                item["id"] = f"{letter}{at}"
    for goal in content["sub_goals"]:
        goal["projects"] = [names[name] for name in goal.get("projects", ()) if name in names]
