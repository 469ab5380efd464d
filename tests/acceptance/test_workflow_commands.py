"""``jixiao workflow check|publish|show|graph|simulate`` as people run them."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from acceptance_shell import ROOT, Shell

from application.accounts import insert_account, insert_organization
from application.identity import issue_token
from application.installation import open_installation
from application.settings import load_settings
from audit.events import Via
from models.engine import transaction
from models.people import Account, OrganizationKind

BROKEN = ROOT / "tests" / "data" / "workflows" / "broken"
EXAMPLE = ROOT / "examples" / "workflows" / "standard-2.yaml"


@pytest.fixture
def stranger(tmp_path: Path) -> Shell:
    """Somebody without an installation."""
    return Shell(tmp_path / "nowhere")


def administrator(shell: Shell) -> Shell:
    """The shell, with a token of the home's system administrator."""
    installation = open_installation(load_settings(home=shell.home))
    now = installation.clock()
    with transaction(installation.engine) as work:
        account = work.session.scalar(sa.select(Account).where(Account.login == "sysadmin"))
        token = issue_token(work, account.id, "test", now=now, lifetime=timedelta(days=1))
    installation.engine.dispose()
    shell.tokens["system_administrator"] = token
    return shell


def published(shell: Shell) -> list[tuple[str, int]]:
    with sqlite3.connect(shell.home / "jixiao.db") as database:
        return database.execute("SELECT name, version FROM workflow_definition ORDER BY 1, 2").fetchall()


def test_a_check_needs_no_installation(stranger):
    done = stranger.run("workflow", "check", EXAMPLE, "county", "standard", "simple")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.count("没有问题；已走遍所有走法。") == 4
    assert not stranger.home.exists()


def test_a_check_names_line_severity_code_and_the_way(stranger):
    done = stranger.run("workflow", "check", BROKEN / "trap.yaml")
    assert done.returncode == 6
    heading, finding, way = done.stdout.splitlines()
    assert heading.split("\t") == ["行", "级别", "代码", "说明"]
    assert finding.split("\t")[:3] == ["20", "错误", "trap"]
    assert way == "\t\t\t走法：报送（部门负责人） → 暂存（审批）"
    assert done.stderr.endswith("trap.yaml（broken@1）：1 个错误，0 个警告；已走遍所有走法。\n")


def test_a_check_without_proofs_says_so(stranger):
    done = stranger.run("workflow", "check", "--no-prove", BROKEN / "trap.yaml")
    assert done.returncode == 0
    assert "没有问题；没有走遍走法（--no-prove）" in done.stderr


def test_warnings_alone_are_no_failure(stranger):
    done = stranger.run("workflow", "check", BROKEN / "unused-role.yaml")
    assert done.returncode == 0
    assert "警告\tunused_role" in done.stdout
    assert "0 个错误，1 个警告" in done.stderr


def test_several_files_in_json(stranger):
    done = stranger.run("workflow", "check", BROKEN / "trap.yaml", EXAMPLE, "--json")
    assert done.returncode == 6
    printed = json.loads(done.stdout)
    assert printed["ok"] is False
    first, second = printed["files"]
    assert [(it["code"], it["severity"], it["line"]) for it in first["findings"]] == [("trap", "error", 20)]
    assert first["findings"][0]["path"] == ["报送（部门负责人）", "暂存（审批）"]
    assert (second["name"], second["errors"], second["warnings"], second["proved"]) == ("standard@2", 0, 0, True)


def test_a_definition_from_standard_input(stranger):
    done = stranger.run("workflow", "check", "-", stdin=(BROKEN / "alias-bomb.yaml").read_bytes())
    assert done.returncode == 6
    assert "unreadable\t流程定义中不能使用 YAML 别名" in done.stdout
    assert "改正之后才能走遍所有走法" in done.stderr


def test_several_files_say_which_one(stranger):
    done = stranger.run("workflow", "check", BROKEN / "tag.yaml", BROKEN / "wrong-side.yaml")
    assert done.returncode == 6
    assert [Path(line.split("\t")[0]).name for line in done.stdout.splitlines()[1:]] == ["tag.yaml", "wrong-side.yaml"]


