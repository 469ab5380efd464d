"""``jixiao audit erase|key`` and the second log as people run them, and the guide's blocks about them."""

from __future__ import annotations

import json
import re
import sqlite3
import stat

import pytest
from acceptance_shell import ROOT, Shell

BASIS = ("--basis", "个人信息保护法第四十七条", "--reason", "本人申请")


@pytest.fixture
def office(tmp_path):
    """An installation with its three administrators, an auditor, and somebody who is leaving."""
    shell = Shell(tmp_path / "home")
    shell.tokens = shell.ok("init", "--origin", "finance.example.gov.cn/jixiao")["tokens"]
    shell.ok("org", "add", "审计局", "--kind", "audit", role="system_administrator")
    shell.ok("org", "add", "图书馆", role="system_administrator")
    added = ("--org", "审计局", "--name", "钱审"), ("--org", "图书馆", "--name", "孙慧兰")
    for login, given in zip(("qianshen", "sunhuilan"), added, strict=True):
        shell.tokens[login] = shell.ok("user", "add", login, *given, role="system_administrator")["token"]
    shell.ok("user", "grant", "qianshen", "auditor", role="security_administrator")
    return shell


def test_two_persons_erase_a_third(office):
    done = office.run("audit", "erase", "--subject", "sunhuilan", *BASIS, role="audit_administrator")
    assert done.returncode == 0
    asked = re.search(r"--confirm (\S+)", done.stderr)[1]
    assert "申请的人" not in done.stderr
    listed = office.run("audit", "erase", "--list", role="qianshen")
    assert "sunhuilan" in listed.stdout
    assert "/login、/name" in listed.stdout
    assert office.run("audit", "erase", "--confirm", asked, role="qianshen", stdin=b"n\n").returncode == 1
    assert office.ok("whoami", role="sunhuilan")["login"] == "sunhuilan"
    done = office.run("audit", "erase", "--confirm", asked, role="qianshen", stdin=b"y\n")
    assert done.returncode == 0
    assert "申请删除“sunhuilan”的 2 项信息" in done.stderr
    assert "个人信息保护法第四十七条" in done.stderr
    assert "账号已停用" in done.stderr
    assert "撤销" in office.fails(4, "whoami", role="sunhuilan")
    shown = office.run("audit", "log", "--act", "account.add", role="qianshen").stdout
    assert "sunhuilan" not in shown
    assert re.search(r"/login：已于 \d{4}-\d\d-\d\d \d\d:\d\d 由钱审删除", shown)
    assert office.ok("audit", "verify")["ok"]
    assert "没有等待确认" in office.run("audit", "erase", "--list", role="qianshen").stderr


def test_what_erase_refuses(office):
    assert office.run("audit", "erase", role="audit_administrator").returncode == 2
    both = ("--subject", "sunhuilan", "--list")
    assert office.run("audit", "erase", *both, role="audit_administrator").returncode == 2
    assert "法律依据" in office.fails(2, "audit", "erase", "--subject", "sunhuilan", role="audit_administrator")
    assert "审计管理员" in office.fails(4, "audit", "erase", "--subject", "sunhuilan", *BASIS, role="qianshen")
    assert "唯一的" in office.fails(6, "audit", "erase", "--subject", "sysadmin", *BASIS, role="audit_administrator")
    assert "没有这个登录名" in office.fails(3, "audit", "erase", "--subject", "x", *BASIS, role="audit_administrator")
    assert "--list" in office.fails(3, "audit", "erase", "--confirm", "x", "--yes", role="qianshen")


