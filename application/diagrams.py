"""Diagrams of a definition, and where a text stands in it."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from application.access import reading, require_insider
from application.installation import Request
from application.use_cases import use_case
from models.errors import InvalidInput
from models.process import Step
from workflow.definition import canonical
from workflow.records import definition_of
from workflow.source import parse_definition


class Format(StrEnum):
    """What a diagram can be written as."""

    MERMAID = "mermaid"
    SVG = "svg"
    BPMN = "bpmn"


def draw_workflow(data: bytes, format_: Format, *, state: str | None = None, visited: Collection[str] = ()) -> bytes:
    """The diagram of a definition; ``state`` (where a text stands) and ``visited`` states are marked in SVG alone."""
    definition = parse_definition(data)
    if state is not None and format_ is not Format.SVG:
        raise InvalidInput("只有 SVG 图能标出文本所在的环节；请用 --format svg。")
    # Each is loaded when it is drawn, not with every command.
    if format_ is Format.SVG:
        from workflow.svg import draw

        return draw(definition, state=state, visited=visited).encode()
    if format_ is Format.BPMN:
        from workflow.bpmn import export

        return export(definition)
    from workflow.mermaid import state_diagram

    return state_diagram(definition).encode()


@use_case("workflow.position")
def text_position(request: Request, text_id: str) -> dict[str, Any]:
    """``{source, name, state, visited}`` of a text whose handling the person may see; ``source`` is its own definition."""
    with reading(request, text_id) as (work, row):
        require_insider(request, row)
        definition, _ = definition_of(work, row.definition_id)
        steps = list(work.session.scalars(sa.select(Step).where(Step.text_id == text_id)))
    # A step that was taken back did not happen, and neither did its taking back.
    undone = {step.undoes for step in steps}
    done = [step for step in steps if step.undoes is None and step.number not in undone]
    # A text that was moved to this version has steps in states of another one.
    visited = {name for step in done for name in (step.source, step.target)} & {*definition.states}
    return {
        "source": canonical(definition),
        "name": definition.name,
        "state": row.state,
        "visited": sorted(visited | {definition.initial}),
    }
