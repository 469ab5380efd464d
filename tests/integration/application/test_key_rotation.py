"""Changing a log's key while people work, on both databases."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from handled_texts import administrator
from office_state import counts

from application import rotating
from application.acting import act
from application.auditing import checkpoint, read_log, verify_log
from application.installation import READS, Installation, Request
from application.rotating import retire_key, rotate_key, show_keys
from application.texts import show_text
from audit.notes import Standing, parse_note, parse_vkey, standing
from models.engine import make_engine
from models.errors import Conflict, DatabaseUnavailable, LogCorrupt, NotAllowed, NotFound
from models.people import Role


@pytest.fixture
def auditadmin(office):
    return administrator(office, Role.AUDIT_ADMINISTRATOR)


def signers(note, *vkeys):
    return [standing(parse_note(note), parse_vkey(vkey)) is Standing.SIGNED for vkey in vkeys]


def again(office) -> Installation:
    """The installation as the next process opens it."""
    return Installation(office.installation.settings, make_engine(office.installation.engine.url), office.clock)


def test_a_key_is_changed_while_people_work(office, auditadmin):
    running = again(office)  # a server that runs all the while
    reviewer = Request(running, office.people[Role.REVIEWER].person, "server")
    text = office.driven("submitted")
    first = office.installation.signer.vkey
    running.require_writable()
    done = rotate_key(auditadmin, log="main")
    assert (done["old"], done["new"] != first) == (first, True)
    assert [(key["active"], key["newest"], key["file"]) for key in show_keys(running, log="main")] == [
        (True, False, True),
        (True, True, True),
    ]
    both = checkpoint(running)
    assert signers(both, first, done["new"]) == [True, True]
    running.sign(now=office.clock())
    act(reviewer, text, action="accept")
    retired = retire_key(auditadmin, log="main", reason="交接完毕")
    assert retired["retired"] == first
    act(reviewer, text, action="pass")
    note = checkpoint(running)
    assert signers(note, first, done["new"]) == [False, True]
    events = [
        (item["event"]["act"], item["event"].get("why"), item["event"]["actor"]["role"])
        for act_ in ("key.rotate", "key.retire")
        for item in read_log(auditadmin, act=act_)
    ]
    assert events == [
        ("key.rotate", None, "audit_administrator"),
        ("key.retire", "交接完毕", "audit_administrator"),
    ]
    fresh = again(office)
    fresh.require_writable()
    assert verify_log(fresh).ok
    for installation in (running, fresh):
        installation.engine.dispose()


def test_the_second_log_changes_its_key_by_itself(office, auditadmin):
    text = office.driven("submitted")
    show_text(office.people[Role.AUDITOR], text)
    main = office.installation.signer.vkey
    done = rotate_key(auditadmin, log=READS)
    show_text(office.people[Role.AUDITOR], text)
    assert signers(checkpoint(office.installation, READS), done["old"], done["new"]) == [True, True]
    retire_key(auditadmin, log=READS)
    assert office.installation.signer.vkey == main
    assert [key["active"] for key in show_keys(office.installation, log=READS)] == [False, True]
    assert verify_log(office.installation, log=READS).ok
    acts = [item["event"]["act"] for item in read_log(auditadmin, log=READS)]
    assert acts[:4] == ["text.read", "key.rotate", "text.read", "key.retire"]


def test_only_the_audit_administrator_changes_keys_and_an_attempt_leaves_no_file(sqlite_office):
    office = sqlite_office
    keys = office.installation.settings.keys
    for request in (
        office.people[Role.AUDITOR],
        administrator(office, Role.SYSTEM_ADMINISTRATOR),
        administrator(office, Role.SECURITY_ADMINISTRATOR),
    ):
        files = sorted(keys.iterdir())
        for attempt in (rotate_key, retire_key):
            with pytest.raises(NotAllowed):
                attempt(request, log="main")
        assert sorted(keys.iterdir()) == files
    denied = read_log(administrator(office, Role.AUDIT_ADMINISTRATOR), act="key.rotate")
    assert [item["event"]["out"] for item in denied] == ["denied"] * 3


def test_a_second_change_is_refused_and_its_key_waits(sqlite_office):
    office = sqlite_office
    auditadmin, keys = administrator(office, Role.AUDIT_ADMINISTRATOR), office.installation.settings.keys
    with pytest.raises(Conflict, match="没有可以停用的旧密钥"):
        retire_key(auditadmin, log="main")
    rotate_key(auditadmin, log="main")
    for _ in range(2):
        with pytest.raises(Conflict, match="还没有结束"):
            rotate_key(auditadmin, log="main")
    names = {path.name for path in keys.iterdir()}
    assert "log.new.pem" in names
    assert sum(name.startswith("log.") and name.endswith(".pem") for name in names) == 3
    with pytest.raises(NotFound, match="reads"):
        rotate_key(auditadmin, log="another")


def test_the_old_key_does_not_end_before_both_have_signed(sqlite_office, monkeypatch):
    office = sqlite_office
    auditadmin = administrator(office, Role.AUDIT_ADMINISTRATOR)
    with monkeypatch.context() as patch:
        patch.setattr(Installation, "settle", lambda *_, **__: None)
        rotate_key(auditadmin, log="main")
    before = counts(office.installation)
    with pytest.raises(Conflict, match="共同签名"):
        retire_key(auditadmin, log="main")
    assert counts(office.installation)["audit_entry"] == before["audit_entry"] + 1  # the refusal
    assert [key["until_size"] for key in show_keys(office.installation, log="main")] == [None, None]


def test_a_commit_whose_answer_was_lost_leaves_the_new_key_where_it_is_looked_for(office, auditadmin, monkeypatch):
    whole = rotating.transaction

    @contextlib.contextmanager
    def cut_off(engine, *, read_only=False):
        with whole(engine, read_only=read_only) as work:
            yield work
        if not read_only:
            raise DatabaseUnavailable("连接断了")

    monkeypatch.setattr(rotating, "transaction", cut_off)
    with pytest.raises(DatabaseUnavailable):
        rotate_key(auditadmin, log="main")
    monkeypatch.undo()
    fresh = again(office)
    fresh.require_writable()
    old, new = show_keys(fresh, log="main")
    assert (new["newest"], new["file"]) == (True, True)
    assert signers(checkpoint(fresh), old["vkey"], new["vkey"]) == [True, True]
    fresh.engine.dispose()


def test_a_key_of_which_nobody_knows_whether_it_is_named_stays(sqlite_office, monkeypatch):
    office = sqlite_office
    auditadmin, keys = administrator(office, Role.AUDIT_ADMINISTRATOR), office.installation.settings.keys
    whole, calls = rotating.transaction, itertools.count()

    def gone(engine, *, read_only=False):
        if next(calls):
            raise DatabaseUnavailable("连接断了")
        return whole(engine, read_only=read_only)

    monkeypatch.setattr(rotating, "transaction", gone)
    with pytest.raises(DatabaseUnavailable):
        rotate_key(auditadmin, log="main")
    monkeypatch.undo()
    assert not (keys / "log.new.pem").exists()
    assert rotate_key(auditadmin, log="main")["new"] == office.installation.signer.vkey


def test_nothing_is_written_while_the_file_of_one_of_two_keys_is_away(sqlite_office):
    office = sqlite_office
    rotate_key(administrator(office, Role.AUDIT_ADMINISTRATOR), log="main")
    path = office.installation.settings.keys / "log.pem"
    path.rename(path.with_suffix(".away"))
    fresh = again(office)
    before = counts(fresh)
    with pytest.raises(NotFound, match="签名私钥"):
        fresh.require_writable()
    assert counts(fresh) == before
    path.with_suffix(".away").rename(path)
    again(office).require_writable()
    fresh.engine.dispose()


def test_a_restored_backup_is_refused_by_either_head(sqlite_office):
    office = sqlite_office
    rotate_key(administrator(office, Role.AUDIT_ADMINISTRATOR), log="main")
    office.driven("submitted")
    checkpoint(office.installation)
    keys = office.installation.settings.keys
    (keys / "log.head").unlink()
    with office.installation.engine.begin() as connection:
        for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
            connection.exec_driver_sql(f'DROP TRIGGER "{row[0]}"')
        connection.exec_driver_sql("DELETE FROM audit_checkpoint")
        connection.exec_driver_sql("UPDATE audit_head SET n = n - 3 WHERE log = 'main'")
    fresh = again(office)
    with pytest.raises(LogCorrupt, match="旧备份"):
        fresh.require_writable()
    fresh.engine.dispose()
