"""Each test tries to break an invariant of architecture.md section 2: transactions, races, idempotency, custody."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from types import SimpleNamespace

import orjson
import pytest
import sqlalchemy as sa
from intruder import disarm
from office_state import counts, state_of

from application import histories, texts
from application.acting import act
from application.auditing import verify_log
from application.editing import confirm_repairs, set_members
from application.importing import import_text
from application.installation import Installation, Request
from audit.timeline import events
from models.engine import Work, make_engine, transaction
from models.errors import (
    Conflict,
    DatabaseUnavailable,
    GuardFailed,
    InvalidTransition,
    JixiaoError,
    LogCorrupt,
    NotFound,
)
from models.ids import new_id
from models.people import Account, Role
from models.process import Task
from models.texts import BudgetText
from workflow.engine import perform

# How many statements the longest use case below runs at most; the loops end where nothing is left to break.
MOST = 80


class Killed(BaseException):
    """Stands for a process that ends between two statements."""


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
    approvals = [
        row for row in histories.history(office.people[Role.AUDITOR], text) if row["act"] == "workflow.approve"
    ]
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


@pytest.mark.tampers
def test_an_edit_makes_an_approval_void_and_the_content_is_judged_by_its_hash(office):
    text = office.driven("second_review")
    with transaction(office.installation.engine) as work:
        # An operator with a database shell changes what is about to be approved.
        work.connection.execute(sa.text("UPDATE budget_text SET current_hash = :h"), {"h": "0" * 64})
    with pytest.raises(GuardFailed, match="哈希不同"):
        office.act(Role.APPROVER, text, "approve")


@pytest.mark.tampers
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
        assert disarm(work.connection)
        work.connection.execute(
            sa.text("UPDATE blob SET data = :d WHERE sha256 = :h"), {"d": b"{}", "h": row.current_hash}
        )
    with pytest.raises(LogCorrupt, match="已被改动"):
        texts.show_text(office.people[Role.DRAFTER], text)
    with pytest.raises(LogCorrupt):
        office.act(Role.DEPARTMENT_HEAD, text, "submit")


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
