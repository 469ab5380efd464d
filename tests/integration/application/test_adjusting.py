"""The adjustment of a published text on both databases: what outsiders see meanwhile, and the list of what changed."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner
from office_state import state_of
from structlog.testing import capture_logs

from application import accounts, texts
from application.adjusting import adjustment
from application.editing import set_members
from application.identity import authenticate
from application.installation import Request
from cli.adjusting import adjustment as command
from models.errors import GuardFailed, NotAllowed, NotFound
from models.people import OrganizationKind, Role

PLACE = "/projects/p1/purpose"
WAY = (
    (Role.REVIEWER, "accept"),
    (Role.REVIEWER, "pass"),
    (Role.SECOND_REVIEWER, "sign"),
    (Role.BUDGET_REVIEWER, "sign"),
    (Role.APPROVER, "approve"),
    (Role.REVIEWER, "issue"),
    (Role.PUBLISHER, "publish"),
)


def outsider(office) -> Request:
    """Somebody of another department, to whom a text is open once it is published."""
    administrator = Request(
        office.installation,
        authenticate(office.installation, office.administrators[Role.SYSTEM_ADMINISTRATOR]),
        "adjusting",
    )
    accounts.add_organization(administrator, "抚宁区档案馆", OrganizationKind.DEPARTMENT)
    made = accounts.add_account(administrator, "dangan", "旁人", "抚宁区档案馆")
    return Request(office.installation, authenticate(office.installation, made["token"]), "outsider")


def purpose(request: Request, text: str) -> tuple[int, Any]:
    shown = texts.show_text(request, text)
    return shown["version"], shown["content"]["projects"][0].get("purpose")


def edit(office, text: str, members: list[tuple[str, Any]], reason: str) -> None:
    set_members(office.people[Role.DRAFTER], text, members, reason=reason)


def test_the_old_version_stays_public_until_the_new_one_replaces_it(office) -> None:
    text = office.county("published")
    other = outsider(office)
    old = purpose(other, text)
    done = office.act(Role.DRAFTER, text, "adjust", reason="压减一般性支出")
    assert (done["state"], done["round"]) == ("adjustment", 2)
    edit(office, text, [(PLACE, "用于阅读推广（压减后）。")], "经费压减")
    assert purpose(office.people[Role.DRAFTER], text) == (old[0] + 1, "用于阅读推广（压减后）。")
    assert purpose(other, text) == old
    assert purpose(office.people[Role.REVIEWER], text) == old
    office.act(Role.DEPARTMENT_HEAD, text, "submit")
    assert purpose(office.people[Role.REVIEWER], text) == (old[0] + 1, "用于阅读推广（压减后）。")
    for role, action in WAY:
        assert purpose(other, text) == old
        assert [item["version"] for item in texts.list_texts(other)] == [old[0]]
        office.act(role, text, action)
    assert purpose(other, text) == (old[0] + 1, "用于阅读推广（压减后）。")
    assert [item["version"] for item in texts.list_texts(other)] == [old[0] + 1]
    assert texts.show_text(office.people[Role.AUDITOR], text)["summary"]["round"] == 2


def test_an_adjustment_is_taken_back_until_the_text_was_touched(office) -> None:
    text = office.county("published")
    office.act(Role.DRAFTER, text, "adjust", reason="项目压减")
    done = office.act(Role.DRAFTER, text, "recall")
    assert (done["state"], done["round"]) == ("published", 1)
    with pytest.raises(NotFound, match="没有调整过"):
        adjustment(office.people[Role.DRAFTER], text)
    office.act(Role.DRAFTER, text, "adjust", reason="项目压减")
    edit(office, text, [(PLACE, "改")], "压减")
    with pytest.raises((GuardFailed, NotAllowed)):
        office.act(Role.DRAFTER, text, "recall")
    assert state_of(office.installation, text)[0] == "adjustment"


def test_each_change_has_its_place_both_values_and_the_reasons(office) -> None:
    text = office.county("published")
    drafter, reviewer = office.people[Role.DRAFTER], office.people[Role.REVIEWER]
    version, before = purpose(drafter, text)
    office.act(Role.DRAFTER, text, "adjust", reason="压减一般性支出")
    assert adjustment(drafter, text)["rows"] == []
    edit(office, text, [(PLACE, "先改成这样")], "草稿")
    edit(office, text, [(PLACE, "定稿"), ("/projects/p1/indicators/i1/value", "13")], "按批复压减")
    edit(office, text, [("/projects/p1/indicators/i2/value", "99")], "核对人数")
    edit(office, text, [("/projects/p1/indicators/i2/name", "参加人数")], "改正名称")
    found = adjustment(drafter, text)
    assert (found["from"], found["to"], found["round"]) == (version, version + 4, 2)
    assert found["reason"] == "压减一般性支出"
    rows = {item["place"]: item for item in found["rows"]}
    assert (rows[PLACE]["before"], rows[PLACE]["after"]) == (before, "定稿")
    assert rows[PLACE]["reason"] == "压减一般性支出；按批复压减"
    assert "资金用途" in rows[PLACE]["place_title"]
    assert rows["/projects/p1/indicators/i2/value"]["reason"] == "压减一般性支出；核对人数"
    assert rows["/projects/p1/indicators/i2/name"]["reason"] == "压减一般性支出；改正名称"
    assert set(rows) == {
        PLACE,
        "/projects/p1/indicators/i1/value",
        "/projects/p1/indicators/i2/name",
        "/projects/p1/indicators/i2/value",
    }
    # The bureau sees what was submitted to it, and nothing of what is being written.
    assert (adjustment(reviewer, text)["to"], adjustment(reviewer, text)["rows"]) == (version, [])
    office.act(Role.DEPARTMENT_HEAD, office.answered(text), "submit")
    assert adjustment(reviewer, text) == adjustment(drafter, text)


def test_a_whole_item_that_was_added_or_taken_out_is_one_row(sqlite_office) -> None:
    office = sqlite_office
    text = office.county("published")
    content = texts.show_text(office.people[Role.DRAFTER], text)["content"]
    gone = content["safeguards"][-1]
    office.act(Role.DRAFTER, text, "adjust", reason="调整")
    edit(office, text, [("/safeguards/-", {"title": "加强监督", "text": "每季度检查。"})], "增加措施")
    edit(office, text, [(f"/safeguards/{gone['id']}", None)], "不再需要")
    added = texts.show_text(office.people[Role.DRAFTER], text)["content"]["safeguards"][-1]
    edit(office, text, [(f"/safeguards/{added['id']}/text", "每月检查。")], "改为每月")
    rows = {item["place"]: item for item in adjustment(office.people[Role.DRAFTER], text)["rows"]}
    out, new = rows[f"/safeguards/{gone['id']}"], rows[f"/safeguards/{added['id']}"]
    assert (out["before"], out["after"], out["reason"]) == (gone, None, "调整；不再需要")
    assert gone["title"] in out["place_title"]
    assert (new["before"], new["after"]["text"], new["reason"]) == (None, "每月检查。", "调整；改为每月")


def test_after_publication_the_list_says_what_the_last_adjustment_changed(office) -> None:
    text = office.county("published")
    for number in (1, 2):
        office.act(Role.DRAFTER, text, "adjust", reason=f"第 {number} 次调整")
        edit(office, text, [(PLACE, f"用途 {number}")], f"修改 {number}")
        office.act(Role.DEPARTMENT_HEAD, text, "submit")
        for role, action in WAY:
            office.act(role, text, action)
    found = adjustment(office.people[Role.AUDITOR], text)
    assert [(item["before"], item["after"]) for item in found["rows"]] == [("用途 1", "用途 2")]
    assert (found["published"], found["to"], found["from"]) == (found["to"], found["from"] + 1, found["to"] - 1)
    assert (found["round"], found["reason"]) == (3, "第 2 次调整")


def test_reasons_are_not_public(sqlite_office) -> None:
    text = sqlite_office.county("published")
    other = outsider(sqlite_office)
    sqlite_office.act(Role.DRAFTER, text, "adjust", reason="内部理由")
    with pytest.raises(NotAllowed, match="文本本身"):
        adjustment(other, text)


def test_what_was_never_adjusted_has_no_list(sqlite_office) -> None:
    for text in (sqlite_office.county("draft"), sqlite_office.county("published")):
        with pytest.raises(NotFound, match="没有调整过"):
            adjustment(sqlite_office.people[Role.DRAFTER], text)
    with pytest.raises(NotFound):
        adjustment(sqlite_office.people[Role.DRAFTER], "nothing")


def test_the_command_prints_place_before_after_and_reason(sqlite_office, monkeypatch) -> None:
    office = sqlite_office
    text = office.county("published")
    office.act(Role.DRAFTER, text, "adjust", reason="压减一般性支出")
    monkeypatch.setattr("cli.session.current_request", lambda: office.people[Role.DRAFTER])
    with capture_logs():  # the program's own log is another stream
        empty = CliRunner().invoke(command, [text], standalone_mode=False)
    assert (empty.stdout, "还没有改动" in empty.stderr) == ("", True)
    _, before = purpose(office.people[Role.DRAFTER], text)
    edit(office, text, [(PLACE, "定稿"), ("/projects/p1/indicators/i1", None)], "按批复压减")
    with capture_logs():
        done = CliRunner().invoke(command, [text], standalone_mode=False)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert rows[0] == ["位置", "修改前", "修改后", "理由"]
    changed = next(row for row in rows if row[2] == "定稿")
    assert (changed[1], changed[3]) == (before, "压减一般性支出；按批复压减")
    assert next(row for row in rows if row[2] == "（无）")[1].startswith("{")
    assert "第 1 版 → 第 2 版" in done.stderr
