"""Check settings of a finance bureau: given by the system administrator, kept in every version, used by check and guard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from handled_texts import administrator, last_event
from offices import Office

from application import answering, bureau_checks, texts
from application.accounts import insert_organization
from application.check_settings import attach
from audit.timeline import events
from models.canonical import digest
from models.engine import transaction
from models.errors import DatabaseUnavailable, GuardFailed, InvalidInput, JixiaoError, NotAllowed, NotFound
from models.people import OrganizationKind, Role

FILE = """# 本县的检查设置
division = "990421"
[rules.C006]
disabled = "依据统一为年度安排"
[rules.F001]
severity = "error"
[thresholds]
year_factor = 3.5
[organizations."612".rules.T002]
disabled = "图书馆的标点由文印室校对"
[organizations."701".rules.A006]
severity = "error"
[[budget_lists]]
year = 2021
department = "701"
projects = ["别人的项目"]
""".encode()


def system(office: Office) -> Any:
    return administrator(office, Role.SYSTEM_ADMINISTRATOR)


def give(office: Office, data: bytes = FILE, **given: Any) -> dict[str, Any]:
    return bureau_checks.import_settings(system(office), None, data, name="本县.toml", **given)


def event_of_settings(office: Office) -> dict[str, Any]:
    office.installation.catch_up()
    with transaction(office.installation.engine, read_only=True) as work:
        return [item.event for item in events(work, log="main", limit=10_000) if item.event["act"] == "config.change"][
            -1
        ]


def codes(office: Office, text: str) -> dict[str, str]:
    found = texts.check(office.people[Role.DRAFTER], text)["findings"]
    return {item["code"]: item["severity"] for item in found if "sign" in item["place"] or item["code"] == "C006"}


def test_what_was_given_holds_for_the_check_and_for_the_guard(office: Office) -> None:
    text = office.imported()
    assert codes(office, text)["C006"] == codes(office, text)["F001"] == "warning"
    give(office)
    assert "C006" not in codes(office, text)
    # The half of F001 that only warns stays a warning, whatever the rule is set to.
    assert codes(office, text)["F001"] == "warning"
    give(office, b'[rules.A004]\nseverity = "error"\n[thresholds]\nboilerplate_share = 50.0\n')
    assert "C006" in codes(office, text)
    give(office, b'required_checkpoints = ["12\xe6\x9c\x88\xe5\xba\x95"]\n')
    with pytest.raises(GuardFailed, match=r"C001.*12月底"):
        office.act(Role.DEPARTMENT_HEAD, text, "submit")
    give(office, b"")
    assert office.act(Role.DEPARTMENT_HEAD, text, "submit")["state"] == "submitted"


def test_the_report_and_the_submission_say_by_which_settings(office: Office) -> None:
    text = office.imported()
    assert texts.check(office.people[Role.DRAFTER], text)["settings"] == {"settings": "default"}
    done = give(office)
    wanted = {"settings": "organization", "version": 1, "sha256": digest(FILE)}
    assert done["sha256"] == digest(FILE)
    assert texts.check(office.people[Role.DRAFTER], text)["settings"] == wanted
    assert answering.list_findings(office.people[Role.DRAFTER], text)["settings"] == wanted
    office.act(Role.DEPARTMENT_HEAD, text, "submit")
    assert {"p": "/checks", "n": wanted} in last_event(office, text)["chg"]
    office.act(Role.REVIEWER, text, "accept")
    assert "/checks" not in [item["p"] for item in last_event(office, text).get("chg", [])], "nothing was checked then"


def test_every_version_stays_and_the_newest_holds(office: Office) -> None:
    first, second = give(office, reason="按通知"), give(office, b'division = "990421"\n')
    assert (first["version"], second["version"]) == (1, 2)
    shown = bureau_checks.show_settings(system(office))
    assert (shown["version"], shown["sha256"]) == (2, second["sha256"])
    assert [(item["version"], item["reason"], item["name"]) for item in shown["versions"]] == [
        (2, "", "本县.toml"),
        (1, "按通知", "本县.toml"),
    ]
    auditor = office.people[Role.AUDITOR]
    assert bureau_checks.export_settings(auditor, version=1) == ("本县.toml", FILE)
    assert bureau_checks.export_settings(auditor)[1] == b'division = "990421"\n'
    with pytest.raises(NotFound, match="第 3 版"):
        bureau_checks.export_settings(auditor, version=3)


def test_the_event_says_what_changed_member_by_member(office: Office) -> None:
    give(office, reason="按通知")
    event = event_of_settings(office)
    assert (event["obj"]["type"], event["why"], event["actor"]["role"]) == (
        "check_settings",
        "按通知",
        "system_administrator",
    )
    changed = {item["p"]: item.get("n") for item in event["chg"]}
    assert changed["/sha256"] == digest(FILE)
    assert changed["/rules/C006/disabled"] == "依据统一为年度安排"
    assert changed["/thresholds/year_factor"] == "3.5"
    assert changed["/organizations/612/rules/T002/disabled"] == "图书馆的标点由文印室校对"
    give(office, FILE.replace(b"3.5", b"4.5"))
    changed = {item["p"]: (item.get("o"), item.get("n")) for item in event_of_settings(office)["chg"]}
    assert changed.keys() == {"/version", "/sha256", "/thresholds/year_factor"}
    assert changed["/thresholds/year_factor"] == ("3.5", "4.5")


def test_schemes_of_ones_own_are_told_though_their_members_are_chinese(sqlite_office: Office) -> None:
    data = """
