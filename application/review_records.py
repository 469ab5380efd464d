"""The rows of filled review forms, as people and documents are shown them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from models.base import timestamp
from models.blobs import get_blob
from models.engine import Work
from models.people import Account
from models.review_forms import ReviewForm
from workflow.situation import TextRow


def forms_of(work: Work, text_id: str, *, until: datetime | None = None) -> list[dict[str, Any]]:
    """The forms that count: of each person, round, state and subject the newest (``until`` a moment), oldest first."""
    query = (
        sa.select(ReviewForm, Account.display_name)
        .join(Account, Account.id == ReviewForm.account_id)
        .where(ReviewForm.text_id == text_id)
        .order_by(ReviewForm.number)
    )
    if until is not None:
        query = query.where(ReviewForm.created_at <= until)
    newest: dict[tuple[int, str, str, str], dict[str, Any]] = {}
    for form, author in work.session.execute(query):
        key = (form.round, form.state, form.subject, form.account_id)
        newest.pop(key, None)
        newest[key] = {
            "number": form.number,
            "subject": form.subject,
            "state": form.state,
            "round": form.round,
            "version": form.version,
            "content_hash": form.content_hash,
            "role": form.role,
            "author": author,
            "scores": orjson.loads(form.scores),
            "notes": orjson.loads(form.notes),
            "total": form.total,
            "grade": form.grade,
            "conclusion": form.conclusion,
            "shape": orjson.loads(get_blob(work, form.shape)),
            "at": timestamp(form.created_at),
        }
    return list(newest.values())


def is_under_way(row: TextRow, item: Mapping[str, Any]) -> bool:
    """Whether the step that a form belongs to is not yet taken: until then it is the bureau's own."""
    return bool(item["round"] == row.round and item["state"] == row.state)
