"""The adjustment of a published text (调整): what was changed, from what to what, and why."""

from __future__ import annotations

from typing import Any

import orjson
import sqlalchemy as sa

from application.access import every_event, is_outsider, newest_version, read_version, reading
from application.installation import Request
from application.use_cases import use_case
from documents.rendering.titles import place_title
from models.content import to_json
from models.engine import Work
from models.errors import NotAllowed, NotFound
from models.places import changes, split
from models.process import Step
from models.texts import TextVersion
from workflow.situation import TextRow


@use_case("text.adjustment")
def adjustment(request: Request, text_id: str) -> dict[str, Any]:
    """The last adjustment of a text: ``{from, to, reason, rows: [{place, place_title, before, after, reason}]}``.

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
        versions = {number: read_version(work, row, number).content for number in range(first, last + 1)}
        values = {number: to_json(content) for number, content in versions.items()}
        written = [
            (version.reason, [place for place, _, _ in changes(values[version.number - 1], values[version.number])])
            for version in work.session.scalars(
                sa.select(TextVersion)
                .where(TextVersion.text_id == text_id, TextVersion.number > first, TextVersion.number <= last)
                .order_by(TextVersion.number)
            )
        ]
        why = _reason_of(work, text_id, step.event_id)
        return {
            "text": text_id,
            "from": first,
            "to": last,
            "published": row.published_version,
            "round": step.round,
            "reason": why,
            "rows": [
                {
                    "place": place,
                    "place_title": place_title(versions[first if after is None else last], place),
                    "before": before,
                    "after": after,
                    "reason": _joined(why, _last_reason(written, place)),
                }
                for place, before, after in changes(values[first], values[last])
            ],
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


def _last_reason(written: list[tuple[str, list[str]]], place: str) -> str:
    """The reason of whoever wrote a place last: the place itself, something in it, or what it is in."""
    tokens = split(place)
    for reason, places in reversed(written):
        for other in map(split, places):
            shorter = min(len(tokens), len(other))
            if tokens[:shorter] == other[:shorter]:
                return reason
    return ""


def _joined(*reasons: str) -> str:
    return "；".join(dict.fromkeys(reason for reason in reasons if reason))