[[schemes]]
title = "本县一套"
since = 2000
until = 2099
levels = [{name = "产出", kinds = [{name = "数量"}]}]
weight_shares = {"产出" = 100}
[organizations."图书馆"]
required_checkpoints = []
""".encode()
    give(sqlite_office, data)
    assert "本县一套" in str(event_of_settings(sqlite_office)["chg"])


def test_the_same_file_again_changes_nothing(sqlite_office: Office) -> None:
    office = sqlite_office
    give(office)
    before = event_of_settings(office)
    again = give(office)
    assert (again["version"], again["changed"]) == (1, False)
    assert event_of_settings(office) == before


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.APPROVER, Role.DEPARTMENT_HEAD, Role.AUDITOR])
def test_only_the_system_administrator_gives_settings(sqlite_office: Office, role: Role) -> None:
    office = sqlite_office
    with pytest.raises(NotAllowed, match="系统管理员"):
        bureau_checks.import_settings(office.people[role], None, FILE, name="a.toml")
    assert event_of_settings(office)["out"] == "denied"
    assert bureau_checks.show_settings(system(office))["versions"] == []
    for other in (Role.SECURITY_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR):
        with pytest.raises(NotAllowed):
            bureau_checks.import_settings(administrator(office, other), None, FILE, name="a.toml")


def test_a_department_is_shown_its_own_part_only(sqlite_office: Office) -> None:
    office = sqlite_office
    give(office)
    drafter = office.people[Role.DRAFTER]
    given = bureau_checks.show_settings(drafter)["given"]
    assert given["division"] == "990421"
    assert set(given["organizations"]) == {"612"}
    assert given["budget_lists"] == []
    assert set(bureau_checks.show_settings(office.people[Role.REVIEWER])["given"]["organizations"]) == {"612", "701"}
    with pytest.raises(NotAllowed, match="check settings show"):
        bureau_checks.export_settings(drafter)


def test_settings_belong_to_a_bureau_and_one_must_be_meant(sqlite_office: Office) -> None:
    office = sqlite_office
    with pytest.raises(InvalidInput, match="不是财政单位"):
        bureau_checks.import_settings(system(office), "图书馆", FILE, name="a.toml")
    with transaction(office.installation.engine) as work:
        insert_organization(
            work,
            system(office).recorder,
            name="另一个财政局",
            kind=OrganizationKind.FINANCE,
            code=None,
            aliases=(),
            actor="-",
            role="-",
            now=office.clock(),
        )
    with pytest.raises(InvalidInput, match="另一个财政局"):
        give(office)
    bureau_checks.import_settings(system(office), "另一个财政局", FILE, name="a.toml")
    text = office.imported()
    assert texts.check(office.people[Role.DRAFTER], text)["settings"] == {"settings": "default"}, "another bureau's"
    assert bureau_checks.show_settings(office.people[Role.REVIEWER])["settings"] == "default", "one's own bureau"


def test_a_file_with_mistakes_is_not_taken(sqlite_office: Office) -> None:
    office = sqlite_office
    for data, told in (
        (b'[rules.C007]\ndisabled = "no"\n', "C007"),
        (b'[rules.X001]\nseverity = "error"\n', "X001"),
        (b'[rules.A006]\nseverity = "serious"\n', "第 2 行"),
        (b"\xff\xfe", "UTF-8"),
    ):
        with pytest.raises(InvalidInput, match=told):
            give(office, data)
    assert bureau_checks.show_settings(system(office))["versions"] == []


def test_the_bureaus_settings_go_before_the_installations(sqlite_office: Office, tmp_path: Path) -> None:
    office, text = sqlite_office, sqlite_office.imported()
    file = tmp_path / "checks.toml"
    file.write_bytes(b'[rules.C006]\ndisabled = "x1"\n')
    attach(office.installation.engine, file)
    found = texts.check(office.people[Role.DRAFTER], text)
    assert found["settings"] == {"settings": "installation", "sha256": digest(file.read_bytes())}
    assert "C006" not in codes(office, text)
    give(office, b"")
    assert texts.check(office.people[Role.DRAFTER], text)["settings"]["settings"] == "organization"
    assert "C006" in codes(office, text)


def test_settings_are_neither_changed_nor_deleted_behind_the_program(office: Office) -> None:
    give(office)
    for sql in ("UPDATE check_setting SET name = 'x'", "DELETE FROM check_setting"):
        with pytest.raises((DatabaseUnavailable, JixiaoError)), transaction(office.installation.engine) as work:
            work.connection.exec_driver_sql(sql)
    assert bureau_checks.show_settings(system(office))["version"] == 1
