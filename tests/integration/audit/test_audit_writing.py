import random
import threading
from collections import defaultdict

import pytest
from audit_log import MAC_KEY, NOW, draft, naive_root

from audit.events import Act, parse_event
from audit.integrator import await_integrated, integrate
from audit.journal import create_log, record
from audit.storage import read_head
from audit.timeline import events
from audit.tree import EMPTY_ROOT, leaf_hash
from models.engine import transaction
from models.errors import Conflict, InvalidInput, LogCorrupt, NotFound
from models.ids import new_id


def test_a_new_log_is_empty(log):
    head = log.head()
    assert (head.size, head.root, head.edge, head.frontier) == (0, EMPTY_ROOT, b"", b"")


def test_a_log_is_created_once_and_only_with_its_own_key(log):
    for arguments, error in (
        ({}, Conflict),
        ({"origin": "other.name"}, InvalidInput),
        ({"vkey": "nonsense"}, InvalidInput),
    ):
        given = {"log_id": "main", "origin": log.signer.name, "vkey": log.signer.vkey, "now": NOW} | arguments
        with pytest.raises(error), transaction(log.engine) as work:
            create_log(work, **given)


def test_the_root_is_that_of_the_rfc_at_every_size(sqlite_log):
    leaves = []
    with transaction(sqlite_log.engine) as work:
        for number in range(600):
            recorded = record(work, draft(number), event_id=new_id(NOW), now=NOW, mac_key=None)
            leaves.append(recorded.leaf)
            head = read_head(work, "main")
            assert recorded.index == number
            assert head.size == number + 1
            if number < 20 or number % 256 in (0, 1, 254, 255) or number % 37 == 0:
                assert head.root == naive_root(leaves)
                assert sqlite_log.tree(work).root(head.size) == head.root
    assert [row[:2] for row in sqlite_log.rows("SELECT level, n FROM audit_tile ORDER BY n")] == [(0, 0), (0, 1)]
    assert len(sqlite_log.head().edge) == 64


def test_integrated_in_batches_of_any_size_the_root_is_that_of_the_rfc(postgresql_log):
    leaves = [recorded.leaf for recorded in postgresql_log.write(600)]
    chance = random.Random(7)
    done = 0
    while done < 600:
        done += integrate(postgresql_log.engine, mac_key=MAC_KEY, limit=chance.choice((1, 3, 100, 255, 256, 300)))
        head = postgresql_log.head()
        assert (head.size, head.root) == (done, naive_root(leaves[:done]))
        with transaction(postgresql_log.engine) as work:
            assert postgresql_log.tree(work).root(done) == head.root
    assert postgresql_log.counts()["audit_tile"] == 2
    assert postgresql_log.counts()["audit_outbox"] == 0


def test_proofs_from_the_database_are_those_of_the_rfc(log):
    log.filled(530)
    leaves = log.leaves()
    with transaction(log.engine) as work:
        stored = log.tree(work)
        for size in (1, 255, 256, 257, 511, 512, 513, 530):
            assert stored.root(size) == naive_root(leaves[:size])


def test_both_databases_write_the_same_bytes(make_log, tmp_path):
    ids = [new_id(NOW) for _ in range(20)]
    bodies = []
    for kind in ("sqlite", "postgresql"):
        log = make_log(kind)
        with transaction(log.engine) as work:
            for number, event_id in enumerate(ids):
                record(work, draft(number, why="原因"), event_id=event_id, now=NOW, mac_key=MAC_KEY)
        await_integrated(log.engine, ids[-1], mac_key=MAC_KEY)
        bodies.append([log.body(index) for index in range(20)])
        (tmp_path / "log.pem").unlink()
    assert bodies[0] == bodies[1]


def assert_linked(log, count):
    """Dense indexes; versions contiguous and links right for every object."""
    last = defaultdict(lambda: (0, None))
    rows = log.rows("SELECT idx, body, leaf FROM audit_entry ORDER BY idx")
    assert [row[0] for row in rows] == list(range(count))
    for _index, body, leaf in rows:
        event = parse_event(bytes(body))
        key = event["obj"]["id"]
        version, prev = last[key]
        assert event["obj"]["ver"] == version + 1
        assert event.get("prev") == prev
        assert leaf_hash(bytes(body)) == bytes(leaf)
        last[key] = (version + 1, bytes(leaf).hex())
    stored = {row[0]: (row[1], bytes(row[2]).hex()) for row in log.rows("SELECT obj_id, ver, leaf FROM audit_object")}
    assert stored == last


