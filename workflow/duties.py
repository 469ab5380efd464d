"""Whether one person can take part in a text in two capacities, although the engine keeps duties apart: a search of its own.

One person, 甲, is followed through the configurations; everybody else is somebody new at every step. 甲 may do whatever the
rules let them do, votes once in a sign-off, and may take back what they did last: then only their part in it stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final, NamedTuple

from workflow.definition import AUTHORS, LAST_ACTOR, SUBMITTER
from workflow.exploration import LIMIT, Space, Step
from workflow.possibilities import Config, Edge, Kind, Possibilities

PERSON: Final = "甲"
_DRAFTER, _EDITOR = AUTHORS
_GUARD: Final = "nobody_acted_since"


class TooMany(Exception):
    """The search was given up beyond its limit of nodes."""


class _Node(NamedTuple):
    """A configuration, and 甲: capacities that matter, a capacity of their group, their vote, whether they did the last
    step, whether they and whether others submitted this round, and what they are about to take back."""

    config: Config
    parts: frozenset[str] = frozenset()
    bound: str = ""
    vote: tuple[str, bool] | None = None
    lasts: bool = False
    mine: bool = False
    others: bool = False
    back: _Back | None = None


class _Back(NamedTuple):
    """What 甲 has just done and takes back now: where that leads, the transition, the capacity."""

    target: _Node
    number: int
    capacity: str


def joined(
    space: Space, capacities: Sequence[str], *, limit: int = LIMIT
) -> tuple[tuple[str, str], tuple[Step, ...]] | None:
    """Two of the capacities on one person, with a shortest way there; None where there is no way.

    Raises TooMany beyond the limit.
    """
    rules = space.rules
    if not any(rules.compatible(*pair) for pair in combinations(dict.fromkeys(capacities), 2)):
        # The engine keeps all of them apart, whatever happens.
        return None
    return _Search(space, capacities).run(limit)


class _Search:
    """A breadth-first search over nodes; ``wanted`` are the capacities that matter."""

    def __init__(self, space: Space, capacities: Sequence[str]) -> None:
        self.space = space
        self.rules: Possibilities = space.rules
        self.wanted = tuple(dict.fromkeys(capacities))

    def run(self, limit: int) -> tuple[tuple[str, str], tuple[Step, ...]] | None:
        parents: dict[_Node, tuple[_Node | None, tuple[Step, ...]]] = {}
        for config in self.rules.starts():
            for node, person in ((_Node(config), ""), (self._joins(_Node(config), _DRAFTER), PERSON)):
                parents.setdefault(node, (None, self.space.began(config, person)))
        waiting = list(parents)
        for node in waiting:
            if len(waiting) > limit:
                raise TooMany
            for after, steps in self._after(node):
                if after in parents:
                    continue
                parents[after] = (node, steps)
                waiting.append(after)
                if len(after.parts) > 1:
                    one, other = sorted(after.parts, key=self.wanted.index)[:2]
                    return (one, other), _way(parents, after)
        return None

    def _after(self, node: _Node) -> Iterator[tuple[_Node, tuple[Step, ...]]]:
        if node.back is not None:
            yield self._taken_back(node, node.back)
            return
        if self.rules.definition.states[node.config.state].editable and self._may(node, _EDITOR):
            for config in self.rules.edited(node.config):
                edge = Edge(config, Kind.EDIT)
                after = self._joins(node._replace(config=config, lasts=False), _EDITOR)
                yield after, self.space.describe(node.config, edge, PERSON)
        for edge in self.rules.edges(node.config):
            if self._others_may(node, edge):
                yield self._others_do(node, edge), self.space.describe(node.config, edge)
            if self._person_may(node, edge):
                steps = self.space.describe(node.config, edge, PERSON)
                after = self._person_does(node, edge)
                yield after, steps
                for back in self._back(node, edge):
                    yield after._replace(back=back), steps

    def _may(self, node: _Node, capacity: str) -> bool:
        return self.rules.compatible(capacity, *filter(None, (node.bound,)))

    def _joins(self, node: _Node, capacity: str) -> _Node:
        group = self.rules.definition.group(capacity)
        return node._replace(
            parts=node.parts | ({capacity} & {*self.wanted}), bound=group[0] if group is not None else node.bound
        )

    def _asks(self, edge: Edge) -> tuple[bool, bool]:
        """Whether a transition is for the submitter, and whether it is for whoever did the last step."""
        item = self.rules.definition.transitions[edge.number] if edge.number >= 0 else None
        return item is not None and item.by == SUBMITTER, item is not None and _GUARD in item.guards

    def _others_may(self, node: _Node, edge: Edge) -> bool:
        submitter, last = self._asks(edge)
        return not (submitter and not node.others) and not (last and node.lasts)

    def _person_may(self, node: _Node, edge: Edge) -> bool:
        if edge.kind in (Kind.EDIT, Kind.LAPSE, Kind.KEPT):
            return False
        submitter, last = self._asks(edge)
        voted = edge.kind is not Kind.MOVE and node.vote is not None
        return (
            not voted
            and not (submitter and not node.mine)
            and not (last and not node.lasts)
            and self._may(node, edge.capacity)
        )

    def _others_do(self, node: _Node, edge: Edge) -> _Node:
        after = self._moved(node, edge, by_person=False)
        return after._replace(others=True) if edge.kind is Kind.KEPT else after

    def _person_does(self, node: _Node, edge: Edge) -> _Node:
        after = self._joins(self._moved(node, edge, by_person=True), edge.capacity)
        return after._replace(vote=(edge.capacity, edge.agrees)) if edge.kind is Kind.VOTE else after

    def _moved(self, node: _Node, edge: Edge, *, by_person: bool) -> _Node:
        if edge.kind not in (Kind.MOVE, Kind.DECISION):
            lasts = node.lasts and bool(edge.target.last)
            return node._replace(config=edge.target, lasts=lasts)
        again = self.rules.definition.transitions[edge.number].next_round
        submits = edge.capacity == SUBMITTER and edge.target.submitter
        return node._replace(
            config=edge.target,
            vote=None,
            lasts=by_person and bool(edge.target.last),
            mine=(node.mine and not again) or (submits and by_person),
            others=(node.others and not again) or (submits and not by_person),
        )

    def _back(self, node: _Node, edge: Edge) -> Iterator[_Back]:
        """What 甲 can take back directly after it: all is as it was, but they have taken part."""
        config = node.config
        took_part = self._joins(node, edge.capacity)
        if edge.kind is Kind.VOTE:
            undo = self.rules.withdrawing(config)
            if undo is not None:
                yield _Back(took_part, self.rules.number(undo), edge.capacity)
            return
        before = self.rules.without(config, *node.vote) if node.vote else config
        again = self.rules.definition.transitions[edge.number].next_round
        submits = edge.capacity == SUBMITTER and edge.target.submitter and not again
        before = before._replace(last="", submitter=before.submitter or submits)
        as_was = took_part._replace(config=before, vote=None, lasts=False, mine=node.mine or submits)
        for found in self.rules.undoing(edge.target, edge.capacity):
            if self._may(took_part, found.capacity):
                yield _Back(self._joins(as_was, found.capacity), found.number, found.capacity)

    def _taken_back(self, node: _Node, back: _Back) -> tuple[_Node, tuple[Step, ...]]:
        item = self.rules.definition.transitions[back.number]
        title = "撤回签署" if node.vote is not None else item.title
        source, target = node.config.state, back.target.config.state
        who = self.space.title_of(LAST_ACTOR)
        return back.target, (Step(item.action, title, who, back.capacity, source, target, person=PERSON),)


def _way(parents: dict[_Node, tuple[_Node | None, tuple[Step, ...]]], node: _Node) -> tuple[Step, ...]:
    out: tuple[Step, ...] = ()
    at: _Node | None = node
    while at is not None:
        at, steps = parents[at]
        out = steps + out
    return out
