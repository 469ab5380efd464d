"""A change of keys on both databases: both sign, either refuses, and outsiders get from the old key to the new."""

from __future__ import annotations

import pytest
from audit_log import MAC_KEY, NOW, Log

from audit.acts import Act
from audit.checkpoints import require_continues, sign_checkpoint
from audit.events import Via
from audit.integrator import integrate
from audit.keys import Signer
from audit.notes import Standing, VerifierKey, open_checkpoint, parse_note, parse_vkey, standing
from audit.recorder import Recorder
from audit.rotation import (
    active_vkeys,
    add_key,
    end_key,
    endorsed_keys,
    key_path,
    load_signer,
    log_keys,
    prepare_key,
    put_back,
)
from audit.storage import read_identity
from audit.timeline import events
from models.engine import transaction
from models.errors import Conflict, LogCorrupt, NotFound

RECORDER = Recorder("r", "jixiao/test", Via.CLI, mac_key=MAC_KEY)


def rotate(log: Log) -> Log:
    """The log after a new key came beside its own."""
    folder = log.signer.path.parent
    fresh = prepare_key(folder, "log", log.signer.name)
    with transaction(log.engine) as work:
        old = add_key(work, "main", fresh.vkey)
        RECORDER.write(
            work,
            Act.KEY_ROTATE,
            actor="admin",
            role="audit_administrator",
            obj=("audit_log", "main"),
            now=NOW,
            details=[("/vkey", old, fresh.vkey)],
        )
    integrate(log.engine, mac_key=MAC_KEY)
    return reloaded(log)


def reloaded(log: Log) -> Log:
    with transaction(log.engine, read_only=True) as work:
        vkeys = active_vkeys(work, "main")
    return Log(log.engine, load_signer(log.signer.path.parent, "log", log.signer.name, vkeys))


@pytest.fixture
def rotated(log):
    """A log signed at 10 by its first key, with a second beside it; the first signer, and the log with both."""
    # The test's log keeps its head where the program does.
    log.signer.head_path = log.signer.path.with_suffix(".head")
    log.filled(10, 10)
    return log.signer, rotate(log)


def test_both_keys_sign_and_the_origin_stays(rotated):
    first, log = rotated
    signed = log.sign()
    note = parse_note(signed.note)
    fresh = log.signer
    assert fresh.vkey != first.vkey
    assert (note.text.splitlines()[0], signed.size) == (first.name, 11)
    assert [standing(note, parse_vkey(vkey)) for vkey in (first.vkey, fresh.vkey)] == [Standing.SIGNED] * 2
    for key in (first.key, fresh.key):
        assert open_checkpoint(signed.note, [key]).size == 11
    assert first.head_path.read_text() == fresh.head_path.read_text() == signed.note
    with transaction(log.engine, read_only=True) as work:
        assert read_identity(work, "main").vkey == fresh.vkey
        assert [(key.vkey, key.from_size, key.until_size) for key in log_keys(work, "main")] == [
            (first.vkey, 0, None),
            (fresh.vkey, 10, None),
        ]


def test_the_first_checkpoint_of_two_keys_continues_what_the_first_signed(rotated):
    first, log = rotated
    head = first.last_head()
    assert head.text.size == 10
    assert log.signer.own_head() is None
    assert log.signer.last_head() == head
    require_continues(log.engine, log.signer)


@pytest.mark.parametrize("which", ["first", "fresh"])
def test_the_head_of_either_key_stops_a_rollback(rotated, which):
    first, log = rotated
    log.add(5, 20)
    log.sign()
    lost = first if which == "fresh" else log.signer
    lost.head_path.unlink()
    log.attack("DELETE FROM audit_checkpoint")
    log.attack("UPDATE audit_head SET n = 12")
    with pytest.raises(LogCorrupt, match="已签 16 条"):
        require_continues(log.engine, reloaded(log).signer)
    with pytest.raises(LogCorrupt):
        reloaded(log).sign()


def test_a_crash_between_the_two_head_files_harms_nothing(rotated):
    first, log = rotated
    before = first.head_path.read_text()
    log.sign()
    first.head_path.write_text(before)  # as if only the new key's file had been written
    log = reloaded(log)
    require_continues(log.engine, log.signer)
    log.add(3, 30)
    signed = log.sign()
    assert first.head_path.read_text() == log.signer.head_path.read_text() == signed.note


def test_one_key_alone_can_not_sign_a_fork_of_what_the_other_signed(rotated):
    first, log = rotated
    log.add(5, 20)
    log.sign()
    forked = Signer.load(first.path, first.name, head_path=first.path.parent / "none.head", beside=(log.signer,))
    with forked.exclusive(), pytest.raises(LogCorrupt, match="拒绝签名"):
        forked.sign(16, bytes(32), lambda _: [])
    with forked.exclusive(), pytest.raises(LogCorrupt, match="拒绝签名"):
        forked.sign(12, bytes(32), lambda _: [])


