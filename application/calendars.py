"""The working calendar of an installation: what is published, and the days that it has set itself."""

from __future__ import annotations

import calendar as months
import csv
import io
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from application.accounts import require_role
from application.installation import Request
from application.use_cases import refusals_recorded, typed, use_case
from audit.events import Act
from models.calendar import WorkdayOverride
from models.engine import Work, transaction
from models.errors import InvalidInput, NotFound
from models.people import Role
from models.prepared import Prepared, insert_into
from workflow.deadlines import CHINA, Calendar

# The years that a budget text can have.
YEARS = (2000, 2099)
_DAY: sa.BindParameter[str] = sa.bindparam("of_day")
# FOR UPDATE orders two administrators on PostgreSQL, so that each event says what the day was before.
_READ = Prepared(
    sa.select(WorkdayOverride.working, WorkdayOverride.name).where(WorkdayOverride.day == _DAY).with_for_update()
)
_CHANGE = Prepared(
    sa.update(WorkdayOverride)
    .where(WorkdayOverride.day == _DAY)
    .values(
        working=sa.bindparam("new_working"),
        name=sa.bindparam("new_name"),
        created_at=sa.bindparam("moment"),
        created_by=sa.bindparam("account_id"),
    )
)
_REMOVE = Prepared(sa.delete(WorkdayOverride).where(WorkdayOverride.day == _DAY))
_INSERT = insert_into(WorkdayOverride)


@use_case("calendar.show")
def show_calendar(request: Request, year: int) -> dict[str, Any]:
    """A year's working days: ``{year, published, working_days, overridden, months: [{month, working_days, days}]}``.

    A day is ``{day, weekday, working, overridden, name}``, its weekday 1 for Monday. ``published`` is False for a year whose
    holidays nobody has published: Monday to Friday are assumed then.
    """
    if not YEARS[0] <= year <= YEARS[1]:
        raise InvalidInput(f"年份 {year} 超出范围；可以查看 {YEARS[0]} 到 {YEARS[1]} 年。")
    with transaction(request.installation.engine, read_only=True) as work:
        found = {
            date.fromisoformat(item.day): item
            for item in work.session.scalars(
                sa.select(WorkdayOverride).where(WorkdayOverride.day.between(f"{year}-01-01", f"{year}-12-31"))
            )
        }
        days = Calendar(CHINA.name, {day: item.working for day, item in found.items()})
        shown = [_month(year, month, days, {day: item.name for day, item in found.items()}) for month in range(1, 13)]
        return {
            "year": year,
            "published": days.covers(year),
            "working_days": sum(item["working_days"] for item in shown),
            "overridden": len(found),
            "months": shown,
        }


@use_case("calendar.set")
def set_day(request: Request, day: str, *, working: bool, name: str) -> dict[str, Any]:
    """Says of one day whether it is worked, whatever the published calendar says (system administrator).

    Deadlines that already have their last day keep it. Raises NotAllowed, InvalidInput (no such day, no name).
    """
    wanted, name = _day(day), typed(name)
    if not name:
        raise InvalidInput("请用 --name 写明这一天为什么上班或放假，例如 春节调休。")
    return _changed(request, wanted, working, name)


@use_case("calendar.unset")
def unset_day(request: Request, day: str) -> dict[str, Any]:
    """Takes a day's own setting away, so that the published calendar holds again (system administrator).

    Raises NotAllowed, InvalidInput (no such day), NotFound (the day has no setting).
    """
    return _changed(request, _day(day), None, "")


@use_case("calendar.import")
def import_days(request: Request, data: bytes) -> dict[str, Any]:
    """Sets the days of a CSV file with the columns ``day``, ``working`` (1 or 0) and ``name`` (system administrator).

    ``{days, changed}``; all or none: raises InvalidInput with the line where one can't be read, NotAllowed.
    """
    wanted = _rows(data)
    request.installation.require_writable()
    event_id, changed = None, 0
    with (
        refusals_recorded(request, Act.CALENDAR_CHANGE, ("calendar", "import")),
        transaction(request.installation.engine) as work,
    ):
        role = require_role(work, request, Role.SYSTEM_ADMINISTRATOR)
        for day, after in sorted(wanted.items()):
            row = work.one(_READ, of_day=day.isoformat())
            before = None if row is None else (bool(row[0]), str(row[1]))
            if before != after:
                event_id = _write(work, request, role, day, before, after)
                changed += 1
    request.installation.settle(event_id)
    return {"days": len(wanted), "changed": changed}


