"""Personal data stays out of the log on both databases, and those who may see it still see it."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from handled_texts import administrator

from application import histories, texts
from application.accounts import add_account
from application.auditing import read_log
from application.editing import set_members
from application.identity import log_in
from application.installation import Installation
from audit.sealing import check
from models.engine import make_engine, transaction
from models.errors import GuardFailed, LogCorrupt, NotAllowed, NotFound
from models.log import AuditEntry
from models.people import Role
from models.texts import Finding, FindingStatus

PERSON, PHONE, OTHER = "孙慧兰", "0319-8800123", "0319-8800456"


def bodies(office) -> str:
    office.installation.catch_up()
    with transaction(office.installation.engine, read_only=True) as work:
        return "\n".join(bytes(row).decode() for row in work.connection.scalars(sa.select(AuditEntry.body)))


def edited(office) -> str:
    """A text whose project got a person and a phone, and then another phone."""
    text = office.imported()
    drafter = office.people[Role.DRAFTER]
    set_members(drafter, text, [("/projects/p1/person_in_charge", PERSON), ("/projects/p1/phone", PHONE)])
    set_members(drafter, text, [("/projects/p1/phone", OTHER)])
    return text


def changes(office, text, role):
    return {
        (item["p"], item.get("o"), item.get("n"))
        for entry in histories.history(office.people[role], text)
        for item in entry["changes"]
    }


def test_no_event_holds_a_person_of_a_text_and_insiders_see_them(office):
    text = edited(office)
    said = bodies(office)
    assert not any(value in said for value in (PERSON, PHONE, OTHER))
    assert '"nc":"' in said
    for role in (Role.DRAFTER, Role.AUDITOR):
        assert ("/projects/p1/phone", PHONE, OTHER) in changes(office, text, role)
        assert ("/projects/p1/person_in_charge", None, PERSON) in changes(office, text, role)


def test_a_refusal_that_is_about_a_person_s_number_does_not_quote_it(office):
    """An unconfirmed repair stops 报送; its sentence quotes what was repaired, and a refusal is an event."""
    text = edited(office)
    with transaction(office.installation.engine) as work:
        for number, (place, raw, repaired) in enumerate(
            (("/projects/p1/phone", PHONE.replace("-", " "), PHONE), ("/projects/p1/name", "图书 馆", "图书馆")), 90
        ):
            work.session.add(
                Finding(
                    text_id=text,
                    number=number,
                    code="blank",
                    severity="warning",
                    anchor=place,
                    raw=raw,
                    repaired=repaired,
                    reason="多了空白",
                    confidence="0.90",
                    line=None,
                    status=FindingStatus.OPEN,
                    resolved_by=None,
                    resolved_at=None,
                )
            )
    with pytest.raises(GuardFailed) as caught:
        office.act(Role.DEPARTMENT_HEAD, text, "submit")
    said = bodies(office)
    for words in (said, caught.value.message):
        assert "C007（/projects/p1/phone）这一处属个人信息" in words
        assert "“图书 馆”" in words
        assert not any(value in words for value in (PHONE, PHONE.replace("-", " ")))


def test_no_event_holds_a_name_or_a_login(office):
    made = add_account(
        administrator(office, Role.SYSTEM_ADMINISTRATOR),
        "sunhuilan",
        PERSON,
        "澜石市青禾县图书馆",
        password="long-enough",
    )
    log_in(office.installation, "sunhuilan", "long-enough")
    with pytest.raises(NotAllowed):
        log_in(office.installation, "sunhuilan", "wrong")
    with pytest.raises(NotAllowed):
        log_in(office.installation, "nobody-of-that-name", "wrong")
    said = bodies(office)
    assert not any(word in said for word in ("sunhuilan", PERSON, "nobody-of-that-name", "sysadmin", "演示"))
    for reader in (office.people[Role.AUDITOR], administrator(office, Role.AUDIT_ADMINISTRATOR)):
        found = read_log(reader, act="account.add", limit=1000)
        shown = {change["p"]: change["n"] for item in found for change in item["personal"] if made["id"] in str(item)}
        assert shown == {"/login": "sunhuilan", "/name": PERSON}


def test_an_auditor_can_check_a_commitment_without_the_program(office):
    edited(office)
    auditor = office.people[Role.AUDITOR]
    [change] = [
        change
        for item in read_log(auditor, act="text.field.update", limit=1000)
        for change in item["event"]["chg"]
        if change["p"] == "/projects/p1/phone" and "oc" in change
    ]
    with transaction(office.installation.engine, read_only=True) as work:
        opened = office.installation.keyring.sealer.open_sealed(work, change["nc"])
    assert check(change["nc"], OTHER, opened.salt)
    assert not check(change["nc"], PHONE, opened.salt)


def test_the_audit_administrator_sees_accounts_and_no_texts(sqlite_office):
    office = sqlite_office
    edited(office)
    found = read_log(administrator(office, Role.AUDIT_ADMINISTRATOR), act="text.field.update", limit=1000)
    shown = [change["n"] for item in found for change in item["personal"]]
    assert shown
    assert set(shown) == {"（已密封：您不能查看）"}


def test_a_copy_without_the_sealing_key_is_readable_and_says_so(sqlite_office):
    office = sqlite_office
    text = edited(office)
    (office.installation.settings.keys / "seal.key").unlink()
    assert ("/projects/p1/phone", *("（已密封：这里没有密封密钥，打不开）",) * 2) in changes(office, text, Role.AUDITOR)
    assert json.dumps(texts.show_text(office.people[Role.DRAFTER], text), ensure_ascii=False).count(OTHER) == 1


def test_without_the_sealing_key_nothing_personal_is_written_and_no_new_key_is_made(sqlite_office):
    office = sqlite_office
    text = edited(office)
    path = office.installation.settings.keys / "seal.key"
    path.unlink()
    fresh = Installation(office.installation.settings, make_engine(office.installation.engine.url), office.clock)
    request = type(office.people[Role.DRAFTER])(fresh, office.people[Role.DRAFTER].person, "test")
    with pytest.raises(NotFound, match="密封密钥文件"):
        set_members(request, text, [("/projects/p1/phone", "0319-1")])
    assert not path.exists()
    assert texts.show_text(request, text)["version"] == 3
    set_members(request, text, [("/projects/p1/name", "图书馆运行")])  # nothing about a person
    fresh.engine.dispose()


def test_an_altered_value_is_not_shown_as_if_it_were_the_committed_one(sqlite_office):
    office = sqlite_office
    text = edited(office)
    with office.installation.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE sealed_value SET sealed = CAST(sealed || x'00' AS BLOB) WHERE purpose LIKE '%phone'")
        )
    with pytest.raises(LogCorrupt, match="打不开或与承诺不符"):
        histories.history(office.people[Role.AUDITOR], text)
