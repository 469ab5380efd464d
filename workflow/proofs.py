"""What is proved of a definition before it is published, over all configurations that a text can come into.

Each finding has a code, a severity (an error stops publishing), one Chinese sentence that says what to do, the place in the
YAML, and a shortest counterexample. An empty list is a proof: for any number of people, any order and any contents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from workflow.contents import Contents
from workflow.definition import Definition, Transition
from workflow.duties import TooMany
from workflow.exploration import LIMIT, Space, Step, explore, told
from workflow.expressions import ExpressionError, parse
from workflow.facts import facts_known
from workflow.possibilities import Config, Edge, Kind
from workflow.properties import failing

Severity = Literal["error", "warning"]
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """A finding: what does not hold, where in the YAML, and the story that shows it (empty where it begins with nothing)."""

    code: str
    severity: Severity
    message: str
    place: Place
    counterexample: tuple[Step, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Its members, and the counterexample in one line beside its steps."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "place": list(self.place),
            "counterexample": [step.to_json() for step in self.counterexample],
            "story": told(self.counterexample),
        }


def prove(definition: Definition, *, contents: Contents | None = None, limit: int = LIMIT) -> tuple[Proof, ...]:
    """Everything that does not hold, errors first; ``contents`` and ``limit`` as in ``explore``."""
    try:
        space = explore(definition, contents=contents, limit=limit)
    except ExpressionError as error:
        return (Proof("condition", "error", str(error), _unreadable(definition)),)
    if not space.complete:
        return (_too_many(limit),)
    found = [finding for check in _CHECKS for finding in check(space)]
    try:
        for number, declared in enumerate(definition.properties):
            failed = failing(space, declared, limit=limit)
            if failed is not None:
                found.append(Proof(failed.code, "error", failed.message, ("properties", number), failed.way))
    except TooMany:
        found.append(_too_many(limit))
    return tuple(sorted(found, key=lambda finding: finding.severity != "error"))


def _too_many(limit: int) -> Proof:
    message = f"状态太多，无法穷举（超过 {limit} 种情况）；请减少退回去向、席位或次数限制后重试。"
    return Proof("too_many", "error", message, ("states",))


def _unreadable(definition: Definition) -> Place:
    """The place of the first condition that can't be read."""
    known = facts_known(definition.kind)
    for number, item in enumerate(definition.transitions):
        asked = [(item.when, "when"), *((rule.that, "requires") for rule in item.requires)]
        for text, member in asked:
            try:
                if text is not None:
                    parse(text, known)
            except ExpressionError:
                return ("transitions", number, member)
    return ("transitions",)


def _unreachable_states(space: Space) -> Iterator[Proof]:
    reached = {config.state for config in space.edges}
    for name, state in space.definition.states.items():
        if name not in reached:
            message = f"任何走法都到不了状态“{state.title}”；请增加通向它的动作，或删去这个状态。"
            yield Proof("unreachable_state", "error", message, ("states", name))


def _dead_transitions(space: Space) -> Iterator[Proof]:
    states = space.definition.states
    reached = {config.state for config in space.edges}
    happens = {(edge.number, config.state) for config, edge in space.all_edges() if space.transition(edge) is not None}
    happens |= {(back.number, edge.target.state) for _, edge, back in space.taken_back()}
    for number, item in enumerate(space.definition.transitions):
        idle = [name for name in item.sources if name in reached and (number, name) not in happens]
        where = "、".join(f"“{states[name].title}”" for name in idle)
        if idle and len(idle) == sum(name in reached for name in item.sources):
            message = (
                f"“{item.title}”（{item.action}）永远不会发生；请检查它的条件、次数限制、由谁办理和退回去向，或删去它。"
            )
            yield Proof("dead_transition", "error", message, ("transitions", number), _way_to(space, idle[0]))
        elif idle:
            message = f"“{item.title}”（{item.action}）从{where}出发永远不会发生；请检查它的条件，或从 from 中删去。"
            yield Proof("dead_source", "warning", message, ("transitions", number, "from"), _way_to(space, idle[0]))


def _traps(space: Space) -> Iterator[Proof]:
    stuck = _stuck(space)
    for config in _first_of_each_state(stuck):
        state = space.definition.states[config.state]
        why = "签署无法得出结果，也没有别的动作可做" if state.sign else "没有任何人能做任何动作，也不是终点"
        message = f"文本会停在“{state.title}”：{why}；请增加离开它的动作，或写 final: true。"
        yield Proof("trap", "error", message, ("states", config.state), space.path_to(config))


def _no_way_out(space: Space) -> Iterator[Proof]:
    finals = [config for config in space.edges if space.definition.states[config.state].final]
    if not finals and not any(state.final for state in space.definition.states.values()):
        yield Proof("no_final", "error", "流程没有终点；请给结束的状态写 final: true。", ("states",))
        return
    # Whoever is on the way to a trap, or to a final state that nothing leads to, has been told so already.
    if not finals:
        return
    ends = space.reaching([*finals, *_stuck(space)])
    for config in _first_of_each_state([config for config in space.edges if config not in ends])[:1]:
        title = space.definition.states[config.state].title
        message = f"从“{title}”起再也到不了任何终点；请增加通向终点的动作，或放宽条件和次数限制。"
        yield Proof("no_way_to_final", "error", message, ("states", config.state), space.path_to(config))


