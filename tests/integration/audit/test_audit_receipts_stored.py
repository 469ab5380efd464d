"""Receipts from both databases: right at every size, few tiles, and none where the log does not hold what was signed."""

from __future__ import annotations

import pytest
from audit_log import Log

from audit.notes import parse_vkey
from audit.receipts import make_receipt, make_receipts, parse_receipt, verify_receipt
from audit.storage import StoredTree
from models.engine import transaction
from models.errors import Conflict, LogCorrupt, NotFound


def test_every_entry_has_a_receipt_under_the_newest_checkpoint(filled: Log) -> None:
    keys = [parse_vkey(filled.signer.vkey)]
    with transaction(filled.engine, read_only=True) as work:
        made = make_receipts(work, range(525))
    for index, (body, receipt) in enumerate(made):
        assert body == filled.body(index) if index % 100 == 0 else True
        verdict = verify_receipt(parse_receipt(str(receipt)), body, keys)
        assert (verdict.ok, verdict.index) == (True, index)


def test_an_older_checkpoint_can_be_asked_for(filled: Log) -> None:
    with transaction(filled.engine, read_only=True) as work:
        receipt = make_receipt(work, 99, size=100)
        with pytest.raises(NotFound, match="101 条时的"):
            make_receipt(work, 99, size=101)
    verdict = verify_receipt(receipt, filled.body(99), [parse_vkey(filled.signer.vkey)])
    assert verdict.ok
    assert verdict.checkpoint is not None
    assert verdict.checkpoint.size == 100


@pytest.mark.parametrize("index", [525, 529, 10**9, -1])
def test_an_entry_that_is_not_signed_yet_has_no_receipt(filled: Log, index: int) -> None:
    with transaction(filled.engine, read_only=True) as work, pytest.raises(Conflict, match="audit checkpoint"):
        make_receipt(work, index)


def test_without_any_checkpoint_there_is_no_receipt(log: Log) -> None:
    log.add(3)
    with transaction(log.engine, read_only=True) as work, pytest.raises(NotFound, match="audit checkpoint"):
        make_receipt(work, 0)


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE audit_entry SET body = CAST('{}' AS {bytes}) WHERE idx = 200",
        "DELETE FROM audit_entry WHERE idx = 200",
        "UPDATE audit_head SET n = 256",
        "DELETE FROM audit_tile WHERE n = 0",
        "UPDATE audit_head SET edge = {empty}",
        "UPDATE audit_checkpoint SET note = 'nonsense' WHERE size = 525",
    ],
)
def test_no_receipt_leaves_a_log_that_does_not_hold_what_was_signed(filled: Log, attack: str) -> None:
    sql = attack.replace("{bytes}", "BLOB" if filled.is_sqlite else "BYTEA")
    filled.attack(sql.replace("{empty}", "x''" if filled.is_sqlite else "''::bytea"))
    with transaction(filled.engine, read_only=True) as work, pytest.raises(LogCorrupt, match="audit verify"):
        make_receipt(work, 200)


def test_a_cold_receipt_reads_few_tiles(filled: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = set()
    tile = StoredTree.tile

    def counted(self: StoredTree, level: int, number: int) -> bytes:
        asked.add((level, number))
        return tile(self, level, number)

    monkeypatch.setattr(StoredTree, "tile", counted)
    with transaction(filled.engine, read_only=True) as work:
        receipt = make_receipt(work, 300)
    assert asked == {(0, 1), (1, 0), (0, 2)}
    assert len(receipt.hashes) == 10
