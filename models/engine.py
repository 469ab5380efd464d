"""Engines and the unit of work: one connection, one transaction, on SQLite and PostgreSQL."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from models.base import Base
from models.errors import Conflict, DatabaseUnavailable, InvalidInput, JixiaoError
from models.prepared import Prepared
from models.records import GuardedSession, refuse_changes

T = TypeVar("T")

# How long a writer waits for another before it gives up, in seconds.
LOCK_TIMEOUT = 15

_READ_ONLY = "jixiao_read_only"


def make_engine(url: str | sa.URL, *, synchronous: str = "FULL") -> sa.Engine:
    """Engine for a SQLite or PostgreSQL (psycopg) address; connects to nothing yet.

    SQLite: write-ahead log, ``synchronous`` FULL, so that no acknowledged commit is lost; foreign keys on. Raises
    InvalidInput for another database.
    """
    try:
        address = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        raise InvalidInput("数据库地址无法识别；应为 sqlite:///文件 或 postgresql://…。") from error
    # The driver is ours to choose: an address copied from elsewhere may name one that is not installed.
    if address.get_backend_name() in ("postgresql", "postgres"):
        address = address.set(drivername="postgresql+psycopg")
        engine = sa.create_engine(
            address, isolation_level="READ COMMITTED", connect_args={"options": f"-c lock_timeout={LOCK_TIMEOUT}s"}
        )
        event.listen(engine, "before_execute", refuse_changes)
        return engine
    if address.get_backend_name() != "sqlite":
        raise InvalidInput(f"不支持数据库“{address.get_backend_name()}”；请使用 SQLite 或 PostgreSQL。")
    engine = sa.create_engine(address.set(drivername="sqlite"), connect_args={"timeout": LOCK_TIMEOUT})
    event.listen(engine, "before_execute", refuse_changes)

    frozen = _frozen(address.database)
    if frozen is not None:

        @event.listens_for(engine, "do_connect")
        def _unchanging(_dialect: Any, _record: Any, arguments: list[Any], parameters: dict[str, Any]) -> None:
            arguments[:] = [frozen]
            parameters["uri"] = True

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        if frozen is not None:
            return
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # A writer takes its lock at once: a deferred transaction that turns into a writer later can't be retried.
        read_only = connection.get_execution_options().get(_READ_ONLY)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _frozen(database: str | None) -> str | None:
    """The address of a database file on a read-only medium, such as an auditor's disc; None where it can be written.

    SQLite would otherwise want to put its shared memory beside the file. What still stands in a write-ahead log can't be
    taken over there, and without it the file is not what its writer last saw. Raises InvalidInput that says so.
    """
    file = Path(database or "")
    if not database or database.startswith((":", "file:")) or not file.is_file() or os.access(file.parent, os.W_OK):
        return None
    left = Path(f"{file}-wal")
    if left.is_file() and left.stat().st_size:
        raise InvalidInput(
            f"“{file}”在只读介质上，旁边的预写日志还没有并入；请复制到可写的文件夹再打开，或请提供者正常关闭后重新刻录。"
        )
    return f"{file.resolve().as_uri()}?mode=ro&immutable=1"


class Work:
    """One transaction: prepared statements on one cursor, and an ORM session on the same connection."""

    __slots__ = ("_cursor", "_session", "connection", "dialect")

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.dialect = connection.dialect
        self._cursor: Any = connection.connection.cursor()
        self._session: Session | None = None

    @property
    def is_sqlite(self) -> bool:
        """Whether the database has one writer by nature."""
        return self.dialect.name == "sqlite"

    def run(self, prepared: Prepared, **values: Any) -> int:
        """Runs a statement and returns how many rows it touched."""
        compiled = prepared.on(self.dialect)
        self._cursor.execute(compiled.sql, compiled.parameters(values))
        count: int = self._cursor.rowcount
        return count

    def one(self, prepared: Prepared, **values: Any) -> tuple[Any, ...] | None:
        """The first row of a query, or None."""
        compiled = prepared.on(self.dialect)
        self._cursor.execute(compiled.sql, compiled.parameters(values))
        row = self._cursor.fetchone()
        return None if row is None else compiled.row(row)

    def rows(self, prepared: Prepared, **values: Any) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        compiled = prepared.on(self.dialect)
        self._cursor.execute(compiled.sql, compiled.parameters(values))
        return [compiled.row(row) for row in self._cursor.fetchall()]

    @property
    def session(self) -> Session:
        """ORM session inside this transaction; flushed when the transaction ends well."""
        if self._session is None:
            self._session = GuardedSession(bind=self.connection, autoflush=True, expire_on_commit=False)
        return self._session

    @contextlib.contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part of the transaction that an error undoes alone; the error goes on, driver errors as ours.

        On the cursor, since SQLAlchemy's own savepoints cost as much as a statement of the engine; the session is flushed, so
        that it holds nothing that the part's undoing would leave behind.
        """
        self.finish()
        self._cursor.execute("SAVEPOINT part")
        try:
            yield
            self.finish()
        except BaseException as error:
            self._cursor.execute("ROLLBACK TO SAVEPOINT part")
            self._cursor.execute("RELEASE SAVEPOINT part")
            if isinstance(error, sa.exc.DBAPIError):
                raise translated(error.orig or error) from error
            if isinstance(error, self.dialect.loaded_dbapi.Error):
                raise translated(error) from error
            raise
        self._cursor.execute("RELEASE SAVEPOINT part")

    def finish(self) -> None:
        """Flushes what the session holds; called before the commit."""
        if self._session is not None:
            self._session.flush()

    def close(self) -> None:
        """Gives the cursor and the session back."""
        self._cursor.close()
        if self._session is not None:
            self._session.expunge_all()


