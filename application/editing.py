"""Editing a text: a new immutable version, or the confirmation of what the reader repaired."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from application.access import read_version, require_party
from application.guards import OPEN_FINDINGS
from application.importing import snapshot_of
from application.installation import Request
from application.use_cases import refusals_recorded, typed, use_case
from audit.events import Act
from documents.forms.reading import members_once
from models.blobs import get_blob
from models.content import BudgetText, from_json, parse_content, to_json
from models.engine import Work, transaction
from models.errors import InvalidInput, NotFound
from models.identifiers import assign_ids
from models.places import anchor, changes, get, pointer, put
from models.readable import require_readable
from models.texts import TextVersion
from workflow.records import lock_text
from workflow.situation import TextRow
from workflow.versions import begin_revision, confirm, revise


@use_case("text.confirm")
def confirm_repairs(
    request: Request, text_id: str, places: Sequence[str], *, everything: bool = False, expected: int | None = None
) -> dict[str, Any]:
    """Confirms the repairs at these places (pointers or anchors), or all that are open."""
    if everything == bool(places):
        raise InvalidInput("请写明要确认的位置，或者用 --all 确认全部（二者选一）。")
    request.installation.require_writable()
    with (
        refusals_recorded(request, Act.TEXT_CONFIRM, ("text", text_id)),
        transaction(request.installation.engine) as work,
    ):
        require_party(work, request, lock_text(work, text_id))
        text, author = begin_revision(work, text_id, actor=request.actor, expected_version=expected, now=request.now())
        waiting = [
            (int(number), str(place), str(raw), str(repaired))
            for number, place, raw, repaired in work.rows(OPEN_FINDINGS, text_id=text_id)
        ]
        content = to_json(read_version(work, text).content)
        wanted = {anchor(content, place) for place in places}
        unknown = sorted(wanted - {item[1] for item in waiting})
        if unknown:
            raise NotFound(
                f"位置 {'、'.join(unknown)} 没有等待确认的修复；请用 jixiao text show {text_id} 查看。", places=unknown
            )
        chosen = [item for item in waiting if everything or item[1] in wanted]
        if chosen:
            text = confirm(work, text, author, findings=chosen, recorder=request.recorder, now=request.now())
        out = {
            "text": text_id,
            "row_version": text.row_version,
            "confirmed": [{"place": pointer(content, item[1]), "repaired": item[3]} for item in chosen],
            "open": len(waiting) - len(chosen),
        }
    request.installation.settle()
    return out


@use_case("text.edit")
def replace_content(
    request: Request,
    text_id: str,
    data: bytes,
    *,
    reason: str = "",
    expected: int | None = None,
    source: bytes | None = None,
) -> dict[str, Any]:
    """A new version from a whole content as JSON; items without an id get one. ``source`` is the file it was read from."""
    value = _decoded(data)
    return _edit(request, text_id, lambda _: value, reason=reason, expected=expected, source=source)


@use_case("text.edit")
def set_members(
    request: Request,
    text_id: str,
    members: Sequence[tuple[str, Any]],
    *,
    reason: str = "",
    expected: int | None = None,
) -> dict[str, Any]:
    """A new version with single members changed: (place, value), None removes."""

    def apply(value: Any) -> Any:
        for place, member in members:
            value = put(value, place, member)
        return value

    return _edit(request, text_id, apply, reason=reason, expected=expected)


def _edit(
    request: Request, text_id: str, change: Any, *, reason: str, expected: int | None, source: bytes | None = None
) -> dict[str, Any]:
    request.installation.require_writable()
    with (
        refusals_recorded(request, Act.TEXT_FIELD_UPDATE, ("text", text_id)),
        transaction(request.installation.engine) as work,
    ):
        require_party(work, request, lock_text(work, text_id))
        text, author = begin_revision(work, text_id, actor=request.actor, expected_version=expected, now=request.now())
        old = to_json(read_version(work, text).content)
        edited = change(old)
        content = from_json(assign_ids(edited, earlier_contents(work, text)))
        require_links(content)
        new = to_json(content)
        require_readable(new)
        if new == old:
            raise InvalidInput("内容没有变化，没有生成新版本。")
        differences = changes(old, new)
        corrected = [
            int(number)
            for number, place, _, _ in work.rows(OPEN_FINDINGS, text_id=text_id)
            if get(old, place) != get(new, place)
        ]
        text = revise(
            work,
            text,
            author,
            snapshot=snapshot_of(content),
            changes=differences,
            corrected=corrected,
            reason=typed(reason) or "修改",
            recorder=request.recorder,
            now=request.now(),
            source=source,
        )
        out = {
            "text": text_id,
            "row_version": text.row_version,
            "version": text.current_version,
            "content_hash": text.current_hash,
            "changes": [
                {"place": pointer(new, place), "anchor": place, "old": before, "new": after}
                for place, before, after in differences
            ],
            "corrected": len(corrected),
        }
    request.installation.settle()
    return out


def earlier_contents(work: Work, text: TextRow) -> list[Any]:
    """Every content the text ever had, so that an id is never given to something else."""
    hashes = work.session.scalars(sa.select(TextVersion.content_hash).where(TextVersion.text_id == text.id).distinct())
    return [to_json(parse_content(get_blob(work, sha256))) for sha256 in hashes]


def _decoded(data: bytes) -> Any:
    """A JSON value; raises InvalidInput, also where an object names a member twice: one of the two would be lost."""
    try:
        return json.loads(data.removeprefix(b"\xef\xbb\xbf").decode(), object_pairs_hook=members_once)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"不是有效的 JSON：{error}；请检查文件。") from error


def require_links(content: BudgetText) -> None:
    """Raises InvalidInput where a sub-goal names a project that is not there."""
    known = {project.id for project in content.projects}
    for goal in content.sub_goals:
        missing = [name for name in goal.projects if name not in known]
        if missing:
            raise InvalidInput(
                f"/sub_goals/{goal.id}/projects 指向不存在的项目 {'、'.join(missing)}；请改正，或同时删去。",
                place=f"/sub_goals/{goal.id}/projects",
            )
