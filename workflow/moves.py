"""Where a text stands on its way and where a transition leads it: pure functions that the engine and the analysis share.

The way (``path``) holds the states of the bureau's desks through which the text came in this round, the first one first;
states in which its author edits it are no part of it. A return cuts it back; ``resume`` keeps what it cut where the text
shall come straight back to whoever returned it (直送退回人).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workflow.definition import EARLIER, PREVIOUS, UNDO, Definition, Transition

Resume = Literal["restart", "direct"]


@dataclass(frozen=True, slots=True)
class Position:
    """A state, the way to it (without it), and the way to be restored with the state at its end; empty where none is."""

    state: str
    path: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()


def targets(transition: Transition, position: Position) -> tuple[str, ...]:
    """The states to which a transition can lead from here; empty where there is nothing before on the way.

    Where a transition takes a text straight back to whoever returned it, this is the only one.
    """
    if transition.target == PREVIOUS:
        return position.path[-1:]
    if transition.target == EARLIER:
        return tuple(dict.fromkeys(reversed(position.path)))
    if transition.target == UNDO:
        return ()
    if transition.resumes and position.resume:
        return position.resume[-1:]
    return (transition.target,)


def resumptions(transition: Transition) -> tuple[Resume, ...]:
    """How a return may be followed; the first is taken where nobody says."""
    if transition.resume == "choose":
        return ("restart", "direct")
    return (transition.resume,) if transition.resume else ("restart",)


def move(definition: Definition, transition: Transition, position: Position, target: str, resume: Resume) -> Position:
    """Where the text stands afterwards; ``target`` is one of ``targets``, ``resume`` matters for a return only."""
    if transition.resumes and position.resume:
        return Position(position.resume[-1], position.resume[:-1])
    if transition.returns:
        kept = _cut(position.path, target) if target in position.path else ()
        way = (*position.path, position.state) if resume == "direct" else ()
        return Position(target, kept, way)
    if target == position.state:
        return position
    if transition.reopens:
        return Position(target)
    if definition.states[target].editable:
        # Back with its author the text begins its way anew; what is to be restored is not forgotten by a recall.
        return Position(target, (), position.resume)
    here = () if definition.states[position.state].editable else (position.state,)
    return Position(target, _cut((*position.path, *here), target), position.resume)


def _cut(path: tuple[str, ...], target: str) -> tuple[str, ...]:
    return path[: path.index(target)] if target in path else path
