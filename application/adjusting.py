"""The adjustment of a published text (调整): what was changed, from what to what, and why."""

from __future__ import annotations

from typing import Any

import orjson
import sqlalchemy as sa

from application.access import every_event, is_outsider, newest_version, reading
from application.comparing import between
from application.installation import Request
from application.use_cases import use_case
from models.engine import Work
from models.errors import NotAllowed, NotFound
from models.process import Step
from workflow.situation import TextRow


@use_case("text.adjustment")
def adjustment(request: Request, text_id: str) -> dict[str, Any]:
    """The last adjustment of a text: ``{from, to, reason, rows}``, the rows as of ``Compared.table``.

    ``from`` is the version that was public when the adjustment began, ``to`` the newest that the person may read: the bureau
    sees what was submitted to it. A row's reason is that of the adjustment and that of whoever wrote the place last.

    Raises NotFound where the text was never adjusted, NotAllowed for those who may read only what is public.
    """
    request.installation.catch_up()
    with reading(request, text_id) as (work, row):
        if is_outsider(request, row):
            raise NotAllowed("对外公开的只有文本本身，调整的过程和理由只有编制部门、审核机关和审计可以查看。")
        step, first = _beginning(work, row)
        last = max(first, newest_version(work, request, row))
        why = _reason_of(work, text_id, step.event_id)
        return {
            "text": text_id,
            "from": first,
            "to": last,
            "published": row.published_version,
            "round": step.round,
            "reason": why,
            "rows": between(work, request, row, first, last, why=why).table(),
        }


def _beginning(work: Work, row: TextRow) -> tuple[Step, int]:
    """The step that opened the last adjustment, and the version that was public then; raises NotFound."""
    steps = list(work.session.scalars(sa.select(Step).where(Step.text_id == row.id).order_by(Step.number)))
    undone = {step.undoes for step in steps if step.undoes is not None}
    for step in reversed(steps):
        if step.reopens and step.number not in undone:
            return step, int(orjson.loads(step.before)["published_version"])
    raise NotFound("这份文本没有调整过；公开之后由编制部门的经办人用 adjust 动作发起调整。", text=row.id)


def _reason_of(work: Work, text_id: str, event_id: str) -> str:
    """The reason that an event of a text gives."""
    return next(
        (item.event.get("why") or "" for item in every_event(work, text_id) if item.event["id"] == event_id), ""
    )
