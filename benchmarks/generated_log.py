"""A large audit log in a SQLite file, made by bulk inserts: what the program would have written, without its transactions."""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from audit import tiles, tree
from audit.events import Act, Actor, EventDraft, Outcome, Via, event_bytes
from audit.journal import create_log
from audit.keys import Signer
from audit.notes import CheckpointText, sign_note
from models.base import timestamp
from models.engine import make_engine, metadata, transaction
from models.ids import new_id

START = datetime(2021, 1, 4, 8, 0, tzinfo=UTC)
ORIGIN = "example.gov.cn/audit/1"
# A text is edited, checked, handled and published in about this many events.
EVENTS_PER_TEXT = 25
_OPEN_TEXTS = 200
_WHY = (
    "绩效指标与预算规模不匹配，请补充测算依据。",
    "已按复核意见修改。",
    "同意。",
    "目标表述过于笼统，请写明数量和时限。",
)


def build(path: Path, count: int, *, events_per_checkpoint: int = 1000) -> Signer:
    """Makes the file with ``count`` events and a checkpoint for every so many, and returns the signer of its log."""
    signer = Signer.create(path.with_suffix(".pem"), ORIGIN)
    engine = make_engine(f"sqlite:///{path}")
    metadata().create_all(engine)
    with transaction(engine) as work:
        create_log(work, log_id="main", origin=ORIGIN, vkey=signer.vkey, now=START)
    engine.dispose()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous=OFF")
    _Builder(connection, signer, events_per_checkpoint).run(count)
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return signer


class _Builder:
    def __init__(self, connection: sqlite3.Connection, signer: Signer, events_per_checkpoint: int) -> None:
        self.connection = connection
        self.signer = signer
        self.private = signer._private  # noqa: SLF001 -- no head file is written for a thousand checkpoints of a benchmark
        self.every = events_per_checkpoint
        self.objects: dict[tuple[str, str], tuple[int, bytes]] = {}
        self.frontier = tree.EMPTY_FRONTIER
        self.edge = b""

    def run(self, count: int) -> None:
        drafts = _drafts(random.Random(4))
        now = START
        for start in range(0, count, tiles.WIDTH):
            entries: list[tuple[Any, ...]] = []
            projections: list[tuple[Any, ...]] = []
            notes: list[tuple[Any, ...]] = []
            for index in range(start, min(start + tiles.WIDTH, count)):
                now += timedelta(seconds=37, microseconds=index % 1000)
                draft = next(drafts)
                key = (draft.obj_type, draft.obj_id)
                version, prev = self.objects.get(key, (0, None))
                event_id = new_id(now)
                body = event_bytes(draft, event_id=event_id, ts=now, ver=version + 1, prev=prev)
                leaf = tree.leaf_hash(body)
                self.objects[key] = (version + 1, leaf)
                self.frontier = tree.append(index, self.frontier, leaf)
                entries.append(("main", index, body, leaf))
                names = (draft.act, draft.actor.sub, *key, version + 1, draft.out)
                projections.append(("main", index, event_id, timestamp(now), *names))
                if (index + 1) % self.every == 0 or index + 1 == count:
                    text = str(CheckpointText(ORIGIN, index + 1, tree.root_of(self.frontier)))
                    notes.append(
                        ("main", index + 1, str(sign_note(text, ORIGIN, self.private)), "", None, timestamp(now))
                    )
            self._insert("audit_entry", entries)
            self._insert("audit_projection", projections)
            self._insert("audit_checkpoint", notes)
            if len(entries) == tiles.WIDTH:
                completed, self.edge = tiles.complete(start, self.edge, b"".join(row[3] for row in entries))
                self._insert("audit_tile", [("main", *tile) for tile in completed])
        self._insert("audit_object", [("main", *key, *state) for key, state in self.objects.items()])
        self.connection.execute(
            "UPDATE audit_head SET n = ?, frontier = ?, edge = ?, root = ?",
            (count, self.frontier, self.edge, tree.root_of(self.frontier)),
        )

    def _insert(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            self.connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


def _drafts(chance: random.Random) -> Iterator[EventDraft]:
    """Events of many texts that are worked on at once, in the proportions of a budget season, and log-ins between them."""
    accounts = [new_id(START) for _ in range(300)]
    texts: list[str] = []
    acts = (
        (Act.TEXT_FIELD_UPDATE, "drafter"),
        (Act.TEXT_FIELD_UPDATE, "drafter"),
        (Act.TEXT_CONFIRM, "drafter"),
        (Act.OPINION_ADD, "reviewer"),
        ("workflow.submit", "department_head"),
        ("workflow.pass", "reviewer"),
    )
    for number in itertools.count():
        if number % EVENTS_PER_TEXT == 0:
            texts = [*texts[-_OPEN_TEXTS:], new_id(START + timedelta(seconds=37 * number))]
        act, role = chance.choice(acts)
        account = chance.choice(accounts)
        actor = Actor(account, role, Via.WEB)
        context = {"req": f"{chance.getrandbits(64):016x}", "app": "jixiao/0.1.0", "ses": account}
        if number % 20 == 7:
            yield EventDraft(Act.AUTH_LOGIN, Outcome.SUCCESS, actor, "account", account, context)
            continue
        after = f"{chance.getrandbits(256):064x}"
        details: dict[str, Any] = {"after": after}
        if act is Act.TEXT_FIELD_UPDATE:
            pointer = f"/indicators/{chance.randrange(20)}/target"
            details["chg"] = [
                {"p": pointer, "o": f"不少于{chance.randrange(90)}场次", "n": f"不少于{chance.randrange(90)}场次"}
            ]
        elif isinstance(act, Act):
            details["why"] = chance.choice(_WHY)
        else:
            details["why"] = chance.choice(_WHY)
            details["wf"] = {
                "from": "drafting",
                "to": "reviewing",
                "step": number % 30,
                "round": 1,
                "definition": after,
            }
        yield EventDraft(act, Outcome.SUCCESS, actor, "text", chance.choice(texts), context, **details)
