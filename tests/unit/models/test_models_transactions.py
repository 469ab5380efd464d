"""Prepared statements and the unit of work on a real SQLite file."""

# ruff: noqa: PT012 -- the block under test is the transaction, and an error may come at its end

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from models.blobs import get_blob, put_blob
from models.canonical import digest
from models.engine import Work, make_engine, metadata, transaction, translated
from models.errors import Conflict, DatabaseUnavailable, InvalidInput, JixiaoError, LogCorrupt, NotFound
from models.people import Account, Organization
from models.prepared import Prepared, insert_into
from models.process import Message, WorkflowDefinition
from models.records import MIGRATING, RECORDS
from models.texts import Blob, BudgetText

NOW = datetime(2026, 2, 14, 15, 30, 0, 1, tzinfo=UTC)
INSERT = insert_into(Organization)
READ = Prepared(sa.select(Organization.name, Organization.created_at).where(Organization.id == sa.bindparam("id")))
RENAME = Prepared(
    sa.update(Organization).where(Organization.id == sa.bindparam("key")).values(name=sa.bindparam("new_name"))
)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sa.Engine]:
    monkeypatch.setattr("models.engine.LOCK_TIMEOUT", 0.02)
    made = make_engine(f"sqlite:///{tmp_path / 'jixiao.db'}")
    metadata().create_all(made)
    yield made
    made.dispose()


def organization(work: Work, key: str = "o1", name: str = "科协", created_at: Any = NOW) -> int:
    return work.run(INSERT, id=key, name=name, kind="department", code=None, aliases="", created_at=created_at)


def names(engine: sa.Engine) -> list[str]:
    with transaction(engine, read_only=True) as work:
        return [row[0] for row in work.rows(Prepared(sa.select(Organization.name).order_by(Organization.name)))]


# Prepared statements


def test_prepared_values_are_those_of_the_mapping(engine: sa.Engine) -> None:
    shanghai = NOW.astimezone(timezone(timedelta(hours=8)))
    with transaction(engine) as work:
        assert organization(work, created_at=shanghai) == 1
        assert work.one(READ, id="o1") == ("科协", NOW)
        assert work.session.get_one(Organization, "o1").created_at == NOW
        raw = work.connection.exec_driver_sql("SELECT created_at, typeof(created_at) FROM organization").one()
    assert tuple(raw) == ("2026-02-14T15:30:00.000001Z", "text")


def test_bytes_come_back_as_bytes(engine: sa.Engine) -> None:
    data = bytes(range(256))
    with transaction(engine) as work:
        sha256 = put_blob(work, data, NOW)
        assert put_blob(work, data, NOW) == sha256 == digest(data)
        found = get_blob(work, sha256)
        assert isinstance(found, bytes)
        assert found == data == work.session.get_one(Blob, sha256).data
        with pytest.raises(NotFound):
            get_blob(work, "0" * 64)


def test_bytes_that_were_exchanged_are_found_out(engine: sa.Engine) -> None:
    with transaction(engine) as work:
        sha256 = put_blob(work, b"approved", NOW)
        work.connection.exec_driver_sql("UPDATE blob SET data = x'00'")
        with pytest.raises(LogCorrupt):
            get_blob(work, sha256)


def test_missing_row_is_none_and_counts_are_told(engine: sa.Engine) -> None:
    with transaction(engine) as work:
        assert work.one(READ, id="nobody") is None
        assert work.rows(READ, id="nobody") == []
        assert work.run(RENAME, key="nobody", new_name="x") == 0
        organization(work)
        assert work.run(RENAME, key="o1", new_name="x") == 1


def test_values_of_a_statement_are_not_kept(engine: sa.Engine) -> None:
    fixed = Prepared(
        sa.select(Organization.id).where(Organization.kind == "department", Organization.id == sa.bindparam("id"))
    )
    values = {"id": "o1"}
    compiled = fixed.on(engine.dialect)
    assert compiled.parameters(values) == ("department", "o1")
    assert compiled.parameters({"id": "o2"}) == ("department", "o2")
    assert values == {"id": "o1"}


