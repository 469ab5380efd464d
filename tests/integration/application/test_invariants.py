"""Each test tries to break an invariant of architecture.md section 2."""

from __future__ import annotations

import contextlib
import os
import threading
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import orjson
import pytest
import sqlalchemy as sa

from application import texts
from application.acting import Remark, act
from application.auditing import verify_log
from application.editing import confirm_repairs, set_members
from application.identity import authenticate
from application.importing import import_text
from application.installation import Installation, Request
from audit.timeline import events
from models.engine import Work, make_engine, metadata, transaction
from models.errors import (
    Conflict,
    DatabaseUnavailable,
    GuardFailed,
    InvalidTransition,
    JixiaoError,
    LogCorrupt,
    NotAllowed,
    NotFound,
)
from models.ids import new_id
from models.people import Account, Role, RoleGrant
from models.process import Task
from models.texts import BudgetText
from workflow.engine import perform
from workflow.offers import offers
from workflow.records import lock_text
from workflow.situation import Actor, Objection

# How many statements the longest use case below runs at most; the loops end where nothing is left to break.
MOST = 80


class Killed(BaseException):
    """Stands for a process that ends between two statements."""


def counts(installation: Installation) -> dict[str, int]:
    with transaction(installation.engine, read_only=True) as work:
        return {
            table.name: work.connection.scalar(sa.select(sa.func.count()).select_from(table))
            for table in metadata().sorted_tables
        }


def state_of(installation: Installation, text: str) -> tuple[str, int]:
    with transaction(installation.engine, read_only=True) as work:
        row = work.session.get(BudgetText, text)
        return row.state, row.row_version


def break_after(monkeypatch: pytest.MonkeyPatch, number: int) -> SimpleNamespace:
    """Lets ``number`` statements of the next transactions through, then ends the process's life in them."""
    seen = SimpleNamespace(count=0, broken=False)

    def counted(original):
        def run(self, *args, **kwargs):
            if seen.count == number:
                seen.broken = True
                raise Killed
            seen.count += 1
            return original(self, *args, **kwargs)

        return run

    for name in ("run", "one", "rows"):
        monkeypatch.setattr(Work, name, counted(getattr(Work, name)))
    return seen


def direct(office, text: str, action: str = "approve", role: Role = Role.APPROVER, **given):
    """``perform`` alone, in one transaction."""
    request = office.people[role]
    with transaction(office.installation.engine) as work:
        return perform(
            work,
            text,
            action,
            actor=request.actor,
            expected_version=given.pop("expected", None),
            command_id=given.pop("command_id", new_id(office.clock())),
            recorder=request.recorder,
            now=office.clock(),
            **given,
        )


def test_an_error_between_any_two_statements_leaves_the_whole_transition_or_nothing(office):
    text = office.driven("second_review")
    before, stood = counts(office.installation), state_of(office.installation, text)
    for number in range(MOST):
        with pytest.MonkeyPatch.context() as patch:
            seen = break_after(patch, number)
            with contextlib.suppress(Killed):
                direct(office, text)
        if not seen.broken:
            break
        assert state_of(office.installation, text) == stood, number
        assert counts(office.installation) == before, number
    assert number > 12
    assert state_of(office.installation, text)[0] == "approved"


@pytest.mark.parametrize("kind", ["import", "confirm", "edit"])
def test_an_error_between_any_two_statements_of_an_edit_leaves_nothing(office, kind):
    text = office.imported(confirm=kind == "edit")
    drafter = office.people[Role.DRAFTER]
    sample = (Path(__file__).parents[3] / "examples" / "library-2021.txt").read_bytes()

    def attempt():
        if kind == "import":
            import_text(drafter, sample)
        elif kind == "confirm":
            confirm_repairs(drafter, text, (), everything=True)
        else:
            set_members(drafter, text, [("/title", "改")])

    office.installation.settle()
    before = counts(office.installation)
    transactions: list[int] = []
    for number in range(MOST * 3):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Installation, "settle", lambda *_args, **_kwargs: None)
            seen = break_after(patch, number)
            try:
                attempt()
            except Killed:
                transactions.append(number)
        if not seen.broken:
            break
        assert counts(office.installation) == before, number
    assert transactions


