"""完整性: the budget list and the contents list beside the tables (C003), and the three names of a project (C004).

The reader compares the contents list and the table titles with one another and reports what differs; these rules take
those reports up and hold them against the content as it stands now.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from rapidfuzz import fuzz

from documents.checking.context import Context, LocatedProject
from documents.checking.fields import blank
from documents.checking.figures import narrow
from documents.checking.registry import Objection, rule
from documents.checking.settings import is_named
from documents.checking.wording import quote
from models.findings import Criterion, ReadingFinding, Severity

# Codes of the reader (documents/reading/finding_codes.py): contents without heading, heading without contents, title.
_NOT_IN_BODY: Final = "I021"
_NOT_IN_CONTENTS: Final = "I022"
_TITLE: Final = "I059"

_TABLE = re.compile(
    r"(?:[0-9]{1,4}[.、．]|[（(]?[一二三四五六七八九十]{1,3}[)）、])?(.+?)(?:预算)?(?:项目)?绩效目标(?:申报)?表"
)
# Two names that have this percent of their characters in common are one name with a slip, not two projects.
_SLIP: Final = 70


def _key(name: str) -> str:
    return "".join(narrow(name).split())


def _table_name(heading: str) -> str | None:
    """The project's name in a heading or contents entry of a table, or None where it is another heading."""
    match = _TABLE.fullmatch(_key(heading))
    return match[1] if match else None


def _listed(context: Context, code: str) -> Iterator[tuple[ReadingFinding, str]]:
    """The reader's reports of one kind that speak of a project's table, with the name that they give it."""
    for item in context.surroundings.read:
        name = _table_name(item.raw) if item.code == code else None
        if name:
            yield item, name


def _slip(context: Context, name: str) -> LocatedProject | None:
    """The project that a name in the contents list means, though it is written otherwise."""
    best = max(context.projects, key=lambda item: fuzz.ratio(_key(item.project.name), name), default=None)
    return best if best is not None and fuzz.ratio(_key(best.project.name), name) >= _SLIP else None


@rule(
    "C003",
    Severity.ERROR,
    Criterion.COMPLETENESS,
    title="项目清单与绩效目标表不对应",
    basis="预算清单和目录中的每个项目有一张绩效目标表，每张表都在清单中",
)
def lists_and_tables(context: Context) -> Iterator[Objection]:
    """A project of the configured budget list or of the contents list without a table, and a table in no list."""
    yield from _budget_list(context)
    names = {_key(item.project.name) for item in context.projects}
    for _, name in _listed(context, _NOT_IN_BODY):
        if name not in names and _slip(context, name) is None:
            yield Objection("/projects", f"目录列有项目{quote(name)}，正文没有它的绩效目标表；请补表，或更正目录。")
    entries = {name for _, name in _listed(context, _NOT_IN_BODY)}
    for item, name in _listed(context, _NOT_IN_CONTENTS):
        located = _project_at(context, item.place)
        if located is not None and not any(fuzz.ratio(name, entry) >= _SLIP for entry in entries):
            yield Objection(
                f"{located.place}/name", f"{located.name}的绩效目标表不在目录中；请在目录中补上，或核对该表。"
            )


def _budget_list(context: Context) -> Iterator[Objection]:
    lists = [
        item
        for item in context.settings.budget_lists
        if item.year == context.content.fiscal_year and is_named(context.content.department, item.department)
    ]
    if not lists:
        return
    wanted = {_key(name): name for item in lists for name in item.projects}
    present = {key for item in context.projects for key in (_key(item.project.name), _key(item.project.code))}
    for key, name in wanted.items():
        if key not in present:
            yield Objection("/projects", f"预算项目清单中的{quote(name)}没有绩效目标表；请补充该项目的表。")
    for located in context.projects:
        keys = {_key(located.project.name), _key(located.project.code)} - {""}
        if keys and not keys & wanted.keys():
            yield Objection(
                f"{located.place}/name", f"{located.name}不在预算项目清单中；请核对项目名称和编码，或更正清单。"
            )


def _project_at(context: Context, place: str) -> LocatedProject | None:
    token = place.split("/")[2] if place.startswith("/projects/") else ""
    return next((item for number, item in enumerate(context.projects) if token in (str(number), item.project.id)), None)


@rule(
    "C004",
    Severity.WARNING,
    Criterion.COMPLETENESS,
    title="项目名称前后不一",
    basis="目录、表题和表内的项目名称应当一致",
)
def names_of_projects(context: Context) -> Iterator[Objection]:
    """A contents entry or a table's title that names its project otherwise than the table itself does."""
    for item, name in _listed(context, _TITLE):
        located = _project_at(context, item.place)
        # The reader takes the title's name where the table has none; then nothing differs.
        if located is None or item.repaired is not None or _key(located.project.name) == name:
            continue
        yield Objection(
            f"{located.place}/name",
            f"{located.name}的表题写的是{quote(name)}；请统一表题和表内的项目名称。",
        )
    for _, name in _listed(context, _NOT_IN_BODY):
        near = _slip(context, name)
        if near is not None and _key(near.project.name) != name and not blank(near.project.name):
            yield Objection(
                f"{near.place}/name", f"{near.name}在目录中写作{quote(name)}；请统一目录、表题和表内的项目名称。"
            )
