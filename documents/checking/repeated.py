"""相关性: indicators that stand twice, or were copied from another department or from last year (R003)."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from documents.checking.context import Context, LocatedIndicator
from documents.checking.corpus import department_key, plain_words
from documents.checking.fields import blank
from documents.checking.registry import Objection, rule
from documents.checking.wording import quote
from models.content import Indicator
from models.findings import Criterion, Severity

_NAMED = 3


@rule(
    "R003",
    Severity.WARNING,
    Criterion.RELEVANCE,
    title="指标重复或照抄",
    basis="指标应当由本部门按本年任务设置，不重复、不照抄",
    compares=True,
)
def repeated_indicators(context: Context) -> Iterator[Objection]:
    """Twice in this text, word for word or nearly so in another department's of the year, unchanged since last year."""
    yield from _twice(context)
    yield from _from_others(context)
    yield from _from_last_year(context)


def _twice(context: Context) -> Iterator[Objection]:
    """The same name and kind within a project, and the same name, description and value in two projects.

    A part (其中) may be called like the whole, and the year's indicator like that of the period.
    """
    seen: dict[Hashable, LocatedIndicator] = {}
    shortest = context.settings.thresholds.copy_length
    for item in context.indicators:
        indicator = item.indicator
        name, words = plain_words(indicator.name), plain_words(indicator.description)
        if not name or indicator.part_of is not None:
            continue
        owner = item.located.place if item.located else ""
        within = (owner, name, plain_words(indicator.level2), indicator.period)
        across = (name, words, *_value(indicator))
        keys: list[Hashable] = [within]
        if item.located is not None and words and len(name) + len(words) >= shortest:
            keys.append(across)
        earlier = next((seen[key] for key in keys if key in seen), None)
        if earlier is not None:
            yield Objection(f"{item.place}/name", f"{item.name}与{earlier.name}相同；请删去一条，或写明两条的区别。")
        for key in keys:
            seen.setdefault(key, item)


def _value(indicator: Indicator) -> tuple[str | None, ...]:
    return (indicator.sign, indicator.value.strip(), indicator.value_to, indicator.unit)


def _from_others(context: Context) -> Iterator[Objection]:
    neighbours = context.surroundings.neighbours
    if neighbours is None:
        return
    owner = department_key(context.content.department)
    for item in context.indicators:
        # A name alone is no copy: every department asks for satisfaction.
        if item.located is None or blank(item.indicator.description):
            continue
        found = neighbours.indicators.copy_of(plain_words(item.indicator.name, item.indicator.description), owner)
        if found is not None:
            yield Objection(
                f"{item.place}/description",
                f"{item.name}的名称和描述与{quote(found.title)}的{quote(found.name)}雷同；请按本部门的任务改写。",
            )


def _from_last_year(context: Context) -> Iterator[Objection]:
    """One finding for a project, since whoever copies a table copies all of it."""
    last = context.surroundings.last_year
    if last is None:
        return
    shortest = context.settings.thresholds.copy_length
    before = {_whole(item) for project in last.projects for item in project.indicators}
    for located in context.projects:
        items = context.of_project(located)
        same = [
            item
            for item in items
            if len(plain_words(item.indicator.name, item.indicator.description)) >= shortest
            and not blank(item.indicator.value)
            and _whole(item.indicator) in before
        ]
        if same:
            names = "、".join(quote(item.indicator.name) for item in same[:_NAMED]) + (
                "等" if len(same) > _NAMED else ""
            )
            yield Objection(
                f"{located.place}/indicators",
                f"{located.name}的 {len(items)} 条指标中有 {len(same)} 条与 {last.fiscal_year} 年的文字和数值完全相同"
                f"（{names}）；请按本年任务更新，确需沿用的请说明。",
            )


def _whole(indicator: Indicator) -> tuple[str | None, ...]:
    return (plain_words(indicator.name), plain_words(indicator.description), *_value(indicator))
