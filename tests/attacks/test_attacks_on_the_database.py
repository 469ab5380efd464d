"""Attacks 8 and 10 to 14 of audit.md: what lies around the history is changed. See ``test_attacks_on_history`` for the roles."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from intrusion import Intruder, Victim

from application.acting import act
from application.auditing import Level, Status, checkpoint, verify_log
from application.installation import LOG, Installation
from application.texts import show_text
from audit import tree
from audit.acts import Act
from audit.integrator import integrate
from audit.journal import outbox_mac
from audit.keyfiles import load_mac_key
from audit.keys import Signer
from audit.notes import CheckpointText, sign_note
from audit.verdicts import Verdict
from audit.witness import render_request
from models.engine import transaction
from models.errors import DatabaseUnavailable, LogCorrupt
from models.people import Role

Copy = Callable[[], Victim]


def kinds(verdict: Verdict) -> set[str]:
    return {problem.kind.value for problem in verdict.problems}


def went_on(victim: Victim) -> str:
    """The office works on; the witness cosigns the newest head, which is returned."""
    act(victim.request(Role.APPROVER), victim.text, action="approve")
    note = checkpoint(victim.installation)
    assert victim.asked(victim.size_of(victim.late), note).status == 200
    return note


def restored(victim: Victim, copy: Copy, *, with_keys: bool) -> Victim:
    """The office on a database of before; with the keys' folder of today, or with that of before, too."""
    before = replace(copy(), witness=victim.witness)
    if not with_keys:
        keys = before.installation.settings.keys
        shutil.rmtree(keys)
        shutil.copytree(victim.installation.settings.keys, keys)
    return before


# 8 a backup is restored, and work goes on.


def test_8_a_restored_database_is_a_hard_stop_for_writers_and_the_signer(victim: Victim, copy: Copy) -> None:
    """Without the key's folder: caught before anything is written, by the head file; ``head`` says so too. Reading goes on."""
    went_on(victim)
    before = restored(victim, copy, with_keys=False)
    size = before.inside().size
    with pytest.raises(LogCorrupt, match="恢复自旧备份"):
        act(before.request(Role.APPROVER), before.text, action="approve")
    with pytest.raises(LogCorrupt, match="拒绝签名"):
        before.installation.sign(now=before.installation.clock())
    assert show_text(before.request(Role.REVIEWER), before.text)
    for level in Level:
        verdict = before.inside(level)
        assert (verdict.status, verdict.size) == (Status.TAMPERED, size), level


def test_8_with_the_keys_restored_as_well_work_goes_on_and_only_outside_heads_tell(victim: Victim, copy: Copy) -> None:
    """Whoever can set back database and keys is not seen inside. The newest checkpoint outside proves the loss, and the
    witness refuses to go on: with a smaller log at once, with a longer one because it does not continue.
    """
    newest = went_on(victim)
    before = restored(victim, copy, with_keys=True)
    short = checkpoint(before.installation)
    seen = before.size_of(newest)
    assert before.size_of(short) < seen
    assert before.asked(seen, short).status in (400, 409)
    for _ in range(seen - before.size_of(short) + 3):
        show_text_refused(before)
    longer = checkpoint(before.installation)
    assert before.size_of(longer) > seen
    for level in Level:
        assert before.inside(level).ok, level
        assert before.outside(before.late, level=level).ok, level
    assert before.outside(newest).status is Status.TAMPERED
    assert before.asked(seen, longer).status == 422


def show_text_refused(victim: Victim) -> None:
    request = victim.request(Role.PUBLISHER)
    with transaction(victim.engine) as work:
        request.recorder.write(
            work, Act.TEXT_READ, actor=request.person.account_id, role="-", obj=("text", victim.text), now=request.now()
        )
    victim.installation.catch_up()


# 10 a live table is changed.


LIVE = {
    "state": "UPDATE budget_text SET state = 'approved' WHERE id = :t",
    "content": "UPDATE budget_text SET current_hash = submitted_hash || 'x' WHERE id = :t",
    "task": "DELETE FROM task WHERE text_id = :t AND closed_at IS NULL",
    "version": "UPDATE text_version SET content_hash ="
    " (SELECT min(sha256) FROM blob WHERE sha256 <> content_hash) WHERE text_id = :t",
    "grant": "UPDATE role_grant SET role = 'approver' WHERE role = 'reviewer' AND :t = :t",
    "step": "UPDATE step SET account_id = (SELECT min(id) FROM account) WHERE text_id = :t AND number = 2",
    "participation": "DELETE FROM participation WHERE text_id = :t",
}


