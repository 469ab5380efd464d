"""What it costs an auditor that a look is written down: ``text show`` with and without, in turn, in milliseconds."""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import structlog

from application.demo import SAMPLE, Demonstration, demonstration_people
from application.importing import import_text
from application.installing import initialize
from application.resources import folder
from application.settings import Settings
from application.texts import show_text
from models.people import Role

_RUNS = 400


def _milliseconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Prints both medians and the median of the differences."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "home"
        installation = initialize(Settings(home=home)).installation
        people = demonstration_people(installation, Demonstration(home))
        sample = (folder("examples", "jixiao_examples") / SAMPLE).read_bytes()
        text = import_text(people[Role.DRAFTER], sample, name=SAMPLE)["text"]
        auditor = people[Role.AUDITOR]
        written, silent = [], []
        for number in range(_RUNS + 20):
            looked = _milliseconds(lambda: show_text(auditor, text))
            with mock.patch("application.use_cases.record_look"):
                alone = _milliseconds(lambda: show_text(auditor, text))
            if number >= 20:
                written.append(looked)
                silent.append(alone)
        installation.engine.dispose()
    added = statistics.median(a - b for a, b in zip(written, silent, strict=True))
    print(
        f"text show by an auditor: {statistics.median(written):.2f} ms recorded, {statistics.median(silent):.2f} ms not,"
        f" +{added:.2f} ms; p95 {sorted(written)[int(_RUNS * 0.95)]:.2f} and {sorted(silent)[int(_RUNS * 0.95)]:.2f} ms"
    )
