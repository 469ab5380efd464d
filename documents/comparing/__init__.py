"""Comparing two contents by field: what was added, removed, changed and moved, for people and for programs.

``compare(before, after)`` is pure; ``apply`` makes the second content of the first and the changes.
"""

from documents.comparing.applying import apply
from documents.comparing.changes import Change, Comparison, Kind
from documents.comparing.contents import compare, compare_json
from documents.comparing.wording import Mark, Piece, paired_paragraphs, pieces

__all__ = [
    "Change",
    "Comparison",
    "Kind",
    "Mark",
    "Piece",
    "apply",
    "compare",
    "compare_json",
    "paired_paragraphs",
    "pieces",
]
