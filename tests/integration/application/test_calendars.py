"""The working calendar with the days that an installation sets itself, on both databases."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from office_state import counts
from structlog.testing import capture_logs

from application import auditing
from application.calendars import import_days, set_day, show_calendar, unset_day
from application.identity import authenticate
from application.installation import Request
from cli.calendars import calendar
from models.engine import transaction
from models.errors import Conflict, InvalidInput, JixiaoError, NotAllowed, NotFound
from models.people import Role
from models.process import Task

# The clock of the office stands at Monday, 2 March 2026.
FRIDAY, SATURDAY = "2026-03-06", "2026-03-07"


def administrator(office, role: Role = Role.SYSTEM_ADMINISTRATOR) -> Request:
    return Request(office.installation, authenticate(office.installation, office.administrators[role]), "calendar")


def shown(office, day: str) -> dict[str, Any]:
    found = show_calendar(office.people[Role.DRAFTER], int(day[:4]))
    return next(item for month in found["months"] for item in month["days"] if item["day"] == day)


def events(office) -> list[dict[str, Any]]:
    found = auditing.read_log(office.people[Role.AUDITOR], act="calendar.change", text_id=None, since=0, limit=50)
    return [item["event"] for item in found]


def test_a_day_is_set_changed_and_given_back(office) -> None:
    me = administrator(office)
    assert shown(office, SATURDAY) == {
        "day": SATURDAY,
        "weekday": 6,
        "working": False,
        "overridden": False,
        "name": "",
    }
    set_day(me, SATURDAY, working=True, name="  抗旱值班 ")
    assert (shown(office, SATURDAY)["working"], shown(office, SATURDAY)["name"]) == (True, "抗旱值班")
    set_day(me, SATURDAY, working=False, name="取消值班")
    assert (shown(office, SATURDAY)["working"], shown(office, SATURDAY)["overridden"]) == (False, True)
    done = unset_day(me, SATURDAY)
    assert (done["working"], shown(office, SATURDAY)["overridden"]) == (False, False)
    assert [[(change.get("o"), change.get("n")) for change in event["chg"]] for event in events(office)] == [
        [(None, True), (None, "抗旱值班")],
        [(True, False), ("抗旱值班", "取消值班")],
        [(False, None), ("取消值班", None)],
    ]
    assert {event["obj"]["id"] for event in events(office)} == {SATURDAY}


def test_the_same_setting_again_is_no_event(office) -> None:
    me = administrator(office)
    assert set_day(me, SATURDAY, working=True, name="值班")["changed"]
    before = counts(office.installation)
    assert not set_day(me, SATURDAY, working=True, name="值班")["changed"]
    assert counts(office.installation) == before


def test_deadlines_count_with_the_days_that_were_set(office) -> None:
    def due() -> str | None:
        text = office.county("submitted")
        with transaction(office.installation.engine, read_only=True) as work:
            return work.session.scalar(sa.select(Task.due_on).where(Task.text_id == text, Task.closed_at.is_(None)))

    assert due() == "2026-03-05"  # three working days after Monday
    set_day(administrator(office), "2026-03-05", working=False, name="民族节日")
    assert due() == FRIDAY
    set_day(administrator(office), FRIDAY, working=False, name="民族节日")
    set_day(administrator(office), SATURDAY, working=True, name="调休")
    assert due() == SATURDAY


def test_a_year_with_published_holidays_shows_them(sqlite_office) -> None:
    found = show_calendar(sqlite_office.people[Role.DRAFTER], 2021)
    assert found["published"]
    assert [month["month"] for month in found["months"]] == list(range(1, 13))
    assert sum(len(month["days"]) for month in found["months"]) == 365
    days = {item["day"]: item["working"] for month in found["months"] for item in month["days"]}
    assert not days["2021-10-01"]  # a Friday, National Day
    assert days["2021-10-09"]  # a Saturday, worked in exchange
    assert found["working_days"] == sum(days.values()) == sum(month["working_days"] for month in found["months"])


def test_a_year_that_nobody_published_is_assumed_and_says_so(sqlite_office) -> None:
    me = administrator(sqlite_office)
    before = show_calendar(me, 2099)
    assert not before["published"]
    days = [item for month in before["months"] for item in month["days"]]
    assert all(item["working"] == (item["weekday"] <= 5) for item in days)
    set_day(me, "2099-01-01", working=False, name="元旦")
    after = show_calendar(me, 2099)
    # One day of our own makes no calendar.
    assert (after["published"], after["overridden"]) == (False, 1)
    assert after["working_days"] == before["working_days"] - (days[0]["weekday"] <= 5)


@pytest.mark.parametrize(
    "day", ["2026-02-30", "2026-2-3", "20260203", "2026-W06-2", "1999-12-31", "2100-01-01", "明天", ""]
)
def test_what_is_no_day_is_refused(sqlite_office, day: str) -> None:
    before = counts(sqlite_office.installation)
    with pytest.raises(InvalidInput, match="无法识别"):
        set_day(administrator(sqlite_office), day, working=True, name="值班")
    with pytest.raises(InvalidInput, match="无法识别"):
        unset_day(administrator(sqlite_office), day)
    assert counts(sqlite_office.installation) == before


def test_a_setting_needs_a_name_and_an_unset_a_setting(sqlite_office) -> None:
    me = administrator(sqlite_office)
    with pytest.raises(InvalidInput, match="--name"):
        set_day(me, SATURDAY, working=True, name=" ")
    with pytest.raises(NotFound, match="没有单独设置"):
        unset_day(me, SATURDAY)
    for year in (1999, 2100):
        with pytest.raises(InvalidInput, match="超出范围"):
            show_calendar(me, year)


def test_only_the_system_administrator_sets_days_and_the_attempt_is_recorded(sqlite_office) -> None:
    office = sqlite_office
    for request in (office.people[Role.APPROVER], administrator(office, Role.SECURITY_ADMINISTRATOR)):
        with pytest.raises(NotAllowed, match="系统管理员"):
            set_day(request, SATURDAY, working=True, name="值班")
        with pytest.raises(NotAllowed, match="系统管理员"):
            unset_day(request, SATURDAY)
    assert [event["out"] for event in events(office)] == ["denied"] * 4
    assert not shown(office, SATURDAY)["overridden"]


def test_administrators_at_once_leave_one_setting_and_an_honest_log(office) -> None:
    names = ["甲", "乙", "丙", "丁"]
    requests = [administrator(office) for _ in names]
    gate, errors = threading.Barrier(len(names)), []

    def change(request: Request, day: str, name: str) -> None:
        gate.wait()
        try:
            set_day(request, day, working=True, name=name)
        except JixiaoError as error:
            errors.append(error)

    set_day(requests[0], SATURDAY, working=True, name="值班")
    for day in (SATURDAY, "2026-03-14"):
        threads = [
            threading.Thread(target=change, args=(request, day, name))
            for request, name in zip(requests, names, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert all(isinstance(error, Conflict) for error in errors)
    done = [event for event in events(office) if event["out"] == "success"]
    assert len(done) == 1 + 2 * len(names) - len(errors)
    for day in (SATURDAY, "2026-03-14"):
        changed = [event["chg"][-1] for event in done if event["obj"]["id"] == day]
        # Whoever came later has seen the setting before theirs, or was told to look again.
        assert all(later["o"] == earlier["n"] for earlier, later in itertools.pairwise(changed))
        assert shown(office, day)["name"] == changed[-1]["n"]


def command(office, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.setattr("cli.session.current_request", lambda: administrator(office))
    with capture_logs():  # the program's own log is another stream
        return CliRunner().invoke(calendar, arguments, standalone_mode=False)


def test_the_command_shows_months_and_marks_what_was_set(sqlite_office, monkeypatch) -> None:
    office = sqlite_office
    done = command(office, monkeypatch, "set", SATURDAY, "--working", "--name", "值班")
    assert "2026-03-07 上班：值班" in done.stderr
    command(office, monkeypatch, "set", FRIDAY, "--holiday", "--name", "民族节日")
    lines = command(office, monkeypatch, "show", "2026").stdout.splitlines()
    march = lines[lines.index(next(line for line in lines if line.startswith("3 月"))) :][:8]
    assert march[1] == "一   二   三   四   五   六   日"
    assert march[2].split() == ["·"]  # 1 March is a Sunday
    assert march[3].split() == ["02", "03", "04", "05", "·*", "07*", "·"]
    assert lines[-2:] == [f"{FRIDAY}\t星期五\t放假\t民族节日", f"{SATURDAY}\t星期六\t上班\t值班"]
    assert "恢复" in command(office, monkeypatch, "unset", SATURDAY).stderr
    assert not shown(office, SATURDAY)["overridden"]


def test_the_command_says_that_a_year_is_only_assumed(sqlite_office, monkeypatch) -> None:
    assert "还没有公布" in command(sqlite_office, monkeypatch, "show", "2098").stderr
    assert "还没有公布" not in command(sqlite_office, monkeypatch, "show", "2021").stderr


def test_working_or_holiday_must_be_said(sqlite_office, monkeypatch) -> None:
    before = counts(sqlite_office.installation)
    assert command(sqlite_office, monkeypatch, "set", SATURDAY, "--name", "值班").exception is not None
    assert counts(sqlite_office.installation) == before


def test_an_import_sets_all_days_or_none(office):
    boss = administrator(office, Role.SYSTEM_ADMINISTRATOR)
    good = "\ufeffday,working,name\r\n2027-02-06,1,春节调休\r\n2027-02-08,0,春节\r\n".encode()
    assert import_days(boss, good) == {"days": 2, "changed": 2}
    assert import_days(boss, good) == {"days": 2, "changed": 0}
    shown = {day["day"]: day for month in show_calendar(boss, 2027)["months"] for day in month["days"]}
    assert shown["2027-02-06"]["working"]
    assert not shown["2027-02-08"]["working"]
    for wrong in ("", "day,name\n", "day,working,name\n2027-03-01,1,x\n2027-02-30,1,x\n", "day,working,name\n2027-03-01,2,x\n",
                  "day,working,name\n2027-03-01,1,x\n2027-03-01,0,y\n", "day,working,name\n2027-03-01,1\n"):  # fmt: skip
        with pytest.raises(InvalidInput):
            import_days(boss, wrong.encode())
    with pytest.raises(InvalidInput):
        import_days(boss, "day,working,name\n2027-03-01,1,节\n".encode("gbk"))
    assert show_calendar(boss, 2027)["overridden"] == 2
    with pytest.raises(NotAllowed):
        import_days(office.people[Role.DRAFTER], good)
