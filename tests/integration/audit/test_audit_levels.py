"""What each level of verification finds, and what it leaves to the next one; on both databases."""

import pytest
from audit_log import caught_from
from test_audit_attacks import flipped, head_note, kinds, rewrite_tree, set_body

from audit.verdicts import Level, Status

SIZE = 530
LEVELS = tuple(Level)


def test_an_honest_log_is_intact_at_every_level(filled):
    for level in LEVELS:
        verdict = filled.verify(level=level, trusted=[filled.signer.vkey], outside=[head_note(filled)])
        assert (verdict.ok, verdict.problems, verdict.size, verdict.signed) == (True, (), SIZE, 525)
        assert (verdict.level, verdict.root) == (level, filled.head().root)


def test_an_honest_log_that_was_never_signed_is_not_provable_at_any_level(log):
    assert log.statuses() == log.filled(3).statuses() == [Status.NOT_PROVABLE] * 4


# Each stored column of an entry in the middle, of its tile, and of what stands beside it.
MUTATIONS = {
    "audit_entry.idx": ("UPDATE audit_entry SET idx = 999 WHERE idx = 40", Level.FULL),
    "audit_entry.body": ("UPDATE audit_entry SET body = :b WHERE idx = 40", Level.FULL),
    "audit_entry.leaf": ("UPDATE audit_entry SET leaf = :b WHERE idx = 40", Level.FULL),
    "audit_entry.leaf of the tail": ("UPDATE audit_entry SET leaf = :h WHERE idx = 529", Level.HEAD),
    "audit_tile.level": ("UPDATE audit_tile SET level = 3 WHERE n = 0", Level.HEAD),
    "audit_tile.n": ("UPDATE audit_tile SET n = 7 WHERE n = 0", Level.HEAD),
    "audit_tile.h": ("UPDATE audit_tile SET h = :t WHERE n = 0", Level.HEAD),
    "audit_head.n": ("UPDATE audit_head SET n = 529", Level.HEAD),
    "audit_head.frontier": ("UPDATE audit_head SET frontier = :b", Level.HEAD),
    "audit_head.edge": ("UPDATE audit_head SET edge = :e", Level.HEAD),
    "audit_head.root": ("UPDATE audit_head SET root = :h", Level.HEAD),
    "audit_checkpoint.size": ("UPDATE audit_checkpoint SET size = 301 WHERE size = 300", Level.HEAD),
    "audit_checkpoint.note": ("UPDATE audit_checkpoint SET note = 'x' WHERE size = 300", Level.HEAD),
    "audit_log.vkey": ("UPDATE audit_log SET vkey = 'x'", Level.HEAD),
    "audit_log.origin": ("UPDATE audit_log SET origin = 'x'", Level.HEAD),
    "audit_key.vkey": ("UPDATE audit_key SET vkey = 'x'", Level.HEAD),
    "audit_key.until_size": ("UPDATE audit_key SET until_size = 9", Level.HEAD),
    "audit_projection.idx": ("UPDATE audit_projection SET idx = 999 WHERE idx = 40", Level.STRICT),
    "audit_projection.event_id": ("UPDATE audit_projection SET event_id = 'x' WHERE idx = 40", Level.STRICT),
    "audit_projection.ts": (
        "UPDATE audit_projection SET ts = '2020-01-01T00:00:00.000000Z' WHERE idx = 40",
        Level.STRICT,
    ),
    "audit_projection.act": ("UPDATE audit_projection SET act = 'x' WHERE idx = 40", Level.STRICT),
    "audit_projection.actor": ("UPDATE audit_projection SET actor = 'x' WHERE idx = 40", Level.STRICT),
    "audit_projection.obj_type": ("UPDATE audit_projection SET obj_type = 'x' WHERE idx = 40", Level.STRICT),
    "audit_projection.obj_id": ("UPDATE audit_projection SET obj_id = 'x' WHERE idx = 40", Level.STRICT),
    "audit_projection.obj_ver": ("UPDATE audit_projection SET obj_ver = 99 WHERE idx = 40", Level.STRICT),
    "audit_projection.out": ("UPDATE audit_projection SET out = 'denied' WHERE idx = 40", Level.STRICT),
    "audit_projection": ("DELETE FROM audit_projection WHERE idx = 40", Level.STRICT),
    "audit_object.obj_type": ("UPDATE audit_object SET obj_type = 'x' WHERE obj_id = 'text-3'", Level.STRICT),
    "audit_object.obj_id": ("UPDATE audit_object SET obj_id = 'x' WHERE obj_id = 'text-3'", Level.STRICT),
    "audit_object.ver": ("UPDATE audit_object SET ver = ver + 1 WHERE obj_id = 'text-3'", Level.STRICT),
    "audit_object.leaf": ("UPDATE audit_object SET leaf = :h WHERE obj_id = 'text-3'", Level.STRICT),
    "audit_object": ("DELETE FROM audit_object WHERE obj_id = 'text-3'", Level.STRICT),
}


