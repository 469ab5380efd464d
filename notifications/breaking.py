"""A circuit breaker for each channel (pybreaker): a provider that fails again and again is left alone for a while.

Only faults of the way count (time-outs, TLS, half answers), not refusals of single letters. While a breaker is open nothing of
its channel is claimed, so no attempt is lost; the other channels have breakers and threads of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pybreaker

from notifications.channels.protocol import Outcome, Verdict

FAULTS = 5
# Seconds for which a provider that failed is left alone.
PAUSE = 60.0


class _FaultError(Exception):
    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


class Breaker:
    """The breaker of one channel in one worker; ``pause`` in seconds."""

    def __init__(self, name: str, *, faults: int = FAULTS, pause: float = PAUSE) -> None:
        self._pause = pause
        self._opened = 0.0
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=faults, reset_timeout=pause, name=name, throw_new_error_on_trip=False
        )

    @property
    def resting(self) -> bool:
        """Whether the channel is left alone now; after the pause one letter is tried."""
        return self.tripped and time.monotonic() - self._opened < self._pause

    @property
    def tripped(self) -> bool:
        """Whether the last letters failed, and one is to be tried before others are."""
        return bool(self._breaker.current_state != pybreaker.STATE_CLOSED)

    def call(self, send: Callable[[], Outcome]) -> Outcome:
        """Sends, counting faults; while it rests nothing is sent."""

        def counted() -> Outcome:
            outcome = send()
            if outcome.fault:
                raise _FaultError(outcome)
            return outcome

        if self.resting:
            return Outcome(Verdict.LATER, "通道连续失败，暂停发送", after=self._pause)
        if self.tripped:
            # The library waits by the wall clock, which may be set back; the pause is over by the steady one.
            self._breaker.half_open()
        try:
            result: Outcome = self._breaker.call(counted)
        except _FaultError as fault:
            if self.tripped:
                self._opened = time.monotonic()
            return fault.outcome
        return result
