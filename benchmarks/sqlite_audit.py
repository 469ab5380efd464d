"""What the log adds to a transition on SQLite (synchronous FULL): texts whose events are written, and texts whose are not.

The two take turns, transition by transition, in one database. Without the log nothing asks for the open tasks either, since
only events tell them.
"""

from __future__ import annotations

import contextlib
import logging
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import structlog

from application.demo import Demonstration, demonstration_people
from application.installing import initialize
from application.settings import Settings
from audit.journal import Recorded
from audit.recorder import Recorder
from benchmarks.transition import STEPS, make_texts, perform_one
from models.people import Role

TEXTS = 600
GOAL = 100


@contextlib.contextmanager
def without_log() -> Iterator[None]:
    """Transitions that leave no event."""
    with (
        mock.patch.object(Recorder, "write", return_value=Recorded("", 0, b"", 0)),
        mock.patch("workflow.steps.tasks_now", return_value=[]),
    ):
        yield


def main(texts: int = TEXTS) -> None:
    """Prints the medians of both, and what the log adds, step by step, in microseconds."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    added = []
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "home"
        installation = initialize(Settings(home=home)).installation
        people = demonstration_people(installation, Demonstration(home))
        ids = make_texts(people[Role.DRAFTER], texts)
        for role, action in STEPS:
            took: tuple[list[float], list[float]] = ([], [])
            for number, text in enumerate(ids):
                logged = number % 2 == 0
                with contextlib.nullcontext() if logged else without_log():
                    began = time.perf_counter()
                    perform_one(people[role], text, action)
                    took[logged].append((time.perf_counter() - began) * 1e6)
            silent, written = map(statistics.median, took)
            added.append(written - silent)
            print(f"{action:8} with the log {written:6.0f} µs   without {silent:6.0f} µs   +{added[-1]:4.0f}")
        installation.engine.dispose()
    print(f"mean of the steps: +{statistics.mean(added):.0f} µs a transaction   goal +{GOAL}")
