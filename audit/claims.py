"""What signed notes claim about a log: at this size, this root. They come from the database and from outside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from typing import Any

import sqlalchemy as sa

from audit.notes import Standing, VerifierKey, parse_checkpoint, parse_note, standing
from audit.rawrows import RawRows
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


@dataclass(frozen=True, slots=True)
class Claim:
    """A root at a size; ``signed`` says whether a trusted key stands behind it, ``title`` names its source."""

    size: int
    root: bytes
    signed: bool
    title: str
    outside: bool = False


def outside_claims(notes: Sequence[str], keys: Sequence[VerifierKey], findings: Findings) -> list[Claim]:
    """Claims of notes kept outside the database, smallest first; what no trusted key has signed proves nothing.

    Raises InvalidInput where a note is not a checkpoint: that is a slip of the person who gave it, not the log's.
    """
    claims = []
    for text in notes:
        checkpoint = parse_checkpoint(parse_note(text).text)
        title = f"外部留存的检查点（{checkpoint.size} 条）"
        if _standing(text, keys) is Standing.SIGNED:
            claims.append(Claim(checkpoint.size, checkpoint.root, True, title, outside=True))
        else:
            findings.add(
                Kind.UNKNOWN_KEY,
                None,
                f"{title}不是由现在的可信公钥签名，无法用来证明；公钥可能被调换，请核对外部公布的公钥。",
            )
    return sorted(claims, key=lambda claim: claim.size)


def all_claims(
    rows: RawRows, log: str, keys: Sequence[VerifierKey], outside: Sequence[Claim], findings: Findings
) -> Iterator[Claim]:
    """Stored and outside claims, smallest size first; stored notes that claim nothing valid become problems."""
    return merge(stored_claims(rows, log, keys, findings), outside, key=lambda claim: claim.size)


def stored_claims(rows: RawRows, log: str, keys: Sequence[VerifierKey], findings: Findings) -> Iterator[Claim]:
    """Claims of the checkpoint table, read page by page; one claim for each row, so that rows can be counted."""
    page = rows.all(_FIRST, log=log, count=_PAGE)
    while page:
        for size, note in page:
            yield _stored(size, note, keys, findings)
        page = rows.all(_NEXT, log=log, after=page[-1][0], count=_PAGE)


# A row that claims nothing sorts before all others and is never compared.
_NOTHING = Claim(-1, b"", False, "")


def _stored(size: Any, note: Any, keys: Sequence[VerifierKey], findings: Findings) -> Claim:
    title = f"检查点（{size} 条）"
    try:
        checkpoint = parse_checkpoint(parse_note(note if isinstance(note, str) else "").text)
    except InvalidInput as error:
        findings.add(Kind.CHECKPOINT, None, f"{title}无法解析，它被改动过：{error.message}")
        return _NOTHING
    if checkpoint.size != size:
        findings.add(Kind.CHECKPOINT, None, f"{title}的正文却写着 {checkpoint.size} 条，它被改动过。")
        return _NOTHING
    found = _standing(note, keys)
    if found is Standing.FORGED:
        findings.add(Kind.CHECKPOINT, None, f"{title}的签名与内容不符，它被改动过。")
        return _NOTHING
    if found is Standing.UNKNOWN:
        findings.add(Kind.UNKNOWN_KEY, None, f"{title}没有可信公钥的签名，无法证明；密钥可能被调换。")
    return Claim(checkpoint.size, checkpoint.root, found is Standing.SIGNED, title)


def _standing(text: str, keys: Sequence[VerifierKey]) -> Standing:
    """FORGED where any trusted key's signature is wrong, SIGNED where one is right and names the origin."""
    note = parse_note(text)
    origin = note.text.split("\n", 1)[0]
    found = [(standing(note, key), key.name) for key in keys]
    if any(state is Standing.FORGED for state, _name in found):
        return Standing.FORGED
    return Standing.SIGNED if (Standing.SIGNED, origin) in found else Standing.UNKNOWN
