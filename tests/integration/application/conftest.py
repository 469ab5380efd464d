"""An office on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from offices import Office, make_office


@pytest.fixture
def office(tmp_path: Path, migrated_url: str) -> Iterator[Office]:
    """An office on SQLite and on PostgreSQL."""
    made = make_office(tmp_path / "home", migrated_url)
    yield made
    made.installation.engine.dispose()


@pytest.fixture
def sqlite_office(tmp_path: Path) -> Iterator[Office]:
    """An office on SQLite only, where the database makes no difference."""
    made = make_office(tmp_path / "home", f"sqlite:///{tmp_path / 'jixiao.db'}")
    yield made
    made.installation.engine.dispose()
