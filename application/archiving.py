"""The archive of a text: its documents, versions, opinions, steps, and the receipts of its events, as one file to keep.

The same text gives the same bytes as long as nothing happens to it: the archive ends with the last event that changed the
text, receipts are under the first checkpoint that covers it, and making an archive is an event that it does not hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from application.access import every_event, reading, require_insider, sees_all_versions
from application.appearance import appearance_of
from application.archive_files import README, packed
from application.archive_pages import people, process_steps, readme, sheet_stages
from application.histories import names_of_accounts
from application.installation import LOG, Request
from application.kept_documents import Made, find, keep, made_now
from application.numbering import DOCUMENT_TITLES
from application.past import Standpoint, today, until_event
from application.rendering import record
from application.sealing import FORMAT as SEALED
from application.stages import DRAFT, stage_of
from application.texts import opinions_of
from application.use_cases import use_case
from audit.events import Act
from audit.receipts import SUFFIX, make_receipts
from audit.signedheads import outgoing_head
from audit.timeline import LoggedEvent
from documents.rendering import ArchivedFile, Stage, render_pdf
from models.base import timestamp
from models.blobs import get_blob
from models.canonical import canonical_bytes, digest, without_empty
from models.content import parse_content, to_json
from models.engine import Work, transaction
from models.errors import InvalidTransition, JixiaoError, NotAllowed
from models.log import AuditCheckpoint, AuditKey
from models.people import Organization
from models.texts import TextVersion
from workflow.situation import TextRow

SCHEMA = "jixiao/archive/1"
_TITLES = {**DOCUMENT_TITLES, "review": "绩效目标审核表", "publication": "公开稿"}
# Events that look at a text or make files of it: they change nothing, and would make each archive another one.
_LOOKING = ("document.", "text.read", "export.", "text.copy")


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive with its SHA-256 and what it holds: ``files`` by path with their titles."""

    data: bytes
    sha256: str
    name: str
    files: tuple[ArchivedFile, ...]


@dataclass(frozen=True, slots=True)
class _Paper:
    """A document of the archive: its stage, path, and the file where it was made before."""

    stage: Stage
    path: str
    made: Made | None


@use_case("archive.make")
def make_archive(request: Request, text_id: str) -> Archive:
    """The archive of a text (its department, its bureau, auditors); the export is an event with the archive's hash.

    Raises NotAllowed for the bureau while the department is changing the text, since the archive holds every version.
    """
    installation = request.installation
    installation.require_writable()
    installation.catch_up()
    with reading(request, text_id) as (work, row):
        _require_complete(work, request, row)
        papers = _papers(work, row)
    _record_papers(request, [_made(request, paper) for paper in papers])
    installation.settle(checkpoint=True)
    with reading(request, text_id) as (work, row):
        kept = [(paper, made) for paper in papers if (made := _file(work, paper.stage))]
        titles, members = _members(work, row, kept)
        sheets = sheet_stages(work, row, titles, members)
    look = appearance_of(installation)
    for path, title, stage in sheets:
        members[path] = render_pdf(stage, fonts=look.fonts, templates=look.templates)
        titles[path] = title
    members[README] = readme(members).encode()
    data = packed(members)
    with transaction(installation.engine) as work:
        recorded = request.recorder.write(
            work,
            Act.EXPORT_CREATE,
            actor=request.person.account_id,
            role="-",
            obj=("text", text_id),
            now=request.now(),
            after=row.current_hash,
            details=[("/export", None, {"format": "archive", "sha256": digest(data), "files": len(members)})],
        )
    installation.settle(recorded.event_id)
    files = tuple(ArchivedFile(path, titles.get(path, ""), digest(members[path])) for path in sorted(members))
    return Archive(data, digest(data), f"{row.fiscal_year}-{text_id}.zip", files)


