"""An archive holds everything, is the same twice, and what is changed in it is found without a database."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from handled_texts import administrator

from application import numbering
from application.acting import Remark
from application.archive_checks import verify_archive
from application.archive_files import MANIFEST, manifest_of, packed, unpacked
from application.archiving import make_archive
from application.editing import set_members
from application.rendering import render_text
from models.canonical import digest
from models.errors import InvalidInput, NotAllowed
from models.people import Role

REMARK = Remark("/projects/p1/code", "编码与批复不符", "核对编码")


def finished(office: Any) -> str:
    numbering.set_number_word(administrator(office, Role.SYSTEM_ADMINISTRATOR), "澜石市青禾县财政局", "青财绩")
    text = office.driven("submitted")
    office.act(Role.REVIEWER, text, "return", reason="编码有误", remarks=[REMARK])
    set_members(office.people[Role.DRAFTER], text, [("/title", "2021年部门预算绩效文本（改）")], reason="改名")
    office.act(Role.DEPARTMENT_HEAD, text, "submit", accept_all=True)
    for role, action in (
        (Role.REVIEWER, "accept"),
        (Role.REVIEWER, "pass"),
        (Role.SECOND_REVIEWER, "pass"),
        (Role.APPROVER, "approve"),
        (Role.PUBLISHER, "publish"),
    ):
        office.act(role, text, action)
    return str(text)


def vkeys(office: Any) -> list[str]:
    return [str(office.installation.signer.vkey)]


def repacked(data: bytes, **changed: bytes | None) -> bytes:
    """The archive with members changed (None: taken out), and a manifest that says so."""
    members = {path: body for path, body in unpacked(data).items() if path != MANIFEST}
    for path, body in changed.items():
        if body is None:
            members.pop(path)
        else:
            members[path] = body
    return packed(members)


def test_an_archive_holds_everything_and_is_the_same_twice(office):
    text = finished(office)
    first = make_archive(office.people[Role.AUDITOR], text)
    office.clock.moment = office.clock.moment.replace(month=8)
    other = office.driven("submitted")
    render_text(office.people[Role.REVIEWER], text, format_="html")
    make_archive(office.people[Role.REVIEWER], other)
    again = make_archive(office.people[Role.DRAFTER], text)
    assert again.sha256 == first.sha256
    members = unpacked(first.data)
    documents = sorted(path for path in members if path.startswith("documents/"))
    assert documents == [
        "documents/r1-return-v1.pdf",
        "documents/r1-submission-v1.pdf",
        "documents/r2-approval-v2.pdf",
        "documents/r2-publication-v2.pdf",
        "documents/r2-review-v2.pdf",
        "documents/r2-submission-v2.pdf",
    ]
    assert all(members[path].startswith(b"%PDF") for path in (*documents, "catalogue.pdf", "process-sheet.pdf"))
    verdict = verify_archive(first.data, vkeys(office))
    assert verdict.problems == ()
    assert verdict.receipts > 10
    acts = {path.rpartition("-")[2] for path in members if path.startswith("events/")}
    assert {"text.import.json", "workflow.publish.tlog", "document.render.json"} & acts


def test_documents_of_a_round_are_as_they_were_in_it(sqlite_office):
    office = sqlite_office
    text = finished(office)
    made = render_text(office.people[Role.REVIEWER], text, document="submission")
    members = unpacked(make_archive(office.people[Role.AUDITOR], text).data)
    assert members["documents/r2-submission-v2.pdf"] == made.data
    assert members["documents/r1-submission-v1.pdf"] != made.data


def test_who_may_not_read_the_log_of_a_text_gets_no_archive(sqlite_office):
    office = sqlite_office
    text = finished(office)
    with pytest.raises(NotAllowed):
        make_archive(administrator(office, Role.SYSTEM_ADMINISTRATOR), text)


def test_the_bureau_gets_no_archive_of_what_is_being_written(sqlite_office):
    office = sqlite_office
    text = office.driven("submitted")
    office.act(Role.REVIEWER, text, "return", reason="有误", remarks=[REMARK])
    with pytest.raises(NotAllowed, match="报送后再归档"):
        make_archive(office.people[Role.REVIEWER], text)
    assert make_archive(office.people[Role.DRAFTER], text).files


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> tuple[bytes, list[str]]:
    from offices import make_office

    folder = tmp_path_factory.mktemp("archive")
    office = make_office(folder / "home", f"sqlite:///{folder / 'jixiao.db'}")
    try:
        return make_archive(office.people[Role.AUDITOR], finished(office)).data, vkeys(office)
    finally:
        office.installation.engine.dispose()


def test_a_changed_byte_of_any_member_is_found(kept):
    data, keys = kept
    for path, body in unpacked(data).items():
        members = {**unpacked(data), path: body[:-1] + bytes([body[-1] ^ 1])}
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        assert not verify_archive(buffer.getvalue(), keys).ok, path


@pytest.mark.parametrize("path", ["content/v0001.json", "documents/r2-approval-v2.pdf", "archive.json"])
def test_a_manifest_written_anew_hides_no_changed_content(kept, path):
    data, keys = kept
    body = unpacked(data)[path].replace(b'"text"', b'"texx"') + b" "
    assert not verify_archive(repacked(data, **{path: body}), keys).ok


def test_an_event_taken_out_is_missed(kept):
    data, keys = kept
    path = next(path for path in unpacked(data) if path.endswith("workflow.return.json"))
    gone = {path: None, path.removesuffix(".json") + ".tlog-proof": None}
    assert "可能少了事件" in "".join(verify_archive(repacked(data, **gone), keys).problems)


def test_another_key_proves_nothing(kept):
    from audit.notes import vkey_text

    data, _ = kept
    stranger = vkey_text("example.gov.cn/other", bytes(range(32)))
    assert not verify_archive(data, [stranger]).ok


def test_a_key_that_is_none_is_a_slip_of_the_person(kept):
    with pytest.raises(InvalidInput):
        verify_archive(kept[0], ["nonsense"])
    with pytest.raises(InvalidInput, match="--vkey"):
        verify_archive(kept[0], [])


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../b", "a\\b", "C:x", "x/", "a//b", "字.txt", ".hidden"])
def test_a_name_that_leads_elsewhere_is_refused(kept, name):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"x")
    verdict = verify_archive(buffer.getvalue(), kept[1])
    assert "没有打开" in verdict.problems[0]


def test_a_name_twice_is_refused(kept):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive.json", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("archive.json", b"2")
    assert "重名" in verify_archive(buffer.getvalue(), kept[1]).problems[0]


def test_a_link_and_a_bomb_are_refused(kept):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, b"/etc/passwd")
    assert "不是普通文件" in verify_archive(buffer.getvalue(), kept[1]).problems[0]
    bomb = io.BytesIO()
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("zeros", "w", force_zip64=True) as member,
    ):
        for _ in range(1100):
            member.write(bytes(1024 * 1024))
    assert len(bomb.getvalue()) < 3_000_000
    assert "太大" in verify_archive(bomb.getvalue(), kept[1]).problems[0]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"x" * 100])
def test_what_is_no_archive_is_a_verdict(kept, data):
    assert not verify_archive(data, kept[1]).ok


def test_a_cut_archive_is_a_verdict(kept):
    data, keys = kept
    for length in (10, 1000, len(data) // 2, len(data) - 30):
        assert not verify_archive(data[:length], keys).ok


def test_the_manifest_is_that_of_sha256sum(kept):
    members = unpacked(kept[0])
    lines = members.pop(MANIFEST).decode().splitlines()
    assert lines == [f"{digest(members[path])}  {path}" for path in sorted(members)]
    assert manifest_of(members).splitlines() == lines
