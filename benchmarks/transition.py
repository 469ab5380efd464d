"""An audited transition on SQLite (synchronous FULL) against the raw floor of the very same statements.

Both run on files in one folder, in turn, transition by transition. The floor replays what the engine sent to the driver through
``sqlite3`` alone: no Python of ours, no SQLAlchemy, the same bytes to disk.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structlog

from application.demo import Demonstration, demonstration_people
from application.installation import Request
from application.installing import initialize
from application.settings import Settings
from documents.checking import check
from documents.reading import read_text
from models.engine import Work, transaction
from models.ids import new_id
from models.people import Role
from models.places import anchor  # noqa: F401 -- imported before the clock starts
from models.prepared import Prepared
from workflow.answers import Said, answer
from workflow.engine import perform
from workflow.versions import Author, Snapshot, open_text

TEXTS = 300
STEPS = (
    (Role.DEPARTMENT_HEAD, "submit"),
    (Role.REVIEWER, "accept"),
    (Role.REVIEWER, "pass"),
    (Role.SECOND_REVIEWER, "pass"),
    (Role.APPROVER, "approve"),
    (Role.PUBLISHER, "publish"),
)


def make_texts(request: Request, count: int) -> list[str]:
    """Texts in draft whose sample content has no error, each warning answered."""
    from application.answers import answered
    from application.importing import latest_definition, snapshot_of
    from models.people import Organization, OrganizationKind

    sample = Path(__file__).parents[1] / "examples" / "library-2021.txt"
    content = read_text(sample.read_bytes()).content
    snapshot: Snapshot = snapshot_of(content)
    answers = [
        Said(item.fingerprint, item.finding.code, item.anchor, item.finding.message, "benchmark")
        for item in answered(content, check(content), {})
    ]
    out = []
    with transaction(request.installation.engine) as work:
        definition = latest_definition(work, "standard").id
        bureau = work.session.query(Organization).filter_by(kind=OrganizationKind.FINANCE.value).one().id
        for _ in range(count):
            text_id = new_id(request.now())
            text = open_text(
                work,
                text_id=text_id,
                organization_id=request.person.organization_id,
                reviewing_id=bureau,
                definition_id=definition,
                snapshot=snapshot,
                source=sample.read_bytes(),
                doubts=[],
                actor=request.actor,
                reason="benchmark",
                recorder=request.recorder,
                now=request.now(),
            )
            author = Author(request.actor, Role.DRAFTER)
            answer(work, text, author, answers=answers, recorder=request.recorder, now=request.now())
            out.append(text_id)
    return out


def perform_one(request: Request, text_id: str, action: str) -> None:
    now = request.now()
    with transaction(request.installation.engine) as work:
        perform(
            work,
            text_id,
            action,
            actor=request.actor,
            expected_version=None,
            command_id=new_id(now),
            recorder=request.recorder,
            now=now,
        )


@contextlib.contextmanager
def taped() -> Iterator[list[tuple[Prepared, dict[str, Any]]]]:
    """Notes what goes to the driver: one append per statement, so that the engine can be timed while it is taped."""
    tape: list[tuple[Prepared, dict[str, Any]]] = []
    kept = {name: getattr(Work, name) for name in ("run", "one", "rows")}

    def wrapped(original: Any) -> Any:
        def run(work: Work, prepared: Prepared, **values: Any) -> Any:
            tape.append((prepared, values))
            return original(work, prepared, **values)

        return run

    for name, original in kept.items():
        setattr(Work, name, wrapped(original))
    yield tape
    for name, original in kept.items():
        setattr(Work, name, original)


def main(texts: int = TEXTS) -> None:
    """Prints microseconds per transition (median), and the ratio floor / engine, step by step."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = initialize(Settings(home=folder / "home"))
        people = demonstration_people(made.installation, Demonstration(folder / "home"))
        ids = make_texts(people[Role.DRAFTER], texts)
        dialect = made.installation.engine.dialect
        made.installation.engine.dispose()
        shutil.copytree(folder / "home", folder / "floor")
        database = sqlite3.connect(folder / "floor" / "jixiao.db", isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            database.execute(f"PRAGMA {pragma}")
        cursor = database.cursor()
        with taped() as tape:
            for role, action in STEPS:
                engine_times, floor_times = [], []
                for text_id in ids:
                    tape.clear()
                    began = time.perf_counter()
                    perform_one(people[role], text_id, action)
                    engine_times.append(time.perf_counter() - began)
                    statements = [
                        (compiled.sql, compiled.parameters(dict(values)))
                        for compiled, values in ((prepared.on(dialect), values) for prepared, values in tape)
                    ]
                    began = time.perf_counter()
                    cursor.execute("BEGIN IMMEDIATE")
                    for sql, parameters in statements:
                        cursor.execute(sql, parameters)
                        if sql.startswith("SELECT"):
                            cursor.fetchall()
                    cursor.execute("COMMIT")
                    floor_times.append(time.perf_counter() - began)
                ours, floor = statistics.median(engine_times) * 1e6, statistics.median(floor_times) * 1e6
                print(
                    f"{action:8} engine {ours:7.0f} µs   floor {floor:7.0f} µs ({len(statements)} statements)"
                    f"   floor/engine {floor / ours:.2f}"
                )
        database.close()
