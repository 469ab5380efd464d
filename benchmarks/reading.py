"""Reading and checking a text of the seed's shape: milliseconds, median of 30 after a warm-up."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from documents.checking import check
from documents.reading import read_text

ROOT = Path(__file__).parents[1]


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
