"""Organizations, accounts and grants: kept by the system administrator and the security administrator, apart."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from application.identity import TOKEN_DAYS, hash_password, issue_token, token_details
from application.installation import Request
from application.use_cases import refusals_recorded, typed, use_case
from audit.events import Act
from audit.recorder import Recorder
from audit.sealing import Personal
from models.base import timestamp
from models.engine import Work, transaction
from models.errors import Conflict, InvalidInput, NotAllowed, NotFound
from models.ids import new_id
from models.people import (
    ADMINISTRATORS,
    ROLE_HOME,
    ROLE_TITLES,
    Account,
    Organization,
    OrganizationKind,
    Role,
    RoleGrant,
)
from workflow.records import standing_of

# What the event of a grant without an end says of its end.
UNLIMITED = "unlimited"

KIND_TITLES = {
    OrganizationKind.DEPARTMENT: "部门",
    OrganizationKind.FINANCE: "财政",
    OrganizationKind.AUDIT: "审计",
    OrganizationKind.OPERATION: "运维",
}


def require_role(work: Work, request: Request, *roles: Role) -> Role:
    """The first of these roles that the person holds now, whatever they held at log-in; raises NotAllowed."""
    standing = standing_of(work, request.actor, request.now())
    held = {role for role, _ in standing.grants} if standing.active else set()
    for role in roles:
        if role in held:
            return role
    titles = "”或“".join(ROLE_TITLES[role] for role in roles)
    raise NotAllowed(f"此操作由“{titles}”执行；请以该岗位的账号登录。", roles=[str(role) for role in roles])


def find_organization(work: Work, name: str) -> Organization:
    """An organization by id, name or alias; raises NotFound or InvalidInput (ambiguous)."""
    everybody = list(work.session.scalars(sa.select(Organization).order_by(Organization.name)))
    # A full name is nobody else's, whatever aliases there are.
    exact = [item for item in everybody if name in (item.id, item.name)]
    found = exact or [item for item in everybody if name in item.aliases.splitlines()]
    if not found:
        raise NotFound(f"没有名为“{name}”的单位；请用 jixiao org list 查看。", organization=name)
    if len(found) > 1:
        names = "、".join(item.name for item in found)
        raise InvalidInput(f"“{name}”同时是几个单位的名称（{names}）；请写单位全称或编号。")
    return found[0]


def insert_organization(
    work: Work,
    recorder: Recorder,
    *,
    name: str,
    kind: OrganizationKind,
    code: str | None,
    aliases: tuple[str, ...],
    actor: str,
    role: str,
    now: datetime,
) -> Organization:
    """An organization with its event, in the caller's transaction."""
    name, aliases = typed(name), tuple(filter(None, map(typed, aliases)))
    if not name:
        raise InvalidInput("单位名称不能为空。")
    if code is not None and not (code.isascii() and code.isdigit() and len(code) in (3, 6)):
        raise InvalidInput(f"单位编码“{code}”应为 3 位或 6 位数字。")
    if work.session.scalar(sa.select(Organization).where(Organization.name == name)):
        raise Conflict(f"单位“{name}”已经存在。", organization=name)
    made = Organization(id=new_id(now), name=name, kind=kind, code=code, aliases="\n".join(aliases), created_at=now)
    work.session.add(made)
    work.session.flush()
    recorder.write(
        work,
        Act.ORGANIZATION_ADD,
        actor=actor,
        role=role,
        obj=("organization", made.id),
        now=now,
        details=[
            ("/name", None, name),
            ("/kind", None, str(kind)),
            *([("/code", None, code)] if code is not None else []),
            *([("/aliases", None, list(aliases))] if aliases else []),
        ],
    )
    return made


