"""An office's own templates in an installation, and what is told beside a public document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from handled_texts import last_event
from test_adjusting import outsider

from application.bulk_rendering import LIST, render_all
from application.editing import set_members
from application.installation import Request
from application.publishing import publication_notes
from application.rendering import render_text
from documents.rendering.template_set import BrokenTemplate, read_templates
from documents.rendering.template_version import templates_sha256
from models.errors import InvalidInput, NotAllowed
from models.people import Role

OWN = '{% set title = "本县的草案" %}<section class="letter"><h1>本县的草案</h1><p>{{ text_title }}</p></section>'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "模板"
    (made / "draft").mkdir(parents=True)
    (made / "draft" / "words.xhtml.j2").write_text(OWN, "utf-8")
    return made


@pytest.fixture
def dressed(sqlite_office: Any, folder: Path) -> Callable[[Role], Request]:
    """A request of a role in the same installation, with the folder set."""
    office = sqlite_office
    settings = office.installation.settings.model_copy(update={"templates": folder})
    installation = replace(office.installation, settings=settings)
    return lambda role: Request(installation, office.people[role].person, f"own-{role}")


def test_the_event_tells_the_version_of_the_own_templates(sqlite_office, dressed, folder):
    text = sqlite_office.imported()
    made = render_text(dressed(Role.DRAFTER), text, format_="html")
    assert "本县的草案" in made.data.decode()
    told = last_event(sqlite_office, text)["chg"][0]["n"]["templates"]
    assert told == templates_sha256("draft", read_templates(folder)) != templates_sha256("draft")
    plain = render_text(sqlite_office.people[Role.DRAFTER], text, format_="html")
    assert "本县的草案" not in plain.data.decode()


def test_a_broken_template_is_an_error_before_anything_is_made_or_recorded(sqlite_office, dressed, folder, tmp_path):
    text = sqlite_office.imported()
    before = last_event(sqlite_office, text)
    (folder / "draft" / "words.xhtml.j2").write_text("{{ nobody }}", "utf-8")
    with pytest.raises(BrokenTemplate, match="draft/words"):
        render_text(dressed(Role.DRAFTER), text)
    with pytest.raises(BrokenTemplate, match="nobody"):
        render_all(dressed(Role.DRAFTER), tmp_path / "out", document="draft", workers=1)
    assert not (tmp_path / "out").exists()
    assert last_event(sqlite_office, text) == before


def test_a_folder_that_is_not_there_is_refused(sqlite_office, dressed, folder):
    text = sqlite_office.imported()
    folder.rename(folder.with_name("fort"))
    with pytest.raises(InvalidInput, match="没有模板文件夹"):
        render_text(dressed(Role.DRAFTER), text)


def test_drafts_of_other_templates_are_made_again_by_a_second_run(sqlite_office, dressed, folder, tmp_path):
    sqlite_office.imported()
    out = tmp_path / "out"
    options = {"document": "draft", "format_": "html", "workers": 1}
    assert render_all(sqlite_office.people[Role.DRAFTER], out, **options)["rendered"] == 1
    assert render_all(dressed(Role.DRAFTER), out, **options)["rendered"] == 1
    assert render_all(dressed(Role.DRAFTER), out, **options)["skipped"] == 1
    listed = [orjson.loads(line) for line in (out / LIST).read_bytes().splitlines()]
    assert listed[-1]["templates"] == templates_sha256("draft", read_templates(folder))


def test_the_notes_of_a_publication_are_for_those_inside(sqlite_office):
    office = sqlite_office
    text = office.imported()
    name = office.people[Role.REVIEWER].person.display_name
    changes = [
        ("/projects/p1/person_in_charge", "王小明"),
        ("/projects/p1/phone", "0399-6012345"),
        ("/projects/p1/purpose", f"由王小明组织，{name}联系，电话13900001111"),
    ]
    set_members(office.people[Role.DRAFTER], text, changes, reason="补写")
    notes = publication_notes(office.people[Role.DRAFTER], text)
    assert [item.label for item, _ in notes.removed] == ["项目负责人", "联系电话"]
    assert {item.kind for item, _ in notes.suspicions} == {"姓名", "电话号码"}
    assert len([1 for item, _ in notes.suspicions if item.kind == "姓名"]) == (2 if len(name) > 1 else 1)
    shown = str(notes.to_json())
    assert "王小明" not in shown
    assert "13900001111" not in shown
    assert "6012345" not in shown


def test_outsiders_get_the_public_document_and_no_notes(sqlite_office):
    office = sqlite_office
    text = office.driven("published")
    made = render_text(office.people[Role.REVIEWER], text, document="publication", format_="html")
    assert made.notes is not None
    assert render_text(office.people[Role.REVIEWER], text, document="approval", format_="html").notes is None
    other = outsider(office)
    public = render_text(other, text, document="publication", format_="html")
    assert public.data == made.data
    assert public.notes is None
    with pytest.raises(NotAllowed):
        publication_notes(other, text)
