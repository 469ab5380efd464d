"""The statements of a transition, compiled once per dialect; the only module that writes ``budget_text.state``."""

from __future__ import annotations

import sqlalchemy as sa

from models.people import Account, RoleGrant
from models.prepared import Prepared, insert_into
from models.process import Command, Participation, Task, WorkflowDefinition
from models.texts import BudgetText, Finding, Opinion, OpinionAnswer, TextVersion
from workflow.situation import TextRow

_columns = [BudgetText.__table__.c[name] for name in TextRow._fields]
_text_id: sa.BindParameter[str] = sa.bindparam("text_id")

# FOR UPDATE orders writers on PostgreSQL; SQLite has one writer by nature and leaves the clause out.
LOCK_TEXT = Prepared(sa.select(*_columns).where(BudgetText.id == _text_id).with_for_update())

READ_STANDING = Prepared(
    sa.select(
        Account.disabled_at, RoleGrant.role, RoleGrant.organization_id, RoleGrant.expires_at, RoleGrant.revoked_at
    )
    .join_from(Account, RoleGrant, RoleGrant.account_id == Account.id, isouter=True)
    .where(Account.id == sa.bindparam("account_id"))
)
READ_PARTS = Prepared(
    sa.select(Participation.account_id, Participation.capacity, Participation.round).where(
        Participation.text_id == _text_id
    )
)
READ_TASK = Prepared(sa.select(Task.role).where(Task.text_id == _text_id, Task.closed_at.is_(None)))
READ_LAST_OUTCOME = Prepared(
    sa.select(Task.outcome, Task.closed_by)
    .where(Task.text_id == _text_id, Task.closed_at.is_not(None))
    .order_by(Task.row_version.desc())
    .limit(1)
)
READ_COMMAND = Prepared(sa.select(Command.digest, Command.result).where(Command.id == sa.bindparam("command_id")))
READ_DEFINITION = Prepared(
    sa.select(WorkflowDefinition.body, WorkflowDefinition.sha256).where(
        WorkflowDefinition.id == sa.bindparam("definition_id")
    )
)

MOVE_TEXT = Prepared(
    sa.update(BudgetText)
    .where(BudgetText.id == _text_id, BudgetText.row_version == sa.bindparam("seen_version"))
    .values(
        state=sa.bindparam("new_state"),
        round=sa.bindparam("new_round"),
        row_version=sa.bindparam("new_row_version"),
        submitted_hash=sa.bindparam("new_submitted_hash"),
        approved_version=sa.bindparam("new_approved_version"),
        approved_hash=sa.bindparam("new_approved_hash"),
        published_version=sa.bindparam("new_published_version"),
        changed_at=sa.bindparam("moment"),
    )
)
# An edit voids what was submitted or approved: both bind to one content hash.
REVISE_TEXT = Prepared(
    sa.update(BudgetText)
    .where(BudgetText.id == _text_id, BudgetText.row_version == sa.bindparam("seen_version"))
    .values(
        title=sa.bindparam("new_title"),
        fiscal_year=sa.bindparam("new_fiscal_year"),
        row_version=sa.bindparam("new_row_version"),
        current_version=sa.bindparam("new_version"),
        current_hash=sa.bindparam("new_hash"),
        submitted_hash=sa.null(),
        approved_version=sa.null(),
        approved_hash=sa.null(),
        changed_at=sa.bindparam("moment"),
    )
)
TOUCH_TEXT = Prepared(
    sa.update(BudgetText)
    .where(BudgetText.id == _text_id, BudgetText.row_version == sa.bindparam("seen_version"))
    .values(row_version=sa.bindparam("new_row_version"), changed_at=sa.bindparam("moment"))
)
CLOSE_TASK = Prepared(
    sa.update(Task)
    .where(Task.text_id == _text_id, Task.closed_at.is_(None))
    .values(
        closed_at=sa.bindparam("moment"), closed_by=sa.bindparam("account_id"), outcome=sa.bindparam("task_outcome")
    )
)

INSERT_TEXT = insert_into(BudgetText)
INSERT_VERSION = insert_into(TextVersion)
INSERT_FINDING = insert_into(Finding)
INSERT_TASK = insert_into(
    Task, "id", "text_id", "state", "round", "role", "organization_id", "opened_at", "due_on", "version", "row_version"
)
INSERT_PART = insert_into(Participation)
INSERT_OPINION = insert_into(Opinion)
INSERT_ANSWER = insert_into(OpinionAnswer)
INSERT_COMMAND = insert_into(Command)
