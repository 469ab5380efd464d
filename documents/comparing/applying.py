"""Making the second content of the first and the changes: proof that a comparison leaves nothing out."""

from __future__ import annotations

from typing import Any

from documents.comparing.changes import Change, Comparison, Kind
from models.canonical import without_empty
from models.errors import InvalidInput
from models.places import copied, split


def apply(content: Any, comparison: Comparison) -> Any:
    """The content in canonical JSON that a comparison leads to from ``content``, which it began with.

    Raises InvalidInput where ``content`` lacks a place or a value that the comparison began with.
    """
    result = copied(content)
    # Everything is looked up by its first place before any id changes and any item goes elsewhere.
    members, leaving, arriving = [], [], []
    for change in (*comparison.changes, *comparison.renumbered):
        if change.position is None and change.after_place is not None:
            members.append((*_member(result, change), change.after))
            continue
        item = None
        if change.before_place is not None:
            items, item = _item(result, change.before_place)
            leaving.append((items, item))
        if change.position is not None:
            arriving.append((change, item if change.kind is Kind.MOVED else copied(change.after)))
    for holder, name, value in members:
        holder[name] = value
    for items, item in leaving:
        items[:] = [other for other in items if other is not item]
    # A new project comes before what moves into it, and each list is filled from its beginning.
    for change, item in sorted(arriving, key=lambda pair: (len(split(pair[0].place)), pair[0].position)):
        items = _holder(result, split(change.place)[:-1], last=[])
        items.insert(change.position, item)
    return without_empty(result)


def _holder(value: Any, tokens: list[str], last: Any) -> Any:
    """What stands at a place; objects on the way, and ``last`` at its end, are made where canonical form left them out."""
    for number, token in enumerate(tokens, start=1):
        if isinstance(value, dict):
            value = value.setdefault(token, last if number == len(tokens) else {})
        else:
            value = _named(value, token)
    return value


def _named(items: Any, token: str) -> Any:
    """The item of a list by its id, or by its position where its kind has no ids."""
    found = next((item for item in items if item.get("id") == token), None)
    if found is None and token.isdigit() and int(token) < len(items):
        found = items[int(token)]
    if found is None:
        raise InvalidInput(f"差异与内容不符：没有“{token}”这一项；请用比较时的那一版内容。", token=token)
    return found


def _member(value: Any, change: Change) -> tuple[dict[str, Any], str]:
    assert change.before_place is not None  # noqa: S101 -- a member has both places
    *tokens, name = split(change.before_place)
    holder = _holder(value, tokens, last={})
    if holder.get(name) != change.before:
        raise InvalidInput(
            f"差异与内容不符：{change.before_place} 已不是比较时的值；请用比较时的那一版内容。",
            place=change.before_place,
        )
    return holder, name


def _item(value: Any, place: str) -> tuple[list[Any], Any]:
    *tokens, name = split(place)
    items = _holder(value, tokens, last=[])
    return items, _named(items, name)
