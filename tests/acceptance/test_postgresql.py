"""The command on a real PostgreSQL: the demonstration, and two processes at once."""

from __future__ import annotations

import psycopg
import pytest
from acceptance_shell import Shell, drive_text
from intruder import disarm_postgresql


@pytest.fixture
def shell(tmp_path, new_postgresql):
    made = Shell(tmp_path / "home", environment={"JIXIAO_DATABASE_URL": new_postgresql()})
    printed = made.ok("demo", "--home", made.home)
    assert printed["states"][-1] == "published"
    assert printed["audit"]["ok"] is True
    made.tokens, made.text = printed["tokens"], printed["text"]
    return made


def test_two_processes_that_approve_at_once(shell):
    text = drive_text(shell, "second_review")
    both = [shell.start("approve", text, role="approver") for _ in range(2)]
    ended = [(process.communicate(timeout=60)[1], process.returncode) for process in both]
    assert sorted(code for _, code in ended) == [0, 5], ended
    assert shell.ok("text", "actions", text, role="auditor")["state"] == "approved"
    verdict = shell.ok("audit", "verify")
    assert (verdict["ok"], verdict["outbox"]) == (True, 0)


def test_an_edited_byte_is_named_and_the_demonstration_leaves_a_used_database_alone(shell):
    with psycopg.connect(shell.environment["JIXIAO_DATABASE_URL"], autocommit=True) as database:
        assert disarm_postgresql(database.execute)
        database.execute("UPDATE audit_entry SET body = set_byte(body, 40, get_byte(body, 40) # 1) WHERE idx = 7")
    done = shell.run("audit", "verify")
    assert done.returncode == 7
    assert "第 7 条" in done.stdout
    assert "已在使用" in shell.fails(5, "demo", "--home", shell.home)
    assert (shell.home / "keys" / "log.pem").exists()


def test_a_database_that_is_gone_is_said_in_one_sentence(shell):
    shell.environment["JIXIAO_DATABASE_URL"] += "_gone"
    url = shell.environment["JIXIAO_DATABASE_URL"]
    assert url.endswith("_gone")
    assert "数据库不可用" in shell.fails(1, "text", "list", role="auditor")
