"""One state of the database for a whole verification, also where several processes read it.

PostgreSQL hands a snapshot from one transaction to others. SQLite can't, so its readers may see later states than the first
one; that does no harm, because everything up to the size that the first one saw is never changed by an honest writer, and
nobody reads beyond it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from audit.rawrows import RawRows
from models.engine import Work, make_engine, transaction
from models.errors import InvalidInput
from models.prepared import Prepared

_EXPORT = Prepared(sa.select(sa.func.pg_export_snapshot()))


@dataclass(frozen=True, slots=True)
class SharedSnapshot:
    """Where another process finds the state: the database's address, and on PostgreSQL the snapshot's name."""

    address: str
    name: str | None

    @contextlib.contextmanager
    def open(self) -> Iterator[RawRows]:
        """Rows of the state, on a connection of their own that writes nothing and is gone afterwards."""
        engine = make_engine(self.address)
        try:
            with snapshot(engine) as work:
                if self.name is not None:
                    # A snapshot's name can't be a parameter; it comes from the server, and has these characters only.
                    if not self.name.replace("-", "").isalnum():
                        raise InvalidInput("数据库给出的快照名称不合规；请去掉 --jobs。")
                    work.connection.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{self.name}'")
                with raw_rows(work) as rows:
                    yield rows
        finally:
            engine.dispose()


@contextlib.contextmanager
def snapshot(engine: sa.Engine) -> Iterator[Work]:
    """A transaction in which every statement sees the same state."""
    if engine.dialect.name == "postgresql":
        # Every statement would else see what was committed meanwhile, and an honest log would look damaged.
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with transaction(engine, read_only=True) as work:
        yield work


@contextlib.contextmanager
def raw_rows(work: Work) -> Iterator[RawRows]:
    """The unconverted rows of a transaction."""
    rows = RawRows(work)
    try:
        yield rows
    finally:
        rows.close()


def shared(engine: sa.Engine, rows: RawRows) -> SharedSnapshot:
    """The state that ``rows`` see, for other processes; raises InvalidInput for a database that only this one has."""
    address = engine.url.render_as_string(hide_password=False)
    if engine.dialect.name == "postgresql":
        found = rows.one(_EXPORT)
        return SharedSnapshot(address, str(found[0]) if found else None)
    if engine.url.database in (None, "", ":memory:"):
        raise InvalidInput("内存中的数据库不能用多个进程校验；请去掉 --jobs。")
    return SharedSnapshot(address, None)
