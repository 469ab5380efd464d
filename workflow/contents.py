"""Which contents a text can have, as far as the conditions of a definition can tell them apart: one case for each.

A condition is true or false of a content, so the exploration looks at one case for every combination of truth values that
some content gives (``expressions.combinations``), and never at contents. An edit may lead from any case to any other of the
same round. The engine's own fact ``round`` only grows, so cases are kept apart by round, up to the first round that no
condition tells from later ones.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import product
from typing import Any, Final, NamedTuple

from workflow.definition import Definition
from workflow.expressions import Expression, Undecidable, combinations, parse
from workflow.facts import facts_known

# Literals beyond it are amounts and years, never a number of rounds that anybody waits for.
_LAST_ROUND: Final = 50


class Case(NamedTuple):
    """A combination of truth values, in the order of ``Contents.texts``; its round (0: rounds make no difference); facts."""

    truths: tuple[bool, ...]
    round: int = 0
    facts: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Contents:
    """The conditions (their texts), and every case; ``timeless`` tells for each condition whether rounds leave it alone.

    A condition that is not among the texts can be met and not met by any content, and is taken as met.
    """

    texts: tuple[str, ...] = ()
    cases: tuple[Case, ...] = (Case(()),)
    timeless: tuple[bool, ...] = ()

    def holds(self, case: int, text: str) -> bool:
        """Whether a condition holds in a case."""
        number = self._numbers.get(text)
        return number is None or self.cases[case].truths[number]

    def first(self) -> tuple[int, ...]:
        """The cases in which a text can begin."""
        return tuple(number for number, case in enumerate(self.cases) if case.round <= 1)

    def edited(self, case: int) -> tuple[int, ...]:
        """The cases to which an edit can lead."""
        return self._of_round[self.cases[case].round]

    def later(self, case: int) -> tuple[int, ...]:
        """The cases in the next round, with the content as it is."""
        here = self.cases[case]
        if here.round == 0:
            return (case,)
        found = self._of_round[min(here.round + 1, self._last)]
        same = [number for number, stays in enumerate(self.timeless) if stays]
        return tuple(n for n in found if all(self.cases[n].truths[at] == here.truths[at] for at in same))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {text: number for number, text in enumerate(self.texts)}

    @cached_property
    def _last(self) -> int:
        return max(case.round for case in self.cases)

    @cached_property
    def _of_round(self) -> dict[int, tuple[int, ...]]:
        out: dict[int, tuple[int, ...]] = {}
        for number, case in enumerate(self.cases):
            out[case.round] = (*out.get(case.round, ()), number)
        return out


def any_contents(texts: Sequence[str]) -> Contents:
    """Contents of which nothing is known: every combination of truth values."""
    wanted = tuple(dict.fromkeys(texts))
    cases = tuple(Case(truths) for truths in product((True, False), repeat=len(wanted)))
    return Contents(wanted, cases, (True,) * len(wanted))


def contents_of(definition: Definition) -> Contents:
    """The cases of a definition; raises ExpressionError where a condition can't be read or names an unknown fact.

    Requirements that can't be decided are left out, so that they count as met. Where the choice of a way itself can't be
    decided, every combination counts: too many for a promise that something can happen, which is why the checks of the
    conditions refuse such a definition anyway.
    """
    known = facts_known(definition.kind)
    ways = [parse(text, known) for text in _distinct(item.when for item in definition.transitions)]
    asked = [rule.that for item in definition.transitions for rule in item.requires]
    chosen = {item.text for item in ways}
    required = [parse(text, known) for text in _distinct(asked) if text not in chosen]
    for expressions in ([*ways, *filter(_decidable, required)], ways):
        try:
            return _decided(expressions, definition)
        except Undecidable:
            continue
    return any_contents([item.text for item in ways])


def _decided(expressions: Sequence[Expression], definition: Definition) -> Contents:
    timed = [item for item in expressions if "round" in item.names]
    last = max((_last_round(item) for item in timed), default=0)
    known = facts_known(definition.kind)
    # Conditions of our own that say which round it is: every combination then tells its round.
    marks = [
        *(parse(f"round == {number}", known) for number in range(1, last)),
        *([parse(f"round >= {last}", known)] * bool(last)),
    ]
    found = combinations([*expressions, *marks])
    cases: dict[tuple[tuple[bool, ...], int], Case] = {}
    for vector, facts in found.items():
        truths, told = vector[: len(expressions)], vector[len(expressions) :]
        number = told.index(True) + 1 if True in told else 0
        cases.setdefault((truths, number), Case(truths, number, facts))
    return Contents(
        tuple(item.text for item in expressions),
        tuple(cases.values()),
        tuple("round" not in item.names for item in expressions),
    )


def _last_round(expression: Expression) -> int:
    """The first round that a condition surely does not tell from later ones."""
    # The grammar has put exact decimals into the tree, which the types of ``ast`` know nothing of.
    values: list[object] = [node.value for node in ast.walk(expression.tree) if isinstance(node, ast.Constant)]
    whole = [int(value) for value in values if isinstance(value, Decimal) and value <= _LAST_ROUND]
    return max(1, *whole, 0) + 1


def _decidable(expression: Expression) -> bool:
    try:
        combinations([expression])
    except Undecidable:
        return False
    return True


def _distinct(texts: Any) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text is not None]
