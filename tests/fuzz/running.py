"""What a process of the fuzz does: damaged files of one kind, one after the other, and what came of each."""

from __future__ import annotations

import hashlib
import logging
import os
import resource
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "unit" / "reading")]

from damaged_files import damaged, read_or_refused  # noqa: E402 -- the folder of the tests comes first
from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: E402

from documents.reading.sources.kinds import SourceKind  # noqa: E402

OUT = ROOT / "var" / "fuzz"
# What takes longer is stopped by the limits of the reading process; here it is counted, and its bytes are kept.
SECONDS = 10
MEMORY = 2 * 1024**3


class TooSlow(BaseException):
    """Raised by the clock; no reader may take it for a fault of the file."""


def say(*words: object) -> None:
    """Prints at once."""
    print(*words, flush=True)  # noqa: T201 -- run by hand


def run(kind: SourceKind, start: int, count: int) -> Counter[str]:
    """Runs ``count`` damaged files of a kind from one seed; returns how many came to what."""
    limit()
    outcomes: Counter[str] = Counter()

    @seed(start)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(damaged(kind))
    def one(data: bytes) -> None:
        outcomes[f"{kind} {outcome_of(data, kind)}"] += 1

    one()
    return outcomes


def outcome_of(data: bytes, kind: SourceKind) -> str:
    """read, refused, or why not; a failure is printed and its bytes are kept."""
    try:
        with _clock():
            return "read" if read_or_refused(data, kind) else "refused"
    except TooSlow:
        _keep(data, kind, "slow")
        return "slow"
    except MemoryError:
        return "memory"
    except BaseException as error:
        # A panic of a library in Rust is no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        say(_keep(data, kind, "failed"), traceback.format_exc(limit=-3))
        return "failed"


@contextmanager
def _clock() -> Iterator[None]:
    def ring(*_: Any) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def limit() -> None:
    """Keeps one input from taking the machine's memory, and the libraries from reporting every font."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    logging.disable(logging.CRITICAL)
    # What a library in Rust says of its own panic; failures are told on standard output.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _keep(data: bytes, kind: SourceKind, why: str) -> Path:
    OUT.mkdir(parents=True, exist_ok=True)
    file = OUT / f"{why}-{kind}-{hashlib.sha256(data).hexdigest()[:16]}"
    file.write_bytes(data)
    return file
