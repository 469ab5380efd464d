"""Tasks: whose turn it is. Opened and closed only inside a transition or a vote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from models.base import SHANGHAI
from models.engine import Work
from models.ids import new_id
from workflow import statements as sql
from workflow.authority import organization_for
from workflow.deadlines import Calendar, Deadline, assumed, calendar, due_day, resumed_day, unsure_years
from workflow.definition import Definition, TaskRule
from workflow.signing import Seat
from workflow.situation import TextRow

# The outcome of a task on which somebody gave the help that they were asked for (委派).
HELPED = "resolve"


@dataclass(frozen=True, slots=True)
class Opened:
    """A task that was opened: for whom, until when."""

    role: str
    organization_id: str
    account_id: str | None
    due_on: str | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a task is to be opened with besides its rule: days that were left when its clock stopped, and persons by seat."""

    left: int | None = None
    persons: Mapping[str, str] = field(default_factory=dict)


def calendar_of(work: Work, definition: Definition, now: datetime) -> Calendar:
    """The definition's working calendar with the days that this installation has changed."""
    # A deadline may be long overdue, and its days are counted from there.
    since = (now.astimezone(SHANGHAI).date() - timedelta(days=400)).isoformat()
    changed = {date.fromisoformat(day): bool(working) for day, working in work.rows(sql.READ_OVERRIDES, since=since)}
    return calendar(definition.calendar, changed)


def open_tasks(
    work: Work,
    definition: Definition,
    text: TextRow,
    now: datetime,
    *,
    rule: TaskRule | None = None,
    seats: Iterable[Seat] | None = None,
    wish: Wish | None = None,
) -> tuple[tuple[Opened, ...], tuple[str, ...]]:
    """Opens the tasks of a text's state (one per seat in a sign-off) and returns them, with notes on their deadlines.

    ``rule`` stands in for the state's own where the transition names whose turn it is.
    """
    state = definition.states[text.state]
    rule = rule or state.task
    if rule is None:
        return (), ()
    wish = wish or Wish()
    due, notes = _due(work, definition, rule.deadline, wish.left, now)
    opened = []
    for seat in seats if seats is not None else (Seat("", rule.role),):
        person = seat.account_id or wish.persons.get(seat.key)
        made = Opened(seat.role, organization_for(definition, seat.role, text), person, due)
        insert_task(work, text, seat.key, made, now)
        opened.append(made)
    return tuple(opened), notes


def insert_task(
    work: Work, text: TextRow, seat: str, opened: Opened, now: datetime, *, owner_id: str | None = None
) -> str:
    """One open task; its id."""
    task_id = new_id(now)
    work.run(
        sql.INSERT_TASK,
        id=task_id,
        text_id=text.id,
        state=text.state,
        round=text.round,
        role=opened.role,
        organization_id=opened.organization_id,
        opened_at=now,
        due_on=opened.due_on,
        version=text.current_version,
        row_version=text.row_version,
        seat=seat,
        visit=text.visit,
        assignee_id=opened.account_id,
        owner_id=owner_id,
    )
    return task_id


def _due(
    work: Work, definition: Definition, deadline: Deadline | None, left: int | None, now: datetime
) -> tuple[str | None, tuple[str, ...]]:
    if deadline is None:
        return None, ()
    days = calendar_of(work, definition, now)
    last = due_day(deadline, now, days) if left is None else resumed_day(deadline, left, now, days)
    years = unsure_years(deadline if left is None else replace(deadline, days=left), now, days)
    return last.isoformat(), (assumed(years),) if years else ()
