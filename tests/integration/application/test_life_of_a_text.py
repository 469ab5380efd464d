from __future__ import annotations

from pathlib import Path

import orjson
import pytest
import sqlalchemy as sa

from application import histories, texts, worklists
from application.acting import Remark
from application.auditing import checkpoint, verify_log
from application.editing import confirm_repairs, replace_content, set_members
from application.importing import import_text
from application.rendering import render_text
from models.content import from_json, to_json
from models.engine import transaction
from models.errors import GuardFailed, InvalidInput, InvalidTransition, NotFound
from models.people import Role
from models.process import Message, Task
from models.texts import BudgetText
from workflow.situation import Reply

REMARK = Remark("/projects/p1/indicators/i6/sign", "没有符号", "补写≤")


def test_from_import_to_publication_with_one_return(office):
    text = office.imported()
    office.act(Role.DEPARTMENT_HEAD, text, "submit")
    office.act(Role.REVIEWER, text, "accept")
    office.act(Role.REVIEWER, text, "return", reason="不完整", remarks=[REMARK])
    set_members(office.people[Role.DRAFTER], text, [("/projects/p1/indicators/i6/sign", "≤")])
    office.act(Role.DEPARTMENT_HEAD, text, "submit", accept_all=True)
    office.act(Role.REVIEWER, text, "accept")
    office.act(Role.REVIEWER, text, "pass")
    office.act(Role.SECOND_REVIEWER, text, "pass")
    office.act(Role.APPROVER, text, "approve")
    done = office.act(Role.PUBLISHER, text, "publish")
    assert (done["state"], done["round"], done["version"]) == ("published", 2, 2)
    history = histories.history(office.people[Role.AUDITOR], text)
    assert [row["act"] for row in history if row["outcome"] == "success"] == [
        "text.import",
        "text.confirm",
        "finding.answer",
        "workflow.submit",
        "workflow.accept",
        "workflow.return",
        "text.field.update",
        "workflow.submit",
        "workflow.accept",
        "workflow.pass",
        "workflow.pass",
        "workflow.approve",
        "workflow.publish",
    ]
    assert [change["n"] for change in history[6]["changes"]] == ["≤"]
    verdict = verify_log(office.installation)
    assert verdict.ok, verdict.problems
    assert verdict.signed == verdict.size
    with transaction(office.installation.engine, read_only=True) as work:
        row = work.session.get(BudgetText, text)
        assert row.approved_hash == row.current_hash == done["content_hash"]
        assert work.session.scalar(sa.select(sa.func.count()).select_from(Task).where(Task.closed_at.is_(None))) == 0


def test_each_step_tells_whoever_is_next_in_the_same_transaction(office):
    text = office.driven("approved")
    with transaction(office.installation.engine, read_only=True) as work:
        told = [
            (message.topic, message.role)
            for message in work.session.scalars(sa.select(Message).order_by(Message.created_at, Message.id))
        ]
    # "*" is whoever took part before: they are told how it went on.
    assert [item for item in told if item[1] != "*"] == [
        ("submit", "reviewer"),
        ("accept", "reviewer"),
        ("pass", "second_reviewer"),
        ("approve", "publisher"),
    ]
    assert [topic for topic, role in told if role == "*"] == ["submit", "accept", "pass", "approve"]
    assert [item["text"] for item in worklists.list_tasks(office.people[Role.PUBLISHER])] == [text]
    assert worklists.list_tasks(office.people[Role.REVIEWER]) == []


def test_unconfirmed_repairs_stop_the_submission_and_every_reason_is_listed(office):
    text = office.imported(confirm=False)
    waiting = [
        item for item in texts.show_text(office.people[Role.DRAFTER], text)["findings"] if item["status"] == "open"
    ]
    assert len(waiting) > 5
    with pytest.raises(GuardFailed) as refused:
        office.act(Role.DEPARTMENT_HEAD, text, "submit")
    assert sum("C007" in reason for reason in refused.value.reasons) == len(waiting)
    first = waiting[0]["anchor"]
    same = [item for item in waiting if item["anchor"] == first]
    done = confirm_repairs(office.people[Role.DRAFTER], text, [first])
    assert (len(done["confirmed"]), done["open"]) == (len(same), len(waiting) - len(same))


