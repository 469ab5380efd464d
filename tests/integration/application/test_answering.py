"""Warnings of the checks: fixed or answered before 报送, by the department; seen by both sides; void where the place changed."""

from __future__ import annotations

from typing import Any

import pytest
from handled_texts import administrator, last_event, nothing_changes, parts
from offices import ANSWER, SAMPLE, Office

from application import answering, histories
from application.accounts import insert_organization
from application.editing import confirm_repairs, set_members
from application.identity import authenticate
from application.importing import import_text
from application.installation import Request
from application.texts import show_text
from models.engine import transaction
from models.errors import Conflict, GuardFailed, InvalidInput, InvalidTransition, NotAllowed, NotFound
from models.people import Account, OrganizationKind, Role

SIGN = "F001@/projects/p1/indicators/i2/sign"


def drafter(office: Office) -> Any:
    return office.people[Role.DRAFTER]


def unanswered(office: Office) -> str:
    """A text whose repairs are confirmed and whose warnings wait."""
    text = office.imported(confirm=False)
    confirm_repairs(drafter(office), text, (), everything=True)
    return text


def listed(office: Office, text: str, role: Role = Role.DRAFTER) -> dict[str, Any]:
    return {
        f"{item['code']}@{item['anchor']}": item
        for item in answering.list_findings(office.people[role], text)["findings"]
    }


def test_a_submission_waits_for_answers_and_says_how_to_give_them(office: Office) -> None:
    text = unanswered(office)
    with nothing_changes(office, text), pytest.raises(GuardFailed) as refused:
        office.act(Role.DEPARTMENT_HEAD, text, "submit")
    message = refused.value.message
    waiting = [name for name, item in listed(office, text).items() if item["stops"]]
    assert len(waiting) >= 5
    assert SIGN in waiting
    assert f"有 {answering.list_findings(drafter(office), text)['unanswered']} 条警告没有改正，也没有答复" in message
    assert all(name in message for name in waiting)
    assert f"jixiao text answer {text} 代码@位置 --text 理由" in message
    answering.answer_findings(drafter(office), text, (), words=ANSWER, everything=True)
    assert answering.list_findings(drafter(office), text)["unanswered"] == 0
    assert office.act(Role.DEPARTMENT_HEAD, text, "submit")["state"] == "submitted"


def test_one_unanswered_warning_is_enough_to_stop(sqlite_office: Office) -> None:
    office, text = sqlite_office, unanswered(sqlite_office)
    names = [name for name, item in listed(office, text).items() if item["stops"]]
    for name in names[1:]:
        answering.answer_findings(drafter(office), text, [name], words=ANSWER)
    with pytest.raises(GuardFailed, match="有 1 条警告"):
        office.act(Role.DEPARTMENT_HEAD, text, "submit")
    done = answering.answer_findings(drafter(office), text, [names[0]], words=ANSWER)
    assert done["unanswered"] == 0
    office.act(Role.DEPARTMENT_HEAD, text, "submit")


def test_an_answer_is_one_event_with_what_it_answers(office: Office) -> None:
    text = unanswered(office)
    done = answering.answer_findings(drafter(office), text, [SIGN], words="讲座按场计数，没有上下限")
    event = last_event(office, text)
    assert (event["act"], event["out"], event["actor"]["role"]) == ("finding.answer", "success", "drafter")
    assert event["chg"] == [{"p": f"/findings/{SIGN.replace('@', '')}", "n": "讲座按场计数，没有上下限"}]
    assert event["after"] == show_text(drafter(office), text)["content_hash"]
    assert [item["anchor"] for item in done["answered"]] == ["/projects/p1/indicators/i2/sign"]
    answering.answer_findings(drafter(office), text, [SIGN], words="改：按场计数")
    assert last_event(office, text)["chg"][0] == {
        "p": "/findings/F001/projects/p1/indicators/i2/sign",
        "o": "讲座按场计数，没有上下限",
        "n": "改：按场计数",
    }
    assert listed(office, text)[SIGN]["answer"]["text"] == "改：按场计数"
    assert "editor" in parts(office, text, drafter(office))
    assert histories.history(drafter(office), text)[-1]["title"] == "答复检查"


