"""What can be done with a text now: each action, who may do it, and why a given person may not."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from models.engine import Work
from models.errors import GuardFailed, InvalidTransition
from workflow.authority import refusals, whom
from workflow.machine import advance, machine_for
from workflow.records import definition_of, parts_of, standing_of, task_role_of
from workflow.situation import Actor, Objection, Situation, TextRow

# What the person will say when acting is not known yet: guards that ask only for words of theirs are met for the offer.
_WORDS = Objection(anchor="", kind="", problem="…")


@dataclass(frozen=True, slots=True)
class Offer:
    """An action in the text's state; ``reasons`` says why this actor can't perform it now."""

    action: str
    title: str
    by: str
    to: str
    allowed: bool
    reasons: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The offer as a JSON object."""
        return {**asdict(self), "reasons": list(self.reasons)}


def offers(work: Work, text: TextRow, actor: Actor, now: datetime) -> tuple[Offer, ...]:
    """Every action that leaves the text's state, judged for one actor by the engine's own rules."""
    definition, sha = definition_of(work, text.definition_id)
    parts = parts_of(work, text.id)
    standing = standing_of(work, actor, now)
    task_role = task_role_of(work, text.id)
    out = []
    for transition in definition.leaving(text.state):
        reasons = tuple(refusals(definition, transition, text, actor, standing, parts, task_role))
        if not reasons:
            situation = Situation(work, text, definition, transition, actor, parts, task_role, now, "…", (_WORDS,))
            try:
                advance(machine_for(definition, sha), situation)
            except GuardFailed as error:
                reasons = tuple(error.reasons)
            except InvalidTransition as error:
                reasons = (error.message,)
        out.append(
            Offer(
                transition.action,
                transition.title,
                whom(definition, transition, task_role),
                definition.states[transition.target].title,
                not reasons,
                reasons,
            )
        )
    return tuple(out)
