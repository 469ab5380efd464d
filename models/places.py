"""Places in a content: JSON pointers (RFC 6901) and their anchors.

A pointer counts (``/projects/0/indicators/3/value``) and shifts when an item is moved; an anchor names the same place by
stable ids (``/projects/p1/indicators/i4/value``) and survives edits. Both are accepted wherever a place is asked for.
"""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Iterable
from typing import Any

from models.errors import InvalidInput

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
# Ids are counted when they are given: i4 stands fourth, as long as nobody has moved anything.
_COUNTED = re.compile(r"[a-z]{1,3}([1-9][0-9]{0,8})")
_ESCAPES = re.compile(r"~(?![01])")
_MISSING = object()


def split(place: str) -> list[str]:
    """Unescaped reference tokens of a pointer or anchor; raises InvalidInput where it is neither."""
    if place == "":
        return []
    if not place.startswith("/"):
        raise InvalidInput(f"位置“{place}”应以 / 开头，例如 /projects/p1/code。")
    if _ESCAPES.search(place):
        raise InvalidInput(f"位置“{place}”中的 ~ 应写成 ~0（~1 表示 /）。")
    return [token.replace("~1", "/").replace("~0", "~") for token in place[1:].split("/")]


def join(tokens: Iterable[str]) -> str:
    """Pointer of reference tokens."""
    return "".join("/" + token.replace("~", "~0").replace("/", "~1") for token in tokens)


def _index(items: list[Any], token: str) -> int:
    """The position that a token names, -1 for none. A number is a position, since an id begins with a letter.

    A text has thousands of places and a broken file tens of thousands, so looking through the list is the last resort.
    """
    if _INDEX.fullmatch(token):
        return int(token) if int(token) < len(items) else -1
    counted = _COUNTED.fullmatch(token)
    if counted is not None and int(counted[1]) <= len(items) and _has_id(items[int(counted[1]) - 1], token):
        return int(counted[1]) - 1
    return next((number for number, item in enumerate(items) if _has_id(item, token)), -1)


def _has_id(item: Any, name: str) -> bool:
    return isinstance(item, dict) and item.get("id") == name


def _walk(value: Any, tokens: list[str]) -> Any:
    for token in tokens:
        if isinstance(value, list):
            number = _index(value, token)
            if number < 0:
                return _MISSING
            value = value[number]
        elif isinstance(value, dict) and token in value:
            value = value[token]
        else:
            return _MISSING
    return value


def get(value: Any, place: str, default: Any = None) -> Any:
    """The member of a JSON value at ``place``, or ``default`` where there is none."""
    found = _walk(value, split(place))
    return default if found is _MISSING else found


def exists(value: Any, place: str) -> bool:
    """Whether a JSON value has a member at ``place``."""
    return _walk(value, split(place)) is not _MISSING


def _translated(value: Any, place: str, *, by_id: bool) -> str:
    tokens = split(place)
    out: list[str] = []
    for position, token in enumerate(tokens):
        if isinstance(value, list):
            number = _index(value, token)
            if number < 0:
                return join(out + tokens[position:])
            value = value[number]
            name = value.get("id") if by_id and isinstance(value, dict) else None
            out.append(name if isinstance(name, str) and name else str(number))
        else:
            out.append(token)
            value = value.get(token) if isinstance(value, dict) else None
    return join(out)


def anchor(value: Any, place: str) -> str:
    """The place by stable ids; where an item can't be found the rest stays as written."""
    return _translated(value, place, by_id=True)


def pointer(value: Any, place: str) -> str:
    """The place as a JSON pointer with today's positions; where an item can't be found the rest stays as written."""
    return _translated(value, place, by_id=False)


def put(value: Any, place: str, member: Any) -> Any:
    """Copy of a JSON value with ``member`` at ``place`` (None removes it).

    Missing objects on the way are made, ``-`` at the end of a list (made where it is missing, since canonical contents
    leave empty lists out) appends; raises InvalidInput where the place can't exist.
    """
    tokens = split(place)
    if not tokens:
        return member
    result = copied(value)
    target = result
    for token, following in itertools.pairwise(tokens):
        if isinstance(target, list):
            number = _index(target, token)
            if number < 0:
                raise InvalidInput(f"位置“{place}”不存在：没有编号为“{token}”的条目。")
            target = target[number]
        elif isinstance(target, dict):
            target = target.setdefault(token, [] if following == "-" else {})
        else:
            raise InvalidInput(f"位置“{place}”不存在：“{token}”之上没有下级。")
    last = tokens[-1]
    if isinstance(target, list):
        number = len(target) if last == "-" else _index(target, last)
        if number < 0:
            raise InvalidInput(f"位置“{place}”不存在：没有编号为“{last}”的条目。")
        if member is None:
            del target[number : number + 1]
        else:
            target[number : number + 1] = [member]
    elif isinstance(target, dict):
        if member is None:
            target.pop(last, None)
        else:
            target[last] = member
    else:
        raise InvalidInput(f"位置“{place}”不存在：“{last}”之上没有下级。")
    return result


def copied(value: Any) -> Any:
    """Deep copy of a JSON value; raises InvalidInput where it is nested too deeply to be a content."""
    try:
        return copy.deepcopy(value)
    except RecursionError:
        raise InvalidInput("内容嵌套太深；请检查 JSON 的结构。") from None


def changes(old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    """Differences between two contents as (anchor, old, new), leaves only; None stands for "not there".

    Items with ids are compared by id, so that a moved item is not a changed one; a new order of a list is one change of
    its ids.
    """
    out: list[tuple[str, Any, Any]] = []
    _compare([], old, new, out)
    return out


def _compare(tokens: list[str], old: Any, new: Any, out: list[tuple[str, Any, Any]]) -> None:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            _compare([*tokens, key], old.get(key), new.get(key), out)
        return
    if _has_ids(old) and _has_ids(new):
        before, after = {item["id"]: item for item in old or []}, {item["id"]: item for item in new or []}
        for key in [*before, *(name for name in after if name not in before)]:
            _compare([*tokens, key], before.get(key), after.get(key), out)
        kept = [key for key in after if key in before]
        if kept != [key for key in before if key in after]:
            out.append((join(tokens), list(before), list(after)))
        return
    out.append((join(tokens), old, new))


def _has_ids(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(item, dict) and "id" in item for item in value))
