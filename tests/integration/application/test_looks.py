"""What auditors look at, in the second log on both databases; nobody else's looks, and no text's life, are touched by it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from handled_texts import administrator
from office_state import counts
from structlog.testing import capture_logs

from application import histories, texts
from application.accounts import list_accounts
from application.auditing import checkpoint, read_log, verify_log
from application.installation import READS, Installation, Request
from application.rendering import render_text
from audit.keyfiles import replace_file
from audit.notes import parse_note
from models.engine import flush, make_engine, transaction
from models.errors import Conflict, InvalidInput, NotAllowed, NotFound
from models.people import Role


def looks(office, **given):
    """(object, what was looked at) of the second log, oldest first."""
    found = read_log(administrator(office, Role.AUDIT_ADMINISTRATOR), log=READS, limit=1000, **given)
    return [(item["event"]["obj"]["id"], item["event"]["chg"][0]["n"]) for item in found]


def test_a_look_of_an_auditor_is_an_event_of_the_second_log(office):
    text = office.driven("submitted")
    auditor = office.people[Role.AUDITOR]
    texts.show_text(auditor, text, version=1)
    histories.history(auditor, text)
    texts.list_texts(auditor, year=2021)
    render_text(auditor, text, document="draft", format_="html")
    list_accounts(auditor)
    read_log(auditor, act="text.import", limit=5)
    assert looks(office) == [
        (text, {"at": "text.show", "version": 1}),
        (text, {"at": "text.history"}),
        ("text.list", {"at": "text.list", "year": 2021}),
        (text, {"at": "text.render", "document": "draft", "format": "html"}),
        ("account.list", {"at": "account.list"}),
        ("audit.log", {"at": "audit.log", "act": "text.import", "limit": 5}),
    ]
    [event] = [item["event"] for item in read_log(auditor, log=READS, text_id=text, limit=1)]
    assert (event["act"], event["out"], event["actor"]["role"]) == ("text.read", "success", "auditor")
    assert event["actor"]["sub"] == auditor.person.account_id
    # To look at the second log is a look as well.
    assert looks(office)[-2:] == [
        ("audit.log", {"at": "audit.log", "limit": 1000, "log": "reads"}),
        (text, {"at": "audit.log", "limit": 1, "log": "reads"}),
    ]


def test_looks_of_others_leave_nothing_and_the_main_log_learns_of_none(office):
    text = office.driven("submitted")
    before = counts(office.installation)
    for role in (Role.DRAFTER, Role.REVIEWER):
        texts.show_text(office.people[role], text)
        texts.list_texts(office.people[role])
    assert counts(office.installation) == before
    texts.show_text(office.people[Role.AUDITOR], text)
    office.installation.catch_up(READS)
    with transaction(office.installation.engine, read_only=True) as work:
        sizes = dict(work.connection.execute(sa.text("SELECT log, count(*) FROM audit_entry GROUP BY log")).all())
    assert sizes["reads"] == 1
    assert sizes["main"] == before["audit_entry"] + before["audit_outbox"]


def test_the_second_log_has_its_own_key_and_is_verified_by_it(office):
    text = office.driven("submitted")
    for _ in range(3):
        texts.show_text(office.people[Role.AUDITOR], text)
    note = checkpoint(office.installation, READS)
    with transaction(office.installation.engine, read_only=True) as work:
        keys = dict(work.connection.execute(sa.text("SELECT id, vkey FROM audit_log")).all())
    assert parse_note(note).text.splitlines()[:2] == [f"{office.installation.signer.name}/reads", "3"]
    assert keys["main"] != keys["reads"]
    assert verify_log(office.installation, log=READS, trusted=(keys["reads"],), outside=(note,)).ok
    assert not verify_log(office.installation, log=READS, trusted=(keys["main"],)).ok
    with office.installation.engine.begin() as connection:
        _unguarded(connection)
        connection.execute(sa.text("DELETE FROM audit_entry WHERE log = 'reads' AND idx = 1"))
    assert not verify_log(office.installation, log=READS).ok
    assert verify_log(office.installation).ok


def _unguarded(connection):
    """As a thief with the owner's rights: triggers are a guard rail only."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("ALTER TABLE audit_entry DISABLE TRIGGER ALL"))
        return
    names = connection.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
    for name in names:
        connection.exec_driver_sql(f'DROP TRIGGER "{name}"')


def checkpoints(office):
    with transaction(office.installation.engine, read_only=True) as work:
        query = "SELECT size FROM audit_checkpoint WHERE log = 'reads' ORDER BY size"
        return list(work.connection.scalars(sa.text(query)))


