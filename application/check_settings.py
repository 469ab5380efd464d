"""Which check settings hold: the file that was named, else that of the installation (JIXIAO_CHECKS), else the defaults."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import InvalidInput

if TYPE_CHECKING:
    import sqlalchemy as sa

    from documents.checking import CheckSettings
    from models.engine import Work

# On the engine, since a guard knows its transaction and nothing of the installation's settings.
_OPTION = "jixiao_checks"


def settings_from(path: str | Path | None) -> CheckSettings:
    """The settings of a file, or the defaults without one; raises InvalidInput that says what is wrong with it."""
    from documents.checking import DEFAULT

    if path is None:
        return DEFAULT
    file = Path(path)
    try:
        state = file.stat()
        return _parsed(str(file), state.st_mtime_ns, state.st_size)
    except OSError as error:
        raise InvalidInput(
            f"不能读取检查设置“{path}”（{error.strerror}）；请检查 --settings 或 JIXIAO_CHECKS 的路径。"
        ) from error


@functools.lru_cache(maxsize=8)
def _parsed(path: str, _modified: int, _size: int) -> CheckSettings:
    from documents.checking.settings_file import parse_settings

    file = Path(path)
    return parse_settings(file.read_bytes(), file.name)


def attach(engine: sa.Engine, path: Path | None) -> None:
    """Tells every transaction of an engine which file holds the check settings."""
    if path is not None:
        engine.update_execution_options(**{_OPTION: str(path)})


def settings_of(work: Work) -> CheckSettings:
    """The check settings of a transaction's installation."""
    return settings_from(work.connection.get_execution_options().get(_OPTION))
