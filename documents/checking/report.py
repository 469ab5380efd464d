"""What a run over texts reports: one ``Checked`` for each text, and each finding with what people need to find it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from documents.checking.positions import Lines
from documents.checking.titles import place_words, project_name
from models.content import BudgetText, to_json
from models.findings import CheckFinding, ReadingFinding, Severity
from models.places import anchor

_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.HINT: 2}


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding with its anchor, its place in words, its project, and its line in the file where that is known."""

    finding: CheckFinding
    anchor: str
    where: str
    project: str
    line: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The finding as a JSON object."""
        value = {**self.finding.to_json(), "anchor": self.anchor, "where": self.where}
        return value if self.line is None else {**value, "line": self.line}


@dataclass(frozen=True)
class Checked:
    """The result for one text: ``name`` is its file or id; ``problem`` says why a file could not be read.

    ``other`` says what a file is that is no budget text: its form, and a sentence; the rules of texts say nothing of it.
    ``read`` is what the reader repaired or doubted; it waits for nobody as long as the file is not imported.
    """

    name: str
    title: str = ""
    findings: tuple[Shown, ...] = ()
    read: tuple[ReadingFinding, ...] = ()
    problem: str | None = None
    other: tuple[str, str] | None = None

    def count(self, severity: Severity) -> int:
        """How many findings of one severity there are."""
        return sum(item.finding.severity is severity for item in self.findings)

    @property
    def shown_name(self) -> str:
        """The name as text: Linux has file names that are none, and neither JSON nor a workbook can hold those."""
        return self.name.encode("utf-8", "replace").decode()

    @property
    def passed(self) -> bool:
        """Whether nothing stops 报送: it is a text, could be read, and has no error."""
        return self.problem is None and self.other is None and self.count(Severity.ERROR) == 0

    def to_json(self) -> dict[str, Any]:
        """The result as a JSON object."""
        if self.problem is not None:
            return {"file": self.shown_name, "problem": self.problem}
        if self.other is not None:
            return {"file": self.shown_name, "form": self.other[0], "told": self.other[1]}
        return {
            "file": self.shown_name,
            "title": self.title,
            "errors": self.count(Severity.ERROR),
            "warnings": self.count(Severity.WARNING),
            "hints": self.count(Severity.HINT),
            "findings": [item.to_json() for item in self.findings],
            "read": [item.to_json() for item in self.read],
        }


def shown(content: BudgetText, findings: Iterable[CheckFinding], lines: Lines | None = None) -> tuple[Shown, ...]:
    """The findings with what people need, the severest first, then by code and place."""
    findings = list(findings)
    if not findings:
        return ()
    value = to_json(content)
    made = [
        Shown(
            finding=item,
            anchor=anchor(value, item.place),
            where=place_words(content, item.place),
            project=project_name(content, item.place),
            line=lines.line_of(content, item.place) if lines is not None and item.place else None,
        )
        for item in findings
    ]
    return in_order(made)


def in_order(findings: Iterable[Shown]) -> tuple[Shown, ...]:
    """Findings the severest first, then by code; those of one code stay in the order of their places."""
    return tuple(sorted(findings, key=lambda item: (_ORDER[item.finding.severity], item.finding.code)))


def totals(results: Sequence[Checked]) -> dict[str, int]:
    """How many texts, files that are none, unreadable files, errors, warnings and hints there are.

    ``texts`` counts the unreadable files, since each was handed in as one; ``others`` are letters and self-evaluations.
    """
    others = sum(item.other is not None for item in results)
    return {
        "texts": len(results) - others,
        "others": others,
        "unreadable": sum(item.problem is not None for item in results),
        "errors": sum(item.count(Severity.ERROR) for item in results),
        "warnings": sum(item.count(Severity.WARNING) for item in results),
        "hints": sum(item.count(Severity.HINT) for item in results),
    }
