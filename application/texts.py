"""Reading texts: lists, one text, its checks, its history, what can be done with it, and whose turn it is."""

from __future__ import annotations

from typing import Any

import orjson
import sqlalchemy as sa

from application.access import (
    every_event,
    is_outsider,
    read_allowed_version,
    readable,
    reading,
    sees_all_versions,
    summary,
)
from application.guards import check_text
from application.installation import Request
from application.use_cases import use_case
from audit.events import Act
from audit.timeline import LoggedEvent
from documents.rendering.titles import place_title
from models.base import timestamp
from models.blobs import get_blob
from models.content import from_json, to_json
from models.engine import Work, transaction
from models.errors import NotAllowed
from models.findings import Severity
from models.people import Account, Organization, RoleGrant
from models.places import anchor, pointer
from models.texts import BudgetText, Finding, Opinion, OpinionAnswer
from workflow.authority import organization_for
from workflow.definition import LAST_ACTOR, SIGN, SUBMITTER, Definition
from workflow.offers import offers
from workflow.records import definition_of, turns_of
from workflow.situation import TextRow


@use_case("text.list")
def list_texts(request: Request, *, state: str | None = None, year: int | None = None) -> list[dict[str, Any]]:
    """The texts that the person may read, newest first."""
    columns = [BudgetText.__table__.c[name] for name in TextRow._fields]
    query = sa.select(*columns).where(readable(request)).order_by(BudgetText.changed_at.desc())
    if state is not None:
        query = query.where(BudgetText.state == state)
    if year is not None:
        query = query.where(BudgetText.fiscal_year == year)
    with transaction(request.installation.engine, read_only=True) as work:
        return [summary(work, request, TextRow(*row)) for row in work.connection.execute(query)]


@use_case("text.show")
def show_text(request: Request, text_id: str, *, version: int | None = None) -> dict[str, Any]:
    """A text: ``summary``, ``content`` (content.md), open and noted ``findings``, ``opinions`` with answers."""
    with reading(request, text_id) as (work, row):
        found = read_allowed_version(work, request, row, version)
        content = to_json(found.content)
        return {
            "summary": summary(work, request, row),
            "version": found.version,
            "content_hash": found.content_hash,
            "content": content,
            "findings": [] if is_outsider(request, row) else findings_of(work, text_id, content),
            "opinions": [] if is_outsider(request, row) else opinions_of(work, text_id, content),
        }


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
            .where(Opinion.text_id == text_id)
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
        _require_insider(request, row)
        return opinions_of(work, text_id, to_json(read_allowed_version(work, request, row).content))


@use_case("text.check")
def check(request: Request, text_id: str) -> dict[str, Any]:
    """The checker's findings on a text, and how many of them stop 报送."""
    with reading(request, text_id) as (work, row):
        content = read_allowed_version(work, request, row).content
        found = check_text(work, text_id, content)
    value = to_json(content)
    counted = {severity: sum(item.severity == severity for item in found) for severity in Severity}
    return {
        "text": text_id,
        "errors": counted[Severity.ERROR],
        "warnings": counted[Severity.WARNING],
        "hints": counted[Severity.HINT],
        "findings": [{**item.to_json(), "anchor": anchor(value, item.place)} for item in found],
    }


@use_case("text.history")
def history(request: Request, text_id: str) -> list[dict[str, Any]]:
    """The text's life from the audit log: one row per event, oldest first."""
    request.installation.catch_up()
    with reading(request, text_id) as (work, row):
        _require_insider(request, row)
        definition, _ = definition_of(work, row.definition_id)
        names = names_of_accounts(work)
        logged = list(every_event(work, text_id))
        arrived = len(logged) if sees_all_versions(request, row) else _last_arrival(definition, logged)
        out = []
        for number, (index, event) in enumerate((item.index, item.event) for item in logged):
            if number > arrived and not _concerns(request, work, event):
                continue
            wf = event.get("wf", {})
            state = definition.states.get(wf.get("to", ""))
            out.append(
                {
                    "index": index,
                    "at": event["ts"],
                    "act": event["act"],
                    "title": _title(definition, event),
                    "outcome": event["out"],
                    "actor": names.get(event["actor"]["sub"], ("系统", ""))[0],
                    "organization": names.get(event["actor"]["sub"], ("", ""))[1],
                    "role": event["actor"]["role"],
                    "from": wf.get("from"),
                    "to": wf.get("to"),
                    "state_title": state.title if state else None,
                    "round": wf.get("round"),
                    "why": event.get("why"),
                    "left_open": _left_open(definition, event),
                    "changes": [item for change in event.get("chg", []) for item in _whole(work, change)],
                    "content_hash": event.get("after"),
                }
            )
    return out


