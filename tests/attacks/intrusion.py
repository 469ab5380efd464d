"""An office that was honest until now, and the hand of an intruder who has all rights in its database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from intruder import disarm

from application.auditing import Level, verify_log
from application.installation import LOG, Installation, Request
from application.settings import WitnessSetting
from application.witness_service import WitnessService
from audit import tiles, tree
from audit.batch import projection
from audit.events import parse_event
from audit.keys import Signer
from audit.notes import CheckpointText, open_checkpoint, parse_vkey, sign_note
from audit.storage import StoredTree, read_head
from audit.verdicts import Verdict
from audit.witness import Answer, render_request
from models.canonical import canonical_bytes
from models.engine import transaction
from models.log import AuditEntry, AuditHead, AuditObject, AuditProjection, AuditTile
from models.people import Role

Event = dict[str, Any]


@dataclass(frozen=True)
class Victim:
    """A copy of the honest office, with what is kept outside of it.

    ``early`` is the checkpoint that the auditor got on some day, ``late`` the newest one, which the witness has cosigned;
    ten events after it are not signed yet. ``hidden`` is the index of a refused attempt below ``early``.
    """

    installation: Installation
    people: dict[Role, Request]
    witness: WitnessService
    vkey: str
    early: str
    late: str
    hidden: int
    text: str

    @property
    def engine(self) -> sa.Engine:
        return self.installation.engine

    def size_of(self, note: str) -> int:
        return open_checkpoint(note, [parse_vkey(self.vkey)]).size

    def inside(self, level: Level = Level.FULL) -> Verdict:
        """What the operator's own verification says: it asks the database, and the head file beside the keys."""
        return verify_log(self._witnessed(), level=level)

    def outside(self, *notes: str, level: Level = Level.FULL) -> Verdict:
        """What somebody says who kept the published key and checkpoints (the early one, where none is named)."""
        return verify_log(self._witnessed(), level=level, trusted=(self.vkey,), outside=notes or (self.early,))

    def asked(self, old: int, note: str) -> Answer:
        """What the witness answers to a checkpoint with a proof from the size that it has cosigned."""
        size = self.size_of(note)
        with transaction(self.engine, read_only=True) as work:
            stored = StoredTree(work, LOG, read_head(work, LOG))
            proof = stored.consistency(old, size) if old <= size else []
        return self.witness.add_checkpoint(render_request(old, proof, note))[0]

    def _witnessed(self) -> Installation:
        named = (WitnessSetting(vkey=str(self.witness.cosigner.key), url="http://127.0.0.1:9"),)
        settings = self.installation.settings.model_copy(update={"witnesses": named})
        return Installation(settings, self.engine, self.installation.clock)

    def request(self, role: Role) -> Request:
        return replace(self.people[role], installation=self.installation)


