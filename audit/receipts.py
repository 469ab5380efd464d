"""Receipts: that one event stands in the log, provable offline with the event, the receipt and a public key (C2SP ``tlog-proof``).

A receipt is a text; the file's name ends in ``.tlog-proof``::

    c2sp.org/tlog-proof@v1
    extra <base64>                   optional; nobody signed it, so nothing here reads it
    index <number>                   from 0
    <base64>                         the inclusion proof, a hash (32 bytes) a line, from the leaf's sibling upwards
                                     (an empty line)
    <checkpoint>                     the signed note, verbatim

One spelling is accepted: what is parsed is rendered again and compared.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from audit.journal import MAIN_LOG
from audit.notes import CheckpointText, Standing, VerifierKey, parse_checkpoint, parse_note, standing
from audit.signedheads import OutgoingHead, outgoing_head
from audit.storage import StoredTree, read_head
from audit.tree import HASH_BYTES, leaf_hash, verify_inclusion
from audit.verdicts import Status
from models.engine import Work
from models.errors import Conflict, InvalidInput, LogCorrupt
from models.log import AuditEntry
from models.prepared import Prepared

HEADER = "c2sp.org/tlog-proof@v1"
SUFFIX = ".tlog-proof"
# A proof has a hash for each level of the tree; no log has 2^64 events.
_MOST_HASHES = 64
_LARGEST = 128 * 1024

_INDEX = re.compile(r"index (0|[1-9][0-9]{0,17})")

_BODY = Prepared(
    sa.select(AuditEntry.body).where(AuditEntry.log == sa.bindparam("log"), AuditEntry.idx == sa.bindparam("idx"))
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The place of an event, its inclusion proof and the signed note; ``str`` gives the file's text."""

    index: int
    hashes: tuple[bytes, ...]
    note: str
    extra: bytes | None = None

    def __str__(self) -> str:
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {b64encode(self.extra).decode()}")
        lines += [f"index {self.index}", *(b64encode(step).decode() for step in self.hashes), "", self.note]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class ReceiptVerdict:
    """Whether a receipt proves an event, in one Chinese sentence; the checkpoint is None where it could not be read."""

    status: Status
    message: str
    index: int | None = None
    checkpoint: CheckpointText | None = None

    @property
    def ok(self) -> bool:
        """Only ``intact`` proves anything."""
        return self.status is Status.INTACT


def make_receipts(
    work: Work, indexes: Iterable[int], *, log: str = MAIN_LOG, size: int | None = None
) -> list[tuple[bytes, Receipt]]:
    """Bodies and receipts of entries, under the newest checkpoint or the one of ``size`` leaves.

    A cold receipt at 1,000,000 events reads at most 5 tiles and has 20 hashes. Raises NotFound where there is no
    checkpoint, Conflict for an entry that it doesn't cover yet, and LogCorrupt where stored tiles and checkpoint disagree.
    """
    head = outgoing_head(work, log=log, size=size)
    stored = StoredTree(work, log, read_head(work, log))
    return [_receipt(work, log, stored, head, index) for index in indexes]


def make_receipt(work: Work, index: int, *, log: str = MAIN_LOG, size: int | None = None) -> Receipt:
    """The receipt of one entry; raises as ``make_receipts`` does."""
    return make_receipts(work, (index,), log=log, size=size)[0][1]


def _receipt(work: Work, log: str, stored: StoredTree, head: OutgoingHead, index: int) -> tuple[bytes, Receipt]:
    size = head.text.size
    if not 0 <= index < size:
        raise Conflict(
            f"第 {index} 条还没有检查点（已签到 {size} 条）；请先运行 jixiao audit checkpoint。", index=index, size=size
        )
    found = work.one(_BODY, log=log, idx=index)
    if stored.head.size < size or found is None:
        raise LogCorrupt(
            f"审计日志“{log}”缺少已经签过的条目（第 {index} 条，已签到 {size} 条）；请停止使用并运行 jixiao audit verify。",
            index=index,
        )
    body = bytes(found[0])
    proof = stored.inclusion(index, size)
    # A receipt that proves nothing must not leave the house: its holder would find out years later.
    if not verify_inclusion(index, size, leaf_hash(body), proof, head.text.root):
        raise LogCorrupt(
            f"审计日志“{log}”第 {index} 条与检查点（{size} 条）不符，开不出收据；请停止使用并运行 jixiao audit verify。",
            index=index,
        )
    return body, Receipt(index, tuple(proof), head.note)


