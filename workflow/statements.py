"""The statements of a transition, compiled once per dialect; the only module that writes ``budget_text.state``."""

from __future__ import annotations

import sqlalchemy as sa

from models.calendar import WorkdayOverride
from models.people import Account, Delegation, RoleGrant
from models.prepared import Prepared, insert_into
from models.process import (
    CarbonCopy,
    Command,
    Participation,
    Reminder,
    Signature,
    Signer,
    Step,
    Task,
    WorkflowDefinition,
)
from models.texts import BudgetText, Finding, Opinion, OpinionAnswer, TextVersion
from workflow.situation import LastStep, TextRow, Turn

_columns = [BudgetText.__table__.c[name] for name in TextRow._fields]
_text_id: sa.BindParameter[str] = sa.bindparam("text_id")
_visit: sa.BindParameter[int] = sa.bindparam("visit")

# FOR UPDATE orders writers on PostgreSQL; SQLite has one writer by nature and leaves the clause out.
LOCK_TEXT = Prepared(sa.select(*_columns).where(BudgetText.id == _text_id).with_for_update())

READ_STANDING = Prepared(
    sa.select(
        Account.disabled_at, RoleGrant.role, RoleGrant.organization_id, RoleGrant.expires_at, RoleGrant.revoked_at
    )
    .join_from(Account, RoleGrant, RoleGrant.account_id == Account.id, isouter=True)
    .where(Account.id == sa.bindparam("account_id"))
)
# What is given by a delegation are the principal's own roles of this moment, and nothing that was delegated to them.
READ_PRINCIPALS = Prepared(
    sa.select(Delegation.principal_id, RoleGrant.role, RoleGrant.organization_id, RoleGrant.expires_at, Delegation.role)
    .join_from(Delegation, RoleGrant, RoleGrant.account_id == Delegation.principal_id)
    .join(Account, Account.id == Delegation.principal_id)
    .where(
        Delegation.delegate_id == sa.bindparam("account_id"),
        Delegation.revoked_at.is_(None),
        Delegation.starts_at <= sa.bindparam("moment"),
        Delegation.ends_at > sa.bindparam("moment"),
        sa.or_(Delegation.role.is_(None), Delegation.role == RoleGrant.role),
        RoleGrant.revoked_at.is_(None),
        Account.disabled_at.is_(None),
    )
    .order_by(Delegation.id)
)
READ_PARTS = Prepared(
    sa.select(Participation.account_id, Participation.capacity, Participation.round).where(
        Participation.text_id == _text_id
    )
)
_turn_columns = [Task.__table__.c["id" if name == "task_id" else name] for name in Turn._fields]
READ_TURNS = Prepared(
    sa.select(*_turn_columns).where(Task.text_id == _text_id, Task.closed_at.is_(None)).order_by(Task.id)
)
READ_LAST_STEP = Prepared(
    sa.select(*(Step.__table__.c[name] for name in LastStep._fields))
    .where(Step.text_id == _text_id)
    .order_by(Step.number.desc())
    .limit(1)
)
READ_STEPS = Prepared(
    sa.select(Step.number, Step.action, Step.undoes, Step.reopens).where(Step.text_id == _text_id).order_by(Step.number)
)
READ_STEPS_BEFORE = Prepared(
    sa.select(Step.number, Step.action, Step.undoes, Step.reopens, Step.before)
    .where(Step.text_id == _text_id)
    .order_by(Step.number)
)
READ_SIGNATURES = Prepared(
    sa.select(Signature.number, Signature.seat, Signature.account_id, Signature.principal_id, Signature.choice)
    .where(Signature.text_id == _text_id, Signature.visit == _visit)
    .order_by(Signature.number)
)
READ_SIGNERS = Prepared(
    sa.select(
        Signer.seat, Signer.role, Signer.anchor, Signer.place, Signer.account_id, Signer.added_by, Signer.removed_at
    )
    .where(Signer.text_id == _text_id, Signer.visit == _visit)
    .order_by(Signer.seat)
)
READ_COMMAND = Prepared(sa.select(Command.digest, Command.result).where(Command.id == sa.bindparam("command_id")))
READ_DEFINITION = Prepared(
    sa.select(WorkflowDefinition.body, WorkflowDefinition.sha256).where(
        WorkflowDefinition.id == sa.bindparam("definition_id")
    )
)
READ_OVERRIDES = Prepared(
    sa.select(WorkdayOverride.day, WorkdayOverride.working).where(WorkdayOverride.day >= sa.bindparam("since"))
)

