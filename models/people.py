"""Organizations, accounts, grants, delegations and access tokens: who may do what, where, from when until when."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class OrganizationKind(StrEnum):
    """What an organization is in the process."""

    DEPARTMENT = "department"
    FINANCE = "finance"
    AUDIT = "audit"
    OPERATION = "operation"


class Role(StrEnum):
    """The roles of domain.md section 1."""

    DRAFTER = "drafter"
    DEPARTMENT_HEAD = "department_head"
    PUBLISHER = "publisher"
    REVIEWER = "reviewer"
    SECOND_REVIEWER = "second_reviewer"
    BUDGET_REVIEWER = "budget_reviewer"
    APPROVER = "approver"
    AUDITOR = "auditor"
    SYSTEM_ADMINISTRATOR = "system_administrator"
    SECURITY_ADMINISTRATOR = "security_administrator"
    AUDIT_ADMINISTRATOR = "audit_administrator"


ROLE_TITLES: dict[Role, str] = {
    Role.DRAFTER: "经办人",
    Role.DEPARTMENT_HEAD: "部门负责人",
    Role.PUBLISHER: "公开",
    Role.REVIEWER: "初审",
    Role.SECOND_REVIEWER: "复审",
    Role.BUDGET_REVIEWER: "预算复审",
    Role.APPROVER: "审批",
    Role.AUDITOR: "审计",
    Role.SYSTEM_ADMINISTRATOR: "系统管理员",
    Role.SECURITY_ADMINISTRATOR: "安全管理员",
    Role.AUDIT_ADMINISTRATOR: "审计管理员",
}

# The three separate administrators of GB/T 22239 level 3: they exclude one another, and none of them submits, reviews
# or approves.
ADMINISTRATORS = frozenset({Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR})

# The kind of organization in which a role can be held; administrators belong to none in particular.
ROLE_HOME: dict[Role, OrganizationKind] = {
    Role.DRAFTER: OrganizationKind.DEPARTMENT,
    Role.DEPARTMENT_HEAD: OrganizationKind.DEPARTMENT,
    Role.PUBLISHER: OrganizationKind.DEPARTMENT,
    Role.REVIEWER: OrganizationKind.FINANCE,
    Role.SECOND_REVIEWER: OrganizationKind.FINANCE,
    Role.BUDGET_REVIEWER: OrganizationKind.FINANCE,
    Role.APPROVER: OrganizationKind.FINANCE,
    Role.AUDITOR: OrganizationKind.AUDIT,
}


class Organization(Base):
    """A department, a finance bureau or an audit office; ``aliases`` holds its other names, one a line."""

    __tablename__ = "organization"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    code: Mapped[str | None]
    aliases: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]


class Account(Base):
    """A person's account in one organization; ``password_hash`` is argon2id, absent where only tokens are used."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str] = mapped_column(sa.ForeignKey("organization.id"), index=True)
    login: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str]
    password_hash: Mapped[str | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class RoleGrant(Base):
    """A role given to an account in an organization, until it expires or is revoked."""

    __tablename__ = "role_grant"

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(sa.ForeignKey("account.id"), index=True)
    organization_id: Mapped[str] = mapped_column(sa.ForeignKey("organization.id"))
    role: Mapped[str]
    granted_by: Mapped[str | None] = mapped_column(sa.ForeignKey("account.id"))
    granted_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Delegation(Base):
    """代理: one person acts for another in an organization, from when until when, in one role or in all of them.

    Times are aware UTC; the end is exclusive. What was given by a delegation can't be given on.
    """

    __tablename__ = "delegation"

    id: Mapped[str] = mapped_column(primary_key=True)
    principal_id: Mapped[str] = mapped_column(sa.ForeignKey("account.id"), index=True)
    delegate_id: Mapped[str] = mapped_column(sa.ForeignKey("account.id"), index=True)
    role: Mapped[str | None]
    reason: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(sa.ForeignKey("account.id"))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class AccessToken(Base):
    """A token or a log-in; only the SHA-256 of the secret is kept, so the table opens no door."""

    __tablename__ = "access_token"

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(sa.ForeignKey("account.id"), index=True)
    name: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
