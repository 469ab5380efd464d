"""Rendering a document of a text: chooses stage and version, gives the file that was made once, and records the rendering."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from application import past
from application.access import is_outsider, newest_version, require_version, row_of
from application.appearance import Appearance, appearance_of
from application.installation import Request
from application.kept_documents import Made, find, keep, made_now
from application.past import Standpoint, end_of_day, today
from application.publishing import PublicationNotes, notes_of
from application.stages import DRAFT, PUBLICATION
from application.stages import stage_of as stage_of
from application.use_cases import refusals_recorded, use_case
from audit.events import Act
from audit.journal import Recorded
from documents.rendering import Stage, document_names, render_html, render_pdf
from models.canonical import digest
from models.engine import Work, transaction
from models.errors import InvalidInput, NotAllowed, NotFound

Renderer = Callable[[Stage, Appearance], bytes]


def _pdf(stage: Stage, look: Appearance) -> bytes:
    return render_pdf(stage, fonts=look.fonts, templates=look.templates)


def _html(stage: Stage, look: Appearance) -> bytes:
    return render_html(stage, templates=look.templates)


def _docx(stage: Stage, look: Appearance) -> bytes:
    from documents.rendering.word import render_docx

    return render_docx(stage, fonts=look.fonts, templates=look.templates)


def _xlsx(stage: Stage, _look: Appearance) -> bytes:
    from documents.rendering.excel import render_xlsx

    return render_xlsx(stage)


def _txt(stage: Stage, look: Appearance) -> bytes:
    from documents.rendering.plain import render_txt

    return render_txt(stage, templates=look.templates)


def _json(stage: Stage, _look: Appearance) -> bytes:
    from documents.rendering.facts import render_json

    return render_json(stage)


# What a document can be made as. A renderer is pure: the same stage gives the same bytes.
RENDERERS: Final[dict[str, Renderer]] = {
    "pdf": _pdf,
    "docx": _docx,
    "html": _html,
    "xlsx": _xlsx,
    "txt": _txt,
    "json": _json,
}
FORMATS = tuple(RENDERERS)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered document with its file name and SHA-256; ``number`` is its document number, empty where it has none.

    ``notes`` tell what publication took out and what it left, None for other documents and for outsiders.
    """

    document: str
    version: int
    name: str
    data: bytes
    sha256: str
    number: str = ""
    notes: PublicationNotes | None = None


@use_case("text.render")
def render_text(
    request: Request,
    text_id: str,
    *,
    document: str | None = None,
    format_: str = "pdf",
    version: int | None = None,
    as_of: date | None = None,
) -> Rendered:
    """A document of a text (by default that of its state); raises InvalidTransition where its stage was never reached.

    ``as_of`` gives the document as it was at the end of that day of the office.
    """
    require_known(document, format_)
    installation = request.installation
    installation.require_writable()
    installation.catch_up()
    with (
        refusals_recorded(request, Act.DOCUMENT_RENDER, ("text", text_id)),
        transaction(installation.engine, read_only=True) as work,
    ):
        stage = allowed_stage(work, request, text_id, document, version=version, day=as_of)
        made = find(work, stage, format_)
        inside = stage.document == PUBLICATION and not is_outsider(request, row_of(work, request, text_id))
        notes = notes_of(work, stage.content) if inside else None
    if made is None:
        look = appearance_of(installation)
        made = made_now(stage, RENDERERS[format_](stage, look), look.templates)
    with transaction(installation.engine) as work:
        made = keep(work, stage, format_, made, request.now())
        recorded = record(work, request, stage, format_, made)
    installation.settle(recorded.event_id)
    name, sha256 = file_name(stage, format_), digest(made.data)
    return Rendered(stage.document, stage.version, name, made.data, sha256, stage.document_number, notes)


def require_known(document: str | None, format_: str) -> None:
    """Raises InvalidInput for a format that no renderer makes, NotFound for a document without templates."""
    if format_ not in RENDERERS:
        raise InvalidInput(f"不支持格式“{format_}”；可以用 {'、'.join(FORMATS)}。")
    if document is not None and document not in document_names():
        raise NotFound(f"没有名为“{document}”的文件；可以用 {'、'.join(document_names())}。")


def allowed_stage(
    work: Work,
    request: Request,
    text_id: str,
    document: str | None,
    *,
    version: int | None = None,
    day: date | None = None,
) -> Stage:
    """The stage of a document that the person may read, as it stands or as it stood at the end of a day.

    Raises NotFound, NotAllowed, InvalidInput for a version or day that does not fit, InvalidTransition for a stage that was
    never reached.
    """
    row = row_of(work, request, text_id)
    outsider = is_outsider(request, row)
    newest = newest_version(work, request, row)
    if day is not None and outsider:
        raise NotAllowed("这份文本对您只公开了现在的公开稿；请去掉 --as-of。")
    standpoint: Standpoint = today(work, row) if day is None else past.as_of(work, row, end_of_day(day, request.now()))
    name = document or (PUBLICATION if outsider else standpoint.definition.states[standpoint.row.state].document)
    if outsider and name != PUBLICATION:
        raise NotAllowed("这份文本对您只公开了公开稿；请用 --document publication。")
    if version is not None and name != DRAFT:
        raise InvalidInput("这份文件只能按该环节的那一版生成，不能另选版本；只有草案可以选版本。")
    if name == DRAFT:
        if version is None:
            version = min(newest, standpoint.row.current_version)
        elif day is not None and version > standpoint.row.current_version:
            raise InvalidInput(
                f"那一天文本只有 {standpoint.row.current_version} 版；请改小 --version，或改晚 --as-of。"
            )
        require_version(request, row, version, newest)
    mine = request.person.organization_id == row.organization_id
    return stage_of(work, standpoint, name, version, public=outsider, under_way=not mine)


def record(
    work: Work,
    request: Request,
    stage: Stage,
    format_: str,
    made: Made,
    *,
    bulk: Mapping[str, Any] | None = None,
    seal: Mapping[str, str] | None = None,
) -> Recorded:
    """The event of a rendering: which document, in which format, its hash, and what it was made with."""
    told = {
        "name": stage.document,
        "format": format_,
        "sha256": digest(made.data),
        "templates": made.templates,
        "program": made.program,
        **({"number": stage.document_number} if stage.document_number else {}),
        **({"seal": dict(seal)} if seal else {}),
    }
    return request.recorder.write(
        work,
        Act.DOCUMENT_RENDER,
        actor=request.person.account_id,
        role="-",
        obj=("text", stage.text_id),
        now=request.now(),
        after=stage.content_hash,
        details=[("/document", None, told)],
        bulk=bulk,
    )


def file_name(stage: Stage, format_: str) -> str:
    """The name of a document's file, such as ``2021-approval-v3.pdf``."""
    # Two returns of one version are two documents.
    round_ = f"-r{stage.round}" if stage.document != DRAFT and stage.round > 1 else ""
    return f"{stage.content.fiscal_year}-{stage.document}{round_}-v{stage.version}.{format_}"
