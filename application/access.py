"""Who may read a text: its department, the reviewing bureau once it was submitted, auditors; everybody once published."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from application.installation import LOG, Request
from application.use_cases import refusals_recorded
from audit.events import Act
from audit.timeline import LoggedEvent, events
from models.blobs import get_blob
from models.content import BudgetText as Content
from models.content import parse_content
from models.engine import Work, transaction
from models.errors import NotAllowed, NotFound
from models.people import OrganizationKind, Role
from models.prepared import Prepared
from models.process import Step, Task
from models.texts import BudgetText, TextVersion
from workflow.situation import TextRow

# Asked under the lock of every action, hence prepared.
_CAME = Prepared(
    sa.select(Task.id)
    .where(Task.text_id == sa.bindparam("text_id"), Task.organization_id == sa.bindparam("organization_id"))
    .limit(1)
)

_ARRIVED = Prepared(
    sa.select(sa.func.max(Task.row_version)).where(
        Task.text_id == sa.bindparam("text_id"), Task.organization_id == sa.bindparam("organization_id")
    )
)


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
        # A draft is the department's own business until it has come to the bureau once.
        any_task = aliased(Task)
        came = (
            sa.exists()
            .where(any_task.text_id == BudgetText.id, any_task.organization_id == BudgetText.reviewing_id)
            .correlate(BudgetText)
        )
        return published | (came & (BudgetText.reviewing_id == person.organization_id))
    return published | (BudgetText.organization_id == person.organization_id)


def row_of(work: Work, request: Request, text_id: str) -> TextRow:
    """The row of a text that the person may read; raises NotFound or NotAllowed."""
    columns = [BudgetText.__table__.c[name] for name in TextRow._fields]
    row = work.connection.execute(sa.select(*columns).where(BudgetText.id == text_id)).first()
    if row is None:
        raise NotFound(f"没有编号为“{text_id}”的文本；请用 jixiao text list 查看。", text=text_id)
    found = TextRow(*row)
    require_readable(work, request, found)
    return found


def require_readable(work: Work, request: Request, row: TextRow) -> None:
    """Raises NotAllowed where the person may not read a text."""
    person = request.person
    if person.organization_id == row.organization_id:
        return
    if person.organization_id == row.reviewing_id and work.one(_CAME, text_id=row.id, organization_id=row.reviewing_id):
        return
    allowed = work.connection.scalar(sa.select(sa.func.count()).where(BudgetText.id == row.id, readable(request)))
    if not allowed:
        raise NotAllowed("您不能查看这份文本：它属于另一个部门，或者还没有报送。", text=row.id)


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


def require_party(work: Work, request: Request, row: TextRow) -> None:
    """Raises NotAllowed for who may not read a text, or only because it is published: nothing of it is theirs to handle."""
    require_readable(work, request, row)
    if is_outsider(request, row):
        raise NotAllowed("您不能办理这份文本：它属于另一个部门，对您只公开了文本本身。", text=row.id)


def sees_all_versions(request: Request, row: TextRow) -> bool:
    """Whether the person sees what is being written: the department itself, and auditors."""
    return request.person.holds(Role.AUDITOR) or request.person.organization_id == row.organization_id


def seen_until(work: Work, request: Request, row: TextRow) -> int | None:
    """Until which row version the person sees answers; None without an end.

    The bureau sees those that came with the last submission, and not what is being answered since.
    """
    if sees_all_versions(request, row):
        return None
    found = work.one(_ARRIVED, text_id=row.id, organization_id=row.reviewing_id)
    return int(found[0]) if found is not None and found[0] is not None else 0


def newest_version(work: Work, request: Request, row: TextRow) -> int:
    """The newest version that the person may read: the bureau sees what was submitted to it, everybody what is public."""
    return newest_versions(work, request, [row])[row.id]


def newest_versions(work: Work, request: Request, rows: Sequence[TextRow]) -> dict[str, int]:
    """Of each text the newest version that the person may read; 0 where there is none."""
    newest = {row.id: row.current_version for row in rows if sees_all_versions(request, row)}
    inside = [row.id for row in rows if row.id not in newest and not is_outsider(request, row)]
    submitted: dict[str, int] = {}
    if inside:
        query = (
            sa.select(Task.text_id, sa.func.max(Task.version).label("newest"))
            .join(BudgetText, BudgetText.id == Task.text_id)
            .where(Task.text_id.in_(inside), Task.organization_id == BudgetText.reviewing_id)
            .group_by(Task.text_id)
        )
        submitted = {row.text_id: row.newest for row in work.connection.execute(query)}
    return {row.id: max(submitted.get(row.id, 0), row.published_version or 0) for row in rows} | newest


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
    # The row may be one of an earlier day: later steps are not looked at.
    undone = sa.select(Step.undoes).where(Step.text_id == row.id, Step.undoes.is_not(None), Step.number <= row.step)
    step = work.session.scalar(
        sa.select(Step)
        .where(Step.text_id == row.id, Step.publishes, Step.number.not_in(undone), Step.number <= row.step)
        .order_by(Step.number.desc())
        .limit(1)
    )
    return None if step is None else Publication(step.created_at, step.round, step.target)


_PAGE = 500


def every_event(work: Work, text_id: str) -> Iterator[LoggedEvent]:
    """All events of a text, page by page, oldest first."""
    since = 0
    while page := events(work, log=LOG, obj_type="text", obj_id=text_id, since_index=since, limit=_PAGE):
        yield from page
        since = page[-1].index + 1
