"""A log under test, the same on both databases, and the hand of an attacker with database rights."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from audit.checkpoints import Checkpoint, sign_checkpoint
from audit.events import Act, Actor, EventDraft, Outcome, Via
from audit.integrator import integrate
from audit.journal import Recorded, record
from audit.keys import Signer
from audit.storage import Head, StoredTree, read_head
from audit.verdicts import Level, Status, Verdict
from audit.verification import verify
from models.engine import transaction
from models.ids import new_id

NOW = datetime(2025, 3, 1, 9, 0, tzinfo=UTC)
MAC_KEY = bytes(range(32))


def draft(number: int = 0, *, obj_id: str | None = None, **members: Any) -> EventDraft:
    return EventDraft(
        act=Act.TEXT_FIELD_UPDATE,
        out=Outcome.SUCCESS,
        actor=Actor("account-1", "drafter", Via.WEB),
        obj_type="budget_text",
        obj_id=obj_id or f"text-{number % 7}",
        ctx={"req": f"r{number}", "app": "jixiao/test"},
        **members,
    )


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


@dataclass
class Log:
    """The log ``main`` of a database, with its signer."""

    engine: sa.Engine
    signer: Signer

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    def write(self, count: int = 1, start: int = 0) -> list[Recorded]:
        """Records events in one transaction, without integrating them."""
        with transaction(self.engine) as work:
            return [
                record(work, draft(number), event_id=new_id(NOW), now=NOW, mac_key=MAC_KEY)
                for number in range(start, start + count)
            ]

    def add(self, count: int = 1, start: int = 0) -> list[Recorded]:
        """Records events and gives them their indexes."""
        recorded = self.write(count, start)
        while integrate(self.engine, mac_key=MAC_KEY):
            pass
        return recorded

    def sign(self) -> Checkpoint | None:
        return sign_checkpoint(self.engine, self.signer, now=NOW)

    def filled(self, count: int, *signed: int) -> Log:
        """Adds events up to ``count``, signing at the named sizes."""
        done = self.head().size
        for size in sorted({*signed, count}):
            self.add(size - done, done)
            done = size
            if size in signed:
                self.sign()
        return self

    def head(self) -> Head:
        with transaction(self.engine, read_only=True) as work:
            return read_head(work, "main")

    def tree(self, work: Any) -> StoredTree:
        return StoredTree(work, "main", read_head(work, "main"))

    def verify(self, **arguments: Any) -> Verdict:
        return verify(self.engine, **({"mac_key": MAC_KEY} | arguments))

    def rows(self, sql: str, **values: Any) -> list[Any]:
        with self.engine.begin() as connection:
            return list(connection.execute(sa.text(sql), values))

    def attack(self, sql: str, **values: Any) -> None:
        """Changes the database as its owner, past the program."""
        with self.engine.begin() as connection:
            assert connection.execute(sa.text(sql), values).rowcount != 0

    def note_at(self, size: int) -> str:
        """The stored checkpoint of a size."""
        note: str = self.rows("SELECT note FROM audit_checkpoint WHERE size = :s", s=size)[0][0]
        return note

    def statuses(self, **arguments: Any) -> list[Status]:
        """What a verification says at each level, from head to strict."""
        return [self.verify(level=level, **arguments).status for level in Level]

    def body(self, index: int) -> bytes:
        return bytes(self.rows("SELECT body FROM audit_entry WHERE idx = :i", i=index)[0][0])

    def leaf(self, index: int) -> bytes:
        return bytes(self.rows("SELECT leaf FROM audit_entry WHERE idx = :i", i=index)[0][0])

    def leaves(self) -> list[bytes]:
        return [bytes(row[0]) for row in self.rows("SELECT leaf FROM audit_entry ORDER BY idx")]

    def counts(self) -> dict[str, int]:
        """Rows of each table that an event touches."""
        names = ("audit_entry", "audit_projection", "audit_object", "audit_tile", "audit_outbox", "audit_checkpoint")
        return {name: self.rows(f"SELECT count(*) FROM {name}")[0][0] for name in names} | {"n": self.head().size}


def caught_from(level: Level) -> list[Status]:
    """Intact below a level, tampered from it on."""
    at = list(Level).index(level)
    return [Status.INTACT] * at + [Status.TAMPERED] * (len(Level) - at)
