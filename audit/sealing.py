"""Personal data outside the log: an event holds a commitment, the value lies sealed in the database and can be erased.

A commitment is base64(SHA-256("c1" ‖ salt (16 bytes) ‖ value in UTF-8, NFC)). Salt and value are encrypted (AES-256-GCM, the
commitment as associated data) under a key of the person whom they are about, and that key is wrapped by the installation's
``keys/seal.key``. Once value, salt and key are deleted nobody can tell any more which value a commitment was for, not even
by trying all telephone numbers; the events and their proofs stay as they are.
"""

from __future__ import annotations

import os
import unicodedata
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.dialects import postgresql, sqlite

from models.engine import Work
from models.errors import InvalidInput, LogCorrupt
from models.prepared import Prepared, insert_into
from models.sealed import SealedValue, SubjectKey

SALT_BYTES = 16
_NONCE_BYTES = 12
_KEY_BITS = 256
_PREFIX = b"c1"

# The lock holds off an erasure until this value is stored: it would else lie under a key that is gone, and not be erased.
_READ_KEY = Prepared(
    sa.select(SubjectKey.wrapped)
    .where(SubjectKey.subject_id == sa.bindparam("subject_id"))
    .with_for_update(read=True, key_share=True)
)
_KEY_ROW = ("subject_id", "wrapped", "created_at")
_ADD_KEY = {
    "postgresql": Prepared(postgresql.insert(SubjectKey).on_conflict_do_nothing(), _KEY_ROW),
    "sqlite": Prepared(sqlite.insert(SubjectKey).on_conflict_do_nothing(), _KEY_ROW),
}
_ADD_VALUE = insert_into(SealedValue)
_READ_VALUE = Prepared(
    sa.select(
        SealedValue.subject_id,
        SealedValue.purpose,
        SealedValue.sealed,
        SealedValue.erased_at,
        SealedValue.erased_by,
        SubjectKey.wrapped,
    )
    .select_from(SealedValue)
    .outerjoin(SubjectKey, SubjectKey.subject_id == SealedValue.subject_id)
    .where(SealedValue.commitment == sa.bindparam("commitment"))
)
_OF_SUBJECT = Prepared(
    sa.select(SealedValue.commitment)
    .where(SealedValue.subject_id == sa.bindparam("subject_id"), SealedValue.erased_at.is_(None))
    .order_by(SealedValue.created_at, SealedValue.commitment)
)
_ERASE_VALUE = Prepared(
    sa.update(SealedValue)
    .where(SealedValue.commitment == sa.bindparam("of_commitment"), SealedValue.erased_at.is_(None))
    .values(sealed=sa.null(), erased_at=sa.bindparam("moment"), erased_by=sa.bindparam("account_id"))
)
_DROP_KEY = Prepared(sa.delete(SubjectKey).where(SubjectKey.subject_id == sa.bindparam("subject_id")))


@dataclass(frozen=True, slots=True)
class Personal:
    """A value for the log that is about a person: an event gets its commitment only. ``subject_id`` says about whom."""

    subject_id: str
    value: str


@dataclass(frozen=True, slots=True)
class Opened:
    """What a commitment is for: about whom, what, and the value with its salt, or when and by whom (account) it was erased."""

    commitment: str
    subject_id: str
    purpose: str
    value: str | None
    salt: bytes | None
    erased_at: datetime | None = None
    erased_by: str | None = None


def commit(value: str, salt: bytes) -> str:
    """The commitment of a value, 44 characters; the value is normalized to NFC first.

    Raises InvalidInput for a salt of another length than 16 bytes, and for a value with a lone surrogate.
    """
    if len(salt) != SALT_BYTES:
        raise InvalidInput(f"承诺值的盐应为 {SALT_BYTES} 字节。")
    return b64encode(sha256(_PREFIX + salt + _bytes(value)).digest()).decode()


def check(commitment: str, value: str, salt: bytes) -> bool:
    """Whether a commitment is for this value under this salt; an auditor needs nothing else for it."""
    return compare_digest(commitment.encode(), commit(value, salt).encode())