def insert_account(
    work: Work,
    recorder: Recorder,
    *,
    organization: Organization,
    login: str,
    display_name: str,
    password: str | None,
    actor: str,
    role: str,
    now: datetime,
) -> Account:
    """An account with its event; login and name are personal data, of which the log has commitments only."""
    login = typed(login)
    if not login or any(character.isspace() for character in login):
        raise InvalidInput("登录名不能为空，也不能含空白。")
    if work.session.scalar(sa.select(Account).where(Account.login == login)):
        raise Conflict(
            "这个登录名已经存在；请换一个。"
        )  # the name is personal data, and this sentence goes into the log
    made = Account(
        id=new_id(now),
        organization_id=organization.id,
        login=login,
        display_name=display_name.strip() or login,
        password_hash=hash_password(password) if password is not None else None,
        created_at=now,
        disabled_at=None,
    )
    work.session.add(made)
    work.session.flush()
    recorder.write(
        work,
        Act.ACCOUNT_ADD,
        actor=actor,
        role=role,
        obj=("account", made.id),
        now=now,
        details=[
            ("/organization", None, organization.id),
            ("/login", None, Personal(made.id, made.login)),
            ("/name", None, Personal(made.id, made.display_name)),
        ],
    )
    return made


def first_token(
    work: Work, recorder: Recorder, account: Account, *, actor: str, role: str, now: datetime, name: str = "first"
) -> str:
    """A new account's first token with its event, in the caller's transaction."""
    token_id, lifetime = new_id(now), timedelta(days=TOKEN_DAYS)
    token = issue_token(work, account.id, name, now=now, lifetime=lifetime, token_id=token_id)
    recorder.write(
        work,
        Act.TOKEN_CREATE,
        actor=actor,
        role=role,
        obj=("account", account.id),
        now=now,
        details=token_details(token_id, now + lifetime),
    )
    return token


