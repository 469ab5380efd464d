"""Comparing versions on both databases: who may compare what, which two by default, and the reasons of the changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs
from test_adjusting import WAY, outsider

from application import comparing, texts
from application.acting import Remark
from application.editing import set_members
from cli.comparing import compare as command
from models.errors import InvalidInput, NotAllowed, NotFound
from models.people import Role

PLACE = "/projects/p1/purpose"
SAMPLE = Path(__file__).parents[3] / "examples" / "library-2021.txt"


def edit(office: Any, text: str, value: str, reason: str, place: str = PLACE) -> None:
    set_members(office.people[Role.DRAFTER], text, [(place, value)], reason=reason)


def versions(compared: comparing.Compared) -> tuple[int | None, int | None]:
    return compared.before.version, compared.after.version


def test_the_department_compares_the_last_two_versions_by_default(office) -> None:
    text = office.county("draft")
    for number in (2, 3):
        edit(office, text, f"用途 {number}", f"修改 {number}")
    compared = comparing.compare_versions(office.people[Role.DRAFTER], text)
    assert versions(compared) == (2, 3)
    [row] = compared.table()
    assert row == {
        "place": PLACE,
        "place_title": "项目“阅读推广经费” 资金用途",
        "before": "用途 2",
        "after": "用途 3",
        "before_words": "用途 2",
        "after_words": "用途 3",
        "reason": "修改 3",
    }
    assert versions(comparing.compare_versions(office.people[Role.DRAFTER], text, before=1)) == (1, 3)
    assert versions(comparing.compare_versions(office.people[Role.AUDITOR], text)) == (2, 3)


def test_the_bureau_compares_what_was_submitted_to_it(office) -> None:
    text = office.county("first_review")
    reviewer = office.people[Role.REVIEWER]
    with pytest.raises(NotFound, match="第 1 版之前没有您可以查看的版本"):
        comparing.compare_versions(reviewer, text)
    office.act(Role.REVIEWER, text, "return", reason="用途不清", remarks=[Remark(PLACE, "写清用途")])
    for number in (2, 3, 4):
        edit(office, text, f"用途 {number}", f"修改 {number}")
    with pytest.raises(NotAllowed, match="第 4 版还没有报送"):
        comparing.compare_versions(reviewer, text, before=1, after=4)
    assert versions(comparing.compare_versions(office.people[Role.DRAFTER], text)) == (3, 4)
    office.act(Role.DEPARTMENT_HEAD, text, "submit", accept_all=True)
    compared = comparing.compare_versions(reviewer, text)
    assert versions(compared) == (1, 4)
    assert [row["reason"] for row in compared.table()] == ["修改 4"]


def test_outsiders_compare_published_texts_only_and_without_personal_data(sqlite_office) -> None:
    office = sqlite_office
    other = outsider(office)
    draft = office.county("draft")
    with pytest.raises(NotAllowed, match="不能查看这份文本"):
        comparing.compare_versions(other, draft)
    text = office.county("published")
    office.act(Role.DRAFTER, text, "adjust", reason="调整")
    edit(office, text, "张三", "补负责人", "/projects/p1/person_in_charge")
    with pytest.raises(NotAllowed):
        comparing.compare_versions(other, text, before=1, after=2)
    office.act(Role.DEPARTMENT_HEAD, text, "submit")
    for role, action in WAY:
        office.act(role, text, action)
    with pytest.raises(NotFound, match="无从比较"):
        comparing.compare_versions(other, text)
    with pytest.raises(NotAllowed, match="公开的是第 2 版"):
        comparing.compare_versions(other, text, before=1, after=2)
    assert comparing.read_side(other, text).content.projects[0].person_in_charge is None
    assert comparing.read_side(office.people[Role.DRAFTER], text).content.projects[0].person_in_charge == "张三"


def test_two_texts_are_compared_by_names_and_not_by_ids(sqlite_office) -> None:
    office, drafter = sqlite_office, sqlite_office.people[Role.DRAFTER]
    one, other = office.imported(), office.imported()
    indicators = texts.show_text(drafter, other)["content"]["projects"][0]["indicators"]
    turned = [{**item, "id": f"i{number}"} for number, item in enumerate(indicators[1:], start=1)]
    set_members(drafter, other, [("/projects/p1/indicators", turned)], reason="去掉第一项")
    compared = comparing.compare_sides(comparing.read_side(drafter, one), comparing.read_side(drafter, other))
    assert [(row.kind.value, row.places) for row in compared.rows] == [("removed", ("/projects/p1/indicators/i1",))]
    assert len(compared.comparison.renumbered) == len(turned)


def test_a_version_that_was_exported_and_edited_is_compared_by_its_ids(sqlite_office) -> None:
    drafter, text = sqlite_office.people[Role.DRAFTER], sqlite_office.imported()
    content = texts.show_text(drafter, text)["content"]
    content["projects"][0]["indicators"][0]["name"] = "完全另取的名字"
    file = comparing.side_of_file(json.dumps({"text": "x", "content": content}).encode(), "草稿.json")
    compared = comparing.compare_sides(comparing.read_side(drafter, text), file)
    assert [row.kind.value for row in compared.rows] == ["changed"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"{", "不是有效的 JSON"),
        (b'{"fiscal_year": 1}', "内容不符合"),
        (b"\x00\x01\x02", "坏文件"),
        (b'{"fiscal_year": 2021, "title": "\\u001b[31m"}', "不能显示的字符"),
    ],
)
def test_a_file_that_is_no_content_is_named(data: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence) as caught:
        comparing.side_of_file(data, "坏文件.json")
    assert caught.value.message.startswith("坏文件.json：")


def run(*arguments: Any) -> Any:
    with capture_logs():
        return CliRunner().invoke(command, [str(item) for item in arguments], standalone_mode=False)


def test_the_command_compares_files_without_an_installation(tmp_path, monkeypatch) -> None:
    def nobody() -> None:
        raise AssertionError("files need no database")

    monkeypatch.setattr("cli.session.current_request", nobody)
    changed = tmp_path / "改.txt"
    changed.write_text(SAMPLE.read_text("utf-8").replace("86400.00", "87400.00").replace("修补", "修理"), "utf-8")
    done = run(SAMPLE, changed)
    assert done.exception is None
    assert "  - 86400.00 元\n  + 87400.00 元\n" in done.stdout
    assert "图书破损的及时修[-补-]{+理+}" in done.stdout.replace("\n    ", "")
    assert "修改 3" in done.stderr
    assert max(map(_width, done.stdout.splitlines())) <= 80
    same = run(SAMPLE, SAMPLE)
    assert (same.stdout, "没有差异" in same.stderr) == ("", True)
    table = [line.split("\t") for line in run(SAMPLE, changed, "--format", "table").stdout.splitlines()]
    assert table[0] == ["位置", "修改前", "修改后", "理由"]
    assert ["项目“阅读推广经费” 预算规模 预算数", "86400.00 元", "87400.00 元", ""] in table
    value = json.loads(run(SAMPLE, changed, "--json").stdout)
    assert value["schema"] == "jixiao/comparison/1"
    assert value["counts"]["changed"] == len(value["changes"]) == 3
    for name in ("html", "inline", "sheet"):
        out = tmp_path / f"{name}.html"
        assert run(SAMPLE, changed, "--format", name, "--out", out).exception is None
        assert out.read_text("utf-8").startswith("<!DOCTYPE html>")


def _width(line: str) -> int:
    from rich.cells import cell_len

    return cell_len(line)


def test_a_web_page_of_a_text_does_not_differ_from_the_text() -> None:
    """Files of any kind that can be imported can be compared; this one holds the sample's lines as paragraphs and a table."""
    lines = SAMPLE.read_text("utf-8").splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("项目编码"))
    rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in line.split(chr(9)))}</tr>" for line in lines[first:])
    paragraphs = "".join(f"<p>{line}</p>" for line in lines[:first])
    page = f"<!DOCTYPE html><html><body>{paragraphs}<table>{rows}</table></body></html>".encode()
    compared = comparing.compare_sides(
        comparing.side_of_file(SAMPLE.read_bytes(), "甲.txt"), comparing.side_of_file(page, "乙.html")
    )
    assert compared.rows == ()
    assert [project.name for project in compared.after.content.projects] == ["阅读推广经费"]


