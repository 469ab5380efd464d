"""The check settings of a finance bureau: given as a file by the system administrator, kept in every version, shown to all."""

from __future__ import annotations

import unicodedata
from typing import Any

import sqlalchemy as sa

from application.accounts import find_organization, require_role
from application.check_settings import InForce, settings_of
from application.importing import names_of
from application.installation import Request
from application.use_cases import refusals_recorded, typed, use_case
from audit.events import Act
from documents.checking.settings import CheckSettings, is_named
from documents.checking.settings_file import parse_settings
from models.base import timestamp
from models.blobs import get_blob, put_blob
from models.canonical import canonical_bytes
from models.check_settings import CheckSetting
from models.content import Department
from models.engine import Work, transaction
from models.errors import InvalidInput, NotAllowed, NotFound
from models.people import Account, Organization, OrganizationKind, Role
from models.places import join
from models.prepared import Prepared, insert_into

_INSERT = insert_into(CheckSetting)
# FOR UPDATE lets two administrators wait for one another on PostgreSQL, so that versions are counted without a gap.
_LOCK = Prepared(sa.select(Organization.id).where(Organization.id == sa.bindparam("organization_id")).with_for_update())


@use_case("check.settings")
def show_settings(request: Request, organization: str | None = None) -> dict[str, Any]:
    """The settings of a finance bureau (by default the person's own, or the only one), and all versions it had.

    ``{organization, settings, version?, sha256?, given, versions: [{version, sha256, name, reason, author, at}]}``; ``given`` is
    what they set, in the form of the file. A department is shown of other departments' parts nothing.
    """
    with transaction(request.installation.engine, read_only=True) as work:
        bureau = _bureau(work, request, organization)
        held = settings_of(work, bureau.id)
        query = (
            sa.select(CheckSetting, Account.display_name)
            .join(Account, Account.id == CheckSetting.author_id)
            .where(CheckSetting.organization_id == bureau.id)
            .order_by(CheckSetting.number.desc())
        )
        return {
            "organization": bureau.name,
            **held.to_json(),
            "given": given(_shown(work, request, held)),
            "versions": [
                {
                    "version": item.number,
                    "sha256": item.sha256,
                    "name": item.name,
                    "reason": item.reason,
                    "author": author,
                    "at": timestamp(item.created_at),
                }
                for item, author in work.session.execute(query)
            ],
        }


@use_case("check.import")
def import_settings(
    request: Request, organization: str | None, data: bytes, *, name: str, reason: str = ""
) -> dict[str, Any]:
    """Gives a finance bureau the settings of a file (system administrator); they hold for the texts that it reviews.

    The file is checked first: InvalidInput names each mistake. The same file once more changes nothing.
    """
    wanted, name = parse_settings(data, name), typed(name)
    request.installation.require_writable()
    with (
        refusals_recorded(request, Act.CONFIG_CHANGE, ("account", request.person.account_id)),
        transaction(request.installation.engine) as work,
    ):
        role = require_role(work, request, Role.SYSTEM_ADMINISTRATOR)
        bureau = _bureau(work, request, organization)
        work.one(_LOCK, organization_id=bureau.id)
        held = settings_of(work, bureau.id)
        now = request.now()
        number, event_id = held.version or 0, None
        sha256 = put_blob(work, data, now)
        if sha256 != held.sha256 or held.source != "organization":
            number += 1
            work.run(
                _INSERT,
                organization_id=bureau.id,
                number=number,
                sha256=sha256,
                name=name,
                reason=typed(reason),
                author_id=request.person.account_id,
                created_at=now,
            )
            event_id = request.recorder.write(
                work,
                Act.CONFIG_CHANGE,
                actor=request.person.account_id,
                role=role,
                obj=("check_settings", bureau.id),
                now=now,
                why=typed(reason) or None,
                details=[
                    ("/version", held.version, number),
                    ("/sha256", held.sha256, sha256),
                    *_changed(held, wanted),
                ],
            ).event_id
        result = {
            "organization": bureau.name,
            "version": number,
            "sha256": sha256,
            "changed": event_id is not None,
            "given": given(wanted),
        }
    request.installation.settle(event_id)
    return result


