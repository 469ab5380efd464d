from __future__ import annotations

import threading

from notifications.breaking import Breaker
from notifications.channels.protocol import SENT, Outcome, Verdict

FAULT = Outcome(Verdict.LATER, "超时", fault=True)


def test_while_a_breaker_rests_nothing_is_sent_and_one_good_letter_closes_it():
    breaker, sent = Breaker("hook", faults=2, pause=0.1), []

    def send(outcome):
        return breaker.call(lambda: sent.append(1) or outcome)

    assert send(FAULT) is FAULT
    assert not breaker.tripped
    assert send(FAULT) is FAULT
    assert breaker.resting
    assert send(SENT).verdict is Verdict.LATER
    assert len(sent) == 2
    threading.Event().wait(0.15)
    assert breaker.tripped
    assert not breaker.resting
    assert send(SENT) is SENT
    assert not breaker.tripped


def test_refusals_of_letters_open_no_breaker():
    breaker = Breaker("hook", faults=2)
    for _ in range(10):
        breaker.call(lambda: Outcome(Verdict.NEVER, "拒收"))
    assert not breaker.tripped
