"""A file that comes back into a text, on both databases: compared, stored as one edit, refused where it is overtaken."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import pytest

# The unit tests know how people edit a Word file; pytest puts only the folder of each test on the path.
sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "returning"))

from word_edits import Editor, without_control

from application import returning, texts
from application.editing import set_members
from application.rendering import render_text
from audit.timeline import events
from models.blobs import get_blob
from models.engine import transaction
from models.errors import Conflict, InvalidInput, InvalidTransition, NotAllowed
from models.people import Role
from models.texts import TextVersion

PURPOSE = "/projects/p1/purpose"
SAMPLE = Path(__file__).parents[3] / "examples" / "library-2021.txt"


def exported(office: Any, text: str, **given: Any) -> bytes:
    return render_text(office.people[Role.DRAFTER], text, format_="docx", document="draft", **given).data


def edited(data: bytes, **fields: str) -> bytes:
    editor = Editor(data)
    for place, words in fields.items():
        editor.type(place, words)
    return editor.saved()


def read(office: Any, text: str, data: bytes, role: Role = Role.DRAFTER) -> returning.Return:
    return returning.read_return(office.people[role], text, data, name="修改稿.docx")


def content(office: Any, text: str) -> dict[str, Any]:
    found: dict[str, Any] = texts.show_text(office.people[Role.DRAFTER], text)
    return found["content"]


def test_an_edited_file_becomes_a_new_version_with_one_event_and_its_source(office) -> None:
    text = office.imported()
    data = edited(exported(office, text), **{PURPOSE: "导回的用途", "/projects/p1/indicators/i1/name": "改名的指标"})
    before = content(office, text)
    found = read(office, text, data)
    assert [row.kind.value for row in found.compared.rows] == ["changed", "changed"]
    assert found.findings == ()
    assert content(office, text) == before

    done = returning.store_return(office.people[Role.DRAFTER], found, reason="按 Word 修改")
    assert done["version"] == 2
    assert {item["anchor"] for item in done["changes"]} == {PURPOSE, "/projects/p1/indicators/i1/name"}
    after = content(office, text)
    assert after["projects"][0]["purpose"] == "导回的用途"
    assert after["projects"][0]["indicators"][0]["id"] == "i1"
    with transaction(office.installation.engine) as work:
        version = work.session.get_one(TextVersion, (text, 2))
        assert version.reason == "按 Word 修改"
        assert get_blob(work, version.source_sha256) == data
        [event] = [item.event for item in events(work, obj_id=text, act="text.field.update", limit=10)]
    assert event["why"] == "按 Word 修改"
    assert {"p": "/source", "n": f"sha256:{hashlib.sha256(data).hexdigest()}"} in event["chg"]


def test_a_file_without_edits_says_so_and_stores_nothing(sqlite_office) -> None:
    text = sqlite_office.imported()
    found = read(sqlite_office, text, exported(sqlite_office, text))
    assert found.compared.rows == ()
    with pytest.raises(InvalidInput, match="没有变化"):
        returning.store_return(sqlite_office.people[Role.DRAFTER], found)


def test_new_rows_get_ids_that_were_never_given(sqlite_office) -> None:
    office, text = sqlite_office, sqlite_office.imported()
    drafter = office.people[Role.DRAFTER]
    indicators = content(office, text)["projects"][0]["indicators"]
    last = f"i{len(indicators)}"
    set_members(drafter, text, [(f"/projects/p1/indicators/{last}", None)], reason="删去")
    editor = Editor(exported(office, text))
    editor.copied_row("/projects/p1/indicators/i1/name")
    returning.store_return(drafter, read(office, text, editor.saved()))
    ids = [item["id"] for item in content(office, text)["projects"][0]["indicators"]]
    assert last not in ids
    assert ids[1] == f"i{len(indicators) + 1}"


def test_a_file_of_an_earlier_version_is_refused_with_what_changed_on_both_sides(office) -> None:
    text, drafter = office.imported(), office.people[Role.DRAFTER]
    old = exported(office, text)
    set_members(drafter, text, [(PURPOSE, "别人改的"), ("/title", "别人的标题")], reason="先改")
    with pytest.raises(
        Conflict, match="按第 1 版做的，而文本已到第 2 版。两边都改了：项目“阅读推广经费” 资金用途。"
    ) as caught:
        read(office, text, edited(old, **{PURPOSE: "我改的"}))
    assert caught.value.facts["both"] == [PURPOSE]
    with pytest.raises(Conflict, match="两边没有改到同一处") as caught:
        read(office, text, edited(old, **{"/projects/p1/name": "我改的"}))
    assert caught.value.facts["both"] == []
    assert content(office, text)["title"] == "别人的标题"


def test_an_edit_between_looking_and_storing_is_a_conflict(sqlite_office) -> None:
    office, text = sqlite_office, sqlite_office.imported()
    found = read(office, text, edited(exported(office, text), **{PURPOSE: "我改的"}))
    set_members(office.people[Role.DRAFTER], text, [(PURPOSE, "别人改的")], reason="抢先")
    with pytest.raises(Conflict):
        returning.store_return(office.people[Role.DRAFTER], found)


def test_a_file_of_another_text_is_refused(sqlite_office) -> None:
    one, other = sqlite_office.imported(), sqlite_office.imported()
    with pytest.raises(InvalidInput, match=f"是文本 {one} 的"):
        read(sqlite_office, other, exported(sqlite_office, one))


def test_only_who_may_edit_can_store_and_outsiders_see_nothing(sqlite_office) -> None:
    office, text = sqlite_office, sqlite_office.driven("submitted")
    data = edited(exported(office, text), **{PURPOSE: "我改的"})
    found = read(office, text, data)
    with pytest.raises(InvalidTransition, match="内容不能修改"):
        returning.store_return(office.people[Role.DRAFTER], found)
    draft = office.imported()
    data = edited(exported(office, draft), **{PURPOSE: "我改的"})
    with pytest.raises(NotAllowed):
        read(office, draft, data, Role.REVIEWER)
    with pytest.raises(NotAllowed, match="您不能修改"):
        returning.store_return(office.people[Role.AUDITOR], read(office, draft, data, Role.AUDITOR))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda data: data.replace(b'version="1"', b'version="7"'), "W002"),
        (lambda data: data.replace(b'content-hash="', b'content-hash="0000').replace(b'"0000', b'"0000', 1), "W002"),
        (lambda _: b"<nothing/>", "W001"),
    ],
)
def test_a_file_that_lost_its_origin_is_read_like_any_other_and_recognized_by_its_words(
    sqlite_office, change, code
) -> None:
    office, text = sqlite_office, sqlite_office.imported()
    editor = Editor(edited(exported(office, text), **{"/projects/p1/indicators/i2/description": "另一种统计办法"}))
    editor.part("customXml/item1.xml", change)
    found = read(office, text, editor.saved())
    assert found.findings[0]["code"] == code
    places = {change.place for change in found.compared.comparison.changes}
    assert "/projects/p1/indicators/i2/description" in places
    assert len(places) == 1


def test_a_file_whose_controls_are_all_gone_is_read_like_any_other(sqlite_office) -> None:
    office, text = sqlite_office, sqlite_office.imported()
    editor = Editor(exported(office, text))
    for sdt in list(editor.root.iter("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}sdt")):
        without_control(sdt)
    found = read(office, text, editor.saved())
    assert found.findings[0]["code"] == "W002"


def test_a_plain_text_can_come_back_too(sqlite_office) -> None:
    office, text = sqlite_office, sqlite_office.imported()
    changed = SAMPLE.read_text(encoding="utf-8").replace("阅读推广", "全民阅读")
    found = returning.read_return(office.people[Role.DRAFTER], text, changed.encode(), name="改.txt")
    assert found.findings[0]["code"] == "W001"
    assert [project["id"] for project in found.content["projects"]] == ["p1"]
    returning.store_return(office.people[Role.DRAFTER], found)
    assert "全民阅读" in content(office, text)["projects"][0]["name"]


def test_a_workbook_comes_back_by_its_rows(sqlite_office) -> None:
    office, text = sqlite_office, sqlite_office.imported()
    data = render_text(office.people[Role.DRAFTER], text, format_="xlsx", document="draft").data
    found = read(office, text, data)
    assert found.compared.rows == ()
