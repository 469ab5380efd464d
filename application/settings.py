"""Settings from the environment (``JIXIAO_*``) and from ``settings.toml`` in the home folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

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


class MailSetting(BaseModel):
    """The mail server: ``tls`` starttls (usual), tls, or none for a server on this machine; the password is a secret.

    ``reasons`` says whether mails of returned texts repeat what was objected, or only say where to read it.
    """

    model_config = {"frozen": True, "extra": "forbid"}

    host: str
    sender: str
    port: int = 25
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    unsubscribe: str = ""
    ca_file: str | None = None
    reasons: bool = True


class ChannelSetting(BaseModel):
    """A robot or web hook; ``organizations`` (names) and ``kinds`` say of what it tells, empty: of everything.

    Its address and keys are secrets of the same name.
    """

    model_config = {"frozen": True, "extra": "forbid"}

    name: str = Field(pattern="^[a-z][a-z0-9-]{0,39}$")
    kind: Literal["wecom", "dingtalk", "feishu", "webhook", "apprise"]
    organizations: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    ca_file: str | None = None


class SealSetting(BaseModel):
    """The seal of an organization: which adapter applies it, and for ``pkcs12`` the key file and the file of its passphrase."""

    model_config = {"frozen": True, "extra": "forbid"}

    organization: str
    adapter: str = "pkcs12"
    pkcs12: Path | None = None
    passphrase_file: Path | None = None


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
    # In settings.toml one [[seals]] for each organization that seals its letters, in the environment a JSON list.
    seals: tuple[SealSetting, ...] = ()
    # A folder of one's own layouts (what forms look like), before those of the program; docs/layouts.md.
    layouts: Path | None = None
    # The file of the review form (criteria, points, grades); docs/guide/finance.md.
    review_form: Path | None = None

    # Notifications; docs/guide/notifications.md. In settings.toml [mail] and one [[channels]] for each.
    mail: MailSetting | None = None
    mail_password: str | None = Field(default=None, repr=False)
    channels: tuple[ChannelSetting, ...] = ()
    # The beginning of the address of a text's page, before its number.
    link_base: str = ""
    quiet_hours: str = "20:00-08:00"
    quiet_days_off: bool = True
    # Internal hosts and networks to which web hooks may lead all the same.
    webhook_allow: tuple[str, ...] = ()
    # A folder of one's own templates, of letters (docs/guide/notifications.md) and documents (docs/guide/documents.md).
    templates: Path | None = None
    secrets_file: Path | None = None
    # How long a worker holds what it is about to deliver; what a dead one held is delivered by others after that.
    lease_seconds: int = Field(default=300, ge=2)

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
    def secrets(self) -> Path:
        """The file of passwords and tokens of channels (mode 0600)."""
        return self.secrets_file or self.home / "secrets.toml"

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
