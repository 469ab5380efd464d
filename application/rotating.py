"""Changing a log's key: a new one beside the old one, both sign for a while, then the old one ends."""

from __future__ import annotations

from typing import Any

from application.accounts import require_role
from application.installation import Installation, Request
from application.keyring import stem_of
from application.looks import require_known
from application.use_cases import refusals_recorded, use_case
from audit.acts import Act
from audit.notes import parse_note, parse_vkey, standing
from audit.rotation import add_key, end_key, key_path, log_keys, prepare_key, put_back
from audit.storage import read_identity
from models.engine import transaction
from models.errors import Conflict, JixiaoError
from models.people import Role


def show_keys(installation: Installation, *, log: str) -> list[dict[str, Any]]:
    """The keys of a log, oldest first: ``{vkey, from_size, until_size, active, newest, file}``; public, so without log-in.

    ``file`` says whether the private half is at its place.
    """
    require_known(log)
    folder, stem = installation.keyring.folder, stem_of(log)
    with transaction(installation.engine, read_only=True) as work:
        newest = read_identity(work, log).vkey
        keys = log_keys(work, log)
    return [
        {
            "vkey": key.vkey,
            "from_size": key.from_size,
            "until_size": key.until_size,
            "active": key.active,
            "newest": key.vkey == newest,
            "file": key_path(folder, stem, key.vkey).exists(),
        }
        for key in keys
    ]


@use_case("key.rotate")
def rotate_key(request: Request, *, log: str) -> dict[str, Any]:
    """Makes a new key for a log (audit administrator); both sign from the next checkpoint on, which is signed here.

    The event stands in the log itself, under the signatures of both. Raises Conflict while an earlier change has not ended.
    """
    installation = request.installation
    installation.require_writable(require_known(log))
    folder, stem = installation.keyring.folder, stem_of(log)
    with refusals_recorded(request, Act.KEY_ROTATE, ("audit_log", log)):
        with transaction(installation.engine, read_only=True) as work:
            require_role(work, request, Role.AUDIT_ADMINISTRATOR)
            origin = read_identity(work, log).origin
        fresh = prepare_key(folder, stem, origin)
        try:
            with transaction(installation.engine) as work:
                role = require_role(work, request, Role.AUDIT_ADMINISTRATOR)
                old = add_key(work, log, fresh.vkey)
                recorded = installation.recorder(request.id, request.via, log=log).write(
                    work,
                    Act.KEY_ROTATE,
                    actor=request.person.account_id,
                    role=role,
                    obj=("audit_log", log),
                    now=request.now(),
                    details=[("/vkey", old, fresh.vkey)],
                )
        except JixiaoError:
            if not _names(installation, log, fresh.vkey):
                put_back(folder, stem, fresh)
            raise
    installation.settle(recorded.event_id, checkpoint=True, log=log)
    return {"log": log, "old": old, "new": fresh.vkey, "file": str(fresh.path)}


def _names(installation: Installation, log: str, vkey: str) -> bool:
    """Whether the database names a key; True where nobody can tell.

    A connection may be lost after the commit and before its answer. The file of a key that the log names must stay where
    every process looks for it, and one that is not named does no harm there.
    """
    try:
        with transaction(installation.engine, read_only=True) as work:
            return any(key.vkey == vkey for key in log_keys(work, log))
    except JixiaoError:
        return True


@use_case("key.retire")
def retire_key(request: Request, *, log: str, reason: str = "") -> dict[str, Any]:
    """Ends the older key of a log (audit administrator): from the next checkpoint on, which is signed here, the new one signs.

    Raises Conflict where only one key signs, or where no checkpoint bears both signatures yet: without one nobody outside
    could go from the old key to the new.
    """
    installation = request.installation
    installation.require_writable(require_known(log))
    obj = ("audit_log", log)
    with refusals_recorded(request, Act.KEY_RETIRE, obj), transaction(installation.engine) as work:
        role = require_role(work, request, Role.AUDIT_ADMINISTRATOR)
        active = [key.vkey for key in log_keys(work, log) if key.active]
        old, size = end_key(work, log)
        head = installation.keyring.signer(log).last_head()
        note = parse_note(head.note) if head is not None else None
        if note is None or any(standing(note, parse_vkey(vkey)) != "signed" for vkey in active):
            raise Conflict("还没有新旧两把密钥共同签名的检查点，不能停用旧密钥；请先运行 jixiao audit checkpoint。")
        recorded = installation.recorder(request.id, request.via, log=log).write(
            work,
            Act.KEY_RETIRE,
            actor=request.person.account_id,
            role=role,
            obj=obj,
            now=request.now(),
            why=reason or None,
            details=[("/vkey", old, None), ("/until", None, size)],
        )
    installation.settle(recorded.event_id, checkpoint=True, log=log)
    path = key_path(installation.keyring.folder, stem_of(log), old)
    return {"log": log, "retired": old, "until_size": size, "file": str(path)}
