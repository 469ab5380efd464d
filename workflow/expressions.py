"""The small language of ``when`` and ``requires``: conditions over facts, checked once, evaluated exactly, and provable.

``and or not``, comparisons (chained too), ``+ - *`` on numbers, ``in`` over literals, parentheses; literals are plain
numbers, texts in quotes, ``true`` and ``false``. An expression is read by Python's parser and evaluated by simpleeval with
everything else switched off, behind the fences of ``workflow/grammar.py``. What passes ``parse`` can't fail on facts that are
what they are registered as. Numbers are Decimal from the letter of the literal on, and no operation rounds.

**An expression that names a missing fact is False**, whatever else it says, ``not`` included: an unknown budget must not
choose a way, and a requirement that can't be judged is not met.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any, Final

from simpleeval import EvalWithCompoundTypes, InvalidExpression

from workflow.facts import DIGITS, EXACT, Fact
from workflow.grammar import TYPES, names_in, read_tree, shown, type_of
from workflow.grammar import ExpressionError as ExpressionError  # the error of this module's functions

Witness = Mapping[str, Any]

# So many assignments of representative values are looked at for one proof (about a second).
ASSIGNMENTS: Final = 20_000

_NODES: Final = (ast.Constant, ast.Name, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.Tuple, ast.List)
_ARITHMETIC: Final[dict[type[ast.operator], str]] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "×"}
_COMPARISONS: Final[dict[type[ast.cmpop], str]] = {
    ast.Eq: "=", ast.NotEq: "≠", ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥", ast.In: "属于", ast.NotIn: "不属于",
}  # fmt: skip
_OPERATORS: Final[dict[type[ast.AST], Callable[..., Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda value, values: value in values,
    ast.NotIn: lambda value, values: value not in values,
}


class Undecidable(ExpressionError):
    """Nothing can be proved about a condition, which ``expression`` holds: it does arithmetic, or compares two facts."""

    def __init__(self, message: str, expression: str) -> None:
        super().__init__(message)
        self.expression = expression


@dataclass(frozen=True, eq=False, slots=True)
class Expression:
    """A checked condition: its text, the facts that it names, and its tree, in which numbers are Decimal."""

    text: str
    facts: Mapping[str, Fact]
    tree: ast.expr = field(repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its facts, in the order of the alphabet."""
        return tuple(self.facts)


def parse(text: str, known: Mapping[str, Fact]) -> Expression:
    """Reads a condition over the facts that are known; raises ExpressionError."""
    return _parse(text, tuple(known.items()))


@lru_cache(maxsize=1024)
def _parse(text: str, items: tuple[tuple[str, Fact], ...]) -> Expression:
    known = dict(items)
    tree = read_tree(text, known)
    return Expression(text, {name: known[name] for name in names_in(tree)}, tree)


def evaluate(expression: Expression, facts: Mapping[str, Any]) -> bool:
    """Whether the condition is met; False where one of its facts is missing or None.

    Raises ExpressionError where a fact is not what it was registered as, a float for money for instance.
    """
    values: dict[str, Any] = {}
    for name, fact in expression.facts.items():
        value = facts.get(name)
        if value is None:
            return False
        if not fact.fits(value):
            raise ExpressionError(f"事实 {name}（{fact.title}）的值 {value!r:.60} 不是登记的{TYPES[fact.type]}。")
        values[name] = Decimal(value) if fact.type == "number" else value
    return bool(_value(expression.tree, values))


def combinations(expressions: Sequence[Expression], *, missing: bool = True) -> dict[tuple[bool, ...], Witness]:
    """Every vector of truth values that some facts give these conditions, each with facts that give it.

    Exact for comparisons of a fact with literals: between two neighbouring literals a fact makes no difference, so one
    value of each stretch, on the grid of the fact, stands for all of it. ``missing`` counts in that optional facts may be
    missing. Raises Undecidable for other conditions, and where there are too many values to look at.
    """
    literals: dict[str, set[Any]] = {name: set() for item in expressions for name in item.names}
    for item in expressions:
        for name, value in _compared(item, item.tree):
            literals[name].add(value)
    facts = {name: fact for item in expressions for name, fact in item.facts.items()}
    choices = [
        [*_representatives(facts[name], found), *([None] if missing and facts[name].optional else [])]
        for name, found in literals.items()
    ]
    if prod(map(len, choices)) > ASSIGNMENTS:
        largest = max(expressions, key=lambda item: len(item.text)).text
        raise Undecidable(
            f"条件太多，需要比较的情况超过 {ASSIGNMENTS} 种，无法证明互斥：“{shown(largest)}”等。", largest
        )
    found: dict[tuple[bool, ...], Witness] = {}
    answers: dict[tuple[int, tuple[Any, ...]], bool] = {}
    for values in product(*choices):
        witness = dict(zip(literals, values, strict=True))
        vector = []
        for number, item in enumerate(expressions):
            key = (number, tuple(witness[name] for name in item.names))
            if key not in answers:
                answers[key] = evaluate(item, witness)
            vector.append(answers[key])
        found.setdefault(tuple(vector), witness)
    return found


