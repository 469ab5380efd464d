"""Attacks on a live database by its owner, with and without the log's key, and what the verification says."""

import hashlib
import struct

import pytest
import sqlalchemy as sa
from audit_log import Log, naive_root

from audit import tiles, tree
from audit.keys import Signer
from audit.notes import CheckpointText, sign_note
from audit.verdicts import Level, Status
from audit.verification import verify
from models.engine import make_engine, transaction
from models.errors import InvalidInput, NotFound

SIZE = 530


def flipped(data, place=20):
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def kinds(verdict):
    return {problem.kind.value for problem in verdict.problems}


def head_note(log):
    return log.signer.last_head().note


def set_body(log, index, body, *, with_leaf):
    log.attack("UPDATE audit_entry SET body = :b WHERE idx = :i", b=body, i=index)
    if with_leaf:
        log.attack("UPDATE audit_entry SET leaf = :l WHERE idx = :i", l=tree.leaf_hash(body), i=index)


def rewrite_tree(log):
    """Makes tiles, edge and head fit the leaf column: what an attacker does who knows the formats."""
    leaves = log.leaves()
    edge, stored = b"", []
    for base in range(0, len(leaves) - len(leaves) % 256, 256):
        completed, edge = tiles.complete(base, edge, b"".join(leaves[base : base + 256]))
        stored += completed
    frontier = tree.EMPTY_FRONTIER
    for size, leaf in enumerate(leaves):
        frontier = tree.append(size, frontier, leaf)
    with log.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM audit_tile"))
        for level, number, hashes in stored:
            connection.execute(
                sa.text("INSERT INTO audit_tile (log, level, n, h) VALUES ('main', :l, :n, :h)"),
                {"l": level, "n": number, "h": hashes},
            )
        connection.execute(
            sa.text("UPDATE audit_head SET n = :n, frontier = :f, edge = :e, root = :r"),
            {"n": len(leaves), "f": frontier, "e": edge, "r": tree.root_of(frontier)},
        )


def test_an_honest_log_is_intact(filled):
    steps = []
    verdict = filled.verify(
        trusted=[filled.signer.vkey],
        outside=[head_note(filled)],
        progress=lambda done, total: steps.append((done, total)),
    )
    assert (verdict.ok, verdict.status, verdict.problems, verdict.first_bad) == (True, Status.INTACT, (), None)
    assert (verdict.size, verdict.signed, verdict.checkpoints, verdict.outbox) == (SIZE, 525, 3, 0)
    assert verdict.root == naive_root(filled.leaves()) == filled.head().root
    assert steps[-1] == (SIZE, SIZE)


@pytest.mark.parametrize(("batch", "block"), [(256, 256), (256, 512), (512, 512), (2048, 65_536)])
def test_the_sizes_of_batches_and_blocks_change_nothing(filled, monkeypatch, batch, block):
    monkeypatch.setattr("audit.blocks._BATCH", batch)
    monkeypatch.setattr("audit.verification.BLOCK", block)
    monkeypatch.setattr("audit.claims._PAGE", 1)
    assert filled.verify().ok
    set_body(filled, 299, flipped(filled.body(299)), with_leaf=True)
    assert filled.verify().first_bad == 299


@pytest.mark.parametrize("index", [0, 99, 255, 256, 400, 511, 512, 529])
def test_an_edited_body_is_named(filled, index):
    set_body(filled, index, flipped(filled.body(index)), with_leaf=False)
    verdict = filled.verify()
    assert (verdict.ok, verdict.status, verdict.first_bad) == (False, Status.TAMPERED, index)
    assert verdict.problems[0].kind.value == "entry"
    assert ("正文被改动" in verdict.problems[0].message) == (index < 512)


@pytest.mark.parametrize("index", [0, 256, 529])
def test_an_edited_leaf_is_named(filled, index):
    filled.attack("UPDATE audit_entry SET leaf = :l WHERE idx = :i", l=flipped(filled.leaf(index)), i=index)
    verdict = filled.verify()
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, index)
    assert ("叶哈希被改动" in verdict.problems[0].message) or index >= 512


def test_two_edited_bodies_are_both_named(filled):
    for index in (300, 40):
        set_body(filled, index, flipped(filled.body(index)), with_leaf=False)
    verdict = filled.verify()
    assert [problem.index for problem in verdict.problems if problem.kind.value == "entry"] == [40, 300]


