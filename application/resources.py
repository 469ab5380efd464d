"""Folders that travel with the program: beside the packages in a checkout, packages of their own in a wheel."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from models.errors import NotFound


def folder(name: str, package: str) -> Path:
    """The folder ``name`` of a checkout, or the package that carries it in a wheel; raises NotFound.

    A checkout comes first: there the package's name stands only in setuptools' table. The packages have no __init__.py
    (it would shadow the alembic library in a checkout), so their folder is asked of the import system.
    """
    root = Path(__file__).resolve().parent.parent
    if (root / "pyproject.toml").is_file() and (root / name).is_dir():
        return root / name
    spec = importlib.util.find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise NotFound(f"程序不完整：缺少 {package}；请重新安装 jixiao。")
    return Path(places[0])
