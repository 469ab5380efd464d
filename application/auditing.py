"""The audit log from outside: reading it, verifying it, signing a checkpoint.

Verifying and signing need no log-in: whoever can run them holds the database and the keys already, and a verdict must
not depend on accounts that stand in the very database that is in doubt.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from application.accounts import require_role
from application.histories import names_of_accounts
from application.installation import LOG, Installation, Request
from application.use_cases import refusals_recorded, use_case
from audit.checkpoints import sign_checkpoint
from audit.events import Act
from audit.timeline import events
from audit.verdicts import Status as Status
from audit.verdicts import Verdict
from audit.verification import verify_full
from models.engine import transaction
from models.errors import InvalidInput, LogCorrupt, NotFound
from models.people import Role


@use_case("audit.log")
def read_log(
    request: Request, *, text_id: str | None = None, act: str | None = None, since: int = 0, limit: int = 200
) -> list[dict[str, Any]]:
    """Events by index (auditors and audit administrators): ``{index, event, actor}``, the actor by name."""
    request.installation.catch_up()
    with (
        refusals_recorded(request, Act.TEXT_READ, ("audit_log", LOG)),
        transaction(request.installation.engine, read_only=True) as work,
    ):
        require_role(work, request, Role.AUDITOR, Role.AUDIT_ADMINISTRATOR)
        found = events(
            work,
            log=LOG,
            obj_type="text" if text_id else None,
            obj_id=text_id,
            act=act,
            since_index=since,
            limit=limit,
        )
        names = names_of_accounts(work)
        return [
            {"index": item.index, "event": item.event, "actor": names.get(item.event["actor"]["sub"], ("系统", ""))[0]}
            for item in found
        ]


def verify_log(
    installation: Installation,
    *,
    trusted: tuple[str, ...] = (),
    outside: tuple[str, ...] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Verdict:
    """Full verification; the signer's own head file counts as an outside head, since no database right reaches it.

    ``trusted`` are verifier keys, ``outside`` checkpoint notes that the auditor kept.
    """
    heads = list(outside)
    head_path = installation.settings.keys / "log.head"
    if head_path.exists():
        heads.append(head_path.read_text(encoding="utf-8"))
    try:
        return verify_full(
            installation.engine,
            log=LOG,
            trusted=trusted,
            outside=heads,
            mac_key=installation.mac_key,
            progress=progress,
        )
    except NotFound as error:
        if not heads:
            raise
        raise LogCorrupt(
            "已经签过检查点的审计日志从数据库中消失了：数据库被改动或换掉，请停止使用并保留现状。"
        ) from error


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as a JSON object."""
    return {
        "ok": verdict.ok,
        "status": str(verdict.status),
        "size": verdict.size,
        "root": verdict.root.hex(),
        "signed": verdict.signed,
        "checkpoints": verdict.checkpoints,
        "outbox": verdict.outbox,
        "first_bad": verdict.first_bad,
        "problems": [
            {"kind": str(item.kind), "index": item.index, "until": item.until, "message": item.message}
            for item in verdict.problems
        ],
    }


def checkpoint(installation: Installation) -> str:
    """Signs the head as it stands and returns the note."""
    installation.settle(checkpoint=False)
    signed = sign_checkpoint(installation.engine, installation.signer, log=LOG, now=installation.clock())
    if signed is None:
        raise InvalidInput("审计日志还是空的，没有可以签名的内容。")
    return signed.note
