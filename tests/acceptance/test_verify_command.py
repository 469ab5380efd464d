"""``jixiao audit verify``: levels, an older checkpoint, several processes, keys from files."""

import json
import sqlite3

import pytest
from intruder import disarm_sqlite

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