@contextlib.contextmanager
def transaction(engine: sa.Engine, *, read_only: bool = False, durable: bool = True) -> Iterator[Work]:
    """A unit of work: commits when the block ends well, rolls back on any error.

    What is not ``durable`` is committed without waiting for the disk: it outlives the process, and may be lost with the power.
    Driver errors become ours: a lock or a duplicate is Conflict, everything else DatabaseUnavailable.
    """
    dbapi: Any = engine.dialect.loaded_dbapi
    try:
        with engine.connect() as plain:
            connection = plain.execution_options(**{_READ_ONLY: read_only})
            with _relaxed(connection, durable), connection.begin():
                if not durable and connection.dialect.name == "postgresql":
                    connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")
                work = Work(connection)
                try:
                    yield work
                    work.finish()
                finally:
                    work.close()
    except sa.exc.DBAPIError as error:
        raise translated(error.orig or error) from error
    except dbapi.Error as error:
        raise translated(error) from error
    except sa.exc.TimeoutError as error:
        raise Conflict("数据库连接都在使用中，等待超时；请稍后重试。", database=str(error)) from error


def retried(operation: Callable[[], T]) -> T:
    """Runs a transaction, and once again where PostgreSQL ended it to break a deadlock.

    Two writers lock their texts in one order, but may meet again at what texts share, such as the blob of equal words.
    """
    try:
        return operation()
    except Conflict as error:
        if not error.facts.get("deadlock"):
            raise
    return operation()


@contextlib.contextmanager
def _relaxed(connection: sa.Connection, durable: bool) -> Iterator[None]:
    # SQLite knows this setting for a connection, outside of transactions; the next user of it expects what it was.
    if durable or connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.dbapi_connection
    (before,) = driver.execute("PRAGMA synchronous").fetchone()
    driver.execute("PRAGMA synchronous = NORMAL")
    try:
        yield
    finally:
        driver.execute(f"PRAGMA synchronous = {before}")


def flush(engine: sa.Engine) -> None:
    """Puts everything committed so far on disk, also what was not durable; a signature must never know more than the disk.

    On PostgreSQL the integrator's commit has done so for every event that has an index.
    """
    name = engine.url.database
    if engine.dialect.name == "sqlite" and name:
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(f"{name}-wal", os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def empty_side_file(engine: sa.Engine) -> None:
    """Moves what stands in SQLite's write-ahead log into the database and empties it, where nobody is just reading.

    What was deleted stays readable in that file until it is written over.
    """
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.close()
    finally:
        connection.close()


def translated(error: BaseException) -> JixiaoError:
    """Our error for a driver's error."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    lowered = text.lower()
    state = getattr(error, "sqlstate", None) or ""
    refused = _refused(error, text, state)
    if refused is not None:
        return refused
    if lowered.startswith("unique constraint") or state == "23505":
        return Conflict("别人刚刚做了同样的改动；请重新读取后再试。", database=text)
    if type(error).__name__ == "IntegrityError" or state.startswith("23"):
        return DatabaseUnavailable(
            f"数据库拒绝了不一致的数据（{text}），没有写入任何内容；请报告维护人员。", database=text
        )
    if state in ("40001", "40P01"):
        return Conflict(
            "两个操作互相等待，数据库中止了这一个，没有写入任何内容；请稍后重试。", database=text, deadlock=True
        )
    if "locked" in lowered or "busy" in lowered or state == "55P03":
        return Conflict("数据库正忙，等待超时；请稍后重试。", database=text)
    if "disk is full" in lowered or state == "53100":
        return DatabaseUnavailable("磁盘已满，没有写入任何内容；请清理空间后重试。", database=text)
    if "no such table" in lowered or "no such column" in lowered or state in ("42P01", "42703"):
        return DatabaseUnavailable("数据库还没有迁移；请先运行 jixiao db upgrade。", database=text)
    if "unable to open database file" in lowered:
        return DatabaseUnavailable(
            "打不开数据库文件；请检查 JIXIAO_HOME、权限和磁盘是否只读（还没有安装时先运行 jixiao init）。",
            database=text,
        )
    if "readonly" in lowered or "read-only" in lowered:
        return DatabaseUnavailable("数据库是只读的，没有写入任何内容；请检查文件权限。", database=text)
    if "disk i/o" in lowered:
        # SQLite says so of a full disk, too, where it can't even grow its shared memory.
        return DatabaseUnavailable(
            f"读写磁盘出错（{text}）：磁盘可能已满，或者有故障；请先检查剩余空间，再重试。", database=text
        )
    if "not a database" in lowered or "malformed" in lowered:
        return DatabaseUnavailable(f"数据库文件已损坏或不可读（{text}）；请从备份恢复。", database=text)
    return DatabaseUnavailable(f"数据库不可用：{text}；请检查连接后重试。", database=text)


def _refused(error: BaseException, text: str, state: str) -> DatabaseUnavailable | None:
    """Our error where the database itself refuses: a guard rail of the schema, or a right that the role has not."""
    if state == "JX001" or getattr(error, "sqlite_errorname", "") == "SQLITE_CONSTRAINT_TRIGGER":
        return DatabaseUnavailable(text, database=text)  # migration 0004 wrote the text, a whole sentence for people
    if state == "42501":
        return DatabaseUnavailable(
            f"数据库的角色没有这个权限（{text}）；请检查 JIXIAO_DATABASE_URL 用的角色，升级后要重新运行 jixiao db roles 的脚本。",
            database=text,
        )
    return None


def metadata() -> sa.MetaData:
    """The metadata of all tables (imports every table module)."""
    from models import calendar, check_settings, documents, log, messages, people, process, review_forms, sealed, texts  # noqa: F401 -- importing registers the tables

    return Base.metadata
