"""Replay: what the tables hold must equal the fold of the events, text by text and grant by grant."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from handled_texts import administrator

from application.acting import Remark
from application.auditing import Level, verify_log
from application.delegations import add_delegation
from application.editing import set_members
from application.numbering import set_number_word
from application.reviewing import Sheet, fill_form
from audit.verdicts import Kind, Status
from documents.reviewing import default_form
from models.engine import transaction
from models.people import Role

REMARK = Remark("/projects/p1/code", "编码与批复不符", "核对编码")


def problems(office: Any) -> list[str]:
    """What replay says against the tables and the events."""
    office.installation.catch_up()
    verdict = verify_log(office.installation, level=Level.STRICT)
    return [item.message for item in verdict.problems if item.kind in (Kind.REPLAY, Kind.TRANSITION)]


def lived(office: Any) -> tuple[str, str]:
    """A text in a sign-off with a vote and a form, and one that came back with an opinion and a number and was edited."""
    bureau = office.people[Role.REVIEWER].person.organization
    set_number_word(administrator(office, Role.SYSTEM_ADMINISTRATOR), bureau, "青财绩")
    signed = office.county("second_review")
    scores = {item.name: item.points for item in default_form().items}
    fill_form(office.people[Role.SECOND_REVIEWER], signed, Sheet(scores, {}))
    office.act(Role.SECOND_REVIEWER, signed, "sign")
    returned = office.county("first_review")
    office.act(Role.REVIEWER, returned, "return", reason="有误", remarks=[REMARK])
    set_members(office.people[Role.DRAFTER], returned, [("/title", "改过的名称")], reason="改名")
    return str(signed), str(returned)


def tamper(office: Any, statement: str) -> None:
    """What somebody with the rights of the database's owner does."""
    engine = office.installation.engine
    with transaction(engine) as work:
        if engine.dialect.name == "sqlite":
            triggers = work.connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all()
            for (name,) in triggers:
                work.connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
        else:
            work.connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            for table in (
                *("signature", "text_version", "step", "participation"),
                *("finding_answer", "review_form", "issued_document", "number_word"),
            ):
                work.connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        assert work.connection.exec_driver_sql(statement).rowcount != 0


def test_a_life_with_every_kind_of_event_replays(office: Any) -> None:
    lived(office)
    text = office.county("published")
    office.act(Role.DRAFTER, text, "adjust", reason="调整")
    office.act(Role.DRAFTER, text, "recall")
    reviewer = office.people[Role.REVIEWER]
    office.another(Role.APPROVER, "daili")
    add_delegation(reviewer, "daili", until="2026-04-01", reason="出差")
    assert problems(office) == []
    assert verify_log(office.installation, level=Level.STRICT).status is Status.INTACT


@pytest.mark.tampers
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE budget_text SET state = 'issued' WHERE state = 'second_review'", "状态"),
        (
            "UPDATE budget_text SET approved_hash = current_hash, approved_version = 1 WHERE state = 'revision'",
            "批复的内容哈希",
        ),
        ("UPDATE budget_text SET path = '' WHERE state = 'second_review'", "经过的环节"),
        ("UPDATE budget_text SET current_version = 1 WHERE state = 'revision'", "版本"),
        ("DELETE FROM signature", "签署"),
        ("UPDATE signature SET choice = 'against'", "签署"),
        ("UPDATE opinion SET problem = '别的'", "审核意见"),
        ("UPDATE opinion SET withdrawn_at = created_at", "审核意见"),
        ("UPDATE task SET assignee_id = (SELECT min(id) FROM account) WHERE closed_at IS NULL", "待办任务"),
        ("UPDATE task SET due_on = '2030-01-01' WHERE closed_at IS NULL AND due_on IS NOT NULL", "待办任务"),
        ("UPDATE text_version SET author_id = (SELECT max(id) FROM account) WHERE number = 1", "版本"),
        ("DELETE FROM step WHERE action = 'accept'", "办理步骤"),
        ("DELETE FROM participation WHERE capacity = 'second_reviewer'", "参与记录"),
        ("UPDATE finding_answer SET text = '另一种说法'", "检查问题的答复"),
        ("UPDATE review_form SET scores = '{}'", "审核表"),
        ("UPDATE issued_document SET number = number + 1", "发文字号"),
        ("UPDATE number_word SET word = '别的'", "发文字号设置"),
        ("UPDATE role_grant SET revoked_at = granted_at WHERE role = 'reviewer'", "岗位 reviewer"),
        ("UPDATE role_grant SET expires_at = granted_at WHERE role = 'reviewer'", "到期时间"),
    ],
)
def test_a_table_that_was_changed_by_hand_is_named(office: Any, statement: str, said: str) -> None:
    lived(office)
    assert problems(office) == []
    tamper(office, statement)
    found = problems(office)
    assert found
    assert all(said in sentence for sentence in found), found


@pytest.mark.tampers
def test_a_grant_and_a_text_that_no_event_tells_of_are_named(sqlite_office: Any) -> None:
    office = sqlite_office
    lived(office)
    tamper(
        office,
        "INSERT INTO role_grant (id, account_id, organization_id, role, granted_at)"
        " SELECT 'x', account_id, organization_id, 'approver', granted_at FROM role_grant WHERE role = 'reviewer'",
    )
    assert ["岗位 approver 在数据库中，日志里却没有授予" in said for said in problems(office)] == [True]


@pytest.mark.tampers
def test_a_text_that_was_deleted_is_missed(sqlite_office: Any) -> None:
    office = sqlite_office
    text = office.imported()
    with transaction(office.installation.engine) as work:
        work.connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        for (name,) in work.connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
            work.connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
        for table in ("task", "finding", "finding_answer", "participation", "text_version"):
            work.connection.execute(sa.text(f"DELETE FROM {table} WHERE text_id = :id"), {"id": text})
        work.connection.execute(sa.text("DELETE FROM message WHERE text_id = :id"), {"id": text})
        work.connection.execute(sa.text("DELETE FROM budget_text WHERE id = :id"), {"id": text})
    assert [f"日志里有文本 {text}，数据库中却没有" in said for said in problems(office)] == [True]
