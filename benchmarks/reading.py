"""Reading and checking a text of the seed's shape, as text and as files of other kinds: milliseconds, medians after a warm-up."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from documents.checking import check
from documents.reading import Limits, read_file, read_text

ROOT = Path(__file__).parents[1]
# The files are made as the tests make them.
sys.path.append(str(ROOT / "tests" / "unit" / "reading"))
# What is measured is how long it takes, not whether a busy machine is in time.
LIMITS = Limits(seconds=120)
LONG_PROJECTS = 55


def _median(function: Callable[[], object], runs: int = 30) -> float:
    function()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def main() -> None:
    """Prints the seed (where it is at hand) and the sample."""
    seed = Path(os.environ.get("JIXIAO_SEED", ROOT.parent / "shared" / "seed-2021-kexie.txt"))
    for name, path in (("seed", seed), ("sample", ROOT / "examples" / "library-2021.txt")):
        if not path.is_file():
            print(f"{name:8} not here")
            continue
        data = path.read_bytes()
        content = read_text(data).content
        reading, checking = _median(partial(read_text, data)), _median(partial(check, content))
        print(f"{name:8} read {reading:6.1f} ms   check {checking:6.2f} ms")
        _files(name, data.decode())


def _files(name: str, text: str) -> None:
    """Prints how long the same text takes as a file of each kind, its reading process included."""
    import made_files

    blocks = made_files.blocks_of(text)
    for kind, make in made_files.MAKERS.items():
        took = _median(partial(read_file, make(blocks), limits=LIMITS), runs=7)
        print(f"{name:8} as {kind:5} {took:8.1f} ms")
    title = next(at for at, block in enumerate(blocks) if isinstance(block, str) and block.endswith("绩效目标表"))
    long = made_files.as_pdf([*blocks[:title], *blocks[title:] * LONG_PROJECTS])
    read = read_file(long, limits=LIMITS)
    took = _median(partial(read_file, long, limits=LIMITS), runs=3)
    print(f"{name:8} long pdf {took:8.1f} ms   {max(read.pages)} pages, {len(read.content.projects)} projects")
