"""The signer: Ed25519 keys in files, and the last head that each of them has signed.

The last head stands in a file of its own, outside the database: a database that was restored from a backup, cut or
rewritten then no longer continues it, and the signer refuses. The file holds the signed note itself, so that a changed
head file is noticed as well. While a key is being changed for another, both sign: a signer then holds several keys, and a
head must continue what any of them has signed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.keyfiles import create_mac_key as create_mac_key
from audit.keyfiles import create_secret, read_secret, replace_file
from audit.keyfiles import load_mac_key as load_mac_key
from audit.notes import CheckpointText, Note, VerifierKey, check_name, open_checkpoint, sign_note
from audit.tree import EMPTY_ROOT, verify_consistency
from models.errors import Conflict, InvalidInput, LogCorrupt

# How long a process waits for another that is signing, in seconds.
LOCK_TIMEOUT = 15.0

# The consistency proof from an older size to the one that is to be signed.
Prove = Callable[[int], Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class SignedHead:
    """The last head a signer signed: what it says, and the note itself."""

    text: CheckpointText
    note: str


class Signer:
    """Signs checkpoints with a key from a file, and never two that do not continue each other.

    ``beside`` are the signers of the keys that sign together with this one during a change of keys. ``lock_path`` is the file
    by which processes wait for each other: all keys of a log must share one.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        key: Ed25519PrivateKey,
        *,
        head_path: Path | None = None,
        lock_path: Path | None = None,
        beside: Sequence[Signer] = (),
    ) -> None:
        self.name = name
        self.path = path
        self.head_path = head_path or path.with_name(path.name + ".head")
        self.lock_path = lock_path or self.head_path.with_name(self.head_path.name + ".lock")
        self.beside = tuple(beside)
        self.key = VerifierKey(name, key.public_key().public_bytes_raw())
        self._private = key
        self._seen: SignedHead | None = None

    @classmethod
    def create(cls, path: Path, name: str, *, head_path: Path | None = None, lock_path: Path | None = None) -> Signer:
        """Makes a key (PEM, PKCS #8, mode 0600); raises Conflict where the file exists and InvalidInput for a bad name.

        The last head is kept in ``head_path``, by default beside the key with ``.head`` added to its name.
        """
        check_name(name)
        return cls(path, name, create_private_key(path, "签名私钥"), head_path=head_path, lock_path=lock_path)

    @classmethod
    def load(
        cls,
        path: Path,
        name: str,
        *,
        vkey: str | None = None,
        head_path: Path | None = None,
        lock_path: Path | None = None,
        beside: Sequence[Signer] = (),
    ) -> Signer:
        """The key in a file.

        Raises NotFound where it is missing, InvalidInput where it is open to others or no key, and LogCorrupt where it is
        not the private half of ``vkey``.
        """
        remedy = "请从密钥备份恢复到该路径；不要新建，新私钥签不出原日志的检查点"
        key = load_private_key(path, "签名私钥", remedy)
        signer = cls(path, check_name(name), key, head_path=head_path, lock_path=lock_path, beside=beside)
        if vkey is not None:
            signer.require(vkey)
        return signer

    @property
    def vkey(self) -> str:
        """The verifier key to publish outside."""
        return str(self.key)

    def require(self, vkey: str) -> None:
        """Raises LogCorrupt where the log's verifier key is not this signer's."""
        if vkey != self.vkey:
            raise LogCorrupt(
                f"签名私钥 {self.path} 与审计日志的公钥不符；请使用创建日志时的私钥，若公钥被人改过请停止使用并调查。",
                expected=vkey,
                got=self.vkey,
            )

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """The keys whose signature lines a note of this signer carries, its own first."""
        return (self.key, *(signer.key for signer in self.beside))

    def last_head(self) -> SignedHead | None:
        """The last head signed by any of the keys, or None before the first; raises LogCorrupt where a file was changed.

        A crash may leave the file of one key behind that of another, so the newest counts; ``sign`` looks at all.
        """
        heads = [head for signer in (self, *self.beside) if (head := signer.own_head()) is not None]
        return max(heads, key=lambda head: head.text.size, default=None)

    def own_head(self) -> SignedHead | None:
        """The last head in this key's own file."""
        try:
            note = self.head_path.read_bytes().decode()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise LogCorrupt(f"无法读取签名头文件 {self.head_path}（{error}）；请停止签名并调查。") from error
        # Every writer looks at the head, and it changes once a minute: what was verified is not verified again.
        if self._seen is None or self._seen.note != note:
            self._seen = self._opened(note)
        return self._seen

    def _opened(self, note: str) -> SignedHead:
        try:
            return SignedHead(open_checkpoint(note, [self.key]), note)
        except (InvalidInput, LogCorrupt) as error:
            raise LogCorrupt(
                f"签名头文件 {self.head_path} 不是本私钥签过的检查点；它被改动或损坏，请停止签名并调查。",
                cause=error.message,
            ) from error

    @contextlib.contextmanager
    def exclusive(self, timeout: float = LOCK_TIMEOUT) -> Iterator[None]:
        """Holds the file lock; of two processes (or threads) one waits. Raises Conflict after ``timeout`` seconds."""
        lock = os.open(self.lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            deadline = time.monotonic() + timeout
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise Conflict("另一个进程正在签名，等待超时；请稍后重试。") from None
                    time.sleep(0.005)
            yield
        finally:
            os.close(lock)

    def sign(self, size: int, root: bytes, prove: Prove) -> str:
        """The checkpoint note of a head; call it inside ``exclusive``, with a head that was read inside it too.

        A head read before the lock may be older than what another process has signed meanwhile, and would look like a
        rollback. ``prove(old)`` gives the consistency proof from ``old`` leaves. The head file is on disk before the note is
        returned, so that no signature is ever out that the signer has forgotten. Raises LogCorrupt for a head that does
        not continue the last one.
        """
        signers = (self, *self.beside)
        heads = [signer.own_head() for signer in signers]
        for head in heads:
            if head is not None and (head.text.size, head.text.root) != (size, root):
                self._check_continues(head.text, size, root, prove)
        known = next((head.note for head in heads if head is not None and head.text.size == size), None)
        if known is not None and all(head is not None and head.note == known for head in heads):
            return known
        text = str(CheckpointText(self.name, size, root))
        lines = tuple(line for signer in signers for line in signer.sign_text(text).signatures)
        note = str(Note(text, lines))
        for signer in signers:
            replace_file(signer.head_path, note.encode())
        return note

    def sign_text(self, text: str) -> Note:
        """A note with this key's signature alone; of a checkpoint only ``sign`` may make one that goes out."""
        return sign_note(text, self.name, self._private)

    def _check_continues(self, last: CheckpointText, size: int, root: bytes, prove: Prove) -> None:
        facts = {"signed": last.size, "size": size}
        if size < last.size:
            raise LogCorrupt(
                f"拒绝签名：日志只有 {size} 条，而已经签过 {last.size} 条；数据库被回退或截断（例如恢复了旧备份），"
                "请停止使用并恢复最新的数据库。",
                **facts,
            )
        if size == last.size:
            raise LogCorrupt(
                f"拒绝签名：日志同为 {size} 条，根却与已签的不同；历史被改写，请停止使用并运行 jixiao audit verify。",
                **facts,
            )
        if not verify_consistency(last.size, size, last.root if last.size else EMPTY_ROOT, root, prove(last.size)):
            raise LogCorrupt(
                f"拒绝签名：现有 {size} 条不是已签的 {last.size} 条的延续；历史被改写或数据库被回退后又继续写入，"
                "请停止使用并运行 jixiao audit verify。",
                **facts,
            )

    def restore_head(self, note: str) -> None:
        """Puts a lost or outdated head file back from a checkpoint kept elsewhere; never goes back to an earlier head.

        Raises InvalidInput or LogCorrupt where the note is not this key's checkpoint, and Conflict where the file says more.
        """
        with self.exclusive():
            given = open_checkpoint(note, [self.key])
            last = self.last_head()
            if last is not None and given.size <= last.text.size and given != last.text:
                raise Conflict(f"签名头文件已签到 {last.text.size} 条，不能退回 {given.size} 条的检查点；无需恢复。")
            replace_file(self.head_path, note.encode())


def create_private_key(path: Path, title: str) -> Ed25519PrivateKey:
    """Makes an Ed25519 key in a file (PEM, PKCS #8, mode 0600); raises Conflict, naming ``title``, where the file exists."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    create_secret(path, pem, title)
    return key


def load_private_key(path: Path, title: str, remedy: str) -> Ed25519PrivateKey:
    """The Ed25519 key in a file; raises NotFound (with the remedy), or InvalidInput where it is open to others or no key."""
    pem = read_secret(path, title, remedy)
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InvalidInput(f"{title}文件 {path} 不是 PEM 私钥；请从密钥备份恢复。", path=str(path)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidInput(f"{title}文件 {path} 不是 Ed25519 私钥；请从密钥备份恢复。", path=str(path))
    return key
