"""The two renderings of a stage's document: an HTML page that stands alone, and PDF/A-2a."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from jinja2 import Template
from markupsafe import Markup

from documents.rendering.fonts import FontSet
from documents.rendering.stage import Stage
from documents.rendering.template_faults import broken
from documents.rendering.template_set import SHIPPED, TemplateSet
from documents.rendering.typesetting import typeset
from documents.rendering.words import environment, words

PAGE: Final = "_base/page.html.j2"


PAGE_NAMES: Final = frozenset({"title", "watermark", "body", "stage"})


@lru_cache(maxsize=16)
def _page(templates: TemplateSet) -> Template:
    return environment(templates.source, PAGE_NAMES).get_template(PAGE)


def render_html(stage: Stage, *, templates: TemplateSet = SHIPPED) -> bytes:
    """UTF-8 HTML page of a stage's document: no script, no address outside the page, its print style sheet inside.

    Raises NotFound for an unknown document, InvalidInput for a character that no document can hold, BrokenTemplate for an
    own template that fails.
    """
    made = words(stage, templates)
    # The body was escaped when it was made, word by word.
    body = Markup(made.body)  # noqa: S704
    try:
        page = _page(templates).render(title=made.title, watermark=made.watermark, body=body, stage=stage)
    except Exception as error:
        # As for the words: only what an office wrote itself may fail.
        if not templates.overrides(stage.document):
            raise
        raise broken(error, PAGE) from error
    return page.encode()


def render_pdf(stage: Stage, *, fonts: FontSet | None = None, templates: TemplateSet = SHIPPED) -> bytes:
    """Tagged PDF/A-2a of a stage's document.

    Raises NotFound for an unknown document, InvalidInput that names a character which no font has and its place,
    BrokenTemplate for an own template that fails.
    """
    return typeset(stage, words(stage, templates), fonts or FontSet(), templates)
