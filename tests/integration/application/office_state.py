"""What an office's database holds, for tests that nothing changed."""

from __future__ import annotations

import sqlalchemy as sa

from application.installation import Installation
from models.engine import metadata, transaction
from models.texts import BudgetText


def counts(installation: Installation) -> dict[str, int]:
    with transaction(installation.engine, read_only=True) as work:
        return {
            table.name: work.connection.scalar(sa.select(sa.func.count()).select_from(table))
            for table in metadata().sorted_tables
        }


def state_of(installation: Installation, text: str) -> tuple[str, int]:
    with transaction(installation.engine, read_only=True) as work:
        row = work.session.get(BudgetText, text)
        return row.state, row.row_version
