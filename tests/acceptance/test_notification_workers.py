"""Workers as processes: killed in the middle of a letter, two at once, nothing lost, and no letter twice but the one in hand."""

from __future__ import annotations

import signal
import smtplib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parents[1] / "integration" / "application"))
from offices import make_office
from post_offices import Sink, smtp_server

from application.notifying import set_contact
from models.engine import transaction
from models.messages import Delivery
from models.people import Role
from notifications import delivery
from notifications.kinds import Kind
from notifications.letters import Item

LETTERS = 60
SETTINGS = """
lease_seconds = 3
quiet_hours = "00:00-00:00"
quiet_days_off = false

[mail]
host = "127.0.0.1"
port = {port}
tls = "none"
sender = "jixiao@example.gov.cn"
"""


class SlowSink(Sink):
    """Takes a twentieth of a second for each letter, so that a kill meets a worker in the middle of one."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 -- the library's name
        import asyncio

        answer = await super().handle_DATA(server, session, envelope)
        await asyncio.sleep(0.05)
        return answer


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=30)


def worker(home: Path, url: str, *more: str) -> subprocess.Popen[str]:
    environment = {"JIXIAO_HOME": str(home), "JIXIAO_DATABASE_URL": url, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", "worker", *more],
        cwd=Path(__file__).parents[2],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(condition: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def test_killed_workers_lose_nothing_and_repeat_only_the_letter_in_hand(
    tmp_path: Path, migrated_url: str, started: list[subprocess.Popen[str]]
) -> None:
    sink = SlowSink()
    with smtp_server(sink) as port:
        home = tmp_path / "home"
        office = make_office(home, migrated_url)
        (home / "settings.toml").write_text(SETTINGS.format(port=port), encoding="utf-8")
        drafter = office.people[Role.DRAFTER]
        set_contact(drafter, "zhao@example.gov.cn")
        from datetime import UTC, datetime

        now = datetime.now(UTC)
        with transaction(office.installation.engine) as work:
            made = {
                delivery.add(
                    work,
                    "mail",
                    [Item(Kind.TEST, remark=str(number))],
                    key=str(number),
                    account_id=drafter.person.account_id,
                    due_at=now,
                    now=now,
                )
                for number in range(LETTERS)
            }
        started += [worker(home, migrated_url) for _ in range(2)]
        until(lambda: len(sink.letters) >= 10)
        for process in started[:2]:
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=30)
        before = len(sink.letters)
        assert before < LETTERS
        started += [worker(home, migrated_url) for _ in range(2)]

        def finished() -> bool:
            with transaction(office.installation.engine, read_only=True) as work:
                waiting = sa.select(sa.func.count()).where(Delivery.status == "waiting")
                unreported = sa.select(sa.func.count()).where(
                    Delivery.finished_at.is_not(None), Delivery.event_id.is_(None)
                )
                return not work.session.scalar(waiting) and not work.session.scalar(unreported)

        until(finished)
        for process in started[2:]:
            process.send_signal(signal.SIGTERM)
        for process in started[2:]:
            process.wait(timeout=60)
            assert process.returncode == 0
        office.installation.engine.dispose()
    counted = Counter(str(letter["Message-ID"]).strip("<>").partition("@")[0] for letter in sink.letters)
    assert set(counted) == made
    # Each of the two killed workers may have had one letter in hand, of which only the server knew that it was taken.
    assert len(sink.letters) <= LETTERS + 2
    assert max(counted.values()) <= 2


def test_a_message_of_a_command_is_delivered_by_a_worker_soon(
    tmp_path: Path, migrated_url: str, started: list[subprocess.Popen[str]]
) -> None:
    sink = Sink()
    with smtp_server(sink) as port:
        home = tmp_path / "home"
        office = make_office(home, migrated_url)
        (home / "settings.toml").write_text(SETTINGS.format(port=port), encoding="utf-8")
        set_contact(office.people[Role.REVIEWER], "qian@example.gov.cn")
        started.append(worker(home, migrated_url))
        text = office.imported()
        office.act(Role.DEPARTMENT_HEAD, text, "submit")
        until(lambda: sink.letters)
        started[0].send_signal(signal.SIGTERM)
        started[0].wait(timeout=60)
        office.installation.engine.dispose()
    assert sink.recipients == ["qian@example.gov.cn"]
    assert text in sink.letters[0].get_body(("plain",)).get_content()


def test_a_worker_without_a_mail_server_works_on(
    tmp_path: Path, migrated_url: str, started: list[subprocess.Popen[str]]
) -> None:
    home = tmp_path / "home"
    office = make_office(home, migrated_url)
    (home / "settings.toml").write_text(SETTINGS.format(port=9), encoding="utf-8")
    set_contact(office.people[Role.REVIEWER], "qian@example.gov.cn")
    text = office.imported()
    office.act(Role.DEPARTMENT_HEAD, text, "submit")
    started.append(worker(home, migrated_url))

    def tried() -> bool:
        with transaction(office.installation.engine, read_only=True) as work:
            return bool(
                work.session.scalar(sa.select(sa.func.count()).where(Delivery.attempts == 1, Delivery.lease.is_(None)))
            )

    until(tried)
    assert started[0].poll() is None
    started[0].send_signal(signal.SIGTERM)
    assert started[0].wait(timeout=60) == 0
    office.installation.engine.dispose()
    with pytest.raises(OSError, match="refused"):
        smtplib.SMTP("127.0.0.1", 9, timeout=1)
