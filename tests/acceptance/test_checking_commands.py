"""``text check`` on files and ``check rules|explain`` as people run them, and every command of the guide."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
from pathlib import Path

import pytest
from acceptance_shell import COMMAND, ROOT, SAMPLE, Shell
from python_calamine import CalamineWorkbook
from test_workflow_guide import run_blocks

TWO = SAMPLE.parent / "two-projects-2021.txt"


@pytest.fixture
def stranger(tmp_path: Path) -> Shell:
    """Somebody without an installation."""
    return Shell(tmp_path / "no-home")


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """The sample with a sum that is wrong."""
    file = tmp_path / "错.txt"
    file.write_text(SAMPLE.read_text("utf-8").replace("其他资金\t0", "其他资金\t100"), "utf-8")
    return file


def test_a_file_is_checked_without_an_installation(stranger: Shell, broken: Path) -> None:
    done = stranger.run("text", "check", SAMPLE)
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "级别\t代码\t位置\t说明"
    assert "警告\tC006\t" in done.stdout
    assert "错误 0，警告 10，提示 4：没有错误。" in done.stderr
    done = stranger.run("text", "check", broken)
    assert done.returncode == 6
    assert done.stdout.splitlines()[1].startswith("错误\tA001\t项目“阅读推广经费” 预算数\t")
    assert not stranger.home.exists()


def _on_a_terminal(shell: Shell, *arguments: object) -> str:
    """What a command writes to a terminal of 80 columns."""
    master, slave = pty.openpty()
    kept = {key: value for key, value in os.environ.items() if not key.startswith("JIXIAO_")}
    process = subprocess.Popen(
        [COMMAND, *map(str, arguments)],
        stdout=slave,
        stderr=subprocess.DEVNULL,
        env=kept | {"COLUMNS": "80", "TERM": "dumb", "JIXIAO_HOME": str(shell.home), "PYTHONUTF8": "1"},
    )
    os.close(slave)
    written = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # Linux tells so that the other end is closed
            break
        if not piece:
            break
        written += piece
    os.close(master)
    assert process.wait(60) == 0
    return written.decode()


def test_neither_names_nor_words_of_files_steer_the_terminal(stranger: Shell, tmp_path: Path) -> None:
    words = SAMPLE.read_text("utf-8").replace("读者满意度", "读者\x1b]0;t\x07满意度")
    (tmp_path / "\x1b[31m红\n.txt").write_text(words, "utf-8")
    (tmp_path / os.fsdecode(b"\xff\x1b[2J.txt")).write_text(words, "utf-8")
    piped = stranger.run("text", "check", tmp_path)
    assert piped.returncode == 0
    assert "\x1b" not in piped.stdout + piped.stderr
    shown = _on_a_terminal(stranger, "text", "check", str(tmp_path))
    assert "红" in shown
    for escape in ("\x1b[31m", "\x1b[2J", "\x1b]0;t", "\x07"):
        assert escape not in shown
    assert stranger.run("text", "check", tmp_path, "--json").returncode == 0
    assert stranger.run("text", "check", tmp_path, "--sarif").returncode == 0


def test_a_folder_with_a_broken_file_is_checked_to_its_end(stranger: Shell, broken: Path) -> None:
    shutil.copy(TWO, broken.parent / "b.txt")
    (broken.parent / "c.docx").write_bytes(b"PK\x03\x04 no archive")
    done = stranger.run("text", "check", broken.parent, "--xlsx", broken.parent / "list.xlsx")
    assert done.returncode == 6
    assert "读不出 1 份" in done.stderr
    lines = [line for line in done.stdout.splitlines() if "c.docx\t读不出" in line]
    assert len(lines) == 1
    rows = CalamineWorkbook.from_path(str(broken.parent / "list.xlsx")).get_sheet_by_index(0).to_python()
    assert rows[0] == ["序号", "文件", "项目", "位置", "问题", "依据", "级别", "答复"]
    assert len(rows) == len(done.stdout.splitlines())
    only = stranger.run("text", "check", broken.parent / "c.docx")
    assert only.returncode == 6


def test_files_that_are_no_texts_are_one_line_each_and_no_failure(stranger: Shell, tmp_path: Path) -> None:
    shutil.copy(SAMPLE, tmp_path / "a.txt")
    letter = tmp_path / "b.txt"
    letter.write_text("某局文件\n某财预〔2024〕15号\n关于某局2024年绩效目标的批复\n某局：\n同意。\n", "utf-8")
    done = stranger.run("text", "check", tmp_path)
    assert done.returncode == 0
    assert [line for line in done.stdout.splitlines() if "b.txt" in line] == [
        line for line in done.stdout.splitlines() if "\t不是文本\t" in line
    ]
    assert "不是文本 1 份" in done.stderr
    assert json.loads(stranger.run("text", "check", tmp_path, "--json").stdout)["others"] == 1
    alone = stranger.run("text", "check", letter)
    assert alone.returncode == 6
    assert "没有检查" in alone.stderr


def test_json_and_sarif_are_alone_on_standard_output(stranger: Shell, broken: Path) -> None:
    done = stranger.run("text", "check", broken, "--json")
    found = json.loads(done.stdout)
    assert (found["texts"], found["errors"], done.returncode) == (1, 1, 6)
    (item,) = [item for item in found["results"][0]["findings"] if item["severity"] == "error"]
    assert (item["code"], item["anchor"]) == ("A001", "/projects/p1/budget/total")
    assert "预算数" in broken.read_text("utf-8").splitlines()[item["line"] - 1]
    done = stranger.run("text", "check", broken, "--sarif")
    (run,) = json.loads(done.stdout)["runs"]
    assert [r["level"] for r in run["results"]].count("error") == 1
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].startswith("file:///")
    relative = stranger.run("text", "check", broken.name, "--sarif", cwd=broken.parent)
    uri = json.loads(relative.stdout)["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert uri == {"uri": "%E9%94%99.txt"}


def test_mistakes_of_the_caller_are_told(stranger: Shell) -> None:
    assert "没有文件或文件夹“nothing.txt”" in stranger.fails(2, "text", "check", "nothing.txt")
    assert "不能与文件混写" in stranger.fails(2, "text", "check", SAMPLE, "0192d3f4-0000-7000-8000-000000000000")
    assert "只能选一个" in stranger.fails(2, "text", "check", SAMPLE, "--json", "--sarif")
    assert "--settings" in stranger.fails(2, "text", "check", SAMPLE, "--settings", "nothing.toml")
    assert "没有编号为“X1”的规则" in stranger.fails(3, "check", "explain", "X1")
    stored = "0192d3f4-0000-7000-8000-000000000000"
    assert "--department" in stranger.fails(2, "text", "check", stored, "--department", "某局")
    assert "不能写入" in stranger.fails(1, "text", "check", SAMPLE, "--xlsx", "/nowhere/list.xlsx")


def test_a_stored_text_is_checked_as_before(shell: Shell) -> None:
    done = shell.run("text", "check", shell.text, "--json", role="reviewer")
    found = json.loads(done.stdout)
    assert found["text"] == shell.text
    assert {"errors", "warnings", "hints", "findings"} <= found.keys()
    assert "checked" not in found
    made = shell.home.parent / "list.xlsx"
    done = shell.run("text", "check", shell.text, "--xlsx", made, role="reviewer")
    assert done.stdout.startswith("级别\t代码\t位置\t说明\n")
    assert made.stat().st_size > 1000
    run = json.loads(shell.run("text", "check", shell.text, "--sarif", role="reviewer").stdout)["runs"][0]
    assert all("physicalLocation" not in result["locations"][0] for result in run["results"])


def test_rules_are_listed_and_explained_with_the_settings_in_force(stranger: Shell, tmp_path: Path) -> None:
    listed = stranger.ok("check", "rules")
    assert [item["code"] for item in listed] == sorted(item["code"] for item in listed)
    assert len(listed) == 27
    file = tmp_path / "checks.yaml"
    file.write_text("rules:\n  A006: {severity: error}\n  R004: {disabled: 旧称仍可用}\n", "utf-8")
    stranger.environment["JIXIAO_CHECKS"] = str(file)
    by_code = {item["code"]: item for item in stranger.ok("check", "rules")}
    assert by_code["A006"]["severity"] == "error"
    assert by_code["R004"]["disabled"] == "旧称仍可用"
    assert stranger.run("text", "check", SAMPLE).returncode == 6
    shown = stranger.run("check", "explain", "r004").stdout
    assert "停用（旧称仍可用）" in shown
    assert "不符合：" in shown


def test_the_table_fits_80_columns_of_a_terminal(tmp_path: Path) -> None:
    from rich.cells import cell_len

    written = _on_a_terminal(Shell(tmp_path), "text", "check", SAMPLE, TWO)
    lines = written.splitlines()
    assert any("library-2021.txt" in line for line in lines)
    rows = [line for line in lines if str(ROOT) not in line]
    assert max(cell_len(line.rstrip()) for line in rows) <= 80


def test_every_command_of_the_checking_guide_works(tmp_path: Path) -> None:
    for file in (SAMPLE, TWO):
        shutil.copy(file, tmp_path)
    blocks = run_blocks("checking.md", tmp_path, {"JIXIAO_HOME": str(tmp_path / "home")})
    assert len(blocks) >= 8
    assert (tmp_path / "问题清单.xlsx").stat().st_size > 1000
    assert json.loads((tmp_path / "结果.sarif").read_text("utf-8"))["version"] == "2.1.0"
