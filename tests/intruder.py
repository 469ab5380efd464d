"""The hand of somebody with the rights of the database's owner, who takes the guard rails away before the deed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

# Runs a statement of one driver and gives something to fetch from.
Execute = Callable[[str], Any]


def disarm_sqlite(execute: Execute) -> int:
    """Drops every trigger and returns how many there were."""
    names = [row[0] for row in execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()]
    for name in names:
        execute(f"DROP TRIGGER {name}")
    return len(names)


def disarm_postgresql(execute: Execute) -> int:
    """Disables every trigger of ours and returns on how many tables there were any."""
    tables = execute("SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal").fetchall()
    for (table,) in tables:
        execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    return len(tables)


def disarm(connection: sa.Connection) -> int:
    """Takes the guard rails of either database away."""
    take = disarm_sqlite if connection.dialect.name == "sqlite" else disarm_postgresql
    return take(connection.exec_driver_sql)
