"""The beginning of a text and its immutable versions: opening, revising, confirming. Each with its audit event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from audit.events import Act
from audit.recorder import Recorder
from models.blobs import put_blob
from models.engine import Work
from models.errors import Conflict, InvalidTransition, NotAllowed
from models.prepared import Prepared
from models.texts import Finding, FindingStatus, TextKind
from workflow import statements as sql
from workflow.authority import barred, organization_for, unable
from workflow.records import check_version, definition_of, lock_text, parts_of, standing_of, take_part, tasks_now
from workflow.situation import Actor, TextRow
from workflow.tasks import open_tasks

_RESOLVE = Prepared(
    sa.update(Finding)
    .where(
        Finding.text_id == sa.bindparam("text_id"),
        Finding.number == sa.bindparam("finding"),
        Finding.status == FindingStatus.OPEN.value,
    )
    .values(
        status=sa.bindparam("new_status"), resolved_by=sa.bindparam("account_id"), resolved_at=sa.bindparam("moment")
    )
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A content as it is stored: its canonical bytes and hash, and what the text's row shows of it."""

    body: bytes
    sha256: str
    title: str
    fiscal_year: int


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reader's finding as it is stored, anchored to a stable place."""

    code: str
    severity: str
    anchor: str
    raw: str
    repaired: str | None
    reason: str
    confidence: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes a text, in which role, and for whom they stand in."""

    actor: Actor
    role: str
    principal_id: str | None = None


def open_text(
    work: Work,
    *,
    text_id: str,
    organization_id: str,
    reviewing_id: str,
    definition_id: str,
    snapshot: Snapshot,
    source: bytes | None,
    doubts: Sequence[Doubt],
    actor: Actor,
    reason: str,
    recorder: Recorder,
    now: datetime,
    begun: Mapping[str, Any] | None = None,
) -> TextRow:
    """A new text in the initial state of its definition, with version 1; raises NotAllowed without the drafter's role.

    ``source`` is the file that was imported; a text that was begun here has none, and ``begun`` says from what it was.
    """
    definition, definition_sha = definition_of(work, definition_id)
    source_sha = None if source is None else put_blob(work, source, now)
    put_blob(work, snapshot.body, now)
    text = TextRow(
        id=text_id,
        kind=TextKind.BUDGET,
        fiscal_year=snapshot.fiscal_year,
        title=snapshot.title,
        organization_id=organization_id,
        reviewing_id=reviewing_id,
        definition_id=definition_id,
        state=definition.initial,
        round=1,
        row_version=1,
        current_version=1,
        current_hash=snapshot.sha256,
        submitted_hash=None,
        approved_version=None,
        approved_hash=None,
        published_version=None,
    )
    rule = definition.states[definition.initial].task
    if rule is None or (rule.role, organization_for(definition, rule.role, text)) not in _grants(work, actor, now):
        raise NotAllowed(
            f"您不能{_verb(begun)}文本：{_verb(begun)}由编制部门的“经办人”执行，您在该部门没有这个岗位。",
            organization=organization_id,
        )
    work.run(sql.INSERT_TEXT, **text._asdict(), created_at=now, changed_at=now)
    _insert_version(work, text_id, 1, snapshot, actor, reason, source_sha, now)
    for number, doubt in enumerate(doubts, 1):
        work.run(
            sql.INSERT_FINDING,
            text_id=text_id,
            number=number,
            code=doubt.code,
            severity=doubt.severity,
            anchor=doubt.anchor,
            raw=doubt.raw,
            repaired=doubt.repaired,
            reason=doubt.reason,
            confidence=doubt.confidence,
            line=doubt.line,
            status=FindingStatus.NOTED if doubt.repaired is None else FindingStatus.OPEN,
            resolved_by=None,
            resolved_at=None,
        )
    open_tasks(work, definition, text, now)
    take_part(work, text_id, actor.account_id, "drafter", 1, (), now)
    recorder.write(
        work,
        Act.TEXT_IMPORT if begun is None else Act.TEXT_CREATE,
        actor=actor.account_id,
        role=rule.role,
        obj=("text", text_id),
        now=now,
        why=reason,
        after=snapshot.sha256,
        details=[
            ("/from", None, begun) if begun is not None else ("/source", None, f"sha256:{source_sha}"),
            ("/findings", None, len(doubts)),
            ("/kind", None, text.kind),
            ("/organization", None, organization_id),
            ("/reviewing", None, reviewing_id),
        ],
        wf={
            "to": definition.initial,
            "round": 1,
            "tasks": tasks_now(work, text_id),
            "definition": f"{definition.name}@{definition.version}:{definition_sha}",
        },
    )
    return text


def _verb(begun: Mapping[str, Any] | None) -> str:
    return "导入" if begun is None else "新建"


def begin_revision(
    work: Work, text_id: str, *, actor: Actor, expected_version: int | None, now: datetime
) -> tuple[TextRow, Author]:
    """The locked row of a text that an actor may edit now, and as what they do it.

    Raises NotFound, Conflict, InvalidTransition (the state is not editable) or NotAllowed.
    """
    text = lock_text(work, text_id)
    check_version(text, expected_version)
    return text, author_of(work, text, actor=actor, now=now)


def author_of(work: Work, text: TextRow, *, actor: Actor, now: datetime) -> Author:
    """As what an actor may edit a text now; raises InvalidTransition (the state is not editable) or NotAllowed."""
    definition, _ = definition_of(work, text.definition_id)
    state = definition.states[text.state]
    if not state.editable or state.task is None:
        editable = "、".join(item.title for item in definition.states.values() if item.editable)
        raise InvalidTransition(
            f"文本现在是“{state.title}”，内容不能修改；只有在“{editable}”时可以修改，请先撤回或等待退回。",
            state=text.state,
        )
    role = state.task.role
    standing = standing_of(work, actor, now)
    stop = unable(standing)
    if stop:
        raise NotAllowed(f"您不能修改这份文本：{stop}。", reasons=[stop])
    parts, wanted = parts_of(work, text.id), (role, organization_for(definition, role, text))
    reasons: list[str] = []
    for hat in standing.hats(actor.account_id):
        if wanted in hat.grants:
            found = barred(definition, "editor", actor, hat.principal_id, parts)
            if not found:
                return Author(actor, role, hat.principal_id)
            reasons = reasons or found
    reasons = reasons or [f"修改由编制部门的“{definition.roles[role].title}”执行，您没有这个岗位"]
    raise NotAllowed(f"您不能修改这份文本：{'；'.join(reasons)}。", reasons=reasons)


def revise(
    work: Work,
    text: TextRow,
    author: Author,
    *,
    snapshot: Snapshot,
    changes: Sequence[tuple[str, Any, Any]],
    corrected: Sequence[int],
    reason: str,
    recorder: Recorder,
    now: datetime,
    source: bytes | None = None,
) -> TextRow:
    """A new version of a text that ``begin_revision`` locked; findings in ``corrected`` are closed by it.

    ``changes`` are (anchor, old, new) for the log; ``source`` is the file that the version was read from, if any.
    """
    put_blob(work, snapshot.body, now)
    source_sha = None if source is None else put_blob(work, source, now)
    number = text.current_version + 1
    changed = work.run(
        sql.REVISE_TEXT,
        text_id=text.id,
        seen_version=text.row_version,
        new_title=snapshot.title,
        new_fiscal_year=snapshot.fiscal_year,
        new_row_version=text.row_version + 1,
        new_version=number,
        new_hash=snapshot.sha256,
        moment=now,
    )
    if changed != 1:
        raise Conflict("别人刚刚改动了这份文本；请重新读取后再试。", text=text.id)
    _insert_version(work, text.id, number, snapshot, author.actor, reason, source_sha, now)
    for finding in corrected:
        _resolve(work, text.id, finding, FindingStatus.CORRECTED, author.actor, now)
    note_editor(work, text, author, now)
    recorder.write(
        work,
        "text.field.update",
        actor=author.actor.account_id,
        role=author.role,
        on_behalf_of=author.principal_id,
        obj=("text", text.id),
        now=now,
        why=reason,
        after=snapshot.sha256,
        details=[*changes, *([] if source_sha is None else [("/source", None, f"sha256:{source_sha}")])],
    )
    return text._replace(
        title=snapshot.title,
        fiscal_year=snapshot.fiscal_year,
        row_version=text.row_version + 1,
        current_version=number,
        current_hash=snapshot.sha256,
        submitted_hash=None,
        approved_version=None,
        approved_hash=None,
    )


def confirm(
    work: Work,
    text: TextRow,
    author: Author,
    *,
    findings: Sequence[tuple[int, str, str, str]],
    recorder: Recorder,
    now: datetime,
) -> TextRow:
    """Confirms repairs (number, anchor, raw, repaired) of a text that ``begin_revision`` locked."""
    changed = work.run(
        sql.TOUCH_TEXT,
        text_id=text.id,
        seen_version=text.row_version,
        new_row_version=text.row_version + 1,
        moment=now,
    )
    if changed != 1:
        raise Conflict("别人刚刚改动了这份文本；请重新读取后再试。", text=text.id)
    for number, _, _, _ in findings:
        if _resolve(work, text.id, number, FindingStatus.CONFIRMED, author.actor, now) != 1:
            raise Conflict("这处修复刚刚已被别人处理；请重新读取后再试。", finding=number)
    note_editor(work, text, author, now)
    recorder.write(
        work,
        "text.confirm",
        actor=author.actor.account_id,
        role=author.role,
        on_behalf_of=author.principal_id,
        obj=("text", text.id),
        now=now,
        after=text.current_hash,
        details=[(anchor, raw, repaired) for _, anchor, raw, repaired in findings],
    )
    return text._replace(row_version=text.row_version + 1)


def note_editor(work: Work, text: TextRow, author: Author, now: datetime) -> None:
    """Notes that somebody took part as an editor, and whoever they stood in for."""
    parts = parts_of(work, text.id)
    for account_id in filter(None, (author.actor.account_id, author.principal_id)):
        take_part(work, text.id, account_id, "editor", text.round, parts, now)


def _grants(work: Work, actor: Actor, now: datetime) -> frozenset[tuple[str, str]]:
    standing = standing_of(work, actor, now)
    return standing.grants if standing.active else frozenset()


def _resolve(work: Work, text_id: str, number: int, status: FindingStatus, actor: Actor, now: datetime) -> int:
    return work.run(
        _RESOLVE,
        text_id=text_id,
        finding=number,
        new_status=status.value,
        account_id=actor.account_id,
        moment=now,
    )


def _insert_version(
    work: Work,
    text_id: str,
    number: int,
    snapshot: Snapshot,
    actor: Actor,
    reason: str,
    source_sha: str | None,
    now: datetime,
) -> None:
    work.run(
        sql.INSERT_VERSION,
        text_id=text_id,
        number=number,
        content_hash=snapshot.sha256,
        author_id=actor.account_id,
        reason=reason,
        source_sha256=source_sha,
        created_at=now,
    )
