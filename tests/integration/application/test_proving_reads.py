"""The second log leaves the house like the first: tiles and receipts that anybody can check."""

from __future__ import annotations

import pytest

from application import proving, texts
from application.auditing import read_log
from application.installation import READS
from audit.notes import parse_note
from models.errors import NotAllowed, NotFound
from models.people import Role


def test_the_log_of_looks_is_exported_and_proved_like_the_main_one(office, tmp_path):
    text = office.driven("submitted")
    auditor = office.people[Role.AUDITOR]
    texts.show_text(auditor, text)
    done = proving.export_tiles(auditor, tmp_path / "reads", log=READS)
    assert done["origin"].endswith("/reads")
    assert done["size"] == 1
    vkey = office.installation.keyring.signer(READS).vkey
    assert parse_note((tmp_path / "reads" / "checkpoint").read_text()).text.startswith(done["origin"])
    [proof] = proving.prove(auditor, text, log=READS)
    assert proof.event["act"] == "text.read"
    assert proving.check_receipt(proof.receipt.encode(), proof.body, [vkey]).ok
    assert not proving.check_receipt(proof.receipt.encode(), proof.body, [office.installation.signer.vkey]).ok
    exported = [item["event"] for item in read_log(auditor, act="export.create", limit=10)]
    assert [event["obj"]["id"] for event in exported] == [READS, READS]


def test_another_log_and_another_person_are_refused(office, tmp_path):
    auditor = office.people[Role.AUDITOR]
    with pytest.raises(NotFound, match="没有名为"):
        proving.export_tiles(auditor, tmp_path / "x", log="other")
    with pytest.raises(NotFound, match="没有名为"):
        proving.prove(auditor, "0", log="other")
    with pytest.raises(NotAllowed):
        proving.export_tiles(office.people[Role.DRAFTER], tmp_path / "x", log=READS)
