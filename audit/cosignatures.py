"""Cosignatures: what a witness signs (C2SP ``tlog-cosignature``, timestamped Ed25519, signature type 0x04).

The message is ``cosignature/v1``, ``time`` with POSIX seconds, and the checkpoint's text, each line ending in a newline. A
signature line carries key id ‖ seconds (8 bytes, big-endian) ‖ signature (64 bytes), and a verifier key the type 0x04. It
says: at this time this was the largest consistent head of this log that the witness knew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.notes import Signature, check_name, key_id, parse_note, vkey_parts, vkey_text
from models.errors import InvalidInput

COSIGNATURE = 0x04
_SECONDS_BYTES = 8
_SIGNATURE_BYTES = 64
# 9999-12-31: what lies beyond is no date, and far below the 2^63 - 1 that the format allows.
_LAST_SECOND = 253_402_300_799


@dataclass(frozen=True, slots=True)
class CosignerKey:
    """A witness's public key (32 bytes) with its name."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell the keys of one name apart; other than those of the same key for plain notes."""
        return key_id(self.name, self.public, COSIGNATURE)

    def __str__(self) -> str:
        return vkey_text(self.name, self.public, COSIGNATURE)


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A cosignature that was verified: whose, when, and the line."""

    key: CosignerKey
    time: datetime
    line: Signature


def parse_cosigner(text: str) -> CosignerKey:
    """The key in a witness's verifier key text; raises InvalidInput for another spelling or type."""
    found = vkey_parts(text, COSIGNATURE)
    if found is None:
        raise InvalidInput(
            "见证公钥的写法不对，应为“名称+8 位十六进制+Base64”且类型为 04；请向见证机关重新索取 witness.vkey。"
        )
    return CosignerKey(*found)


def cosign(text: str, name: str, key: Ed25519PrivateKey, seconds: int) -> Signature:
    """The line of a cosignature of a checkpoint's text at a time in POSIX seconds."""
    public = key.public_key().public_bytes_raw()
    value = seconds.to_bytes(_SECONDS_BYTES, "big") + key.sign(_message(text, seconds))
    return Signature(check_name(name), key_id(name, public, COSIGNATURE), value)


def verified(text: str, line: Signature, key: CosignerKey) -> Cosignature | None:
    """The cosignature in a line, or None where it is another key's, or not this key's signature of the text."""
    if (line.name, line.key_id) != (key.name, key.key_id) or len(line.value) != _SECONDS_BYTES + _SIGNATURE_BYTES:
        return None
    seconds = int.from_bytes(line.value[:_SECONDS_BYTES], "big")
    if seconds > _LAST_SECOND:
        return None
    try:
        public = Ed25519PublicKey.from_public_bytes(key.public)
        public.verify(line.value[_SECONDS_BYTES:], _message(text, seconds))
    except (InvalidSignature, ValueError):
        return None
    return Cosignature(key, datetime.fromtimestamp(seconds, UTC), line)


def cosignatures(text: str, lines: str, keys: Sequence[CosignerKey]) -> Iterator[Cosignature]:
    """The valid cosignatures by these keys among signature lines over a checkpoint's text; all other lines are passed over.

    Raises InvalidInput where the lines are not signature lines.
    """
    if not lines:
        return
    for line in parse_note(f"{text}\n{lines}").signatures:
        for key in keys:
            found = verified(text, line, key)
            if found is not None:
                yield found


def added(text: str, stored: str, new: Cosignature) -> str:
    """The stored lines with a new one at their end; unchanged where the same key has a valid one already.

    The first cosignature is the one that is kept: it proves the earliest time. A damaged line of the key does not count as
    one, so that it can't keep the witness out.
    """
    try:
        known = list(cosignatures(text, stored, [new.key]))
    except InvalidInput:
        known, stored = [], ""  # lines that nobody can read would make the good one unreadable, too
    return stored if known else stored + str(new.line)


def _message(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()