def parse_receipt(text: str) -> Receipt:
    """The receipt in a text; raises InvalidInput for one that is cut short or spelt in any other way than ours."""
    head, separator, note = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or len(text) > _LARGEST or lines.pop(0) != HEADER:
        raise InvalidInput(f"这不是收据：第一行应为“{HEADER}”，证明之后应有空行和检查点；请取得完整的文件。")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = _base64(lines.pop(0).removeprefix("extra "))
    match = _INDEX.fullmatch(lines.pop(0)) if lines else None
    hashes = tuple(_base64(line) for line in lines)
    if match is None or len(hashes) > _MOST_HASHES or any(len(step) != HASH_BYTES for step in hashes):
        raise InvalidInput("收据的序号或证明行残缺，或写法不对；请取得完整的文件。")
    parse_checkpoint(parse_note(note).text)
    receipt = Receipt(int(match[1]), hashes, note, extra)
    if str(receipt) != text:
        raise InvalidInput("收据的写法不规范；请取得原样的文件。")
    return receipt


def _base64(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):
        return b""


def verify_receipt(receipt: Receipt, body: bytes, keys: Sequence[VerifierKey]) -> ReceiptVerdict:
    """Whether the receipt proves that an event's bytes stand in the log of one of the keys (C2SP tlog-proof "Verifying")."""
    note = parse_note(receipt.note)
    checkpoint = parse_checkpoint(note.text)
    said = {key: standing(note, key) for key in keys}

    def verdict(status: Status, message: str) -> ReceiptVerdict:
        return ReceiptVerdict(status, message, receipt.index, checkpoint)

    if Standing.FORGED in said.values():
        return verdict(Status.TAMPERED, "收据里检查点的签名与内容不符；收据被改动过。")
    if not any(key.name == checkpoint.origin and found is Standing.SIGNED for key, found in said.items()):
        names = "、".join(sorted({key.name for key in keys}))
        if checkpoint.origin not in {key.name for key in keys}:
            return verdict(
                Status.NOT_PROVABLE,
                f"收据属于日志“{checkpoint.origin}”，给出的公钥属于“{names}”；请取得那份日志的公钥，或核对是否拿错了收据。",
            )
        return verdict(
            Status.NOT_PROVABLE,
            f"收据不是由给出的公钥（{names}）签名；请核对公钥，密钥更换过的日志要用当时的公钥。",
        )
    if not verify_inclusion(receipt.index, checkpoint.size, leaf_hash(body), receipt.hashes, checkpoint.root):
        return verdict(
            Status.TAMPERED,
            f"事件不是收据所证明的第 {receipt.index} 条，或事件、收据被改动过；请用原样的文件，编辑器多加一个换行也算改动。",
        )
    return verdict(
        Status.INTACT, f"事件是日志“{checkpoint.origin}”的第 {receipt.index} 条，有 {checkpoint.size} 条时的签名为证。"
    )


def judge_receipt(data: bytes, body: bytes, keys: Sequence[VerifierKey]) -> ReceiptVerdict:
    """``verify_receipt`` for the bytes of a file; one that can't be read is a verdict too, since it proves nothing."""
    try:
        receipt = parse_receipt(data.decode())
    except UnicodeDecodeError:
        return ReceiptVerdict(Status.CANNOT_READ, "收据不是文字文件；请取得原样的文件。")
    except InvalidInput as error:
        return ReceiptVerdict(Status.CANNOT_READ, f"读不出收据，不能下结论：{error.message}")
    return verify_receipt(receipt, body, keys)
