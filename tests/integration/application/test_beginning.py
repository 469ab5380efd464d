"""Texts that are begun without a file: from last year's or from a template, by the drafter, with an event that says from what."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from handled_texts import administrator, last_event
from offices import ANSWER, Office

from application import answering, beginning, bureau_checks, comparing, histories
from application.accounts import add_account, add_organization, grant_role
from application.editing import replace_content, set_members
from application.identity import authenticate
from application.installation import Request
from application.texts import list_texts, show_text
from models.errors import GuardFailed, InvalidInput, NotAllowed, NotFound
from models.people import OrganizationKind, Role
from models.places import get


def begin(office: Office, role: Role = Role.DRAFTER, **given: Any) -> dict[str, Any]:
    return beginning.new_text(office.people[role], **given)


def test_a_new_year_begins_with_last_years_structure(office: Office) -> None:
    last = office.driven("published")
    made = begin(office, source=last, year=2022)
    shown = show_text(office.people[Role.DRAFTER], made["text"])
    assert (shown["summary"]["state"], shown["summary"]["fiscal_year"], shown["version"]) == ("draft", 2022, 1)
    assert shown["content"] == made["content"]
    assert get(shown["content"], "/projects/p1/indicators/i9/name") == "读者满意度"
    assert get(shown["content"], "/projects/p1/budget") is None
    event = last_event(office, made["text"])
    assert (event["act"], event["actor"]["role"], event["after"]) == ("text.create", "drafter", shown["content_hash"])
    said = {item["p"]: item.get("n") for item in event["chg"]}
    old = show_text(office.people[Role.DRAFTER], last)
    assert said["/from"] == {"text": last, "version": old["version"], "content": old["content_hash"], "year": 2021}
    (row,) = histories.history(office.people[Role.DRAFTER], made["text"])
    assert (row["title"], row["why"]) == ("新建", "按 2021 年文本新建")
    assert list_texts(office.people[Role.DRAFTER], year=2022)[0]["text"] == made["text"]


def test_this_year_and_last_are_compared_item_by_item(sqlite_office: Office) -> None:
    office, drafter = sqlite_office, sqlite_office.people[Role.DRAFTER]
    last = office.imported()
    made = begin(office, source=last, year=2022)["text"]
    compared = comparing.compare_sides(comparing.read_side(drafter, last), comparing.read_side(drafter, made))
    kinds = compared.comparison.counts()
    changed = {change.place for change in compared.comparison.changes}
    assert "/projects/p1/indicators/i4/value" in changed
    assert not kinds.get("moved")
    assert not [place for place in changed if place in ("/projects/p1", "/projects/p1/indicators/i4")]


def test_an_empty_text_is_not_submitted_and_a_filled_one_is(office: Office) -> None:
    drafter = office.people[Role.DRAFTER]
    last = office.imported()
    made = begin(office, source=last, year=2022)["text"]
    with pytest.raises(GuardFailed, match="C001"):
        office.act(Role.DEPARTMENT_HEAD, made, "submit")
    content = show_text(drafter, last)["content"]
    other = begin(office, source=last, year=2020)["text"]
    code = content["projects"][0]["code"]
    content["projects"][0]["code"] = f"{code[:6]}20{code[8:]}"
    content["fiscal_year"], content["title"] = 2020, "2020年部门预算绩效文本"
    content["overall"]["introduction"] = "守住开放、借阅、讲座三块阵地。"
    replace_content(drafter, other, orjson.dumps(content), reason="填写")
    answering.answer_findings(drafter, other, (), words=ANSWER, everything=True)
    assert office.act(Role.DEPARTMENT_HEAD, other, "submit")["state"] == "submitted"


def test_a_template_knows_who_writes_and_whom_it_goes_to(office: Office) -> None:
    made = begin(office, template="standard", year=2026)
    content = made["content"]
    assert content["department"] == {"name": "图书馆", "code": "612", "unit_name": "澜石市青禾县图书馆"}
    assert content["reviewing_body"] == made["reviewing"] == "澜石市青禾县财政局"
    assert {item["level1"] for item in content["projects"][0]["indicators"]} == {
        "成本指标",
        "产出指标",
        "效益指标",
        "满意度指标",
    }
    said = {item["p"]: item.get("n") for item in last_event(office, made["text"])["chg"]}
    assert said["/from"] == {"template": "standard"}
    set_members(office.people[Role.DRAFTER], made["text"], [("/projects/p1/name", "阅读推广经费")])


def test_a_template_follows_the_scheme_of_the_bureau(sqlite_office: Office) -> None:
    office = sqlite_office
    data = """
[[schemes]]
title = "本县一套"
since = 2000
until = 2099
levels = [{name = "进度", kinds = [{name = "开工"}, {name = "完工"}]}]
required = [{title = "完工", level = "进度", kinds = ["完工"]}]
""".encode()
    bureau_checks.import_settings(administrator(office, Role.SYSTEM_ADMINISTRATOR), None, data, name="a.toml")
    content = begin(office, template="standard", year=2026)["content"]
    assert [(item["level1"], item["level2"]) for item in content["projects"][0]["indicators"]] == [
        ("进度指标", "完工指标")
    ]


def test_texts_of_the_year_that_are_there_already_are_told(sqlite_office: Office) -> None:
    office = sqlite_office
    last = office.imported()
    first = begin(office, source=last, year=2022)
    assert first["earlier"] == []
    assert begin(office, source=last, year=2022)["earlier"] == [first["text"]]


def test_only_a_drafter_begins_and_only_from_a_text_of_the_department(sqlite_office: Office) -> None:
    office = sqlite_office
    last = office.driven("published")
    with pytest.raises(NotAllowed, match="您不能新建文本：新建由编制部门的“经办人”执行"):
        begin(office, Role.DEPARTMENT_HEAD, source=last, year=2022)
    with pytest.raises(InvalidInput, match="不是编制部门"):
        begin(office, Role.REVIEWER, template="standard", year=2022)
    with pytest.raises(NotAllowed):
        beginning.new_text(office.people[Role.REVIEWER], source=last, year=2022, organization="澜石市青禾县图书馆")
    assert len(list_texts(office.people[Role.DRAFTER])) == 1


def test_another_departments_public_text_is_not_begun_from(sqlite_office: Office) -> None:
    office = sqlite_office
    last = office.driven("published")
    system = administrator(office, Role.SYSTEM_ADMINISTRATOR)
    add_organization(system, "青禾县文化馆", OrganizationKind.DEPARTMENT)
    token = add_account(system, "other", "他人", "青禾县文化馆")["token"]
    grant_role(administrator(office, Role.SECURITY_ADMINISTRATOR), "other", Role.DRAFTER)
    other = Request(office.installation, authenticate(office.installation, token), "o")
    assert show_text(other, last)["content"]
    with pytest.raises(NotAllowed, match="本部门自己的文本"):
        beginning.new_text(other, source=last, year=2022)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({}, InvalidInput),
        ({"source": "x", "template": "standard"}, InvalidInput),
        ({"source": "x"}, NotFound),
        ({"template": "none"}, NotFound),
    ],
)
def test_what_can_not_be_begun_leaves_nothing(sqlite_office: Office, given: dict[str, Any], error: type) -> None:
    with pytest.raises(error):
        begin(sqlite_office, year=2022, **given)
    assert list_texts(sqlite_office.people[Role.DRAFTER]) == []
