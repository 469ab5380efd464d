"""The keys of a log over time: a new key comes beside the old one, both sign for a while, then the old one ends.

The origin stays. The event ``key.rotate`` names the new key inside the log, so that whoever trusts the old key and a
checkpoint signed by it after that event has the old key's word for the new one (``endorsed_keys``). Each key has its own
file and its own head file: the first is ``log.pem``, every later one carries its key id (``log.0123abcd.pem``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from audit.acts import Act
from audit.keys import Signer, create_private_key
from audit.notes import VerifierKey, parse_vkey
from audit.storage import read_head, read_identity
from models.engine import Work
from models.errors import Conflict, InvalidInput
from models.log import AuditKey, AuditLog
from models.prepared import Prepared, insert_into

_READ_KEYS = Prepared(
    sa.select(AuditKey.vkey, AuditKey.from_size, AuditKey.until_size)
    .where(AuditKey.log == sa.bindparam("log"))
    .order_by(AuditKey.from_size)
)
_LOCK_LOG = Prepared(sa.select(AuditLog.vkey).where(AuditLog.id == sa.bindparam("log")).with_for_update())
_ADD_KEY = insert_into(AuditKey)
_NAME_KEY = Prepared(
    sa.update(AuditLog).where(AuditLog.id == sa.bindparam("of_log")).values(vkey=sa.bindparam("new_vkey"))
)
_END_KEY = Prepared(
    sa.update(AuditKey)
    .where(
        AuditKey.log == sa.bindparam("of_log"),
        AuditKey.vkey == sa.bindparam("of_vkey"),
        AuditKey.until_size.is_(None),
    )
    .values(until_size=sa.bindparam("until"))
)


@dataclass(frozen=True, slots=True)
class LogKey:
    """A verifier key of a log: it signs checkpoints of ``from_size`` leaves and more, up to ``until_size`` once it ended."""

    vkey: str
    from_size: int
    until_size: int | None

    @property
    def active(self) -> bool:
        """Whether the key still signs."""
        return self.until_size is None

    def covers(self, size: int) -> bool:
        """Whether a checkpoint of this size may bear the key's signature."""
        return self.from_size <= size and (self.until_size is None or size <= self.until_size)


def log_keys(work: Work, log: str) -> tuple[LogKey, ...]:
    """All keys of a log, oldest first, as the database has them; raises NotFound where there is no such log.

    A log whose rows were lost has the key that ``audit_log`` names.
    """
    identity = read_identity(work, log)
    rows = work.rows(_READ_KEYS, log=log)
    return tuple(LogKey(*row) for row in rows) or (LogKey(identity.vkey, 0, None),)


def active_vkeys(work: Work, log: str) -> tuple[str, ...]:
    """Keys that sign now, the log's newest first."""
    newest = read_identity(work, log).vkey
    others = [key.vkey for key in log_keys(work, log) if key.active and key.vkey != newest]
    return (newest, *others)


def key_path(folder: Path, stem: str, vkey: str) -> Path:
    """The file of a key: the one that carries its key id, else that of the log's first key."""
    own = folder / f"{stem}.{parse_vkey(vkey).key_id.hex()}.pem"
    return own if own.exists() else folder / f"{stem}.pem"


def load_signer(folder: Path, stem: str, origin: str, vkeys: Sequence[str]) -> Signer:
    """The signer of a log's active keys, newest first.

    Raises NotFound where a key's file is missing, and LogCorrupt where it holds another key.
    """
    newest, *others = vkeys
    beside = [_load(folder, stem, origin, vkey) for vkey in others]
    return _load(folder, stem, origin, newest, beside)


def _load(folder: Path, stem: str, origin: str, vkey: str, beside: Sequence[Signer] = ()) -> Signer:
    path = key_path(folder, stem, vkey)
    return Signer.load(
        path, origin, vkey=vkey, head_path=path.with_suffix(".head"), lock_path=lock_path(folder, stem), beside=beside
    )