def _returns(space: Space) -> Iterator[Proof]:
    back: dict[str, set[Config]] = {}
    reported = set()
    for config, edge in space.all_edges():
        item = space.transition(edge)
        if item is None or not item.returns or (edge.number, config.state) in reported:
            continue
        if config.state not in back:
            back[config.state] = space.reaching([at for at in space.edges if at.state == config.state])
        if edge.target not in back[config.state]:
            reported.add((edge.number, config.state))
            titles = [space.definition.states[name].title for name in (config.state, edge.target.state)]
            message = (
                f"“{item.title}”从“{titles[0]}”退到“{titles[1]}”之后，再也回不到“{titles[0]}”；请增加走回去的动作。"
            )
            yield Proof("no_way_back", "error", message, ("transitions", edge.number), space.path_to(config, edge))


def _resumptions(space: Space) -> Iterator[Proof]:
    uses = {
        config
        for config, edge in space.all_edges()
        if (item := space.transition(edge)) is not None and item.resumes and config.resume
    }
    # Only as long as nobody has replaced what this return left.
    able = space.reaching(uses, along=lambda config, edge: config.resume == edge.target.resume)
    direct = [
        (config, edge)
        for config, edge in space.all_edges()
        if edge.resume == "direct" and (item := space.transition(edge)) is not None and item.returns
    ]
    useful = {edge.number for _, edge in direct if edge.target in able}
    for number, item in enumerate(space.definition.transitions):
        shown = next((pair for pair in direct if pair[1].number == number), None)
        if shown is not None and number not in useful:
            message = f"“{item.title}”可以直送退回人，但之后没有写了 resumes: true 的动作可走；请给再报送写 resumes: true，或写 resume: restart。"
            yield Proof("resume_unused", "error", message, ("transitions", number, "resume"), space.path_to(*shown))


def _unapproved(space: Space) -> Iterator[Proof]:
    def publishes(config: Config, item: Transition) -> bool:
        return item.publishes and not (config.approved or item.approves)

    def approves(config: Config, item: Transition) -> bool:
        return item.approves and not (config.submitted or item.freeze)

    for shown, edge, item in _each_transition(space, publishes):
        message = f"“{item.title}”可能公开没有批准的内容；请在它之前设批准（approves: true），并写条件 approved_content_unchanged。"
        yield Proof("publishes_unapproved", "error", message, ("transitions", edge.number), space.path_to(shown, edge))
    for shown, edge, item in _each_transition(space, approves):
        message = f"“{item.title}”可能批准没有报送的内容，批准必须针对报送时的内容；请让报送写 freeze: true，并写条件 content_unchanged。"
        yield Proof("approves_unsubmitted", "error", message, ("transitions", edge.number), space.path_to(shown, edge))


def _left_finals(space: Space) -> Iterator[Proof]:
    states = space.definition.states
    for number, item in enumerate(space.definition.transitions):
        # Taking the last step back is no way on: it ends with the next step, and only its own person may do it.
        left = [states[name].title for name in item.sources if states[name].final]
        if left and not item.reopens and not item.undoes:
            message = (
                f"“{item.title}”离开终点“{left[0]}”，却没有写 reopens: true；请写明它重新打开文本，或去掉这个终点。"
            )
            yield Proof("final_left", "error", message, ("transitions", number))


def _editing_bureau(space: Space) -> Iterator[Proof]:
    definition, reported = space.definition, set()
    for config in space.edges:
        state = definition.states[config.state]
        held = [role for role in space.rules.holders(config) if definition.side(role) == "finance"]
        if state.editable and held and config.state not in reported:
            reported.add(config.state)
            role = definition.roles[held[0]].title
            message = f"“{state.title}”可以修改内容，任务却在审核机关的“{role}”；审核人不改文本，请把任务交给部门，或去掉 editable。"
            yield Proof("bureau_edits", "error", message, ("states", config.state), space.path_to(config))


def _each_transition(
    space: Space, matches: Callable[[Config, Transition], bool]
) -> Iterator[tuple[Config, Edge, Transition]]:
    """For each transition the nearest edge that matches."""
    reported = set()
    for config, edge in space.all_edges():
        item = space.transition(edge)
        if item is not None and edge.number not in reported and matches(config, item):
            reported.add(edge.number)
            yield config, edge, item


def _stuck(space: Space) -> list[Config]:
    """Configurations that are no end and from which nothing leads on, whatever anybody edits."""
    idle = {
        config
        for config, edges in space.edges.items()
        if not space.definition.states[config.state].final
        and not any(edge.kind in (Kind.MOVE, Kind.DECISION, Kind.VOTE) for edge in edges)
    }
    return [config for config in space.edges if config in idle and all(e.target in idle for e in space.edges[config])]


def _first_of_each_state(configs: list[Config]) -> list[Config]:
    first: dict[str, Config] = {}
    for config in configs:
        first.setdefault(config.state, config)
    return list(first.values())


def _way_to(space: Space, state: str) -> tuple[Step, ...]:
    return space.path_to(next(config for config in space.edges if config.state == state))


_CHECKS: Final[tuple[Callable[[Space], Iterator[Proof]], ...]] = (
    _unreachable_states,
    _dead_transitions,
    _traps,
    _no_way_out,
    _returns,
    _resumptions,
    _unapproved,
    _left_finals,
    _editing_bureau,
)