@pytest.mark.parametrize("index", [0, 255, 300, 511])
def test_body_and_leaf_edited_together_are_named_by_the_tile(filled, index):
    set_body(filled, index, flipped(filled.body(index)), with_leaf=True)
    verdict = filled.verify()
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, index)
    problem = next(problem for problem in verdict.problems if problem.index is not None)
    assert (problem.kind.value, problem.until) == ("tile", index + 1)
    assert "条目的正文和叶哈希" in problem.message


def test_edited_together_in_the_tail_is_bounded_by_the_checkpoints(filled):
    set_body(filled, 520, flipped(filled.body(520)), with_leaf=True)
    verdict = filled.verify()
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, 300)
    assert [(p.index, p.until) for p in verdict.problems if p.index is not None] == [(300, 525)]
    assert "第 300 至 524 条之间" in verdict.problems[-1].message


def test_with_the_level_0_tile_edited_too_the_edge_narrows_to_256(filled):
    index = 270
    body = flipped(filled.body(index))
    set_body(filled, index, body, with_leaf=True)
    leaves = filled.leaves()
    filled.attack("UPDATE audit_tile SET h = :h WHERE level = 0 AND n = 1", h=b"".join(leaves[256:512]))
    verdict = filled.verify()
    ranges = [(p.index, p.until) for p in verdict.problems if p.index is not None]
    assert ranges == [(256, 512)]
    assert verdict.status is Status.TAMPERED


def test_a_history_rewritten_with_all_its_hashes_fails_at_the_checkpoints(filled):
    set_body(filled, 150, flipped(filled.body(150)), with_leaf=True)
    rewrite_tree(filled)
    verdict = filled.verify()
    assert (verdict.status, verdict.first_bad, verdict.signed) == (Status.TAMPERED, 100, 100)
    assert [(p.index, p.until) for p in verdict.problems] == [(100, 300)]
    assert "另有 1 个检查点" in verdict.problems[0].message


def test_only_an_outside_head_catches_a_history_rewritten_and_signed_anew_with_the_key(filled):
    outside = head_note(filled)
    set_body(filled, 150, flipped(filled.body(150)), with_leaf=True)
    rewrite_tree(filled)
    filled.attack("DELETE FROM audit_checkpoint")
    filled.signer.head_path.unlink()
    filled.sign()
    assert filled.verify().ok
    verdict = filled.verify(outside=[outside])
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, 0)
    assert "外部留存的检查点（525 条）" in verdict.problems[-1].message


@pytest.mark.parametrize("index", [0, 100, 256, 515])
def test_a_deleted_row_is_named(filled, index):
    filled.attack("DELETE FROM audit_entry WHERE idx = :i", i=index)
    verdict = filled.verify()
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, index)
    assert f"缺少第 {index} 至 {index} 条" in verdict.problems[0].message


def shift(log, start, by):
    """Moves the entries from ``start`` on; in two steps, since indexes are unique."""
    log.attack("UPDATE audit_entry SET idx = -idx - 1 WHERE idx >= :s", s=start)
    log.attack("UPDATE audit_entry SET idx = -idx - 1 + :b WHERE idx < 0", b=by)


def test_a_deleted_row_with_the_gap_closed_is_named(filled):
    filled.attack("DELETE FROM audit_entry WHERE idx = 100")
    shift(filled, 101, -1)
    verdict = filled.verify()
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, 100)
    rewrite_tree(filled)
    verdict = filled.verify()
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, 100)
    assert verdict.problems[0].until == 300


def test_an_inserted_row_is_named(filled):
    forged = flipped(filled.body(200))
    shift(filled, 200, 1)
    filled.attack(
        "INSERT INTO audit_entry (log, idx, body, leaf) VALUES ('main', 200, :b, :l)",
        b=forged,
        l=tree.leaf_hash(forged),
    )
    verdict = filled.verify()
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, 200)
    rewrite_tree(filled)
    verdict = filled.verify()
    assert (verdict.status, verdict.first_bad, verdict.size) == (Status.TAMPERED, 100, SIZE + 1)


def test_a_row_with_a_negative_index_is_reported(filled):
    filled.attack("INSERT INTO audit_entry (log, idx, body, leaf) VALUES ('main', :i, :b, :b)", i=-(2**63), b=b"x" * 32)
    verdict = filled.verify()
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, 0)
    assert verdict.problems[0].kind.value == "index"


