"""Definitions, steps, tasks, sign-offs, who took part, the memory of commands, and the outbox of messages."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class WorkflowDefinition(Base):
    """A published definition: canonical body with its hash, immutable; texts pin the version they started with."""

    __tablename__ = "workflow_definition"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[int]
    body: Mapped[bytes]
    sha256: Mapped[str]
    published_at: Mapped[datetime]

    __table_args__ = (sa.UniqueConstraint("name", "version"),)


class Step(Base):
    """A step of a text on its way, insert-only: an action that moved it, numbered from 1 in each text.

    ``visit`` is the step by which the text came into the state where it is after this one: votes belong to a visit.
    ``before`` is a JSON object of what the step changed (state, round, way, hashes, open tasks), which its undoing restores;
    ``undoes`` is the number of the step that this one took back. ``principal_id`` is for whom a delegate acted. ``returns``,
    ``publishes`` and ``reopens`` say what the action was by the definition of its day: names change in later ones.
    """

    __tablename__ = "step"

    text_id: Mapped[str] = mapped_column(sa.ForeignKey("budget_text.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    action: Mapped[str]
    source: Mapped[str]
    target: Mapped[str]
    round: Mapped[int]
    row_version: Mapped[int]
    visit: Mapped[int]
    account_id: Mapped[str] = mapped_column(sa.ForeignKey("account.id"), index=True)
    principal_id: Mapped[str | None] = mapped_column(sa.ForeignKey("account.id"))
    capacity: Mapped[str]
    undoes: Mapped[int | None]
    returns: Mapped[bool] = mapped_column(server_default=sa.false())
    publishes: Mapped[bool] = mapped_column(server_default=sa.false())
    reopens: Mapped[bool] = mapped_column(server_default=sa.false())
    before: Mapped[str]
    event_id: Mapped[str]
    created_at: Mapped[datetime]


class Task(Base):
    """Whose turn it is: a role in an organization, from when until when; closed by the action that ended it.

    ``seat`` is a seat of a sign-off, empty elsewhere; ``visit`` the step that brought the text here. ``assignee_id`` is the one
    person whose task it is (claimed from the pool, reassigned, or given back to whoever returned the text), ``owner_id`` who
    handed it to the assignee for help (委派) and gets it back. ``version`` is the content version that the task is about,
    ``row_version`` the text's at its opening: tasks are ordered by it and never by a clock, which may be set back.
    """

    __tablename__ = "task"

    id: Mapped[str] = mapped_column(primary_key=True)
    text_id: Mapped[str] = mapped_column(sa.ForeignKey("budget_text.id"))
    state: Mapped[str]
    round: Mapped[int]
    role: Mapped[str]
    organization_id: Mapped[str] = mapped_column(sa.ForeignKey("organization.id"))
    opened_at: Mapped[datetime]
    due_on: Mapped[str | None]
    version: Mapped[int]
    row_version: Mapped[int]
    seat: Mapped[str] = mapped_column(server_default="")
    visit: Mapped[int] = mapped_column(server_default="0")
    assignee_id: Mapped[str | None] = mapped_column(sa.ForeignKey("account.id"))
    owner_id: Mapped[str | None] = mapped_column(sa.ForeignKey("account.id"))
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(sa.ForeignKey("account.id"))
    outcome: Mapped[str | None]

    # The work list and the engine look at open tasks only, which stay few however long the history grows.
    __table_args__ = (
        sa.Index(
            "ix_task_open_role",
            "role",
            "organization_id",
            "opened_at",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
        sa.Index(
            "ix_task_open_text",
            "text_id",
            "seat",
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
        sa.Index("ix_task_text_id_opened_at", "text_id", "opened_at"),
        sa.Index("ix_task_closed_by", "closed_by", "closed_at"),
    )


class SignChoice(StrEnum):
    """What a signature says."""

    AGREE = "agree"
    AGAINST = "against"
    WITHDRAWN = "withdrawn"


class Signature(Base):
    """A vote in a sign-off, insert-only; a withdrawal is a row of its own, and the tally is recomputed from the rows."""

    __tablename__ = "signature"

    text_id: Mapped[str] = mapped_column(sa.ForeignKey("budget_text.id"), primary_key=True)
    visit: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    seat: Mapped[str]
    round: Mapped[int]
    account_id: Mapped[str] = mapped_column(sa.ForeignKey("account.id"))
    principal_id: Mapped[str | None] = mapped_column(sa.ForeignKey("account.id"))
    choice: Mapped[str]
    reason: Mapped[str]
    content_hash: Mapped[str]
    created_at: Mapped[datetime]


class Signer(Base):
    """A seat that a signer added to a sign-off (加签) before or after a seat; taken out again (减签) while it has no vote."""

    __tablename__ = "signer"

    text_id: Mapped[str] = mapped_column(sa.ForeignKey("budget_text.id"), primary_key=True)
    visit: Mapped[int] = mapped_column(primary_key=True)
    seat: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    anchor: Mapped[str]
    place: Mapped[str]
    account_id: Mapped[str] = mapped_column(sa.ForeignKey("account.id"))
    added_by: Mapped[str] = mapped_column(sa.ForeignKey("account.id"))
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class Reminder(Base):
    """A task was urged (催办) or reported as overdue: at most once a day, which the key holds."""

    __tablename__ = "reminder"

    task_id: Mapped[str] = mapped_column(sa.ForeignKey("task.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str | None] = mapped_column(sa.ForeignKey("account.id"))
    created_at: Mapped[datetime]


class CarbonCopy(Base):
    """A text was copied to somebody (抄送)."""

    __tablename__ = "carbon_copy"

    text_id: Mapped[str] = mapped_column(sa.ForeignKey("budget_text.id"), primary_key=True)
    account_id: Mapped[str] = mapped_column(sa.ForeignKey("account.id"), primary_key=True, index=True)
    sent_by: Mapped[str] = mapped_column(sa.ForeignKey("account.id"))
    created_at: Mapped[datetime]


class Participation(Base):
    """Who acted on a text in which capacity, insert-only: what the separation of duties is judged by."""

    __tablename__ = "participation"

    text_id: Mapped[str] = mapped_column(sa.ForeignKey("budget_text.id"), primary_key=True)
    account_id: Mapped[str] = mapped_column(sa.ForeignKey("account.id"), primary_key=True)
    capacity: Mapped[str] = mapped_column(primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]


class Command(Base):
    """The memory of idempotency: a command id, the digest of its arguments, and the result it gave."""

    __tablename__ = "command"

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(sa.ForeignKey("account.id"))
    digest: Mapped[str]
    result: Mapped[str]
    created_at: Mapped[datetime]


class Message(Base):
    """An outbox row: what is to be told about a text to a role, or to one account of it; delivery happens outside.

    ``told_at`` is when a worker made notices of it: whoever reads the outbox takes rows without it, however late they commit.
    """

    __tablename__ = "message"

    id: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(index=True)
    topic: Mapped[str]
    text_id: Mapped[str] = mapped_column(sa.ForeignKey("budget_text.id"))
    role: Mapped[str]
    organization_id: Mapped[str] = mapped_column(sa.ForeignKey("organization.id"))
    account_id: Mapped[str | None] = mapped_column(sa.ForeignKey("account.id"))
    body: Mapped[str]
    created_at: Mapped[datetime]
    told_at: Mapped[datetime | None]

    __table_args__ = (
        sa.Index(
            "ix_message_untold",
            "id",
            sqlite_where=sa.text("told_at IS NULL"),
            postgresql_where=sa.text("told_at IS NULL"),
        ),
    )
