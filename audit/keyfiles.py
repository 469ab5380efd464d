"""Secrets in files that only their owner reads: written whole or not at all, and never overwritten."""

from __future__ import annotations

import os
from pathlib import Path

from models.errors import Conflict, InvalidInput, NotFound

SECRET_BYTES = 32


def create_mac_key(path: Path) -> bytes:
    """Makes the key that guards outbox rows (32 random bytes, mode 0600); raises Conflict where the file exists."""
    return _create_random(path, "发件箱密钥")


def load_mac_key(path: Path) -> bytes:
    """The outbox key; raises NotFound where the file is missing, InvalidInput where it is open to others or cut short."""
    return _load_random(path, "发件箱密钥", "请从密钥备份恢复到该路径；多台服务器必须使用同一个文件")


def create_seal_key(path: Path) -> bytes:
    """Makes the key that wraps the keys of persons (32 random bytes, mode 0600); raises Conflict where the file exists."""
    return _create_random(path, "密封密钥")


def load_seal_key(path: Path) -> bytes:
    """The sealing key; raises NotFound where the file is missing, InvalidInput where it is open to others or cut short."""
    return _load_random(path, "密封密钥", "没有它，已密封的个人信息再也打不开；请从密钥备份恢复到该路径")


def _create_random(path: Path, title: str) -> bytes:
    key = os.urandom(SECRET_BYTES)
    create_secret(path, key, title)
    return key


def _load_random(path: Path, title: str, remedy: str) -> bytes:
    key = read_secret(path, title, remedy)
    if len(key) != SECRET_BYTES:
        raise InvalidInput(f"{title}文件 {path} 应为 {SECRET_BYTES} 字节；请从密钥备份恢复。", path=str(path))
    return key


def read_secret(path: Path, title: str, remedy: str) -> bytes:
    """The bytes of a secret; raises NotFound with the remedy, or InvalidInput where others may read the file."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise InvalidInput(f"{title}文件 {path} 的权限过宽；请运行 chmod 600 {path}。", path=str(path))
            return file.read()
    except FileNotFoundError as error:
        raise NotFound(f"{title}文件 {path} 不存在；{remedy}。", path=str(path)) from error
    except OSError as error:
        raise InvalidInput(f"无法读取{title}文件 {path}（{error.strerror}）；请检查权限。", path=str(path)) from error


def create_secret(path: Path, data: bytes, title: str) -> None:
    """Writes a secret (mode 0600) where there is no file yet; raises Conflict where there is one."""
    # A hard link fails where the name exists, so a key is never overwritten, and never half there.
    temporary = _write_beside(path, data)
    try:
        path.hardlink_to(temporary)
    except FileExistsError as error:
        raise Conflict(f"{title}文件 {path} 已经存在，没有改动它；如需新密钥请换一个路径。", path=str(path)) from error
    finally:
        temporary.unlink()
    _sync_folder(path.parent)


def replace_file(path: Path, data: bytes) -> None:
    """Puts a file (mode 0600) in the place of the old one, on disk before this returns."""
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
