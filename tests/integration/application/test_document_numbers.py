"""Document numbers: one for each letter, without a gap and never twice, whatever is taken back or happens at once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from handled_texts import administrator, last_event

from application import numbering
from application.acting import Remark, act
from application.bulk import act_on_many
from application.histories import history
from application.rendering import render_text
from models.documents import IssuedDocument
from models.engine import transaction
from models.errors import Conflict, InvalidInput, JixiaoError, NotAllowed
from models.people import Role

BUREAU, LIBRARY = "澜石市青禾县财政局", "澜石市青禾县图书馆"
REMARK = Remark("/projects/p1/code", "编码与批复不符", "核对编码")


def worded(office: Any, *words: tuple[str, str]) -> None:
    for organization, word in words or ((BUREAU, "青财绩"), (LIBRARY, "青图")):
        numbering.set_number_word(administrator(office, Role.SYSTEM_ADMINISTRATOR), organization, word)


def numbers(office: Any, **given: Any) -> list[tuple[str, bool]]:
    return [(item["number"], item["void"]) for item in numbering.list_documents(office.people[Role.AUDITOR], **given)]


def test_each_letter_takes_the_next_number_of_its_organization(office):
    worded(office)
    text = office.imported()
    done = office.act(Role.DEPARTMENT_HEAD, text, "submit")
    assert done["notes"] == ["文号：青图〔2026〕1号"]
    changes = {item["p"]: item.get("n") for item in last_event(office, text)["chg"]}
    assert changes["/documents/submission"] == "青图〔2026〕1号"
    office.act(Role.REVIEWER, text, "return", reason="有误", remarks=[REMARK])
    office.act(Role.DEPARTMENT_HEAD, text, "submit", accept_all=True)
    for role, action in ((Role.REVIEWER, "accept"), (Role.REVIEWER, "pass"), (Role.SECOND_REVIEWER, "pass")):
        office.act(role, text, action)
    office.act(Role.APPROVER, text, "approve")
    assert numbers(office) == [
        ("青图〔2026〕1号", False),
        ("青图〔2026〕2号", False),
        ("青财绩〔2026〕1号", False),
        ("青财绩〔2026〕2号", False),
    ]
    listed = numbering.list_documents(office.people[Role.AUDITOR], document="approval")
    assert [(item["document"], item["round"], item["version"]) for item in listed] == [("approval", 2, 1)]
    page = render_text(office.people[Role.APPROVER], text, document="approval", format_="html")
    assert page.number == "青财绩〔2026〕2号"
    assert "青财绩〔2026〕2号" in page.data.decode()
    assert any("青财绩〔2026〕2号" in str(item["changes"]) for item in history(office.people[Role.REVIEWER], text))


def test_without_a_word_the_slot_stays_for_the_hand(sqlite_office):
    office = sqlite_office
    text = office.driven("submitted")
    assert numbers(office) == []
    assert "〔2026〕　　号" in render_text(office.people[Role.REVIEWER], text, format_="html").data.decode()


def test_a_step_taken_back_leaves_its_number_void_and_the_next_takes_the_next(office):
    worded(office)
    text = office.county("issuing")
    office.act(Role.APPROVER, text, "approve")
    office.act(Role.APPROVER, text, "recall")
    changes = {item["p"]: item.get("o") for item in last_event(office, text)["chg"]}
    assert changes["/documents/approval"] == "青财绩〔2026〕1号"
    office.act(Role.APPROVER, text, "approve")
    assert numbers(office, document="approval") == [("青财绩〔2026〕1号", True), ("青财绩〔2026〕2号", False)]
    # To print and send what was signed is no second letter.
    office.act(Role.REVIEWER, text, "issue")
    assert len(numbers(office, document="approval")) == 2
    assert render_text(office.people[Role.REVIEWER], text, document="approval", format_="html").number.endswith("2号")


def test_a_submission_recalled_by_a_transition_of_its_own_is_void_too(office):
    worded(office)
    text = office.driven("submitted")
    office.act(Role.DEPARTMENT_HEAD, text, "recall")
    assert numbers(office) == [("青图〔2026〕1号", True)]
    assert {"p": "/documents/submission", "o": "青图〔2026〕1号"} in last_event(office, text)["chg"]
    office.act(Role.DEPARTMENT_HEAD, text, "submit")
    assert numbers(office) == [("青图〔2026〕1号", True), ("青图〔2026〕2号", False)]


def test_a_submission_that_comes_straight_back_has_a_letter_of_its_own(sqlite_office):
    office = sqlite_office
    worded(office)
    text = office.county("second_review")
    office.act(Role.SECOND_REVIEWER, text, "return", reason="有误", remarks=[REMARK], choice=_direct())
    office.act(Role.DEPARTMENT_HEAD, text, "submit", accept_all=True)
    made = render_text(office.people[Role.DRAFTER], text, document="submission", format_="html")
    assert made.number == "青图〔2026〕2号"
    assert "第2次报送" in made.data.decode()


def _direct() -> Any:
    from application.acting import Choice

    return Choice(resume="direct")


def test_a_number_of_a_step_that_fails_is_given_again(office):
    worded(office)
    first, second = office.imported(), office.imported(confirm=False)
    with pytest.raises(JixiaoError):
        office.act(Role.DEPARTMENT_HEAD, second, "submit")
    office.act(Role.DEPARTMENT_HEAD, first, "submit")
    assert numbers(office) == [("青图〔2026〕1号", False)]


def test_numbers_begin_anew_with_the_year_of_the_office(sqlite_office):
    office = sqlite_office
    worded(office)
    office.driven("submitted")
    # 17:00 UTC on New Year's Eve is New Year's Day in China.
    office.clock.moment = datetime(2026, 12, 31, 17, 0, tzinfo=UTC)
    office.driven("submitted")
    assert numbers(office) == [("青图〔2026〕1号", False), ("青图〔2027〕1号", False)]
    assert numbers(office, year=2027) == [("青图〔2027〕1号", False)]


def test_many_at_once_leave_no_gap_and_no_number_twice(office):
    worded(office)
    texts = [office.imported() for _ in range(12)]
    head, failures = office.people[Role.DEPARTMENT_HEAD], []
    start = threading.Barrier(4)

    def submit(mine: list[str]) -> None:
        start.wait()
        for text in mine:
            try:
                act(head, text, action="submit")
            except JixiaoError as error:
                failures.append(error)

    threads = [threading.Thread(target=submit, args=(texts[number::4],)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(numbers(office)) == sorted((f"青图〔2026〕{number}号", False) for number in range(1, len(texts) + 1))


def test_a_bulk_action_numbers_each_letter_and_a_refused_one_takes_none(office):
    worded(office)
    texts = [office.imported(), office.imported(confirm=False), office.imported()]
    done = act_on_many(office.people[Role.DEPARTMENT_HEAD], texts, action="submit")
    assert done["done"] == 2
    assert len(numbers(office)) == 2
    assert numbers(office)[-1] == ("青图〔2026〕2号", False)


def test_a_letter_may_have_a_word_of_its_own(sqlite_office):
    office = sqlite_office
    system = administrator(office, Role.SYSTEM_ADMINISTRATOR)
    numbering.set_number_word(system, BUREAU, "青财绩")
    numbering.set_number_word(system, BUREAU, "青财绩退", document="return")
    text = office.driven("submitted")
    office.act(Role.REVIEWER, text, "return", reason="有误", remarks=[REMARK])
    assert numbers(office) == [("青财绩退〔2026〕1号", False)]
    ended = numbering.set_number_word(system, BUREAU, "", document="return")
    assert ended["words"] == [{"document": "", "title": "全部文件", "word": "青财绩"}]
    assert numbering.set_number_word(system, BUREAU, "青财绩")["changed"] is False


@pytest.mark.parametrize("word", ["青 财", "青财〔2026〕", "青财5", "x" * 21, "=青财"])
def test_a_word_that_could_be_read_as_something_else_is_refused(sqlite_office, word):
    with pytest.raises(InvalidInput, match="字头"):
        numbering.set_number_word(administrator(sqlite_office, Role.SYSTEM_ADMINISTRATOR), BUREAU, word)


def test_a_word_belongs_to_one_organization_for_ever(sqlite_office):
    office = sqlite_office
    worded(office, (BUREAU, "青财绩"))
    worded(office, (BUREAU, ""))
    with pytest.raises(Conflict, match="青禾县财政局"):
        worded(office, (LIBRARY, "青财绩"))


def test_only_a_system_administrator_sets_words(sqlite_office):
    with pytest.raises(NotAllowed):
        numbering.set_number_word(sqlite_office.people[Role.APPROVER], BUREAU, "青财绩")


def test_a_department_sees_its_own_letters_only(sqlite_office):
    office = sqlite_office
    worded(office)
    text = office.driven("submitted")
    office.act(Role.REVIEWER, text, "return", reason="有误", remarks=[REMARK])
    assert len(numbering.list_documents(office.people[Role.DRAFTER])) == 2
    assert len(numbering.list_documents(office.people[Role.REVIEWER])) == 2
    assert numbering.list_documents(administrator(office, Role.SYSTEM_ADMINISTRATOR)) == []


@pytest.mark.tampers
@pytest.mark.parametrize("change", ["number = 7", "word = 'x'", "content_hash = 'x'", "text_id = text_id || 'x'"])
def test_a_register_row_changes_only_by_being_made_void(office, change):
    worded(office)
    office.driven("submitted")
    with pytest.raises(JixiaoError, match="只能新增"), transaction(office.installation.engine) as work:
        work.connection.exec_driver_sql(f"UPDATE issued_document SET {change}")
    with transaction(office.installation.engine) as work:
        work.connection.exec_driver_sql("UPDATE issued_document SET voided_step = 9")
    with pytest.raises(JixiaoError, match="只能新增"), transaction(office.installation.engine) as work:
        work.connection.exec_driver_sql("UPDATE issued_document SET voided_step = NULL")
    with transaction(office.installation.engine, read_only=True) as work:
        assert work.session.scalar(sa.select(sa.func.count()).select_from(IssuedDocument)) == 1
