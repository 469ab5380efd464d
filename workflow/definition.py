"""Definitions of a workflow as data: the YAML format, its checks, canonical form and hash.

A definition is read once, checked, stored canonical with its hash, and never changed afterwards; each text pins the one
it began with. Callbacks are names in a registry: ``transitions`` imports and calls a string with dots, so a name with
dots must never reach it, and none passes here.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, Final, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from models.canonical import canonical_bytes, digest, without_empty
from models.errors import InvalidInput
from models.problems import problems_of
from workflow.deadlines import Deadline, parse_deadline

# Who may act besides a role: the person who submitted this round, or whoever's turn it is.
SUBMITTER = "submitter"
TASK_HOLDER = "task_holder"
# Capacities of people who write the text; they come from the use cases and not from a transition.
AUTHORS = ("drafter", "editor")

# A definition has some 5 KB and 5 levels; what goes far beyond is no definition and would only cost time.
LONGEST: Final = 256 * 1024
_DEEPEST: Final = 20


def _readable(title: str) -> str:
    # Also what YAML can't hold or would fold into a blank, so that the canonical form reads back as the same.
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cn", "Cs", "Zl", "Zp") for character in title):
        raise ValueError("含有不能显示的字符")
    return title


Title = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_readable)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Names = Annotated[
    tuple[Name, ...],
    Field(min_length=1),
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class RoleRule(_Model):
    """A role of the definition, and the side on which it is held: the department's or the reviewing bureau's."""

    title: Title
    of: Literal["department", "finance"]


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


class State(_Model):
    """A state: its Chinese title, the text's status on the cover, the document of the stage, and the task."""

    title: Title
    status: Title
    document: Name
    editable: bool = False
    final: bool = False
    task: TaskRule | None = None


class Transition(_Model):
    """An action from one or several states to another, by whom, and under which guards."""

    action: Name
    title: Title
    sources: Names = Field(alias="from")
    target: Name = Field(alias="to")
    by: Name
    capacity: Name | None = Field(alias="as", default=None)
    guards: tuple[Name, ...] = ()
    reason: Literal["required", "optional"] = "optional"
    freeze: bool = False
    next_round: bool = False
    approves: bool = False
    publishes: bool = False
    task: TaskRule | None = None


class Definition(_Model):
    """A whole workflow definition."""

    name: Name
    version: int = Field(ge=1, le=999_999)
    title: Title
    kind: Name
    initial: Name
    roles: dict[Name, RoleRule] = Field(min_length=1)
    separate: tuple[tuple[Name, ...], ...] = ()
    states: dict[Name, State]
    transitions: tuple[Transition, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        problems = [f"初始状态“{self.initial}”没有定义"] if self.initial not in self.states else []
        for name, state in self.states.items():
            if state.task and state.task.role not in self.roles:
                problems.append(f"状态“{name}”的任务角色“{state.task.role}”没有定义")
            if not state.task and not state.final:
                problems.append(f"状态“{name}”不是终点，却没有任务")
        seen: set[tuple[str, str]] = set()
        for item in self.transitions:
            problems += [
                f"动作“{item.action}”用到没有定义的状态“{name}”"
                for name in (*item.sources, item.target)
                if name not in self.states
            ]
            if item.by not in self.roles and item.by not in (SUBMITTER, TASK_HOLDER):
                problems.append(f"动作“{item.action}”的角色“{item.by}”没有定义")
            if item.task and item.task.role not in self.roles:
                problems.append(f"动作“{item.action}”的任务角色“{item.task.role}”没有定义")
            for source in item.sources:
                if (item.action, source) in seen:
                    problems.append(f"状态“{source}”上的动作“{item.action}”定义了两次")
                seen.add((item.action, source))
        problems += self._unknown_capacities()
        if problems:
            raise ValueError("；".join(problems))
        return self

    def _unknown_capacities(self) -> list[str]:
        # A misspelt capacity would belong to no group, and the separation of duties would silently not hold for it.
        problems = [f"角色不能叫“{name}”，这个名称另有含义" for name in (SUBMITTER, TASK_HOLDER) if name in self.roles]
        known = {*self.roles, *AUTHORS, SUBMITTER}
        grouped = [name for group in self.separate for name in group]
        problems += [f"separate 中的“{name}”没有定义" for name in sorted({*grouped} - known)]
        problems += [f"separate 中的“{name}”出现了两次" for name in sorted(known) if grouped.count(name) > 1]
        problems += [
            f"动作“{item.action}”的身份“{item.capacity}”没有定义"
            for item in self.transitions
            if item.capacity is not None and item.capacity not in known
        ]
        return problems

    def transition(self, action: str, state: str) -> Transition | None:
        """The transition of an action in a state, or None."""
        return next((item for item in self.transitions if item.action == action and state in item.sources), None)

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
    return canonical_bytes(without_empty(definition.model_dump(mode="json", by_alias=True)))


def definition_hash(definition: Definition) -> str:
    """SHA-256 of the canonical bytes."""
    return digest(canonical(definition))


def parse_definition(data: bytes | str) -> Definition:
    """Definition of YAML or canonical JSON; raises InvalidInput with every problem in one sentence."""
    if len(data) > LONGEST:
        raise InvalidInput(f"流程定义太长（超过 {LONGEST // 1024} KB）；请确认选对了文件。")
    try:
        _check_events(data)
        value: Any = yaml.load(data, Loader=_Loader)  # noqa: S506 -- it makes texts, lists and objects only
        return Definition.model_validate(value)
    except yaml.YAMLError as error:
        raise InvalidInput(f"流程定义不是有效的 YAML：{' '.join(str(error).split())}；请改正后重试。") from error
    except ValidationError as error:
        parts = [f"{'.'.join(place)} {' '.join(words.split())}".strip() for place, words in problems_of(error)]
        raise InvalidInput(f"流程定义有误：{'；'.join(parts)}；请改正后重试。", problems=parts) from error


class _Loader(yaml.BaseLoader):
    """Every scalar is text, which pydantic converts; YAML's own dates, octal numbers and "no" have no place here."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Refuses a member that is written twice: the last one would win, silently."""
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(names) != len(set(names)):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise yaml.constructor.ConstructorError(
                problem=f"“{'、'.join(twice)}”写了两次", problem_mark=node.start_mark
            )
        return super().construct_mapping(node, deep=deep)


def _check_events(data: bytes | str) -> None:
    """Refuses aliases (a few lines expand to gigabytes), tags (they name types of Python) and depth."""
    depth = 0
    for event in yaml.parse(data, Loader=yaml.BaseLoader):
        if isinstance(event, yaml.AliasEvent):
            raise InvalidInput("流程定义中不能使用 YAML 别名（*）；请写出完整内容。")
        if getattr(event, "tag", None) is not None:
            raise InvalidInput("流程定义中不能使用 YAML 标签（!）；请直接写出内容。")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise InvalidInput(f"流程定义嵌套超过 {_DEEPEST} 层；请检查括号和缩进。")
