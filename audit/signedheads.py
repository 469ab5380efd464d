"""Signed heads as they are handed out: a stored checkpoint together with the signatures that witnesses added to it."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from audit.journal import MAIN_LOG
from audit.notes import CheckpointText, parse_checkpoint, parse_note
from models.engine import Work
from models.errors import InvalidInput, LogCorrupt, NotFound
from models.log import AuditCheckpoint
from models.prepared import Prepared

_COLUMNS = sa.select(AuditCheckpoint.note, AuditCheckpoint.cosignatures).where(
    AuditCheckpoint.log == sa.bindparam("log")
)
_NEWEST = Prepared(_COLUMNS.order_by(AuditCheckpoint.size.desc()).limit(1))
_AT = Prepared(_COLUMNS.where(AuditCheckpoint.size == sa.bindparam("size")))


@dataclass(frozen=True, slots=True)
class OutgoingHead:
    """What a checkpoint says, and its note (C2SP ``signed-note``) with every signature line that is known."""

    text: CheckpointText
    note: str


def outgoing_head(work: Work, *, log: str = MAIN_LOG, size: int | None = None) -> OutgoingHead:
    """The newest checkpoint of a log, or the one of a size; its signatures are for the receiver to check.

    Raises NotFound where there is none, and LogCorrupt where what is stored is not a checkpoint.
    """
    found = work.one(_NEWEST, log=log) if size is None else work.one(_AT, log=log, size=size)
    if found is None:
        which = "" if size is None else f" {size} 条时的"
        raise NotFound(f"审计日志“{log}”没有{which}检查点；请先运行 jixiao audit checkpoint。", log=log)
    note = "".join(found)
    try:
        return OutgoingHead(parse_checkpoint(parse_note(note).text), note)
    except InvalidInput as error:
        raise LogCorrupt(
            f"审计日志“{log}”保存的检查点或见证签名无法读取；请运行 jixiao audit verify。", cause=error.message
        ) from error
