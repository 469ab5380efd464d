"""Changes of events with their words, where the event itself holds only digests."""

from __future__ import annotations

from typing import Any

import orjson

from models.blobs import get_blob
from models.engine import Work


def expanded(work: Work, change: dict[str, Any]) -> list[dict[str, Any]]:
    """A change with its words, where the event holds only their digests; a list of changes as its members."""
    if "nh" not in change and "oh" not in change:
        return [change]
    old, new = (get_blob(work, change[key]) if key in change else None for key in ("oh", "nh"))
    if change["p"] == "" and old is None and new is not None:
        return [item for member in orjson.loads(new) for item in expanded(work, member)]
    sides = (("o", old), ("n", new))
    return [{"p": change["p"], **{key: data.decode("utf-8", "replace") for key, data in sides if data is not None}}]
