from __future__ import annotations

import json

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


@pytest.fixture
def office_before_steps(engine):
    """A database of the revision before, with a text in its second review, written by plain SQL."""
    migrations.upgrade(engine, "0001")
    at = "'2026-01-01T00:00:00.000000Z'"
    body = json.dumps(
        {"states": {"draft": {"editable": True}, "submitted": {}, "first_review": {}, "second_review": {}}}
    )
    states = ["draft", "submitted", "first_review", "second_review"]
    actions = ["submit", "accept", "pass", None]
    with transaction(engine) as work:
        run = work.connection.exec_driver_sql
        run(f"INSERT INTO organization (id, name, kind, aliases, created_at) VALUES ('o', 'o', 'finance', '', {at})")
        run(
            "INSERT INTO account (id, organization_id, login, display_name, created_at)"
            f" VALUES ('a', 'o', 'a', 'a', {at})"
        )
        work.connection.execute(
            sa.text(
                "INSERT INTO workflow_definition (id, name, version, body, sha256, published_at)"
                f" VALUES ('d', 'standard', 1, :body, '', {at})"
            ),
            {"body": body.encode()},
        )
        run(
            "INSERT INTO budget_text (id, kind, fiscal_year, title, organization_id, reviewing_id, definition_id, state,"
            " round, row_version, current_version, current_hash, created_at, changed_at)"
            f" VALUES ('t', 'budget', 2026, 't', 'o', 'o', 'd', 'second_review', 1, 4, 1, 'h', {at}, {at})"
        )
        for number, (state, action) in enumerate(zip(states, actions, strict=True), 1):
            closed = f"{at}, 'a', '{action}'" if action else "NULL, NULL, NULL"
            run(
                "INSERT INTO task (id, text_id, state, round, role, organization_id, opened_at, version, row_version,"
                f" closed_at, closed_by, outcome) VALUES ('k{number}', 't', '{state}', 1, 'r', 'o', {at}, 1, {number}, {closed})"
            )
    return engine, "t"


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
    for revision in ("base", f"-{int(migrations.HEAD)}"):
        with pytest.raises(InvalidInput, match="1 条审计事件"):
            migrations.downgrade(engine, revision)
    assert migrations.schema_state(engine).current


def test_texts_on_their_way_get_their_steps(office_before_steps):
    engine, _ = office_before_steps
    migrations.upgrade(engine)
    with transaction(engine, read_only=True) as work:
        run = work.connection.exec_driver_sql
        steps = run("SELECT number, action, source, target, round, visit FROM step ORDER BY number").all()
        assert [tuple(row) for row in steps] == [
            (1, "submit", "draft", "submitted", 1, 1),
            (2, "accept", "submitted", "first_review", 1, 2),
            (3, "pass", "first_review", "second_review", 1, 3),
        ]
        assert tuple(run("SELECT path, step, visit, resume FROM budget_text").one()) == (
            "submitted first_review",
            3,
            3,
            "",
        )
        assert run("SELECT visit, seat FROM task WHERE closed_at IS NULL").all() == [(3, "")]