def overlap(one: Expression, other: Expression) -> Witness | None:
    """Facts that meet both conditions, or None where none do; raises Undecidable."""
    return combinations((one, other), missing=False).get((True, True))


def describe(expression: Expression, known: Mapping[str, Fact]) -> str:
    """The condition in Chinese, with the titles of its facts: ``total > 1000000`` is “预算总额 > 1000000”."""
    return _words(expression.tree, known)[0]


def _value(tree: ast.expr, values: Mapping[str, Any]) -> Any:
    # An evaluator of its own for each call, since it holds the names; cut down to the nodes and operators of the language.
    evaluator = EvalWithCompoundTypes(operators=_OPERATORS, functions={}, names=values, allowed_attrs={})
    evaluator.functions = {}
    evaluator.nodes = {node: evaluator.nodes[node] for node in _NODES}
    try:
        with localcontext(EXACT):
            return evaluator.eval("", tree)
    except InvalidExpression as error:
        raise ExpressionError("条件里有不能计算的内容。") from error


def _compared(expression: Expression, node: ast.expr) -> Iterator[tuple[str, Any]]:
    """Each fact with each literal that it is compared with; raises Undecidable where it is compared with something else."""
    match node:
        case ast.BoolOp(values=parts):
            for part in parts:
                yield from _compared(expression, part)
        case ast.UnaryOp(operand=part):
            yield from _compared(expression, part)
        case ast.Compare(left=left, comparators=rights) if type_of(left, expression.facts) == "flag":
            for part in (left, *rights):
                yield from _compared(expression, part)
        case ast.Compare(left=left, comparators=rights):
            for one, other in zip((left, *rights), rights, strict=False):
                yield from _pair(expression, one, other)


def _pair(expression: Expression, one: ast.expr, other: ast.expr) -> Iterator[tuple[str, Any]]:
    facts = [side.id for side in (one, other) if isinstance(side, ast.Name)]
    constant = [side for side in (one, other) if not names_in(side)]
    if len(facts) + len(constant) < 2 or len(facts) == 2:
        raise Undecidable(
            f"条件“{shown(expression.text)}”把事实相互比较或对事实做了运算，无法证明互斥；请让每个事实只与写出的值比较。",
            expression.text,
        )
    if facts:
        value = _value(constant[0], {})
        for literal in value if isinstance(value, (tuple, list)) else [value]:
            yield facts[0], literal


def _representatives(fact: Fact, literals: set[Any]) -> list[Any]:
    """A value of each stretch between two literals, below and above, and the literals; only values that the fact can have."""
    if fact.type == "flag":
        return [True, False]
    if fact.type == "text":
        other = "其他"
        while other in literals:
            other += "其他"
        return [*sorted(literals), other]
    step = fact.step or Decimal(1).scaleb(-DIGITS)
    values = {fact.least or Decimal(0)}
    with localcontext(EXACT):
        for literal in literals:
            # Cut towards zero, so it lies on the literal or on one side of it; the next ones lie on the other.
            near = literal // step * step
            values |= {near - step, near, near + step}
    return sorted(value for value in values if fact.fits(value))


def _words(node: ast.expr, known: Mapping[str, Fact]) -> tuple[str, int]:
    """The words of a node and how tightly they hold together: or 1, and 2, comparison 4, sum 5, product 6, single 7."""

    def inside(part: ast.expr, least: int) -> str:
        words, level = _words(part, known)
        return words if level >= least else f"（{words}）"

    match node:
        case ast.Constant(value=value):
            return _literal_words(value), 7
        case ast.Name(id=name):
            return known[name].title, 7
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return f"（{'、'.join(inside(part, 0) for part in parts)}）", 7
        case ast.BoolOp(op=ast.Or(), values=parts):
            return " 或 ".join(inside(part, 2) for part in parts), 1
        case ast.BoolOp(values=parts):
            return " 且 ".join(inside(part, 3) for part in parts), 2
        case ast.UnaryOp(op=ast.Not(), operand=part):
            return f"并非（{inside(part, 0)}）", 7
        case ast.UnaryOp(operand=part):
            return f"-{inside(part, 7)}", 6
        case ast.BinOp(left=left, op=sign, right=right):
            level = 6 if isinstance(sign, ast.Mult) else 5
            return f"{inside(left, level)} {_ARITHMETIC[type(sign)]} {inside(right, level + 1)}", level
        case ast.Compare(left=left, ops=signs, comparators=rights):
            pairs = zip(signs, rights, strict=True)
            return inside(left, 5) + "".join(f" {_COMPARISONS[type(sign)]} {inside(it, 5)}" for sign, it in pairs), 4
    raise TypeError(f"no words for {type(node).__name__}")


def _literal_words(value: object) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return f"{value:f}" if isinstance(value, Decimal) else f"“{value}”"
