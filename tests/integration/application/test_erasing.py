"""Erasure by two persons on both databases: what goes, what stays provable, and who may not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from handled_texts import administrator, me
from test_personal_data import OTHER, PERSON, PHONE, bodies, changes, edited

from application.access import every_event
from application.accounts import list_accounts
from application.acting import act
from application.assignments import add_signer, claim, remove_signer
from application.auditing import checkpoint, read_log, verify_log
from application.closing import PLACEHOLDER
from application.erasing import VALID_DAYS, confirm_erasure, list_erasures, request_erasure
from application.identity import authenticate
from audit.sealing import sealed_of
from audit.storage import StoredTree, read_head
from audit.tree import leaf_hash, verify_inclusion
from models.engine import transaction
from models.errors import Conflict, GuardFailed, InvalidInput, NotAllowed, NotFound
from models.log import AuditEntry
from models.people import Account, Role, RoleGrant

BASIS, REASON = "个人信息保护法第四十七条", "本人申请"


def ask(office, **given):
    return request_erasure(
        administrator(office, Role.AUDIT_ADMINISTRATOR), **({"basis": BASIS, "reason": REASON} | given)
    )


def commitment_of(office, text, value):
    """The commitment for a value in the events of a text."""
    office.installation.catch_up()
    sealer = office.installation.keyring.sealer
    with transaction(office.installation.engine, read_only=True) as work:
        found = [
            change[key]
            for item in every_event(work, text)
            for change in item.event.get("chg", [])
            for key in ("oc", "nc")
            if key in change
        ]
        return next(item for item in found if sealer.open_sealed(work, item).value == value)


def events(office, act):
    return [item["event"] for item in read_log(office.people[Role.AUDITOR], act=act, limit=1000)]


def test_after_an_erasure_the_proofs_hold_and_the_screen_says_who_erased(office):
    text = edited(office)
    before = checkpoint(office.installation)
    size = int(before.split("\n")[1])
    with transaction(office.installation.engine, read_only=True) as work:
        leaves = [bytes(row) for row in work.connection.scalars(sa.select(AuditEntry.leaf).order_by(AuditEntry.idx))]
        root = read_head(work, "main").root
        proof = StoredTree(work, "main", read_head(work, "main")).inclusion(size - 1, size)
    assert verify_log(office.installation, outside=(before,)).ok
    commitment = commitment_of(office, text, PHONE)
    asked = ask(office, commitment=commitment)
    assert (asked["count"], asked["purposes"]) == (1, ["/projects/p1/phone"])
    done = confirm_erasure(office.people[Role.AUDITOR], asked["id"])
    assert done["count"] == 1

    verdict = verify_log(office.installation, outside=(before,))
    assert verdict.ok
    assert verdict.signed == verdict.size > size
    with transaction(office.installation.engine, read_only=True) as work:
        body = bytes(work.connection.scalar(sa.select(AuditEntry.body).where(AuditEntry.idx == size - 1)))
        assert leaf_hash(body) == leaves[size - 1]
        assert verify_inclusion(size - 1, size, leaf_hash(body), proof, root)
    shown = changes(office, text, Role.DRAFTER)
    [words] = [new for place, old, new in shown if place == "/projects/p1/phone" and old is None]
    assert words.startswith("已于 2026-03-02 ")
    assert words.endswith("由演示审计删除")
    assert ("/projects/p1/person_in_charge", None, PERSON) in shown


def test_the_event_names_the_basis_both_persons_and_what_was_erased(office):
    text = edited(office)
    commitment = commitment_of(office, text, PHONE)
    asked = ask(office, commitment=commitment)
    confirm_erasure(office.people[Role.AUDITOR], asked["id"])
    [event] = events(office, "privacy.erase")
    said = {change["p"]: change["n"] for change in event["chg"]}
    auditadmin = me(administrator(office, Role.AUDIT_ADMINISTRATOR))
    assert event["actor"]["sub"] == me(office.people[Role.AUDITOR])
    assert event["obj"] == {"type": "erasure", "id": asked["id"], "ver": 2}
    assert event["why"] == REASON
    assert said == {
        "/commitment": commitment,
        "/basis": BASIS,
        "/count": 1,
        "/asked_by": auditadmin,
        "/commitments": [commitment],
    }
    [asking] = events(office, "privacy.request")
    assert asking["actor"]["sub"] == auditadmin


def test_everything_about_a_person_of_a_text_goes_at_once(office):
    text = edited(office)
    with transaction(office.installation.engine, read_only=True) as work:
        count = len(sealed_of(work, f"text/{text}/projects/p1"))
    asked = ask(office, subject=f"text/{text}/projects/p1")
    assert asked["count"] == count == 4
    confirm_erasure(office.people[Role.AUDITOR], asked["id"])
    shown = str(changes(office, text, Role.DRAFTER))
    assert not any(value in shown for value in (PERSON, PHONE, OTHER))
    with pytest.raises(NotFound, match="--commitment"):
        ask(office, subject=f"text/{text}/projects/p1")


def test_an_account_gets_placeholders_and_is_closed(office):
    gone = office.another(Role.DRAFTER, "sunhuilan")
    token = office.token(Role.REVIEWER, "stays")
    asked = ask(office, subject="sunhuilan")
    assert (asked["login"], asked["count"]) == ("sunhuilan", 2)
    system = administrator(office, Role.SYSTEM_ADMINISTRATOR)
    assert [item["id"] for item in list_erasures(system)] == [asked["id"]]
    confirm_erasure(system, asked["id"])
    assert list_erasures(system) == []
    with transaction(office.installation.engine, read_only=True) as work:
        account = work.session.get_one(Account, me(gone))
        assert (account.display_name, account.login.startswith(PLACEHOLDER)) == (PLACEHOLDER, True)
        assert account.disabled_at is not None
        tokens = work.connection.execute(
            sa.text("SELECT name, revoked_at FROM access_token WHERE account_id = :a"), {"a": account.id}
        ).all()
        assert all(name == PLACEHOLDER and revoked for name, revoked in tokens)
    assert authenticate(office.installation, token).login == "stays"
    assert "sunhuilan" not in str(list_accounts(office.people[Role.AUDITOR]))
    shown = read_log(office.people[Role.AUDITOR], act="account.add", limit=1000)
    assert "sunhuilan" not in str(shown)
    assert any(
        change["n"].endswith("由系统管理员删除")
        for item in shown
        for change in item["personal"]
        if item["event"]["obj"]["id"] == me(gone)
    )
    with pytest.raises(NotFound):
        ask(office, subject="sunhuilan")
    with pytest.raises(Conflict, match="已经删除过"):
        ask(office, subject=me(gone))
    assert verify_log(office.installation).ok


def test_who_asked_does_not_confirm_and_neither_does_anybody_else(office):
    text = edited(office)
    auditadmin = administrator(office, Role.AUDIT_ADMINISTRATOR)
    asked = ask(office, commitment=commitment_of(office, text, PHONE))
    for request in (
        auditadmin,
        administrator(office, Role.SECURITY_ADMINISTRATOR),
        office.people[Role.DRAFTER],
        office.people[Role.APPROVER],
    ):
        with pytest.raises(NotAllowed):
            confirm_erasure(request, asked["id"])
    for request in (office.people[Role.AUDITOR], administrator(office, Role.SYSTEM_ADMINISTRATOR)):
        with pytest.raises(NotAllowed):
            request_erasure(request, basis=BASIS, reason=REASON, subject="drafter")
    denied = [event["out"] for act in ("privacy.erase", "privacy.request") for event in events(office, act)]
    assert denied.count("denied") == 6
    assert ("/projects/p1/phone", PHONE, OTHER) in changes(office, text, Role.DRAFTER)


def test_who_asked_does_not_confirm_in_another_role_either(office):
    text = edited(office)
    asked = ask(office, commitment=commitment_of(office, text, PHONE))
    auditadmin = administrator(office, Role.AUDIT_ADMINISTRATOR)
    with transaction(office.installation.engine) as work:
        query = sa.select(RoleGrant).where(RoleGrant.account_id == me(auditadmin))
        work.session.scalars(query).one().role = Role.SYSTEM_ADMINISTRATOR
    with pytest.raises(NotAllowed, match="申请的人不能自己确认"):
        confirm_erasure(auditadmin, asked["id"])
    assert ("/projects/p1/phone", PHONE, OTHER) in changes(office, text, Role.DRAFTER)


def test_nobody_confirms_the_erasure_of_their_own_data(office):
    auditor = office.another(Role.AUDITOR, "secondauditor")
    asked = ask(office, subject="secondauditor")
    with pytest.raises(NotAllowed, match="您本人的信息"):
        confirm_erasure(auditor, asked["id"])
    assert authenticate(office.installation, office.token(Role.AUDITOR, "third")).login == "third"
    confirm_erasure(office.people[Role.AUDITOR], asked["id"])


def test_a_refused_confirmation_names_the_request_and_nothing_that_was_typed(office):
    asked = ask(office, subject="drafter")
    drafter = office.people[Role.REVIEWER]
    for typed in (asked["id"], "孙慧兰", "{" + asked["id"] + "}"):
        with pytest.raises(NotAllowed):
            confirm_erasure(drafter, typed)
    named = [[change["n"] for change in event["chg"]] for event in events(office, "privacy.erase")]
    assert named == [["not_allowed", asked["id"]], ["not_allowed"], ["not_allowed"]]


def test_a_refused_request_names_the_account_and_not_its_log_in_name(office):
    with pytest.raises(NotAllowed):
        request_erasure(office.people[Role.AUDITOR], basis=BASIS, reason=REASON, subject="drafter")
    [event] = events(office, "privacy.request")
    assert {change["p"]: change["n"] for change in event["chg"]} == {
        "/code": "not_allowed",
        "/account": me(office.people[Role.DRAFTER]),
    }


def test_who_was_added_to_sign_later_is_not_closed_before_that(office):
    """The seat behind another has no task yet; it would open for an account that nobody can use."""
    office.another(Role.SECOND_REVIEWER, "adviser")
    text = office.county("second_review")
    second = office.people[Role.SECOND_REVIEWER]
    add_signer(second, text, "adviser", place="after", reason="请复核")
    with pytest.raises(GuardFailed, match="1 个加签席位没有轮到"):
        ask(office, subject="adviser")
    remove_signer(second, text, "+1", reason="不用了")
    assert ask(office, subject="adviser")["login"] == "adviser"


def test_a_seat_of_a_sign_off_that_is_over_keeps_nobody(office):
    adviser = office.another(Role.SECOND_REVIEWER, "adviser")
    text = office.county("second_review")
    add_signer(office.people[Role.SECOND_REVIEWER], text, "adviser", place="after", reason="请复核")
    office.act(Role.SECOND_REVIEWER, text, "pass")
    with pytest.raises(GuardFailed, match="1 项未办结的任务") as caught:
        ask(office, subject="adviser")
    assert len(caught.value.facts["reasons"]) == 1
    act(adviser, text, action="pass")
    office.act(Role.BUDGET_REVIEWER, text, "pass")
    assert ask(office, subject="adviser")["login"] == "adviser"


def test_a_request_is_confirmed_once_and_in_time(office):
    text = edited(office)
    auditor = office.people[Role.AUDITOR]
    first = ask(office, commitment=commitment_of(office, text, PHONE))
    second = ask(office, commitment=commitment_of(office, text, OTHER))
    confirm_erasure(auditor, first["id"])
    with pytest.raises(Conflict, match="已经办完"):
        confirm_erasure(auditor, first["id"])
    office.clock.moment += timedelta(days=VALID_DAYS)
    with pytest.raises(Conflict, match="已经失效"):
        confirm_erasure(auditor, second["id"])
    assert list_erasures(auditor) == []
    with pytest.raises(NotFound, match="--list"):
        confirm_erasure(auditor, "none")


def test_an_account_with_work_in_hand_is_not_closed_until_it_is_done(office):
    text = office.driven("submitted")
    reviewer = office.people[Role.REVIEWER]
    claim(reviewer, text)
    with pytest.raises(GuardFailed, match="1 项未办结的任务"):
        ask(office, subject=reviewer.person.login)
    office.act(Role.REVIEWER, text, "accept")
    office.act(Role.REVIEWER, text, "pass")
    asked = ask(office, subject=reviewer.person.login)
    second = office.driven("submitted")
    claim(reviewer, second)
    with pytest.raises(GuardFailed, match="1 项未办结的任务"):
        confirm_erasure(office.people[Role.AUDITOR], asked["id"])


def test_the_last_administrator_is_not_closed(sqlite_office):
    for login in ("sysadmin", "secadmin", "auditadmin"):
        with pytest.raises(GuardFailed, match="唯一的"):
            ask(sqlite_office, subject=login)


def test_an_order_that_says_too_little_or_too_much_is_refused(sqlite_office):
    office = sqlite_office
    edited(office)
    for given, words in (
        ({}, "二者选一"),
        ({"subject": "drafter", "commitment": "x"}, "二者选一"),
        ({"subject": "drafter", "basis": " "}, "法律依据"),
        ({"subject": "drafter", "reason": ""}, "理由"),
        ({"subject": "drafter", "basis": "法" * 201}, "最多 200 字"),
    ):
        with pytest.raises(InvalidInput, match=words):
            ask(office, **given)
    with pytest.raises(NotFound, match="没有这个承诺值"):
        ask(office, commitment="A" * 43 + "=")
    with transaction(office.installation.engine, read_only=True) as work:
        account = sealed_of(work, me(office.people[Role.DRAFTER]))[0]
    with pytest.raises(InvalidInput, match="--subject"):
        ask(office, commitment=account)


def test_a_request_that_was_changed_in_the_database_is_not_carried_out(sqlite_office):
    """The request stands in the log, and the log says so where the projection names another object."""
    office = sqlite_office
    text = edited(office)
    asked = ask(office, commitment=commitment_of(office, text, PHONE))
    with office.installation.engine.begin() as connection:
        connection.execute(sa.text("UPDATE audit_projection SET obj_id = 'another' WHERE act = 'privacy.request'"))
    with pytest.raises(NotFound):
        confirm_erasure(office.people[Role.AUDITOR], asked["id"])


def test_no_byte_of_key_or_value_is_left_in_the_files(sqlite_office):
    office = sqlite_office
    # Some builds of SQLite overwrite what is deleted anyhow, others do not.
    sa.event.listen(
        office.installation.engine, "connect", lambda driver, _: driver.execute("PRAGMA secure_delete = OFF")
    )
    office.installation.engine.dispose()
    text = edited(office)
    subject = f"text/{text}/projects/p1"
    with transaction(office.installation.engine, read_only=True) as work:
        query = "SELECT wrapped FROM subject_key WHERE subject_id = :s UNION ALL SELECT sealed FROM sealed_value WHERE subject_id = :s"
        secrets = [bytes(row[0]) for row in work.connection.execute(sa.text(query), {"s": subject})]
    database = Path(office.installation.engine.url.database)

    def left():
        data = b"".join(path.read_bytes() for path in database.parent.glob(f"{database.name}*"))
        return [secret for secret in secrets if secret in data]

    assert len(left()) == len(secrets) == 5
    confirm_erasure(office.people[Role.AUDITOR], ask(office, subject=subject)["id"])
    assert left() == []
    assert PHONE not in bodies(office)
