"""A verification by several processes says what one says, or nothing."""

import os

import pytest
from audit_log import NOW
from test_audit_attacks import flipped, kinds, set_body

from audit.journal import create_log
from audit.keys import Signer
from audit.snapshots import raw_rows, shared, snapshot
from audit.storedtree import StoredHashes
from audit.verdicts import Level, Status
from audit.verification import verify
from models.engine import make_engine, metadata, transaction
from models.errors import InvalidInput

SIZE = 530


EDITS = {
    "nothing": lambda log: None,
    "a body": lambda log: set_body(log, 300, flipped(log.body(300)), with_leaf=False),
    "a row": lambda log: log.attack("DELETE FROM audit_entry WHERE idx = 400"),
    "a tile": lambda log: log.attack("UPDATE audit_tile SET h = :h WHERE n = 1", h=bytes(8192)),
    "a projection": lambda log: log.attack("UPDATE audit_projection SET act = 'x' WHERE idx = 511"),
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("level", [Level.TILES, Level.STRICT])
def test_several_processes_say_what_one_says(filled, monkeypatch, level, edit):
    monkeypatch.setattr("audit.verification.BLOCK", 256)
    EDITS[edit](filled)
    steps = []
    several = filled.verify(level=level, jobs=2, progress=lambda done, total: steps.append((done, total)))
    assert several == filled.verify(level=level)
    assert steps == [(256, SIZE), (512, SIZE), (SIZE, SIZE)]


def test_what_is_written_beside_does_not_disturb_several_processes(filled, monkeypatch):
    monkeypatch.setattr("audit.verification.BLOCK", 256)
    written = []

    def go_on(done, total):
        if not written:
            written.extend(filled.add(300))
            filled.sign()

    verdict = filled.verify(level=Level.STRICT, jobs=1, progress=go_on)
    assert (verdict.ok, verdict.size, verdict.checkpoints) == (True, SIZE, 3)
    written.clear()
    verdict = filled.verify(level=Level.STRICT, jobs=2, progress=go_on)
    assert (verdict.ok, verdict.size, verdict.checkpoints) == (True, SIZE + 300, 4)


def test_on_postgresql_all_processes_see_the_state_of_the_first(postgresql_log):
    log = postgresql_log.filled(3, 3)
    with snapshot(log.engine) as work, raw_rows(work) as rows:
        place = shared(log.engine, rows)
        log.add(2)
        with place.open() as others:
            assert StoredHashes(others, "main").size == StoredHashes(rows, "main").size == 3
    assert log.head().size == 5


def die(_shared, _task):
    os._exit(9)


def fail(_shared, _task):
    return "数据库正忙。"


@pytest.mark.parametrize("worker", [die, fail])
def test_a_process_that_ends_or_fails_leaves_no_verdict(filled, monkeypatch, worker):
    monkeypatch.setattr("audit.blockruns._check", worker)
    verdict = filled.verify(jobs=2)
    assert (verdict.ok, verdict.status, kinds(verdict)) == (False, Status.CANNOT_READ, {"unreadable"})


def test_a_database_in_memory_can_not_be_shared(tmp_path):
    engine = make_engine("sqlite://")
    metadata().create_all(engine)
    signer = Signer.create(tmp_path / "log.pem", "example.gov.cn/memory")
    with transaction(engine) as work:
        create_log(work, log_id="main", origin=signer.name, vkey=signer.vkey, now=NOW)
    with pytest.raises(InvalidInput, match="--jobs"):
        verify(engine, jobs=2)
    engine.dispose()


@pytest.mark.parametrize("jobs", [0, 65])
def test_jobs_have_bounds(filled, jobs):
    with pytest.raises(InvalidInput, match="--jobs"):
        filled.verify(jobs=jobs)
