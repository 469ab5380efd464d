"""The README's run, executed: what it shows to a newcomer must work today, in both languages."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from acceptance_shell import COMMAND, ROOT

_BLOCK = re.compile(r"```bash\n(.*?)```", re.DOTALL)
_LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def first_block(name: str) -> list[str]:
    match = _BLOCK.search((ROOT / name).read_text(encoding="utf-8"))
    assert match is not None
    return match[1].split("\n")[:-1]


def test_both_languages_show_the_same_run():
    assert first_block("README.md") == first_block("README.zh-CN.md")


def test_the_run_runs(tmp_path):
    lines = first_block("README.md")
    assert lines[0] == "make demo"
    for line in lines:
        # `make demo` is this very command after a set-up that the environment of the tests has had.
        command = line.replace("make demo", "jixiao demo").replace(".venv/bin/jixiao", "jixiao")
        done = subprocess.run(
            ["bash", "-euc", command],
            cwd=tmp_path,
            env={**os.environ, "PATH": f"{COMMAND.parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, (line, done.stderr)
    assert (tmp_path / "var" / "demo" / "documents").is_dir()


@pytest.mark.parametrize("path", [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")], ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path):
    for target in _LINK.findall(path.read_text(encoding="utf-8")):
        # The pictures of the gallery are made by ``make gallery``; test_documents_guide makes them and counts them.
        is_picture = path.parent.name == "gallery" and target.endswith(".png")
        if "://" not in target and not is_picture:
            assert (path.parent / target).exists(), target
