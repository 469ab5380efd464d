"""One immutable ``transitions.Machine`` per definition, shared by all threads and bound to no row.

Why so (measured with transitions 0.9.3): ``add_model`` overwrites a loaded state and keeps rows alive; ``queued=True``
on a shared machine runs another thread's callbacks; ``auto_transitions`` makes triggers that pass no guard; a string
callback with dots is imported and called. So: no models, no queue, no automatic triggers, only callables of the
registry. The machine's conditions stop at the first that fails, and a refusal has to list all its reasons, so each
transition carries one condition that asks every guard. Where a transition can lead to several states (back on the way, or
straight back to whoever returned the text), the machine has an edge to each, and the condition picks the one that is meant.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

from transitions import EventData, Machine, MachineError

from models.errors import GuardFailed, InvalidTransition
from workflow.conditions import holds
from workflow.definition import EARLIER, PREVIOUS, UNDO, Definition, Transition, definition_hash
from workflow.guards import Guard, find_guards
from workflow.records import times_taken
from workflow.situation import Situation

_machines: dict[str, Machine] = {}
_lock = threading.Lock()


class _Walker:
    """What the machine moves: a state, the situation, and the reasons that guards gave; ``asked`` once they were asked.

    ``number`` is the transition's place in its definition: two copies of one definition share a machine.
    """

    __slots__ = ("asked", "number", "reasons", "situation", "state")

    def __init__(self, state: str, situation: Situation) -> None:
        self.state = state
        self.situation = situation
        transitions = enumerate(situation.definition.transitions)
        self.number = next((n for n, item in transitions if item is situation.transition), -1)
        self.asked = False
        self.reasons: list[str] = []


def _judge(transition: Transition, guards: tuple[Guard, ...], situation: Situation) -> Iterator[str]:
    for item in guards:
        yield from item.judge(situation)
    for requirement in transition.requires:
        if not holds(requirement.that, situation.text.kind, situation.facts):
            yield requirement.message


def _condition(
    number: int, transition: Transition, target: str, guards: tuple[Guard, ...]
) -> Callable[[EventData], bool]:
    def meant_and_met(event: EventData) -> bool:
        walker = cast("_Walker", event.model)
        situation = walker.situation
        if walker.number != number or situation.target != target:
            return False
        walker.asked = True
        if transition.reason == "required" and not (situation.reason or "").strip():
            walker.reasons.append(f"“{transition.title}”必须写明理由")
        walker.reasons.extend(_judge(transition, guards, situation))
        return not walker.reasons

    return meant_and_met


def destinations(definition: Definition, transition: Transition, source: str) -> tuple[str, ...]:
    """Every state to which a transition could lead from a state, whatever way the text came."""
    desks = tuple(name for name, state in definition.states.items() if not state.editable and not state.final)
    if transition.target in (PREVIOUS, EARLIER):
        return tuple(name for name in desks if name != source)
    if transition.target == UNDO:
        before = [
            name
            for item in definition.transitions
            if item.target != UNDO
            for name in item.sources
            if source in destinations(definition, item, name)
        ]
        return tuple(dict.fromkeys(before))
    if transition.resumes:
        return tuple(dict.fromkeys((transition.target, *desks)))
    return (transition.target,)


def compile_machine(definition: Definition) -> Machine:
    """A machine of a definition; raises InvalidInput where a guard is not registered."""
    transitions: list[dict[str, Any]] = []
    for number, item in enumerate(definition.transitions):
        guards = find_guards(item.guards)
        transitions += [
            {
                "trigger": item.action,
                "source": source,
                "dest": target,
                "conditions": [_condition(number, item, target, guards)],
            }
            for source in item.sources
            for target in destinations(definition, item, source)
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
        if not walker.asked:
            raise impossible
        raise refused(situation.transition.title, walker.reasons, action)
    return walker.state


def judge(situation: Situation) -> list[str]:
    """What the guards of a transition say against it, without moving anything."""
    return list(_judge(situation.transition, find_guards(situation.transition.guards), situation))


def refused(title: str, reasons: list[str], action: str) -> GuardFailed:
    """The refusal with all its reasons, of which the sentence tells three."""
    shown = "；".join(reason.rstrip("。") for reason in reasons[:3])
    return GuardFailed(f"不能{title}：{shown}{'；…' if len(reasons) > 3 else ''}。", reasons, action=action)


def over_limit(situation: Situation) -> list[str]:
    """That the action was taken as often as the definition allows; empty where it was not."""
    limit = situation.transition.at_most
    if limit is None:
        return []
    times = times_taken(situation.work, situation.text.id, situation.transition.action)
    return [f"已“{situation.transition.title}” {times} 次，最多 {limit} 次"] if times >= limit else []


def check_limit(situation: Situation) -> None:
    """Raises GuardFailed where the action was taken as often as the definition allows."""
    reasons = over_limit(situation)
    if reasons:
        raise refused(situation.transition.title, reasons, situation.transition.action)
