"""The run of all rules over one content."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

from pydantic import BaseModel

# Importing a module of rules registers them.
from documents.checking import appropriateness, completeness, feasibility, form, relevance  # noqa: F401
from documents.checking.context import Context, Unconfirmed
from documents.checking.registry import rules
from documents.checking.settings import DEFAULT, CheckSettings
from models.content import BudgetText
from models.findings import CheckFinding, Severity

_LAST: Final = 10**9
_INDEX = re.compile(r"[0-9]{1,9}")


def check(
    content: BudgetText, *, unconfirmed: Sequence[Unconfirmed] = (), settings: CheckSettings = DEFAULT
) -> tuple[CheckFinding, ...]:
    """All findings, by the rule's code and then by the order of the places in the content.

    ``unconfirmed`` are the repairs of the import that wait for a person. Never raises for a content that the schema
    allows, and depends on nothing but its arguments.
    """
    context = Context(content, settings, tuple(unconfirmed))
    findings: list[CheckFinding] = []
    for rule in rules():
        objections = list(rule.function(context))
        objections.sort(key=lambda item: (_position(content, item.place), item.message))
        findings.extend(
            CheckFinding(
                code=rule.code,
                severity=item.severity or rule.severity,
                criterion=rule.criterion,
                place=item.place,
                message=item.message,
                title=rule.title,
                basis=rule.basis,
            )
            for item in objections
        )
    return tuple(findings)


def errors(findings: Iterable[CheckFinding]) -> tuple[CheckFinding, ...]:
    """The findings that stop 报送."""
    return tuple(finding for finding in findings if finding.severity is Severity.ERROR)


@cache
def _members(model: type[BaseModel]) -> dict[str, int]:
    return {name: number for number, name in enumerate(model.model_fields)}


def _position(content: BudgetText, place: str) -> tuple[tuple[int, str], ...]:
    """Sort key of a place: the order in which the schema and the lists of this content hold it.

    A text sort would put /projects/10 before /projects/2. A place outside the schema comes last among its siblings.
    """
    value: Any = content
    key: list[tuple[int, str]] = []
    for token in place.split("/")[1:] if place.startswith("/") else [place] if place else []:
        if isinstance(value, BaseModel):
            key.append((_members(type(value)).get(token, _LAST), token))
            value = getattr(value, token, None) if token in _members(type(value)) else None
        elif isinstance(value, tuple) and _INDEX.fullmatch(token):
            number = int(token)
            key.append((number, token))
            value = value[number] if number < len(value) else None
        else:
            key.append((_LAST, token))
            value = None
    return tuple(key)
