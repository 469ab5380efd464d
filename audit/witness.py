"""What a witness decides (C2SP ``tlog-witness``, ``add-checkpoint``): pure functions over a request and what was seen before.

A request body is ``old`` with the size last cosigned, consistency proof lines in base64, an empty line, and the checkpoint
note. The answer is 200 with the cosignature, or 400 malformed, 403 no trusted signature, 404 unknown origin, 409 with the
size last cosigned (``text/x.tlog.size``) where ``old`` is another, or where the root of one size is another, and 422 where
the proof does not hold.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.cosignatures import CosignerKey, cosign
from audit.notes import CheckpointText, Note, Standing, VerifierKey, parse_checkpoint, parse_note, standing
from audit.tree import EMPTY_ROOT, HASH_BYTES, verify_consistency
from models.errors import InvalidInput

# A consistency proof in a tree of less than 2^63 leaves has no more hashes.
MAX_PROOF = 63
# A note is at most 64 KiB long, and each proof line 45 bytes.
MAX_REQUEST = 68 * 1024

_OLD = re.compile(r"old (0|[1-9][0-9]{0,17})")
_TEXT = "text/plain; charset=utf-8"
_SIZE_TYPE = "text/x.tlog.size"


@dataclass(frozen=True, slots=True)
class Request:
    """An ``add-checkpoint`` request: the size before, the proof (32 bytes each), the note and what it says."""

    old: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: CheckpointText


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest head that a witness has cosigned of a log; ``seconds`` is the time it stated (POSIX)."""

    size: int
    root: bytes
    seconds: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; ``seen`` is what the witness must have stored before it may be sent.

    ``suspicious`` says that a trusted key has signed a head which does not continue the one seen: it is kept as evidence.
    """

    status: int
    content_type: str
    body: str
    seen: Seen | None = None
    suspicious: bool = False


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness's name and private key."""

    name: str
    private: Ed25519PrivateKey

    @property
    def key(self) -> CosignerKey:
        """The verifier key to hand out."""
        return CosignerKey(self.name, self.private.public_key().public_bytes_raw())


def render_request(old: int, proof: Sequence[bytes], note: str) -> bytes:
    """The body of an ``add-checkpoint`` request."""
    lines = [f"old {old}", *(b64encode(step).decode() for step in proof), ""]
    return ("\n".join(lines) + "\n" + note).encode()


def parse_request(body: bytes) -> Request:
    """The request in a body; raises InvalidInput for any other spelling than the specification's."""
    try:
        head, separator, note_text = body.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise InvalidInput("请求不是 UTF-8 文字；请检查发送的程序。") from None
    first, *lines = head.split("\n")
    old = _OLD.fullmatch(first)
    if old is None or not separator:
        raise InvalidInput("请求应以“old 条数”一行开头，证明之后空一行，再写检查点；请检查发送的程序。")
    if len(lines) > MAX_PROOF:
        raise InvalidInput(f"一致性证明最多 {MAX_PROOF} 行，这里有 {len(lines)} 行；请检查发送的程序。")
    note = parse_note(note_text)
    request = Request(int(old[1]), tuple(map(_hash, lines)), note, parse_checkpoint(note.text))
    if request.old > request.checkpoint.size:
        raise InvalidInput(f"原有 {request.old} 条大于检查点的 {request.checkpoint.size} 条；请检查发送的程序。")
    return request


def _hash(line: str) -> bytes:
    try:
        value = b64decode(line, validate=True)
    except (Base64Error, ValueError):
        value = b""
    if len(value) != HASH_BYTES or b64encode(value).decode() != line:
        raise InvalidInput(f"证明行“{line[:60]}”不是 32 字节的 Base64；请检查发送的程序。")
    return value


def malformed(error: InvalidInput) -> Answer:
    """400, with what is wrong."""
    return Answer(HTTPStatus.BAD_REQUEST, _TEXT, error.message + "\n")


def refused(request: Request, keys: Sequence[VerifierKey]) -> Answer | None:
    """404 where no key is known for the origin, 403 where none of them has signed the checkpoint, else None.

    A wrong signature in a known key's name spoils the note, whatever else has signed it (C2SP signed-note).
    """
    if not keys:
        return Answer(HTTPStatus.NOT_FOUND, _TEXT, "没有登记过这个来源的日志；请见证机关先登记它的公钥。\n")
    found = {standing(request.note, key) for key in keys}
    if Standing.SIGNED not in found or Standing.FORGED in found:
        return Answer(HTTPStatus.FORBIDDEN, _TEXT, "检查点没有已登记公钥的有效签名；请核对日志的公钥。\n")
    return None


def decide(request: Request, seen: Seen | None, cosigner: Cosigner, now: int) -> Answer:
    """The answer to a request whose signature holds; to be called and stored under one lock.

    ``now`` are POSIX seconds. The time that is stated never goes back, whatever the clock does: a later statement about a
    smaller head would be false.
    """
    size, root = request.checkpoint.size, request.checkpoint.root
    known = Seen(0, EMPTY_ROOT, 0) if seen is None else seen
    if request.old != known.size:
        return Answer(HTTPStatus.CONFLICT, _SIZE_TYPE, f"{known.size}\n")
    if size == known.size and root != known.root:
        return Answer(HTTPStatus.CONFLICT, _SIZE_TYPE, f"{known.size}\n", suspicious=True)
    if not verify_consistency(known.size, size, known.root, root, request.proof):
        text = f"一致性证明不成立：检查点的 {size} 条不是已见证的 {known.size} 条的延续。\n"
        return Answer(HTTPStatus.UNPROCESSABLE_ENTITY, _TEXT, text, suspicious=True)
    seconds = max(now, known.seconds)
    line = cosign(request.note.text, cosigner.name, cosigner.private, seconds)
    return Answer(HTTPStatus.OK, _TEXT, str(line), Seen(size, root, seconds))
