"""Signed notes and checkpoints: C2SP ``signed-note`` and ``tlog-checkpoint``, Ed25519 (signature type 0x01).

A note is a text (ending in a newline), an empty line, and signature lines ``— name base64(key id ‖ signature)``. A
checkpoint's text is three lines: origin, size, base64 of the root; extension lines may follow. A verifier key is
``name+key id+base64(0x01 ‖ public key)`` with the key id SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key)[:4] in hexadecimal.
Each thing has one accepted spelling: what is parsed is rendered again and compared.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.tree import HASH_BYTES
from models.errors import InvalidInput, LogCorrupt

ED25519 = 0x01
KEY_ID_BYTES = 4
_PUBLIC_BYTES = 32
# A note is read from people; what is larger is not one of ours.
_MAX_NOTE = 64 * 1024

_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_SIGNATURE_LINE = re.compile(r"— (\S+) (\S+)")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name, and the key id that signature lines carry."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell the keys of one name apart."""
        return key_id(self.name, self.public)

    def __str__(self) -> str:
        return vkey_text(self.name, self.public)

    def signed(self, text: str, signature: bytes) -> bool:
        """Whether ``signature`` (64 bytes) is this key's signature of the text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature line: the signer's name, its key id (4 bytes) and the signature's bytes."""

    name: str
    key_id: bytes
    value: bytes

    def __str__(self) -> str:
        return f"— {self.name} {b64encode(self.key_id + self.value).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text with its signatures; ``str`` gives the note as it is stored and sent."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return self.text + "\n" + "".join(map(str, self.signatures))


@dataclass(frozen=True, slots=True)
class CheckpointText:
    """What a checkpoint says: the log's origin, its size (leaves) and root (32 bytes)."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "".join(
            f"{line}\n" for line in (self.origin, self.size, b64encode(self.root).decode(), *self.extensions)
        )


class Standing(StrEnum):
    """What a key says about a note."""

    SIGNED = "signed"
    FORGED = "forged"
    UNKNOWN = "unknown"


def key_id(name: str, public: bytes, kind: int = ED25519) -> bytes:
    """SHA-256(name ‖ 0x0A ‖ kind ‖ public)[:4], ``kind`` being the signature type (C2SP signed-note "Signatures")."""
    return sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:KEY_ID_BYTES]


def vkey_text(name: str, public: bytes, kind: int = ED25519) -> str:
    """The verifier key text of a public key for a signature type."""
    return f"{name}+{key_id(name, public, kind).hex()}+{b64encode(bytes([kind]) + public).decode()}"


def check_name(name: str) -> str:
    """The name of a key, if it may be one: not empty, no blanks, no plus sign, no control characters."""
    if not name or "+" in name or _CONTROL.search(name) or any(character.isspace() for character in name):
        raise InvalidInput(f"密钥名称“{name}”不能为空，也不能含空格、加号或控制字符；例如 example.gov.cn/audit/1。")
    return name


def parse_vkey(text: str) -> VerifierKey:
    """The key in a verifier key text; raises InvalidInput for any other spelling than ours, and for another algorithm."""
    found = vkey_parts(text, ED25519)
    if found is None:
        raise InvalidInput("验证公钥的写法不对，应为“名称+8 位十六进制+Base64”的 Ed25519 公钥；请重新复制。")
    return VerifierKey(*found)


def vkey_parts(text: str, kind: int) -> tuple[str, bytes] | None:
    """Name and public key (32 bytes) of a verifier key text of one signature type; None for any other text."""
    name, _, rest = text.partition("+")
    data = _base64(rest.partition("+")[2])
    if len(data) != 1 + _PUBLIC_BYTES or vkey_text(name, data[1:], kind) != text:
        return None
    return check_name(name), data[1:]


def parse_note(text: str) -> Note:
    """The note in a text; raises InvalidInput where it is not one in its one spelling."""
    body, separator, lines = text.rpartition("\n\n")
    if not separator or not body or not lines.endswith("\n") or len(text) > _MAX_NOTE or _CONTROL.search(text):
        raise InvalidInput("这不是签名笔记：缺少空行或签名行；请核对文件内容。")
    note = Note(body + "\n", tuple(_signature(line) for line in lines[:-1].split("\n")))
    if str(note) != text:
        raise InvalidInput("签名笔记的写法不规范；请核对文件内容。")
    return note


def _signature(line: str) -> Signature:
    match = _SIGNATURE_LINE.fullmatch(line)
    data = _base64(match[2]) if match else b""
    if match is None or len(data) <= KEY_ID_BYTES:
        raise InvalidInput(f"签名行“{line[:40]}”的写法不对，应为“— 名称 Base64”；请核对文件内容。")
    return Signature(check_name(match[1]), data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


def parse_checkpoint(text: str) -> CheckpointText:
    """What the text of a note says as a checkpoint; raises InvalidInput for any other spelling than ours."""
    origin, *rest = text.split("\n")
    if len(rest) >= 3 and rest[-1] == "" and _SIZE.fullmatch(rest[0]) and all(rest[:-1]):
        checkpoint = CheckpointText(check_name(origin), int(rest[0]), _base64(rest[1]), tuple(rest[2:-1]))
        if len(checkpoint.root) == HASH_BYTES and str(checkpoint) == text:
            return checkpoint
    raise InvalidInput("检查点的写法不对，应为三行：来源、条数、根的 Base64；请核对文件内容。")


def _base64(text: str) -> bytes:
    """The bytes, or none where the text is not base64; other spellings of the same bytes fall to the comparison."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):
        return b""


def sign_note(text: str, name: str, key: Ed25519PrivateKey) -> Note:
    """A note with the key's signature; the text must end in a newline."""
    if not text.endswith("\n") or text.endswith("\n\n") or _CONTROL.search(text):
        raise InvalidInput("待签名的文字必须以一个换行结尾，且不含控制字符。")
    public = key.public_key().public_bytes_raw()
    return Note(text, (Signature(check_name(name), key_id(name, public), key.sign(text.encode())),))


def standing(note: Note, key: VerifierKey) -> Standing:
    """What the key's signature lines say: every one of them must be right, and lines of other keys are passed over."""
    mine = [line.value for line in note.signatures if line.name == key.name and line.key_id == key.key_id]
    if not mine:
        return Standing.UNKNOWN
    return Standing.SIGNED if all(key.signed(note.text, value) for value in mine) else Standing.FORGED


def open_checkpoint(text: str, keys: Sequence[VerifierKey]) -> CheckpointText:
    """What a checkpoint note says, once one of the trusted keys has signed it and none of their signatures is wrong.

    Raises InvalidInput where it is not a checkpoint, LogCorrupt (``standing`` ``unknown`` or ``forged``) where no trusted
    key has signed it or a signature is wrong, or where the origin is not the name of the key that signed.
    """
    note = parse_note(text)
    found = [(key.name, standing(note, key)) for key in keys]
    if any(said is Standing.FORGED for _, said in found):
        raise LogCorrupt("检查点的签名与内容不符；它被改动过，请停止使用并调查。", standing=Standing.FORGED.value)
    checkpoint = parse_checkpoint(note.text)
    if (checkpoint.origin, Standing.SIGNED) not in found:
        raise LogCorrupt("检查点没有可信公钥的签名，无法证明；请核对公钥是否正确。", standing=Standing.UNKNOWN.value)
    return checkpoint
