"""``text edit`` in an editor, ``text new``, ``text findings|answer`` and ``check settings`` as people run them."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from acceptance_shell import Shell

from application.identity import issue_token
from application.installation import open_installation
from application.settings import load_settings
from models.engine import transaction
from models.people import Role, RoleGrant

_KEPT = re.compile(r"您的修改留在 (\S+?\.(?:json|yaml))")


@pytest.fixture
def editor(shell: Shell, tmp_path: Path) -> Callable[..., None]:
    """Makes an editor of substitutions, one list for each time it is opened; ``before`` runs when it is opened first."""

    def make(*rounds: list[tuple[str, str]], before: str = "") -> None:
        script = tmp_path / "editor.py"
        script.write_text(
            "import pathlib, re, subprocess, sys\n"
            f"rounds = {list(rounds)!r}\n"
            "count, path = pathlib.Path(__file__).with_suffix('.n'), pathlib.Path(sys.argv[1])\n"
            "number = int(count.read_text()) if count.exists() else 0\n"
            "count.write_text(str(number + 1))\n"
            "text = path.read_text('utf-8')\n"
            "pathlib.Path(__file__).with_suffix(f'.seen{number}').write_text(text, 'utf-8')\n"
            f"if number == 0 and {before!r}: subprocess.run({before!r}, shell=True, check=True)\n"
            "for old, new in (rounds[number] if number < len(rounds) else []):\n"
            "    text, done = re.subn(old, new, text, count=1, flags=re.S)\n"
            "    assert done, old\n"
            "path.write_text(text, 'utf-8')\n",
            "utf-8",
        )
        shell.environment |= {"EDITOR": f"{sys.executable} {script}", "VISUAL": "", "TMPDIR": str(tmp_path)}

    return make


def with_administrator(shell: Shell) -> None:
    """Gives the shell a token of the system administrator, whose own the demonstration does not tell."""
    installation = open_installation(load_settings(home=shell.home))
    with transaction(installation.engine) as work:
        grant = work.session.scalars(sa.select(RoleGrant).where(RoleGrant.role == Role.SYSTEM_ADMINISTRATOR)).one()
        now = installation.clock()
        token = issue_token(work, grant.account_id, "test", now=now, lifetime=timedelta(days=1))
    shell.tokens["system_administrator"] = token
    installation.engine.dispose()


def seen(tmp_path: Path, number: int) -> str:
    return (tmp_path / f"editor.seen{number}").read_text("utf-8")


def forms(tmp_path: Path) -> list[Path]:
    return [path for path in tmp_path.glob("jixiao-*") if path.suffix in (".json", ".yaml")]


@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_what_is_changed_in_the_editor_becomes_a_version(
    shell: Shell, drive: Callable[[str], str], editor: Callable[..., None], tmp_path: Path, kind: str
) -> None:
    text = drive("draft")
    editor([("读者满意度", "到馆读者满意度")])
    done = shell.run("text", "edit", text, "--as", kind, "--reason", "写清对象", role="drafter", stdin=b"y\n")
    assert done.returncode == 0, done.stderr
    assert "到馆" in done.stdout
    assert "已生成第 2 版，改动 1 处。" in done.stderr
    assert "待答复的警告" in done.stderr or "没有挡住报送的问题" in done.stderr
    assert forms(tmp_path) == []
    assert "到馆读者满意度" in json.dumps(shell.ok("text", "show", text, role="drafter"), ensure_ascii=False)
    (event,) = [item for item in shell.ok("text", "history", text, role="drafter") if item["title"] == "修改"]
    assert (event["why"], [item["p"] for item in event["changes"]]) == (
        "写清对象",
        ["/projects/p1/indicators/i9/name"],
    )


def test_a_mistake_opens_the_form_again_with_the_message_at_its_top(
    shell: Shell, drive: Callable[[str], str], editor: Callable[..., None], tmp_path: Path
) -> None:
    text = drive("draft")
    editor(
        [("total: 86400.00", "total: 8.64万"), ("读者满意度", "到馆读者满意度")], [("total: 8.64万", "total: 86400.00")]
    )
    done = shell.run("text", "edit", text, "--as", "yaml", "--yes", role="drafter")
    assert done.returncode == 0, done.stderr
    top = seen(tmp_path, 1).splitlines()[0]
    line = next(n for n, words in enumerate(seen(tmp_path, 1).splitlines(), 1) if "total: 8.64万" in words)
    assert top.startswith(f"#! 第 {line} 行 /projects/0/budget/total “8.64万”不是十进制数")
    assert "到馆读者满意度" in seen(tmp_path, 1), "nothing that was typed is lost"
    assert "已生成第 2 版，改动 1 处。" in done.stderr


def test_who_gives_up_with_a_mistake_keeps_the_form(
    shell: Shell, drive: Callable[[str], str], editor: Callable[..., None], tmp_path: Path
) -> None:
    text = drive("draft")
    editor([('"fiscal_year": 2021', '"fiscal_year": 21')])
    done = shell.run("text", "edit", text, role="drafter")
    assert done.returncode == 2
    assert "没有保存：第" in done.stderr
    (path,) = forms(tmp_path)
    assert _KEPT.search(done.stderr)[1] == str(path)  # type: ignore[index]
    assert '"fiscal_year": 21,' in path.read_text("utf-8")
    assert path.stat().st_mode & 0o077 == 0, "only its owner reads it"


def test_no_leaves_the_form_and_changes_nothing_and_it_can_be_handed_in(
    shell: Shell, drive: Callable[[str], str], editor: Callable[..., None], tmp_path: Path
) -> None:
    text = drive("draft")
    editor([("读者满意度", "到馆读者满意度")])
    done = shell.run("text", "edit", text, "--as", "yaml", role="drafter", stdin=b"n\n")
    assert done.returncode == 0
    (path,) = forms(tmp_path)
    assert f"jixiao text edit {text} --file {path}" in done.stderr
    assert shell.ok("text", "list", role="drafter")[0]["version"] == 1
    shell.ok("text", "edit", text, "--file", path, role="drafter")
    assert shell.ok("text", "list", role="drafter")[0]["version"] == 2


@pytest.mark.parametrize("rounds", [[], [[(".*", "")]]])
def test_an_unchanged_or_emptied_form_changes_nothing(
    shell: Shell,
    drive: Callable[[str], str],
    editor: Callable[..., None],
    tmp_path: Path,
    rounds: list[list[tuple[str, str]]],
) -> None:
    text = drive("draft")
    editor(*rounds)
    done = shell.run("text", "edit", text, role="drafter")
    assert done.returncode == 0
    assert "没有改动，没有生成新版本。" in done.stderr
    assert forms(tmp_path) == []


def test_a_text_that_changed_meanwhile_is_left_alone(
    shell: Shell, drive: Callable[[str], str], editor: Callable[..., None], tmp_path: Path
) -> None:
    text = drive("draft")
    other = f"{sys.executable} -m cli.main text edit {text} --set /projects/p1/phone=1 --reason 先"
    editor([("读者满意度", "到馆读者满意度")], before=other)
    shell.environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    done = shell.run("text", "edit", text, "--yes", role="drafter")
    assert done.returncode == 5, done.stderr
    assert _KEPT.search(done.stderr)[1] == str(forms(tmp_path)[0])  # type: ignore[index]
    assert "到馆读者满意度" not in json.dumps(shell.ok("text", "show", text, role="drafter"), ensure_ascii=False)


def test_who_may_not_edit_is_told_before_the_editor_opens(
    shell: Shell, drive: Callable[[str], str], editor: Callable[..., None], tmp_path: Path
) -> None:
    text = drive("submitted")
    editor([("x", "y")])
    assert "内容不能修改" in shell.fails(6, "text", "edit", text, role="drafter")
    assert "不能修改这份文本" in shell.fails(4, "text", "edit", drive("draft"), role="department_head")
    assert not (tmp_path / "editor.seen0").exists()


def test_an_editor_that_is_not_there_is_told(shell: Shell, drive: Callable[[str], str], tmp_path: Path) -> None:
    shell.environment |= {"EDITOR": "/nowhere/editor", "VISUAL": "", "TMPDIR": str(tmp_path)}
    done = shell.run("text", "edit", drive("draft"), role="drafter")
    assert done.returncode == 1
    assert "/nowhere/editor" in done.stderr
    assert forms(tmp_path) == []


def test_mistakes_of_the_call_are_told(shell: Shell, drive: Callable[[str], str]) -> None:
    text = drive("draft")
    assert "只能选一个" in shell.fails(2, "text", "edit", text, "--file", "a", "--set", "/title=b", role="drafter")
    assert "--json" in shell.fails(2, "text", "edit", text, "--json", role="drafter")
    assert "二者选一" in shell.fails(2, "text", "new", "--year", "2022", role="drafter")
    assert "二者选一" in shell.fails(2, "text", "answer", text, "--text", "甲", role="drafter")


def test_a_new_text_is_begun_filled_in_and_answered(shell: Shell, drive: Callable[[str], str]) -> None:
    last = drive("draft")
    done = shell.run("text", "new", "--from", last, "--year", "2022", role="drafter")
    assert done.returncode == 0, done.stderr
    new = done.stdout.splitlines()[0]
    assert "/projects/p1/indicators/i2/name" in done.stdout
    assert f"jixiao text edit {new} --as yaml" in done.stderr
    found = shell.run("text", "findings", new, role="drafter")
    assert "还不能报送。" in found.stderr
    assert "（请改正）" in found.stdout
    template = shell.ok("text", "new", "--template", "standard", "--year", "2026", role="drafter")
    assert template["content"]["title"] == "2026年部门预算绩效文本"


def test_findings_are_listed_answered_and_shown_to_the_reviewer(shell: Shell, drive: Callable[[str], str]) -> None:
    text = drive("draft")
    name = "F001@/projects/p1/indicators/i2/sign"
    done = shell.run("text", "answer", text, name, "--text", "讲座按场计数", role="drafter")
    assert done.returncode == 0
    assert "已答复 1 条，还有 0 条警告待答复。下一步：请部门负责人报送。" in done.stderr
    shell.ok("submit", text, role="department_head")
    listed = shell.run("text", "findings", text, role="reviewer")
    (row,) = [line for line in listed.stdout.splitlines() if "i2/sign" in line]
    assert row.endswith("\t讲座按场计数")
    assert "可以报送。" in listed.stderr
    shown = shell.run("text", "show", text, role="reviewer").stdout
    assert "检查的错误和警告" in shown
    assert "讲座按场计数" in shown


def test_settings_go_in_and_come_out_byte_for_byte(shell: Shell, drive: Callable[[str], str], tmp_path: Path) -> None:
    text = drive("draft")
    with_administrator(shell)
    file = tmp_path / "本县.toml"
    file.write_text('# 依据\n[rules.C006]\ndisabled = "依据统一"\n', "utf-8")
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    assert "系统管理员" in shell.fails(4, "check", "settings", "import", file, role="reviewer")
    done = shell.run("check", "settings", "import", file, "--reason", "按通知", role="system_administrator")
    assert done.returncode == 0, done.stderr
    assert sha256 in done.stderr
    checked = shell.run("text", "check", text, role="drafter")
    assert "C006" not in checked.stdout
    assert f"按财政单位的设置（第 1 版，SHA-256 {sha256[:12]}…）检查。" in checked.stderr
    shown = shell.run("check", "settings", "show", role="drafter").stdout
    assert sha256 in shown
    assert "rules.C006.disabled\t依据统一" in shown
    out = tmp_path / "out.toml"
    shell.run("check", "settings", "export", "--out", out, role="auditor")
    assert out.read_bytes() == file.read_bytes()
    rules = json.loads(shell.run("text", "check", text, "--sarif", role="drafter").stdout)["runs"][0]["tool"]["driver"]
    assert [rule["defaultConfiguration"]["enabled"] for rule in rules["rules"] if rule["id"] == "C006"] == [False]