@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")  # Python 3.12 on; the child runs no thread
def test_a_process_that_is_killed_at_any_statement_leaves_the_whole_transition_or_nothing(sqlite_office):
    # A fork ends without unwinding: no rollback, no clean-up, as with kill -9.
    office = sqlite_office
    text = office.driven("second_review")
    before, stood = counts(office.installation), state_of(office.installation, text)
    office.installation.engine.dispose()
    killed = 0
    for number in range(MOST):
        child = os.fork()
        if child == 0:
            status = 0
            try:
                seen = break_after(pytest.MonkeyPatch(), number)
                direct(office, text)
                status = 1 if seen.broken else 0
            except Killed:
                os._exit(9)
            finally:
                os._exit(status)
        _, status = os.waitpid(child, 0)
        engine = make_engine(office.installation.engine.url)
        fresh = Installation(office.installation.settings, engine, office.clock)
        if os.waitstatus_to_exitcode(status) == 0:
            assert state_of(fresh, text)[0] == "approved"
            break
        killed += 1
        assert (state_of(fresh, text), counts(fresh)) == (stood, before), number
        engine.dispose()
    assert killed > 15
    verdict = verify_log(fresh)
    assert verdict.ok, verdict.problems
    engine.dispose()


def test_no_transition_without_its_audit_event(office, monkeypatch):
    text = office.driven("second_review")
    stood = state_of(office.installation, text)

    def fails(*_args, **_kwargs):
        raise LogCorrupt("日志不可写")

    monkeypatch.setattr("audit.recorder.record", fails)
    with pytest.raises(LogCorrupt):
        office.act(Role.APPROVER, text, "approve")
    assert state_of(office.installation, text) == stood


def test_two_approvals_at_once_one_wins_and_the_other_is_told(office):
    text = office.driven("second_review")
    version = state_of(office.installation, text)[1]
    barrier, outcomes = threading.Barrier(2), []

    def approve():
        barrier.wait()
        try:
            outcomes.append(act(office.people[Role.APPROVER], text, action="approve", expected=version)["state"])
        except Conflict as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=approve) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["approved", "conflict"]
    approvals = [row for row in texts.history(office.people[Role.AUDITOR], text) if row["act"] == "workflow.approve"]
    assert sorted(row["outcome"] for row in approvals) == ["failure", "success"]
    assert verify_log(office.installation).ok


def test_an_action_that_somebody_else_just_did_is_a_conflict_even_without_a_version(office):
    text = office.driven("approved")
    with pytest.raises(Conflict, match="刚刚已经完成"):
        office.act(Role.APPROVER, text, "approve")


def test_a_stale_version_is_refused(office):
    text = office.driven("submitted")
    with pytest.raises(Conflict, match="已被别人改动"):
        office.act(Role.REVIEWER, text, "accept", expected=1)
    assert state_of(office.installation, text)[0] == "submitted"


def test_a_command_id_given_twice_returns_the_first_result(office):
    text = office.driven("submitted")
    first = office.act(Role.REVIEWER, text, "accept", command_id="once")
    again = office.act(Role.REVIEWER, text, "accept", command_id="once")
    assert again == {**first, "replayed": True}
    office.act(Role.REVIEWER, text, "pass")
    assert office.act(Role.REVIEWER, text, "accept", command_id="once")["event_id"] == first["event_id"]


def test_a_command_id_for_something_else_is_refused(office):
    text = office.driven("submitted")
    office.act(Role.REVIEWER, text, "accept", command_id="once")
    with pytest.raises(Conflict, match="已用于另一个操作"):
        office.act(Role.REVIEWER, text, "pass", command_id="once")
    assert state_of(office.installation, text)[0] == "first_review"


def test_a_command_id_of_somebody_else_is_refused(office):
    text = office.driven("submitted")
    office.act(Role.REVIEWER, text, "accept", command_id="once")
    with pytest.raises(Conflict):
        office.act(Role.APPROVER, text, "accept", command_id="once")


def test_an_edit_makes_an_approval_void_and_the_content_is_judged_by_its_hash(office):
    text = office.driven("second_review")
    with transaction(office.installation.engine) as work:
        # An operator with a database shell changes what is about to be approved.
        work.connection.execute(sa.text("UPDATE budget_text SET current_hash = :h"), {"h": "0" * 64})
    with pytest.raises(GuardFailed, match="哈希不同"):
        office.act(Role.APPROVER, text, "approve")


