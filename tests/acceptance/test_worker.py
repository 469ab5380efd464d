"""``jixiao worker`` as a process: it integrates and signs until it is told to stop, several at once, and alarms."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from acceptance_shell import Shell, drive_text
from intruder import disarm_postgresql


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=30)


@pytest.fixture
def office(tmp_path: Path, new_postgresql: Callable[..., str]) -> Shell:
    made = Shell(tmp_path / "home", environment={"JIXIAO_DATABASE_URL": new_postgresql(), "JIXIAO_LOG_LEVEL": "info"})
    printed = made.ok("demo", "--home", made.home)
    made.tokens, made.text = printed["tokens"], printed["text"]
    return made


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code, and what stood on standard error."""
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


def lines(errors: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in errors.splitlines() if line.startswith("{")]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def count(shell: Shell, table: str, where: str = "true") -> int:
    with psycopg.connect(shell.environment["JIXIAO_DATABASE_URL"]) as database:
        row = database.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()
    assert row is not None
    return int(row[0])


def elected(shell: Shell) -> bool:
    return count(shell, "pg_locks", "locktype = 'advisory' AND granted") >= 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_integrates_signs_and_ends_well_when_it_is_told_to(
    office: Shell, started: list[subprocess.Popen[str]], number: signal.Signals
) -> None:
    office.environment["JIXIAO_CHECKPOINT_SECONDS"] = "1"
    worker = office.start("worker")
    started.append(worker)
    until(lambda: elected(office))
    signed = count(office, "audit_checkpoint", "log = 'main'")
    drive_text(office, "submitted")
    until(lambda: count(office, "audit_outbox") == 0 and count(office, "audit_checkpoint", "log = 'main'") > signed)
    worker.send_signal(number)
    code, errors = ended(worker)
    assert code == 0, errors
    told = lines(errors)
    assert [line["outcome"] for line in told if line["event"] == "worker"] == ["started", "stopped"]
    assert sorted((line["log"], line["outcome"]) for line in told if line["event"] == "integrator") == [
        ("main", "elected"),
        ("reads", "elected"),
    ]
    verdict = office.ok("audit", "verify")
    assert (verdict["ok"], verdict["outbox"]) == (True, 0)


def test_of_two_workers_the_second_takes_over(office: Shell, started: list[subprocess.Popen[str]]) -> None:
    first = office.start("worker")
    started.append(first)
    until(lambda: elected(office))
    second = office.start("worker")
    started.append(second)
    assert second.stderr is not None
    standing_by = 0
    while standing_by < 2:  # one of each log
        standing_by += "standing_by" in second.stderr.readline()
    drive_text(office, "submitted")
    first.kill()
    ended(first)
    until(lambda: elected(office))
    text = drive_text(office, "second_review")
    assert office.ok("approve", text, role="approver")["state"] == "approved"
    second.terminate()
    code, errors = ended(second)
    assert code == 0
    assert [line["outcome"] for line in lines(errors) if line["event"] == "integrator"] == ["elected", "elected"]
    assert office.ok("audit", "verify")["ok"]


def test_a_damaged_event_ends_the_worker_with_an_alarm(office: Shell, started: list[subprocess.Popen[str]]) -> None:
    with psycopg.connect(office.environment["JIXIAO_DATABASE_URL"], autocommit=True) as database:
        database.execute(
            "INSERT INTO audit_outbox (log, event_id, body, mac, created) VALUES ('main', 'x', 'x', 'x', now())"
        )
    worker = office.start("worker")
    started.append(worker)
    code, errors = ended(worker)
    assert code == 7
    alarms = [line for line in lines(errors) if line["level"] == "critical"]
    assert [(line["event"], line["outcome"]) for line in alarms] == [("integrator", "alarm")]
    assert "校验码不符" in errors.splitlines()[-1]


def test_once_does_what_waits_and_ends(office: Shell) -> None:
    office.environment["JIXIAO_CHECKPOINT_SECONDS"] = "0"
    signed = count(office, "audit_checkpoint", "log = 'main'")
    with psycopg.connect(office.environment["JIXIAO_DATABASE_URL"], autocommit=True) as database:
        database.execute("SELECT pg_advisory_lock(1)")
        drive_text(office, "submitted")
    done = office.run("worker", "--once")
    assert done.returncode == 0, done.stderr
    assert "已完成一次" in done.stderr
    assert count(office, "audit_outbox") == 0
    assert count(office, "audit_checkpoint", "log = 'main'") > signed


def test_events_that_wait_for_long_are_told_to_people_and_to_the_program_s_log(office: Shell) -> None:
    with psycopg.connect(office.environment["JIXIAO_DATABASE_URL"], autocommit=True) as database:
        disarm_postgresql(database.execute)
        database.execute(
            "INSERT INTO audit_outbox (log, event_id, body, mac, created)"
            " VALUES ('main', 'x', 'x', 'x', now() - interval '5 minutes')"
        )
    done = office.run("text", "list", role="drafter")
    assert done.returncode == 0
    assert "1 条审计事件已保存、还没有写入日志，最早的等了 30" in done.stderr
    (line,) = [line for line in lines(done.stderr) if line["event"] == "lag"]
    assert (line["level"], line["log"], line["waiting"]) == ("warning", "main", 1)
    office.environment["JIXIAO_LAG_SECONDS"] = "3600"
    assert "还没有写入日志" not in office.run("text", "list", role="drafter").stderr


def test_on_sqlite_a_worker_signs_what_has_changed(shell: Shell, started: list[subprocess.Popen[str]]) -> None:
    shell.environment |= {"JIXIAO_CHECKPOINT_SECONDS": "1", "JIXIAO_LOG_LEVEL": "info"}

    def newest() -> tuple[int, int]:
        with sqlite3.connect(shell.home / "jixiao.db") as database:
            query = "SELECT (SELECT max(size) FROM audit_checkpoint WHERE log = 'main'), n FROM audit_head WHERE log = 'main'"
            row: tuple[int, int] = database.execute(query).fetchone()
        return row

    worker = shell.start("worker")
    started.append(worker)
    shell.environment["JIXIAO_CHECKPOINT_SECONDS"] = "3600"
    drive_text(shell, "submitted")
    until(lambda: newest()[0] == newest()[1])
    worker.terminate()
    code, errors = ended(worker)
    assert code == 0
    assert not any(line["event"] == "integrator" for line in lines(errors))
    assert shell.ok("audit", "verify")["ok"]
