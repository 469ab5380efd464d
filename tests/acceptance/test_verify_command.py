"""``jixiao audit verify``: levels, an older checkpoint, several processes, keys from files."""

import json
import sqlite3

import pytest
from intruder import disarm_sqlite
from time_authority import make_time_authority

LEVELS = ("head", "tiles", "full", "strict")


@pytest.mark.parametrize("level", LEVELS)
def test_each_level_says_how_far_it_looked(shell, level):
    done = shell.run("audit", "verify", "--level", level)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "完整：日志自签名以来没有被改动。")
    assert f"范围 {level}：" in done.stdout
    assert "暴露窗口" in done.stdout
    assert "--vkey" in done.stderr
    told = json.loads(shell.run("audit", "verify", "--level", level, "--json").stdout)
    assert (told["status"], told["level"], told["start"]) == ("intact", level, 0)


def test_only_strict_compares_the_query_table(shell):
    with sqlite3.connect(shell.home / "jixiao.db") as database:
        disarm_sqlite(database.execute)
        database.execute("UPDATE audit_projection SET act = 'text.read' WHERE idx = 7")
    codes = [shell.run("audit", "verify", "--level", level).returncode for level in LEVELS]
    assert codes == [0, 0, 0, 7]
    assert "第 7 条的查询列 act 与正文不符" in shell.run("audit", "verify", "--level", "strict", "--jobs", "2").stdout


def test_a_verification_goes_on_from_a_kept_checkpoint_with_keys_from_a_file(shell, tmp_path):
    kept, keys = tmp_path / "checkpoint.txt", tmp_path / "vkey.txt"
    assert shell.run("audit", "checkpoint", "--out", kept).returncode == 0
    (first,) = shell.ok("audit", "key", "show")
    keys.write_text(first["vkey"] + "\n")
    done = shell.run("audit", "verify", "--since", kept, "--trust", keys, "--outside", kept)
    assert done.returncode == 0
    assert "这次没有重读正文" in done.stdout
    assert "--vkey" not in done.stderr
    keys.write_text("\n")
    assert "一行一个" in shell.run("audit", "verify", "--trust", keys).stderr
    refused = shell.run("audit", "verify", "--level", "strict", "--since", kept)
    assert (refused.returncode, "--since" in refused.stderr) == (2, True)


def test_the_time_is_checked_only_by_witnesses_and_stamps_that_somebody_believes(shell, tmp_path):
    strict = ("audit", "verify", "--level", "strict")
    untold = shell.run(*strict)
    assert (untold.returncode, "事件的时间没有核对；请用 --witness 或 --tsa-cert" in untold.stdout) == (0, True)
    authority = make_time_authority(tmp_path / "tsa")
    assert shell.run("audit", "timestamp", "--query", tmp_path / "q").returncode == 0
    (tmp_path / "r").write_bytes(authority.reply((tmp_path / "q").read_bytes()))
    assert shell.run("audit", "timestamp", "--reply", tmp_path / "r").returncode == 0
    told = shell.run(*strict, "--tsa-cert", tmp_path / "tsa" / "ca.pem")
    assert (told.returncode, "核对了事件的时间" in told.stdout) == (0, True)
    assert "暴露窗口：0 条" in told.stdout
    assert "（时间戳，" in told.stdout
    refused = shell.run(*strict, "--tsa-cert", tmp_path / "q")
    assert (refused.returncode, "PEM" in refused.stderr) == (2, True)


def test_a_witness_is_named_by_a_file_with_its_key(shell, tmp_path):
    assert (
        shell.run("audit", "witness", "init", tmp_path / "witness", "--name", "audit.example/witness").returncode == 0
    )
    vkey = tmp_path / "witness" / "witness.vkey"
    done = shell.run("audit", "verify", "--level", "strict", "--witness", vkey)
    assert (done.returncode, "核对了事件的时间" in done.stdout) == (0, True)
    (shell.home / "keys" / "log.head").write_text("cut off")
    damaged = shell.run("audit", "verify")
    assert (damaged.returncode, damaged.stdout.splitlines()[0][:4]) == (7, "无法证明")
    assert "log.head 读不出检查点" in damaged.stdout
    own = tmp_path / "own.txt"
    own.write_text(shell.ok("audit", "key", "show")[0]["vkey"])
    assert "见证公钥" in shell.run("audit", "verify", "--witness", own).stderr


def test_only_the_main_log_is_replayed(shell):
    said = [shell.run("audit", "verify", "--level", "strict", "--log", log).stdout for log in ("main", "reads")]
    assert ["按事件重放" in text for text in said] == [True, False]
