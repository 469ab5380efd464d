"""What is not to be seen, and what is not to be carried on: drafts, old backups, lost heads."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from office_state import counts

from application import histories, texts
from application.accounts import add_organization
from application.acting import Remark, act
from application.auditing import verify_log
from application.editing import replace_content, set_members
from application.identity import authenticate, issue_token, log_in, log_out, set_password
from application.installation import Installation, Request
from application.rendering import render_text
from audit.timeline import events
from models.engine import make_engine, transaction
from models.errors import GuardFailed, InvalidInput, LogCorrupt, NotAllowed, NotFound
from models.people import OrganizationKind, Role

EDIT = [("/projects/p1/indicators/i6/sign", "≤")]


def reopened(office) -> Installation:
    """The installation as the next process opens it."""
    engine = make_engine(office.installation.engine.url)
    return Installation(office.installation.settings, engine, office.clock)


def test_nothing_is_written_to_a_restored_backup(sqlite_office, tmp_path):
    office = sqlite_office
    text = office.driven("second_review")
    office.installation.engine.dispose()
    database = Path(office.installation.engine.url.database)
    shutil.copy(database, tmp_path / "backup.db")
    office.act(Role.APPROVER, text, "approve")
    office.installation.engine.dispose()
    shutil.copy(tmp_path / "backup.db", database)
    for name in ("-wal", "-shm"):
        database.with_name(database.name + name).unlink(missing_ok=True)
    fresh = reopened(office)
    before = counts(fresh)
    request = Request(fresh, office.people[Role.APPROVER].person, "test")
    with pytest.raises(LogCorrupt, match="旧备份"):
        act(request, text, action="approve")
    with pytest.raises(LogCorrupt, match="旧备份"):
        render_text(request, text)
    assert counts(fresh) == before
    assert not verify_log(fresh).ok
    fresh.engine.dispose()


def test_nothing_is_written_without_the_last_signed_head(office):
    text = office.driven("approved")
    (office.installation.settings.keys / "log.head").unlink()
    fresh = reopened(office)
    before = counts(fresh)
    with pytest.raises(LogCorrupt, match="不见了"):
        act(Request(fresh, office.people[Role.PUBLISHER].person, "test"), text, action="publish")
    assert counts(fresh) == before
    fresh.engine.dispose()


def test_the_bureau_sees_what_was_submitted_and_not_what_is_being_written(office):
    text = office.driven("submitted")
    reviewer, drafter = office.people[Role.REVIEWER], office.people[Role.DRAFTER]
    office.act(Role.DEPARTMENT_HEAD, text, "recall")
    set_members(drafter, text, EDIT)
    seen = texts.show_text(reviewer, text)
    assert seen["version"] == 1
    assert "sign" not in seen["content"]["projects"][0]["indicators"][5]
    assert texts.show_text(drafter, text)["version"] == 2
    for attempt in (
        lambda: texts.show_text(reviewer, text, version=2),
        lambda: render_text(reviewer, text, document="draft", format_="html", version=2),
    ):
        with pytest.raises(NotAllowed, match="还没有报送"):
            attempt()
    with pytest.raises(NotFound, match="没有第 3 版"):
        texts.show_text(reviewer, text, version=3)
    office.act(Role.DEPARTMENT_HEAD, text, "submit")
    assert texts.show_text(reviewer, text)["version"] == 2


def test_a_refused_look_is_an_event(office):
    text = office.imported()
    with pytest.raises(NotAllowed):
        texts.show_text(office.people[Role.REVIEWER], text)
    with transaction(office.installation.engine, read_only=True) as work:
        last = events(work, obj_type="text", obj_id=text, limit=100)[-1].event
    assert (last["act"], last["out"]) == ("text.read", "denied")


def test_a_notice_of_return_stays_the_same_after_it_was_answered(office):
    text = office.driven("first_review")
    remark = Remark("/projects/p1/indicators/i6/sign", "没有符号")
    office.act(Role.REVIEWER, text, "return", reason="有误", remarks=[remark])
    reviewer = office.people[Role.REVIEWER]
    first = render_text(reviewer, text, document="return")
    set_members(office.people[Role.DRAFTER], text, EDIT)
    office.act(Role.DEPARTMENT_HEAD, text, "submit", accept_all=True)
    assert render_text(reviewer, text, document="return").data == first.data


def test_the_content_hash_shown_is_that_of_the_version(office):
    text = office.imported()
    drafter = office.people[Role.DRAFTER]
    first = texts.show_text(drafter, text)["content_hash"]
    second = set_members(drafter, text, EDIT)["content_hash"]
    assert first != second
    assert texts.show_text(drafter, text, version=1)["content_hash"] == first
    assert texts.show_text(drafter, text)["content_hash"] == second


def test_log_out_ends_a_log_in_and_leaves_an_access_token(office):
    drafter = office.people[Role.DRAFTER]
    set_password(drafter, "a long password")
    token, person = log_in(office.installation, Role.DRAFTER.value, "a long password")
    log_out(Request(office.installation, person, "test"), token)
    with pytest.raises(NotAllowed, match="已撤销"):
        authenticate(office.installation, token)
    assert not log_out(drafter, office.tokens[Role.DRAFTER.value])
    assert authenticate(office.installation, office.tokens[Role.DRAFTER.value]).account_id == person.account_id


def test_only_the_digest_of_a_token_is_stored(office):
    with transaction(office.installation.engine) as work:
        account = office.people[Role.DRAFTER].person.account_id
        token = issue_token(work, account, "t", now=office.clock(), lifetime=timedelta(days=1))
        stored = work.connection.exec_driver_sql("SELECT digest FROM access_token WHERE name = 't'").scalar()
    assert token not in stored
    assert len(stored) == 64


def test_a_new_password_asks_for_the_old_one_and_ends_log_ins(office):
    drafter = office.people[Role.DRAFTER]
    set_password(drafter, "a long password")
    token, _ = log_in(office.installation, Role.DRAFTER.value, "a long password")
    for wrong in (None, "another password"):
        with pytest.raises(NotAllowed, match="旧口令不对"):
            set_password(drafter, "a longer password", wrong)
    set_password(drafter, "a longer password", "a long password")
    with pytest.raises(NotAllowed, match="已撤销"):
        authenticate(office.installation, token)
    with pytest.raises(NotAllowed, match="不对"):
        log_in(office.installation, Role.DRAFTER.value, "a long password")


def test_a_refusal_is_not_written_to_an_old_backup_either(office):
    text = office.driven("approved")
    (office.installation.settings.keys / "log.head").unlink()
    fresh = reopened(office)
    before = counts(fresh)
    request = Request(fresh, office.people[Role.DRAFTER].person, "test")
    for attempt in (
        lambda: act(request, text, action="publish"),
        lambda: texts.show_text(Request(fresh, office.people[Role.REVIEWER].person, "test"), text, version=99),
        lambda: add_organization(request, "某局", OrganizationKind.DEPARTMENT),
    ):
        with pytest.raises((LogCorrupt, NotFound)):
            attempt()
    assert counts(fresh) == before
    assert histories.history(request, text)
    fresh.engine.dispose()


def test_the_history_that_the_bureau_sees_ends_with_the_submission(office):
    text = office.driven("submitted")
    office.act(Role.DEPARTMENT_HEAD, text, "recall")
    set_members(office.people[Role.DRAFTER], text, EDIT, reason="内部的想法")
    reviewer = office.people[Role.REVIEWER]
    set_members(office.people[Role.DRAFTER], text, [("/projects/p1/indicators/i1/level1", "内部的想法二")])
    with pytest.raises(GuardFailed, match="内部的想法二"):
        office.act(Role.DEPARTMENT_HEAD, text, "submit")
    set_members(office.people[Role.DRAFTER], text, [("/projects/p1/indicators/i1/level1", "产出指标")])
    seen = histories.history(reviewer, text)
    assert "内部的想法" not in str(seen)
    assert seen[-1]["act"] == "workflow.recall"
    assert "内部的想法" in str(histories.history(office.people[Role.AUDITOR], text))
    listed = texts.list_texts(reviewer)[0]
    assert (listed["version"], listed["content_hash"]) == (1, texts.show_text(reviewer, text)["content_hash"])
    office.act(Role.DEPARTMENT_HEAD, text, "submit")
    assert "内部的想法" in str(histories.history(reviewer, text))


def test_a_rewritten_text_is_one_event_of_modest_size_and_its_history_is_whole(office):
    text = office.imported()
    drafter = office.people[Role.DRAFTER]
    content = texts.show_text(drafter, text)["content"]
    sample = content["projects"][0]["indicators"][0]
    added = [{**sample, "id": f"i{number}", "description": f"第{number}项" + "长" * 400} for number in range(20, 220)]
    content["projects"][0]["indicators"] += added
    content["projects"][0]["purpose"] = "很长的用途" * 2_000
    replace_content(drafter, text, orjson.dumps(content))
    with transaction(office.installation.engine, read_only=True) as work:
        last = events(work, obj_type="text", obj_id=text, limit=100)[-1].event
    assert len(orjson.dumps(last)) < 16 * 1024
    changes = {change["p"]: change for change in histories.history(drafter, text)[-1]["changes"]}
    assert changes["/projects/p1/purpose"]["n"] == "很长的用途" * 2_000
    assert sum(place.startswith("/projects/p1/indicators/i") for place in changes) == 200


def test_reasons_that_no_event_can_hold_are_refused(office):
    text = office.driven("first_review")
    for reason, words in (("长" * 2_001, "最多 2000 字"), ("控制\x07字符", "控制字符")):
        with pytest.raises(InvalidInput, match=words):
            office.act(Role.REVIEWER, text, "return", reason=reason, remarks=[Remark("/overall", "重复")])
    office.act(Role.REVIEWER, text, "return", reason="长" * 2_000, remarks=[Remark("/overall", "重" * 2_000)])
    seen = histories.history(office.people[Role.DRAFTER], text)[-1]
    assert seen["why"] == "长" * 2_000
    assert seen["changes"][0]["n"].startswith("必改：重重")
