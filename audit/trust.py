"""Whom a verification believes: keys given from outside at every size, else the database's keys at the sizes they sign.

Keys from outside count first: the database can neither add to them nor end them. Only they themselves can, by the events
``key.rotate`` and ``key.retire`` that a checkpoint with their signature proves to stand in the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from audit.acts import Act
from audit.events import parse_event
from audit.notes import Note, Standing, VerifierKey, parse_vkey, standing
from audit.rawrows import RawRows
from audit.rotation import LogKey, endorsed_keys, retired_keys
from audit.storage import LogIdentity
from audit.storedtree import StoredHashes
from audit.tree import leaf_hash
from audit.verdicts import Findings, Kind
from models.errors import InvalidInput
from models.log import AuditEntry, AuditKey, AuditProjection
from models.prepared import Prepared

_KEYS = Prepared(
    sa.select(AuditKey.vkey, AuditKey.from_size, AuditKey.until_size)
    .where(AuditKey.log == sa.bindparam("log"))
    .order_by(AuditKey.from_size)
)
# A projection without these rows costs a new key its trust and never gives any; it lets a retired key go on, which a strict
# verification finds, since it compares the projection.
_ROTATIONS = Prepared(
    sa.select(AuditEntry.idx, AuditEntry.body)
    .join(AuditProjection, sa.and_(AuditProjection.log == AuditEntry.log, AuditProjection.idx == AuditEntry.idx))
    .where(
        AuditEntry.log == sa.bindparam("log"),
        sa.or_(AuditProjection.act == sa.bindparam("rotate"), AuditProjection.act == sa.bindparam("retire")),
    )
    .order_by(AuditEntry.idx)
    .limit(1000)
)


class Trust:
    """Judges signed notes; learns the keys that trusted ones vouch for, as checkpoints with their signature are met."""

    def __init__(
        self,
        rows: RawRows,
        identity: LogIdentity,
        trusted: Sequence[VerifierKey],
        stored: StoredHashes,
        findings: Findings,
    ) -> None:
        self._findings = findings
        self._stored = stored
        self._outside = list(trusted)
        self._own = _parsed(identity.vkey)
        self._keys: list[tuple[VerifierKey, LogKey]] = []
        self._read_keys(rows, identity)
        self._rotations = list(_rotations(rows, identity.log)) if trusted else []
        self._proved: list[tuple[int, dict[str, Any]]] = []
        self._retired: dict[str, int] = {}

    def _read_keys(self, rows: RawRows, identity: LogIdentity) -> None:
        if self._own is None:
            self._accuse("数据库中的日志公钥无法解析，它被改动过；请从外部取得公钥再核对。")
        elif self._own.name != identity.origin:
            self._accuse("数据库中的日志公钥与日志来源的名称不一致，其中之一被改动过。")
        found = rows.all(_KEYS, log=identity.log)
        for vkey, since, until in found:
            key = _parsed(vkey)
            if key is None or type(since) is not int or not (until is None or type(until) is int):
                self._accuse("数据库中的密钥期限记录无法解析，它被改动过；请从外部取得公钥再核对。")
            else:
                self._keys.append((key, LogKey(vkey, since, until)))
        if self._own is None:
            return
        if not found:
            self._accuse("数据库中的密钥期限记录不见了；它被删除，请从外部取得公钥再核对。")
            self._keys.append((self._own, LogKey(identity.vkey, 0, None)))
        elif not any(key == self._own and said.active for key, said in self._keys):
            self._accuse("数据库中的日志公钥不在有效密钥之列；公钥或密钥期限被改动过。")

    def _accuse(self, message: str) -> None:
        self._findings.add(Kind.KEY, None, message)

    def judge(self, note: Note, size: int) -> Standing:
        """FORGED where any believed key's signature is wrong, SIGNED where one is right and names the origin."""
        origin = note.text.partition("\n")[0]
        found = [(standing(note, key), key.name) for key in self._believed(size)]
        if any(state is Standing.FORGED for state, _name in found):
            return Standing.FORGED
        return Standing.SIGNED if (Standing.SIGNED, origin) in found else Standing.UNKNOWN

    def _believed(self, size: int) -> list[VerifierKey]:
        if self._outside:
            return [key for key in self._outside if size <= self._retired.get(str(key), size)]
        return [key for key, said in self._keys if said.covers(size)]

    def is_by_retired_key(self, note: Note, size: int) -> bool:
        """Whether a key has signed that was retired at a smaller size: somebody has it who should not."""
        ends = self._retired if self._outside else {said.vkey: said.until_size for _key, said in self._keys}
        keys = self._outside or [key for key, _said in self._keys]
        ended = [key for key in keys if (end := ends.get(str(key))) is not None and end < size]
        return any(standing(note, key) is Standing.SIGNED for key in ended)

    def learn(self, size: int, root: bytes) -> bool:
        """Takes what a checkpoint proves that a believed key has signed: the changes of keys in the log below its size.

        True where there are any: a key that has signed a log in which it is retired already is no longer believed at that
        very size, so the checkpoint is to be judged again.
        """
        known = len(self._proved)
        while self._rotations and self._rotations[0][0] < size:
            index, body = self._rotations.pop(0)
            if not self._stored.holds(index, leaf_hash(body), size, root):
                continue
            try:
                self._proved.append((index, parse_event(body)))
            except InvalidInput:
                continue
            self._outside = endorsed_keys(self._outside, self._proved)
            self._retired = retired_keys(self._outside, self._proved)
        return len(self._proved) > known

    def finish(self) -> None:
        """Says whether the database's own key is one of those believed."""
        if self._outside and self._own is not None and self._own not in self._outside:
            self._accuse("数据库中的日志公钥不是外部公布的公钥，也没有由它签名证明的更换记录；签名密钥被调换过。")


def _parsed(vkey: Any) -> VerifierKey | None:
    try:
        return parse_vkey(vkey) if isinstance(vkey, str) else None
    except InvalidInput:
        return None


def _rotations(rows: RawRows, log: str) -> list[tuple[int, bytes]]:
    found = rows.all(_ROTATIONS, log=log, rotate=Act.KEY_ROTATE.value, retire=Act.KEY_RETIRE.value)
    return [(index, body) for index, body in found if type(index) is int and isinstance(body, bytes)]
