"""Whose turn it is, for those who tell them: holders of a role with whoever stands in for them, and who took part."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from models.base import SHANGHAI
from models.engine import Work
from models.people import Account, Delegation, RoleGrant
from models.prepared import Prepared
from notifications.recipients import Holder
from workflow import statements as sql
from workflow.authority import barred, may_hold, roles_of
from workflow.deadlines import CHINA, Calendar
from workflow.definition import Definition
from workflow.records import parts_of, standing_of, turns_of
from workflow.situation import Actor, Part, Turn

_HOLDERS = Prepared(
    sa.select(RoleGrant.account_id, RoleGrant.expires_at)
    .join(Account, Account.id == RoleGrant.account_id)
    .where(
        RoleGrant.role == sa.bindparam("of_role"),
        RoleGrant.organization_id == sa.bindparam("of_organization"),
        RoleGrant.revoked_at.is_(None),
        Account.disabled_at.is_(None),
    )
    .order_by(RoleGrant.account_id)
)
_DELEGATES = Prepared(
    sa.select(Delegation.delegate_id, Delegation.role)
    .join(Account, Account.id == Delegation.delegate_id)
    .where(
        Delegation.principal_id == sa.bindparam("of_principal"),
        Delegation.revoked_at.is_(None),
        Delegation.starts_at <= sa.bindparam("moment"),
        Delegation.ends_at > sa.bindparam("moment"),
        Account.disabled_at.is_(None),
    )
    .order_by(Delegation.id)
)
_ACTIVE = Prepared(
    sa.select(Account.organization_id).where(Account.id == sa.bindparam("of_account"), Account.disabled_at.is_(None))
)


def working_calendar(work: Work, now: datetime) -> Calendar:
    """The working calendar of the installation, for quiet hours and for when daily work is done."""
    since = (now.astimezone(SHANGHAI).date() - timedelta(days=400)).isoformat()
    changed = {date.fromisoformat(day): bool(working) for day, working in work.rows(sql.READ_OVERRIDES, since=since)}
    return Calendar(CHINA.name, changed)


@dataclass
class Audience:
    """Looks people up, within one transaction, and remembers whom it found: many messages go to the same few roles."""

    work: Work
    now: datetime
    _pools: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _lent: dict[str, list[tuple[str, str | None]]] = field(default_factory=dict)
    _homes: dict[str, str | None] = field(default_factory=dict)

    def home(self, account_id: str) -> str | None:
        """The organization of an account; None where it is disabled or gone."""
        if account_id not in self._homes:
            row = self.work.one(_ACTIVE, of_account=account_id)
            self._homes[account_id] = None if row is None else str(row[0])
        return self._homes[account_id]

    def holders(self, definition: Definition, turn: Turn, parts: Iterable[Part]) -> list[Holder]:
        """Who may take a turn: its assignee, or the pool of its role, and those who stand in for them.

        Whom the separation of duties keeps from it is not told, unless it keeps everybody: somebody must learn of the task.
        """
        keeper = turn.owner_id or turn.assignee_id
        if turn.owner_id is not None and turn.assignee_id is not None:
            # Handed on for help: whoever helps is to act, and nobody stands in for that.
            return [Holder(turn.assignee_id)] if self.home(turn.assignee_id) else []
        own = [keeper] if keeper is not None else self._pool(turn.role, turn.organization_id)
        own = [item for item in own if self.home(item)]
        parts = tuple(parts)
        able = [Holder(item) for item in own if self._able(definition, turn, item, None, parts)]
        lent = [
            Holder(delegate, stands_in=True)
            for principal in own
            for delegate in self._delegates(principal, turn.role)
            if delegate not in own and self._able(definition, turn, delegate, principal, parts)
        ]
        return [*(able or [Holder(item) for item in own]), *dict.fromkeys(lent)]

    def in_role(self, role: str, organization_id: str) -> list[str]:
        """Everybody who holds a role now."""
        return self._pool(role, organization_id)

    def followers(self, text_id: str, organization_id: str, *, everybody: bool) -> list[str]:
        """Who took part in a text and is still there: on the department's side, or on both."""
        found = []
        for part in parts_of(self.work, text_id):
            home = self.home(part.account_id)
            if home is not None and (everybody or home == organization_id):
                found.append(part.account_id)
        return list(dict.fromkeys(found))

    def is_theirs(self, account_id: str, text_id: str) -> bool:
        """Whether an open task of a text is somebody's, in their own right or for another."""
        home = self.home(account_id)
        if home is None:
            return False
        turns = turns_of(self.work, text_id)
        if any(turn.assignee_id == account_id for turn in turns):
            return True
        standing = standing_of(self.work, Actor(account_id, home), self.now)
        return any(may_hold(turn, hat) for turn in turns for hat in standing.hats(account_id))

    def _able(
        self, definition: Definition, turn: Turn, account_id: str, principal_id: str | None, parts: tuple[Part, ...]
    ) -> bool:
        return not barred(definition, turn.role, Actor(account_id, self.home(account_id) or ""), principal_id, parts)

    def _pool(self, role: str, organization_id: str) -> list[str]:
        key = (role, organization_id)
        if key not in self._pools:
            rows = self.work.rows(_HOLDERS, of_role=role, of_organization=organization_id)
            held = (account_id for account_id, expires in rows if expires is None or expires > self.now)
            self._pools[key] = list(dict.fromkeys(held))
        return self._pools[key]

    def _delegates(self, principal_id: str, role: str) -> list[str]:
        if principal_id not in self._lent:
            rows = self.work.rows(_DELEGATES, of_principal=principal_id, moment=self.now)
            self._lent[principal_id] = [(delegate, lent) for delegate, lent in rows]
        return [delegate for delegate, lent in self._lent[principal_id] if lent in (None, role)]


def by_department(definition: Definition, capacity: str) -> bool:
    """Whether a capacity is one of the department's side."""
    roles = roles_of(definition, capacity)
    return bool(roles) and all(definition.side(role) == "department" for role in roles)
