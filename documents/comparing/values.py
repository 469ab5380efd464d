"""The values of a content in the words of the form: money with its unit, ids as names, a whole item in lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from documents.rendering.figures import value_words
from documents.rendering.titles import member_title
from models.content import Indicator
from models.places import get, join, split

_MONEY: Final = frozenset(("total", "fiscal", "other", "basic", "project", "period_total", "amount"))
_SHARES: Final = frozenset(("percent", "weight"))
# The members that one cell of the form holds.
VALUE_MEMBERS: Final = frozenset(("sign", "value", "value_to", "unit", "remark", "raw_value"))


def indicator_value(item: Mapping[str, Any]) -> str:
    """The cell 指标值 of an indicator in JSON."""
    return value_words(Indicator.model_validate(item))


def words_of(content: Any, place: str, value: Any) -> str:
    """A value at a place of a content in JSON as people read it; "" for nothing."""
    tokens = split(place)
    if value is None:
        return ""
    if isinstance(value, dict):
        return "\n".join(_lines(tokens[-2] if len(tokens) > 1 else "", value))
    if tokens[-1] == "projects" and isinstance(value, list):
        return "、".join(_name(content, ("projects", str(name))) for name in value)
    if tokens[-1] == "part_of":
        return _name(content, (*tokens[:-2], str(value)))
    return _leaf(tokens[-2] if len(tokens) > 1 else "", tokens[-1], value)


def _name(content: Any, tokens: tuple[str, ...]) -> str:
    name = get(content, join((*tokens, "name")))
    return f"“{name}”" if name else tokens[-1]


def _leaf(within: str, name: str, value: Any) -> str:
    if value is True:
        return "是"
    if name in _MONEY and (name != "project" or within == "budget"):
        return f"{value} 元"
    return f"{value}%" if name in _SHARES else str(value)


def _lines(within: str, item: Mapping[str, Any]) -> Iterator[str]:
    """An item that came or went whole, a line for each member; lists in it a line for each of their items."""
    for name, value in item.items():
        title = member_title(name, within)
        if name == "id" or (name in VALUE_MEMBERS and name != "value" and within == "indicators"):
            continue
        if isinstance(value, dict):
            yield f"{title}：" + "；".join(_lines(name, value))
        elif isinstance(value, list):
            yield from (f"{title}：{_in_short(name, member)}" for member in value)
        elif name == "value" and within == "indicators":
            yield f"{title}：{indicator_value(item)}"
        else:
            yield f"{title}：{_leaf(within, name, value)}"


def _in_short(within: str, item: Any) -> str:
    """An item of a list inside an item in one line."""
    if not isinstance(item, dict):
        return str(item)
    if within == "indicators":
        kind = item.get("level2") or item.get("level1", "")
        return "　".join(filter(None, (kind, item.get("name"), indicator_value(item))))
    return "　".join(
        _leaf(within, name, value)
        for name, value in item.items()
        if not isinstance(value, dict | list) and name != "id"
    )
