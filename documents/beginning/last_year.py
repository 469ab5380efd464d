"""A text of a new year from an earlier one: what describes the work stays, what was true for one year only is taken out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from models.content import BudgetText, from_json, to_json
from models.errors import InvalidInput
from models.places import join

# Members that are true for one year, or belong to a person, wherever they stand below a project or the department.
_PROJECT: Final = (
    *("code", "budget", "spending_plan", "start", "end", "schedule"),
    # Who is in charge may be somebody else, and a name is not carried on without being asked for.
    *("person_in_charge", "phone"),
)
_INDICATOR: Final = ("value", "value_to", "raw_value", "remark", "actual", "score", "reason")
# Members that are read over by whoever goes on, where they still hold a figure.
_WORDS: Final = frozenset(
    (
        *("title", "text", "introduction", "name", "indicator", "purpose", "grounds", "contents"),
        *("description", "scoring", "basis", "task", "duty", "value"),
    )
)
_FIGURE = re.compile(r"[0-9０-９]|[一二三四五六七八九十百千万两]+(?:[次场期册个名人项份]|年度?)")


@dataclass(frozen=True, slots=True)
class Begun:
    """A content to begin with, and the places (by stable ids) whose words still hold figures that may be another year's."""

    content: BudgetText
    figures: tuple[str, ...] = ()


def begin_from(content: BudgetText, year: int) -> Begun:
    """The content for a year from that of another one; every item keeps its id, so that the two can be held side by side.

    Money, codes, spending plans, dates, values of indicators and persons are empty; sections, goals, projects and indicators
    stand with their words, levels, signs, units, directions, weights and bases. Raises InvalidInput for the same year, and for
    a content that is no budget text.
    """
    if year == content.fiscal_year:
        raise InvalidInput(f"原文本就是 {year} 年的；请用 --year 写另一个年度。", year=year)
    value = to_json(content)
    if value.pop("kind", None) is not None:
        raise InvalidInput("原文本是自评表，不能用来新建预算文本；请用部门预算绩效文本。")
    last = str(content.fiscal_year)
    value["fiscal_year"] = year
    value["title"] = value.get("title", "").replace(last, str(year))
    overall = value.get("overall", {})
    overall.pop("budget", None)
    for duty in overall.get("duties", ()):
        duty.pop("amount", None)
    for indicator in overall.get("indicators", ()):
        _without(indicator, _INDICATOR)
    for project in value.get("projects", ()):
        _without(project, _PROJECT)
        for indicator in project.get("indicators", ()):
            _without(indicator, _INDICATOR)
    for holder in _holders(value):
        # A form's own lines stay as questions, without last year's answers.
        holder["extra"] = [{"label": item["label"]} for item in holder.get("extra", ()) if item.get("label")]
    begun = from_json(value)
    return Begun(begun, tuple(_figures(to_json(begun), ())))


def _without(item: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        item.pop(name, None)


def _holders(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield value
    yield from value.get("overall", {}).get("indicators", ())
    for project in value.get("projects", ()):
        yield project
        yield from project.get("indicators", ())


def _figures(value: Any, path: tuple[str, ...]) -> Iterator[str]:
    """The places of words with a figure, in the order of the content; the title has been given the new year already."""
    if isinstance(value, dict):
        for name, member in value.items():
            if isinstance(member, str):
                if name in _WORDS and path and _FIGURE.search(member):
                    yield join((*path, name))
            else:
                yield from _figures(member, (*path, name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            name = item.get("id", str(number)) if isinstance(item, dict) else str(number)
            yield from _figures(item, (*path, name))
