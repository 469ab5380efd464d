"""The long fuzz of the file readers (``make fuzz``): damaged files of each kind through reader, assembler and checker.

Runs on all cores and says what it does. Whatever is raised but a refusal is printed with the bytes kept in ``var/fuzz``, so
that the case can become a test; the seed is printed, and the same seed makes the same inputs. Where atheris is installed,
``--atheris KIND`` looks for inputs by coverage instead, in one process, until it is stopped.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "unit" / "reading")]

from damaged_files import KINDS, source_of  # noqa: E402 -- the folder of the tests comes first

from documents.reading.sources.kinds import SourceKind  # noqa: E402
from tests.fuzz.running import OUT, SECONDS, limit, outcome_of, run, say  # noqa: E402

# One task of a process: large enough to pay for its start, small enough to see how it goes.
CHUNK = 250
# So many tasks are run by one process before it is replaced.
_TASKS = 8
# The kind of file, the seed, and how many inputs.
Task = tuple[SourceKind, int, int]


def main() -> None:
    """Fuzzes the kinds named, or all."""
    wanted = _arguments()
    if wanted.atheris:
        _by_coverage(SourceKind(wanted.atheris))
        return
    kinds = [SourceKind(name) for name in wanted.kind] or [*KINDS, *_xls()]
    start = wanted.seed if wanted.seed is not None else random.randrange(2**32)
    each = -(-wanted.count // len(kinds))
    say(f"seed {start}: {each} inputs of each of {', '.join(kinds)}, {wanted.jobs} processes")
    tasks = [(kind, start + at, min(CHUNK, each - at)) for at in range(0, each, CHUNK) for kind in kinds]
    total: Counter[str] = Counter()
    began = said = time.monotonic()
    for number, outcomes in enumerate(_outcomes(tasks, wanted.jobs), start=1):
        total += outcomes
        if time.monotonic() - said > 10 or number == len(tasks):
            said = time.monotonic()
            done = sum(total[f"{kind} {outcome}"] for kind in kinds for outcome in ("read", "refused"))
            say(f"{said - began:6.0f} s {done:7} inputs, failed {_sum(total, 'failed')}")
    for name, count in sorted(total.items()):
        say(f"{name:16} {count}")
    sys.exit(bool(_sum(total, "failed")))


def _outcomes(tasks: Sequence[Task], jobs: int) -> Iterator[Counter[str]]:
    """What came of each task; one that takes its process down is told with its seed, and ends no other."""
    # New processes now and then: what hypothesis keeps of one run would count against the memory of the next. (The
    # executor's own max_tasks_per_child can hang in Python 3.11.)
    for begin in range(0, len(tasks), _TASKS * jobs):
        left = list(tasks[begin : begin + _TASKS * jobs])
        try:
            with _pool(jobs) as pool:
                running = {pool.submit(run, *task): task for task in left}
                for future in as_completed(running):
                    outcomes = future.result()
                    left.remove(running[future])
                    yield outcomes
        except BrokenProcessPool:
            # Any of those that were left may be the one; each is tried in a process of its own.
            for task in left:
                yield _alone(task)


def _alone(task: Task) -> Counter[str]:
    kind, start, count = task
    try:
        with _pool(1) as pool:
            return pool.submit(run, *task).result()
    except BrokenProcessPool:
        say(f"a process ended: {kind}, seed {start}, {count} inputs")
        return Counter({f"{kind} failed": 1})


def _pool(jobs: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("kind", nargs="*", help="text, docx, xlsx, ods, html, pdf, xls (default: all)")
    parser.add_argument("--count", type=int, default=100_000, help="inputs in all (default: 100,000)")
    parser.add_argument("--seed", type=int, help="the seed of an earlier run")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes (default: each core)")
    parser.add_argument("--atheris", metavar="KIND", help="by coverage, where atheris is installed")
    return parser.parse_args()


def _xls() -> list[SourceKind]:
    """xls where there is a program to make one."""
    try:
        source_of(SourceKind.XLS)
    except FileNotFoundError:
        say("no LibreOffice here, so no xls")
        return []
    return [SourceKind.XLS]


def _sum(total: Counter[str], outcome: str) -> int:
    return sum(count for name, count in total.items() if name.endswith(f" {outcome}"))


def _by_coverage(kind: SourceKind) -> None:
    """Fuzzes one kind until it is stopped, from the sound file on; libFuzzer's own arguments are its defaults."""
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed; the run without --atheris needs only hypothesis")
    limit()
    corpus = OUT / f"corpus-{kind}"
    corpus.mkdir(parents=True, exist_ok=True)
    (corpus / "sound").write_bytes(source_of(kind))
    atheris.instrument_all()

    def one(data: bytes) -> None:
        if outcome_of(data, kind) == "failed":
            raise RuntimeError(f"see {OUT}")

    atheris.Setup([sys.argv[0], str(corpus), "-max_len=1000000", f"-timeout={2 * SECONDS}"], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
