"""Who may read a text: its department, the reviewing bureau once it was submitted, auditors; everybody once published."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from application.installation import LOG, Request
from application.use_cases import refusals_recorded
from audit.events import Act
from audit.timeline import LoggedEvent, events
from models.base import timestamp
from models.blobs import get_blob
from models.content import BudgetText as Content
from models.content import parse_content
from models.engine import Work, transaction
from models.errors import NotAllowed, NotFound
from models.people import Account, Organization, OrganizationKind, Role
from models.process import Participation, Step, Task
from models.texts import BudgetText, TextVersion
from workflow.records import definition_of
from workflow.situation import TextRow


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as it stands, with the content of one version."""

    row: TextRow
    content: Content
    version: int
    content_hash: str
    version_at: datetime


def readable(request: Request) -> Any:
    """The condition under which the person may read a row of ``budget_text``."""
    person = request.person
    if person.holds(Role.AUDITOR):
        return sa.true()
    published = BudgetText.published_version.is_not(None)
    if person.organization_kind == OrganizationKind.FINANCE:
        # A draft is the department's own business until its head has submitted it once.
        submitted = sa.exists().where(Participation.text_id == BudgetText.id, Participation.capacity == "submitter")
        return published | (submitted & (BudgetText.reviewing_id == person.organization_id))
    return published | (BudgetText.organization_id == person.organization_id)


def row_of(work: Work, request: Request, text_id: str) -> TextRow:
    """The row of a text that the person may read; raises NotFound or NotAllowed."""
    columns = [BudgetText.__table__.c[name] for name in TextRow._fields]
    row = work.connection.execute(sa.select(*columns).where(BudgetText.id == text_id)).first()
    if row is None:
        raise NotFound(f"没有编号为“{text_id}”的文本；请用 jixiao text list 查看。", text=text_id)
    allowed = work.connection.scalar(sa.select(sa.func.count()).where(BudgetText.id == text_id, readable(request)))
    if not allowed:
        raise NotAllowed("您不能查看这份文本：它属于另一个部门，或者还没有报送。", text=text_id)
    return TextRow(*row)


@contextlib.contextmanager
def reading(request: Request, text_id: str) -> Iterator[tuple[Work, TextRow]]:
    """A read-only transaction with the row of a text that the person may read; a refusal is an event."""
    with (
        refusals_recorded(request, Act.TEXT_READ, ("text", text_id)),
        transaction(request.installation.engine, read_only=True) as work,
    ):
        yield work, row_of(work, request, text_id)


def is_outsider(request: Request, row: TextRow) -> bool:
    """Whether a text is open to the person only because it was published."""
    mine = request.person.organization_id in (row.organization_id, row.reviewing_id)
    return not mine and not request.person.holds(Role.AUDITOR)


def require_insider(request: Request, row: TextRow) -> None:
    """Opinions and names are not published: what is open to everybody is the text itself."""
    if is_outsider(request, row):
        raise NotAllowed("对外公开的只有文本本身，意见和办理过程只有编制部门、审核机关和审计可以查看。")


def sees_all_versions(request: Request, row: TextRow) -> bool:
    """Whether the person sees what is being written: the department itself, and auditors."""
    return request.person.holds(Role.AUDITOR) or request.person.organization_id == row.organization_id


def newest_version(work: Work, request: Request, row: TextRow) -> int:
    """The newest version that the person may read: the bureau sees what was submitted to it, everybody what is public."""
    if sees_all_versions(request, row):
        return row.current_version
    submitted = None
    if not is_outsider(request, row):
        submitted = work.session.scalar(
            sa.select(sa.func.max(Task.version)).where(Task.text_id == row.id, Task.organization_id == row.reviewing_id)
        )
    return max(submitted or 0, row.published_version or 0)


def read_allowed_version(work: Work, request: Request, row: TextRow, number: int | None = None) -> Reading:
    """A version's content (the newest that the person may read by default); raises NotFound or NotAllowed."""
    newest = newest_version(work, request, row)
    if number is not None:
        require_version(request, row, number, newest)
    return read_version(work, row, newest if number is None else number)