def test_naive_time_never_reaches_the_database(engine: sa.Engine) -> None:
    with pytest.raises(ValueError, match="naive"), transaction(engine) as work:
        organization(work, created_at=NOW.replace(tzinfo=None))
    assert names(engine) == []


def test_missing_value_is_an_error_of_the_caller(engine: sa.Engine) -> None:
    with pytest.raises(KeyError), transaction(engine) as work:
        work.run(RENAME, key="o1")


def test_statement_is_compiled_once_per_dialect(engine: sa.Engine) -> None:
    statement = Prepared(sa.select(Organization.id).where(Organization.id == sa.bindparam("id")))
    first = statement.on(engine.dialect)
    assert statement.on(engine.dialect) is first
    other = statement.on(postgresql.dialect(paramstyle="pyformat"))  # type: ignore[no-untyped-call]
    assert "%(id)s" in other.sql
    assert other.parameters({"id": "o1"}) == {"id": "o1"}
    assert statement.on(engine.dialect) is first


# The transaction


def test_good_end_commits_statements_and_session_together(engine: sa.Engine) -> None:
    with transaction(engine) as work:
        organization(work)
        work.session.add(Organization(id="o2", name="财政局", kind="finance", created_at=NOW))
    assert names(engine) == ["科协", "财政局"]


def test_any_error_leaves_nothing(engine: sa.Engine) -> None:
    with pytest.raises(ZeroDivisionError), transaction(engine) as work:
        organization(work)
        work.session.add(Organization(id="o2", name="财政局", kind="finance", created_at=NOW))
        work.session.flush()
        raise ZeroDivisionError
    assert names(engine) == []


def test_interruption_leaves_nothing(engine: sa.Engine) -> None:
    with pytest.raises(KeyboardInterrupt), transaction(engine) as work:
        organization(work)
        raise KeyboardInterrupt
    assert names(engine) == []


def test_session_and_statements_see_each_other(engine: sa.Engine) -> None:
    with transaction(engine) as work:
        organization(work)
        found = work.session.get_one(Organization, "o1")
        assert found.name == "科协"
        found.name = "科学技术协会"
        work.session.flush()
        assert work.one(READ, id="o1") == ("科学技术协会", NOW)


def test_session_cannot_commit_on_its_own(engine: sa.Engine) -> None:
    with pytest.raises(ZeroDivisionError), transaction(engine) as work:
        work.session.add(Organization(id="o2", name="财政局", kind="finance", created_at=NOW))
        work.session.commit()
        raise ZeroDivisionError
    assert names(engine) == []


def test_error_in_the_last_flush_leaves_nothing(engine: sa.Engine) -> None:
    with pytest.raises(Conflict), transaction(engine) as work:
        organization(work)
        work.session.add(Organization(id="o2", name="科协", kind="finance", created_at=NOW))
    assert names(engine) == []


def test_connection_is_usable_after_an_error(engine: sa.Engine) -> None:
    for _ in range(30):  # more than the pool holds: a connection that is not given back would be missed
        with pytest.raises(Conflict), transaction(engine) as work:
            organization(work)
            organization(work)
    assert names(engine) == []


# Errors of the driver


def test_duplicate_is_a_conflict(engine: sa.Engine) -> None:
    with pytest.raises(Conflict), transaction(engine) as work:
        organization(work)
        organization(work, key="o2")


def test_missing_value_or_owner_is_no_conflict(engine: sa.Engine) -> None:
    # Reading again would not help: it is a defect, and must not be told as somebody else's change.
    with pytest.raises(DatabaseUnavailable), transaction(engine) as work:
        organization(work, name=None)  # type: ignore[arg-type]
    with pytest.raises(DatabaseUnavailable), transaction(engine) as work:
        work.session.add(Account(id="a", login="l", organization_id="nobody", display_name="n", created_at=NOW))
    assert names(engine) == []


