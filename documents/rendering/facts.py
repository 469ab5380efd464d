"""What a document says beside its content, as JSON: for other programs, and to know the same document again.

``facts_digest`` is the SHA-256 by which a file that was made once is found again, also by later versions of the program: it
leaves out whatever is empty, so that a member added later changes no older document, and the titles of places, which are
derived from content and place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Final

from documents.rendering.publication import published
from documents.rendering.stage import Stage
from models.base import timestamp
from models.canonical import canonical_bytes, digest, without_empty
from models.content import BudgetText, content_bytes, to_json

SCHEMA: Final = "jixiao/document/1"
_DERIVED: Final = frozenset({"place_title"})


def shown_content(stage: Stage) -> BudgetText:
    """The content as the document may show it: without personal data where it is published."""
    return published(stage.content) if stage.document == "publication" else stage.content


def stage_facts(stage: Stage) -> dict[str, Any]:
    """The members of a stage but the content; days are ISO dates, moments UTC; what is empty is left out."""
    facts: dict[str, Any] = without_empty(_plain(asdict(stage, dict_factory=_without_content)))
    return facts


def render_json(stage: Stage) -> bytes:
    """``{schema, stage, content}`` in canonical form, with a line feed at the end (docs/design: content.md)."""
    value = {"schema": SCHEMA, "stage": stage_facts(stage), "content": to_json(shown_content(stage))}
    return canonical_bytes(value) + b"\n"


def facts_digest(stage: Stage) -> str:
    """SHA-256 of everything that a document is made of, in 64 hexadecimal characters."""
    facts = without_empty(_underived(stage_facts(stage)))
    content = digest(content_bytes(shown_content(stage)))
    return digest(canonical_bytes({"stage": facts, "content": content}))


def _without_content(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in pairs if not isinstance(value, BudgetText)}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _underived(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _underived(member) for key, member in value.items() if key not in _DERIVED}
    return [_underived(member) for member in value] if isinstance(value, list) else value