MOVE_TEXT = Prepared(
    sa.update(BudgetText)
    .where(BudgetText.id == _text_id, BudgetText.row_version == sa.bindparam("seen_version"))
    .values(
        definition_id=sa.bindparam("new_definition_id"),
        state=sa.bindparam("new_state"),
        round=sa.bindparam("new_round"),
        row_version=sa.bindparam("new_row_version"),
        submitted_hash=sa.bindparam("new_submitted_hash"),
        approved_version=sa.bindparam("new_approved_version"),
        approved_hash=sa.bindparam("new_approved_hash"),
        published_version=sa.bindparam("new_published_version"),
        path=sa.bindparam("new_path"),
        resume=sa.bindparam("new_resume"),
        step=sa.bindparam("new_step"),
        visit=sa.bindparam("new_visit"),
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
# Closes one task by its id, or all that are open; what its holder did not decide is "void" for them.
CLOSE_TASK = Prepared(
    sa.update(Task)
    .where(Task.id == sa.bindparam("task_id"), Task.closed_at.is_(None))
    .values(
        closed_at=sa.bindparam("moment"), closed_by=sa.bindparam("account_id"), outcome=sa.bindparam("task_outcome")
    )
)
CLOSE_TASKS = Prepared(
    sa.update(Task)
    .where(Task.text_id == _text_id, Task.closed_at.is_(None))
    .values(
        closed_at=sa.bindparam("moment"), closed_by=sa.bindparam("account_id"), outcome=sa.bindparam("task_outcome")
    )
)
ASSIGN_TASK = Prepared(
    sa.update(Task)
    .where(Task.id == sa.bindparam("task_id"), Task.closed_at.is_(None))
    .values(assignee_id=sa.bindparam("new_assignee"), owner_id=sa.bindparam("new_owner"))
)
WITHDRAW_OPINION = Prepared(
    sa.update(Opinion)
    .where(Opinion.id == sa.bindparam("opinion_id"), Opinion.withdrawn_at.is_(None))
    .values(withdrawn_at=sa.bindparam("moment"))
    .returning(Opinion.anchor, Opinion.kind, Opinion.problem, Opinion.wanted)
)
WITHDRAW_ANSWERS = Prepared(
    sa.update(OpinionAnswer)
    .where(
        OpinionAnswer.opinion_id.in_(sa.select(Opinion.id).where(Opinion.text_id == _text_id)),
        OpinionAnswer.step == sa.bindparam("of_step"),
        OpinionAnswer.withdrawn_at.is_(None),
    )
    .values(withdrawn_at=sa.bindparam("moment"))
    .returning(OpinionAnswer.opinion_id, OpinionAnswer.kind, OpinionAnswer.text)
)
WITHDRAW_OPINIONS = Prepared(
    sa.update(Opinion)
    .where(
        Opinion.text_id == _text_id,
        Opinion.step > sa.bindparam("since"),
        Opinion.author_id == sa.bindparam("account_id"),
        Opinion.withdrawn_at.is_(None),
    )
    .values(withdrawn_at=sa.bindparam("moment"))
    .returning(Opinion.anchor, Opinion.kind, Opinion.problem, Opinion.wanted)
)
REMOVE_SIGNER = Prepared(
    sa.update(Signer)
    .where(
        Signer.text_id == _text_id,
        Signer.visit == _visit,
        Signer.seat == sa.bindparam("of_seat"),
        Signer.removed_at.is_(None),
    )
    .values(removed_at=sa.bindparam("moment"))
)
RESTORE_SIGNER = Prepared(
    sa.update(Signer)
    .where(Signer.text_id == _text_id, Signer.visit == _visit, Signer.seat == sa.bindparam("of_seat"))
    .values(removed_at=sa.null())
)

INSERT_TEXT = insert_into(BudgetText)
INSERT_VERSION = insert_into(TextVersion)
INSERT_FINDING = insert_into(Finding)
INSERT_TASK = insert_into(
    Task,
    *("id", "text_id", "state", "round", "role", "organization_id", "opened_at", "due_on", "version", "row_version"),
    *("seat", "visit", "assignee_id", "owner_id"),
)
INSERT_STEP = insert_into(Step)
INSERT_SIGNATURE = insert_into(Signature)
INSERT_SIGNER = insert_into(Signer)
INSERT_REMINDER = insert_into(Reminder)
INSERT_PART = insert_into(Participation)
INSERT_OPINION = insert_into(Opinion)
INSERT_ANSWER = insert_into(OpinionAnswer)
INSERT_COMMAND = insert_into(Command)

# A task that was handed on closed at the very moment at which its successor opened.
READ_CLOSED_AT = Prepared(
    sa.select(Task.id).where(
        Task.text_id == _text_id,
        Task.seat == sa.bindparam("of_seat"),
        Task.outcome == sa.bindparam("of_outcome"),
        Task.closed_at == sa.bindparam("moment"),
    )
)
READ_REMINDER = Prepared(
    sa.select(Reminder.created_at).where(
        Reminder.task_id == sa.bindparam("task_id"),
        Reminder.kind == sa.bindparam("kind"),
        Reminder.day == sa.bindparam("day"),
    )
)
READ_COPIES = Prepared(sa.select(CarbonCopy.account_id).where(CarbonCopy.text_id == _text_id))
INSERT_COPY = insert_into(CarbonCopy)
# A seat whose task was closed while it waited for another, or by a vote that was withdrawn: whose it was, and until when.
READ_SEAT_BEFORE = Prepared(
    sa.select(sa.func.coalesce(Task.owner_id, Task.assignee_id), Task.due_on, Task.outcome)
    .where(
        Task.text_id == _text_id,
        Task.visit == _visit,
        Task.seat == sa.bindparam("of_seat"),
        Task.closed_at.is_not(None),
    )
    .order_by(Task.row_version.desc(), Task.id.desc())
    .limit(1)
)
READ_HELPED = Prepared(
    sa.select(Task.id)
    .where(
        Task.text_id == _text_id,
        Task.row_version == sa.bindparam("of_version"),
        Task.outcome == sa.bindparam("of_outcome"),
    )
    .limit(1)
)
