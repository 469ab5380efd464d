"""Templates of new texts: sections with a word of advice as data, and the indicators that the year's scheme asks for."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from documents.beginning.last_year import Begun
from documents.checking.schemes import Requirement, Scheme, full
from models.content import from_json
from models.errors import NotFound
from models.identifiers import assign_ids

_FOLDER: Final = files("documents") / "templates" / "texts"


def template_names() -> list[str]:
    """The templates there are."""
    return sorted(item.name.removesuffix(".yaml") for item in _FOLDER.iterdir() if item.name.endswith(".yaml"))


def begin_template(name: str, year: int, scheme: Scheme) -> Begun:
    """A content for a year from a template; its projects have one empty indicator of each kind that ``scheme`` requires.

    Raises NotFound, which names the templates there are.
    """
    if name not in template_names():
        raise NotFound(f"没有名为“{name}”的模板；可以用 {'、'.join(template_names())}。", template=name)
    value: dict[str, Any] = yaml.safe_load(_source(name))
    value["fiscal_year"] = year
    value["title"] = value["title"].format(year=year)
    for project in value["projects"]:
        project["indicators"] = [_indicator(scheme, item) for item in scheme.required]
    return Begun(from_json(assign_ids(value)))


@cache
def _source(name: str) -> str:
    return (_FOLDER / f"{name}.yaml").read_text("utf-8")


def _indicator(scheme: Scheme, required: Requirement) -> dict[str, str]:
    """An indicator of a kind that is required; where any kind of a level will do, the first one that the scheme lists."""
    level = next(item for item in scheme.levels if required.level in (item.name, *item.aliases))
    kind = required.kinds[0] if required.kinds else level.kinds[0].name
    return {"level1": full(level.name), "level2": full(kind)}
