"""Rendering a document of a text: chooses version, date, opinions and steps of the stage, and records the rendering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from application.access import (
    Reading,
    every_event,
    is_outsider,
    newest_version,
    publication_of,
    read_version,
    require_version,
    row_of,
)
from application.installation import Installation, Request
from application.texts import opinions_of
from application.use_cases import refusals_recorded, use_case
from audit.events import Act
from documents.rendering import FontSet, Opinion, Stage, Step, document_names, place_title, render_html, render_pdf
from models.base import SHANGHAI, parse_timestamp
from models.canonical import digest
from models.content import to_json
from models.engine import Work, transaction
from models.errors import InvalidInput, InvalidTransition, NotAllowed, NotFound
from models.people import Organization
from models.process import Step as StepRow
from models.process import Task
from models.texts import BudgetText
from workflow.definition import MIGRATE, SIGN, Definition
from workflow.records import definition_of
from workflow.situation import TextRow

FORMATS = ("pdf", "html")
# 草案 is the only document that can be made of a text at any time: it claims nothing about the procedure.
DRAFT = "draft"
PUBLICATION = "publication"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered document with its file name and SHA-256."""

    document: str
    version: int
    name: str
    data: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class _Moment:
    """When the stage of a document began, in which round, and until when it ran."""

    at: datetime
    round: int
    version: int
    due_on: str | None = None


@use_case("text.render")
def render_text(
    request: Request, text_id: str, *, document: str | None = None, format_: str = "pdf", version: int | None = None
) -> Rendered:
    """A document of a text (by default that of its state); raises InvalidTransition where its stage was never reached."""
    if format_ not in FORMATS:
        raise InvalidInput(f"不支持格式“{format_}”；可以用 {'、'.join(FORMATS)}。")
    if document is not None and document not in document_names():
        raise NotFound(f"没有名为“{document}”的文件；可以用 {'、'.join(document_names())}。")
    installation = request.installation
    installation.require_writable()
    installation.catch_up()
    with (
        refusals_recorded(request, Act.DOCUMENT_RENDER, ("text", text_id)),
        transaction(installation.engine, read_only=True) as work,
    ):
        row = row_of(work, request, text_id)
        definition, _ = definition_of(work, row.definition_id)
        outsider = is_outsider(request, row)
        name = document or (PUBLICATION if outsider else definition.states[row.state].document)
        if outsider and name != PUBLICATION:
            raise NotAllowed("这份文本对您只公开了公开稿；请用 --document publication。")
        if version is not None and name != DRAFT:
            raise InvalidInput("这份文件只能按该环节的那一版生成，不能另选版本；只有草案可以选版本。")
        if name == DRAFT:
            newest = newest_version(work, request, row)
            if version is None:
                version = newest
            require_version(request, row, version, newest)
        stage = stage_of(work, row, definition, name, version, public=outsider)
    data = render_pdf(stage, fonts=_fonts(installation)) if format_ == "pdf" else render_html(stage)
    rendered = Rendered(name, stage.version, _file_name(stage, format_), data, digest(data))
    with transaction(installation.engine) as work:
        recorded = request.recorder.write(
            work,
            Act.DOCUMENT_RENDER,
            actor=request.person.account_id,
            role="-",
            obj=("text", text_id),
            now=request.now(),
            after=stage.content_hash,
            details=[("/document", None, {"name": name, "format": format_, "sha256": rendered.sha256})],
        )
    installation.settle(recorded.event_id)
    return rendered


def _file_name(stage: Stage, format_: str) -> str:
    # Two returns of one version are two documents.
    round_ = f"-r{stage.round}" if stage.document != DRAFT and stage.round > 1 else ""
    return f"{stage.content.fiscal_year}-{stage.document}{round_}-v{stage.version}.{format_}"


def stage_of(
    work: Work,
    row: TextRow,
    definition: Definition,
    document: str,
    version: int | None = None,
    *,
    public: bool = False,
) -> Stage:
    """Everything that a document needs, as of the moment its stage began: the same call always gives the same stage.

    ``public`` is for who may read nothing but what was published, whatever goes on inside.
    """
    moment = _moment(work, row, definition, document, public=public)
    if moment is None:
        raise InvalidTransition(
            f"文本现在是“{definition.states[row.state].title}”，还没有到“{_stage_titles(definition, document)}”环节，不能生成这份文件。"
        )
    reading = read_version(work, row, moment.version if version is None else version)
    content = to_json(reading.content)
    opinions = [
        item
        for item in opinions_of(work, row.id, content)
        if item["round"] == moment.round and document != DRAFT and not item["withdrawn"]
    ]
    organization = work.session.get_one(Organization, row.organization_id)
    reviewing = work.session.get_one(Organization, row.reviewing_id)
    return Stage(
        document=document,
        content=reading.content,
        text_id=row.id,
        version=reading.version,
        content_hash=reading.content_hash,
        status=_status(row, definition, document),
        issued_on=_local_day(reading.version_at if document == DRAFT else moment.at),
        round=moment.round,
        department=organization.name,
        finance=reviewing.name,
        opinions=tuple(
            # A notice of return goes out before anybody answers: it must not change afterwards.
            _opinion(reading, definition, item, answered=document != "return")
            for item in opinions
        ),
        steps=_steps(work, row, definition, moment.at, organization.name, reviewing.name),
        due_on=date.fromisoformat(moment.due_on) if moment.due_on else None,
        conclusion=_conclusion(work, row, definition, document, moment),
    )


