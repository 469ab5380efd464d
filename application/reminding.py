"""The daily work on a working morning: reminders of deadlines, reports to heads, and digests. Done once a day, by one worker.

Everything of a day is one transaction with the row of ``job_run`` that says so: a worker that dies leaves nothing done, and
of two at once the second finds the row. Every reminder has a key of its own besides (task, last day, stage).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from application.audiences import Audience, working_calendar
from application.channels import MAIL, channel_names
from application.installation import Installation
from application.telling import Teller, administrators, record_told, teller_of
from models.base import SHANGHAI
from models.engine import Work, transaction
from models.messages import Contact, JobRun, Notice
from models.people import Account
from models.prepared import Prepared
from models.process import Reminder, Task
from models.texts import BudgetText
from notifications import delivery
from notifications.channels import inbox
from notifications.digests import collect, is_morning
from notifications.kinds import Kind, Mode
from notifications.letters import Item, from_body
from notifications.reminders import Stage, stage_of
from workflow.authority import organization_for
from workflow.deadlines import Calendar
from workflow.definition import Definition
from workflow.records import definition_of, parts_of
from workflow.reminding import OVERDUE, head_role
from workflow.situation import TextRow, Turn
from workflow.tasks import calendar_of

DAILY = "daily"
_RUN = ("job", "period", "done_at")
_CLAIM = {
    "postgresql": Prepared(postgresql.insert(JobRun).on_conflict_do_nothing(), _RUN),
    "sqlite": Prepared(sqlite.insert(JobRun).on_conflict_do_nothing(), _RUN),
}
_DONE = Prepared(
    sa.select(JobRun.done_at).where(JobRun.job == sa.bindparam("of_job"), JobRun.period == sa.bindparam("of_period"))
)
_TURN = [Task.__table__.c["id" if name == "task_id" else name] for name in Turn._fields]
_TEXT = [BudgetText.__table__.c[name] for name in TextRow._fields]
_DATED = (
    sa.select(*_TURN, *_TEXT)
    .join_from(Task, BudgetText, BudgetText.id == Task.text_id)
    .where(Task.closed_at.is_(None), Task.due_on.is_not(None))
    .order_by(Task.due_on, Task.id)
)
_REPORTED = Prepared(
    sa.select(Reminder.task_id).where(
        Reminder.task_id == sa.bindparam("of_task"),
        Reminder.kind == OVERDUE,
        Reminder.day == sa.bindparam("of_day"),
    )
)
_WAITING = (
    sa.select(Notice.account_id, Notice.id, Notice.read_at, Notice.body, Contact.address)
    .join_from(Notice, Account, Account.id == Notice.account_id)
    .join(Contact, Contact.account_id == Notice.account_id, isouter=True)
    .where(Notice.mode == Mode.DIGEST.value, Notice.digested_at.is_(None), Account.disabled_at.is_(None))
    .order_by(Notice.account_id, Notice.id)
)


def claim_period(work: Work, job: str, period: str, now: datetime) -> bool:
    """Whether recurring work is this transaction's to do; False where it was done for that period."""
    return work.run(_CLAIM[work.dialect.name], job=job, period=period, done_at=now) == 1


def run_daily(installation: Installation) -> bool:
    """Does the work of the day, if it is a working morning and nobody has done it; whether it was done now."""
    now = installation.clock()
    today = now.astimezone(SHANGHAI).date()
    with transaction(installation.engine, read_only=True) as work:
        days = working_calendar(work, now)
        done = work.one(_DONE, of_job=DAILY, of_period=today.isoformat()) is not None
    if done or not is_morning(now, days.is_working_day):
        return False
    installation.require_writable()
    with transaction(installation.engine) as work:
        if not claim_period(work, DAILY, today.isoformat(), now):
            return False
        teller = teller_of(installation, work)
        remind(teller, today)
        send_digests(teller, today)
        warn_of_calendar(teller, today)
        for name in channel_names(installation.settings):
            delivery.mend_clock(work, name, now)
        record_told(installation, teller)
    return True


