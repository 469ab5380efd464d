"""What strict verification asks beyond the hashes; on both databases."""

import pytest
from audit_log import MAC_KEY, NOW, caught_from, draft
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from test_audit_attacks import kinds, rewrite_tree, set_body

from audit.cosignatures import CosignerKey, cosign
from audit.events import event_bytes
from audit.journal import record
from audit.verdicts import Kind, Level, Problem, Status
from models.engine import transaction
from models.ids import new_id

SIZE = 530


def rewritten(log, index, change):
    """A key holder writes an event anew, with everything that hangs on its hash but the events after it."""
    body = change(log.body(index))
    set_body(log, index, body, with_leaf=True)
    rewrite_tree(log)
    log.attack("DELETE FROM audit_checkpoint")
    log.signer.head_path.unlink()
    log.sign()
    assert log.verify().ok
    return log.verify(level=Level.STRICT)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda body: body[:-1] + b" }", "规范写法"),
        (lambda body: b'{"act":"x.y",' + body[1:], "规范写法"),
        (lambda body: body.replace(b'"v":1', b'"v":1.0'), "float"),
        (lambda body: body.replace(b'"v":1', b'"v":NaN'), "JSON"),
        (lambda body: body.replace(b'"app":"jixiao/test"', b'"app":null'), "null"),
        (lambda body: body.replace(b'"app"', '"键"'.encode()), "ASCII"),
        (lambda body: b'{"act":"x.y"}', "成员"),
        (lambda body: b"\xff", "JSON"),
    ],
)
def test_strict_finds_bodies_that_are_no_events(filled, change, said):
    verdict = rewritten(filled, 529, change)
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, 529)
    assert said in verdict.problems[0].message
    assert verdict.problems[0].kind is Kind.FORM


def test_strict_finds_a_break_in_the_chain_of_an_object(filled):
    verdict = rewritten(filled, 100, lambda body: body.replace(b'"success"', b'"denied"'))
    assert {problem.kind for problem in verdict.problems} == {Kind.OBJECT, Kind.PROJECTION}
    # 107 is the next event of the same text; the projection of 100 itself is old.
    assert {problem.index for problem in verdict.problems} == {100, 107}
    assert "上一个事件" in next(p.message for p in verdict.problems if p.kind is Kind.OBJECT)


def test_strict_follows_an_object_from_block_to_block(filled, monkeypatch):
    monkeypatch.setattr("audit.verification.BLOCK", 256)
    verdict = rewritten(filled, 509, lambda body: body.replace(b'"success"', b'"denied"'))
    assert {problem.index for problem in verdict.problems if problem.kind is Kind.OBJECT} == {516}


def test_strict_finds_a_version_left_out(filled):
    ver, prev = filled.rows("SELECT ver, leaf FROM audit_object WHERE obj_id = 'text-5'")[0]
    forged = event_bytes(draft(5), event_id=new_id(NOW), ts=NOW, ver=ver + 2, prev=bytes(prev))
    verdict = rewritten(filled, 529, lambda _body: forged)
    assert f"应为第 {ver + 1} 版" in next(p.message for p in verdict.problems if p.kind is Kind.OBJECT)


def test_strict_follows_more_objects_than_memory_holds(sqlite_log, monkeypatch):
    monkeypatch.setattr("audit.objects._IN_MEMORY", 3)
    monkeypatch.setattr("audit.verification.BLOCK", 256)
    monkeypatch.setattr("audit.objects._PAGE", 2)
    log = sqlite_log.filled(600, 600)
    assert log.verify(level=Level.STRICT).ok
    verdict = rewritten(log, 520, lambda body: body.replace(b'"success"', b'"denied"'))
    assert {problem.index for problem in verdict.problems if problem.kind is Kind.OBJECT} == {527}


def test_strict_finds_an_event_id_that_stands_twice(sqlite_log):
    log = sqlite_log.filled(300, 300)
    assert log.verify(level=Level.STRICT).ok
    first = log.rows("SELECT event_id FROM audit_projection WHERE idx = 3")[0][0]
    log.attack("CREATE TABLE copy AS SELECT * FROM audit_projection")
    log.attack("DROP TABLE audit_projection")
    log.attack("ALTER TABLE copy RENAME TO audit_projection")
    log.attack("UPDATE audit_projection SET event_id = :e WHERE idx = 299", e=first)
    own = log.body(299).split(b'"id":"')[1][:36]
    verdict = rewritten(log, 299, lambda body: body.replace(own, first.encode()))
    assert [(p.kind, p.index) for p in verdict.problems if p.kind is Kind.IDENTITY] == [(Kind.IDENTITY, 3)]
    assert "2 次" in next(p.message for p in verdict.problems if p.kind is Kind.IDENTITY)


