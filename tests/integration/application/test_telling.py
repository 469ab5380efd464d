from __future__ import annotations

import pytest
import sqlalchemy as sa

from application.acting import Remark
from application.assignments import claim, copy, reassign, remind
from application.delegations import add_delegation
from application.notifying import inbox, preferences, read_notices, set_preference
from audit.timeline import events
from models.engine import transaction
from models.errors import GuardFailed, InvalidInput, NotFound
from models.messages import Delivery, Notice
from models.people import Role
from models.process import Message
from models.texts import OpinionKind

REMARK = Remark("/projects/p1/indicators/i6/sign", "成本指标没有符号", "补写“≤”", OpinionKind.REQUIRED)


def kinds(post, role):
    return [item["kind"] for item in post.inbox(role)]


def test_the_next_person_is_told_and_nobody_else(post):
    text = post.office.imported()
    post.office.act(Role.DEPARTMENT_HEAD, text, "submit")
    post.tell()
    assert kinds(post, Role.REVIEWER) == ["task"]
    assert kinds(post, Role.APPROVER) == kinds(post, Role.SECOND_REVIEWER) == kinds(post, Role.AUDITOR) == []
    told = post.inbox(Role.REVIEWER)[0]
    assert (told["text"], told["state"], told["due"]) == (text, "已报送", "2026-03-05")


def test_a_step_that_is_rolled_back_tells_nobody(post):
    text = post.office.imported(confirm=False)
    with pytest.raises(GuardFailed):
        post.office.act(Role.DEPARTMENT_HEAD, text, "submit")
    post.tell()
    assert kinds(post, Role.REVIEWER) == []
    with transaction(post.engine, read_only=True) as work:
        assert work.session.scalar(sa.select(sa.func.count()).where(Message.topic == "submit")) == 0


def test_a_transaction_that_fails_after_the_effect_leaves_no_message(post, monkeypatch):
    text = post.office.imported()

    def fail(*_args, **_given):
        raise RuntimeError("after the effect")

    monkeypatch.setattr("workflow.steps.remember", fail)
    with pytest.raises(RuntimeError):
        post.office.act(Role.DEPARTMENT_HEAD, text, "submit")
    assert post.tell() == 0 or kinds(post, Role.REVIEWER) == []
    assert post.deliver() == 0
    assert post.sink.letters == []


def test_a_returned_text_tells_drafter_and_submitter_every_reason_and_place(post):
    text = post.office.driven("first_review")
    post.tell()
    post.deliver()
    post.sink.letters.clear()
    post.pass_time(minutes=5)
    other = Remark("/overall", "总体目标没有数量", "写明场次", OpinionKind.SUGGESTION)
    post.office.act(Role.REVIEWER, text, "return", reason="请修改", remarks=(REMARK, other))
    post.tell()
    assert kinds(post, Role.DRAFTER)[0] == kinds(post, Role.DEPARTMENT_HEAD)[0] == "return"
    post.deliver()
    returned = [letter for letter in post.sink.letters if str(letter["Subject"]).startswith("退回")]
    assert len(returned) == 2
    for letter in returned:
        for part in ("plain", "html"):
            body = letter.get_body((part,)).get_content()
            assert "成本指标没有符号" in body
            assert "补写“≤”" in body
            assert "总体目标没有数量" in body
            assert "成本指标" in body


def test_a_way_to_publication_tells_the_department_of_every_stage(post):
    post.office.driven("published")
    post.tell()
    # Whoever acted knows; the rest of the way is told from the inbox, whatever was seen when.
    assert set(kinds(post, Role.DRAFTER)) >= {"passed", "approved", "published"}
    assert "published" in kinds(post, Role.REVIEWER)
    assert "published" not in kinds(post, Role.PUBLISHER)


def test_a_task_that_was_done_before_anybody_was_told_is_not_told(post):
    text = post.office.imported()
    post.office.act(Role.DEPARTMENT_HEAD, text, "submit")
    post.office.act(Role.REVIEWER, text, "accept")
    post.office.act(Role.REVIEWER, text, "pass")
    post.tell()
    assert "task" not in [item["kind"] for item in post.inbox(Role.REVIEWER)]
    assert kinds(post, Role.SECOND_REVIEWER) == ["task"]


