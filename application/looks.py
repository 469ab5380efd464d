"""What auditors have looked at is written to a log of its own, with a key of its own (audit.md "Event")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from application.installation import LOG, READS, Request
from audit.acts import Act
from models.engine import transaction
from models.errors import DatabaseUnavailable, LogCorrupt, NotFound
from models.people import Role

# Use cases that show something: where an auditor calls one, what they looked at is an event of the second log.
LOOKS = frozenset(
    {
        "account.list",
        "archive.make",
        "audit.erasures",
        "audit.log",
        "delegation.list",
        "delivery.list",
        "notice.inbox",
        "document.list",
        "opinion.list",
        "review.blank",
        "review.list",
        "task.list",
        "task.overdue",
        "text.actions",
        "text.adjustment",
        "text.check",
        "text.compare",
        "text.findings",
        "text.history",
        "text.list",
        "text.publication",
        "text.render",
        "text.show",
        "workflow.position",
    }
)
# In which capacity somebody looks as an auditor.
_CAPACITIES = (Role.AUDITOR, Role.AUDIT_ADMINISTRATOR)
# Arguments that say what was looked at; others may be anything that a person typed.
_TOLD = frozenset(
    ("act", "after", "before", "document", "format_", "limit", "log", "since", "state", "version", "view", "year")
)


def record_look(request: Request, action: str, text_id: str | None, arguments: Mapping[str, Any]) -> None:
    """Writes what an auditor is about to be shown; does nothing for anybody else, and for other use cases.

    Called once the look was allowed and before its result is given. Where the second log can't be carried on (no key, an old
    backup, a read-only copy) people must still be able to see what they have (decision 0011): that is a line in the
    program's log. A busy database is Conflict, and nothing is shown.
    """
    role = next((role for role in _CAPACITIES if request.person.holds(role)), None)
    if action not in LOOKS or role is None:
        return
    installation = request.installation
    told = {key.rstrip("_"): _plain(value) for key, value in arguments.items() if key in _TOLD and value is not None}
    try:
        now = request.now()
        # One transaction for everything, which does not wait for the disk: whoever looks waits for it.
        with transaction(installation.engine, durable=False) as work:
            installation.require_writable_within(work, READS)
            installation.recorder(request.id, request.via, log=READS, session=request.person.session).write(
                work,
                Act.TEXT_READ,
                actor=request.person.account_id,
                role=role,
                obj=("text", text_id) if text_id is not None else ("view", action),
                now=now,
                details=[("/looked", None, {"at": action, **told})],
            )
            due = installation.is_due(work, READS, now, added=True)
    except (DatabaseUnavailable, LogCorrupt, NotFound) as error:
        structlog.get_logger("jixiao").error("read", request=request.id, outcome="not recorded", reason=error.message)
        return
    if due:
        installation.settle_reads()


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int) else str(value)[:200]


def require_known(log: str) -> str:
    """The name of a log; raises NotFound for any other than the two."""
    if log not in (LOG, READS):
        raise NotFound(f"没有名为“{log}”的审计日志；可以用 {LOG}（办理）或 {READS}（审计查看）。", log=log)
    return log
