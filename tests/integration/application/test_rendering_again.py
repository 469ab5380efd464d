"""The same document again: by day, by format, kept as it was first made, and of many texts at once."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from handled_texts import administrator, last_event

from application import kept_documents, numbering, rendering
from application.acting import Choice, Remark
from application.bulk_rendering import LIST, render_all
from application.editing import set_members
from application.rendering import FORMATS, render_text
from documents.rendering import render_html
from models.canonical import digest
from models.documents import RenderedDocument
from models.engine import transaction
from models.errors import InvalidInput, InvalidTransition, NotAllowed
from models.people import Role

REMARK = Remark("/projects/p1/code", "编码与批复不符", "核对编码")


def made(office: Any, role: Role, text: str, document: str, **given: Any) -> bytes:
    return render_text(office.people[role], text, document=document, format_="html", **given).data


def day(office: Any) -> date:
    return office.clock.moment.date()


@pytest.fixture
def two_rounds(sqlite_office: Any) -> tuple[Any, str, dict[str, date]]:
    """A text that was submitted, returned, edited and submitted again, each on a day of its own."""
    office = sqlite_office
    days = {"imported": day(office)}
    text = office.imported()
    for name in ("submitted", "returned", "edited", "again"):
        office.clock.moment += timedelta(days=7)
        days[name] = day(office)
        if name in ("submitted", "again"):
            office.act(Role.DEPARTMENT_HEAD, text, "submit", accept_all=name == "again")
        elif name == "returned":
            office.act(Role.REVIEWER, text, "return", reason="有误", remarks=[REMARK])
        else:
            set_members(office.people[Role.DRAFTER], text, [("/title", "改过的名称")], reason="改名")
    return office, text, days


def test_a_document_as_of_a_day_is_what_it_was_then(two_rounds):
    office, text, days = two_rounds
    first = made(office, Role.REVIEWER, text, "submission", as_of=days["submitted"])
    assert first == made(office, Role.REVIEWER, text, "submission", as_of=days["edited"])
    assert first != made(office, Role.REVIEWER, text, "submission")
    assert "2026年3月9日" in first.decode()
    now = made(office, Role.REVIEWER, text, "submission").decode()
    assert "2026年3月30日" in now
    assert "改过的名称" in now
    assert now.encode() == made(office, Role.REVIEWER, text, "submission", as_of=days["again"])
    draft = made(office, Role.DRAFTER, text, "draft", as_of=days["imported"]).decode()
    assert "改过的名称" not in draft
    assert "（草案）" in draft


def test_a_day_before_the_stage_or_the_text_or_of_the_future_is_refused(two_rounds):
    office, text, days = two_rounds
    with pytest.raises(InvalidTransition, match="当时"):
        made(office, Role.DRAFTER, text, "submission", as_of=days["imported"])
    with pytest.raises(InvalidInput, match="还没有这份文本"):
        made(office, Role.DRAFTER, text, "draft", as_of=days["imported"] - timedelta(days=1))
    with pytest.raises(InvalidInput, match="还没有到"):
        made(office, Role.DRAFTER, text, "draft", as_of=day(office) + timedelta(days=1))


def test_who_sees_only_what_is_public_chooses_no_day(sqlite_office):
    office = sqlite_office
    text = office.driven("published")
    stranger = administrator(office, Role.SYSTEM_ADMINISTRATOR)
    assert render_text(stranger, text, format_="html").document == "publication"
    with pytest.raises(NotAllowed, match="--as-of"):
        render_text(stranger, text, format_="html", as_of=day(office))


def test_a_second_submission_answers_the_first_round_and_knows_nothing_of_the_next(two_rounds):
    office, text, _ = two_rounds
    sent = made(office, Role.REVIEWER, text, "submission")
    assert "第2次报送" in sent.decode()
    assert "编码与批复不符" in sent.decode()
    office.act(
        Role.REVIEWER, text, "return", reason="又有误", remarks=[Remark("/projects/p1/name", "名称不全", "补全")]
    )
    assert made(office, Role.REVIEWER, text, "submission") == sent
    assert "名称不全" not in sent.decode()


def test_a_letter_of_approval_stays_when_the_text_is_published(office):
    text = office.driven("approved")
    letter = made(office, Role.APPROVER, text, "approval")
    # What the reviews came to is said on their own form.
    assert "<p>通过</p>" not in letter.decode()
    office.act(Role.PUBLISHER, text, "publish")
    assert made(office, Role.APPROVER, text, "approval") == letter


def test_an_approval_bears_the_day_on_which_it_was_signed(sqlite_office):
    office = sqlite_office
    text = office.county("issued")
    signed = made(office, Role.REVIEWER, text, "approval")
    office.clock.moment += timedelta(days=3)
    office.act(Role.REVIEWER, text, "issue")
    assert made(office, Role.REVIEWER, text, "approval") == signed


@pytest.mark.parametrize("format_", FORMATS)
def test_a_kept_document_survives_other_templates_and_a_newer_program(office, format_, monkeypatch):
    text = office.driven("submitted")
    first = render_text(office.people[Role.REVIEWER], text, format_=format_)
    told = last_event(office, text)["chg"][0]["n"]
    monkeypatch.setitem(rendering.RENDERERS, format_, lambda _stage, _fonts: b"of other templates")
    monkeypatch.setattr(kept_documents, "templates_sha256", lambda _document, _templates: "0" * 64)
    monkeypatch.setattr(kept_documents, "program_version", lambda: "9.9")
    again = render_text(office.people[Role.DRAFTER], text, format_=format_)
    assert again.data == first.data
    # Whoever made it, the event tells which templates and program these bytes are of.
    assert last_event(office, text)["chg"][0]["n"] == told
    assert told["sha256"] == digest(first.data)
    draft = render_text(office.people[Role.DRAFTER], text, document="draft", format_=format_)
    assert draft.data == b"of other templates"
    assert last_event(office, text)["chg"][0]["n"]["program"] == "9.9"


def test_of_two_who_make_a_document_at_once_both_give_the_first(office, monkeypatch):
    text = office.driven("submitted")
    render = render_html

    def meanwhile(stage: Any, _fonts: Any) -> bytes:
        monkeypatch.setitem(rendering.RENDERERS, "html", lambda stage, _fonts: render(stage))
        render_text(office.people[Role.REVIEWER], text, format_="html")
        return b"the slower one"

    monkeypatch.setitem(rendering.RENDERERS, "html", meanwhile)
    slower = render_text(office.people[Role.DRAFTER], text, format_="html")
    assert slower.data.startswith(b"<!DOCTYPE html>")
    with transaction(office.installation.engine, read_only=True) as work:
        assert work.session.scalar(sa.select(sa.func.count()).select_from(RenderedDocument)) == 1


def test_a_number_taken_later_is_another_document(sqlite_office):
    office = sqlite_office
    text = office.driven("submitted")
    before = made(office, Role.REVIEWER, text, "submission")
    numbering.set_number_word(administrator(office, Role.SYSTEM_ADMINISTRATOR), "澜石市青禾县图书馆", "青图")
    assert made(office, Role.REVIEWER, text, "submission") == before
    office.act(Role.DEPARTMENT_HEAD, text, "recall")
    office.act(Role.DEPARTMENT_HEAD, text, "submit")
    assert "青图〔2026〕1号" in made(office, Role.REVIEWER, text, "submission").decode()


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_all_texts_are_rendered_once_and_a_second_run_goes_on(sqlite_office, tmp_path):
    office, folder = sqlite_office, tmp_path / "out"
    texts = [office.driven("submitted") for _ in range(3)]
    draft = office.imported()
    seen: list[tuple[int, int]] = []
    done = render_all(
        office.people[Role.DRAFTER],
        folder,
        document="submission",
        format_="html",
        workers=1,
        progress=lambda at, total: seen.append((at, total)),
    )
    assert {key: done[key] for key in ("rendered", "skipped", "absent", "failed")} == {
        "rendered": 3,
        "skipped": 0,
        "absent": 1,
        "failed": [],
    }
    assert seen[-1] == (4, 4)
    event = last_event(office, texts[0])
    assert event["bulk"]["size"] == 4
    first = files(folder)
    assert event["chg"][0]["n"]["sha256"] in {digest(data) for data in first.values()}
    assert set(first) == {LIST, *(f"{text}-2021-submission-v1.html" for text in texts)}
    # One file is lost and one was changed: only those are made again.
    (folder / f"{texts[0]}-2021-submission-v1.html").unlink()
    (folder / f"{texts[1]}-2021-submission-v1.html").write_bytes(b"x")
    again = render_all(office.people[Role.DRAFTER], folder, document="submission", format_="html", workers=1)
    assert (again["rendered"], again["skipped"]) == (2, 1)
    second = files(folder)
    second.pop(LIST), first.pop(LIST)
    assert second == first
    assert last_event(office, draft)["act"] != "document.render"


def test_an_interrupted_list_is_read_as_far_as_it_goes(sqlite_office, tmp_path):
    office, folder = sqlite_office, tmp_path / "out"
    office.driven("submitted")
    render_all(office.people[Role.DRAFTER], folder, format_="json", workers=1)
    (folder / LIST).write_bytes((folder / LIST).read_bytes() + b'{"file": "cut')
    assert render_all(office.people[Role.DRAFTER], folder, format_="json", workers=1)["skipped"] == 1


def test_texts_are_chosen_by_state_and_a_foreign_folder_is_left_alone(sqlite_office, tmp_path):
    office = sqlite_office
    office.driven("submitted"), office.driven("approved")
    done = render_all(office.people[Role.DRAFTER], tmp_path / "out", state="approved", format_="json", workers=1)
    assert done["rendered"] == 1
    value = orjson.loads(next((tmp_path / "out").glob("*.json")).read_bytes())
    assert value["stage"]["document"] == "approval"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_bytes(b"x")
    with pytest.raises(InvalidInput, match="别的文件"):
        render_all(office.people[Role.DRAFTER], tmp_path / "mine", workers=1)
    assert files(tmp_path / "mine") == {"letter.txt": b"x"}


def test_one_text_that_no_font_can_print_stops_no_other(sqlite_office, tmp_path):
    office = sqlite_office
    good, bad = office.imported(), office.imported()
    set_members(office.people[Role.DRAFTER], bad, [("/title", "没有字形的字\U0010fffd")], reason="试")
    done = render_all(office.people[Role.DRAFTER], tmp_path / "out", workers=1)
    assert done["rendered"] == 1
    assert [item["text"] for item in done["failed"]] == [bad]
    assert any(name.startswith(good) for name in files(tmp_path / "out"))


def test_a_direct_return_has_a_submission_of_its_own_round(sqlite_office):
    office = sqlite_office
    text = office.county("second_review")
    remarks = [REMARK]
    office.act(Role.SECOND_REVIEWER, text, "return", reason="有误", remarks=remarks, choice=Choice(resume="direct"))
    office.clock.moment += timedelta(days=2)
    office.act(Role.DEPARTMENT_HEAD, text, "submit", accept_all=True)
    assert "第2次报送" in made(office, Role.DRAFTER, text, "submission").decode()
