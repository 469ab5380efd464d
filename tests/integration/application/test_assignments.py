"""Tasks that change hands, on both databases: each act, each refusal with nothing changed, and what the log says of it."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from handled_texts import (
    administrator,
    disable,
    grant,
    last_event,
    me,
    messages,
    nothing_changes,
    open_tasks,
    parts,
    revoke,
    turned_administrator,
)
from office_state import counts, state_of

from application import assignments, histories, worklists
from application.acting import Remark, act
from application.delegations import add_delegation
from models.engine import transaction
from models.errors import Conflict, GuardFailed, InvalidInput, NotAllowed, NotFound
from models.people import Role
from models.process import Reminder, Task

REMARK = Remark("/projects/p1/code", "编码与批复不符", "核对编码")


# Claiming and releasing


def test_a_claimed_task_is_the_claimers_alone(office) -> None:
    text, first = office.county("submitted"), office.people[Role.REVIEWER]
    second = office.another(Role.REVIEWER, "chushen2")
    version = state_of(office.installation, text)
    done = assignments.claim(first, text)
    assert (done["role"], done["assignee"]) == ("reviewer", me(first))
    assert open_tasks(office, text)[""].assignee_id == me(first)
    assert state_of(office.installation, text) == version
    event = last_event(office, text)
    assert (event["act"], event["actor"]["sub"], event["actor"]["role"]) == ("task.claim", me(first), "reviewer")
    assert event["chg"] == [{"p": "/tasks/reviewer/assignee", "n": me(first)}]
    with nothing_changes(office, text), pytest.raises(Conflict, match="已由别人签收"):
        assignments.claim(second, text)
    with nothing_changes(office, text), pytest.raises(Conflict, match="已经在您名下"):
        assignments.claim(first, text)
    with pytest.raises(NotAllowed, match="已由别人签收"):
        act(second, text, action="accept")
    assert act(first, text, action="accept")["state"] == "first_review"


def test_who_has_no_role_or_is_barred_or_can_not_act_claims_nothing(office) -> None:
    text = office.county("submitted")
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="没有这个岗位"):
        assignments.claim(office.people[Role.SECOND_REVIEWER], text)
    both = grant(office, office.another(Role.REVIEWER, "two_roles"), Role.SECOND_REVIEWER)
    act(both, text, action="accept")
    act(both, text, action="pass")
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="不相容岗位"):
        assignments.claim(both, text)
    for who, why in (
        (turned_administrator(office, Role.SECOND_REVIEWER, "admin"), "系统管理员不能"),
        (disable(office, office.another(Role.SECOND_REVIEWER, "gone")), "停用"),
    ):
        with nothing_changes(office, text), pytest.raises(NotAllowed, match=why):
            assignments.claim(who, text)


def test_a_text_that_one_may_not_read_or_that_has_ended_has_no_task_to_claim(office) -> None:
    text = office.county("draft")
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="不能查看"):
        assignments.claim(office.people[Role.REVIEWER], text)
    with pytest.raises(NotFound):
        assignments.claim(office.people[Role.REVIEWER], "no-such-text")
    ended = office.county("published")
    with nothing_changes(office, ended), pytest.raises(Conflict, match="没有待办的任务"):
        assignments.claim(office.people[Role.PUBLISHER], ended)


def test_a_task_is_named_by_seat_or_id_where_there_are_several(office) -> None:
    text = office.county("second_review")
    both = grant(office, office.another(Role.SECOND_REVIEWER, "both"), Role.BUDGET_REVIEWER)
    before = counts(office.installation)
    with pytest.raises(InvalidInput, match="--seat"):
        assignments.claim(both, text)
    assert counts(office.installation) == before
    with nothing_changes(office, text), pytest.raises(Conflict, match="没有这项待办"):
        assignments.claim(both, text, task="no-such-task")
    done = assignments.claim(both, text, seat="budget_reviewer")
    assert done["seat"] == "budget_reviewer"
    # Each seat is another person's.
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="已经有席位"):
        assignments.claim(both, text, task=open_tasks(office, text)["second_reviewer"].id)
    act(both, text, action="sign")
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="已经投过票"):
        assignments.claim(both, text)


def test_a_released_task_is_in_the_pool_again(office) -> None:
    text, first = office.county("submitted"), office.people[Role.REVIEWER]
    second = office.another(Role.REVIEWER, "chushen2")
    assignments.claim(first, text)
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="没有您签收的任务"):
        assignments.release(second, text)
    assignments.release(first, text)
    assert open_tasks(office, text)[""].assignee_id is None
    assert last_event(office, text)["chg"] == [{"p": "/tasks/reviewer/assignee", "o": me(first)}]
    assert messages(office, text, "task.release") == [("reviewer", None)]
    assignments.claim(second, text)


def test_what_was_assigned_by_somebody_else_is_not_released(office) -> None:
    text, first = office.county("submitted"), office.people[Role.REVIEWER]
    second = office.another(Role.REVIEWER, "chushen2")
    assignments.claim(first, text)
    assignments.reassign(first, text, "chushen2", reason="出差")
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="别人转办给您"):
        assignments.release(second, text)
    assignments.delegate(second, text, Role.REVIEWER.value)
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="委派给您协助"):
        assignments.release(first, text)


def test_a_task_of_somebody_who_left_the_role_is_free_again(office) -> None:
    text, first = office.county("submitted"), office.people[Role.REVIEWER]
    second = office.another(Role.REVIEWER, "chushen2")
    assignments.claim(first, text)
    revoke(office, first, Role.REVIEWER)
    assignments.claim(second, text)
    assert open_tasks(office, text)[""].assignee_id == me(second)


@pytest.mark.parametrize("turn", range(5))
def test_of_two_who_claim_at_once_one_wins(office, turn: int) -> None:
    text = office.county("submitted")
    people = [office.people[Role.REVIEWER], *(office.another(Role.REVIEWER, f"chushen{number}") for number in (2, 3))]
    barrier, outcomes = threading.Barrier(len(people)), []

    def run(request: Any) -> None:
        barrier.wait()
        try:
            assignments.claim(request, text)
            outcomes.append("claimed")
        except Conflict as error:
            outcomes.append("conflict" if "已由别人签收" in error.message else error.message)

    threads = [threading.Thread(target=run, args=(request,)) for request in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["claimed", "conflict", "conflict"]
    assert open_tasks(office, text)[""].assignee_id in {me(request) for request in people}


# Handing on


def test_a_task_handed_on_is_the_new_holders_with_its_due_day(office) -> None:
    text, first = office.county("submitted"), office.people[Role.REVIEWER]
    second, third = office.another(Role.REVIEWER, "chushen2"), office.another(Role.REVIEWER, "chushen3")
    due = open_tasks(office, text)[""].due_on
    done = assignments.reassign(first, text, "chushen2", reason="休假")
    assert done["assignee"] == me(second)
    task = open_tasks(office, text)[""]
    assert (task.assignee_id, task.due_on, task.owner_id) == (me(second), due, None)
    event = last_event(office, text)
    assert (event["act"], event["why"], event["chg"][0]["n"]) == ("task.reassign", "休假", me(second))
    assert messages(office, text, "task.reassign") == [("reviewer", me(second))]
    assert [item["outcome"] for item in worklists.list_tasks(first, view=worklists.View.DONE)] == ["reassign"]
    for other in (first, third):
        with nothing_changes(office, text), pytest.raises(NotAllowed, match="办理人和其上级"):
            assignments.reassign(other, text, "chushen3", reason="抢办")
    assert act(second, text, action="accept")["state"] == "first_review"


def test_the_roles_head_hands_on_what_somebody_else_holds(office) -> None:
    text, first = office.county("submitted"), office.people[Role.REVIEWER]
    second = office.another(Role.REVIEWER, "chushen2")
    assignments.claim(first, text)
    assignments.reassign(office.people[Role.APPROVER], text, "chushen2", reason="另有安排")
    assert last_event(office, text)["actor"]["role"] == "approver"
    assert messages(office, text, "task.reassign") == [("reviewer", me(second)), ("reviewer", me(first))]
    # To hand on is not to take part: the head still approves.
    assert parts(office, text, office.people[Role.APPROVER]) == set()


def test_the_head_still_hands_on_after_having_decided_but_nobody_whose_duties_are_apart(office) -> None:
    text = office.county("second_review")
    both = grant(office, office.people[Role.REVIEWER], Role.SECOND_REVIEWER)
    office.another(Role.SECOND_REVIEWER, "fuhe2")
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="不相容岗位"):
        assignments.reassign(both, text, "fuhe2", reason="换人", seat="second_reviewer")
    approved, second = office.county("issued"), office.another(Role.REVIEWER, "chushen2")
    assignments.reassign(office.people[Role.APPROVER], approved, "chushen2", reason="初审出差")
    assert act(second, approved, action="issue")["state"] == "approved"


def test_a_task_goes_only_to_who_may_do_it(office) -> None:
    text, first = office.county("second_review"), office.people[Role.SECOND_REVIEWER]
    reviewed = grant(office, office.people[Role.REVIEWER], Role.SECOND_REVIEWER)
    drafter = office.people[Role.DRAFTER]
    gone = disable(office, office.another(Role.SECOND_REVIEWER, "gone"))
    admin = turned_administrator(office, Role.SECOND_REVIEWER, "admin")
    office.act(Role.BUDGET_REVIEWER, text, "sign")
    voted = grant(office, office.people[Role.BUDGET_REVIEWER], Role.SECOND_REVIEWER)
    for to, why in (
        (office.people[Role.APPROVER], "没有“绩效股复审”岗位"),
        (reviewed, "不相容岗位"),
        (voted, "已经投过票"),
        (drafter, "不属于办理这项任务的单位"),
        (gone, "停用"),
        (admin, "系统管理员"),
        (first, "不能转给自己"),
    ):
        with nothing_changes(office, text), pytest.raises(NotAllowed, match=why):
            assignments.reassign(first, text, to.person.login, reason="试试")
    office.another(Role.SECOND_REVIEWER, "fuhe2")
    with nothing_changes(office, text), pytest.raises(GuardFailed, match="理由"):
        assignments.reassign(first, text, "fuhe2", reason="  ")
    with pytest.raises(NotFound, match="没有登录名"):
        assignments.reassign(first, text, "nobody", reason="试试")
    assignments.claim(first, text)
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="本来就在"):
        assignments.reassign(office.people[Role.APPROVER], text, first.person.login, reason="试试")


# Lending for help


def test_while_a_task_is_lent_nobody_decides_and_it_comes_back_with_a_note(office) -> None:
    text, owner = office.county("first_review"), office.people[Role.REVIEWER]
    helper = office.people[Role.BUDGET_REVIEWER]
    other = office.another(Role.REVIEWER, "chushen2")
    assignments.delegate(owner, text, helper.person.login, reason="请核实资金来源")
    task = open_tasks(office, text)["reviewer"]
    assert (task.assignee_id, task.owner_id) == (me(helper), me(owner))
    assert messages(office, text, "task.delegate") == [("reviewer", me(helper))]
    assert last_event(office, text)["why"] == "请核实资金来源"
    for who in (owner, helper, other):
        with nothing_changes(office, text), pytest.raises(NotAllowed):
            act(who, text, action="sign")
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="已委派给别人"):
        assignments.reassign(owner, text, "chushen2", reason="改派")
    with nothing_changes(office, text), pytest.raises(GuardFailed, match="意见"):
        assignments.resolve(helper, text)
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="没有委派给您"):
        assignments.resolve(other, text, note="我来")
    assert parts(office, text, helper) == set()
    assignments.resolve(helper, text, note="资金来源属实")
    task = open_tasks(office, text)["reviewer"]
    assert (task.assignee_id, task.owner_id) == (me(owner), None)
    event = last_event(office, text)
    assert (event["act"], event["actor"]["sub"], event["why"]) == ("task.resolve", me(helper), "资金来源属实")
    assert messages(office, text, "task.resolve") == [("reviewer", me(owner))]
    assert act(owner, text, action="sign")["state"] == "second_review"
    # Who helped in the first review signs no second one.
    assert parts(office, text, helper) == {"reviewer"}
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="不相容岗位"):
        office.act(Role.BUDGET_REVIEWER, text, "sign")


def test_the_owner_takes_a_lent_task_back_and_the_helper_took_no_part(office) -> None:
    text, owner = office.county("submitted"), office.people[Role.REVIEWER]
    helper = office.people[Role.APPROVER]
    assignments.delegate(owner, text, helper.person.login)
    assignments.resolve(owner, text)
    assert open_tasks(office, text)[""].assignee_id == me(owner)
    assert parts(office, text, helper) == set()
    assert messages(office, text, "task.resolve") == [("reviewer", me(helper))]
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="没有委派给您"):
        assignments.resolve(helper, text, note="晚了")


def test_help_comes_from_ones_own_organization_and_from_nobody_barred(office) -> None:
    text, owner = office.county("issuing"), office.people[Role.APPROVER]
    for to, why in (
        (office.people[Role.DRAFTER], "不属于办理这项任务的单位"),
        (office.people[Role.REVIEWER], "不相容岗位"),
        (disable(office, office.another(Role.APPROVER, "gone")), "停用"),
        (turned_administrator(office, Role.APPROVER, "admin"), "系统管理员"),
        (owner, "委派给自己"),
    ):
        with nothing_changes(office, text), pytest.raises(NotAllowed, match=why):
            assignments.delegate(owner, text, to.person.login)
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="只有任务的办理人"):
        assignments.delegate(office.people[Role.REVIEWER], text, owner.person.login)
    # The head may hand a task on, but to lend it is its holder's own affair.
    below = office.county("submitted")
    with nothing_changes(office, below), pytest.raises(NotAllowed, match="只有任务的办理人"):
        assignments.delegate(owner, below, Role.BUDGET_REVIEWER.value)


def test_a_delegate_lends_and_takes_back_in_the_name_of_the_principal(office) -> None:
    text, owner = office.county("submitted"), office.people[Role.REVIEWER]
    stand_in, helper = office.another(Role.BUDGET_REVIEWER, "daili"), office.people[Role.APPROVER]
    add_delegation(owner, "daili", until="2026-03-20", reason="出差")
    assignments.delegate(stand_in, text, helper.person.login)
    event = last_event(office, text)
    assert (event["actor"]["sub"], event["actor"]["on_behalf_of"]) == (me(stand_in), me(owner))
    assert open_tasks(office, text)[""].owner_id == me(owner)
    assignments.resolve(stand_in, text)
    assert last_event(office, text)["actor"]["on_behalf_of"] == me(owner)
    assert open_tasks(office, text)[""].assignee_id == me(owner)
    # To claim is in one's own right only.
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="没有这个岗位"):
        assignments.claim(stand_in, text)


# Urging


def test_a_task_is_urged_once_a_day(office) -> None:
    text, reviewer = office.county("submitted"), office.people[Role.REVIEWER]
    drafter, head = office.people[Role.DRAFTER], office.people[Role.DEPARTMENT_HEAD]
    office.clock.moment = datetime(2026, 3, 3, 15, 0, tzinfo=UTC)  # 23:00 in Shanghai
    done = assignments.remind(drafter, text)
    assert done["role_title"] == "初审"
    assert messages(office, text, "task.remind") == [("reviewer", None)]
    assert last_event(office, text)["chg"] == [{"p": "/tasks/reviewer/urged", "n": "2026-03-03"}]
    for who in (drafter, head):
        with nothing_changes(office, text), pytest.raises(Conflict, match="2026-03-04 起可以再催") as refusal:
            assignments.remind(who, text)
    assert refusal.value.facts["again"] == "2026-03-04"
    office.clock.moment += timedelta(hours=1, minutes=1)  # past midnight there
    assignments.claim(reviewer, text)
    assignments.remind(head, text)
    assert messages(office, text, "task.remind") == [("reviewer", None), ("reviewer", me(reviewer))]
    with transaction(office.installation.engine, read_only=True) as work:
        assert [item.day for item in work.session.scalars(sa.select(Reminder).order_by(Reminder.day))] == [
            "2026-03-03",
            "2026-03-04",
        ]


def test_only_who_is_concerned_and_whose_turn_it_is_not_urges(office) -> None:
    text = office.county("submitted")
    with nothing_changes(office, text), pytest.raises(GuardFailed, match="轮到您自己"):
        assignments.remind(office.people[Role.REVIEWER], text)
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="参与过"):
        assignments.remind(office.people[Role.AUDITOR], text)
    draft = office.county("draft")
    with nothing_changes(office, draft), pytest.raises(NotAllowed, match="不能查看"):
        assignments.remind(office.people[Role.REVIEWER], draft)
    assignments.remind(office.people[Role.DEPARTMENT_HEAD], draft)
    assignments.remind(office.people[Role.APPROVER], text)


# Copying


def test_a_copy_is_sent_once_and_only_to_readers(office) -> None:
    text, drafter = office.county("submitted"), office.people[Role.DRAFTER]
    readers = [office.people[role] for role in (Role.APPROVER, Role.AUDITOR)]
    done = assignments.copy(drafter, text, [reader.person.login for reader in readers])
    assert done["copied"] == [me(reader) for reader in readers]
    assert last_event(office, text)["chg"] == [{"p": "/copies", "n": done["copied"]}]
    assert [who for _, who in messages(office, text, "text.copy")] == done["copied"]
    for reader in readers:
        assert [item["text"] for item in worklists.list_tasks(reader, view=worklists.View.COPIED)] == [text]
    before = counts(office.installation)
    again = assignments.copy(drafter, text, [readers[0].person.login])
    assert (again["copied"], again["event_id"]) == ([], None)
    assert counts(office.installation) == before
    draft = office.county("draft")
    gone = disable(office, office.another(Role.DRAFTER, "gone"))
    for to in (readers[0], gone, administrator(office, Role.SYSTEM_ADMINISTRATOR)):
        with nothing_changes(office, draft), pytest.raises(NotAllowed, match="不能抄送"):
            # One who may not read stops the whole call.
            assignments.copy(drafter, draft, [Role.PUBLISHER.value, to.person.login])
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="参与过"):
        assignments.copy(readers[1], text, [Role.PUBLISHER.value])
    with pytest.raises(InvalidInput, match="1 到 50"):
        assignments.copy(drafter, text, [])


# Overdue


def test_overdue_tasks_are_reported_to_the_head_once_for_their_due_day(office) -> None:
    late, in_time, back = office.county("submitted"), office.county("draft"), office.county("submitted")
    office.act(Role.REVIEWER, back, "return", reason="编码不对", remarks=[REMARK])
    admin = administrator(office, Role.SYSTEM_ADMINISTRATOR)
    due = {text: date.fromisoformat(open_tasks(office, text)[""].due_on) for text in (late, back)}
    assert assignments.list_overdue(admin) == []
    assert assignments.report_overdue(admin) == {"texts": 0, "reported": 0}
    # The due day itself is in time, to its end.
    office.clock.moment = datetime(due[late].year, due[late].month, due[late].day, 15, 0, tzinfo=UTC)
    assert assignments.list_overdue(admin) == []
    office.clock.moment += timedelta(days=30)
    found = {item["text"]: item for item in assignments.list_overdue(admin)}
    assert set(found) == {late, back}
    assert (found[late]["days"], found[late]["reported"]) == (30, False)
    assert assignments.report_overdue(admin) == {"texts": 2, "reported": 2}
    assert messages(office, late, "task.overdue") == [("approver", None)]
    # The text is back with the department: its head is told.
    assert messages(office, back, "task.overdue") == [("department_head", None)]
    event = last_event(office, late)
    assert (event["act"], event["actor"]["role"]) == ("task.overdue", "system_administrator")
    assert event["chg"] == [{"p": "/tasks/reviewer/overdue", "n": due[late].isoformat()}]
    before = counts(office.installation)
    assert assignments.report_overdue(admin) == {"texts": 0, "reported": 0}
    assert counts(office.installation) == before
    assert all(item["reported"] for item in assignments.list_overdue(admin))
    assert {item["text"] for item in assignments.list_overdue(office.people[Role.DRAFTER])} == {late, back}
    assert in_time not in found


def test_overdue_tasks_of_a_definition_without_heads_go_to_who_submits_or_to_the_role(office) -> None:
    late, back = office.driven("submitted"), office.driven("submitted")
    office.act(Role.REVIEWER, back, "return", reason="编码不对", remarks=[REMARK])
    office.clock.moment += timedelta(days=60)
    assignments.report_overdue(administrator(office, Role.SYSTEM_ADMINISTRATOR))
    assert messages(office, late, "task.overdue") == [("reviewer", None)]
    assert messages(office, back, "task.overdue") == [("department_head", None)]


def test_only_a_system_administrator_reports_overdue_tasks(office) -> None:
    before = counts(office.installation)
    for who in (office.people[Role.APPROVER], administrator(office, Role.SECURITY_ADMINISTRATOR)):
        with pytest.raises(NotAllowed, match="系统管理员"):
            assignments.report_overdue(who)
    assert counts(office.installation)["reminder"] == before["reminder"]


def test_the_history_calls_each_act_by_its_name(office) -> None:
    text, reviewer = office.county("submitted"), office.people[Role.REVIEWER]
    assignments.claim(reviewer, text)
    assignments.delegate(reviewer, text, Role.APPROVER.value)
    assignments.resolve(reviewer, text)
    assignments.remind(office.people[Role.DRAFTER], text)
    assignments.copy(reviewer, text, [Role.AUDITOR.value])
    shown = histories.history(office.people[Role.AUDITOR], text)[-5:]
    assert [item["title"] for item in shown] == ["签收", "委派", "办结委派", "催办", "抄送"]
    with transaction(office.installation.engine, read_only=True) as work:
        assert work.session.scalar(sa.select(sa.func.count()).select_from(Task).where(Task.text_id == text)) == 2
