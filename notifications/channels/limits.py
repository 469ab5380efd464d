"""A bound on how long a provider may take altogether."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, call: Callable[[], T]) -> T | None:
    """The result of a call that has a thread of its own; None where it takes longer.

    A provider that sends a byte now and then keeps every single wait short, and would hold its channel for ever. Such a thread
    is left behind with its connection, and keeps no process from ending. What the call raises is raised here.
    """
    results: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            results.put((call(), None))
        except BaseException as error:  # noqa: BLE001 -- it is raised in the thread that waits
            results.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        result, error = results.get(timeout=seconds)
    except queue.Empty:
        return None
    if error is not None:
        raise error
    return result
