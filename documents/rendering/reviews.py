"""Opinions laid out for the review form: one form for the department part and one per project, by criterion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from documents.rendering.stage import Opinion, Stage
from models.content import BudgetText, to_json
from models.findings import Criterion
from models.places import pointer, split

KINDS: Final = ("必改", "建议", "疑问")

# The first letter of a rule's code is its criterion; matters of form belong to 完整性 (规范完整) on the review form.
_CRITERIA: Final = {
    "C": Criterion.COMPLETENESS,
    "T": Criterion.COMPLETENESS,
    "R": Criterion.RELEVANCE,
    "A": Criterion.APPROPRIATENESS,
    "F": Criterion.FEASIBILITY,
}


@dataclass(frozen=True, slots=True)
class ReviewForm:
    """The opinions about one subject: the department part (``project`` is None) or the project at that position."""

    project: int | None
    completeness: tuple[Opinion, ...]
    relevance: tuple[Opinion, ...]
    appropriateness: tuple[Opinion, ...]
    feasibility: tuple[Opinion, ...]
    others: tuple[Opinion, ...]


def _subject(value: object, opinion: Opinion) -> int | None:
    tokens = split(pointer(value, opinion.place))
    return int(tokens[1]) if len(tokens) > 1 and tokens[0] == "projects" and tokens[1].isdigit() else None


def _form(project: int | None, opinions: Sequence[Opinion]) -> ReviewForm:
    def about(criterion: Criterion | None) -> tuple[Opinion, ...]:
        return tuple(opinion for opinion in opinions if _CRITERIA.get(opinion.rule[:1]) is criterion)

    return ReviewForm(
        project=project,
        completeness=about(Criterion.COMPLETENESS),
        relevance=about(Criterion.RELEVANCE),
        appropriateness=about(Criterion.APPROPRIATENESS),
        feasibility=about(Criterion.FEASIBILITY),
        others=about(None),
    )


def review_forms(content: BudgetText, opinions: Sequence[Opinion]) -> tuple[ReviewForm, ...]:
    """One form for the department part, then one per project in the order of the content.

    An opinion about a project that the content no longer has goes to the department part, so that none is lost.
    """
    value = to_json(content)
    count = len(content.projects)
    by_subject: dict[int | None, list[Opinion]] = {}
    for opinion in opinions:
        subject = _subject(value, opinion)
        by_subject.setdefault(subject if subject is not None and subject < count else None, []).append(opinion)
    return tuple(_form(subject, by_subject.get(subject, [])) for subject in (None, *range(count)))


def kind_counts(stage: Stage) -> tuple[tuple[str, int], ...]:
    """How many opinions of each kind there are, in the order of their weight; kinds without any are left out."""
    counts = ((kind, sum(opinion.kind == kind for opinion in stage.opinions)) for kind in KINDS)
    return tuple((kind, count) for kind, count in counts if count)
