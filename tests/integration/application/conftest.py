"""An office on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from offices import Office, make_office
from post_offices import PostOffice, Sink, mail_to, smtp_server, with_settings

from application.replaying import Replay
from audit.journal import MAIN_LOG


@pytest.fixture
def office(request: pytest.FixtureRequest, tmp_path: Path, migrated_url: str) -> Iterator[Office]:
    """An office on SQLite and on PostgreSQL."""
    yield from _kept(request, make_office(tmp_path / "home", migrated_url))


@pytest.fixture
def post(office: Office) -> Iterator[PostOffice]:
    """An office on each database with a mail server, on a working morning."""
    sink = Sink()
    with smtp_server(sink) as port:
        made = PostOffice(office, with_settings(office.installation, mail=mail_to(port)), sink)
        made.everybody_has_an_address()
        yield made


@pytest.fixture
def sqlite_office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """An office on SQLite only, where the database makes no difference."""
    yield from _kept(request, make_office(tmp_path / "home", f"sqlite:///{tmp_path / 'jixiao.db'}"))


def _kept(request: pytest.FixtureRequest, made: Office) -> Iterator[Office]:
    """Whatever a test has done through the use cases must be what the events tell; those that change tables by SQL say so."""
    yield made
    try:
        if request.node.get_closest_marker("tampers") is None:
            wrong = [item.message for item in Replay(made.installation.engine, log=MAIN_LOG).finish()]
            # Grants are often given by SQL, to people whom no use case would give them.
            assert [message for message in wrong if message.startswith(("文本", "日志里有文本"))] == []
    finally:
        made.installation.engine.dispose()
