"""The run of all rules over one content."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

from pydantic import BaseModel

# Importing a module of rules registers them.
from documents.checking import (  # noqa: F401
    appropriateness,
    boilerplate,
    completeness,
    feasibility,
    form,
    kinds,
    links,
    listing,
    marks,
    narrative,
    relevance,
    repeated,
    shares,
    years,
)
from documents.checking.context import Context, Surroundings, Unconfirmed
from documents.checking.registry import rules
from documents.checking.settings import DEFAULT, CheckSettings
from models.content import BudgetText
from models.findings import CheckFinding, Severity

ALONE: Final = Surroundings()
# From what binds most to what binds least.
_STRENGTH: Final = (Severity.ERROR, Severity.WARNING, Severity.HINT)
_LAST: Final = 10**9
_INDEX = re.compile(r"[0-9]{1,9}")


def check(
    content: BudgetText,
    *,
    unconfirmed: Sequence[Unconfirmed] = (),
    settings: CheckSettings = DEFAULT,
    surroundings: Surroundings = ALONE,
    compares: bool | None = None,
) -> tuple[CheckFinding, ...]:
    """All findings, by the rule's code and then by the order of the places in the content.

    ``unconfirmed`` are the repairs of the import that wait for a person, ``surroundings`` what the file and other texts
    say; ``compares`` True or False runs only the rules that look at other texts, or only the others. Never raises for a
    content that the schema allows, and depends on nothing but its arguments.
    """
    settings = settings.for_department(content.department)
    context = Context(content, settings, tuple(unconfirmed), surroundings)
    order = _Order(content)
    findings: list[CheckFinding] = []
    for rule in rules():
        own = settings.rules.get(rule.code)
        if (own is not None and own.disabled is not None) or compares not in (None, rule.compares):
            continue
        severity = own.severity if own is not None and own.severity is not None else rule.severity
        objections = list(rule.function(context))
        if len(objections) > 1:
            objections.sort(key=lambda item: (order.of(item.place), item.message))
        findings.extend(
            CheckFinding(
                code=rule.code,
                severity=_weaker(severity, item.severity),
                criterion=rule.criterion,
                place=item.place,
                message=item.message,
                title=rule.title,
                basis=rule.basis,
            )
            for item in objections
        )
    return tuple(findings)


def _weaker(severity: Severity, half: Severity | None) -> Severity:
    """The severity of the half of a rule that only warns or hints: it stays the weaker one, whatever the rule is set to."""
    return severity if half is None else max(severity, half, key=_STRENGTH.index)


def errors(findings: Iterable[CheckFinding]) -> tuple[CheckFinding, ...]:
    """The findings that stop 报送."""
    return tuple(finding for finding in findings if finding.severity is Severity.ERROR)


@cache
def _members(model: type[BaseModel]) -> dict[str, int]:
    return {name: number for number, name in enumerate(model.model_fields)}


class _Order:
    """Sort keys of places: the order in which the schema and the lists of this content hold them.

    A text sort would put /projects/10 before /projects/2. A place outside the schema comes last among its siblings. The
    findings of one item share the way to it, so what leads to an item is looked up once.
    """

    def __init__(self, content: BudgetText) -> None:
        self._known: dict[str, tuple[tuple[tuple[int, str], ...], Any]] = {"": ((), content)}

    def of(self, place: str) -> tuple[tuple[int, str], ...]:
        """The key of one place."""
        return self._found(place if place.startswith("/") or not place else f"/{place}")[0]

    def _found(self, place: str) -> tuple[tuple[tuple[int, str], ...], Any]:
        found = self._known.get(place)
        if found is None:
            owner, _, last = place.rpartition("/")
            start = self._known.get(owner)
            if start is None:
                # Not by recursion: a place that an importer made up may have any depth.
                start = self._known[""]
                for token in owner[1:].split("/"):
                    start = _step(start, token)
                self._known[owner] = start
            found = self._known[place] = _step(start, last)
        return found


def _step(found: tuple[tuple[tuple[int, str], ...], Any], token: str) -> tuple[tuple[tuple[int, str], ...], Any]:
    key, value = found
    if isinstance(value, BaseModel):
        members = _members(type(value))
        if token in members:
            return (*key, (members[token], token)), getattr(value, token)
    elif isinstance(value, tuple) and _INDEX.fullmatch(token):
        number = int(token)
        return (*key, (number, token)), value[number] if number < len(value) else None
    return (*key, (_LAST, token)), None
