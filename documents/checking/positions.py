"""The line of a text file that a finding speaks of: found by the words of the place, since contents keep no lines."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel

from documents.rendering.titles import member_title
from models.content import BudgetText

_HEAD: Final = 12
# What holds an item's words where the member itself is empty or too short to be found.
_NAMES: Final = ("raw_value", "text", "description", "name", "title", "checkpoint", "indicator", "code")


class Lines:
    """The lines of a file without blanks, and the search in them."""

    def __init__(self, text: str) -> None:
        self._lines = ["".join(line.split()) for line in text.splitlines()]

    def line_of(self, content: BudgetText, place: str) -> int | None:
        """The line (from 1) where the words of a place stand, of its item, or of its project; None where not found."""
        start = 0
        tokens = place.split("/")[1:]
        if (
            len(tokens) > 1
            and tokens[0] == "projects"
            and tokens[1].isdigit()
            and int(tokens[1]) < len(content.projects)
        ):
            project = content.projects[int(tokens[1])]
            start = self._find(project.code[:_HEAD], 0) or self._find(project.name, 0) or 0
        for words in _words(content, tokens):
            found = self._find(words, max(0, start - 1)) or (self._find(words, 0) if start else None)
            if found:
                return found
        return start or None

    def _find(self, words: str, start: int) -> int | None:
        wanted = "".join(words.split())
        if len(wanted) < 2:
            return None
        for number in range(start, len(self._lines)):
            if wanted in self._lines[number]:
                return number + 1
        # A long text may be broken into lines; its beginning is enough to find it.
        return self._find(wanted[:_HEAD], start) if len(wanted) > _HEAD else None


def _words(content: BudgetText, tokens: list[str]) -> Iterator[str]:
    value: Any = content
    way: list[Any] = []
    for token in tokens:
        if isinstance(value, tuple):
            value = value[int(token)] if token.isdigit() and int(token) < len(value) else None
        else:
            value = getattr(value, token, None)
        way.append(value)
    for item in reversed(way):
        if isinstance(item, str):
            yield item
        elif isinstance(item, Decimal):
            # Money may be written in another unit than it is kept in; its label stands beside it.
            yield member_title(tokens[-1])
        elif isinstance(item, BaseModel):
            names = type(item).model_fields
            members = [getattr(item, name) for name in _NAMES if name in names]
            yield from (member for member in members if isinstance(member, str) and member)
