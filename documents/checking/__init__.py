"""The checker: holds a budget text against the rules of the review form, like a linter.

``check(content)`` returns findings in a stable order: by the rule's code, then by the place's order in the content.
Errors stop 报送, warnings are answered or fixed, hints do not bind. The rules are small pure functions that register
themselves (``registry.py``); what differs from county to county (indicator schemes, required fields, division code) is
data in ``CheckSettings``.
"""

from __future__ import annotations

from documents.checking.checker import ALONE, check, errors
from documents.checking.context import Surroundings, Unconfirmed
from documents.checking.fields import RequiredField
from documents.checking.registry import Rule, rules
from documents.checking.schemes import Scheme
from documents.checking.settings import DEFAULT, CheckSettings

__all__ = [
    "ALONE",
    "DEFAULT",
    "CheckSettings",
    "RequiredField",
    "Rule",
    "Scheme",
    "Surroundings",
    "Unconfirmed",
    "check",
    "errors",
    "rules",
]
