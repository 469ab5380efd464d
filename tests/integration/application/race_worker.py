"""A process of its own that votes, text by text, at the same moment as the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import structlog


def vote(
    home: str, url: str, token: str, ids: list[str], barrier: Any, results: Any, number: int, action: str = "sign"
) -> None:
    """Votes on each text and puts ``(number, text, outcome)`` into the queue."""
    from application.acting import act
    from application.identity import authenticate
    from application.installation import Request, open_installation
    from application.settings import Settings
    from models.errors import JixiaoError

    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    installation = open_installation(Settings(home=Path(home), database_url=url))
    request = Request(installation, authenticate(installation, token), f"race-{number}")
    for text in ids:
        barrier.wait()
        try:
            done = act(request, text, action=action)
            results.put((number, text, done["vote"] or "done"))
        except JixiaoError as error:
            results.put((number, text, error.code))
    installation.engine.dispose()
