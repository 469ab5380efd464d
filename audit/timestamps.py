"""RFC 3161 time stamps of checkpoints: the query, and what a reply proves.

What is stamped is SHA-256 of the checkpoint note as it is stored, without cosignatures. Kept is the whole reply
(``TimeStampResp``, DER), which ``openssl ts -reply -in`` and ``openssl ts -verify -in`` read as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)
from rfc3161_client.verify import SHA256_OID

from models.errors import InvalidInput

QUERY_TYPE = "application/timestamp-query"
REPLY_TYPE = "application/timestamp-reply"


_NO_REPLY = "这不是时间戳应答（RFC 3161，DER）；请检查文件。"

# The way to the certificates in a ``TimeStampResp``: for each step how many members to pass over, and the tag to enter.
_TO_CERTIFICATES = ((0, 0x30), (1, 0x30), (1, 0xA0), (0, 0x30), (3, 0xA0))


@dataclass(frozen=True, slots=True)
class TimeStamp:
    """What a reply says: the digest that was stamped, the time, and the nonce of the query, if it had one."""

    digest: bytes
    time: datetime
    nonce: int | None


def digest_of(note: str) -> bytes:
    """SHA-256 of a checkpoint note, the imprint in its time stamp."""
    return sha256(note.encode()).digest()


def make_query(note: str, *, nonce: bool) -> tuple[bytes, int | None]:
    """The query (``TimeStampReq``, DER) for a checkpoint note, and its nonce.

    The authority is asked to put its certificate into the reply. A nonce binds a reply to this query; without one any reply
    for this checkpoint will do, which suits an exchange by files.
    """
    builder = TimestampRequestBuilder().data(note.encode()).hash_algorithm(HashAlgorithm.SHA256)
    query = builder.nonce(nonce=nonce).cert_request(cert_request=True).build()
    return query.as_bytes(), query.nonce if nonce else None


def read_reply(reply: bytes) -> TimeStamp:
    """What a reply says, its signature unchecked; raises InvalidInput where it is no granted reply with SHA-256."""
    try:
        info = _decoded(reply).tst_info
    except ValueError as error:
        raise InvalidInput(_NO_REPLY) from error
    if info.message_imprint.hash_algorithm.dotted_string != SHA256_OID:
        raise InvalidInput("时间戳应答用的不是 SHA-256；请用 jixiao audit timestamp --query 生成的请求再申请一次。")
    return TimeStamp(bytes(info.message_imprint.message), info.gen_time.astimezone(UTC), info.nonce)


def check_reply(reply: bytes, note: str, nonce: int | None = None) -> TimeStamp:
    """What a reply says, once it is known to be about this checkpoint (and of this query, where a nonce is given)."""
    found = read_reply(reply)
    if found.digest != digest_of(note):
        raise InvalidInput("时间戳应答是给另一个检查点的；请核对文件。")
    if nonce is not None and found.nonce != nonce:
        raise InvalidInput("时间戳应答不是对这次请求的应答（随机数不同）；请重试。")
    return found


def verify_reply(reply: bytes, note: str, certificates: Sequence[x509.Certificate]) -> datetime:
    """The time that a reply proves for a checkpoint note, under a given certificate chain.

    ``certificates`` are the trusted roots with, where needed, intermediates and the authority's own. Each must have been
    valid at the stamped time. Raises InvalidInput where the reply does not hold.
    """
    found = check_reply(reply, note)
    builder = VerifierBuilder(
        roots=[item for item in certificates if item.issuer == item.subject],
        intermediates=[item for item in certificates if item.issuer != item.subject],
    )
    try:
        builder.build().verify_message(_decoded(reply), note.encode())
    except VerificationError as error:
        raise InvalidInput(f"时间戳不能用给出的证书验证（{error}）；请核对时间戳机构的证书链。") from error
    except (ValueError, x509.InvalidVersion) as error:  # no root among the certificates, or one that can't be read
        raise InvalidInput(f"时间戳机构的证书链不完整（{error}）；请给出含根证书的 PEM 文件。") from error
    return found.time


def read_certificates(pem: bytes) -> list[x509.Certificate]:
    """The certificates of a PEM file; raises InvalidInput where there is none."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise InvalidInput("证书文件应是 PEM 格式，含时间戳机构的根证书（和中间证书）；请检查文件。") from error


def _decoded(reply: bytes) -> TimeStampResponse:
    try:
        found = decode_timestamp_response(_in_order(reply))
        status = PKIStatus(found.status)
    except ValueError as error:
        raise InvalidInput(_NO_REPLY) from error
    if status is not PKIStatus.GRANTED:
        reasons = "；".join(found.status_string) or status.name
        raise InvalidInput(f"时间戳机构没有签发（{reasons}）；请联系该机构或换一个再试。")
    return found


def _in_order(reply: bytes) -> bytes:
    """The reply with its certificates in the order of DER's SET OF; anything else as it is.

    ``openssl ts`` and others write the chain in their own order, which the library refuses. The certificates are not covered
    by the signature, so their order may be put right.
    """
    start, end = 0, len(reply)
    try:
        for skipped, tag in _TO_CERTIFICATES:
            for _ in range(skipped):
                start = _member(reply, start)[1]
            if start >= end or reply[start] != tag:
                return reply
            start, end = _member(reply, start)
        members, place = [], start
        while place < end:
            after = _member(reply, place)[1]
            members.append(reply[place:after])
            place = after
    except IndexError:
        return reply
    return reply[:start] + b"".join(sorted(members)) + reply[end:] if place == end else reply


def _member(data: bytes, place: int) -> tuple[int, int]:
    """Where the contents of the DER value at a place begin and end; raises IndexError where it is cut short."""
    length, contents = data[place + 1], place + 2
    if length & 0x80:
        count = length & 0x7F
        length = int.from_bytes(data[contents : contents + count], "big")
        contents += count
    if contents + length > len(data):
        raise IndexError(place)
    return contents, contents + length
