"""What a document needs beside the content: the stage it is rendered for, its opinions and its steps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from models.content import BudgetText


@dataclass(frozen=True, slots=True)
class Opinion:
    """One review opinion: the place (pointer or anchor), its human title, the quoted words, and what is wanted.

    ``kind`` is 必改, 建议 or 疑问; ``rule`` a checker's code such as A002; ``level`` 初审 or 复审.
    """

    place: str
    place_title: str
    quote: str
    kind: str
    problem: str
    wanted: str = ""
    rule: str = ""
    answer: str = ""
    level: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the procedure: its title, the role or organization that took it, and when (aware time).

    ``person`` and ``words`` (the reason that was given) stand on the process sheet only.
    """

    title: str
    by: str
    at: datetime
    person: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A file of an archive: its path, what it is, and its SHA-256 in hexadecimal."""

    path: str
    title: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Score:
    """The points that one item of a review form got, of how many; empty where it was not scored."""

    criterion: str
    item: str
    points: str
    score: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ScoreSheet:
    """A review form as a reviewer filled it in: for a project's id, or "" for the department part, and its title."""

    subject: str
    title: str
    level: str
    author: str
    scores: tuple[Score, ...]
    total: str
    grade: str
    conclusion: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Stage:
    """A content at one stage of the procedure, under the name of the document to make of it.

    ``document`` is one of ``document_names()``; ``status`` the word for the cover (草案, 送审稿, 修订稿, 批复稿, 公开稿);
    ``issued_on`` is the only date that a document knows, so that the same stage always gives the same bytes.
    """

    document: str
    content: BudgetText
    text_id: str
    version: int
    content_hash: str
    status: str
    issued_on: date
    round: int = 1
    department: str = ""
    finance: str = ""
    opinions: tuple[Opinion, ...] = ()
    steps: tuple[Step, ...] = ()
    due_on: date | None = None
    reason: str = ""
    document_number: str = ""
    conclusion: str = ""
    copies_to: tuple[str, ...] = ()
    files: tuple[ArchivedFile, ...] = ()
    sheets: tuple[ScoreSheet, ...] = ()
