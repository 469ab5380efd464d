"""The two renderings of a stage's document: an HTML page that stands alone, and PDF/A-2a."""

from __future__ import annotations

from functools import cache
from typing import Final

from jinja2 import Template
from markupsafe import Markup

from documents.rendering.fonts import FontSet
from documents.rendering.stage import Stage
from documents.rendering.typesetting import typeset
from documents.rendering.words import environment, words

PAGE: Final = "_base/page.html.j2"


@cache
def _page() -> Template:
    return environment(names=frozenset({"title", "watermark", "body", "stage"})).get_template(PAGE)


def render_html(stage: Stage) -> bytes:
    """UTF-8 HTML page of a stage's document: no script, no address outside the page, its print style sheet inside.

    Raises NotFound for an unknown document, InvalidInput for a character that no document can hold.
    """
    made = words(stage)
    # The body was escaped when it was made, word by word.
    page = _page().render(title=made.title, watermark=made.watermark, body=Markup(made.body), stage=stage)  # noqa: S704
    return page.encode()


def render_pdf(stage: Stage, *, fonts: FontSet | None = None) -> bytes:
    """Tagged PDF/A-2a of a stage's document.

    Raises NotFound for an unknown document, InvalidInput that names a character which no font has and its place.
    """
    return typeset(stage, words(stage), fonts or FontSet())
