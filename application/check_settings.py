"""Which check settings hold for a text: the file that was named, else what its bureau was given, else the installation's.

The installation's is the file that JIXIAO_CHECKS names; without one the defaults hold.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from models.blobs import get_blob
from models.canonical import digest
from models.check_settings import CheckSetting
from models.errors import InvalidInput
from models.prepared import Prepared

if TYPE_CHECKING:
    from documents.checking import CheckSettings
    from models.engine import Work

# On the engine, since a guard knows its transaction and nothing of the installation's settings.
_OPTION = "jixiao_checks"
_NEWEST = Prepared(
    sa.select(CheckSetting.number, CheckSetting.sha256, CheckSetting.name)
    .where(CheckSetting.organization_id == sa.bindparam("organization_id"))
    .order_by(CheckSetting.number.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class InForce:
    """Settings with where they come from: ``file`` (named by the caller), ``organization``, ``installation`` or ``default``.

    ``sha256`` is that of the file's bytes, as ``sha256sum`` prints it, and None for the defaults; ``version`` counts those of
    an organization from 1.
    """

    settings: CheckSettings
    source: str
    sha256: str | None = None
    version: int | None = None

    def to_json(self) -> dict[str, Any]:
        """What an event and a report say of the settings that a check used."""
        told = {"settings": self.source, "version": self.version, "sha256": self.sha256}
        return {key: value for key, value in told.items() if value is not None}


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


def settings_of(work: Work, organization_id: str) -> InForce:
    """The settings by which the texts of a reviewing organization are judged."""
    row = work.one(_NEWEST, organization_id=organization_id)
    if row is not None:
        number, sha256, name = int(row[0]), str(row[1]), str(row[2])
        return InForce(stored(work, sha256, name), "organization", sha256, number)
    path = work.connection.get_execution_options().get(_OPTION)
    if path is None:
        return InForce(settings_from(None), "default")
    settings = settings_from(path)
    return InForce(settings, "installation", digest(Path(path).read_bytes()))


def stored(work: Work, sha256: str, name: str) -> CheckSettings:
    """The settings that a stored file holds; raises LogCorrupt where its bytes are not what the hash says."""
    # The bytes are read and compared with their hash each time; only what they say is remembered.
    return _of_bytes(get_blob(work, sha256), name)


@functools.lru_cache(maxsize=32)
def _of_bytes(data: bytes, name: str) -> CheckSettings:
    from documents.checking.settings_file import parse_settings

    return parse_settings(data, name)
