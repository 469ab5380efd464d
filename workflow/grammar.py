"""What may stand in a condition: the characters, words and types of the small language of ``workflow/expressions.py``.

Two fences stand before the evaluator: only the characters of the language reach Python's parser, and every node has a type.
Each refusal is one Chinese sentence that names the condition and what is wrong.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from workflow.facts import DIGITS, RESERVED, Fact, Type

LENGTH: Final = 1000
TOKENS: Final = 300
DEPTH: Final = 30

_TOKEN: Final = re.compile(
    r"""(?P<word>[A-Za-z_][A-Za-z0-9_]*|(?P<number>(?:0|[1-9][0-9]*)(?:\.[0-9]+)?)|(?P<text>"[^"\\]*"|'[^'\\]*'))
    |(?P<sign>==|!=|<=|>=|[<>+*(),\[\]-])|[ ]+""",
    re.VERBOSE,
)
TYPES: Final[dict[Type, str]] = {"number": "数", "text": "文字", "flag": "成立与否的条件"}
_COMPARISONS: Final = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)


class ExpressionError(ValueError):
    """A condition that is not one of the language; the message is one Chinese sentence."""


def read_tree(text: str, known: Mapping[str, Fact]) -> ast.expr:
    """The checked tree of a condition, in which every number is Decimal; raises ExpressionError."""
    _check_letters(text)
    source = text.strip(" ")
    try:
        tree: ast.expr = _Literals(source).visit(ast.parse(source, mode="eval").body)
    except SyntaxError as error:
        raise ExpressionError(f"条件“{shown(text)}”写得不完整或顺序不对；请检查括号、运算符和引号。") from error
    if _Types(source, known).of(tree) != "flag":
        raise ExpressionError(f"条件“{shown(text)}”的结果不是成立或不成立；请写成比较，例如 total > 1000000。")
    if not names_in(tree):
        raise ExpressionError(f"条件“{shown(text)}”没有用到任何事实，总是成立或总不成立；{_listed(known)}。")
    return tree


def type_of(tree: ast.expr, known: Mapping[str, Fact]) -> Type:
    """The type of a part of a checked tree."""
    return _Types("", known).of(tree)


def names_in(tree: ast.expr) -> tuple[str, ...]:
    """The facts that a tree names, in the order of the alphabet."""
    return tuple(sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}))


def shown(text: str) -> str:
    """A text as a message quotes it: at most 60 characters, all of them visible."""
    # What can't be seen is named by its number, so that a message never turns around on the screen.
    short = text if len(text) <= 60 else f"{text[:60]}…"
    return "".join(f"<U+{ord(letter):04X}>" if _invisible(letter) else letter for letter in short)


def _invisible(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")


def _listed(known: Mapping[str, Fact]) -> str:
    return f"可以用：{'、'.join(f'{name} {fact.title}' for name, fact in known.items())}"


def _check_letters(text: str) -> None:
    """Refuses what is no word, number, text or sign of the language, before Python's parser sees it."""
    if len(text) > LENGTH:
        raise ExpressionError(f"条件“{shown(text)}”有 {len(text)} 个字符，最多 {LENGTH} 个；请拆成几条。")
    for number, letter in enumerate(text, 1):
        if _invisible(letter):
            raise ExpressionError(f"条件“{shown(text)}”的第 {number} 个字符不能显示；请删去。")
    place, count, word_before, text_before = 0, 0, False, False
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            hint = "相等要写 ==" if text[place] == "=" else "只能用半角的运算符、括号和成对的引号"
            raise ExpressionError(f"条件“{shown(text)}”的第 {place + 1} 个字符“{text[place]}”不能用在这里；{hint}。")
        # Python would read 1_000, 1e9, f"x" and "a" "b" as one.
        if (token["word"] and word_before) or (token["text"] and text_before):
            raise ExpressionError(f"条件“{shown(text)}”的第 {place + 1} 个字符“{text[place]}”前缺少运算符或空格。")
        if token["number"] and len(token["number"]) > DIGITS:
            raise ExpressionError(f"条件“{shown(text)}”中的数“{token['number'][:40]}”太长，最多 {DIGITS} 位。")
        word_before = bool(token["word"])
        if token["word"] or token["sign"]:
            text_before, count = bool(token["text"]), count + 1
        place = token.end()
    if count > TOKENS:
        raise ExpressionError(f"条件“{shown(text)}”太复杂：有 {count} 个词和符号，最多 {TOKENS} 个；请拆成几条。")


class _Literals(ast.NodeTransformer):
    """Numbers as Decimal of their letters (a float has lost them), and the words true and false as what they mean."""

    def __init__(self, source: str) -> None:
        self._source = source

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        if isinstance(node.value, bool):
            raise ExpressionError(f"条件“{shown(self._source)}”里的 {node.value} 要写成 {str(node.value).lower()}。")
        if isinstance(node.value, (int, float)):
            number: Any = Decimal(ast.get_source_segment(self._source, node) or "")
            return ast.copy_location(ast.Constant(number), node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.copy_location(ast.Constant(node.id == "true"), node) if node.id in RESERVED else node


class _Types:
    """The type of each node; raises ExpressionError for a node that the language does not have."""

    def __init__(self, source: str, known: Mapping[str, Fact]) -> None:
        self._source = source
        self._known = known

    def of(self, node: ast.expr, depth: int = 0) -> Type:
        if depth > DEPTH:
            raise ExpressionError(f"条件“{shown(self._source)}”嵌套超过 {DEPTH} 层；请写得简单些。")
        match node:
            case ast.Constant(value=bool()):
                return "flag"
            case ast.Constant(value=str()):
                return "text"
            case ast.Constant(value=Decimal()):
                return "number"
            case ast.Name(id=name) if name in self._known:
                return self._known[name].type
            case ast.Name(id=name):
                raise ExpressionError(f"没有名为 {name[:40]} 的事实；{_listed(self._known)}。")
            case ast.BoolOp(values=values):
                return self._all(values, "flag", depth)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self._all([operand], "flag", depth)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._all([operand], "number", depth)
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult(), right=right):
                return self._all([left, right], "number", depth)
            case ast.Compare():
                return self._comparison(node, depth)
        raise ExpressionError(
            f"条件里不能用“{self._segment(node)}”；只能用 and、or、not、比较、in、加减乘、括号，以及数、文字、true 和 false。"
        )

    def _segment(self, node: ast.expr) -> str:
        return shown(ast.get_source_segment(self._source, node) or "")

    def _all(self, nodes: Sequence[ast.expr], wanted: Type, depth: int) -> Type:
        for node in nodes:
            if (found := self.of(node, depth + 1)) != wanted:
                raise ExpressionError(f"“{self._segment(node)}”是{TYPES[found]}，这里要{TYPES[wanted]}。")
        return wanted

    def _comparison(self, node: ast.Compare, depth: int) -> Type:
        first = self.of(node.left, depth + 1)
        if isinstance(node.ops[0], (ast.In, ast.NotIn)):
            self._membership(node, first, depth)
            return "flag"
        if first != "number" and not all(isinstance(item, (ast.Eq, ast.NotEq)) for item in node.ops):
            raise ExpressionError(
                f"“{self._segment(node)}”：{TYPES[first]}没有大小，只能用 == 和 !=，一组值用 in 并单独写。"
            )
        if not all(isinstance(item, _COMPARISONS) for item in node.ops):
            raise ExpressionError(f"“{self._segment(node)}”里的比较不能用；in 要单独写，比较用 == != < <= > >=。")
        return self._all(node.comparators, first, depth) and "flag"

    def _membership(self, node: ast.Compare, first: Type, depth: int) -> None:
        values = node.comparators[0]
        if first == "flag" or len(node.ops) > 1 or not isinstance(values, (ast.Tuple, ast.List)) or not values.elts:
            raise ExpressionError(
                f"“{self._segment(node)}”写法不对；in 的右边是方括号里的一组数或文字，例如 round in [1, 2]。"
            )
        self._all(values.elts, first, depth)
        if names_in(values):
            raise ExpressionError(f"“{self._segment(node)}”写法不对；in 右边的一组值里不能有事实。")
