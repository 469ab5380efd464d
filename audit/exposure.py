"""What of a log is known outside, and what is not: the exposed window, and the stamps of the time rule.

Whoever holds the database and the key can rewrite everything after the newest head that somebody else has. A head is outside
where a witness has cosigned it, a time stamping authority has stamped it, or a person keeps the checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from audit.cosignatures import CosignerKey, cosignatures
from audit.journal import MAIN_LOG
from audit.lag import outbox_lag
from audit.notes import VerifierKey, open_checkpoint, parse_checkpoint, parse_note
from audit.rawrows import RawRows
from audit.storage import read_head
from audit.timerule import SKEW, Stamp
from models.base import parse_timestamp
from models.engine import Work
from models.errors import InvalidInput, LogCorrupt
from models.log import AuditCheckpoint
from models.prepared import Prepared

_PAGE = 200

_STAMPED = sa.select(
    AuditCheckpoint.size,
    AuditCheckpoint.note,
    AuditCheckpoint.cosignatures,
    AuditCheckpoint.timestamp_token,
    AuditCheckpoint.created,
).where(
    AuditCheckpoint.log == sa.bindparam("log"),
    sa.or_(AuditCheckpoint.cosignatures != "", AuditCheckpoint.timestamp_token.is_not(None)),
)
_DOWN = Prepared(
    _STAMPED.where(AuditCheckpoint.size < sa.bindparam("beyond"))
    .order_by(AuditCheckpoint.size.desc())
    .limit(sa.bindparam("count"))
)
_UP = Prepared(
    _STAMPED.where(AuditCheckpoint.size > sa.bindparam("beyond"))
    .order_by(AuditCheckpoint.size)
    .limit(sa.bindparam("count"))
)
_SIGNED = Prepared(
    sa.select(AuditCheckpoint.created).where(
        AuditCheckpoint.log == sa.bindparam("log"), AuditCheckpoint.size == sa.bindparam("size")
    )
)
# Larger than any size, and within the 64 bits of both databases.
_END = 2**62

# Verifies a stored reply of a time stamping authority for a note and gives its time, or raises InvalidInput; None where
# nobody gave certificates: an unverified token proves nothing.
VerifyToken = Callable[[bytes, str], datetime]


class Kept(StrEnum):
    """Who has a head outside."""

    WITNESS = "witness"
    TIMESTAMP = "timestamp"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class OutsideHead:
    """A head that somebody else has: its size, who, and when; for a checkpoint that a person keeps, when it was signed."""

    size: int
    kept: Kept
    name: str
    time: datetime | None


@dataclass(frozen=True, slots=True)
class Exposure:
    """The exposed window: ``size`` events in the log and ``waiting`` for an index, of which ``exposed`` lie after ``newest``.

    ``age`` is how long ago the newest outside head was got; None where there is none, or where its time is not known.
    """

    size: int
    waiting: int
    newest: OutsideHead | None
    age: timedelta | None

    @property
    def exposed(self) -> int:
        """Events that a holder of database and key could still rewrite unseen."""
        return max(self.size - (self.newest.size if self.newest else 0), 0) + self.waiting


def exposed_window(
    work: Work,
    *,
    log: str = MAIN_LOG,
    cosigners: Sequence[CosignerKey] = (),
    verify_token: VerifyToken | None = None,
    outside: Sequence[str] = (),
    trusted: Sequence[VerifierKey] = (),
    now: datetime,
) -> Exposure:
    """The exposed window of a log, by the witnesses ``cosigners`` and what else is given.

    ``outside`` are checkpoint notes that somebody keeps; they count where one of the ``trusted`` log keys has signed them.
    Reads few rows: newest first, until one holds. Whether the log still continues an outside head is a matter of
    verification, not asked here.
    """
    size = read_head(work, log).size
    waiting, _since = outbox_lag(work, log=log)
    heads = [_newest_stamped(work, log, cosigners, verify_token), *_kept(work, log, outside, trusted)]
    newest = max((head for head in heads if head is not None), key=lambda head: head.size, default=None)
    age = None if newest is None or newest.time is None else max(now - newest.time, timedelta(0))
    return Exposure(size, waiting, newest, age)


def stamps(
    work: Work, *, log: str = MAIN_LOG, cosigners: Sequence[CosignerKey] = (), verify_token: VerifyToken | None = None
) -> Iterator[Stamp]:
    """The outside stamps of all stored checkpoints, smallest size first, for ``audit.timerule``; read page by page.

    A stamp is prompt where it was got within the skew of the signing, as stored. Whoever changes the stored time only makes
    a stamp late, and a late one still bounds by the times of the events below it.
    """
    for row in _rows(work, _UP, log, 0):
        created = _moment(row[4])
        for head in _heads(row, cosigners, verify_token):
            if head.time is not None:
                prompt = created is not None and head.time - created <= SKEW
                yield Stamp(head.size, head.time, prompt, head.name)


def _newest_stamped(
    work: Work, log: str, cosigners: Sequence[CosignerKey], verify_token: VerifyToken | None
) -> OutsideHead | None:
    for row in _rows(work, _DOWN, log, _END):
        found = _heads(row, cosigners, verify_token)
        if found:
            # Two witnesses of one head: what the later one says is the less old.
            return max(found, key=lambda head: head.time.timestamp() if head.time else 0.0)
    return None


def _rows(work: Work, query: Prepared, log: str, beyond: int) -> Iterator[tuple[Any, ...]]:
    # No cursor stays open between two pages: whoever stops asking early may have ended the transaction by then.
    page = _page(work, query, log, beyond)
    while page:
        yield from page
        page = _page(work, query, log, page[-1][0])


def _page(work: Work, query: Prepared, log: str, beyond: int) -> list[tuple[Any, ...]]:
    # The rows may have been tampered with, so that nothing is converted that was not looked at.
    with closing(RawRows(work)) as rows:
        return rows.all(query, log=log, beyond=beyond, count=_PAGE)


def _moment(stored: Any) -> datetime | None:
    if isinstance(stored, datetime):
        return stored
    try:
        return parse_timestamp(stored)
    except (TypeError, ValueError):
        return None


def _heads(
    row: tuple[Any, ...], cosigners: Sequence[CosignerKey], verify_token: VerifyToken | None
) -> list[OutsideHead]:
    """What of a stored checkpoint holds; what can't be read or verified is left to verification to complain of."""
    size, note, lines, token, _created = row
    if not (isinstance(size, int) and isinstance(note, str) and isinstance(lines, str)):
        return []
    try:
        text = parse_note(note).text
        if parse_checkpoint(text).size != size:
            return []
    except InvalidInput:
        return []
    try:
        valid = list(cosignatures(text, lines, cosigners))
    except InvalidInput:
        valid = []
    found = [OutsideHead(size, Kept.WITNESS, item.key.name, item.time) for item in valid]
    if isinstance(token, bytes) and verify_token is not None:
        try:
            found.append(OutsideHead(size, Kept.TIMESTAMP, "", verify_token(token, note)))
        except InvalidInput:
            return found
    return found


def _kept(work: Work, log: str, notes: Sequence[str], trusted: Sequence[VerifierKey]) -> Iterator[OutsideHead]:
    for note in notes:
        try:
            size = open_checkpoint(note, trusted).size
        except LogCorrupt:
            continue
        signed = work.one(_SIGNED, log=log, size=size)
        yield OutsideHead(size, Kept.CHECKPOINT, "", signed[0] if signed else None)
