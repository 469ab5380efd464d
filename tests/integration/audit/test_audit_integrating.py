import itertools
import threading
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from audit_log import MAC_KEY, NOW, draft, naive_root

from audit import batch, integrator
from audit.integration import Integrator
from audit.integrator import await_integrated, integrate
from audit.journal import record
from audit.verdicts import Level
from models.engine import Work, transaction
from models.errors import Conflict, DatabaseUnavailable, InvalidInput, LogCorrupt, NotFound
from models.ids import new_id


@pytest.fixture
def log(postgresql_log):
    return postgresql_log


def test_on_sqlite_there_is_nothing_to_integrate(sqlite_log):
    recorded = sqlite_log.write(3)
    assert integrate(sqlite_log.engine, mac_key=None) == 0
    assert await_integrated(sqlite_log.engine, recorded[2].event_id, mac_key=None) == recorded[2].index == 2
    with pytest.raises(NotFound):
        await_integrated(sqlite_log.engine, new_id(NOW), mac_key=None)


def test_waiting_integrates_here_until_the_event_has_its_index(log):
    recorded = log.write(5)
    assert recorded[3].index is None
    assert await_integrated(log.engine, recorded[3].event_id, mac_key=MAC_KEY) == 3
    assert await_integrated(log.engine, recorded[0].event_id, mac_key=MAC_KEY) == 0
    with pytest.raises(NotFound):
        await_integrated(log.engine, new_id(NOW), mac_key=MAC_KEY)


def test_without_the_key_nothing_is_integrated(log):
    log.write(1)
    with pytest.raises(InvalidInput, match="密钥"):
        integrate(log.engine, mac_key=None)
    with pytest.raises(LogCorrupt):
        integrate(log.engine, mac_key=b"\x01" * 32)
    assert log.counts()["n"] == 0


def test_an_uncommitted_or_late_event_holds_nobody_up(log):
    with transaction(log.engine) as slow:
        late = record(slow, draft(obj_id="slow"), event_id=new_id(NOW), now=NOW, mac_key=MAC_KEY)
        assert log.add(3)
        assert log.counts()["n"] == 3
    assert await_integrated(log.engine, late.event_id, mac_key=MAC_KEY) == 3


def test_integrators_at_once_share_the_work_without_gap_or_double(log):
    log.write(700)
    failures, counts = [], []

    def run():
        try:
            # Bounded, so that a fault shows as a failure and not as a test that never ends.
            for _ in range(2000):
                counts.append(integrate(log.engine, mac_key=MAC_KEY, limit=23))
                if log.rows("SELECT count(*) FROM audit_outbox")[0][0] == 0:
                    return
        except Exception as error:  # noqa: BLE001 -- a thread's failure must reach the test, whatever it is
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sum(counts) == 700
    assert [row[0] for row in log.rows("SELECT idx FROM audit_entry ORDER BY idx")] == list(range(700))
    assert log.head().root == naive_root(log.leaves())
    log.sign()
    assert log.verify().ok


def test_an_integrator_that_was_overtaken_is_fenced_off(log, monkeypatch):
    log.write(3)
    numbers = itertools.count()
    monkeypatch.setattr(integrator, "lock_number", lambda name: next(numbers))
    real = batch.read_head

    def overtaken(work, name):
        head = real(work, name)
        monkeypatch.setattr(batch, "read_head", real)
        assert integrate(log.engine, mac_key=MAC_KEY, limit=1) == 1
        return head

    monkeypatch.setattr(batch, "read_head", overtaken)
    with pytest.raises(Conflict, match="头部"):
        integrate(log.engine, mac_key=MAC_KEY)
    assert log.counts()["n"] == 1
    assert integrate(log.engine, mac_key=MAC_KEY) == 2


class Killed(Exception):
    pass


def test_an_integrator_killed_at_any_statement_leaves_all_or_nothing(log, monkeypatch):
    log.filled(250, 250)
    log.write(10, 250)
    before = log.counts(), log.head()
    fuse = [0]

    def burning(function):
        def call(*arguments, **values):
            fuse[0] -= 1
            if fuse[0] == 0:
                raise Killed
            return function(*arguments, **values)

        return call

    for step in itertools.count(1):
        with monkeypatch.context() as patch:
            for owner, name in (
                (Work, "run"),
                (Work, "one"),
                (Work, "rows"),
                (batch, "_copy"),
                (sa.Connection, "_commit_impl"),
            ):
                patch.setattr(owner, name, burning(getattr(owner, name)))
            fuse[0] = step
            try:
                assert integrate(log.engine, mac_key=MAC_KEY) == 10
                break
            except Killed:
                pass
        assert (log.counts(), log.head()) == before, step
    # Election, waiting rows, head, fence, entries, projections, leaves, tiles, edge, outbox, commit.
    assert step == 12
    assert log.head().root == naive_root(log.leaves())
    assert log.counts()["audit_tile"] == 1
    log.sign()
    assert log.verify().ok


