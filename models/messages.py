"""What people are told: notices in their inboxes, deliveries through channels, and how each wants to be told."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class DeliveryStatus(StrEnum):
    """What became of a delivery; ``waiting`` ones are tried (again) when they are due, all others are finished."""

    WAITING = "waiting"
    SENT = "sent"
    # Not sent any more, since it no longer says anything: the task is done, the account is closed.
    DROPPED = "dropped"
    DEAD = "dead"


class Notice(Base):
    """An entry of somebody's inbox: what they were told, whatever channels do. Never deleted, and changed only by reading.

    ``key`` is the event (or the reminder) with the account: nobody is told twice of one thing. ``body`` is a JSON object of
    title, state and the like, without opinions and personal data. ``mode`` is how the person wanted to be told that day;
    ``digested_at`` when it stood in a digest.
    """

    __tablename__ = "notice"

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(sa.ForeignKey("account.id"))
    kind: Mapped[str]
    text_id: Mapped[str | None] = mapped_column(sa.ForeignKey("budget_text.id"))
    key: Mapped[str] = mapped_column(unique=True)
    body: Mapped[str]
    mode: Mapped[str]
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    digested_at: Mapped[datetime | None]

    __table_args__ = (
        sa.Index("ix_notice_account_id_id", "account_id", "id"),
        sa.Index(
            "ix_notice_undigested",
            "account_id",
            "id",
            sqlite_where=sa.text("mode = 'digest' AND digested_at IS NULL"),
            postgresql_where=sa.text("mode = 'digest' AND digested_at IS NULL"),
        ),
    )


class Delivery(Base):
    """One message on its way through one channel: to an account, or to a channel's own address (robots, web hooks).

    ``due_at`` is when it is to be tried: a claim moves it to the end of the claimer's ``lease``, so that what a dead worker
    held comes due again by itself. ``attempts`` counts claims. ``event_id`` is the event of the log that tells the result.
    """

    __tablename__ = "delivery"

    id: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str]
    account_id: Mapped[str | None] = mapped_column(sa.ForeignKey("account.id"))
    text_id: Mapped[str | None] = mapped_column(sa.ForeignKey("budget_text.id"))
    kind: Mapped[str]
    key: Mapped[str]
    body: Mapped[str]
    due_at: Mapped[datetime]
    attempts: Mapped[int]
    lease: Mapped[str | None]
    status: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    event_id: Mapped[str | None]

    # The claim, the report to the log and the list of the dead look at few rows, however long the history grows.
    __table_args__ = (
        sa.UniqueConstraint("channel", "key"),
        sa.Index(
            "ix_delivery_due",
            "channel",
            "due_at",
            sqlite_where=sa.text("finished_at IS NULL"),
            postgresql_where=sa.text("finished_at IS NULL"),
        ),
        sa.Index(
            "ix_delivery_unreported",
            "finished_at",
            sqlite_where=sa.text("finished_at IS NOT NULL AND event_id IS NULL"),
            postgresql_where=sa.text("finished_at IS NOT NULL AND event_id IS NULL"),
        ),
        sa.Index(
            "ix_delivery_dead",
            "finished_at",
            sqlite_where=sa.text("status = 'dead'"),
            postgresql_where=sa.text("status = 'dead'"),
        ),
        sa.Index("ix_delivery_text_id_account_id", "text_id", "account_id"),
    )


class Contact(Base):
    """The mail address of an account: personal data, which an erasure deletes and no event repeats."""

    __tablename__ = "contact"

    account_id: Mapped[str] = mapped_column(sa.ForeignKey("account.id"), primary_key=True)
    address: Mapped[str]
    changed_at: Mapped[datetime]


class NoticePreference(Base):
    """How an account wants to be told of a kind of notice, where it is not the usual way."""

    __tablename__ = "notice_preference"

    account_id: Mapped[str] = mapped_column(sa.ForeignKey("account.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    mode: Mapped[str]
    changed_at: Mapped[datetime]


class ChannelState(Base):
    """A channel that is switched off (by a refused token, or by an administrator), with the reason; no row: it is on."""

    __tablename__ = "channel_state"

    name: Mapped[str] = mapped_column(primary_key=True)
    off_at: Mapped[datetime]
    reason: Mapped[str]


class JobRun(Base):
    """Recurring work that was done: the key holds two workers from doing it twice."""

    __tablename__ = "job_run"

    job: Mapped[str] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)
    done_at: Mapped[datetime]
