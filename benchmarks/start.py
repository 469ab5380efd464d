"""Start of the command: ``jixiao --help`` against ``python -c pass``, in turn, as a ratio."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main(runs: int = 15) -> None:
    """Prints both medians and the ratio, pair by pair."""
    jixiao = [str(Path(sys.executable).with_name("jixiao")), "--help"]
    nothing = [sys.executable, "-c", "pass"]
    pairs = [(_seconds(jixiao), _seconds(nothing)) for _ in range(runs + 1)][1:]
    ours, floor = (statistics.median(column) * 1000 for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"jixiao --help {ours:.0f} ms, python -c pass {floor:.0f} ms, ratio {ratio:.1f}")
