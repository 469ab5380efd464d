"""Importing a text from a file: read, repaired openly, stored with its findings, in one transaction."""

from __future__ import annotations

import unicodedata
from typing import Any

import sqlalchemy as sa

from application.accounts import find_organization
from application.installation import Request
from application.use_cases import refusals_recorded, use_case
from audit.events import Act
from documents.reading import FormKind, ReadResult, load_layouts, read_file
from models.canonical import digest
from models.content import BudgetText, content_bytes, to_json
from models.engine import Work, transaction
from models.errors import InvalidInput, NotFound
from models.findings import ReadingFinding
from models.ids import new_id
from models.people import Organization, OrganizationKind
from models.places import anchor
from models.process import WorkflowDefinition
from models.readable import require_readable
from models.texts import BudgetText as TextTable
from workflow.versions import Doubt, Snapshot, open_text


def snapshot_of(content: BudgetText) -> Snapshot:
    """A content as it is stored."""
    body = content_bytes(content)
    return Snapshot(body, digest(body), content.title, content.fiscal_year)


@use_case("text.import")
def import_text(
    request: Request,
    data: bytes,
    *,
    organization: str | None = None,
    year: int | None = None,
    name: str = "",
    department: str | None = None,
    workflow: str | None = None,
) -> dict[str, Any]:
    """Imports a text for the person's own organization (or ``organization``): ``{text, content, findings, …}``.

    ``data`` is a file of any kind that ``read_file`` reads, and is kept as it is; ``department`` chooses where it holds
    several. ``name`` is the file's name for the history,
    ``workflow`` the definition it begins in (its newest version; by default the installation's). Raises InvalidInput for what is not a budget text.
    """
    layouts = load_layouts(request.installation.settings.layouts)
    reading = read_file(data, name, fiscal_year=year, department=department, layouts=layouts)
    if reading.form is FormKind.SELF_EVALUATION:
        raise InvalidInput(
            "这是绩效自评表，不是预算绩效文本，不能作为文本报送；请导入预算绩效文本，自评表作为附件保存。",
            form=reading.form.value,
        )
    require_readable(to_json(reading.content))
    installation = request.installation
    installation.require_writable()
    now = request.now()
    text_id = new_id(now)
    with (
        refusals_recorded(request, Act.TEXT_IMPORT, ("account", request.person.account_id)),
        transaction(installation.engine) as work,
    ):
        owner = owner_of(work, request, organization)
        reviewing = reviewing_organization(work, reading.content.reviewing_body)
        earlier = texts_of(work, owner, reading.content.fiscal_year)
        text = open_text(
            work,
            text_id=text_id,
            organization_id=owner.id,
            reviewing_id=reviewing.id,
            definition_id=latest_definition(work, workflow or installation.settings.workflow).id,
            snapshot=snapshot_of(reading.content),
            source=data,
            doubts=[_doubt(reading.content, finding) for finding in reading.findings],
            actor=request.actor,
            reason=f"导入 {_shown(name)}".strip(),
            recorder=request.recorder,
            now=now,
        )
    installation.settle()
    return {
        "text": text.id,
        "state": text.state,
        "row_version": text.row_version,
        "organization": owner.name,
        "reviewing": reviewing.name,
        "earlier": earlier,
        "notes": _notes(reading.content, owner, reviewing),
        **read_json(reading),
    }


def owner_of(work: Work, request: Request, organization: str | None) -> Organization:
    """The department whose text it will be: the one that is named, else the person's own; raises InvalidInput."""
    owner = (
        find_organization(work, organization)
        if organization is not None
        else work.session.get_one(Organization, request.person.organization_id)
    )
    if owner.kind != OrganizationKind.DEPARTMENT:
        raise InvalidInput(f"“{owner.name}”不是编制部门；请用 --org 指明部门，或以部门经办人登录。")
    return owner


def texts_of(work: Work, owner: Organization, year: int) -> list[str]:
    """The texts that a department has of a year."""
    query = sa.select(TextTable.id).where(TextTable.organization_id == owner.id, TextTable.fiscal_year == year)
    return list(work.session.scalars(query))


def _shown(name: str) -> str:
    """A file's name as it can stand in the log: other systems write names that are no proper text."""
    readable = "".join(character if character.isprintable() else "�" for character in name)
    return unicodedata.normalize("NFC", readable)[-200:]


def _notes(content: BudgetText, owner: Organization, reviewing: Organization) -> list[str]:
    """What a person should look at, since the file and the register say different things."""
    notes = []
    named = [name for name in (content.department.name, content.department.unit_name) if name]
    known = names_of(owner)
    if named and not any(name in known or any(other and other in name for other in known) for name in named):
        notes.append(f"文件写的编制部门是“{named[-1]}”，而文本归在“{owner.name}”名下；请核对，或登记别名。")
    if content.reviewing_body and content.reviewing_body not in names_of(reviewing):
        notes.append(
            f"文件写的审核机关是“{content.reviewing_body}”，而文本将报送“{reviewing.name}”；请核对，或登记别名。"
        )
    return notes


def names_of(organization: Organization) -> tuple[str, ...]:
    """The name of an organization and its aliases."""
    return (organization.name, *organization.aliases.splitlines())


def read_json(reading: ReadResult) -> dict[str, Any]:
    """Content and findings of a reading, in the shape of content.md, with the kind of file and how much found its place."""
    content = to_json(reading.content)
    return {
        "content": content,
        "findings": [
            {**finding.to_json(), "anchor": anchor(content, finding.place), **_page(reading, finding)}
            for finding in reading.findings
        ],
        "kind": reading.kind.value,
        "coverage": reading.coverage.to_json(),
        **({"encoding": reading.encoding} if reading.encoding else {}),
    }


def _page(reading: ReadResult, finding: ReadingFinding) -> dict[str, int]:
    page = reading.page(finding)
    return {} if page is None else {"page": page}


def latest_definition(work: Work, name: str) -> WorkflowDefinition:
    """The newest published version of a definition; raises NotFound."""
    found = work.session.scalar(
        sa.select(WorkflowDefinition)
        .where(WorkflowDefinition.name == name)
        .order_by(WorkflowDefinition.version.desc())
        .limit(1)
    )
    if found is None:
        raise NotFound(f"没有名为“{name}”的流程定义；请用 jixiao workflow list 查看。", workflow=name)
    return found


def reviewing_organization(work: Work, body: str) -> Organization:
    """The finance bureau that the cover names, or the only one there is."""
    bureaus = list(
        work.session.scalars(sa.select(Organization).where(Organization.kind == OrganizationKind.FINANCE.value))
    )
    named = [item for item in bureaus if body and body in names_of(item)]
    if len(named) == 1:
        return named[0]
    if len(bureaus) == 1:
        return bureaus[0]
    if not bureaus:
        raise NotFound("还没有财政单位；请系统管理员先运行 jixiao org add --kind finance。")
    names = "、".join(item.name for item in bureaus)
    raise InvalidInput(f"封面上的审核机关“{body}”不是已登记的财政单位（{names}）；请登记它的别名后再导入。")


def _doubt(content: BudgetText, finding: ReadingFinding) -> Doubt:
    value = to_json(content)
    return Doubt(
        code=finding.code,
        severity=finding.severity,
        anchor=anchor(value, finding.place),
        raw=finding.raw,
        repaired=finding.repaired,
        reason=finding.reason,
        confidence=f"{finding.confidence:.2f}",
        line=finding.line,
    )