def test_the_command_takes_versions_texts_and_files(sqlite_office, monkeypatch) -> None:
    office = sqlite_office
    text, other = office.imported(), office.imported()
    edit(office, text, "用途 2", "修改 2")
    edit(office, text, "用途 3", "修改 3")
    monkeypatch.setattr("cli.session.current_request", lambda: office.people[Role.DRAFTER])
    for given, found in (
        ((text,), (2, 3)),
        ((f"{text}@1",), (1, 3)),
        ((f"{text}@3", f"{text}@1"), (3, 1)),
        ((f"{text}@1", text), (1, 3)),
        ((text, f"{text}@2"), (3, 2)),
        ((text, other), (3, 1)),
        ((f"{text}@2", SAMPLE), (2, None)),
    ):
        value = json.loads(run(*given, "--json").stdout)
        assert (value["before"].get("version"), value["after"].get("version")) == found, given
        assert value["changes"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((SAMPLE,), "还要写明与什么比较"),
        (("没有.json", SAMPLE), "没有文件"),
        ((SAMPLE, SAMPLE, "--out", "x.html"), "--out 只用于网页"),
        ((SAMPLE, SAMPLE, "--json", "--format", "html", "--out", "x"), "--out 只用于网页"),
    ],
)
def test_the_command_says_what_to_write_instead(arguments: Any, sentence: str) -> None:
    assert sentence in str(run(*arguments).exception)


def test_a_reference_that_is_none_says_how_one_looks(sqlite_office, monkeypatch) -> None:
    monkeypatch.setattr("cli.session.current_request", lambda: sqlite_office.people[Role.DRAFTER])
    assert "应写成 编号@版次，如 abc@2" in str(run("abc@0").exception)
    with pytest.raises(NotFound):
        raise run("abc@1").exception
