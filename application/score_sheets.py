"""The review forms that a document shows: those of its round that count, as far as they may be seen yet."""

from __future__ import annotations

from typing import Any

from application.grading import subject_title
from application.past import Standpoint
from application.review_records import forms_of, is_under_way
from documents.rendering.stage import Score, ScoreSheet
from models.base import parse_timestamp
from models.content import BudgetText as Content
from models.engine import Work


def sheets_of(
    work: Work, standpoint: Standpoint, content: Content, round_: int, *, under_way: bool
) -> tuple[ScoreSheet, ...]:
    """The forms of a round, oldest first; ``under_way`` whether those of the step that is not yet taken are among them."""
    row = standpoint.row
    return tuple(
        _sheet(standpoint, content, item)
        for item in forms_of(work, row.id, until=standpoint.until)
        if item["round"] == round_ and (under_way or not is_under_way(row, item))
    )


def _sheet(standpoint: Standpoint, content: Content, item: dict[str, Any]) -> ScoreSheet:
    state = standpoint.definition.states.get(item["state"])
    scores = tuple(
        Score(
            criterion["name"],
            line["name"],
            line["points"],
            item["scores"].get(line["name"], ""),
            item["notes"].get(line["name"], ""),
        )
        for criterion in item["shape"]["criteria"]
        for line in criterion["items"]
    )
    return ScoreSheet(
        subject=item["subject"],
        title=subject_title(content, item["subject"]),
        level=state.title if state else item["state"],
        author=item["author"],
        scores=scores,
        total=item["total"],
        grade=item["grade"],
        conclusion=item["conclusion"],
        at=parse_timestamp(item["at"]),
    )
