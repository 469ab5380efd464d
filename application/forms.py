"""Editing a content in a form: what a person opens, what their form says, and what it would change. Nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson

from application.comparing import Compared, Side, compare_sides
from application.editing import require_links
from documents.forms import KINDS, read_form, with_message, without_message, write_form
from models.content import from_json, to_json
from models.errors import InvalidInput
from models.identifiers import assign_ids
from models.places import pointer, split
from models.readable import require_readable

__all__ = ["KINDS", "Edited", "kind_of_file", "read_edit", "value_of_file", "with_message", "write_form"]


_ADVICE: Final = "改正后保存；不改就关闭，修改会留在文件里。"
# So many mistakes are told at once; a form that was broken in one place may have hundreds.
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Edited:
    """What a form says, checked against the schema: the content as JSON bytes for ``replace_content``, and the differences."""

    data: bytes
    compared: Compared


def kind_of_file(name: str) -> str:
    """In which kind of form a file is written, by its ending: YAML for .yaml and .yml, else JSON."""
    return "yaml" if name.lower().endswith((".yaml", ".yml")) else "json"


def read_edit(text: str, kind: str, old: Any, *, text_id: str, version: int) -> Edited | None:
    """The content that an edited form says, beside the ``old`` one in JSON; None where the form was emptied.

    Raises InvalidInput whose message names every mistake with its line and place, and ends with what to do: it is put at the
    form's top, and the lines are those of the form with this message above it.
    """
    text = without_message(text)
    try:
        form = read_form(_below(1, text), kind)
    except InvalidInput as error:
        raise InvalidInput(f"{error.message}\n{_ADVICE}") from error
    if form is None:
        return None
    try:
        # New items get provisional ids; those that they keep are given when the edit is stored.
        content = from_json(assign_ids(form.value, [old]))
        require_links(content)
        require_readable(to_json(content))
    except InvalidInput as error:
        found = error.facts.get("problems") or [{"place": error.facts.get("place", ""), "message": error.message}]
        shown = found[:_SHOWN]
        lines = read_form(_below(len(shown), text), kind) or form
        told = [_told(lines.line_of(split(pointer(form.value, item["place"]))), item) for item in shown]
        more = f"还有 {len(found) - len(shown)} 处。" if len(found) > len(shown) else ""
        raise InvalidInput("\n".join((*told, more + _ADVICE))) from error
    before = Side(f"第 {version} 版", from_json(old), text_id, version)
    after = Side("修改之后", content, text_id)
    return Edited(orjson.dumps(form.value), compare_sides(before, after))


def _below(problems: int, text: str) -> str:
    """A form as it stands below a message of so many mistakes and the advice."""
    return "\n" * (problems + 1) + text


def value_of_file(data: bytes, name: str) -> bytes:
    """The content of a form's file as JSON bytes; raises InvalidInput."""
    if kind_of_file(name) == "json":
        return data
    try:
        form = read_form(data.decode("utf-8-sig"), "yaml")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"“{name}”不是 UTF-8 编码；请另存为 UTF-8。") from error
    if form is None:
        raise InvalidInput(f"“{name}”是空的；请检查文件。")
    return orjson.dumps(form.value)


def _told(line: int | None, problem: dict[str, Any]) -> str:
    where = f"第 {line} 行 " if line else ""
    place = f"{problem['place']} " if problem["place"] and problem["place"] not in problem["message"] else ""
    return f"{where}{place}{problem['message']}"