def remind(teller: Teller, today: date) -> int:
    """Reminds of every open task with a last day for which today is a stage; how many tasks those were."""
    audience, count = Audience(teller.work, teller.now), 0
    calendars: dict[str, Calendar] = {}
    split = len(Turn._fields)
    for row in teller.work.connection.execute(_DATED).all():
        turn, text = Turn(*row[:split]), TextRow(*row[split:])
        definition, _ = definition_of(teller.work, text.definition_id)
        if text.definition_id not in calendars:
            calendars[text.definition_id] = calendar_of(teller.work, definition, teller.now)
        works = calendars[text.definition_id].is_working_day
        # Whoever got the task today has just been told of its last day.
        if turn.due_on is None or turn.opened_at.astimezone(SHANGHAI).date() >= today:
            continue
        stage = stage_of(
            date.fromisoformat(turn.due_on), today, works, countdown=_is_publication(definition, text.state)
        )
        if stage is not None:
            count += 1
            _remind(teller, audience, definition, turn, text, stage)
    return count


def _is_publication(definition: Definition, state: str) -> bool:
    return any(item.publishes and state in item.sources for item in definition.transitions)


def _remind(
    teller: Teller, audience: Audience, definition: Definition, turn: Turn, text: TextRow, stage: Stage
) -> None:
    state = definition.states[text.state].title
    item = Item(stage.kind, text=text.id, title=text.title, state=state, due=turn.due_on or "", left=stage.words)
    holders = audience.holders(definition, turn, parts_of(teller.work, text.id))
    for holder in holders:
        teller.person(holder.account_id, item, key=f"remind:{turn.task_id}:{turn.due_on}:{stage.name}")
    if not stage.escalates or teller.work.one(_REPORTED, of_task=turn.task_id, of_day=turn.due_on) is not None:
        return
    head = head_role(definition, text.state, turn.role)
    if head == turn.role:
        return
    role_title = definition.roles[turn.role].title
    report = Item(
        Kind.OVERDUE,
        text=text.id,
        title=text.title,
        state=state,
        due=turn.due_on or "",
        left=f"“{role_title}”{stage.words}",
    )
    for account_id in audience.in_role(head, organization_for(definition, head, text)):
        teller.person(account_id, report, key=f"escalate:{turn.task_id}:{turn.due_on}")


def send_digests(teller: Teller, today: date) -> int:
    """Makes one mail for each account of the notices that wait for a digest; how many mails those were. None is empty."""
    rows = teller.work.connection.execute(_WAITING).all()
    count = 0
    for collected in collect(_waiting(rows)):
        inbox.mark_digested(teller.work, collected.notices, teller.now)
        reachable = any(row[4] is not None for row in rows if row[0] == collected.account_id)
        if not collected.items or not reachable or teller.settings.mail is None:
            continue
        made = delivery.add(
            teller.work,
            MAIL,
            collected.items,
            key=f"digest:{today}:{collected.account_id}",
            account_id=collected.account_id,
            due_at=teller.now,
            now=teller.now,
            kind=Kind.DIGEST,
        )
        count += made is not None
    return count


def warn_of_calendar(teller: Teller, today: date) -> None:
    """Tells the system administrators, once a month, of a year whose holidays the calendar does not know.

    The next year is looked at in December: the State Council publishes its holidays in November.
    """
    years = [today.year, *([today.year + 1] if today.month == 12 else [])]
    for year in years:
        if teller.days.covers(year):
            continue
        for account_id in administrators(teller.work):
            item = Item(Kind.CALENDAR, remark=f" {year} 年")
            teller.person(account_id, item, key=f"calendar:{year}:{today:%Y-%m}")


def _waiting(rows: Iterable[Any]) -> Iterable[tuple[str, str, bool, tuple[Item, ...]]]:
    for account_id, notice_id, read_at, body, _ in rows:
        yield account_id, notice_id, read_at is not None, from_body(body)
