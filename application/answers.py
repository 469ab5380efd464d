"""What the checks found on a text beside what the department answered: one list for both sides and for the guard of 报送."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from models.base import timestamp
from models.content import BudgetText as Content
from models.content import to_json
from models.engine import Work
from models.findings import CheckFinding, Severity
from models.people import Account
from models.places import anchor
from models.prepared import Prepared
from models.texts import FindingAnswer

_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.HINT: 2}
_READ = Prepared(
    sa.select(
        FindingAnswer.fingerprint,
        FindingAnswer.text,
        FindingAnswer.version,
        FindingAnswer.row_version,
        FindingAnswer.created_at,
        Account.display_name,
    )
    .join(Account, Account.id == FindingAnswer.author_id)
    .where(FindingAnswer.text_id == sa.bindparam("text_id"))
    .order_by(FindingAnswer.number)
)


class Answer(NamedTuple):
    """An answer that counts: its words, the version and row version that it was given on, when and by whom."""

    text: str
    version: int
    row_version: int
    at: Any
    author: str

    def to_json(self) -> dict[str, Any]:
        """The answer as people are shown it."""
        return {"text": self.text, "version": self.version, "at": timestamp(self.at), "author": self.author}


@dataclass(frozen=True, slots=True)
class Answered:
    """A finding with its stable place, its fingerprint, and the answer to it; ``binds`` says that a warning waits for one.

    What was found by comparing with other texts is shown and may be answered, and binds nobody: who submits need not be able
    to read those texts.
    """

    finding: CheckFinding
    anchor: str
    fingerprint: str
    answer: Answer | None
    binds: bool

    @property
    def stops(self) -> bool:
        """Whether 报送 is refused for it."""
        severity = self.finding.severity
        return severity is Severity.ERROR or (severity is Severity.WARNING and self.binds and self.answer is None)

    @property
    def name(self) -> str:
        """What people write to mean it: CODE@PLACE."""
        return f"{self.finding.code}@{self.anchor}"

    def to_json(self) -> dict[str, Any]:
        """The finding as a JSON object."""
        return {
            **self.finding.to_json(),
            "anchor": self.anchor,
            "binds": self.binds,
            "stops": self.stops,
            "answer": self.answer.to_json() if self.answer else None,
        }


def answers_of(work: Work, text_id: str, *, until: int | None = None) -> dict[str, Answer]:
    """The newest answer to each finding by its fingerprint; ``until`` a row version of the text, later ones are left out."""
    found: dict[str, Answer] = {}
    for fingerprint, *rest in work.rows(_READ, text_id=text_id):
        answer = Answer(*rest)
        if until is None or answer.row_version <= until:
            found[fingerprint] = answer
    return found


def answered(
    content: Content,
    found: Iterable[CheckFinding],
    answers: Mapping[str, Answer],
    *,
    binding: Iterable[CheckFinding] | None = None,
) -> list[Answered]:
    """Findings with the answers to them, the severest first; ``binding`` are those that bind (all, where it is not given)."""
    from documents.checking.fingerprints import fingerprint

    value = to_json(content)
    own = None if binding is None else {fingerprint(value, item) for item in binding}
    out = []
    for item in found:
        mark = fingerprint(value, item)
        out.append(Answered(item, anchor(value, item.place), mark, answers.get(mark), own is None or mark in own))
    return sorted(out, key=lambda item: _ORDER[item.finding.severity])
