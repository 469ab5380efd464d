"""Answers to what the checks found: given by whoever may edit the text, each with the finding that it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from audit.events import Act
from audit.recorder import Recorder
from models.engine import Work
from models.errors import Conflict
from models.prepared import Prepared, insert_into
from models.texts import FindingAnswer
from workflow import statements as sql
from workflow.situation import TextRow
from workflow.versions import Author, note_editor

_INSERT = insert_into(FindingAnswer)
_LAST = Prepared(
    sa.select(sa.func.coalesce(sa.func.max(FindingAnswer.number), 0)).where(
        FindingAnswer.text_id == sa.bindparam("text_id")
    )
)


@dataclass(frozen=True, slots=True)
class Said:
    """One answer: the finding's fingerprint, rule, stable place and sentence, the words, and the words before (None: none)."""

    fingerprint: str
    code: str
    anchor: str
    message: str
    text: str
    before: str | None = None


def answer(
    work: Work, text: TextRow, author: Author, *, answers: Sequence[Said], recorder: Recorder, now: datetime
) -> TextRow:
    """Stores answers to findings of a text that ``begin_revision`` locked, with one event; the row as it is now."""
    row_version = text.row_version + 1
    changed = work.run(
        sql.TOUCH_TEXT, text_id=text.id, seen_version=text.row_version, new_row_version=row_version, moment=now
    )
    if changed != 1:
        raise Conflict("别人刚刚改动了这份文本；请重新读取后再试。", text=text.id)
    last = work.one(_LAST, text_id=text.id)
    for number, said in enumerate(answers, (int(last[0]) if last else 0) + 1):
        work.run(
            _INSERT,
            text_id=text.id,
            number=number,
            fingerprint=said.fingerprint,
            code=said.code,
            anchor=said.anchor,
            message=said.message,
            text=said.text,
            version=text.current_version,
            row_version=row_version,
            author_id=author.actor.account_id,
            created_at=now,
        )
    note_editor(work, text, author, now)
    recorder.write(
        work,
        Act.FINDING_ANSWER,
        actor=author.actor.account_id,
        role=author.role,
        on_behalf_of=author.principal_id,
        obj=("text", text.id),
        now=now,
        after=text.current_hash,
        details=[(f"/findings/{said.code}{said.anchor}", said.before, said.text) for said in answers],
    )
    return text._replace(row_version=row_version)