def test_an_answer_survives_edits_elsewhere_and_is_void_where_its_place_changed(office: Office) -> None:
    text = office.imported()
    set_members(drafter(office), text, [("/overall/introduction", "改写了总体思路")])
    assert listed(office, text)[SIGN]["answer"]["text"] == ANSWER
    office.act(Role.DEPARTMENT_HEAD, text, "submit")
    office.act(Role.DEPARTMENT_HEAD, text, "recall")
    # The sentence names the value, which is what the answer was about.
    set_members(drafter(office), text, [("/projects/p1/indicators/i2/value", "办讲座12场，到场600人")])
    assert listed(office, text)[SIGN]["answer"] is None
    with pytest.raises(GuardFailed, match=SIGN):
        office.act(Role.DEPARTMENT_HEAD, text, "submit")
    set_members(drafter(office), text, [("/projects/p1/indicators/i2/value", "办讲座10场，到场600人")])
    assert listed(office, text)[SIGN]["answer"]["text"] == ANSWER, "the same finding as before has its answer again"


def test_a_fixed_warning_asks_for_no_answer(sqlite_office: Office) -> None:
    office, text = sqlite_office, unanswered(sqlite_office)
    set_members(drafter(office), text, [("/projects/p1/indicators/i2/sign", "≥")])
    assert SIGN not in listed(office, text)


def test_errors_are_fixed_and_not_answered(sqlite_office: Office) -> None:
    office = sqlite_office
    text = office.imported()
    set_members(drafter(office), text, [("/projects/p1/budget/other", "5.00")])
    (name,) = [name for name, item in listed(office, text).items() if item["code"] == "A001"]
    with pytest.raises(InvalidInput, match="是错误，不能用答复代替"):
        answering.answer_findings(drafter(office), text, [name], words=ANSWER)
    with pytest.raises(GuardFailed, match="A001"):
        office.act(Role.DEPARTMENT_HEAD, text, "submit")
    assert listed(office, text)[name]["stops"]


def test_hints_wait_for_nobody_and_may_be_answered(sqlite_office: Office) -> None:
    office, text = sqlite_office, sqlite_office.imported()
    hints = [name for name, item in listed(office, text).items() if item["severity"] == "hint"]
    assert hints
    assert not any(listed(office, text)[name]["stops"] for name in hints)
    answering.answer_findings(drafter(office), text, [hints[0]], words="知道了")
    assert listed(office, text)[hints[0]]["answer"]["text"] == "知道了"


def test_findings_are_named_by_pointer_too_and_by_their_code_alone(sqlite_office: Office) -> None:
    office, text = sqlite_office, unanswered(sqlite_office)
    done = answering.answer_findings(drafter(office), text, ["f001@/projects/0/indicators/1/sign"], words="甲")
    assert len(done["answered"]) == 1
    everything = [name for name in listed(office, text) if name.startswith("F001@")]
    done = answering.answer_findings(drafter(office), text, ["F001"], words="乙")
    assert len(done["answered"]) == len(everything) > 1
    assert listed(office, text)[SIGN]["answer"]["text"] == "乙"


@pytest.mark.parametrize(
    ("targets", "given", "error", "told"),
    [
        ([SIGN], {"words": " 。 "}, InvalidInput, "请用 --text 写明答复"),
        ([], {"words": "甲"}, InvalidInput, "二者选一"),
        ([SIGN], {"words": "甲", "everything": True}, InvalidInput, "二者选一"),
        (["F001@/projects/p9/code"], {"words": "甲"}, NotFound, "没有“F001@/projects/p9/code”这一条"),
        (["Z999"], {"words": "甲"}, NotFound, "jixiao text findings"),
        ([SIGN, "F001@nowhere"], {"words": "甲"}, InvalidInput, "应以 / 开头"),
        ([SIGN], {"words": "甲", "expected": 1}, Conflict, "改动"),
        ([SIGN], {"words": "甲" * 3000}, InvalidInput, "最多"),
    ],
)
def test_what_can_not_be_answered_changes_nothing(
    sqlite_office: Office, targets: list[str], given: dict[str, Any], error: type[Exception], told: str
) -> None:
    office, text = sqlite_office, unanswered(sqlite_office)
    before = listed(office, text)
    with pytest.raises(error, match=told):
        answering.answer_findings(drafter(office), text, targets, **given)
    assert listed(office, text) == before


