"""Alembic's environment: runs on the connection that application/migrations.py hands over."""

from __future__ import annotations

from typing import Any

from alembic import context

from models.base import UtcTime
from models.engine import metadata


def _render_item(kind: str, item: Any, _autogen: Any) -> str | bool:
    # Migrations never import models: our time type is written out as what the databases hold.
    if kind == "type" and isinstance(item, UtcTime):
        return 'sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")'
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata(),
    render_as_batch=connection.dialect.name == "sqlite",
    render_item=_render_item,
    compare_type=True,
    transactional_ddl=True,
)
# The transaction is the caller's: all migrations of one upgrade succeed together or not at all.
context.run_migrations()
