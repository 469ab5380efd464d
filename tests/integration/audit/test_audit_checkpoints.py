import shutil
import threading

import pytest
from audit_log import MAC_KEY, NOW, Log, draft, naive_root

from audit import checkpoints, tree
from audit.checkpoints import latest_checkpoint, require_continues, sign_checkpoint
from audit.journal import record
from audit.keys import Signer
from audit.notes import open_checkpoint, parse_vkey
from models.engine import make_engine, transaction
from models.errors import JixiaoError, LogCorrupt, NotFound
from models.ids import new_id


def latest(log):
    with transaction(log.engine, read_only=True) as work:
        return latest_checkpoint(work)


def test_an_empty_log_has_nothing_to_sign(log):
    assert log.sign() is None
    assert latest(log) is None
    assert not log.signer.head_path.exists()


def test_a_checkpoint_signs_the_head(log):
    log.filled(5)
    signed = log.sign()
    assert (signed.size, signed.root) == (5, naive_root(log.leaves()))
    said = open_checkpoint(signed.note, [parse_vkey(log.signer.vkey)])
    assert (said.origin, said.size, said.root) == (log.signer.name, 5, signed.root)
    assert latest(log) == signed
    assert log.signer.last_head().note == signed.note


def test_the_same_size_gives_the_same_checkpoint(log):
    log.filled(5)
    first = log.sign()
    assert sign_checkpoint(log.engine, log.signer, now=NOW.replace(hour=10)) == first
    assert log.counts()["audit_checkpoint"] == 1


def test_consistency_holds_from_every_signed_size_to_every_later_one(log):
    sizes = (1, 2, 255, 256, 257, 400, 511, 512, 513, 520)
    log.filled(520, *sizes)
    leaves = log.leaves()
    with transaction(log.engine, read_only=True) as work:
        stored = log.tree(work)
        for new in sizes:
            for old in sizes:
                if old <= new:
                    proof = stored.consistency(old, new)
                    assert tree.verify_consistency(old, new, naive_root(leaves[:old]), naive_root(leaves[:new]), proof)
            index = new - 1
            path = stored.inclusion(index, 520)
            assert tree.verify_inclusion(index, 520, leaves[index], path, naive_root(leaves))
    assert log.verify(outside=[log.signer.last_head().note]).ok


def test_a_proof_reads_tiles_and_not_all_leaves(log):
    log.filled(1030)
    with transaction(log.engine, read_only=True) as work:
        stored = log.tree(work)
        stored.consistency(700, 1030)
        assert len(stored._read) <= 4
        leaves = naive_root(log.leaves())
        assert stored.root(1030) == leaves


