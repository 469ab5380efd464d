"""Reading an edited form back: the content as it is written, and the line on which each member stands."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from documents.forms.writing import MARK
from models.canonical import without_empty
from models.errors import InvalidInput

# A form is a person's; what is larger or deeper is no budget text.
LARGEST: Final = 16 * 1024 * 1024
_DEEPEST: Final = 20


@dataclass(frozen=True, slots=True)
class Form:
    """What an edited form says: the content in JSON (not yet checked against the schema), and lines by the way to a member."""

    value: Any
    lines: Mapping[tuple[str, ...], int] = field(default_factory=dict)

    def line_of(self, tokens: Sequence[str]) -> int | None:
        """The line, counted from 1, of a member or of what is around it; None where nothing is known."""
        path = tuple(tokens)
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def read_form(text: str, kind: str) -> Form | None:
    """The content that a form says, None for one that was emptied; raises InvalidInput with the line of a mistake."""
    if len(text) > LARGEST:
        raise InvalidInput("表单超过 16 MB；请确认选对了文件。")
    if not any(line.strip() and not line.startswith(MARK) for line in text.splitlines()):
        return None
    return _json(text) if kind == "json" else _yaml(text)


def _json(text: str) -> Form:
    # What stands above the content is ours; its lines are kept blank, so that the lines of mistakes are those of the file.
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if line.strip() and not line.startswith(MARK):
            break
        lines[number] = ""
    try:
        value = json.loads("\n".join(lines), object_pairs_hook=members_once)
    except json.JSONDecodeError as error:
        raise InvalidInput(
            f"第 {error.lineno} 行第 {error.colno} 列不是有效的 JSON（{error.msg}）；请检查引号、逗号和括号。",
            line=error.lineno,
        ) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"不是有效的 JSON：{error}。") from error
    try:
        # JSON is YAML but for some spellings of blanks; where it is not, the mistakes are told without their lines.
        found = _convert(yaml.compose("\n".join(lines), Loader=yaml.BaseLoader), ())
    except (yaml.YAMLError, InvalidInput, RecursionError):
        return Form(value)
    return Form(value, found.lines)


def members_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON for ``object_pairs_hook``; raises ValueError where a member is written twice: one would be lost."""
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"成员“{next(name for name in names if names.count(name) > 1)}”写了两次")
    return value


def _yaml(text: str) -> Form:
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.BaseLoader)):
            raise InvalidInput("表单里用了 YAML 的引用（*）；请把内容直接写出来。以 * 或 & 开头的文字要加引号。")
        form = _convert(yaml.compose(text, Loader=yaml.BaseLoader), ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else None
        raise InvalidInput(
            f"第 {line or '?'} 行不是有效的 YAML；请检查缩进和冒号后的空格，文字里有“: ”或“ #”的要加引号。", line=line
        ) from error
    except yaml.YAMLError as error:
        raise InvalidInput("表单里有不能显示的控制字符；请去掉后重试。") from error
    except RecursionError as error:
        raise InvalidInput("表单嵌套太深；请确认选对了文件。") from error
    return Form(_typed(without_empty(form.value)), form.lines)


def _convert(node: yaml.Node | None, path: tuple[str, ...]) -> Form:
    """A node as a JSON value of text, with the lines of its members; raises InvalidInput for a member written twice."""
    lines: dict[tuple[str, ...], int] = {}

    def value_of(node: yaml.Node | None, path: tuple[str, ...]) -> Any:
        if len(path) > _DEEPEST:
            raise InvalidInput("表单嵌套太深；请检查缩进。")
        if node is None:
            return ""
        lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.SequenceNode):
            return [value_of(item, (*path, str(number))) for number, item in enumerate(node.value)]
        if not isinstance(node, yaml.MappingNode):
            return node.value
        value: dict[str, Any] = {}
        for key, member in node.value:
            name, line = key.value, key.start_mark.line + 1
            if not isinstance(name, str):
                raise InvalidInput(f"第 {line} 行的名称不是文字；请检查缩进和冒号。", line=line)
            if name in value:
                raise InvalidInput(f"第 {line} 行的“{name}”在同一处写了两次；请删去一个。", line=line)
            lines[(*path, name)] = line
            value[name] = value_of(member, (*path, name))
        return value

    return Form(value_of(node, path), lines)


def _typed(value: Any) -> Any:
    """What is no text in a content: the year, and whether an indicator is a core one."""
    if isinstance(value, dict):
        return {name: _member(name, member) for name, member in value.items()}
    return [_typed(member) for member in value] if isinstance(value, list) else value


def _member(name: str, member: Any) -> Any:
    if name == "fiscal_year" and isinstance(member, str) and member.isascii() and member.isdigit():
        return int(member)
    if name == "core" and isinstance(member, str):
        return {"true": True, "是": True, "★": True, "false": False, "否": False}.get(member.strip(), member)
    return _typed(member)
