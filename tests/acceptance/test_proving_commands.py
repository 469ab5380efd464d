"""audit export, prove and check-receipt as people run them."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from acceptance_shell import ROOT, Shell

VERIFIER = ROOT / "docs" / "verifier" / "verify.py"


@pytest.fixture
def vkey(shell: Shell, tmp_path: Path) -> Path:
    """The log's public key, as an auditor has it in a file."""
    with sqlite3.connect(shell.home / "jixiao.db") as database:
        (found,) = database.execute("SELECT vkey FROM audit_log WHERE id = 'main'").fetchone()
    path = tmp_path / "vkey.txt"
    path.write_text(found + "\n", encoding="utf-8")
    return path


def offline(tmp_path: Path) -> Shell:
    """A shell where no installation is, as at an outsider's."""
    return Shell(tmp_path / "nowhere")


def test_the_log_is_exported_and_verified_without_jixiao(shell: Shell, vkey: Path, tmp_path: Path) -> None:
    done = shell.ok("audit", "export", "--tiles", tmp_path / "tiles", role="auditor")
    verified = subprocess.run(
        [sys.executable, "-I", VERIFIER, tmp_path / "tiles", "--vkey", vkey],
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
    )
    assert verified.returncode == 0, verified.stdout
    assert done["root"] in verified.stdout
    again = shell.run("audit", "export", "--tiles", tmp_path / "tiles", role="auditor")
    assert f"已导出 {done['size'] + 1} 条" in again.stdout
    assert "审计" in shell.fails(4, "audit", "export", "--tiles", tmp_path / "others", role="drafter")


def test_a_texts_receipts_come_with_a_list_and_hold_where_no_installation_is(
    shell: Shell, vkey: Path, tmp_path: Path
) -> None:
    out = tmp_path / "收据"
    rows = shell.ok("audit", "prove", shell.text, "--act", "workflow.approve", "--out", out, role="auditor")
    assert [row["act"] for row in rows] == ["workflow.approve"]
    listed = (out / "index.md").read_text(encoding="utf-8")
    assert Path(rows[0]["receipt"]).stem in listed
    assert "不证明这里列出了这份文本的全部事件" in listed
    verdict = offline(tmp_path).ok("audit", "check-receipt", rows[0]["receipt"], rows[0]["body"], "--vkey", vkey)
    assert (verdict["ok"], verdict["status"], verdict["index"]) == (True, "intact", rows[0]["index"])


def test_one_event_goes_into_files_of_the_given_name(shell: Shell, tmp_path: Path) -> None:
    shell.ok("audit", "prove", "5", "--out", tmp_path / "five.tlog-proof", role="auditor")
    assert (tmp_path / "five.json").read_bytes().startswith(b"{")
    assert (tmp_path / "five.tlog-proof").read_text("utf-8").startswith("c2sp.org/tlog-proof@v1\nindex 5\n")
    assert not (tmp_path / "index.md").exists()
    message = shell.fails(2, "audit", "prove", shell.text, "--out", tmp_path / "five.json", role="auditor")
    assert "请指定文件夹" in message
    assert "audit log" in shell.fails(3, "audit", "prove", "nothing", role="auditor")


def test_what_proves_nothing_says_so_and_ends_with_seven(shell: Shell, vkey: Path, tmp_path: Path) -> None:
    for number in ("5", "6"):
        shell.ok("audit", "prove", number, "--out", tmp_path / f"{number}.tlog-proof", role="auditor")
    other = Shell(tmp_path / "other")
    made = other.ok("init", "--origin", "other.gov.cn/log")
    (tmp_path / "other.txt").write_text(made["vkey"], encoding="utf-8")
    whole = (tmp_path / "5.tlog-proof").read_bytes()
    (tmp_path / "cut.tlog-proof").write_bytes(whole[:100])
    outsider = offline(tmp_path)
    for receipt, event, key, sentence in (
        ("5.tlog-proof", "6.json", vkey, "事件不是收据所证明的第 5 条"),
        ("5.tlog-proof", "5.json", tmp_path / "other.txt", "请取得那份日志的公钥"),
        ("cut.tlog-proof", "5.json", vkey, "读不出收据"),
        ("5.json", "5.json", vkey, "读不出收据"),
    ):
        done = outsider.run("audit", "check-receipt", tmp_path / receipt, tmp_path / event, "--vkey", key)
        assert (done.returncode, sentence in done.stdout) == (7, True), (done.stdout, done.stderr)
    (tmp_path / "empty.txt").touch()
    for key, sentence in (("empty.txt", "是空的"), ("5.json", "验证公钥的写法不对"), ("nothing.txt", "没有文件")):
        message = outsider.fails(
            2, "audit", "check-receipt", tmp_path / "5.tlog-proof", tmp_path / "5.json", "--vkey", tmp_path / key
        )
        assert sentence in message
