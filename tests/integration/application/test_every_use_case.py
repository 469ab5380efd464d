"""No use case that changes something leaves no event, and none is added without being classified here.

The modules of ``application`` are read as source: a function is a use case by its decorator, and it writes where it opens a
transaction that is not read-only. Both kinds must stand in the tables below.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import use_case_scenes as scenes
from handled_texts import administrator
from offices import SAMPLE

import application
from application import (
    accounts,
    answering,
    assignments,
    bureau_checks,
    calendars,
    comparing,
    delegations,
    diagrams,
    dispatching,
    histories,
    notifying,
    numbering,
    publishing,
    returning,
    reviewing,
    texts,
    workflows,
    worklists,
)
from application.adjusting import adjustment
from application.auditing import read_log
from application.erasing import list_erasures
from application.installation import READS
from application.looks import LOOKS
from audit.timeline import events
from models.engine import metadata, transaction
from models.errors import NotAllowed, NotFound
from models.people import Role


@dataclass(frozen=True)
class Writes:
    """A function that changes something: the scene that shows it, and the acts of the events that it leaves."""

    scene: scenes.Scene
    acts: tuple[str, ...]
    log: str = "main"


@dataclass(frozen=True)
class Elsewhere:
    """A function that opens a writing transaction and is no deed of a person; why, and where it is looked at instead."""

    why: str


WRITES = {
    "accounts.add_organization": Writes(scenes.organization_add, ("organization.add",)),
    "accounts.add_account": Writes(scenes.account_add, ("account.add", "token.create")),
    "accounts.grant_role": Writes(scenes.role_grant, ("role.grant",)),
    "acting.act": Writes(scenes.text_act, ("workflow.submit",)),
    "answering.answer_findings": Writes(scenes.text_answer, ("finding.answer",)),
    "beginning.new_text": Writes(scenes.text_new, ("text.create",)),
    "bureau_checks.import_settings": Writes(scenes.check_import, ("config.change",)),
    "archiving.make_archive": Writes(scenes.archive_make, ("document.render", "export.create")),
    "assignments.claim": Writes(scenes.task_claim, ("task.claim",)),
    "assignments.release": Writes(scenes.task_release, ("task.release",)),
    "assignments.reassign": Writes(scenes.task_reassign, ("task.reassign",)),
    "assignments.delegate": Writes(scenes.task_delegate, ("task.delegate",)),
    "assignments.resolve": Writes(scenes.task_resolve, ("task.resolve",)),
    "assignments.remind": Writes(scenes.task_remind, ("task.remind",)),
    "assignments.copy": Writes(scenes.text_copy, ("text.copy",)),
    "assignments.add_signer": Writes(scenes.signer_add, ("signer.add",)),
    "assignments.remove_signer": Writes(scenes.signer_remove, ("signer.remove",)),
    "assignments.report_overdue": Writes(scenes.overdue_report, ("task.overdue",)),
    "reviewing.fill_form": Writes(scenes.review_fill, ("review_form.update",)),
    "bulk_rendering.render_all": Writes(scenes.text_render_all, ("document.render",)),
    "bulk.act_on_many": Writes(scenes.text_bulk, ("workflow.submit", "workflow.submit")),
    "calendars.set_day": Writes(scenes.calendar_set, ("calendar.change",)),
    "calendars.import_days": Writes(scenes.calendar_import, ("calendar.change", "calendar.change")),
    "calendars.unset_day": Writes(scenes.calendar_unset, ("calendar.change",)),
    "delegations.add_delegation": Writes(scenes.delegation_add, ("delegation.add",)),
    "delegations.revoke_delegation": Writes(scenes.delegation_revoke, ("delegation.revoke",)),
    "editing.confirm_repairs": Writes(scenes.text_confirm, ("text.confirm",)),
    "editing.replace_content": Writes(scenes.text_replace, ("text.field.update",)),
    "editing.set_members": Writes(scenes.text_set, ("text.field.update",)),
    "erasing.request_erasure": Writes(scenes.erasure_request, ("privacy.request",)),
    "erasing.confirm_erasure": Writes(scenes.erasure_confirm, ("privacy.erase",)),
    "identity.log_in": Writes(scenes.log_in, ("auth.login",)),
    "identity.log_out": Writes(scenes.log_out, ("auth.logout",)),
    "identity._record_refused_token": Writes(scenes.refused_token, ("auth.failure",)),
    "identity.set_password": Writes(scenes.password_set, ("account.update",)),
    "importing.import_text": Writes(scenes.text_import, ("text.import",)),
    "leaving.disable_account": Writes(scenes.account_disable, ("account.disable",)),
    "leaving.revoke_role": Writes(scenes.role_revoke, ("role.revoke",)),
    "looks.record_look": Writes(scenes.look, ("text.read",), READS),
    "migrating.migrate_texts": Writes(scenes.definition_migrate, ("definition.migrate",)),
    "dispatching.retry": Writes(scenes.delivery_retry, ("notice.retry",)),
    "dispatching.send_test": Writes(scenes.channel_test, ("notice.test",)),
    "dispatching.switch": Writes(scenes.channel_switch, ("channel.change",)),
    "notifying.read_notices": Writes(scenes.notice_read, ("notice.read",)),
    "notifying.set_contact": Writes(scenes.contact_set, ("contact.change",)),
    "notifying.set_preference": Writes(scenes.preference_set, ("preference.change",)),
    "numbering.set_number_word": Writes(scenes.number_word, ("organization.update",)),
    "proving.export_tiles": Writes(scenes.export, ("export.create",)),
    "proving.prove": Writes(scenes.prove, ("export.create",)),
    "rendering.render_text": Writes(scenes.text_render, ("document.render",)),
    "sealing.sealed": Writes(scenes.document_seal, ("document.render",)),
    "rotating.rotate_key": Writes(scenes.key_rotate, ("key.rotate",)),
    "rotating.retire_key": Writes(scenes.key_retire, ("key.retire",)),
    "use_cases.refusals_recorded": Writes(scenes.refusal, ("workflow.submit",)),
    "workflows.publish_workflow": Writes(scenes.definition_publish, ("definition.publish",)),
}

# Parts of the use cases above, which open the transaction for them.
PARTS = {
    "acting.once": "acting.act",
    "archiving._record_papers": "archiving.make_archive",
    "assignments._handling": "assignments.claim",
    "bulk._batch": "bulk.act_on_many",
    "bulk_rendering.record": "bulk_rendering.render_all",
    "calendars._changed": "calendars.set_day",
    "editing._edit": "editing.set_members",
    "erasing._wiping": "erasing.confirm_erasure",
    "migrating._move": "migrating.migrate_texts",
    "proving._record": "proving.export_tiles",
}

ELSEWHERE = {
    "demo.demonstration_people": Elsewhere("test_a_new_installation_tells_of_everything_that_it_has"),
    "installing.initialize": Elsewhere("test_a_new_installation_tells_of_everything_that_it_has"),
    "migrations.downgrade": Elsewhere("drops nothing that was recorded; the next upgrade is an event (test_upgrading)"),
    "migrations.upgrade": Elsewhere("the event is written by upgrading.upgrade_installation (test_upgrading)"),
    "delivering.run_once": Elsewhere("a claim of a worker's; what comes of it is an event (test_delivering)"),
    "delivering._deliver": Elsewhere("a worker's; its results are told by report (test_delivering)"),
    "delivering._drop": Elsewhere("a worker's; its results are told by report (test_delivering)"),
    "delivering._give_back": Elsewhere("a worker's; nothing came of it"),
    "delivering.report": Elsewhere("test_delivering"),
    "delivering.switch_off": Elsewhere("test_delivering"),
    "reminding.run_daily": Elsewhere("test_daily_work"),
    "telling.tell_waiting": Elsewhere("test_telling"),
    "timestamping._keep": Elsewhere("a stamp beside a checkpoint, which proves the log and changes nothing in it"),
    "upgrading._complete": Elsewhere("test_upgrading"),
    "witnessing._store": Elsewhere("a cosignature beside a checkpoint, which proves the log and changes nothing in it"),
}


def _exported(request: Any, _: str) -> None:
    """Nothing was given, and a department is told nothing: both are refusals that change nothing."""
    with pytest.raises((NotFound, NotAllowed)):
        bureau_checks.export_settings(request)


READS_ONLY = {
    "accounts.list_accounts": lambda office, _: accounts.list_accounts(office),
    "accounts.list_organizations": lambda office, _: accounts.list_organizations(office),
    "adjusting.adjustment": adjustment,
    "answering.list_findings": answering.list_findings,
    "assignments.list_overdue": lambda office, _: assignments.list_overdue(office),
    "auditing.read_log": lambda office, _: read_log(office),
    "bureau_checks.export_settings": _exported,
    "bureau_checks.show_settings": lambda office, _: bureau_checks.show_settings(office),
    "calendars.show_calendar": lambda office, _: calendars.show_calendar(office, 2026),
    "comparing.compare_versions": lambda office, text: comparing.compare_versions(office, text, before=1, after=1),
    "comparing.read_side": comparing.read_side,
    "delegations.list_delegations": lambda office, _: delegations.list_delegations(office),
    "diagrams.text_position": diagrams.text_position,
    "erasing.list_erasures": lambda office, _: list_erasures(office),
    "histories.history": histories.history,
    "returning.read_return": lambda office, text: returning.read_return(office, text, SAMPLE.read_bytes()),
    "publishing.publication_notes": publishing.publication_notes,
    "reviewing.blank_form": reviewing.blank_form,
    "reviewing.list_forms": reviewing.list_forms,
    "numbering.list_documents": lambda office, _: numbering.list_documents(office),
    "numbering.number_words": lambda office, _: numbering.number_words(office, scenes.LIBRARY),
    "dispatching.list_channels": lambda office, _: dispatching.list_channels(office),
    "dispatching.list_deliveries": lambda office, _: dispatching.list_deliveries(office),
    "notifying.inbox": lambda office, _: notifying.inbox(office),
    "notifying.preferences": lambda office, _: notifying.preferences(office),
    "texts.actions": texts.actions,
    "texts.check": texts.check,
    "texts.list_opinions": texts.list_opinions,
    "texts.list_texts": lambda office, _: texts.list_texts(office),
    "texts.show_text": texts.show_text,
    "workflows.list_workflows": lambda office, _: workflows.list_workflows(office),
    "workflows.show_workflow": lambda office, _: workflows.show_workflow(office, "county"),
    "workflows.workflow_source": lambda office, _: workflows.workflow_source(office, "county"),
    "worklists.list_tasks": lambda office, _: worklists.list_tasks(office),
}

# What is shown there is of no person and no text: what an auditor reads of it is nobody's concern.
NOBODYS = {
    "accounts.list_organizations",
    "bureau_checks.export_settings",
    "bureau_checks.show_settings",
    "calendars.show_calendar",
    "dispatching.list_channels",
    "notifying.preferences",
    "numbering.number_words",
    "workflows.list_workflows",
    "workflows.show_workflow",
    "workflows.workflow_source",
}


def _functions() -> dict[str, ast.FunctionDef]:
    """Every function and method of the package, by ``module.name``."""
    found = {}
    for path in sorted(Path(application.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                found[f"{path.stem}.{node.name}"] = node
    return found


def _action(function: ast.FunctionDef) -> str | None:
    """The name that a use case has in the program's log; None where the function is none."""
    for item in function.decorator_list:
        if isinstance(item, ast.Call) and getattr(item.func, "id", "") == "use_case":
            return str(ast.literal_eval(item.args[0]))
    return None


