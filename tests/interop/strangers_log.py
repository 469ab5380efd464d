"""One log of 70,000 events as strangers get it: a folder of tiles, a public key, an old checkpoint, receipts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from audit.checkpoints import sign_checkpoint
from audit.notes import parse_checkpoint, parse_note
from audit.receipts import SUFFIX, make_receipts
from audit.tileexport import export_tiles
from audit.tilefolder import TileFolder, entries_path
from benchmarks.bulk_log import BEGAN, fill_log, make_log
from models.engine import transaction

SIZE = 70_000
# Neither is a multiple of a tile's width, so that every kind of partial tile is there.
OLD = 41_003
# An entry that has a receipt, in the middle of a bundle.
VICTIM = 12_345
PROVED = sorted({0, 255, 256, VICTIM, OLD - 1, OLD, 65_535, 65_536, SIZE - 1, *range(7, SIZE, 701)})


@dataclass(frozen=True)
class Handed:
    """What a stranger is given."""

    tiles: Path
    vkey: Path
    old: Path
    receipts: Path

    @property
    def root(self) -> str:
        """The signed root, hexadecimal."""
        return parse_checkpoint(parse_note((self.tiles / "checkpoint").read_text("utf-8")).text).root.hex()


def handed(folder: Path) -> Handed:
    return Handed(folder / "tiles", folder / "vkey.txt", folder / "old.txt", folder / "receipts")


def make_handed(folder: Path) -> None:
    """Makes the log in SQLite and everything that is handed out of it."""
    engine, signer = make_log(folder)
    out = handed(folder)
    fill_log(engine, OLD)
    old = sign_checkpoint(engine, signer, now=BEGAN)
    fill_log(engine, SIZE)
    sign_checkpoint(engine, signer, now=BEGAN)
    assert old is not None
    out.old.write_text(old.note, "utf-8")
    out.vkey.write_text(signer.vkey + "\n", "utf-8")
    out.receipts.mkdir()
    with transaction(engine, read_only=True) as work:
        export_tiles(work, TileFolder(out.tiles))
        for body, receipt in make_receipts(work, PROVED):
            path = out.receipts / f"{receipt.index:06d}{SUFFIX}"
            path.write_text(str(receipt), "utf-8")
            path.with_suffix(".json").write_bytes(body)
    engine.dispose()


def changed(original: Handed, folder: Path, name: str, change: Callable[[bytes], bytes]) -> Handed:
    """What was handed out with one file of the tiles changed; the others are the same files."""
    shutil.copytree(original.tiles, folder / "tiles", copy_function=os.link)
    path = folder / "tiles" / name
    data = change(path.read_bytes())
    path.unlink()
    path.write_bytes(data)
    return Handed(folder / "tiles", original.vkey, original.old, original.receipts)


def one_byte_of(index: int) -> tuple[str, Callable[[bytes], bytes]]:
    """The bundle of an entry, and the change of one byte in that entry's text."""

    def change(data: bytes) -> bytes:
        place = 0
        for _ in range(index % 256):
            place += 2 + int.from_bytes(data[place : place + 2], "big")
        target = place + 20
        return data[:target] + bytes([data[target] ^ 1]) + data[target + 1 :]

    return entries_path(index // 256, min(256, SIZE - index // 256 * 256)), change