def insert_grant(
    work: Work,
    recorder: Recorder,
    *,
    account: Account,
    role: Role,
    actor: str | None,
    actor_role: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> RoleGrant:
    """A grant with its event; raises NotAllowed where roles exclude one another or the organization does not fit."""
    organization = work.session.get_one(Organization, account.organization_id)
    home = ROLE_HOME.get(role)
    if home is not None and organization.kind != home:
        raise NotAllowed(f"“{ROLE_TITLES[role]}”只能授予{KIND_TITLES[home]}类单位的账号，“{organization.name}”不是。")
    held = {
        Role(grant.role)
        for grant in work.session.scalars(
            sa.select(RoleGrant).where(RoleGrant.account_id == account.id, RoleGrant.revoked_at.is_(None))
        )
        if grant.expires_at is None or grant.expires_at > now
    }
    if role in held:
        raise Conflict(f"该账号已有“{ROLE_TITLES[role]}”岗位。")
    # The three administrators exclude one another, and none of them takes part in the process.
    if held and (role in ADMINISTRATORS or held & ADMINISTRATORS):
        names = "、".join(ROLE_TITLES[item] for item in sorted(held))
        raise NotAllowed(f"“{ROLE_TITLES[role]}”与该账号已有的岗位（{names}）不相容；请授予另一个账号。")
    made = RoleGrant(
        id=new_id(now),
        account_id=account.id,
        organization_id=organization.id,
        role=role,
        granted_by=actor,
        granted_at=now,
        expires_at=expires_at,
        revoked_at=None,
    )
    until = {"until": timestamp(expires_at) if expires_at else UNLIMITED}
    work.session.add(made)
    work.session.flush()
    recorder.write(
        work,
        Act.ROLE_GRANT,
        actor=actor or "-",
        role=actor_role,
        obj=("account", account.id),
        now=now,
        details=[("/roles", None, {"role": str(role), "organization": organization.id, **until})],
    )
    return made


@use_case("organization.add")
def add_organization(
    request: Request, name: str, kind: OrganizationKind, *, code: str | None = None, aliases: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Adds an organization (system administrator)."""
    obj = ("account", request.person.account_id)
    request.installation.require_writable()
    with refusals_recorded(request, Act.ORGANIZATION_ADD, obj), transaction(request.installation.engine) as work:
        role = require_role(work, request, Role.SYSTEM_ADMINISTRATOR)
        made = insert_organization(
            work,
            request.recorder,
            name=name,
            kind=kind,
            code=code,
            aliases=aliases,
            actor=request.person.account_id,
            role=role,
            now=request.now(),
        )
        out = _organization_json(made)
    request.installation.settle()
    return out


@use_case("organization.list")
def list_organizations(request: Request) -> list[dict[str, Any]]:
    """All organizations by name."""
    with transaction(request.installation.engine, read_only=True) as work:
        return [
            _organization_json(item)
            for item in work.session.scalars(sa.select(Organization).order_by(Organization.name))
        ]


@use_case("account.add")
def add_account(
    request: Request, login: str, display_name: str, organization: str, *, password: str | None = None
) -> dict[str, Any]:
    """Adds an account and a token for its owner (system administrator); roles come from the security administrator."""
    request.installation.require_writable()
    with refusals_recorded(request, Act.ACCOUNT_ADD, ("account", request.person.account_id)):
        now = request.now()
        with transaction(request.installation.engine) as work:
            role = require_role(work, request, Role.SYSTEM_ADMINISTRATOR)
            account = insert_account(
                work,
                request.recorder,
                organization=find_organization(work, organization),
                login=login,
                display_name=display_name,
                password=password,
                actor=request.person.account_id,
                role=role,
                now=now,
            )
            actor = request.person.account_id
            token = first_token(work, request.recorder, account, actor=actor, role=role, now=now)
            out = {"id": account.id, "login": account.login, "token": token}
    request.installation.settle()
    return out


@use_case("account.list")
def list_accounts(request: Request) -> list[dict[str, Any]]:
    """Accounts with their roles: all for administrators and auditors, one's own organization for everybody else."""
    now = request.now()
    everybody = request.person.holds(*ADMINISTRATORS, Role.AUDITOR)
    with transaction(request.installation.engine, read_only=True) as work:
        query = sa.select(Account, Organization.name).join(Organization, Account.organization_id == Organization.id)
        if not everybody:
            query = query.where(Account.organization_id == request.person.organization_id)
        roles: dict[str, list[str]] = {}
        for grant in work.session.scalars(sa.select(RoleGrant).where(RoleGrant.revoked_at.is_(None))):
            if grant.expires_at is None or grant.expires_at > now:
                roles.setdefault(grant.account_id, []).append(grant.role)
        return [
            {
                "id": account.id,
                "login": account.login,
                "name": account.display_name,
                "organization": organization,
                "roles": sorted(roles.get(account.id, [])),
                "disabled": account.disabled_at is not None,
                "created": timestamp(account.created_at),
            }
            for account, organization in work.session.execute(query.order_by(Account.login))
        ]


@use_case("role.grant")
def grant_role(request: Request, login: str, role: Role, *, days: int | None = None) -> dict[str, Any]:
    """Gives a role to an account in its own organization (security administrator)."""
    request.installation.require_writable()
    obj, tried = ("account", request.person.account_id), [("/role", None, str(role))]
    with refusals_recorded(request, Act.ROLE_GRANT, obj, whom=login, tried=tried):
        now = request.now()
        with transaction(request.installation.engine) as work:
            mine = require_role(work, request, Role.SECURITY_ADMINISTRATOR)
            # Two grants at once would each see the roles that the other has not given yet.
            account = work.session.scalar(sa.select(Account).where(Account.login == login).with_for_update())
            if account is None:
                raise NotFound(f"没有登录名为“{login}”的账号；请用 jixiao user list 查看。", login=login)
            if account.id == request.person.account_id:
                raise NotAllowed("不能给自己授予岗位；请由另一位安全管理员办理。")
            insert_grant(
                work,
                request.recorder,
                account=account,
                role=role,
                actor=request.person.account_id,
                actor_role=mine,
                now=now,
                expires_at=None if days is None else now + timedelta(days=days),
            )
            out = {"login": account.login, "role": str(role), "organization": account.organization_id}
    request.installation.settle()
    return out


def _organization_json(item: Organization) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "kind": item.kind,
        "code": item.code,
        "aliases": item.aliases.splitlines(),
    }
