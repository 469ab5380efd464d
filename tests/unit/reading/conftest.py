"""Where the sample texts are, and the way to read them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from reading_look import EXAMPLES, REPOSITORY, Look

from documents.reading import read_text


def seed_path() -> Path:
    """The real seed text: JIXIAO_SEED, or the shared folder beside the repository. It is never copied in here."""
    return Path(os.environ.get("JIXIAO_SEED") or REPOSITORY.parent / "shared" / "seed-2021-kexie.txt")


@pytest.fixture(scope="session")
def sample() -> str:
    return (EXAMPLES / "library-2021.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def two_projects() -> str:
    return (EXAMPLES / "two-projects-2021.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def seed_text() -> str:
    path = seed_path()
    if not path.is_file():
        pytest.skip(f"the seed text is not at {path}; set JIXIAO_SEED to its path")
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def look() -> Callable[..., Look]:
    def _look(text: str | bytes, **arguments: Any) -> Look:
        return Look(read_text(text.encode() if isinstance(text, str) else text, **arguments))

    return _look
