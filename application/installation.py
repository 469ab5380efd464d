"""The composition root: settings, engine, keys and clock of one installation. Nothing connects at import."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog

from application import check_settings
from application import facts as facts  # registers the facts of a budget text
from application import guards as guards  # registers text_complete and notify
from application.keyring import Keyring
from application.migrations import require_current
from application.settings import Settings
from audit.events import Via
from audit.recorder import Detail, Recorder
from models.engine import Work, make_engine, transaction
from models.errors import DatabaseUnavailable, JixiaoError, LogCorrupt, NotFound
from models.log import AuditCheckpoint, AuditHead, AuditLog, AuditOutbox
from models.prepared import Prepared
from workflow.situation import Actor

if TYPE_CHECKING:
    from audit.checkpoints import Checkpoint
    from audit.keys import Signer

Clock = Callable[[], datetime]
LOG = "main"
# What auditors have looked at is written to a log of its own, with its own origin and key.
READS = "reads"
# How long a command waits for the integrator before it answers, in seconds: with a checkpoint, and without one.
_PATIENCE = 15.0
_SHORT_PATIENCE = 1.0

_FIND_LOG = Prepared(sa.select(AuditLog.id).where(AuditLog.id == sa.bindparam("log")))
_NEWEST_WAITING = Prepared(
    sa.select(AuditOutbox.event_id)
    .where(AuditOutbox.log == sa.bindparam("log"))
    .order_by(AuditOutbox.seq.desc())
    .limit(1)
)
# When the newest checkpoint was signed, how much of the log it covers, and how much there is.
_LAST_CHECKPOINT = Prepared(
    sa.select(AuditCheckpoint.created, AuditCheckpoint.size, AuditHead.n)
    .select_from(AuditHead)
    .outerjoin(AuditCheckpoint, AuditCheckpoint.log == AuditHead.log)
    .where(AuditHead.log == sa.bindparam("log"))
    .order_by(AuditCheckpoint.size.desc())
    .limit(1)
)


def utc_now() -> datetime:
    """The clock of everything that is not a test."""
    return datetime.now(UTC)


@functools.cache
def program_version() -> str:
    """The version of the installed program; looking it up costs a millisecond, and every event tells it."""
    try:
        return version("jixiao")
    except PackageNotFoundError:
        return "0"


@dataclass(frozen=True)
class Person:
    """Somebody who is logged in; roles are (role, organization id) as of the log-in check, for lists and messages only.

    ``session`` is the id of the token that they came with, which every event of theirs names (``ctx.ses``).
    """

    account_id: str
    organization_id: str
    login: str
    display_name: str
    organization: str
    organization_kind: str
    roles: frozenset[tuple[str, str]]
    session: str | None = None

    def holds(self, *roles: str) -> bool:
        """Whether the person holds one of these roles anywhere."""
        return any(role in roles for role, _ in self.roles)


@dataclass(frozen=True)
class Installation:
    """An opened installation; ``clock`` is passed in, so that tests decide what time it is."""

    settings: Settings
    engine: sa.Engine
    clock: Clock = utc_now

    def __post_init__(self) -> None:
        check_settings.attach(self.engine, self.settings.checks)

    @functools.cached_property
    def keyring(self) -> Keyring:
        """The keys of this installation."""
        return Keyring(self.settings.keys, self.engine)

    @property
    def mac_key(self) -> bytes | None:
        """The key that protects the outbox on PostgreSQL; SQLite has no outbox."""
        return self.keyring.mac_key

    @property
    def signer(self) -> Signer:
        """The main log's signer; raises NotFound without a key, LogCorrupt with a foreign one: no key, no writing."""
        with transaction(self.engine, read_only=True) as work:
            if work.one(_FIND_LOG, log=LOG) is None:
                raise NotFound("数据库中没有审计日志；请先运行 jixiao init。")
        return self.keyring.signer(LOG)

    def require_writable(self, log: str = LOG) -> None:
        """Raises, before anything is written, where the log can't be carried on: no key, a foreign key, an old backup."""
        from audit.checkpoints import require_continues

        self.keyring.signing(log, lambda signer: require_continues(self.engine, signer, log=log))

    def require_writable_within(self, work: Work, log: str) -> None:
        """As ``require_writable``, in the transaction that is to write."""
        from audit.checkpoints import require_continues_within

        self.keyring.signing(log, lambda signer: require_continues_within(work, signer, log=log))

    def recorder(self, request_id: str, via: Via, *, log: str = LOG, session: str | None = None) -> Recorder:
        """A recorder for one request, which came with the token ``session``."""
        return Recorder(
            request=request_id,
            app=f"jixiao/{program_version()}",
            via=via,
            log=log,
            mac_key=self.mac_key,
            session=session,
            sealer=lambda: self.keyring.sealer,
            guard=_guard,
        )

    def catch_up(self, log: str = LOG) -> None:
        """Before the log is read: on PostgreSQL gives everything that was committed until now its index."""
        if self.mac_key is None:
            return
        from audit.integrator import await_integrated

        with transaction(self.engine, read_only=True) as work:
            newest = work.one(_NEWEST_WAITING, log=log)
        if newest is not None:
            await_integrated(self.engine, newest[0], log=log, mac_key=self.mac_key)

    def settle(self, event_id: str | None = None, *, checkpoint: bool = False, log: str = LOG) -> None:
        """After a commit: on PostgreSQL integrates what waits; signs a checkpoint where asked or due.

        The transaction is already durable, and the next command does what fails here. So a failure is an error only where
        the caller asked for the checkpoint (and then says that the work itself is saved); else it is a line in the
        program's log: to call the command failed would make people do it twice.
        """
        try:
            self._settle(event_id, checkpoint, log)
        except (JixiaoError, OSError) as error:
            message = error.message if isinstance(error, JixiaoError) else str(error)
            if checkpoint:
                raise _unsigned(error) from error
            structlog.get_logger("jixiao").error("checkpoint", outcome="failed", reason=message)

    def _settle(self, event_id: str | None, checkpoint: bool, log: str) -> None:
        from audit.integrator import await_integrated

        if event_id is not None:
            # Only who answers with a checkpoint needs the event in the log; others go on without the worker.
            patience = _PATIENCE if checkpoint else _SHORT_PATIENCE
            await_integrated(self.engine, event_id, log=log, mac_key=self.mac_key, timeout=patience)
        else:
            self.catch_up(log)
        now = self.clock()
        if checkpoint or self._is_due(log, now):
            self.sign(log, now=now)
            if log != READS:
                self._sign_reads()
            self._ask_witnesses()

    def settle_reads(self) -> None:
        """Integrates and, where it is due, signs the log of reads; a failure is a line in the program's log.

        What somebody does to a text does not fail because the log of those who look at it can't be signed.
        """
        if self._sign_reads():
            self._ask_witnesses()

    def _sign_reads(self) -> bool:
        try:
            self.catch_up(READS)
            now = self.clock()
            if self._is_due(READS, now):
                return self.sign(READS, now=now) is not None
        except (JixiaoError, OSError) as error:
            reason = error.message if isinstance(error, JixiaoError) else str(error)
            structlog.get_logger("jixiao").error("checkpoint", log=READS, outcome="failed", reason=reason)
        return False

    def _ask_witnesses(self) -> None:
        # Without witnesses nobody need load what speaks to them.
        if self.settings.witnesses:
            from application.witnessing import ask_quietly

            ask_quietly(self)

    def sign(self, log: str = LOG, *, now: datetime) -> Checkpoint | None:
        """Signs a log's head as it stands; None for an empty log."""
        from audit.checkpoints import sign_checkpoint

        return self.keyring.signing(log, lambda signer: sign_checkpoint(self.engine, signer, log=log, now=now))

    def _is_due(self, log: str, now: datetime) -> bool:
        with transaction(self.engine, read_only=True) as work:
            return self.is_due(work, log, now)

    def is_due(self, work: Work, log: str, now: datetime, *, added: bool = False) -> bool:
        """Whether a log has changed since its newest checkpoint, and that is long enough ago to sign the next.

        ``added`` says that the caller has just added to it: on PostgreSQL that shows only once it is integrated.
        """
        row = work.one(_LAST_CHECKPOINT, log=log)
        if row is None:
            return False
        signed_at, signed, size = row
        if signed_at is None:
            return added or bool(size)
        # A checkpoint of the future is a clock that ran ahead: it must not stop the signing until then.
        late = not timedelta(0) <= now - signed_at < timedelta(seconds=self.settings.checkpoint_seconds)
        return late and (added or signed != size)


def _unsigned(error: JixiaoError | OSError) -> JixiaoError:
    """What is said where the work is saved and its checkpoint is not signed.

    A full disk or a busy database is no accusation. And it is no Conflict, which would be recorded as a refusal of what was
    done.
    """
    said = "操作已保存，但没有签上检查点"
    if isinstance(error, LogCorrupt | NotFound):
        return LogCorrupt(f"{said}：{error.message}")
    if isinstance(error, JixiaoError):
        return DatabaseUnavailable(f"{said}：{error.message}")
    reason = error.strerror or str(error)
    return DatabaseUnavailable(
        f"{said}（{reason}）；请检查 keys 文件夹的磁盘空间和权限，再运行 jixiao audit checkpoint。"
    )


def _guard(obj: tuple[str, str], details: Iterable[Detail]) -> Iterable[Detail]:
    if obj[0] != "text":
        return details
    # Only a text's events can hold a text's personal data, and most commands need not load the rule.
    from application.personal import guard

    return guard(obj, details)


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
        return self.installation.recorder(self.id, self.via, session=self.person.session)

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
