"""Any log, any change: never called intact by the level that reads what was changed."""

import itertools
import random
import shutil
import sqlite3

import pytest
from audit_log import NOW, Log, draft
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.journal import create_log, record
from audit.keys import Signer
from audit.verdicts import Level
from audit.verification import verify
from models.engine import make_engine, metadata, transaction
from models.ids import new_id

_folders = itertools.count()
# Read by ``strict`` only; the other tables are read by ``full``, too.
DERIVED = {"audit_projection", "audit_object"}
TABLES = ("audit_entry", "audit_tile", "audit_head", "audit_checkpoint", "audit_log", "audit_key", *sorted(DERIVED))
# No hash covers when a row was stored, what others signed, and the sizes from and up to which a key is said to sign; the
# last can take the trust in a checkpoint, and never give any.
UNCOVERED = {"created", "cosignatures", "timestamp_token", "from_size", "until_size"}


@pytest.fixture(scope="module")
def templates(tmp_path_factory):
    """Honest logs of several sizes, with the last event signed."""
    made = {}
    for size in (1, 5, 256, 300, 600):
        folder = tmp_path_factory.mktemp(f"log{size}")
        engine = make_engine(f"sqlite:///{folder / 'jixiao.db'}", synchronous="OFF")
        metadata().create_all(engine)
        signer = Signer.create(folder / "log.pem", "example.gov.cn/any")
        with transaction(engine) as work:
            create_log(work, log_id="main", origin=signer.name, vkey=signer.vkey, now=NOW)
            for number in range(size):
                chosen = draft(number, obj_id=f"text-{random.Random(number).randrange(40)}")
                record(work, chosen, event_id=new_id(NOW), now=NOW, mac_key=None)
        Log(engine, signer).sign()
        engine.dispose()
        # All pages into the one file, which is then copied.
        connection = sqlite3.connect(folder / "jixiao.db")
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.close()
        made[size] = folder / "jixiao.db"
    return made


def other(value, chance):
    """Another value in the place of a value, of its type or of another."""
    if isinstance(value, bytes) and value and chance.random() < 0.7:
        at = chance.randrange(len(value))
        return value[:at] + bytes([value[at] ^ 1 << chance.randrange(8)]) + value[at + 1 :]
    if isinstance(value, int) and chance.random() < 0.7:
        return value + chance.choice((-1, 1, 256))
    if isinstance(value, str) and chance.random() < 0.7:
        at = chance.randrange(len(value) + 1)
        return value[:at] + chance.choice(("x", " ", "\n", "\x00")) + value[at:]
    return chance.choice([item for item in (b"", b"x", "", "y", 3, 2.5) if item != value])


def change(path, table, kind, chance):
    """One random change of a random row; False where it came to nothing."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        rows = connection.execute(f"SELECT rowid, * FROM {table}").fetchall()
        if not rows:
            return False
        rowid, *row = chance.choice(rows)
        if kind == "delete":
            connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))
        elif kind == "swap":
            second, *_rest = chance.choice(rows)
            if second == rowid or table not in ("audit_entry", "audit_projection"):
                return False
            for column in [name for name in names if name not in ("log", "idx", "event_id")]:
                a, b = (
                    connection.execute(f"SELECT {column} FROM {table} WHERE rowid = ?", (item,)).fetchone()[0]
                    for item in (rowid, second)
                )
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (b, rowid))
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (a, second))
        else:
            column = chance.choice([name for name in names if name not in UNCOVERED | {"log", "id"}])
            before = row[names.index(column)]
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (other(before, chance), rowid))
        after = connection.execute(f"SELECT rowid, * FROM {table}").fetchall()
    except sqlite3.IntegrityError:
        return False
    finally:
        connection.close()
    return [item[1:] for item in after] != [item[1:] for item in rows]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.sampled_from([1, 5, 256, 300, 600]),
    table=st.sampled_from(TABLES),
    kind=st.sampled_from(["update", "update", "update", "delete", "swap"]),
    seed=st.integers(0, 2**32),
)
def test_a_changed_log_is_never_intact(tmp_path, templates, size, table, kind, seed):
    path = tmp_path / f"{next(_folders)}.db"
    shutil.copy(templates[size], path)
    try:
        if not change(path, table, kind, random.Random(seed)):
            return
        engine = make_engine(f"sqlite:///{path}", synchronous="OFF")
        try:
            if not (table == "audit_log" and kind == "delete"):
                assert verify(engine, level=Level.FULL).ok == (table in DERIVED)
                assert not verify(engine, level=Level.STRICT).ok
        finally:
            engine.dispose()
    finally:
        for file in tmp_path.glob(f"{path.name}*"):
            file.unlink()


@settings(max_examples=20, deadline=None)
@given(size=st.sampled_from([1, 5, 256, 300, 600]))
def test_an_unchanged_log_is_intact_at_every_level(templates, size):
    engine = make_engine(f"sqlite:///{templates[size]}", synchronous="OFF")
    assert all(verify(engine, level=level).ok for level in Level)
    engine.dispose()