def _opens_writing(function: ast.FunctionDef) -> bool:
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    return any(
        getattr(call.func, "id", "") == "transaction"
        and not any(word.arg == "read_only" and ast.literal_eval(word.value) for word in call.keywords)
        for call in calls
    )


def test_every_use_case_is_classified():
    found = {name for name, function in _functions().items() if _action(function)}
    assert found - WRITES.keys() - READS_ONLY.keys() == set(), "classify these, each with a scene"
    assert {name for name in WRITES if name.partition(".")[0] not in ("identity", "looks", "use_cases")} <= found
    assert READS_ONLY.keys() <= found


def test_every_function_that_opens_a_writing_transaction_is_classified():
    found = {name for name, function in _functions().items() if _opens_writing(function)}
    assert found - WRITES.keys() - PARTS.keys() - ELSEWHERE.keys() == set(), "classify these"
    assert (PARTS.keys() | ELSEWHERE.keys()) <= found
    assert set(PARTS.values()) <= WRITES.keys()
    assert not READS_ONLY.keys() & found


def test_a_function_without_a_classification_is_noticed():
    source = "@use_case('x.y')\ndef new(request):\n    with a, transaction(engine) as work:\n        pass\n"
    [function] = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    assert _action(function) == "x.y"
    assert _opens_writing(function)
    for other in ("transaction(e, read_only=True)", "open(e)", "transaction(e, durable=False, read_only=True)"):
        [reading] = [n for n in ast.walk(ast.parse(f"def f():\n    {other}\n")) if isinstance(n, ast.FunctionDef)]
        assert not _opens_writing(reading)


