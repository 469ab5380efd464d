"""Moving running texts to another definition, or another version of one (system administrator)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from application.accounts import require_role
from application.installation import Request
from application.use_cases import refusals_recorded, use_case
from audit.events import Act
from models.engine import Work, transaction
from models.errors import Conflict, InvalidInput, NotFound
from models.people import Role
from models.process import WorkflowDefinition
from models.texts import BudgetText
from workflow.migration import Migration, Plan, plan
from workflow.records import definition_of, lock_text
from workflow.situation import TextRow
from workflow.transfer import gather, migrate

# A dry run reads so many texts in one transaction; on PostgreSQL a longer one would hold back the clean-up of old rows.
_CHUNK = 200
Progress = Callable[[int, int], None]


@use_case("workflow.migrate")
def migrate_texts(
    request: Request,
    source: str,
    target: str,
    *,
    mapping: Mapping[str, str] | None = None,
    dry_run: bool = False,
    limit: int | None = None,
    progress: Progress = lambda _done, _total: None,
) -> dict[str, Any]:
    """Moves all texts of ``name@version`` to another: ``{from, to, bulk, done, blocked, skipped, texts}``.

    Texts at their end are among them, so that they can be adjusted by the new rules. Each text is a transaction of its own,
    judged under its lock: a run can be interrupted and repeated, and what has already moved is left alone. ``mapping`` says
    which state becomes which, ``limit`` how many texts are moved at most, ``dry_run`` that nothing is written. Of a text the
    administrator sees its id and its states, and neither title nor content.

    Raises NotAllowed, NotFound (no such version), InvalidInput (same version, other kind, unknown state in the mapping).
    """
    obj = ("account", request.person.account_id)
    if not dry_run:
        request.installation.require_writable()
    with refusals_recorded(request, Act.DEFINITION_MIGRATE, obj):
        with transaction(request.installation.engine, read_only=True) as work:
            require_role(work, request, Role.SYSTEM_ADMINISTRATOR)
            source_id, migration = _migration(work, source, target, mapping or {})
            ids = list(
                work.session.scalars(
                    sa.select(BudgetText.id).where(BudgetText.definition_id == source_id).order_by(BudgetText.id)
                )
            )
        bulk = {"id": uuid.uuid4().hex, "size": len(ids)}
        run = _judged(request, migration, ids) if dry_run else _moved(request, source_id, migration, ids, bulk)
        texts, done = [], 0
        for number, item in enumerate(run, 1):
            texts.append(item)
            done += item["ok"]
            progress(number, len(ids))
            if limit is not None and done >= limit:
                break
    if not dry_run:
        request.installation.settle(next((item["event_id"] for item in reversed(texts) if item["ok"]), None))
    return {
        "from": source,
        "to": target,
        "dry_run": dry_run,
        "bulk": None if dry_run else bulk["id"],
        "running": len(ids),
        "done": done,
        "blocked": sum(bool(item["obstacles"]) for item in texts),
        "skipped": sum(item["skipped"] for item in texts),
        "texts": texts,
    }


def _migration(work: Work, source: str, target: str, mapping: Mapping[str, str]) -> tuple[str, Migration]:
    """The migration that is meant, checked, and the id of the definition that it leaves."""
    old, new = _published(work, source), _published(work, target)
    if old == new:
        raise InvalidInput(f"“{source}”和“{target}”是同一个流程版本，不用更换。")
    migration = Migration(*definition_of(work, old), *definition_of(work, new), new_id=new, mapping=dict(mapping))
    migration.check()
    return old, migration


def _published(work: Work, name: str) -> str:
    """The id of ``name@version``."""
    wanted, _, number = name.partition("@")
    # Longer numbers are no version, and not every database could compare with them.
    if not wanted or not (number.isascii() and number.isdigit() and len(number) <= 6):
        raise InvalidInput(f"流程版本“{name}”无法识别；应写成 名称@版本，例如 standard@1。")
    found = work.session.scalar(
        sa.select(WorkflowDefinition.id).where(
            WorkflowDefinition.name == wanted, WorkflowDefinition.version == int(number)
        )
    )
    if found is None:
        raise NotFound(f"没有流程版本“{name}”；请用 jixiao workflow list 查看。", workflow=name)
    return found


def _judged(request: Request, migration: Migration, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """What would become of each text, as it stands now."""
    columns = [BudgetText.__table__.c[name] for name in TextRow._fields]
    for start in range(0, len(ids), _CHUNK):
        with transaction(request.installation.engine, read_only=True) as work:
            query = sa.select(*columns).where(BudgetText.id.in_(ids[start : start + _CHUNK])).order_by(BudgetText.id)
            for row in work.connection.execute(query).all():
                text = TextRow(*row)
                yield _result(text.id, plan(migration, gather(work, migration, text)))


def _moved(
    request: Request, source_id: str, migration: Migration, ids: Sequence[str], bulk: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Moves each text, or says what is against it."""
    for text_id in ids:
        try:
            yield _move(request, source_id, migration, text_id, bulk)
        except Conflict as error:
            # Somebody held this text, or the database, for too long: the others go on, and a second run finds it again.
            yield {**_result(text_id, None), "obstacles": [error.message]}


def _move(
    request: Request, source_id: str, migration: Migration, text_id: str, bulk: Mapping[str, Any]
) -> dict[str, Any]:
    with transaction(request.installation.engine) as work:
        text = lock_text(work, text_id)
        role = require_role(work, request, Role.SYSTEM_ADMINISTRATOR)
        if text.definition_id != source_id:
            return {**_result(text_id, None), "skipped": True}
        case = gather(work, migration, text)
        planned = plan(migration, case)
        result = _result(text_id, planned)
        if result["ok"]:
            result["event_id"] = migrate(
                work,
                migration,
                case,
                planned,
                actor=request.actor,
                role=role,
                recorder=request.recorder,
                now=request.now(),
                bulk=bulk,
            )
    return result


def _result(text_id: str, planned: Plan | None) -> dict[str, Any]:
    """One text's line: ``ok`` where nothing is against it; None: it was not judged."""
    return {
        "text": text_id,
        "ok": planned is not None and not planned.obstacles,
        "skipped": False,
        "state": planned and planned.source,
        "target": planned and planned.target,
        "path": list(planned.path) if planned else [],
        "notes": list(planned.notes) if planned else [],
        "obstacles": list(planned.obstacles) if planned else [],
        "event_id": None,
    }
