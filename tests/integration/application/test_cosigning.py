"""加签 and 减签 on both databases: seats added before and after, nested, in turn, taken out, taken back; a whole life."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from handled_texts import (
    disable,
    grant,
    last_event,
    me,
    messages,
    nothing_changes,
    open_tasks,
    parts,
    turned_administrator,
)
from office_state import counts, state_of
from signing_rules import publish_signing

from application import histories
from application.acting import Choice, Remark, act
from application.assignments import (
    add_signer,
    claim,
    delegate,
    reassign,
    release,
    remind,
    remove_signer,
    resolve,
)
from application.auditing import verify_log
from application.delegations import add_delegation
from application.installation import Request
from models.engine import transaction
from models.errors import Conflict, GuardFailed, InvalidInput, NotAllowed, NotFound
from models.people import Role
from models.process import Signature, Signer, Task

AGAINST = Choice(against=True)
REMARK = Remark("/projects/p1/code", "编码与批复不符", "核对编码")


def seats(office: Any, text: str) -> dict[str, str | None]:
    """Whose the open seats are."""
    return {seat: task.assignee_id for seat, task in open_tasks(office, text).items()}


def rows(office: Any, model: Any, text: str) -> list[Any]:
    with transaction(office.installation.engine, read_only=True) as work:
        query = sa.select(model).where(model.text_id == text).order_by(*model.__table__.primary_key)
        return list(work.session.scalars(query))


def test_one_added_before_signs_first_and_the_seat_waits(office) -> None:
    text, first = office.county("second_review"), office.people[Role.SECOND_REVIEWER]
    adviser = office.another(Role.BUDGET_REVIEWER, "adviser")
    version = state_of(office.installation, text)
    done = add_signer(first, text, "adviser", place="before", reason="请先看资金")
    assert (done["seat"], done["anchor"]) == ("+1", "second_reviewer")
    assert seats(office, text) == {"budget_reviewer": None, "+1": me(adviser)}
    assert state_of(office.installation, text) == version
    assert messages(office, text, "signer.add") == [("second_reviewer", me(adviser))]
    event = last_event(office, text)
    assert (event["act"], event["why"], event["actor"]["role"]) == ("signer.add", "请先看资金", "second_reviewer")
    assert event["chg"][0]["n"] == {"account": me(adviser), "anchor": "second_reviewer", "place": "before"}
    assert parts(office, text, first) == {"second_reviewer"}
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="已指定别人"):
        act(first, text, action="sign")
    assert act(adviser, text, action="sign")["waiting"] == ["second_reviewer", "budget_reviewer"]
    assert seats(office, text) == {"second_reviewer": None, "budget_reviewer": None}
    assert parts(office, text, adviser) == {"second_reviewer"}
    act(first, text, action="sign")
    assert office.act(Role.BUDGET_REVIEWER, text, "sign")["state"] == "issuing"
    assert [(vote.seat, vote.choice) for vote in rows(office, Signature, text)][-3:] == [
        ("+1", "agree"),
        ("second_reviewer", "agree"),
        ("budget_reviewer", "agree"),
    ]


def test_one_added_after_has_no_task_until_the_seat_has_agreed(office) -> None:
    text, first = office.county("second_review"), office.people[Role.SECOND_REVIEWER]
    adviser = office.another(Role.SECOND_REVIEWER, "adviser")
    add_signer(first, text, "adviser", place="after")
    assert seats(office, text) == {"budget_reviewer": None, "second_reviewer": None}
    assert messages(office, text, "signer.add") == []
    office.act(Role.BUDGET_REVIEWER, text, "sign")
    assert act(first, text, action="sign")["vote"] == "pending"
    assert seats(office, text) == {"+1": me(adviser)}
    assert messages(office, text, "sign")[-1] == ("second_reviewer", me(adviser))
    assert act(adviser, text, action="sign")["state"] == "issuing"


def test_one_added_before_who_is_against_fails_the_sign_off(office) -> None:
    text, first = office.county("second_review"), office.people[Role.SECOND_REVIEWER]
    adviser = office.another(Role.BUDGET_REVIEWER, "adviser")
    add_signer(first, text, "adviser", place="before")
    done = act(adviser, text, action="sign", choice=AGAINST, reason="编码不对", remarks=[REMARK])
    assert (done["vote"], done["state"]) == ("failed", "revision")
    assert seats(office, text) == {"": None}


def test_added_signers_add_others_and_everybody_waits_in_order(office) -> None:
    text, first = office.county("second_review"), office.people[Role.SECOND_REVIEWER]
    one, two, three = (office.another(Role.BUDGET_REVIEWER, name) for name in ("one", "two", "three"))
    office.act(Role.BUDGET_REVIEWER, text, "sign")
    add_signer(first, text, "one", place="before")
    assert add_signer(one, text, "two", place="before")["anchor"] == "+1"
    assert seats(office, text) == {"+2": me(two)}
    act(two, text, action="sign")
    assert seats(office, text) == {"+1": me(one)}
    add_signer(one, text, "three", place="after")
    act(one, text, action="sign")
    assert seats(office, text) == {"second_reviewer": None, "+3": me(three)}
    act(first, text, action="sign")
    assert act(three, text, action="sign")["state"] == "issuing"


def test_in_turn_the_next_seat_waits_for_those_added_to_the_one_before(office) -> None:
    text = publish_signing(office, "sequential")
    after, before = office.another(Role.APPROVER, "after"), office.another(Role.APPROVER, "before")
    reviewer, second = office.people[Role.REVIEWER], office.people[Role.SECOND_REVIEWER]
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="还没有轮到您签署"):
        add_signer(second, text, "before", place="before")
    add_signer(reviewer, text, "after", place="after")
    act(reviewer, text, action="sign")
    assert seats(office, text) == {"+1": me(after)}
    act(after, text, action="sign")
    assert seats(office, text) == {"second_reviewer": None}
    add_signer(second, text, "before", place="before")
    assert seats(office, text) == {"+2": me(before)}
    act(before, text, action="sign")
    assert act(second, text, action="sign")["state"] == "done"


def test_who_does_not_fit_is_not_added(office) -> None:
    text, first = office.county("second_review"), office.people[Role.SECOND_REVIEWER]
    office.act(Role.BUDGET_REVIEWER, text, "sign")
    adviser = office.another(Role.BUDGET_REVIEWER, "adviser")
    waiting = office.another(Role.BUDGET_REVIEWER, "waiting")
    add_signer(first, text, "waiting", place="after")
    for to, why in (
        (first, "加签给自己"),
        (waiting, "已经有席位"),
        (office.people[Role.BUDGET_REVIEWER], "已经投过票"),
        (office.people[Role.REVIEWER], "不相容岗位"),
        (office.people[Role.DRAFTER], "不属于办理这项任务的单位"),
        (disable(office, office.another(Role.APPROVER, "gone")), "停用"),
        (turned_administrator(office, Role.APPROVER, "admin"), "系统管理员"),
    ):
        with nothing_changes(office, text), pytest.raises(NotAllowed, match=why):
            add_signer(first, text, to.person.login, place="before")
    with pytest.raises(NotFound, match="没有登录名"):
        add_signer(first, text, "nobody", place="before")
    with pytest.raises(InvalidInput, match="before"):
        add_signer(first, text, "adviser", place="beside")
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="没有可以签署的席位"):
        add_signer(office.people[Role.APPROVER], text, "adviser", place="before")
    with nothing_changes(office, text), pytest.raises(GuardFailed, match="已经投过票"):
        add_signer(office.people[Role.BUDGET_REVIEWER], text, "adviser", place="after")
    elsewhere = office.county("submitted")
    with nothing_changes(office, elsewhere), pytest.raises(GuardFailed, match="没有签署"):
        add_signer(office.people[Role.REVIEWER], elsewhere, "adviser", place="before")
    assert me(adviser) not in {signer.account_id for signer in rows(office, Signer, text)}


def test_an_added_seat_is_neither_released_nor_handed_on_but_lent_for_help(office) -> None:
    text, first = office.county("second_review"), office.people[Role.SECOND_REVIEWER]
    adviser, helper = (office.another(Role.APPROVER, name) for name in ("adviser", "helper"))
    add_signer(first, text, "adviser", place="before")
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="加签给您的席位"):
        release(adviser, text)
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="加签的席位"):
        reassign(adviser, text, "helper", reason="忙", seat="+1")
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="没有这个岗位"):
        claim(office.people[Role.APPROVER], text, seat="+1")
    delegate(adviser, text, "helper", seat="+1")
    with nothing_changes(office, text), pytest.raises(NotAllowed):
        act(adviser, text, action="sign")
    resolve(helper, text, note="无异议")
    assert act(adviser, text, action="sign")["vote"] == "pending"


def test_who_helped_and_signed_elsewhere_meanwhile_can_not_give_the_help(office) -> None:
    text = publish_signing(office, "all")
    reviewer, helper = office.people[Role.REVIEWER], office.people[Role.SECOND_REVIEWER]
    delegate(reviewer, text, helper.person.login)
    act(helper, text, action="sign")
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="不相容岗位"):
        resolve(helper, text, note="属实")
    resolve(reviewer, text)
    assert act(reviewer, text, action="sign")["state"] == "done"


def test_votes_beside_added_seats_are_taken_back_until_who_waited_has_signed(office) -> None:
    text, first = office.county("second_review"), office.people[Role.SECOND_REVIEWER]
    before, after = (office.another(Role.BUDGET_REVIEWER, name) for name in ("before", "after"))
    add_signer(first, text, "before", place="before")
    act(before, text, action="sign")
    assert "second_reviewer" in seats(office, text)
    act(before, text, action="recall")
    assert seats(office, text) == {"budget_reviewer": None, "+1": me(before)}
    act(before, text, action="sign")
    add_signer(first, text, "after", place="after")
    act(first, text, action="sign")
    with nothing_changes(office, text), pytest.raises(GuardFailed, match="下一位已经签署"):
        act(before, text, action="recall")
    act(first, text, action="recall")
    assert seats(office, text) == {"budget_reviewer": None, "second_reviewer": None}
    act(first, text, action="sign")
    assert seats(office, text) == {"budget_reviewer": None, "+2": me(after)}
    act(after, text, action="sign")
    with nothing_changes(office, text), pytest.raises(GuardFailed, match="下一位已经签署"):
        act(first, text, action="recall")
    assert office.act(Role.BUDGET_REVIEWER, text, "sign")["state"] == "issuing"
    assert office.act(Role.BUDGET_REVIEWER, text, "recall")["state"] == "second_review"
    assert seats(office, text) == {"budget_reviewer": None}
    assert office.act(Role.BUDGET_REVIEWER, text, "sign")["state"] == "issuing"


def test_the_step_before_stands_once_a_signer_was_added(office) -> None:
    text, first = office.county("second_review"), office.people[Role.SECOND_REVIEWER]
    office.another(Role.BUDGET_REVIEWER, "adviser")
    add_signer(first, text, "adviser", place="before")
    with nothing_changes(office, text), pytest.raises(GuardFailed, match="下一环节已经处理"):
        office.act(Role.REVIEWER, text, "recall")


# Taking a seat out again


def test_a_removed_seat_leaves_the_sign_off_as_if_it_had_never_been(office) -> None:
    text, first = office.county("second_review"), office.people[Role.SECOND_REVIEWER]
    adviser = office.another(Role.BUDGET_REVIEWER, "adviser")
    add_signer(first, text, "adviser", place="before")
    done = remove_signer(first, text, "+1", reason="本人已看")
    assert (done["vote"], done["state"]) == ("pending", "second_review")
    assert seats(office, text) == {"budget_reviewer": None, "second_reviewer": None}
    assert [task.outcome for task in rows(office, Task, text) if task.seat == "+1"] == ["void"]
    event = last_event(office, text)
    assert (event["act"], event["why"]) == ("signer.remove", "本人已看")
    assert event["chg"][0]["o"]["account"] == me(adviser)
    assert messages(office, text, "signer.remove") == [("second_reviewer", me(adviser)), ("second_reviewer", None)]
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="没有可以签署的席位"):
        act(office.people[Role.APPROVER], text, action="sign")
    # A key is never given again, so that the log can't be read two ways.
    assert add_signer(first, text, "adviser", place="after")["seat"] == "+2"
    act(first, text, action="sign")
    act(adviser, text, action="sign")
    assert office.act(Role.BUDGET_REVIEWER, text, "sign")["state"] == "issuing"


def test_a_seat_that_waited_is_its_claimers_again_with_its_due_day(office) -> None:
    text, first = office.county("second_review"), office.people[Role.SECOND_REVIEWER]
    office.another(Role.BUDGET_REVIEWER, "adviser")
    claim(first, text)
    due = open_tasks(office, text)["second_reviewer"].due_on
    office.clock.moment += timedelta(days=3)
    add_signer(first, text, "adviser", place="before")
    assert open_tasks(office, text)["+1"].due_on == due
    remove_signer(first, text, "+1")
    task = open_tasks(office, text)["second_reviewer"]
    assert (task.assignee_id, task.due_on) == (me(first), due)


def test_only_who_added_a_seat_takes_it_out_and_only_while_it_is_idle(office) -> None:
    text, first = office.county("second_review"), office.people[Role.SECOND_REVIEWER]
    one, two = (office.another(Role.BUDGET_REVIEWER, name) for name in ("one", "two"))
    add_signer(first, text, "one", place="before")
    for who in (one, office.people[Role.BUDGET_REVIEWER], office.people[Role.APPROVER]):
        with nothing_changes(office, text), pytest.raises(NotAllowed, match="只有加签的人"):
            remove_signer(who, text, "+1")
    with nothing_changes(office, text), pytest.raises(GuardFailed, match="流程定义规定"):
        remove_signer(first, text, "budget_reviewer")
    with pytest.raises(NotFound, match="没有加签席位"):
        remove_signer(first, text, "+9")
    add_signer(one, text, "two", place="before")
    with nothing_changes(office, text), pytest.raises(GuardFailed, match="又加了签"):
        remove_signer(first, text, "+1")
    remove_signer(one, text, "+2")
    with nothing_changes(office, text), pytest.raises(Conflict, match="已经减去"):
        remove_signer(one, text, "+2")
    assert seats(office, text) == {"budget_reviewer": None, "+1": me(one)}
    act(one, text, action="sign")
    with nothing_changes(office, text), pytest.raises(GuardFailed, match="已经签署"):
        remove_signer(first, text, "+1")
    elsewhere = office.county("submitted")
    with nothing_changes(office, elsewhere), pytest.raises(GuardFailed, match="没有签署"):
        remove_signer(office.people[Role.REVIEWER], elsewhere, "+1")
    assert me(two) not in seats(office, text).values()


def test_to_remove_the_last_seat_that_was_waited_for_ends_the_sign_off(office) -> None:
    text, first = office.county("second_review"), office.people[Role.SECOND_REVIEWER]
    adviser = office.another(Role.BUDGET_REVIEWER, "adviser")
    add_signer(first, text, "adviser", place="after")
    office.act(Role.BUDGET_REVIEWER, text, "sign")
    act(first, text, action="sign")
    done = remove_signer(first, text, "+1")
    assert (done["vote"], done["state"], done["action"]) == ("passed", "issuing", "pass")
    shown = [item["act"] for item in histories.history(office.people[Role.AUDITOR], text)]
    assert shown[-2:] == ["signer.remove", "workflow.pass"]
    assert seats(office, text) == {"": None}
    # Taken back, the seat is there again with its person, and the votes stand.
    assert act(first, text, action="recall")["state"] == "second_review"
    assert seats(office, text) == {"+1": me(adviser)}
    assert act(adviser, text, action="sign")["state"] == "issuing"
    assert office.act(Role.APPROVER, text, "approve")["state"] == "issued"


def test_of_any_a_removed_seat_lets_the_agreement_of_the_other_decide(office) -> None:
    text = publish_signing(office, "any")
    reviewer, second = office.people[Role.REVIEWER], office.people[Role.SECOND_REVIEWER]
    office.another(Role.APPROVER, "adviser")
    add_signer(reviewer, text, "adviser", place="before")
    assert act(second, text, action="sign")["vote"] == "pending"
    assert remove_signer(reviewer, text, "+1")["state"] == "done"
    assert act(reviewer, text, action="recall")["state"] == "signing"
    assert list(seats(office, text)) == ["+1"]
    assert remove_signer(reviewer, text, "+1")["state"] == "done"


# Standing in


def test_a_delegate_adds_and_removes_signers_and_both_names_stand_in_the_log(office) -> None:
    text, first = office.county("second_review"), office.people[Role.SECOND_REVIEWER]
    stand_in, adviser = (office.another(Role.APPROVER, name) for name in ("daili", "adviser"))
    add_delegation(first, "daili", until="2026-03-20", reason="出差")
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="席位的办理人"):
        add_signer(stand_in, text, first.person.login, place="before")
    add_signer(stand_in, text, "adviser", place="before")
    event = last_event(office, text)
    assert (event["actor"]["sub"], event["actor"]["on_behalf_of"]) == (me(stand_in), me(first))
    assert parts(office, text, first) == parts(office, text, stand_in) == {"second_reviewer"}
    shown = histories.history(office.people[Role.AUDITOR], text)[-1]
    assert (shown["actor"], shown["on_behalf_of"]) == ("daili", first.person.display_name)
    # The principal added it, whoever's hand it was.
    remove_signer(first, text, "+1")
    add_signer(first, text, "adviser", place="before")
    remove_signer(stand_in, text, "+2")
    assert last_event(office, text)["actor"]["on_behalf_of"] == me(first)
    assert me(adviser) not in seats(office, text).values()


def test_a_stand_in_signs_on_an_added_seat_for_the_one_who_was_asked(office) -> None:
    text, first = office.county("second_review"), office.people[Role.SECOND_REVIEWER]
    adviser, stand_in = office.another(Role.BUDGET_REVIEWER, "adviser"), office.another(Role.APPROVER, "daili")
    add_signer(first, text, "adviser", place="before")
    add_delegation(adviser, "daili", until="2026-03-20", reason="出差")
    act(stand_in, text, action="sign")
    assert last_event(office, text)["actor"]["on_behalf_of"] == me(adviser)
    with nothing_changes(office, text), pytest.raises(GuardFailed, match="已经投过票"):
        act(adviser, text, action="sign")


def test_a_delegation_of_another_role_does_not_reach_an_added_seat(sqlite_office) -> None:
    office = sqlite_office
    text, first = office.county("second_review"), office.people[Role.SECOND_REVIEWER]
    adviser, stand_in = office.another(Role.BUDGET_REVIEWER, "adviser"), office.another(Role.APPROVER, "daili")
    grant(office, adviser, Role.APPROVER)
    add_signer(first, text, "adviser", place="before")
    add_delegation(adviser, "daili", until="2026-03-20", role=Role.APPROVER, reason="出差")
    with pytest.raises(NotAllowed):
        act(stand_in, text, action="sign")


def test_who_was_asked_to_sign_after_somebody_takes_no_other_seat(sqlite_office) -> None:
    office = sqlite_office
    text, first = office.county("second_review"), office.people[Role.SECOND_REVIEWER]
    add_signer(first, text, office.people[Role.BUDGET_REVIEWER].person.login, place="after")
    # With their one vote on the seat of the pool, nobody could ever vote on the added one.
    with pytest.raises(NotAllowed):
        office.act(Role.BUDGET_REVIEWER, text, "sign")


def test_a_claimed_seat_is_still_its_claimers_after_it_has_waited(sqlite_office) -> None:
    office = sqlite_office
    text, first = office.county("second_review"), office.people[Role.SECOND_REVIEWER]
    adviser = office.another(Role.BUDGET_REVIEWER, "adviser")
    claim(first, text)
    add_signer(first, text, "adviser", place="before")
    act(adviser, text, action="sign")
    assert seats(office, text)["second_reviewer"] == me(first)


# A whole life


def test_a_whole_life_with_signers_before_and_after_and_with_help(office) -> None:
    text = office.county("submitted")
    reviewer, first = office.people[Role.REVIEWER], office.people[Role.SECOND_REVIEWER]
    helper, before, after = (office.another(Role.REVIEWER, name) for name in ("helper", "before", "after"))
    claim(reviewer, text)
    act(reviewer, text, action="accept")
    claim(reviewer, text)
    delegate(reviewer, text, "helper", reason="请核对指标")
    remind(reviewer, text)
    resolve(helper, text, note="指标与往年一致")
    assert act(reviewer, text, action="pass")["state"] == "second_review"
    add_signer(first, text, "before", place="before")
    act(before, text, action="sign")
    add_signer(first, text, "after", place="after")
    act(first, text, action="sign")
    reassign(
        office.people[Role.APPROVER], text, _second_budget_reviewer(office), reason="调整分工", seat="budget_reviewer"
    )
    act(after, text, action="sign")
    with nothing_changes(office, text), pytest.raises(NotAllowed, match="已指定别人"):
        office.act(Role.BUDGET_REVIEWER, text, "sign")
    assert act(office.people["budget2"], text, action="sign")["state"] == "issuing"
    for role, action, state in (
        (Role.APPROVER, "approve", "issued"),
        (Role.REVIEWER, "issue", "approved"),
        (Role.PUBLISHER, "publish", "published"),
    ):
        assert office.act(role, text, action)["state"] == state
    # Who signed beside the second review approves nothing of this text.
    assert {part for who in (helper, before, after) for part in parts(office, text, who)} == {
        "reviewer",
        "second_reviewer",
    }
    shown = [item["title"] for item in histories.history(office.people[Role.AUDITOR], text)]
    for title in ("签收", "委派", "催办", "办结委派", "加签", "签署", "转办", "公开"):
        assert title in shown
    assert verify_log(office.installation).ok
    assert counts(office.installation)["signer"] == 2


def _second_budget_reviewer(office: Any) -> str:
    request: Request = office.another(Role.BUDGET_REVIEWER, "budget2")
    office.people["budget2"] = request
    return request.person.login
