"""Personal data outside the log: an event holds a commitment, the value lies here and can be erased (audit.md)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class SubjectKey(Base):
    """The key under which everything about one person is sealed, wrapped by the installation's; gone once erased."""

    __tablename__ = "subject_key"

    subject_id: Mapped[str] = mapped_column(primary_key=True)
    wrapped: Mapped[bytes]
    created_at: Mapped[datetime]


class SealedValue(Base):
    """A value that an event commits to; ``sealed`` (salt and value, encrypted) is NULL once it was erased."""

    __tablename__ = "sealed_value"

    commitment: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(index=True)
    purpose: Mapped[str]
    sealed: Mapped[bytes | None]
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
    erased_by: Mapped[str | None] = mapped_column(sa.ForeignKey("account.id"))
