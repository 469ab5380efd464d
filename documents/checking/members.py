"""The prose of a content: the members in which an author writes sentences, each with the pointer to it."""

from __future__ import annotations

from collections.abc import Iterator

from models.content import BudgetText, Indicator


def narrative_of(content: BudgetText) -> Iterator[tuple[str, str]]:
    """The department's sentences: introduction, items, sub-goals and safeguards."""
    yield "/overall/introduction", content.overall.introduction
    for number, item in enumerate(content.overall.items):
        yield f"/overall/items/{number}/title", item.title
        yield f"/overall/items/{number}/text", item.text
    for number, goal in enumerate(content.sub_goals):
        yield f"/sub_goals/{number}/indicator", goal.indicator
    for number, item in enumerate(content.safeguards):
        yield f"/safeguards/{number}/title", item.title
        yield f"/safeguards/{number}/text", item.text


def prose_of_project(content: BudgetText, number: int) -> Iterator[tuple[str, str]]:
    """The sentences of one project: purpose, grounds, contents and goals."""
    project = content.projects[number]
    place = f"/projects/{number}"
    for member, text in (
        ("purpose", project.purpose),
        ("grounds", project.grounds),
        ("contents", project.contents),
    ):
        if text:
            yield f"{place}/{member}", text
    for at, goal in enumerate(project.goals):
        yield f"{place}/goals/{at}/text", goal.text


def texts_of(content: BudgetText) -> Iterator[tuple[str, str]]:
    """All prose: the department's, each project's, and the names and descriptions of the indicators."""
    yield from narrative_of(content)
    yield from _of_indicators("/overall/indicators", content.overall.indicators)
    for number, project in enumerate(content.projects):
        yield from prose_of_project(content, number)
        yield from _of_indicators(f"/projects/{number}/indicators", project.indicators)


def _of_indicators(place: str, indicators: tuple[Indicator, ...]) -> Iterator[tuple[str, str]]:
    for number, indicator in enumerate(indicators):
        yield f"{place}/{number}/name", indicator.name
        yield f"{place}/{number}/description", indicator.description
