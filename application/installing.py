"""Making an installation: folders, keys, schema, log, the shipped definition, the three administrators."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from application.accounts import first_token, insert_account, insert_grant, insert_organization
from application.installation import LOG, Clock, Installation, new_request_id, utc_now
from application.migrations import require_current, upgrade
from application.second_log import begin_reads, reads_signer
from application.settings import Settings
from application.workflows import SHIPPED, publish, shipped
from audit.events import Act, Via
from audit.journal import create_log
from audit.keyfiles import create_mac_key, create_seal_key
from audit.keys import Signer
from models.engine import make_engine, transaction
from models.errors import Conflict, InvalidInput, LogCorrupt
from models.log import AuditLog
from models.people import OrganizationKind, Role

# Logins of the three administrators that an installation begins with.
ADMINISTRATOR_LOGINS = {
    Role.SYSTEM_ADMINISTRATOR: ("sysadmin", "系统管理员"),
    Role.SECURITY_ADMINISTRATOR: ("secadmin", "安全管理员"),
    Role.AUDIT_ADMINISTRATOR: ("auditadmin", "审计管理员"),
}


@dataclass(frozen=True, slots=True)
class Initialized:
    """A new installation: the verifier keys of its two logs, and one token for each administrator (shown once)."""

    installation: Installation
    vkey: str
    reads_vkey: str
    tokens: dict[str, str]


def initialize(
    settings: Settings, *, organization: str = "系统管理", origin: str | None = None, clock: Clock = utc_now
) -> Initialized:
    """Makes an installation in ``settings.home``; raises Conflict where there is one already.

    What was interrupted before its transaction can be run again: keys that exist are used.
    """
    home = settings.home
    make_private_folder(home)
    make_private_folder(settings.keys)
    if settings.database_url is None:
        # SQLite gives its side files the mode of the database: nobody else reads them, whatever folder they are in.
        (home / "jixiao.db").touch(mode=0o600)
    engine = make_engine(settings.engine_url())
    upgrade(engine)
    require_current(engine)
    with transaction(engine, read_only=True) as work:
        existing = work.session.get(AuditLog, LOG)
    if existing is not None:
        raise Conflict(f"{home} 已经初始化过；需要新的安装请换一个 JIXIAO_HOME。", vkey=existing.vkey)
    signer = _signer(settings, origin)
    for path, create in ((settings.keys / "outbox.key", create_mac_key), (settings.keys / "seal.key", create_seal_key)):
        if not path.exists():
            create(path)
    installation = Installation(settings, engine, clock)
    reads = reads_signer(installation, signer.name)
    recorder = installation.recorder(new_request_id(), Via.CLI)
    now = clock()
    tokens: dict[str, str] = {}
    with transaction(engine) as work:
        create_log(work, log_id=LOG, origin=signer.name, vkey=signer.vkey, now=now)
        recorder.write(
            work,
            Act.LOG_CREATE,
            actor="-",
            role="-",
            obj=("audit_log", LOG),
            now=now,
            details=[("/vkey", None, signer.vkey)],
        )
        begin_reads(work, recorder, reads, now)
        for name in SHIPPED:
            publish(work, recorder, shipped(name), actor="-", role="-", now=now)
        owner = insert_organization(
            work,
            recorder,
            name=organization,
            kind=OrganizationKind.OPERATION,
            code=None,
            aliases=(),
            actor="-",
            role="-",
            now=now,
        )
        for role, (login, name) in ADMINISTRATOR_LOGINS.items():
            account = insert_account(
                work,
                recorder,
                organization=owner,
                login=login,
                display_name=name,
                password=None,
                actor="-",
                role="-",
                now=now,
            )
            insert_grant(work, recorder, account=account, role=role, actor=None, actor_role="-", now=now)
            tokens[role.value] = first_token(work, recorder, account, actor="-", role="-", now=now)
    installation.settle(checkpoint=True)
    return Initialized(installation, signer.vkey, reads.vkey, tokens)


def make_private_folder(folder: Path) -> None:
    """A folder that only its owner enters (0700); raises InvalidInput where it can't be made.

    A folder that already holds something is somebody's, and keeps its mode.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not any(folder.iterdir()):
            folder.chmod(0o700)
    except OSError as error:
        raise InvalidInput(f"不能建立文件夹 {folder}（{error.strerror}）；请检查 JIXIAO_HOME 和权限。") from error


def _signer(settings: Settings, origin: str | None) -> Signer:
    path, head = settings.keys / "log.pem", settings.keys / "log.head"
    name_file = settings.keys / "origin"
    if path.exists():
        if not name_file.exists():
            raise LogCorrupt(f"{path} 是别的安装留下的密钥；请换一个 JIXIAO_HOME，或先移走这个文件。")
        return Signer.load(path, name_file.read_text(encoding="utf-8").strip(), head_path=head)
    name = origin or f"jixiao.local/{secrets.token_hex(4)}"
    name_file.write_text(name + "\n", encoding="utf-8")
    return Signer.create(path, name, head_path=head)
