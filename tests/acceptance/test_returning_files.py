"""A Word file that goes out, is edited, and comes back, by the installed command."""

from __future__ import annotations

import sys
from pathlib import Path

from acceptance_shell import SAMPLE

# The unit tests know how people edit a Word file; pytest puts only the folder of each test on the path.
sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "returning"))

from word_edits import Editor


def exported(shell, tmp_path: Path) -> tuple[str, Path]:
    text = shell.ok("text", "import", SAMPLE, role="drafter")["text"]
    done = shell.ok("text", "render", text, "--format", "docx", "--out", tmp_path, role="drafter")
    return text, Path(done["path"])


def edited(path: Path, words: str) -> None:
    editor = Editor(path.read_bytes())
    editor.type("/projects/p1/purpose", words)
    editor.type("/projects/p1/budget/other", "1,000")
    path.write_bytes(editor.saved())


def test_an_edited_word_file_is_shown_asked_and_stored(shell, tmp_path):
    text, path = exported(shell, tmp_path)
    edited(path, "在 Word 里改的用途")
    said_no = shell.run("text", "import", path, "--into", text, role="drafter", stdin=b"n\n")
    assert "在 Word 里改的用途" in said_no.stdout.replace("\n", "")
    assert "I068" in said_no.stdout
    assert "没有保存" in said_no.stderr
    assert shell.ok("text", "show", text, role="drafter")["projects"][0]["purpose"] != "在 Word 里改的用途"
    stored = shell.run("text", "import", path, "--into", text, "--reason", "按稿修改", role="drafter", stdin=b"y\n")
    assert "已生成第 2 版，改动 2 处" in stored.stderr
    assert shell.ok("text", "show", text, role="drafter")["projects"][0]["purpose"] == "在 Word 里改的用途"
    assert "按第 1 版做的，而文本已到第 2 版" in shell.fails(
        5, "text", "import", path, "--into", text, "--yes", role="drafter"
    )


def test_json_shows_and_stores_only_with_yes(shell, tmp_path):
    text, path = exported(shell, tmp_path)
    edited(path, "改")
    shown = shell.ok("text", "import", path, "--into", text, role="drafter")
    assert shown["stored"] is None
    assert {change["place"] for change in shown["comparison"]["changes"]} == {
        "/projects/p1/purpose",
        "/projects/p1/budget/other",
    }
    done = shell.ok("text", "import", path, "--into", text, "--yes", role="drafter")
    assert done["stored"]["version"] == 2


def test_into_does_not_go_with_the_options_of_a_new_text(shell, tmp_path):
    text, path = exported(shell, tmp_path)
    assert "--into" in shell.fails(2, "text", "import", path, "--into", text, "--year", "2022", role="drafter")
