"""What the bureau and outsiders see of a text that somebody else is just writing, and what a stage's document says then."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from offices import COUNTY

from application import bulk, texts
from application.access import row_of
from application.acting import Remark, act
from application.assignments import add_signer, claim, copy, list_overdue
from application.bulk import act_on_many
from application.editing import set_members
from application.identity import authenticate
from application.installation import Request
from application.past import Standpoint, today
from application.rendering import render_text, stage_of
from application.worklists import View, list_tasks
from models.engine import transaction
from models.errors import Conflict, InvalidTransition, LogCorrupt, NotAllowed
from models.people import Role
from models.process import Message
from workflow.records import definition_of

REMARK = Remark("/projects/p1/code", "编码与批复不符", "核对编码")


def returned(office: Any) -> str:
    text = office.county("first_review")
    office.act(Role.REVIEWER, text, "return", reason="有误", remarks=[REMARK])
    return str(text)


def conclusion(office: Any, text: str) -> str:
    with transaction(office.installation.engine, read_only=True) as work:
        row = row_of(work, office.people[Role.REVIEWER], text)
        definition, _ = definition_of(work, row.definition_id)
        return stage_of(work, Standpoint(row, definition), "review").conclusion


def test_a_title_that_is_being_written_is_on_no_list_of_the_bureau(office: Any) -> None:
    text, reviewer = returned(office), office.people[Role.REVIEWER]
    set_members(office.people[Role.DRAFTER], text, [("/title", "还没有报送的名称")], reason="改名")
    office.clock.moment += timedelta(days=60)
    seen = [
        *(item["title"] for item in texts.list_texts(reviewer)),
        *(item["title"] for item in list_tasks(reviewer, view=View.DONE)),
        *(item["title"] for item in list_overdue(reviewer)),
    ]
    assert seen
    assert set(seen) == {"2021年部门预算绩效文本"}
    assert list_tasks(office.people[Role.DRAFTER])[0]["title"] == "还没有报送的名称"


def test_who_may_not_read_a_text_learns_nothing_by_acting_on_it(office: Any) -> None:
    text, reviewer = office.imported(), office.people[Role.REVIEWER]
    for given in (
        {"action": "accept"},
        {"action": "submit", "expected": 77},
        {"action": "submit", "remarks": [Remark("/x/y", "?")]},
    ):
        with pytest.raises(NotAllowed, match="您不能查看这份文本"):
            act(reviewer, text, **given)


def test_lists_need_as_many_queries_for_twenty_texts_as_for_two(sqlite_office: Any) -> None:
    office = sqlite_office
    reviewer, drafter = office.people[Role.REVIEWER], office.people[Role.DRAFTER]
    looks = (
        lambda: texts.list_texts(reviewer),
        lambda: list_tasks(reviewer),
        lambda: list_tasks(reviewer, view=View.DONE),
        lambda: list_tasks(drafter, view=View.STARTED),
    )

    def queries(look: Any) -> int:
        seen: list[str] = []

        def count(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            seen.append(statement)

        sa.event.listen(office.installation.engine, "before_cursor_execute", count)
        look()
        sa.event.remove(office.installation.engine, "before_cursor_execute", count)
        return len(seen)

    for _ in range(2):
        office.county("first_review")
    few = [queries(look) for look in looks]
    for _ in range(8):
        office.county("first_review")
    assert [queries(look) for look in looks] == few


# Documents


def test_a_stage_that_was_taken_back_has_no_document_and_no_conclusion(office: Any) -> None:
    text = office.county("second_review")
    assert conclusion(office, text) == "通过"
    office.act(Role.REVIEWER, text, "recall")
    assert conclusion(office, text) == ""
    office.act(Role.REVIEWER, text, "return", reason="有误", remarks=[REMARK])
    assert conclusion(office, text) == "退回修改"
    office.act(Role.REVIEWER, text, "recall")
    with pytest.raises(InvalidTransition, match="还没有到"):
        render_text(office.people[Role.REVIEWER], text, document="return", format_="html")


def test_the_review_form_says_where_a_text_was_sent_back_to(sqlite_office: Any) -> None:
    office = sqlite_office
    text = office.county("second_review")
    office.act(Role.SECOND_REVIEWER, text, "send_back", reason="初审再看")
    assert conclusion(office, text).startswith("退回")


def test_a_document_keeps_its_day_when_a_step_is_taken_back(sqlite_office: Any) -> None:
    office = sqlite_office
    text = office.county("first_review")

    def day() -> Any:
        with transaction(office.installation.engine, read_only=True) as work:
            row = row_of(work, office.people[Role.REVIEWER], text)
            return stage_of(work, today(work, row), "review").issued_on

    before = day()
    office.clock.moment += timedelta(days=3)
    office.act(Role.REVIEWER, text, "sign")
    office.act(Role.REVIEWER, text, "recall")
    assert day() == before


# The database gives up


def test_a_database_that_gives_up_leaves_results_and_a_checkpoint(sqlite_office: Any, monkeypatch: Any) -> None:
    office = sqlite_office
    ids = sorted(office.county("issuing") for _ in range(3))
    before = office.installation
    carried, settled = bulk.carry_out, []

    def gives_up(work: Any, request: Any, text_id: str, order: Any, **more: Any) -> Any:
        if text_id == ids[2]:
            raise Conflict("数据库正忙，等待超时；请稍后重试。", database="lock timeout")
        return carried(work, request, text_id, order, **more)

    monkeypatch.setattr(bulk, "BATCH", 1)
    monkeypatch.setattr(bulk, "carry_out", gives_up)
    monkeypatch.setattr(type(before), "settle", lambda _self, event_id=None, **given: settled.append((event_id, given)))
    done = act_on_many(office.people[Role.APPROVER], ids, action="approve")
    assert [(item["text"], item["ok"]) for item in done["results"]] == [(ids[0], True), (ids[1], True), (ids[2], False)]
    assert "数据库正忙" in done["results"][2]["message"]
    assert [given["checkpoint"] for _, given in settled] == [True]


def test_two_returns_with_the_same_words_do_not_stop_each_other(office: Any, monkeypatch: Any) -> None:
    # On PostgreSQL the second text's blob waits for the bulk, and the bulk for the second text: a deadlock, broken by force.
    if office.installation.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer, so that nobody waits for each other")
    first, second = sorted(office.county("first_review") for _ in range(2))
    words = [Remark("/projects/p1/code", "同一条很长的意见" * 80)]
    reviewer, begun, go_on = office.people[Role.REVIEWER], threading.Event(), threading.Event()
    carried, paused = bulk.carry_out, []

    def pauses(work: Any, request: Any, text_id: str, order: Any, **more: Any) -> Any:
        if text_id == second and not paused:
            paused.append(text_id)
            begun.set()
            go_on.wait(20)
        return carried(work, request, text_id, order, **more)

    monkeypatch.setattr(bulk, "carry_out", pauses)
    out: dict[str, Any] = {}

    def many() -> None:
        out["many"] = act_on_many(reviewer, [first, second], action="return", reason="有误", remarks=words)

    def one() -> None:
        begun.wait(20)
        threading.Timer(1.0, go_on.set).start()
        try:
            out["one"] = act(reviewer, second, action="return", reason="有误", remarks=words)["state"]
        except InvalidTransition as error:
            out["one"] = error
        except Conflict as error:
            out["one"] = error

    threads = [threading.Thread(target=target) for target in (many, one)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with transaction(office.installation.engine, read_only=True) as work:
        states = {row_of(work, reviewer, text).state for text in (first, second)}
    assert states == {"revision"}
    assert out["many"]["results"][0]["ok"]
    # One of the two returned the second text; nobody was told that the database had given up.
    assert "database" not in getattr(out["one"], "facts", {})
    assert out["many"]["results"][1]["ok"] != (out["one"] == "revision")


def test_outsiders_read_no_names_and_phones(sqlite_office: Any) -> None:
    office = sqlite_office
    text, drafter = office.imported(workflow="county"), office.people[Role.DRAFTER]
    personal = [("/projects/p1/person_in_charge", "王小明"), ("/projects/p1/phone", "0335-6011234")]
    set_members(drafter, text, personal, reason="补充")
    for role, action, _ in COUNTY:
        office.act(role, text, action)
    outsider = Request(
        office.installation, authenticate(office.installation, office.administrators[Role.AUDIT_ADMINISTRATOR]), "out"
    )
    shown = json.dumps(texts.show_text(outsider, text), ensure_ascii=False)
    assert "王小明" in json.dumps(texts.show_text(drafter, text), ensure_ascii=False)
    assert "王小明" not in shown
    assert "6011234" not in shown
    with pytest.raises(NotAllowed, match="只有编制部门"):
        texts.check(outsider, text)


def test_lists_are_chosen_by_what_is_seen(sqlite_office: Any) -> None:
    office = sqlite_office
    text, drafter = office.county("published"), office.people[Role.DRAFTER]
    outsider = Request(
        office.installation, authenticate(office.installation, office.administrators[Role.AUDIT_ADMINISTRATOR]), "out"
    )
    office.act(Role.DRAFTER, text, "adjust", reason="调整")
    assert [item["text"] for item in texts.list_texts(outsider, state="published")] == [text]
    assert texts.list_texts(outsider, state="adjustment") == []
    set_members(drafter, text, [("/fiscal_year", 2022)], reason="改")
    assert texts.list_texts(office.people[Role.REVIEWER], year=2022) == []
    assert [item["text"] for item in texts.list_texts(drafter, year=2022)] == [text]


def test_outsiders_handle_nothing_and_learn_nothing(sqlite_office: Any) -> None:
    office = sqlite_office
    text = office.county("published")
    office.act(Role.DRAFTER, text, "adjust", reason="调整")
    outsider = Request(
        office.installation, authenticate(office.installation, office.administrators[Role.AUDIT_ADMINISTRATOR]), "out"
    )
    for deed in (
        lambda: act(outsider, text, action="submit"),
        lambda: claim(outsider, text),
        lambda: add_signer(outsider, text, "reviewer", place="after"),
        lambda: set_members(outsider, text, [("/title", "x")], reason="x"),
    ):
        with pytest.raises(NotAllowed, match="您不能办理这份文本"):
            deed()


def test_a_message_of_the_bureau_names_the_title_that_was_submitted(sqlite_office: Any) -> None:
    office = sqlite_office
    text = returned(office)
    set_members(office.people[Role.DRAFTER], text, [("/title", "没报送的名称")], reason="改名")
    copy(office.people[Role.REVIEWER], text, [office.people[Role.APPROVER].person.login])
    with transaction(office.installation.engine, read_only=True) as work:
        bodies = list(work.session.scalars(sa.select(Message.body).where(Message.text_id == text)))
    assert bodies
    assert not any("没报送" in body for body in bodies)


def test_a_database_that_is_locked_during_the_signing_leaves_the_results(sqlite_office: Any, monkeypatch: Any) -> None:
    office = sqlite_office
    ids = [office.county("issuing")]

    def fails(*_args: Any, **_given: Any) -> None:
        raise LogCorrupt("操作已保存，但没有签上检查点：数据库正忙。")

    monkeypatch.setattr(type(office.installation), "settle", fails)
    done = act_on_many(office.people[Role.APPROVER], ids, action="approve")
    assert (done["done"], "没有签上检查点" in done["unsigned"]) == (1, True)
