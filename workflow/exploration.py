"""The state space of a definition: every configuration that a text can come into, with a shortest way to each.

Breadth first, so that the way to a configuration is a shortest one, and every counterexample a short story.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from workflow.contents import Contents, contents_of
from workflow.definition import LAST_ACTOR, SIGN, SUBMITTER, Definition, Transition
from workflow.possibilities import Config, Edge, Kind, Possibilities

# Definitions of practice have some hundred configurations; one of fifty thousand nobody can oversee, and it takes ten seconds.
LIMIT: Final = 50_000

_WAYS: Final = {"restart": "重走流程", "direct": "直送退回人"}
_CHOICES: Final = {True: "同意", False: "不同意"}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a story: what was done by whom in which capacity, from which state to which.

    ``action`` is ``import``, ``edit`` or ``lapse`` where no transition or vote was. ``choice`` is a vote, ``to`` and
    ``resume`` tell a return's choices (empty where there were none), ``facts`` the content where it decides. ``person``
    names the one person whom the story is about.
    """

    action: str
    title: str
    who: str
    capacity: str
    source: str
    target: str
    choice: str = ""
    to: str = ""
    resume: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    person: str = ""

    def to_json(self) -> dict[str, Any]:
        """Its members by name, empty ones left out."""
        members = {
            "action": self.action,
            "title": self.title,
            "who": self.who,
            "capacity": self.capacity,
            "from": self.source,
            "target": self.target,
            "choice": self.choice,
            "to": self.to,
            "resume": self.resume,
            "facts": dict(self.facts),
            "person": self.person,
        }
        return {name: value for name, value in members.items() if value}

    def __str__(self) -> str:
        who = "·".join(filter(None, (self.who, self.person)))
        facts = "、".join(f"{name}={value}" for name, value in self.facts.items())
        told = "，".join(filter(None, (who, self.to, _WAYS.get(self.resume, ""), facts)))
        return f"{self.title}（{told}）" if told else self.title


def told(steps: Iterable[Step]) -> str:
    """Steps in one line."""
    return " → ".join(str(step) for step in steps) or "一开始"


