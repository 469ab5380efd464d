"""Rows as the driver gives them, for verification.

The usual converters trust the column types. A verifier must not: SQLite stores any type in any column, and a number in the
place of a hash would become that many zero bytes.
"""

from __future__ import annotations

from typing import Any

from models.engine import Work
from models.prepared import Prepared


class RawRows:
    """Runs prepared queries of one transaction and returns unconverted rows."""

    def __init__(self, work: Work) -> None:
        self._dialect = work.dialect
        self._cursor: Any = work.connection.connection.cursor()

    def all(self, prepared: Prepared, **values: Any) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        compiled = prepared.on(self._dialect)
        self._cursor.execute(compiled.sql, compiled.parameters(values))
        rows: list[tuple[Any, ...]] = self._cursor.fetchall()
        return rows

    def one(self, prepared: Prepared, **values: Any) -> tuple[Any, ...] | None:
        """The first row of a query, or None."""
        rows = self.all(prepared, **values)
        return rows[0] if rows else None

    def close(self) -> None:
        """Gives the cursor back."""
        self._cursor.close()
