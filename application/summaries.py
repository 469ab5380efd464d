"""What lists and headings show of texts, with few queries however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from application.access import is_outsider, newest_versions, publication_of, read_version
from application.installation import Request
from models.base import timestamp
from models.engine import Work
from models.people import Account, Organization
from models.process import Task
from models.texts import BudgetText, TextVersion
from workflow.definition import Definition
from workflow.records import definition_of
from workflow.situation import TextRow

# How many ids one query names: SQLite allows 32,766 variables, and longer statements are slower to prepare.
_CHUNK = 500


def summary(work: Work, request: Request, row: TextRow) -> dict[str, Any]:
    """What headings show of one text."""
    return summaries(work, request, [row])[0]


def summaries(work: Work, request: Request, rows: Sequence[TextRow]) -> list[dict[str, Any]]:
    """What lists show of texts, in their order; version and hash are the newest that the person may read."""
    out: list[dict[str, Any]] = []
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        newest = newest_versions(work, request, chunk)
        hashes = _hashes(work, newest)
        tasks = _tasks(work, [row for row in chunk if not is_outsider(request, row)])
        names = _organizations(work, {row.organization_id for row in chunk})
        out += [
            _summary(work, request, row, newest[row.id], hashes[row.id], tasks.get(row.id, []), names) for row in chunk
        ]
    return out


def shown_titles(work: Work, request: Request, text_ids: Iterable[str]) -> dict[str, str]:
    """The title of each text in the newest version that the person may read; no entry where they may read none.

    The row has the title of what is being written, which is the department's own business.
    """
    ids = list(dict.fromkeys(text_ids))
    columns = [BudgetText.__table__.c[name] for name in TextRow._fields]
    titles: dict[str, str] = {}
    for start in range(0, len(ids), _CHUNK):
        query = sa.select(*columns).where(BudgetText.id.in_(ids[start : start + _CHUNK]))
        rows = [TextRow(*row) for row in work.connection.execute(query)]
        newest = newest_versions(work, request, rows)
        for row in rows:
            if newest[row.id] == row.current_version:
                titles[row.id] = row.title
            elif newest[row.id]:
                titles[row.id] = read_version(work, row, newest[row.id]).content.title
    return titles


def _summary(
    work: Work,
    request: Request,
    row: TextRow,
    newest: int,
    content_hash: str,
    tasks: list[tuple[Task, str | None]],
    names: dict[str, str],
) -> dict[str, Any]:
    # The row has the title of what is being written; a reader of an older version reads that version's.
    shown = row if newest == row.current_version else read_version(work, row, newest).content
    definition, _ = definition_of(work, row.definition_id)
    name, title, status, round_ = _standing(work, request, row, definition)
    listed = [
        {
            "task": task.id,
            "seat": task.seat,
            "role": task.role,
            "role_title": definition.roles[task.role].title,
            "assignee": assignee,
            "since": timestamp(task.opened_at),
            "due": task.due_on,
        }
        for task, assignee in tasks
    ]
    return {
        "text": row.id,
        "title": shown.title,
        "fiscal_year": shown.fiscal_year,
        "organization": names[row.organization_id],
        "state": name,
        "state_title": title,
        "status": status,
        "round": round_,
        "row_version": row.row_version,
        "version": newest,
        "content_hash": content_hash,
        "workflow": f"{definition.name}@{definition.version}",
        # The first of the open tasks; a sign-off has several.
        "task": listed[0] if listed else None,
        "tasks": listed,
    }


def _standing(work: Work, request: Request, row: TextRow, definition: Definition) -> tuple[str, str, str, int]:
    """State, its title, status and round, as the person may see them."""
    published = publication_of(work, row) if is_outsider(request, row) else None
    if published is None:
        state = definition.states[row.state]
        return row.state, state.title, state.status, row.round
    # What is going on inside, an adjustment for example, is not published: they see the text as it was published, by
    # the name that this state has in the definition of today, if it still has one.
    found = definition.states.get(published.state)
    if found is None or not found.final:
        final = next((name for name, state in definition.states.items() if state.final), published.state)
        found = definition.states.get(final)
        return final, found.title if found else "已公开", found.status if found else "公开稿", published.round
    return published.state, found.title, found.status, published.round


def _hashes(work: Work, newest: dict[str, int]) -> dict[str, str]:
    query = sa.select(TextVersion.text_id, TextVersion.number, TextVersion.content_hash).where(
        TextVersion.text_id.in_(newest), TextVersion.number.in_(set(newest.values()))
    )
    return {text_id: sha for text_id, number, sha in work.connection.execute(query) if newest[text_id] == number}


def _tasks(work: Work, rows: Sequence[TextRow]) -> dict[str, list[tuple[Task, str | None]]]:
    query = (
        sa.select(Task, Account.display_name)
        .join(Account, Account.id == Task.assignee_id, isouter=True)
        .where(Task.text_id.in_([row.id for row in rows]), Task.closed_at.is_(None))
        .order_by(Task.id)
    )
    out: dict[str, list[tuple[Task, str | None]]] = {}
    for task, assignee in work.session.execute(query):
        out.setdefault(task.text_id, []).append((task, assignee))
    return out


def _organizations(work: Work, ids: set[str]) -> dict[str, str]:
    query = sa.select(Organization.id, Organization.name).where(Organization.id.in_(ids))
    return {row.id: row.name for row in work.connection.execute(query)}
