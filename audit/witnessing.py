"""The client of a witness (C2SP ``tlog-witness``): what is sent, and what an answer means. Sending itself is passed in."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

import sqlalchemy as sa

from audit.cosignatures import Cosignature, CosignerKey, added, cosignatures
from audit.journal import MAIN_LOG
from audit.notes import parse_checkpoint, parse_note
from audit.witness import render_request
from models.engine import Work
from models.errors import Conflict, DeliveryError, InvalidInput
from models.log import AuditCheckpoint
from models.prepared import Prepared

_SIZE_ANSWER = re.compile(rb"(0|[1-9][0-9]{0,17})\n")

# Sends a body to ``add-checkpoint`` and gives status and body of the answer; raises DeliveryError where there is none.
Send = Callable[[bytes], tuple[int, bytes]]
# The consistency proof from an older size to that of the checkpoint.
Prove = Callable[[int], Sequence[bytes]]

_COSIGNED = Prepared(
    sa.select(AuditCheckpoint.size, AuditCheckpoint.note, AuditCheckpoint.cosignatures)
    .where(
        AuditCheckpoint.log == sa.bindparam("log"),
        AuditCheckpoint.cosignatures.contains(sa.bindparam("line")),
    )
    .order_by(AuditCheckpoint.size.desc())
    .limit(sa.bindparam("count"))
)
_LINES = Prepared(
    sa.select(AuditCheckpoint.note, AuditCheckpoint.cosignatures).where(
        AuditCheckpoint.log == sa.bindparam("log"), AuditCheckpoint.size == sa.bindparam("size")
    )
)
_STORE = Prepared(
    sa.update(AuditCheckpoint)
    .where(
        AuditCheckpoint.log == sa.bindparam("of_log"),
        AuditCheckpoint.size == sa.bindparam("of_size"),
        AuditCheckpoint.cosignatures == sa.bindparam("old"),
    )
    .values(cosignatures=sa.bindparam("new"))
)
# Lines that name a witness and do not verify are passed over; more of them than this are somebody's play.
_TRIED = 50
# How often a witness is asked about one checkpoint while others move it on.
_ROUNDS = 5


class Trouble(StrEnum):
    """Why there is no cosignature. ``ahead`` and ``forked`` speak of another history; the first two are nobody's fault.

    ``overtaken`` is not found here: the caller knows whether a head that is ahead is its own, signed meanwhile.
    """

    UNREACHABLE = "unreachable"
    OVERTAKEN = "overtaken"
    REFUSED = "refused"
    AHEAD = "ahead"
    FORKED = "forked"


@dataclass(frozen=True, slots=True)
class Reply:
    """What asking a witness came to: a cosignature, or a trouble with one Chinese sentence.

    ``told`` is the size that a witness which is ahead has cosigned.
    """

    key: CosignerKey
    cosignature: Cosignature | None
    trouble: Trouble | None = None
    message: str = ""
    told: int = 0


def ask(key: CosignerKey, note: str, known: int, prove: Prove, send: Send) -> Reply:
    """Asks a witness to cosign a checkpoint; ``known`` is the size that it cosigned last as far as we know.

    Where it knows another size it is asked again, from that one; a few times, since others may ask at the same moment.
    """
    checkpoint = parse_checkpoint(parse_note(note).text)
    old = min(known, checkpoint.size)
    for _ in range(_ROUNDS):
        try:
            status, body = send(render_request(old, prove(old), note))
        except DeliveryError as error:
            return Reply(key, None, Trouble.UNREACHABLE, f"见证者 {key.name}：{error.message}")
        if status == HTTPStatus.OK:
            return _cosigned(key, note, body)
        told = _told(status, body)
        if told is None or told == old:
            return _refused(key, status, old, told)
        if told > checkpoint.size:
            return _ahead(key, told, checkpoint.size)
        old = told
    return _refused(key, status, old, None)


def _told(status: int, body: bytes) -> int | None:
    match = _SIZE_ANSWER.fullmatch(body) if status == HTTPStatus.CONFLICT else None
    return None if match is None else int(match[1])


def _cosigned(key: CosignerKey, note: str, body: bytes) -> Reply:
    try:
        found = next(cosignatures(parse_note(note).text, body.decode(), [key]), None)
    except (InvalidInput, UnicodeDecodeError):
        found = None
    if found is None:
        message = f"见证者 {key.name} 的应答里没有它的有效签名；请核对设置中的公钥和地址。"
        return Reply(key, None, Trouble.REFUSED, message)
    return Reply(key, found)


def _ahead(key: CosignerKey, told: int, size: int) -> Reply:
    message = (
        f"见证者 {key.name} 已见证到 {told} 条，这里的检查点只有 {size} 条：数据库可能恢复自旧备份，"
        "或密钥在别处签了另一份日志；请停止使用，保留现状并通知审计管理员。"
    )
    return Reply(key, None, Trouble.AHEAD, message, told)


def _refused(key: CosignerKey, status: int, old: int, told: int | None) -> Reply:
    if status == HTTPStatus.UNPROCESSABLE_ENTITY or told is not None:
        message = (
            f"见证者 {key.name} 拒绝：这里的历史不是它见证过的 {old} 条的延续，已经分叉；"
            "请停止使用，保留现状并通知审计管理员。"
        )
        return Reply(key, None, Trouble.FORKED, message)
    reasons = {
        HTTPStatus.NOT_FOUND: "它没有登记这个日志，或地址不对；请把日志公钥交给见证机关登记",
        HTTPStatus.FORBIDDEN: "它登记的日志公钥不是签名的这一把；请把现在的日志公钥交给见证机关登记",
        HTTPStatus.CONFLICT: "它刚刚见证了别的检查点；请稍后重试",
    }
    known = {int(code): reason for code, reason in reasons.items()}
    reason = known.get(status, "请见证机关查看它的程序日志")
    return Reply(key, None, Trouble.REFUSED, f"见证者 {key.name} 没有签名（{status}）：{reason}。")


def newest_cosigned(work: Work, key: CosignerKey, *, log: str = MAIN_LOG) -> tuple[int, Cosignature] | None:
    """The largest stored size that a witness has cosigned, with the cosignature; None before the first."""
    for size, note, lines in work.rows(_COSIGNED, log=log, line=f"— {key.name} ", count=_TRIED):
        if not (isinstance(note, str) and isinstance(lines, str)):
            continue  # SQLite holds any type in any column, once somebody has changed it past the program
        try:
            parsed = parse_note(note)
            if parse_checkpoint(parsed.text).size != size:
                continue
            found = next(cosignatures(parsed.text, lines, [key]), None)
        except InvalidInput:
            continue
        if found is not None:
            return size, found
    return None


def store_cosignature(work: Work, size: int, new: Cosignature, *, log: str = MAIN_LOG) -> bool:
    """Adds a cosignature to the stored checkpoint of a size; False where the witness has one there already.

    Raises Conflict where another process added one at the same moment: to be tried again in a new transaction.
    """
    row = work.one(_LINES, log=log, size=size)
    if row is None:
        return False
    note, lines = row
    now = added(parse_note(note).text, lines, new)
    if now == lines:
        return False
    if work.run(_STORE, of_log=log, of_size=size, old=lines, new=now) != 1:
        raise Conflict("另一个进程刚刚保存了见证签名；请重试。")
    return True
