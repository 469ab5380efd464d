"""Beginning a text without a file: from a text of another year, or from a template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from application.access import read_allowed_version, row_of
from application.check_settings import settings_of
from application.importing import latest_definition, names_of, owner_of, reviewing_organization, snapshot_of, texts_of
from application.installation import Request
from application.use_cases import refusals_recorded, use_case
from audit.events import Act
from documents.beginning import Begun, begin_from, begin_template
from documents.rendering.titles import place_title
from models.content import Department, to_json
from models.engine import Work, transaction
from models.errors import InvalidInput, NotAllowed
from models.ids import new_id
from models.people import Organization
from workflow.versions import open_text


@use_case("text.new")
def new_text(
    request: Request,
    *,
    year: int,
    source: str | None = None,
    template: str | None = None,
    organization: str | None = None,
    workflow: str | None = None,
) -> dict[str, Any]:
    """A new text of a year for the person's department: from one of its texts (``source``, an id), or from a template.

    ``{text, state, row_version, organization, reviewing, earlier, content, figures}``; ``figures`` are the places whose words
    came along with figures in them: ``{anchor, title}``. Raises NotAllowed for another department's text.
    """
    if (source is None) == (template is None):
        raise InvalidInput("请用 --from 写明照哪份文本新建，或用 --template 写明模板（二者选一）。")
    installation = request.installation
    installation.require_writable()
    with (
        refusals_recorded(request, Act.TEXT_CREATE, ("account", request.person.account_id)),
        transaction(installation.engine) as work,
    ):
        now = request.now()
        begun, owner, reviewing, origin = (
            _from_text(work, request, source, year, organization)
            if source is not None
            else _from_template(work, request, str(template), year, organization)
        )
        earlier = texts_of(work, owner, year)
        text = open_text(
            work,
            text_id=new_id(now),
            organization_id=owner.id,
            reviewing_id=reviewing.id,
            definition_id=latest_definition(work, workflow or installation.settings.workflow).id,
            snapshot=snapshot_of(begun.content),
            source=None,
            doubts=(),
            actor=request.actor,
            reason=f"按 {origin['year']} 年文本新建" if "year" in origin else f"按模板 {origin['template']} 新建",
            recorder=request.recorder,
            now=now,
            begun=origin,
        )
    installation.settle()
    content = to_json(begun.content)
    return {
        "text": text.id,
        "state": text.state,
        "row_version": text.row_version,
        "organization": owner.name,
        "reviewing": reviewing.name,
        "earlier": earlier,
        "content": content,
        "figures": [{"anchor": place, "title": place_title(begun.content, place)} for place in begun.figures],
    }


_Begun = tuple[Begun, Organization, Organization, Mapping[str, Any]]


def _from_text(work: Work, request: Request, source: str, year: int, organization: str | None) -> _Begun:
    row = row_of(work, request, source)
    owner = owner_of(work, request, organization)
    if row.organization_id != owner.id:
        raise NotAllowed("只能按本部门自己的文本新建：别的部门的目标和指标不是照抄来的。", text=source)
    read = read_allowed_version(work, request, row)
    origin = {"text": row.id, "version": read.version, "content": read.content_hash, "year": read.content.fiscal_year}
    return begin_from(read.content, year), owner, work.session.get_one(Organization, row.reviewing_id), origin


def _from_template(work: Work, request: Request, template: str, year: int, organization: str | None) -> _Begun:
    owner = owner_of(work, request, organization)
    reviewing = reviewing_organization(work, "")
    scheme = settings_of(work, reviewing.id).settings.scheme(year)
    begun = begin_template(template, year, scheme)
    # What the register knows need not be typed: the cover has the short name, where there is one.
    full, *short = names_of(owner)
    department = Department(name=min(short, key=len, default=full), code=(owner.code or "")[:3] or None, unit_name=full)
    content = begun.content.model_copy(update={"department": department, "reviewing_body": reviewing.name})
    return Begun(content, begun.figures), owner, reviewing, {"template": template}