def test_second_writer_waits_and_then_gets_a_conflict(engine: sa.Engine) -> None:
    outcome: list[BaseException] = []

    def write() -> None:
        try:
            with transaction(engine) as work:
                organization(work, key="o2", name="second")
        except JixiaoError as error:
            outcome.append(error)

    with transaction(engine) as work:
        organization(work)
        other = threading.Thread(target=write)
        other.start()
        other.join()
    assert [type(error) for error in outcome] == [Conflict]
    assert names(engine) == ["科协"]


def test_read_only_transaction_takes_no_write_lock(engine: sa.Engine) -> None:
    with transaction(engine, read_only=True) as reader:
        assert reader.rows(READ, id="o1") == []
        with transaction(engine) as writer:  # would be refused if the reader held the lock
            organization(writer)
            with transaction(engine, read_only=True) as another:
                assert another.one(READ, id="o1") is None
        assert reader.one(READ, id="o1") is None  # still the snapshot that it began with


def test_writer_takes_its_lock_before_it_reads(engine: sa.Engine) -> None:
    with transaction(engine), pytest.raises(Conflict), transaction(engine):
        pytest.fail("two writers at once")


def test_full_disk_is_told_and_leaves_nothing(engine: sa.Engine) -> None:
    with pytest.raises(DatabaseUnavailable, match="磁盘已满"), transaction(engine) as work:
        organization(work)
        pages = work.connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        work.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
        put_blob(work, bytes(1 << 20), NOW)
    assert names(engine) == []


def test_database_without_tables_asks_for_the_migration(tmp_path: Path) -> None:
    empty = make_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(DatabaseUnavailable, match="db upgrade"), transaction(empty) as work:
        organization(work)
    with pytest.raises(DatabaseUnavailable, match="db upgrade"), transaction(empty) as work:
        work.session.get(Organization, "o1")
    empty.dispose()


def test_missing_column_asks_for_the_migration(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE organization DROP COLUMN aliases")
    with pytest.raises(DatabaseUnavailable, match="db upgrade"), transaction(engine) as work:
        work.session.get(Organization, "o1")


@pytest.mark.parametrize("data", [b"not a database" * 300, b"SQLite format 3\x00" + bytes(5000)])
def test_file_that_is_no_database_is_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "bad.db").write_bytes(data)
    bad = make_engine(f"sqlite:///{tmp_path / 'bad.db'}")
    with pytest.raises(DatabaseUnavailable), transaction(bad) as work:
        organization(work)
    bad.dispose()
    assert (tmp_path / "bad.db").read_bytes() == data


def test_missing_folder_is_told(tmp_path: Path) -> None:
    nowhere = make_engine(f"sqlite:///{tmp_path / 'nowhere' / 'jixiao.db'}")
    with pytest.raises(DatabaseUnavailable, match="打不开"), transaction(nowhere):
        pytest.fail("there is no folder")
    assert not (tmp_path / "nowhere").exists()


class DriverError(Exception):
    def __init__(self, text: str, sqlstate: str | None = None) -> None:
        super().__init__(text)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("error", "cls", "words"),
    [
        (DriverError("duplicate key value violates unique constraint", "23505"), Conflict, "重新读取"),
        (DriverError("null value in column", "23502"), DatabaseUnavailable, "不一致"),
        (DriverError("canceling statement due to lock timeout", "55P03"), Conflict, "稍后"),
        (DriverError("could not serialize access", "40001"), Conflict, "稍后"),
        (DriverError("deadlock detected", "40P01"), Conflict, "稍后"),
        (DriverError("could not extend file", "53100"), DatabaseUnavailable, "磁盘已满"),
        (DriverError('relation "x" does not exist', "42P01"), DatabaseUnavailable, "db upgrade"),
        (DriverError('column "x" does not exist', "42703"), DatabaseUnavailable, "db upgrade"),
        (DriverError("database is locked"), Conflict, "稍后"),
        (DriverError("attempt to write a readonly database"), DatabaseUnavailable, "只读"),
        (DriverError("database disk image is malformed"), DatabaseUnavailable, "备份"),
        (DriverError("disk I/O error"), DatabaseUnavailable, "磁盘可能已满"),
        (DriverError("connection refused\nIs the server running?"), DatabaseUnavailable, "connection refused；"),
        (DriverError(""), DatabaseUnavailable, "DriverError"),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, DriverError) else "",
)
def test_errors_of_the_driver_become_ours(error: Exception, cls: type[JixiaoError], words: str) -> None:
    ours = translated(error)
    assert type(ours) is cls
    assert words in ours.message
    assert "\n" not in ours.message