def test_reordered_rows_are_named(filled):
    filled.attack("UPDATE audit_entry SET idx = 9999 WHERE idx = 140")
    filled.attack("UPDATE audit_entry SET idx = 140 WHERE idx = 141")
    filled.attack("UPDATE audit_entry SET idx = 141 WHERE idx = 9999")
    verdict = filled.verify()
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, 140)
    assert [p.index for p in verdict.problems if p.kind.value == "tile"] == [140, 141]
    rewrite_tree(filled)
    assert filled.verify().first_bad == 100


def test_a_row_appended_past_the_program_is_reported(filled):
    filled.attack(
        "INSERT INTO audit_entry (log, idx, body, leaf) VALUES ('main', 530, :b, :l)", b=b"{}", l=tree.leaf_hash(b"{}")
    )
    verdict = filled.verify()
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, SIZE)


def test_a_row_at_a_far_index_does_not_hang_the_verification(filled):
    filled.attack("UPDATE audit_entry SET idx = 1000000000000 WHERE idx = 529")
    verdict = filled.verify()
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, 529)


@pytest.mark.parametrize("left", [528, 526, 512, 400, 0])
def test_a_cut_tail_is_reported(filled, left):
    filled.attack("DELETE FROM audit_entry WHERE idx >= :i", i=left)
    verdict = filled.verify()
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, left)


@pytest.mark.parametrize("left", [524, 512, 400, 100])
def test_a_tail_cut_below_a_checkpoint_with_all_hashes_fails_at_it(filled, left):
    filled.attack("DELETE FROM audit_entry WHERE idx >= :i", i=left)
    rewrite_tree(filled)
    verdict = filled.verify()
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, left)
    assert "截断" in verdict.problems[-1].message


def test_a_tail_cut_above_the_last_checkpoint_shows_only_against_an_outside_head(filled):
    filled.sign()
    outside = head_note(filled)
    filled.attack("DELETE FROM audit_entry WHERE idx >= 527")
    filled.attack("DELETE FROM audit_checkpoint WHERE size > 525")
    rewrite_tree(filled)
    assert filled.verify().ok
    verdict = filled.verify(outside=[outside])
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, 527)


@pytest.mark.parametrize("number", [0, 1])
def test_an_edited_tile_is_named_as_the_tile(filled, number):
    hashes = bytes(filled.rows("SELECT h FROM audit_tile WHERE level = 0 AND n = :n", n=number)[0][0])
    filled.attack("UPDATE audit_tile SET h = :h WHERE level = 0 AND n = :n", h=flipped(hashes, 32 * 7), n=number)
    verdict = filled.verify()
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, number * 256 + 7)
    assert "是瓦片被改动" in verdict.problems[0].message


def test_missing_short_and_surplus_tiles_are_reported(filled):
    filled.attack("UPDATE audit_tile SET h = :h WHERE n = 1", h=b"short")
    assert "tile/0/001" in filled.verify().problems[0].message
    filled.attack("DELETE FROM audit_tile WHERE n = 1")
    assert "tile/0/001" in filled.verify().problems[0].message
    rewrite_tree(filled)
    assert filled.verify().ok
    filled.attack("INSERT INTO audit_tile (log, level, n, h) VALUES ('main', 0, 2, :h)", h=bytes(8192))
    verdict = filled.verify()
    assert verdict.status is Status.TAMPERED
    assert "多出 1 块瓦片" in verdict.problems[0].message


@pytest.mark.parametrize("column", ["root", "frontier", "edge", "n"])
def test_an_edited_head_is_reported(filled, column):
    old = getattr(filled.head(), "size" if column == "n" else column)
    filled.attack(f"UPDATE audit_head SET {column} = :v", v=old - 1 if column == "n" else flipped(old, 0))
    verdict = filled.verify()
    assert verdict.status is Status.TAMPERED
    assert kinds(verdict) == ({"tile"} if column == "edge" else {"head"})


def test_a_head_of_another_length_or_none_is_reported(filled):
    filled.attack("UPDATE audit_head SET edge = :v", v=b"")
    assert "右缘" in filled.verify().problems[0].message
    filled.attack("DELETE FROM audit_head")
    assert "头部记录不见了" in filled.verify().problems[0].message


CHECKPOINT_EDITS = {
    "size": lambda note: note.replace("\n300\n", "\n301\n"),
    "root": lambda note: note.replace(note.split("\n")[2], "A" * 43 + "="),
    "signature": lambda note: note[:-10] + ("A" if note[-10] != "A" else "B") + note[-9:],
    "form": lambda note: note.replace("\n\n", "\n"),
    "nothing": lambda note: "",
}