def _bytes(value: str) -> bytes:
    try:
        return unicodedata.normalize("NFC", value).encode()
    except UnicodeEncodeError as error:
        raise InvalidInput("文字中有不成对的代理字符；请检查其中的特殊字符。") from error


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals and opens with an installation's key (32 bytes)."""

    key: bytes

    def seal(self, work: Work, subject_id: str, purpose: str, value: str, now: datetime) -> str:
        """Stores a value about somebody in the caller's transaction and returns its commitment."""
        salt = os.urandom(SALT_BYTES)
        commitment = commit(value, salt)
        cipher = AESGCM(self._subject_key(work, subject_id, now))
        sealed = _encrypted(cipher, salt + _bytes(value), commitment)
        work.run(
            _ADD_VALUE,
            commitment=commitment,
            subject_id=subject_id,
            purpose=purpose,
            sealed=sealed,
            created_at=now,
            erased_at=None,
            erased_by=None,
        )
        return commitment

    def open_sealed(self, work: Work, commitment: str) -> Opened | None:
        """What a commitment is for; None where nothing is known of it.

        Raises LogCorrupt where what is stored can't be opened with its keys, or is not what the commitment is for.
        """
        found = work.one(_READ_VALUE, commitment=commitment)
        if found is None:
            return None
        subject_id, purpose, sealed, erased_at, erased_by, wrapped = found
        if sealed is None:
            return Opened(commitment, subject_id, purpose, None, None, erased_at, erased_by)
        try:
            data_key = self._unwrapped(subject_id, bytes(wrapped or b""))
            data = _decrypted(AESGCM(data_key), bytes(sealed), commitment)
        except InvalidTag:
            raise _damaged(commitment) from None
        salt, value = data[:SALT_BYTES], data[SALT_BYTES:].decode()
        if not check(commitment, value, salt):
            raise _damaged(commitment)
        return Opened(commitment, subject_id, purpose, value, salt)

    def open_all(self, work: Work, commitments: Iterable[str]) -> dict[str, Opened]:
        """What is known of these commitments, by commitment."""
        found = (self.open_sealed(work, item) for item in dict.fromkeys(commitments))
        return {item.commitment: item for item in found if item is not None}

    def _subject_key(self, work: Work, subject_id: str, now: datetime) -> bytes:
        row = work.one(_READ_KEY, subject_id=subject_id)
        if row is None:
            # Of two writers who both make the first key of somebody, one is stored, and both use it.
            wrapped = _encrypted(AESGCM(self.key), AESGCM.generate_key(_KEY_BITS), _wrap_label(subject_id))
            work.run(_ADD_KEY[work.dialect.name], subject_id=subject_id, wrapped=wrapped, created_at=now)
            row = work.one(_READ_KEY, subject_id=subject_id)
        try:
            return self._unwrapped(subject_id, bytes(row[0] if row else b""))
        except InvalidTag:
            raise LogCorrupt(
                "个人信息的数据密钥打不开：keys/seal.key 不是密封时的那一个，或数据库被改动过；请从密钥备份恢复 keys/seal.key。",
                subject=subject_id,
            ) from None

    def _unwrapped(self, subject_id: str, wrapped: bytes) -> bytes:
        return _decrypted(AESGCM(self.key), wrapped, _wrap_label(subject_id))


def sealed_of(work: Work, subject_id: str) -> list[str]:
    """Commitments about somebody whose values are still there, oldest first."""
    return [row[0] for row in work.rows(_OF_SUBJECT, subject_id=subject_id)]


def find_sealed(work: Work, commitment: str) -> Opened | None:
    """About whom and for what a commitment is, and whether it was erased; the value stays closed."""
    found = work.one(_READ_VALUE, commitment=commitment)
    return None if found is None else Opened(commitment, found[0], found[1], None, None, found[3], found[4])


def erase_subject(work: Work, subject_id: str, *, by: str, now: datetime) -> list[str]:
    """Deletes the key and every value about somebody; the commitments whose values this has deleted.

    The key goes first: a writer that is just sealing a value under it is waited for, and that value is then seen.
    """
    work.run(_DROP_KEY, subject_id=subject_id)
    return [item for item in sealed_of(work, subject_id) if erase_value(work, item, by=by, now=now)]


def erase_value(work: Work, commitment: str, *, by: str, now: datetime) -> bool:
    """Deletes value and salt of one commitment; False where somebody has done so already."""
    return work.run(_ERASE_VALUE, of_commitment=commitment, moment=now, account_id=by) == 1


def _encrypted(cipher: AESGCM, data: bytes, label: str) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, data, label.encode())


def _decrypted(cipher: AESGCM, data: bytes, label: str) -> bytes:
    if len(data) < _NONCE_BYTES:
        raise InvalidTag
    return cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], label.encode())


def _wrap_label(subject_id: str) -> str:
    # A wrapped key that is copied to another person's row must not open there.
    return f"jixiao subject key {subject_id}"


def _damaged(commitment: str) -> LogCorrupt:
    return LogCorrupt(
        f"密封的个人信息（承诺 {commitment}）打不开或与承诺不符：数据库被改动过，或 keys/seal.key 不对；请核查。",
        commitment=commitment,
    )
