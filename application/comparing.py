"""Comparing versions of one text, two texts, or files: what each person may read, and 变更对照表 with its reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson
import sqlalchemy as sa

from application.access import (
    is_outsider,
    newest_version,
    read_allowed_version,
    read_version,
    reading,
    require_version,
    sees_all_versions,
)
from application.installation import Request
from application.use_cases import use_case
from documents.comparing import Comparison, Kind, compare_json
from documents.comparing.pages import LAYOUTS, Version, render_page
from documents.comparing.rows import KIND_TITLES, Row, rows
from documents.comparing.values import words_of
from documents.reading import read_file
from documents.rendering import published
from documents.rendering.titles import title_in
from models.content import BudgetText, content_hash, from_json, to_json
from models.engine import Work
from models.errors import InvalidInput, NotFound
from models.places import changes, split
from models.process import Task
from models.readable import require_readable
from models.texts import TextVersion
from workflow.situation import TextRow

SCHEMA: Final = "jixiao/comparison/1"
__all__ = ["LAYOUTS", "Compared", "Side", "compare_sides", "compare_versions", "read_side", "side_of_file"]


@dataclass(frozen=True, slots=True)
class Side:
    """One of two contents: its name for people, the content, the text it is a version of, and its number.

    ``kept_ids`` says that the content's ids come from a text or a JSON file, and were not just counted by a reader.
    """

    name: str
    content: BudgetText
    text: str | None = None
    version: int | None = None
    kept_ids: bool = True

    def to_json(self) -> dict[str, Any]:
        """What a comparison tells of the side."""
        told = {"text": self.text, "version": self.version}
        return {
            "name": self.name,
            "content_hash": content_hash(self.content),
            **{key: value for key, value in told.items() if value is not None},
        }


@dataclass(frozen=True, slots=True)
class Compared:
    """Two contents and all that lies between them; ``reasons`` are known by place, and only between versions of a text."""

    before: Side
    after: Side
    comparison: Comparison
    rows: tuple[Row, ...]
    reasons: Mapping[str, str] = field(default_factory=dict)

    def reason(self, row: Row) -> str:
        """Why a row was written, "" where that is not known."""
        return _joined(*(self.reasons.get(place, "") for place in row.places))

    def row_counts(self) -> dict[str, int]:
        """How many rows there are of each kind, by the kind's Chinese title."""
        return {title: sum(row.kind is kind for row in self.rows) for kind, title in KIND_TITLES.items()}

    def to_json(self) -> dict[str, Any]:
        """The comparison as JSON: both sides, and each change with its place, its words and its reason."""
        comparison = self.comparison
        return {
            "schema": SCHEMA,
            "before": self.before.to_json(),
            "after": self.after.to_json(),
            "counts": comparison.counts(),
            "changes": [
                {**change.to_json(), **told} for change, told in zip(comparison.changes, self._told(), strict=True)
            ],
            "renumbered": [change.to_json() for change in comparison.renumbered],
        }

    def table(self) -> list[dict[str, Any]]:
        """变更对照表 by single members: ``place``, ``place_title``, ``before``, ``after``, both in words, ``reason``.

        Of an item that moved, before and after are where it stood and stands, in words.
        """
        out = []
        for change, told in zip(self.comparison.changes, self._told(), strict=True):
            values = {"before": change.before, "after": change.after}
            if change.kind is Kind.MOVED:
                values = {"before": told["before_words"], "after": told["after_words"]}
            out.append({"place": change.place, **values, **told})
        return out

    def _told(self) -> Iterator[dict[str, str]]:
        """What people are told of each change, in the order of the changes."""
        before, after = to_json(self.before.content), to_json(self.after.content)
        moved = {row.places[0]: row for row in self.rows if row.kind is Kind.MOVED}
        for change in self.comparison.changes:
            if change.kind is Kind.MOVED:
                words = (moved[change.place].before, moved[change.place].after)
            else:
                words = (
                    words_of(before, change.before_place or change.place, change.before),
                    words_of(after, change.place, change.after),
                )
            yield {
                "place_title": title_in(before if change.after_place is None else after, change.place),
                "before_words": words[0],
                "after_words": words[1],
                "reason": self.reasons.get(change.place, ""),
            }

    def page(self, layout: str) -> bytes:
        """The comparison as an HTML page in one of ``LAYOUTS``: side by side, inline, or 变更对照表."""
        before, after = (Version(side.name, content_hash(side.content)) for side in (self.before, self.after))
        return render_page(layout, before, after, self.rows, [self.reason(row) for row in self.rows])


@use_case("text.compare")
def compare_versions(
    request: Request, text_id: str, *, before: int | None = None, after: int | None = None
) -> Compared:
    """Two versions of a text; by default the newest that the person may read, and the one that they read before it.

    Raises NotFound where there are no two, NotAllowed for a version that the person may not read.
    """
    with reading(request, text_id) as (work, row):
        newest = newest_version(work, request, row)
        after = newest if after is None else after
        before = _one_before(work, request, row, after) if before is None else before
        for number in (before, after):
            require_version(request, row, number, newest)
        return between(work, request, row, before, after)