def require_version(request: Request, row: TextRow, number: int, newest: int) -> None:
    """Raises NotAllowed where the person may not read a version that exists."""
    if is_outsider(request, row) and number != newest and number <= row.current_version:
        raise NotAllowed(f"公开的是第 {newest} 版，您不能查看其他版本。", version=number)
    if newest < number <= row.current_version:
        raise NotAllowed(f"第 {number} 版还没有报送，您不能查看；已报送的是第 {newest} 版。", version=number)


def read_version(work: Work, row: TextRow, number: int | None = None) -> Reading:
    """A version's content (the current one by default), whoever asks; raises NotFound."""
    number = row.current_version if number is None else number
    version = work.session.get(TextVersion, (row.id, number))
    if version is None:
        raise NotFound(f"这份文本没有第 {number} 版；现在是第 {row.current_version} 版。", version=number)
    content = parse_content(get_blob(work, version.content_hash))
    return Reading(row, content, number, version.content_hash, version.created_at)


@dataclass(frozen=True, slots=True)
class Publication:
    """When and in which round the published version was published, and the state that it came into."""

    at: datetime
    round: int
    state: str


def publication_of(work: Work, row: TextRow) -> Publication | None:
    """The publication that stands; None where nothing is published (or it was before steps were numbered)."""
    if row.published_version is None:
        return None
    definition, _ = definition_of(work, row.definition_id)
    publishing = {item.action for item in definition.transitions if item.publishes}
    undone = sa.select(Step.undoes).where(Step.text_id == row.id, Step.undoes.is_not(None))
    step = work.session.scalar(
        sa.select(Step)
        .where(Step.text_id == row.id, Step.action.in_(publishing), Step.number.not_in(undone))
        .order_by(Step.number.desc())
        .limit(1)
    )
    return None if step is None else Publication(step.created_at, step.round, step.target)


def summary(work: Work, request: Request, row: TextRow) -> dict[str, Any]:
    """What lists and headings show of a text; version and hash are the newest that the person may read."""
    newest = newest_version(work, request, row)
    version = work.session.get_one(TextVersion, (row.id, newest))
    # The row has the title of what is being written; a reader of an older version reads that version's.
    shown = row if newest == row.current_version else read_version(work, row, newest).content
    definition, _ = definition_of(work, row.definition_id)
    name, round_ = row.state, row.round
    if is_outsider(request, row):
        # What is going on inside, an adjustment for example, is not published: they see the text as it was published.
        published = publication_of(work, row)
        name, round_ = (published.state, published.round) if published else (row.state, row.round)
        name = name if name in definition.states else row.state
    state = definition.states[name]
    tasks = (
        []
        if is_outsider(request, row)
        else [
            {
                "task": task.id,
                "seat": task.seat,
                "role": task.role,
                "role_title": definition.roles[task.role].title,
                "assignee": assignee,
                "since": timestamp(task.opened_at),
                "due": task.due_on,
            }
            for task, assignee in work.session.execute(
                sa.select(Task, Account.display_name)
                .join(Account, Account.id == Task.assignee_id, isouter=True)
                .where(Task.text_id == row.id, Task.closed_at.is_(None))
                .order_by(Task.id)
            )
        ]
    )
    organization = work.session.get_one(Organization, row.organization_id)
    return {
        "text": row.id,
        "title": shown.title,
        "fiscal_year": shown.fiscal_year,
        "organization": organization.name,
        "state": name,
        "state_title": state.title,
        "status": state.status,
        "round": round_,
        "row_version": row.row_version,
        "version": newest,
        "content_hash": version.content_hash,
        "workflow": f"{definition.name}@{definition.version}",
        # The first of the open tasks; a sign-off has several.
        "task": tasks[0] if tasks else None,
        "tasks": tasks,
    }


_PAGE = 500


def every_event(work: Work, text_id: str) -> Iterator[LoggedEvent]:
    """All events of a text, page by page, oldest first."""
    since = 0
    while page := events(work, log=LOG, obj_type="text", obj_id=text_id, since_index=since, limit=_PAGE):
        yield from page
        since = page[-1].index + 1
