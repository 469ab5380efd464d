"""Columns of a form's tables: the header, and which column each piece of a row belongs to.

Where merged or empty cells have collapsed, a piece's position does not tell its column. The pieces of a row still stand
in the order of the columns, and most columns hold only one kind of words (a sign, a unit, points): the cheapest way to
lay the pieces over the columns is taken, and what fits nowhere is left over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from documents.reading import measures
from documents.reading.forms.pieces import Piece
from documents.reading.forms.vocabulary import Vocabulary
from documents.reading.layout_files import ColumnRole as Role
from documents.reading.layout_files import key_of

_TERM = re.compile(r"指标(?:\(.*)?$")
_NUMBER = re.compile(r"-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_POINTS = re.compile(r"\d{1,3}(?:\.\d+)?分?")
_PERCENT = re.compile(r"\d+(?:\.\d+)?%?")
_VALUE = re.compile(r"(?:[≥≤=<>]|>=|<=)\s*\S+|\d+(?:\.\d+)?\s*\S{1,6}")
_CODE_DASH = re.compile(r"\d{3,9}\s*[-—–]\s*[^\d\s]")
_UNIT_NAME = re.compile(r"\d{3,9}\s*[-—–]?\s*\S{2,60}")
NOTHING: Final = frozenset({"-", "—", "——", "－", "/", "…", "……", "无"})
_COST: Final = "成本"
_NEVER: Final = 8.0
_WRAP: Final = 0.5
_LOOSE: Final = 6.0
_TEXTS: Final = frozenset({Role.DESCRIPTION, Role.BASIS, Role.REMARK, Role.SCORING, Role.REASON})
_MERGED: Final = frozenset(
    {
        Role.LEVEL1,
        Role.LEVEL2,
        Role.UNIT_NAME,
        Role.PROJECT_NAME,
        Role.PROJECT_CODE,
        Role.PROJECT_TOTAL,
        Role.PROJECT_GOAL,
    }
)
_AMOUNTS: Final = frozenset({Role.PLANNED, Role.EXECUTED, Role.PROJECT_TOTAL, Role.AMOUNT})
INDICATORS: Final = frozenset({Role.LEVEL1, Role.LEVEL2, Role.NAME})
_LISTS: Final = frozenset({Role.UNIT_NAME, Role.PROJECT_NAME, Role.PROJECT_CODE, Role.PROJECT_TOTAL, Role.PROJECT_GOAL})
_MONEY: Final = frozenset({Role.PLANNED, Role.EXECUTED, Role.RATE, Role.WEIGHT, Role.SCORE})
_DUTIES: Final = frozenset({Role.DUTY, Role.TASK, Role.DUTY_PROJECT, Role.AMOUNT})


@dataclass(frozen=True, slots=True)
class Columns:
    """A header: the role of each column (None: unknown), its label, and from which column on a second side begins."""

    roles: tuple[Role | None, ...]
    labels: tuple[str, ...]
    second: int | None = None

    def has(self, role: Role) -> bool:
        """Whether a column has the role."""
        return role in self.roles


@dataclass(frozen=True, slots=True)
class Aligned:
    """One row: the piece in each column, and the pieces that fit in none."""

    cells: dict[int, Piece]
    loose: tuple[Piece, ...]
    fit: float


def header_of(
    pieces: Sequence[Piece], vocabulary: Vocabulary, *, whole: bool = False
) -> tuple[int, int, Columns] | None:
    """Begin and end of the header among the pieces and its columns; None where there is none.

    A header of indicators names a level or name, and a value; one of money what was planned and what was spent; one of
    duties a duty or task and an amount. In a ``whole`` row labels that are not known may stand among them.
    """
    at = 0
    while at < len(pieces):
        end = at
        while end < len(pieces) and (not pieces[end].words or vocabulary.columns(pieces[end].words)):
            end += 1
        while end > at and not pieces[end - 1].words:
            end -= 1
        run = pieces[at:end]
        columns = _columns(run, vocabulary) if len(run) >= 3 else None
        if columns is not None:
            return at, end, columns
        at = max(end, at + 1)
    known = [bool(piece.words and vocabulary.columns(piece.words)) for piece in pieces]
    words = [piece.words for piece in pieces if piece.words]
    if not whole or sum(known) < 3 or any(any(char.isdigit() for char in cell) for cell in words):
        return None
    begin = known.index(True)
    columns = _columns(pieces[begin:], vocabulary)
    return (begin, len(pieces), columns) if columns is not None else None


def align(pieces: Sequence[Piece], columns: Columns, vocabulary: Vocabulary) -> list[Aligned]:
    """Rows of the pieces between two certain ends of rows; a row begins where going on costs more than beginning anew."""
    width = len(columns.roles)
    upto = _costs_of_skipping(columns)
    # best[c]: the cheapest way to have placed all pieces so far with the last one in column c (-1: none yet).
    best: dict[int, tuple[float, _Step | None]] = {-1: (0.0, None)}
    for piece in pieces:
        fits = [_fit(role, piece.words, vocabulary) for role in columns.roles] if piece.words else []
        best = _next(best, piece, fits, upto)
    _, (cost, step) = min(best.items(), key=lambda item: item[1][0] + upto[width] - upto[item[0] + 1])
    return _rows(step, cost)


def _costs_of_skipping(columns: Columns) -> list[float]:
    """What it costs to leave the first n columns empty, for each n."""
    skip = [0.1 if role in _MERGED else 2.0 if role in (Role.NAME, Role.VALUE) else 0.3 for role in columns.roles]
    if columns.second is not None:
        # The second side of a table can end before the first.
        skip[columns.second :] = [min(cost, 0.5) for cost in skip[columns.second :]]
    upto = [0.0]
    for cost in skip:
        upto.append(upto[-1] + cost)
    return upto


def _next(
    best: dict[int, tuple[float, _Step | None]], piece: Piece, fits: Sequence[float], upto: Sequence[float]
) -> dict[int, tuple[float, _Step | None]]:
    """The cheapest ways with one more piece: in the same row, in a new one, in no column, or (empty) as a cell or nothing."""
    width = len(upto) - 1
    new: dict[int, tuple[float, _Step | None]] = {}

    def offer(column: int, cost: float, step: _Step) -> None:
        if column not in new or cost < new[column][0]:
            new[column] = (cost, step)

    for at, (cost, before) in best.items():
        offer(at, cost + (_LOOSE if piece.words else 0.4), _Step(before, piece, None, new_row=False))
        if not piece.words and at + 1 < width:
            offer(at + 1, cost + 0.05, _Step(before, piece, at + 1, new_row=False))
        for column, fit in enumerate(fits):
            if fit >= _NEVER:
                continue
            if column > at:
                way = cost + fit + upto[column] - upto[at + 1]
                offer(column, way, _Step(before, piece, column, new_row=before is None))
            if at >= 0:
                wrap = cost + _WRAP + upto[width] - upto[at + 1] + fit + upto[column]
                offer(column, wrap, _Step(before, piece, column, new_row=True))
    return new


def positioned(pieces: Sequence[Piece], columns: Columns) -> Aligned:
    """A row whose positions are its columns."""
    cells = {at: piece for at, piece in enumerate(pieces) if piece.words and at < len(columns.roles)}
    return Aligned(cells, tuple(piece for piece in pieces[len(columns.roles) :] if piece.words), 0.0)


def fits(row: Aligned, columns: Columns, vocabulary: Vocabulary) -> bool:
    """Whether each piece of a row can be what its column holds."""
    if row.loose:
        return False
    if _cost_comes_first(row, columns, vocabulary):
        row = Aligned({at: piece for at, piece in row.cells.items() if columns.roles[at] is not Role.LEVEL1}, (), 0.0)
    return all(_fit(columns.roles[at], piece.words, vocabulary) < _NEVER for at, piece in row.cells.items())


def _cost_comes_first(row: Aligned, columns: Columns, vocabulary: Vocabulary) -> bool:
    """Whether a row begins with 成本指标 and a kind of cost beside it: since 2022 costs are a first level of their own."""
    by_role = {columns.roles[at]: vocabulary.level(piece.words) for at, piece in row.cells.items()}
    first, second = by_role.get(Role.LEVEL1), by_role.get(Role.LEVEL2)
    return (
        first is not None
        and second is not None
        and first[0].removesuffix("指标") == _COST
        and second[0].removesuffix("指标").endswith(_COST)
    )


@dataclass(frozen=True, slots=True)
class _Step:
    before: _Step | None
    piece: Piece
    column: int | None
    new_row: bool


def _rows(step: _Step | None, cost: float) -> list[Aligned]:
    steps: list[_Step] = []
    while step is not None:
        steps.append(step)
        step = step.before
    rows: list[tuple[dict[int, Piece], list[Piece]]] = []
    for item in reversed(steps):
        if item.new_row or not rows:
            rows.append(({}, []))
        if item.column is not None and item.piece.words:
            rows[-1][0][item.column] = item.piece
        elif item.piece.words:
            rows[-1][1].append(item.piece)
    return [Aligned(cells, tuple(loose), cost / len(rows)) for cells, loose in rows if cells or loose]


def _columns(run: Sequence[Piece], vocabulary: Vocabulary) -> Columns | None:
    names = [vocabulary.columns(piece.words) for piece in run]
    known = {role for roles in names for role in roles}
    if known & INDICATORS and Role.VALUE in known:
        allowed = frozenset(Role) - _MONEY - _DUTIES | {Role.WEIGHT, Role.SCORE}
    elif {Role.PLANNED, Role.EXECUTED} <= known:
        allowed = _MONEY
    elif known & {Role.DUTY, Role.TASK} and Role.AMOUNT in known:
        allowed = _DUTIES
    else:
        return None
    roles: list[Role | None] = []
    second: int | None = None
    for at, names_of_column in enumerate(names):
        role = next((name for name in names_of_column if name in allowed), None)
        if role is not None and role in roles[second or 0 :]:
            second = second or at
        roles.append(role)
    return Columns(tuple(roles), tuple(piece.words for piece in run), second)


def _fit(role: Role | None, words: str, vocabulary: Vocabulary) -> float:
    """What it costs to take ``words`` for a piece of a column: 0 for what it is made for, ``_NEVER`` for what can't be."""
    if words in NOTHING:
        return 0.3 if role is not Role.LEVEL1 and role is not Role.LEVEL2 else _NEVER
    if role in (Role.LEVEL1, Role.LEVEL2):
        level = vocabulary.level(words)
        return 0.0 if level is not None and level[1 if role is Role.LEVEL1 else 2] else _NEVER
    if vocabulary.level(words) is not None and _TERM.search(key_of(words)):
        return _NEVER
    if role in (Role.NAME, Role.TASK, Role.DUTY, Role.DUTY_PROJECT):
        return 3.0 if _CODE_DASH.match(words) else _words(words, number=5.0, value=3.0)
    if role is None or role in _TEXTS:
        return 0.2 + _words(words, number=4.0, value=1.5)
    if role in (Role.VALUE, Role.ACTUAL):
        return _value_fit(words)
    if role in _AMOUNTS:
        return 0.0 if _NUMBER.fullmatch(words.removesuffix("万元").removesuffix("元")) else _NEVER
    if role is Role.UNIT_NAME:
        return 0.0 if _UNIT_NAME.fullmatch(words) else _words(words, number=_NEVER, value=_NEVER) + 0.5
    if role in _LISTS:
        return _words(words, number=_NEVER, value=_NEVER) + 0.2
    return 0.0 if _IS[role](words) else 1.0 if role is Role.UNIT and _may_be_unit(words) else _NEVER


def _words(words: str, *, number: float, value: float) -> float:
    if _NUMBER.fullmatch(words) or measures.known_sign(words):
        return number
    return value if _VALUE.fullmatch(words) else 0.0


def _value_fit(words: str) -> float:
    if _NUMBER.fullmatch(words):
        return 0.5
    if _VALUE.fullmatch(words) or _PERCENT.fullmatch(words):
        return 0.0
    return 0.6 if any(char.isdigit() for char in words) else 1.0


def _may_be_unit(words: str) -> bool:
    return len(words) <= 6 and not any(char.isdigit() for char in words) and measures.known_sign(words) is None


_IS: Final[dict[Role, Callable[[str], object]]] = {
    Role.SIGN: measures.known_sign,
    Role.UNIT: measures.UNIT.fullmatch,
    Role.WEIGHT: _POINTS.fullmatch,
    Role.SCORE: _POINTS.fullmatch,
    Role.RATE: _PERCENT.fullmatch,
    Role.DIRECTION: re.compile(r"(?:正|反|负)向(?:指标)?").fullmatch,
}
