"""Folders that travel with the program: beside the packages in a checkout, packages of their own in a wheel."""

from __future__ import annotations

import importlib.resources
from pathlib import Path


def folder(name: str, package: str) -> Path:
    """The folder ``name`` of a checkout, or the package that carries it in a wheel.

    An editable checkout comes first: importlib.resources can't read the packages that only setuptools' table names.
    """
    beside = Path(__file__).resolve().parent.parent / name
    if beside.is_dir() and Path(__file__).resolve().parent.parent.joinpath("pyproject.toml").is_file():
        return beside
    return Path(str(importlib.resources.files(package)))
