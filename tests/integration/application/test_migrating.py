"""Moving running texts to another version of their workflow, on both databases."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import sqlalchemy as sa
import yaml
from click.testing import CliRunner, Result
from office_state import counts, state_of
from structlog.testing import capture_logs

from application import auditing, histories, migrating, texts, worklists
from application.acting import Choice, Remark
from application.editing import set_members
from application.identity import authenticate
from application.installation import Request
from application.migrating import migrate_texts
from application.workflows import publish, shipped
from cli.migrating import migrate
from models.engine import transaction
from models.errors import Conflict, GuardFailed, InvalidInput, NotAllowed, NotFound
from models.people import Role
from models.process import Step, Task, WorkflowDefinition
from models.texts import BudgetText

REMARK = Remark("/projects/p1/code", "编码与批复不符", "核对编码")


def administrator(office, role: Role = Role.SYSTEM_ADMINISTRATOR) -> Request:
    return Request(office.installation, authenticate(office.installation, office.administrators[role]), "migration")


def published(office, *, version: int = 2, rename: dict[str, str] | None = None, **more: Any) -> str:
    """Another version of the shipped definition `county`; ``rename`` gives states other names."""
    value = yaml.safe_load(shipped("county"))
    names = rename or {}
    value["states"] = {names.get(name, name): state for name, state in value["states"].items()}
    for item in value["transitions"]:
        sources = [item["from"]] if isinstance(item["from"], str) else item["from"]
        item["from"] = [names.get(name, name) for name in sources]
        item["to"] = names.get(item["to"], item["to"])
    publish_value(office, {**value, "version": version, **more})
    return f"county@{version}"


def publish_value(office, value: dict[str, Any]) -> None:
    with transaction(office.installation.engine) as work:
        recorder = office.people[Role.AUDITOR].recorder
        publish(work, recorder, yaml.safe_dump(value).encode(), actor="-", role="-", now=office.installation.clock())


def row(office, text: str) -> BudgetText:
    with transaction(office.installation.engine, read_only=True) as work:
        return work.session.get_one(BudgetText, text)


def workflow_of(office, text: str) -> str:
    with transaction(office.installation.engine, read_only=True) as work:
        definition = work.session.get_one(WorkflowDefinition, row(office, text).definition_id)
        return f"{definition.name}@{definition.version}"


def open_tasks(office, text: str) -> list[Task]:
    with transaction(office.installation.engine, read_only=True) as work:
        query = sa.select(Task).where(Task.text_id == text, Task.closed_at.is_(None)).order_by(Task.seat)
        return list(work.session.scalars(query))


def test_a_text_goes_on_under_the_new_version_where_it_stood(office) -> None:
    text = office.county("issuing")
    before, task = row(office, text), open_tasks(office, text)[0]
    done = migrate_texts(administrator(office), "county@1", published(office))
    assert (done["done"], done["blocked"], done["skipped"]) == (1, 0, 0)
    after = row(office, text)
    assert workflow_of(office, text) == "county@2"
    kept = ("state", "round", "path", "resume", "current_hash", "submitted_hash", "approved_hash", "published_version")
    assert {name: getattr(after, name) for name in kept} == {name: getattr(before, name) for name in kept}
    assert (after.row_version, after.step, after.visit) == (before.row_version + 1, before.step + 1, before.step + 1)
    again = open_tasks(office, text)
    assert [(item.role, item.opened_at, item.due_on) for item in again] == [("approver", task.opened_at, task.due_on)]
    assert again[0].visit == after.visit
    assert again[0].id != task.id
    event = histories.history(office.people[Role.AUDITOR], text)[-1]
    assert (event["act"], event["role"], event["from"], event["to"]) == (
        "definition.migrate",
        "system_administrator",
        "issuing",
        "issuing",
    )
    named = {change["p"]: change for change in event["changes"]}
    assert named["/definition"]["o"].startswith("county@1:")
    assert named["/definition"]["n"].startswith("county@2:")
    office.act(Role.APPROVER, text, "send_back", reason="再核实", choice=Choice(to="first_review"))
    for role, action in (
        (Role.REVIEWER, "pass"),
        (Role.SECOND_REVIEWER, "sign"),
        (Role.BUDGET_REVIEWER, "sign"),
        (Role.APPROVER, "approve"),
        (Role.REVIEWER, "issue"),
        (Role.PUBLISHER, "publish"),
    ):
        office.act(role, text, action)
    assert row(office, text).state == "published"


def test_a_text_moves_to_another_workflow(office) -> None:
    text = office.driven("second_review")
    held = open_tasks(office, text)[0]
    migrate_texts(administrator(office), "standard@1", "county@1")
    tasks = {task.seat: task for task in open_tasks(office, text)}
    assert set(tasks) == {"second_reviewer", "budget_reviewer"}
    assert tasks["second_reviewer"].due_on == held.due_on
    office.act(Role.SECOND_REVIEWER, text, "sign")
    assert office.act(Role.BUDGET_REVIEWER, text, "sign")["state"] == "issuing"


def test_a_dry_run_writes_nothing_and_says_why_not(office) -> None:
    fits, stuck = office.county("submitted"), office.county("issuing")
    target = published(office, rename={"issuing": "signing"})
    before = counts(office.installation)
    found = migrate_texts(administrator(office), "county@1", target, dry_run=True)
    assert counts(office.installation) == before
    said = {item["text"]: item for item in found["texts"]}
    assert (said[fits]["ok"], said[fits]["target"]) == (True, "submitted")
    assert not said[stuck]["ok"]
    assert "issuing" in said[stuck]["obstacles"][0]
    assert (found["done"], found["blocked"], found["bulk"]) == (1, 1, None)
    # An administrator keeps the machine and reads no texts.
    assert row(office, fits).title not in str(found)


def test_what_can_move_moves_and_the_rest_follows_once_it_is_mapped(office) -> None:
    fits, stuck = office.county("submitted"), office.county("issuing")
    target = published(office, rename={"issuing": "signing"})
    first = migrate_texts(administrator(office), "county@1", target)
    assert (first["done"], first["blocked"]) == (1, 1)
    assert (workflow_of(office, fits), workflow_of(office, stuck)) == ("county@2", "county@1")
    assert len(open_tasks(office, stuck)) == 1
    second = migrate_texts(administrator(office), "county@1", target, mapping={"issuing": "signing"})
    assert [(item["text"], item["ok"]) for item in second["texts"]] == [(stuck, True)]
    assert state_of(office.installation, stuck)[0] == "signing"
    assert migrate_texts(administrator(office), "county@1", target)["texts"] == []
    assert office.act(Role.APPROVER, stuck, "approve")["state"] == "issued"


def test_a_sign_off_begins_again_and_the_voter_votes_again(office) -> None:
    text = office.county("second_review")
    office.act(Role.BUDGET_REVIEWER, text, "sign")
    found = migrate_texts(administrator(office), "county@1", published(office))
    assert any("1 票作废" in note for note in found["texts"][0]["notes"])
    assert [task.seat for task in open_tasks(office, text)] == ["budget_reviewer", "second_reviewer"]
    office.act(Role.SECOND_REVIEWER, text, "sign")
    assert row(office, text).state == "second_review"
    assert office.act(Role.BUDGET_REVIEWER, text, "sign")["state"] == "issuing"


def test_a_returned_text_still_comes_straight_back(office) -> None:
    text = office.county("second_review")
    office.act(
        Role.SECOND_REVIEWER, text, "return", reason="编码不对", remarks=[REMARK], choice=Choice(resume="direct")
    )
    target = published(office, rename={"second_review": "joint_review"})
    migrate_texts(administrator(office), "county@1", target, mapping={"second_review": "joint_review"})
    done = office.act(Role.DEPARTMENT_HEAD, text, "submit", accept_all=True)
    assert done["state"] == "joint_review"
    held = {task.seat: task.assignee_id for task in open_tasks(office, text)}
    assert held == {
        "second_reviewer": office.people[Role.SECOND_REVIEWER].person.account_id,
        "budget_reviewer": None,
    }


def test_nobody_takes_a_migration_back_nor_the_step_before_it(office) -> None:
    text = office.county("first_review")
    migrate_texts(administrator(office), "county@1", published(office))
    before = counts(office.installation)
    for role in (Role.REVIEWER, Role.DEPARTMENT_HEAD, Role.APPROVER):
        with pytest.raises((NotAllowed, GuardFailed)):
            office.act(role, text, "recall")
    assert counts(office.installation)["step"] == before["step"]
    with transaction(office.installation.engine, read_only=True) as work:
        steps = work.session.scalars(sa.select(Step).where(Step.text_id == text).order_by(Step.number)).all()
    assert [step.action for step in steps] == ["submit", "accept", "migrate"]
    # What comes after it can be.
    office.act(Role.REVIEWER, text, "pass")
    assert office.act(Role.REVIEWER, text, "recall")["state"] == "first_review"


def test_a_published_text_is_adjusted_by_the_new_version(office) -> None:
    text = office.driven("published")
    migrate_texts(administrator(office), "standard@1", "county@1")
    assert (row(office, text).state, open_tasks(office, text)) == ("published", [])
    done = office.act(Role.DRAFTER, text, "adjust", reason="项目压减")
    assert (done["state"], done["round"]) == ("adjustment", 2)


def test_who_took_part_where_the_new_version_keeps_apart_holds_the_text_back(office) -> None:
    text = office.county("first_review")
    apart = [["drafter", "editor", "submitter"], ["reviewer"], ["second_reviewer"], ["budget_reviewer"], ["approver"]]
    apart[0].remove("editor")
    target = published(office, separate=[*apart, ["editor"]])
    found = migrate_texts(administrator(office), "county@1", target)
    assert found["blocked"] == 1
    assert office.people[Role.DRAFTER].person.account_id in found["texts"][0]["obstacles"][0]
    assert workflow_of(office, text) == "county@1"


def test_what_was_taken_back_or_done_before_an_adjustment_does_not_count(sqlite_office) -> None:
    office = sqlite_office
    passed, undone, adjusted = (office.county("first_review") for _ in range(3))
    office.act(Role.REVIEWER, passed, "pass")
    office.act(Role.REVIEWER, undone, "pass")
    office.act(Role.REVIEWER, undone, "recall")
    for role, action in (
        (Role.REVIEWER, "pass"),
        (Role.SECOND_REVIEWER, "sign"),
        (Role.BUDGET_REVIEWER, "sign"),
        (Role.APPROVER, "approve"),
        (Role.REVIEWER, "issue"),
        (Role.PUBLISHER, "publish"),
    ):
        office.act(role, adjusted, action)
    office.act(Role.DRAFTER, adjusted, "adjust", reason="项目压减")
    office.act(Role.DEPARTMENT_HEAD, adjusted, "submit")
    mapping = {"first_review": "issuing", "second_review": "issuing", "submitted": "issuing"}
    found = migrate_texts(administrator(office), "county@1", published(office), mapping=mapping, dry_run=True)
    missing = {item["text"]: any("（pass）" in reason for reason in item["obstacles"]) for item in found["texts"]}
    assert missing == {passed: False, undone: True, adjusted: True}


def test_who_has_the_task_and_until_when_stays(sqlite_office) -> None:
    office = sqlite_office
    text = office.county("issuing")
    office.act(Role.APPROVER, text, "send_back", reason="再核实", choice=Choice(to="first_review", resume="direct"))
    office.act(Role.REVIEWER, text, "pass")
    before = open_tasks(office, text)[0]
    assert before.assignee_id is not None
    migrate_texts(administrator(office), "county@1", published(office))
    after = open_tasks(office, text)[0]
    assert (after.assignee_id, after.due_on) == (before.assignee_id, before.due_on)
    mine = worklists.list_tasks(office.people[Role.APPROVER])
    assert [item["text"] for item in mine] == [text]


def test_what_changed_since_the_list_was_read_is_judged_anew(office, monkeypatch) -> None:
    first, second, third = sorted(office.county("submitted") for _ in range(3))
    target = published(office, rename={"first_review": "review"})
    other = published(office, version=3)
    began = migrating.lock_text

    def interrupted(work, text_id):
        monkeypatch.setattr(migrating, "lock_text", began)
        raise Conflict("数据库正忙，等待超时；请稍后重试。", database="locked")

    def meanwhile(done: int, _total: int) -> None:
        if done == 1:
            office.act(Role.REVIEWER, second, "accept")
            monkeypatch.setattr(migrating, "lock_text", began)
            migrate_texts(administrator(office), "county@1", other, limit=2)

    monkeypatch.setattr(migrating, "lock_text", interrupted)
    found = migrate_texts(administrator(office), "county@1", target, progress=meanwhile)
    assert [(item["text"], item["ok"], item["skipped"]) for item in found["texts"]] == [
        (first, False, False),
        (second, False, True),
        (third, True, False),
    ]
    assert "正忙" in found["texts"][0]["obstacles"][0]
    assert [workflow_of(office, text) for text in (first, second, third)] == ["county@3", "county@3", "county@2"]


def test_the_limit_counts_what_moves_and_not_what_is_stuck(sqlite_office) -> None:
    office = sqlite_office
    stuck = [office.county("issuing") for _ in range(2)]
    fits = [office.county("submitted") for _ in range(3)]
    target = published(office, rename={"issuing": "signing"})
    for dry_run in (True, False):
        found = migrate_texts(administrator(office), "county@1", target, limit=2, dry_run=dry_run)
        assert (found["done"], found["running"]) == (2, 5)
    assert sorted(workflow_of(office, text) for text in fits) == ["county@1", "county@2", "county@2"]
    assert [workflow_of(office, text) for text in stuck] == ["county@1", "county@1"]


@pytest.mark.parametrize(
    ("source", "target", "mapping", "error", "said"),
    [
        ("county@1", "county@1", {}, InvalidInput, "同一个流程版本"),
        ("county@7", "standard@1", {}, NotFound, "没有流程版本“county@7”"),
        ("county@1", "nothing@1", {}, NotFound, "没有流程版本“nothing@1”"),
        ("county", "standard@1", {}, InvalidInput, "名称@版本"),
        ("county@1", "standard@99999999999999999999", {}, InvalidInput, "名称@版本"),
        ("county@1", "standard@1", {"nowhere": "draft"}, InvalidInput, "没有状态 nowhere"),
        ("county@1", "standard@1", {"issuing": "issued"}, InvalidInput, "没有状态 issued"),
        ("county@1", "evaluation@1", {}, InvalidInput, "文本类别不同"),
    ],
)
def test_a_wrong_order_is_one_sentence_and_changes_nothing(
    sqlite_office, source: str, target: str, mapping: dict[str, str], error: type[Exception], said: str
) -> None:
    office = sqlite_office
    text = office.county("issuing")
    value = {**yaml.safe_load(shipped("simple")), "name": "evaluation", "kind": "evaluation"}
    publish_value(office, value)
    before = counts(office.installation)
    with pytest.raises(error, match=said):
        migrate_texts(administrator(office), source, target, mapping=mapping)
    assert counts(office.installation) == before
    assert workflow_of(office, text) == "county@1"


@pytest.mark.parametrize("dry_run", [True, False])
def test_nobody_but_the_system_administrator_migrates_and_the_attempt_is_recorded(sqlite_office, dry_run: bool) -> None:
    office = sqlite_office
    text = office.county("submitted")
    for request in (office.people[Role.APPROVER], administrator(office, Role.SECURITY_ADMINISTRATOR)):
        with pytest.raises(NotAllowed, match="系统管理员"):
            migrate_texts(request, "county@1", "standard@1", dry_run=dry_run)
    assert workflow_of(office, text) == "county@1"
    found = auditing.read_log(office.people[Role.AUDITOR], act="definition.migrate", text_id=None, since=0, limit=10)
    assert [item["event"]["out"] for item in found] == ["denied", "denied"]


def test_a_run_without_texts_writes_no_event(sqlite_office) -> None:
    before = counts(sqlite_office.installation)
    found = migrate_texts(administrator(sqlite_office), "county@1", "standard@1")
    assert (found["running"], found["texts"]) == (0, [])
    assert counts(sqlite_office.installation) == before


def command(request: Request, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.setattr("cli.session.current_request", lambda: request)
    with capture_logs():  # the program's own log is another stream
        return CliRunner().invoke(migrate, arguments, standalone_mode=False)


def test_the_command_lists_each_text_and_its_code_says_that_some_are_stuck(sqlite_office, monkeypatch) -> None:
    office = sqlite_office
    fits, stuck = office.county("submitted"), office.county("issuing")
    target = published(office, rename={"issuing": "signing"})
    way = ("--from", "county@1", "--to", target)
    dry = command(administrator(office), monkeypatch, *way, "--dry-run")
    assert dry.return_value == 0
    lines = {line.split("\t")[0]: line.split("\t")[1:] for line in dry.stdout.splitlines()}
    assert lines["编号"] == ["状态", "新状态", "结果", "说明"]
    assert lines[fits] == ["submitted", "submitted", "可以更换", ""]
    assert lines[stuck][2] == "不能更换"
    assert "可以更换 1 份，不能更换 1 份。没有改动任何内容" in dry.stderr
    done = command(administrator(office), monkeypatch, *way, "--json", "--limit", "1")
    assert (done.return_value, orjson.loads(done.stdout)["done"]) == (0, 1)
    again = command(administrator(office), monkeypatch, *way)
    assert again.return_value == 6
    assert command(administrator(office), monkeypatch, *way, "--map", "issuing = signing").return_value == 0
    assert "没有使用 county@1 的文本" in command(administrator(office), monkeypatch, *way).stderr


@pytest.mark.parametrize("pairs", [("issuing",), ("=signing",), ("issuing=",), ("a=b", "a=c")])
def test_a_mapping_that_is_none_is_refused(sqlite_office, monkeypatch, pairs: tuple[str, ...]) -> None:
    given = [part for pair in pairs for part in ("--map", pair)]
    done = command(administrator(sqlite_office), monkeypatch, "--from", "county@1", "--to", "standard@1", *given)
    assert isinstance(done.exception, InvalidInput)


def renamed_action(office, version: int, old: str, new: str) -> None:
    """``county`` in another version, with an action by another name."""
    value = yaml.safe_load(shipped("county"))
    value["version"] = version
    for item in value["transitions"]:
        item["action"] = new if item["action"] == old else item["action"]
    for entry in value["properties"]:
        for name, names in entry.items():
            if isinstance(names, list):
                entry[name] = [new if each == old else each for each in names]
    publish_value(office, value)


def test_two_migrations_that_rename_the_adjustment_are_no_way_round_the_review(sqlite_office) -> None:
    office = sqlite_office
    text = office.county("published")
    office.act(Role.DRAFTER, text, "adjust", reason="调整")
    renamed_action(office, 2, "adjust", "readjust")
    assert migrate_texts(administrator(office), "county@1", "county@2")["done"] == 1
    office.act(Role.DEPARTMENT_HEAD, text, "submit")
    renamed_action(office, 3, "adjust", "adjust")
    done = migrate_texts(administrator(office), "county@2", "county@3", mapping={"submitted": "issuing"})
    assert done["done"] == 0
    assert "必须先" in done["texts"][0]["obstacles"][0]


def test_outsiders_see_what_was_published_whatever_its_action_is_called_now(sqlite_office) -> None:
    office = sqlite_office
    text = office.county("published")
    office.act(Role.DRAFTER, text, "adjust", reason="调整")
    renamed_action(office, 2, "publish", "release")
    assert migrate_texts(administrator(office), "county@1", "county@2")["done"] == 1
    outsider = administrator(office, Role.AUDIT_ADMINISTRATOR)
    shown = texts.show_text(outsider, text)["summary"]
    assert (shown["state"], shown["round"]) == ("published", 1)


def test_a_review_of_other_content_does_not_count(sqlite_office) -> None:
    office = sqlite_office
    text = office.county("issuing")
    remark = Remark("/projects/p1/code", "编码与批复不符", "核对编码")
    office.act(Role.APPROVER, text, "return", reason="有误", remarks=[remark], choice=Choice(resume="restart"))
    set_members(office.people[Role.DRAFTER], text, [("/title", "改过的内容")], reason="改")
    office.act(Role.DEPARTMENT_HEAD, text, "submit", accept_all=True)
    renamed_action(office, 2, "adjust", "adjust")
    done = migrate_texts(administrator(office), "county@1", "county@2", mapping={"submitted": "issuing"})
    assert (done["done"], "必须先" in done["texts"][0]["obstacles"][0]) == (0, True)
    # The same text moves where it stands, and what is reviewed of the same content counts.
    assert migrate_texts(administrator(office), "county@1", "county@2")["done"] == 1
