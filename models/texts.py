"""Budget texts, their immutable versions, and what was found, objected and answered about them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class TextKind(StrEnum):
    """Chooses content schema, checks and documents."""

    BUDGET = "budget"


class OpinionKind(StrEnum):
    """How an opinion binds the department."""

    REQUIRED = "必改"
    SUGGESTION = "建议"
    QUESTION = "疑问"


class AnswerKind(StrEnum):
    """What the department says to an opinion."""

    ACCEPTED = "接受"
    EXPLAINED = "说明"


class FindingStatus(StrEnum):
    """What became of a reader's finding; ``noted`` ones changed nothing and wait for nobody."""

    NOTED = "noted"
    OPEN = "open"
    CONFIRMED = "confirmed"
    CORRECTED = "corrected"


class Blob(Base):
    """Immutable bytes by their SHA-256: content snapshots, source files, long texts of events."""

    __tablename__ = "blob"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    data: Mapped[bytes]
    created_at: Mapped[datetime]


class BudgetText(Base):
    """One department's text of one year: where it stands. ``row_version`` counts its changes (optimistic lock).

    ``path`` holds the states of the way here in this round, separated by blanks; ``resume`` is a JSON object of where the text
    comes straight back to after a return (empty: nowhere). ``step`` is the number of its last step, ``visit`` that of the step
    by which it came into its state.
    """

    __tablename__ = "budget_text"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    fiscal_year: Mapped[int]
    title: Mapped[str]
    organization_id: Mapped[str] = mapped_column(sa.ForeignKey("organization.id"))
    reviewing_id: Mapped[str] = mapped_column(sa.ForeignKey("organization.id"))
    definition_id: Mapped[str] = mapped_column(sa.ForeignKey("workflow_definition.id"))
    state: Mapped[str]
    round: Mapped[int]
    row_version: Mapped[int]
    current_version: Mapped[int]
    current_hash: Mapped[str]
    submitted_hash: Mapped[str | None]
    approved_version: Mapped[int | None]
    approved_hash: Mapped[str | None]
    published_version: Mapped[int | None]
    path: Mapped[str] = mapped_column(server_default="")
    resume: Mapped[str] = mapped_column(server_default="")
    step: Mapped[int] = mapped_column(server_default="0")
    visit: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    __table_args__ = (sa.Index("ix_budget_text_organization_id_fiscal_year", "organization_id", "fiscal_year"),)


class TextVersion(Base):
    """An immutable version: its number, content (in ``blob`` by hash), author, reason and source file."""

    __tablename__ = "text_version"

    text_id: Mapped[str] = mapped_column(sa.ForeignKey("budget_text.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    content_hash: Mapped[str] = mapped_column(sa.ForeignKey("blob.sha256"))
    author_id: Mapped[str] = mapped_column(sa.ForeignKey("account.id"))
    reason: Mapped[str]
    source_sha256: Mapped[str | None] = mapped_column(sa.ForeignKey("blob.sha256"))
    created_at: Mapped[datetime]


class Finding(Base):
    """A reader's finding at a place (by stable ids), open until a person confirms or corrects its repair."""

    __tablename__ = "finding"

    text_id: Mapped[str] = mapped_column(sa.ForeignKey("budget_text.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    severity: Mapped[str]
    anchor: Mapped[str]
    raw: Mapped[str]
    repaired: Mapped[str | None]
    reason: Mapped[str]
    confidence: Mapped[str]
    line: Mapped[int | None]
    status: Mapped[str]
    resolved_by: Mapped[str | None] = mapped_column(sa.ForeignKey("account.id"))
    resolved_at: Mapped[datetime | None]


class Opinion(Base):
    """A review opinion anchored to a stable place, with a quote of what stood there.

    ``step`` is the step that it came with (0: with none); an opinion whose return was taken back is withdrawn.
    """

    __tablename__ = "opinion"

    id: Mapped[str] = mapped_column(primary_key=True)
    text_id: Mapped[str] = mapped_column(sa.ForeignKey("budget_text.id"), index=True)
    round: Mapped[int]
    version: Mapped[int]
    anchor: Mapped[str]
    quote: Mapped[str]
    kind: Mapped[str]
    problem: Mapped[str]
    wanted: Mapped[str]
    rule: Mapped[str | None]
    state: Mapped[str]
    author_id: Mapped[str] = mapped_column(sa.ForeignKey("account.id"))
    created_at: Mapped[datetime]
    step: Mapped[int] = mapped_column(server_default="0")
    withdrawn_at: Mapped[datetime | None]


class OpinionAnswer(Base):
    """The department's answer to an opinion: 接受 or 说明. Withdrawn with the submission (``step``) that it came with."""

    __tablename__ = "opinion_answer"

    id: Mapped[str] = mapped_column(primary_key=True)
    opinion_id: Mapped[str] = mapped_column(sa.ForeignKey("opinion.id"), index=True)
    kind: Mapped[str]
    text: Mapped[str]
    author_id: Mapped[str] = mapped_column(sa.ForeignKey("account.id"))
    created_at: Mapped[datetime]
    step: Mapped[int] = mapped_column(server_default="0")
    withdrawn_at: Mapped[datetime | None]


class FindingAnswer(Base):
    """The department's answer to a warning of the checks, insert-only; of several to one finding the newest counts.

    ``fingerprint`` says which finding was answered (rule, place, sentence and what stood there): it survives every edit
    elsewhere, and a changed place has another one. ``row_version`` is the text's after the answer: by it the bureau's view
    ends with the submission, whatever is answered later.
    """

    __tablename__ = "finding_answer"

    text_id: Mapped[str] = mapped_column(sa.ForeignKey("budget_text.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    fingerprint: Mapped[str]
    code: Mapped[str]
    anchor: Mapped[str]
    message: Mapped[str]
    text: Mapped[str]
    version: Mapped[int]
    row_version: Mapped[int]
    author_id: Mapped[str] = mapped_column(sa.ForeignKey("account.id"))
    created_at: Mapped[datetime]
