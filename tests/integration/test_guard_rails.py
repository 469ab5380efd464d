"""The triggers of the schema: records are added, and neither changed nor deleted, by whatever statement."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from intruder import disarm

from application import migrations
from models.engine import make_engine, transaction
from models.errors import Conflict, DatabaseUnavailable, JixiaoError

NOW = "2026-01-01T00:00:00.000000Z"

# One row of each guarded table, in an order that the foreign keys allow.
ROWS = {
    "organization": {"id": "o", "name": "o", "kind": "finance", "aliases": "", "created_at": NOW},
    "account": {"id": "a", "organization_id": "o", "login": "a", "display_name": "a", "created_at": NOW},
    "workflow_definition": {
        "id": "d",
        "name": "d",
        "version": 1,
        "body": b"{}",
        "sha256": "",
        "published_at": NOW,
    },
    "budget_text": {
        "id": "t",
        "kind": "budget",
        "fiscal_year": 2026,
        "title": "t",
        "organization_id": "o",
        "reviewing_id": "o",
        "definition_id": "d",
        "state": "draft",
        "round": 1,
        "row_version": 1,
        "current_version": 1,
        "current_hash": "h",
        "created_at": NOW,
        "changed_at": NOW,
    },
    "audit_log": {"id": "main", "origin": "x", "vkey": "x", "created": NOW},
    "audit_key": {"log": "main", "vkey": "x", "from_size": 0},
    "audit_head": {"log": "main", "n": 5, "frontier": b"", "edge": b"", "root": b""},
    "audit_entry": {"log": "main", "idx": 0, "body": b"x", "leaf": b"x"},
    "audit_tile": {"log": "main", "level": 0, "n": 0, "h": b"x"},
    "audit_checkpoint": {"log": "main", "size": 1, "note": "x", "cosignatures": "", "created": NOW},
    "blob": {"sha256": "x", "data": b"x", "created_at": NOW},
    "text_version": {
        "text_id": "t",
        "number": 1,
        "content_hash": "x",
        "author_id": "a",
        "reason": "x",
        "created_at": NOW,
    },
    "step": {
        "text_id": "t",
        "number": 1,
        "action": "x",
        "source": "x",
        "target": "x",
        "round": 1,
        "row_version": 1,
        "visit": 1,
        "account_id": "a",
        "capacity": "x",
        "before": "{}",
        "event_id": "x",
        "created_at": NOW,
    },
    "signature": {
        "text_id": "t",
        "visit": 1,
        "number": 1,
        "seat": "x",
        "round": 1,
        "account_id": "a",
        "choice": "agree",
        "reason": "x",
        "content_hash": "x",
        "created_at": NOW,
    },
    "participation": {"text_id": "t", "account_id": "a", "capacity": "x", "round": 1, "created_at": NOW},
    "check_setting": {
        "organization_id": "o",
        "number": 1,
        "sha256": "x",
        "name": "x",
        "reason": "x",
        "author_id": "a",
        "created_at": NOW,
    },
    "review_form": {
        **dict.fromkeys(("subject", "state", "content_hash", "shape", "scores", "notes"), "x"),
        **dict.fromkeys(("total", "grade", "conclusion", "role"), "x"),
        "text_id": "t",
        "number": 1,
        "round": 1,
        "version": 1,
        "account_id": "a",
        "created_at": NOW,
    },
    "finding_answer": {
        "text_id": "t",
        "number": 1,
        "fingerprint": "x",
        "code": "x",
        "anchor": "x",
        "message": "x",
        "text": "x",
        "version": 1,
        "row_version": 1,
        "author_id": "a",
        "created_at": NOW,
    },
    "number_word": {
        "organization_id": "o",
        "number": 1,
        "document": "",
        "word": "x",
        "author_id": "a",
        "created_at": NOW,
    },
    "issued_document": {
        "word": "x",
        "year": 1,
        "number": 1,
        "organization_id": "o",
        "text_id": "t",
        "step": 1,
        "document": "x",
        "round": 1,
        "version": 1,
        "content_hash": "x",
        "issued_on": "x",
        "created_at": NOW,
    },
    "rendered_document": {
        "facts": "x",
        "format": "x",
        "text_id": "t",
        "document": "x",
        "version": 1,
        "sha256": "x",
        "templates": "x",
        "program": "x",
        "created_at": NOW,
    },
}
FROZEN = tuple(
    name
    for name in ROWS
    if name.startswith(
        (
            "audit",
            "blob",
            "text_v",
            "step",
            "sign",
            "part",
            "check_s",
            "finding_a",
            "review",
            "number_w",
            "issued_",
            "rendered_",
        )
    )
)
# What the program itself fills in or moves later.
MOVING = {
    "audit_log": "vkey = 'y'",
    "audit_key": "until_size = 7",
    "audit_head": "n = 6, root = :b",
    "audit_checkpoint": "cosignatures = 'y', timestamp_token = :b",
    "issued_document": "voided_step = 3",
}


@pytest.fixture
def engine(migrated_url: str) -> Iterator[sa.Engine]:
    made = make_engine(migrated_url)
    if made.dialect.name == "sqlite":
        migrations.upgrade(made)
    with transaction(made) as work:
        for table, row in ROWS.items():
            work.connection.execute(insert(table), row)
    yield made
    made.dispose()


def insert(table: str) -> sa.TextClause:
    names = ", ".join(ROWS[table])
    return sa.text(f"INSERT INTO {table} ({names}) VALUES (:{', :'.join(ROWS[table])})")


def run(engine: sa.Engine, sql: str) -> int:
    """Runs one statement, whose ``:b`` is some bytes; returns how many rows it touched."""
    statement = sa.text(sql)
    with transaction(engine) as work:
        return work.connection.execute(statement, {"b": b"y"} if ":b" in sql else {}).rowcount


def whole(engine: sa.Engine, table: str) -> list[tuple[object, ...]]:
    with transaction(engine, read_only=True) as work:
        return [tuple(row) for row in work.connection.exec_driver_sql(f"SELECT * FROM {table}")]


def columns(engine: sa.Engine, table: str) -> dict[str, str]:
    kinds = {column["name"]: column["type"] for column in sa.inspect(engine).get_columns(table)}
    return {
        name: f"'{name}'" if isinstance(kind, sa.String) else ":b" if isinstance(kind, sa.LargeBinary) else "3"
        for name, kind in kinds.items()
        if not isinstance(kind, sa.DateTime | sa.Boolean)
    }


@pytest.mark.parametrize("table", FROZEN)
def test_no_column_of_a_record_can_be_changed(engine: sa.Engine, table: str) -> None:
    before = whole(engine, table)
    allowed = MOVING.get(table, "")
    for name, value in columns(engine, table).items():
        if f"{name} =" in allowed or table == "audit_head":
            continue
        with pytest.raises(DatabaseUnavailable, match=r"只能新增，不能修改.*没有改动任何内容"):
            run(engine, f"UPDATE {table} SET {name} = {value}")
    assert whole(engine, table) == before


@pytest.mark.parametrize("table", FROZEN)
def test_no_record_can_be_deleted(engine: sa.Engine, table: str) -> None:
    with pytest.raises(DatabaseUnavailable, match=f"{table}）只能"):
        run(engine, f"DELETE FROM {table}")
    assert len(whole(engine, table)) == 1


@pytest.mark.parametrize("table", MOVING)
def test_what_the_program_fills_in_later_is_let_through(engine: sa.Engine, table: str) -> None:
    assert run(engine, f"UPDATE {table} SET {MOVING[table]}") == 1


def test_a_key_ends_once(engine: sa.Engine) -> None:
    run(engine, "UPDATE audit_key SET until_size = 7")
    for again in ("8", "NULL"):
        with pytest.raises(DatabaseUnavailable, match="公钥"):
            run(engine, f"UPDATE audit_key SET until_size = {again}")


def test_a_document_number_becomes_void_once(engine: sa.Engine) -> None:
    run(engine, "UPDATE issued_document SET voided_step = 3")
    for again in ("4", "NULL"):
        with pytest.raises(DatabaseUnavailable, match="发文登记"):
            run(engine, f"UPDATE issued_document SET voided_step = {again}")


def test_the_head_never_goes_back(engine: sa.Engine) -> None:
    with pytest.raises(DatabaseUnavailable, match="只能向前"):
        run(engine, "UPDATE audit_head SET n = 4")


@pytest.mark.parametrize("table", FROZEN)
def test_sqlite_s_replace_puts_nothing_in_the_place_of_a_record(tmp_path, table: str) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'jixiao.db'}")
    migrations.upgrade(engine)
    with transaction(engine) as work:
        for name, row in ROWS.items():
            work.connection.execute(insert(name), row)
    before = whole(engine, table)
    other = {name: b"z" if isinstance(value, bytes) else value for name, value in ROWS[table].items()}
    other |= {
        name: "z" for name in ("note", "reason", "choice", "action", "vkey") if name in other and table != "audit_key"
    }
    statement = sa.text(str(insert(table)).replace("INSERT", "INSERT OR REPLACE"))
    if table in ("audit_checkpoint", "blob", "rendered_document"):
        # Passed over without a word, as an insert with ON CONFLICT DO NOTHING is.
        with transaction(engine) as work:
            work.connection.execute(statement, other)
    else:
        with pytest.raises(DatabaseUnavailable, match=table), transaction(engine) as work:
            work.connection.execute(statement, other)
    assert whole(engine, table) == before
    engine.dispose()


def test_sqlite_s_replace_does_not_push_a_log_out_by_its_origin(tmp_path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'jixiao.db'}")
    migrations.upgrade(engine)
    with transaction(engine) as work:
        work.connection.execute(insert("audit_log"), ROWS["audit_log"])
    with pytest.raises(DatabaseUnavailable, match="audit_log"):
        run(engine, "INSERT OR REPLACE INTO audit_log (id, origin, vkey, created) VALUES ('other', 'x', 'x', 'x')")
    assert len(whole(engine, "audit_log")) == 1
    engine.dispose()


@pytest.mark.parametrize("index", [-1, 0, 2, 1000])
def test_on_sqlite_an_entry_stands_right_behind_the_last_one(tmp_path, index: int) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'jixiao.db'}")
    migrations.upgrade(engine)
    with transaction(engine) as work:
        for name in ("audit_log", "audit_entry"):
            work.connection.execute(insert(name), ROWS[name])
    sql = "INSERT INTO audit_entry (log, idx, body, leaf) VALUES ('main', {}, :b, :b)"
    with pytest.raises(DatabaseUnavailable, match="最后一条之后"):
        run(engine, sql.format(index))
    assert run(engine, sql.format(1)) == 1
    engine.dispose()


@pytest.fixture
def server(new_postgresql, migrated_template) -> Iterator[sa.Engine]:
    made = make_engine(new_postgresql(migrated_template))
    yield made
    made.dispose()


@pytest.mark.parametrize("table", [*FROZEN, "audit_outbox"])
def test_postgresql_s_truncate_empties_no_record(server: sa.Engine, table: str) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"只能|不能"):
        run(server, f"TRUNCATE {table} CASCADE")


def test_postgresql_s_replica_role_does_not_get_past_the_triggers(server: sa.Engine) -> None:
    run(server, "INSERT INTO blob (sha256, data, created_at) VALUES ('x', :b, now())")
    with pytest.raises(DatabaseUnavailable, match="blob"):
        run(server, "SET session_replication_role = replica; UPDATE blob SET sha256 = 'y'")


def test_a_waiting_event_can_not_be_changed(server: sa.Engine) -> None:
    run(server, "INSERT INTO audit_log VALUES ('main', 'x', 'x', now())")
    run(
        server,
        "INSERT INTO audit_outbox (log, event_id, body, mac, created) VALUES ('main', 'e', :b, :b, now())",
    )
    with pytest.raises(DatabaseUnavailable, match="待写入"):
        run(server, "UPDATE audit_outbox SET body = :b")
    assert run(server, "DELETE FROM audit_outbox") == 1


def test_every_guarded_table_has_its_triggers_at_the_newest_revision(engine: sa.Engine) -> None:
    """A later migration that rebuilds a table on SQLite drops them; it has to make them again."""
    query = (
        "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'"
        if engine.dialect.name == "sqlite"
        else "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'A'"
    )
    with transaction(engine, read_only=True) as work:
        found = {tuple(row) for row in work.connection.exec_driver_sql(query)}
    events = ("insert", "update", "delete") if engine.dialect.name == "sqlite" else ("update", "delete", "truncate")
    wanted = {(table, f"guard_{table}_{event}") for table in FROZEN for event in events}
    assert wanted <= found
    assert ("audit_outbox", "guard_audit_outbox_update") in found


def test_an_intruder_with_the_owner_s_rights_takes_them_away(engine: sa.Engine) -> None:
    """They are guard rails and no control: what happens then is what tests/attacks is about."""
    with transaction(engine) as work:
        assert disarm(work.connection)
    for table in FROZEN:
        name = next(iter(columns(engine, table)))
        run(engine, f"UPDATE {table} SET {name} = {name}")
    assert run(engine, "DELETE FROM audit_entry") == 1


def test_the_errors_are_sentences_and_no_conflict(engine: sa.Engine) -> None:
    with pytest.raises(JixiaoError) as refused:
        run(engine, "DELETE FROM step")
    assert not isinstance(refused.value, Conflict)
    assert refused.value.message.startswith("办理步骤（step）只能新增")
