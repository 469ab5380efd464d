"""The commands of notifications as people type them, with a real mail server and a secrets file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from acceptance_shell import Shell

sys.path.insert(0, str(Path(__file__).parents[1] / "integration" / "application"))
from post_offices import Sink, smtp_server

from application.identity import issue_token
from application.installation import open_installation
from application.settings import Settings
from models.engine import transaction
from models.people import Account

SETTINGS = """
quiet_hours = "00:00-00:00"
quiet_days_off = false

[mail]
host = "127.0.0.1"
port = {port}
tls = "none"
sender = "jixiao@example.gov.cn"

[[channels]]
name = "group"
kind = "wecom"
"""


@pytest.fixture
def sink() -> Sink:
    return Sink()


def administrator_token(home: Path) -> str:
    """A token of the system administrator, whose own the demonstration does not tell."""
    installation = open_installation(Settings(home=home))
    try:
        with transaction(installation.engine) as work:
            account = work.session.scalar(sa.select(Account).where(Account.login == "sysadmin"))
            assert account is not None
            now = datetime.now(UTC)
            return issue_token(work, account.id, "test", now=now, lifetime=timedelta(days=1))
    finally:
        installation.engine.dispose()


@pytest.fixture
def shell(tmp_path: Path, sink: Sink) -> Iterator[Shell]:
    made = Shell(tmp_path / "home")
    printed = made.ok("demo", "--home", made.home)
    made.tokens, made.text = printed["tokens"], printed["text"]
    made.tokens["system_administrator"] = administrator_token(made.home)
    with smtp_server(sink) as port:
        (made.home / "settings.toml").write_text(SETTINGS.format(port=port), encoding="utf-8")
        yield made


def test_a_person_reads_the_inbox_and_chooses_how_to_be_told(shell: Shell) -> None:
    told = shell.ok("notify", "inbox", role="drafter")
    assert {item["kind"] for item in told} >= {"return", "approved", "published"}
    assert shell.ok("notify", "read", told[0]["notice"], role="drafter") == {"read": 1}
    assert shell.ok("notify", "read", "--all", role="drafter")["read"] == len(told) - 1
    assert shell.ok("notify", "inbox", "--unread", role="drafter") == []
    assert "不能关闭" in shell.fails(2, "notify", "prefer", "task", "off", role="drafter")
    assert shell.ok("notify", "prefer", "copied", "off", role="drafter")["changed"]
    assert "邮箱地址" in shell.fails(2, "notify", "address", "a@b.cn\nBcc: x@y.cn", role="drafter")
    assert "没有编号" in shell.fails(3, "notify", "read", "nothing", role="drafter")


def test_a_worker_that_runs_once_delivers_what_waits(shell: Shell, sink: Sink) -> None:
    shell.ok("notify", "address", "zhao@example.gov.cn", role="drafter")
    assert shell.ok("notify", "preferences", role="drafter")["address"] == "zhao@example.gov.cn"
    (shell.home / "settings.toml").write_text(
        (shell.home / "settings.toml").read_text(encoding="utf-8").replace("[[channels]]", "[ignored]"),
        encoding="utf-8",
    )
    done = shell.run("worker", "--once")
    assert done.returncode == 0, done.stderr
    assert set(sink.recipients) == {"zhao@example.gov.cn"}
    assert {item["status"] for item in shell.ok("notify", "list", role="drafter")} == {"sent"}
    log = shell.ok("audit", "log", "--act", "notice.deliver", role="auditor")
    assert log
    assert "zhao@" not in str(log)


def test_a_secrets_file_that_others_can_read_is_refused(shell: Shell) -> None:
    secrets = shell.home / "secrets.toml"
    secrets.write_text('[group]\nurl = "http://127.0.0.1:9/?key=hidden"\n', encoding="utf-8")
    secrets.chmod(0o644)
    assert "chmod 600" in shell.fails(2, "notify", "test", "group", role="system_administrator")
    secrets.chmod(0o600)
    said = shell.fails(6, "notify", "test", "group", role="system_administrator")
    assert "没有送达" in said
    assert "hidden" not in said
    secrets.write_text('[group]\nurl = "hidden\n', encoding="utf-8")
    assert "hidden" not in shell.fails(2, "notify", "test", "group", role="system_administrator")


def test_templates_are_previewed_and_checked(shell: Shell) -> None:
    shown = shell.ok("notify", "preview", "return", role="drafter")
    assert shown["subject"].startswith("退回：")
    assert "补写“≤”" in shown["text"]
    folder = shell.home / "words" / "task"
    folder.mkdir(parents=True)
    (folder / "subject.txt").write_text("{{ nobody }}\n", encoding="utf-8")
    settings = shell.home / "settings.toml"
    settings.write_text(f'templates = "{folder.parent}"\n' + settings.read_text(encoding="utf-8"), encoding="utf-8")
    assert "nobody" in shell.fails(6, "notify", "preview", "return", role="drafter")
    assert "没有种类" in shell.fails(2, "notify", "preview", "nothing", role="drafter")


def test_channels_are_listed_and_switched_by_administrators_only(shell: Shell) -> None:
    assert [item["name"] for item in shell.ok("notify", "channels", role="drafter")] == ["mail", "group"]
    shell.fails(4, "notify", "channels", "--off", "mail", "--reason", "x", role="drafter")
    off = ("notify", "channels", "--off", "mail", "--reason", "维护")
    assert shell.ok(*off, role="system_administrator") == {"name": "mail", "on": False}
    shell.fails(5, *off, role="system_administrator")
    assert "维护" in str(shell.ok("notify", "channels", role="drafter"))
    assert shell.ok("notify", "dead", role="system_administrator") == []