@use_case("text.compare")
def read_side(request: Request, text_id: str, *, version: int | None = None) -> Side:
    """One version of a text to compare with another text or a file; by default the newest that the person may read."""
    with reading(request, text_id) as (work, row):
        number = read_allowed_version(work, request, row, version).version
        return _side(work, request, row, number)


def compare_sides(before: Side, after: Side) -> Compared:
    """Two contents from anywhere. Ids are trusted where both were kept and speak of one department's text of one year."""
    if before.text is not None and after.text is not None:
        same = before.text == after.text
    else:
        same = before.kept_ids and after.kept_ids and _whose(before) == _whose(after)
    return _compared(before, after, same_text=same)


def side_of_file(data: bytes, name: str) -> Side:
    """The content of a file: JSON as ``text show --json`` or ``text import --json`` prints it, else a text of any kind.

    Raises InvalidInput that names the file.
    """
    kept = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"
    try:
        content = _content(data) if kept else read_file(data, name).content
        require_readable(to_json(content))
    except InvalidInput as error:
        raise InvalidInput(f"{name}：{error.message}", **{**error.facts, "file": name}) from error
    return Side(f"{_title(content)}（{name}）", content, kept_ids=kept)


def between(work: Work, request: Request, row: TextRow, before: int, after: int, *, why: str = "") -> Compared:
    """Two versions of a text with the reasons of whoever wrote each place last; ``why`` goes before every reason."""
    sides = [_side(work, request, row, number) for number in (before, after)]
    compared = _compared(*sides, same_text=True)
    if not compared.rows or is_outsider(request, row):
        return compared
    written = _written(work, row, min(before, after), max(before, after))
    places = {change.place for change in compared.comparison.changes}
    return replace(compared, reasons={place: _joined(why, _last_reason(written, place)) for place in places})


def _compared(before: Side, after: Side, *, same_text: bool) -> Compared:
    old, new = to_json(before.content), to_json(after.content)
    comparison = compare_json(old, new, same_text=same_text)
    return Compared(before, after, comparison, rows(old, new, comparison))


def _side(work: Work, request: Request, row: TextRow, number: int) -> Side:
    content = read_version(work, row, number).content
    if is_outsider(request, row):
        content = published(content)
    return Side(f"{_title(content)} 第 {number} 版", content, row.id, number)


def _title(content: BudgetText) -> str:
    return content.title or f"{content.fiscal_year}年部门预算绩效文本"


def _whose(side: Side) -> tuple[int, str]:
    return side.content.fiscal_year, side.content.department.code or side.content.department.name


def _content(data: bytes) -> BudgetText:
    try:
        value = orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"不是有效的 JSON：{error}；请检查文件。") from error
    return from_json(value["content"] if isinstance(value.get("content"), dict) else value)


def _one_before(work: Work, request: Request, row: TextRow, after: int) -> int:
    """The version that the person read before ``after``: the bureau knows only those that were submitted to it."""
    numbers: Sequence[int] = ()
    if sees_all_versions(request, row):
        numbers = range(1, row.current_version + 1)
    elif not is_outsider(request, row):
        query = sa.select(Task.version).where(Task.text_id == row.id, Task.organization_id == row.reviewing_id)
        numbers = list(work.session.scalars(query.distinct()))
    earlier = [number for number in numbers if number < after]
    if not earlier:
        raise NotFound(
            f"第 {after} 版之前没有您可以查看的版本，无从比较；请写明另一版或另一份，如 编号@1 编号@2。", version=after
        )
    return max(earlier)


def _written(work: Work, row: TextRow, first: int, last: int) -> list[tuple[str, list[str]]]:
    """Of each version after the first its reason and the places that it changed."""
    reasons = work.session.execute(
        sa.select(TextVersion.number, TextVersion.reason)
        .where(TextVersion.text_id == row.id, TextVersion.number > first, TextVersion.number <= last)
        .order_by(TextVersion.number)
    )
    earlier = to_json(read_version(work, row, first).content)
    out = []
    for number, reason in reasons:
        later = to_json(read_version(work, row, number).content)
        out.append((reason, [place for place, _, _ in changes(earlier, later)]))
        earlier = later
    return out


def _last_reason(written: list[tuple[str, list[str]]], place: str) -> str:
    """The reason of whoever wrote a place last: the place itself, something in it, or what it is in."""
    tokens = split(place)
    for reason, places in reversed(written):
        for other in map(split, places):
            shorter = min(len(tokens), len(other))
            if tokens[:shorter] == other[:shorter]:
                return reason
    return ""


def _joined(*reasons: str) -> str:
    return "；".join(dict.fromkeys(reason for reason in reasons if reason))
