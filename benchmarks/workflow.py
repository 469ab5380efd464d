"""Definitions and many texts: exploring, compiling, bulk actions, and what can be done with a text now."""

from __future__ import annotations

import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from application import texts
from application.bulk import act_on_many
from application.demo import Demonstration, demonstration_people
from application.installing import initialize
from application.settings import Settings
from application.workflows import SHIPPED, shipped
from benchmarks.transition import make_texts, perform_one, taped
from models.people import Role
from workflow.definition import canonical, definition_hash, stored_definition
from workflow.exploration import explore
from workflow.machine import compile_machine
from workflow.proofs import prove
from workflow.source import parse_definition

BULK = 50


def main(rounds: int = 12) -> None:
    """Prints milliseconds (medians); for a bulk also the ratio to the single floor, in one interleaved run."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    _definitions()
    with tempfile.TemporaryDirectory() as name:
        _bulk(Path(name), rounds)


def _definitions() -> None:
    for name in SHIPPED:
        definition = parse_definition(shipped(name))
        body = canonical(definition)
        print(
            f"{name:9} explore {_milliseconds(lambda d=definition: explore(d)):7.1f} ms"  # type: ignore[misc]
            f"   prove {_milliseconds(lambda d=definition: prove(d)):7.1f} ms"  # type: ignore[misc]
            f"   read and hash {_milliseconds(lambda b=body: definition_hash(stored_definition(b))):5.2f} ms"  # type: ignore[misc]
            f"   compile {_milliseconds(lambda d=definition: compile_machine(d)):5.2f} ms"  # type: ignore[misc]
        )


def _bulk(folder: Path, rounds: int) -> None:
    made = initialize(Settings(home=folder / "home"))
    people = demonstration_people(made.installation, Demonstration(folder / "home"))
    drafts = make_texts(people[Role.DRAFTER], rounds * BULK * 2)
    act_on_many(people[Role.DEPARTMENT_HEAD], drafts, action="submit")
    dialect = made.installation.engine.dialect
    made.installation.engine.dispose()
    shutil.copytree(folder / "home", folder / "floor")
    database = sqlite3.connect(folder / "floor" / "jixiao.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        database.execute(f"PRAGMA {pragma}")
    reviewer = people[Role.REVIEWER]
    bulk_times, single_times, floor_times, offer_times = [], [], [], []
    for number in range(rounds):
        start = number * BULK * 2
        together, alone = drafts[start : start + BULK], drafts[start + BULK : start + 2 * BULK]
        began = time.perf_counter()
        act_on_many(reviewer, together, action="accept")
        bulk_times.append((time.perf_counter() - began) / BULK)
        for text_id in alone:
            with taped() as tape:
                began = time.perf_counter()
                perform_one(reviewer, text_id, "accept")
                single_times.append(time.perf_counter() - began)
            floor_times.append(_replayed(database, dialect, tape))
        for text_id in together[:5]:
            began = time.perf_counter()
            texts.actions(reviewer, text_id)
            offer_times.append(time.perf_counter() - began)
    database.close()
    bulk, single, floor, offer = (
        statistics.median(times) * 1e3 for times in (bulk_times, single_times, floor_times, offer_times)
    )
    print(
        f"accept    bulk of {BULK} {bulk:5.2f} ms a text   single {single:5.2f} ms   single floor {floor:5.2f} ms"
        f"   floor/bulk {floor / bulk:.2f}   single/bulk {single / bulk:.2f}"
    )
    print(f"text actions {offer:5.2f} ms")


def _replayed(database: sqlite3.Connection, dialect: Any, tape: list[Any]) -> float:
    statements = [
        (compiled.sql, compiled.parameters(dict(values)))
        for compiled, values in ((prepared.on(dialect), values) for prepared, values in tape)
    ]
    cursor = database.cursor()
    began = time.perf_counter()
    cursor.execute("BEGIN IMMEDIATE")
    for sql, parameters in statements:
        cursor.execute(sql, parameters)
        if sql.startswith("SELECT"):
            cursor.fetchall()
    cursor.execute("COMMIT")
    return time.perf_counter() - began


def _milliseconds(run: Callable[[], object], times: int = 5) -> float:
    measured = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        measured.append(time.perf_counter() - began)
    return statistics.median(measured) * 1e3