@pytest.mark.parametrize("key", [False, True], ids=["without the key", "with the key"])
@pytest.mark.parametrize("change", LIVE)
def test_10_a_changed_live_table_is_not_looked_at_below_strict(victim: Victim, change: str, key: bool) -> None:
    """The log is whole, so that ``head``, ``tiles`` and ``full`` say so; the key has no part in it."""
    intruder = Intruder(victim, victim.installation.signer if key else None)
    intruder.run(LIVE[change], t=victim.text)
    if key:
        intruder.sign_anew()
    for level in (Level.HEAD, Level.TILES, Level.FULL):
        assert victim.inside(level).ok, level


@pytest.mark.parametrize("key", [False, True], ids=["without the key", "with the key"])
@pytest.mark.parametrize("change", LIVE)
def test_10_a_changed_live_table_is_caught_by_the_replay(victim: Victim, change: str, key: bool) -> None:
    """Caught by ``strict``: the tables are not the fold of the events. With the key nothing changes, unless the thief writes
    an event that explains the change, which then stands in the log for everybody to see.
    """
    intruder = Intruder(victim, victim.installation.signer if key else None)
    intruder.run(LIVE[change], t=victim.text)
    if key:
        intruder.sign_anew()
    verdict = victim.inside(Level.STRICT)
    assert (verdict.status, kinds(verdict)) == (Status.TAMPERED, {"replay"})


# 11 the triggers are dropped or disabled first.


def test_11_the_triggers_stop_a_slip_and_not_an_owner(victim: Victim) -> None:
    """With the triggers the edit is refused; once they are gone it is done, and then ``full`` catches it as attack 1: the
    tree is the control. The key makes no difference to the triggers.
    """
    edit = sa.text("UPDATE audit_entry SET body = :b WHERE log = 'main' AND idx = :i")
    values = {"b": b"{}", "i": victim.hidden}
    with pytest.raises(DatabaseUnavailable, match="只能新增"), transaction(victim.engine) as work:
        work.connection.execute(edit, values)
    assert victim.inside().ok
    intruder = Intruder(victim)
    intruder.run(str(edit), **values)
    assert (victim.inside().status, victim.inside().first_bad) == (Status.TAMPERED, victim.hidden)


def test_11_what_gets_past_the_triggers_of_each_database_is_caught_by_the_tree(victim: Victim) -> None:
    """PostgreSQL's replica role does not get past ENABLE ALWAYS; the owner's DISABLE TRIGGER does. SQLite's REPLACE does not
    get past the INSERT triggers; PRAGMA writable_schema, which removes them without DROP, does.
    """
    if victim.engine.dialect.name == "sqlite":
        past = ("PRAGMA writable_schema = ON", "DELETE FROM sqlite_master WHERE type = 'trigger'")
        with victim.engine.begin() as connection:
            for statement in past:
                connection.exec_driver_sql(statement)
        victim.engine.dispose()
    else:
        with victim.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE audit_entry DISABLE TRIGGER USER")
    with victim.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE audit_entry SET leaf = :l WHERE log = 'main' AND idx = :i"), {"l": b"x", "i": victim.hidden}
        )
    assert victim.inside().first_bad == victim.hidden


# 12 the key is swapped for another, and everything is signed anew.


def swapped(victim: Victim, folder: Path) -> Signer:
    """A history without the refused attempt, signed by a key of the intruder's own with the log's name."""
    other = Signer.create(folder / "stolen.pem", victim.installation.signer.name)
    intruder = Intruder(victim)
    bodies = intruder.history()
    intruder.rewrite(lambda history: [*history[: victim.hidden], *history[victim.hidden + 1 :]])
    assert len(intruder.bodies()) == len(bodies) - 1
    intruder.key = other
    intruder.run("UPDATE audit_log SET vkey = :v WHERE id = 'main'", v=other.vkey)
    intruder.run("UPDATE audit_key SET vkey = :v WHERE log = 'main'", v=other.vkey)
    intruder.sign_anew()
    return other