def _require_complete(work: Work, request: Request, row: TextRow) -> None:
    require_insider(request, row)
    state = today(work, row).definition.states[row.state]
    if state.editable and not sees_all_versions(request, row):
        raise NotAllowed(f"文本现在是“{state.title}”，由部门修改，归档要包含的各版您还不能查看；请在部门报送后再归档。")


def _papers(work: Work, row: TextRow) -> list[_Paper]:
    """The document of each stage that was reached, in each round as it was at the round's end."""
    out = []
    for round_, standpoint in _rounds(work, row):
        documents = dict.fromkeys(state.document for state in standpoint.definition.states.values())
        for document in documents:
            if document == DRAFT:
                continue
            try:
                stage = stage_of(work, standpoint, document)
            except InvalidTransition:
                continue
            if stage.round == round_:
                path = f"documents/r{round_}-{document}-v{stage.version}.pdf"
                out.append(_Paper(stage, path, _file(work, stage)))
    return out


def _file(work: Work, stage: Stage) -> Made | None:
    """The file of a document as it left the house: sealed, where it was."""
    return find(work, stage, SEALED) or find(work, stage, "pdf")


def _rounds(work: Work, row: TextRow) -> list[tuple[int, Standpoint]]:
    """Each round with the text as its last event left it."""
    begins: dict[int, int] = {}
    for item in every_event(work, row.id):
        wf = item.event.get("wf")
        if wf and item.event["out"] == "success":
            begins.setdefault(wf["round"], item.index)
    out = []
    for round_ in range(1, row.round + 1):
        end = begins.get(round_ + 1)
        out.append((round_, today(work, row) if end is None else _before(work, row, end)))
    return out


def _before(work: Work, row: TextRow, end: int) -> Standpoint:
    return until_event(work, row, lambda index, _at: index < end)


def _made(request: Request, paper: _Paper) -> tuple[_Paper, Made]:
    if paper.made is not None:
        return paper, paper.made
    look = appearance_of(request.installation)
    data = render_pdf(paper.stage, fonts=look.fonts, templates=look.templates)
    return paper, made_now(paper.stage, data, look.templates)


def _record_papers(request: Request, papers: Sequence[tuple[_Paper, Made]]) -> None:
    """Keeps the documents, and gives each whose hash stands in no event yet an event of its own, once for ever."""
    with transaction(request.installation.engine) as work:
        known = _rendered(every_event(work, papers[0][0].stage.text_id)) if papers else {}
        for paper, fresh in papers:
            made = paper.made or keep(work, paper.stage, "pdf", fresh, request.now())
            if digest(made.data) not in known:
                record(work, request, paper.stage, "pdf", made)


def _rendered(events: Any) -> dict[str, int]:
    """Index of the first event that tells of a rendering, by the SHA-256 of the file."""
    found: dict[str, int] = {}
    for item in events:
        for change in item.event.get("chg", ()) if item.event["act"] == Act.DOCUMENT_RENDER else ():
            told = change.get("n")
            if isinstance(told, dict) and isinstance(told.get("sha256"), str):
                found.setdefault(told["sha256"], item.index)
    return found


