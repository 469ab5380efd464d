"""The registry of rules: one rule is one pure generator function over a Context, registered with its code.

A rule yields objections; an objection without a severity has the rule's own. The half of a rule that only warns or hints
gives its severity with the objection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from documents.checking.context import Context
from models.findings import Criterion, Severity


@dataclass(frozen=True, slots=True)
class Objection:
    """What a rule objects to: a JSON pointer and one sentence; ``severity`` where it differs from the rule's."""

    place: str
    message: str
    severity: Severity | None = None


RuleFunction = Callable[[Context], Iterator[Objection]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; ``basis`` says in words what the text is held against, and never a clause number."""

    code: str
    severity: Severity
    criterion: Criterion
    title: str
    basis: str | None
    function: RuleFunction
    # Whether it looks at other texts, so that a run over many can leave it for when all of them are read.
    compares: bool = False


_RULES: dict[str, Rule] = {}


def rule(
    code: str, severity: Severity, criterion: Criterion, *, title: str, basis: str | None = None, compares: bool = False
) -> Callable[[RuleFunction], RuleFunction]:
    """Decorator that registers a rule; a code can't be given twice."""

    def register(function: RuleFunction) -> RuleFunction:
        if code in _RULES:
            raise ValueError(f"规则编号 {code} 已由“{_RULES[code].title}”使用，请换一个编号。")
        _RULES[code] = Rule(code, severity, criterion, title, basis, function, compares)
        return function

    return register


def rules() -> tuple[Rule, ...]:
    """All registered rules by code."""
    return tuple(_RULES[code] for code in sorted(_RULES))
