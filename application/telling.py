"""From the outbox to people: messages of committed events become notices in inboxes, and deliveries for channels.

Each message is told once. The event's rows, its notices, its deliveries, the mark on the rows and the event of the log that
says who was told are one transaction; the key of a notice holds whatever happens.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from application.audiences import Audience, by_department, working_calendar
from application.channels import MAIL, quiet_of, wants
from application.installation import Installation, new_request_id
from application.settings import ChannelSetting, Settings
from audit.acts import Act
from audit.events import Via
from models.engine import Work, transaction
from models.ids import new_id
from models.messages import Contact, NoticePreference
from models.people import Account, Organization, Role, RoleGrant
from models.prepared import Prepared
from models.process import Message, Step
from models.texts import BudgetText
from notifications import delivery
from notifications.channels import inbox
from notifications.kinds import Kind, Mode, mode_for
from notifications.letters import Item
from notifications.outbox import FOLLOWERS
from notifications.quiet import QuietHours
from notifications.recipients import Told, Turned, of_bystander, of_followers, of_turn, once_each, turned, without
from workflow.deadlines import Calendar
from workflow.records import definition_of, parts_of, turns_of
from workflow.situation import TextRow, Turn

# How many messages one transaction tells of, and beyond which their list is no longer one event of readable size.
BATCH = 100
# One worker at a time makes notices, so that the rows of an event are told together; the others deliver meanwhile.
_LOCK = Prepared(sa.select(sa.func.pg_try_advisory_xact_lock(sa.literal(0x6A69_7869_616F, sa.BigInteger))))
_COLUMNS = (
    Message.id,
    Message.event_id,
    Message.topic,
    Message.text_id,
    Message.role,
    Message.organization_id,
    Message.account_id,
    Message.body,
)
_UNTOLD = Prepared(
    sa.select(*_COLUMNS)
    .where(Message.told_at.is_(None))
    .order_by(Message.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_REST = Prepared(sa.select(*_COLUMNS).where(Message.event_id == sa.bindparam("of_event"), Message.told_at.is_(None)))
_TELL = Prepared(sa.update(Message).where(Message.id == sa.bindparam("of_id")).values(told_at=sa.bindparam("moment")))
_STEP = Prepared(
    sa.select(
        Step.number,
        Step.action,
        Step.source,
        Step.target,
        Step.capacity,
        Step.account_id,
        Step.principal_id,
        Step.undoes,
        Step.returns,
        Step.publishes,
    ).where(Step.text_id == sa.bindparam("text_id"), Step.event_id == sa.bindparam("of_event"))
)
_TEXT = Prepared(
    sa.select(*(BudgetText.__table__.c[name] for name in TextRow._fields)).where(
        BudgetText.id == sa.bindparam("text_id")
    )
)
_CHOICES = Prepared(
    sa.select(NoticePreference.kind, NoticePreference.mode).where(
        NoticePreference.account_id == sa.bindparam("of_account")
    )
)
_ADDRESS = Prepared(sa.select(Contact.address).where(Contact.account_id == sa.bindparam("of_account")))
_NAMES = Prepared(sa.select(Organization.id, Organization.name))
_ADMINISTRATORS = Prepared(
    sa.select(RoleGrant.account_id)
    .join(Account, Account.id == RoleGrant.account_id)
    .where(
        RoleGrant.role == str(Role.SYSTEM_ADMINISTRATOR),
        RoleGrant.revoked_at.is_(None),
        Account.disabled_at.is_(None),
    )
)


class _Row(NamedTuple):
    id: str
    event_id: str
    topic: str
    text_id: str
    role: str
    organization_id: str
    account_id: str | None
    body: str


class _StepRow(NamedTuple):
    number: int
    action: str
    source: str
    target: str
    capacity: str
    account_id: str
    principal_id: str | None
    undoes: int | None
    returns: bool
    publishes: bool


@dataclass
class Teller:
    """Puts what people are told into their inboxes, and into the queues of channels, in one transaction.

    ``told`` collects (notice, account, kind, text) for the event of the log; ``queued`` the channels that have something new.
    """

    work: Work
    settings: Settings
    now: datetime
    quiet: QuietHours
    days: Calendar
    told: list[list[str]] = field(default_factory=list)
    queued: set[str] = field(default_factory=set)
    _choices: dict[str, dict[Kind, Mode]] = field(default_factory=dict)
    _reachable: dict[str, bool] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def person(self, account_id: str, item: Item, *, key: str) -> bool:
        """Tells one account of one thing, unless it was told before; whether it was not."""
        mode = mode_for(item.kind, self._chosen(account_id))
        notice = inbox.put(self.work, account_id, item, key=key, mode=mode, now=self.now)
        if notice is None:
            return False
        self.told.append([notice, account_id, str(item.kind), item.text])
        if mode is Mode.AT_ONCE and self._has_address(account_id):
            due = self.quiet.not_before(self.now, self.days.is_working_day)
            delivery.add_joined(self.work, MAIL, item, key=notice, account_id=account_id, due_at=due, now=self.now)
            self.queued.add(MAIL)
        return True

    def groups(self, items: Iterable[tuple[str, Item]], *, key: str) -> None:
        """Tells robots and web hooks of one event: (organization, item), the most pressing item that each asked for."""
        items = tuple(items)
        for setting in self.settings.channels:
            wanted = [item for where, item in items if wants(setting, item, self._organizations(), where)]
            if wanted:
                chosen = min(wanted, key=lambda item: list(Kind).index(item.kind))
                self._group(setting, chosen, key)

    def _group(self, setting: ChannelSetting, item: Item, key: str) -> None:
        # A group of people is left in peace like a person; a program is not.
        due = self.now
        if setting.kind != "webhook":
            due = self.quiet.not_before(self.now, self.days.is_working_day)
        delivery.add(self.work, setting.name, [item], key=key, account_id=None, due_at=due, now=self.now)
        self.queued.add(setting.name)

    def _chosen(self, account_id: str) -> Mapping[Kind, Mode]:
        if account_id not in self._choices:
            rows = self.work.rows(_CHOICES, of_account=account_id)
            self._choices[account_id] = {Kind(kind): Mode(mode) for kind, mode in rows}
        return self._choices[account_id]

    def _has_address(self, account_id: str) -> bool:
        if self.settings.mail is None:
            return False
        if account_id not in self._reachable:
            self._reachable[account_id] = self.work.one(_ADDRESS, of_account=account_id) is not None
        return self._reachable[account_id]

    def _organizations(self) -> Mapping[str, str]:
        if not self._names:
            self._names = dict(self.work.rows(_NAMES))
        return self._names


def teller_of(installation: Installation, work: Work) -> Teller:
    """A teller for one transaction."""
    now = installation.clock()
    days = working_calendar(work, now)
    return Teller(work, installation.settings, now, quiet_of(installation.settings), days)


def administrators(work: Work) -> list[str]:
    """The system administrators, who are told of what nobody else can mend."""
    return [row[0] for row in work.rows(_ADMINISTRATORS)]


def anything_untold(installation: Installation) -> bool:
    """Whether a message waits; asked first, since a writing transaction keeps every other writer of SQLite waiting."""
    with transaction(installation.engine, read_only=True) as work:
        return work.one(_UNTOLD, most=1) is not None


def tell_waiting(installation: Installation) -> tuple[int, frozenset[str]]:
    """Tells of the oldest waiting messages: how many those were, and which channels have something to deliver now.

    0 where none waits, or another worker is at it.
    """
    if not anything_untold(installation):
        return 0, frozenset()
    installation.require_writable()
    with transaction(installation.engine) as work:
        if not work.is_sqlite and not _locked(work):
            return 0, frozenset()
        rows = [_Row(*row) for row in work.rows(_UNTOLD, most=BATCH)]
        if len(rows) == BATCH:
            known = {row.id for row in rows}
            rest = work.rows(_REST, of_event=rows[-1].event_id)
            rows += [_Row(*row) for row in rest if row[0] not in known]
        teller, audience = teller_of(installation, work), Audience(work, installation.clock())
        rows.sort(key=lambda row: (row.event_id, row.id))
        for event_id, group in itertools.groupby(rows, key=lambda row: row.event_id):
            _tell_event(teller, audience, event_id, list(group))
        for row in rows:
            work.run(_TELL, of_id=row.id, moment=teller.now)
        record_told(installation, teller)
    return len(rows), frozenset(teller.queued)


def record_told(installation: Installation, teller: Teller) -> str | None:
    """The event that says who was told of what, by ids; one for all of a transaction, None where nobody was."""
    if not teller.told:
        return None
    recorder = installation.recorder(new_request_id(), Via.WORKER)
    # An object of its own for each batch: workers never wait for one another's.
    recorded = recorder.write(
        teller.work,
        Act.NOTICE_TELL,
        actor="-",
        role="-",
        obj=("notices", new_id(teller.now)),
        now=teller.now,
        details=[("/told", None, teller.told)],
    )
    return recorded.event_id


def _locked(work: Work) -> bool:
    row = work.one(_LOCK)
    return bool(row and row[0])


def _tell_event(teller: Teller, audience: Audience, event_id: str, rows: list[_Row]) -> None:
    work, text_id = teller.work, rows[0].text_id
    found = work.one(_TEXT, text_id=text_id)
    if found is None:
        return
    text = TextRow(*found)
    definition, _ = definition_of(work, text.definition_id)
    stepped = work.one(_STEP, text_id=text_id, of_event=event_id)
    step = None if stepped is None else _StepRow(*stepped)
    news = Turned() if step is None else _news(definition, step)
    parts, turns = parts_of(work, text_id), turns_of(work, text_id)
    told: list[Told] = []
    spoken: list[tuple[str, Item]] = []
    for row in rows:
        said = orjson.loads(row.body)
        base = Item(Kind.TASK, text=text_id, title=said["title"], state=said["state"])
        if row.role == FOLLOWERS:
            everybody = news.kind is Kind.PUBLISHED
            followers = audience.followers(text_id, text.organization_id, everybody=everybody)
            new = of_followers(base, followers, news)
            spoken += [(text.organization_id, item.item) for item in new[:1]]
        else:
            new = _of_row(audience, definition, row, base, news, turns, parts)
            if row.account_id is None:
                spoken += [(row.organization_id, item.item) for item in new[:1]]
        told += new
    doers = () if step is None else (step.account_id, step.principal_id)
    best = once_each(told)
    # Whoever has just acted and whose turn it is again is told all the same: the task is theirs.
    silent = {who for who in doers if who in best and best[who].kind in (Kind.PASSED, Kind.APPROVED, Kind.PUBLISHED)}
    for account_id, item in without(best, silent).items():
        if audience.home(account_id) is not None:
            teller.person(account_id, item, key=event_id)
    teller.groups(spoken, key=event_id)


def _news(definition: Any, step: _StepRow) -> Turned:
    states = definition.states
    # A definition may have changed since (a migration); what is not known any more is no return.
    editable = {name: name in states and states[name].editable for name in (step.source, step.target)}
    department = by_department(definition, step.capacity)
    return turned(
        returns=bool(step.returns),
        to_department=editable[step.target] and not editable[step.source] and not department,
        approves=any(item.approves and item.action == step.action for item in definition.transitions),
        publishes=bool(step.publishes),
        undoes=step.undoes is not None,
        by_department=department,
        step=step.number,
    )


def _of_row(
    audience: Audience,
    definition: Any,
    row: _Row,
    base: Item,
    news: Turned,
    turns: Iterable[Turn],
    parts: Any,
) -> list[Told]:
    """Whom a message tells: only if it is still their turn, since it may have been told long after."""
    mine = [turn for turn in turns if _meant(turn, row)]
    if mine:
        turn = mine[0]
        dated = Item(Kind.TASK, text=base.text, title=base.title, state=base.state, due=turn.due_on or "")
        return of_turn(row.topic, dated, audience.holders(definition, turn, parts), news)
    if row.account_id is not None:
        return of_bystander(row.topic, base, row.account_id)
    if row.topic == Act.TASK_OVERDUE:
        # The head of a role, who has no task.
        heads = audience.in_role(row.role, row.organization_id)
        return [told for account_id in heads for told in of_bystander(row.topic, base, account_id)]
    return []


def _meant(turn: Turn, row: _Row) -> bool:
    if row.account_id is not None:
        return row.account_id in (turn.assignee_id, turn.owner_id)
    return (turn.role, turn.organization_id) == (row.role, row.organization_id) and turn.assignee_id is None