@use_case("text.actions")
def actions(request: Request, text_id: str) -> dict[str, Any]:
    """Each action of the state: who may do it, whether this person may now, and why not."""
    with reading(request, text_id) as (work, row):
        offered = offers(work, row, request.actor, request.now())
        shown = summary(work, request, row)
        outsider = is_outsider(request, row)
        holders = {} if outsider else _people(work, row)
        return {
            "text": text_id,
            "state": row.state,
            "row_version": row.row_version,
            "turn": shown["task"],
            "tasks": shown["tasks"],
            "actions": [
                {**offer.to_json(), "people": [] if outsider else holders.get(offer.action, [])} for offer in offered
            ],
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


def names_of_accounts(work: Work) -> dict[str, tuple[str, str]]:
    """Who an account id is, for people: name and organization. The log itself holds ids only."""
    return {
        account_id: (name, organization)
        for account_id, name, organization in work.connection.execute(
            sa.select(Account.id, Account.display_name, Organization.name).join(
                Organization, Account.organization_id == Organization.id
            )
        )
    }


_TITLES = {
    Act.TEXT_IMPORT: "导入",
    Act.TEXT_CONFIRM: "确认修复",
    Act.TEXT_FIELD_UPDATE: "修改",
    Act.TEXT_READ: "查看",
    Act.DOCUMENT_RENDER: "生成文件",
    Act.TASK_CLAIM: "签收",
    Act.TASK_RELEASE: "退回待签收",
    Act.TASK_REASSIGN: "转办",
    Act.TASK_DELEGATE: "委派",
    Act.TASK_RESOLVE: "办结委派",
    Act.TASK_REMIND: "催办",
    Act.TASK_OVERDUE: "逾期报告",
    Act.SIGNER_ADD: "加签",
    Act.SIGNER_REMOVE: "减签",
    Act.TEXT_COPY: "抄送",
    Act.DEFINITION_MIGRATE: "更换流程版本",
}


def _title(definition: Definition, event: dict[str, Any]) -> str:
    """What an event of a text is called by people; the title of its action where it was one."""
    kind, _, action = event["act"].partition(".")
    if kind != "workflow":
        return _TITLES.get(event["act"]) or str(event["act"])
    source = event.get("wf", {}).get("from")
    if action == SIGN:
        return "签署"
    named = [item for item in definition.transitions if item.action == action]
    exact = [item for item in named if source in item.sources]
    return "／".join(dict.fromkeys(item.title for item in exact or named)) or action


def _whole(work: Work, change: dict[str, Any]) -> list[dict[str, Any]]:
    """A change with its words, where the event holds only their digests; a list of changes as its members."""
    if "nh" not in change and "oh" not in change:
        return [change]
    old, new = (get_blob(work, change[key]) if key in change else None for key in ("oh", "nh"))
    if change["p"] == "" and old is None and new is not None:
        return [item for member in orjson.loads(new) for item in _whole(work, member)]
    sides = (("o", old), ("n", new))
    return [{"p": change["p"], **{key: data.decode("utf-8", "replace") for key, data in sides if data is not None}}]


def _require_insider(request: Request, row: TextRow) -> None:
    """Opinions and names are not published: what is open to everybody is the text itself."""
    if is_outsider(request, row):
        raise NotAllowed("对外公开的只有文本本身，意见和办理过程只有编制部门、审核机关和审计可以查看。")


def _last_arrival(definition: Definition, logged: list[LoggedEvent]) -> int:
    """Position of the last event that brought the text to the bureau; -1 where it never was there."""
    for number in range(len(logged) - 1, -1, -1):
        event = logged[number].event
        state = definition.states.get(event.get("wf", {}).get("to", ""))
        if event["out"] == "success" and state and state.task and definition.side(state.task.role) == "finance":
            return number
    return -1


def _concerns(request: Request, work: Work, event: dict[str, Any]) -> bool:
    """Whether the bureau sees an event of the time in which the text is back with its department.

    What it did itself, and what became of the text; not edits, and not refusals, whose reasons quote what is being written.
    """
    if event["act"].startswith("workflow.") and event["out"] == "success":
        return True
    account = work.session.get(Account, event["actor"]["sub"])
    return account is not None and account.organization_id == request.person.organization_id


def _left_open(definition: Definition, event: dict[str, Any]) -> str | None:
    """Title of the role whose task an action ended before that role had done it."""
    for change in event.get("chg", []):
        if change["p"] == "/task" and change.get("o") in definition.roles:
            return definition.roles[change["o"]].title
    return None
