"""A log as files in the layout of C2SP ``tlog-tiles``: readable without this program and without a database.

::

    checkpoint                   the newest signed checkpoint, with the witnesses' signatures
    tile/<L>/<N>[.p/<W>]         hashes of level L, 32 bytes each: 256 of them, or W in a partial tile
    tile/entries/<N>[.p/<W>]     entry bundles: of each entry its length in two bytes (big-endian), then its bytes as hashed

A partial tile may be missing where the full one is there; its hashes are then the first of those.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from audit import tiles
from audit.notes import CheckpointText, VerifierKey, open_checkpoint, parse_checkpoint, parse_note
from audit.tree import EMPTY_ROOT, HASH_BYTES
from models.errors import Conflict, InvalidInput, LogCorrupt

LENGTH_BYTES = 2
_LARGEST_NOTE = 64 * 1024


def entries_path(number: int, width: int = tiles.WIDTH) -> str:
    """Path of an entry bundle: ``tile/entries/x001/x234/067``, with ``.p/width`` where it is partial."""
    return tiles.tile_path(0, number, width).replace("tile/0/", "tile/entries/", 1)


def bundle(bodies: Sequence[bytes]) -> bytes:
    """The bytes of an entry bundle (C2SP tlog-tiles "Log entries")."""
    return b"".join(len(body).to_bytes(LENGTH_BYTES, "big") + body for body in bodies)


@dataclass(frozen=True, slots=True)
class TileFolder:
    """A folder of tiles; what is read is checked for its length only, since the hashes prove the rest."""

    path: Path

    def note(self) -> str | None:
        """The checkpoint's note, or None where the folder has none (or does not exist yet)."""
        try:
            with (self.path / "checkpoint").open("rb") as file:
                return file.read(_LARGEST_NOTE + 1).decode()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(f"读不出 {self.path / 'checkpoint'}；请换一份完整的瓦片文件夹。") from error

    def said(self) -> CheckpointText | None:
        """What the checkpoint says, whoever signed it; raises InvalidInput where it is none."""
        note = self.note()
        return None if note is None else parse_checkpoint(parse_note(note).text)

    def checkpoint(self, keys: Sequence[VerifierKey]) -> CheckpointText:
        """What the checkpoint says, signed by a trusted key and fitting the tiles.

        Raises InvalidInput where it is missing or damaged, LogCorrupt where it was signed by somebody else, or belongs to
        other tiles.
        """
        note = self.note()
        if note is None:
            raise InvalidInput(f"文件夹 {self.path} 中没有 checkpoint 文件；请换一份完整的瓦片文件夹。")
        found = open_checkpoint(note, keys)
        if self.root(found.size) != found.root:
            raise LogCorrupt(
                f"文件夹 {self.path} 的检查点（{found.size} 条）与其中的瓦片不符；检查点属于别的日志，或瓦片被改动过。",
                size=found.size,
            )
        return found

    def hashes(self, level: int, number: int, width: int = tiles.WIDTH) -> bytes:
        """The first ``width`` hashes of a tile; raises InvalidInput where the tile is missing or of another length."""
        data, stored_width = self._read(tiles.tile_path(level, number), width)
        if len(data) != stored_width * HASH_BYTES:
            raise InvalidInput(
                f"瓦片 {tiles.tile_path(level, number, stored_width)} 残缺：应有 {stored_width * HASH_BYTES} 字节，"
                f"实有 {len(data)} 字节；请换一份完整的瓦片文件夹。",
                level=level,
                tile=number,
            )
        return data[: width * HASH_BYTES]

    def entries(self, number: int, width: int = tiles.WIDTH) -> list[bytes]:
        """The first ``width`` entries of a bundle; raises InvalidInput where it is missing or cut short."""
        data, stored_width = self._read(entries_path(number), width)
        found: list[bytes] = []
        place = 0
        while place < len(data) and len(found) < stored_width:
            start = place + LENGTH_BYTES
            place = start + int.from_bytes(data[place:start], "big")
            found.append(data[start:place])
        if place != len(data) or len(found) != stored_width:
            raise InvalidInput(
                f"条目包 {entries_path(number, stored_width)} 残缺：应正好有 {stored_width} 条；请换一份完整的瓦片文件夹。",
                tile=number,
            )
        return found[:width]

    def _read(self, full: str, width: int) -> tuple[bytes, int]:
        # A partial tile may have been dropped once the full one was there.
        for name, stored_width in ((full, tiles.WIDTH), (f"{full}.p/{width}", width)):
            with contextlib.suppress(FileNotFoundError):
                try:
                    return (self.path / name).read_bytes(), stored_width
                except (IsADirectoryError, PermissionError) as error:
                    raise InvalidInput(f"读不出 {self.path / name}（{error.strerror}）；请检查权限。") from error
        raise InvalidInput(f"瓦片文件夹缺少 {name}；请换一份完整的瓦片文件夹。", path=name)

    def root(self, size: int) -> bytes:
        """The root of ``size`` leaves from the tiles; a handful of them is read. Raises as ``hashes`` does."""

        def read(level: int, number: int) -> bytes:
            full = number < tiles.tile_count(size, level)
            return self.hashes(level, number, tiles.WIDTH if full else tiles.partial_width(size, level))

        return tiles.range_root(0, size, read) if size else EMPTY_ROOT

    def require_usable(self) -> None:
        """Raises InvalidInput where the path is a file, or a folder with other things in it; makes nothing."""
        if self.path.exists() and (not self.path.is_dir() or (self.note() is None and any(self._strangers()))):
            raise InvalidInput(f"{self.path} 里有别的东西，不是瓦片文件夹；请指定一个新的或空的文件夹。")

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Makes the folder and locks it; raises InvalidInput as above, and Conflict where another process writes into it.

        The lock is on the folder itself, so that no file is left in what others are given.
        """
        self.require_usable()
        self.path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Conflict(f"另一个进程正在写入 {self.path}；请等它结束后重试。") from None
            yield
        finally:
            os.close(descriptor)

    def _strangers(self) -> Iterator[Path]:
        # An export that was broken off has left tiles and no checkpoint; the next one goes on with them.
        return (item for item in self.path.iterdir() if item.name != "tile")

    def holds(self, name: str, length: int) -> bool:
        """Whether a file is there with this many bytes."""
        try:
            return (self.path / name).stat().st_size == length
        except FileNotFoundError:
            return False

    def write(self, name: str, data: bytes, *, sync: bool = False) -> None:
        """Writes a file whole or not at all; ``sync`` waits until it is on disk.

        Tiles are not waited for: what a power cut leaves of them has another length and is written again.
        """
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with temporary.open("wb") as file:
                file.write(data)
                if sync:
                    file.flush()
                    os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def drop_partial(self, name: str) -> None:
        """Removes the partial tiles of a full one (C2SP tlog-tiles "Partial Tiles")."""
        shutil.rmtree(self.path / f"{name}.p", ignore_errors=True)