def test_correcting_a_repaired_value_settles_its_finding(office):
    text = office.imported(confirm=False)
    show = texts.show_text(office.people[Role.DRAFTER], text)
    code = next(item for item in show["findings"] if item["anchor"] == "/projects/p1/code" and item["status"] == "open")
    kept = show["content"]["projects"][0]["code"]
    set_members(
        office.people[Role.DRAFTER], text, [("/projects/p1/code", kept[:-1] + ("A" if kept[-1] != "A" else "B"))]
    )
    after = texts.show_text(office.people[Role.DRAFTER], text)["findings"]
    assert next(item for item in after if item["number"] == code["number"])["status"] == "corrected"


def test_confirming_a_place_without_a_repair_is_refused(office):
    text = office.imported()
    with pytest.raises(NotFound, match="没有等待确认的修复"):
        confirm_repairs(office.people[Role.DRAFTER], text, ["/title"])
    with pytest.raises(InvalidInput, match="二者选一"):
        confirm_repairs(office.people[Role.DRAFTER], text, ["/title"], everything=True)


def test_an_edit_keeps_ids_and_never_gives_one_to_something_else(sqlite_office):
    drafter = sqlite_office.people[Role.DRAFTER]
    text = sqlite_office.imported()
    content = texts.show_text(drafter, text)["content"]
    indicators = content["projects"][0]["indicators"]
    removed = indicators.pop()
    replace_content(drafter, text, _json(content))
    content = texts.show_text(drafter, text)["content"]
    content["projects"][0]["indicators"].insert(0, {**removed, "id": "", "name": "新的指标"})
    del content["projects"][0]["indicators"][0]["id"]
    replace_content(drafter, text, _json(content))
    ids = [item["id"] for item in texts.show_text(drafter, text)["content"]["projects"][0]["indicators"]]
    assert ids[0] not in {item["id"] for item in indicators} | {removed["id"]}
    assert ids[1:] == [item["id"] for item in indicators]


def test_an_unchanged_content_makes_no_version(sqlite_office):
    drafter = sqlite_office.people[Role.DRAFTER]
    text = sqlite_office.imported()
    content = texts.show_text(drafter, text)["content"]
    with pytest.raises(InvalidInput, match="没有变化"):
        replace_content(drafter, text, _json(content))
    assert texts.list_texts(drafter)[0]["version"] == 1


def test_a_submitted_text_can_not_be_edited_until_it_is_recalled(sqlite_office):
    text = sqlite_office.driven("submitted")
    edit = [("/title", "改")]
    with pytest.raises(InvalidTransition, match="不能修改"):
        set_members(sqlite_office.people[Role.DRAFTER], text, edit)
    sqlite_office.act(Role.DEPARTMENT_HEAD, text, "recall")
    assert set_members(sqlite_office.people[Role.DRAFTER], text, edit)["version"] == 2


def test_recall_is_for_the_submitter_and_only_until_somebody_acts(sqlite_office):
    text = sqlite_office.driven("first_review")
    with pytest.raises(InvalidTransition, match="可以做的是"):
        sqlite_office.act(Role.DEPARTMENT_HEAD, text, "recall")


