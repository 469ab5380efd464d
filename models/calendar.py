"""Days on which an installation works otherwise than the published calendar says."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class WorkdayOverride(Base):
    """One local day that is worked, or is not, whatever the calendar says; ``name`` says why."""

    __tablename__ = "workday_override"

    day: Mapped[str] = mapped_column(primary_key=True)
    working: Mapped[bool]
    name: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str | None] = mapped_column(sa.ForeignKey("account.id"))
