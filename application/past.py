"""A text as it stood on an earlier day: the fold of its events until then, as a row and the definition of that time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import sqlalchemy as sa

from application.access import every_event
from application.changes import expanded
from models.base import SHANGHAI, parse_timestamp
from models.engine import Work
from models.errors import InvalidInput
from models.process import WorkflowDefinition
from models.texts import Opinion, OpinionAnswer
from workflow.definition import Definition
from workflow.records import definition_of
from workflow.replay import TextFold
from workflow.situation import TextRow


@dataclass(frozen=True, slots=True)
class Standpoint:
    """From when a text is looked at: its row and definition as they were, and until when (None: now)."""

    row: TextRow
    definition: Definition
    until: datetime | None = None


def today(work: Work, row: TextRow) -> Standpoint:
    """A text as it stands."""
    return Standpoint(row, definition_of(work, row.definition_id)[0])


def end_of_day(day: date, now: datetime) -> datetime:
    """The last moment of a day of the office; raises InvalidInput for a day that has not come."""
    if day > now.astimezone(SHANGHAI).date():
        raise InvalidInput(f"{day.isoformat()} 还没有到；--as-of 请写今天或以前的日期。")
    return (datetime.combine(day, time(), SHANGHAI) + timedelta(days=1)).astimezone(UTC) - timedelta(microseconds=1)


def as_of(work: Work, row: TextRow, until: datetime) -> Standpoint:
    """A text as it stood at a moment; raises InvalidInput where it did not exist yet."""
    return until_event(work, row, lambda _index, at: at <= until, until)


def until_event(
    work: Work, row: TextRow, wanted: Callable[[int, datetime], bool], until: datetime | None = None
) -> Standpoint:
    """A text as the first of its events leave it: all before the first whose index and time are not ``wanted``."""
    fold, last = TextFold(), None
    known: dict[str, tuple[str, Definition] | None] = {}

    def definition(pin: str) -> Definition | None:
        found = _pinned(work, known, pin)
        return None if found is None else found[1]

    for index, event in ((item.index, item.event) for item in every_event(work, row.id)):
        at = parse_timestamp(event["ts"])
        # A clock may have been set back: what came after the first later event is later, whatever its time says.
        if not wanted(index, at):
            break
        # Whether the events are legal is for the verification to say; here they only tell where the text was.
        fold.apply(event, [item for change in event.get("chg", ()) for item in expanded(work, change)], definition)
        last = at
    found = _pinned(work, known, fold.definition) if fold.state else None
    if found is None or last is None:
        raise InvalidInput("那一天还没有这份文本；请写文本导入当天或以后的日期。")
    return Standpoint(
        row._replace(
            definition_id=found[0],
            state=fold.state,
            round=fold.round,
            step=fold.step,
            current_version=fold.current_version,
            current_hash=fold.current_hash,
            submitted_hash=fold.submitted_hash,
            approved_version=fold.approved_version,
            approved_hash=fold.approved_hash,
            published_version=fold.published_version,
        ),
        found[1],
        until or last,
    )


def _pinned(work: Work, known: dict[str, tuple[str, Definition] | None], pin: str) -> tuple[str, Definition] | None:
    if pin not in known:
        sha = pin.rpartition(":")[2]
        query = sa.select(WorkflowDefinition.id).where(WorkflowDefinition.sha256 == sha).limit(1)
        found = work.connection.scalar(query)
        known[pin] = None if found is None else (found, definition_of(work, found)[0])
    return known[pin]


def opinions_then(
    work: Work, standpoint: Standpoint
) -> tuple[dict[str, dict[str, str]] | None, dict[str, bool] | None]:
    """The answers and the withdrawn opinions of an earlier day; None for today, when what the tables say holds."""
    until, text_id = standpoint.until, standpoint.row.id
    if until is None:
        return None, None
    opinions = work.session.scalars(sa.select(Opinion).where(Opinion.text_id == text_id, Opinion.created_at <= until))
    answers = work.session.scalars(
        sa.select(OpinionAnswer)
        .join(Opinion, Opinion.id == OpinionAnswer.opinion_id)
        .where(Opinion.text_id == text_id, OpinionAnswer.created_at <= until)
        .order_by(OpinionAnswer.id)
    )
    withdrawn = {item.id: item.withdrawn_at is not None and item.withdrawn_at <= until for item in opinions}
    answered = {
        item.opinion_id: {"kind": item.kind, "text": item.text}
        for item in answers
        if item.withdrawn_at is None or item.withdrawn_at > until
    }
    return answered, withdrawn
