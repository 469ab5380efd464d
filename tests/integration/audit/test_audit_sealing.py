"""Sealed values on both databases: what opens, what does not, and what is left after an erasure."""

from __future__ import annotations

import hashlib
import os
import threading
import time
import unicodedata
from base64 import b64decode

import pytest
from audit_log import NOW
from hypothesis import given
from hypothesis import strategies as st

from audit.keyfiles import create_seal_key, load_seal_key
from audit.sealing import SALT_BYTES, Sealer, check, commit, erase_subject, erase_value, find_sealed, sealed_of
from models.engine import transaction
from models.errors import InvalidInput, JixiaoError, LogCorrupt

SEALER = Sealer(bytes(range(32)))
PHONE = "0319-8800123"


def with_account(log):
    """The person who erases, whom a sealed value refers to."""
    at = "'2026-01-01T00:00:00.000000Z'"
    log.attack(f"INSERT INTO organization (id, name, kind, aliases, created_at) VALUES ('o', 'o', 'audit', '', {at})")
    log.attack(
        "INSERT INTO account (id, organization_id, login, display_name, created_at)"
        f" VALUES ('eraser', 'o', 'eraser', 'eraser', {at})"
    )
    return "eraser"


@pytest.fixture
def account(log):
    return with_account(log)


def seal(log, value=PHONE, subject="person", purpose="/phone", sealer=SEALER):
    with transaction(log.engine) as work:
        return sealer.seal(work, subject, purpose, value, NOW)


def opened(log, commitment, sealer=SEALER):
    with transaction(log.engine, read_only=True) as work:
        return sealer.open_sealed(work, commitment)


@given(st.text(st.characters(codec="utf-8")), st.binary(min_size=SALT_BYTES, max_size=SALT_BYTES))
def test_a_commitment_is_the_published_formula(value, salt):
    words = unicodedata.normalize("NFC", value).encode()
    assert b64decode(commit(value, salt)) == hashlib.sha256(b"c1" + salt + words).digest()
    assert check(commit(value, salt), value, salt)
    assert not check(commit(value, salt), value + "x", salt)
    assert not check(commit(value, salt), value, bytes(byte ^ 1 for byte in salt))


def test_another_salt_and_half_a_character_are_refused():
    with pytest.raises(InvalidInput, match="16 字节"):
        commit(PHONE, b"short")
    with pytest.raises(InvalidInput, match="代理字符"):
        commit("\ud800", bytes(16))


def test_what_was_sealed_opens_with_its_salt(log):
    commitment = seal(log)
    found = opened(log, commitment)
    assert (found.value, found.subject_id, found.purpose, found.erased_at) == (PHONE, "person", "/phone", None)
    assert check(commitment, found.value, found.salt)
    assert opened(log, commit(PHONE, bytes(16))) is None


def test_the_same_value_twice_tells_nobody_that_it_is_the_same(log):
    first, second = seal(log), seal(log)
    assert first != second
    stored = [bytes(row[0]) for row in log.rows("SELECT sealed FROM sealed_value")]
    assert stored[0] != stored[1]
    assert not any(PHONE.encode() in data for data in stored)


def test_one_key_seals_everything_about_one_person(log):
    for subject in ("one", "two", "one"):
        seal(log, subject=subject)
    assert sorted(row[0] for row in log.rows("SELECT subject_id FROM subject_key")) == ["one", "two"]


def test_nothing_opens_with_another_installations_key(log):
    commitment = seal(log)
    with pytest.raises(LogCorrupt, match=r"seal\.key"):
        opened(log, commitment, Sealer(bytes(32)))
    with pytest.raises(LogCorrupt, match=r"seal\.key"):
        seal(log, sealer=Sealer(bytes(32)))


@pytest.mark.parametrize("column", ["sealed_value.sealed", "subject_key.wrapped"])
@pytest.mark.parametrize("at", [0, -1])
def test_a_changed_byte_is_noticed(log, column, at):
    table, name = column.split(".")
    commitment = seal(log)
    data = bytearray(log.rows(f"SELECT {name} FROM {table}")[0][0])
    data[at] ^= 1
    log.attack(f"UPDATE {table} SET {name} = :d", d=bytes(data))
    with pytest.raises(LogCorrupt, match="打不开"):
        opened(log, commitment)


def test_a_value_can_not_be_moved_to_another_commitment_nor_a_key_to_another_person(log):
    first, second = seal(log, "one"), seal(log, "two")
    data = log.rows("SELECT sealed FROM sealed_value WHERE commitment = :c", c=first)[0][0]
    log.attack("UPDATE sealed_value SET sealed = :d WHERE commitment = :c", d=data, c=second)
    with pytest.raises(LogCorrupt):
        opened(log, second)
    log.attack("UPDATE subject_key SET subject_id = 'another'")
    log.attack("UPDATE sealed_value SET subject_id = 'another'")
    with pytest.raises(LogCorrupt):
        opened(log, first)


def test_a_lost_key_is_damage_and_no_erasure(log):
    commitment = seal(log)
    log.attack("DELETE FROM subject_key")
    with pytest.raises(LogCorrupt):
        opened(log, commitment)


def test_an_erasure_leaves_the_commitment_and_who_did_it(log, account):
    kept = seal(log, subject="another")
    gone = [seal(log, "a"), seal(log, "b")]
    with transaction(log.engine) as work:
        assert sorted(erase_subject(work, "person", by=account, now=NOW)) == sorted(gone)
        assert erase_subject(work, "person", by=account, now=NOW) == []
        assert sealed_of(work, "person") == []
    found = opened(log, gone[0])
    assert (found.value, found.salt, found.erased_at, found.erased_by) == (None, None, NOW, account)
    assert opened(log, kept).value == PHONE
    assert [row[0] for row in log.rows("SELECT subject_id FROM subject_key")] == ["another"]
    assert opened(log, seal(log, "c")).value == "c"  # what is written later gets a key of its own


def test_a_single_value_is_erased_once(log, account):
    first, second = seal(log), seal(log)
    with transaction(log.engine) as work:
        assert erase_value(work, first, by=account, now=NOW)
        assert not erase_value(work, first, by=account, now=NOW)
        assert sealed_of(work, "person") == [second]
        assert find_sealed(work, first).erased_by == account
    assert opened(log, second).value == PHONE


def test_two_writers_of_a_new_person_use_one_key(log):
    commitments, errors = [], []
    gate = threading.Barrier(2)

    def write():
        gate.wait(10)
        try:
            commitments.append(seal(log))
        except JixiaoError as error:
            errors.append(error)

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not errors
    assert [opened(log, item).value for item in commitments] == [PHONE, PHONE]


def test_what_is_just_being_sealed_is_erased_too(postgresql_log):
    """The erasure waits for the writer; without the lock on the key a value would stay that no key opens."""
    log = postgresql_log
    account = with_account(log)
    first = seal(log)
    done = []

    def erase():
        with transaction(log.engine) as work:
            done.append(erase_subject(work, "person", by=account, now=NOW))

    with transaction(log.engine) as work:
        second = SEALER.seal(work, "person", "/phone", "late", NOW)
        thread = threading.Thread(target=erase)
        thread.start()
        while thread.is_alive() and not log.rows("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            time.sleep(0.01)
        assert not done
    thread.join(30)
    assert sorted(done[0]) == sorted([first, second])
    assert opened(log, second).value is None


def test_a_key_file_of_another_length_is_refused(tmp_path):
    path = tmp_path / "seal.key"
    key = create_seal_key(path)
    assert load_seal_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(os.urandom(31))
    with pytest.raises(InvalidInput, match="密封密钥文件"):
        load_seal_key(path)