def test_12_a_swapped_key_is_believed_by_who_asks_only_the_database(victim: Victim, tmp_path: Path) -> None:
    """On a copy of the database alone nothing tells; the published key does, at every level, and so do the head file beside
    the real key, and the program, which refuses to write with a key that is not the log's.
    """
    swapped(victim, tmp_path)
    alone = Installation(victim.installation.settings.model_copy(update={"home": tmp_path / "none"}), victim.engine)
    (tmp_path / "none" / "keys").mkdir(parents=True)
    shutil.copy(victim.installation.settings.keys / "outbox.key", tmp_path / "none" / "keys")
    assert verify_log(alone).ok
    for level in Level:
        assert verify_log(alone, level=level, trusted=(victim.vkey,)).status is Status.TAMPERED, level
        assert not victim.inside(level).ok, level
        assert not victim.outside(level=level).ok, level
    with pytest.raises(LogCorrupt):
        victim.installation.require_writable()


def test_12_whoever_has_the_key_needs_no_other(victim: Victim, thief: Intruder) -> None:
    """With the log's own key the swap is pointless: what it can do is attack 1 and 7. The witness knows the published key
    and cosigns nothing of another.
    """
    thief.rewrite(lambda history: history[:-5])
    assert victim.outside(victim.early, victim.late).ok
    other = Signer.create(victim.installation.settings.keys / "other.pem", victim.installation.signer.name)
    text = str(CheckpointText(other.name, 10_000, tree.EMPTY_ROOT))
    note = str(sign_note(text, other.name, other._private))
    assert victim.witness.add_checkpoint(render_request(0, [], note))[0].status == 403


# 13 an event is edited before it is in the log.


def test_13_on_sqlite_no_event_ever_waits(victim: Victim) -> None:
    """SQLite gives the event its place in the transaction that it tells of: there is nothing to edit before."""
    if victim.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has the outbox that the next tests are about")
    request = victim.request(Role.PUBLISHER)
    with transaction(victim.engine) as work:
        recorded = request.recorder.write(
            work, Act.TEXT_READ, actor="x", role="-", obj=("text", victim.text), now=request.now()
        )
        assert recorded.index is not None
    assert victim.inside().outbox == 0


@pytest.fixture
def waiting(victim: Victim) -> Intruder:
    """A refused attempt waits in the outbox, and behind it another one of the same text."""
    if victim.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has no outbox")
    request = victim.request(Role.PUBLISHER)
    with transaction(victim.engine) as work:
        for why in ("无权查看。", "无权下载。"):
            request.recorder.write(
                work,
                Act.TEXT_READ,
                actor=request.person.account_id,
                role="-",
                obj=("text", victim.text),
                now=request.now(),
                why=why,
            )
    return Intruder(victim)


def replaced(intruder: Intruder, mac_key: bytes | None) -> None:
    """The first waiting event says something else; with the outbox's key under a right HMAC."""
    seq, body, mac = intruder.rows("SELECT seq, body, mac FROM audit_outbox ORDER BY seq LIMIT 1")[0]
    other = bytes(body).replace("无权查看".encode(), "有权查看".encode())
    assert other != bytes(body)
    if mac_key is not None:
        mac = outbox_mac(mac_key, LOG, other)
    intruder.run("UPDATE audit_outbox SET body = :b, mac = :m WHERE seq = :s", b=other, m=mac, s=seq)


def test_13_without_the_outbox_s_key_the_integrator_stops_and_names_the_event(
    victim: Victim, waiting: Intruder
) -> None:
    """Caught by the integrator, which takes nothing from it on, and by every level of verification."""
    replaced(waiting, None)
    for level in Level:
        verdict = victim.inside(level)
        assert (verdict.status, kinds(verdict)) == (Status.TAMPERED, {"outbox"}), level
    size = victim.inside().size
    with pytest.raises(LogCorrupt, match="校验码不符"):
        integrate(victim.engine, mac_key=victim.installation.mac_key)
    assert victim.inside().size == size