def _members(
    work: Work, row: TextRow, papers: Sequence[tuple[_Paper, Made]]
) -> tuple[dict[str, str], dict[str, bytes]]:
    """Titles and bytes by path of everything but the sheets and the README."""
    logged = list(every_event(work, row.id))
    names = names_of_accounts(work)
    definition = today(work, row).definition
    titles: dict[str, str] = {}
    members: dict[str, bytes] = {}

    def add(path: str, title: str, data: bytes) -> None:
        titles[path], members[path] = title, data

    documents = []
    for paper, made in papers:
        stage = paper.stage
        title = " ".join(filter(None, (f"第{stage.round}轮", stage.document_number)))
        add(paper.path, f"{_TITLES.get(stage.document, stage.document)} {title}", made.data)
        documents.append(
            {
                "path": paper.path,
                "document": stage.document,
                "round": stage.round,
                "version": stage.version,
                "number": stage.document_number,
                "issued_on": stage.issued_on.isoformat(),
                "content_hash": stage.content_hash,
            }
        )
    versions = []
    for version in work.session.scalars(
        sa.select(TextVersion).where(TextVersion.text_id == row.id).order_by(TextVersion.number)
    ):
        path = f"content/v{version.number:04d}.json"
        add(path, f"第{version.number}版内容", get_blob(work, version.content_hash))
        versions.append(
            {
                "path": path,
                "number": version.number,
                "content_hash": version.content_hash,
                "author": names.get(version.author_id, ("", ""))[0],
                "reason": version.reason,
                "created_at": timestamp(version.created_at),
            }
        )
    content = to_json(parse_content(get_blob(work, row.current_hash)))
    add("opinions.json", "审核意见和答复", _json(opinions_of(work, row.id, content)))
    add("people.json", "办理人", _json(people(work, row, names)))
    steps = process_steps(work, row, logged)
    add("steps.json", "办理经过", _json([{**step, "at": timestamp(step["at"])} for step in steps]))
    size = _add_events(work, logged, _kept(logged, members), add)
    organization = work.session.get_one(Organization, row.organization_id)
    reviewing = work.session.get_one(Organization, row.reviewing_id)
    about = {
        "schema": SCHEMA,
        "text": row.id,
        "title": row.title,
        "fiscal_year": row.fiscal_year,
        "department": organization.name,
        "finance": reviewing.name,
        "state": definition.states[row.state].title,
        "ended": definition.states[row.state].final,
        "round": row.round,
        "documents": documents,
        "versions": versions,
        "log": {"size": size, "events": sum(path.endswith(SUFFIX) for path in members)},
    }
    add("archive.json", "归档说明（供程序读取）", _json(about))
    return titles, members


def _json(value: Any) -> bytes:
    return (
        orjson.dumps(
            orjson.loads(canonical_bytes(without_empty(value))), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
        )
        + b"\n"
    )


def _kept(logged: Sequence[LoggedEvent], members: dict[str, bytes]) -> list[int]:
    """The indexes of the events that belong into the archive: what happened to the text, and how its documents were made."""
    happened = [item for item in logged if not item.event["act"].startswith(_LOOKING)]
    last = max((item.index for item in happened if item.event["out"] == "success"), default=-1)
    rendered = _rendered(logged)
    papers = {digest(data) for path, data in members.items() if path.startswith("documents/")}
    made = {index for sha256, index in rendered.items() if sha256 in papers}
    return sorted({item.index for item in happened if item.index <= last} | made)


def _add_events(work: Work, logged: Sequence[LoggedEvent], indexes: Sequence[int], add: Any) -> int:
    """Adds events with their receipts, the checkpoint and the keys of its time; the size that the checkpoint covers."""
    size = work.connection.scalar(
        sa.select(AuditCheckpoint.size)
        .where(AuditCheckpoint.log == LOG, AuditCheckpoint.size > indexes[-1])
        .order_by(AuditCheckpoint.size)
        .limit(1)
    )
    if size is None:
        raise JixiaoError("这份文本的事件还没有签上检查点；请先运行 jixiao audit checkpoint，再归档。")
    acts = {item.index: item.event["act"] for item in logged}
    for body, receipt in make_receipts(work, indexes, log=LOG, size=size):
        stem = f"events/{receipt.index:08d}-{acts[receipt.index]}"
        add(f"{stem}.json", "事件", body)
        add(f"{stem}{SUFFIX}", "收据", str(receipt).encode())
    add("log/checkpoint", "检查点", outgoing_head(work, log=LOG, size=size).note.encode())
    keys = work.connection.scalars(
        sa.select(AuditKey.vkey)
        .where(AuditKey.log == LOG, AuditKey.from_size <= size)
        .order_by(AuditKey.from_size, AuditKey.vkey)
    )
    add("log/vkey", "公钥（请以外部取得的为准）", "".join(f"{key}\n" for key in keys).encode())
    return int(size)
