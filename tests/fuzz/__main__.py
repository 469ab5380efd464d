"""The long fuzz of the file readers, by hand: ``python -m tests.fuzz [COUNT] [KIND…]`` (100,000 inputs of each kind).

Each reader gets damaged files and random bytes in this very process; whatever it raises but a refusal is printed with the
bytes kept in ``var/fuzz``, so that the case can become a test.
"""

from __future__ import annotations

import hashlib
import logging
import random
import sys
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "unit" / "reading")]

from damaged_files import SOURCES, damaged, read_or_refused  # noqa: E402 -- the folder of the tests comes first
from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: E402

from documents.reading.sources.kinds import SourceKind  # noqa: E402


def fuzz(kind: SourceKind, count: int) -> int:
    """Runs ``count`` damaged files of a kind; returns how many failed."""
    failed: set[str] = set()
    out = ROOT / "var" / "fuzz"

    @seed(random.randrange(2**32))
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(damaged(kind))
    def run(data: bytes) -> None:
        try:
            read_or_refused(data, kind)
        except Exception:  # noqa: BLE001 -- the failures are what is looked for
            name = f"{kind}-{hashlib.sha256(data).hexdigest()[:16]}"
            failed.add(name)
            out.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes(data)
            print(name, traceback.format_exc(limit=-3), sep="\n")  # noqa: T201 -- run by hand

    run()
    return len(failed)


def main() -> None:
    """Fuzzes the kinds named, or all."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    kinds = [SourceKind(name) for name in sys.argv[2:]] or list(SOURCES)
    logging.disable(logging.CRITICAL)
    failures = {kind.value: fuzz(kind, count) for kind in kinds}
    print(failures)  # noqa: T201 -- run by hand
    sys.exit(any(failures.values()))


if __name__ == "__main__":
    main()
