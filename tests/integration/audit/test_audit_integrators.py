"""Integrators as processes on a real PostgreSQL: two at once, one killed at any point; no gap, no double."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from audit_log import MAC_KEY, Log, naive_root
from integrating_worker import KILLED, run

from audit.integration import Integrator, Phase
from audit.integrator import await_integrated, integrate, lock_number, wake
from models.errors import LogCorrupt

ROUNDS = int(os.environ.get("JIXIAO_RACE_ROUNDS", "6"))
# Each batch completes a tile: the calls are waiting rows, head, fence, entries, projections, leaves, tiles, edge, outbox, commit.
POINTS = [
    *itertools.product(("rows",), (1, 2), ("before", "after")),
    *itertools.product(("one",), (1,), ("before", "after")),
    *itertools.product(("run",), (1, 2, 3), ("before", "after")),
    *itertools.product(("copy",), (1, 2, 3), ("before", "after")),
    ("row", 40, "before"),
    ("row", 300, "after"),
    ("commit", 1, "before"),
    ("commit", 1, "after"),
]
Start = Callable[[tuple[str, int, str] | None], Any]


@pytest.fixture
def log(postgresql_log: Log) -> Log:
    return postgresql_log


@pytest.fixture
def start(log: Log) -> Iterator[Start]:
    """Starts an integrator in a process of its own and waits until it runs; all that are left end with the test."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["integrating_worker", "audit.integration", "psycopg"])
    url = log.engine.url.render_as_string(hide_password=False)
    started: list[Any] = []

    def begin(point: tuple[str, int, str] | None) -> Any:
        ready, armed = context.Event(), context.Event()
        process: Any = context.Process(target=run, args=(url, MAC_KEY, point, ready, armed))
        process.start()
        process.armed = armed
        started.append(process)
        assert ready.wait(60)
        return process

    yield begin
    for process in started:
        process.terminate()
        process.join(30)
        assert process.exitcode in (0, KILLED, -signal.SIGKILL)


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Waits; bounded, so that a fault shows as a failure and not as a test that never ends."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def elected(log: Log) -> bool:
    """Whether somebody holds the advisory lock."""
    number = lock_number("main")
    return bool(
        log.rows(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = :c AND objid = :o",
            c=(number >> 32) & 0xFFFFFFFF,
            o=number & 0xFFFFFFFF,
        )
    )


def waiting(log: Log) -> int:
    return int(log.counts()["audit_outbox"])


def is_whole(log: Log, count: int) -> None:
    """Every event once, at a dense index, each object's versions in order, and a tree that a verification proves."""
    assert waiting(log) == 0
    assert [row[0] for row in log.rows("SELECT idx FROM audit_entry ORDER BY idx")] == list(range(count))
    assert log.rows("SELECT count(DISTINCT event_id) FROM audit_projection")[0][0] == count
    versions = log.rows("SELECT obj_id, obj_ver FROM audit_projection ORDER BY obj_id, idx")
    for _object, rows in itertools.groupby(versions, key=lambda row: row[0]):
        assert [row[1] for row in rows] == list(range(1, max(row[1] for row in versions if row[0] == _object) + 1))
    assert log.head().root == naive_root(log.leaves())
    log.sign()
    verdict = log.verify()
    assert (verdict.ok, verdict.size) == (True, count)


def test_of_two_integrators_one_is_killed_at_every_point_in_turn_and_the_other_goes_on(log: Log, start: Start) -> None:
    written = 0
    first = start(POINTS[0])
    for point in [*POINTS[1:], None]:
        until(lambda: elected(log))
        second = start(point)
        if waiting(log) < 256:
            log.write(260, written)
            written += 260
        first.armed.set()
        first.join(30)
        assert first.exitcode == KILLED
        first = second
    until(lambda: waiting(log) == 0)
    is_whole(log, written)


def test_integrators_that_are_killed_at_any_time_while_many_write_leave_no_gap_and_no_double(
    log: Log, start: Start
) -> None:
    chance = random.Random(22)
    done = threading.Event()
    counts = [0, 0, 0]

    def write(number: int) -> None:
        while not done.is_set():
            log.write(3, counts[number])
            counts[number] += 3

    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for writer in writers:
        writer.start()
    try:
        crew = [start(None), start(None)]
        for _ in range(ROUNDS):
            time.sleep(chance.uniform(0.01, 0.2))
            victim = crew.pop(chance.randrange(2))
            os.kill(victim.pid, signal.SIGKILL)
            crew.append(start(None))
    finally:
        done.set()
        for writer in writers:
            writer.join()
    until(lambda: waiting(log) == 0)
    is_whole(log, sum(counts))