def test_what_was_changed_after_the_approval_is_not_published(office):
    text = office.driven("approved")
    with transaction(office.installation.engine) as work:
        work.connection.execute(sa.text("UPDATE budget_text SET approved_hash = :h"), {"h": "0" * 64})
    with pytest.raises(GuardFailed, match="批复已失效"):
        office.act(Role.PUBLISHER, text, "publish")


def test_a_changed_snapshot_is_noticed_when_it_is_read(office):
    text = office.imported()
    with transaction(office.installation.engine) as work:
        row = work.session.get(BudgetText, text)
        work.connection.execute(
            sa.text("UPDATE blob SET data = :d WHERE sha256 = :h"), {"d": b"{}", "h": row.current_hash}
        )
    with pytest.raises(LogCorrupt, match="已被改动"):
        texts.show_text(office.people[Role.DRAFTER], text)
    with pytest.raises(LogCorrupt):
        office.act(Role.DEPARTMENT_HEAD, text, "submit")


def grant(office, login: str, role: Role, *, expires=None, organization: str | None = None) -> None:
    """A grant by SQL: what the use case refuses, an attacker or an old database may hold."""
    with transaction(office.installation.engine) as work:
        account = work.session.scalar(sa.select(Account).where(Account.login == login))
        work.session.add(
            RoleGrant(
                id=new_id(office.clock()),
                account_id=account.id,
                organization_id=organization or account.organization_id,
                role=role,
                granted_by=None,
                granted_at=office.clock(),
                expires_at=expires,
                revoked_at=None,
            )
        )


def test_nobody_acts_in_two_groups_on_one_text(office):
    reviewing = office.people[Role.REVIEWER].person.organization_id
    for role in (Role.DRAFTER, Role.DEPARTMENT_HEAD):
        grant(office, role.value, Role.REVIEWER, organization=reviewing)
    grant(office, Role.REVIEWER.value, Role.SECOND_REVIEWER)
    grant(office, Role.REVIEWER.value, Role.APPROVER)
    text = office.driven("submitted")
    for author in (Role.DRAFTER, Role.DEPARTMENT_HEAD):
        with pytest.raises(NotAllowed, match="不相容岗位"):
            office.act(author, text, "accept")
    office.act(Role.REVIEWER, text, "accept")
    office.act(Role.REVIEWER, text, "pass")
    for action in ("pass", "approve"):
        with pytest.raises(NotAllowed, match="不相容岗位"):
            office.act(Role.REVIEWER, text, action)


def test_a_reviewer_of_an_earlier_round_still_can_not_approve(office):
    grant(office, Role.REVIEWER.value, Role.APPROVER)
    grant(office, Role.SECOND_REVIEWER.value, Role.REVIEWER)
    text = office.driven("first_review")
    office.act(Role.REVIEWER, text, "return", reason="有误", remarks=[Remark("/overall", "重复")])
    set_members(office.people[Role.DRAFTER], text, [("/title", "2021年部门预算绩效文本（改）")])
    office.act(Role.DEPARTMENT_HEAD, text, "submit", accept_all=True)
    office.act(Role.SECOND_REVIEWER, text, "accept")
    office.act(Role.SECOND_REVIEWER, text, "pass")
    with pytest.raises(NotAllowed, match="不相容岗位"):
        office.act(Role.REVIEWER, text, "approve")


def test_administrators_take_no_part_even_with_a_grant(office):
    reviewing = office.people[Role.REVIEWER].person.organization_id
    grant(office, "sysadmin", Role.REVIEWER, organization=reviewing)
    text = office.driven("submitted")
    token = office.administrators[Role.SYSTEM_ADMINISTRATOR]
    administrator = Request(office.installation, authenticate(office.installation, token), "test")
    with pytest.raises(NotAllowed, match="系统管理员不能"):
        act(administrator, text, action="accept")


