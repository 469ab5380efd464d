"""A document of each of many texts into a folder: texts a second, processor time a text, and memory as their number grows."""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import structlog

ROOT = Path(__file__).parents[1]
COUNTS = (50, 200)


def main() -> None:
    """Prints figures of a first run and of a second one that finds everything; memory of the second count stays that of the first."""
    sys.path.insert(0, str(ROOT / "tests" / "integration" / "application"))
    from offices import make_office

    from application.bulk_rendering import render_all
    from models.people import Role

    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        office = make_office(folder / "home", f"sqlite:///{folder / 'jixiao.db'}")
        head, made = office.people[Role.DEPARTMENT_HEAD], 0
        for count in COUNTS:
            for _ in range(count - made):
                office.act(Role.DEPARTMENT_HEAD, office.imported(), "submit")
            made = count
            for run in ("first", "again"):
                began, used = time.perf_counter(), _processor()
                done = render_all(head, folder / f"out-{count}", document="draft")
                seconds, used = time.perf_counter() - began, _processor() - used
                print(
                    f"{count} texts, {run}: {done['rendered']} made, {done['skipped']} skipped, {count / seconds:.1f} a second,"
                    f" {used / count * 1000:.0f} ms of processor a text on {os.cpu_count()} processors,"
                    f" {_memory(resource.RUSAGE_SELF)} MB and {_memory(resource.RUSAGE_CHILDREN)} MB a worker"
                )
        office.installation.engine.dispose()


def _processor() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(item.ru_utime + item.ru_stime for item in used)


def _memory(who: int) -> int:
    return resource.getrusage(who).ru_maxrss // 1024


if __name__ == "__main__":
    main()
