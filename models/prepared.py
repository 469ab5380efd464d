"""Statements compiled once per dialect and run on one DBAPI cursor: the hot path of a transition.

The ORM costs 645 µs a transition where one cursor costs 112 (architecture.md section 8). The cursor path skips
SQLAlchemy's execution, so the conversion of values stands here, once: the bind and result processors of the very column
types that the ORM uses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from models.base import Base

Converter = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Compiled:
    """SQL text of one dialect with the converters of its parameters and result columns."""

    sql: str
    positions: tuple[str, ...] | None
    constants: dict[str, Any]
    binds: tuple[tuple[str, Converter], ...]
    results: tuple[tuple[int, Converter], ...]

    def parameters(self, values: dict[str, Any]) -> Any:
        """Driver parameters: a tuple where the dialect counts, a dictionary where it names."""
        if self.binds or self.constants:
            values = {**self.constants, **values}
            for name, convert in self.binds:
                values[name] = convert(values[name])
        return tuple([values[name] for name in self.positions]) if self.positions is not None else values

    def row(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """A fetched row with its values converted."""
        if not self.results:
            return tuple(row)
        out = list(row)
        for position, convert in self.results:
            out[position] = convert(out[position])
        return tuple(out)


class Prepared:
    """A Core statement that is compiled on first use for each dialect; ``columns`` names an insert's parameters."""

    __slots__ = ("_columns", "_compiled", "_statement")

    def __init__(self, statement: Any, columns: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._columns = columns
        self._compiled: dict[str, Compiled] = {}

    def on(self, dialect: Dialect) -> Compiled:
        """The statement for a dialect; two threads may compile it at once, with the same result."""
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = self._compile(dialect)
        return compiled

    def _compile(self, dialect: Dialect) -> Compiled:
        compiled: Any = self._statement.compile(dialect=dialect, column_keys=self._columns)
        binds = []
        for name, parameter in compiled.binds.items():
            convert = parameter.type.dialect_impl(dialect).bind_processor(dialect)
            if convert is not None:
                binds.append((name, convert))
        results = []
        selected = self._statement.selected_columns if isinstance(self._statement, sa.Select) else ()
        for position, column in enumerate(selected):
            convert = column.type.dialect_impl(dialect).result_processor(dialect, None)
            if convert is not None:
                results.append((position, convert))
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        positions = tuple(compiled.positiontup) if compiled.positional else None
        return Compiled(str(compiled), positions, constants, tuple(binds), tuple(results))


def insert_into(table: type[Base], *columns: str) -> Prepared:
    """Insert of the named columns (all of the table where none is named)."""
    names = columns or tuple(column.name for column in table.__table__.columns)
    return Prepared(sa.insert(table).inline(), names)
