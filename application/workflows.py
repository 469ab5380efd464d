"""Workflow definitions: checked, published once, listed, shown, simulated."""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
import yaml

from application.accounts import require_role
from application.importing import latest_definition
from application.installation import Clock, Request, utc_now
from application.use_cases import refusals_recorded, use_case
from audit.events import Act
from audit.recorder import Recorder
from models.base import SHANGHAI, timestamp
from models.engine import Work, transaction
from models.errors import Conflict, GuardFailed, InvalidInput, NotFound
from models.ids import new_id
from models.people import Role
from models.process import WorkflowDefinition
from workflow.authority import whom
from workflow.checking import Finding, check_definition, is_proved
from workflow.definition import Definition, canonical, definition_hash
from workflow.machine import compile_machine
from workflow.source import parse_definition

# The definitions that come with the program; a new installation publishes them all.
SHIPPED = ("simple", "standard", "county")
# A refusal tells so many errors in its sentence; the list has all of them.
_MOST_TOLD: Final = 20


def shipped(name: str) -> bytes:
    """The YAML of a definition that comes with the program."""
    return importlib.resources.files("workflow").joinpath("definitions", f"{name}.yaml").read_bytes()


def publish(work: Work, recorder: Recorder, data: bytes, *, actor: str, role: str, now: datetime) -> WorkflowDefinition:
    """Publishes a definition in the caller's transaction; checked by compiling it alone, for those that come with the program.

    What others wrote is published by ``publish_workflow``. The same name and version can't be published again (Conflict).
    """
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
    """A definition by ``name`` (its newest version) or ``name@version``; ``actors`` say who takes each transition."""
    found, definition = _published(request, name)
    return {
        **definition.model_dump(mode="json", by_alias=True),
        "sha256": found.sha256,
        "published": timestamp(found.published_at),
        "actors": [whom(definition, item) for item in definition.transitions],
    }


@use_case("workflow.source")
def workflow_source(request: Request, name: str) -> bytes:
    """A published definition as YAML; one that comes with the program as it was written, comments and all."""
    found, definition = _published(request, name)
    if definition.name in SHIPPED:
        written = shipped(definition.name)
        if definition_hash(parse_definition(written)) == found.sha256:
            return written
    return written_out(definition)


def written_out(definition: Definition) -> bytes:
    """The YAML of a definition, which reads back as the same."""
    value = definition.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    text: str = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, default_flow_style=None, width=110)
    return text.encode()


def check_file(data: bytes, *, prove: bool = True, clock: Clock = utc_now) -> dict[str, Any]:
    """Everything that is wrong with a definition: ``{name, errors, warnings, proved, findings}``; needs no installation.

    ``name`` is None where it can't be read.
    """
    findings = _check(data, clock().astimezone(SHANGHAI).date(), prove=prove)
    errors = sum(finding.severity == "error" for finding in findings)
    return {
        "name": _name(data),
        "errors": errors,
        "warnings": len(findings) - errors,
        "proved": prove and is_proved(finding.code for finding in findings),
        "findings": [finding.to_json() for finding in findings],
    }


@use_case("workflow.publish")
def publish_workflow(request: Request, data: bytes) -> dict[str, Any]:
    """Publishes a definition that was checked and proved (system administrator).

    Raises GuardFailed with every error, Conflict where the name and version are published already.
    """
    installation = request.installation
    installation.require_writable()
    with refusals_recorded(request, Act.DEFINITION_PUBLISH, ("account", request.person.account_id)):
        # A proof may take seconds, in which nobody else shall wait: no transaction is open meanwhile.
        with transaction(installation.engine, read_only=True) as work:
            require_role(work, request, Role.SYSTEM_ADMINISTRATOR)
        findings = _check(data, request.now().astimezone(SHANGHAI).date())
        _require_sound(findings)
        definition = parse_definition(data)
        with transaction(installation.engine) as work:
            role = require_role(work, request, Role.SYSTEM_ADMINISTRATOR)
            _require_unpublished(work, definition)
            made = publish(work, request.recorder, data, actor=request.person.account_id, role=role, now=request.now())
            out = {"name": made.name, "version": made.version, "title": definition.title, "sha256": made.sha256}
    installation.settle()
    return {**out, "warnings": [finding.to_json() for finding in findings]}


