"""Writing a content as a form: JSON as it is, or YAML with Chinese names and the rules of the values as comments."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import yaml
from yaml.emitter import Emitter
from yaml.representer import SafeRepresenter
from yaml.resolver import BaseResolver
from yaml.serializer import Serializer

from documents.forms.layout import whole
from documents.rendering.titles import member_title

KINDS: Final = ("json", "yaml")
MARK: Final = "#"
# A line of a message, which is taken out again when the form is read or gets another message.
ERROR: Final = f"{MARK}! "

_BREAKS: Final = re.compile("[\\r\\x85\\u2028\\u2029]")
_HELP: Final = (
    "每一项写在自己的一行，冒号后面空一格；不写的项留空。编号（id）不要改：意见、对照、答复都按编号认。",
    "增加一条时照抄一条，去掉 id 一行，系统会给新编号；删除一条就删去它的全部行。",
    "金额单位是元，如 53100.00；百分数不写 %，如 60；符号只能是 ≥ ≤ = > < 区间 定性。",
    "以 # 开头的行是说明，保存时不算。全部删空并保存，就是放弃。",
)
_JSON_HELP: Final = (
    "编号（id）不要改：意见、对照、答复都按编号认；增加一条时不写 id，系统会给新编号。",
    '金额和百分数写成文字，如 "53100.00"。开头这几行以 # 开头，保存时不算。全部删空并保存，就是放弃。',
)


class _Dumper(Emitter, Serializer, SafeRepresenter, BaseResolver):
    """YAML whose values are all text: without a resolver ``95`` and ``是`` need no quotes, and none reads them as numbers."""

    def __init__(self, stream: Any, **options: Any) -> None:
        Emitter.__init__(self, stream, width=options.get("width"), allow_unicode=True)
        Serializer.__init__(self)
        SafeRepresenter.__init__(self, default_flow_style=False, sort_keys=False)
        BaseResolver.__init__(self)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 -- the library's signature
        """Every value is written out where it stands."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 -- the library's signature
        """Items of a list stand below the name of the list and not beside it."""
        Emitter.increase_indent(self, flow, False)


def _represent(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    # Several lines are read best as they are. The breaks that only Unicode has would be read as blanks: those are escaped.
    style = '"' if _BREAKS.search(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent)


def write_form(value: Any, kind: str, *, title: str = "") -> str:
    """A content in JSON as the text of a form of one of ``KINDS``; ``title`` says what is edited."""
    if kind == "json":
        head = [title, *_JSON_HELP]
        return _head(head) + json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    text = _yaml(_words(whole(value)))
    return _head([title, *_HELP]) + _explained(text)


def with_message(text: str, message: str) -> str:
    """The same form with a message at its top, instead of the one it had; whatever else stands in it stays."""
    return "".join(f"{ERROR}{line}\n" for line in message.splitlines()) + without_message(text)


def without_message(text: str) -> str:
    """The form as it was before a message was put at its top."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(ERROR.rstrip()))


def _head(lines: list[str]) -> str:
    return "".join(f"{MARK} {line}\n" for line in lines if line) + "\n"


def _words(value: Any) -> Any:
    """The same with every value as text."""
    if isinstance(value, dict):
        return {key: _words(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_words(member) for member in value]
    if value is None:
        return ""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _yaml(value: Any) -> str:
    # A folded line would be a new one for whoever reads the form, so nothing is folded.
    text: str = yaml.dump(value, Dumper=_Dumper, width=1_000_000)
    return text


def _explained(text: str) -> str:
    """YAML with the Chinese name of each member where it stands for the first time."""
    told: set[tuple[str, str]] = set()
    comments: dict[int, str] = {}
    _walk(yaml.compose(text, Loader=yaml.BaseLoader), "", told, comments)
    lines = text.split("\n")
    for number, title in comments.items():
        indent = " " * (len(lines[number]) - len(lines[number].lstrip(" ")))
        lines[number] = f"{indent}{MARK} {title}\n{lines[number]}"
    return "\n".join(lines)


def _walk(node: yaml.Node | None, within: str, told: set[tuple[str, str]], comments: dict[int, str]) -> None:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _walk(item, within, told, comments)
    elif isinstance(node, yaml.MappingNode):
        for key, member in node.value:
            name = str(key.value)
            title = member_title(name, within)
            if (within, name) not in told and title != name:
                told.add((within, name))
                comments[key.start_mark.line] = title
            _walk(member, name, told, comments)
