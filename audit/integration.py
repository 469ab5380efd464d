"""The running integrator: elected for as long as its connection lives, woken by NOTIFY or by its own short look.

Writers do not notify. PostgreSQL lets transactions that notify commit one at a time, which costs ten elevenths of the
throughput of 16 writers (decision 0022); so whoever waits for an event notifies after its commit, and for all others the
integrator looks by itself, often while there is work and seldom while there is none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from audit.batch import integrate_batch
from audit.integrator import BATCH, CHANNEL, lock_number
from audit.journal import MAIN_LOG
from models.engine import Work, translated
from models.errors import Conflict, DatabaseUnavailable, JixiaoError

# Between two looks while nothing waits: first and longest, in seconds. The first lets a batch gather.
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.5
# Between two tries to be elected, and to reach a database that is gone: first and longest.
_ELECTION_PAUSE = 1.0
_LONGEST_ABSENCE = 30.0


class Phase(StrEnum):
    """What the integrator tells while it runs."""

    STANDING_BY = "standing_by"
    ELECTED = "elected"
    CONNECTION_LOST = "connection_lost"


# Called with each change of phase, and for a lost connection with its reason.
Tell = Callable[[Phase, str], None]


def _nothing(_phase: Phase, _reason: str) -> None:
    return


@dataclass(slots=True)
class Integrator:
    """Integrates one log until it is stopped; several may run, of which one is elected and the others stand by.

    ``batch`` is the most events of one transaction, ``integrated`` counts those that this one has integrated.
    """

    engine: sa.Engine
    mac_key: bytes
    log: str = MAIN_LOG
    batch: int = BATCH
    tell: Tell = _nothing
    integrated: int = 0

    def run(self, stop: threading.Event) -> None:
        """Works until ``stop`` is set; a lost connection is made anew, with growing pauses.

        Raises LogCorrupt at the first waiting row that is not ours: what stands before it is integrated, nobody goes on
        from it, and a person must look.
        """
        absence = _FIRST_PAUSE
        while not stop.is_set():
            try:
                with self.engine.connect() as connection:
                    # The election belongs to the server's session, so the connection is closed and never goes back to
                    # the pool, where it would stay elected and do nothing.
                    connection.detach()
                    absence = _FIRST_PAUSE
                    self._stand(connection, stop)
            except (DatabaseUnavailable, Conflict) as error:
                lost: JixiaoError = error
            except sa.exc.DBAPIError as error:
                lost = translated(error.orig or error)
            except self.engine.dialect.loaded_dbapi.Error as error:
                lost = translated(error)
            else:
                continue
            self.tell(Phase.CONNECTION_LOST, lost.message)
            stop.wait(absence)
            absence = min(absence * 2, _LONGEST_ABSENCE)

    def _stand(self, connection: sa.Connection, stop: threading.Event) -> None:
        standing_by = False
        while not stop.is_set():
            if self._elected(connection):
                self.tell(Phase.ELECTED, "")
                self._serve(connection, stop)
                return
            if not standing_by:
                self.tell(Phase.STANDING_BY, "")
                standing_by = True
            stop.wait(_ELECTION_PAUSE)

    def _elected(self, connection: sa.Connection) -> bool:
        elected = connection.execute(sa.select(sa.func.pg_try_advisory_lock(lock_number(self.log)))).scalar_one()
        if elected:
            connection.exec_driver_sql(f"LISTEN {CHANNEL}")
        connection.commit()
        return bool(elected)

    def _serve(self, connection: sa.Connection, stop: threading.Event) -> None:
        pause = _FIRST_PAUSE
        while not stop.is_set():
            count = self._once(connection)
            if count == self.batch:
                continue
            pause = _FIRST_PAUSE if count else min(pause * 2, _LONGEST_PAUSE)
            self._rest(connection, pause)

    def _once(self, connection: sa.Connection) -> int:
        with connection.begin():
            work = Work(connection)
            try:
                count, broken = integrate_batch(work, self.log, self.mac_key, self.batch)
            finally:
                work.close()
        self.integrated += count
        if broken is not None:
            raise broken
        return count

    @staticmethod
    def _rest(connection: sa.Connection, pause: float) -> None:
        """Sleeps until somebody notifies, at most ``pause`` seconds."""
        driver: Any = connection.connection.dbapi_connection
        for _ in driver.notifies(timeout=pause, stop_after=1):
            pass
