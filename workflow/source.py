"""The YAML of a definition: read strictly, every problem in one sentence with its line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import yaml
from pydantic import ValidationError

from models.errors import InvalidInput
from models.problems import problems_of
from workflow.definition import Definition

# A definition has some 5 KB and 5 levels; what goes far beyond is no definition and would only cost time.
LONGEST: Final = 256 * 1024
_DEEPEST: Final = 20


def parse_definition(data: bytes | str) -> Definition:
    """Definition of YAML or canonical JSON; raises InvalidInput with every problem in one sentence.

    ``facts["problems"]`` of the error lists them, ``facts["lines"]`` the line of each (from 1; None where it has none).
    """
    if len(data) > LONGEST:
        raise InvalidInput(f"流程定义太长（超过 {LONGEST // 1024} KB）；请确认选对了文件。")
    try:
        _check_events(data)
        value: Any = yaml.load(data, Loader=_Loader)  # noqa: S506 -- it makes texts, lists and objects only
        return Definition.model_validate(value)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise InvalidInput(
            f"流程定义不是有效的 YAML：{' '.join(str(error).split())}；请改正后重试。",
            problems=[" ".join(str(error).split())],
            lines=[None if mark is None else mark.line + 1],
        ) from error
    except ValidationError as error:
        found = problems_of(error)
        parts = [f"{'.'.join(place)} {' '.join(words.split())}".strip() for place, words in found]
        raise InvalidInput(
            f"流程定义有误：{'；'.join(parts)}；请改正后重试。",
            problems=parts,
            lines=lines_of(data, [place for place, _ in found]),
        ) from error


def line_of(data: bytes | str, place: Sequence[str | int]) -> int | None:
    """The line (from 1) of a place such as ``("states", "draft", "task")``, or of its nearest parent that is written."""
    return lines_of(data, [place])[0]


def lines_of(data: bytes | str, places: Iterable[Sequence[str | int]]) -> list[int | None]:
    """The line of each place, as ``line_of``; reads the YAML once, since a bad file of 8 KB has two thousand places."""
    root = yaml.compose(data, Loader=yaml.BaseLoader)
    return [None if root is None else _line_in(root, place) for place in places]


def _line_in(node: yaml.Node, place: Sequence[str | int]) -> int:
    line: int = node.start_mark.line + 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if pair is None:
                break
            node, line = pair[1], pair[0].start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and str(part).isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = node.start_mark.line + 1
        else:
            break
    return line


class _Loader(yaml.BaseLoader):
    """Every scalar is text, which pydantic converts; YAML's own dates, octal numbers and "no" have no place here."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Refuses a member that is written twice: the last one would win, silently."""
        names: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in names:
                    raise yaml.constructor.ConstructorError(
                        problem=f"“{key.value}”写了两次", problem_mark=key.start_mark
                    )
                names.add(key.value)
        return super().construct_mapping(node, deep=deep)


def _check_events(data: bytes | str) -> None:
    """Refuses aliases (a few lines expand to gigabytes), tags (they name types of Python) and depth."""
    depth = 0
    for event in yaml.parse(data, Loader=yaml.BaseLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise _refused("流程定义中不能使用 YAML 别名（*）；请写出完整内容。", line)
        if getattr(event, "tag", None) is not None:
            raise _refused("流程定义中不能使用 YAML 标签（!）；请直接写出内容。", line)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise _refused(f"流程定义嵌套超过 {_DEEPEST} 层；请检查括号和缩进。", line)


def _refused(message: str, line: int) -> InvalidInput:
    return InvalidInput(message, problems=[message], lines=[line])
