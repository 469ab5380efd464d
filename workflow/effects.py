"""Effects inside the transaction of a transition, registered from outside (``notify`` by application/)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from models.engine import Work


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom an effect may tell: everybody in a role of an organization, or one account."""

    role: str
    organization_id: str
    account_id: str | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """What happened to a text, for those who tell about it: what was done, where it is now, whose turn it is."""

    event_id: str
    text_id: str
    title: str
    action: str
    action_title: str
    state: str
    state_title: str
    recipients: tuple[Recipient, ...]


Effect = Callable[[Work, Moved, datetime], None]
_EFFECTS: dict[str, Effect] = {}


def register_effect(name: str, effect: Effect) -> None:
    """Registers an effect; the same name given again replaces it."""
    _EFFECTS[name] = effect


def run_effects(work: Work, moved: Moved, now: datetime) -> None:
    """Runs every effect; an error in one rolls the whole transition back."""
    for effect in _EFFECTS.values():
        effect(work, moved, now)
