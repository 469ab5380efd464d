"""What signed notes claim about a log: at this size, this root. They come from the database and from outside it.

A claim's root is compared when the tree has grown to its size, and only then its signature is judged: by then the keys that
sign at that size are known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from typing import Any

import sqlalchemy as sa

from audit.notes import Note, Standing, parse_checkpoint, parse_note
from audit.rawrows import RawRows
from audit.trust import Trust
from audit.verdicts import Findings, Kind
from models.errors import InvalidInput
from models.log import AuditCheckpoint
from models.prepared import Prepared

_PAGE = 500

_COLUMNS = sa.select(AuditCheckpoint.size, AuditCheckpoint.note).where(AuditCheckpoint.log == sa.bindparam("log"))
_FIRST = Prepared(_COLUMNS.order_by(AuditCheckpoint.size).limit(sa.bindparam("count")))
_NEXT = Prepared(
    _COLUMNS.where(AuditCheckpoint.size > sa.bindparam("after"))
    .order_by(AuditCheckpoint.size)
    .limit(sa.bindparam("count"))
)
_NEWEST = Prepared(_COLUMNS.order_by(AuditCheckpoint.size.desc()).limit(sa.bindparam("count")))


@dataclass(frozen=True, slots=True)
class Claim:
    """A root at a size, and the note that says so; ``title`` names its source.

    A stored row that claims nothing has the size -1: it is counted, and sorts before all others.
    """

    size: int
    root: bytes
    title: str
    note: Note | None
    outside: bool = False


def outside_claim(text: str, title: str = "外部留存的检查点") -> Claim:
    """The claim of a note kept outside the database.

    Raises InvalidInput where it is not a checkpoint: that is a slip of the person who gave it, not the log's.
    """
    note = parse_note(text)
    checkpoint = parse_checkpoint(note.text)
    return Claim(checkpoint.size, checkpoint.root, f"{title}（{checkpoint.size} 条）", note, outside=True)


def outside_claims(notes: Sequence[str]) -> list[Claim]:
    """The claims of notes kept outside, smallest first; each once."""
    claims = [outside_claim(text) for text in dict.fromkeys(notes)]
    return sorted(claims, key=lambda claim: claim.size)


def all_claims(
    rows: RawRows, log: str, outside: Sequence[Claim], findings: Findings, since: int = 0
) -> Iterator[Claim]:
    """Stored and outside claims from the size ``since`` on, smallest first; of one size the outside ones, which weigh more."""
    stored = _stored_claims(rows, log, findings, since)
    return merge([claim for claim in outside if claim.size >= since], stored, key=lambda claim: claim.size)


def newest_claims(rows: RawRows, log: str, findings: Findings, count: int) -> list[Claim]:
    """The claims of the newest stored checkpoints, smallest first."""
    return [_stored(size, note, findings) for size, note in rows.all(_NEWEST, log=log, count=count)][::-1]


def _stored_claims(rows: RawRows, log: str, findings: Findings, since: int) -> Iterator[Claim]:
    """Claims of the checkpoint table, read page by page; one claim for each row, so that rows can be counted."""
    page = rows.all(_NEXT, log=log, after=since - 1, count=_PAGE) if since else rows.all(_FIRST, log=log, count=_PAGE)
    while page:
        for size, note in page:
            yield _stored(size, note, findings)
        page = rows.all(_NEXT, log=log, after=page[-1][0], count=_PAGE)


def _stored(size: Any, text: Any, findings: Findings) -> Claim:
    title = f"检查点（{size} 条）"
    try:
        note = parse_note(text if isinstance(text, str) else "")
        checkpoint = parse_checkpoint(note.text)
    except InvalidInput as error:
        findings.add(Kind.CHECKPOINT, None, f"{title}无法解析，它被改动过：{error.message}")
        return Claim(-1, b"", title, None)
    if checkpoint.size != size:
        findings.add(Kind.CHECKPOINT, None, f"{title}的正文却写着 {checkpoint.size} 条，它被改动过。")
        return Claim(-1, b"", title, None)
    return Claim(checkpoint.size, checkpoint.root, title, note)


class ClaimCheck:
    """Compares claims with roots, in order of size; ``proven`` is the largest size that a signature proves, or -1."""

    def __init__(self, claims: Iterator[Claim], trust: Trust, findings: Findings) -> None:
        self._claims = claims
        self._trust = trust
        self._findings = findings
        self._next = next(claims, None)
        self._wrong: tuple[Claim, bool, int] | None = None
        self._more = 0
        self.proven = -1
        self.stored = 0

    def upto(self, size: int) -> list[Claim]:
        """The next claims whose size is at most ``size``, those that claim nothing left out."""
        taken = []
        while self._next is not None and self._next.size <= size:
            claim = self._take(self._next)
            if claim.size >= 0:
                taken.append(claim)
        return taken

    def _take(self, claim: Claim) -> Claim:
        self.stored += not claim.outside
        self._next = next(self._claims, None)
        return claim

    def compare(self, claim: Claim, agrees: bool) -> None:
        """Takes a claim from ``upto``, in their order; ``agrees`` says whether the tree has its root at its size."""
        signed = self._is_signed(claim)
        if signed is None:
            return
        if agrees:
            if signed and self._still_signed(claim):
                self.proven = claim.size
        elif self._wrong:
            # Every later checkpoint is wrong too once the history is; only the first one tells where.
            self._more += 1
        else:
            self._wrong = (claim, signed, max(self.proven, 0))

    def _still_signed(self, claim: Claim) -> bool:
        """Whether the keys behind a claim still count once it is known what the log says of them up to its size."""
        return not self._trust.learn(claim.size, claim.root) or self._is_signed(claim) is True

    def _is_signed(self, claim: Claim) -> bool | None:
        """Whether a believed key stands behind a claim; None where the note is worth nothing at all."""
        found = self._trust.judge(claim.note, claim.size) if claim.note else Standing.UNKNOWN
        if found is Standing.SIGNED:
            return True
        if found is Standing.UNKNOWN and claim.note and self._trust.is_by_retired_key(claim.note, claim.size):
            said = "只有已经停用的密钥的签名；旧密钥可能被盗用，请停止使用并调查"
            self._findings.add(Kind.KEY, None, f"{claim.title}{said}。")
            return None
        if claim.outside:
            self._findings.add(
                Kind.UNKNOWN_KEY,
                None,
                f"{claim.title}不是由现在的可信公钥签名，无法用来证明；公钥可能被调换，请核对外部公布的公钥。",
            )
            return None
        if found is Standing.FORGED:
            self._findings.add(Kind.CHECKPOINT, None, f"{claim.title}的签名与内容不符，它被改动过。")
            return None
        self._findings.add(
            Kind.UNKNOWN_KEY,
            None,
            f"{claim.title}没有当时可信公钥的签名，无法证明；密钥可能被调换，更换过密钥的要同时给出以前的公钥。",
        )
        return False

    def finish(self, size: int, explains: Callable[[int, int], bool]) -> None:
        """Reports the first wrong claim with the range it leaves, and claims beyond the end of the log.

        ``explains(low, high)`` says whether a problem in these entries is known already.
        """
        if self._wrong is not None:
            claim, signed, low = self._wrong
            more = f"（其后另有 {self._more} 个检查点也不符）" if self._more else ""
            said = f"{claim.title}的根与重算的不同{more}"
            if not signed or explains(low, claim.size):
                self._findings.add(Kind.CHECKPOINT, None, f"{said}。")
            else:
                where = f"被改动的条目在第 {low} 至 {claim.size - 1} 条之间"
                self._findings.add(Kind.CHECKPOINT, low, f"{said}；{where}。", claim.size)
        while self._next is not None:
            claim = self._take(self._next)
            if claim.size >= 0 and self._is_signed(claim) is not None:
                self._findings.add(
                    Kind.CHECKPOINT,
                    size,
                    f"{claim.title}证明日志曾有 {claim.size} 条，现在只有 {size} 条；末尾被截断，或恢复了旧备份。",
                    claim.size,
                )