# The hooks


@pytest.mark.parametrize(
    "change",
    [
        lambda session: session.execute(sa.update(Organization).values(name="x")),
        lambda session: session.execute(sa.update(Organization.__table__).values(name="x")),
        lambda session: session.execute(sa.delete(Organization)),
        lambda session: session.execute(
            sa.insert(Organization), [{"id": "o2", "name": "x", "kind": "k", "created_at": NOW}]
        ),
        lambda session: session.execute(sa.text("UPDATE organization SET name = 'x'")),
        lambda session: session.query(Organization).update({"name": "x"}),
        lambda session: session.query(Organization).delete(),
        lambda session: session.bulk_insert_mappings(Organization, [{"id": "o2"}]),
        lambda session: session.bulk_update_mappings(Organization, [{"id": "o1", "name": "x"}]),
        lambda session: session.bulk_save_objects([Organization(id="o2", name="x", kind="k", created_at=NOW)]),
    ],
    ids=[
        "update",
        "core",
        "delete",
        "insert",
        "text",
        "query",
        "query_delete",
        "bulk_insert",
        "bulk_update",
        "bulk_save",
    ],
)
def test_bulk_change_through_the_session_is_refused(engine: sa.Engine, change: Callable[[Any], Any]) -> None:
    with transaction(engine) as work:
        organization(work)
    with pytest.raises(JixiaoError, match="绕过"), transaction(engine) as work:
        change(work.session)
    assert names(engine) == ["科协"]


def text_of(work: Work) -> BudgetText:
    organization(work)
    session = work.session
    session.add(WorkflowDefinition(id="d1", name="standard", version=1, body=b"{}", sha256="0" * 64, published_at=NOW))
    session.flush()
    text = BudgetText(
        id="t1",
        kind="budget",
        fiscal_year=2026,
        title="文本",
        organization_id="o1",
        reviewing_id="o1",
        definition_id="d1",
        state="draft",
        round=1,
        row_version=1,
        current_version=1,
        current_hash="0" * 64,
        created_at=NOW,
        changed_at=NOW,
    )
    session.add(text)
    session.flush()
    return text


@pytest.mark.parametrize("way", ["state", "delete", "definition"])
def test_loaded_record_cannot_be_changed_without_the_engine(engine: sa.Engine, way: str) -> None:
    with transaction(engine) as work:
        text_of(work)
    with pytest.raises(JixiaoError, match="绕过"), transaction(engine) as work:
        if way == "state":
            work.session.get_one(BudgetText, "t1").state = "published"
        elif way == "delete":
            work.session.delete(work.session.get_one(BudgetText, "t1"))
        else:
            work.session.get_one(WorkflowDefinition, "d1").body = b"other"
    with transaction(engine, read_only=True) as work:
        assert work.session.get_one(BudgetText, "t1").state == "draft"
        assert work.session.get_one(WorkflowDefinition, "d1").body == b"{}"


