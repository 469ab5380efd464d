"""Migration of running texts to another definition, or another version of one: what it would do, and why not. Pure.

A definition never changes once it is published, so that a text keeps the rules it began with until an administrator moves
it. A migration must never be a way round the rules: it decides nothing in anybody's place, and a state that the new
definition reaches only after an approval takes in no text without one. ``workflow/transfer.py`` writes what a plan says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

import orjson

from models.errors import InvalidInput
from workflow.authority import ADDED, organization_for
from workflow.definition import AlwaysBefore, Definition, TaskRule, Transition
from workflow.signing import Seat, base_seats, ready_seats
from workflow.situation import Part, TextRow, Turn

# What a state of the way is mapped to where it has no counterpart and nobody shall be sent back to it any more.
DROPPED: Final = "-"


@dataclass(frozen=True)
class Migration:
    """From one definition to another: which state becomes which; a state that is not named keeps its name."""

    old: Definition
    old_sha: str
    new: Definition
    new_sha: str
    new_id: str
    mapping: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Raises InvalidInput where the mapping names a state that does not exist, or the kinds of text differ."""
        if self.old.kind != self.new.kind:
            raise InvalidInput(
                f"“{name_of(self.old)}”用于 {self.old.kind}，“{name_of(self.new)}”用于 {self.new.kind}，文本类别不同，不能更换。"
            )
        for definition, states in ((self.old, self.mapping), (self.new, set(self.mapping.values()) - {DROPPED})):
            unknown = sorted(set(states) - set(definition.states))
            if unknown:
                raise InvalidInput(
                    f"“{name_of(definition)}”没有状态 {'、'.join(unknown)}；可以写的是 {'、'.join(definition.states)}。",
                    states=unknown,
                )

    def to(self, state: str) -> str:
        """What a state becomes: a name that the new definition may not have, or ``-``."""
        return self.mapping.get(state, state)

    def has(self, state: str) -> bool:
        """Whether the new definition knows what a state becomes."""
        return self.to(state) in self.new.states

    @cached_property
    def required(self) -> Mapping[str, frozenset[str]]:
        """For each new state the actions that, as the new definition declares, happen before a text comes there."""
        declared = {item.always_before[0] for item in self.new.properties if isinstance(item, AlwaysBefore)}
        # An approval counts by the content that it was given for, and not by the name of its action.
        wanted = {name for name in declared if not all(item.approves for item in _named(self.new, name))}
        return _needed(self.new, wanted)

    @cached_property
    def guaranteed(self) -> Mapping[str, frozenset[str]]:
        """For each old state those of these actions without which the old definition lets no text come there.

        A text that came straight back to its reviewer has passed what was passed before its content changed: so its rules say.
        """
        return _needed(self.old, frozenset().union(*self.required.values()))

    @cached_property
    def after_approval(self) -> frozenset[str]:
        """The new states to which no way leads without an approval."""
        return frozenset(self.new.states) - _reached(self.new, lambda item: item.approves)

    @cached_property
    def after_submission(self) -> frozenset[str]:
        """The new states to which no way leads without a content that was submitted."""
        return frozenset(self.new.states) - _reached(self.new, lambda item: item.freeze)