def test_a_missing_file_is_one_sentence(stranger):
    assert "没有文件“nothing.yaml”" in stranger.fails(2, "workflow", "check", "nothing.yaml")
    assert "没有文件“contry”" in stranger.fails(2, "workflow", "check", "contry")


def test_publishing_a_new_version(shell):
    administrator(shell)
    done = shell.ok("workflow", "publish", EXAMPLE, role="system_administrator")
    assert (done["name"], done["version"], done["warnings"]) == ("standard", 2, [])
    assert ("standard", 2) in published(shell)
    shown = shell.ok("workflow", "show", "standard", role="drafter")
    assert (shown["version"], shown["sha256"]) == (2, done["sha256"])
    assert shell.ok("audit", "verify", role="auditor")["ok"] is True


def test_publishing_twice_is_told_apart_from_changing_what_is_published(shell, tmp_path):
    administrator(shell)
    before = published(shell)
    assert "已经发布过，内容相同，不必再发布" in shell.fails(
        5, "workflow", "publish", "county", role="system_administrator"
    )
    changed = tmp_path / "changed.yaml"
    text = (ROOT / "workflow" / "definitions" / "county.yaml").read_text("utf-8")
    changed.write_text(text.replace("due: 3 working days", "due: 4 working days"), "utf-8")
    sentence = shell.fails(5, "workflow", "publish", changed, role="system_administrator")
    assert "请把 version 改为 2 再发布" in sentence
    assert published(shell) == before


def test_a_definition_with_errors_is_not_published(shell):
    administrator(shell)
    sentence = shell.fails(6, "workflow", "publish", BROKEN / "property-reachable.yaml", role="system_administrator")
    assert "第 20 行 任何走法都到不了状态“搁置”" in sentence
    assert "第 33 行 性质不成立" in sentence
    assert "broken" not in {name for name, _ in published(shell)}
    assert "不能发布" in shell.fails(6, "workflow", "publish", BROKEN / "tag.yaml", role="system_administrator")


def test_warnings_are_told_and_do_not_stop_publishing(shell):
    administrator(shell)
    done = shell.run("workflow", "publish", BROKEN / "unused-role.yaml", role="system_administrator")
    assert done.returncode == 0
    assert "警告：第 13 行 岗位“reviewer”" in done.stderr


@pytest.mark.parametrize("role", ["drafter", "approver", "auditor"])
def test_only_the_system_administrator_publishes(shell, role):
    assert "由“系统管理员”执行" in shell.fails(4, "workflow", "publish", EXAMPLE, role=role)
    # Whoever may not publish is told so before anything is said of the file.
    shell.fails(4, "workflow", "publish", BROKEN / "tag.yaml", role=role)
    assert ("standard", 2) not in published(shell)
    with sqlite3.connect(shell.home / "jixiao.db") as database:
        (last,) = database.execute("SELECT body FROM audit_entry ORDER BY idx DESC LIMIT 1").fetchone()
    event = json.loads(last)
    assert event["act"] == "definition.publish"
    assert event["out"] == "denied"


def test_what_show_writes_as_yaml_can_be_published_under_another_name(shell, tmp_path):
    administrator(shell)
    written = shell.run("workflow", "show", "county", "--yaml", role="drafter").stdout
    assert written.startswith("# 县级流程")
    mine = tmp_path / "mine.yaml"
    mine.write_text(written.replace("name: county", "name: mine"), "utf-8")
    shell.ok("workflow", "publish", mine, role="system_administrator")
    again = shell.run("workflow", "show", "mine@1", "--yaml", role="drafter").stdout
    assert again.startswith("name: mine\n")
    mine.write_text(again, "utf-8")
    assert "内容相同" in shell.fails(5, "workflow", "publish", mine, role="system_administrator")


def test_every_shipped_definition_can_be_shown(shell):
    done = shell.run("workflow", "show", "county", role="drafter")
    assert "recall\t撤回\t" in done.stdout
    assert "收回上一步" in done.stdout
    assert "退回前面环节" in done.stdout
    assert "没有第 9 版" in shell.fails(3, "workflow", "show", "county@9", role="drafter")