def test_a_role_in_another_organization_opens_nothing(office):
    other = office.people[Role.AUDITOR].person.organization_id
    grant(office, Role.AUDITOR.value, Role.REVIEWER, organization=other)
    text = office.driven("submitted")
    with pytest.raises(NotAllowed, match="没有这个岗位"):
        office.act(Role.AUDITOR, text, "accept")


def test_an_expired_grant_opens_nothing(office):
    with transaction(office.installation.engine) as work:
        work.connection.execute(sa.text("UPDATE role_grant SET revoked_at = granted_at WHERE role = 'reviewer'"))
    grant(office, Role.REVIEWER.value, Role.REVIEWER, expires=office.clock() + timedelta(seconds=-1))
    text = office.driven("submitted")
    with pytest.raises(NotAllowed, match="没有这个岗位"):
        office.act(Role.REVIEWER, text, "accept")


def test_a_disabled_account_acts_no_more_even_with_a_request_at_hand(office):
    text = office.driven("submitted")
    with transaction(office.installation.engine) as work:
        account = work.session.get(Account, office.people[Role.REVIEWER].person.account_id)
        account.disabled_at = office.clock()
    with pytest.raises(NotAllowed, match="停用"):
        office.act(Role.REVIEWER, text, "accept")


@pytest.mark.parametrize(
    ("role", "action", "error"),
    [
        (Role.DRAFTER, "submit", NotAllowed),
        (Role.REVIEWER, "submit", NotAllowed),
        (Role.DEPARTMENT_HEAD, "approve", InvalidTransition),
        (Role.DEPARTMENT_HEAD, "nonsense", InvalidTransition),
    ],
)
def test_a_refusal_is_an_event_with_its_reason_and_changes_nothing(office, role, action, error):
    text = office.imported()
    stood = state_of(office.installation, text)
    with pytest.raises(error) as refused:
        office.act(role, text, action)
    assert state_of(office.installation, text) == stood
    with transaction(office.installation.engine, read_only=True) as work:
        last = events(work, obj_type="text", obj_id=text, limit=100)[-1].event
    assert last["act"] == f"workflow.{action}"
    assert last["out"] == ("denied" if error is NotAllowed else "failure")
    assert refused.value.message in last["why"]
    assert last["actor"]["sub"] == office.people[role].person.account_id


def test_what_is_possible_is_said_with_whom(office):
    text = office.imported()
    with pytest.raises(InvalidTransition) as refused:
        office.act(Role.APPROVER, text, "approve")
    assert refused.value.facts["available"] == [{"action": "submit", "title": "报送", "by": "部门负责人"}]
    assert "部门负责人" in refused.value.message


def test_the_offers_say_what_the_engine_then_does(office):
    """For every role in every state: what ``text actions`` allows is what ``perform`` does, and nothing else."""
    for state in ("submitted", "first_review", "second_review", "approved"):
        text = office.driven(state)
        for role, request in office.people.items():
            for offer in texts.actions(office.people[Role.AUDITOR], text)["actions"]:
                mine = next(
                    item
                    for item in _offers(request, text)
                    if item["action"] == offer["action"] and item["title"] == offer["title"]
                )
                given = (
                    {"reason": "有误", "remarks": [Remark("/overall", "重复")]} if offer["action"] == "return" else {}
                )
                assert mine["allowed"] == _would_do(office, request, text, offer["action"], given), (state, role, offer)


def _offers(request, text):
    with transaction(request.installation.engine) as work:
        return [item.to_json() for item in offers(work, lock_text(work, text), request.actor, request.now())]


def _would_do(office, request, text, action, given) -> bool:
    """Whether the engine performs an action; nothing of it stays."""
    with transaction(office.installation.engine) as work:
        savepoint = work.connection.begin_nested()
        try:
            perform(
                work,
                text,
                action,
                actor=request.actor,
                expected_version=None,
                command_id=new_id(office.clock()),
                recorder=request.recorder,
                now=office.clock(),
                reason=given.get("reason"),
                objections=[Objection("/overall", "必改", "重复")] if given else [],
            )
        except (NotAllowed, GuardFailed, InvalidTransition):
            return False
        finally:
            savepoint.rollback()
        return True


def test_an_unknown_text_is_not_found(office):
    with pytest.raises(NotFound, match="没有编号为"):
        office.act(Role.REVIEWER, "01a00000-0000-7000-8000-000000000000", "accept")


