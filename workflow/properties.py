"""The properties that a definition declares, each proved or shown to fail on a shortest way."""

from __future__ import annotations

from typing import NamedTuple

from workflow.definition import AlwaysBefore, AtMost, EventuallyPossible, Property, Reachable, Separate
from workflow.duties import joined
from workflow.exploration import LIMIT, Space, Step
from workflow.possibilities import Config, Edge


class Failed(NamedTuple):
    """A property that does not hold: code, one Chinese sentence, and the way that shows it."""

    code: str
    message: str
    way: tuple[Step, ...]


def failing(space: Space, declared: Property, *, limit: int = LIMIT) -> Failed | None:
    """What is wrong with a declared property; None where it holds. Raises TooMany beyond the limit."""
    match declared:
        case Reachable(reachable=state):
            return _reachable(space, state)
        case EventuallyPossible(eventually_possible=state):
            return _eventually(space, state)
        case AlwaysBefore(always_before=(before, after)):
            return _before(space, before, after)
        case AtMost(at_most=(action, most)):
            return _at_most(space, action, most)
        case Separate(separate=names):
            return _separate(space, names, limit)


def _reachable(space: Space, state: str) -> Failed | None:
    if any(config.state == state for config in space.edges):
        return None
    return Failed(
        "property_reachable", f"性质不成立：到不了“{space.definition.states[state].title}”；请增加通向它的动作。", ()
    )


def _eventually(space: Space, state: str) -> Failed | None:
    able = space.reaching([config for config in space.edges if config.state == state])
    lost = next((config for config in space.edges if config not in able), None)
    if lost is None:
        return None
    states = space.definition.states
    message = f"性质不成立：到了“{states[lost.state].title}”之后再也到不了“{states[state].title}”；请增加走得到的动作。"
    return Failed("property_eventually_possible", message, space.path_to(lost))


def _before(space: Space, before: str, after: str) -> Failed | None:
    transitions = space.definition.transitions
    message = f"性质不成立：没有“{_title(space, before)}”（{before}）也能“{_title(space, after)}”（{after}）；请堵住这条走法。"

    def fails(config: Config, edge: Edge) -> bool:
        item = space.transition(edge)
        return item is not None and item.action == after and before not in config.happened

    found = space.first(fails)
    if found is not None:
        return Failed("property_always_before", message, space.path_to(*found))
    for config, edge, back in space.taken_back():
        if transitions[back.number].action == after and before not in edge.target.happened:
            return Failed(
                "property_always_before", message, (*space.path_to(config, edge), space.undone(config, edge, back))
            )
    return None


def _at_most(space: Space, action: str, most: int) -> Failed | None:
    counted = list(space.rules.caps).index(action)
    title = _title(space, action)
    message = f"性质不成立：“{title}”（{action}）可以超过 {most} 次；请给它写 at_most: {most}，或放宽性质。"

    def fails(config: Config, edge: Edge) -> bool:
        item = space.transition(edge)
        return item is not None and item.action == action and config.counts[counted] >= most

    found = space.first(fails)
    if found is not None:
        return Failed("property_at_most", message, space.path_to(*found))
    for config, edge, back in space.taken_back():
        if space.definition.transitions[back.number].action == action:
            # What was taken back can be done and taken back again, without end.
            again = (*space.describe(config, edge), space.undone(config, edge, back))
            return Failed("property_at_most", message, (*space.path_to(config), *again * (most + 1)))
    return None


def _separate(space: Space, names: tuple[str, ...], limit: int) -> Failed | None:
    found = joined(space, names, limit=limit)
    if found is None:
        return None
    (one, other), way = found
    titles = [space.title_of(name) for name in (one, other)]
    message = f"性质不成立：同一个人可以既是“{titles[0]}”（{one}）又是“{titles[1]}”（{other}）；请在 separate 中把它们写进不同的组。"
    return Failed("property_separate", message, way)


def _title(space: Space, action: str) -> str:
    return "／".join(dict.fromkeys(item.title for item in space.definition.transitions if item.action == action))
