"""What conditions of a definition may ask about a text, registered for each kind of text.

A fact has a name, a Chinese title and a type. The engine itself knows the round; what stands in the content is registered
from outside (``application/facts.py``), as guards are: the engine knows nothing of budgets.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.engine import Work
    from workflow.situation import TextRow

    Read = Callable[[Work, TextRow], Mapping[str, Any]]

Type = Literal["number", "text", "flag"]

# An expression of at most 150 numbers of 60 digits has no product of more places; what would be rounded is an error.
EXACT: Final = Context(
    prec=10_000, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[DivisionByZero, Inexact, InvalidOperation, Overflow]
)
# Digits of a number before its point, and after it.
DIGITS: Final = 30
# Words that the language of conditions uses itself, besides Python's keywords.
RESERVED: Final = ("true", "false")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact: its title and type, and which values occur, so that proofs look at no others.

    ``step`` is the grid on which a number lies (1 for counts, 0.01 for 元; else 30 places), ``least`` its least value; ``optional`` says
    that it may be missing (None) in a text under work.
    """

    title: str
    type: Type = "number"
    step: Decimal | None = None
    least: Decimal | None = None
    optional: bool = False

    def fits(self, value: object) -> bool:
        """Whether a value is one of this fact; a float never is, since it has lost its exact value."""
        if value is None:
            return self.optional
        if self.type == "text":
            return isinstance(value, str)
        if self.type == "flag" or isinstance(value, bool):
            return self.type == "flag" and isinstance(value, bool)
        return isinstance(value, (int, Decimal)) and self._holds(Decimal(value))

    def _holds(self, number: Decimal) -> bool:
        exponent = number.as_tuple().exponent
        # Infinity and NaN have a letter for an exponent.
        if not isinstance(exponent, int) or exponent < -DIGITS or number.adjusted() >= DIGITS:
            return False
        on_grid = self.step is None or EXACT.remainder(number, self.step).is_zero()
        return on_grid and (self.least is None or number >= self.least)


_ENGINE: Final[dict[str, Fact]] = {"round": Fact("轮次", step=Decimal(1), least=Decimal(1))}
_REGISTRY: dict[str, tuple[dict[str, Fact], Read]] = {}


def register_facts(kind: str, facts: Mapping[str, Fact], read: Read) -> None:
    """Registers what is known of a kind of text; ``read`` returns the value of every fact, None for a missing one."""
    if kind in _REGISTRY:
        raise ValueError(f"facts of {kind} are registered twice")
    for name, fact in facts.items():
        if fact.least is not None and not fact.fits(fact.least):
            raise ValueError(f"the least value of {name} is none of its values")
        if not _NAME.fullmatch(name) or keyword.iskeyword(name) or name in (*RESERVED, *_ENGINE):
            raise ValueError(f"a fact can't be called {name}")
    _REGISTRY[kind] = (_ENGINE | dict(facts), read)


def facts_known(kind: str) -> Mapping[str, Fact]:
    """The facts of a kind by name; of a kind that nobody registered only those of the engine."""
    return _REGISTRY[kind][0] if kind in _REGISTRY else _ENGINE


def read_facts(kind: str, work: Work, text: TextRow) -> Mapping[str, Any]:
    """The value of every fact of a text now, None for a missing one; numbers are int or Decimal, money is 元.

    Raises TypeError where the registered function gives something else than it declared: every proof about the
    definition would be void.
    """
    values: dict[str, Any] = {"round": text.round}
    if kind in _REGISTRY:
        values = {**_REGISTRY[kind][1](work, text), **values}
    known = facts_known(kind)
    wrong = sorted({*values} ^ {*known}) or sorted(name for name, fact in known.items() if not fact.fits(values[name]))
    if wrong:
        raise TypeError(f"facts of {kind} are not as they were registered: {', '.join(wrong)}")
    return values
