"""Workflow definitions: published once, listed, shown."""

from __future__ import annotations

import importlib.resources
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from application.importing import latest_definition
from application.installation import Request
from application.use_cases import use_case
from audit.events import Act
from audit.recorder import Recorder
from models.base import timestamp
from models.engine import Work, transaction
from models.errors import NotFound
from models.ids import new_id
from models.process import WorkflowDefinition
from workflow.authority import whom
from workflow.definition import canonical, definition_hash
from workflow.machine import compile_machine
from workflow.source import parse_definition

# The definitions that come with the program; a new installation publishes them all.
SHIPPED = ("simple", "standard", "county")


def shipped(name: str) -> bytes:
    """The YAML of a definition that comes with the program."""
    return importlib.resources.files("workflow").joinpath("definitions", f"{name}.yaml").read_bytes()


def publish(work: Work, recorder: Recorder, data: bytes, *, actor: str, role: str, now: datetime) -> WorkflowDefinition:
    """Publishes a definition, checked by compiling it; the same name and version can't be published again (Conflict)."""
    definition = parse_definition(data)
    compile_machine(definition)
    made = WorkflowDefinition(
        id=new_id(now),
        name=definition.name,
        version=definition.version,
        body=canonical(definition),
        sha256=definition_hash(definition),
        published_at=now,
    )
    work.session.add(made)
    work.session.flush()
    recorder.write(
        work,
        Act.DEFINITION_PUBLISH,
        actor=actor,
        role=role,
        obj=("workflow_definition", made.id),
        now=now,
        details=[("/name", None, f"{made.name}@{made.version}"), ("/sha256", None, made.sha256)],
    )
    return made


@use_case("workflow.list")
def list_workflows(request: Request) -> list[dict[str, Any]]:
    """Published definitions by name and version."""
    with transaction(request.installation.engine, read_only=True) as work:
        query = sa.select(WorkflowDefinition).order_by(WorkflowDefinition.name, WorkflowDefinition.version)
        return [
            {
                "name": item.name,
                "version": item.version,
                "title": parse_definition(item.body).title,
                "sha256": item.sha256,
                "published": timestamp(item.published_at),
            }
            for item in work.session.scalars(query)
        ]


@use_case("workflow.show")
def show_workflow(request: Request, name: str) -> dict[str, Any]:
    """A definition by ``name`` (its newest version) or ``name@version``."""
    wanted, _, number = name.partition("@")
    with transaction(request.installation.engine, read_only=True) as work:
        found = latest_definition(work, wanted)
        if number:
            chosen = work.session.scalar(
                sa.select(WorkflowDefinition).where(
                    WorkflowDefinition.name == wanted,
                    WorkflowDefinition.version == (int(number) if number.isdigit() else -1),
                )
            )
            if chosen is None:
                raise NotFound(f"流程“{wanted}”没有第 {number} 版；最新的是第 {found.version} 版。")
            found = chosen
        definition = parse_definition(found.body)
    return {
        **definition.model_dump(mode="json", by_alias=True),
        "sha256": found.sha256,
        "published": timestamp(found.published_at),
        "actors": {item.title: whom(definition, item) for item in definition.transitions},
    }