def test_signers_at_once_neither_fail_nor_fork(log):
    failures = []

    def run(writer):
        mine = Signer.load(log.signer.path, log.signer.name)
        try:
            for number in range(12):
                log.add(1, writer * 100 + number)
                sign_checkpoint(log.engine, mine, now=NOW)
        except Exception as error:  # noqa: BLE001 -- a thread's failure must reach the test, whatever it is
            failures.append(error)

    threads = [threading.Thread(target=run, args=(writer,)) for writer in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    log.sign()
    verdict = log.verify(outside=[log.signer.last_head().note])
    assert (verdict.ok, verdict.size, verdict.signed) == (True, 36, 36)


def test_a_signer_overtaken_between_reading_and_signing_is_not_taken_for_a_rollback(log, monkeypatch):
    log.filled(5)
    read, overtaken, failures = threading.Event(), threading.Event(), []

    def slow(work, name, real=checkpoints.read_head):
        head = real(work, name)
        if not read.is_set():
            read.set()
            overtaken.wait(0.3)
        return head

    def sign():
        try:
            log.sign()
        except LogCorrupt as error:
            failures.append(error)

    monkeypatch.setattr(checkpoints, "read_head", slow)
    thread = threading.Thread(target=sign)
    thread.start()
    read.wait(10)
    log.add(1)
    assert log.sign().size == 6
    overtaken.set()
    thread.join()
    assert failures == []


def test_a_checkpoint_lost_between_head_file_and_database_is_stored_again(log, monkeypatch):
    log.filled(5)
    with monkeypatch.context() as patch:
        patch.setattr("audit.checkpoints._ADD", {})
        with pytest.raises(KeyError):
            log.sign()
    assert latest(log) is None
    assert log.signer.last_head().text.size == 5
    assert log.sign().size == 5
    assert latest(log).size == 5
    log.add(1)
    assert log.sign().size == 6


def test_a_restored_backup_is_a_hard_stop(sqlite_log, tmp_path):
    log = sqlite_log.filled(10, 10)
    log.engine.dispose()
    backup = tmp_path / "backup.db"
    shutil.copy(tmp_path / "jixiao.db", backup)
    log.filled(20, 20)
    log.engine.dispose()

    restored = Log(make_engine(f"sqlite:///{backup}"), log.signer)
    head = log.signer.last_head().note
    try:
        for count in (0, 5, 5, 20):
            # Right away, and after going on to less, as much and more than what was signed.
            restored.add(count, 500) if count else None
            with pytest.raises(LogCorrupt, match="拒绝签名"):
                restored.sign()
            verdict = restored.verify(outside=[head])
            assert (verdict.ok, verdict.status) == (False, "tampered")
            assert restored.verify().ok, "from inside nobody can tell"
        assert log.signer.last_head().note == head
    finally:
        restored.engine.dispose()


def test_a_lost_head_file_is_a_hard_stop_until_it_is_put_back(log):
    note = log.filled(10, 10).signer.last_head().note
    log.signer.head_path.unlink()
    with pytest.raises(LogCorrupt, match=r"签名头文件.+不见了"):
        log.sign()
    log.add(1)
    with pytest.raises(LogCorrupt, match=r"签名头文件.+不见了"):
        log.sign()
    log.signer.restore_head(note)
    assert log.sign().size == 11


def test_an_old_head_file_is_a_hard_stop(log):
    note = log.filled(10, 10).signer.last_head().note
    log.filled(12, 12)
    log.signer.head_path.write_text(note)
    with pytest.raises(LogCorrupt, match="是旧的"):
        log.sign()


def test_a_foreign_key_does_not_sign(log, tmp_path):
    log.filled(3)
    other = Signer.create(tmp_path / "other.pem", log.signer.name)
    with pytest.raises(LogCorrupt, match="公钥不符"):
        sign_checkpoint(log.engine, other, now=NOW)
    with pytest.raises(NotFound):
        sign_checkpoint(log.engine, log.signer, log="other", now=NOW)


@pytest.mark.parametrize("column", ["root", "edge"])
def test_a_head_that_does_not_fit_the_tiles_is_not_signed(log, column):
    log.filled(300)
    value = b"\x07" * (32 if column == "root" else 64)
    log.attack(f"UPDATE audit_head SET {column} = :v", v=value)
    with pytest.raises(LogCorrupt, match="audit verify"):
        log.sign()


def test_a_changed_leaf_before_the_last_head_is_not_signed(log):
    log.filled(10, 10)
    log.attack("UPDATE audit_entry SET leaf = :v WHERE idx = 3", v=b"\x07" * 32)
    with transaction(log.engine) as work:
        record(work, draft(3), event_id=new_id(NOW), now=NOW, mac_key=MAC_KEY)
    log.add(0)
    with pytest.raises(LogCorrupt):
        log.sign()


def test_a_stored_checkpoint_that_is_none_is_reported(log):
    log.filled(3, 3)
    log.attack("UPDATE audit_checkpoint SET note = 'nothing'")
    with pytest.raises(LogCorrupt, match="检查点无法读取"):
        latest(log)


def test_a_signature_of_another_process_is_no_old_backup(log, monkeypatch):
    log.filled(1, 1)
    signer = log.signer
    other = Log(log.engine, Signer.load(signer.path, signer.name, vkey=signer.vkey, head_path=signer.head_path))
    read_head_file = signer.last_head

    def overtaken():
        found = read_head_file()
        other.filled(300, 300)
        return found

    monkeypatch.setattr(signer, "last_head", overtaken)
    require_continues(log.engine, signer)
    assert log.head().size == 300


def test_writers_and_signers_side_by_side_never_take_each_other_for_an_old_backup(log: Log) -> None:
    log.filled(1, 1)
    failures: list[BaseException] = []

    def write_and_sign() -> None:
        try:
            for _ in range(15):
                require_continues(log.engine, log.signer)
                log.add(1)
                log.sign()
        except JixiaoError as error:
            failures.append(error)

    threads = [threading.Thread(target=write_and_sign) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