@use_case("check.export")
def export_settings(
    request: Request, organization: str | None = None, *, version: int | None = None
) -> tuple[str, bytes]:
    """Name and bytes of a bureau's settings as they were given; the newest version by default.

    Raises NotFound where none were given, NotAllowed for people of a department: the file speaks of other departments, too.
    """
    with transaction(request.installation.engine, read_only=True) as work:
        if not _sees_everything(request):
            raise NotAllowed(
                "检查设置的原文件由财政、审计和系统管理员导出；适用于您单位的设置用 jixiao check settings show。"
            )
        bureau = _bureau(work, request, organization)
        query = sa.select(CheckSetting).where(CheckSetting.organization_id == bureau.id)
        query = query.where(CheckSetting.number == version) if version is not None else query
        found = work.session.scalars(query.order_by(CheckSetting.number.desc()).limit(1)).first()
        if found is None:
            which = "" if version is None else f"第 {version} 版"
            raise NotFound(f"“{bureau.name}”没有导入过{which}检查设置；请用 jixiao check settings show 查看。")
        return found.name, get_blob(work, found.sha256)


def given(settings: CheckSettings) -> dict[str, Any]:
    """What settings set, in the form of the file; what they leave to the defaults is left out."""
    value: dict[str, Any] = settings.model_dump(mode="json", exclude_unset=True)
    return value


def _bureau(work: Work, request: Request, name: str | None) -> Organization:
    """The finance bureau that is meant; raises InvalidInput where that is none, or several could be."""
    if name is not None:
        found = find_organization(work, name)
        if found.kind != OrganizationKind.FINANCE:
            raise InvalidInput(
                f'“{found.name}”不是财政单位；检查设置属于财政单位，对一个部门的特别设置写在其中的 [organizations."部门"]。'
            )
        return found
    query = sa.select(Organization).where(Organization.kind == OrganizationKind.FINANCE.value)
    bureaus = list(work.session.scalars(query.order_by(Organization.name)))
    own = [item for item in bureaus if item.id == request.person.organization_id]
    if len(own or bureaus) != 1:
        names = "、".join(item.name for item in bureaus) or "还没有"
        raise InvalidInput(f"请写明是哪个财政单位（{names}）。")
    return (own or bureaus)[0]


def _sees_everything(request: Request) -> bool:
    return request.person.organization_kind != OrganizationKind.DEPARTMENT


def _shown(work: Work, request: Request, held: InForce) -> CheckSettings:
    """The settings as the person may see them: the lists and exceptions of other departments are those departments' own."""
    settings = held.settings
    if _sees_everything(request):
        return settings
    own = work.session.get_one(Organization, request.person.organization_id)
    named = [Department(name=name, unit_name=own.name, code=own.code, unit_code=own.code) for name in names_of(own)]

    def concerns(name: str) -> bool:
        return any(is_named(department, name) for department in named)

    parts = {
        "organizations": {name: item for name, item in settings.organizations.items() if concerns(name)},
        "budget_lists": tuple(item for item in settings.budget_lists if concerns(item.department)),
    }
    return settings.model_copy(update={name: part for name, part in parts.items() if name in settings.model_fields_set})


def _changed(held: InForce, wanted: CheckSettings) -> list[tuple[str, Any, Any]]:
    """What an import changes against the settings that held, for its event: which rule, which threshold, from what to what."""
    before, after = _flat((), given(held.settings)), _flat((), given(wanted))
    return [
        (place, before.get(place), after.get(place))
        for place in sorted(before.keys() | after.keys())
        if before.get(place) != after.get(place)
    ]


def _flat(tokens: tuple[str, ...], value: Any) -> dict[str, str]:
    """Members by pointer, as words: an event holds no float, and no member whose name is Chinese."""
    if isinstance(value, dict):
        return {place: words for key in value for place, words in _flat((*tokens, str(key)), value[key]).items()}
    if value is None:
        return {}
    words = value if isinstance(value, str) else canonical_bytes(value).decode()
    return {unicodedata.normalize("NFC", join(tokens)): unicodedata.normalize("NFC", words)}