def test_ids_that_do_not_rise_are_no_fault(log):
    """On PostgreSQL a transaction that began earlier may commit later."""
    with transaction(log.engine) as work:
        ids = sorted(new_id(NOW) for _ in range(4))[::-1]
        for number, event_id in enumerate(ids):
            record(work, draft(number), event_id=event_id, now=NOW, mac_key=MAC_KEY)
    log.add(0)
    log.sign()
    assert log.verify(level=Level.STRICT).ok


def test_surplus_rows_of_the_projection_are_found(filled):
    filled.attack(
        "INSERT INTO audit_projection SELECT log, 9999, 'forged', ts, act, actor, obj_type, obj_id, obj_ver, out "
        "FROM audit_projection WHERE idx = 3"
    )
    assert filled.statuses() == caught_from(Level.STRICT)
    assert "多出 1 行" in filled.verify(level=Level.STRICT).problems[0].message


def test_versions_that_are_ahead_by_waiting_events_are_no_fault(postgresql_log):
    log = postgresql_log.filled(10, 10)
    log.write(5)
    verdict = log.verify(level=Level.STRICT)
    assert (verdict.ok, verdict.outbox) == (True, 5)
    log.attack("DELETE FROM audit_outbox WHERE seq = (SELECT max(seq) FROM audit_outbox)")
    assert log.verify(level=Level.STRICT).status is Status.TAMPERED


class Seen:
    """A check that keeps what it was shown, and complains of what it is told to."""

    def __init__(self, *problems):
        self.indexes, self.acts, self.problems = [], set(), problems

    def see(self, index, event):
        self.indexes.append(index)
        self.acts.add(event["act"])

    def finish(self):
        return self.problems


@pytest.mark.parametrize("jobs", [1, 2])
def test_checks_see_every_event_in_order_and_are_heard(filled, monkeypatch, jobs):
    monkeypatch.setattr("audit.verification.BLOCK", 256)
    quiet, loud = Seen(), Seen(Problem(Kind.REPLAY, 7, "第 7 条之后的状态与数据表不符。"))
    verdict = filled.verify(level=Level.STRICT, checks=[quiet, loud], jobs=jobs)
    assert quiet.indexes == loud.indexes == list(range(SIZE))
    assert quiet.acts == {"text.field.update"}
    assert (verdict.status, verdict.first_bad, len(verdict.problems)) == (Status.TAMPERED, 7, 1)
    assert filled.verify(level=Level.STRICT, checks=[quiet]).ok


def test_checks_are_not_shown_what_is_no_event(filled):
    seen = Seen()
    set_body(filled, 40, b"{}", with_leaf=True)
    assert filled.verify(level=Level.STRICT, checks=[seen]).first_bad == 40
    assert seen.indexes == [index for index in range(SIZE) if index != 40]


@pytest.mark.parametrize("value", [5, 1.5, "text", b"", bytes(32)], ids=repr)
@pytest.mark.parametrize(
    ("table", "name"),
    [
        *(("audit_projection", name) for name in ("event_id", "ts", "act", "actor", "obj_type", "obj_ver", "out")),
        *(("audit_object", name) for name in ("obj_type", "obj_id", "ver", "leaf")),
    ],
)
def test_strict_stumbles_over_no_odd_value(sqlite_log, table, name, value):
    log = sqlite_log.filled(20, 20)
    log.attack(f"UPDATE {table} SET {name} = :v WHERE rowid = 4", v=value)
    assert log.verify(level=Level.STRICT).status is Status.TAMPERED


def test_strict_finds_a_time_that_a_witness_contradicts(filled):
    private = Ed25519PrivateKey.from_private_bytes(bytes(32))
    cosigner = CosignerKey("witness.example", private.public_key().public_bytes_raw())
    text = filled.note_at(300).partition("\n\n")[0] + "\n"
    before = int(NOW.timestamp()) - 600
    line = str(cosign(text, cosigner.name, private, before))
    filled.attack("UPDATE audit_checkpoint SET cosignatures = :c WHERE size = 300", c=line)
    assert filled.statuses(cosigners=[cosigner]) == caught_from(Level.STRICT)
    verdict = filled.verify(level=Level.STRICT, cosigners=[cosigner])
    assert (verdict.first_bad, kinds(verdict)) == (0, {"time"})
    assert filled.verify(level=Level.STRICT).ok, "nobody asked for the witness"
