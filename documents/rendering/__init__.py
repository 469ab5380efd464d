"""Rendering: a document for each stage of the procedure, as HTML and PDF/A from the same words.

``render_pdf(stage)`` and ``render_html(stage)`` are pure: the same stage gives the same bytes, whatever the clock, the
locale and the machine.
"""

from documents.rendering.fonts import FontSet
from documents.rendering.pages import render_html, render_pdf
from documents.rendering.personal import is_personal
from documents.rendering.publication import published
from documents.rendering.stage import ArchivedFile, Opinion, Stage, Step
from documents.rendering.titles import place_title
from documents.rendering.words import document_names

__all__ = [
    "ArchivedFile",
    "FontSet",
    "Opinion",
    "Stage",
    "Step",
    "document_names",
    "is_personal",
    "place_title",
    "published",
    "render_html",
    "render_pdf",
]
