"""Checkpoints: the signed heads of a log, each a continuation of the one before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from audit.journal import MAIN_LOG
from audit.keys import SignedHead, Signer
from audit.notes import parse_checkpoint, parse_note
from audit.rotation import log_keys
from audit.storage import StoredTree, read_head, read_identity
from models.engine import Work, flush, transaction
from models.errors import InvalidInput, LogCorrupt
from models.log import AuditCheckpoint
from models.prepared import Prepared

_NEWEST = Prepared(
    sa.select(AuditCheckpoint.size, AuditCheckpoint.note, AuditCheckpoint.created)
    .where(AuditCheckpoint.log == sa.bindparam("log"))
    .order_by(AuditCheckpoint.size.desc())
    .limit(1)
)
_ROW = ("log", "size", "note", "cosignatures", "created")


def _add_once(insert: type[postgresql.Insert] | type[sqlite.Insert]) -> Prepared:
    return Prepared(insert(AuditCheckpoint).on_conflict_do_nothing(), _ROW)


_ADD = {"postgresql": _add_once(postgresql.Insert), "sqlite": _add_once(sqlite.Insert)}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed head: size in leaves, root (32 bytes), the C2SP note, and when it was stored."""

    size: int
    root: bytes
    note: str
    created: datetime


def sign_checkpoint(engine: sa.Engine, signer: Signer, *, log: str = MAIN_LOG, now: datetime) -> Checkpoint | None:
    """Signs the head of a log and stores the checkpoint; None for an empty log.

    The same size twice gives the same note; two processes at once sign one after the other. Raises LogCorrupt where the
    key is not the log's, or the log does not continue what was signed before.
    """
    with signer.exclusive():
        # The head is read under the signer's lock: whatever another process has signed was committed before it.
        with transaction(engine, read_only=True) as work:
            newest = work.one(_NEWEST, log=log)
            # This transaction sees nothing newer than what is on disk from here on.
            flush(engine)
            signed = _sign(work, signer, log, 0 if newest is None else newest[0])
        if signed is None:
            return None
        size, root, note = signed
        if newest is not None and newest[:2] == (size, note):
            return Checkpoint(size, root, note, newest[2])
        with transaction(engine) as work:
            work.run(_ADD[work.dialect.name], log=log, size=size, note=note, cosignatures="", created=now)
    return Checkpoint(size, root, note, now)


def _sign(work: Work, signer: Signer, log: str, stored_size: int) -> tuple[int, bytes, str] | None:
    signer.require(read_identity(work, log).vkey)
    _require_no_ended_key(work, signer, log)
    head = read_head(work, log)
    last = signer.last_head()
    _require_head_file(signer, last, stored_size)
    if head.size == 0 and last is None:
        return None
    stored = StoredTree(work, log, head)
    if stored.root(head.size) != head.root:
        raise LogCorrupt(
            f"审计日志“{log}”的根与瓦片不符；拒绝签名，请停止使用并运行 jixiao audit verify。", size=head.size
        )
    note = signer.sign(head.size, head.root, lambda old: stored.consistency(old, head.size))
    return head.size, head.root, note


def _require_no_ended_key(work: Work, signer: Signer, log: str) -> None:
    # A server that runs while another process ends a key still holds it, and would go on signing with it.
    ended = {key.vkey for key in log_keys(work, log) if not key.active}
    if any(str(key) in ended for key in signer.keys):
        raise LogCorrupt(f"审计日志“{log}”的旧密钥已经停用；请重新启动程序，用现在的密钥签名。", log=log)


def require_continues(engine: sa.Engine, signer: Signer, *, log: str = MAIN_LOG) -> None:
    """Raises LogCorrupt where the log in the database does not continue the last head that was signed.

    For writers, before they write: what is added to a restored backup would have to be undone by hand. The cost is a few
    tiles. Others may write and sign meanwhile, so the order of the three looks matters: a checkpoint is stored after its
    head was written to the file, and a head is signed after its entries were committed; each look therefore finds at
    least what the one before it has found.
    """
    with transaction(engine, read_only=True) as work:
        newest = work.one(_NEWEST, log=log)
    last = signer.last_head()
    _require_head_file(signer, last, newest[0] if newest else 0)
    if last is None:
        return
    with transaction(engine, read_only=True) as work:
        _require_continuation(work, log, last)


def require_continues_within(work: Work, signer: Signer, *, log: str) -> None:
    """As ``require_continues``, in the caller's transaction, which is to write: one transaction instead of three.

    On SQLite the transaction holds the write lock, so that nobody can sign more than it sees; on PostgreSQL every statement
    sees what was committed before it, and the order of the looks is the same.
    """
    newest = work.one(_NEWEST, log=log)
    last = signer.last_head()
    _require_head_file(signer, last, newest[0] if newest else 0)
    if last is not None:
        _require_continuation(work, log, last)


def _require_continuation(work: Work, log: str, last: SignedHead) -> None:
    head = read_head(work, log)
    if head.size >= last.text.size and StoredTree(work, log, head).root(last.text.size) == last.text.root:
        return
    raise LogCorrupt(
        f"数据库中的审计日志与最后签名的检查点不符（已签 {last.text.size} 条，数据库 {head.size} 条）：数据库可能恢复自旧备份，"
        "或被改动过。没有写入任何内容；请停止使用，保留现状并通知审计管理员。",
        signed=last.text.size,
        size=head.size,
    )


def _require_head_file(signer: Signer, last: SignedHead | None, stored_size: int) -> None:
    signed_size = 0 if last is None else last.text.size
    # The head file is written before a checkpoint is stored, so it can never say less than the table.
    if signed_size < stored_size:
        state = "不见了" if last is None else f"只到 {signed_size} 条，是旧的"
        raise LogCorrupt(
            f"签名头文件 {signer.head_path} {state}，而日志已签过 {stored_size} 条；没有它就发现不了数据库回退。"
            "请从备份找回该文件，或用外部留存的最新检查点恢复后再签名。",
            signed=signed_size,
            stored=stored_size,
        )


def latest_checkpoint(work: Work, *, log: str = MAIN_LOG) -> Checkpoint | None:
    """The newest stored checkpoint, or None; the signature is not checked here (``audit.verification`` does).

    Raises LogCorrupt where the stored note can't be read.
    """
    found = work.one(_NEWEST, log=log)
    if found is None:
        return None
    try:
        text = parse_checkpoint(parse_note(found[1]).text)
    except InvalidInput as error:
        raise LogCorrupt(
            f"审计日志“{log}”保存的检查点无法读取；请运行 jixiao audit verify。", cause=error.message
        ) from error
    return Checkpoint(text.size, text.root, found[1], found[2])
