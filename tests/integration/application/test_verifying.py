"""What a verification is given from outside the database: head files, witnesses' keys, and a time stamping authority's certificate."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from handled_texts import administrator
from intruder import disarm
from offices import Office
from time_authority import TimeAuthority, make_time_authority

from application.auditing import checkpoint, verify_log
from application.installation import Installation
from application.rotating import rotate_key
from application.timestamping import query_file, take_reply
from application.verifying import token_check
from audit.cosignatures import CosignerKey, cosign, verified
from audit.notes import parse_note
from audit.verdicts import Kind, Level, Status
from audit.witnessing import store_cosignature
from models.engine import transaction
from models.errors import DatabaseUnavailable, InvalidInput, LogCorrupt
from models.people import Role


def head_file(office: Office) -> Path:
    """The head file of an office that has signed something."""
    office.imported()
    checkpoint(office.installation)
    return office.installation.settings.keys / "log.head"


@pytest.mark.parametrize("data", [b"", b"cut off", b"\xff\xfe", None], ids=["empty", "cut", "no text", "a folder"])
def test_a_damaged_head_file_is_a_verdict_that_names_it(office: Office, data: bytes | None) -> None:
    path = head_file(office)
    path.unlink()
    if data is None:
        path.mkdir()
    else:
        path.write_bytes(data)
    for level in Level:
        verdict = verify_log(office.installation, level=level)
        assert (verdict.ok, verdict.status) == (False, Status.NOT_PROVABLE)
        assert str(path) in verdict.problems[0].message


def test_a_missing_head_file_beside_its_key_is_told(office: Office) -> None:
    path = head_file(office)
    path.unlink()
    verdict = verify_log(office.installation)
    assert (verdict.ok, verdict.status) == (False, Status.NOT_PROVABLE)
    assert f"签名头文件 {path} 不见了" in verdict.problems[0].message
    # The copy that an auditor was given holds no keys.
    path.with_suffix(".pem").unlink()
    assert verify_log(office.installation).ok


@pytest.mark.tampers
def test_a_missing_head_file_does_not_soften_an_accusation(office: Office) -> None:
    note = head_file(office).read_text()
    head_file(office).unlink()
    _as_owner(office, "DELETE FROM audit_entry WHERE log = 'main' AND idx > 5")
    verdict = verify_log(office.installation, outside=(note,))
    assert verdict.status is Status.TAMPERED
    assert "不见了" in verdict.problems[-1].message


def _as_owner(office: Office, statement: str) -> None:
    with office.installation.engine.begin() as connection:
        disarm(connection)
        connection.exec_driver_sql(statement)


def test_a_log_without_a_checkpoint_has_lost_no_head(sqlite_office: Office) -> None:
    head_file(sqlite_office).unlink()
    _as_owner(sqlite_office, "DELETE FROM audit_checkpoint")
    verdict = verify_log(sqlite_office.installation)
    assert [item.kind for item in verdict.problems] == [Kind.UNSIGNED]
    assert "签名头文件" not in verdict.problems[0].message


def test_a_new_key_that_has_signed_nothing_yet_has_lost_no_head(
    sqlite_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    head_file(sqlite_office)
    with monkeypatch.context() as patch:
        patch.setattr(Installation, "settle", lambda *_, **__: None)
        rotate_key(administrator(sqlite_office, Role.AUDIT_ADMINISTRATOR), log="main")
    assert verify_log(sqlite_office.installation).ok


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (OSError(28, "No space left on device"), DatabaseUnavailable),
        (DatabaseUnavailable("磁盘已满"), DatabaseUnavailable),
        (LogCorrupt("拒绝签名"), LogCorrupt),
    ],
)
def test_a_checkpoint_that_finds_no_room_is_no_accusation(
    sqlite_office: Office, monkeypatch: pytest.MonkeyPatch, fault: Exception, kind: type[Exception]
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(Installation, "sign", fails)
    with pytest.raises(kind, match="操作已保存，但没有签上检查点") as caught:
        sqlite_office.installation.settle(checkpoint=True)
    assert type(caught.value) is kind


@pytest.fixture
def early(office: Office) -> Office:
    """An office whose clock runs a year ahead, so that its events claim a time after any stamp of today."""
    office.clock.moment = datetime.now(UTC) + timedelta(days=365)
    office.imported()
    return office


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl plays the time stamping authority")
def test_time_stamps_feed_the_time_rule_under_the_authority_s_certificate(early: Office, tmp_path: Path) -> None:
    authority, stranger = (make_time_authority(tmp_path / name, name) for name in ("Good", "Other"))
    query, size = query_file(early.installation)
    take_reply(early.installation, authority.reply(query))

    def problems(authority: TimeAuthority | None) -> list[tuple[Kind, int | None]]:
        check = token_check(None if authority is None else authority.root)
        verdict = verify_log(early.installation, level=Level.STRICT, verify_token=check)
        return [(item.kind, item.index) for item in verdict.problems]

    assert problems(None) == problems(stranger) == []
    assert (Kind.TIME, size - 1) in problems(authority)
    with pytest.raises(InvalidInput, match="PEM"):
        token_check(b"nothing")


def test_witnesses_that_the_auditor_names_feed_the_time_rule(early: Office) -> None:
    note = parse_note(checkpoint(early.installation))
    private = Ed25519PrivateKey.generate()
    key = CosignerKey("audit.example/witness", private.public_key().public_bytes_raw())
    line = cosign(note.text, key.name, private, int(datetime.now(UTC).timestamp()))
    stamp = verified(note.text, line, key)
    assert stamp is not None
    size = int(note.text.split("\n")[1])
    with transaction(early.installation.engine) as work:
        assert store_cosignature(work, size, stamp)
    assert verify_log(early.installation, level=Level.STRICT).ok
    verdict = verify_log(early.installation, level=Level.STRICT, cosigners=(str(key),))
    assert (Kind.TIME, size - 1) in [(item.kind, item.index) for item in verdict.problems]
    with pytest.raises(InvalidInput, match="见证公钥"):
        verify_log(early.installation, cosigners=(str(early.installation.signer.vkey),))
