"""Evidence to take away, as use cases: who may, what is recorded, and that it covers its own record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from offices import Office

from application.auditing import read_log
from application.proving import check_receipt, export_tiles, prove
from audit.notes import parse_vkey
from audit.tilefolder import TileFolder
from models.engine import transaction
from models.errors import InvalidInput, LogCorrupt, NotAllowed, NotFound
from models.people import Role


def exports(office: Office) -> list[dict[str, Any]]:
    return [item["event"] for item in read_log(office.people[Role.AUDITOR], act="export.create")]


def size(office: Office) -> int:
    with office.installation.engine.connect() as connection:
        return int(connection.execute(sa.text("SELECT count(*) FROM audit_entry")).scalar_one())


def test_an_export_holds_its_own_record_and_opens_with_the_logs_key(office: Office, tmp_path: Path) -> None:
    office.imported()
    before = size(office)
    done = export_tiles(office.people[Role.AUDITOR], tmp_path / "tiles")
    folder = TileFolder(tmp_path / "tiles")
    found = folder.checkpoint([parse_vkey(office.installation.signer.vkey)])
    assert (found.size, found.root.hex()) == (done["size"], done["root"]) == (before + 1, done["root"])
    assert b'"act":"export.create"' in folder.entries(0, found.size)[-1]
    (event,) = exports(office)
    assert event["obj"]["type"] == "audit_log"
    assert event["chg"] == [{"p": "/export", "n": {"format": "tlog-tiles"}}]


def test_every_export_is_one_event(sqlite_office: Office, tmp_path: Path) -> None:
    for _ in range(2):
        export_tiles(sqlite_office.people[Role.AUDITOR], tmp_path / "tiles")
    assert len(exports(sqlite_office)) == 2


@pytest.mark.parametrize("role", [Role.DRAFTER, Role.APPROVER])
def test_who_is_no_auditor_takes_nothing_away_and_the_attempt_is_recorded(
    office: Office, tmp_path: Path, role: Role
) -> None:
    text = office.imported()
    with pytest.raises(NotAllowed, match="审计"):
        export_tiles(office.people[role], tmp_path / "tiles")
    with pytest.raises(NotAllowed, match="审计"):
        prove(office.people[role], text)
    assert [event["out"] for event in exports(office)] == ["denied", "denied"]
    assert not (tmp_path / "tiles").exists()


def test_a_folder_that_cannot_be_used_leaves_no_event(sqlite_office: Office, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    with pytest.raises(InvalidInput, match="别的东西"):
        export_tiles(sqlite_office.people[Role.AUDITOR], tmp_path / "precious")
    assert exports(sqlite_office) == []


def test_every_event_of_a_text_has_a_receipt_that_holds_offline(office: Office) -> None:
    text = office.driven("approved")
    auditor = office.people[Role.AUDITOR]
    logged = [item["index"] for item in read_log(auditor, text_id=text)]
    proofs = prove(auditor, text)
    assert [proof.index for proof in proofs] == logged
    for proof in proofs:
        verdict = check_receipt(proof.receipt.encode(), proof.body, [office.installation.signer.vkey])
        assert (verdict.ok, verdict.index) == (True, proof.index)
    assert [event["chg"][0]["n"] for event in exports(office)] == [
        {"format": "tlog-proof", "subject": text, "count": len(logged)}
    ]
    # To take evidence of a text away is not an event of the text.
    assert [item["index"] for item in read_log(auditor, text_id=text)] == logged


def test_the_acts_of_a_text_can_be_chosen(office: Office) -> None:
    text = office.driven("published")
    auditor = office.people[Role.AUDITOR]
    proofs = prove(auditor, text, acts=("workflow.publish", "workflow.approve"))
    assert [proof.event["act"] for proof in proofs] == ["workflow.approve", "workflow.publish"]
    with pytest.raises(NotFound, match=r"workflow\.approve"):
        prove(auditor, text, acts=("workflow.recall",))


def test_one_event_is_found_by_its_id_and_by_its_index(office: Office) -> None:
    text = office.imported()
    auditor = office.people[Role.AUDITOR]
    first = read_log(auditor, text_id=text)[0]
    for subject in (first["event"]["id"], str(first["index"])):
        (proof,) = prove(auditor, subject)
        assert (proof.index, proof.event) == (first["index"], first["event"])


def test_an_event_that_still_waits_for_its_index_is_proved(office: Office) -> None:
    auditor = office.people[Role.AUDITOR]
    with transaction(office.installation.engine) as work:
        written = auditor.recorder.write(
            work, "config.change", actor="-", role="-", obj=("config", "waiting"), now=office.clock()
        )
    (proof,) = prove(auditor, written.event_id)
    assert proof.event["obj"]["id"] == "waiting"


@pytest.mark.parametrize("subject", ["nothing", "999999", "01a210ad-9b4a-7bf7-8abb-74904168bb06", "", "９"])
def test_what_is_not_there_has_no_receipt_and_leaves_no_event(sqlite_office: Office, subject: str) -> None:
    with pytest.raises(NotFound, match="audit log"):
        prove(sqlite_office.people[Role.AUDITOR], subject)
    assert exports(sqlite_office) == []


def test_a_projection_that_points_elsewhere_is_not_believed(sqlite_office: Office) -> None:
    text = sqlite_office.imported()
    with sqlite_office.installation.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE audit_projection SET obj_type = 'text', obj_id = :id WHERE idx = 3"), {"id": text}
        )
    with pytest.raises(LogCorrupt, match="查询列"):
        prove(sqlite_office.people[Role.AUDITOR], text)


def test_after_a_restored_backup_nothing_is_exported(sqlite_office: Office, tmp_path: Path) -> None:
    engine = sqlite_office.installation.engine
    sqlite_office.imported()
    backup = tmp_path / "backup.db"
    with engine.begin() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql(f"VACUUM INTO '{backup}'")
        connection.exec_driver_sql("BEGIN")
    export_tiles(sqlite_office.people[Role.AUDITOR], tmp_path / "tiles")
    engine.dispose()
    for path in tmp_path.glob("jixiao.db*"):
        path.unlink()
    backup.rename(tmp_path / "jixiao.db")
    with pytest.raises(LogCorrupt, match="没有写入任何内容"):
        export_tiles(sqlite_office.people[Role.AUDITOR], tmp_path / "tiles")


def test_a_key_that_is_none_is_a_slip_and_no_verdict() -> None:
    for keys in ([], ["nonsense"]):
        with pytest.raises(InvalidInput):
            check_receipt(b"", b"", keys)
