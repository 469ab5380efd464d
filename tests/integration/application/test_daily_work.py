"""Reminders, reports to heads and digests on real days: once each, by one worker, over a year with its 调休."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import chinese_calendar
import pytest
import sqlalchemy as sa

from application.assignments import report_overdue
from application.calendars import set_day
from application.notifying import inbox, read_notices, set_preference
from application.reminding import run_daily
from models.base import SHANGHAI
from models.engine import transaction
from models.messages import Delivery, JobRun
from models.people import Role


def morning(day: str) -> datetime:
    return datetime.fromisoformat(f"{day} 08:31").replace(tzinfo=SHANGHAI).astimezone(UTC)


def on(post, day: str) -> bool:
    post.set_clock(morning(day))
    return run_daily(post.installation)


def lefts(post, role, kind):
    return [item["left"] for item in reversed(post.inbox(role)) if item["kind"] == kind]


@pytest.fixture
def reviewed(post):
    """A text in its first review since Monday 2 March 2026; ten working days: until the 16th."""
    text = post.office.driven("first_review")
    post.tell()
    post.deliver()
    return text


def test_a_deadline_reminds_on_three_mornings_and_then_daily(post, reviewed):
    day = date(2026, 3, 3)
    while day <= date(2026, 3, 19):
        on(post, day.isoformat())
        day += timedelta(days=1)
    assert lefts(post, Role.REVIEWER, "due") == ["还有 3 个工作日", "还有 1 个工作日", "今天是最后一天"]
    assert lefts(post, Role.REVIEWER, "overdue") == [f"已逾期 {number} 个工作日" for number in (1, 2, 3)]
    assert post.inbox(Role.DRAFTER) == [item for item in post.inbox(Role.DRAFTER) if item["kind"] == "passed"]


def test_the_daily_work_is_done_once_and_on_working_mornings_only(post, reviewed):
    assert not on(post, "2026-03-08")
    post.set_clock(morning("2026-03-11") - timedelta(minutes=5))
    assert not run_daily(post.installation)
    assert on(post, "2026-03-11")
    assert not on(post, "2026-03-11")
    assert lefts(post, Role.REVIEWER, "due") == ["还有 3 个工作日"]


def test_two_workers_at_once_do_it_once(post, reviewed):
    post.set_clock(morning("2026-03-11"))
    done = []
    threads = [threading.Thread(target=lambda: done.append(run_daily(post.installation))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False, False, False, True]
    assert lefts(post, Role.REVIEWER, "due") == ["还有 3 个工作日"]
    with transaction(post.engine, read_only=True) as work:
        assert work.session.scalar(sa.select(sa.func.count()).select_from(JobRun)) == 1


def test_a_worker_that_dies_in_the_middle_leaves_nothing_done(post, reviewed, monkeypatch):
    post.set_clock(morning("2026-03-11"))

    def fail(*_args):
        raise RuntimeError("in the middle")

    monkeypatch.setattr("application.reminding.send_digests", fail)
    with pytest.raises(RuntimeError):
        run_daily(post.installation)
    assert lefts(post, Role.REVIEWER, "due") == []
    monkeypatch.undo()
    assert run_daily(post.installation)
    assert lefts(post, Role.REVIEWER, "due") == ["还有 3 个工作日"]


def test_the_head_is_told_of_a_late_draft_after_three_working_days_once(post):
    from post_offices import PostOffice

    from application.acting import Remark

    assert isinstance(post, PostOffice)
    text = post.office.driven("first_review")
    remark = Remark("/overall", "没有数量", "写明")
    post.office.act(Role.REVIEWER, text, "return", reason="请修改", remarks=(remark,))
    post.tell()
    # Five working days: until Monday the 9th; the third working day after it is Thursday.
    for day in ("2026-03-10", "2026-03-11"):
        on(post, day)
    assert lefts(post, Role.DEPARTMENT_HEAD, "overdue") == []
    on(post, "2026-03-12")
    on(post, "2026-03-13")
    assert lefts(post, Role.DEPARTMENT_HEAD, "overdue") == ["“经办人”已逾期 3 个工作日"]
    assert len(lefts(post, Role.DRAFTER, "overdue")) == 4


def test_a_publication_is_counted_down(post):
    post.office.driven("approved")
    post.tell()
    for number in range(1, 21):
        on(post, (date(2026, 3, 2) + timedelta(days=number)).isoformat())
    assert lefts(post, Role.PUBLISHER, "due") == [
        "还有 10 天（自然日）",
        "还有 3 个工作日",
        "还有 1 个工作日",
        "今天是期限前最后一个工作日",
    ]


def test_a_working_day_that_was_set_counts(post, reviewed):
    from handled_texts import administrator

    boss = administrator(post.office, Role.SYSTEM_ADMINISTRATOR)
    set_day(boss, "2026-03-12", working=False, name="停电")
    set_day(boss, "2026-03-13", working=False, name="停电")
    on(post, "2026-03-11")
    assert lefts(post, Role.REVIEWER, "due") == ["还有 1 个工作日"]
    assert not on(post, "2026-03-12")


def test_a_digest_tells_what_was_wanted_once_a_day_and_is_never_empty(post):
    drafter = post.office.people[Role.DRAFTER]
    text = post.office.driven("first_review")
    post.tell()
    post.deliver()
    before = len(post.sink.letters)
    on(post, "2026-03-03")
    post.deliver()
    digests = [letter for letter in post.sink.letters[before:] if "汇总" in str(letter["Subject"])]
    # The drafter and the head of the department, who usually hear of progress once a day.
    assert sorted(letter["To"] for letter in digests) == ["department-head@example.gov.cn", "drafter@example.gov.cn"]
    assert text in digests[0].get_body(("plain",)).get_content()
    assert digests[0]["List-Unsubscribe"]
    before = len(post.sink.letters)
    on(post, "2026-03-04")
    post.deliver()
    assert not [letter for letter in post.sink.letters[before:] if "汇总" in str(letter["Subject"])]
    assert inbox(drafter)


def test_what_was_read_in_the_inbox_is_in_no_digest(post):
    post.office.driven("first_review")
    post.tell()
    for role in (Role.DRAFTER, Role.DEPARTMENT_HEAD):
        read_notices(post.office.people[role], everything=True)
    on(post, "2026-03-03")
    with transaction(post.engine, read_only=True) as work:
        assert not [item for item in work.session.scalars(sa.select(Delivery)) if item.kind == "digest"]


def test_a_task_may_be_heard_of_once_a_day(post):
    set_preference(post.office.people[Role.REVIEWER], "task", "digest")
    post.office.driven("submitted")
    post.tell()
    post.deliver()
    assert "reviewer@example.gov.cn" not in post.sink.recipients
    on(post, "2026-03-03")
    post.deliver()
    assert "reviewer@example.gov.cn" in post.sink.recipients


def test_a_late_task_that_an_administrator_reported_is_not_reported_again(post):
    from handled_texts import administrator

    post.office.county("first_review")
    post.tell()
    post.set_clock(morning("2026-04-20"))
    report_overdue(administrator(post.office, Role.SYSTEM_ADMINISTRATOR))
    post.tell()
    told = {role: len(lefts(post, role, "overdue")) for role in Role if role in post.office.people}
    on(post, "2026-04-21")
    heads = [role for role, count in told.items() if count and role is not Role.REVIEWER]
    assert all(len(lefts(post, role, "overdue")) == told[role] for role in heads)


def test_a_year_of_mornings_reminds_once_for_each_stage(post, reviewed):
    """From March to the spring of the next year: every morning, days off included, the task left where it is."""
    day, done = date(2026, 3, 3), 0
    while day < date(2026, 12, 31):
        done += on(post, day.isoformat())
        day += timedelta(days=1)
    assert lefts(post, Role.REVIEWER, "due") == ["还有 3 个工作日", "还有 1 个工作日", "今天是最后一天"]
    late = lefts(post, Role.REVIEWER, "overdue")
    assert late == [f"已逾期 {number} 个工作日" for number in range(1, len(late) + 1)]
    with transaction(post.engine, read_only=True) as work:
        assert work.session.scalar(sa.select(sa.func.count()).select_from(JobRun)) == done
    # 调休 included: the published calendar itself, asked by another function than ours.
    assert len(late) == len(chinese_calendar.get_workdays(date(2026, 3, 17), date(2026, 12, 30)))


def test_administrators_are_told_of_a_year_that_the_calendar_does_not_know(post):
    from handled_texts import administrator

    boss = administrator(post.office, Role.SYSTEM_ADMINISTRATOR)
    on(post, "2029-03-05")
    on(post, "2029-03-06")
    assert [(item["kind"], item["remark"]) for item in inbox(boss)] == [("calendar", " 2029 年")]
    on(post, "2029-04-03")
    assert len(inbox(boss)) == 2
    assert inbox(post.office.people[Role.REVIEWER]) == []


def test_whoever_got_a_task_today_is_not_reminded_of_it_today(post):
    # Three working days from this Monday on: its first stage is the very day of its opening.
    post.office.driven("submitted")
    post.tell()
    assert run_daily(post.installation)
    assert lefts(post, Role.REVIEWER, "due") == []
    on(post, "2026-03-03")
    assert lefts(post, Role.REVIEWER, "due") == ["还有 2 个工作日"]
