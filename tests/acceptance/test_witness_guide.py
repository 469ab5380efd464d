"""The commands of the witness guide as they stand, with the service started where the guide starts it."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from acceptance_shell import COMMAND, ROOT, Shell

from application.installing import initialize
from application.settings import Settings

_BLOCK = re.compile(r"```bash\n(.*?)```", re.DOTALL)

# The service runs until Ctrl-C, in a terminal of its own; here it goes to the background once it says that it listens.
_BACKGROUND = """
jixiao() {
  case "$*" in
    *"witness serve"*)
      command jixiao "$@" 2> served.txt &
      server=$!
      trap 'kill -INT $server; wait $server' EXIT
      until grep -q http served.txt; do kill -0 $server; sleep 0.1; done ;;
    *) command jixiao "$@" ;;
  esac
}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = initialize(Settings(home=tmp_path / "home"), origin="finance.example.gov.cn/jixiao")
    made.installation.engine.dispose()
    return tmp_path / "home"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_every_command_of_the_witness_guide_works(home: Path, tmp_path: Path) -> None:
    blocks = _BLOCK.findall((ROOT / "docs" / "guide" / "witness.md").read_text("utf-8"))
    assert len(blocks) >= 9
    script = "\n".join([_BACKGROUND, *blocks]).replace("8765", str(free_port()))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JIXIAO_")}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={
            **kept,
            "PATH": f"{COMMAND.parent}:{os.environ['PATH']}",
            "JIXIAO_HOME": str(home),
            "JIXIAO_LOG_LEVEL": "warning",
            "PYTHONUTF8": "1",
            "no_proxy": "127.0.0.1",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "完整" in done.stdout
    assert "暴露窗口：0 条" in done.stdout
    assert "见证服务已停止" in (tmp_path / "served.txt").read_text("utf-8")
    assert (tmp_path / "kept.txt").read_text("utf-8").count("— ") == 2
    assert (tmp_path / "request.tsq").stat().st_size > 50


def test_commands_of_witnesses_say_what_to_do(home: Path, tmp_path: Path) -> None:
    shell = Shell(home)
    folder = tmp_path / "witness"
    assert "请先运行 jixiao audit witness init" in shell.fails(3, "audit", "witness", "show", folder)
    assert "名称" in shell.fails(2, "audit", "witness", "init", folder, "--name", "a b")
    assert shell.run("audit", "witness", "init", folder, "--name", "audit.example/w").returncode == 0
    assert "另一个文件夹" in shell.fails(5, "audit", "witness", "init", folder, "--name", "audit.example/w")
    assert "公钥" in shell.fails(2, "audit", "witness", "trust", folder, folder / "witness.vkey")
    assert "不能读取" in shell.fails(2, "audit", "witness", "trust", folder, tmp_path / "none")
    assert "witnesses" in shell.fails(2, "audit", "witness", "ask")
    report = shell.ok("audit", "witness", "show", folder)
    assert (report["name"], report["logs"], report["evidence"]) == ("audit.example/w", [], [])

    vkey = (folder / "witness.vkey").read_text("utf-8").strip()
    shell.environment["JIXIAO_WITNESSES"] = json.dumps([{"vkey": vkey, "url": "http://127.0.0.1:1"}])
    done = shell.run("audit", "witness", "ask")
    assert (done.returncode, "没有应答" in done.stdout) == (1, True)
    (main, *_others) = shell.ok("audit", "status")
    assert (main["witnesses"][0]["size"], main["exposure"]["outside"]) == (None, None)
    assert "全部" in shell.run("audit", "status").stdout
    shell.environment["JIXIAO_WITNESSES"] = "[{}]"
    assert "设置有误" in shell.fails(2, "audit", "status")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl reads our query")
def test_commands_of_time_stamps_say_what_to_do(home: Path, tmp_path: Path) -> None:
    shell = Shell(home)
    assert shell.ok("audit", "timestamp") == []
    query = tmp_path / "q.tsq"
    assert shell.run("audit", "timestamp", "--query", query).returncode == 0
    assert "RFC 3161" in shell.fails(2, "audit", "timestamp", "--reply", query)
    assert "一次只用一个" in shell.fails(2, "audit", "timestamp", "--query", query, "--reply", query)
    assert "PEM" in shell.fails(2, "audit", "timestamp", "--tsa-cert", query)
    assert "没有应答" in shell.fails(1, "audit", "timestamp", "--tsa", "http://127.0.0.1:1")
    said = subprocess.run(
        ["openssl", "ts", "-query", "-in", query, "-text"], capture_output=True, text=True, check=True
    ).stdout
    assert "sha256" in said.lower()