def test_others_can_not_read_a_text_before_it_concerns_them(office):
    text = office.imported()
    for role in (Role.REVIEWER, Role.APPROVER):
        with pytest.raises(NotAllowed, match="不能查看"):
            texts.show_text(office.people[role], text)
        assert texts.list_texts(office.people[role]) == []
    assert texts.list_texts(office.people[Role.AUDITOR])[0]["text"] == text
    office.act(Role.DEPARTMENT_HEAD, text, "submit")
    assert texts.list_texts(office.people[Role.APPROVER])[0]["text"] == text


def test_nothing_is_written_without_the_signing_key(office):
    text = office.driven("second_review")
    key = office.installation.settings.keys / "log.pem"
    hidden = key.rename(key.with_suffix(".away"))
    fresh = Installation(office.installation.settings, office.installation.engine, office.clock)
    request = Request(fresh, office.people[Role.APPROVER].person, "test")
    before = counts(fresh)
    with pytest.raises(NotFound, match="私钥"):
        act(request, text, action="approve")
    assert counts(fresh) == before
    hidden.rename(key)
    assert act(request, text, action="approve")["state"] == "approved"


def test_a_foreign_signing_key_stops_everything(office, tmp_path):
    from audit.keys import Signer

    text = office.driven("second_review")
    keys = office.installation.settings.keys
    (keys / "log.pem").unlink()
    Signer.create(keys / "log.pem", office.installation.signer.name)
    fresh = Installation(office.installation.settings, office.installation.engine, office.clock)
    before = counts(fresh)
    with pytest.raises(LogCorrupt):
        act(Request(fresh, office.people[Role.APPROVER].person, "test"), text, action="approve")
    assert counts(fresh) == before


def test_a_full_disk_loses_nothing_that_was_there(sqlite_office):
    office = sqlite_office
    text = office.driven("submitted")
    before = counts(office.installation)

    @sa.event.listens_for(office.installation.engine, "connect")
    def _full(connection, _record):
        # SQLite answers a full disk and a full quota alike.
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    office.installation.engine.dispose()

    def refused_until_full():
        # Each refusal is an event; sooner or later one finds no room.
        for _ in range(300):
            with contextlib.suppress(InvalidTransition):
                office.act(Role.REVIEWER, text, "approve")

    with pytest.raises(DatabaseUnavailable, match="磁盘已满"):
        refused_until_full()
    sa.event.remove(office.installation.engine, "connect", _full)
    office.installation.engine.dispose()
    after = counts(office.installation)
    assert {name: after[name] >= rows for name, rows in before.items()} == dict.fromkeys(before, True)
    assert verify_log(office.installation).ok
    assert office.act(Role.REVIEWER, text, "accept")["state"] == "first_review"


def test_bulk_changes_past_the_use_cases_are_refused(office):
    office.imported()
    with pytest.raises(JixiaoError, match="绕过"), transaction(office.installation.engine) as work:
        work.session.execute(sa.update(BudgetText).values(state="approved"))
    with pytest.raises(JixiaoError, match="绕过"), transaction(office.installation.engine) as work:
        work.session.execute(sa.delete(Task))


def test_logs_and_events_hold_no_personal_data(office, capfd):
    import structlog

    structlog.reset_defaults()
    office.driven("approved")
    shown = capfd.readouterr()
    with transaction(office.installation.engine, read_only=True) as work:
        bodies = b"".join(orjson.dumps(item.event) for item in events(work, limit=10_000))
        accounts = list(work.session.scalars(sa.select(Account)))
    for account in accounts:
        for word in (account.login, account.display_name):
            if word in set(Role):
                continue  # the demonstration's logins are role names, which the log names as roles
            assert word.encode() not in bodies
            assert word not in shown.out + shown.err


def test_an_actor_that_does_not_exist_is_refused(office):
    text = office.driven("submitted")
    with pytest.raises(NotAllowed, match="停用"), transaction(office.installation.engine) as work:
        perform(
            work,
            text,
            "accept",
            actor=Actor("nobody", "nowhere"),
            expected_version=None,
            command_id="x",
            recorder=office.people[Role.REVIEWER].recorder,
            now=office.clock(),
        )