def lock_path(folder: Path, stem: str) -> Path:
    """The file by which all signers of a log wait for each other, whichever keys they hold."""
    return folder / f"{stem}.head.lock"


def prepare_key(folder: Path, stem: str, origin: str) -> Signer:
    """A new key in a file of its own name; what an interrupted change of keys has left is used.

    The file is there before the database names its key: from the commit on every process needs it.
    """
    waiting = folder / f"{stem}.new.pem"
    if not waiting.exists():
        create_private_key(waiting, "新的签名私钥")
    key = Signer.load(waiting, origin).key
    path = folder / f"{stem}.{key.key_id.hex()}.pem"
    waiting.replace(path)
    return Signer.load(path, origin, head_path=path.with_suffix(".head"), lock_path=lock_path(folder, stem))


def put_back(folder: Path, stem: str, signer: Signer) -> None:
    """Gives a prepared key, which the database did not come to name, back for the next attempt."""
    signer.path.replace(folder / f"{stem}.new.pem")


def add_key(work: Work, log: str, vkey: str) -> str:
    """Names a new key beside the present one, which it returns; raises Conflict while two keys sign already."""
    # Two changes at once would each see one key; on PostgreSQL the second waits for the log's row.
    work.one(_LOCK_LOG, log=log)
    old, *others = active_vkeys(work, log)
    if others:
        raise Conflict("上一次更换密钥还没有结束，新旧两把密钥都在签名；请先运行 jixiao audit key retire。")
    work.run(_ADD_KEY, log=log, vkey=vkey, from_size=read_head(work, log).size, until_size=None)
    work.run(_NAME_KEY, of_log=log, new_vkey=vkey)
    return old


def end_key(work: Work, log: str) -> tuple[str, int]:
    """Ends the older of two keys: its vkey, and the last size that it signs; raises Conflict where only one signs."""
    work.one(_LOCK_LOG, log=log)
    _newest, *others = active_vkeys(work, log)
    if not others:
        raise Conflict("现在只有一把密钥在签名，没有可以停用的旧密钥；需要更换请先运行 jixiao audit key rotate。")
    size = read_head(work, log).size
    work.run(_END_KEY, of_log=log, of_vkey=others[0], until=size)
    return others[0], size


def endorsed_keys(trusted: Sequence[VerifierKey], events: Iterable[tuple[int, dict[str, Any]]]) -> list[VerifierKey]:
    """The trusted keys, and those that they vouch for by the events ``key.rotate`` (index, event) of a log.

    Only events that a checkpoint proves may be given: one with a valid signature of a trusted key, at a size beyond the
    event's index. Each event's old key must be trusted by then; keys of other names, and spellings that are none, add nothing.
    """
    keys = list(trusted)
    for _index, event in sorted(events, key=lambda item: item[0]):
        if event["act"] != Act.KEY_ROTATE or event["out"] != "success":
            continue
        named = [(entry.get("o"), entry.get("n")) for entry in event.get("chg", []) if entry["p"] == "/vkey"]
        for old, new in named:
            if any(str(key) == old for key in keys) and isinstance(new, str):
                keys += [key for key in _spelled(new) if key.name == keys[0].name and key not in keys]
    return keys


def retired_keys(keys: Sequence[VerifierKey], events: Iterable[tuple[int, dict[str, Any]]]) -> dict[str, int]:
    """Up to which size each retired key among ``keys`` signs, by the proved events ``key.retire``; of several the smallest."""
    known = set(map(str, keys))
    ends: dict[str, int] = {}
    for _index, event in events:
        if event["act"] != Act.KEY_RETIRE or event["out"] != "success":
            continue
        said = {entry["p"]: (entry.get("o"), entry.get("n")) for entry in event.get("chg", [])}
        vkey, until = said.get("/vkey", (None, None))[0], said.get("/until", (None, None))[1]
        if vkey in known and type(until) is int:
            ends[vkey] = min(until, ends.get(vkey, until))
    return ends


def _spelled(vkey: str) -> list[VerifierKey]:
    try:
        return [parse_vkey(vkey)]
    except InvalidInput:
        return []
