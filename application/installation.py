"""The composition root: settings, engine, keys and clock of one installation. Nothing connects at import."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog

from application import facts as facts  # registers the facts of a budget text
from application import guards as guards  # registers text_complete and notify
from application.migrations import require_current
from application.settings import Settings
from audit.events import Via
from audit.recorder import Recorder
from models.engine import make_engine, transaction
from models.errors import DatabaseUnavailable, JixiaoError, LogCorrupt, NotFound
from models.log import AuditCheckpoint, AuditLog, AuditOutbox
from models.prepared import Prepared
from workflow.situation import Actor

if TYPE_CHECKING:
    from audit.keys import Signer

Clock = Callable[[], datetime]
LOG = "main"

_READ_LOG = Prepared(sa.select(AuditLog.origin, AuditLog.vkey).where(AuditLog.id == sa.bindparam("log_id")))
_NEWEST_WAITING = Prepared(
    sa.select(AuditOutbox.event_id).where(AuditOutbox.log == LOG).order_by(AuditOutbox.seq.desc()).limit(1)
)
_LAST_CHECKPOINT = Prepared(sa.select(sa.func.max(AuditCheckpoint.created)).where(AuditCheckpoint.log == LOG))


def utc_now() -> datetime:
    """The clock of everything that is not a test."""
    return datetime.now(UTC)


def program_version() -> str:
    """The version of the installed program."""
    try:
        return version("jixiao")
    except PackageNotFoundError:
        return "0"


@dataclass(frozen=True)
class Person:
    """Somebody who is logged in; roles are (role, organization id) as of the log-in check, for lists and messages only."""

    account_id: str
    organization_id: str
    login: str
    display_name: str
    organization: str
    organization_kind: str
    roles: frozenset[tuple[str, str]]

    def holds(self, *roles: str) -> bool:
        """Whether the person holds one of these roles anywhere."""
        return any(role in roles for role, _ in self.roles)


@dataclass(frozen=True)
class Installation:
    """An opened installation; ``clock`` is passed in, so that tests decide what time it is."""

    settings: Settings
    engine: sa.Engine
    clock: Clock = utc_now

    @functools.cached_property
    def mac_key(self) -> bytes | None:
        """The key that protects the outbox on PostgreSQL; SQLite has no outbox."""
        from audit.keys import load_mac_key

        return None if self.engine.dialect.name == "sqlite" else load_mac_key(self.settings.keys / "outbox.key")

    @functools.cached_property
    def signer(self) -> Signer:
        """The log's signer; raises NotFound without a key, LogCorrupt with a foreign one: no key, no writing."""
        from audit.keys import Signer

        with transaction(self.engine, read_only=True) as work:
            row = work.one(_READ_LOG, log_id=LOG)
        if row is None:
            raise NotFound("数据库中没有审计日志；请先运行 jixiao init。")
        origin, vkey = row
        return Signer.load(self.settings.keys / "log.pem", origin, vkey=vkey, head_path=self.settings.keys / "log.head")

    def require_writable(self) -> None:
        """Raises, before anything is written, where the log can't be carried on: no key, a foreign key, an old backup."""
        from audit.checkpoints import require_continues

        require_continues(self.engine, self.signer, log=LOG)

    def recorder(self, request_id: str, via: Via) -> Recorder:
        """A recorder for one request."""
        return Recorder(request=request_id, app=f"jixiao/{program_version()}", via=via, log=LOG, mac_key=self.mac_key)

    def catch_up(self) -> None:
        """Before the log is read: on PostgreSQL gives everything that was committed until now its index."""
        if self.mac_key is None:
            return
        from audit.integrator import await_integrated

        with transaction(self.engine, read_only=True) as work:
            newest = work.one(_NEWEST_WAITING)
        if newest is not None:
            await_integrated(self.engine, newest[0], log=LOG, mac_key=self.mac_key)

    def settle(self, event_id: str | None = None, *, checkpoint: bool = False) -> None:
        """After a commit: on PostgreSQL integrates what waits; signs a checkpoint where asked or due.

        The transaction is already durable, and the next command does what fails here. So a failure is an error only where
        the caller asked for the checkpoint (and then says that the work itself is saved); else it is a line in the
        program's log: to call the command failed would make people do it twice.
        """
        try:
            self._settle(event_id, checkpoint)
        except (JixiaoError, OSError) as error:
            message = error.message if isinstance(error, JixiaoError) else str(error)
            if checkpoint:
                raise LogCorrupt(f"操作已保存，但没有签上检查点：{message}") from error
            structlog.get_logger("jixiao").error("checkpoint", outcome="failed", reason=message)

    def _settle(self, event_id: str | None, checkpoint: bool) -> None:
        from audit.checkpoints import sign_checkpoint
        from audit.integrator import await_integrated

        if event_id is not None:
            await_integrated(self.engine, event_id, log=LOG, mac_key=self.mac_key)
        else:
            self.catch_up()
        now = self.clock()
        if not checkpoint:
            with transaction(self.engine, read_only=True) as work:
                row = work.one(_LAST_CHECKPOINT)
            last = row[0] if row else None
            interval = timedelta(seconds=self.settings.checkpoint_seconds)
            # A checkpoint of the future is a clock that ran ahead: it must not stop the signing until then.
            checkpoint = last is None or not timedelta(0) <= now - last < interval
        if checkpoint:
            sign_checkpoint(self.engine, self.signer, log=LOG, now=now)


@dataclass(frozen=True)
class Request:
    """One request of one person: what every use case takes first."""

    installation: Installation
    person: Person
    id: str
    via: Via = Via.CLI

    @property
    def actor(self) -> Actor:
        """The person as the engine knows them."""
        return Actor(self.person.account_id, self.person.organization_id)

    @functools.cached_property
    def recorder(self) -> Recorder:
        """The recorder of this request."""
        return self.installation.recorder(self.id, self.via)

    def now(self) -> datetime:
        """The time."""
        return self.installation.clock()


def new_request_id() -> str:
    """A random id that joins the lines of the program's log with the events of the audit log."""
    return uuid.uuid4().hex[:16]


def open_installation(settings: Settings, *, clock: Clock = utc_now) -> Installation:
    """Opens an installation; raises DatabaseUnavailable where it is not initialized, or its database does not fit."""
    database = settings.home / "jixiao.db"
    if settings.database_url is None and not database.exists():
        raise DatabaseUnavailable(f"这里还没有初始化（没有 {_shown(database)}）；请先运行 jixiao init。")
    engine = make_engine(settings.engine_url())
    require_current(engine)
    return Installation(settings, engine, clock)


def _shown(path: Path) -> str:
    """A path as people type it."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except ValueError:
        return str(path)
