"""What a decision is made from: the text's row, the person, and what came along with the request. All frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from models.engine import Work

if TYPE_CHECKING:
    from workflow.definition import Definition, Transition


class TextRow(NamedTuple):
    """A row of ``budget_text``, in the order of the prepared query."""

    id: str
    kind: str
    fiscal_year: int
    title: str
    organization_id: str
    reviewing_id: str
    definition_id: str
    state: str
    round: int
    row_version: int
    current_version: int
    current_hash: str
    submitted_hash: str | None
    approved_version: int | None
    approved_hash: str | None
    published_version: int | None


@dataclass(frozen=True, slots=True)
class Actor:
    """A person as authenticated; what they may do is read inside the transaction."""

    account_id: str
    organization_id: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What an actor holds now: roles by organization; ``active`` is False for a disabled account."""

    active: bool
    grants: frozenset[tuple[str, str]]  # (role, organization id)


class Part(NamedTuple):
    """Somebody took part in a text, in a capacity, in a round."""

    account_id: str
    capacity: str
    round: int


@dataclass(frozen=True, slots=True)
class Objection:
    """An opinion that comes with a decision: where (a stable place), what kind, what is wrong, what is wanted."""

    anchor: str
    kind: str
    problem: str
    wanted: str = ""
    quote: str = ""
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The department's answer to one opinion."""

    kind: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that a guard may look at."""

    work: Work
    text: TextRow
    definition: Definition
    transition: Transition
    actor: Actor
    parts: tuple[Part, ...]
    task_role: str | None
    now: datetime
    reason: str | None = None
    objections: tuple[Objection, ...] = ()
    replies: Mapping[str, Reply] = field(default_factory=dict)
