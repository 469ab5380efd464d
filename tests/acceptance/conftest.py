"""A demonstration that is made once, and a copy of its home for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from acceptance_shell import Shell, drive_text


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What ``jixiao demo --json`` prints, with its home as ``home``."""
    folder = tmp_path_factory.mktemp("demo")
    shell = Shell(folder / "home")
    printed: dict[str, Any] = shell.ok("demo", "--home", folder / "home")
    return printed


@pytest.fixture
def shell(demo: dict[str, Any], tmp_path: Path) -> Shell:
    """A shell on a copy of the demonstration's home."""
    home = tmp_path / "home"
    shutil.copytree(demo["home"], home)
    return Shell(home, dict(demo["tokens"]), demo["text"])


@pytest.fixture
def drive(shell: Shell) -> Callable[[str], str]:
    """``drive_text`` in the shell's home."""
    return partial(drive_text, shell)