def _moment(work: Work, row: TextRow, definition: Definition, document: str, *, public: bool) -> _Moment | None:
    states = [name for name, state in definition.states.items() if state.document == document]
    task = _task_of_stage(work, row.id, states)
    changed = work.session.scalar(sa.select(BudgetText.changed_at).where(BudgetText.id == row.id))
    final = bool(states) and all(definition.states[name].final for name in states)
    published = publication_of(work, row) if final or public else None
    if public and published is None:
        # Published before steps were noted: the version is known, and not its day.
        if row.published_version is None or changed is None:
            return None
        return _Moment(changed, row.round, row.published_version)
    if published is not None and row.published_version is not None:
        # Published stays published, through an adjustment and through a migration.
        return _Moment(published.at, published.round, row.published_version)
    if document == DRAFT and changed is not None:
        return _Moment(changed, row.round, row.current_version)
    if task is not None:
        return _Moment(task.opened_at, task.round, task.version, task.due_on)
    return _Moment(changed, row.round, row.current_version) if row.state in states and changed is not None else None


def _task_of_stage(work: Work, text_id: str, states: Sequence[str]) -> Task | None:
    """The task with which the last stage of these states began; what was taken back never was."""
    here = sa.select(Task).where(Task.text_id == text_id, Task.state.in_(states))
    newest = work.session.scalar(
        here.where(Task.visit.not_in(_undone(text_id))).order_by(Task.row_version.desc(), Task.id.desc()).limit(1)
    )
    if newest is None:
        return None
    # A step that was taken back, or a task handed on, opens another task in the same stage, which began with its first.
    first = here.where(Task.visit == newest.visit, Task.state == newest.state)
    return work.session.scalar(first.order_by(Task.row_version, Task.opened_at).limit(1))


def _undone(text_id: str) -> Any:
    return sa.select(StepRow.undoes).where(StepRow.text_id == text_id, StepRow.undoes.is_not(None))


def _status(row: TextRow, definition: Definition, document: str) -> str:
    if document == DRAFT:
        state = definition.states[row.state]
        return state.status if state.editable else "修订稿" if row.round > 1 else "草案"
    return next(state.status for state in definition.states.values() if state.document == document)


def _stage_titles(definition: Definition, document: str) -> str:
    return "、".join(state.title for state in definition.states.values() if state.document == document) or document


def _conclusion(work: Work, row: TextRow, definition: Definition, document: str, moment: _Moment) -> str:
    states = [name for name, state in definition.states.items() if state.document == document]
    step = work.session.scalar(
        sa.select(StepRow)
        .where(
            StepRow.text_id == row.id,
            StepRow.source.in_(states),
            StepRow.round == moment.round,
            StepRow.undoes.is_(None),
            StepRow.number.not_in(_undone(row.id)),
        )
        .order_by(StepRow.number.desc())
        .limit(1)
    )
    if step is None or step.action == MIGRATE:
        return ""
    if step.returns:
        target = definition.states.get(step.target)
        return "退回修改" if target is None or target.editable else f"退回{target.title}"
    sign = definition.states[step.source].sign
    return "未通过" if sign is not None and step.action == sign.failed else "通过"


def _opinion(reading: Reading, definition: Definition, item: dict[str, Any], *, answered: bool) -> Opinion:
    answer = item["answer"]
    state = definition.states.get(item["state"])
    return Opinion(
        place=item["anchor"],
        place_title=place_title(reading.content, item["anchor"]),
        quote=item["quote"],
        kind=item["kind"],
        problem=item["problem"],
        wanted=item["wanted"],
        rule=item["rule"] or "",
        answer=f"{answer['kind']}：{answer['text']}".rstrip("：") if answer and answered else "",
        level=state.title if state else item["state"],  # a migration may have renamed the state
        author=item["author"],
    )


def _steps(
    work: Work, row: TextRow, definition: Definition, until: datetime, department: str, finance: str
) -> tuple[Step, ...]:
    out = []
    for event in (item.event for item in every_event(work, row.id)):
        at = parse_timestamp(event["ts"])
        prefix, _, action = event["act"].partition(".")
        if prefix != "workflow" or event["out"] != "success" or at > until:
            continue
        wf = event["wf"]
        transition = definition.transition(action, wf["from"])
        role = definition.roles.get(event["actor"]["role"])
        where = department if role is None or role.of == "department" else finance
        title = transition.title if transition else "签署" if action == SIGN else action
        out.append(Step(title, f"{where} {role.title if role else ''}".strip(), at))
    return tuple(out)


def _local_day(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()


def _fonts(installation: Installation) -> FontSet | None:
    folder: Path | None = installation.settings.fonts
    return None if folder is None else FontSet(folder)