def simulate_workflow(
    data: bytes,
    *,
    arrivals: str = "all at once",
    staff: Sequence[str] = (),
    service: Sequence[str] = (),
    chances: Sequence[str] = (),
    progress: Callable[[int], None] | None = None,
    **plan: Any,
) -> dict[str, Any]:
    """The report of a simulation; the texts are those of the command line, ``plan`` further members of ``Plan``.

    Raises InvalidInput for what can't be read or does not fit the definition.
    """
    # The simulation takes a library that no other command needs.
    from workflow.simulation import simulate
    from workflow.simulation_plan import Plan, parse_arrivals, parse_probabilities, parse_service, parse_staff

    definition = parse_definition(data)
    try:
        made = Plan(
            arrivals=parse_arrivals(arrivals),
            staff=parse_staff(staff),
            service=parse_service(service),
            probabilities=parse_probabilities(chances),
            **plan,
        )
        return simulate(definition, made, progress).to_json()
    except ValueError as error:
        raise InvalidInput(f"{str(error).rstrip('。')}。") from error


def _published(request: Request, name: str) -> tuple[WorkflowDefinition, Definition]:
    """The newest version of ``name``, or ``name@version``; raises NotFound."""
    wanted, _, number = name.partition("@")
    with transaction(request.installation.engine, read_only=True) as work:
        found = latest_definition(work, wanted)
        if number:
            version = int(number) if number.isdecimal() and len(number) < 10 else -1
            chosen = _stored(work, wanted, version)
            if chosen is None:
                raise NotFound(f"流程“{wanted}”没有第 {number} 版；最新的是第 {found.version} 版。")
            found = chosen
    return found, parse_definition(found.body)


def _stored(work: Work, name: str, version: int) -> WorkflowDefinition | None:
    return work.session.scalar(
        sa.select(WorkflowDefinition).where(WorkflowDefinition.name == name, WorkflowDefinition.version == version)
    )


def _check(data: bytes, today: date, *, prove: bool = True) -> tuple[Finding, ...]:
    from documents.rendering.words import document_names  # its templates are loaded when a definition is checked

    return check_definition(data, documents=document_names(), prove=prove, today=today)


def _name(data: bytes) -> str | None:
    try:
        definition = parse_definition(data)
    except InvalidInput:
        return None
    return f"{definition.name}@{definition.version}"


def _require_sound(findings: Sequence[Finding]) -> None:
    reasons = [
        f"第 {finding.line} 行 {finding.message.rstrip('。')}" if finding.line else finding.message.rstrip("。")
        for finding in findings
        if finding.severity == "error"
    ]
    if reasons:
        more = f"，等 {len(reasons)} 处" if len(reasons) > _MOST_TOLD else ""
        raise GuardFailed(
            f"流程定义有错误，不能发布：{'；'.join(reasons[:_MOST_TOLD])}{more}；请改正，并用 jixiao workflow check 检查。",
            reasons,
            findings=[finding.to_json() for finding in findings],
        )


def _require_unpublished(work: Work, definition: Definition) -> None:
    found = _stored(work, definition.name, definition.version)
    if found is None:
        return
    name = f"{definition.name}@{definition.version}"
    if found.sha256 == definition_hash(definition):
        raise Conflict(f"流程“{name}”已经发布过，内容相同，不必再发布。", workflow=name)
    newest = latest_definition(work, definition.name).version
    raise Conflict(
        f"流程“{name}”已经发布，内容不同；发布过的版本不能改，请把 version 改为 {newest + 1} 再发布。", workflow=name
    )
