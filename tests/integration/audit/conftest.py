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
def audit_server(postgresql_uri: str) -> str:
    """Address of the running server, whose database ``audit_template`` has all tables."""
    _command(postgresql_uri, "CREATE DATABASE audit_template")
    engine = make_engine(_named(postgresql_uri, "audit_template"))
    metadata().create_all(engine)
    engine.dispose()
    return postgresql_uri


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
    uri = request.getfixturevalue("audit_server")
    _command(uri, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
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


_TABLES = (
    "audit_log",
    "audit_key",
    "audit_entry",
    "audit_projection",
    "audit_object",
    "audit_tile",
    "audit_head",
    "audit_checkpoint",
)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def original(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[sa.Engine, Path]]:
    """An honest log of 530 events, signed at 100, 300 and 525; each test gets it unharmed."""
    folder = tmp_path_factory.mktemp("original")
    engine = _connect(request.param, folder, request, "audit_original", "audit_template")
    _empty(engine, folder).filled(530, 100, 300, 525)
    if request.param == "postgresql":
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE SCHEMA original"))
            for name in _TABLES:
                connection.execute(sa.text(f"CREATE TABLE original.{name} AS TABLE public.{name}"))
    engine.dispose()
    yield engine, folder
    _drop(engine)


@pytest.fixture
def filled(original: tuple[sa.Engine, Path], tmp_path: Path) -> Iterator[Log]:
    """The honest log, on each database: a copied file, or tables filled anew, which is faster than a new database."""
    engine, folder = original
    for path in folder.iterdir():
        shutil.copy2(path, tmp_path)
    if engine.dialect.name == "sqlite":
        engine = make_engine(f"sqlite:///{tmp_path / 'jixiao.db'}")
    else:
        with engine.begin() as connection:
            connection.execute(sa.text("TRUNCATE audit_log CASCADE"))
            for name in _TABLES:
                connection.execute(sa.text(f"INSERT INTO {name} SELECT * FROM original.{name}"))
    yield Log(engine, Signer.load(tmp_path / "log.pem", ORIGIN))
    engine.dispose()
