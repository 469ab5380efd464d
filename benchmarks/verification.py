"""Verification of a large log on SQLite against the floor: reading its rows and hashing the bodies, with nothing compared.

``python -m benchmarks.verification --events 100000`` for a smaller log. All levels run in turn, some rounds, each against the
mean of the floors before and after it.
"""

from __future__ import annotations

import argparse
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from audit.verdicts import Level, Verdict
from audit.verification import verify
from benchmarks.generated_log import build
from models.engine import make_engine

EVENTS = 1_000_000
ROUNDS = 3
# Name, level, jobs, and the ratio that should not be passed.
RUNS = (
    ("head", Level.HEAD, 1, 0.7),
    ("tiles", Level.TILES, 1, 0.7),
    ("full", Level.FULL, 1, 1.6),
    ("strict", Level.STRICT, 1, 3.6),
    ("full, 2 jobs", Level.FULL, 2, 1.2),
    ("strict, 2 jobs", Level.STRICT, 2, 3.6),
)
MOST_MEMORY = 150


def floor(path: Path) -> None:
    """Reads every row and hashes every body."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT idx, body, leaf FROM audit_entry WHERE log = 'main' ORDER BY idx")
    for _index, body, _leaf in rows:
        sha256(body).digest()
    connection.close()


def check(path: Path, level: Level, jobs: int) -> Verdict:
    """Verifies the log in the file."""
    engine = make_engine(f"sqlite:///{path}")
    verdict = verify(engine, level=level, jobs=jobs)
    engine.dispose()
    if not verdict.ok:
        sys.exit(f"the log is not intact: {verdict.problems}")
    return verdict


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of this process's processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def peak(path: Path, level: Level, jobs: int) -> str:
    """Peak memory in MB of a process of its own and of the largest of its children."""
    command = [sys.executable, "-m", "benchmarks.verification", "--file", str(path), level.value, str(jobs)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def main(events: int = EVENTS, rounds: int = ROUNDS) -> None:
    """Prints each level's time against the floor, and its memory."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "log.db"
        build(path, events)
        floor(path)
        walls: dict[str, list[float]] = {run[0]: [] for run in RUNS}
        processors: dict[str, list[float]] = {run[0]: [] for run in RUNS}
        floors = [seconds(lambda: floor(path))]
        for _ in range(rounds):
            for title, level, jobs, _limit in RUNS:
                took = seconds(lambda level=level, jobs=jobs: check(path, level, jobs))
                floors.append(seconds(lambda: floor(path)))
                for kept, place in ((walls, 0), (processors, 1)):
                    kept[title].append(2 * took[place] / (floors[-1][place] + floors[-2][place]))
        wall, processor = (statistics.median(column) / events * 1e6 for column in zip(*floors, strict=True))
        print(f"floor: {wall:.2f} µs an event (processor {processor:.2f}), {events} events, median of {rounds} rounds")
        for title, level, jobs, limit in RUNS:
            ratio = statistics.median(walls[title])
            alone = f"   processor {statistics.median(processors[title]):5.2f}" if jobs == 1 else " " * 18
            print(
                f"{title:15} {ratio:5.2f} x{alone}   goal {limit}   memory {peak(path, level, jobs)} MB of {MOST_MEMORY}"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--file", type=Path)
    parser.add_argument("run", nargs="*")
    given = parser.parse_args()
    if given.file:
        check(given.file, Level(given.run[0]), int(given.run[1]))
        own, child = (
            resource.getrusage(who).ru_maxrss // 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        print(f"{own} + {child}" if child else own)
    else:
        main(given.events, given.rounds)
