"""The settings of checks that a finance bureau was given: every version stays, and the newest one holds."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class CheckSetting(Base):
    """One version of a bureau's check settings, insert-only: the file as it was given, in ``blob`` by its hash.

    ``number`` counts each organization's versions from 1; ``name`` is the file's name, whose ending says how it is written.
    """

    __tablename__ = "check_setting"

    organization_id: Mapped[str] = mapped_column(sa.ForeignKey("organization.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sha256: Mapped[str] = mapped_column(sa.ForeignKey("blob.sha256"))
    name: Mapped[str]
    reason: Mapped[str]
    author_id: Mapped[str] = mapped_column(sa.ForeignKey("account.id"))
    created_at: Mapped[datetime]