def test_versions_and_links_of_each_object_are_contiguous(log):
    recorded = log.add(40)
    assert [item.version for item in recorded] == [number // 7 + 1 for number in range(40)]
    assert_linked(log, 40)


def test_four_writers_at_once_leave_no_gap(log):
    failures = []

    def work_on(writer):
        try:
            for number in range(25):
                with transaction(log.engine) as work:
                    # Everybody begins with the same object that nobody has written yet.
                    record(work, draft(obj_id=f"text-{number % 5}"), event_id=new_id(NOW), now=NOW, mac_key=MAC_KEY)
                if number % 5 == writer:
                    integrate(log.engine, mac_key=MAC_KEY, limit=7)
        except Exception as error:  # noqa: BLE001 -- a thread's failure must reach the test, whatever it is
            failures.append(error)

    threads = [threading.Thread(target=work_on, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    while integrate(log.engine, mac_key=MAC_KEY):
        pass
    assert_linked(log, 100)
    assert log.head().root == naive_root(log.leaves())
    log.sign()
    assert log.verify().ok


def test_two_writers_of_an_object_s_first_event_get_versions_one_and_two(postgresql_log):
    log, second = postgresql_log, []

    def write():
        with transaction(log.engine) as work:
            second.append(record(work, draft(obj_id="new"), event_id=new_id(NOW), now=NOW, mac_key=MAC_KEY))

    with transaction(log.engine) as work:
        first = record(work, draft(obj_id="new"), event_id=new_id(NOW), now=NOW, mac_key=MAC_KEY)
        thread = threading.Thread(target=write)
        thread.start()
        thread.join(0.2)
        assert thread.is_alive(), "the second writer waits for the first one's commit"
    thread.join()
    assert (first.version, second[0].version) == (1, 2)


class PowerCut(Exception):
    pass


def test_a_crash_in_the_transaction_leaves_nothing(log):
    log.filled(255, 255)
    before = log.counts(), log.head()

    def crash():
        with transaction(log.engine) as work:
            for number in range(3):
                record(work, draft(number), event_id=new_id(NOW), now=NOW, mac_key=MAC_KEY)
            record(work, draft(obj_id="new"), event_id=new_id(NOW), now=NOW, mac_key=MAC_KEY)
            raise PowerCut

    with pytest.raises(PowerCut):
        crash()
    assert (log.counts(), log.head()) == before
    log.add(3)
    log.sign()
    assert log.verify().ok


def test_a_refused_event_counts_no_version(log):
    log.add(1)
    with transaction(log.engine) as work:
        for _ in range(2):
            with pytest.raises(InvalidInput):
                record(work, draft(0, why="x" * 70_000), event_id=new_id(NOW), now=NOW, mac_key=MAC_KEY)
            with pytest.raises(InvalidInput):
                record(work, draft(obj_id="new", why=1.5), event_id=new_id(NOW), now=NOW, mac_key=MAC_KEY)
        record(work, draft(0), event_id=new_id(NOW), now=NOW, mac_key=MAC_KEY)
        record(work, draft(obj_id="new"), event_id=new_id(NOW), now=NOW, mac_key=MAC_KEY)
    while integrate(log.engine, mac_key=MAC_KEY):
        pass
    assert_linked(log, 3)


def test_an_unknown_log_and_a_missing_key_are_refused(log):
    with pytest.raises(NotFound, match="other"), transaction(log.engine) as work:
        record(work, draft(), log="other", event_id=new_id(NOW), now=NOW, mac_key=MAC_KEY)
    if not log.is_sqlite:
        with pytest.raises(InvalidInput, match="密钥"), transaction(log.engine) as work:
            record(work, draft(), event_id=new_id(NOW), now=NOW, mac_key=None)


def test_an_event_id_is_taken_once(log):
    event_id = log.add(1)[0].event_id
    if log.is_sqlite:
        with pytest.raises(Conflict), transaction(log.engine) as work:
            record(work, draft(), event_id=event_id, now=NOW, mac_key=MAC_KEY)
    else:
        with transaction(log.engine) as work:
            record(work, draft(), event_id=event_id, now=NOW, mac_key=MAC_KEY)
        with pytest.raises(LogCorrupt, match="早已在日志里"):
            integrate(log.engine, mac_key=MAC_KEY)
    assert log.counts()["n"] == 1


def test_two_logs_of_one_database_share_nothing(log, tmp_path):
    with transaction(log.engine) as work:
        vkey = log.signer.vkey.replace(log.signer.name, "reads.example")
        with pytest.raises(InvalidInput):
            create_log(work, log_id="reads", origin="reads.example", vkey=vkey, now=NOW)
    other = type(log.signer).create(tmp_path / "reads.pem", "reads.example")
    with transaction(log.engine) as work:
        create_log(work, log_id="reads", origin=other.name, vkey=other.vkey, now=NOW)
    log.add(3)
    with transaction(log.engine) as work:
        recorded = record(work, draft(0), log="reads", event_id=new_id(NOW), now=NOW, mac_key=MAC_KEY)
    assert recorded.version == 1
    assert await_integrated(log.engine, recorded.event_id, log="reads", mac_key=MAC_KEY) == 0
    assert log.head().size == 3


def test_a_broken_edge_stops_the_writer_before_a_wrong_tile(log):
    log.filled(511)
    log.attack("UPDATE audit_head SET edge = :e", e=b"\x00" * 31)
    with pytest.raises(LogCorrupt, match="右缘"):
        log.add(1)
    assert log.counts()["n"] == 511


def test_the_timeline_filters_and_pages(log):
    log.add(30)
    with transaction(log.engine) as work:
        record(work, draft(2, why="最后"), event_id=new_id(NOW), now=NOW, mac_key=MAC_KEY)
    integrate(log.engine, mac_key=MAC_KEY)
    with transaction(log.engine, read_only=True) as work:
        mine = events(work, obj_type="budget_text", obj_id="text-2", limit=100)
        assert [item.index for item in mine] == [2, 9, 16, 23, 30]
        assert mine[-1].event["why"] == "最后"
        assert [item.index for item in events(work, since_index=28, limit=2)] == [28, 29]
        assert len(events(work, act=Act.TEXT_FIELD_UPDATE, limit=100)) == 31
        assert events(work, act=Act.TEXT_IMPORT, limit=100) == []
        assert events(work, log="other", limit=100) == []


def test_the_timeline_notices_a_projection_that_lies_and_a_body_that_is_none(log):
    log.add(5)
    log.attack("UPDATE audit_projection SET obj_id = 'text-0' WHERE idx = 3")
    with pytest.raises(LogCorrupt, match="第 3 条"), transaction(log.engine, read_only=True) as work:
        events(work, obj_type="budget_text", obj_id="text-0", limit=10)
    log.attack("UPDATE audit_entry SET body = :b WHERE idx = 1", b=log.body(1) + b" ")
    with pytest.raises(LogCorrupt, match="第 1 条"), transaction(log.engine, read_only=True) as work:
        events(work, limit=10)
