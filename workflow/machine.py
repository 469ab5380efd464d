"""One immutable ``transitions.Machine`` per definition, shared by all threads and bound to no row.

Why so (measured with transitions 0.9.3): ``add_model`` overwrites a loaded state and keeps rows alive; ``queued=True``
on a shared machine runs another thread's callbacks; ``auto_transitions`` makes triggers that pass no guard; a string
callback with dots is imported and called. So: no models, no queue, no automatic triggers, only callables of the
registry. The machine's conditions stop at the first that fails, and a refusal has to list all its reasons, so each
transition carries one condition that asks every guard.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, cast

from transitions import EventData, Machine, MachineError

from models.errors import GuardFailed, InvalidTransition
from workflow.definition import Definition, Transition, definition_hash
from workflow.guards import Guard, find_guards
from workflow.situation import Situation

_machines: dict[str, Machine] = {}
_lock = threading.Lock()


class _Walker:
    """What the machine moves: a state, the situation, and the reasons that guards gave."""

    __slots__ = ("reasons", "situation", "state")

    def __init__(self, state: str, situation: Situation) -> None:
        self.state = state
        self.situation = situation
        self.reasons: list[str] = []


def _condition(transition: Transition, guards: tuple[Guard, ...]) -> Callable[[EventData], bool]:
    def every_guard(event: EventData) -> bool:
        walker = cast("_Walker", event.model)
        if transition.reason == "required" and not (walker.situation.reason or "").strip():
            walker.reasons.append(f"“{transition.title}”必须写明理由")
        for item in guards:
            walker.reasons.extend(item.judge(walker.situation))
        return not walker.reasons

    return every_guard


def compile_machine(definition: Definition) -> Machine:
    """A machine of a definition; raises InvalidInput where a guard is not registered."""
    transitions: list[dict[str, Any]] = [
        {
            "trigger": item.action,
            "source": list(item.sources),
            "dest": item.target,
            "conditions": [_condition(item, find_guards(item.guards))],
        }
        for item in definition.transitions
    ]
    return Machine(
        model=None,
        states=list(definition.states),
        initial=definition.initial,
        transitions=transitions,
        auto_transitions=False,
        send_event=True,
        queued=False,
    )


def machine_for(definition: Definition, key: str | None = None) -> Machine:
    """The shared machine of a definition; ``key`` is its hash where the caller has it at hand."""
    key = key or definition_hash(definition)
    machine = _machines.get(key)
    if machine is None:
        with _lock:
            machine = _machines.get(key)  # another thread may have compiled it while this one waited
            if machine is None:
                machine = _machines[key] = compile_machine(definition)
    return machine


def advance(machine: Machine, situation: Situation) -> str:
    """The state after the transition; raises GuardFailed with every reason, or InvalidTransition."""
    walker = _Walker(situation.text.state, situation)
    action = situation.transition.action
    impossible = InvalidTransition(f"当前状态不能“{situation.transition.title}”。", action=action)
    # Asked before, since an error of a guard must not look like a wrong state.
    if action not in machine.events or walker.state not in machine.states:
        raise impossible
    try:
        moved = machine.events[action].trigger(walker)
    except MachineError as error:
        raise impossible from error
    if not moved:
        reasons = walker.reasons
        raise GuardFailed(
            f"不能{situation.transition.title}：{'；'.join(reason.rstrip('。') for reason in reasons[:3])}{'；…' if len(reasons) > 3 else ''}。",
            reasons,
            action=action,
        )
    return walker.state
