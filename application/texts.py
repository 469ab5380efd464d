"""Reading texts: lists, one text, its checks, its history, what can be done with it, and whose turn it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from application.access import (
    Reading,
    is_outsider,
    read_allowed_version,
    readable,
    reading,
    require_insider,
    seen_until,
)
from application.answers import answered, answers_of
from application.check_settings import InForce, settings_of
from application.corpus import surroundings_of
from application.guards import check_text
from application.installation import Request
from application.summaries import summaries, summary
from application.use_cases import use_case
from documents.rendering import published
from documents.rendering.titles import place_title
from models.base import timestamp
from models.content import from_json, to_json
from models.engine import Work, transaction
from models.errors import InvalidTransition, NotAllowed
from models.findings import Severity
from models.people import Account, RoleGrant
from models.places import anchor, pointer
from models.texts import BudgetText, Finding, Opinion, OpinionAnswer
from workflow.authority import organization_for
from workflow.definition import LAST_ACTOR, SUBMITTER
from workflow.offers import offers
from workflow.records import definition_of, turns_of
from workflow.situation import TextRow
from workflow.versions import author_of

if TYPE_CHECKING:
    from documents.checking import CheckSettings


@use_case("text.list")
def list_texts(request: Request, *, state: str | None = None, year: int | None = None) -> list[dict[str, Any]]:
    """The texts that the person may read, newest first."""
    columns = [BudgetText.__table__.c[name] for name in TextRow._fields]
    query = sa.select(*columns).where(readable(request)).order_by(BudgetText.changed_at.desc())
    with transaction(request.installation.engine, read_only=True) as work:
        found = summaries(work, request, [TextRow(*row) for row in work.connection.execute(query)])
    # Chosen by what the person sees: the row knows more, such as the year of a draft, or that a public text is adjusted.
    return [
        item
        for item in found
        if (state is None or item["state"] == state) and (year is None or item["fiscal_year"] == year)
    ]


@use_case("text.show")
def show_text(request: Request, text_id: str, *, version: int | None = None) -> dict[str, Any]:
    """A text: ``summary``, ``content`` (content.md), open and noted ``findings``, ``opinions`` with answers.

    ``checks`` are the errors and warnings of the checks with the department's answers. Nobody but those who handle the text
    is shown findings, checks and opinions. ``editing`` says whether the person may edit it now, and why not.
    """
    with reading(request, text_id) as (work, row):
        found = read_allowed_version(work, request, row, version)
        # What is published has no names and phones; its hash is that of the whole text, which was approved.
        content = to_json(published(found.content) if is_outsider(request, row) else found.content)
        return {
            "summary": summary(work, request, row),
            "version": found.version,
            "content_hash": found.content_hash,
            "content": content,
            "findings": [] if is_outsider(request, row) else findings_of(work, text_id, content),
            "opinions": [] if is_outsider(request, row) else opinions_of(work, text_id, content),
            "checks": [] if is_outsider(request, row) else _checks(work, request, row, found),
            "editing": _editing(work, request, row),
        }


def _editing(work: Work, request: Request, row: TextRow) -> dict[str, Any]:
    """Whether the person may edit the text now, and why not."""
    try:
        author_of(work, row, actor=request.actor, now=request.now())
    except (InvalidTransition, NotAllowed) as error:
        return {"allowed": False, "code": error.code, "reason": error.message}
    return {"allowed": True, "code": "", "reason": ""}


def _checks(work: Work, request: Request, row: TextRow, found: Reading) -> list[dict[str, Any]]:
    """Errors and warnings of a version with the answers that the person may see; other texts are not looked at for it."""
    objections = check_text(work, row._replace(current_version=found.version), found.content)
    answers = answers_of(work, row.id, until=seen_until(work, request, row))
    listed = answered(found.content, objections, answers)
    return [item.to_json() for item in listed if item.finding.severity is not Severity.HINT]


def findings_of(work: Work, text_id: str, content: Any) -> list[dict[str, Any]]:
    """The reader's findings of a text, placed in today's content."""
    rows = work.session.scalars(sa.select(Finding).where(Finding.text_id == text_id).order_by(Finding.number))
    return [
        {
            "number": item.number,
            "code": item.code,
            "severity": item.severity,
            "place": pointer(content, item.anchor),
            "anchor": item.anchor,
            "raw": item.raw,
            "repaired": item.repaired,
            "reason": item.reason,
            "confidence": float(item.confidence),
            "line": item.line,
            "status": item.status,
        }
        for item in rows
    ]


def opinions_of(work: Work, text_id: str, content: Any) -> list[dict[str, Any]]:
    """The opinions on a text with their answers, oldest first."""
    answers = {
        answer.opinion_id: answer
        for answer in work.session.scalars(
            sa.select(OpinionAnswer)
            .join(Opinion, Opinion.id == OpinionAnswer.opinion_id)
            .where(Opinion.text_id == text_id, OpinionAnswer.withdrawn_at.is_(None))
        )
    }
    out = []
    parsed = from_json(content)
    query = sa.select(Opinion, Account.display_name).join(Account, Opinion.author_id == Account.id)
    for item, author in work.session.execute(query.where(Opinion.text_id == text_id).order_by(Opinion.id)):
        answer = answers.get(item.id)
        out.append(
            {
                "id": item.id,
                "round": item.round,
                "version": item.version,
                "place": pointer(content, item.anchor),
                "anchor": item.anchor,
                "place_title": place_title(parsed, item.anchor),
                "quote": item.quote,
                "kind": item.kind,
                "problem": item.problem,
                "wanted": item.wanted,
                "rule": item.rule,
                "state": item.state,
                "author": author,
                "at": timestamp(item.created_at),
                "withdrawn": item.withdrawn_at is not None,
                "answer": None if answer is None else {"kind": answer.kind, "text": answer.text},
            }
        )
    return out


@use_case("opinion.list")
def list_opinions(request: Request, text_id: str) -> list[dict[str, Any]]:
    """The opinions on a text with their answers."""
    with reading(request, text_id) as (work, row):
        require_insider(request, row)
        return opinions_of(work, text_id, to_json(read_allowed_version(work, request, row).content))


@use_case("text.check")
def check(request: Request, text_id: str, *, settings: CheckSettings | None = None) -> dict[str, Any]:
    """The checker's findings on a text, and how many of them are errors; ``checked`` holds them as values.

    ``settings`` says by which settings, which ``in_force`` holds as a value.

    The text is compared with the department's of last year and with others of the year, as far as the person may read them.
    """
    from documents.checking.report import Checked, shown

    with reading(request, text_id) as (work, row):
        require_insider(request, row)
        content = read_allowed_version(work, request, row).content
        held = InForce(settings, "file") if settings else settings_of(work, row.reviewing_id)
        around = surroundings_of(work, request, row, settings=held.settings)
        found = check_text(work, row, content, settings=held.settings, surroundings=around)
    checked = Checked(text_id, content.title, shown(content, found))
    counted = {severity: sum(item.severity == severity for item in found) for severity in Severity}
    value = to_json(content)
    return {
        "text": text_id,
        "errors": counted[Severity.ERROR],
        "warnings": counted[Severity.WARNING],
        "hints": counted[Severity.HINT],
        "findings": [{**item.to_json(), "anchor": anchor(value, item.place)} for item in found],
        "settings": held.to_json(),
        "checked": checked,
        "in_force": held,
    }


@use_case("text.actions")
def actions(request: Request, text_id: str) -> dict[str, Any]:
    """Each action of the state: who may do it, whether this person may now, and why not."""
    with reading(request, text_id) as (work, row):
        shown = summary(work, request, row)
        outsider = is_outsider(request, row)
        # Who is neither of the department nor of the bureau can do nothing, and what goes on inside is not published.
        offered = () if outsider else offers(work, row, request.actor, request.now())
        holders = {} if outsider else _people(work, row)
        return {
            "text": text_id,
            "state": shown["state"],
            "row_version": row.row_version,
            "turn": shown["task"],
            "tasks": shown["tasks"],
            "actions": [{**offer.to_json(), "people": holders.get(offer.action, [])} for offer in offered],
        }


def _people(work: Work, row: TextRow) -> dict[str, list[str]]:
    """Who could perform each action: the names of those who hold its role, or the tasks, in their organizations."""
    definition, _ = definition_of(work, row.definition_id)
    holders: dict[tuple[str, str], list[str]] = {}
    query = (
        sa.select(RoleGrant.role, RoleGrant.organization_id, Account.display_name)
        .join(Account, Account.id == RoleGrant.account_id)
        .where(
            RoleGrant.organization_id.in_((row.organization_id, row.reviewing_id)),
            RoleGrant.revoked_at.is_(None),
            Account.disabled_at.is_(None),
        )
        .order_by(Account.display_name)
    )
    for role, organization_id, name in work.connection.execute(query):
        holders.setdefault((role, organization_id), []).append(name)
    turns = turns_of(work, row.id)
    out: dict[str, list[str]] = {}
    for item in definition.leaving(row.state):
        roles = [item.by] if item.by in definition.roles else [turn.role for turn in turns]
        if item.by in (SUBMITTER, LAST_ACTOR):
            continue
        names = [name for role in roles for name in holders.get((role, organization_for(definition, role, row)), [])]
        out[item.action] = list(dict.fromkeys(names))
    return out