def running(
    log: Log, **given: Any
) -> tuple[Integrator, threading.Thread, threading.Event, list[Phase], list[Exception]]:
    phases: list[Phase] = []
    failed: list[Exception] = []
    integrator = Integrator(log.engine, MAC_KEY, tell=lambda phase, _reason: phases.append(phase), **given)
    stop = threading.Event()

    def go() -> None:
        try:
            integrator.run(stop)
        except Exception as error:  # noqa: BLE001 -- a thread's failure must reach the test, whatever it is
            failed.append(error)

    thread = threading.Thread(target=go)
    thread.start()
    return integrator, thread, stop, phases, failed


@pytest.fixture
def end() -> Iterator[list[tuple[threading.Thread, threading.Event]]]:
    started: list[tuple[threading.Thread, threading.Event]] = []
    yield started
    for thread, stop in started:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def test_who_waits_is_served_by_the_running_integrator_and_not_by_itself(log: Log, end: Any) -> None:
    integrator, thread, stop, phases, failed = running(log)
    end.append((thread, stop))
    until(lambda: phases == [Phase.ELECTED])
    assert integrate(log.engine, mac_key=MAC_KEY) == 0, "it is elected, so nobody else integrates"
    recorded = log.write(3)
    assert await_integrated(log.engine, recorded[2].event_id, mac_key=MAC_KEY) == 2
    assert integrator.integrated == 3
    assert failed == []


def test_the_second_stands_by_until_the_first_ends(log: Log, end: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.integration._ELECTION_PAUSE", 0.01)
    _, thread, stop, phases, _ = running(log)
    end.append((thread, stop))
    until(lambda: phases == [Phase.ELECTED])
    second, other, other_stop, told, _ = running(log)
    end.append((other, other_stop))
    until(lambda: told == [Phase.STANDING_BY])
    stop.set()
    until(lambda: told == [Phase.STANDING_BY, Phase.ELECTED])
    recorded = log.write(1)
    assert await_integrated(log.engine, recorded[0].event_id, mac_key=MAC_KEY) == 0
    assert second.integrated == 1


def test_an_election_ends_with_the_integrator_even_where_the_pool_keeps_connections(log: Log, end: Any) -> None:
    _, thread, stop, phases, _ = running(log)
    end.append((thread, stop))
    until(lambda: phases == [Phase.ELECTED])
    stop.set()
    thread.join(30)
    until(lambda: not elected(log))


def test_a_lost_connection_is_made_anew(log: Log, end: Any) -> None:
    integrator, thread, stop, phases, failed = running(log)
    end.append((thread, stop))
    until(lambda: phases == [Phase.ELECTED])
    number = lock_number("main")
    log.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = :o",
        o=number & 0xFFFFFFFF,
    )
    until(lambda: phases == [Phase.ELECTED, Phase.CONNECTION_LOST, Phase.ELECTED])
    recorded = log.write(2)
    assert await_integrated(log.engine, recorded[1].event_id, mac_key=MAC_KEY) == 1
    assert (integrator.integrated, failed) == (2, [])


def test_who_waits_wakes_an_integrator_that_rests(log: Log, end: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_FIRST_PAUSE", "_LONGEST_PAUSE"):
        monkeypatch.setattr(f"audit.integration.{name}", 20)
    integrator, thread, stop, phases, _ = running(log)
    end.append((thread, stop))
    until(lambda: phases == [Phase.ELECTED])
    recorded = log.write(1)
    assert await_integrated(log.engine, recorded[0].event_id, mac_key=MAC_KEY, timeout=5) == 0
    assert integrator.integrated == 1
    stop.set()
    wake(log.engine)


def test_what_nobody_waits_for_is_integrated_by_the_next_look(log: Log, end: Any) -> None:
    _, thread, stop, _, _ = running(log, batch=7)
    end.append((thread, stop))
    log.write(30)
    until(lambda: log.counts()["n"] == 30)


def test_a_damaged_row_stops_the_integrator_behind_what_stands_before_it(log: Log, end: Any) -> None:
    recorded = log.write(5)
    log.attack("UPDATE audit_outbox SET body = body || ' ' WHERE event_id = :e", e=recorded[2].event_id)
    _, thread, stop, _, failed = running(log)
    end.append((thread, stop))
    thread.join(30)
    assert not thread.is_alive()
    assert [type(error) for error in failed] == [LogCorrupt]
    assert recorded[2].event_id in str(failed[0])
    assert log.counts()["n"] == 2
    assert not elected(log)


def test_who_waits_behind_a_damaged_row_is_told_of_it_and_not_of_the_time(log: Log) -> None:
    recorded = log.write(3)
    log.attack("UPDATE audit_outbox SET body = body || ' ' WHERE event_id = :e", e=recorded[1].event_id)
    with log.engine.connect() as other:
        other.exec_driver_sql(f"SELECT pg_advisory_lock({lock_number('main')})")
        with pytest.raises(LogCorrupt, match=recorded[1].event_id):
            await_integrated(log.engine, recorded[2].event_id, mac_key=MAC_KEY, timeout=0.05)
        other.exec_driver_sql(f"SELECT pg_advisory_unlock({lock_number('main')})")
