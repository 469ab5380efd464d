"""A workflow acted out with people, a log and snapshots: slow and plain, and nothing shared with the exploration.

Only ``moves.py`` and ``signing.py`` are common to both, as they are to the engine. Counts, flags, who acted and what a taking
back restores come from the log and from snapshots, as in the engine's tables, and not from anything abstract.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from workflow.definition import SIGN, SIGN_OFF, SUBMITTER, TASK_HOLDER, Definition, Transition
from workflow.exploration import Step
from workflow.moves import Position, move, resumptions, targets
from workflow.signing import Outcome, base_seats, outcome, ready_seats

Holds = Callable[[str, "Text"], bool]


class Entry(NamedTuple):
    """A step in the log; ``before`` is the text as it was, ``undoes`` says that it took the step before back."""

    action: str
    person: str
    capacity: str
    reopens: bool
    before: Text
    undoes: bool = False


@dataclass(frozen=True)
class Text:
    state: str
    path: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()
    task: str | None = None
    votes: tuple[tuple[str, str, bool], ...] = ()
    round: int = 1
    frozen: bool = False
    approved: bool = False
    log: tuple[Entry, ...] = ()
    parts: frozenset[tuple[str, str, int]] = frozenset()
    touched: bool = False  # edited, or worked on by somebody, since the last step
    content: Any = None

    @property
    def position(self) -> Position:
        return Position(self.state, self.path, self.resume)

    @property
    def people(self) -> tuple[str, ...]:
        return tuple(sorted({person for person, _, _ in self.parts}))

    def capacities(self, person: str) -> set[str]:
        return {capacity for who, capacity, _ in self.parts if who == person}

    def kept(self) -> list[Entry]:
        """The steps that were not taken back."""
        kept: list[Entry] = []
        for entry in self.log:
            if entry.undoes:
                kept.pop()
            else:
                kept.append(entry)
        return kept

    def done(self) -> list[str]:
        """The actions that count, from the beginning or from the last adjustment (itself the first) on."""
        kept = self.kept()
        starts = [number for number, entry in enumerate(kept) if entry.reopens]
        return [entry.action for entry in kept[starts[-1] if starts else 0 :]]

    def times(self, action: str) -> int:
        """How often an action was taken since then; the adjustment itself is none of them."""
        done = self.done()
        return done[any(entry.reopens for entry in self.kept()) :].count(action)


class Command(NamedTuple):
    """What one person does: an action, ``sign``, ``edit`` or ``lapse``; the other members as they matter."""

    action: str
    person: str
    role: str = ""
    to: str = ""
    resume: str = ""
    agrees: bool = True
    content: Any = None


class Refused(Exception):
    pass


def unconditional(_condition: str, _text: Text) -> bool:
    return True


def by_round(condition: str, text: Text) -> bool:
    """Conditions over the round only, read by Python itself."""
    return bool(eval(condition, {"__builtins__": {}}, {"round": text.round}))


class Office:
    def __init__(self, definition: Definition, holds: Holds = unconditional) -> None:
        self.definition = definition
        self.holds = holds

    def begin(self, drafter: str = "p0", content: Any = None) -> Text:
        return Text(self.definition.initial, parts=frozenset({(drafter, "drafter", 1)}), content=content)

    def candidate(self, text: Text, action: str) -> Transition:
        for item in self.definition.transitions:
            if item.action == action and text.state in item.sources and (not item.when or self.holds(item.when, text)):
                return item
        raise Refused("no such transition here")

    def roles_waiting(self, text: Text) -> tuple[str, ...]:
        state = self.definition.states[text.state]
        if state.sign:
            seats = base_seats(state.sign)
            counted = {seat: agrees for seat, _, agrees in text.votes}
            return tuple(seat.role for seat in ready_seats(state.sign, seats, counted))
        role = text.task or (state.task.role if state.task else None)
        return (role,) if role else ()

    def perform(self, text: Text, command: Command) -> Text:
        """The text afterwards; raises Refused."""
        if command.action == "edit":
            return self._edit(text, command)
        if command.action == "lapse":
            return replace(text, touched=True)
        if command.action == SIGN:
            return self._vote(text, command)
        item = self.candidate(text, command.action)
        if item.by == SIGN_OFF:
            raise Refused("nobody in person")
        if item.undoes:
            return self._undo(text, item, command)
        capacity = self._capacity(text, item, command)
        self._separate(text, command.person, capacity)
        self._guards(text, item, command.person)
        self._limit(text, item)
        possible = targets(item, text.position)
        if command.to not in possible or command.resume not in resumptions(item):
            raise Refused("not a choice")
        return self._step(text, item, command, capacity)

    def _capacity(self, text: Text, item: Transition, command: Command) -> str:
        if item.by == SUBMITTER:
            roles = [it.by for it in self.definition.transitions if it.capacity == SUBMITTER]
            if not set(roles) & set(self.definition.roles) or (command.person, SUBMITTER, text.round) not in text.parts:
                raise Refused("not the submitter")
            return item.capacity or SUBMITTER
        if item.by == TASK_HOLDER:
            if command.role not in self.roles_waiting(text):
                raise Refused("not their turn")
            return item.capacity or command.role
        return item.capacity or item.by

    def _separate(self, text: Text, person: str, capacity: str) -> None:
        group = self.definition.group(capacity)
        for other in text.capacities(person):
            theirs = self.definition.group(other)
            if group is not None and theirs is not None and theirs != group:
                raise Refused("duties are separate")

    def _guards(self, text: Text, item: Transition, person: str) -> None:
        for name in item.guards:
            if name == "content_unchanged" and not text.frozen:
                raise Refused(name)
            if name == "approved_content_unchanged" and not text.approved:
                raise Refused(name)
            if name == "holds_task" and item.by not in self.roles_waiting(text):
                raise Refused(name)
            if name == "nobody_acted_since":
                self._still_last(text, person)
        for rule in item.requires:
            if not self.holds(rule.that, text):
                raise Refused(rule.message)

    def _still_last(self, text: Text, person: str) -> None:
        if not text.log or text.log[-1].undoes or text.log[-1].person != person or text.touched or text.votes:
            raise Refused("nobody_acted_since")

    def _limit(self, text: Text, item: Transition) -> None:
        if item.at_most is not None and text.times(item.action) >= item.at_most:
            raise Refused("at_most")

    def _step(self, text: Text, item: Transition, command: Command, capacity: str) -> Text:
        where = move(
            self.definition, item, text.position, command.to, "direct" if command.resume == "direct" else "restart"
        )
        number = text.round + item.next_round
        sign = self.definition.states[where.state].sign
        return replace(
            text,
            state=where.state,
            path=where.path,
            resume=where.resume,
            task=item.task.role if item.task and not sign else None,
            votes=(),
            round=number,
            frozen=text.frozen or item.freeze,
            approved=text.approved or item.approves,
            log=(*text.log, Entry(item.action, command.person, capacity, item.reopens, text)),
            parts=text.parts | {(command.person, capacity, number)},
            touched=False,
        )

    def _edit(self, text: Text, command: Command) -> Text:
        if not self.definition.states[text.state].editable:
            raise Refused("not editable")
        self._separate(text, command.person, "editor")
        return replace(
            text,
            frozen=False,
            approved=False,
            touched=True,
            content=command.content,
            parts=text.parts | {(command.person, "editor", text.round)},
        )

    def _vote(self, text: Text, command: Command) -> Text:
        sign = self.definition.states[text.state].sign
        if sign is None or (not command.agrees and sign.failed is None):
            raise Refused("no such vote")
        wanted = sign.passed if command.agrees else sign.failed
        assert wanted is not None
        item = self.candidate(text, wanted)
        if command.person in {person for _, person, _ in text.votes}:
            raise Refused("voted already")
        counted = {seat: agrees for seat, _, agrees in text.votes}
        ready = [seat for seat in ready_seats(sign, base_seats(sign), counted) if seat.role == command.role]
        if not ready:
            raise Refused("not their turn")
        self._separate(text, command.person, command.role)
        self._guards(text, item, command.person)
        self._limit(text, item)
        if not targets(item, text.position):
            raise Refused("a vote for nowhere")
        counted[ready[0].key] = command.agrees
        result = outcome(sign, base_seats(sign), counted)
        if result is Outcome.PENDING:
            return replace(
                text,
                votes=(*text.votes, (ready[0].key, command.person, command.agrees)),
                parts=text.parts | {(command.person, command.role, text.round)},
            )
        decided = sign.passed if result is Outcome.PASSED else sign.failed
        assert decided is not None
        if decided != wanted:
            item = self.candidate(text, decided)
        self._guards(text, item, command.person)
        self._limit(text, item)
        possible = targets(item, text.position)
        if not possible:
            raise Refused("nowhere to go")
        command = command._replace(to=possible[0], resume=resumptions(item)[0])
        return self._step(text, item, command, command.role)

    def _undo(self, text: Text, item: Transition, command: Command) -> Text:
        mine = [number for number, vote in enumerate(text.votes) if vote[1] == command.person]
        if mine:
            sign = self.definition.states[text.state].sign
            if sign and sign.rule == "sequential" and mine[0] != len(text.votes) - 1:
                raise Refused("the next has voted")
            return replace(text, votes=(*text.votes[: mine[0]], *text.votes[mine[0] + 1 :]))
        self._still_last(text, command.person)
        last = text.log[-1]
        capacity = item.capacity or last.capacity
        self._separate(text, command.person, capacity)
        self._guards(text, item, command.person)
        return replace(
            last.before,
            votes=tuple(vote for vote in last.before.votes if vote[1] != command.person),
            log=(*text.log, Entry(item.action, command.person, capacity, False, text, True)),
            parts=text.parts | {(command.person, capacity, last.before.round)},
            touched=False,
            content=text.content,
        )

    def options(self, text: Text, people: tuple[str, ...], contents: tuple[Any, ...] = (None,)) -> Iterator[Command]:
        """Everything that any of these people might try."""
        for person in people:
            if self.definition.states[text.state].editable:
                for content in contents:
                    yield Command("edit", person, content=content)
            for role in dict.fromkeys(self.roles_waiting(text)):
                yield Command(SIGN, person, role, agrees=True)
                yield Command(SIGN, person, role, agrees=False)
            for action in dict.fromkeys(item.action for item in self.definition.leaving(text.state)):
                try:
                    item = self.candidate(text, action)
                except Refused:
                    continue
                roles = tuple(dict.fromkeys(self.roles_waiting(text))) if item.by == TASK_HOLDER else ("",)
                for role in roles:
                    for to in targets(item, text.position) or ("",):
                        for resume in resumptions(item):
                            yield Command(action, person, role, to, resume)

    def after(
        self, text: Text, people: tuple[str, ...], contents: tuple[Any, ...] = (None,)
    ) -> Iterator[tuple[Command, Text]]:
        """Everything that these people can do, and what comes of it."""
        for command in self.options(text, people, contents):
            try:
                yield command, self.perform(text, command)
            except Refused:
                continue


def act_out(
    definition: Definition,
    steps: tuple[Step, ...],
    *,
    holds: Holds = unconditional,
    content: Callable[[Mapping[str, str]], Any] = dict,
) -> Text:
    """Plays a story step by step; whoever is not the person of the story is anybody else. Raises Refused where it can't be.

    Where a step says a role and no person, whoever of the others can do it does it.
    """
    office = Office(definition, holds)
    first = steps[0] if steps and steps[0].action == "import" else None
    texts = [office.begin(first.person or "p0" if first else "p0", content(first.facts) if first else None)]
    for number, step in enumerate(steps[1:] if first else steps):
        heard: list[Text] = []
        for text in texts:
            fresh = f"p{number + 1}"
            others = tuple(person for person in text.people if person != "甲")
            for person in (step.person,) if step.person else (fresh, *others):
                for command, after in office.after(text, (person,)) if step.action != "lapse" else _lapse(office, text):
                    if _fits(definition, step, command, text, after):
                        heard.append(replace(after, content=content(step.facts)) if step.action == "edit" else after)
        if not heard:
            raise Refused(f"step {number + 1}: {step}")
        texts = heard[:50]
    return texts[0]


def _lapse(office: Office, text: Text) -> Iterator[tuple[Command, Text]]:
    command = Command("lapse", "")
    yield command, office.perform(text, command)


def _fits(definition: Definition, step: Step, command: Command, text: Text, after: Text) -> bool:
    states = definition.states
    return (
        command.action == step.action
        and text.state == step.source
        and after.state == step.target
        and (not step.choice or command.agrees is (step.choice == "agree"))
        and (not step.to or states[command.to].title == step.to)
        and (not step.resume or command.resume == step.resume)
        and (command.action in ("edit", "lapse") or (not command.role or _role_fits(definition, step, command)))
    )


def _role_fits(definition: Definition, step: Step, command: Command) -> bool:
    return definition.roles[command.role].title == step.who