def test_only_the_drafter_answers_and_only_while_the_text_is_theirs(office: Office) -> None:
    text = office.imported()
    for role in (Role.DEPARTMENT_HEAD, Role.REVIEWER, Role.AUDITOR):
        with pytest.raises(NotAllowed):
            answering.answer_findings(office.people[role], text, [SIGN], words="甲")
        assert last_event(office, text)["out"] == "denied"
    with pytest.raises(NotAllowed):
        answering.answer_findings(administrator(office, Role.SYSTEM_ADMINISTRATOR), text, [SIGN], words="甲")
    office.act(Role.DEPARTMENT_HEAD, text, "submit")
    with pytest.raises(InvalidTransition, match="内容不能修改"):
        answering.answer_findings(drafter(office), text, [SIGN], words="甲")


def test_reviewers_see_the_answers_that_came_with_the_submission(office: Office) -> None:
    text = office.imported()
    with pytest.raises(NotAllowed):
        listed(office, text, Role.REVIEWER)
    office.act(Role.DEPARTMENT_HEAD, text, "submit")
    assert listed(office, text, Role.REVIEWER)[SIGN]["answer"]["text"] == ANSWER
    shown = show_text(office.people[Role.REVIEWER], text)["checks"]
    assert {item["answer"]["text"] for item in shown} == {ANSWER}
    assert {item["severity"] for item in shown} == {"warning"}
    office.act(Role.DEPARTMENT_HEAD, text, "recall")
    answering.answer_findings(drafter(office), text, [SIGN], words="撤回之后改了")
    assert listed(office, text)[SIGN]["answer"]["text"] == "撤回之后改了"
    assert listed(office, text, Role.REVIEWER)[SIGN]["answer"]["text"] == ANSWER
    assert listed(office, text, Role.AUDITOR)[SIGN]["answer"]["text"] == "撤回之后改了"
    assert "答复检查" not in [item["title"] for item in histories.history(office.people[Role.REVIEWER], text)][-1:]
    office.act(Role.DEPARTMENT_HEAD, text, "submit")
    assert listed(office, text, Role.REVIEWER)[SIGN]["answer"]["text"] == "撤回之后改了"


def test_outsiders_see_no_findings_of_a_published_text(sqlite_office: Office) -> None:
    office = sqlite_office
    text = office.driven("published")
    token = office.token(Role.DRAFTER, "stranger")
    with transaction(office.installation.engine) as work:
        elsewhere = insert_organization(
            work,
            drafter(office).recorder,
            name="另一个部门",
            kind=OrganizationKind.DEPARTMENT,
            code=None,
            aliases=(),
            actor="-",
            role="-",
            now=office.clock(),
        )
        account = work.session.query(Account).filter_by(login="stranger").one()
        account.organization_id = elsewhere.id
    stranger = Request(office.installation, authenticate(office.installation, token), "s")
    with pytest.raises(NotAllowed, match="只有编制部门"):
        answering.list_findings(stranger, text)
    assert show_text(stranger, text)["checks"] == []
    with pytest.raises(NotAllowed):
        answering.answer_findings(stranger, text, [SIGN], words="甲")


def test_two_answers_at_once_keep_both_and_count_on(office: Office) -> None:
    text = unanswered(office)
    first, second = [name for name, item in listed(office, text).items() if item["stops"]][:2]
    one = answering.answer_findings(drafter(office), text, [first], words="甲")
    with pytest.raises(Conflict):
        answering.answer_findings(drafter(office), text, [second], words="乙", expected=one["row_version"] - 1)
    answering.answer_findings(drafter(office), text, [second], words="乙", expected=one["row_version"])
    found = listed(office, text)
    assert (found[first]["answer"]["text"], found[second]["answer"]["text"]) == ("甲", "乙")


def test_what_other_texts_show_may_be_answered_and_stops_nobody(sqlite_office: Office) -> None:
    office = sqlite_office
    last = SAMPLE.read_text("utf-8").replace("2021", "2020").replace("99042121", "99042120")
    import_text(drafter(office), last.encode())
    text = office.imported()
    compared = {name: item for name, item in listed(office, text).items() if not item["binds"]}
    assert any(name.startswith("R003@") and item["severity"] == "warning" for name, item in compared.items())
    assert all(item["answer"]["text"] == ANSWER for item in compared.values() if item["severity"] == "warning")
    other = unanswered(office)
    binding = [name for name, item in listed(office, other).items() if item["stops"]]
    for name in binding:
        answering.answer_findings(drafter(office), other, [name], words="甲")
    office.act(Role.DEPARTMENT_HEAD, other, "submit")