def test_messages_are_told_once_however_often_and_by_whomever_they_are_looked_at(post):
    post.office.driven("first_review")
    assert post.tell() > 0
    assert post.tell() == 0
    with transaction(post.engine, read_only=True) as work:
        before = work.session.scalar(sa.select(sa.func.count(Notice.id)))
        assert work.session.scalar(sa.select(sa.func.count()).where(Message.told_at.is_(None))) == 0
    with transaction(post.engine) as work:
        work.connection.execute(sa.update(Message).values(told_at=None))
    post.tell()
    with transaction(post.engine, read_only=True) as work:
        assert work.session.scalar(sa.select(sa.func.count(Notice.id))) == before


def test_urging_and_copying_are_told(post):
    text = post.office.driven("first_review")
    post.tell()
    remind(post.office.people[Role.DEPARTMENT_HEAD], text)
    copy(post.office.people[Role.REVIEWER], text, [post.office.people[Role.APPROVER].person.login])
    post.tell()
    assert kinds(post, Role.REVIEWER)[0] == "urge"
    assert kinds(post, Role.APPROVER)[0] == "copied"


def test_whoever_stands_in_is_told_of_what_they_may_do(post):
    stand_in = post.office.another(Role.REVIEWER, "zhan")
    with transaction(post.engine) as work:
        work.connection.exec_driver_sql(
            f"UPDATE role_grant SET role = 'second_reviewer' WHERE account_id = '{stand_in.person.account_id}'"
        )
    add_delegation(post.office.people[Role.REVIEWER], "zhan", until="2026-03-20", reason="出差")
    text = post.office.imported()
    post.office.act(Role.DEPARTMENT_HEAD, text, "submit")
    post.tell()
    assert [item["kind"] for item in inbox(stand_in)] == ["delegated"]


def test_whom_the_separation_of_duties_keeps_from_a_task_is_not_told_of_it(post):
    both = post.office.another(Role.REVIEWER, "both")
    now = post.office.clock()
    with transaction(post.engine) as work:
        work.connection.exec_driver_sql(
            "INSERT INTO role_grant (id, account_id, organization_id, role, granted_at) SELECT 'extra', account_id,"
            f" organization_id, 'second_reviewer', granted_at FROM role_grant WHERE account_id = '{both.person.account_id}'"
        )
    text = post.office.imported()
    post.office.act(Role.DEPARTMENT_HEAD, text, "submit")
    from application.acting import act

    act(both, text, action="accept")
    act(both, text, action="pass")
    post.tell()
    assert now is not None
    assert "task" in kinds(post, Role.SECOND_REVIEWER)
    assert "task" not in [item["kind"] for item in inbox(both)]


def test_a_claimed_task_that_is_handed_on_tells_both(post):
    other = post.office.another(Role.REVIEWER, "lin")
    text = post.office.driven("submitted")
    claim(post.office.people[Role.REVIEWER], text)
    head = post.office.people[Role.REVIEWER]
    post.tell()
    reassign(head, text, "lin", reason="请假")
    post.tell()
    assert inbox(other)[0]["kind"] == "task"
    assert inbox(other)[0]["remark"] == "任务已转办"


def test_the_log_tells_who_was_told_of_what_by_ids(post):
    text = post.office.driven("submitted")
    post.tell()
    with transaction(post.engine, read_only=True) as work:
        post.installation.catch_up()
        told = [item.event for item in events(work, log="main", act="notice.tell", limit=10)]
    assert told
    assert all(event["actor"]["via"] == "worker" for event in told)
    rows = [row for event in told for change in event["chg"] for row in change["n"]]
    reviewer = post.office.people[Role.REVIEWER].person.account_id
    assert [row[1:] for row in rows if row[1] == reviewer] == [[reviewer, "task", text]]


