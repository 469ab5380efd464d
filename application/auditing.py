"""The audit log from outside: reading it, verifying it, signing a checkpoint.

Verifying and signing need no log-in: whoever can run them holds the database and the keys already, and a verdict must
not depend on accounts that stand in the very database that is in doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from application.accounts import require_role
from application.histories import names_of_accounts
from application.installation import LOG, Installation, Request
from application.looks import require_known
from application.personal import Names, reveal
from application.registers import Registers
from application.replaying import Replay
from application.use_cases import refusals_recorded, use_case
from application.verifying import cosigner_keys, own_heads, without_head
from audit.eventchecks import EventCheck
from audit.events import Act
from audit.exposure import VerifyToken
from audit.timeline import events
from audit.verdicts import Level as Level
from audit.verdicts import Status as Status
from audit.verdicts import Verdict
from audit.verification import verify
from models.engine import transaction
from models.errors import InvalidInput, LogCorrupt, NotFound
from models.people import Role


@use_case("audit.log")
def read_log(
    request: Request,
    *,
    text_id: str | None = None,
    act: str | None = None,
    since: int = 0,
    limit: int = 200,
    log: str = LOG,
) -> list[dict[str, Any]]:
    """Events by index (auditors and audit administrators): ``{index, event, actor, personal}``, the actor by name.

    ``personal`` are the changes whose values the event only commits to, opened for whoever may see them: auditors all, audit
    administrators those of accounts. ``log`` is ``main`` or ``reads``.
    """
    request.installation.catch_up(require_known(log))
    with (
        refusals_recorded(request, Act.TEXT_READ, ("audit_log", log)),
        transaction(request.installation.engine, read_only=True) as work,
    ):
        require_role(work, request, Role.AUDITOR, Role.AUDIT_ADMINISTRATOR)
        found = events(
            work,
            log=log,
            obj_type="text" if text_id else None,
            obj_id=text_id,
            act=act,
            since_index=since,
            limit=limit,
        )
        names = names_of_accounts(work)
        sealer = request.installation.keyring.opener()
        may_see = partial(_may_see, request, names)
        return [
            {
                "index": item.index,
                "event": item.event,
                "actor": names.get(item.event["actor"]["sub"], ("系统", ""))[0],
                "personal": [
                    reveal(work, sealer, names, change, allowed=may_see)
                    for change in item.event.get("chg", [])
                    if "oc" in change or "nc" in change
                ],
            }
            for item in found
        ]


def _may_see(request: Request, names: Names, subject_id: str) -> bool:
    """Auditors read every text; an audit administrator reads none, but sees who the accounts are."""
    return request.person.holds(Role.AUDITOR) or subject_id in names


def verify_log(
    installation: Installation,
    *,
    level: Level = Level.FULL,
    trusted: tuple[str, ...] = (),
    outside: tuple[str, ...] = (),
    since: str | None = None,
    jobs: int = 1,
    checks: Sequence[EventCheck] = (),
    cosigners: Sequence[str] = (),
    verify_token: VerifyToken | None = None,
    progress: Callable[[int, int], None] | None = None,
    log: str = LOG,
) -> Verdict:
    """Verification; the signer's own head file counts as an outside head, since no database right reaches it.

    ``trusted`` are verifier keys, ``outside`` checkpoint notes that the auditor kept, ``since`` the one of an older
    verification to go on from. For the time rule of the level ``strict``, ``cosigners`` are verifier keys of witnesses (else
    those of the settings) and ``verify_token`` what verifies time stamps. Levels, jobs and checks are those of
    ``audit.verification.verify``.
    """
    own, lost = own_heads(installation.keyring.head_files(require_known(log)))
    heads = [*outside, *own]
    if level is Level.STRICT and log == LOG:
        checks = [*checks, Replay(installation.engine, log=log), Registers(installation.engine, log=log)]
    try:
        verdict = verify(
            installation.engine,
            log=log,
            level=level,
            trusted=trusted,
            outside=heads,
            since=since,
            jobs=jobs,
            checks=checks,
            cosigners=cosigner_keys(installation, cosigners),
            verify_token=verify_token,
            mac_key=installation.mac_key,
            progress=progress,
        )
    except NotFound as error:
        if not heads and not lost:
            raise
        raise LogCorrupt(
            "已经签过检查点的审计日志从数据库中消失了：数据库被改动或换掉，请停止使用并保留现状。"
        ) from error
    # An empty log has no head yet.
    return without_head(verdict, lost) if lost and (verdict.checkpoints or own) else verdict


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as a JSON object."""
    return {
        "ok": verdict.ok,
        "status": str(verdict.status),
        "level": str(verdict.level),
        "start": verdict.start,
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


def checkpoint(installation: Installation, log: str = LOG) -> str:
    """Signs the head of a log as it stands and returns the note."""
    installation.settle(checkpoint=False, log=require_known(log))
    signed = installation.sign(log, now=installation.clock())
    if signed is None:
        raise InvalidInput("审计日志还是空的，没有可以签名的内容。")
    return signed.note
