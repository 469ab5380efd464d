"""The roles of PostgreSQL on a real server: the script, what each role is refused, and a whole demonstration with them."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from offices import Office, make_office

from application import histories
from application.auditing import checkpoint, verify_log
from application.demo import Demonstration, _Run
from application.installation import Installation, Request
from application.roles import RIGHTS, RoleNames, roles_script
from application.working import work
from models.engine import make_engine, metadata, transaction
from models.errors import DatabaseUnavailable, InvalidInput
from models.people import Role

_numbers = itertools.count()


@dataclass
class Divided:
    """An office whose database has the four roles."""

    office: Office
    names: RoleNames
    superuser: str

    def as_role(self, name: str) -> Installation:
        """The installation as a process has it that logs in by this role."""
        url = self.office.installation.engine.url.set(username=name, drivername="postgresql")
        settings = self.office.installation.settings.model_copy(
            update={"database_url": url.render_as_string(hide_password=False)}
        )
        return Installation(settings, make_engine(url), self.office.clock)

    def apply(self) -> None:
        with psycopg.connect(self.superuser, autocommit=True) as database:
            database.execute(roles_script(self.names))


@pytest.fixture
def divided(tmp_path: Path, new_postgresql: Callable[..., str], migrated_template: str) -> Iterator[Divided]:
    url = new_postgresql(migrated_template)
    office = make_office(tmp_path / "home", url)
    number = next(_numbers)
    names = RoleNames(*(f"o'{number}\"{name}" for name in ("owner", "application", "integrator", "reader")))
    made = Divided(office, names, url)
    made.apply()
    yield made
    office.installation.engine.dispose()
    with psycopg.connect(url, autocommit=True) as database:
        for name in (names.application, names.integrator, names.reader, names.owner):
            quoted = psycopg.sql.Identifier(name)
            database.execute(psycopg.sql.SQL("REASSIGN OWNED BY {} TO postgres").format(quoted))
            database.execute(psycopg.sql.SQL("DROP OWNED BY {}").format(quoted))
            database.execute(psycopg.sql.SQL("DROP ROLE {}").format(quoted))


def may(divided: Divided, role: str, *statements: str) -> None:
    """Runs statements as a role, and takes them back."""
    with psycopg.connect(divided.superuser) as database:
        database.execute(psycopg.sql.SQL("SET ROLE {}").format(psycopg.sql.Identifier(role)))
        for statement in statements:
            database.execute(statement)
        database.rollback()


OUTBOX = "INSERT INTO audit_outbox (log, event_id, body, mac, created) VALUES ('main', 'x', 'x', 'x', now())"
ENTRY = "INSERT INTO audit_entry (log, idx, body, leaf) VALUES ('main', 100000, 'x', 'x')"
FORBIDDEN = {
    "application": (
        "UPDATE audit_outbox SET body = 'x'",
        "DELETE FROM audit_outbox",
        "TRUNCATE audit_outbox",
        ENTRY,
        "UPDATE audit_entry SET body = 'x'",
        "DELETE FROM audit_entry",
        "DELETE FROM audit_projection",
        "INSERT INTO audit_tile (log, level, n, h) VALUES ('main', 0, 0, 'x')",
        "UPDATE audit_head SET n = n + 1",
        "UPDATE audit_checkpoint SET note = 'x'",
        "DELETE FROM audit_checkpoint",
        "UPDATE audit_log SET vkey = 'x'",
        "INSERT INTO audit_key (log, vkey, from_size) VALUES ('main', 'x', 0)",
        "UPDATE step SET action = 'x'",
        "DELETE FROM signature",
        "UPDATE blob SET data = 'x'",
        "DELETE FROM budget_text",
        "DELETE FROM account",
        "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
        "DROP TRIGGER guard_audit_entry_update ON audit_entry",
        "SET session_replication_role = replica",
        "CREATE TABLE public.mine (id int)",
    ),
    "integrator": (
        OUTBOX,
        "UPDATE audit_outbox SET body = 'x'",
        "UPDATE audit_entry SET body = 'x'",
        "DELETE FROM audit_entry",
        "DELETE FROM audit_head",
        "SELECT * FROM account",
        "SELECT * FROM blob",
        "UPDATE budget_text SET state = 'approved'",
        "UPDATE audit_log SET vkey = 'x'",
        "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
    ),
    "reader": (
        OUTBOX,
        ENTRY,
        "UPDATE budget_text SET state = 'approved'",
        "SELECT * FROM access_token",
        "SELECT password_hash FROM account",
        "SELECT * FROM sealed_value",
        "SELECT * FROM subject_key",
        "DELETE FROM task",
    ),
}


@pytest.fixture(scope="module")
def one_divided(
    tmp_path_factory: pytest.TempPathFactory, postgresql_uri: str, migrated_template: str
) -> Iterator[Divided]:
    """One for all statements that are taken back."""
    with psycopg.connect(postgresql_uri, autocommit=True) as database:
        database.execute(f"CREATE DATABASE jixiao_roles TEMPLATE {migrated_template}")
    url = sa.make_url(postgresql_uri).set(database="jixiao_roles").render_as_string(hide_password=False)
    office = make_office(tmp_path_factory.mktemp("roles") / "home", url)
    office.driven("published")
    made = Divided(office, RoleNames(), url)
    made.apply()
    yield made
    office.installation.engine.dispose()
    with psycopg.connect(postgresql_uri, autocommit=True) as database:
        database.execute("DROP DATABASE jixiao_roles WITH (FORCE)")
        for role in (made.names.application, made.names.integrator, made.names.reader, made.names.owner):
            database.execute(f"DROP OWNED BY {role}")
            database.execute(f"DROP ROLE {role}")


@pytest.mark.parametrize(
    ("role", "statement"), [(role, statement) for role, all_of in FORBIDDEN.items() for statement in all_of]
)
def test_what_a_role_need_not_do_is_refused_by_the_server(one_divided: Divided, role: str, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        may(one_divided, getattr(one_divided.names, role), statement)


def test_what_a_role_is_there_for_is_allowed(one_divided: Divided) -> None:
    names = one_divided.names
    may(one_divided, names.application, OUTBOX, "UPDATE budget_text SET state = 'x'", "SELECT * FROM audit_entry")
    may(
        one_divided,
        names.integrator,
        ENTRY,
        "DELETE FROM audit_outbox",
        "UPDATE audit_head SET n = n + 1",
        "UPDATE audit_checkpoint SET cosignatures = 'x', timestamp_token = 'x'",
    )
    may(one_divided, names.reader, "SELECT * FROM audit_entry", "SELECT login FROM account", "SELECT * FROM step")
    may(one_divided, names.owner, "ALTER TABLE audit_entry DISABLE TRIGGER USER", "CREATE TABLE mine (id int)")


def test_the_script_can_be_run_again_and_takes_away_what_was_granted_beyond_it(divided: Divided) -> None:
    quoted = psycopg.sql.Identifier(divided.names.application)
    with psycopg.connect(divided.superuser, autocommit=True) as database:
        database.execute(psycopg.sql.SQL("GRANT ALL ON ALL TABLES IN SCHEMA public TO {}").format(quoted))
        database.execute("GRANT UPDATE ON audit_outbox TO PUBLIC")
    may(divided, divided.names.application, "DELETE FROM audit_outbox")
    divided.apply()
    for statement in ("DELETE FROM audit_outbox", "UPDATE audit_outbox SET log = 'x'", ENTRY):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            may(divided, divided.names.application, statement)


def test_a_whole_demonstration_runs_as_application_and_integrator(divided: Divided, tmp_path: Path) -> None:
    application = divided.as_role(divided.names.application)
    integrator = divided.as_role(divided.names.integrator)
    stop = threading.Event()
    failed: list[Exception] = []

    def run() -> None:
        try:
            work(integrator, stop)
        except Exception as error:  # noqa: BLE001 -- a thread's failure must reach the test, whatever it is
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        requests = {role: replace(request, installation=application) for role, request in divided.office.people.items()}
        demo = Demonstration(tmp_path)
        _Run(demo, requests, tmp_path, lambda _: None).whole()
        checkpoint(application)
    finally:
        stop.set()
        thread.join(60)
    assert failed == []
    assert demo.states[-1] == "published"
    reader = divided.as_role(divided.names.reader)
    verdict = verify_log(reader)
    assert (verdict.ok, verdict.outbox) == (True, 0)
    assert histories.history(requests[Role.AUDITOR], demo.text)
    for made in (application, integrator, reader):
        made.engine.dispose()


def test_without_a_worker_the_application_keeps_its_events_and_says_so_where_it_must_wait(
    divided: Divided, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.installation._PATIENCE", 0.2)
    monkeypatch.setattr("application.installation._SHORT_PATIENCE", 0.1)
    application = divided.as_role(divided.names.application)
    text = divided.office.driven("second_review")
    request: Request = replace(divided.office.people[Role.APPROVER], installation=application)
    from application.acting import act

    with pytest.raises(Exception, match=r"操作已保存.*jixiao worker"):
        act(request, text, action="approve")
    with transaction(application.engine, read_only=True) as opened:
        waiting: Any = opened.connection.exec_driver_sql("SELECT count(*) FROM audit_outbox").scalar()
    assert waiting > 0
    divided.office.installation.settle(checkpoint=True)
    verdict = verify_log(divided.office.installation)
    assert (verdict.ok, verdict.outbox) == (True, 0)
    application.engine.dispose()


def test_every_table_of_the_schema_stands_in_the_script() -> None:
    assert set(metadata().tables) | {"alembic_version"} == set(RIGHTS)


@pytest.mark.parametrize("name", ["", "pg_monitor", "x" * 64, "财" * 22, "a\x00b"])
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="角色名"):
        RoleNames(owner=name)
    with pytest.raises(InvalidInput, match="不要重复"):
        RoleNames(owner="x", reader="x")


def test_a_role_without_rights_is_told_that_the_database_refuses(divided: Divided) -> None:
    integrator = divided.as_role(divided.names.integrator)
    with pytest.raises(DatabaseUnavailable, match="没有这个权限"), transaction(integrator.engine) as opened:
        opened.connection.exec_driver_sql("SELECT * FROM account")
    integrator.engine.dispose()