def test_every_opinion_is_answered_before_the_text_comes_back(office):
    text = office.driven("first_review")
    other = Remark("/overall", "与上年相同")
    office.act(Role.REVIEWER, text, "return", reason="两处", remarks=[REMARK, other])
    opinions = texts.list_opinions(office.people[Role.DRAFTER], text)
    assert [item["problem"] for item in opinions] == ["没有符号", "与上年相同"]
    set_members(office.people[Role.DRAFTER], text, [("/projects/p1/indicators/i6/sign", "≤")])
    with pytest.raises(GuardFailed) as refused:
        office.act(Role.DEPARTMENT_HEAD, text, "submit")
    assert len(refused.value.reasons) == 2
    with pytest.raises(InvalidInput, match="没有等待答复的意见"):
        office.act(Role.DEPARTMENT_HEAD, text, "submit", replies={"nobody": Reply("接受")}, accept_all=True)
    office.act(
        Role.DEPARTMENT_HEAD,
        text,
        "submit",
        replies={opinions[1]["id"]: Reply("说明", "工作本身延续")},
        accept_all=True,
    )
    answers = [item["answer"] for item in texts.list_opinions(office.people[Role.REVIEWER], text)]
    assert answers == [{"kind": "接受", "text": ""}, {"kind": "说明", "text": "工作本身延续"}]


def test_a_return_without_reason_or_place_is_refused_with_both_reasons(sqlite_office):
    text = sqlite_office.driven("first_review")
    with pytest.raises(GuardFailed) as refused:
        sqlite_office.act(Role.REVIEWER, text, "return")
    assert len(refused.value.reasons) == 2
    with pytest.raises(InvalidInput, match="不存在"):
        sqlite_office.act(Role.REVIEWER, text, "return", reason="有误", remarks=[Remark("/nowhere/at/all", "问题")])


def test_an_opinion_stays_with_its_indicator_when_it_moves(sqlite_office):
    text = sqlite_office.driven("first_review")
    sqlite_office.act(
        Role.REVIEWER, text, "return", reason="有误", remarks=[Remark("/projects/0/indicators/5/sign", "缺")]
    )
    drafter = sqlite_office.people[Role.DRAFTER]
    content = texts.show_text(drafter, text)["content"]
    content["projects"][0]["indicators"].reverse()
    replace_content(drafter, text, _json(content))
    opinion = texts.list_opinions(drafter, text)[0]
    assert opinion["anchor"] == "/projects/p1/indicators/i6/sign"
    assert opinion["place"] == "/projects/0/indicators/3/sign"


def test_documents_exist_for_the_stages_that_were_reached(sqlite_office):
    text = sqlite_office.driven("submitted")
    head = sqlite_office.people[Role.DEPARTMENT_HEAD]
    assert render_text(head, text, format_="html").document == "submission"
    for document in ("return", "approval", "publication"):
        with pytest.raises(InvalidTransition, match="还没有到"):
            render_text(head, text, document=document, format_="html")
    with pytest.raises(NotFound, match="没有名为"):
        render_text(head, text, document="nothing")


def test_a_rendering_is_an_event_with_its_hash_and_the_same_bytes_twice(office):
    text = office.driven("published")
    publisher = office.people[Role.PUBLISHER]
    first, second = (render_text(publisher, text) for _ in range(2))
    assert first.data == second.data
    events = [row for row in histories.history(publisher, text) if row["act"] == "document.render"]
    assert [row["changes"][0]["n"]["sha256"] for row in events] == [first.sha256, first.sha256]


def test_checkpoint_of_the_same_head_is_the_same_note(office):
    office.driven("approved")
    assert checkpoint(office.installation) == checkpoint(office.installation)


def test_the_text_shown_is_the_content_that_was_imported(sqlite_office):
    drafter = sqlite_office.people[Role.DRAFTER]
    sample = Path(__file__).parents[3] / "examples" / "library-2021.txt"
    done = import_text(drafter, sample.read_bytes())
    assert texts.show_text(drafter, done["text"])["content"] == done["content"]
    assert to_json(from_json(done["content"])) == done["content"]


def _json(value):
    return orjson.dumps(value)


def test_an_approval_before_the_second_review_has_ended_is_shown(office):
    shown = histories.history(office.people[Role.AUDITOR], office.driven("approved"))
    assert [(row["title"], row["left_open"]) for row in shown if row["left_open"]] == [("批复", "复审")]
    text = office.driven("second_review")
    office.act(Role.SECOND_REVIEWER, text, "pass")
    office.act(Role.APPROVER, text, "approve")
    assert not any(row["left_open"] for row in histories.history(office.people[Role.AUDITOR], text))
