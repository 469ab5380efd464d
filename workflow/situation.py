"""What a decision is made from: the text's row, the person, whose turn it is, and what came along. All frozen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from models.engine import Work
from workflow.moves import Position, Resume

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
    path: str = ""
    resume: str = ""
    step: int = 0
    visit: int = 0

    @property
    def position(self) -> Position:
        """Where the text stands, as the pure rules see it."""
        back = self.coming_back
        return Position(self.state, tuple(self.path.split()), tuple(back["way"]) if back else ())

    @property
    def coming_back(self) -> dict[str, Any] | None:
        """Where it comes straight back to after a return: ``{way, account, seat, left}``; None: nowhere."""
        return orjson.loads(self.resume) if self.resume else None


class Turn(NamedTuple):
    """An open task."""

    task_id: str
    seat: str
    role: str
    organization_id: str
    assignee_id: str | None
    owner_id: str | None
    opened_at: datetime
    due_on: str | None


class LastStep(NamedTuple):
    """The newest step of a text."""

    number: int
    action: str
    source: str
    target: str
    row_version: int
    visit: int
    account_id: str
    principal_id: str | None
    capacity: str
    undoes: int | None
    before: str
    event_id: str


@dataclass(frozen=True, slots=True)
class Actor:
    """A person as authenticated; what they may do is read inside the transaction."""

    account_id: str
    organization_id: str


Grants = frozenset[tuple[str, str]]  # (role, organization id)


class Hat(NamedTuple):
    """As whom somebody acts: for themselves (``principal_id`` None), or for a person for whom they stand in.

    ``account_id`` is whose tasks are meant. ``whole`` says that everything of that person is meant; else these roles only.
    """

    account_id: str
    principal_id: str | None
    grants: Grants
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Standing:
    """What an actor holds now: roles by organization, and those of each person for whom they stand in (代理).

    ``active`` is False for a disabled account; ``limited`` names the principals who lent certain roles only.
    """

    active: bool
    grants: Grants
    principals: tuple[tuple[str, Grants], ...] = ()
    limited: frozenset[str] = frozenset()

    def hats(self, account_id: str) -> tuple[Hat, ...]:
        """As whom the account may act, in the order in which it is tried: in its own right first."""
        lent = (Hat(who, who, grants, who not in self.limited) for who, grants in self.principals)
        return (Hat(account_id, None, self.grants), *lent)


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
class Authority:
    """Whether somebody may act, and as what: every reason against it, role, capacity, task, and for whom they stand in."""

    reasons: tuple[str, ...]
    role: str | None
    capacity: str
    turn: Turn | None = None
    principal_id: str | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that a guard may look at; ``facts`` reads the content's facts on first use."""

    work: Work
    text: TextRow
    definition: Definition
    transition: Transition
    actor: Actor
    parts: tuple[Part, ...]
    turns: tuple[Turn, ...]
    now: datetime
    reason: str | None = None
    objections: tuple[Objection, ...] = ()
    replies: Mapping[str, Reply] = field(default_factory=dict)
    authority: Authority = Authority((), None, "")
    target: str = ""
    resume: Resume = "restart"
    facts: Callable[[], Mapping[str, Any]] = dict
