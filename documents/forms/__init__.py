"""A content as a form that a person edits in an editor, as JSON or as YAML with the names of the members beside them."""

from documents.forms.reading import Form, read_form
from documents.forms.writing import KINDS, with_message, without_message, write_form

__all__ = ["KINDS", "Form", "read_form", "with_message", "without_message", "write_form"]
