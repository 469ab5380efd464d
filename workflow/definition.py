"""Definitions of a workflow as data: roles, states, sign-offs, transitions, and the properties that they declare.

A definition is read once (``workflow/source.py``), proved (``workflow/analysis.py``), stored canonical with its hash, and
never changed afterwards; each text pins the one it began with. Callbacks are names in a registry: ``transitions`` imports
and calls a string with dots, so a name with dots must never reach it, and none passes here.
"""

from __future__ import annotations

import unicodedata
from fractions import Fraction
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from models.canonical import canonical_bytes, digest, without_empty
from workflow.deadlines import CALENDARS, Deadline, parse_deadline

# Who may act besides a role: the person who submitted this round, whoever's turn it is, whoever did the last step, and
# nobody in person: the outcome of a sign-off.
SUBMITTER: Final = "submitter"
TASK_HOLDER: Final = "task_holder"
LAST_ACTOR: Final = "last_actor"
SIGN_OFF: Final = "sign_off"
# Where a transition leads besides a state: the state before on the way here, any state on the way here, and back to what
# was before the last step (a compensation, which only the person of that step may ask for).
PREVIOUS: Final = "previous"
EARLIER: Final = "earlier"
UNDO: Final = "undo"
# The action by which people vote in a sign-off, whatever its rule.
SIGN: Final = "sign"
# The step by which a text was moved to another definition; no action of a definition may have its name.
MIGRATE: Final = "migrate"
# Capacities of people who write the text; they come from the use cases and not from a transition.
AUTHORS: Final = ("drafter", "editor")

_PERSONS: Final = (SUBMITTER, TASK_HOLDER, LAST_ACTOR, SIGN_OFF)
_WAYS: Final = (PREVIOUS, EARLIER, UNDO)


def _readable(title: str) -> str:
    # Also what YAML can't hold or would fold into a blank, so that the canonical form reads back as the same.
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cn", "Cs", "Zl", "Zp") for character in title):
        raise ValueError("含有不能显示的字符")
    return title


_NAME: Final = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"}
Title = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_readable)]
Name = Annotated[str, Field(pattern=_NAME["pattern"])]
Names = Annotated[
    tuple[Name, ...],
    Field(min_length=1),
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
    WithJsonSchema({"anyOf": [_NAME, {"type": "array", "items": _NAME, "minItems": 1}]}),
]
Expression = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_readable)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class RoleRule(_Model):
    """A role of the definition, the side on which it is held, and the role that is told when its tasks are overdue."""

    title: Title
    of: Literal["department", "finance"]
    head: Name | None = None


class TaskRule(_Model):
    """Whose turn it is in a state, and for how long."""

    role: Name
    due: str | None = None

    @model_validator(mode="after")
    def _due_is_readable(self) -> Self:
        if self.due is not None:
            parse_deadline(self.due)
        return self

    @property
    def deadline(self) -> Deadline | None:
        """The deadline, read."""
        return None if self.due is None else parse_deadline(self.due)


