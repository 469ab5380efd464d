"""The public content: the text without personal data.

The approved content is kept as it is; what is published is a copy from which the person in charge, the phone, and every
extra member of a form that is labelled as a person or a way to reach one have been taken out. ``removed`` lists these.
Words that somebody wrote are never changed: what looks personal in them is for a person to judge (``suspicions``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from documents.rendering.personal import Suspicion as Suspicion
from documents.rendering.personal import is_personal, looks_personal, persons_in
from documents.rendering.titles import member_title
from models.content import BudgetText, Extra, Indicator, Project, to_json

_MEMBERS: Final = ("person_in_charge", "phone")


@dataclass(frozen=True, slots=True)
class Removed:
    """A place of the approved content that is not published, by stable ids, and its label; never what stood there."""

    place: str
    label: str


def _public(extra: tuple[Extra, ...]) -> tuple[Extra, ...]:
    return tuple(member for member in extra if not is_personal(member.label))


def _public_indicator(indicator: Indicator) -> Indicator:
    return indicator.model_copy(update={"extra": _public(indicator.extra)})


def _public_project(project: Project) -> Project:
    return project.model_copy(
        update={
            "person_in_charge": None,
            "phone": None,
            "extra": _public(project.extra),
            "indicators": tuple(_public_indicator(indicator) for indicator in project.indicators),
        }
    )


def published(content: BudgetText) -> BudgetText:
    """Copy of a content that may be shown to everybody."""
    overall = content.overall
    indicators = tuple(_public_indicator(indicator) for indicator in overall.indicators)
    return content.model_copy(
        update={
            "extra": _public(content.extra),
            "overall": overall.model_copy(update={"indicators": indicators}),
            "projects": tuple(_public_project(project) for project in content.projects),
        }
    )


def removed(content: BudgetText) -> tuple[Removed, ...]:
    """What ``published`` takes out of a content, in the order of the content."""
    found = [*_labelled("", content.extra)]
    for indicator in content.overall.indicators:
        found += _labelled(f"/overall/indicators/{indicator.id}", indicator.extra)
    for project in content.projects:
        here = f"/projects/{project.id}"
        for member in _MEMBERS:
            if getattr(project, member) is not None:
                found.append(Removed(f"{here}/{member}", member_title(member)))
        found += _labelled(here, project.extra)
        for indicator in project.indicators:
            found += _labelled(f"{here}/indicators/{indicator.id}", indicator.extra)
    return tuple(found)


def _labelled(owner: str, extra: tuple[Extra, ...]) -> Iterator[Removed]:
    for number, member in enumerate(extra):
        if is_personal(member.label):
            yield Removed(f"{owner}/extra/{number}", member.label)


def suspicions(content: BudgetText, names: frozenset[str] = frozenset()) -> tuple[Suspicion, ...]:
    """What looks personal in a content and is published all the same, in the order of the content.

    ``names`` are those of known people; the people whom the content itself names where they are taken out come along.
    """
    own = [project.person_in_charge or "" for project in content.projects]
    extra = [*content.extra]
    for indicator in content.overall.indicators:
        extra += indicator.extra
    for project in content.projects:
        extra += project.extra
        for indicator in project.indicators:
            extra += indicator.extra
    own += [member.value for member in extra if is_personal(member.label)]
    known = {name for words in (*names, *own) for name in persons_in(words)}
    return tuple(looks_personal(to_json(published(content)), frozenset(known)))
