"""Verification that goes on from an older checkpoint, and keys that change over time."""

import pytest
from audit_log import NOW, Log
from test_audit_attacks import flipped, head_note, kinds, resign, rewrite_tree, set_body

from audit.events import Act, Actor, EventDraft, Outcome, Via, event_bytes
from audit.keys import Signer
from audit.verdicts import Level, Status
from models.errors import InvalidInput
from models.ids import new_id

SIZE = 530


@pytest.mark.parametrize("block", [256, 65_536])
@pytest.mark.parametrize("size", [100, 300, 525])
@pytest.mark.parametrize("level", [Level.TILES, Level.FULL])
def test_a_verification_goes_on_from_an_older_one(filled, monkeypatch, size, level, block):
    monkeypatch.setattr("audit.verification.BLOCK", block)
    verdict = filled.verify(level=level, since=filled.note_at(size), outside=[filled.note_at(100), head_note(filled)])
    assert (verdict.ok, verdict.start, verdict.size, verdict.signed) == (True, size, SIZE, 525)
    assert verdict.root == filled.head().root


def test_going_on_reads_only_later_bodies(filled):
    set_body(filled, 40, flipped(filled.body(40)), with_leaf=True)
    assert filled.verify(since=filled.note_at(300)).ok
    set_body(filled, 310, flipped(filled.body(310)), with_leaf=True)
    assert filled.verify(since=filled.note_at(300)).first_bad == 310


def test_going_on_finds_a_rewritten_past(filled):
    since = filled.note_at(300)
    set_body(filled, 40, flipped(filled.body(40)), with_leaf=True)
    rewrite_tree(filled)
    verdict = filled.verify(since=since)
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, 0)
    assert "作为起点的检查点（300 条）" in verdict.problems[0].message


def test_going_on_finds_a_log_cut_before_the_checkpoint(filled):
    since = filled.note_at(525)
    filled.attack("DELETE FROM audit_entry WHERE idx >= 520")
    verdict = filled.verify(since=since)
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, 520)


def test_going_on_finds_an_older_outside_checkpoint_that_does_not_fit(filled, tmp_path):
    old = filled.note_at(100)
    set_body(filled, 40, flipped(filled.body(40)), with_leaf=True)
    rewrite_tree(filled)
    filled.attack("DELETE FROM audit_checkpoint")
    filled.signer.head_path.unlink()
    since = filled.sign().note
    assert filled.verify(since=since).ok
    verdict = filled.verify(since=since, outside=[old])
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, 0)
    assert "不能相互证明" in verdict.problems[0].message


def test_the_checkpoint_to_go_on_from_must_be_signed_by_a_trusted_key(filled, tmp_path):
    thief = Signer.create(tmp_path / "thief.pem", filled.signer.name)
    verdict = filled.verify(since=filled.note_at(300), trusted=[thief.vkey])
    assert (verdict.ok, verdict.size, kinds(verdict)) == (False, SIZE, {"unknown_key"})
    with pytest.raises(InvalidInput):
        filled.verify(since="nothing")


@pytest.mark.parametrize("level", [Level.HEAD, Level.STRICT])
def test_head_and_strict_do_not_go_on(filled, level):
    with pytest.raises(InvalidInput, match="--since"):
        filled.verify(level=level, since=filled.note_at(300))


def rotated(log: Log, folder, *, at, until):
    """A second key that signs from ``at`` on; the first one ends at ``until``. Checkpoints are signed anew with it."""
    fresh = Signer.create(folder / "fresh.pem", log.signer.name)
    log.attack("UPDATE audit_key SET until_size = :u", u=until)
    log.attack(
        "INSERT INTO audit_key (log, vkey, from_size, until_size) VALUES ('main', :v, :a, NULL)", v=fresh.vkey, a=at
    )
    log.attack("UPDATE audit_log SET vkey = :v", v=fresh.vkey)
    kept = {size: log.note_at(size) for size in (100, 300)}
    resign(log, fresh)
    for size, note in kept.items():
        log.attack("UPDATE audit_checkpoint SET note = :n WHERE size = :s", n=note, s=size)
    return fresh


def test_each_checkpoint_is_judged_by_the_keys_of_its_size(filled, tmp_path):
    fresh = rotated(filled, tmp_path, at=300, until=300)
    assert filled.statuses() == [Status.INTACT] * 4
    assert filled.statuses(trusted=[filled.signer.vkey, fresh.vkey]) == [Status.INTACT] * 4
    filled.attack("UPDATE audit_key SET until_size = 299 WHERE until_size = 300")
    verdict = filled.verify()
    assert (verdict.status, kinds(verdict)) == (Status.TAMPERED, {"key"})


def test_a_second_key_is_not_believed_before_it_began(filled, tmp_path):
    rotated(filled, tmp_path, at=526, until=300)
    assert filled.verify().status is Status.NOT_PROVABLE


def test_without_the_old_key_s_word_a_new_one_is_a_swapped_one(filled, tmp_path):
    old = filled.signer.vkey
    rotated(filled, tmp_path, at=300, until=300)
    verdict = filled.verify(trusted=[old])
    assert verdict.status is Status.TAMPERED
    assert {"key", "unknown_key"} <= kinds(verdict)
    assert verdict.signed == 300


@pytest.mark.parametrize("level", list(Level))
def test_a_change_of_keys_that_no_signature_proves_brings_no_key_into_trust(filled, tmp_path, level):
    """The forged event stands in the database, but not under the root that the old key has signed."""
    old = filled.signer.vkey
    fresh = rotated(filled, tmp_path, at=300, until=300)
    actor = Actor("account-1", "audit_administrator", Via.CLI)
    change = {"p": "/vkey", "o": old, "n": fresh.vkey}
    forged = EventDraft(Act.KEY_ROTATE, Outcome.SUCCESS, actor, "audit_log", "main", {}, chg=[change])
    body = event_bytes(forged, event_id=new_id(NOW), ts=NOW, ver=1, prev=None)
    filled.attack("UPDATE audit_entry SET body = :b WHERE idx = 40", b=body)
    filled.attack("UPDATE audit_projection SET act = 'key.rotate' WHERE idx = 40")
    verdict = filled.verify(level=level, trusted=[old])
    assert verdict.status is Status.TAMPERED
    assert {"key", "unknown_key"} <= kinds(verdict)


@pytest.mark.parametrize(("column", "value"), [("from_size", 1.5), ("until_size", "x"), ("vkey", b"x")])
def test_odd_values_in_the_table_of_keys_are_reported(sqlite_log, column, value):
    log = sqlite_log.filled(3, 3)
    log.attack(f"UPDATE audit_key SET {column} = :v", v=value)
    assert "key" in kinds(log.verify())
