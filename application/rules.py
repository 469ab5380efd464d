"""The rules of the checker as people ask for them: all of them, or one with an example."""

from __future__ import annotations

from typing import Any

from documents.checking import CheckSettings, Rule, rules
from documents.checking.catalogue import EXPLANATIONS
from models.errors import NotFound


def list_rules(settings: CheckSettings) -> list[dict[str, Any]]:
    """Every rule by code, as the settings have it; ``disabled`` is the reason of one that is switched off."""
    return [_rule(rule, settings) for rule in rules()]


def explain_rule(settings: CheckSettings, code: str) -> dict[str, Any]:
    """One rule with an example of what it objects to (``wrong``) and what passes (``right``); raises NotFound."""
    rule = next((item for item in rules() if item.code == code.strip().upper()), None)
    if rule is None:
        raise NotFound(f"没有编号为“{code}”的规则；请用 jixiao check rules 查看全部规则。")
    explained = EXPLANATIONS[rule.code]
    return {**_rule(rule, settings), "wrong": explained.wrong, "right": explained.right}


def _rule(rule: Rule, settings: CheckSettings) -> dict[str, Any]:
    own = settings.rules.get(rule.code)
    made: dict[str, Any] = {
        "code": rule.code,
        "severity": (own.severity if own is not None and own.severity is not None else rule.severity).value,
        "criterion": rule.criterion.value,
        "title": rule.title,
        "basis": rule.basis,
        "looks_for": EXPLANATIONS[rule.code].looks_for,
    }
    return {**made, "disabled": own.disabled} if own is not None and own.disabled is not None else made
