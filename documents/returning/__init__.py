"""Returning: a Word file that this program wrote comes back edited, and each field is known by its stable id.

The names are imported on first use: the reading process of ``documents.reading.sources`` needs ``origin`` only, and must
start without the renderer.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from documents.returning.codes import KINDS, ReturnCode
    from documents.returning.origin import Origin
    from documents.returning.returns import Returned, returned, returned_form

__all__ = ["KINDS", "Origin", "ReturnCode", "Returned", "returned", "returned_form"]

_HOMES = {
    "KINDS": "codes",
    "Origin": "origin",
    "ReturnCode": "codes",
    "Returned": "returns",
    "returned": "returns",
    "returned_form": "returns",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