def test_13_with_the_outbox_s_key_the_next_event_of_the_object_tells(victim: Victim, waiting: Intruder) -> None:
    """Not caught by hashes, since the false event was never anything else to them. ``strict`` sees that the object's next
    event links to another one; where there is none yet, nothing tells: honest about that.
    """
    replaced(waiting, load_mac_key(victim.installation.settings.keys / "outbox.key"))
    assert integrate(victim.engine, mac_key=victim.installation.mac_key) == 2
    assert victim.inside().ok
    verdict = victim.inside(Level.STRICT)
    assert (verdict.status, kinds(verdict), verdict.first_bad) == (Status.TAMPERED, {"object"}, verdict.size - 1)


def test_13_with_the_outbox_s_key_the_newest_event_is_not_told_apart(victim: Victim, waiting: Intruder) -> None:
    """The other direction: without a later event of the object, and with ``audit_object`` edited along, all agrees."""
    waiting.run("DELETE FROM audit_outbox WHERE seq = (SELECT max(seq) FROM audit_outbox)")
    key = load_mac_key(victim.installation.settings.keys / "outbox.key")
    replaced(waiting, key)
    body = bytes(waiting.rows("SELECT body FROM audit_outbox")[0][0])
    waiting.run(
        "UPDATE audit_object SET ver = ver - 1, leaf = :l WHERE log = 'main' AND obj_type = 'text' AND obj_id = :t",
        l=tree.leaf_hash(body),
        t=victim.text,
    )
    assert integrate(victim.engine, mac_key=key) == 1
    for level in Level:
        assert victim.inside(level).ok, level


def test_13_a_deleted_waiting_event_leaves_a_hole_in_its_object(victim: Victim, waiting: Intruder) -> None:
    """Deleting needs no key. ``strict`` sees the hole at the object's next event; only for the very last there is none."""
    waiting.run("DELETE FROM audit_outbox WHERE seq = (SELECT min(seq) FROM audit_outbox)")
    assert integrate(victim.engine, mac_key=victim.installation.mac_key) == 1
    assert victim.inside().ok
    assert kinds(victim.inside(Level.STRICT)) == {"object"}


# 14 an event with a false old time is appended.


@pytest.mark.parametrize("key", [False, True], ids=["by the program", "with the key"])
def test_14_a_false_old_time_is_seen_by_strict_with_the_witness_s_times(victim: Victim, key: bool) -> None:
    """The event is written and signed like any other, so that ``full`` is content whoever signs. ``strict`` compares its time
    with the outside stamps around it; without a witness nobody outside knows the time, and nothing is said.
    """
    past = victim.installation.clock() - timedelta(days=30)
    request = victim.request(Role.PUBLISHER)
    with transaction(victim.engine) as work:
        request.recorder.write(
            work, Act.TEXT_READ, actor=request.person.account_id, role="-", obj=("text", victim.text), now=past
        )
    victim.installation.catch_up()
    if key:
        Intruder(victim, victim.installation.signer).sign_anew_beyond(victim.size_of(victim.late))
    else:
        checkpoint(victim.installation)
    assert victim.inside().ok
    verdict = victim.inside(Level.STRICT)
    assert (verdict.status, kinds(verdict), verdict.first_bad) == (Status.TAMPERED, {"time"}, verdict.size - 1)
    assert verify_log(victim.installation, level=Level.STRICT).ok, "no witness is believed here"


def test_14_a_thief_who_strips_the_witness_s_stamps_is_seen_by_who_keeps_one(victim: Victim, thief: Intruder) -> None:
    """With the key the stamps in the database can be thrown away, and the time rule has nothing left to say; the cosigned
    checkpoint that the witness keeps convicts the rewriting itself.
    """

    def backdated(history: list[dict[str, object]]) -> list[dict[str, object]]:
        late = history[-1]
        return [*history[:-1], {**late, "ts": history[3]["ts"]}]

    thief.rewrite(backdated)
    assert victim.inside(Level.STRICT).ok
    assert victim.outside(victim.late, level=Level.STRICT).ok, "it lies behind the newest head that is known outside"
    thief.rewrite(
        lambda history: [
            *history[: victim.hidden],
            *backdated(history[: victim.hidden + 1])[-1:],
            *history[victim.hidden + 1 :],
        ]
    )
    assert victim.inside(Level.STRICT).ok
    assert victim.outside(victim.late).status is Status.TAMPERED
