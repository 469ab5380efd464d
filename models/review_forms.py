"""Filled review forms (绩效目标审核表): scores, grade and conclusion per reviewer, subject and round; insert-only."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class ReviewForm(Base):
    """A form as it was filled in; a later one of the same person, state and subject stands in its place.

    ``subject`` is a project's id, or "" for the department part; ``shape`` the form itself (canonical JSON in ``blob``), so
    that scores keep their meaning when the configuration changes; ``scores`` and ``notes`` are JSON objects by item.
    """

    __tablename__ = "review_form"

    text_id: Mapped[str] = mapped_column(sa.ForeignKey("budget_text.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    subject: Mapped[str]
    state: Mapped[str]
    round: Mapped[int]
    version: Mapped[int]
    content_hash: Mapped[str]
    shape: Mapped[str] = mapped_column(sa.ForeignKey("blob.sha256"))
    scores: Mapped[str]
    notes: Mapped[str]
    total: Mapped[str]
    grade: Mapped[str]
    conclusion: Mapped[str]
    role: Mapped[str]
    account_id: Mapped[str] = mapped_column(sa.ForeignKey("account.id"))
    principal_id: Mapped[str | None] = mapped_column(sa.ForeignKey("account.id"))
    created_at: Mapped[datetime]