def test_a_second_change_waits_until_the_first_has_ended(rotated):
    first, log = rotated
    with pytest.raises(Conflict, match="key retire"), transaction(log.engine) as work:
        add_key(work, "main", first.vkey)
    log.sign()
    with transaction(log.engine) as work:
        assert end_key(work, "main") == (first.vkey, 11)
    with pytest.raises(Conflict, match="key rotate"), transaction(log.engine) as work:
        end_key(work, "main")
    rotate(log)


def test_after_its_end_the_old_key_signs_no_more(rotated):
    first, log = rotated
    log.sign()
    with transaction(log.engine) as work:
        end_key(work, "main")
    first.path.unlink()
    log = reloaded(log)
    log.add(2, 40)
    note = log.sign().note
    assert [line.key_id for line in parse_note(note).signatures] == [log.signer.key.key_id]
    with transaction(log.engine, read_only=True) as work:
        old, new = log_keys(work, "main")
        assert (old.until_size, new.until_size) == (11, None)
        assert [key.covers(size) for key in (old, new) for size in (0, 11, 12)] == [
            True,
            True,
            False,
            False,
            True,
            True,
        ]


def test_a_signer_from_before_the_change_does_not_sign_alone(rotated):
    first, log = rotated
    with pytest.raises(LogCorrupt, match="公钥不符"):
        sign_checkpoint(log.engine, first, now=NOW)


def test_without_the_file_of_one_key_nothing_is_signed(rotated):
    first, log = rotated
    first.path.rename(first.path.with_name("elsewhere"))
    with pytest.raises(NotFound, match="签名私钥"):
        reloaded(log)


def test_a_key_that_the_database_did_not_name_is_used_by_the_next_attempt(log):
    folder, name = log.signer.path.parent, log.signer.name
    fresh = prepare_key(folder, "log", name)
    assert key_path(folder, "log", fresh.vkey) == fresh.path
    put_back(folder, "log", fresh)
    assert key_path(folder, "log", log.signer.vkey) == log.signer.path
    again = prepare_key(folder, "log", name)
    assert again.vkey == fresh.vkey


def proven_events(log: Log):
    with transaction(log.engine, read_only=True) as work:
        return [(item.index, item.event) for item in events(work, act=Act.KEY_ROTATE, limit=10)]


def test_who_trusts_the_old_key_gets_to_the_new_one_by_the_log_itself(rotated):
    first, log = rotated
    log.sign()
    with transaction(log.engine) as work:
        end_key(work, "main")
    log = rotate(reloaded(log))
    log.sign()
    with transaction(log.engine, read_only=True) as work:
        keys = [parse_vkey(key.vkey) for key in log_keys(work, "main")]
    assert len(keys) == 3
    assert endorsed_keys([first.key], proven_events(log)) == keys
    assert endorsed_keys([keys[1]], proven_events(log)) == keys[1:]
    assert endorsed_keys([keys[2]], reversed(proven_events(log))) == keys[2:]


@pytest.mark.parametrize(
    "member",
    [
        {"out": "denied"},
        {"act": "key.retire"},
        {"chg": [{"p": "/vkey", "o": "another", "n": "x"}]},
        {"chg": [{"p": "/vkey", "n": "x"}]},
        {"chg": [{"p": "/other"}]},
    ],
)
def test_only_a_successful_change_of_a_trusted_key_vouches_for_another(rotated, member):
    first, log = rotated
    [(index, event)] = proven_events(log)
    assert len(endorsed_keys([first.key], [(index, event)])) == 2
    assert endorsed_keys([first.key], [(index, event | member)]) == [first.key]


@pytest.mark.parametrize("vkey", ["nonsense", str(VerifierKey("other.name", bytes(32)))])
def test_a_foreign_name_and_nonsense_are_no_keys(rotated, vkey):
    first, log = rotated
    [(index, event)] = proven_events(log)
    changed = event | {"chg": [{"p": "/vkey", "o": first.vkey, "n": vkey}]}
    assert endorsed_keys([first.key], [(index, changed)]) == [first.key]


def test_a_swapped_key_is_caught_with_the_key_from_outside(rotated, tmp_path):
    first, log = rotated
    log.sign()
    thief = Signer.create(tmp_path / "thief.pem", first.name)
    log.attack("DELETE FROM audit_key")
    log.attack("UPDATE audit_log SET vkey = :v", v=thief.vkey)
    log.attack("DELETE FROM audit_checkpoint")
    sign_checkpoint(log.engine, thief, now=NOW)
    for trusted in ([first.vkey], [first.vkey, log.signer.vkey]):
        verdict = log.verify(trusted=trusted)
        assert not verdict.ok
        assert "密钥" in "".join(problem.message for problem in verdict.problems)