def test_looks_are_signed_when_it_is_due_and_with_the_work_of_others(office):
    text = office.driven("submitted")
    auditor = office.people[Role.AUDITOR]
    texts.show_text(auditor, text)
    assert checkpoints(office) == [1]
    texts.show_text(auditor, text)
    assert checkpoints(office) == [1]
    office.clock.moment += timedelta(seconds=90)
    office.act(Role.REVIEWER, text, "accept")
    assert checkpoints(office) == [1, 2]
    office.clock.moment += timedelta(seconds=90)
    office.act(Role.REVIEWER, text, "pass")
    assert checkpoints(office) == [1, 2]
    texts.show_text(auditor, text)
    assert checkpoints(office) == [1, 2, 3]


def test_a_refused_look_stays_in_the_main_log(office):
    text = office.imported()
    reviewer = office.people[Role.REVIEWER]
    with pytest.raises(NotAllowed):
        texts.show_text(reviewer, text)
    with pytest.raises(NotFound):
        texts.show_text(office.people[Role.AUDITOR], "none")
    assert looks(office) == []
    with pytest.raises(NotAllowed):
        read_log(reviewer, log=READS)
    assert looks(office, act="text.read")[-1][0] == "audit.log"
    with pytest.raises(NotFound, match="main"):
        read_log(office.people[Role.AUDITOR], log="another")


def test_a_look_that_can_not_be_recorded_is_shown_where_the_log_is_a_copy(sqlite_office):
    """On an auditor's copy there are no keys; what is there must still be readable (decision 0011)."""
    office = sqlite_office
    text = office.driven("submitted")
    for path in office.installation.settings.keys.iterdir():
        path.unlink()
    copy = Installation(office.installation.settings, make_engine(office.installation.engine.url), office.clock)
    request = Request(copy, office.people[Role.AUDITOR].person, "copy")
    before = counts(copy)
    with capture_logs() as told:
        assert texts.show_text(request, text)["version"] == 1
    assert counts(copy) == before
    assert "not recorded" in [line["outcome"] for line in told]
    copy.engine.dispose()


def test_nothing_is_shown_while_the_look_can_not_be_written_down(sqlite_office, monkeypatch):
    office = sqlite_office
    text = office.driven("submitted")
    monkeypatch.setattr("models.engine.LOCK_TIMEOUT", 0)
    busy = Installation(office.installation.settings, make_engine(office.installation.engine.url), office.clock)
    request = Request(busy, office.people[Role.AUDITOR].person, "busy")
    with office.installation.engine.connect() as other, other.begin(), pytest.raises(Conflict, match="数据库正忙"):
        texts.show_text(request, text)
    assert looks(office) == []
    assert texts.show_text(request, text)["version"] == 1
    busy.engine.dispose()


def test_an_old_backup_of_the_second_log_is_noticed(sqlite_office):
    office = sqlite_office
    text = office.driven("submitted")
    texts.show_text(office.people[Role.AUDITOR], text)
    with office.installation.engine.begin() as connection:
        _unguarded(connection)
        for statement in (
            "DELETE FROM audit_entry WHERE log = 'reads'",
            "DELETE FROM audit_checkpoint WHERE log = 'reads'",
            "UPDATE audit_head SET n = 0, frontier = x'' WHERE log = 'reads'",
        ):
            connection.execute(sa.text(statement))
    with capture_logs() as told:
        texts.show_text(office.people[Role.AUDITOR], text)
    assert "旧备份" in str(told)
    assert not verify_log(office.installation, log=READS).ok
    office.act(Role.REVIEWER, text, "accept")  # the work of others goes on


def test_an_empty_second_log_has_nothing_to_sign(sqlite_office):
    with pytest.raises(InvalidInput, match="还是空的"):
        checkpoint(sqlite_office.installation, READS)


def test_what_is_not_durable_yet_is_on_disk_before_it_is_signed(sqlite_office, monkeypatch):
    """A signature that knows more than the disk would stop the log after a power cut."""
    office = sqlite_office
    text = office.driven("submitted")
    order = []
    monkeypatch.setattr("audit.checkpoints.flush", lambda engine: (order.append("flush"), flush(engine)))
    monkeypatch.setattr("audit.keys.replace_file", lambda *given: (order.append("head"), replace_file(*given)))
    texts.show_text(office.people[Role.AUDITOR], text)
    assert order == ["flush", "head"]
    with office.installation.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
