"""The stage of a document: version, day, number, opinions and steps as of the moment at which the document arose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from application.access import Reading, every_event, publication_of, read_version
from application.past import Standpoint, opinions_then
from application.score_sheets import sheets_of
from application.texts import opinions_of
from documents.rendering import Opinion, Stage, Step, place_title
from models.base import SHANGHAI, parse_timestamp
from models.content import to_json
from models.documents import IssuedDocument, shown_number
from models.engine import Work
from models.errors import InvalidTransition
from models.people import Organization
from models.process import Step as StepRow
from models.process import Task
from models.texts import BudgetText
from workflow.definition import MIGRATE, SIGN, Definition
from workflow.issuing import LETTERS, SUBMISSION, letters_of
from workflow.situation import TextRow

# 草案 is the only document that can be made of a text at any time: it claims nothing about the procedure.
DRAFT = "draft"
PUBLICATION = "publication"
_RETURN = "return"
_REVIEW = "review"


@dataclass(frozen=True, slots=True)
class _Moment:
    """When the stage of a document began, in which round, with which version, until when it ran, and by which step."""

    at: datetime
    round: int
    version: int
    due_on: str | None = None
    step: int | None = None


def stage_of(
    work: Work,
    standpoint: Standpoint,
    document: str,
    version: int | None = None,
    *,
    public: bool = False,
    under_way: bool = False,
) -> Stage:
    """Everything that a document needs, as of the moment its stage began: the same call always gives the same stage.

    ``public`` is for who may read nothing but what was published, whatever goes on inside; ``under_way`` for who may see the
    review forms of a step that is not yet taken. Raises InvalidTransition where the text had not come to the document's stage.
    """
    row, definition = standpoint.row, standpoint.definition
    moment = _moment(work, row, definition, document, public=public)
    if moment is None:
        raise InvalidTransition(
            f"文本{'当时' if standpoint.until else '现在'}是“{definition.states[row.state].title}”，"
            f"还没有到“{_stage_titles(definition, document)}”环节，不能生成这份文件。"
        )
    reading = read_version(work, row, moment.version if version is None else version)
    organization = work.session.get_one(Organization, row.organization_id)
    reviewing = work.session.get_one(Organization, row.reviewing_id)
    return Stage(
        document=document,
        content=reading.content,
        text_id=row.id,
        version=reading.version,
        content_hash=reading.content_hash,
        status=_status(row, definition, document),
        issued_on=local_day(reading.version_at if document == DRAFT else moment.at),
        round=moment.round,
        department=organization.name,
        finance=reviewing.name,
        opinions=_opinions(work, standpoint, reading, document, moment.round),
        steps=_steps(work, row, definition, moment.at, organization.name, reviewing.name),
        due_on=date.fromisoformat(moment.due_on) if moment.due_on else None,
        # Of a letter, what came of its stage is not known when it goes out.
        conclusion=_conclusion(work, row, definition, moment) if document == _REVIEW else "",
        document_number=_number(work, row, document, moment),
        sheets=sheets_of(work, standpoint, reading.content, moment.round, under_way=under_way)
        if document == _REVIEW
        else (),
    )


def local_day(moment: datetime) -> date:
    """The day of the office at a moment."""
    return moment.astimezone(SHANGHAI).date()


def undone_steps(row: TextRow) -> Any:
    """The numbers of a text's steps that were taken back, as far as the row knows of it."""
    return sa.select(StepRow.undoes).where(
        StepRow.text_id == row.id, StepRow.undoes.is_not(None), StepRow.number <= row.step
    )


def _moment(work: Work, row: TextRow, definition: Definition, document: str, *, public: bool) -> _Moment | None:
    states = [name for name, state in definition.states.items() if state.document == document]
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
    if document in LETTERS:
        letter = _letter(work, row, definition, document)
        if letter is not None:
            return letter
    task = _task_of_stage(work, row, states)
    if task is not None:
        return _Moment(task.opened_at, task.round, task.version, task.due_on)
    return _Moment(changed, row.round, row.current_version) if row.state in states and changed is not None else None


def _letter(work: Work, row: TextRow, definition: Definition, document: str) -> _Moment | None:
    """The last step that issued a letter and stands; None where no step of this definition's names did."""
    steps = work.session.scalars(
        sa.select(StepRow)
        .where(
            StepRow.text_id == row.id,
            StepRow.undoes.is_(None),
            StepRow.number <= row.step,
            StepRow.number.not_in(undone_steps(row)),
        )
        .order_by(StepRow.number.desc())
    )
    for step in steps:
        if step.source not in definition.states or step.target not in definition.states:
            continue  # from before a migration that renamed states
        possible = [item for item in definition.candidates(step.action, step.source) if not item.undoes]
        if any(document in letters_of(definition, item, step.source, step.target) for item in possible):
            task = _first_task(work, row.id, step.number)
            # A step into a final state opens no task; the version is then the one that the registration names.
            version = task.version if task else _version_at(work, row, step)
            return _Moment(
                step.created_at, step.round, version, task.due_on if task and document == _RETURN else None, step.number
            )
    return None


