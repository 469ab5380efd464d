from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from application import migrations
from models.engine import make_engine, metadata, transaction
from models.errors import DatabaseUnavailable, InvalidInput


@pytest.fixture
def engine(database_url):
    made = make_engine(database_url)
    yield made
    made.dispose()


def test_up_down_up_and_nothing_is_left_to_generate(engine):
    migrations.upgrade(engine)
    assert migrations.schema_state(engine).current
    with transaction(engine) as work:
        command.check(migrations.config(work.connection))
    migrations.downgrade(engine, "base")
    with transaction(engine, read_only=True) as work:
        assert set(sa.inspect(work.connection).get_table_names()) <= {"alembic_version"}
    migrations.upgrade(engine)
    with transaction(engine, read_only=True) as work:
        assert set(metadata().tables) <= set(sa.inspect(work.connection).get_table_names())


def test_alembic_check_notices_a_table_that_no_migration_makes(engine):
    migrations.upgrade(engine)
    with transaction(engine) as work:
        work.connection.exec_driver_sql("DROP TABLE message")
    with pytest.raises(Exception, match="message"), transaction(engine) as work:
        command.check(migrations.config(work.connection))


def test_the_head_that_the_program_names_is_that_of_the_folder():
    assert ScriptDirectory.from_config(migrations.config()).get_current_head() == migrations.HEAD


def test_an_empty_database_says_how_to_migrate(engine):
    with pytest.raises(DatabaseUnavailable, match="jixiao db upgrade"):
        migrations.require_current(engine)


def test_a_database_newer_than_the_program_is_left_alone(engine):
    migrations.upgrade(engine)
    with transaction(engine) as work:
        work.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for attempt in (lambda: migrations.require_current(engine), lambda: migrations.upgrade(engine)):
        with pytest.raises(DatabaseUnavailable, match="数据库比程序新"):
            attempt()
    assert migrations.schema_state(engine).database == "9999"


def test_a_migration_that_fails_leaves_nothing(engine):
    with transaction(engine) as work:
        work.connection.exec_driver_sql("CREATE TABLE task (id integer)")  # stands in the way of the migration
    with pytest.raises(Exception, match="task"):
        migrations.upgrade(engine)
    with transaction(engine, read_only=True) as work:
        assert set(sa.inspect(work.connection).get_table_names()) - {"alembic_version"} == {"task"}


def test_downgrade_to_an_unknown_revision_is_refused(engine):
    migrations.upgrade(engine)
    with pytest.raises(InvalidInput, match="没有版本"):
        migrations.downgrade(engine, "7777")


def test_migrations_folder_shadows_no_library():
    import alembic

    assert alembic.__file__ is not None
    assert hasattr(alembic, "command")


def test_a_database_with_audit_events_is_not_taken_down(engine):
    migrations.upgrade(engine)
    with transaction(engine) as work:
        work.connection.exec_driver_sql(
            "INSERT INTO audit_log (id, origin, vkey, created) VALUES ('main', 'o', 'v', '2026-01-01T00:00:00.000000Z')"
        )
        work.connection.execute(
            sa.text("INSERT INTO audit_entry (log, idx, body, leaf) VALUES ('main', 0, :b, :b)"), {"b": b"x"}
        )
    for revision in ("base", "-1"):
        with pytest.raises(InvalidInput, match="1 条审计事件"):
            migrations.downgrade(engine, revision)
    assert migrations.schema_state(engine).current
