"""A content that was read without ids, given those of the text that it is an edition of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from documents.comparing.sides import Lists, lay_out
from documents.rendering.figures import value_words
from models.content import Indicator
from models.places import copied

# The lines of our own cover that name text, version and hash are no words of the text; a reader takes the contents list
# that follows for their end.
_IMPRINT: Final = re.compile(r"文本编号 \S+\s+版本 \d+|内容哈希（SHA-256）[0-9a-f]{64}(?:目\s*录(?:\n.+\t\d*)*)?")
_LINKS: Final = "对应项目："
_VALUE: Final = ("sign", "value", "value_to", "unit", "remark", "direction", "raw_value")


def recognized(base: Mapping[str, Any], read: Mapping[str, Any]) -> dict[str, Any]:
    """The content ``read`` (in JSON) with the ids of ``base`` where its items are recognized by name and likeness.

    A reader only counts: its p2 may be the p3 of the text. Items that are not recognized come without an id; references
    follow the items that they name, and those to items without an id are left out, since there is nothing yet to name.
    """
    sides = lay_out(base, read, by_id=False)
    out: dict[str, Any] = copied(dict(read))
    ids: dict[tuple[str, ...], dict[str, str | None]] = {}
    # The items of a project are found under the id that the reader gave it: projects are renamed last.
    for found in sorted(sides.lists.values(), key=lambda found: -len(found.after_place or ())):
        if found.after_place is not None:
            ids[found.after_place] = _renamed(found, _list_at(out, found.after_place))
    if "extra" in out:
        out["extra"] = [item for item in out["extra"] if not _IMPRINT.fullmatch(item.get("value", ""))]
    projects = ids.get(("projects",), {})
    for goal in out.get("sub_goals", ()):
        linked = [new for name in goal.get("projects", ()) if (new := projects.get(name))]
        _keep_links(goal, _with_id(base.get("sub_goals", ()), goal), linked, projects)
    for holder, before in _with_indicators(base, out):
        for item in holder.get("indicators", ()):
            _keep_value(item, _with_id(before.get("indicators", ()), item))
    return out


def _with_id(items: Iterable[Mapping[str, Any]], like: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((item for item in items if "id" in like and item.get("id") == like["id"]), {})


def _with_indicators(
    base: Mapping[str, Any], out: dict[str, Any]
) -> Iterator[tuple[dict[str, Any], Mapping[str, Any]]]:
    yield out.get("overall", {}), base.get("overall", {})
    for project in out.get("projects", ()):
        yield project, _with_id(base.get("projects", ()), project)


def _keep_links(
    goal: dict[str, Any], before: Mapping[str, Any], linked: list[str], projects: Mapping[str, str | None]
) -> None:
    """The links of a sub-goal as they were: our files print them as a sentence, which a reader takes for its text."""
    left = set(projects.values())
    kept = [name for name in before.get("projects", ()) if name in left]
    goal.pop("projects", None)
    if kept or linked:
        goal["projects"] = kept or linked
    *lines, last = str(goal.get("indicator", "")).split("\n")
    if lines and last.startswith(_LINKS) and last.endswith("。") and _LINKS not in before.get("indicator", ""):
        goal["indicator"] = "\n".join(lines)


def _keep_value(item: dict[str, Any], before: Mapping[str, Any]) -> None:
    """A value that is printed as it was keeps its members, and what no form shows stays what it is."""
    if not before:
        return
    shown = value_words(Indicator.model_validate(before))
    if "".join(shown.split()) == "".join(str(item.get("raw_value", "")).split()):
        for name in _VALUE:
            item.pop(name, None)
            if name in before:
                item[name] = before[name]
    elif "direction" in before:
        item.setdefault("direction", before["direction"])


def _list_at(content: Any, place: tuple[str, ...]) -> list[dict[str, Any]]:
    value = content
    for token in place:
        if isinstance(value, list):
            value = next((item for item in value if item.get("id") == token), {})
        else:
            value = value.get(token, {})
    return value if isinstance(value, list) else []


def _renamed(found: Lists, items: list[dict[str, Any]]) -> dict[str, str | None]:
    """Gives the items of one list their ids; the new id of each old one, None where there is none yet."""
    partners = {after: found.before[before]["id"] for before, after in found.pairs}
    names: dict[str, str | None] = {}
    for at, item in enumerate(items):
        names[str(item.pop("id", ""))] = partners.get(at)
        if at in partners:
            item["id"] = partners[at]
    for item in items:
        if item.get("part_of"):
            item["part_of"] = names.get(item["part_of"])
    return names