def test_modes_decide_about_mail_and_never_about_the_inbox(post):
    reviewer = post.office.people[Role.REVIEWER]
    with pytest.raises(InvalidInput, match="待办"):
        set_preference(reviewer, "task", "off")
    set_preference(reviewer, "task", "digest")
    set_preference(post.office.people[Role.APPROVER], "copied", "off")
    text = post.office.driven("submitted")
    copy(reviewer, text, [post.office.people[Role.APPROVER].person.login])
    post.tell()
    assert kinds(post, Role.REVIEWER) == ["task"]
    assert kinds(post, Role.APPROVER) == ["copied"]
    with transaction(post.engine, read_only=True) as work:
        told = {reviewer.person.account_id, post.office.people[Role.APPROVER].person.account_id}
        assert not set(work.session.scalars(sa.select(Delivery.account_id))) & told
    shown = {item["kind"]: item["mode"] for item in preferences(reviewer)["kinds"]}
    assert shown["task"] == "digest"
    set_preference(reviewer, "task", "at_once")
    assert {item["kind"]: item["mode"] for item in preferences(reviewer)["kinds"]}["task"] == "at_once"


def test_reading_marks_ones_own_notices_only(post):
    post.office.driven("submitted")
    post.tell()
    mine = post.inbox(Role.REVIEWER)[0]["notice"]
    with pytest.raises(NotFound):
        read_notices(post.office.people[Role.APPROVER], [mine])
    assert read_notices(post.office.people[Role.REVIEWER], [mine]) == {"read": 1}
    assert read_notices(post.office.people[Role.REVIEWER], [mine]) == {"read": 0}
    assert inbox(post.office.people[Role.REVIEWER], unread=True) == []
    assert post.inbox(Role.REVIEWER)[0]["read"]


def test_quiet_hours_put_mail_off_until_the_next_working_morning(post):
    from datetime import UTC, datetime

    text = post.office.imported()
    # A Friday evening at half past eight in Shanghai.
    post.set_clock(datetime(2026, 3, 6, 12, 30, tzinfo=UTC))
    post.office.act(Role.DEPARTMENT_HEAD, text, "submit")
    post.tell()
    assert kinds(post, Role.REVIEWER) == ["task"]
    assert post.deliver() == 0
    post.set_clock(datetime(2026, 3, 8, 23, 59, tzinfo=UTC))
    assert post.deliver() == 0
    post.set_clock(datetime(2026, 3, 9, 0, 0, tzinfo=UTC))
    assert post.deliver() == 1
    assert post.sink.subjects[0].startswith("待办")


def test_a_task_that_was_done_in_the_night_is_not_mailed_in_the_morning(post):
    from datetime import UTC, datetime

    text = post.office.imported()
    post.set_clock(datetime(2026, 3, 3, 13, 0, tzinfo=UTC))
    post.office.act(Role.DEPARTMENT_HEAD, text, "submit")
    post.tell()
    post.office.act(Role.REVIEWER, text, "accept")
    post.office.act(Role.REVIEWER, text, "pass")
    post.set_clock(datetime(2026, 3, 4, 1, 0, tzinfo=UTC))
    post.deliver()
    assert "reviewer@example.gov.cn" not in post.sink.recipients
    with transaction(post.engine, read_only=True) as work:
        assert [item.reason for item in work.session.scalars(sa.select(Delivery))] == ["任务已经办结或转给别人"]


def test_several_events_of_a_text_within_a_minute_are_one_message_after_the_first(post):
    text = post.office.driven("submitted")
    post.tell()
    post.deliver()
    assert len(post.sink.letters) == 1
    remind(post.office.people[Role.DEPARTMENT_HEAD], text)
    post.tell()
    copy(post.office.people[Role.DEPARTMENT_HEAD], text, [post.office.people[Role.REVIEWER].person.login])
    post.tell()
    assert post.deliver() == 0
    post.pass_time(seconds=70)
    assert post.deliver() == 1
    assert post.sink.subjects[1].startswith("催办等 2 项")
    assert len(post.inbox(Role.REVIEWER)) == 3
