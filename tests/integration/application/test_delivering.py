"""The queue of deliveries on both databases: claims, leases, attempts, the dead, and what the log tells of it all."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from random import Random

import pytest
import sqlalchemy as sa
from handled_texts import administrator
from post_offices import with_settings

from application.delivering import Carrier, is_off, report, switch_off
from application.dispatching import list_channels, list_deliveries, retry, send_test, switch
from application.notifying import inbox, set_contact
from application.settings import ChannelSetting
from audit.timeline import events
from models.engine import transaction
from models.errors import Conflict, InvalidInput, JixiaoError, NotAllowed, NotFound
from models.messages import ChannelState, Delivery
from models.people import Role
from notifications import delivery
from notifications.backoff import ATTEMPTS
from notifications.breaking import Breaker
from notifications.channels.protocol import SENT, Outcome, Verdict
from notifications.kinds import Kind
from notifications.letters import Item


class Scripted:
    """A channel that answers as it is told, and remembers what it was given."""

    name = "hook"
    personal = False

    def __init__(self, *outcomes, always=SENT):
        self.outcomes, self.always, self.letters = list(outcomes), always, []

    def send(self, letter):
        self.letters.append(letter)
        return self.outcomes.pop(0) if self.outcomes else self.always

    def close(self):
        pass


def queued(post, count, *, channel="hook", account_id=None, due=timedelta()):
    now = post.office.clock()
    with transaction(post.engine) as work:
        return [
            delivery.add(
                work,
                channel,
                [Item(Kind.TEST, remark="测试消息")],
                key=uuid.uuid4().hex,
                account_id=account_id,
                due_at=now + due,
                now=now,
            )
            for _ in range(count)
        ]


def carry(post, channel, **given):
    return Carrier(post.installation, "hook", make=lambda: channel, random=Random(1), **given)


def rows(post):
    with transaction(post.engine, read_only=True) as work:
        return {item.id: item for item in work.session.scalars(sa.select(Delivery))}


def claim(post, most=50, seconds=300.0):
    with transaction(post.engine) as work:
        now = post.office.clock()
        return delivery.claim(work, "hook", most=most, lease=uuid.uuid4().hex, now=now, seconds=seconds)


def settle(post, claimed, outcome=SENT):
    with transaction(post.engine) as work:
        return delivery.settle(work, claimed, outcome, now=post.office.clock(), random=Random(1))


def told(post, act):
    post.installation.catch_up()
    with transaction(post.engine, read_only=True) as work:
        return [item.event for item in events(work, log="main", act=act, limit=500)]


def test_what_is_claimed_is_nobody_elses_until_its_lease_ends(post):
    made = set(queued(post, 5))
    first = claim(post, most=3)
    second = claim(post)
    assert {item.id for item in first} | {item.id for item in second} == made
    assert len(first) == 3
    assert claim(post) == []
    post.pass_time(seconds=301)
    assert {item.id for item in claim(post)} == made


def test_whoever_was_overtaken_settles_nothing(post):
    [made] = queued(post, 1)
    [old] = claim(post, seconds=1)
    post.pass_time(seconds=5)
    [new] = claim(post)
    settle(post, old)
    assert rows(post)[made].finished_at is None
    settle(post, new)
    assert rows(post)[made].status == "sent"
    settle(post, old, Outcome(Verdict.NEVER, "too late"))
    assert rows(post)[made].status == "sent"


def test_what_is_not_due_yet_is_not_claimed_and_the_longest_due_comes_first(post):
    queued(post, 1, due=timedelta(hours=1))
    [late] = queued(post, 1, due=timedelta(minutes=-5))
    queued(post, 1, due=timedelta(minutes=-1))
    assert [item.id for item in claim(post, most=1)] == [late]
    assert len(claim(post)) == 1


def test_many_workers_at_once_share_and_none_delivers_twice(post):
    made = queued(post, 60)
    channel, lock, got = Scripted(), threading.Lock(), []

    def work():
        while found := claim(post, most=7):
            for item in found:
                settle(post, item)
                with lock:
                    got.append(item.id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert channel.letters == []
    assert sorted(got) == sorted(made)


def test_failures_are_tried_again_later_each_time_and_dead_after_ten_with_the_reason(post):
    [made] = queued(post, 1)
    channel = Scripted(always=Outcome(Verdict.LATER, "对方暂不接受（HTTP 503）"))
    carrier, waits = carry(post, channel), []
    for _ in range(ATTEMPTS):
        assert carrier.run_once() == 1
        row = rows(post)[made]
        waits.append(row.due_at - post.office.clock.moment)
        if row.finished_at is None:
            assert carrier.run_once() == 0
            post.set_clock(row.due_at)
    row = rows(post)[made]
    assert (row.status, row.attempts, row.reason) == ("dead", ATTEMPTS, "对方暂不接受（HTTP 503）")
    assert timedelta(seconds=20) < waits[0] < timedelta(seconds=40)
    assert waits[:8] == sorted(waits[:8])
    assert len(channel.letters) == ATTEMPTS
    assert len({letter.id for letter in channel.letters}) == 1
    assert [
        item["delivery"]
        for item in list_deliveries(administrator(post.office, Role.SYSTEM_ADMINISTRATOR), status="dead")
    ] == [made]


def test_a_retry_gives_ten_new_attempts_and_only_to_the_dead(post):
    [made] = queued(post, 1)
    carry(post, Scripted(Outcome(Verdict.NEVER, "拒收"))).run_once()
    boss = administrator(post.office, Role.SYSTEM_ADMINISTRATOR)
    with pytest.raises(NotAllowed):
        retry(post.office.people[Role.DRAFTER], [made])
    with pytest.raises(NotFound):
        retry(boss, ["nothing"])
    with pytest.raises(InvalidInput):
        retry(boss)
    assert retry(boss, everything=True) == {"retried": 1}
    with pytest.raises(Conflict, match="等待"):
        retry(boss, [made])
    carry(post, Scripted()).run_once()
    assert rows(post)[made].status == "sent"
    assert [item["delivery"] for event in told(post, "notice.deliver") for item in event["chg"][0]["n"]] == [made, made]


def test_the_log_tells_every_result_once_without_an_address(post):
    post.office.driven("submitted")
    post.tell()
    post.deliver()
    queued(post, 3)
    carry(post, Scripted(SENT, Outcome(Verdict.NEVER, "拒收"), SENT)).run_once()
    assert report(post.installation) == 0
    told_rows = [item for event in told(post, "notice.deliver") for item in event["chg"][0]["n"]]
    finished = {key: row for key, row in rows(post).items() if row.finished_at is not None}
    assert {item["delivery"]: item["status"] for item in told_rows} == {
        key: row.status for key, row in finished.items()
    }
    assert len(told_rows) == len(finished)
    assert "example.gov.cn" not in str(told(post, "notice.deliver"))
    assert "example.gov.cn" not in str(told(post, "contact.change"))


def test_a_result_that_was_not_reported_before_a_crash_is_reported_by_the_next(post):
    queued(post, 1)
    [item] = claim(post)
    settle(post, item)
    assert told(post, "notice.deliver") == []
    assert report(post.installation) == 1
    assert len(told(post, "notice.deliver")) == 1


def test_a_refused_token_switches_the_channel_off_and_tells_the_administrator_in_the_inbox(post):
    queued(post, 5)
    channel = Scripted(SENT, Outcome(Verdict.OFF, "机器人不接受令牌、签名或来源（93000）"))
    carrier = carry(post, channel)
    carrier.run_once()
    assert len(channel.letters) == 2
    assert carrier.run_once() == 0
    waiting = [row for row in rows(post).values() if row.finished_at is None]
    assert [row.attempts for row in waiting] == [0, 0, 0, 0]
    [notice] = inbox(administrator(post.office, Role.SYSTEM_ADMINISTRATOR))
    assert notice["kind"] == "channel"
    assert "93000" in notice["remark"]
    assert inbox(post.office.people[Role.DRAFTER]) == []
    assert [event["chg"][0]["n"] for event in told(post, "channel.change")] == [False]
    switch_off(post.installation, "hook", "again")
    assert len(inbox(administrator(post.office, Role.SYSTEM_ADMINISTRATOR))) == 1


def with_hook(post):
    made = with_settings(post.installation, channels=(ChannelSetting(name="hook", kind="wecom"),))
    post.installation = made
    object.__setattr__(post.office.installation, "settings", made.settings)
    return administrator(post.office, Role.SYSTEM_ADMINISTRATOR)


def test_an_administrator_switches_channels_and_what_waited_goes_out(post):
    boss = with_hook(post)
    queued(post, 2)
    with pytest.raises(NotAllowed):
        switch(post.office.people[Role.DRAFTER], "hook", on=False, reason="试试")
    with pytest.raises(InvalidInput):
        switch(boss, "hook", on=False, reason="")
    with pytest.raises(NotFound):
        switch(boss, "elsewhere", on=False, reason="试试")
    switch(boss, "hook", on=False, reason="换令牌")
    with pytest.raises(Conflict):
        switch(boss, "hook", on=False, reason="换令牌")
    channel = Scripted()
    assert carry(post, channel).run_once() == 0
    [shown] = [item for item in list_channels(boss) if item["name"] == "hook"]
    assert (shown["on"], shown["reason"], shown["waiting"]) == (False, "换令牌", 2)
    switch(boss, "hook", on=True, reason="换好了")
    assert carry(post, channel).run_once() == 2


def test_faults_open_the_breaker_and_no_attempt_is_lost_while_it_rests(post):
    queued(post, 10)
    channel = Scripted(*[Outcome(Verdict.LATER, "超时", fault=True)] * 6)
    breaker = Breaker("hook", faults=3, pause=0.2)
    carrier = carry(post, channel, breaker=breaker)
    carrier.run_once()
    assert len(channel.letters) == 3
    assert sorted(row.attempts for row in rows(post).values()) == [0] * 7 + [1] * 3
    assert carrier.run_once() == 0
    assert breaker.resting
    threading.Event().wait(0.25)
    # One letter is tried, fails, and the channel rests again.
    assert carrier.run_once() == 1
    assert len(channel.letters) == 4
    channel.outcomes.clear()
    threading.Event().wait(0.25)
    assert carrier.run_once() == 1
    assert carrier.run_once() > 1


def test_a_broken_channel_keeps_no_other_from_delivering(post):
    queued(post, 3)
    carry(post, Scripted(always=Outcome(Verdict.LATER, "超时", fault=True))).run_once()
    post.office.driven("submitted")
    post.tell()
    assert post.deliver() >= 1


def test_a_template_that_fails_for_one_recipient_fails_for_nobody_else(post, tmp_path):
    from notifications.templates import environment

    folder = tmp_path / "templates"
    (folder / "test").mkdir(parents=True)
    (folder / "test" / "subject.txt").write_text("{{ 1 // (0 if remark == '坏' else 1) }}", encoding="utf-8")
    environment.cache_clear()
    post.installation = with_settings(post.installation, templates=folder)
    now = post.office.clock()
    with transaction(post.engine) as work:
        for remark in ("好", "坏", "好"):
            key = uuid.uuid4().hex
            delivery.add(work, "hook", [Item(Kind.TEST, remark=remark)], key=key, account_id=None, due_at=now, now=now)
    channel = Scripted()
    carry(post, channel).run_once()
    assert len(channel.letters) == 2
    [dead] = [row for row in rows(post).values() if row.status == "dead"]
    assert "test/subject.txt" in dead.reason
    assert "ZeroDivisionError" in dead.reason


def test_a_worker_that_is_told_to_stop_gives_back_what_it_has_not_sent(post):
    queued(post, 5)
    channel = Scripted()
    carry(post, channel).run_once(stopped=lambda: len(channel.letters) >= 2)
    assert len(channel.letters) == 2
    assert len(claim(post)) == 3


def test_an_account_that_is_closed_or_has_no_address_gets_no_mail(post):
    from application.leaving import disable_account

    drafter, reviewer = post.office.people[Role.DRAFTER], post.office.people[Role.REVIEWER]
    queued(post, 1, channel="mail", account_id=drafter.person.account_id)
    queued(post, 1, channel="mail", account_id=reviewer.person.account_id)
    set_contact(drafter, None)
    disable_account(administrator(post.office, Role.SYSTEM_ADMINISTRATOR), reviewer.person.login, reason="离职")
    post.deliver()
    assert post.sink.letters == []
    assert sorted(row.reason for row in rows(post).values()) == ["没有登记邮箱", "账号已停用"]


def test_a_refused_recipient_is_dead_at_once_and_the_others_get_their_mail(post):
    set_contact(post.office.people[Role.REVIEWER], "refused@example.org")
    text = post.office.driven("submitted")
    post.tell()
    post.deliver()
    assert text
    dead = [row for row in rows(post).values() if row.status == "dead"]
    assert [row.attempts for row in dead] == [1]
    assert "refused@" not in dead[0].reason


def test_a_message_from_a_clock_that_ran_ahead_is_not_lost(post):
    queued(post, 1, due=timedelta(days=400))
    queued(post, 1, due=timedelta(days=9))
    with transaction(post.engine) as work:
        assert delivery.mend_clock(work, "hook", post.office.clock()) == 1
    assert len(claim(post)) == 1


def test_a_test_message_goes_through_the_queue(post):
    boss = with_hook(post)
    with pytest.raises(InvalidInput, match="邮箱"):
        send_test(boss, "mail")
    set_contact(boss, "sysadmin@example.gov.cn")
    assert send_test(boss, "mail")["status"] == "sent"
    assert post.sink.recipients == ["sysadmin@example.gov.cn"]
    with pytest.raises(NotAllowed):
        send_test(post.office.people[Role.DRAFTER], "mail")
    # The robot has no address in the secrets file.
    with pytest.raises(InvalidInput, match=r"secrets\.toml"):
        send_test(boss, "hook")
    with transaction(post.engine) as work:
        work.session.add(ChannelState(name="mail", off_at=post.office.clock(), reason="停用"))
    with pytest.raises(Conflict, match="停用"):
        send_test(boss, "mail")
    with transaction(post.engine, read_only=True) as work:
        assert is_off(work, "mail") == "停用"


def test_notices_are_records(post):
    post.office.driven("submitted")
    post.tell()
    for statement in ("UPDATE notice SET body = '[]'", "DELETE FROM notice"):
        with pytest.raises(JixiaoError, match="notice"), transaction(post.engine) as work:
            work.connection.exec_driver_sql(statement)
    with transaction(post.engine) as work:
        work.connection.exec_driver_sql("UPDATE notice SET read_at = created_at")


def test_an_erased_person_leaves_no_address(post):
    from application.closing import close_account
    from audit.sealing import sealed_of
    from models.messages import Contact
    from models.people import Account

    who = post.office.people[Role.DRAFTER].person.account_id
    with transaction(post.engine) as work:
        assert work.session.get(Contact, who) is not None
        # Log-in name, name and address are sealed under the person, and are erased together.
        assert len(sealed_of(work, who)) >= 3
        close_account(work, work.session.get_one(Account, who), post.office.clock())
    with transaction(post.engine, read_only=True) as work:
        assert work.session.get(Contact, who) is None
    queued(post, 1, channel="mail", account_id=who)
    post.deliver()
    assert post.sink.letters == []


def test_a_channel_without_its_secret_keeps_no_other_from_delivering(post):
    from application.postroom import deliver_once

    with_hook(post)
    queued(post, 1)
    post.office.driven("submitted")
    with pytest.raises(InvalidInput, match=r"secrets\.toml"):
        deliver_once(post.installation)
    assert post.sink.recipients == ["reviewer@example.gov.cn"]
    assert [row.attempts for row in rows(post).values() if row.channel == "hook"] == [0, 0]
