"""Bulk actions: many texts in one call, a result for each, few transactions."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from application.acting import Choice, Order, Remark, carry_out, order_of
from application.installation import Request
from application.use_cases import record_refusal, use_case
from audit.events import workflow_act
from models.engine import retried, transaction
from models.errors import InvalidInput, JixiaoError

# One transaction holds so many texts at most: what a crash can undo, and how long others wait.
BATCH = 50
# One call holds so many: whoever has more has picked the wrong list.
_MOST = 10_000


@use_case("text.bulk")
def act_on_many(
    request: Request,
    text_ids: Sequence[str],
    *,
    action: str,
    reason: str | None = None,
    remarks: Sequence[Remark] = (),
    accept_all: bool = False,
    choice: Choice | None = None,
    done: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """Performs an action on each text by itself: ``{bulk, done, failed, results}``, results in the order of the ids.

    ``unsigned`` says why no checkpoint covers the actions yet, where that failed.

    One text's refusal changes nothing for the others; it is an event of its own. ``done`` is called with the number of texts
    that were dealt with. A call that is interrupted leaves whole batches of 50.
    """
    wanted = list(dict.fromkeys(text_ids))
    if not wanted:
        raise InvalidInput("请至少写一个文本编号。")
    if len(wanted) > _MOST:
        raise InvalidInput(f"一次最多办理 {_MOST} 份文本，这里有 {len(wanted)} 份；请分批办理。")
    request.installation.require_writable()
    order = order_of(action, reason=reason, remarks=remarks, accept_all=accept_all, choice=choice or Choice())
    bulk = {"id": uuid.uuid4().hex, "size": len(wanted)}
    results: dict[str, dict[str, Any]] = {}
    event_id, binding = None, False
    # Writers of two bulks lock the same texts in the same order, so that neither waits for the other for ever.
    ordered = sorted(wanted)
    for start in range(0, len(ordered), BATCH):
        run = functools.partial(_batch, request, ordered[start : start + BATCH], order, bulk)
        try:
            found, last_event, binds = retried(run)
        except JixiaoError as error:
            # The database gave up on this batch: what was done before is done, has a result, and must be signed.
            results |= {text_id: _refusal(text_id, error) for text_id in ordered[start:]}
            break
        results |= found
        event_id, binding = last_event or event_id, binding or binds
        done(len(results))
    listed = [results[text_id] for text_id in wanted]
    failed = sum(not item["ok"] for item in listed)
    out = {"bulk": bulk["id"], "done": len(listed) - failed, "failed": failed, "results": listed}
    try:
        request.installation.settle(event_id, checkpoint=binding)
    except JixiaoError as error:
        # What was done is done, and whoever asked must learn what: that nothing signs it yet is said beside it.
        out["unsigned"] = error.message
    return out


def _batch(
    request: Request, text_ids: Sequence[str], order: Order, bulk: Mapping[str, Any]
) -> tuple[dict[str, dict[str, Any]], str | None, bool]:
    """One transaction: a result for each text, the last event, and whether any of the actions binds."""
    results: dict[str, dict[str, Any]] = {}
    last_event, binding = None, False
    with transaction(request.installation.engine) as work:
        for text_id in text_ids:
            try:
                with work.savepoint():
                    performed, definition, binds = carry_out(work, request, text_id, order, bulk=bulk)
            except JixiaoError as error:
                if "database" in error.facts:
                    raise
                results[text_id] = _refusal(text_id, error)
                record_refusal(work, request, workflow_act(order.action), ("text", text_id), error, bulk=bulk)
                continue
            last_event, binding = performed.event_id, binding or binds
            title = definition.states[performed.state].title
            results[text_id] = {"text": text_id, "ok": True, **performed.to_json(), "state_title": title}
    return results, last_event, binding


def _refusal(text_id: str, error: JixiaoError) -> dict[str, Any]:
    reasons = [str(item) for item in error.facts.get("reasons", [])]
    return {"text": text_id, "ok": False, "code": error.code, "message": error.message, "reasons": reasons}
