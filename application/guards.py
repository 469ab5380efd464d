"""What the engine gets from the other rooms: the content check as a guard, the outbox as an effect."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from application import grading as grading  # registers grade_allows
from application.answers import Answered, answered, answers_of
from application.check_settings import InForce, settings_of
from application.corpus import own_surroundings
from models.blobs import get_blob
from models.engine import Work
from models.findings import CheckFinding, Severity
from models.places import pointer
from models.prepared import Prepared
from models.texts import BudgetText as TextTable
from models.texts import Finding, FindingStatus
from notifications.outbox import FOLLOWERS, enqueue
from workflow.definition import SIGN
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

_UNQUOTED = "这一处属个人信息，这里不重复它的内容；请用 jixiao text check 查看问题，确认或改正后再报送。"


def check_text(
    work: Work,
    text: TextRow,
    content: BudgetText,
    *,
    settings: CheckSettings | None = None,
    surroundings: Surroundings | None = None,
) -> tuple[CheckFinding, ...]:
    """The checker's findings on a stored text, unconfirmed repairs included.

    ``settings`` are those that hold for the text where none are given; ``surroundings`` what the text's own file said.
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
        settings=settings or settings_of(work, text.reviewing_id).settings,
        surroundings=surroundings or own_surroundings(work, text),
    )


# How many warnings the refusal names; the others are in the list that it tells of.
_NAMED = 20


# On the connection, which lives as long as the transaction: the event names the very settings that the guard has used.
_USED = "jixiao_checks_used"


def _told(situation: Situation) -> Iterable[tuple[str, Any, Any]]:
    # By which settings a submission was let through: they may be others tomorrow.
    held: InForce = situation.work.connection.get_execution_options()[_USED]
    return [("/checks", None, held.to_json())]


@guard("text_complete", "检查没有错误，警告都已答复", told=_told)
def _text_complete(situation: Situation) -> Iterable[str]:
    from application.personal import may_be_personal
    from models.content import parse_content

    work, text = situation.work, situation.text
    content = parse_content(get_blob(work, text.current_hash))
    held = settings_of(work, text.reviewing_id)
    work.connection.execution_options(**{_USED: held})
    found = check_text(work, text, content, settings=held.settings)
    stops = [item for item in answered(content, found, answers_of(work, text.id)) if item.stops]
    for item in stops:
        if item.finding.severity is Severity.ERROR:
            # A refusal and its reasons are an event, and nothing about a person may stand in one.
            message = _UNQUOTED if may_be_personal(item.anchor) else item.finding.message
            yield f"{item.finding.code}（{item.anchor or '全文'}）{message}"
    waiting = [item for item in stops if item.finding.severity is not Severity.ERROR]
    if waiting:
        yield unanswered(text.id, waiting)


def unanswered(text_id: str, waiting: Sequence[Answered]) -> str:
    """What waits for an answer, and how to give one, in one sentence."""
    named = "、".join(dict.fromkeys(item.name for item in waiting[:_NAMED]))
    more = " 等" if len(waiting) > _NAMED else ""
    return (
        f"有 {len(waiting)} 条警告没有改正，也没有答复：{named}{more}；请改正，或由经办人运行"
        f" jixiao text answer {text_id} 代码@位置 --text 理由，用 jixiao text findings {text_id} 查看全部"
    )


_DEPARTMENT = Prepared(sa.select(TextTable.organization_id).where(TextTable.id == sa.bindparam("text_id")))


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
    # Acts of handling (``task.claim`` and others) and votes move nothing, and only those named above are told of them.
    if "." in moved.action or moved.action == SIGN:
        return
    row = work.one(_DEPARTMENT, text_id=moved.text_id)
    if row is not None:
        enqueue(
            work,
            event_id=moved.event_id,
            topic=moved.action,
            text_id=moved.text_id,
            role=FOLLOWERS,
            organization_id=row[0],
            account_id=None,
            title=moved.title,
            state=moved.state_title,
            now=now,
        )


register_effect("notify", _notify)
