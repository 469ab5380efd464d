"""Why a text came back, for the letter that tells of it: every opinion of the step, with its place; personal places unsaid."""

from __future__ import annotations

import sqlalchemy as sa

from application.personal import may_be_personal
from documents.rendering import place_title
from models.blobs import get_blob
from models.content import parse_content, to_json
from models.engine import Work
from models.places import pointer
from models.texts import Opinion, TextVersion
from notifications.letters import Reason

# More reasons than a reader takes in from a mail; the rest is in the text.
_MOST = 50
_UNSAID = "这一处属个人信息，意见请登录后查看"


def reasons_of(work: Work, text_id: str, step: int) -> list[Reason]:
    """The opinions that came with a step and were not withdrawn since."""
    query = (
        sa.select(Opinion)
        .where(Opinion.text_id == text_id, Opinion.step == step, Opinion.withdrawn_at.is_(None))
        .order_by(Opinion.id)
        .limit(_MOST)
    )
    found = list(work.session.scalars(query)) if step else []
    if not found:
        return []
    sha = work.session.scalar(
        sa.select(TextVersion.content_hash).where(
            TextVersion.text_id == text_id, TextVersion.number == found[0].version
        )
    )
    if sha is None:
        return []
    content = parse_content(get_blob(work, sha))
    value = to_json(content)
    return [
        Reason(item.kind, place_title(content, item.anchor), _UNSAID)
        if may_be_personal(pointer(value, item.anchor) or item.anchor)
        else Reason(item.kind, place_title(content, item.anchor), item.problem, item.wanted)
        for item in found
    ]