class Intruder:
    """Changes the database past the program, whose formats are public; ``key`` is the log's signing key, where stolen."""

    def __init__(self, victim: Victim, key: Signer | None = None) -> None:
        self.victim = victim
        self.key = key
        with victim.engine.begin() as connection:
            disarm(connection)

    def rows(self, sql: str, **values: Any) -> list[Any]:
        with self.victim.engine.begin() as connection:
            return list(connection.execute(sa.text(sql), values))

    def run(self, sql: str, **values: Any) -> None:
        with self.victim.engine.begin() as connection:
            assert connection.execute(sa.text(sql), values).rowcount != 0

    def bodies(self) -> list[bytes]:
        return [bytes(row[0]) for row in self.rows("SELECT body FROM audit_entry WHERE log = 'main' ORDER BY idx")]

    def history(self) -> list[Event]:
        return [parse_event(body) for body in self.bodies()]

    def rewrite(self, change: Callable[[list[Event]], Sequence[Event]]) -> None:
        """Another history, as whole as one can make it: versions and links of the objects, hashes, tiles, head, columns.

        With the key its checkpoints are signed anew, and the head file beside the key as well; without it they stay as they
        are, since a forged signature would be worse than a missing one.
        """
        self.store(linked(change(self.history())))
        if self.key is not None:
            self.sign_anew()

    def store(self, bodies: Sequence[bytes], unindexed: Sequence[int] = ()) -> None:
        """Puts these bodies into the place of the log, with everything that is derived from them.

        ``unindexed`` are the entries that get no row for queries.
        """
        with transaction(self.victim.engine) as work:
            for table in ("audit_entry", "audit_projection", "audit_object", "audit_tile"):
                work.connection.execute(sa.text(f"DELETE FROM {table} WHERE log = 'main'"))
            leaves = [tree.leaf_hash(body) for body in bodies]
            insert = work.connection.execute
            entries = [
                {"log": LOG, "idx": index, "body": body, "leaf": leaf}
                for index, (body, leaf) in enumerate(zip(bodies, leaves, strict=True))
            ]
            events = [parse_event(body) for body in bodies]
            insert(sa.insert(AuditEntry), entries)
            shown = [projection(LOG, at, event) for at, event in enumerate(events) if at not in unindexed]
            insert(sa.insert(AuditProjection), shown)
            newest = {(event["obj"]["type"], event["obj"]["id"]): index for index, event in enumerate(events)}
            objects = [
                {"log": LOG, "obj_type": key[0], "obj_id": key[1], "ver": events[at]["obj"]["ver"], "leaf": leaves[at]}
                for key, at in newest.items()
            ]
            insert(sa.insert(AuditObject), objects)
            edge, stored = b"", []
            for base in range(0, len(leaves) - len(leaves) % tiles.WIDTH, tiles.WIDTH):
                completed, edge = tiles.complete(base, edge, b"".join(leaves[base : base + tiles.WIDTH]))
                stored += [
                    {"log": LOG, "level": level, "n": number, "h": hashes} for level, number, hashes in completed
                ]
            if stored:
                insert(sa.insert(AuditTile), stored)
            frontier = frontier_of(leaves)
            work.connection.execute(sa.text("DELETE FROM audit_head WHERE log = 'main'"))
            head = {"n": len(leaves), "frontier": frontier, "edge": edge, "root": tree.root_of(frontier)}
            insert(sa.insert(AuditHead), [{"log": LOG, **head}])

    def sign_anew(self) -> str:
        """Signs all checkpoints anew, drops those that lie beyond the end, signs the end, and puts the head file right."""
        assert self.key is not None
        leaves = [tree.leaf_hash(body) for body in self.bodies()]
        self.forget_checkpoints(beyond=len(leaves))
        sizes = {row[0] for row in self.rows("SELECT size FROM audit_checkpoint WHERE log = 'main'")}
        note = ""
        for size in sorted(sizes):
            note = self.signed(size, leaves)
            self.run(
                "UPDATE audit_checkpoint SET note = :n, cosignatures = '' WHERE log = 'main' AND size = :s",
                n=note,
                s=size,
            )
        if len(leaves) not in sizes:
            note = self.signed(len(leaves), leaves)
            moment = self.rows("SELECT max(created) FROM audit_checkpoint")[0][0]
            self.run(
                "INSERT INTO audit_checkpoint (log, size, note, cosignatures, created) VALUES ('main', :s, :n, '', :c)",
                s=len(leaves),
                n=note,
                c=moment,
            )
        self.key.head_path.write_text(note, encoding="utf-8")
        return note

    def sign_anew_beyond(self, size: int) -> str:
        """Signs the end, and leaves the checkpoints up to a size with their cosignatures as they are."""
        kept = self.rows(
            "SELECT size, note, cosignatures FROM audit_checkpoint WHERE log = 'main' AND size <= :s", s=size
        )
        note = self.sign_anew()
        for each, old, lines in kept:
            self.run(
                "UPDATE audit_checkpoint SET note = :n, cosignatures = :c WHERE log = 'main' AND size = :s",
                n=old,
                c=lines,
                s=each,
            )
        return note

    def signed(self, size: int, leaves: Sequence[bytes]) -> str:
        assert self.key is not None
        text = str(CheckpointText(self.key.name, size, tree.root_of(frontier_of(leaves[:size]))))
        return str(sign_note(text, self.key.name, self.key._private))

    def forget_checkpoints(self, beyond: int = -1) -> None:
        with self.victim.engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM audit_checkpoint WHERE log = 'main' AND size > :s"), {"s": beyond})

    def lose_head_file(self) -> None:
        """What one can do who also writes files of the installation, but has no key (it lies in another machine)."""
        Path(self.victim.installation.signer.head_path).unlink()


def frontier_of(leaves: Sequence[bytes]) -> bytes:
    frontier = tree.EMPTY_FRONTIER
    for size, leaf in enumerate(leaves):
        frontier = tree.append(size, frontier, leaf)
    return frontier


def linked(events: Sequence[Event]) -> list[bytes]:
    """Bodies of a history in which each object's events are numbered and linked without a gap."""
    bodies: list[bytes] = []
    newest: dict[tuple[str, str], tuple[int, bytes]] = {}
    for event in events:
        key = (event["obj"]["type"], event["obj"]["id"])
        version, leaf = newest.get(key, (0, b""))
        link = {"prev": leaf.hex()} if version else {}
        rest = {name: value for name, value in event.items() if name != "prev"}
        body = canonical_bytes({**rest, **link, "obj": {**event["obj"], "ver": version + 1}})
        bodies.append(body)
        newest[key] = (version + 1, tree.leaf_hash(body))
    return bodies