def _first_task(work: Work, text_id: str, visit: int) -> Task | None:
    # A task handed on opens another one in the same stage, which began with its first.
    return work.session.scalar(
        sa.select(Task)
        .where(Task.text_id == text_id, Task.visit == visit)
        .order_by(Task.row_version, Task.opened_at)
        .limit(1)
    )


def _version_at(work: Work, row: TextRow, step: StepRow) -> int:
    registered = work.session.scalar(
        sa.select(IssuedDocument.version)
        .where(IssuedDocument.text_id == row.id, IssuedDocument.step == step.number)
        .limit(1)
    )
    return registered or row.approved_version or row.current_version


def _task_of_stage(work: Work, row: TextRow, states: Sequence[str]) -> Task | None:
    """The task with which the last stage of these states began; what was taken back never was."""
    newest = work.session.scalar(
        sa.select(Task)
        .where(Task.text_id == row.id, Task.state.in_(states), Task.visit <= row.step)
        .where(Task.visit.not_in(undone_steps(row)))
        .order_by(Task.row_version.desc(), Task.id.desc())
        .limit(1)
    )
    if newest is None:
        return None
    # A step that was taken back, or a task handed on, opens another task in the same stage, which began with its first.
    first = sa.select(Task).where(Task.text_id == row.id, Task.visit == newest.visit, Task.state == newest.state)
    return work.session.scalar(first.order_by(Task.row_version, Task.opened_at).limit(1))


def _number(work: Work, row: TextRow, document: str, moment: _Moment) -> str:
    if moment.step is None:
        return ""
    found = work.session.scalar(
        sa.select(IssuedDocument).where(
            IssuedDocument.text_id == row.id,
            IssuedDocument.step == moment.step,
            IssuedDocument.document == document,
        )
    )
    return "" if found is None else shown_number(found.word, found.year, found.number)


def _status(row: TextRow, definition: Definition, document: str) -> str:
    if document == DRAFT:
        state = definition.states[row.state]
        return state.status if state.editable else "修订稿" if row.round > 1 else "草案"
    return next(state.status for state in definition.states.values() if state.document == document)


def _stage_titles(definition: Definition, document: str) -> str:
    return "、".join(state.title for state in definition.states.values() if state.document == document) or document


def _conclusion(work: Work, row: TextRow, definition: Definition, moment: _Moment) -> str:
    states = [name for name, state in definition.states.items() if state.document == _REVIEW]
    step = work.session.scalar(
        sa.select(StepRow)
        .where(
            StepRow.text_id == row.id,
            StepRow.source.in_(states),
            StepRow.round == moment.round,
            StepRow.undoes.is_(None),
            StepRow.number <= row.step,
            StepRow.number.not_in(undone_steps(row)),
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


def _opinions(work: Work, standpoint: Standpoint, reading: Reading, document: str, round_: int) -> tuple[Opinion, ...]:
    if document == DRAFT:
        return ()
    # A submission answers what the round before brought; what is objected to it comes afterwards.
    about = round_ - 1 if document == SUBMISSION else round_
    answered, withdrawn = opinions_then(work, standpoint)
    out = []
    for item in opinions_of(work, standpoint.row.id, to_json(reading.content)):
        gone = item["withdrawn"] if withdrawn is None else withdrawn.get(item["id"], True)
        if item["round"] == about and not gone:
            # A notice of return goes out before anybody answers: it must not change afterwards.
            answer = None if document == _RETURN else item["answer"]
            if answered is not None and document != _RETURN:
                answer = answered.get(item["id"])
            out.append(_opinion(reading, standpoint.definition, item, answer))
    return tuple(out)


def _opinion(reading: Reading, definition: Definition, item: dict[str, Any], answer: dict[str, str] | None) -> Opinion:
    state = definition.states.get(item["state"])
    return Opinion(
        place=item["anchor"],
        place_title=place_title(reading.content, item["anchor"]),
        quote=item["quote"],
        kind=item["kind"],
        problem=item["problem"],
        wanted=item["wanted"],
        rule=item["rule"] or "",
        answer=f"{answer['kind']}：{answer['text']}".rstrip("：") if answer else "",
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
