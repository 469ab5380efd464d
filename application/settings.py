"""Settings from the environment (``JIXIAO_*``) and from ``settings.toml`` in the home folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from models.errors import InvalidInput


def default_home() -> Path:
    """The platform's user data folder for jixiao."""
    import platformdirs

    return Path(platformdirs.user_data_dir("jixiao", appauthor=False))


class WitnessSetting(BaseModel):
    """A witness that is asked to cosign checkpoints: its verifier key (type 04), and the address before ``/add-checkpoint``."""

    model_config = {"frozen": True, "extra": "forbid"}

    vkey: str
    url: str


class Settings(BaseSettings):
    """Where things are. ``home`` holds the SQLite file, keys and settings; ``database_url`` switches to PostgreSQL."""

    model_config = SettingsConfigDict(env_prefix="JIXIAO_", extra="ignore", frozen=True)

    home: Path = Field(default_factory=default_home)
    database_url: str | None = None
    token: str | None = Field(default=None, repr=False)
    fonts: Path | None = None
    checkpoint_seconds: int = 60
    # Events that wait longer than this for their place in the log are an alarm (PostgreSQL).
    lag_seconds: int = 60
    # In settings.toml one [[witnesses]] for each, in the environment a JSON list.
    witnesses: tuple[WitnessSetting, ...] = ()
    # The definition in which new texts begin, where the import names no other.
    workflow: str = "standard"
    # The file of the check settings (severities, thresholds, rules switched off); docs/guide/checking.md.
    checks: Path | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- the signature is the library's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- the signature is the library's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then the home folder's file."""
        home: Any = init_settings().get("home") or env_settings().get("home") or default_home()
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, Path(home) / "settings.toml")

    @property
    def keys(self) -> Path:
        """The folder of the log's keys."""
        return self.home / "keys"

    @property
    def session_file(self) -> Path:
        """Where ``jixiao login`` keeps its token (mode 0600)."""
        return self.home / "session"

    def engine_url(self) -> str | sa.URL:
        """The database's address: PostgreSQL where set, else the SQLite file in the home folder, whatever its path holds."""
        return self.database_url or sa.URL.create("sqlite", database=str(self.home / "jixiao.db"))


def load_settings(**given: Any) -> Settings:
    """Settings; raises InvalidInput with one sentence where a variable can't be read."""
    try:
        return Settings(**{key: value for key, value in given.items() if value is not None})
    except (ValidationError, ValueError) as error:
        raise InvalidInput(
            f"设置有误：{' '.join(str(error).split())}；请检查 JIXIAO_ 环境变量和 settings.toml。"
        ) from error
