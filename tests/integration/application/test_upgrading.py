"""An installation from before gets what it does not have yet, with the event of its upgrade; a copy without keys none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from handled_texts import administrator

from application import migrations
from application.auditing import read_log, verify_log
from application.installation import READS
from application.migrations import HEAD
from application.texts import show_text
from application.upgrading import upgrade_installation
from models.engine import transaction
from models.errors import LogCorrupt
from models.people import Role


def as_before(office) -> None:
    """Takes away what an installation of before had not: the second log, the sealing key, and what was sealed."""
    with office.installation.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            for table in ("audit_log", "audit_key", "audit_head", "audit_object", "sealed_value", "subject_key"):
                connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        else:
            for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
                connection.exec_driver_sql(f'DROP TRIGGER "{row[0]}"')
        for table in ("audit_key", "audit_head", "audit_object"):
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE log = 'reads'")
        connection.exec_driver_sql("DELETE FROM audit_log WHERE id = 'reads'")
        connection.exec_driver_sql("DELETE FROM sealed_value")
        connection.exec_driver_sql("DELETE FROM subject_key")
    for name in ("seal.key", "reads.pem", "reads.head", "reads.head.lock"):
        (office.installation.settings.keys / name).unlink(missing_ok=True)


def acts(office):
    return [item["event"]["act"] for item in read_log(administrator(office, Role.AUDIT_ADMINISTRATOR), limit=1000)]


def test_an_upgrade_completes_an_installation_and_is_done_once(office):
    as_before(office)
    settings = office.installation.settings
    done = upgrade_installation(settings, clock=office.clock)
    assert done.state.current
    assert done.reads_vkey.startswith(f"{office.installation.signer.name}/reads+")
    assert (settings.keys / "seal.key").stat().st_mode & 0o777 == 0o600
    assert not done.recorded
    assert acts(office)[-1] == "log.create"
    again = upgrade_installation(settings, clock=office.clock)
    assert (again.reads_vkey, again.recorded) == (None, False)
    assert acts(office).count("log.create") == 3  # two at the beginning, one now
    show_text(office.people[Role.AUDITOR], office.imported())
    assert verify_log(office.installation, log=READS, trusted=(done.reads_vkey,)).size > 0
    assert verify_log(office.installation).ok


def test_a_new_schema_is_an_event(sqlite_office):
    office = sqlite_office
    migrations.downgrade(office.installation.engine, "0007")
    done = upgrade_installation(office.installation.settings, clock=office.clock)
    assert done.recorded
    [event] = [item["event"] for item in read_log(administrator(office, Role.AUDIT_ADMINISTRATOR), act="config.change")]
    assert event["obj"] == {"type": "schema", "id": "database", "ver": 1}
    assert event["chg"] == [{"p": "/revision", "o": "0007", "n": HEAD}]


def _without_guard_rails(office):
    with office.installation.engine.begin() as connection:
        for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
            connection.exec_driver_sql(f'DROP TRIGGER "{row[0]}"')


def test_a_copy_without_keys_is_migrated_and_nothing_is_written(sqlite_office, tmp_path):
    office = sqlite_office
    office.installation.engine.dispose()
    home = tmp_path / "copy"
    home.mkdir()
    shutil.copy(Path(office.installation.engine.url.database), home / "jixiao.db")
    settings = office.installation.settings.model_copy(update={"home": home, "database_url": None})
    done = upgrade_installation(settings, clock=office.clock)
    assert (done.reads_vkey, done.recorded) == (None, False)
    assert not (home / "keys").exists()


def test_a_restored_backup_is_not_upgraded(sqlite_office, monkeypatch):
    office = sqlite_office
    _without_guard_rails(office)
    with office.installation.engine.begin() as connection:
        connection.execute(sa.text("UPDATE audit_head SET n = 1 WHERE log = 'main'"))
    touched = []
    monkeypatch.setattr("application.upgrading.upgrade", touched.append)
    with pytest.raises(LogCorrupt, match="旧备份"):
        upgrade_installation(office.installation.settings, clock=office.clock)
    assert not touched


def test_an_empty_database_is_only_migrated(tmp_path, sqlite_office):
    settings = sqlite_office.installation.settings.model_copy(
        update={"home": tmp_path / "new", "database_url": f"sqlite:///{tmp_path / 'new.db'}"}
    )
    done = upgrade_installation(settings)
    assert (done.state.database, done.reads_vkey, done.recorded) == (HEAD, None, False)


def test_what_is_sealed_can_not_be_thrown_away_by_a_downgrade(sqlite_office):
    with pytest.raises(Exception, match="密封的个人信息"):
        migrations.downgrade(sqlite_office.installation.engine, "0002")
    with transaction(sqlite_office.installation.engine, read_only=True) as work:
        assert work.connection.scalar(sa.text("SELECT count(*) FROM sealed_value")) > 0
