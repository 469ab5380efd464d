"""A cold receipt and the tree's storage: 1,000,000 events in SQLite (or ``JIXIAO_EVENTS``).

Cold is a new transaction and a tree that has read nothing yet; the file's pages may lie in the system's cache.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from audit.checkpoints import sign_checkpoint
from audit.journal import MAIN_LOG
from audit.receipts import make_receipt
from audit.storage import StoredTree
from audit.tileexport import export_tiles
from audit.tilefolder import TileFolder
from benchmarks.bulk_log import BEGAN, fill_log, make_log
from benchmarks.transition import taped
from models.engine import transaction

RUNS = 300


def main(events: int = 0) -> None:
    """Prints milliseconds per receipt, tiles read, hashes, bytes per event, and the export's time."""
    events = events or int(os.environ.get("JIXIAO_EVENTS", "1000000"))
    with tempfile.TemporaryDirectory() as name:
        engine, signer = make_log(Path(name))
        began = time.perf_counter()
        fill_log(engine, events)
        sign_checkpoint(engine, signer, now=BEGAN)
        print(f"{events:,} events made in {time.perf_counter() - began:.0f} s")
        _receipts(engine, events)
        _storage(engine, events)
        _export(engine, Path(name), events)
        engine.dispose()


def _receipts(engine: sa.Engine, events: int) -> None:
    times, read, hashes = [], [], []
    tile = StoredTree.tile
    asked: set[tuple[int, int]] = set()

    def counted(self: StoredTree, level: int, number: int) -> bytes:
        asked.add((level, number))
        return tile(self, level, number)

    chosen = random.Random(1).sample(range(events), min(RUNS, events))
    for index in chosen:
        began = time.perf_counter()
        with transaction(engine, read_only=True) as work:
            make_receipt(work, index)
        times.append(time.perf_counter() - began)
    StoredTree.tile = counted  # type: ignore[method-assign]
    try:
        for index in chosen:
            asked.clear()
            with transaction(engine, read_only=True) as work:
                hashes.append(len(make_receipt(work, index).hashes))
            read.append(len(asked))
    finally:
        StoredTree.tile = tile  # type: ignore[method-assign]
    with taped() as tape, transaction(engine, read_only=True) as work:
        make_receipt(work, chosen[0])
        statements = list(tape)
    times = sorted(times[1:])
    print(
        f"cold receipt median {statistics.median(times) * 1e3:.2f} ms, p99 {times[len(times) * 99 // 100] * 1e3:.2f} ms;"
        f" at most {max(read)} tiles and {max(hashes)} hashes, {len(statements)} statements"
    )


def _storage(engine: sa.Engine, events: int) -> None:
    with engine.connect() as connection:
        tiles = connection.execute(sa.text("SELECT sum(length(h)) FROM audit_tile")).scalar_one()
        head = connection.execute(sa.text("SELECT length(frontier) + length(edge) FROM audit_head")).scalar_one()
        pages = connection.execute(
            sa.text("SELECT sum(pgsize) FROM dbstat WHERE name IN ('audit_tile', 'audit_head')")
        ).scalar_one()
        leaf = connection.execute(sa.text("SELECT sum(length(leaf)) FROM audit_entry")).scalar_one()
    print(
        f"tree storage {(tiles + head) / events:.2f} bytes an event ({pages / events:.2f} with the database's pages);"
        f" the leaf column of the entries has {leaf / events:.0f} more"
    )


def _export(engine: sa.Engine, folder: Path, events: int) -> None:
    for what in ("whole", "again"):
        began = time.perf_counter()
        with transaction(engine, read_only=True) as work:
            done = export_tiles(work, TileFolder(folder / "tiles"), log=MAIN_LOG)
        seconds = time.perf_counter() - began
        print(f"export {what} {seconds:.1f} s ({events / seconds:,.0f} events/s), {done.written} files written")
