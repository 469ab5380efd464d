"""``review form|fill|list`` as a reviewer runs them, and what a low grade does to ``pass``."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from acceptance_shell import ROOT, Shell

SCORES = {
    "规范完整": 10,
    "明确清晰": 10,
    "目标相关": 15,
    "指标科学": 15,
    "绩效合理": 15,
    "资金匹配": 15,
    "实现可能": 10,
    "条件充分": 10,
}


def scored(**changed: str) -> list[str]:
    return [word for name, score in {**SCORES, **changed}.items() for word in ("--score", f"{name}={score}")]


def test_a_blank_form_is_filled_in_and_handed_back(shell: Shell, drive: Callable[[str], str], tmp_path: Path) -> None:
    text = drive("first_review")
    blank = shell.run("review", "form", text, "--project", "p1", role="reviewer")
    assert blank.returncode == 0
    filled = blank.stdout
    for name, score in SCORES.items():
        filled = filled.replace(f"  {name}:   #", f"  {name}: {score}   #")
    (tmp_path / "p1.yaml").write_text(filled.replace("notes: {}", "notes:\n  资金匹配: 需附测算表"), "utf-8")
    assert "没有填好" in shell.fails(2, "review", "fill", text, "--score", "规范完整=9", role="reviewer")
    done = shell.run("review", "fill", text, "--file", tmp_path / "p1.yaml", role="reviewer")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("：100 分，优，通过\n")
    (listed,) = shell.ok("review", "list", text, role="reviewer")
    assert (listed["subject"], listed["scores"]["目标相关"], listed["notes"]) == (
        "p1",
        "15",
        {"资金匹配": "需附测算表"},
    )
    page = shell.run("text", "render", text, "--document", "review", "--format", "html", "--out", "-", role="reviewer")
    assert "资金匹配：需附测算表" in page.stdout


def test_a_low_grade_stops_the_text_until_it_is_scored_anew(shell: Shell, drive: Callable[[str], str]) -> None:
    text = drive("first_review")
    low = shell.run("review", "fill", text, *scored(目标相关="0", 指标科学="0"), role="reviewer")
    assert (low.stdout, low.returncode) == ("部门整体绩效目标：70 分，中，退回\n", 0)
    assert "不能进入下一环节" in low.stderr
    assert "审核等级为“中”（70 分）" in shell.fails(6, "pass", text, role="reviewer")
    shell.ok("review", "fill", text, *scored(), role="reviewer")
    shell.ok("pass", text, role="reviewer")


def test_the_guide_shows_a_form_that_can_be_handed_in(shell: Shell, drive: Callable[[str], str]) -> None:
    text = drive("first_review")
    guide = (ROOT / "docs" / "guide" / "finance.md").read_text("utf-8")
    pairs = re.findall(r"--score (\S+=\d+)", guide)
    given = [word for pair in pairs for word in ("--score", pair)]
    done = shell.run("review", "fill", text, *given, role="reviewer")
    assert done.stdout.strip() in guide


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--score", "规范完整"], "要点=内容"),
        (["--score", "规范完整=九"], "不是数字"),
        (["--score", "规范完整=11"], "不在 0 至 10 之间"),
        ([], "jixiao review form"),
        (["--file", "没有.yaml"], "没有文件"),
        (["--project", "p9", *scored()], "没有项目“p9”"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    shell: Shell, drive: Callable[[str], str], given: list[str], said: str
) -> None:
    text = drive("first_review")
    code = 3 if "--project" in given else 2
    assert said in shell.fails(code, "review", "fill", text, *given, role="reviewer")


@pytest.mark.parametrize(
    "data",
    ["- 1", "scores: [", "colour: red", "scores: 9", "scores: {规范完整: [1]}", "subject: [p1]\nscores: {规范完整: 1}"],
)
def test_a_file_that_is_no_form_is_refused(shell: Shell, data: str) -> None:
    message = shell.fails(2, "review", "fill", shell.text, "--file", "-", role="reviewer", stdin=data.encode())
    assert "请" in message
