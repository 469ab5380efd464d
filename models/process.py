"""Definitions, tasks, who took part, the memory of commands, and the outbox of messages."""

from __future__ import annotations

from datetime import datetime

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


class Task(Base):
    """Whose turn it is: a role in an organization, from when until when; closed by the action that ended it.

    ``version`` is the content version that the task is about, ``row_version`` the text's at its opening: tasks are ordered
    by it and never by a clock, which may be set back.
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
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
        sa.Index("ix_task_text_id_opened_at", "text_id", "opened_at"),
    )


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
    """An outbox row: what is to be told to a role or an account about a text; delivery happens outside."""

    __tablename__ = "message"

    id: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(index=True)
    topic: Mapped[str]
    text_id: Mapped[str] = mapped_column(sa.ForeignKey("budget_text.id"))
    role: Mapped[str]
    organization_id: Mapped[str] = mapped_column(sa.ForeignKey("organization.id"))
    body: Mapped[str]
    created_at: Mapped[datetime]
