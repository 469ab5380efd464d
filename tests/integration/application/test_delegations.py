"""代理 on both databases: who may lend and be lent to, for how long, and what is done in somebody else's name."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from handled_texts import administrator, disable, last_event, me, nothing_changes, parts, revoke, turned_administrator
from hypothesis import given
from hypothesis import strategies as st
from office_state import counts

from application import assignments, histories, worklists
from application.acting import act
from application.delegations import (
    Span,
    add_delegation,
    closes_a_circle,
    list_delegations,
    moment_of,
    revoke_delegation,
)
from audit.timeline import events
from models.engine import transaction
from models.errors import Conflict, GuardFailed, InvalidInput, NotAllowed, NotFound
from models.people import Delegation, Role
from models.process import Signature, Step

UNTIL = "2026-03-20"


def newest(office: Any, act_name: str) -> dict[str, Any]:
    office.installation.catch_up()
    with transaction(office.installation.engine, read_only=True) as work:
        return events(work, act=act_name, limit=500)[-1].event


def kept(office: Any) -> dict[str, int]:
    """Rows of everything but the log, which holds the refusals."""
    return {name: number for name, number in counts(office.installation).items() if not name.startswith("audit_")}


# Acting for somebody


def test_a_stand_in_acts_in_the_principals_role_and_both_took_part(office) -> None:
    text, principal = office.county("submitted"), office.people[Role.REVIEWER]
    stand_in = office.another(Role.BUDGET_REVIEWER, "daili")
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="没有这个岗位"):
        act(stand_in, text, action="accept")
    made = add_delegation(principal, "daili", until=UNTIL, reason="出差")
    assert (made["status"], made["role"], made["ends"]) == ("active", None, "2026-03-20T16:00:00.000000Z")
    event = newest(office, "delegation.add")
    assert (event["why"], event["actor"]["sub"], event["obj"]["id"]) == ("出差", me(principal), made["id"])
    assert [item["for"] for item in worklists.list_tasks(stand_in) if item["text"] == text] == [me(principal)]
    act(stand_in, text, action="accept")
    event = last_event(office, text)
    assert (event["actor"]["sub"], event["actor"]["on_behalf_of"]) == (me(stand_in), me(principal))
    assert parts(office, text, stand_in) == parts(office, text, principal) == {"reviewer"}
    with transaction(office.installation.engine, read_only=True) as work:
        step = work.session.scalars(sa.select(Step).where(Step.text_id == text).order_by(Step.number.desc())).first()
        assert (step.account_id, step.principal_id) == (me(stand_in), me(principal))
    shown = histories.history(office.people[Role.AUDITOR], text)[-1]
    assert (shown["actor"], shown["on_behalf_of"]) == ("daili", principal.person.display_name)
    act(stand_in, text, action="pass")
    with transaction(office.installation.engine, read_only=True) as work:
        vote = work.session.scalars(sa.select(Signature).where(Signature.text_id == text)).one()
        assert (vote.account_id, vote.principal_id) == (me(stand_in), me(principal))
    # Duties that are to be kept apart are apart for the stand-in, too.
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="不相容岗位"):
        act(stand_in, text, action="sign")


@pytest.mark.tampers
def test_a_stand_in_who_drafted_the_text_is_refused(office) -> None:
    """Somebody moved from the department to the bureau; what they wrote before stays theirs."""
    text = office.county("submitted")
    stand_in = office.another(Role.BUDGET_REVIEWER, "daili")
    with transaction(office.installation.engine) as work:
        work.connection.execute(
            sa.text(
                "INSERT INTO participation SELECT text_id, :who, capacity, round, created_at FROM participation "
                "WHERE text_id = :text AND capacity = 'drafter'"
            ),
            {"who": me(stand_in), "text": text},
        )
    add_delegation(office.people[Role.REVIEWER], "daili", until=UNTIL, reason="出差")
    with nothing_changes(office, text), pytest.raises(NotAllowed, match=r"您已参与本文本的编制|没有这个岗位"):
        act(stand_in, text, action="accept")


def test_a_stand_in_for_who_is_barred_is_barred(office) -> None:
    text, approver = office.county("second_review"), office.people[Role.APPROVER]
    stand_in = office.another(Role.SECOND_REVIEWER, "daili")
    add_delegation(approver, "daili", until=UNTIL, reason="开会")
    act(stand_in, text, action="sign")
    office.act(Role.BUDGET_REVIEWER, text, "sign")
    with nothing_changes(office, text), pytest.raises(NotAllowed, match=r"不相容岗位|没有这个岗位"):
        act(stand_in, text, action="approve")
    assert office.act(Role.APPROVER, text, "approve")["state"] == "issued"


def test_principal_and_stand_in_have_one_vote_together(office) -> None:
    text, principal = office.county("second_review"), office.people[Role.SECOND_REVIEWER]
    stand_in = office.another(Role.APPROVER, "daili")
    add_delegation(principal, "daili", until=UNTIL, role=Role.SECOND_REVIEWER, reason="出差")
    assignments.claim(principal, text)
    assert last_event(office, text)["act"] == "task.claim"
    assert act(stand_in, text, action="sign")["vote"] == "pending"
    with nothing_changes(office, text), pytest.raises(GuardFailed, match="已经投过票"):
        act(principal, text, action="sign")


def test_a_delegation_works_in_its_time_its_role_and_while_the_principal_holds_it(office) -> None:
    text, principal = office.county("submitted"), office.people[Role.REVIEWER]
    stand_in = office.another(Role.BUDGET_REVIEWER, "daili")
    day = office.clock.moment
    add_delegation(principal, "daili", since="2026-03-04 09:00", until="2026-03-05", reason="出差")

    def refused() -> None:
        with nothing_changes(office, text), pytest.raises(NotAllowed, match="没有这个岗位"):
            act(stand_in, text, action="accept")

    refused()
    office.clock.moment = datetime(2026, 3, 4, 0, 59, tzinfo=UTC)
    refused()
    office.clock.moment = datetime(2026, 3, 5, 16, 0, tzinfo=UTC)  # midnight: the last day is over
    refused()
    assert list_delegations(stand_in)[0]["status"] == "ended"
    office.clock.moment = day
    add_delegation(office.people[Role.APPROVER], "daili", until="2026-03-03", role=Role.APPROVER, reason="开会")
    refused()
    office.clock.moment = datetime(2026, 3, 5, 15, 59, tzinfo=UTC)
    assignments.claim(principal, text)
    assert act(stand_in, text, action="accept")["state"] == "first_review"
    revoke(office, principal, Role.REVIEWER)
    with nothing_changes(office, text), pytest.raises(NotAllowed):
        act(stand_in, text, action="sign")


def test_what_was_lent_is_not_lent_on(office) -> None:
    text, principal = office.county("submitted"), office.people[Role.REVIEWER]
    first, second = office.another(Role.BUDGET_REVIEWER, "first"), office.another(Role.BUDGET_REVIEWER, "second")
    add_delegation(principal, "first", until=UNTIL, reason="出差")
    add_delegation(first, "second", until=UNTIL, reason="出差")
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="没有这个岗位"):
        act(second, text, action="accept")
    with pytest.raises(NotAllowed, match="被代理人没有“初审”岗位"):
        add_delegation(first, "second", until=UNTIL, role=Role.REVIEWER, reason="出差")


def test_a_revoked_delegation_works_no_more(office) -> None:
    text, principal = office.county("submitted"), office.people[Role.REVIEWER]
    stand_in = office.another(Role.BUDGET_REVIEWER, "daili")
    made = add_delegation(principal, "daili", until=UNTIL, reason="出差")
    for who in (stand_in, office.people[Role.APPROVER], administrator(office, Role.SYSTEM_ADMINISTRATOR)):
        with pytest.raises(NotAllowed, match="安全管理员"):
            revoke_delegation(who, made["id"])
    assert revoke_delegation(principal, made["id"], reason="提前返回")["status"] == "revoked"
    event = newest(office, "delegation.revoke")
    assert (event["obj"]["id"], event["why"], event["actor"]["sub"]) == (made["id"], "提前返回", me(principal))
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="没有这个岗位"):
        act(stand_in, text, action="accept")
    with pytest.raises(Conflict, match="已经撤销"):
        revoke_delegation(principal, made["id"])
    with pytest.raises(NotFound):
        revoke_delegation(principal, "no-such-delegation")
    again = add_delegation(principal, "daili", until=UNTIL, reason="再次出差")
    assert revoke_delegation(administrator(office, Role.SECURITY_ADMINISTRATOR), again["id"])["status"] == "revoked"
    ended = add_delegation(principal, "daili", until="2026-03-02 18:00", reason="半天")
    office.clock.moment += timedelta(days=1)
    with pytest.raises(Conflict, match="已经到期"):
        revoke_delegation(principal, ended["id"])


# Setting one up


def test_a_security_administrator_sets_one_up_for_somebody_else(office) -> None:
    principal, security = office.people[Role.REVIEWER], administrator(office, Role.SECURITY_ADMINISTRATOR)
    office.another(Role.BUDGET_REVIEWER, "daili")
    given = {"until": UNTIL, "reason": "住院", "principal": principal.person.login}
    for who in (office.people[Role.APPROVER], administrator(office, Role.SYSTEM_ADMINISTRATOR)):
        with pytest.raises(NotAllowed, match="安全管理员"):
            add_delegation(who, "daili", **given)
    made = add_delegation(security, "daili", **given)
    assert made["by_administrator"]
    event = newest(office, "delegation.add")
    assert (event["actor"]["role"], event["why"]) == ("security_administrator", "住院")
    assert {item["p"]: item["n"] for item in event["chg"]}["/principal"] == me(principal)


def test_who_may_not_lend_or_be_lent_to(office) -> None:
    principal = office.people[Role.REVIEWER]
    office.another(Role.BUDGET_REVIEWER, "daili")
    gone = disable(office, office.another(Role.BUDGET_REVIEWER, "gone"))
    admin = turned_administrator(office, Role.BUDGET_REVIEWER, "admin")
    empty = revoke(office, office.another(Role.BUDGET_REVIEWER, "empty"), Role.BUDGET_REVIEWER)
    security = administrator(office, Role.SECURITY_ADMINISTRATOR)
    before = kept(office)
    for who, to, why in (
        (principal, principal.person.login, "自己代理自己"),
        (principal, Role.DRAFTER.value, "不在同一个单位"),
        (principal, gone.person.login, "代理人的账号已停用"),
        (principal, admin.person.login, "代理人是系统管理员"),
        (admin, "daili", "被代理人是系统管理员"),
        (empty, "daili", "被代理人没有任何岗位"),
        (gone, "daili", "被代理人的账号已停用"),
        (security, "daili", "被代理人是安全管理员"),
    ):
        with pytest.raises(NotAllowed, match=why):
            add_delegation(who, to, until=UNTIL, reason="试试")
        assert newest(office, "delegation.add")["out"] == "denied"
    with pytest.raises(NotFound, match="没有登录名"):
        add_delegation(principal, "nobody", until=UNTIL, reason="试试")
    for times, why in (
        ({"until": UNTIL, "reason": " "}, "理由"),
        ({"until": "2026-03-01"}, "结束时间必须"),
        ({"until": "2026-03-04", "since": "2026-03-05"}, "结束时间必须"),
        ({"until": "2026-03-04", "since": "2026-03-01"}, "过去的日子"),
        ({"until": "2026-06-01"}, "最长 90 天"),
        ({"until": "tomorrow"}, "无法识别"),
        ({"until": "2026-02-30"}, "无法识别"),
    ):
        with pytest.raises(InvalidInput, match=why):
            add_delegation(principal, "daili", **{"reason": "试试", **times})
    assert kept(office) == before
    assert add_delegation(principal, "daili", until="2026-05-30", reason="90 天以内")["status"] == "active"


def test_circles_and_doubles_are_refused_while_their_times_overlap(office) -> None:
    first, second, third = (office.another(Role.REVIEWER, name) for name in ("first", "second", "third"))
    add_delegation(first, "second", since="2026-03-10", until="2026-03-15", reason="出差")
    add_delegation(second, "third", since="2026-03-12", until="2026-03-20", reason="出差")
    before = kept(office)
    with pytest.raises(Conflict, match="绕成一圈"):
        add_delegation(second, "first", since="2026-03-15", until="2026-03-30", reason="出差")
    with pytest.raises(Conflict, match="绕成一圈"):
        add_delegation(third, "first", since="2026-03-05", until="2026-03-12", reason="出差")
    with pytest.raises(Conflict, match="已有同样的代理"):
        add_delegation(first, "second", since="2026-03-15", until="2026-03-30", role=Role.REVIEWER, reason="出差")
    assert kept(office) == before
    # Before the circle closes, and after it has opened again, there is none.
    add_delegation(third, "first", since="2026-03-05", until="2026-03-11", reason="出差")
    add_delegation(second, "first", since="2026-03-16", until="2026-03-30", reason="出差")
    add_delegation(first, "second", since="2026-03-31", until="2026-04-30", reason="出差")


def test_of_two_who_would_close_a_circle_at_once_one_is_refused(office) -> None:
    people = [office.another(Role.REVIEWER, name) for name in ("first", "second")]
    barrier, outcomes = threading.Barrier(2), []

    def run(request: Any, to: str) -> None:
        barrier.wait()
        try:
            add_delegation(request, to, until=UNTIL, reason="出差")
            outcomes.append("made")
        except Conflict as error:
            outcomes.append("circle" if "绕成一圈" in error.message else error.message)

    threads = [threading.Thread(target=run, args=pair) for pair in ((people[0], "second"), (people[1], "first"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["circle", "made"]


def test_people_see_their_own_and_administrators_and_auditors_all(office) -> None:
    principal = office.people[Role.REVIEWER]
    stand_in, other = office.another(Role.BUDGET_REVIEWER, "daili"), office.another(Role.APPROVER, "other")
    add_delegation(principal, "daili", until=UNTIL, reason="出差")
    add_delegation(other, "daili", since="2026-03-10", until=UNTIL, role=Role.APPROVER, reason="开会")

    def seen(request: Any) -> list[tuple[str, str, str]]:
        return [
            (item["principal"]["login"], item["delegate"]["login"], item["status"])
            for item in list_delegations(request)
        ]

    mine, others = ("reviewer", "daili", "active"), ("other", "daili", "planned")
    assert seen(principal) == [mine]
    assert seen(stand_in) == [others, mine]
    assert seen(office.people[Role.DRAFTER]) == []
    for role in (Role.SECURITY_ADMINISTRATOR, Role.SYSTEM_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR):
        assert seen(administrator(office, role)) == [others, mine]
    assert seen(office.people[Role.AUDITOR]) == [others, mine]
    with transaction(office.installation.engine, read_only=True) as work:
        assert work.session.scalar(sa.select(sa.func.count()).select_from(Delegation)) == 2


# Times and circles, without a database


@pytest.mark.parametrize(
    ("text", "end", "moment"),
    [
        ("2026-03-05", False, datetime(2026, 3, 4, 16, tzinfo=UTC)),
        ("2026-03-05", True, datetime(2026, 3, 5, 16, tzinfo=UTC)),
        ("2026-03-05 14:30", True, datetime(2026, 3, 5, 6, 30, tzinfo=UTC)),
        (" 2026-03-05T14:30 ", False, datetime(2026, 3, 5, 6, 30, tzinfo=UTC)),
    ],
)
def test_times_are_those_of_shanghai_and_a_last_day_counts_whole(text: str, end: bool, moment: datetime) -> None:
    assert moment_of(text, end=end) == moment


@pytest.mark.parametrize("text", ["", "2026", "03-05", "2026-13-01", "2026-W10-4", "2026-03-05 25:00", "9999-12-31"])
def test_other_spellings_of_times_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="无法识别"):
        moment_of(text, end=True)


def _span(principal: str, delegate: str, start: int, length: int) -> Span:
    base = datetime(2026, 3, 1, tzinfo=UTC)
    return Span(principal, delegate, base + timedelta(hours=start), base + timedelta(hours=start + length))


@given(
    st.lists(
        st.builds(_span, st.sampled_from("abcd"), st.sampled_from("abcd"), st.integers(0, 8), st.integers(1, 5)),
        min_size=1,
        max_size=7,
    )
)
def test_a_circle_is_found_exactly_where_one_exists_at_some_hour(spans: list[Span]) -> None:
    new, *others = spans
    if new.principal == new.delegate:
        return

    def circle_at(hour: int) -> bool:
        moment = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hour)
        lent = {(item.principal, item.delegate) for item in spans if item.starts <= moment < item.ends}
        if not new.starts <= moment < new.ends:
            return False
        reached = {new.delegate}
        for _ in "abcd":
            reached |= {to for who, to in lent if who in reached}
        return new.principal in reached

    assert closes_a_circle(new, others) == any(circle_at(hour) for hour in range(14))
