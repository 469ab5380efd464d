"""Time stamp replies beside the checkpoints that they are about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from audit.journal import MAIN_LOG
from audit.timestamps import check_reply, digest_of
from models.engine import Work
from models.errors import Conflict, InvalidInput
from models.log import AuditCheckpoint
from models.prepared import Prepared

_PAGE = 500
# Larger than any size, and within the 64 bits of both databases.
_END = 2**62

_NOTES = Prepared(
    sa.select(AuditCheckpoint.size, AuditCheckpoint.note)
    .where(AuditCheckpoint.log == sa.bindparam("log"), AuditCheckpoint.size < sa.bindparam("beyond"))
    .order_by(AuditCheckpoint.size.desc())
    .limit(sa.bindparam("count"))
)
_TOKENS = Prepared(
    sa.select(AuditCheckpoint.size, AuditCheckpoint.note, AuditCheckpoint.timestamp_token)
    .where(AuditCheckpoint.log == sa.bindparam("log"), AuditCheckpoint.timestamp_token.is_not(None))
    .order_by(AuditCheckpoint.size.desc())
    .limit(sa.bindparam("count"))
)
_TOKEN = Prepared(
    sa.select(AuditCheckpoint.note, AuditCheckpoint.timestamp_token).where(
        AuditCheckpoint.log == sa.bindparam("log"), AuditCheckpoint.size == sa.bindparam("size")
    )
)
_STORE = Prepared(
    sa.update(AuditCheckpoint)
    .where(AuditCheckpoint.log == sa.bindparam("of_log"), AuditCheckpoint.size == sa.bindparam("of_size"))
    .values(timestamp_token=sa.bindparam("token"))
)


def checkpoint_of_digest(work: Work, digest: bytes, *, log: str = MAIN_LOG) -> tuple[int, str] | None:
    """Size and note of the stored checkpoint with this SHA-256; looked for from the newest on, page by page."""
    for size, note in _pages(work, log):
        if digest_of(note) == digest:
            return size, note
    return None


def _pages(work: Work, log: str) -> Iterator[tuple[Any, ...]]:
    page = work.rows(_NOTES, log=log, beyond=_END, count=_PAGE)
    while page:
        yield from page
        page = work.rows(_NOTES, log=log, beyond=page[-1][0], count=_PAGE)


def tokens(work: Work, *, log: str = MAIN_LOG, limit: int) -> list[tuple[int, str, bytes]]:
    """``(size, note, reply)`` of the newest stamped checkpoints, newest first."""
    return [(size, note, bytes(token)) for size, note, token in work.rows(_TOKENS, log=log, count=limit)]


def store_token(work: Work, size: int, reply: bytes, *, log: str = MAIN_LOG) -> bool:
    """Stores a reply with the checkpoint of a size; False where it has one already, which proves the earlier time.

    One that is not about this checkpoint at all is replaced: it proves nothing. Raises Conflict where the checkpoint is gone.
    """
    row = work.one(_TOKEN, log=log, size=size)
    if row is None:
        raise Conflict(f"没有 {size} 条的检查点了；请运行 jixiao audit verify。")
    note, stored = row
    if stored is not None:
        try:
            check_reply(bytes(stored), note)
        except InvalidInput:
            stored = None
    if stored is not None:
        return False
    work.run(_STORE, of_log=log, of_size=size, token=reply)
    return True
