"""What the engine gets from the other rooms: the content check as a guard, the outbox as an effect."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from application.check_settings import settings_of
from application.corpus import own_surroundings
from models.blobs import get_blob
from models.engine import Work
from models.findings import CheckFinding
from models.places import anchor, pointer
from models.prepared import Prepared
from models.texts import Finding, FindingStatus
from notifications.outbox import enqueue
from workflow.effects import Moved, register_effect
from workflow.guards import guard
from workflow.situation import Situation, TextRow

if TYPE_CHECKING:
    from documents.checking import CheckSettings, Surroundings
    from models.content import BudgetText

OPEN_FINDINGS = Prepared(
    sa.select(Finding.number, Finding.anchor, Finding.raw, Finding.repaired)
    .where(Finding.text_id == sa.bindparam("text_id"), Finding.status == FindingStatus.OPEN.value)
    .order_by(Finding.number)
)


def check_text(
    work: Work,
    text: TextRow,
    content: BudgetText,
    *,
    settings: CheckSettings | None = None,
    surroundings: Surroundings | None = None,
) -> tuple[CheckFinding, ...]:
    """The checker's findings on a stored text, unconfirmed repairs included.

    ``settings`` are those of the installation where none are given; ``surroundings`` what the text's own file said.
    """
    from documents.checking import Unconfirmed, check  # loaded when a text is checked, not with every command
    from models.content import to_json

    value = to_json(content)
    unconfirmed = [
        Unconfirmed(pointer(value, place), raw, repaired)
        for _, place, raw, repaired in work.rows(OPEN_FINDINGS, text_id=text.id)
    ]
    return check(
        content,
        unconfirmed=unconfirmed,
        settings=settings or settings_of(work),
        surroundings=surroundings or own_surroundings(work, text),
    )


@guard("text_complete", "检查没有错误")
def _text_complete(situation: Situation) -> Iterable[str]:
    from documents.checking import errors
    from models.content import parse_content, to_json

    content = parse_content(get_blob(situation.work, situation.text.current_hash))
    value = to_json(content)
    for finding in errors(check_text(situation.work, situation.text, content)):
        yield f"{finding.code}（{anchor(value, finding.place) or '全文'}）{finding.message}"


def _notify(work: Work, moved: Moved, now: datetime) -> None:
    for recipient in moved.recipients:
        enqueue(
            work,
            event_id=moved.event_id,
            topic=moved.action,
            text_id=moved.text_id,
            role=recipient.role,
            organization_id=recipient.organization_id,
            account_id=recipient.account_id,
            title=moved.title,
            state=moved.state_title,
            now=now,
        )


register_effect("notify", _notify)