def test_what_is_no_record_may_be_changed_by_its_use_case(engine: sa.Engine) -> None:
    with transaction(engine) as work:
        text = text_of(work)
        text.title = text.title  # assigned the same again: no change
        work.session.add(
            Message(
                id="m", event_id="e", topic="t", text_id="t1", role="r", organization_id="o1", body="b", created_at=NOW
            )
        )
        work.session.get_one(Organization, "o1").aliases = "科学技术协会"
    with transaction(engine, read_only=True) as work:
        assert work.session.get_one(Organization, "o1").aliases == "科学技术协会"


# Addresses


@pytest.mark.parametrize(
    "url", ["", "jixiao.db", "mysql://host/db", "oracle://host/db", "postgresql://host:port/db", "sqlite:/x:y"]
)
def test_address_that_is_not_ours_is_invalid_input(url: str) -> None:
    with pytest.raises(InvalidInput):
        make_engine(url)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"])
def test_every_spelling_of_postgresql_takes_our_driver(scheme: str) -> None:
    assert make_engine(f"{scheme}://host/db").url.drivername == "postgresql+psycopg"


def test_sqlite_keeps_what_it_acknowledged(engine: sa.Engine) -> None:
    with transaction(engine) as work:
        values = [
            work.connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
        assert work.is_sqlite
    assert values == ["wal", 2, 1]


# Tables that are kept by the use cases of their own, row by row through the session; every other one holds records.
KEPT = {
    "access_token",
    "account",
    "channel_state",
    "contact",
    "delegation",
    "delivery",
    "job_run",
    "message",
    "notice_preference",
    "organization",
    "role_grant",
    "workday_override",
}


def test_every_table_is_either_a_record_or_known_to_be_kept() -> None:
    """A new table has to say which it is: a record's rows change by prepared statements only, with their event."""
    assert set(metadata().tables) - KEPT == RECORDS


@pytest.mark.parametrize("table", sorted(RECORDS))
def test_a_record_is_not_changed_on_the_connection_either(engine: sa.Engine, table: str) -> None:
    found = metadata().tables[table]
    for statement in (sa.delete(found), sa.update(found).values({next(iter(found.columns)).name: "x"})):
        with pytest.raises(JixiaoError, match=f"绕过用例修改数据表 {table}"), transaction(engine) as work:
            work.connection.execute(statement)


def test_a_migration_changes_records_and_other_tables_need_no_leave(engine: sa.Engine) -> None:
    with transaction(engine) as work:
        work.connection.execute(sa.delete(Organization.__table__))
        work.connection.execution_options(**{MIGRATING: True}).execute(sa.delete(metadata().tables["blob"]))
    with pytest.raises(JixiaoError, match="blob"), transaction(engine) as work:
        work.connection.execute(sa.delete(metadata().tables["blob"]))


@pytest.fixture
def disc(tmp_path, monkeypatch):
    """A database whose folder takes no files, as on a disc; root may write everywhere, so that the system is asked in vain."""
    file = tmp_path / "盘 1" / "jixiao.db"
    file.parent.mkdir()
    engine = make_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE kept (word TEXT)")
        connection.exec_driver_sql("INSERT INTO kept VALUES ('在')")
    engine.dispose()
    ask = os.access
    monkeypatch.setattr("models.engine.os.access", lambda path, mode: path != file.parent and ask(path, mode))
    return file


def test_a_database_on_a_read_only_medium_is_read_and_nothing_appears_beside_it(disc):
    engine = make_engine(f"sqlite:///{disc}")
    with transaction(engine, read_only=True) as work:
        assert work.connection.exec_driver_sql("SELECT word FROM kept").scalar() == "在"
        assert [path.name for path in disc.parent.iterdir()] == [disc.name]
    with pytest.raises(DatabaseUnavailable), transaction(engine) as work:
        work.connection.exec_driver_sql("INSERT INTO kept VALUES ('不在')")
    engine.dispose()


def test_a_read_only_medium_with_an_open_write_ahead_log_is_refused(disc):
    disc.with_name(f"{disc.name}-wal").write_bytes(b"x")
    with pytest.raises(InvalidInput, match="预写日志还没有并入"):
        make_engine(f"sqlite:///{disc}")