def test_diagrams_of_a_shipped_definition_need_no_installation(stranger, tmp_path):
    mermaid = stranger.run("workflow", "graph", "county")
    assert mermaid.returncode == 0, mermaid.stderr
    assert "stateDiagram-v2" in mermaid.stdout
    assert "<svg" in stranger.run("workflow", "graph", EXAMPLE, "--format", "svg").stdout
    stranger.run("workflow", "graph", "county", "--format", "bpmn", "--out", tmp_path / "county.bpmn")
    assert b"definitions" in (tmp_path / "county.bpmn").read_bytes()
    assert "不能写入" in stranger.fails(2, "workflow", "graph", "county", "--out", tmp_path / "no" / "county.mmd")


def test_a_diagram_marks_where_a_text_stands(shell, drive):
    text = drive("second_review")
    plain = shell.run("workflow", "graph", "standard", "--format", "svg", role="reviewer").stdout
    marked = shell.run("workflow", "graph", "--text", text, role="reviewer")
    assert marked.returncode == 0, marked.stderr
    assert "<svg" in marked.stdout
    assert marked.stdout != plain
    assert "只有 SVG" in shell.fails(2, "workflow", "graph", "--text", text, "--format", "bpmn", role="reviewer")


def test_the_way_of_a_draft_is_nobody_elses_business(shell, drive):
    text = drive("draft")
    shell.fails(4, "workflow", "graph", "--text", text, role="reviewer")


def test_the_handling_of_a_published_text_is_not_public(shell):
    installation = open_installation(load_settings(home=shell.home))
    recorder, now = installation.recorder("test", Via.CLI), installation.clock()
    given: dict[str, Any] = {"actor": "-", "role": "-", "now": now}
    with transaction(installation.engine) as work:
        other = insert_organization(
            work, recorder, name="体育局", kind=OrganizationKind.DEPARTMENT, code=None, aliases=(), **given
        )
        account = insert_account(
            work, recorder, organization=other, login="stranger", display_name="", password=None, **given
        )
        shell.tokens["stranger"] = issue_token(work, account.id, "test", now=now, lifetime=timedelta(days=1))
    installation.engine.dispose()
    assert shell.ok("text", "show", shell.text, role="stranger")
    assert "对外公开的只有文本本身" in shell.fails(4, "workflow", "graph", "--text", shell.text, role="stranger")


SIMULATE = ("workflow", "simulate", "county", "--texts", "40", "--arrivals", "20 per day", "--staff", "reviewer=2")


def test_a_simulation_reports_and_repeats_itself(stranger):
    once = stranger.ok(*SIMULATE, "--service", "first_review=2h", "--chance", "return=0.1", "--seed", "7")
    again = stranger.ok(*SIMULATE, "--service", "first_review=2h", "--chance", "return=0.1", "--seed", "7")
    assert once == again
    assert (once["texts"], once["finished"], once["seed"]) == (40, 40, 7)
    assert stranger.ok(*SIMULATE, "--seed", "8") != once
    done = stranger.run(*SIMULATE)
    assert done.returncode == 0
    assert "40 份文本办结 40 份" in done.stdout
    assert "瓶颈是“" in done.stdout


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--staff", "boss=2", "没有角色“boss”"),
        ("--staff", "reviewer", "应写成“reviewer=3”"),
        ("--service", "first_review=soon", "无法识别"),
        ("--chance", "return=2", "概率在 0 和 1 之间"),
        ("--arrivals", "often", "应写成"),
        ("--start", "2026-01-04", "不是工作日"),
    ],
)
def test_a_plan_that_fits_nothing_is_one_sentence(stranger, option, value, words):
    sentence = stranger.fails(2, "workflow", "simulate", "county", option, value)
    assert words in sentence
    assert sentence.endswith("。")


def test_a_broken_definition_is_not_simulated(stranger):
    assert "流程定义" in stranger.fails(2, "workflow", "simulate", BROKEN / "tag.yaml")