@dataclass(frozen=True)
class Space:
    """Configurations in the order of their distance, and what can happen from each; not ``complete`` beyond the limit."""

    rules: Possibilities
    edges: Mapping[Config, tuple[Edge, ...]]
    parents: Mapping[Config, tuple[Config, Edge] | None]
    complete: bool

    @property
    def definition(self) -> Definition:
        """The definition that was explored."""
        return self.rules.definition

    def path_to(self, config: Config, *further: Edge) -> tuple[Step, ...]:
        """A shortest way to a configuration, and what happens further on."""
        way: list[tuple[Config, Edge]] = []
        at = config
        while (before := self.parents[at]) is not None:
            way.append(before)
            at = before[0]
        steps = self.began(at)
        for source, edge in reversed(way):
            steps += self.describe(source, edge)
        for edge in further:
            steps += self.describe(config, edge)
            config = edge.target
        return steps

    def first(self, matches: Callable[[Config, Edge], bool]) -> tuple[Config, Edge] | None:
        """The nearest edge that matches, with where it starts."""
        return next(((config, edge) for config, edge in self.all_edges() if matches(config, edge)), None)

    def all_edges(self) -> Iterator[tuple[Config, Edge]]:
        """Every edge with where it starts, the nearest first."""
        for config, edges in self.edges.items():
            for edge in edges:
                yield config, edge

    def reaching(
        self, goals: Iterable[Config], along: Callable[[Config, Edge], bool] = lambda _config, _edge: True
    ) -> set[Config]:
        """All configurations from which one of the goals can be reached (the goals too), along the edges that count."""
        before: dict[Config, list[Config]] = {}
        for config, edge in self.all_edges():
            if along(config, edge):
                before.setdefault(edge.target, []).append(config)
        found = set(goals)
        waiting = list(found)
        while waiting:
            for config in before.get(waiting.pop(), ()):
                if config not in found:
                    found.add(config)
                    waiting.append(config)
        return found

    def transition(self, edge: Edge) -> Transition | None:
        """The transition that an edge takes; None for edits and for votes that decide nothing yet."""
        return self.definition.transitions[edge.number] if edge.kind in (Kind.MOVE, Kind.DECISION) else None

    def taken_back(self) -> Iterator[tuple[Config, Edge, Edge]]:
        """Every step that can be taken back: where it starts, the step, and the taking back, which leads nowhere new."""
        if any(item.undoes for item in self.definition.transitions):
            for config, edge in self.all_edges():
                if self.transition(edge) is not None:
                    for back in self.rules.undoing(edge.target, edge.capacity):
                        yield config, edge, back

    def undone(self, config: Config, edge: Edge, back: Edge, person: str = "") -> Step:
        """The taking back of a step, as a step that people read."""
        item = self.definition.transitions[back.number]
        who = self.title_of(back.who)
        return Step(item.action, item.title, who, back.capacity, edge.target.state, config.state, person=person)

    def began(self, config: Config, person: str = "") -> tuple[Step, ...]:
        """How a text begins, where anything is to be told of it: contents make a difference, or the person wrote it."""
        facts = self._facts(config)
        if not facts and not person:
            return ()
        return (
            Step(
                "import",
                "编制",
                self.title_of("drafter"),
                "drafter",
                config.state,
                config.state,
                facts=facts,
                person=person,
            ),
        )

    def describe(self, config: Config, edge: Edge, person: str = "") -> tuple[Step, ...]:
        """An edge as steps that people read."""
        state, target = config.state, edge.target.state
        if edge.kind is Kind.LAPSE:
            return (Step("lapse", "已有后续处理，不能再撤回", "", "", state, state),)
        if edge.kind is Kind.EDIT:
            who = self.title_of("editor")
            return (
                Step("edit", "修改内容", who, "editor", state, state, facts=self._facts(edge.target), person=person),
            )
        who = self.title_of(edge.who)
        if edge.kind is Kind.VOTE:
            choice = _CHOICES[edge.agrees]
            return (
                Step(
                    SIGN, choice, who, edge.capacity, state, state, "agree" if edge.agrees else "against", person=person
                ),
            )
        item = self.definition.transitions[edge.number]
        if edge.kind is Kind.KEPT:
            done = next(it for it in self.rules.edges(config) if it.kind is Kind.MOVE and it.number == edge.number)
            back = next(self.rules.undoing(done.target, done.capacity))
            return (*self.describe(config, done, person), self.undone(config, done, back, person))
        to = self.definition.states[target].title if len(self.rules.ways(config, item)) > 1 else ""
        resume = edge.resume if item.resume == "choose" and edge.kind is Kind.MOVE else ""
        # A new round may change what conditions of the round say, but the content is the same: nothing to tell.
        if edge.kind is Kind.MOVE:
            return (Step(item.action, item.title, who, edge.capacity, state, target, "", to, resume, person=person),)
        title = f"{_CHOICES[edge.agrees]}，{item.title}"
        return (
            Step(SIGN, title, who, edge.capacity, state, target, "agree" if edge.agrees else "against", person=person),
        )

    def title_of(self, who: str) -> str:
        """Chinese title of a role or of a person of the definition."""
        persons = {SUBMITTER: "本轮报送人", LAST_ACTOR: "上一步办理人", "drafter": "经办人", "editor": "编制部门"}
        role = self.definition.roles.get(who)
        return role.title if role else persons.get(who, who)

    def _facts(self, config: Config) -> dict[str, str]:
        cases = self.rules.contents.cases
        if len(cases) < 2:
            return {}
        facts = cases[config.case].facts
        return {name: "缺" if value is None else str(value) for name, value in facts.items() if name != "round"}


def explore(definition: Definition, *, contents: Contents | None = None, limit: int = LIMIT) -> Space:
    """Explores a definition breadth first; raises ExpressionError where its conditions can't be read.

    ``contents`` are by default those that its conditions tell apart.
    """
    rules = Possibilities(definition, contents_of(definition) if contents is None else contents)
    parents: dict[Config, tuple[Config, Edge] | None] = dict.fromkeys(rules.starts())
    edges: dict[Config, tuple[Edge, ...]] = {}
    waiting = list(parents)
    # The list grows while it is walked: what is found is looked at in the order in which it was found.
    for config in waiting:
        if len(waiting) > limit:
            return Space(rules, edges, parents, complete=False)
        edges[config] = found = rules.edges(config)
        for edge in found:
            if edge.target not in parents:
                parents[edge.target] = (config, edge)
                waiting.append(edge.target)
    return Space(rules, edges, parents, complete=True)