@pytest.mark.parametrize("edit", CHECKPOINT_EDITS)
def test_an_edited_checkpoint_is_reported(filled, edit):
    note = filled.rows("SELECT note FROM audit_checkpoint WHERE size = 300")[0][0]
    filled.attack("UPDATE audit_checkpoint SET note = :n WHERE size = 300", n=CHECKPOINT_EDITS[edit](note))
    verdict = filled.verify()
    assert verdict.status is Status.TAMPERED
    assert kinds(verdict) == {"checkpoint"}
    assert (verdict.checkpoints, verdict.signed) == (3, 525)


def test_a_checkpoint_under_another_size_is_reported(filled):
    filled.attack("UPDATE audit_checkpoint SET size = 301 WHERE size = 300")
    verdict = filled.verify()
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, None)


@pytest.fixture
def thief(tmp_path, filled):
    return Signer.create(tmp_path / "thief.pem", filled.signer.name)


def resign(log, signer):
    """Signs every checkpoint anew with another key of the same name."""
    for (size,) in log.rows("SELECT size FROM audit_checkpoint"):
        text = str(CheckpointText(signer.name, size, naive_root(log.leaves()[:size])))
        note = str(sign_note(text, signer.name, signer._private))
        log.attack("UPDATE audit_checkpoint SET note = :n WHERE size = :s", n=note, s=size)


def test_checkpoints_signed_by_another_key_prove_nothing(filled, thief):
    set_body(filled, 150, flipped(filled.body(150)), with_leaf=True)
    rewrite_tree(filled)
    resign(filled, thief)
    verdict = filled.verify()
    assert (verdict.ok, verdict.status, verdict.signed) == (False, Status.NOT_PROVABLE, 0)
    assert "unknown_key" in kinds(verdict)


def test_a_swapped_key_is_seen_by_who_knows_the_published_one(filled, thief):
    outside = head_note(filled)
    set_body(filled, 150, flipped(filled.body(150)), with_leaf=True)
    rewrite_tree(filled)
    resign(filled, thief)
    filled.attack("UPDATE audit_log SET vkey = :v", v=thief.vkey)
    assert "密钥期限" in filled.verify().problems[0].message
    filled.attack("UPDATE audit_key SET vkey = :v", v=thief.vkey)
    assert filled.verify().ok, "who only asks the database believes it"
    verdict = filled.verify(trusted=[filled.signer.vkey])
    assert verdict.status is Status.TAMPERED
    assert "key" in kinds(verdict)
    verdict = filled.verify(outside=[outside])
    assert (verdict.ok, verdict.status) == (False, Status.NOT_PROVABLE)


@pytest.mark.parametrize("column", ["vkey", "origin"])
def test_a_changed_key_or_origin_is_reported(filled, column):
    filled.attack(f"UPDATE audit_log SET {column} = 'nonsense'")
    verdict = filled.verify()
    assert verdict.status is Status.TAMPERED
    assert "key" in kinds(verdict)


def test_after_a_rotation_both_keys_are_trusted(filled, thief):
    old = filled.signer.vkey
    filled.attack("UPDATE audit_log SET vkey = :v", v=thief.vkey)
    filled.attack("UPDATE audit_key SET vkey = :v", v=thief.vkey)
    assert filled.verify(trusted=[old, thief.vkey]).ok
    assert filled.verify().status is Status.NOT_PROVABLE


def test_a_log_that_was_never_signed_is_not_provable(log):
    for verdict in (log.verify(), log.filled(3).verify()):
        assert (verdict.ok, verdict.status, verdict.first_bad) == (False, Status.NOT_PROVABLE, None)
        assert kinds(verdict) == {"unsigned"}


def test_waiting_events_are_counted_and_damaged_ones_reported(postgresql_log):
    log = postgresql_log.filled(3, 3)
    recorded = log.write(4)
    verdict = log.verify()
    assert (verdict.ok, verdict.outbox, verdict.size) == (True, 4, 3)
    log.attack("UPDATE audit_outbox SET body = body || ' ' WHERE event_id = :e", e=recorded[1].event_id)
    verdict = log.verify()
    assert (verdict.status, verdict.outbox) == (Status.TAMPERED, 4)
    assert recorded[1].event_id in verdict.problems[0].message
    assert log.verify(mac_key=None).ok
    assert log.verify(mac_key=b"\x00" * 32).status is Status.TAMPERED


