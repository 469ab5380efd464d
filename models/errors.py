"""The errors of jixiao: one root, few classes, told apart by what the caller does next.

Each error has a stable ``code`` (for programs), a message of one Chinese sentence that says what is wrong, where, and
what to do, and its facts as keyword attributes in ``facts``. ``EXIT_CODES`` is the only table from class to exit code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar


class JixiaoError(Exception):
    """Root of all errors that a user can meet; ``message`` is one sentence, ``facts`` are its JSON-ready details."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class NotFound(JixiaoError):
    """A named thing does not exist: check the name and try again."""

    code = "not_found"


class NotAllowed(JixiaoError):
    """The person lacks the authority, or would break the separation of duties: ask somebody else."""

    code = "not_allowed"


class InvalidTransition(JixiaoError):
    """The action does not exist in this state; ``facts['available']`` lists the actions that do, and for whom."""

    code = "invalid_transition"


class GuardFailed(JixiaoError):
    """A guard refused; ``reasons`` lists every reason, not only the first."""

    code = "guard_failed"

    def __init__(self, message: str, reasons: Sequence[str], **facts: Any) -> None:
        super().__init__(message, reasons=list(reasons), **facts)
        self.reasons = list(reasons)


class Conflict(JixiaoError):
    """Somebody else was first, the version is stale, or a command id was used for something else: reload, decide."""

    code = "conflict"


class InvalidInput(JixiaoError):
    """The input can't be taken: correct it and try again."""

    code = "invalid_input"


class DeliveryError(JixiaoError):
    """A message could not be handed over; it stays in the outbox."""

    code = "delivery_error"


class LogCorrupt(JixiaoError):
    """The audit log, its keys or its heads do not agree: stop and investigate."""

    code = "log_corrupt"


class DatabaseUnavailable(JixiaoError):
    """The database can't be used (missing, full, locked, not migrated, or newer than the program)."""

    code = "database_unavailable"


EXIT_CODES: dict[type[JixiaoError], int] = {
    JixiaoError: 1,
    DeliveryError: 1,
    DatabaseUnavailable: 1,
    InvalidInput: 2,
    NotFound: 3,
    NotAllowed: 4,
    Conflict: 5,
    InvalidTransition: 6,
    GuardFailed: 6,
    LogCorrupt: 7,
}


def exit_code(error: JixiaoError) -> int:
    """Exit code of an error by its class, or the nearest base class in the table."""
    return next(EXIT_CODES[cls] for cls in type(error).__mro__ if cls in EXIT_CODES)