@pytest.mark.parametrize("column", MUTATIONS)
def test_a_change_of_any_stored_column_is_found_from_its_level_on(filled, column):
    statement, level = MUTATIONS[column]
    tile = bytes(filled.rows("SELECT h FROM audit_tile WHERE n = 0")[0][0])
    values = {"b": b"{}", "h": bytes(32), "t": flipped(tile, 32 * 40), "e": flipped(filled.head().edge, 3)}
    used = {name: value for name, value in values.items() if f":{name}" in statement.replace(":00", "")}
    if column == "audit_entry.idx":
        filled.attack("UPDATE audit_projection SET idx = 999 WHERE idx = 40")
    filled.attack(statement, **used)
    assert filled.statuses() == caught_from(level)
    if level is Level.STRICT and "object" not in column:
        assert filled.verify(level=Level.STRICT).first_bad == 40


def test_what_no_hash_covers_is_known(filled):
    """When a row was stored is told by nobody but the database: only outside stamps bound it (``audit.timerule``)."""
    filled.attack("UPDATE audit_checkpoint SET created = '2020-01-01T00:00:00.000000Z'")
    filled.attack("UPDATE audit_log SET created = '2020-01-01T00:00:00.000000Z'")
    assert filled.statuses() == [Status.INTACT] * 4


@pytest.mark.parametrize("number", [0, 1])
def test_head_finds_a_tile_under_the_edge_that_no_proof_needs(sqlite_log, number):
    log = sqlite_log.filled(600, 600)
    hashes = bytes(log.rows("SELECT h FROM audit_tile WHERE n = :n", n=number)[0][0])
    log.attack("UPDATE audit_tile SET h = :h WHERE n = :n", h=flipped(hashes), n=number)
    verdict = log.verify(level=Level.HEAD)
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, number * 256)


def test_tiles_find_an_upper_tile_that_does_not_fit_the_lower_ones(filled):
    hashes = bytes(filled.rows("SELECT h FROM audit_tile WHERE n = 1")[0][0])
    filled.attack("UPDATE audit_tile SET h = :h WHERE n = 1", h=flipped(hashes, 32 * 7))
    verdict = filled.verify(level=Level.TILES)
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, 256)
    assert "--level full" in verdict.problems[0].message


def test_tiles_find_a_history_rewritten_up_to_the_head(filled):
    set_body(filled, 150, flipped(filled.body(150)), with_leaf=True)
    rewrite_tree(filled)
    assert filled.statuses() == [Status.TAMPERED] * 4
    verdict = filled.verify(level=Level.TILES)
    assert [(problem.index, problem.until) for problem in verdict.problems] == [(100, 300)]


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_compares_with_a_head_kept_outside(filled, level):
    outside = head_note(filled)
    set_body(filled, 150, flipped(filled.body(150)), with_leaf=True)
    rewrite_tree(filled)
    filled.attack("DELETE FROM audit_checkpoint")
    filled.signer.head_path.unlink()
    filled.sign()
    # Who holds the key also writes valid events; only the edited body is none.
    assert filled.verify(level=level).ok == (level is not Level.STRICT)
    assert kinds(filled.verify(level=level, outside=[outside])) >= {"checkpoint"}


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_sees_a_cut_tail_by_a_head_kept_outside(filled, level):
    filled.sign()
    outside = head_note(filled)
    filled.attack("DELETE FROM audit_entry WHERE idx >= 527")
    filled.attack("DELETE FROM audit_projection WHERE idx >= 527")
    filled.attack("DELETE FROM audit_checkpoint WHERE size > 525")
    rewrite_tree(filled)
    verdict = filled.verify(level=level, outside=[outside])
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, 527)
