"""What the reader of a definition objects to, as findings with a code and the exact place in the YAML.

The model of the definition says what is wrong in sentences, several of them in one error for the whole; here each gets the
place that it speaks of. The words are those of ``workflow/definition.py``, and a test goes through all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, Final, get_args

import yaml
from pydantic import BaseModel, ValidationError

from models.problems import problems_of
from workflow.definition import Definition, Property, Requirement, RoleRule, SignRule, State, TaskRule, Transition
from workflow.linting import Flaw, Place

# The one member of each property, and the model that pydantic names in the place of a mistake in it.
_PROPERTIES: Final = {next(iter(model.model_fields)): model.__name__ for model in get_args(Property)}
_PARTS: Final[dict[str, type[BaseModel]]] = {
    "roles": RoleRule,
    "states": State,
    "transitions": Transition,
    "requires": Requirement,
    "task": TaskRule,
    "sign": SignRule,
}
_QUOTED: Final = re.compile("“([^”]*)”")
_ACTION: Final = re.compile("动作“([^”]*)”")
# A sentence may go on with what can be written instead.
_SENTENCES: Final = re.compile("；(?!可以用)")


def mistakes(data: bytes | str, error: ValidationError) -> tuple[Flaw, ...]:
    """The mistakes of a definition that is readable YAML without aliases, each with its place."""
    value: Any = yaml.load(data, Loader=yaml.BaseLoader)  # noqa: S506 -- it makes texts, lists and objects only
    found: list[Flaw] = []
    whole: list[str] = []
    shape = [(place, words) for place, words in problems_of(error) if place]
    for place, words in problems_of(error):
        if not place and isinstance(value, dict):
            whole += _SENTENCES.split(words)
    found += _of_shape(value, shape)
    found += _of_names(value, whole)
    if not found:
        found.append(_said("shape", (), "；".join(words for _, words in problems_of(error))))
    return tuple(found)


def _said(code: str, place: Place, words: str) -> Flaw:
    where = ".".join(str(part) for part in place)
    end = "" if words.endswith("？") else "。"
    return Flaw(code, "error", f"{where}：{words}{end}" if where else f"{words}{end}", place)


def _of_shape(value: Any, problems: Sequence[tuple[tuple[str, ...], str]]) -> Iterator[Flaw]:
    places = {place for place, _ in problems}
    strange: set[str] = set()
    for place, words in problems:
        if place[0] == "properties" and len(place) > 2:
            yield from _of_property(value, place, words, strange)
        elif words.startswith("期限"):
            yield _said("deadline", (*place, "due"), words)
        elif words.startswith("至少要有") and any(len(it) > len(place) and it[: len(place)] == place for it in places):
            continue  # pydantic counts only what has no mistake of its own
        elif place[-1] == "sign" and not words.startswith("应为"):
            yield _said("sign_off", place, words)
        elif words == "不是格式中的成员":
            yield _said("shape", place, words + _instead(place))
        else:
            yield _said("shape", place, words)


def _instead(place: tuple[str, ...]) -> str:
    """The member that was probably meant."""
    names = [part for part in place[:-1] if not part.isdigit()]
    # Below ``states`` and ``roles`` stands a name of the definition, which may itself be called "task".
    inner = names[2:] if names[:1] in (["states"], ["roles"]) else names[1:]
    model = _PARTS.get([*names[:1], *inner][-1]) if names else Definition
    known = [field.alias or name for name, field in model.model_fields.items()] if model else []
    near = get_close_matches(place[-1], known, 1)
    return f"；是不是“{near[0]}”？" if near else f"；可以写 {'、'.join(known)}" if known else ""


def _of_property(value: Any, place: tuple[str, ...], words: str, strange: set[str]) -> Iterator[Flaw]:
    """Pydantic tries every kind of property; what counts is the kind whose member is written."""
    _, number, kind, *rest = place
    written = _entry(value, int(number))
    meant = [name for name in written if name in _PROPERTIES]
    if len(meant) == 1:
        if _PROPERTIES[meant[0]] == kind:
            yield _said("shape", ("properties", number, *rest), words)
        return
    if number in strange:
        return
    strange.add(number)
    near = [match for name in written for match in get_close_matches(name, _PROPERTIES, 1)]
    hint = f"是不是“{near[0]}”？" if near else f"请写 {'、'.join(_PROPERTIES)} 之一"
    yield _said("shape", ("properties", number, *written[:1]), f"不是一条性质；{hint}")


def _entry(value: Any, number: int) -> list[str]:
    """The members of a property as it is written."""
    entry = value["properties"][number]
    return list(entry) if isinstance(entry, dict) else []


def _of_names(value: Any, sentences: Sequence[str]) -> Iterator[Flaw]:
    used: set[Place] = set()
    for words in sentences:
        candidates = _candidates(value, words)
        # The same sentence twice speaks of two places.
        place = next((place for place in candidates if place not in used), candidates[-1] if candidates else ())
        used.add(place)
        code = _code(words)
        hint = _meant(value, words) if code == "undefined" else ""
        yield Flaw(code, "error", f"{words}{hint or '。'}", place)


def _meant(value: dict[str, Any], words: str) -> str:
    """The defined name that was probably meant, where a sentence ends with one that is not."""
    names = {*value["states"], *value["roles"], *(item["action"] for item in value["transitions"])}
    near = get_close_matches(_QUOTED.findall(words)[-1], sorted(names), 1)
    return f"；是不是“{near[0]}”？" if near else ""


def _code(words: str) -> str:
    if "工作日历" in words:
        return "unknown_calendar"
    if "签署" in words:
        return "sign_off"
    if "定义了两次" in words:
        return "doubled"
    return "undefined" if "没有定义" in words else "inconsistent"


def _candidates(value: dict[str, Any], words: str) -> list[Place]:
    """The places that a sentence can speak of."""
    quoted = _QUOTED.findall(words)
    first = quoted[0] if quoted else ""
    for beginning, member in (("初始状态", "initial"), ("没有名为", "calendar")):
        if words.startswith(beginning):
            return [(member,)]
    if words.startswith("separate"):
        found = [
            ("separate", i, j)
            for i, group in enumerate(value["separate"])
            for j, name in enumerate(_listed(group))
            if name == first
        ]
        return list(found[1:] if "两次" in words else found)
    if words.startswith("性质"):
        return [
            ("properties", number)
            for number, entry in enumerate(value["properties"])
            if first in [name for member in entry.values() for name in _listed(member)]
        ]
    if match := _ACTION.search(words):
        return _of_action(value, match[1], words, [name for name in quoted if name != match[1]])
    return [_of_state(value, first, words) if words.startswith("状态") else _of_role(first, words)]


def _of_action(value: dict[str, Any], action: str, words: str, others: Sequence[str]) -> list[Place]:
    member = next(
        (
            member
            for part, member in (("任务角色", "task"), ("的角色", "by"), ("的身份", "as"))
            if f"“{action}”{part}" in words or f"“{action}”的{part}" in words
        ),
        None,
    )
    found: list[Place] = []
    for number, item in enumerate(value["transitions"]):
        if item["action"] != action:
            continue
        if member is not None:
            named = item.get(member, "")
            named = named.get("role", "") if isinstance(named, dict) else named
            found += [("transitions", number, member)] if named in others else []
        elif "用到没有定义的状态" in words:
            ends = [end for end in ("from", "to") if {*_listed(item[end])} & {*others}]
            found += [("transitions", number, end) for end in ends]
        elif not others or {*_listed(item["from"])} & {*others}:
            found.append(("transitions", number))
    return found[1:] if "定义了两次" in words else found


def _of_state(value: dict[str, Any], name: str, words: str) -> Place:
    if "任务角色" not in words:
        return ("states", name, "sign") if "签署" in words else ("states", name)
    state = value["states"][name]
    role = _QUOTED.findall(words)[-1]
    task = state.get("task")
    held = isinstance(task, dict) and task.get("role") == role
    return ("states", name, "task", "role") if held else ("states", name, "sign", "seats")


def _of_role(name: str, words: str) -> Place:
    return ("roles", name, "head") if "上级" in words else ("roles", name)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
