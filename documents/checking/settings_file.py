"""A settings file (TOML, or YAML by its ending): read, checked, and every mistake named with its line where one is known."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import Any, Final

import yaml
from pydantic import ValidationError

from documents.checking.registry import rules
from documents.checking.settings import CheckSettings
from models.errors import InvalidInput
from models.problems import problems_of

# Aliases can make a small file stand for gigabytes; settings need none.
_LARGEST: Final = 1024 * 1024
_AT_LINE = re.compile(r"at line (\d+)")
_SHOWN: Final = 5


def parse_settings(data: bytes, name: str) -> CheckSettings:
    """The settings that a file holds; ``name`` is shown, and its ending (.yaml, .yml: YAML) says how it is written.

    Raises InvalidInput that names up to five mistakes with member and line.
    """
    if len(data) > _LARGEST:
        raise InvalidInput(f"检查设置“{name}”超过 1 MB；请确认选对了文件。")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"检查设置“{name}”不是 UTF-8 编码；请另存为 UTF-8。") from error
    is_yaml = name.lower().endswith((".yaml", ".yml"))
    value, lines = _yaml(text, name) if is_yaml else (_toml(text, name), {})
    try:
        settings = CheckSettings.model_validate(value)
    except ValidationError as error:
        problems = problems_of(error)
    else:
        problems = list(_unknown_codes(settings))
    if problems:
        found = [(_line(place, text, lines, is_yaml=is_yaml), place, words) for place, words in problems]
        sentences = "；".join(_sentence(line, place, words) for line, place, words in found[:_SHOWN])
        more = f"；… 共 {len(found)} 处" if len(found) > _SHOWN else ""
        raise InvalidInput(
            f"检查设置“{name}”有误：{sentences}{more}。请改正后重试。",
            problems=[{"line": line, "place": ".".join(place), "message": words} for line, place, words in found],
        )
    return settings


def _sentence(line: int | None, place: Sequence[str], words: str) -> str:
    where = f"第 {line} 行 " if line else ""
    return f"{where}{'.'.join(place) or '全文'} {words.removeprefix('Value error, ')}"


def _unknown_codes(settings: CheckSettings) -> list[tuple[tuple[str, ...], str]]:
    known = {rule.code for rule in rules()}
    out: list[tuple[tuple[str, ...], str]] = []
    groups = [((), settings.rules)]
    groups += [(("organizations", name), item.rules) for name, item in settings.organizations.items()]  # type: ignore[misc]
    for path, given in groups:
        out += [
            ((*path, "rules", code), "没有这条规则，jixiao check rules 列出全部规则") for code in given.keys() - known
        ]
    return sorted(out)


def _toml(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT_LINE.search(str(error))
        where = f"第 {found[1]} 行" if found else "末尾"
        raise InvalidInput(
            f"检查设置“{name}”{where}不是有效的 TOML；请检查引号、等号和方括号（文字要加引号）。"
        ) from error
    except RecursionError as error:
        raise InvalidInput(f"检查设置“{name}”嵌套太深；请确认选对了文件。") from error


def _yaml(text: str, name: str) -> tuple[Any, dict[tuple[str, ...], int]]:
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise InvalidInput(f"检查设置“{name}”用了 YAML 的引用（*）；请把内容直接写出来。")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"第 {mark.line + 1} 行" if mark is not None else ""
        raise InvalidInput(f"检查设置“{name}”{where}不是有效的 YAML；请检查缩进和冒号后的空格。") from error
    except RecursionError as error:
        raise InvalidInput(f"检查设置“{name}”嵌套太深；请确认选对了文件。") from error
    lines: dict[tuple[str, ...], int] = {}
    if node is not None:
        _mark(node, (), lines)
    return ({} if value is None else value), lines


def _mark(node: yaml.Node, path: tuple[str, ...], lines: dict[tuple[str, ...], int]) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, member in node.value:
            lines[(*path, str(key.value))] = key.start_mark.line + 1
            _mark(member, (*path, str(key.value)), lines)
    elif isinstance(node, yaml.SequenceNode):
        for number, member in enumerate(node.value):
            _mark(member, (*path, str(number)), lines)


def _line(place: Sequence[str], text: str, lines: dict[tuple[str, ...], int], *, is_yaml: bool) -> int | None:
    """The line of a member; Python's TOML reader keeps no positions, so there the member's name is looked for."""
    path = tuple(place)
    if is_yaml:
        while path and path not in lines:
            path = path[:-1]
        return lines.get(path)
    start = 0
    found: int | None = None
    rows = text.splitlines()
    for name in path:
        if name.isascii() and name.isdigit() and found is None:
            continue
        pattern = re.compile(rf"""(?:^|[\s\[.{{,"']){re.escape(name)}["']?\s*(?:=|\.|\])""")
        hit = next((number for number in range(start, len(rows)) if pattern.search(rows[number])), None)
        if hit is not None:
            start, found = hit, hit + 1
    return found
