"""Reading: a budget text from a file becomes content, with a finding for everything that was repaired or is in doubt.

The names are imported on first use: the reading process of ``sources`` lives under this package, and must start without
the assembler and its models.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from documents.reading.assembling import Reading, read_text
    from documents.reading.coverage import Coverage
    from documents.reading.files import ReadResult, read_file
    from documents.reading.finding_codes import KINDS, FindingCode
    from documents.reading.layout_files import FormKind, Layout, load_layouts
    from documents.reading.outline import ContentsEntry
    from documents.reading.sources.isolation import Limits
    from documents.reading.sources.kinds import SourceKind

__all__ = [
    "KINDS",
    "ContentsEntry",
    "Coverage",
    "FindingCode",
    "FormKind",
    "Layout",
    "Limits",
    "ReadResult",
    "Reading",
    "SourceKind",
    "load_layouts",
    "read_file",
    "read_text",
]

_HOMES = {
    "KINDS": "finding_codes",
    "ContentsEntry": "outline",
    "Coverage": "coverage",
    "FindingCode": "finding_codes",
    "FormKind": "layout_files",
    "Layout": "layout_files",
    "Limits": "sources.isolation",
    "ReadResult": "files",
    "Reading": "assembling",
    "SourceKind": "sources.kinds",
    "load_layouts": "layout_files",
    "read_file": "files",
    "read_text": "assembling",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
