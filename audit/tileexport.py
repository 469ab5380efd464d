"""Export of a log into a folder of tiles, up to its newest checkpoint; what is there already is not written again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from audit import tiles
from audit.journal import MAIN_LOG
from audit.signedheads import OutgoingHead, outgoing_head
from audit.storage import Head, StoredTree, read_head
from audit.tilefolder import LENGTH_BYTES, TileFolder, bundle, entries_path
from audit.tree import HASH_BYTES
from audit.verdicts import Progress
from models.engine import Work
from models.errors import InvalidInput, LogCorrupt
from models.log import AuditEntry
from models.prepared import Prepared

_RANGE = (
    AuditEntry.log == sa.bindparam("log"),
    AuditEntry.idx >= sa.bindparam("start"),
    AuditEntry.idx < sa.bindparam("end"),
)
_BODIES = Prepared(sa.select(AuditEntry.body).where(*_RANGE).order_by(AuditEntry.idx))
_LENGTH = Prepared(sa.select(sa.func.count(), sa.func.sum(sa.func.length(AuditEntry.body))).where(*_RANGE))


@dataclass(frozen=True, slots=True)
class TileExport:
    """What was exported: the checkpoint's origin, size and root, and how many files were written anew."""

    origin: str
    size: int
    root: bytes
    written: int


def export_tiles(
    work: Work, folder: TileFolder, *, log: str = MAIN_LOG, progress: Progress | None = None
) -> TileExport:
    """Brings a folder up to the newest checkpoint; ``progress(done, total)`` counts entries.

    A folder that was exported to before is a witness: the log must continue the checkpoint in it. The checkpoint is
    written last, so that a folder never promises tiles that it has not. Raises InvalidInput for a folder that is damaged or
    another log's, Conflict where another process writes into it, NotFound without a checkpoint, and LogCorrupt where entries
    or tiles are missing, or the log does not continue what the folder says.
    """
    with folder.writing():
        # In this order: the log may grow and be signed meanwhile, and a head older than the checkpoint would look cut off.
        outgoing, head = outgoing_head(work, log=log), read_head(work, log)
        size = outgoing.text.size
        _require_whole(StoredTree(work, log, head), outgoing)
        known = _known_size(folder, StoredTree(work, log, head), outgoing)
        run = _Export(work, log, head, folder, known)
        for number, width in _numbers(size, 0):
            run.entries(number, width)
            if progress is not None:
                progress(number * tiles.WIDTH + width, size)
        level = 0
        while size >> tiles.HEIGHT * level:
            for number, width in _numbers(size, level):
                run.hashes(level, number, width)
            level += 1
        if folder.note() != outgoing.note:
            folder.write("checkpoint", outgoing.note.encode(), sync=True)
            run.written += 1
        run.drop_partials()
    return TileExport(outgoing.text.origin, size, outgoing.text.root, run.written)


def _numbers(size: int, level: int) -> Iterator[tuple[int, int]]:
    """Number and width of each tile at a level, the partial one last."""
    full = tiles.tile_count(size, level)
    for number in range(full):
        yield number, tiles.WIDTH
    width = tiles.partial_width(size, level)
    if width:
        yield full, width


def _require_whole(stored: StoredTree, outgoing: OutgoingHead) -> None:
    if stored.head.size < outgoing.text.size or stored.root(outgoing.text.size) != outgoing.text.root:
        raise LogCorrupt(
            f"审计日志“{stored.log}”与它自己的检查点（{outgoing.text.size} 条）不符，没有导出；"
            "请停止使用并运行 jixiao audit verify。",
            size=stored.head.size,
        )


def _known_size(folder: TileFolder, stored: StoredTree, outgoing: OutgoingHead) -> int:
    """The size up to which the folder holds this log; 0 where it has no checkpoint yet."""
    said = folder.said()
    if said is None:
        return 0
    if said.origin != outgoing.text.origin:
        raise InvalidInput(
            f"文件夹 {folder.path} 是日志“{said.origin}”的，不是“{outgoing.text.origin}”的；请指定另一个文件夹。"
        )
    if said.size > outgoing.text.size or stored.root(said.size) != said.root:
        raise LogCorrupt(
            f"审计日志“{stored.log}”（已签 {outgoing.text.size} 条）不是文件夹里检查点（{said.size} 条）的延续：数据库被回退或改写，"
            "或文件夹里的检查点被改动过；没有写入，请保留两者并调查。",
            exported=said.size,
            size=outgoing.text.size,
        )
    if folder.root(said.size) != said.root:
        raise InvalidInput(f"文件夹 {folder.path} 里的瓦片与它的检查点不符，已经损坏；请导出到一个新的文件夹。")
    return said.size


class _Export:
    """The files of one export; of the log it holds one tile or bundle at a time."""

    def __init__(self, work: Work, log: str, head: Head, folder: TileFolder, known: int) -> None:
        self._work = work
        self._log = log
        self._head = head
        self._folder = folder
        self._known = known
        self._completed: list[str] = []
        self.written = 0

    def entries(self, number: int, width: int) -> None:
        """An entry bundle."""
        place = {"start": number * tiles.WIDTH, "end": number * tiles.WIDTH + width}
        found = self._work.one(_LENGTH, log=self._log, **place)
        count, length = found if found is not None else (0, 0)
        if count != width:
            raise LogCorrupt(
                f"审计日志“{self._log}”第 {place['start']} 至 {place['end'] - 1} 条中缺少 {width - count} 条，没有导出完；"
                "请停止使用并运行 jixiao audit verify。",
                index=place["start"],
            )
        self._write(
            entries_path(number),
            width,
            place["end"],
            int(length) + LENGTH_BYTES * width,
            lambda: bundle([bytes(row[0]) for row in self._work.rows(_BODIES, log=self._log, **place)]),
        )

    def hashes(self, level: int, number: int, width: int) -> None:
        """A tile of hashes. A tree of its own reads it, since a tree keeps each tile that it has read."""
        self._write(
            tiles.tile_path(level, number),
            width,
            (number * tiles.WIDTH + width) << tiles.HEIGHT * level,
            width * HASH_BYTES,
            lambda: StoredTree(self._work, self._log, self._head).tile(level, number)[: width * HASH_BYTES],
        )

    def _write(self, full: str, width: int, end: int, length: int, data: Callable[[], bytes]) -> None:
        name = full if width == tiles.WIDTH else f"{full}.p/{width}"
        # Files beyond the checkpoint come from an export that was broken off, perhaps of a history that was given up since.
        if end <= self._known and self._folder.holds(name, length):
            return
        self._folder.write(name, data())
        self.written += 1
        if width == tiles.WIDTH:
            self._completed.append(full)

    def drop_partials(self) -> None:
        """Removes partial tiles that full ones of this export have replaced."""
        for name in self._completed:
            self._folder.drop_partial(name)
