"""The review form (绩效目标审核表): its criteria and points as data, and what scores come to. Pure."""

from documents.reviewing.form import Criterion, Form, Grade, Item, default_form, parse_form
from documents.reviewing.scoring import Filled, Scores, fill

__all__ = ["Criterion", "Filled", "Form", "Grade", "Item", "Scores", "default_form", "fill", "parse_form"]
