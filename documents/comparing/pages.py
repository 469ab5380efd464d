"""A comparison as an HTML page: side by side, inline, or as 变更对照表.

A page stands alone (no script, no address outside it), and everything in it was escaped on its way in. What was removed is
struck through and what was added is underlined, each with a mark before it, so that a black-and-white print says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Final

from jinja2 import Template

from documents.comparing.changes import Kind
from documents.comparing.rows import KIND_TITLES, Row
from documents.comparing.wording import Mark, side
from documents.rendering.words import environment
from models.errors import NotFound

LAYOUTS: Final = ("side", "inline", "sheet")
_NAMES: Final = frozenset(("title", "before", "after", "sections", "reasons", "counts"))
_TITLES: Final = {"side": "文本对照", "inline": "文本差异", "sheet": "变更对照表"}


@dataclass(frozen=True, slots=True)
class Version:
    """One of the two contents on a page: its name, such as “2021年部门预算绩效文本　第 3 版”, and its content hash."""

    name: str
    content_hash: str


@cache
def _template(layout: str) -> Template:
    templates = environment(names=_NAMES)
    templates.globals |= {"REMOVED": Mark.REMOVED, "ADDED": Mark.ADDED, "MOVED": Kind.MOVED, "side": side}
    return templates.get_template(f"comparison/{layout}.html.j2")


def render_page(
    layout: str, before: Version, after: Version, rows: Sequence[Row], reasons: Sequence[str] = ()
) -> bytes:
    """UTF-8 HTML page of a comparison's rows; ``reasons`` has one for each row, or is empty where none are known.

    Raises NotFound for a layout that is none of ``LAYOUTS``.
    """
    if layout not in LAYOUTS:
        raise NotFound(f"没有名为“{layout}”的版式；可以用 {'、'.join(LAYOUTS)}。", layout=layout)
    numbered = [(number, row, reasons[number - 1] if reasons else "") for number, row in enumerate(rows, start=1)]
    sections = [(name, list(found)) for name, found in groupby(numbered, key=lambda item: item[1].section)]
    counts = [(title, sum(row.kind is kind for row in rows)) for kind, title in KIND_TITLES.items()]
    page = _template(layout).render(
        title=_TITLES[layout], before=before, after=after, sections=sections, counts=counts, reasons=any(reasons)
    )
    return page.encode()
