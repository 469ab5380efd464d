"""Documents that an office has issued, their numbers (发文字号), and the files that were made of them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class NumberWord(Base):
    """The word before the year in an organization's document numbers (抚财绩), insert-only: the newest row holds.

    ``document`` is a document with a word of its own, or empty for all others; an empty ``word`` ends the numbering.
    ``number`` counts an organization's rows from 1.
    """

    __tablename__ = "number_word"

    organization_id: Mapped[str] = mapped_column(sa.ForeignKey("organization.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[str]
    word: Mapped[str]
    author_id: Mapped[str] = mapped_column(sa.ForeignKey("account.id"))
    created_at: Mapped[datetime]


class IssuedDocument(Base):
    """A document number with the letter that has it; taken in the transaction of the step that issues the letter.

    Numbers of a word and year run from 1 without a gap. ``voided_step`` is the step that took the issuing step back: such a
    number stays and is never given again. ``issued_on`` is the day of the office as ISO date.
    """

    __tablename__ = "issued_document"

    word: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    organization_id: Mapped[str] = mapped_column(sa.ForeignKey("organization.id"))
    text_id: Mapped[str] = mapped_column(sa.ForeignKey("budget_text.id"), index=True)
    step: Mapped[int]
    document: Mapped[str]
    round: Mapped[int]
    version: Mapped[int]
    content_hash: Mapped[str]
    issued_on: Mapped[str]
    created_at: Mapped[datetime]
    voided_step: Mapped[int | None]
    voided_at: Mapped[datetime | None]

    __table_args__ = (sa.UniqueConstraint("text_id", "step", "document"),)


class RenderedDocument(Base):
    """The file that was first made of a document in a format, insert-only: the same document is given again byte for byte.

    ``facts`` is the SHA-256 of everything that the document says (``documents.rendering.facts``), ``sha256`` that of the
    bytes in ``blob``; ``templates`` and ``program`` are the version of the template folder and the program that made it.
    """

    __tablename__ = "rendered_document"

    facts: Mapped[str] = mapped_column(primary_key=True)
    format: Mapped[str] = mapped_column(primary_key=True)
    text_id: Mapped[str] = mapped_column(sa.ForeignKey("budget_text.id"), index=True)
    document: Mapped[str]
    version: Mapped[int]
    sha256: Mapped[str] = mapped_column(sa.ForeignKey("blob.sha256"))
    templates: Mapped[str]
    program: Mapped[str]
    created_at: Mapped[datetime]


def shown_number(word: str, year: int, number: int) -> str:
    """A document number as GB/T 9704-2012 writes it: 抚财绩〔2021〕5号."""
    return f"{word}〔{year}〕{number}号"
