"""What a definition costs in days and people: a seeded simulation of many texts on their way, without a database.

The clock counts working days of eight hours, Monday to Friday; nights, weekends and holidays take no time, so that nobody
works in them. Roles of a department have as many people as it takes unless a number is given, since each department
handles its own texts; other roles have one. A person does one thing at a time, first come first served over all states.

Whoever holds the task works on it and then acts: a return with its probability, else the way forward. Where only another
role can act (a head submits what a drafter wrote), that role works on it as well. In a sign-off the seats work side by side, as
its rule says, and whoever still works when it ends stops. Guards and requirements count as met, the separation of duties is
not looked at, and a text ends with its first final state. Ways that the content chooses are equally likely.

Each visit of a text to a state has random numbers of its own (common random numbers: A. Law, Simulation Modeling and
Analysis, "variance reduction"), so that one more person changes the queues and not the work.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final, TypeVar

import simpy

from workflow.contents import contents_of
from workflow.deadlines import Deadline
from workflow.definition import LAST_ACTOR, SIGN_OFF, SUBMITTER, TASK_HOLDER, Definition, SignRule, TaskRule, Transition
from workflow.moves import Position, Resume, move, resumptions, targets
from workflow.signing import Outcome, base_seats, outcome, ready_seats
from workflow.simulation_plan import Plan, check_plan, notes_of, people_of
from workflow.simulation_report import Bottleneck, Ledger, Report, Stopped, Summary, compared, free, narrowest

# What is taken for what nobody said: probabilities of a return and of a vote against, and times of work in working days.
RETURN: Final = 0.2
AGAINST: Final = 0.1
WORK: Final = 0.5
HANDOVER: Final = 0.0625
# A text beyond them goes round in circles; nobody would let it.
ROUNDS: Final = 50
STEPS: Final = 1000

# Sums of times are not exact; what ends within this of midnight ended on the day before.
_EXACT: Final = 1e-9


def simulate(definition: Definition, plan: Plan, progress: Callable[[int], None] | None = None) -> Report:
    """The report of a plan; ``progress`` is called with the number of texts that have ended. Same seed, same numbers.

    The plan is run a second time with one more person where the bottleneck is. Raises ValueError with a Chinese sentence
    for names that the definition does not have and for numbers out of range, ExpressionError as ``contents_of`` does.
    """
    check_plan(definition, plan)
    ledger = _Office(definition, plan, progress).run()
    staff = {role: people_of(definition, plan, role) for role in definition.roles}
    states, roles = ledger.state_reports(definition), ledger.role_reports(definition, staff)
    cycle = Summary.of(ledger.cycles)
    found = narrowest(states, roles)
    bottleneck: Bottleneck = free()
    if found:
        role, state = found
        more = _Office(definition, replace(plan, staff={**plan.staff, role.name: (role.staff or 0) + 1})).run()
        there = next(item for item in more.state_reports(definition) if item.name == state.name)
        bottleneck = compared(role, state, cycle, Summary.of(more.cycles), there)
    return Report(
        definition.name,
        definition.version,
        definition.title,
        plan.seed,
        plan.texts,
        len(ledger.cycles),
        tuple(sorted(ledger.stopped, key=lambda item: item.text)),
        ledger.last,
        cycle,
        tuple(sorted(ledger.rounds.items())),
        ledger.on_time(),
        states,
        roles,
        bottleneck,
        notes_of(definition, staff),
    )


@dataclass(frozen=True, slots=True)
class _Where:
    """Where a text stands; ``task`` is the one that a transition gave, ``counts`` how often each action happened."""

    position: Position
    case: int
    task: TaskRule | None = None
    round: int = 1
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Text:
    number: int
    where: _Where
    before: _Where | None = None
    steps: int = 0
    visits: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Choice:
    transition: Transition
    target: str
    resume: Resume


# Three uniform numbers of one handling: for the time, for the action, for where it leads; always as many, whatever happens.
_Dice = tuple[float, float, float]
_Process = Generator[simpy.Event, Any, Any]
_Item = TypeVar("_Item")


class _Office:
    """One run: the people of each role, and a process for each text."""

    def __init__(self, definition: Definition, plan: Plan, progress: Callable[[int], None] | None = None) -> None:
        self.definition, self.plan, self.progress = definition, plan, progress
        self.env = simpy.Environment()
        self.ledger = Ledger.empty(definition)
        self.contents = contents_of(definition)
        # Nine seats of a sign-off are the most that one text can have open.
        self.pools = {
            role: simpy.Resource(self.env, people_of(definition, plan, role) or 9 * plan.texts)
            for role in definition.roles
        }
        self.candidates = {
            name: {item.action: definition.candidates(item.action, name) for item in definition.leaving(name)}
            for name in definition.states
        }

    def run(self) -> Ledger:
        """Everything that was observed until the last text ended."""
        times = self.plan.arrivals.times(self.plan.texts, random.Random(f"{self.plan.seed}/arrivals"))  # noqa: S311 -- a simulation, no secret
        for number, begins in enumerate(times, 1):
            self.env.process(self._live(number, begins))
        self.env.run()
        return self.ledger

    def _live(self, number: int, begins: float) -> _Process:
        yield self.env.timeout(begins)
        first = self._case(self.contents.first(), f"{number}/content")
        text = _Text(number, _Where(Position(self.definition.initial), first))
        arrived = math.floor(begins + _EXACT)
        reason = None
        while not self.definition.states[text.where.position.state].final:
            reason = "轮次太多" if text.where.round > ROUNDS else "步骤太多" if text.steps >= STEPS else None
            if reason:
                break
            text.steps += 1
            if self._recalled(text):
                continue
            choice = yield from self._visit(text, arrived)
            if choice is None:
                reason = "没有可走的下一步"
                break
            arrived = self._today()
            text.before, text.where = text.where, self._moved(text, choice)
        if reason:
            self.ledger.stopped.append(Stopped(number, text.where.position.state, reason))
        else:
            self.ledger.cycles.append(self.env.now - begins)
            self.ledger.rounds[text.where.round] += 1
        self.ledger.last = self.env.now
        if self.progress:
            self.progress(len(self.ledger.cycles) + len(self.ledger.stopped))

    def _visit(self, text: _Text, arrived: int) -> _Process:
        """How a text leaves the state that it has come to; None where it can't."""
        name = text.where.position.state
        text.visits[name] = text.visits.get(name, 0) + 1
        sign = self.definition.states[name].sign
        choice = yield from self._sign_off(text, sign) if sign else self._handled(text)
        task = text.where.task or self.definition.states[name].task
        if task and task.deadline:
            desk = self.ledger.desks[name]
            desk.due += 1
            desk.kept += self._in_time(task.deadline, arrived)
        return choice

    def _handled(self, text: _Text) -> _Process:
        name = text.where.position.state
        task = text.where.task or self.definition.states[name].task
        if task is None:
            return None
        dice = self._dice(text, task.role)
        yield from self._work(name, task.role, self._length(self._mean(name, task), dice))
        chosen = self._choose(text, self._options(text, task.role), dice)
        other = chosen.transition.by if chosen else ""
        if other in (task.role, TASK_HOLDER, SUBMITTER, ""):
            return chosen
        dice = self._dice(text, other)
        yield from self._work(name, other, self._length(self.plan.service.get(other, HANDOVER), dice))
        return self._choose(text, [item for item in self._open(text) if item.by == other], dice)

    def _sign_off(self, text: _Text, sign: SignRule) -> _Process:
        name, seats = text.where.position.state, base_seats(sign)
        task = self.definition.states[name].task
        working: dict[str, simpy.Process] = {}
        votes: dict[str, bool] = {}
        while (decided := outcome(sign, seats, votes)) is Outcome.PENDING:
            for seat in ready_seats(sign, seats, votes):
                if seat.key not in working:
                    mean = self._mean(name, TaskRule(role=seat.role, due=task.due if task else None))
                    length = self._length(mean, self._dice(text, seat.key))
                    working[seat.key] = self.env.process(self._work(name, seat.role, length))
            yield simpy.AnyOf(self.env, list(working.values()))
            seat = next(seat for seat in seats if seat.key in working and working[seat.key].triggered)
            del working[seat.key]
            chosen, agrees = self._ballot(text, sign, seat.role, self._dice(text, seat.key))
            if chosen:
                self._stop(working)
                return chosen
            votes[seat.key] = agrees
        self._stop(working)
        action = sign.passed if decided is Outcome.PASSED else sign.failed
        item = self._item(text, action or "")
        return item and self._led(text, item, self._draw(self._key(text, "outcome"))[2])

    def _ballot(self, text: _Text, sign: SignRule, role: str, dice: _Dice) -> tuple[_Choice | None, bool]:
        """What whoever has a seat does: a return, or a vote (for or against)."""
        returns = [item for item in self._open(text) if item.by in (role, TASK_HOLDER) and self._returns(text, item)]
        weights = self._weights(text, returns)
        at = dice[1]
        for item, weight in zip(returns, weights, strict=True):
            if at < weight:
                return self._led(text, item, dice[2]), False
            at -= weight
        left = 1 - math.fsum(weights)
        # Nobody can vote for an outcome that would have nowhere to lead.
        possible = sign.failed is not None and self._item(text, sign.failed) is not None
        against = self.plan.probabilities.get(sign.failed or "", AGAINST) if possible else 0.0
        return None, at >= left * against

    def _work(self, state: str, role: str, length: float) -> _Process:
        """Waits for somebody of a role and their work; stopped by an interrupt."""
        desk, asked = self.ledger.desks[state], self.env.now
        begun: float | None = None
        with self.pools[role].request() as turn:
            queued = not turn.triggered
            try:
                if queued:
                    desk.queue(1, asked)
                yield turn
                begun = self.env.now
                if queued:
                    desk.queue(-1, begun)
                yield self.env.timeout(length)
                desk.services.append(length)
                self.ledger.handled[role] += 1
            except simpy.Interrupt:
                if begun is None and queued:
                    desk.queue(-1, self.env.now)
        if begun is not None:
            desk.waits.append(begun - asked)
            self.ledger.busy[role] += self.env.now - begun

    def _stop(self, working: Mapping[str, simpy.Process]) -> None:
        for process in working.values():
            if process.is_alive:
                process.interrupt()

    def _recalled(self, text: _Text) -> bool:
        """Whether the step that led here is taken back before anybody works on it; a second time nobody does."""
        before, text.before = text.before, None
        if before is None:
            return False
        for item in self._open(text, recalls=True):
            chance = self.plan.probabilities.get(item.action, 0.0)
            if chance and self._draw(f"{text.number}/{text.steps}/{item.action}")[1] < chance:
                choice = None if item.undoes else self._led(text, item, 0.0)
                text.where = self._moved(text, choice) if choice else before
                return True
        return False

    def _open(self, text: _Text, *, recalls: bool = False) -> list[Transition]:
        """The transitions that somebody could take now, or take back with, besides the outcomes of a sign-off."""
        state = text.where.position.state
        found = (self._item(text, action) for action in self.candidates[state])
        mine = [item for item in found if item and item.by != SIGN_OFF]
        editable = self.definition.states[state].editable
        return [item for item in mine if (item.by == LAST_ACTOR or (item.by == SUBMITTER and not editable)) is recalls]

    def _options(self, text: _Text, role: str) -> list[Transition]:
        """What whoever holds the task can do; where they can't go on themselves, also what others can."""
        found = self._open(text)
        own = [item for item in found if item.by in (role, TASK_HOLDER, SUBMITTER)]
        if any(not self._returns(text, item) for item in own):
            return own
        onward = [item for item in found if item not in own and not self._returns(text, item)]
        return [*own, *onward] or found

    def _item(self, text: _Text, action: str) -> Transition | None:
        """The transition that an action means for this text, if it may be taken and leads somewhere."""
        where = text.where
        for item in self.candidates[where.position.state].get(action, ()):
            if item.when is None or self.contents.holds(where.case, item.when):
                spent = item.at_most is not None and where.counts.get(action, 0) >= item.at_most
                return item if item.undoes or (not spent and targets(item, where.position)) else None
        return None

    def _returns(self, text: _Text, item: Transition) -> bool:
        states = self.definition.states
        back = item.target in states and states[item.target].editable
        return item.returns or (back and not states[text.where.position.state].editable)

    def _weights(self, text: _Text, options: Sequence[Transition]) -> list[float]:
        """The probability of each: as given; returns that were not share RETURN; ways forward that were not, the rest."""
        given = [self.plan.probabilities.get(item.action) for item in options]
        back = [self._returns(text, item) for item in options]
        left = max(0.0, 1 - math.fsum(chance for chance in given if chance is not None))
        returns = sum(chance is None and is_back for chance, is_back in zip(given, back, strict=True))
        onward = sum(chance is None and not is_back for chance, is_back in zip(given, back, strict=True))
        returned = min(RETURN, left) if returns else 0.0
        return [
            chance if chance is not None else returned / returns if is_back else (left - returned) / onward
            for chance, is_back in zip(given, back, strict=True)
        ]

    def _choose(self, text: _Text, options: Sequence[Transition], dice: _Dice) -> _Choice | None:
        if not options:
            return None
        weights = self._weights(text, options)
        total = math.fsum(weights)
        if not total:
            return self._led(text, _one_of(options, dice[1]), dice[2])
        at, chosen = dice[1] * total, options[-1]
        for item, weight in zip(options, weights, strict=True):
            if at < weight:
                chosen = item
                break
            at -= weight
        return self._led(text, chosen, dice[2])

    def _led(self, text: _Text, item: Transition, number: float) -> _Choice:
        """A transition with the choices that whoever takes it has: any earlier state alike, straight back or not."""
        ways = targets(item, text.where.position)
        place = number * len(ways)
        direct = place % 1 < self.plan.direct
        kinds = resumptions(item)
        return _Choice(item, ways[int(place)], kinds[-1] if direct else kinds[0])

    def _moved(self, text: _Text, choice: _Choice) -> _Where:
        item, where = choice.transition, text.where
        position = move(self.definition, item, where.position, choice.target, choice.resume)
        counts = {**where.counts, item.action: where.counts.get(item.action, 0) + 1}
        case = where.case
        if item.next_round:
            case = self._case(self.contents.later(case), f"{text.number}/content/{where.round}")
        signed = self.definition.states[position.state].sign is not None
        return _Where(position, case, None if signed else item.task, where.round + item.next_round, counts)

    def _case(self, cases: Sequence[int], key: str) -> int:
        # In an order of our own: the numbers of the cases promise none.
        ordered = sorted(cases, key=lambda number: self.contents.cases[number].truths)
        return _one_of(ordered, self._draw(key)[0])

    def _mean(self, state: str, task: TaskRule) -> float:
        """Mean working days of work: of the state, else of the role, else a third of the deadline."""
        given = self.plan.service.get(state, self.plan.service.get(task.role))
        if given is not None:
            return given
        deadline = task.deadline
        if deadline is None or deadline.before is not None:
            return WORK
        return deadline.days * (1 if deadline.working else 5 / 7) / 3

    def _length(self, mean: float, dice: _Dice) -> float:
        return mean if self.plan.shape == "constant" else -mean * math.log(1 - dice[0])

    def _today(self) -> int:
        return max(0, math.ceil(self.env.now - _EXACT) - 1)

    def _in_time(self, deadline: Deadline, arrived: int) -> bool:
        """Whether today is no later than the last day of a deadline that opened on a working day by its number."""
        if deadline.working:
            return self._today() <= arrived + deadline.days
        today, opened = _ordinal(self.plan.start, self._today()), _ordinal(self.plan.start, arrived)
        return today <= (deadline.before.toordinal() if deadline.before else opened + deadline.days)

    def _key(self, text: _Text, who: str) -> str:
        state = text.where.position.state
        return f"{text.number}/{state}/{text.visits[state]}/{who}"

    def _dice(self, text: _Text, who: str) -> _Dice:
        return self._draw(self._key(text, who))

    def _draw(self, key: str) -> _Dice:
        # A text seeds through SHA-512, so that the numbers depend on nothing else.
        dice = random.Random(f"{self.plan.seed}/{key}")  # noqa: S311 -- a simulation, no secret
        return dice.random(), dice.random(), dice.random()


def _one_of(values: Sequence[_Item], number: float) -> _Item:
    return values[int(number * len(values))]


def _ordinal(start: date, number: int) -> int:
    """The day of a working day by its number from the first one, Monday to Friday."""
    weekday = start.weekday()
    weeks, rest = divmod(weekday + number, 5)
    return start.toordinal() - weekday + 7 * weeks + rest
