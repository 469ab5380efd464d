"""Log-ins and tokens on both databases: what a failure tells, how many there may be, and by which token somebody came."""

from __future__ import annotations

from typing import Any

import argon2
import pytest
from handled_texts import administrator

from application import identity, texts
from application.accounts import add_account
from application.attempts import MOST_FAILURES, WINDOW
from application.identity import NOBODYS_HASH, authenticate, log_in
from application.installation import LOG, READS, Installation, Request
from application.leaving import disable_account
from audit.timeline import events
from models.engine import make_engine, transaction
from models.errors import NotAllowed
from models.people import Role

PASSWORD = "long-enough"


@pytest.fixture
def newcomer(office: Any) -> str:
    """The id of an account with a password, whose log-in name is ``new``."""
    system = administrator(office, Role.SYSTEM_ADMINISTRATOR)
    return str(add_account(system, "new", "新来的", "澜石市青禾县图书馆", password=PASSWORD)["id"])


def told(office: Any, act: str, log: str = LOG) -> list[dict[str, Any]]:
    office.installation.catch_up(log)
    with transaction(office.installation.engine, read_only=True) as work:
        return [item.event for item in events(work, log=log, act=act, limit=1000)]


def fail(office: Any, login: str = "new", password: str = "wrong") -> str:
    with pytest.raises(NotAllowed) as caught:
        log_in(office.installation, login, password)
    return caught.value.message


def test_after_too_many_failures_the_right_password_opens_nothing_for_a_while(office, newcomer):
    for _ in range(MOST_FAILURES - 1):
        fail(office)
    log_in(office.installation, "new", PASSWORD)
    fail(office)
    assert fail(office, password=PASSWORD) == fail(office)
    last = told(office, "auth.failure")[-1]
    assert (last["obj"]["id"], last["out"], last["chg"]) == (
        newcomer,
        "failure",
        [{"p": "/code", "n": "too_many_failures"}],
    )
    office.clock.moment += WINDOW
    assert log_in(office.installation, "new", PASSWORD)[1].account_id == newcomer


def test_who_goes_on_trying_does_not_keep_somebody_out_for_ever(office, newcomer):
    for _ in range(MOST_FAILURES):
        fail(office)
    office.clock.moment += WINDOW * 0.9
    for _ in range(MOST_FAILURES):
        fail(office)
    office.clock.moment += WINDOW * 0.2
    assert log_in(office.installation, "new", PASSWORD)


def test_one_account_s_failures_shut_out_nobody_else(office, newcomer):
    add_account(
        administrator(office, Role.SYSTEM_ADMINISTRATOR), "other", "另一人", "澜石市青禾县图书馆", password=PASSWORD
    )
    for _ in range(MOST_FAILURES):
        fail(office)
        fail(office, login="nobody-of-that-name")
    assert log_in(office.installation, "other", PASSWORD)


def test_nobody_learns_which_names_exist(sqlite_office):
    """Not by the sentence, also of an account that is shut, and not by the work that a try costs."""
    office = sqlite_office
    system = administrator(office, Role.SYSTEM_ADMINISTRATOR)
    add_account(system, "new", "新来的", "澜石市青禾县图书馆", password=PASSWORD)
    words = {fail(office, login=login) for login in ["new"] * (MOST_FAILURES + 1) + ["nobody-of-that-name"]}
    assert len(words) == 1


def test_trying_a_name_that_does_not_exist_costs_one_hash_like_any_other(sqlite_office, monkeypatch):
    office, hashed = sqlite_office, []
    system = administrator(office, Role.SYSTEM_ADMINISTRATOR)
    add_account(system, "new", "新来的", "澜石市青禾县图书馆", password=PASSWORD)
    for name in ("hash", "verify"):
        real = getattr(argon2.PasswordHasher, name)
        monkeypatch.setattr(
            argon2.PasswordHasher, name, lambda *given, real=real: (hashed.append(given[1]), real(*given))[1]
        )
    fail(office)
    one = len(hashed)
    fail(office, login="nobody-of-that-name")
    assert (one, len(hashed)) == (1, 2)
    assert not argon2.PasswordHasher().check_needs_rehash(NOBODYS_HASH), "another cost would be another time"


def test_every_event_names_the_token_that_its_request_came_with(office, newcomer):
    token, person = log_in(office.installation, "new", PASSWORD)
    made = {change["n"]["id"] for act in ("token.create", "auth.login") for change in _tokens(told(office, act))}
    assert person.session in made
    assert _tokens(told(office, "auth.login"))[-1]["n"]["id"] == person.session
    identity.log_out(Request(office.installation, person, "out"), token)
    assert told(office, "auth.logout")[-1]["ctx"]["ses"] == person.session
    text = office.imported()
    assert told(office, "text.import")[-1]["ctx"]["ses"] == office.people[Role.DRAFTER].person.session
    auditor = office.people[Role.AUDITOR]
    texts.show_text(auditor, text)
    assert told(office, "text.read", READS)[-1]["ctx"]["ses"] == auditor.person.session
    assert auditor.person.session in made


def _tokens(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [change for event in found for change in event["chg"] if change["p"] == "/token"]


def test_a_token_that_no_longer_opens_is_an_event_and_an_unknown_one_is_none(office, newcomer):
    token, person = log_in(office.installation, "new", PASSWORD)
    disable_account(administrator(office, Role.SYSTEM_ADMINISTRATOR), "new", reason="离职")
    with pytest.raises(NotAllowed, match="已撤销"):
        authenticate(office.installation, token)
    [failure] = told(office, "auth.failure")
    assert (failure["actor"]["sub"], failure["obj"]["id"], failure["out"]) == (newcomer, person.session, "denied")
    assert "已撤销" in failure["why"]
    for other in ("jx_unknown", None):
        with pytest.raises(NotAllowed):
            authenticate(office.installation, other)
    assert len(told(office, "auth.failure")) == 1
    office.clock.moment = office.clock.moment.replace(year=office.clock.moment.year + 2)
    with pytest.raises(NotAllowed, match="已过期"):
        authenticate(office.installation, office.administrators[Role.SECURITY_ADMINISTRATOR])
    assert len(told(office, "auth.failure")) == 2


def test_on_a_copy_without_keys_an_ended_token_is_refused_with_its_own_sentence(sqlite_office):
    office = sqlite_office
    token = office.token(Role.DRAFTER, "leaver")
    disable_account(administrator(office, Role.SYSTEM_ADMINISTRATOR), "leaver", reason="离职")
    for path in office.installation.settings.keys.iterdir():
        path.unlink()
    copy = Installation(office.installation.settings, make_engine(office.installation.engine.url), office.clock)
    with pytest.raises(NotAllowed, match="已撤销"):
        authenticate(copy, token)
    copy.engine.dispose()
    assert told(office, "auth.failure") == []