EDITS = {
    "body": "UPDATE audit_outbox SET body = set_byte(body, 20, get_byte(body, 20) # 1) WHERE event_id = :e",
    "mac": "UPDATE audit_outbox SET mac = set_byte(mac, 0, get_byte(mac, 0) # 1) WHERE event_id = :e",
    "id": "UPDATE audit_outbox SET event_id = 'x' WHERE event_id = :e",
    "log": "UPDATE audit_outbox SET body = body || ' ' WHERE event_id = :e",
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_outbox_row_stops_the_integrator_and_is_named(log, edit):
    recorded = log.write(5)
    log.attack(EDITS[edit], e=recorded[2].event_id)
    verdict = log.verify()
    assert verdict.outbox == 5
    with pytest.raises(LogCorrupt) as refused:
        integrate(log.engine, mac_key=MAC_KEY)
    assert refused.value.facts["event_id"] == ("x" if edit == "id" else recorded[2].event_id)
    assert log.counts()["n"] == 2
    assert log.counts()["audit_outbox"] == 3
    with pytest.raises(LogCorrupt):
        integrate(log.engine, mac_key=MAC_KEY)
    assert await_integrated(log.engine, recorded[1].event_id, mac_key=MAC_KEY) == 1
    with pytest.raises(LogCorrupt):
        await_integrated(log.engine, recorded[3].event_id, mac_key=MAC_KEY)


def test_an_event_before_the_damaged_row_is_still_awaited(log):
    recorded = log.write(5)
    log.attack(EDITS["body"], e=recorded[2].event_id)
    assert await_integrated(log.engine, recorded[1].event_id, mac_key=MAC_KEY) == 1


def test_an_outbox_row_can_not_be_moved_to_another_log(log, tmp_path):
    signer = type(log.signer).create(tmp_path / "reads.pem", "reads.example")
    recorded = log.write(1)
    log.attack(
        "INSERT INTO audit_log (id, origin, vkey, created) VALUES ('reads', 'reads.example', :v, now())", v=signer.vkey
    )
    log.attack("INSERT INTO audit_head SELECT 'reads', n, frontier, edge, root FROM audit_head")
    log.attack("UPDATE audit_outbox SET log = 'reads'")
    with pytest.raises(LogCorrupt, match=recorded[0].event_id):
        integrate(log.engine, log="reads", mac_key=MAC_KEY)


def test_a_row_that_is_put_back_into_the_outbox_is_named_and_nothing_is_written_twice(log):
    again = log.write(3)[1]
    log.attack("CREATE TABLE kept AS SELECT * FROM audit_outbox")
    log.add(1, 10)
    log.sign()
    log.attack(
        "INSERT INTO audit_outbox (log, event_id, body, mac, created)"
        " SELECT log, event_id, body, mac, created FROM kept WHERE event_id = :e",
        e=again.event_id,
    )
    for verdict in (log.verify(), log.verify(mac_key=None)):
        [problem] = verdict.problems
        assert f"{again.event_id} 早已是第 1 条" in problem.message
    waiting = log.write(1, 20)[0]
    before = log.counts()
    for call in (
        lambda: integrate(log.engine, mac_key=MAC_KEY),
        lambda: await_integrated(log.engine, waiting.event_id, mac_key=MAC_KEY, timeout=0),
        lambda: Integrator(log.engine, MAC_KEY, "main").run(threading.Event()),
    ):
        with pytest.raises(LogCorrupt, match="audit_outbox") as caught:
            call()
        assert caught.value.facts["event_id"] == again.event_id
    assert log.counts() == before
    log.attack("DELETE FROM audit_outbox WHERE event_id = :e", e=again.event_id)
    assert await_integrated(log.engine, waiting.event_id, mac_key=MAC_KEY) == 4
    log.sign()
    assert log.verify(level=Level.STRICT).ok


def test_waiting_for_a_busy_integrator_ends_with_a_sentence(log, monkeypatch):
    recorded = log.write(1)
    pauses = []
    moments = itertools.count(step=0.01)
    monkeypatch.setattr(integrator, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    with transaction(log.engine) as other:
        assert other.one(integrator._ELECT, key=integrator.lock_number("main")) == (True,)
        assert integrate(log.engine, mac_key=MAC_KEY) == 0
        with pytest.raises(DatabaseUnavailable, match="仍未写入日志"):
            await_integrated(
                log.engine, recorded[0].event_id, mac_key=MAC_KEY, timeout=0.05, sleep=lambda s: pauses.append(s)
            )
    assert pauses[:3] == [0.002, 0.004, 0.008]
    assert max(pauses) <= 0.05
    assert await_integrated(log.engine, recorded[0].event_id, mac_key=MAC_KEY) == 0


def test_another_integrator_s_work_ends_the_waiting(log):
    recorded = log.write(1)
    thread = None
    with transaction(log.engine) as other:
        other.one(integrator._ELECT, key=integrator.lock_number("main"))
        found = []
        thread = threading.Thread(
            target=lambda: found.append(await_integrated(log.engine, recorded[0].event_id, mac_key=MAC_KEY))
        )
        thread.start()
        thread.join(0.1)
        assert thread.is_alive()
    thread.join(10)
    assert found == [0]
