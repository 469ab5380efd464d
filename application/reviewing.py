"""Review forms (绩效目标审核表): a reviewer scores the department part and each project; who has the task fills the form in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

from application.access import read_version, reading, require_insider, require_party
from application.grading import subject_title
from application.installation import Request
from application.review_records import forms_of, is_under_way
from application.use_cases import refusals_recorded, typed, use_case
from audit.events import Act
from models.blobs import put_blob
from models.canonical import canonical_bytes
from models.content import BudgetText as Content
from models.engine import transaction
from models.errors import InvalidInput, NotAllowed, NotFound
from models.prepared import Prepared, insert_into
from models.review_forms import ReviewForm
from workflow.handling import Case, Power, case_of, holding
from workflow.records import check_version, definition_of, lock_text, take_part
from workflow.replay import form_words
from workflow.steps import wf_of

if TYPE_CHECKING:
    from documents.reviewing import Form

_INSERT = insert_into(ReviewForm)
_NEXT = Prepared(sa.select(sa.func.max(ReviewForm.number)).where(ReviewForm.text_id == sa.bindparam("text_id")))


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a reviewer writes on the form of one subject: a project's id, or "" for the department part."""

    scores: Mapping[str, Decimal]
    notes: Mapping[str, str]
    subject: str = ""
    conclusion: str | None = None


def form_in_force(path: Path | None) -> Form:
    """The form that an installation uses: the file of JIXIAO_REVIEW_FORM, else the one that ships with jixiao."""
    from documents.reviewing import default_form, parse_form  # loaded for reviewers, not with every command

    if path is None:
        return default_form()
    try:
        return parse_form(path.read_bytes(), path.name)
    except OSError as error:
        raise InvalidInput(f"不能读取审核表“{path}”（{error.strerror}）；请检查 JIXIAO_REVIEW_FORM 的路径。") from error


@use_case("review.blank")
def blank_form(request: Request, text_id: str, *, project: str | None = None) -> dict[str, Any]:
    """The form of a subject with nothing filled in: items with their points and questions, and what may be concluded."""
    form = form_in_force(request.installation.settings.review_form)
    with reading(request, text_id) as (work, row):
        require_insider(request, row)
        content = read_version(work, row).content
        subject = subject_of(content, project)
    return {
        "text": text_id,
        "subject": subject,
        "title": subject_title(content, subject),
        "criteria": [
            {
                "name": criterion.name,
                "items": [{"name": i.name, "points": str(i.points), "asks": i.asks} for i in criterion.items],
            }
            for criterion in form.criteria
        ],
        "conclusions": list(form.conclusions),
    }


@use_case("review.fill")
def fill_form(request: Request, text_id: str, sheet: Sheet, *, expected: int | None = None) -> dict[str, Any]:
    """Stores the form of a subject; in the same round a later one of the same person stands in its place.

    Raises NotAllowed for whoever has no open task of the reviewing bureau on the text, and Conflict for a stale version.
    """
    from documents.reviewing import fill

    request.installation.require_writable()
    form = form_in_force(request.installation.settings.review_form)
    notes = {name: typed(words) for name, words in sheet.notes.items()}
    filled = fill(form, sheet.scores, notes, sheet.conclusion)
    with (
        refusals_recorded(request, Act.REVIEW_FORM_UPDATE, ("text", text_id)),
        transaction(request.installation.engine) as work,
    ):
        text = lock_text(work, text_id)
        require_party(work, request, text)
        check_version(text, expected)
        case = case_of(work, text, actor=request.actor, recorder=request.recorder, now=request.now())
        power = _reviewing(case)
        content = read_version(work, text).content
        subject = subject_of(content, sheet.subject or None)
        shape = put_blob(work, canonical_bytes(form.model_dump(mode="json")), case.now)
        scores = {name: str(score) for name, score in filled.scores.items()}
        number = int((work.one(_NEXT, text_id=text_id) or (0,))[0] or 0) + 1
        work.run(
            _INSERT,
            text_id=text_id,
            number=number,
            subject=subject,
            state=text.state,
            round=text.round,
            version=text.current_version,
            content_hash=text.current_hash,
            shape=shape,
            scores=orjson.dumps(scores).decode(),
            notes=orjson.dumps(filled.notes).decode(),
            total=str(filled.total),
            grade=filled.grade.name,
            conclusion=filled.conclusion,
            role=power.role,
            account_id=case.me,
            principal_id=power.principal_id,
            created_at=case.now,
        )
        for account_id in dict.fromkeys(filter(None, (case.me, power.principal_id))):
            take_part(work, text_id, account_id, power.role, text.round, case.parts, case.now)
        told = {**form_words(scores, filled.notes, filled.conclusion), "total": str(filled.total)}
        request.recorder.write(
            work,
            Act.REVIEW_FORM_UPDATE,
            actor=case.me,
            role=power.role,
            obj=("text", text_id),
            now=case.now,
            after=text.current_hash,
            details=[(f"/review_forms/{subject}", None, {**told, "grade": filled.grade.name, "shape": shape})],
            wf=wf_of(work, case.definition, case.sha, text, text),
            on_behalf_of=power.principal_id,
        )
        done = {
            "text": text_id,
            "number": number,
            "subject": subject,
            "title": subject_title(content, subject),
            "total": str(filled.total),
            "grade": filled.grade.name,
            "passes": filled.grade.passes,
            "conclusion": filled.conclusion,
        }
    request.installation.settle()
    return done


@use_case("review.list")
def list_forms(request: Request, text_id: str) -> list[dict[str, Any]]:
    """The forms of a text that count, with who filled them in; those of the round that is under way come last."""
    with reading(request, text_id) as (work, row):
        require_insider(request, row)
        content = read_version(work, row).content
        definition, _ = definition_of(work, row.definition_id)
        shown = [
            {**item, "title": subject_title(content, item["subject"])}
            for item in forms_of(work, row.id)
            if request.person.organization_id != row.organization_id or not is_under_way(row, item)
        ]
        for item in shown:
            state = definition.states.get(item["state"])
            item["state_title"] = state.title if state else item["state"]
    return shown


def subject_of(content: Content, project: str | None) -> str:
    """The id of the project that is meant (by id, code or name), "" for the department part; raises NotFound."""
    if project is None:
        return ""
    found = [item for item in content.projects if project in (item.id, item.code, item.name)]
    if len(found) != 1:
        names = "、".join(f"{item.id}（{item.name}）" for item in content.projects[:20])
        raise NotFound(f"没有项目“{project}”，或不止一个；请用编号指定：{names}。", project=project)
    return found[0].id


def _reviewing(case: Case) -> Power:
    """As what the person reviews the text now: they hold an open task of the bureau, in a state that nobody edits."""
    state = case.definition.states[case.text.state]
    reasons: list[str] = []
    for turn in case.turns:
        if state.editable or case.definition.side(turn.role) != "finance":
            continue
        power, against = holding(case, turn)
        if power is not None:
            return power
        reasons += against
    reasons = reasons or [f"文本现在是“{state.title}”，您没有待办的审核任务"]
    raise NotAllowed(f"不能填写审核表：{'；'.join(dict.fromkeys(reasons))}。", reasons=reasons)
