"""Secrets in files: the signer's Ed25519 key with the last head it signed, and the outbox key.

The last head stands in a file of its own, outside the database: a database that was restored from a backup, cut or
rewritten then no longer continues it, and the signer refuses. The file holds the signed note itself, so that a changed
head file is noticed as well.
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

from audit.notes import CheckpointText, VerifierKey, check_name, open_checkpoint, sign_note
from audit.tree import EMPTY_ROOT, verify_consistency
from models.errors import Conflict, InvalidInput, LogCorrupt, NotFound

MAC_KEY_BYTES = 32
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
    """Signs checkpoints with a key from a file, and never two that do not continue each other."""

    def __init__(self, path: Path, name: str, key: Ed25519PrivateKey, *, head_path: Path | None = None) -> None:
        self.name = name
        self.path = path
        self.head_path = head_path or path.with_name(path.name + ".head")
        self.key = VerifierKey(name, key.public_key().public_bytes_raw())
        self._private = key

    @classmethod
    def create(cls, path: Path, name: str, *, head_path: Path | None = None) -> Signer:
        """Makes a key (PEM, PKCS #8, mode 0600); raises Conflict where the file exists and InvalidInput for a bad name.

        The last head is kept in ``head_path``, by default beside the key with ``.head`` added to its name.
        """
        check_name(name)
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _create_secret(path, pem, "签名私钥")
        return cls(path, name, key, head_path=head_path)

    @classmethod
    def load(cls, path: Path, name: str, *, vkey: str | None = None, head_path: Path | None = None) -> Signer:
        """The key in a file.

        Raises NotFound where it is missing, InvalidInput where it is open to others or no key, and LogCorrupt where it is
        not the private half of ``vkey``.
        """
        pem = _read_secret(path, "签名私钥", "请从密钥备份恢复到该路径；不要新建，新私钥签不出原日志的检查点")
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise InvalidInput(f"签名私钥文件 {path} 不是 PEM 私钥；请从密钥备份恢复。", path=str(path)) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise InvalidInput(f"签名私钥文件 {path} 不是 Ed25519 私钥；请从密钥备份恢复。", path=str(path))
        signer = cls(path, check_name(name), key, head_path=head_path)
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

    def last_head(self) -> SignedHead | None:
        """The last head signed, or None before the first; raises LogCorrupt where the file was changed."""
        try:
            note = self.head_path.read_bytes().decode()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise LogCorrupt(f"无法读取签名头文件 {self.head_path}（{error}）；请停止签名并调查。") from error
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
        lock = os.open(self.head_path.with_name(self.head_path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
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
        last = self.last_head()
        if last is not None:
            if last.text.size == size and last.text.root == root:
                return last.note
            self._check_continues(last.text, size, root, prove)
        note = str(sign_note(str(CheckpointText(self.name, size, root)), self.name, self._private))
        _replace(self.head_path, note.encode())
        return note

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
            _replace(self.head_path, note.encode())


def create_mac_key(path: Path) -> bytes:
    """Makes the key that guards outbox rows (32 random bytes, mode 0600); raises Conflict where the file exists."""
    key = os.urandom(MAC_KEY_BYTES)
    _create_secret(path, key, "发件箱密钥")
    return key


def load_mac_key(path: Path) -> bytes:
    """The outbox key; raises NotFound where the file is missing, InvalidInput where it is open to others or cut short."""
    key = _read_secret(path, "发件箱密钥", "请从密钥备份恢复到该路径；多台服务器必须使用同一个文件")
    if len(key) != MAC_KEY_BYTES:
        raise InvalidInput(f"发件箱密钥文件 {path} 应为 {MAC_KEY_BYTES} 字节；请从密钥备份恢复。", path=str(path))
    return key


def _read_secret(path: Path, title: str, remedy: str) -> bytes:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise InvalidInput(f"{title}文件 {path} 的权限过宽；请运行 chmod 600 {path}。", path=str(path))
            return file.read()
    except FileNotFoundError as error:
        raise NotFound(f"{title}文件 {path} 不存在；{remedy}。", path=str(path)) from error
    except OSError as error:
        raise InvalidInput(f"无法读取{title}文件 {path}（{error.strerror}）；请检查权限。", path=str(path)) from error


def _create_secret(path: Path, data: bytes, title: str) -> None:
    # A hard link fails where the name exists, so a key is never overwritten, and never half there.
    temporary = _write_beside(path, data)
    try:
        path.hardlink_to(temporary)
    except FileExistsError as error:
        raise Conflict(f"{title}文件 {path} 已经存在，没有改动它；如需新密钥请换一个路径。", path=str(path)) from error
    finally:
        temporary.unlink()
    _sync_folder(path.parent)


def _replace(path: Path, data: bytes) -> None:
    # Rename is atomic; without the folder's fsync it could be undone by a power cut after the signature is out.
    _write_beside(path, data).replace(path)
    _sync_folder(path.parent)


def _write_beside(path: Path, data: bytes) -> Path:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        temporary.unlink()  # a full disk must not leave a piece of a key behind
        raise
    return temporary


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
