"""What a second reader found: clocks, sides, repeated commands, published texts, failures after the commit."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest
import sqlalchemy as sa
from office_state import counts

from application import histories, texts
from application.accounts import add_account, grant_role
from application.acting import Remark, Reply, act
from application.auditing import read_log, verify_log
from application.editing import replace_content, set_members
from application.identity import authenticate, issue_token, log_in
from application.installation import Request
from application.rendering import render_text
from audit.timeline import events
from models.engine import transaction
from models.errors import Conflict, DatabaseUnavailable, GuardFailed, InvalidInput, NotAllowed
from models.ids import new_id
from models.people import Account, Organization, OrganizationKind, Role, RoleGrant

EDIT = [("/projects/p1/indicators/i6/sign", "≤")]
REMARK = Remark("/projects/p1/indicators/i6/sign", "没有符号")


def somebody(office, role: Role, login: str, *, organization: str | None = None) -> Request:
    """Another person of a role, in the same organization or a new department."""
    now = office.clock()
    with transaction(office.installation.engine) as work:
        owner = office.people[role].person.organization_id
        if organization is not None:
            owner = new_id(now)
            work.session.add(
                Organization(
                    id=owner, name=organization, kind=OrganizationKind.DEPARTMENT, code=None, aliases="", created_at=now
                )
            )
            work.session.flush()
        account = new_id(now)
        work.session.add(
            Account(
                id=account,
                organization_id=owner,
                login=login,
                display_name=login,
                password_hash=None,
                created_at=now,
                disabled_at=None,
            )
        )
        work.session.flush()
        work.session.add(
            RoleGrant(
                id=new_id(now),
                account_id=account,
                organization_id=owner,
                role=role,
                granted_by=None,
                granted_at=now,
                expires_at=None,
                revoked_at=None,
            )
        )
        token = issue_token(work, account, "t", now=now, lifetime=timedelta(days=9))
    return Request(office.installation, authenticate(office.installation, token), "test")


def administrator(office, role: Role) -> Request:
    return Request(office.installation, authenticate(office.installation, office.administrators[role]), "test")


def test_a_document_of_a_stage_is_made_of_that_stages_version_only(office):
    text = office.imported()
    set_members(office.people[Role.DRAFTER], text, EDIT)
    for role, action in (
        (Role.DEPARTMENT_HEAD, "submit"),
        (Role.REVIEWER, "accept"),
        (Role.REVIEWER, "pass"),
        (Role.APPROVER, "approve"),
    ):
        office.act(role, text, action)
    with pytest.raises(InvalidInput, match="不能另选版本"):
        render_text(office.people[Role.PUBLISHER], text, document="approval", version=1)
    assert render_text(office.people[Role.PUBLISHER], text, document="approval", format_="html").version == 2
    assert render_text(office.people[Role.DRAFTER], text, document="draft", format_="html", version=1).version == 1


def test_a_clock_that_was_set_back_changes_no_version_and_no_opinion(office):
    text = office.imported()
    set_members(office.people[Role.DRAFTER], text, EDIT)
    office.clock.moment -= timedelta(minutes=5)
    office.act(Role.DEPARTMENT_HEAD, text, "submit")
    assert texts.show_text(office.people[Role.REVIEWER], text)["version"] == 2
    assert texts.list_texts(office.people[Role.REVIEWER])[0]["version"] == 2
    office.act(Role.REVIEWER, text, "return", reason="一", remarks=[Remark("/overall", "第一次的意见")])
    office.clock.moment -= timedelta(hours=2)
    set_members(office.people[Role.DRAFTER], text, [("/title", "2021年部门预算绩效文本（改）")])
    office.act(Role.DEPARTMENT_HEAD, text, "submit", accept_all=True)
    office.act(Role.REVIEWER, text, "return", reason="二", remarks=[Remark("/overall", "第二次的意见")])
    notice = render_text(office.people[Role.DRAFTER], text, document="return", format_="html").data.decode()
    assert "第二次的意见" in notice
    assert "第一次的意见" not in notice


def test_a_clock_that_ran_ahead_does_not_stop_the_signing(office):
    office.clock.moment += timedelta(days=30)
    office.driven("approved")
    office.clock.moment -= timedelta(days=30)
    office.imported(confirm=False)
    verdict = verify_log(office.installation)
    assert verdict.signed == verdict.size


def test_a_new_order_of_a_list_confirms_no_repair(sqlite_office):
    text = sqlite_office.imported(confirm=False)
    drafter = sqlite_office.people[Role.DRAFTER]
    found = texts.show_text(drafter, text)
    waiting = sum(item["status"] == "open" for item in found["findings"])
    content = found["content"]
    content["projects"][0]["indicators"].reverse()
    assert replace_content(drafter, text, orjson.dumps(content))["corrected"] == 0
    after = texts.show_text(drafter, text)["findings"]
    assert sum(item["status"] == "open" for item in after) == waiting


def test_neither_side_speaks_for_the_other(office):
    text = office.imported()
    with pytest.raises(InvalidInput, match="不能写审核意见"):
        office.act(Role.DEPARTMENT_HEAD, text, "submit", remarks=[REMARK])
    office.act(Role.DEPARTMENT_HEAD, text, "submit")
    office.act(Role.REVIEWER, text, "accept", remarks=[REMARK])
    with pytest.raises(InvalidInput, match="不能答复意见"):
        office.act(Role.REVIEWER, text, "pass", accept_all=True)
    assert texts.list_opinions(office.people[Role.REVIEWER], text)[0]["answer"] is None


def test_kinds_are_checked_whatever_door_they_come_through(office):
    text = office.driven("first_review")
    with pytest.raises(InvalidInput, match="意见类别"):
        office.act(Role.REVIEWER, text, "return", reason="r", remarks=[Remark("/overall", "问题", kind="胡写")])
    office.act(Role.REVIEWER, text, "return", reason="r", remarks=[REMARK])
    opinion = texts.list_opinions(office.people[Role.DRAFTER], text)[0]["id"]
    for reply in (Reply("随便", ""), Reply("说明", " ")):
        with pytest.raises(InvalidInput):
            office.act(Role.DEPARTMENT_HEAD, text, "submit", replies={opinion: reply})


def test_a_repeated_command_gives_the_first_result_though_the_text_has_moved_on(office):
    text = office.driven("first_review")
    returned = {"reason": "r", "remarks": [REMARK], "command_id": "return-1"}
    first = office.act(Role.REVIEWER, text, "return", **returned)
    set_members(office.people[Role.DRAFTER], text, EDIT)
    assert office.act(Role.REVIEWER, text, "return", **returned) == {**first, "replayed": True}
    submitted = office.act(Role.DEPARTMENT_HEAD, text, "submit", accept_all=True, command_id="submit-1")
    again = office.act(Role.DEPARTMENT_HEAD, text, "submit", accept_all=True, command_id="submit-1")
    assert again == {**submitted, "replayed": True}
    with pytest.raises(Conflict, match="另一个操作"):
        office.act(Role.DEPARTMENT_HEAD, text, "submit", command_id="submit-1")


def test_a_published_text_is_open_without_opinions_names_or_drafts(office):
    text = office.driven("first_review")
    office.act(Role.REVIEWER, text, "return", reason="内部理由", remarks=[REMARK])
    set_members(office.people[Role.DRAFTER], text, EDIT)
    office.act(Role.DEPARTMENT_HEAD, text, "submit", accept_all=True)
    for role, action in (
        (Role.REVIEWER, "accept"),
        (Role.REVIEWER, "pass"),
        (Role.APPROVER, "approve"),
        (Role.PUBLISHER, "publish"),
    ):
        office.act(role, text, action)
    other = somebody(office, Role.DRAFTER, "other", organization="别的部门")
    shown = texts.show_text(other, text)
    assert (shown["version"], shown["opinions"], shown["findings"]) == (2, [], [])
    assert render_text(other, text, format_="html").document == "publication"
    for attempt in (
        lambda: texts.show_text(other, text, version=1),
        lambda: histories.history(other, text),
        lambda: texts.list_opinions(other, text),
        lambda: render_text(other, text, document="return"),
        lambda: render_text(other, text, document="draft"),
    ):
        with pytest.raises(NotAllowed):
            attempt()


def test_the_bureau_reads_the_title_that_was_submitted(office):
    text = office.driven("submitted")
    office.act(Role.DEPARTMENT_HEAD, text, "recall")
    set_members(office.people[Role.DRAFTER], text, [("/title", "正在改的标题")])
    assert texts.list_texts(office.people[Role.REVIEWER])[0]["title"] == "2021年部门预算绩效文本"
    assert texts.list_texts(office.people[Role.DRAFTER])[0]["title"] == "正在改的标题"


def test_only_who_submitted_last_recalls(office):
    second = somebody(office, Role.DEPARTMENT_HEAD, "second")
    text = office.driven("submitted")
    office.act(Role.DEPARTMENT_HEAD, text, "recall")
    act(second, text, action="submit")
    with pytest.raises(GuardFailed, match="最后一步不是您办理的"):
        office.act(Role.DEPARTMENT_HEAD, text, "recall")
    assert act(second, text, action="recall")["state"] == "draft"


def test_a_login_that_exists_stays_out_of_the_log(office):
    system = administrator(office, Role.SYSTEM_ADMINISTRATOR)
    add_account(system, "zhangsan@example", "张三", "澜石市青禾县图书馆")
    with pytest.raises(Conflict):
        add_account(system, "zhangsan@example", "张三", "澜石市青禾县图书馆")
    with transaction(office.installation.engine, read_only=True) as work:
        bodies = [orjson.dumps(item.event) for item in events(work, limit=1_000)]
    assert not any(b"zhangsan" in body for body in bodies)


def test_rights_that_were_taken_away_are_gone_for_a_request_at_hand(office):
    security = administrator(office, Role.SECURITY_ADMINISTRATOR)
    auditor = office.people[Role.AUDITOR]
    with transaction(office.installation.engine) as work:
        work.connection.execute(sa.text("UPDATE role_grant SET revoked_at = granted_at"))
    with pytest.raises(NotAllowed):
        grant_role(security, "drafter", Role.PUBLISHER)
    with pytest.raises(NotAllowed):
        read_log(auditor)


def test_attempts_at_the_log_and_at_incompatible_roles_are_events(office):
    before = counts(office.installation)
    with pytest.raises(NotAllowed):
        read_log(office.people[Role.DRAFTER])
    with pytest.raises(NotAllowed, match="不相容"):
        grant_role(administrator(office, Role.SECURITY_ADMINISTRATOR), "drafter", Role.AUDIT_ADMINISTRATOR)
    office.installation.catch_up()
    assert counts(office.installation)["audit_entry"] == before["audit_entry"] + before["audit_outbox"] + 2


def test_a_checkpoint_that_fails_after_the_commit_is_no_failed_command(office, monkeypatch):
    text = office.driven("second_review")

    def fails(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("audit.checkpoints.sign_checkpoint", fails)
    office.clock.moment += timedelta(hours=1)
    assert office.imported(confirm=False)
    with pytest.raises(DatabaseUnavailable, match="操作已保存"):
        office.act(Role.APPROVER, text, "approve")
    assert texts.actions(office.people[Role.AUDITOR], text)["state"] == "approved"


def test_a_log_in_tells_nobody_which_names_exist(office):
    for login in ("drafter", "nobody-of-that-name"):
        with pytest.raises(NotAllowed, match="登录名或口令不对"):
            log_in(office.installation, login, "some password")