class Case(NamedTuple):
    """A text as a migration looks at it; ``done`` names the actions that judged its present content."""

    text: TextRow
    parts: tuple[Part, ...] = ()
    turns: tuple[Turn, ...] = ()
    votes: int = 0
    done: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of a text: state, way and resumption in the new definition, whose turn it is, and what is against it.

    ``seats`` are those whose tasks are opened, ``kept`` the open tasks that go on, by seat; ``rule`` stands in for the
    state's own where a transition had named whose turn it is. With ``obstacles`` nothing is done.
    """

    source: str
    target: str
    path: tuple[str, ...] = ()
    resume: str = ""
    rule: TaskRule | None = None
    seats: tuple[Seat, ...] = ()
    kept: Mapping[str, Turn] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()


def plan(migration: Migration, case: Case) -> Plan:
    """What a migration would do to a text, and every reason against it."""
    text = case.text
    target = migration.to(text.state)
    obstacles = [*_roles(migration, case.turns), *_separation(migration, case.parts)]
    if text.kind != migration.new.kind:
        obstacles.insert(0, f"文本类别是 {text.kind}，新版本用于 {migration.new.kind}")
    if not migration.has(text.state):
        return Plan(
            text.state, target, obstacles=(f"新版本没有状态“{text.state}”；请用 --map 指定它成为哪个状态", *obstacles)
        )
    obstacles += _entry(migration, case, target)
    path, notes, blocked = _path(migration, text.position.path, target)
    obstacles += blocked
    resume, said, blocked = _resume(migration, text, target)
    notes += said
    obstacles += blocked
    rule, seats, kept, said = _tasks(migration, case, target)
    notes += said
    if case.votes:
        notes.append(f"签署重新开始，已有的 {case.votes} 票作废")
    uncounted = {part.capacity for part in case.parts if migration.old.group(part.capacity)}
    notes += [
        f"“{_role(migration.old, name)}”在新版本中不再参与岗位分离"
        for name in sorted(uncounted)
        if migration.new.group(name) is None
    ]
    return Plan(text.state, target, path, resume, rule, seats, kept, tuple(notes), tuple(dict.fromkeys(obstacles)))


def _reached(definition: Definition, barred: Callable[[Transition], bool]) -> frozenset[str]:
    """The states that a text can come to without the barred transitions, since it began or was last adjusted.

    Ways back lead only where a text has been before, and add none.
    """
    open_ways = [item for item in definition.transitions if not barred(item) and item.target in definition.states]
    reached = {definition.initial, *(item.target for item in open_ways if item.reopens)}
    while True:
        more = {item.target for item in open_ways if reached & set(item.sources)} - reached
        if not more:
            return frozenset(reached)
        reached |= more


def _roles(migration: Migration, turns: Sequence[Turn]) -> list[str]:
    return [
        f"新版本没有任务的岗位“{_role(migration.old, turn.role)}”（{turn.role}）"
        for turn in turns
        if turn.role not in migration.new.roles and not turn.seat.startswith(ADDED)
    ]


def _separation(migration: Migration, parts: Iterable[Part]) -> list[str]:
    """Everybody who has acted already in what the new definition keeps apart: whatever came next would build on it."""
    acted: dict[str, set[str]] = {}
    for part in parts:
        acted.setdefault(part.account_id, set()).add(part.capacity)
    out = []
    for account_id, capacities in sorted(acted.items()):
        grouped = {name: group for name in sorted(capacities) if (group := migration.new.group(name))}
        if len(set(grouped.values())) > 1:
            titles = "、".join(_role(migration.new, name) for name in grouped)
            out.append(f"账号 {account_id} 已参与本文本的{titles}，新版本要求由不同的人担任")
    return out


def _entry(migration: Migration, case: Case, target: str) -> list[str]:
    """Why a text may not come into a state: what the new definition asks for before it has not happened."""
    text, old, new = case.text, migration.old.states[case.text.state], migration.new.states[target]
    out = []
    if old.final != new.final:
        out.append(
            f"“{new.title}”是终点，文本还没有走完流程"
            if new.final
            else f"文本已到终点“{old.title}”，“{new.title}”却不是终点"
        )
    submitted = text.submitted_hash == text.current_hash
    if not submitted and (target in migration.after_submission or (old.editable and not new.editable)):
        out.append(f"“{new.title}”审核的是报送的内容，当前内容还没有报送")
    if target in migration.after_approval and text.approved_hash != text.current_hash:
        out.append(f"到“{new.title}”之前必须批复，当前内容没有批复")
    out += [
        f"新版本到“{new.title}”之前必须先“{_named(migration.new, name)[0].title}”（{name}），这份文本没有做过"
        for name in sorted(migration.required[target] - case.done - migration.guaranteed[text.state])
    ]
    return out


def _needed(definition: Definition, names: Iterable[str]) -> dict[str, frozenset[str]]:
    """For each state which of the actions a text must have taken to come there."""
    without = {name: _reached(definition, _action_is(name)) for name in names}
    return {state: frozenset(name for name in without if state not in without[name]) for state in definition.states}


def _way(migration: Migration, way: Sequence[str]) -> tuple[tuple[str, ...], list[str], list[str]]:
    """A way in the new definition, what is to be said of it, and the states that nobody has mapped."""
    out: list[str] = []
    notes = []
    unknown = []
    for state in way:
        name = migration.to(state)
        if name == DROPPED:
            notes.append(f"经过的环节“{state}”去掉，不能再退回到那里")
        elif name not in migration.new.states:
            unknown.append(state)
        elif migration.new.states[name].editable:
            notes.append(f"经过的环节“{state}”在新版本中由部门修改，不再算作审核环节")
        elif name not in out:
            out.append(name)
    return tuple(out), notes, unknown


def _path(migration: Migration, path: Sequence[str], target: str) -> tuple[tuple[str, ...], list[str], list[str]]:
    """The way to a state in the new definition, with notes and obstacles."""
    state = migration.new.states[target]
    if state.editable:
        # Back with its author a text begins its way anew.
        return (), ["审核环节重新开始"] if path else [], []
    way, notes, unknown = _way(migration, path)
    if target in way:
        way = way[: way.index(target)]
    if state.final:
        # Nothing is sent back from the end, and an adjustment begins a new way.
        return way, notes + [f"经过的环节“{name}”新版本没有，去掉" for name in unknown], []
    return way, notes, [_unmapped(name) for name in unknown]


def _resume(migration: Migration, text: TextRow, target: str) -> tuple[str, list[str], list[str]]:
    """Where a returned text comes straight back to in the new definition, with notes and obstacles."""
    back = text.coming_back
    if back is None:
        return "", [], []
    *path, last = back["way"]
    if not migration.has(last) and migration.to(last) != DROPPED:
        return "", [], [f"直送退回人要回到的环节“{last}”新版本没有；请用 --map 指定，或映射为 {DROPPED} 改为重走流程"]
    state = migration.new.states.get(migration.to(last))
    resumes = any(item.resumes for item in migration.new.transitions)
    if state is None or state.editable or state.final or not resumes or migration.new.states[target].final:
        return "", ["不再直送退回人，改为重走流程"], []
    way, notes, unknown = _way(migration, path)
    name = migration.to(last)
    way = way[: way.index(name)] if name in way else way
    seat = str(back["seat"])
    if state.sign is None:
        seat = ""
    elif seat not in {item.key for item in base_seats(state.sign)}:
        rule = migration.old.states[last].task
        same = [item.key for item in base_seats(state.sign) if not seat and rule and item.role == rule.role]
        seat = same[0] if same else ""
    made = orjson.dumps({**back, "way": [*way, name], "seat": seat}).decode()
    return made, notes, [_unmapped(item) for item in unknown]


def _tasks(
    migration: Migration, case: Case, target: str
) -> tuple[TaskRule | None, tuple[Seat, ...], dict[str, Turn], list[str]]:
    """Whose turn it is in the new state: a rule of a transition, the seats, the tasks that go on, and notes."""
    new, state = migration.new, migration.new.states[target]
    turns = [turn for turn in case.turns if not turn.seat.startswith(ADDED)]
    rule = None
    seats: tuple[Seat, ...] = ()
    if state.sign is not None:
        seats = ready_seats(state.sign, base_seats(state.sign), {})
    elif state.task is not None and not state.final:
        # A transition that stays in its state had given the turn to another role; where the new one does so, too, it goes on.
        given = [
            item.task for item in new.transitions if item.task and item.target == target and target in item.sources
        ]
        roles = {turn.role for turn in turns}
        if state.task.role not in roles:
            rule = next((item for item in given if item.role in roles), None)
        seats = (Seat("", (rule or state.task).role),)
    kept: dict[str, Turn] = {}
    for seat in seats:
        home = organization_for(new, seat.role, case.text)
        same = [turn for turn in turns if (turn.role, turn.organization_id) == (seat.role, home)]
        # Outside a sign-off a role has one task without a seat; it is the first of the role's seats.
        found = [turn for turn in same if turn.seat == seat.key] or [
            turn for turn in same if "" in (turn.seat, seat.key) and ":" not in seat.key + turn.seat
        ]
        if found:
            kept[seat.key] = found[0]
    gone = [turn for turn in case.turns if turn not in kept.values()]
    notes = [
        f"加签的席位“{turn.seat}”作废"
        if turn.seat.startswith(ADDED)
        else f"“{_role(migration.old, turn.role)}”的任务作废"
        for turn in gone
    ]
    notes += [f"新开“{_role(new, seat.role)}”的任务" for seat in seats if seat.key not in kept]
    return rule, seats, kept, notes


def _unmapped(state: str) -> str:
    return f"经过的环节“{state}”新版本没有；请用 --map 指定，或映射为 {DROPPED} 去掉"


def _action_is(name: str) -> Callable[[Transition], bool]:
    return lambda item: item.action == name


def _named(definition: Definition, action: str) -> list[Transition]:
    return [item for item in definition.transitions if item.action == action]


def _role(definition: Definition, capacity: str) -> str:
    authors = {"drafter": "编制", "editor": "修改", "submitter": "报送"}
    role = definition.roles.get(capacity)
    return role.title if role else authors.get(capacity, capacity)


def name_of(definition: Definition) -> str:
    """``name@version``."""
    return f"{definition.name}@{definition.version}"
