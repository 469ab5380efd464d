"""The labels of a budget text's project tables; the words themselves are data (layouts/general.toml)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from documents.reading.layout_files import ColumnRole, InfoRole, general_layout

__all__ = [
    "COLUMN_LABELS",
    "GOAL_NUMBER",
    "INFO_LABELS",
    "LEVEL1_TERMS",
    "LEVEL2_TERMS",
    "MONEY_ROLES",
    "SECTION_ROLES",
    "ColumnRole",
    "InfoRole",
    "begins_row",
    "header_columns",
    "info_role",
    "label_key",
    "level_term",
]


# A budget text knows the labels of its members; what else a form can have is read by documents/reading/forms.
_TEXT_ROLES: Final = frozenset(
    {
        InfoRole.CODE, InfoRole.NAME, InfoRole.TOTAL, InfoRole.FISCAL, InfoRole.OTHER, InfoRole.CATEGORY, InfoRole.NATURE,
        InfoRole.SUPERVISING_DEPARTMENT, InfoRole.IMPLEMENTING_UNIT, InfoRole.PERSON_IN_CHARGE, InfoRole.PHONE,
        InfoRole.START, InfoRole.END, InfoRole.GROUNDS, InfoRole.CONTENTS, InfoRole.PURPOSE, InfoRole.PLAN, InfoRole.GOALS,
    }
)  # fmt: skip
_TEXT_COLUMNS: Final = frozenset(list(ColumnRole)[: list(ColumnRole).index(ColumnRole.SCORING) + 1])
SECTION_ROLES: Final = frozenset({InfoRole.PURPOSE, InfoRole.PLAN, InfoRole.GOALS})
MONEY_ROLES: Final = frozenset({InfoRole.TOTAL, InfoRole.FISCAL, InfoRole.OTHER})

INFO_LABELS: Final = {words: role for words, role in general_layout().labels.items() if role in _TEXT_ROLES}
COLUMN_LABELS: Final = {
    words: role for words, roles in general_layout().columns.items() for role in roles[:1] if role in _TEXT_COLUMNS
}
LEVEL1_TERMS: Final = general_layout().level1
LEVEL2_TERMS: Final = general_layout().level2
GOAL_NUMBER: Final = re.compile(
    r"(?:(?P<number>\d{1,3})\s*[.．、](?!\d)|[（(]\s*(?P<round>\d{1,3})\s*[）)]|目标(?P<named>\d{1,3})\s*[：:.、])\s*"
)
_SUFFIX = re.compile(r"\((?:%|元|万元|分|年度)\)$")
_LONGEST_LABEL: Final = 16


def label_key(cell: str) -> str:
    """A cell as labels are compared: half width, without blanks, closing colon and unit in brackets; "" if too long."""
    if len(cell) > _LONGEST_LABEL:
        return ""
    words = "".join(unicodedata.normalize("NFKC", cell).split()).rstrip(":")
    return _SUFFIX.sub("", words)


def info_role(cell: str) -> InfoRole | None:
    """The member that a label cell names, or None where the cell is no label."""
    return INFO_LABELS.get(label_key(cell))


def level_term(cell: str) -> str:
    """A first-level or second-level cell without its ending 指标."""
    return label_key(cell).removesuffix("指标")


def header_columns(cells: list[str] | tuple[str, ...]) -> dict[ColumnRole, int] | None:
    """Column of each role where ``cells`` is the header row of the indicators, else None.

    A header has the name column or a level column, a value column, and at least three known labels.
    """
    columns: dict[ColumnRole, int] = {}
    for at, cell in enumerate(cells):
        role = COLUMN_LABELS.get(label_key(cell)) if cell else None
        if role is not None:
            columns.setdefault(role, at)
    levels = {ColumnRole.LEVEL1, ColumnRole.LEVEL2, ColumnRole.NAME} & columns.keys()
    return columns if len(columns) >= 3 and len(levels) >= 2 else None


def begins_row(cells: list[str] | tuple[str, ...]) -> bool:
    """Whether the first words of a line can only begin a row: a label, a kind of indicator, or a goal's number."""
    first = next((cell for cell in cells[:2] if cell), "")
    if not first:
        return False
    term = level_term(first)
    return (
        info_role(first) is not None
        or label_key(first) in COLUMN_LABELS
        or term in LEVEL1_TERMS
        or term in LEVEL2_TERMS
        or GOAL_NUMBER.match(first) is not None
    )
