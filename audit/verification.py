"""Verification of a log: everything is derived anew from the bodies and compared with everything that is stored.

``verify_full`` reads bodies → leaves → root and compares leaf column, tiles, edge, head and **every** checkpoint, those kept
outside included. It answers one of four things (``audit.verdicts.Status``) and names the first bad index, or the range.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Sequence

import sqlalchemy as sa

from audit.claims import Claim, all_claims, outside_claims
from audit.entries import EntryCheck, Progress
from audit.journal import MAIN_LOG, outbox_mac
from audit.notes import VerifierKey, parse_vkey
from audit.rawrows import RawRows
from audit.storage import LogIdentity, read_identity
from audit.tree import EMPTY_ROOT
from audit.verdicts import Findings, Kind, Problem, Status, Verdict
from models.engine import transaction
from models.errors import Conflict, DatabaseUnavailable, InvalidInput
from models.log import AuditOutbox
from models.prepared import Prepared

_PAGE = 1000

_OUTBOX = Prepared(
    sa.select(AuditOutbox.seq, AuditOutbox.event_id, AuditOutbox.body, AuditOutbox.mac)
    .where(AuditOutbox.log == sa.bindparam("log"), AuditOutbox.seq > sa.bindparam("after"))
    .order_by(AuditOutbox.seq)
    .limit(sa.bindparam("count"))
)


def verify_full(
    engine: sa.Engine,
    *,
    log: str = MAIN_LOG,
    trusted: Sequence[str] = (),
    outside: Sequence[str] = (),
    mac_key: bytes | None = None,
    progress: Progress | None = None,
) -> Verdict:
    """Full verification of one consistent snapshot of a log, in bounded memory.

    ``trusted`` are verifier keys known from outside (several after a rotation); without them the database's own is
    believed, and a swapped key can't be seen. ``outside`` are checkpoint notes kept outside the database: the signer's head
    file, an auditor's copy. ``mac_key`` checks the events that wait in the outbox. ``progress(done, total)`` is called after
    each batch. Raises NotFound for an unknown log and InvalidInput for a key or note that is none.
    """
    keys = [parse_vkey(text) for text in trusted]
    try:
        with transaction(_snapshot(engine), read_only=True) as work:
            identity = read_identity(work, log)
            rows = RawRows(work)
            try:
                return _verify(rows, identity, keys, outside, mac_key, progress)
            finally:
                rows.close()
    except (DatabaseUnavailable, Conflict) as error:
        problem = Problem(Kind.UNREADABLE, None, f"无法读完审计日志，因此没有结论：{error.message}")
        return Verdict(False, Status.CANNOT_READ, 0, EMPTY_ROOT, None, (problem,))


def _snapshot(engine: sa.Engine) -> sa.Engine:
    # On PostgreSQL every statement would else see what was committed meanwhile, and an honest log would look damaged.
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ")
    return engine


def _verify(
    rows: RawRows,
    identity: LogIdentity,
    trusted: Sequence[VerifierKey],
    outside: Sequence[str],
    mac_key: bytes | None,
    progress: Progress | None,
) -> Verdict:
    findings = Findings()
    keys = _keys(identity, trusted, findings)
    claims = _Claims(all_claims(rows, identity.log, keys, outside_claims(outside, keys, findings), findings), findings)
    entries = EntryCheck(rows, identity.log, findings, claims.compare)
    entries.run(progress)
    entries.compare_stored(claims.proven)
    claims.finish(entries.tree.size)
    if claims.proven < 0:
        findings.add(
            Kind.UNSIGNED, None, "日志还没有任何有效的检查点，只能看出前后一致，不能证明没有被整体改写；请先签名。"
        )
    waiting = _check_outbox(rows, identity.log, mac_key, findings)
    if findings.dropped:
        findings.problems.append(Problem(Kind.ENTRY, None, f"另有 {findings.dropped} 个问题没有逐一列出。"))
    return Verdict(
        ok=findings.status is Status.INTACT,
        status=findings.status,
        size=entries.tree.size,
        root=entries.tree.root(entries.tree.size),
        first_bad=findings.first_bad,
        problems=tuple(findings.problems),
        checkpoints=claims.stored,
        outbox=waiting,
        signed=max(claims.proven, 0),
    )


def _keys(identity: LogIdentity, trusted: Sequence[VerifierKey], findings: Findings) -> Sequence[VerifierKey]:
    try:
        own = parse_vkey(identity.vkey)
    except InvalidInput:
        findings.add(Kind.KEY, None, "数据库中的日志公钥无法解析，它被改动过；请从外部取得公钥再核对。")
        return trusted
    if own.name != identity.origin:
        findings.add(Kind.KEY, None, "数据库中的日志公钥与日志来源的名称不一致，其中之一被改动过。")
    if trusted and own not in trusted:
        findings.add(Kind.KEY, None, "数据库中的日志公钥不是外部公布的公钥；签名密钥被调换过。")
    return trusted or [own]


class _Claims:
    """Compares claims with the recomputed roots, in order of size; ``proven`` is the largest size that a signature proves."""

    def __init__(self, claims: Iterator[Claim], findings: Findings) -> None:
        self._claims = claims
        self._findings = findings
        self._next = next(claims, None)
        self._proven_before = 0
        self._wrong: list[Claim] = []
        self._more = 0
        self.proven = -1
        self.stored = 0

    def compare(self, size: int, root_at: Callable[[int], bytes]) -> None:
        """Takes all claims up to ``size``; ``root_at`` gives the recomputed root at a size."""
        while self._next is not None and self._next.size <= size:
            claim = self._take(self._next)
            if claim.size < 0:
                continue
            if claim.root != root_at(claim.size):
                self._mismatch(claim)
            elif claim.signed:
                self.proven = claim.size

    def _take(self, claim: Claim) -> Claim:
        self.stored += not claim.outside
        self._next = next(self._claims, None)
        return claim

    def _mismatch(self, claim: Claim) -> None:
        # Every later checkpoint is wrong too once the history is; only the first one tells where.
        if self._wrong:
            self._more += 1
        else:
            self._wrong.append(claim)
            self._proven_before = max(self.proven, 0)

    def finish(self, size: int) -> None:
        """Reports the first wrong claim with the range it leaves, and claims beyond the end of the log."""
        for claim in self._wrong:
            more = f"（其后另有 {self._more} 个检查点也不符）" if self._more else ""
            low = self._proven_before
            if not claim.signed or self._findings.explains(low, claim.size):
                self._findings.add(Kind.CHECKPOINT, None, f"{claim.title}的根与重算的不同{more}。")
            else:
                self._findings.add(
                    Kind.CHECKPOINT,
                    low,
                    f"{claim.title}的根与重算的不同{more}；被改动的条目在第 {low} 至 {claim.size - 1} 条之间。",
                    claim.size,
                )
        while self._next is not None:
            claim = self._take(self._next)
            if claim.size >= 0:
                self._findings.add(
                    Kind.CHECKPOINT,
                    size,
                    f"{claim.title}证明日志曾有 {claim.size} 条，现在只有 {size} 条；末尾被截断，或恢复了旧备份。",
                    claim.size,
                )


def _check_outbox(rows: RawRows, log: str, mac_key: bytes | None, findings: Findings) -> int:
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