def test_a_key_is_changed_and_the_old_one_ended(office):
    (first,) = office.ok("audit", "key", "show")
    done = office.run("audit", "key", "rotate", role="audit_administrator")
    assert done.returncode == 0
    fresh = done.stdout.strip().rpartition("：")[2]
    assert fresh.startswith("finance.example.gov.cn/jixiao+")
    assert "请立即备份" in done.stderr
    note = office.run("audit", "checkpoint").stdout
    assert note.count("— finance.example.gov.cn/jixiao ") == 2
    assert "还没有结束" in office.fails(5, "audit", "key", "rotate", role="audit_administrator")
    assert "审计管理员" in office.fails(4, "audit", "key", "retire", role="qianshen")
    done = office.run("audit", "key", "retire", "--reason", "交接完毕", role="audit_administrator")
    assert done.returncode == 0
    assert first["vkey"] in done.stderr
    assert str(office.home / "keys" / "log.pem") in done.stderr
    (office.home / "keys" / "log.pem").unlink()
    assert [key["active"] for key in office.ok("audit", "key", "show")] == [False, True]
    assert office.ok("org", "add", "文化馆", role="system_administrator")
    note = office.home / "note.txt"
    assert office.run("audit", "checkpoint", "--out", note).returncode == 0
    assert office.run("audit", "verify", "--vkey", first["vkey"], "--vkey", fresh, "--checkpoint", note).returncode == 0
    for path in (office.home / "keys").glob("*.pem"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_old_key_alone_leads_to_the_new_one(office):
    (first,) = office.ok("audit", "key", "show")
    office.ok("audit", "key", "rotate", role="audit_administrator")
    assert office.run("audit", "verify", "--vkey", first["vkey"]).returncode == 0
    office.ok("audit", "key", "retire", role="audit_administrator")
    office.ok("org", "add", "文化馆", role="system_administrator")
    office.run("audit", "checkpoint")
    assert office.run("audit", "verify", "--vkey", first["vkey"]).returncode == 0


def test_what_an_auditor_looked_at_is_told(office):
    office.ok("user", "list", role="qianshen")
    shown = office.run("audit", "log", "--log", "reads", role="audit_administrator").stdout
    assert "钱审\tview account.list\taccount.list" in shown
    note = office.home / "reads.txt"
    assert office.run("audit", "checkpoint", "--log", "reads", "--out", note).returncode == 0
    assert note.read_text().startswith("finance.example.gov.cn/jixiao/reads\n")
    (key,) = office.ok("audit", "key", "show", "--log", "reads")
    done = office.run("audit", "verify", "--log", "reads", "--vkey", key["vkey"], "--checkpoint", note)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "没有名为“other”的审计日志" in office.fails(3, "audit", "log", "--log", "other", role="qianshen")


def test_an_upgrade_of_an_installation_from_before_prints_the_second_key(office):
    with sqlite3.connect(office.home / "jixiao.db") as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        for table in ("audit_key", "audit_head"):
            database.execute(f"DELETE FROM {table} WHERE log = 'reads'")
        database.execute("DELETE FROM audit_log WHERE id = 'reads'")
    for name in ("reads.pem", "reads.head"):
        (office.home / "keys" / name).unlink(missing_ok=True)
    done = office.run("db", "upgrade")
    assert done.returncode == 0
    assert done.stdout.startswith("finance.example.gov.cn/jixiao/reads+")
    office.ok("user", "list", role="qianshen")
    assert len(office.ok("audit", "log", "--log", "reads", role="audit_administrator")) == 1


def test_the_options_of_the_guide_exist(office):
    """The guides' commands about erasure, keys and the second log."""
    lines = "\n".join((ROOT / "docs" / "guide" / name).read_text() for name in ("auditor.md", "operator.md"))
    found = set(re.findall(r"jixiao audit (erase|key \w+|log --log|checkpoint --log|verify --log)", lines))
    assert found == {
        "erase",
        "key rotate",
        "key show",
        "key retire",
        "log --log",
        "checkpoint --log",
        "verify --log",
    }
    for command in found:
        words = command.split()
        shown = office.run("audit", *[word for word in words if not word.startswith("-")], "--help").stdout
        for option in ["--log"] if "--log" in words else []:
            assert option in shown
    shown = office.run("audit", "erase", "--help").stdout
    for option in set(re.findall(r"jixiao audit erase (--\w+)", lines)) | {"--commitment", "--basis", "--reason"}:
        assert option in shown
    assert json.loads(office.run("audit", "erase", "--list", "--json", role="qianshen").stdout) == []
