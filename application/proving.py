"""Evidence to take away: the log as a folder of tiles, receipts for single events, and checking a receipt anywhere.

What leaves the house is recorded before it leaves; the checkpoint that goes with it covers that record, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from application.accounts import require_role
from application.installation import LOG, Request
from application.looks import require_known
from application.use_cases import refusals_recorded, use_case
from audit.events import Act, parse_event
from audit.notes import VerifierKey, parse_vkey
from audit.receipts import SUFFIX as SUFFIX
from audit.receipts import ReceiptVerdict, judge_receipt, make_receipts
from audit.tileexport import TileExport
from audit.tileexport import export_tiles as write_tiles
from audit.tilefolder import TileFolder
from models.engine import Work, transaction
from models.errors import InvalidInput, LogCorrupt, NotFound
from models.log import AuditProjection
from models.people import Role
from models.prepared import Prepared

# More receipts than any text has events; what is larger is a tiles folder.
MOST_RECEIPTS = 10_000

_INDEX_OF_EVENT = Prepared(
    sa.select(AuditProjection.idx).where(
        AuditProjection.log == sa.bindparam("log"), AuditProjection.event_id == sa.bindparam("event_id")
    )
)
_AT_INDEX = Prepared(
    sa.select(AuditProjection.idx).where(
        AuditProjection.log == sa.bindparam("log"), AuditProjection.idx == sa.bindparam("idx")
    )
)
_INDEXES_OF_TEXT = Prepared(
    sa.select(AuditProjection.idx, AuditProjection.act)
    .where(
        AuditProjection.log == sa.bindparam("log"),
        AuditProjection.obj_type == "text",
        AuditProjection.obj_id == sa.bindparam("text_id"),
    )
    .order_by(AuditProjection.idx)
    .limit(MOST_RECEIPTS + 1)
)


@dataclass(frozen=True)
class Proof:
    """An event as it was hashed, parsed for reading, and its receipt (``.tlog-proof``)."""

    index: int
    body: bytes
    event: dict[str, Any]
    receipt: str


@use_case("audit.export")
def export_tiles(
    request: Request, folder: Path, *, log: str = LOG, progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """A log as a folder of tiles (auditors and audit administrators): ``{origin, size, root, written}``.

    Raises InvalidInput for a folder with other things in it, and LogCorrupt where the log doesn't continue what the folder
    says; ``progress(done, total)`` counts entries.
    """
    target = TileFolder(folder)
    installation = request.installation
    require_known(log)
    installation.require_writable()
    target.require_usable()  # a slip is no export, and leaves no event
    _record(request, log, {"format": "tlog-tiles"})
    with transaction(installation.engine, read_only=True) as work:
        done: TileExport = write_tiles(work, target, log=log, progress=progress)
    return {"origin": done.origin, "size": done.size, "root": done.root.hex(), "written": done.written}


@use_case("audit.prove")
def prove(request: Request, subject: str, *, acts: Sequence[str] = (), log: str = LOG) -> list[Proof]:
    """Receipts of one event (its id or index) or of all events of a text (auditors and audit administrators).

    ``acts`` picks a text's events, such as ``workflow.approve``. Raises NotFound where there is none.
    """
    installation = request.installation
    installation.require_writable()
    installation.catch_up(require_known(log))
    with (
        refusals_recorded(request, Act.EXPORT_CREATE, ("audit_log", log)),
        transaction(installation.engine, read_only=True) as work,
    ):
        require_role(work, request, Role.AUDITOR, Role.AUDIT_ADMINISTRATOR)
        indexes = _indexes(work, log, subject, acts)
    details = {"format": "tlog-proof", "subject": subject, "count": len(indexes)}
    _record(request, log, details | ({"acts": sorted(acts)} if acts else {}))
    with transaction(installation.engine, read_only=True) as work:
        made = make_receipts(work, indexes, log=log)
    return [_proof(receipt.index, body, str(receipt), subject) for body, receipt in made]


def _record(request: Request, log: str, told: dict[str, Any]) -> None:
    """The event of what is about to leave, under a checkpoint of its own; it stands in the main log, whichever leaves."""
    installation, obj = request.installation, ("audit_log", log)
    with (
        refusals_recorded(request, Act.EXPORT_CREATE, obj),
        transaction(installation.engine) as work,
    ):
        role = require_role(work, request, Role.AUDITOR, Role.AUDIT_ADMINISTRATOR)
        recorded = request.recorder.write(
            work,
            Act.EXPORT_CREATE,
            actor=request.person.account_id,
            role=role,
            obj=obj,
            now=request.now(),
            details=[("/export", None, told)],
        )
    installation.settle(recorded.event_id, checkpoint=True)
    if log != LOG:
        installation.settle(checkpoint=True, log=log)


def _indexes(work: Work, log: str, subject: str, acts: Sequence[str]) -> list[int]:
    if subject.isascii() and subject.isdigit() and len(subject) < 18:
        found = work.one(_AT_INDEX, log=log, idx=int(subject))
    else:
        found = work.one(_INDEX_OF_EVENT, log=log, event_id=subject)
    if found is not None:
        return [found[0]]
    rows = work.rows(_INDEXES_OF_TEXT, log=log, text_id=subject)
    if not rows:
        raise NotFound(f"没有编号为“{subject}”的文本或事件；请用 jixiao text list 或 jixiao audit log 查看。")
    if len(rows) > MOST_RECEIPTS:
        raise InvalidInput(f"这份文本的事件超过 {MOST_RECEIPTS} 条；请用 jixiao audit export --tiles 导出整个日志。")
    chosen = [index for index, act in rows if not acts or act in acts]
    if not chosen:
        known = "、".join(sorted({act for _, act in rows}))
        raise NotFound(f"这份文本没有“{'、'.join(acts)}”的事件；它有：{known}。")
    return chosen


def _proof(index: int, body: bytes, receipt: str, subject: str) -> Proof:
    try:
        event = parse_event(body)
    except InvalidInput as error:
        raise LogCorrupt(f"审计日志第 {index} 条不是有效的事件；请停止使用并运行 jixiao audit verify。") from error
    # The table that found the event is not in the tree: what it says must be what the event says.
    if subject not in (str(index), event["id"], event["obj"]["id"]):
        raise LogCorrupt(f"审计日志第 {index} 条的查询列与正文不符；请停止使用并运行 jixiao audit verify。")
    return Proof(index, body, event, receipt)


def check_receipt(receipt: bytes, event: bytes, vkeys: Sequence[str]) -> ReceiptVerdict:
    """Whether a receipt proves an event's bytes under one of the public keys; needs no installation.

    Raises InvalidInput for a key that is none, since that is a slip of the person who asks.
    """
    keys: list[VerifierKey] = [parse_vkey(text) for text in vkeys]
    if not keys:
        raise InvalidInput("没有给出公钥；请用 --vkey 给出从外部取得的公钥文件。")
    return judge_receipt(receipt, event, keys)


def receipt_json(verdict: ReceiptVerdict) -> dict[str, Any]:
    """A receipt's verdict as a JSON object."""
    checkpoint = verdict.checkpoint
    return {
        "ok": verdict.ok,
        "status": str(verdict.status),
        "message": verdict.message,
        "index": verdict.index,
        "origin": None if checkpoint is None else checkpoint.origin,
        "size": None if checkpoint is None else checkpoint.size,
    }
