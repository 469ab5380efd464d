"""What goes on beside the commands: integrating events, signing checkpoints, watching the lag, delivering messages.

A worker runs until it is stopped, and several may run at once: of each log's integrators one is elected and the others
stand by, and of two that sign at once the second finds that nothing is due.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import structlog

from application.installation import Installation
from application.lagging import alarm, log_ids
from application.postroom import Postroom, deliver_once
from audit.integration import Integrator, Phase
from models.engine import transaction
from models.errors import JixiaoError, LogCorrupt

# How often it is looked whether a checkpoint is due, in parts of the time between two of them; and at most, in seconds.
_LOOKS = 4
_LONGEST_PAUSE = 30.0
# How long a worker that is told to stop waits for a batch to end, in seconds.
_PATIENCE = 30.0


class Job(Protocol):
    """Something that is done again and again: ``every`` is the time between two times, in seconds."""

    @property
    def name(self) -> str:
        """What the program's log calls it."""

    @property
    def every(self) -> float:
        """Seconds between two runs."""

    def run_once(self) -> None:
        """Does what is to be done now; raises JixiaoError where that fails, and is called again later all the same."""


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Signs what has changed once its last checkpoint is old enough, and asks the witnesses."""

    installation: Installation
    name: str = "checkpoint"

    @property
    def every(self) -> float:
        """A part of the time between two checkpoints, so that none comes much later than promised."""
        return min(max(self.installation.settings.checkpoint_seconds / _LOOKS, 1.0), _LONGEST_PAUSE)

    def run_once(self) -> None:
        """Signs where it is due."""
        self.installation.settle()
        self.installation.settle_reads()


@dataclass(frozen=True, slots=True)
class LagWatch:
    """Warns in the program's log while events wait for too long."""

    installation: Installation
    name: str = "lag"
    every: float = 10.0

    def run_once(self) -> None:
        """Looks once."""
        alarm(self.installation)


class Part(StrEnum):
    """What a worker may be limited to: where the database knows several roles, each does its own."""

    LOG = "log"
    MESSAGES = "messages"


EVERYTHING = frozenset(Part)


def jobs_of(installation: Installation) -> list[Job]:
    """The jobs of an installation, in the order in which ``run_once`` does them."""
    if installation.engine.dialect.name == "sqlite":
        return [Checkpoints(installation)]
    return [Checkpoints(installation), LagWatch(installation)]


def work_once(installation: Installation, *, parts: frozenset[Part] = EVERYTHING) -> None:
    """Integrates everything that waits, does each job once, and delivers what is due; raises what fails first."""
    if Part.MESSAGES in parts:
        # Before the log, so that what it tells of them is signed as well.
        deliver_once(installation)
    if Part.LOG not in parts:
        return
    with transaction(installation.engine, read_only=True) as work:
        logs = log_ids(work)
    for log in logs:
        installation.catch_up(log)
    for job in jobs_of(installation):
        job.run_once()


def work(
    installation: Installation,
    stop: threading.Event,
    *,
    jobs: Sequence[Job] | None = None,
    parts: frozenset[Part] = EVERYTHING,
) -> None:
    """Works until ``stop`` is set.

    Raises LogCorrupt where a waiting event is not ours: integrating on would bury it, and a restart finds it again.
    """
    line = structlog.get_logger("jixiao")
    team = _Team(installation, stop) if Part.LOG in parts else None
    postroom = Postroom(installation, stop) if Part.MESSAGES in parts else None
    line.info("worker", outcome="started", database=installation.engine.dialect.name)
    for started in (team, postroom):
        if started is not None:
            started.start()
    try:
        if Part.LOG in parts:
            _repeat(jobs_of(installation) if jobs is None else jobs, stop)
        stop.wait()
    finally:
        stop.set()
        for ended in (team, postroom):
            if ended is not None:
                ended.join()
        line.info("worker", outcome="stopped")
    if team is not None and team.failure is not None:
        raise team.failure


def _repeat(jobs: Sequence[Job], stop: threading.Event) -> None:
    due = {job.name: 0.0 for job in jobs}
    while not stop.is_set():
        for job in jobs:
            if due[job.name] <= time.monotonic() and not stop.is_set():
                _run(job)
                due[job.name] = time.monotonic() + job.every
        stop.wait(max(min(due.values()) - time.monotonic(), 0.0) if due else None)


def _run(job: Job) -> None:
    try:
        job.run_once()
    except LogCorrupt as error:
        structlog.get_logger("jixiao").critical("worker", job=job.name, outcome="alarm", reason=error.message)
        raise
    except (JixiaoError, OSError) as error:
        # The database or the disk may be back the next time, and the other jobs go on meanwhile.
        reason = error.message if isinstance(error, JixiaoError) else str(error)
        structlog.get_logger("jixiao").error("worker", job=job.name, outcome="failed", reason=reason)


class _Team:
    """The integrators of all logs, each in a thread; the first that meets a damaged row stops everybody."""

    def __init__(self, installation: Installation, stop: threading.Event) -> None:
        self.failure: Exception | None = None
        self._stop = stop
        self._threads: list[threading.Thread] = []
        key = installation.mac_key
        if key is None:
            return
        with transaction(installation.engine, read_only=True) as opened:
            logs = log_ids(opened)
        for log in logs:
            integrator = Integrator(installation.engine, key, log, tell=_teller(log))
            self._threads.append(threading.Thread(target=self._guarded, args=(integrator,), name=f"integrator-{log}"))

    def start(self) -> None:
        """Starts the threads."""
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Waits for the threads, each of which ends after the batch that it is at."""
        for thread in self._threads:
            thread.join(_PATIENCE)

    def _guarded(self, integrator: Integrator) -> None:
        try:
            integrator.run(self._stop)
        except Exception as error:  # noqa: BLE001 -- a thread's failure must end the worker, whatever it is
            reason = error.message if isinstance(error, JixiaoError) else f"{type(error).__name__}: {error}"
            structlog.get_logger("jixiao").critical("integrator", log=integrator.log, outcome="alarm", reason=reason)
            self.failure = self.failure or error
            self._stop.set()


def _teller(log: str) -> Any:
    def tell(phase: Phase, reason: str) -> None:
        line = structlog.get_logger("jixiao")
        if phase is Phase.CONNECTION_LOST:
            line.error("integrator", log=log, outcome=str(phase), reason=reason)
        else:
            line.info("integrator", log=log, outcome=str(phase))

    return tell