def _rows(data: bytes) -> dict[date, tuple[bool, str]]:
    try:
        lines = csv.DictReader(io.StringIO(data.decode("utf-8-sig")))
        if not {"day", "working", "name"} <= set(lines.fieldnames or ()):
            raise InvalidInput("文件第一行应是 day,working,name；例如 2027-02-06,1,春节调休。")
        found: dict[date, tuple[bool, str]] = {}
        for number, line in enumerate(lines, 2):
            try:
                day, name = _day((line["day"] or "").strip()), typed(line["name"] or "")
            except InvalidInput as error:
                raise InvalidInput(f"第 {number} 行：{error.message}") from error
            working = (line["working"] or "").strip()
            if working not in ("0", "1") or not name or day in found:
                raise InvalidInput(f"第 {number} 行：working 应是 1（上班）或 0（放假），name 不能为空，日期不能重复。")
            found[day] = (working == "1", name)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput("文件不是 UTF-8 编码的 CSV；请另存为 CSV UTF-8。") from error
    if not found:
        raise InvalidInput("文件里没有日期；请在第一行 day,working,name 之下每行写一天。")
    return found


def _changed(request: Request, day: date, working: bool | None, name: str) -> dict[str, Any]:
    request.installation.require_writable()
    with (
        refusals_recorded(request, Act.CALENDAR_CHANGE, ("calendar", day.isoformat())),
        transaction(request.installation.engine) as work,
    ):
        role = require_role(work, request, Role.SYSTEM_ADMINISTRATOR)
        row = work.one(_READ, of_day=day.isoformat())
        before = None if row is None else (bool(row[0]), str(row[1]))
        if working is None and before is None:
            raise NotFound(f"{day} 没有单独设置过；请用 jixiao calendar show {day.year} 查看。", day=day.isoformat())
        after = None if working is None else (working, name)
        event_id = None
        if before != after:
            event_id = _write(work, request, role, day, before, after)
    request.installation.settle(event_id)
    known = {} if working is None else {day: working}
    return {
        "day": day.isoformat(),
        "working": Calendar(CHINA.name, known).is_working_day(day),
        "overridden": working is not None,
        "name": name,
        "changed": event_id is not None,
    }


def _write(
    work: Work,
    request: Request,
    role: str,
    day: date,
    before: tuple[bool, str] | None,
    after: tuple[bool, str] | None,
) -> str:
    now, me = request.now(), request.person.account_id
    if after is None:
        work.run(_REMOVE, of_day=day.isoformat())
    elif before is None:
        work.run(_INSERT, day=day.isoformat(), working=after[0], name=after[1], created_at=now, created_by=me)
    else:
        work.run(_CHANGE, of_day=day.isoformat(), new_working=after[0], new_name=after[1], moment=now, account_id=me)
    recorded = request.recorder.write(
        work,
        Act.CALENDAR_CHANGE,
        actor=me,
        role=role,
        obj=("calendar", day.isoformat()),
        now=now,
        details=[
            ("/working", before and before[0], after and after[0]),
            ("/name", before and before[1], after and after[1]),
        ],
    )
    return recorded.event_id


def _month(year: int, month: int, days: Calendar, names: dict[date, str]) -> dict[str, Any]:
    first, length = date(year, month, 1), months.monthrange(year, month)[1]
    out = []
    for number in range(length):
        day = first + timedelta(days=number)
        out.append(
            {
                "day": day.isoformat(),
                "weekday": day.isoweekday(),
                "working": days.is_working_day(day),
                "overridden": day in names,
                "name": names.get(day, ""),
            }
        )
    return {"month": month, "working_days": sum(bool(item["working"]) for item in out), "days": out}


def _day(text: str) -> date:
    """A day of ``YYYY-MM-DD``; raises InvalidInput."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    # Python takes other forms of ISO 8601, too, such as 2026W011.
    if day is None or day.isoformat() != text or not YEARS[0] <= day.year <= YEARS[1]:
        raise InvalidInput(f"日期“{text}”无法识别；应写成 2026-02-14，年份在 {YEARS[0]} 到 {YEARS[1]} 之间。")
    return day
