"""The beginning of a text: last year's with the year's values taken out, or a template with the indicators of the year."""

from documents.beginning.last_year import Begun, begin_from
from documents.beginning.templates import begin_template, template_names

__all__ = ["Begun", "begin_from", "begin_template", "template_names"]