def test_a_writer_beside_does_not_disturb_the_verification(filled):
    written = []

    def go_on(done, total):
        if not written:
            written.extend(filled.add(300))
            filled.sign()

    verdict = filled.verify(progress=go_on)
    assert (verdict.ok, verdict.size, verdict.checkpoints) == (True, SIZE, 3)
    verdict = filled.verify()
    assert (verdict.ok, verdict.size, verdict.checkpoints) == (True, SIZE + 300, 4)


def test_an_unknown_log_and_notes_that_are_none_are_the_asker_s_slip(filled):
    with pytest.raises(NotFound):
        verify(filled.engine, log="other")
    with pytest.raises(InvalidInput):
        filled.verify(outside=["nothing"])
    with pytest.raises(InvalidInput):
        filled.verify(trusted=["nothing"])


@pytest.mark.parametrize("filled_with", [b"not a database" * 300, b""])
def test_a_file_that_can_not_be_read_is_told_from_a_changed_one(tmp_path, filled_with):
    (tmp_path / "broken.db").write_bytes(filled_with)
    engine = make_engine(f"sqlite:///{tmp_path / 'broken.db'}")
    verdict = verify(engine)
    engine.dispose()
    assert (verdict.ok, verdict.status) == (False, Status.CANNOT_READ)
    assert "没有结论" in verdict.problems[0].message


ODD = [5, 2**40, "text", 1.5, b""]


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("audit_entry", "body"),
        ("audit_entry", "leaf"),
        ("audit_tile", "h"),
        ("audit_head", "n"),
        ("audit_head", "root"),
        ("audit_head", "edge"),
        ("audit_checkpoint", "note"),
        ("audit_checkpoint", "size"),
    ],
)
def test_values_of_odd_types_are_reported_and_not_stumbled_over(sqlite_log, table, column, value):
    log = sqlite_log.filled(260, 100, 260)
    where = {"audit_entry": "idx = 7", "audit_checkpoint": "size = 100"}.get(table, "1 = 1")
    log.attack(f"UPDATE {table} SET {column} = :v WHERE {where}", v=value)
    verdict = log.verify()
    assert verdict.status is Status.TAMPERED


@pytest.mark.parametrize("index", ["x", 4.5])
def test_an_index_that_is_no_whole_number_is_reported(sqlite_log, index):
    log = sqlite_log.filled(10, 10)
    log.attack("UPDATE audit_entry SET idx = :i WHERE idx = 4", i=index)
    verdict = log.verify()
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, 4)


@pytest.mark.parametrize("level", list(Level))
def test_an_empty_edge_of_another_type_is_reported(sqlite_log, level):
    """Whoever joins hashes to a text fails, so the log could not be carried on."""
    log = sqlite_log.filled(10, 10)
    log.attack("UPDATE audit_head SET edge = ''")
    assert log.verify(level=level).status is Status.TAMPERED


def test_many_problems_are_counted_and_the_first_is_named(filled):
    for index in range(150, 400):
        set_body(filled, index, flipped(filled.body(index)), with_leaf=False)
    verdict = filled.verify()
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, 150)
    assert len(verdict.problems) == 101
    assert "没有逐一列出" in verdict.problems[-1].message


def test_three_levels_of_tiles_verify(sqlite_log):
    """A log of 66,100 leaves, written past the program for speed; its level-1 tile and level-2 edge must fit."""
    log: Log = sqlite_log
    bodies = [struct.pack(">I", number) for number in range(66_100)]
    with log.engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO audit_entry (log, idx, body, leaf) VALUES ('main', :i, :b, :l)"),
            [
                {"i": number, "b": body, "l": hashlib.sha256(b"\x00" + body).digest()}
                for number, body in enumerate(bodies)
            ],
        )
    rewrite_tree(log)
    log.sign()
    assert log.verify().ok
    with transaction(log.engine, read_only=True) as work:
        stored = log.tree(work)
        assert stored.root(66_100) == log.head().root
        assert len(stored._read) <= 4
    body = flipped(log.body(70), 2)
    set_body(log, 70, body, with_leaf=True)
    hashes = bytes(log.rows("SELECT h FROM audit_tile WHERE level = 0 AND n = 0")[0][0])
    changed = hashes[: 70 * 32] + tree.leaf_hash(body) + hashes[71 * 32 :]
    log.attack("UPDATE audit_tile SET h = :h WHERE level = 0 AND n = 0", h=changed)
    verdict = log.verify()
    assert (verdict.first_bad, verdict.problems[0].until) == (0, 256)
    assert "第 1 层" in verdict.problems[0].message
