"""The events that wait for their place in the log (PostgreSQL): each bears the HMAC of who wrote it, and has no place yet."""

from __future__ import annotations

import hmac

import sqlalchemy as sa

from audit.journal import outbox_mac
from audit.rawrows import RawRows
from audit.verdicts import Findings, Kind
from models.log import AuditOutbox, AuditProjection
from models.prepared import Prepared

_PAGE = 1000
_MOST_SHOWN = 100

_OUTBOX = Prepared(
    sa.select(AuditOutbox.seq, AuditOutbox.event_id, AuditOutbox.body, AuditOutbox.mac)
    .where(AuditOutbox.log == sa.bindparam("log"), AuditOutbox.seq > sa.bindparam("after"))
    .order_by(AuditOutbox.seq)
    .limit(sa.bindparam("count"))
)
# An honest integrator gives an event its place and takes it out of the outbox in one transaction.
_REPLAYED = Prepared(
    sa.select(AuditOutbox.event_id, AuditProjection.idx)
    .join(AuditProjection, AuditProjection.event_id == AuditOutbox.event_id)
    .where(AuditOutbox.log == sa.bindparam("log"))
    .order_by(AuditOutbox.seq)
    .limit(sa.bindparam("count"))
)


def check_outbox(rows: RawRows, log: str, mac_key: bytes | None, findings: Findings) -> int:
    """How many events wait; those that are in the log already become problems, and with the key those whose HMAC is wrong."""
    waiting = 0
    page = rows.all(_OUTBOX, log=log, after=-1, count=_PAGE)
    while page:
        waiting += len(page)
        for _seq, event_id, body, mac in page:
            if mac_key is not None and not _is_ours(mac_key, log, body, mac):
                findings.add(
                    Kind.OUTBOX, None, f"待写入的事件 {event_id} 的校验码不符；它在写入日志之前被改动过，或密钥不对。"
                )
        page = rows.all(_OUTBOX, log=log, after=page[-1][0], count=_PAGE)
    if waiting:
        for event_id, index in rows.all(_REPLAYED, log=log, count=_MOST_SHOWN):
            said = f"待写入的事件 {event_id} 早已是第 {index} 条；它被人再次放进了 audit_outbox"
            findings.add(Kind.OUTBOX, None, f"{said}。")
    return waiting


def _is_ours(mac_key: bytes, log: str, body: object, mac: object) -> bool:
    if not (isinstance(body, bytes) and isinstance(mac, bytes)):
        return False
    return hmac.compare_digest(outbox_mac(mac_key, log, body), mac)
