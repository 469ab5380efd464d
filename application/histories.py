"""The life of a text from the audit log: who did what, when, for whom, and why."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from application.access import every_event, reading, require_insider, sees_all_versions
from application.changes import expanded
from application.installation import Request
from application.personal import reveal
from application.use_cases import use_case
from audit.events import Act
from audit.timeline import LoggedEvent
from models.engine import Work
from models.people import Account, Organization
from models.process import WorkflowDefinition
from workflow.definition import SIGN, Definition
from workflow.handling import TITLES
from workflow.records import definition_of
from workflow.situation import TextRow


@use_case("text.history")
def history(request: Request, text_id: str) -> list[dict[str, Any]]:
    """The text's life from the audit log: one row per event, oldest first."""
    request.installation.catch_up()
    with reading(request, text_id) as (work, row):
        require_insider(request, row)
        names = names_of_accounts(work)
        sealer = request.installation.keyring.opener()
        logged = list(every_event(work, text_id))
        definitions = definitions_of(work, row, logged)
        arrived = len(logged) if sees_all_versions(request, row) else _last_arrival(definitions, logged)
        out = []
        for number, (index, event) in enumerate((item.index, item.event) for item in logged):
            if number > arrived and not _concerns(request, work, event):
                continue
            wf, definition = event.get("wf", {}), definitions[number]
            principal = event["actor"].get("on_behalf_of")
            state = definition.states.get(wf.get("to", ""))
            out.append(
                {
                    "index": index,
                    "at": event["ts"],
                    "act": event["act"],
                    "title": title_of(definition, event),
                    "outcome": event["out"],
                    "actor": names.get(event["actor"]["sub"], ("系统", ""))[0],
                    "organization": names.get(event["actor"]["sub"], ("", ""))[1],
                    "role": event["actor"]["role"],
                    "on_behalf_of": names.get(principal, ("系统", ""))[0] if principal else None,
                    "from": wf.get("from"),
                    "to": wf.get("to"),
                    "state_title": state.title if state else None,
                    "round": wf.get("round"),
                    "why": event.get("why"),
                    "left_open": _left_open(definition, event),
                    "people": _people(names, event),
                    "changes": [
                        reveal(work, sealer, names, item)
                        for change in event.get("chg", [])
                        for item in expanded(work, change)
                    ],
                    "content_hash": event.get("after"),
                }
            )
    return out


def names_of_accounts(work: Work) -> dict[str, tuple[str, str]]:
    """Who an account id is, for people: name and organization. The log itself holds ids only."""
    return {
        account_id: (name, organization)
        for account_id, name, organization in work.connection.execute(
            sa.select(Account.id, Account.display_name, Organization.name).join(
                Organization, Account.organization_id == Organization.id
            )
        )
    }


_TITLES = {
    Act.TEXT_IMPORT: "导入",
    Act.TEXT_CONFIRM: "确认修复",
    Act.TEXT_CREATE: "新建",
    Act.TEXT_FIELD_UPDATE: "修改",
    Act.FINDING_ANSWER: "答复检查",
    Act.TEXT_READ: "查看",
    Act.DOCUMENT_RENDER: "生成文件",
    **TITLES,
    Act.DEFINITION_MIGRATE: "更换流程版本",
}


def title_of(definition: Definition, event: dict[str, Any]) -> str:
    """What an event of a text is called by people; the title of its action where it was one."""
    kind, _, action = event["act"].partition(".")
    if kind != "workflow":
        return _TITLES.get(event["act"]) or str(event["act"])
    source = event.get("wf", {}).get("from")
    if action == SIGN:
        return "签署"
    named = [item for item in definition.transitions if item.action == action]
    exact = [item for item in named if source in item.sources]
    return "／".join(dict.fromkeys(item.title for item in exact or named)) or action


def definitions_of(work: Work, row: TextRow, logged: list[LoggedEvent]) -> list[Definition]:
    """The definition by which each event is told: that of its own time, since a migration may have renamed what it names."""
    by_hash = {
        sha: definition_id
        for definition_id, sha in work.connection.execute(sa.select(WorkflowDefinition.id, WorkflowDefinition.sha256))
    }
    current, _ = definition_of(work, row.definition_id)
    out: list[Definition] = []
    for item in logged:
        sha = item.event.get("wf", {}).get("definition", "").rpartition(":")[2]
        # An event without one, such as an edit or a refusal, belongs to the time of the one before.
        known = by_hash.get(sha)
        out.append(definition_of(work, known)[0] if known else out[-1] if out else current)
    return out


def _last_arrival(definitions: list[Definition], logged: list[LoggedEvent]) -> int:
    """Position of the last event that brought the text to the bureau; -1 where it never was there."""
    for number in range(len(logged) - 1, -1, -1):
        event, definition = logged[number].event, definitions[number]
        state = definition.states.get(event.get("wf", {}).get("to", ""))
        if event["out"] == "success" and state and state.task and definition.side(state.task.role) == "finance":
            return number
    return -1


def _concerns(request: Request, work: Work, event: dict[str, Any]) -> bool:
    """Whether the bureau sees an event of the time in which the text is back with its department.

    What it did itself, and what became of the text; not edits, and not refusals, whose reasons quote what is being written.
    """
    if event["act"].startswith("workflow.") and event["out"] == "success":
        return True
    account = work.session.get(Account, event["actor"]["sub"])
    return account is not None and account.organization_id == request.person.organization_id


def _people(names: dict[str, tuple[str, str]], event: dict[str, Any]) -> list[str]:
    """Whom an event handed something to: the accounts among its new values, by name."""
    if not event["act"].startswith(("task.", "signer.", "text.copy")):
        return []
    values: list[Any] = [change.get("n") for change in event.get("chg", [])]
    flat = [item for value in values for item in (value if isinstance(value, list) else [value])]
    flat = [item.get("account") if isinstance(item, dict) else item for item in flat]
    return [
        names[item][0] for item in flat if isinstance(item, str) and item in names and item != event["actor"]["sub"]
    ]


def _left_open(definition: Definition, event: dict[str, Any]) -> str | None:
    """Title of the role whose task an action ended before that role had done it."""
    for change in event.get("chg", []):
        if change["p"] == "/task" and change.get("o") in definition.roles:
            return definition.roles[change["o"]].title
    return None
