"""Which members a form shows blank, so that a person sees what can be filled in."""

from __future__ import annotations

from typing import Any, Final

# By the list or object around them (the last name on the way); what a content holds besides is shown where it stands.
BLANKS: Final[dict[str, tuple[str, ...]]] = {
    "": (
        "title",
        "fiscal_year",
        "department",
        "reviewing_body",
        "overall",
        "sub_goals",
        "safeguards",
        "projects",
    ),
    "department": ("name", "code", "unit_code", "unit_name"),
    "overall": ("introduction", "items"),
    "items": ("title", "text"),
    "sub_goals": ("name", "indicator", "projects"),
    "safeguards": ("title", "text"),
    "projects": ("code", "name", "budget", "purpose", "spending_plan", "goals", "indicators"),
    "budget": ("total", "fiscal", "other"),
    "spending_plan": ("checkpoint", "percent"),
    "goals": ("text",),
    "indicators": (
        *("level1", "level2", "name", "description", "sign", "value", "unit", "remark"),
        *("direction", "weight", "basis"),
    ),
}
# The budget of the whole department has other members than a project's.
_OVERALL_BUDGET: Final = ("total", "basic", "project")
# Members that hold lists: blank ones are written as empty lists.
LISTS: Final = frozenset(("items", "sub_goals", "safeguards", "projects", "spending_plan", "goals", "indicators"))
OBJECTS: Final = frozenset(("department", "overall", "budget"))


def whole(value: Any, path: tuple[str, ...] = ()) -> Any:
    """Copy of a content in JSON with the usual members blank where they are not there; ids and others stay as they are."""
    within = next((name for name in reversed(path) if not name.isdigit()), "")
    if isinstance(value, list):
        return [whole(item, (*path, str(number))) for number, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    names = _OVERALL_BUDGET if path == ("overall", "budget") else BLANKS.get(within, ())
    # An id comes first, as the name of its item; then the usual members in the order of the form; then all others.
    order = [name for name in ("schema", "id") if name in value]
    order += [name for name in names if name not in order]
    order += [name for name in value if name not in order]
    return {name: whole(value.get(name, _blank(name, within)), (*path, name)) for name in order}


def _blank(name: str, within: str) -> Any:
    if name in OBJECTS:
        return {}
    # The projects of a sub-goal are ids; both are lists.
    return [] if name in LISTS or (name, within) == ("projects", "sub_goals") else ""
