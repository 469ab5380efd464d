"""The guard of records: what holds them changes by prepared statements only, which run together with their event.

The session and the connection are the doors that this closes to programmers; the database has guard rails of its own
(migration 0004).
"""

from __future__ import annotations

from typing import Any, NoReturn

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session

from models.errors import JixiaoError

# Set on a connection by the migrations, which rebuild tables and fill columns.
MIGRATING = "jixiao_migrating"

# Tables whose rows may be read and added, but neither changed nor deleted, except by a prepared statement.
RECORDS = frozenset(
    {
        "audit_checkpoint",
        "audit_entry",
        "audit_head",
        "audit_key",
        "audit_log",
        "audit_object",
        "audit_outbox",
        "audit_projection",
        "audit_tile",
        "blob",
        "budget_text",
        "carbon_copy",
        "check_setting",
        "command",
        "finding",
        "finding_answer",
        "notice",
        "issued_document",
        "number_word",
        "opinion",
        "opinion_answer",
        "participation",
        "reminder",
        "rendered_document",
        "review_form",
        "sealed_value",
        "signature",
        "signer",
        "step",
        "subject_key",
        "task",
        "text_version",
        "workflow_definition",
    }
)


def refuse_changes(
    connection: sa.Connection, statement: Any, _many: Any, _parameters: Any, options: dict[str, Any]
) -> None:
    """For an engine's ``before_execute``: raises JixiaoError where a statement would change records on a connection."""
    # The session is not the only door: a statement may be run on its connection. Prepared statements pass here unseen, on
    # a cursor of their own, and they are the ones that the use cases have.
    if isinstance(statement, sa.Update | sa.Delete):
        table = getattr(statement.table, "name", None)
        if table in RECORDS and not {**connection.get_execution_options(), **options}.get(MIGRATING):
            raise JixiaoError(f"不允许绕过用例修改数据表 {table}。")


@event.listens_for(Session, "do_orm_execute")
def _refuse_bulk_changes(state: ORMExecuteState) -> None:
    # Bulk DML would change audited rows without an event; single rows go through the use cases, which write one.
    # Textual SQL may be anything, so that only queries pass.
    if not state.is_select:
        raise JixiaoError("不允许绕过用例批量修改数据表。")


@event.listens_for(Session, "before_flush")
def _refuse_changed_records(session: Session, _context: Any, _instances: Any) -> None:
    # State, tasks and records change in workflow/ and audit/ by prepared statements, together with their event; a change
    # of a loaded row would be flushed without one.
    for item in (*session.dirty, *session.deleted):
        table = sa.inspect(item).mapper.local_table
        if (
            isinstance(table, sa.Table)
            and table.name in RECORDS
            and (item in session.deleted or session.is_modified(item))
        ):
            raise JixiaoError(f"不允许绕过用例修改数据表 {table.name}。")


class GuardedSession(Session):
    """A session without the old bulk methods, which pass no hook."""

    def bulk_save_objects(self, *_args: Any, **_options: Any) -> NoReturn:
        """Refuses, whatever the rows."""
        raise JixiaoError("不允许绕过用例批量修改数据表。")

    bulk_insert_mappings = bulk_save_objects
    bulk_update_mappings = bulk_save_objects