class SignRule(_Model):
    """Sign-off by several seats in one state: 会签 all, 或签 any, 票签 quorum, 依次 sequential.

    A seat is a role; a role named twice means two different people. ``quorum`` (a number of votes) or ``share`` (such as
    ``2/3`` of the seats) belongs to the rule ``quorum``. ``passed`` and ``failed`` name the actions that the outcome
    performs; without ``failed`` nobody can vote against, and only a return stops the text. ``early_stop`` ends the
    sign-off as soon as its outcome is certain; otherwise every seat is heard first.
    """

    rule: Literal["all", "any", "quorum", "sequential"]
    seats: Names
    passed: Name
    failed: Name | None = None
    quorum: int | None = Field(default=None, ge=1, le=99)
    share: Annotated[str, Field(pattern=r"^[1-9][0-9]?/[1-9][0-9]?$")] | None = None
    early_stop: bool = True

    @model_validator(mode="after")
    def _threshold_fits(self) -> Self:
        if len(self.seats) > 9:
            raise ValueError("一个环节最多 9 个签署席位")
        if (self.rule == "quorum") != ((self.quorum is None) != (self.share is None)):
            raise ValueError("票签（quorum）要写 quorum（票数）或 share（比例）之一，其他规则不写")
        if not 1 <= self.needed <= len(self.seats):
            raise ValueError(f"需要 {self.needed} 票，席位只有 {len(self.seats)} 个")
        return self

    @property
    def needed(self) -> int:
        """How many of the seats must agree."""
        if self.rule == "any":
            return 1
        if self.quorum is not None:
            return self.quorum
        if self.share is not None:
            whole = Fraction(self.share) * len(self.seats)
            return -(-whole.numerator // whole.denominator)
        return len(self.seats)


class State(_Model):
    """A state: its Chinese title, the text's status on the cover, the document of the stage, the task, the sign-off."""

    title: Title
    status: Title
    document: Name
    editable: bool = False
    final: bool = False
    task: TaskRule | None = None
    sign: SignRule | None = None


class Requirement(_Model):
    """A condition over the content, in the small language of ``workflow/expressions.py``, and what is said where it fails."""

    that: Expression
    message: Title


class Transition(_Model):
    """An action from one or several states to another, by whom, and under which guards.

    ``when`` chooses between transitions of one action and state. ``resume`` marks a return: after it, a transition with
    ``resumes`` leads straight back to whoever returned the text (``direct``, 直送退回人), goes the whole way again
    (``restart``, 重走流程), or as the person who returns it says (``choose``). ``at_most`` limits how often a text may take
    it until its next adjustment. ``reopens`` leaves a final state (调整).
    """

    action: Name
    title: Title
    sources: Names = Field(alias="from")
    target: Name = Field(alias="to")
    by: Name
    capacity: Name | None = Field(alias="as", default=None)
    guards: tuple[Name, ...] = ()
    when: Expression | None = None
    requires: tuple[Requirement, ...] = ()
    reason: Literal["required", "optional"] = "optional"
    freeze: bool = False
    next_round: bool = False
    approves: bool = False
    publishes: bool = False
    reopens: bool = False
    resume: Literal["restart", "direct", "choose"] | None = None
    resumes: bool = False
    at_most: int | None = Field(default=None, ge=1, le=99)
    task: TaskRule | None = None

    @property
    def undoes(self) -> bool:
        """Whether it takes the last step back."""
        return self.target == UNDO

    @property
    def returns(self) -> bool:
        """Whether it leads back on the way."""
        return self.resume is not None or self.target in (PREVIOUS, EARLIER)


class Reachable(_Model):
    """Some way leads to a state."""

    reachable: Name


class AlwaysBefore(_Model):
    """The second action never happens to a text on which the first has not happened since it began or was last adjusted."""

    always_before: tuple[Name, Name]


class Separate(_Model):
    """The capacities never fall on one person, delegates included."""

    separate: tuple[Name, ...] = Field(min_length=2)


class AtMost(_Model):
    """An action happens to a text no more than so many times until its next adjustment."""

    at_most: tuple[Name, Annotated[int, Field(ge=0, le=99)]]


class EventuallyPossible(_Model):
    """A state can be reached from wherever a text has come to."""

    eventually_possible: Name


Property = Reachable | AlwaysBefore | Separate | AtMost | EventuallyPossible


class Definition(_Model):
    """A whole workflow definition."""

    name: Name
    version: int = Field(ge=1, le=999_999)
    title: Title
    kind: Name
    initial: Name
    calendar: Name | None = None
    roles: dict[Name, RoleRule] = Field(min_length=1)
    separate: tuple[tuple[Name, ...], ...] = ()
    states: dict[Name, State]
    transitions: tuple[Transition, ...] = Field(min_length=1)
    properties: tuple[Property, ...] = ()

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        problems = [f"初始状态“{self.initial}”没有定义"] if self.initial not in self.states else []
        if self.calendar is not None and self.calendar not in CALENDARS:
            problems.append(f"没有名为“{self.calendar}”的工作日历；可以用 {'、'.join(CALENDARS)}")
        problems += [f"状态不能叫“{name}”，这个名称另有含义" for name in _WAYS if name in self.states]
        problems += [f"角色不能叫“{name}”，这个名称另有含义" for name in _PERSONS if name in self.roles]
        for name, state in self.states.items():
            if not state.task and not state.final:
                problems.append(f"状态“{name}”不是终点，却没有任务")
            roles = [*((state.task.role,) if state.task else ()), *(state.sign.seats if state.sign else ())]
            problems += [
                f"状态“{name}”的任务角色“{role}”没有定义" for role in dict.fromkeys(roles) if role not in self.roles
            ]
        problems += [
            f"角色“{name}”的上级“{rule.head}”没有定义"
            for name, rule in self.roles.items()
            if rule.head is not None and rule.head not in self.roles
        ]
        for item in self.transitions:
            problems += [
                f"动作“{item.action}”用到没有定义的状态“{name}”"
                for name in (*item.sources, *(() if item.target in _WAYS else (item.target,)))
                if name not in self.states
            ]
            if item.by not in self.roles and item.by not in _PERSONS:
                problems.append(f"动作“{item.action}”的角色“{item.by}”没有定义")
            if item.task and item.task.role not in self.roles:
                problems.append(f"动作“{item.action}”的任务角色“{item.task.role}”没有定义")
        problems += self._doubled() + self._sign_offs() + self._unknown_capacities() + self._unfit_undo()
        problems += self._unknown_properties()
        if problems:
            raise ValueError("；".join(problems))
        return self

    def _doubled(self) -> list[str]:
        # Two transitions of one action and state need conditions that tell them apart; the analysis proves that they do.
        seen: dict[tuple[str, str], bool] = {}
        problems = []
        for item in self.transitions:
            for source in item.sources:
                plain = item.when is None
                if (item.action, source) in seen and (plain or seen[item.action, source]):
                    problems.append(f"状态“{source}”上的动作“{item.action}”定义了两次")
                seen[item.action, source] = seen.get((item.action, source), False) or plain
        return problems

    def _sign_offs(self) -> list[str]:
        problems = []
        for name, state in self.states.items():
            if state.sign is None:
                continue
            if state.final or state.editable:
                problems.append(f"状态“{name}”可以修改或已是终点，不能设签署")
            for action in filter(None, (state.sign.passed, state.sign.failed)):
                found = self.candidates(action, name)
                if not found or any(item.by != SIGN_OFF for item in found):
                    problems.append(f"状态“{name}”的签署结果“{action}”没有由 {SIGN_OFF} 执行的动作")
            if state.sign.passed == state.sign.failed:
                problems.append(f"状态“{name}”的签署通过与不通过是同一个动作")
        for item in self.transitions:
            if item.action in (SIGN, MIGRATE):
                problems.append(f"动作“{item.action}”不能用这个名称，它另有含义")
            if item.by == SIGN_OFF and item.target in (EARLIER, UNDO):
                problems.append(f"动作“{item.action}”由签署结果执行，没有人选择退到哪里")
            problems += [
                f"动作“{item.action}”由签署结果执行，但状态“{source}”没有设它为签署结果"
                for source in item.sources
                if item.by == SIGN_OFF and source in self.states and item.action not in self._outcomes(source)
            ]
        return problems

    def _outcomes(self, state: str) -> tuple[str | None, ...]:
        sign = self.states[state].sign
        return (sign.passed, sign.failed) if sign else ()

    def _unfit_undo(self) -> list[str]:
        problems = []
        for item in self.transitions:
            if (item.target == UNDO) != (item.by == LAST_ACTOR):
                problems.append(f"动作“{item.action}”：to: {UNDO} 与 by: {LAST_ACTOR} 必须同时使用")
            if item.target == UNDO and (
                item.freeze or item.next_round or item.approves or item.publishes or item.resume
            ):
                problems.append(f"动作“{item.action}”收回上一步，不能再有别的效果")
            if item.reopens and any(name in self.states and not self.states[name].final for name in item.sources):
                problems.append(f"动作“{item.action}”写了 reopens，却从不是终点的状态出发")
        return problems

    def _unknown_capacities(self) -> list[str]:
        # A misspelt capacity would belong to no group, and the separation of duties would silently not hold for it.
        known = self.capacities
        grouped = [name for group in self.separate for name in group]
        problems = [f"separate 中的“{name}”没有定义" for name in sorted({*grouped} - known)]
        problems += [f"separate 中的“{name}”出现了两次" for name in sorted(known) if grouped.count(name) > 1]
        problems += [
            f"动作“{item.action}”的身份“{item.capacity}”没有定义"
            for item in self.transitions
            if item.capacity is not None and item.capacity not in known
        ]
        return problems

    def _unknown_properties(self) -> list[str]:
        actions = {item.action for item in self.transitions}
        problems = []
        for declared in self.properties:
            match declared:
                case Reachable(reachable=state) | EventuallyPossible(eventually_possible=state):
                    problems += [] if state in self.states else [f"性质中的状态“{state}”没有定义"]
                case AlwaysBefore(always_before=names):
                    problems += [f"性质中的动作“{name}”没有定义" for name in names if name not in actions]
                case AtMost(at_most=(name, _)):
                    problems += [] if name in actions else [f"性质中的动作“{name}”没有定义"]
                case Separate(separate=names):
                    problems += [f"性质中的身份“{name}”没有定义" for name in names if name not in self.capacities]
        return problems

    @property
    def capacities(self) -> frozenset[str]:
        """Everything in which a person can take part."""
        return frozenset({*self.roles, *AUTHORS, SUBMITTER})

    def candidates(self, action: str, state: str) -> tuple[Transition, ...]:
        """The transitions of an action in a state; more than one only with conditions that tell them apart."""
        return tuple(item for item in self.transitions if item.action == action and state in item.sources)

    def transition(self, action: str, state: str) -> Transition | None:
        """The first transition of an action in a state, or None."""
        return next(iter(self.candidates(action, state)), None)

    def leaving(self, state: str) -> tuple[Transition, ...]:
        """All transitions that leave a state (or stay in it)."""
        return tuple(item for item in self.transitions if state in item.sources)

    def group(self, capacity: str) -> tuple[str, ...] | None:
        """The group of ``separate`` that a capacity belongs to."""
        return next((group for group in self.separate if capacity in group), None)

    def side(self, role: str) -> str:
        """``department`` or ``finance``."""
        return self.roles[role].of


def canonical(definition: Definition) -> bytes:
    """Canonical bytes of a definition, which its hash is taken over."""
    value: Any = definition.model_dump(mode="json", by_alias=True, exclude_defaults=False)
    return canonical_bytes(without_empty(_without_defaults(value)))


# Members that came after the first definitions were published: their defaults are left out, so that a definition that does
# not use them keeps the hash it was published with.
_LATER: Final = {"reopens": False, "resumes": False}


def _without_defaults(value: dict[str, Any]) -> dict[str, Any]:
    transitions = [
        {key: member for key, member in item.items() if _LATER.get(key, ...) is not member}
        for item in value["transitions"]
    ]
    return {**value, "transitions": transitions}


def definition_hash(definition: Definition) -> str:
    """SHA-256 of the canonical bytes."""
    return digest(canonical(definition))


def stored_definition(body: bytes) -> Definition:
    """A definition from its canonical bytes, whose hash the caller has checked."""
    return Definition.model_validate_json(body)