def _tables(installation: Any) -> dict[str, str]:
    """A hash of every table's rows."""
    with transaction(installation.engine, read_only=True) as work:
        return {
            table.name: hashlib.sha256(
                repr(sorted(map(repr, work.connection.execute(sa.select(table)).all()))).encode()
            ).hexdigest()
            for table in metadata().sorted_tables
        }


def _acts(installation: Any, log: str) -> list[str]:
    with transaction(installation.engine, read_only=True) as work:
        return [item.event["act"] for item in events(work, log=log, limit=10_000)]


@pytest.mark.parametrize("name", WRITES)
def test_what_changes_something_leaves_its_events(sqlite_office, name):
    office, writes = sqlite_office, WRITES[name]
    call = writes.scene(office)
    before, acts = _tables(office.installation), _acts(office.installation, writes.log)
    call()
    changed = {table for table, value in _tables(office.installation).items() if before[table] != value}
    assert changed
    assert tuple(_acts(office.installation, writes.log)[len(acts) :]) == writes.acts


@pytest.mark.parametrize("name", READS_ONLY)
def test_what_only_shows_changes_nothing(sqlite_office, name):
    office = sqlite_office
    text = office.county("published")
    office.act(Role.DRAFTER, text, "adjust", reason="预算调整")
    before = _tables(office.installation)
    request = administrator(office, Role.SYSTEM_ADMINISTRATOR) if name == "erasing.list_erasures" else None
    if name != "auditing.read_log":  # auditors only
        READS_ONLY[name](request or office.people[Role.DRAFTER], text)
        assert _tables(office.installation) == before
    if name == "erasing.list_erasures":
        return
    # The same shown to an auditor changes the second log alone, and is told there.
    READS_ONLY[name](office.people[Role.AUDITOR], text)
    changed = {table for table, value in _tables(office.installation).items() if before[table] != value}
    assert all(table.startswith("audit_") for table in changed)
    assert _acts(office.installation, READS) == ([] if name in NOBODYS else ["text.read"])


def test_what_shows_something_of_texts_or_people_is_in_the_list_of_looks():
    actions = {name: _action(function) for name, function in _functions().items() if name in READS_ONLY}
    assert {action for name, action in actions.items() if name not in NOBODYS} | {
        "text.render",
        "archive.make",
    } == LOOKS


def test_a_failed_log_in_is_an_event_too(sqlite_office):
    office = sqlite_office
    acts = _acts(office.installation, "main")
    scenes.failed_log_in(office)()
    assert _acts(office.installation, "main")[len(acts) :] == ["auth.failure"]


def test_a_new_installation_tells_of_everything_that_it_has(sqlite_office):
    """The first rows come from no use case: each must have its event all the same."""
    office = sqlite_office
    acts = Counter(_acts(office.installation, "main"))
    with transaction(office.installation.engine, read_only=True) as work:
        counted = {
            act: work.connection.scalar(sa.text(f"SELECT count(*) FROM {table}"))
            for act, table in (
                ("log.create", "audit_log"),
                ("organization.add", "organization"),
                ("account.add", "account"),
                ("role.grant", "role_grant"),
                ("token.create", "access_token"),
                ("definition.publish", "workflow_definition"),
            )
        }
    assert dict(acts) == counted
