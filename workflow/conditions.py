"""Conditions of a definition over the content of a text: `when` chooses a transition, `requires` refuses one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from models.engine import Work
from workflow.definition import Transition
from workflow.situation import TextRow

Facts = Callable[[], Mapping[str, Any]]


def facts_of(work: Work, text: TextRow) -> Facts:
    """The facts of a text's content, read when a condition asks for the first one."""
    known: dict[str, Any] = {}

    def read() -> Mapping[str, Any]:
        if not known:
            from workflow.facts import read_facts  # definitions without conditions need none of it

            known.update(read_facts(text.kind, work, text))
        return known

    return read


def holds(condition: str, kind: str, facts: Facts) -> bool:
    """Whether a condition is met."""
    from workflow.expressions import evaluate, parse
    from workflow.facts import facts_known

    return evaluate(parse(condition, facts_known(kind)), facts())


def choose(found: Sequence[Transition], text: TextRow, facts: Facts) -> Transition | None:
    """The transition whose condition the content meets; None where it meets none."""
    return next((item for item in found if item.when is None or holds(item.when, text.kind, facts)), None)
