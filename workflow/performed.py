"""What came of an action on a text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflow.situation import TextRow


@dataclass(frozen=True, slots=True)
class Performed:
    """What an action did; ``row_version`` is what the next command should expect.

    ``vote`` is what a vote has come to (``pending``, ``passed``, ``failed``; None: no vote), ``waiting`` names the roles that
    a sign-off still waits for, ``notes`` says what people should know, such as a deadline in a year without a calendar.
    """

    text_id: str
    action: str
    source: str
    state: str
    round: int
    row_version: int
    version: int
    content_hash: str
    event_id: str
    at: str
    vote: str | None = None
    waiting: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    replayed: bool = False

    def to_json(self) -> dict[str, Any]:
        """The result as a JSON object."""
        value = {name: getattr(self, name) for name in self.__slots__}
        return {**value, "waiting": list(self.waiting), "notes": list(self.notes)}

    @classmethod
    def again(cls, stored: Mapping[str, Any]) -> Performed:
        """The result of a command that was carried out before."""
        return cls(
            **{
                **stored,
                "waiting": tuple(stored.get("waiting", ())),
                "notes": tuple(stored.get("notes", ())),
                "replayed": True,
            }
        )


def performed(text: TextRow, moved: TextRow, action: str, event_id: str, at: str, **more: Any) -> Performed:
    """The result of an action that led from one row to another."""
    return Performed(
        text.id,
        action,
        text.state,
        moved.state,
        moved.round,
        moved.row_version,
        moved.current_version,
        moved.current_hash,
        event_id,
        at,
        **more,
    )
