"""A process of its own that integrates, and dies without a farewell at a point that the test names."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from typing import Any

KILLED = 9
_INSIDE = "inside a batch"


def run(url: str, mac_key: bytes, point: tuple[str, int, str] | None, ready: Any, armed: Any) -> None:
    """Integrates until SIGTERM; ``point`` is (function, number of its call within a batch, "before" or "after").

    One that is to die begins no batch before ``armed`` is set: an idle one would die at the first look.
    """
    import psycopg
    import sqlalchemy as sa

    from audit import batch, integration
    from models.engine import Work, make_engine

    integration._ELECTION_PAUSE = 0.02
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    engine = make_engine(url)
    integrator = integration.Integrator(engine, mac_key)
    if point is not None:
        calls: Counter[str] = Counter()
        owners: dict[str, tuple[Any, str]] = {
            "run": (Work, "run"),
            "one": (Work, "one"),
            "rows": (Work, "rows"),
            "copy": (batch, "_copy"),
            "row": (psycopg.Copy, "write_row"),
            "commit": (sa.Connection, "_commit_impl"),
        }
        name, number, moment = point
        _patch(*owners[name], lambda: calls.update([name]), lambda: calls[_INSIDE] and calls[name] == number, moment)
        original = integration.Integrator._once

        def once(self: Any, connection: Any) -> int:
            armed.wait()
            # The election before the first batch commits as well.
            calls.clear()
            calls[_INSIDE] = 1
            return original(self, connection)

        integration.Integrator._once = once  # type: ignore[method-assign]
    ready.set()
    integrator.run(stop)
    engine.dispose()


def _patch(owner: Any, name: str, count: Any, due: Any, moment: str) -> None:
    original = getattr(owner, name)

    def call(*arguments: Any, **values: Any) -> Any:
        count()
        if moment == "before" and due():
            os._exit(KILLED)
        result = original(*arguments, **values)
        if moment == "after" and due():
            os._exit(KILLED)
        return result

    setattr(owner, name, call)
