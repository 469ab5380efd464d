"""Findings: what a reader was unsure of, and what a checker objects to.

A place is a JSON pointer (RFC 6901) into the content, such as ``/projects/0/code``; "" is the whole text.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from models.canonical import without_empty


class Severity(StrEnum):
    """How a finding binds: errors stop 报送, warnings are answered or fixed, hints do not bind."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


class Criterion(StrEnum):
    """The criteria of the review form, and the form of the text itself."""

    COMPLETENESS = "完整性"
    RELEVANCE = "相关性"
    APPROPRIATENESS = "适当性"
    FEASIBILITY = "可行性"
    FORM = "规范性"


@dataclass(frozen=True, slots=True)
class ReadingFinding:
    """One thing that a reader repaired or doubts.

    ``raw`` is the source as written; ``repaired`` the value that stands in the content instead, or None where nothing was
    changed; ``confidence`` is 0 to 1. A finding with ``repaired`` waits for a person's confirmation (check C007).
    """

    code: str
    severity: Severity
    place: str
    raw: str
    reason: str
    confidence: float
    repaired: str | None = None
    line: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The finding as a JSON object; ``repaired`` and ``line`` are left out where there are none."""
        return {**without_empty(asdict(self)), "raw": self.raw, "place": self.place}


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """One objection of the checker: a rule's code, where, and one sentence that says what is wrong and what to do."""

    code: str
    severity: Severity
    criterion: Criterion
    place: str
    message: str
    title: str
    basis: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The finding as a JSON object."""
        return {**without_empty(asdict(self)), "place": self.place}
