"""The events that wait for their place in the log (PostgreSQL): each row must bear the HMAC of who wrote it."""

from __future__ import annotations

import hmac

import sqlalchemy as sa

from audit.journal import outbox_mac
from audit.rawrows import RawRows
from audit.verdicts import Findings, Kind
from models.log import AuditOutbox
from models.prepared import Prepared

_PAGE = 1000

_OUTBOX = Prepared(
    sa.select(AuditOutbox.seq, AuditOutbox.event_id, AuditOutbox.body, AuditOutbox.mac)
    .where(AuditOutbox.log == sa.bindparam("log"), AuditOutbox.seq > sa.bindparam("after"))
    .order_by(AuditOutbox.seq)
    .limit(sa.bindparam("count"))
)


def check_outbox(rows: RawRows, log: str, mac_key: bytes | None, findings: Findings) -> int:
    """How many events wait; those whose HMAC is wrong become problems, where the key is given."""
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
    return waiting


def _is_ours(mac_key: bytes, log: str, body: object, mac: object) -> bool:
    if not (isinstance(body, bytes) and isinstance(mac, bytes)):
        return False
    return hmac.compare_digest(outbox_mac(mac_key, log, body), mac)
