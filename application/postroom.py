"""The post room of a worker: one thread tells, one delivers for each channel; a slow provider keeps nobody else waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from application.channels import channel_names
from application.delivering import Carrier
from application.installation import Installation
from application.reminding import run_daily
from application.telling import tell_waiting
from models.errors import JixiaoError

# Seconds between two looks while nothing is to be done: how late a message may come that another process wrote.
_IDLE = 0.5
# Seconds after a failure (no database, no right, a missing secret), and between two looks at the clock for daily work.
_AFTER_FAILURE = 5.0
_DAILY = 60.0
# How long a worker that is told to stop waits for a letter that is being sent, in seconds.
_PATIENCE = 30.0


class Postroom:
    """Threads that work until ``stop`` is set."""

    def __init__(self, installation: Installation, stop: threading.Event) -> None:
        self._installation = installation
        self._stop = stop
        self._news = {name: threading.Event() for name in channel_names(installation.settings)}
        self._threads = [threading.Thread(target=self._tell, name="teller")]
        for name in self._news:
            self._threads.append(threading.Thread(target=self._carry, args=(name,), name=f"carrier-{name}"))

    def start(self) -> None:
        """Starts the threads."""
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Waits for the threads, each of which ends after the letter that it is at."""
        for news in self._news.values():
            news.set()
        for thread in self._threads:
            thread.join(_PATIENCE)

    def _tell(self) -> None:
        daily = 0.0
        while not self._stop.is_set():
            pause = self._guarded("tell", self._tell_once)
            if time.monotonic() >= daily:
                self._guarded("daily", lambda: float(run_daily(self._installation)))
                daily = time.monotonic() + _DAILY
            self._stop.wait(pause)

    def _tell_once(self) -> float:
        count, queued = tell_waiting(self._installation)
        for name in queued:
            self._news[name].set()
        return 0.0 if count else _IDLE

    def _carry(self, name: str) -> None:
        carrier, news = Carrier(self._installation, name), self._news[name]
        try:
            while not self._stop.is_set():
                news.clear()
                pause = self._guarded(name, lambda: 0.0 if carrier.run_once(self._stop.is_set) else _IDLE)
                if pause and not self._stop.is_set():
                    news.wait(pause)
        finally:
            carrier.close()

    def _guarded(self, job: str, run: Callable[[], float]) -> float:
        """Runs a part and gives the pause after it; its failure is a line in the program's log, and it is tried again."""
        try:
            return run()
        except (JixiaoError, OSError) as error:
            reason = error.message if isinstance(error, JixiaoError) else str(error)
            structlog.get_logger("jixiao").error("postroom", job=job, outcome="failed", reason=reason)
        except Exception as error:  # noqa: BLE001 -- a fault of ours in one message must not end the audit log's worker
            reason = f"{type(error).__name__}: {error}"
            structlog.get_logger("jixiao").critical("postroom", job=job, outcome="crash", reason=reason)
        return _AFTER_FAILURE


def deliver_once(installation: Installation) -> int:
    """Tells everything that waits, does the daily work if it is time, and delivers what is due; how many letters that were."""
    while tell_waiting(installation)[0]:
        pass
    run_daily(installation)
    count, failed = 0, None
    for name in channel_names(installation.settings):
        carrier = Carrier(installation, name)
        try:
            while done := carrier.run_once():
                count += done
        except JixiaoError as error:
            # A channel whose secrets are missing keeps no other from delivering; it is said all the same.
            failed = failed or error
        finally:
            carrier.close()
    if failed is not None:
        raise failed
    return count
