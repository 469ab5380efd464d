"""What can happen to a text from a configuration: everything about it that decides what may happen next, and no more.

The rules are those of the engine (``moves.py`` and ``signing.py`` are the same code), with people left out: everybody may
hold every role and there are as many people as it takes, so a person matters only where the same one has to come again
(``by: submitter``, the guard ``nobody_acted_since``). Guards about the content's hash and about the task are decided, all
others can be met by somebody.

**Taking back (``to: undo``) leads to no configuration of its own.** It restores state, way, round, flags and counters as they
were, and what it took back does not count. Of what differs from before, the lost right to take back once more is an edge of
its own (LAPSE), a submitter who stays one is another (KEPT), and the withdrawn vote of whoever undoes leaves votes from
which the sign-off ends no other way than from none. Only who took part stays, which ``duties.py`` follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from workflow.ballots import cast, decided, no_votes, ready, withdrawn
from workflow.contents import Contents
from workflow.definition import (
    AUTHORS,
    LAST_ACTOR,
    SIGN_OFF,
    SUBMITTER,
    TASK_HOLDER,
    AlwaysBefore,
    AtMost,
    Definition,
    SignRule,
    Transition,
)
from workflow.moves import Position, Resume, move, resumptions, targets

# A last actor, or a group, of whom no group of the separation of duties is known.
ANYBODY: Final = "*"
_LAST: Final = "nobody_acted_since"


class Kind(StrEnum):
    """What an edge is."""

    MOVE = "move"
    VOTE = "vote"
    DECISION = "decision"
    EDIT = "edit"
    LAPSE = "lapse"
    KEPT = "kept"


class Config(NamedTuple):
    """A configuration: position, whose task it is where a transition said so, votes by seat, and what is remembered.

    ``counts`` and ``happened`` speak of the actions that limits and properties name, since the beginning or the last
    adjustment. ``submitter``: somebody submitted this round. ``last``: who did the last step and may still take it back, by
    the first name of their group, ``*`` where they are in none. ``case`` is one of the contents.
    """

    state: str
    path: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()
    role: str = ""
    votes: tuple[bool | None, ...] = ()
    submitted: bool = False
    approved: bool = False
    counts: tuple[int, ...] = ()
    happened: frozenset[str] = frozenset()
    submitter: bool = False
    last: str = ""
    case: int = 0

    @property
    def position(self) -> Position:
        """Where the text stands."""
        return Position(self.state, self.path, self.resume)


class Edge(NamedTuple):
    """Something that can happen: where it leads, the transition by its number (-1: none), by whom, in which capacity.

    A vote that decides nothing yet has the number of the transition that it votes for. ``who`` is a role or one of the persons of the definition; ``agrees`` is how a vote is cast.
    """

    target: Config
    kind: Kind
    number: int = -1
    who: str = ""
    capacity: str = ""
    resume: Resume = "restart"
    agrees: bool = True


class Possibilities:
    """What can happen, by the rules of one definition and the contents that its conditions tell apart."""

    def __init__(self, definition: Definition, contents: Contents) -> None:
        self.definition = definition
        self.contents = contents
        self._numbers = {id(item): number for number, item in enumerate(definition.transitions)}
        self._candidates = {
            name: {item.action: definition.candidates(item.action, name) for item in definition.leaving(name)}
            for name in definition.states
        }
        self.caps = _caps(definition)
        self._counted = {action: number for number, action in enumerate(self.caps)}
        self._watched = {it.always_before[0] for it in definition.properties if isinstance(it, AlwaysBefore)}
        steps = [item for item in definition.transitions if not item.undoes]
        self._asks_last = any(_LAST in item.guards for item in steps)
        self._asks_submitter = any(item.by == SUBMITTER for item in steps)
        # The engine asks the submitter to hold still one of the roles that submit.
        self._submits = any(item.capacity == SUBMITTER and item.by in definition.roles for item in steps)

    def starts(self) -> tuple[Config, ...]:
        """The configurations in which a text begins."""
        return tuple(
            Config(
                self.definition.initial,
                votes=no_votes(self.definition.states[self.definition.initial].sign),
                counts=(0,) * len(self.caps),
                case=case,
            )
            for case in self.contents.first()
        )

    def edges(self, config: Config) -> tuple[Edge, ...]:
        """Everything that can happen from a configuration, besides taking back."""
        out = [*self._steps(config), *self._ballots(config)]
        if self._asks_submitter and not config.submitter:
            out += list(self._kept(config, out))
        if self.definition.states[config.state].editable:
            out += [
                Edge(target, Kind.EDIT, -1, AUTHORS[0], AUTHORS[1])
                for target in self.edited(config)
                if target != config
            ]
        if config.last:
            out.append(Edge(config._replace(last=""), Kind.LAPSE))
        return tuple(out)

    def edited(self, config: Config) -> tuple[Config, ...]:
        """Where an edit leads: what was submitted or approved is void, and the content can be any of this round."""
        void = config._replace(submitted=False, approved=False, last="")
        return tuple(void._replace(case=case) for case in self.contents.edited(config.case))

    def undoing(self, after: Config, last: str) -> Iterator[Edge]:
        """The ways of taking back a step directly after it, done by somebody in capacity ``last``; they lead nowhere new."""
        for action in self._candidates[after.state]:
            item = self.choose(after, action)
            if item is None or not item.undoes or not self._met(after, item, limits=False):
                continue
            capacity = item.capacity or last
            if self.compatible(last, capacity):
                yield Edge(after, Kind.MOVE, self.number(item), LAST_ACTOR, capacity)

    def withdrawing(self, config: Config) -> Transition | None:
        """The transition by whose action a vote in this state is withdrawn, before anything else has happened."""
        found = (self.choose(config, action) for action in self._candidates[config.state])
        return next((item for item in found if item is not None and item.undoes), None)

    def choose(self, config: Config, action: str) -> Transition | None:
        """The transition that an action means for this content: the first whose condition is met."""
        for item in self._candidates[config.state].get(action, ()):
            if item.when is None or self.contents.holds(config.case, item.when):
                return item
        return None

    def number(self, transition: Transition) -> int:
        """The place of a transition in the definition."""
        return self._numbers[id(transition)]

    def holders(self, config: Config) -> tuple[str, ...]:
        """The roles whose turn it is."""
        state = self.definition.states[config.state]
        if state.sign is not None:
            return ready(state.sign, config.votes)
        role = config.role or (state.task.role if state.task else "")
        return (role,) if role else ()

    def compatible(self, *capacities: str) -> bool:
        """Whether the separation of duties lets one person act in all of these capacities."""
        return len({group for name in capacities if (group := self.definition.group(name)) is not None}) <= 1

    def ways(self, config: Config, item: Transition) -> tuple[str, ...]:
        """The states to which a transition can lead from here, by whoever chooses."""
        return targets(item, config.position)

    def without(self, config: Config, role: str, agrees: bool) -> Config:
        """The configuration after a vote on a seat of a role was withdrawn."""
        sign = self.definition.states[config.state].sign
        return config if sign is None else config._replace(votes=withdrawn(sign, config.votes, role, agrees))

    def _steps(self, config: Config) -> Iterator[Edge]:
        for action in self._candidates[config.state]:
            item = self.choose(config, action)
            if item is None or item.undoes or item.by == SIGN_OFF or not self._met(config, item):
                continue
            for who, capacity in self._actors(config, item):
                if not self._in_person(config, item, capacity):
                    continue
                for target in targets(item, config.position):
                    for resume in resumptions(item):
                        for arrived in self._arrive(config, item, target, resume, capacity):
                            yield Edge(arrived, Kind.MOVE, self.number(item), who, capacity, resume)

    def _actors(self, config: Config, item: Transition) -> tuple[tuple[str, str], ...]:
        if item.by == TASK_HOLDER:
            return tuple((role, item.capacity or role) for role in self.holders(config))
        if item.by == SUBMITTER and not (config.submitter and self._submits):
            return ()
        return ((item.by, item.capacity or item.by),)

    def _ballots(self, config: Config) -> Iterator[Edge]:
        sign = self.definition.states[config.state].sign
        if sign is not None:
            for role in ready(sign, config.votes):
                for agrees in (True, False)[: 1 + (sign.failed is not None)]:
                    yield from self._ballot(config, sign, role, agrees)

    def _ballot(self, config: Config, sign: SignRule, role: str, agrees: bool) -> Iterator[Edge]:
        action = sign.passed if agrees else sign.failed
        item = self.choose(config, action) if action else None
        # Whoever votes is asked what guards and limit of the outcome ask that they vote for, not only who decides.
        if item is None or not self._met(config, item) or not self._in_person(config, item, role):
            return
        # The engine refuses a vote for an outcome that would have nowhere to lead.
        if not targets(item, config.position):
            return
        votes = cast(sign, config.votes, role, agrees)
        outcome = decided(sign, votes)
        if outcome is None:
            yield Edge(config._replace(votes=votes), Kind.VOTE, self.number(item), role, role, agrees=agrees)
            return
        if outcome != action:
            item = self.choose(config, outcome)
        if item is None or not self._met(config, item) or not self._in_person(config, item, role):
            return
        resume = resumptions(item)[0]
        for target in targets(item, config.position)[:1]:
            for arrived in self._arrive(config, item, target, resume, role):
                yield Edge(arrived, Kind.DECISION, self.number(item), role, role, resume, agrees)

    def _kept(self, config: Config, edges: list[Edge]) -> Iterator[Edge]:
        """Somebody submits and takes it back at once: nothing has changed, but they have submitted in this round."""
        for edge in edges:
            item = self.definition.transitions[edge.number]
            if edge.kind is Kind.MOVE and edge.capacity == SUBMITTER and not item.next_round:
                for back in self.undoing(edge.target, edge.capacity):
                    kept = config._replace(submitter=True, last="")
                    yield Edge(kept, Kind.KEPT, edge.number, edge.who, back.capacity, edge.resume)

    def _met(self, config: Config, item: Transition, *, limits: bool = True) -> bool:
        guards = item.guards
        if "content_unchanged" in guards and not config.submitted:
            return False
        if "approved_content_unchanged" in guards and not config.approved:
            return False
        if "holds_task" in guards and item.by not in self.holders(config):
            return False
        if limits and item.at_most is not None and config.counts[self._counted[item.action]] >= item.at_most:
            return False
        return all(self.contents.holds(config.case, rule.that) for rule in item.requires)

    def _in_person(self, config: Config, item: Transition, capacity: str) -> bool:
        """Whether the one person who may act can do so in this capacity."""
        asked = [SUBMITTER] if item.by == SUBMITTER else []
        if _LAST in item.guards and not item.undoes:
            if not config.last or any(vote is not None for vote in config.votes):
                return False
            asked += [config.last]
        return self.compatible(capacity, *asked)

    def _arrive(self, config: Config, item: Transition, target: str, resume: Resume, capacity: str) -> Iterator[Config]:
        where = move(self.definition, item, config.position, target, resume)
        state = self.definition.states[where.state]
        counts, happened = config.counts, config.happened
        if item.action in self._counted:
            at = self._counted[item.action]
            counts = (*counts[:at], min(counts[at] + 1, self.caps[item.action]), *counts[at + 1 :])
        if item.reopens:
            counts, happened = (0,) * len(counts), frozenset()
        if item.action in self._watched:
            happened = happened | {item.action}
        own = item.task.role if item.task and state.sign is None else ""
        for case in self.contents.later(config.case) if item.next_round else (config.case,):
            yield Config(
                where.state,
                where.path,
                where.resume,
                "" if state.task and own == state.task.role else own,
                no_votes(state.sign),
                config.submitted or item.freeze,
                config.approved or item.approves,
                counts,
                happened,
                self._asks_submitter and (capacity == SUBMITTER or (config.submitter and not item.next_round)),
                self._last(config, item, capacity),
                case,
            )

    def _last(self, config: Config, item: Transition, capacity: str) -> str:
        """What is known of whoever does this step: the group that they are in from now on."""
        if not self._asks_last:
            return ""
        known = [capacity, *([SUBMITTER] if item.by == SUBMITTER else [])]
        known += [config.last] if _LAST in item.guards else []
        groups = [group for name in known if (group := self.definition.group(name)) is not None]
        return groups[0][0] if groups else ANYBODY


def _caps(definition: Definition) -> dict[str, int]:
    """Up to which number each action is counted: no limit and no property asks for more."""
    asked = [(item.action, item.at_most) for item in definition.transitions if item.at_most is not None]
    asked += [item.at_most for item in definition.properties if isinstance(item, AtMost)]
    out: dict[str, int] = {}
    for action, most in asked:
        out[action] = max(most, out.get(action, 0))
    return out
