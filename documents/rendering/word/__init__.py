"""Word: the document of a stage as a docx file, from the same words as HTML and PDF, with a control around every field."""

from documents.rendering.word.package import render_docx

__all__ = ["render_docx"]
